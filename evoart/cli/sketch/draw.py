"""The commands of ``evoart sketch`` that draw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

DRAWING, SHEET = "Drawing", "Sheet"
Function = Callable[..., Any]


def model_option(function: Function) -> Function:
    """What draws, for commands whose argument is something else."""
    return o.option(
        DRAWING, "-m", "--model", metavar="NAME|FILE", help="What draws; see: evoart sketch models. [default: kanji]"
    )(function)


def drawing_options(function: Function) -> Function:
    """Options of every command that draws sketches."""
    for decorate in reversed(
        (
            o.option(DRAWING, "-n", "--number", "count", metavar="N", help="How many, 1 to 10,000. [default: 16]"),
            o.option(
                DRAWING,
                "--temperature",
                metavar="T",
                help="0 to 2: 0.1 is careful, 1 as varied as the model's data. [default: 0.35]",
            ),
            o.option(
                DRAWING,
                "--rule",
                type=o.Words("js", "tf", "handwriting"),
                help="What the temperature does: js as in sketch-rnn-js (drawings end), tf as in TensorFlow (calmer, "
                "few end), handwriting leaves the pen alone. [default: js; of handwriting: handwriting]",
            ),
            o.option(DRAWING, "--points", metavar="N", help="Most points of a sketch. [default: the model's]"),
            o.option(
                DRAWING,
                "--class",
                "classes",
                metavar="NAME",
                help="What to draw, of a model of several; A,B takes turns.",
            ),
            o.option(
                DRAWING,
                "--then",
                metavar="MODEL|CLASS",
                help="Another takes over in mid-drawing; see --after, --color.",
            ),
            o.option(DRAWING, "--after", metavar="N", help="So many strokes are left to the first. [default: 1]"),
            o.option(DRAWING, "--offset", metavar="N", help="Number of the first sketch of this seed. [default: 0]"),
            o.option(
                DRAWING,
                "-s",
                "--seed",
                metavar="N",
                help="Same seed, same sketches; 0 to 4,294,967,295. [default: drawn]",
            ),
            o.option(SHEET, "--columns", metavar="N", help="Sketches in a row. [default: about as many as rows]"),
            o.option(
                SHEET, "--width", "line", metavar="PERCENT", help="Of lines, in percent of a cell. [default: 1.2]"
            ),
            o.option(
                SHEET,
                "--color",
                "ink",
                metavar="COLOUR",
                help="Of the lines, #rrggbb or a name; A,B takes turns, or the second is for what the model adds. "
                "[default: black]",
            ),
            o.option(SHEET, "--paper", metavar="COLOUR", help="#rrggbb, a name or transparent. [default: white]"),
            o.option(SHEET, "--margin", metavar="PERCENT", help="Around each sketch, of its cell. [default: 10]"),
            o.option(SHEET, "--each", is_flag=True, help="A file for every sketch: birds-1.svg, birds-2.svg."),
            o.output_options,
            o.film_options,
            o.dry_run_option,
            o.preview_option,
            o.json_option,
            o.verbosity_options,
        )
    ):
        function = decorate(function)
    return function


_EPILOG = f"Exit codes: {EXIT_CODES}."


@click.command(cls=o.Command, short_help="Draw sketches from nothing.", epilog=_EPILOG)
@click.argument("model", required=False)
@drawing_options
def sample(model: str | None, **given: Any) -> int:
    """Draw sketches from nothing. MODEL is a name (see: evoart sketch models) or a file; without it, kanji.

    A file is .npz, or .gen.json, .vae.json, .gen.js of sketch-rnn-js.
    """
    from evoart.cli.sketch.group import check_model

    return _draw("sample", given, model=check_model(model) if model is not None else None)


@click.command(cls=o.Command, short_help="Go on from a drawing, in several ways.", epilog=_EPILOG)
@click.argument("drawing", type=o.path("DRAWING"))
@model_option
@o.option(
    DRAWING,
    "--scale",
    metavar="SHARE",
    help="How much of the whole sketch's size DRAWING spans, 0.02 to 1. [default: 0.6]",
)
@drawing_options
def complete(drawing: str, **given: Any) -> int:
    """Go on from DRAWING, an SVG or Quick, Draw! file: its strokes are drawn first, then the model's own.

    Give two colours to tell them apart: --color black,red.
    """
    return _draw("complete", given, drawing=drawing)


@click.command(cls=o.Command, short_help="Draw a latent vector.", epilog=_EPILOG)
@click.argument("source", type=o.path("FILE"))
@model_option
@drawing_options
def decode(source: str, **given: Any) -> int:
    """Draw FILE: a latent vector that encode printed, or a drawing, which comes out as the model sees it."""
    if source.endswith(".json") and (z := _vector(source)) is not None:
        from evoart.run.sketch.convert import check_not_input

        for output in given["outputs"]:
            check_not_input(Path(output), [Path(source)])
        return _draw("decode", given, z=z)
    return _draw("decode", given, drawing=source)


@click.command(cls=o.Command, short_help="Draw the way from one drawing to another.", epilog=_EPILOG)
@click.argument("drawing", type=o.path("A"))
@click.argument("other", type=o.path("B"))
@model_option
@o.option(DRAWING, "--steps", metavar="N", help="How many sketches, A and B among them; 2 to 10,000. [default: 8]")
@drawing_options
def interpolate(drawing: str, other: str, steps: str | None, **given: Any) -> int:
    """Draw the way from A to B, two SVG files: along the great circle between their latent vectors."""
    given["count"] = steps or given["count"] or 8
    given["temperature"] = given["temperature"] or "0.1"
    return _draw("interpolate", given, drawing=drawing, other=other)


@click.command(cls=o.Command, short_help="Draw a slice of the latent space.", epilog=_EPILOG)
@click.argument("drawing", required=False, type=o.path("DRAWING"))
@model_option
@o.option(DRAWING, "--span", metavar="SD", help="How far it goes to each side, in standard deviations. [default: 2]")
@drawing_options
def grid(drawing: str | None, **given: Any) -> int:
    """Draw a plane through the latent space, around DRAWING or its middle, two directions of the seed's choice."""
    given["count"] = given["count"] or 49
    given["temperature"] = given["temperature"] or "0.1"
    return _draw("grid", given, drawing=drawing)


