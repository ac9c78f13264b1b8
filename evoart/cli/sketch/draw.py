"""The commands of ``evoart sketch`` that draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

if TYPE_CHECKING:
    from evoart.run.sketch.job import SketchJob


_EPILOG = f"Exit codes: {EXIT_CODES}."


@click.command(cls=o.Command, short_help="Draw sketches from nothing.", epilog=_EPILOG)
@click.argument("model", required=False)
@o.drawing_options
def sample(model: str | None, **given: Any) -> int:
    """Draw sketches from nothing. MODEL is a name (see: evoart sketch models) or a file; without it, kanji.

    A file is .npz, or .gen.json, .vae.json, .gen.js of sketch-rnn-js.
    """
    from evoart.cli.sketch.group import check_model

    return _draw("sample", given, model=check_model(model) if model is not None else None)


@click.command(cls=o.Command, short_help="Continue a drawing, in several ways.", epilog=_EPILOG)
@click.argument("drawing", type=o.path("DRAWING"))
@o.model_option
@o.option(
    o.DRAWING,
    "--scale",
    metavar="SHARE",
    help="How much of the whole sketch's size DRAWING spans, 0.02 to 1. [default: 0.6]",
)
@o.drawing_options
def complete(drawing: str, **given: Any) -> int:
    """Continue DRAWING, an SVG or Quick, Draw! file: its strokes are drawn first, then the model's own.

    Give two colours to tell them apart: --color black,red.
    """
    return _draw("complete", given, drawing=drawing)


@click.command(cls=o.Command, short_help="Draw a latent vector.", epilog=_EPILOG)
@click.argument("source", type=o.path("FILE"))
@o.model_option
@o.drawing_options
def decode(source: str, **given: Any) -> int:
    """Draw FILE: a latent vector that encode printed, or a drawing, which comes out as the model sees it. A word that
    the model knows will do as well: apple."""
    if source.endswith(".json") and (z := _vector(source)) is not None:
        from evoart.run.sketch.convert import check_not_input

        for output in given["outputs"]:
            check_not_input(Path(output), [Path(source)])
        return _draw("decode", given, z=z)
    return _draw("decode", given, drawing=source)


@click.command(cls=o.Command, short_help="Draw the way from one drawing to another.", epilog=_EPILOG)
@click.argument("drawing", type=o.path("A"))
@click.argument("other", type=o.path("B"))
@o.model_option
@o.option(o.DRAWING, "--steps", metavar="N", help="How many sketches, A and B among them; 2 to 10,000. [default: 8]")
@o.drawing_options
def interpolate(drawing: str, other: str, steps: str | None, **given: Any) -> int:
    """Draw the way from A to B, two SVG files or words that the model knows, such as apple and star: along the great
    circle between their latent vectors. --film shows one drawing that bends from A to B and back."""
    given["count"] = steps or given["count"] or 8
    given["temperature"] = given["temperature"] or "0.1"
    return _draw("interpolate", given, drawing=drawing, other=other)


@click.command(cls=o.Command, short_help="Draw a slice of the latent space.", epilog=_EPILOG)
@click.argument("drawing", required=False, type=o.path("DRAWING"))
@o.model_option
@o.option(
    o.DRAWING,
    "--span",
    metavar="SD",
    help="How far it goes to each side of DRAWING, in standard deviations. [default: 2]",
)
@o.drawing_options
def grid(drawing: str | None, **given: Any) -> int:
    """Draw a sheet of the latent space: around DRAWING, a file or a word, in two directions of the seed's choice; or,
    without one, between four words of the seed's choice in the corners (around the middle, where the model knows none).
    """
    given["count"] = given["count"] or 49
    given["temperature"] = given["temperature"] or "0.1"
    return _draw("grid", given, drawing=drawing)


@click.command(cls=o.Command, short_help="Add and take away drawings in the latent space.", epilog=_EPILOG)
@click.argument("plus", nargs=-1, required=True, type=o.path("DRAWING"))
@o.option(o.DRAWING, "--minus", multiple=True, type=o.path(), metavar="FILE", help="Take this drawing away; repeat.")
@o.model_option
@o.drawing_options
def combine(plus: tuple[str, ...], minus: tuple[str, ...], **given: Any) -> int:
    """Add the drawings PLUS, take away those of --minus, and draw the sum. They are files, or words of the model."""
    return _draw("combine", given, plus=plus, minus=minus)


def _vector(path: str) -> list[float] | None:
    """The latent vector in a file that ``encode`` wrote; None where it is something else, such as a drawing."""
    from evoart.errors import UsageError

    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read ({error.strerror or error})", "Check the name") from None
    except (ValueError, RecursionError):
        return None
    return content.get("z") if isinstance(content, dict) else None


def _draw(task: str, given: dict[str, Any], **fields: Any) -> int:
    """Make the job of a command, and run it."""
    import dataclasses

    from evoart.cli.runner import run_job
    from evoart.run.sketch.job import SketchJob

    options = dataclasses.replace(o.RunOptions.take(given), no_checkpoint=True)
    each = given.pop("each")
    job = SketchJob.make(task=task, **{k: v for k, v in (given | fields).items() if v not in (None, ())}).with_seed()
    if not options.dry_run:
        fetch_model(job.model, options.verbose, options.quiet)
    return _draw_each(job, options) if each else run_job(job, options)


def _draw_each(job: SketchJob, options: o.RunOptions) -> int:
    """Write a file for every sketch, each with a recipe of its own; returns the exit code: 0 where all are written."""
    import dataclasses
    from functools import partial

    from evoart.cli.runner import attempt, collect_json, run_job
    from evoart.cli.session import new_folders
    from evoart.errors import UsageError

    if job.task in ("interpolate", "grid"):
        raise UsageError(f"--each would take the {job.task} apart", "Leave it out, or use decode with --each")
    if "-" in options.outputs:
        raise UsageError("--each and -o - exclude each other", "Name a file or a folder")
    options = dataclasses.replace(options, quiet=options.quiet or not options.verbose)
    names, code = [Path(name) for name in options.outputs], 0
    with new_folders(options.outputs), collect_json(options) as report:
        for k in range(job.count):
            own = [
                name if name.is_dir() else name.with_name(f"{name.name.split('.')[0]}-{k + 1}{_ending(name)}")
                for name in names
            ]
            outputs = tuple(str(name) for name in own) or (f"{job.stem}-sketch-{k + 1}.svg",)
            single = dataclasses.replace(job, count=1, columns=None, offset=job.offset + k)
            run = partial(run_job, single, dataclasses.replace(options, outputs=outputs), report=report)
            code = max(code, attempt(run, outputs[0], report))
            if code > 1:  # the user does not want the others either, or they would fail for the same reason
                break
    return code


def _ending(path: Path) -> str:
    """All suffixes of a name: ``.anim.svg``."""
    return path.name[len(path.name.split(".")[0]) :]


def fetch_model(name: str, verbose: int, quiet: bool) -> None:
    """Download a published model where it is not here, and show it on the terminal.

    Raises:
        UsageError, EvoartError: see ``sketch.catalogue.find``.
    """
    from evoart.cli.console import Console
    from evoart.cli.downloads import callbacks
    from evoart.sketch.catalogue import find, missing_file

    if missing_file(name):
        find(name, **callbacks(Console(o.verbosity(verbose, quiet))))
