"""``evoart cut``: a picture as sheets of one colour, for cutters and for screen print."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.errors import EvoartError, UsageError, unknown

SHEETS = "Sheets"


@click.command(
    cls=o.Command,
    short_help="Cut a picture out of coloured sheets: vinyl, paper, laser, screen print.",
    epilog="For example: evoart cut photo-shapes.svg --palette 4 --layers stack --material paper -o cut.svg",
)
@click.argument("file", type=o.path())
@o.option(
    SHEETS,
    "--palette",
    default="4",
    metavar="N|COLOURS",
    help="Colours of the sheets: a number, 1 to 64, of the picture's own, or a list such as black,#e63946,white. "
    "[default: 4]",
)
@o.option(
    SHEETS,
    "--layers",
    type=o.Words("apart", "stack"),
    default="apart",
    help="apart: no sheet lies on another. stack: each lies on the whole of those below, darkest first, as a relief. "
    "[default: apart]",
)
@o.option(
    SHEETS,
    "--material",
    type=o.Words("vinyl", "paper", "laser", "screen"),
    default="vinyl",
    help="Sets --smallest and --trap, and how outlines are drawn: hairlines for laser, else areas. [default: vinyl]",
)
@o.option(
    SHEETS,
    "--trap",
    metavar="LENGTH",
    help="How far a lighter sheet reaches under a darker one, 0mm to 5mm, so that no gap shows. [default: 0.2mm; "
    "screen: 0.3mm; paper, laser and stack: 0mm]",
)
@o.option(
    SHEETS,
    "--smallest",
    metavar="LENGTH",
    help="Pieces smaller than a square of this side, and necks of two fifths of it, go to their neighbours. [default: "
    "3mm; paper: 4mm; screen: 1mm]",
)
@o.option(SHEETS, "--size", default="180mm", metavar="LENGTH", help=o.SIZE_HELP.format("180mm"))
@o.option(SHEETS, "--marks/--no-marks", default=True, help="Registration marks in every layer. [default: marks]")
@o.option(
    SHEETS,
    "--separations",
    is_flag=True,
    help="Also write a file for every colour, in black for screen print: cut-1-e63946.svg.",
)
@o.machine_output("NAME-cut.svg in the current folder", ".svg, a layer a colour")
@o.json_option
@o.verbosity_options
def cut(
    file: str,
    outputs: tuple[str, ...],
    overwrite: bool,
    separations: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    **given: Any,
) -> int:
    """Take FILE apart into sheets of one colour, in true size: without overlaps and gaps, crumbs and threads.

    FILE is a picture that evoart made, any other SVG, a photograph, or - for standard input. The sheets cover the
    picture exactly once, but for the trap; --layers stack makes sheets for a relief instead.
    """
    from evoart.cli import drawings
    from evoart.cli.console import Console
    from evoart.cli.text import count
    from evoart.draw.svg import colour as code
    from evoart.machine import cut as cuts
    from evoart.machine.cutfile import cut_svg
    from evoart.units import millimetres

    console = Console(o.verbosity(verbose, quiet))
    for name, words in (("layers", cuts.LAYERS), ("material", cuts.MATERIALS)):
        if given[name] not in words:
            raise unknown(name, given[name], words)
    material = cuts.MATERIALS[given["material"]]
    stack = given["layers"] == cuts.STACK
    trap = _length("--trap", given["trap"], 0.0 if stack else material.trap, 0, 5)
    smallest = _length("--smallest", given["smallest"], material.smallest, 0.1, 100)
    side = millimetres(given["size"], "--size")
    if not 5 <= side <= 10_000:
        raise UsageError(f"--size is {side:g} mm", "Use 5mm to 10m")
    wanted = _palette(given["palette"])
    if stack and trap:
        raise UsageError("--trap is for sheets that lie apart", "Leave out --trap or --layers stack")
    source = drawings.read(file)
    scale = side / max(source.width, source.height)
    size = (source.width * scale, source.height * scale)
    if smallest > min(size):
        raise UsageError(f"--smallest {smallest:g}mm is larger than the picture", "Use less, or a larger --size")
    paths = drawings.outputs_for(outputs, source.stem, "cut", overwrite, file, as_json)
    if None in paths and separations:
        raise UsageError("--separations write several files, -o - is one", "Write to a file, such as -o cut.svg")
    for path in paths:
        if path is not None and path.suffix.lower() != ".svg":
            raise UsageError(f"'{path}' does not end in .svg", "Cutters read SVG: use .svg")
    for note in source.notes:
        console.say(note)
    with console.progress("cutting"):
        planar = source.planar((0.0, 0.0, *size), tones=wanted if wanted != 1 else 2)
        if not len(planar.faces) or (planar.opacity < cuts.SHOWN).all():
            raise EvoartError(f"'{file}' has lines and no areas, so there is nothing to cut", "Use: evoart plot")
        found = cuts.sheets(planar, _colours(planar, wanted), smallest)
    sheets = cuts.stacked(found) if stack else cuts.trapped(found, trap)
    if isinstance(wanted, tuple) and len(found) < len(wanted):
        lost = [code(rgb) for rgb in wanted if rgb not in [sheet.rgb for sheet in found]]
        console.say(f"nothing is cut of {', '.join(lost)}: no part of the picture is most like it")
    settings = {name: value for name, value in given.items() if value is not None}
    words = [file, *(word for name, value in settings.items() for word in _word(name, value))]
    how: dict[str, Any] = {
        "marks": given["marks"],
        "outlined": material.outlined,
        "description": drawings.command_line("cut", words),
        "recipe": drawings.recipe_text(source, "cut", settings),
    }
    films = [path.with_name(f"{path.stem}-{n}-{code(sheet.rgb)[1:]}.svg") for path in paths if path is not None
             for n, sheet in enumerate(sheets, 1)] if separations else []  # fmt: skip
    for film in films:
        from evoart.output.names import check_path

        check_path(film, overwrite, [])
    title = f"{source.stem}, {len(sheets)} sheets"
    written = [drawings.write(path, cut_svg(sheets, size, title=title, **how), overwrite) for path in paths]
    for film, sheet in zip(films, sheets * len(paths), strict=False):
        one = cut_svg(
            [sheet], size, title=f"{source.stem}, {code(sheet.rgb)}", black=given["material"] == "screen", **how
        )
        written.append(drawings.write(film, one, overwrite))
    pieces = sum(sheet.pieces for sheet in sheets)
    what = f"{source.what} at {size[0]:.0f} x {size[1]:.0f} mm"
    console.say(f"{what}: {count(len(sheets), 'sheet')}, {count(pieces, 'piece')}")
    facts = [{"colour": code(s.rgb), "pieces": s.pieces, "mm2": round(float(s.area.area), 2)} for s in sheets]
    drawings.tell_written(written, as_json, size_mm=list(size), sheets=facts)
    return 0


def _length(flag: str, text: str | None, usual: float, low: float, high: float) -> float:
    from evoart.units import millimetres

    if text is None:
        return usual
    length = millimetres(text, flag)
    if not low <= length <= high:
        raise UsageError(f"{flag} is {length:g} mm, which is out of range", f"Use {low:g}mm to {high:g}mm")
    return length


def _palette(text: str) -> int | tuple[tuple[float, float, float], ...]:
    """A number of colours, or sRGB colours in [0, 1]."""
    import re

    from evoart.run.fields import Number, colour, rgb

    if re.fullmatch(r"[+-]?\d{1,5}(\.\d+)?", text.strip()):
        return int(Number(1, 64, "colours", flag="--palette")("palette", text.strip()))
    words = [word for word in re.split(r"[\s,]+", text.strip()) if word]
    if not words:
        raise UsageError("--palette is empty", "Use a number such as 4, or a list such as black,#e63946")
    return tuple(dict.fromkeys(rgb(colour(word, "colour of the palette")) for word in words))


def _colours(planar: Any, wanted: int | tuple[tuple[float, float, float], ...]) -> Any:
    """The sheets' colours.

    Raises:
        UsageError: more than the picture has.
    """
    import numpy as np
    import shapely

    from evoart.machine.cut import SHOWN
    from evoart.run.fit.palette import choose

    shown = planar.opacity >= SHOWN
    colours = planar.colours[shown]
    count = wanted if isinstance(wanted, int) else len(wanted)
    there = len(np.unique(np.rint(colours * 255), axis=0))
    if count > there:
        what = f"the picture has {there} {'colour' if there == 1 else 'colours'}, so {count} sheets are too many"
        raise UsageError(what, f"Use --palette {there}{' or less' if there > 1 else ''}")
    return (
        choose(colours[:, None], shapely.area(planar.faces[shown])[:, None], wanted)
        if isinstance(wanted, int)
        else wanted
    )


def _word(name: str, value: Any) -> list[str]:
    """An option as it is typed."""
    if name == "marks":
        return [] if value else ["--no-marks"]
    return [f"--{name}", str(value)]
