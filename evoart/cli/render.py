"""``evoart render``: a finished picture again, at any size and in any format."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from evoart.cli import options as o
from evoart.errors import UsageError


@click.command(
    cls=o.Command,
    short_help="Draw a finished picture at another size or in another format.",
    epilog="For example: evoart render photo-shapes.svg -o poster.png --size 8000",
)
@click.argument("file", type=o.path())
@o.output_options("NAME-shapes.svg and .png, or as for the command that made it", "its own", "as for that command")
@o.option(
    o.OUTPUT,
    "--supersample",
    metavar="N",
    help="Average N x N points for each pixel, 1 to 8, where a network is drawn. [default: 2; 1 beyond 2048 x 2048]",
)
@o.option(
    o.OUTPUT,
    "--steps",
    metavar="N",
    help="Steps that the picture has grown, 0 to 100,000. [default: its own]",
)
@o.film_length_options
@o.film_style_options
@o.pick_option
@o.json_option
@o.verbosity_options
def render(
    file: str, pick: str | None, supersample: str | None, steps: str | None, size: str | None, **given: Any
) -> int:
    """Draw the picture in FILE again, from what is in its recipe: sharp at any size.

    FILE is an SVG, PNG, WebP, JPEG, GIF, MP4, WebM, PDF, HTML or JSON that evoart wrote, or - for standard input. What
    was made from a film is written as a film again.
    """
    from evoart.cli import session
    from evoart.cli.console import Console, tell_json, tell_path
    from evoart.output.formats import OUTPUTS
    from evoart.run.api import load
    from evoart.run.device import limit_threads, own_process
    from evoart.run.fields import Number

    options = o.RunOptions.take(given)
    console = Console(options.verbosity)

    def number(value: str | None, check: Number) -> int | None:
        return None if value is None else int(check(check.flag.lstrip("-"), value))

    result = load(file, number(pick, Number(1, 10_000, "pictures", flag="--pick")))
    if (samples := number(supersample, Number(1, 8, "points", flag="--supersample"))) is not None:
        result = result.supersampled(samples)
    if (age := number(steps, Number(0, 100_000, "steps", flag="--steps"))) is not None:
        result = result.aged(age)
    pixels = number(size, Number(1, 32_768, "pixels", flag="--size"))
    stem = Path(file).stem.removesuffix(".anim").removesuffix(f"-{result.form.name}") if file != "-" else "picture"
    with session.new_folders(options.outputs):
        outputs = session.outputs_for(
            options.outputs,
            (),
            stem=f"{stem}-{pick}" if pick is not None else stem,
            form=result.form.name,
            format=options.format,
            overwrite=options.overwrite,
            inputs=[] if file == "-" else [Path(file)],
            formats=result.job.formats,
            film_only=result.job.film_only and result.rate is not None,
        )
        session.check_stdout(outputs, options.as_json)
        session.check_films(options.film_style, options.film_loop, False, result.form.name, outputs)
        moves = bool(result.frames) or (result.form.name in ("shapes", "strokes") and options.film_style != "evolve")
        if any(OUTPUTS[output.format].film for output in outputs) and not moves:
            what = "a finished picture has no evolution to show"
            raise UsageError(what, f"Make the film with: evoart redo {file} -o film.gif")
        w, h = result.artwork(pixels).size
        session.check_size((w, h), outputs)
        session.check_room((w, h), outputs)
        own_process(result.job.device, result.job.threads)
        limit_threads(result.job.threads)
        with console.progress("drawing") as told:
            writing = dataclasses.replace(session.write_options(**options.writing), progress=told)
            written, lost = session.write_all(result.artwork(pixels), outputs, writing, console)
    console.say(f"{result.form.label} at {w} x {h} pixels", 1)
    if options.as_json:
        tell_json({"outputs": [str(path) for path in written], "size": [w, h], "seed": result.seed})
    else:
        for path in written:
            tell_path(path)
    return 1 if lost else 0