@click.command(cls=o.Command, short_help="Add and take away drawings in the latent space.", epilog=_EPILOG)
@click.argument("plus", nargs=-1, required=True, type=o.path("DRAWING"))
@o.option(DRAWING, "--minus", multiple=True, type=o.path(), metavar="FILE", help="Take this drawing away; repeat.")
@model_option
@drawing_options
def combine(plus: tuple[str, ...], minus: tuple[str, ...], **given: Any) -> int:
    """Add the drawings PLUS, take away those of --minus, and draw what comes of it."""
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


_HOW = (
    "outputs",
    "format",
    "overwrite",
    "films",
    "film_size",
    "film_time",
    "dry_run",
    "preview",
    "as_json",
    "verbose",
    "quiet",
)


def _draw(task: str, given: dict[str, Any], **fields: Any) -> int:
    """Make the job of a command, and run it."""
    from evoart.cli.runner import run_job
    from evoart.run.sketch.job import SketchJob

    how = {name: given.pop(name) for name in _HOW}
    each = given.pop("each")
    listen(how["verbose"], how["quiet"])
    job = SketchJob.make(task=task, **{k: v for k, v in (given | fields).items() if v not in (None, ())}).with_seed()
    common = how | {"checkpoint": None, "no_checkpoint": True}
    if not each:
        return run_job(job, **common)
    return _one_by_one(job, common)


def _one_by_one(job: Any, how: dict[str, Any]) -> int:
    """A file for every sketch; each has a recipe of its own."""
    import dataclasses

    from evoart.cli.runner import run_job
    from evoart.errors import UsageError

    if job.task in ("interpolate", "grid"):
        raise UsageError(f"--each takes {job.task} apart", "Leave it out, or use decode with --each")
    names = [Path(name) for name in how["outputs"]]
    if any(str(name) == "-" for name in names):
        raise UsageError("--each and -o - exclude each other", "Name a file or a folder")
    code = 0
    for k in range(job.count):
        own = [
            name if name.is_dir() else name.with_name(f"{name.name.split('.')[0]}-{k + 1}{_ending(name)}")
            for name in names
        ]
        outputs = tuple(str(name) for name in own) or (f"{job.stem}-sketch-{k + 1}.svg",)
        single = dataclasses.replace(job, count=1, columns=None, offset=job.offset + k)
        code = max(code, run_job(single, **how | {"outputs": outputs, "quiet": how["quiet"] or not how["verbose"]}))
    return code


def _ending(path: Path) -> str:
    """All suffixes of a name: ``.anim.svg``."""
    return path.name[len(path.name.split(".")[0]) :]


def listen(verbose: int, quiet: bool) -> None:
    """Say on the terminal what a download does."""
    from evoart.cli.console import Console
    from evoart.download import megabytes
    from evoart.run.sketch import news

    console = Console(o.verbosity(verbose, quiet))

    def progress(done: int, total: int | None) -> None:
        console.status(f"{megabytes(done)} of {megabytes(total) if total else 'an unknown size'}")
        if done == total:
            console.end()

    news.listen(console.say, progress)
