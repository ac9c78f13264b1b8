"""``evoart render``: a finished picture again, at any size and in any format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from evoart.cli import options as o


@click.command(
    cls=o.Command,
    short_help="Draw a finished picture at another size or in another format.",
    epilog="For example: evoart render photo-shapes.svg -o poster.png --size 8000",
)
@click.argument("file", type=o.path())
@o.output_options
@o.option(
    o.OUTPUT,
    "--supersample",
    metavar="N",
    help="Points a pixel is the mean of, N x N, 1 to 8, where a network is drawn. [default: 2; 1 beyond 2048 x 2048]",
)
@o.option(o.OUTPUT, "--pick", metavar="K", help="Make picture K of the sheet alone.")
@o.json_option
@o.verbosity_options
def render(file: str, outputs: tuple[str, ...], verbose: int, quiet: bool, **given: Any) -> int:
    """Draw the picture in FILE again, from what is in its recipe: sharp at any size.

    FILE is an SVG, PNG, WebP, JPEG, GIF, MP4, PDF HTML or JSON that evoart wrote, or - for standard input.
    """
    from evoart.cli import session
    from evoart.cli.console import Console, tell_path
    from evoart.output.formats import OUTPUTS, Options
    from evoart.run.api import load
    from evoart.run.device import limit_threads, own_process
    from evoart.run.fields import Number

    console = Console(o.verbosity(verbose, quiet))
    pick, samples = given["pick"], given["supersample"]
    result = load(file, None if pick is None else int(Number(1, 10_000, "pictures", flag="--pick")("pick", pick)))
    if samples is not None:
        result = result.supersampled(int(Number(1, 8, "points", flag="--supersample")("supersample", samples)))
    size = given["size"]
    if size is not None:
        size = int(Number(1, 32_768, "pixels", flag="--size")("size", size))
    stem = Path(file).stem.removesuffix(".anim").removesuffix(f"-{result.form.name}") if file != "-" else "picture"
    inputs = [] if file == "-" else [Path(file)]
    stem += f"-{pick}" if pick is not None else ""
    naming = {
        "stem": stem, "form": result.form.name, "overwrite": given["overwrite"], "inputs": inputs,
        "formats": result.job.formats,
    }  # fmt: skip
    places = session.outputs_for(outputs, (), format=given["format"], **naming)
    session.check_stdout(places, given["as_json"])
    if any(OUTPUTS[place.format].film for place in places):
        from evoart.errors import UsageError

        raise UsageError(
            "a finished picture has no evolution to show", f"Make the film with: evoart redo {file} -o film.gif"
        )
    session.check_size(result.artwork(size).size, places)
    session.check_room(result.artwork(size).size, places)
    own_process(result.job.device, result.job.threads)
    limit_threads(result.job.threads)
    with console.progress("drawing") as told:
        written, lost = session.write_all(result, places, Options(progress=told), console, size)
    w, h = result.artwork(size).size
    console.say(f"{result.form.label} at {w} x {h} pixels", 1)
    if given["as_json"]:
        click.echo(json.dumps({"outputs": [str(path) for path in written], "size": [w, h], "seed": result.seed}))
    else:
        for path in written:
            tell_path(path)
    return 1 if lost else 0
