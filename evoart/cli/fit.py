"""``evoart fit``: a photograph goes in, a few shapes come out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EPILOG
from evoart.run.config import to_toml

if TYPE_CHECKING:
    from evoart.run.fit.job import FitJob

SHAPES = "Shapes"


@click.command(
    cls=o.Command,
    short_help="Draw a photograph with a few shapes.",
    epilog=EPILOG,
)
@click.argument("pictures", nargs=-1, type=o.path("PICTURE"), metavar="[PICTURE]...")
@o.output_options("NAME-shapes.svg and .png in the current folder", "that of the photograph")
@o.film_options
@o.footage_options
@o.film_style_options
@o.side_by_side_option
@o.option(o.OUTPUT, "--keep-alpha", is_flag=True, default=None, help="Transparent where the photograph is.")
@o.option(
    SHAPES,
    "--form",
    metavar="NAME",
    help="shapes, or a pen: strokes (their points evolve), sketch (what sketch-rnn makes of noise), sketch:MODEL, "
    "sketch:MODEL.z (latent vectors). [default: shapes]",
)
@o.shapes_options(SHAPES)
@o.option(
    SHAPES,
    "--min-width",
    metavar="PERCENT",
    help="Of lines, ellipses and rectangles, of the long side. [default: 0; 1 with --palette and --opacity 1]",
)
@o.option(
    SHAPES,
    "--stroke",
    metavar="LOW-HIGH",
    help="Width of lines and curves, fixed or a range: percent of the long side (0.5-3), px of the output (2px), or mm "
    "where --size has a unit (0.3-1mm). [default: free]",
)
@o.option(
    o.OUTPUT,
    "--max-bytes",
    metavar="N",
    help="Of the SVG with its recipe: 10kB, for one. The shapes that are missed least go. [default: no limit]",
)
@o.option(
    SHAPES,
    "--paint",
    type=o.Words("flat", "linear", "radial", "auto"),
    help="One colour a shape, or two that run into one another; auto chooses shape by shape. [default: flat]",
)
@o.option(SHAPES, "--opacity", metavar="LOW-HIGH", help="Range, or one fixed number, 0.01 to 1. [default: 0.1-1]")
@o.option(
    SHAPES,
    "--background",
    type=o.Words("mean", "transparent", "white", "black", metavar="COLOUR"),
    help="mean (the mean colour), transparent, #rrggbb or a name. [default: mean]",
)
@o.option(
    SHAPES, "--palette", metavar="N|COLOURS", help="Number of colours from the photograph, or a list: black,#e63946."
)
@o.option(
    SHAPES,
    "--inside/--no-inside",
    default=None,
    help="Keep shapes where a picture with transparency is opaque, and leave the rest free. [default: so, where it "
    "has transparency]",
)
@o.start_option(SHAPES)
@o.option(
    SHAPES,
    "--edit",
    "edits",
    multiple=True,
    metavar="EDIT",
    help='A change to the start\'s shapes: "remove 3,5-8", "colour 3 #e63946", "opacity 3 0.5", "front 3", "back 3", '
    '"keep 80" (those that are missed most); repeat.',
)
@o.option(SHAPES, "--lock", metavar="NUMBERS", help="Shapes of the start that stay as they are: 3,5-8.")
@o.quality_option
@o.loss_option
@o.option(o.SEARCH, "--weights", type=o.path(), metavar="FILE", help="Importance map: white counts, black does not.")
@o.option(
    o.SEARCH,
    "--focus",
    multiple=True,
    metavar="X%,Y%,W%,H%[:N]",
    help="A rectangle that counts N times as much, in percent of the sides: 30%,20%,40%,50%; repeat. [default: N is 4]",
)
@o.option(
    o.SEARCH,
    "--area",
    metavar="L,T,R,B",
    help="Work on this rectangle only: left, top, right, bottom in shares of the sides, such as 0.2,0.1,0.6,0.5.",
)
@o.seed_option
@o.option(
    o.SEARCH,
    "--search",
    type=o.Words("evolve", "waves", "sets", "regional", "classical"),
    help="evolve adds shape after shape and refines all of them together; waves is the same in steps wide enough "
    "for a GPU; the others are for comparison. "
    "[default: evolve]",
)
@o.option(
    o.SEARCH,
    "--strategy",
    type=o.Words(*o.STRATEGIES, metavar="NAME"),
    help="evosax strategy of classical and regional; see: evoart strategies.",
)
@o.strategy_options
@o.option(
    o.SEARCH,
    "--finish",
    type=o.Words("gradient", "none"),
    help="gradient lets evolve refine all shapes by the exact gradient; none uses evolution alone. [default: gradient]",
)
@o.option(o.SEARCH, "--pixels", metavar="N", help="Long side of the search's canvas, 16 to 2,048. [default: 256]")
@o.budget_options
@o.psnr_option
@o.engine_options
@o.option(
    o.RUN,
    "--distributed",
    is_flag=True,
    help="One of several processes that work on this picture together; they find one another by "
    "JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID, or through SLURM.",
)
@o.checkpoint_options
@o.option(o.RUN, "--max-pixels", metavar="N", help="Refuse larger photographs. [default: 100,000,000 pixels]")
@o.config_options
@o.dry_run_option
@o.preview_option
@o.json_option
@o.verbosity_options
def fit(pictures: tuple[str, ...], **given: Any) -> int:
    """Draw PICTURE with a few translucent shapes; without PICTURE, the photograph that comes with evoart.

    PICTURE is a PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF file, or - for standard input. Several are
    drawn one after another with the same options and seed; a broken one stops none of the others. On a GPU those of one
    size share a program.

    A video or a folder of frames becomes a film of the same shapes as they move: -o out.mp4, .webm, .gif, .apng, .webp,
    .svg; by default clip-film.mp4. An animated GIF, PNG or WebP does where an output's name or an option asks for a
    film; else its first frame is drawn.
    """
    from evoart.errors import UsageError

    options, each = o.RunOptions.take(given), given["each"]
    given["stroke"] = _in_pixels(given["stroke"], options.dpi)
    config, settings, printing = (given.pop(name) for name in ("config", "settings", "print_config"))
    if "" in pictures:
        raise UsageError("the picture's name is empty", "Name a file, or leave it out for the bundled photograph")
    jobs = [
        _make_job(given | {"picture": picture}, config, settings, options.outputs) for picture in pictures or [None]
    ]
    films = [job for job in jobs if job.command == "fit-film"]
    if films and len(jobs) > 1:
        raise UsageError(f"'{films[0].picture}' is a film, and films are drawn one at a time", "Give it alone")
    if each and not films:
        raise UsageError("--each is for films", "Leave it out")
    if printing:
        if len(jobs) > 1:
            raise UsageError("--print-config is for one picture", "Name one, or none")
        click.echo(to_toml(jobs[0]), nl=False)
        return 0
    if len(jobs) > 1:
        from evoart.cli.batch import fit_all

        return fit_all(jobs, options)
    from evoart.cli.runner import run_job

    return run_job(jobs[0], _film_outputs(options) if films else options, members=each)


def _film_outputs(options: o.RunOptions) -> o.RunOptions:
    """The options with nothing that shows one picture only.

    Raises:
        UsageError: an output that does not move.
    """
    from evoart.errors import UsageError

    for flag, why in _OWN.items():
        if getattr(options, flag):
            what = f"--{flag.replace('_', '-')} does not go with a film as input, {why}"
            raise UsageError(what, "Leave it out, or give a picture")
    for name in options.outputs:
        if name.lower().endswith((".png", ".jpg", ".jpeg", ".pdf")):
            raise UsageError(
                f"'{name}' shows one picture, and the input is a film",
                "Use .mp4 .webm .gif .apng .webp or .svg; --each writes a PNG for every frame",
            )
    return options


# Options of films that say how a picture moves, and what it is that moves instead.
_OWN = {
    "film_style": "whose shapes move as it does",
    "film_loop": "which ends where it does",
    "film_time": "which is as long as it is: --from, --to",
}


def _draws_film(picture: str | None, outputs: tuple[str, ...], values: dict[str, Any]) -> bool:
    """Whether a film is to come out: always of a video or a folder; of a picture that moves where it is asked for, by
    the name of an output or by an option of films."""
    from evoart.run.film.footage import is_film, moves

    asked = any(name.lower().endswith((".gif", ".apng", ".webp", ".mp4", ".webm", ".anim.svg")) for name in outputs)
    asked = asked or any(name in values for name in _FOOTAGE)
    return bool(picture) and (is_film(picture or "") or (asked and moves(picture or "")))


_FOOTAGE = ("fps", "start_at", "end_at", "every", "steady")


def _make_job(
    given: dict[str, Any], config: str | None, settings: tuple[str, ...], outputs: tuple[str, ...] = ()
) -> FitJob:
    """The job of these options: one with shapes, one with a pen, or one with a film."""
    from evoart.errors import UsageError
    from evoart.run.job import Job

    values = o.job_fields(given, config, settings)
    values.pop("each", None)  # which no job knows
    if config is not None and given["picture"] is None and values.get("picture") not in (None, "", "-"):
        sibling = Path(config).parent / values["picture"]
        if not os.path.exists(values["picture"]) and os.path.exists(sibling):
            values["picture"] = str(sibling)
    if _draws_film(values.get("picture"), outputs, values):
        if "form" in values and values.pop("form") != "shapes":
            raise UsageError("a film is drawn with shapes", "Leave out --form")
        return Job.make(**values | {"command": "fit-film"})  # type: ignore[return-value]
    for name in _FOOTAGE:
        if name in values:
            flag = {"start_at": "from", "end_at": "to"}.get(name, name)
            raise UsageError(f"--{flag} is for films, and the input does not move", "Leave it out, or give a film")
    if values.get("form") == "shapes":
        del values["form"]
    return Job.make(**values | {"command": "fit-pen" if "form" in values else "fit"})  # type: ignore[return-value]


def _in_pixels(stroke: str | None, dpi: float | None) -> str | None:
    """A width of strokes in a unit of length in pixels of the output; any other as it is."""
    from evoart.errors import UsageError
    from evoart.units import INCH, UNITS, millimetres, split

    if stroke is None or not (unit := next((unit for unit in UNITS if stroke.strip().lower().endswith(unit)), "")):
        return stroke
    if dpi is None:
        raise UsageError(
            f"--stroke is {stroke}, of a picture without a size in {unit}", "Say one, such as --size 420mm"
        )
    parts = stroke.strip().lower().removesuffix(unit).split("-")
    widths = [split(part, "--stroke")[0] for part in parts]
    return "-".join(f"{millimetres(f'{width}{unit}', '--stroke') / INCH * dpi:.6g}" for width in widths) + "px"
