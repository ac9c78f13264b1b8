"""``evoart plot``: a picture as the strokes of a pen plotter."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.errors import UsageError

PAPER, PENS, MACHINE = "Paper", "Pens", "Machine"
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right", "centre")
# Directions of the pens' lines: thirty degrees apart, as the screens of four-colour print, and none level or upright.
ANGLES = (45.0, 105.0, 75.0, 15.0, 135.0, 165.0, 60.0, 120.0, 30.0, 150.0, 90.0, 0.0)


@click.command(
    cls=o.Command,
    short_help="Draw a picture with the pens of a plotter: SVG, HPGL, G-code.",
    epilog="For example: evoart plot photo-shapes.svg --pens cmyk --paper a4 -o plot.svg -o plot.gcode",
)
@click.argument("file", type=o.path())
@o.option(
    PAPER,
    "--paper",
    default="a4",
    metavar="NAME|WxHmm",
    help="Size of the sheet: a0 to a6, letter, legal, tabloid, or for example 300x400mm. [default: a4]",
)
@o.option(PAPER, "--margin", default="15mm", metavar="LENGTH", help="Left free on every side. [default: 15mm]")
@o.option(
    PAPER,
    "--landscape/--portrait",
    default=None,
    help="Turn the sheet. [default: landscape where the picture is wider than high]",
)
@o.option(
    PENS,
    "--pens",
    default="black",
    metavar="PENS",
    help="COLOUR:WIDTH in mm, joined by commas (black:0.3,#e63946:0.5); a set: black, grays, cmyk, earth or office; or "
    "a TOML file. They draw in this order. [default: black]",
)
@o.option(
    PENS,
    "--hatch",
    type=o.Words("line", "cross", "contour"),
    default="line",
    help="How areas are filled: lines, crossed lines, or lines along their outlines. [default: line]",
)
@o.option(
    PENS,
    "--angle",
    default="45",
    metavar="DEGREES",
    help="Direction of the first pen's lines, -180 to 180; the other pens' differ. [default: 45]",
)
@o.option(
    PENS,
    "--darkness",
    default="100",
    metavar="PERCENT",
    help="Most of the paper that one pen covers, 10 to 100: less ink, lighter shadows. [default: 100]",
)
@o.option(
    MACHINE,
    "--profile",
    metavar="NAME|FILE",
    help="Speeds and codes of the machine: z-axis, servo, marlin, hp7475a, or a TOML file. [default: z-axis]",
)
@o.option(
    MACHINE,
    "--speed",
    metavar="MM/S",
    help="Speed of the drawing pen, 0.1 to 5,000 mm a second. [default: the profile's, 40]",
)
@o.option(
    MACHINE,
    "--start-point",
    metavar="PLACE",
    help="Where every pen starts: X,Y in mm from the top left, or a corner such as bottom-right, or centre. "
    "[default: top-left]",
)
@o.machine_output("NAME-plot.svg in the current folder", ".svg (a layer a pen), .hpgl .plt, .gcode .nc")
@o.json_option
@o.verbosity_options
def plot(
    file: str, outputs: tuple[str, ...], overwrite: bool, as_json: bool, verbose: int, quiet: bool, **given: Any
) -> int:
    """Draw FILE with pens, in true size: areas are hatched by their darkness, and what is hidden is not drawn.

    FILE is a picture that evoart made, any other SVG, a photograph, or - for standard input. Translucent shapes count
    as the colours that are seen: for each, the pens and densities are taken that together look most like it. Lines of
    SVGs and sketches are drawn as they are, with the pen that is most like them. A photograph is hatched by its tones;
    for shapes, fit it first.
    """
    from evoart.cli import drawings
    from evoart.cli.console import Console
    from evoart.cli.text import count
    from evoart.machine import files
    from evoart.machine import plot as plots
    from evoart.machine.paper import read_paper
    from evoart.machine.pens import read_pens
    from evoart.machine.profiles import read_profile
    from evoart.run.fields import Number, colour

    console = Console(o.verbosity(verbose, quiet))
    read_paper(given["paper"], given["margin"], False)
    pens = read_pens(given["pens"], colour)
    profile = read_profile(given["profile"] or "z-axis")
    speed = given["speed"] and float(Number(0.1, 5000, "mm a second", float, "--speed")("speed", given["speed"]))
    angle = float(Number(-180, 180, "degrees", float, "--angle")("angle", given["angle"]))
    darkness = Number(10, 100, "percent", float, "--darkness")("darkness", given["darkness"]) / 100
    if given["hatch"] not in plots.PATTERNS:
        from evoart.errors import unknown

        raise unknown("hatch", given["hatch"], plots.PATTERNS)
    source = drawings.read(file)
    turned = source.width > source.height if given["landscape"] is None else given["landscape"]
    paper = read_paper(given["paper"], given["margin"], turned)
    start = _start(given["start_point"], paper.size)
    paths = drawings.outputs_for(outputs, source.stem, "plot", overwrite, file, as_json)
    formats = ["svg" if path is None else files.format_of(str(path)) for path in paths]
    for note in source.notes:
        console.say(note)
    with console.progress("hatching"):
        _, frame = paper.place(source.width, source.height)
        planar = source.planar(frame, 2 * max(pen.width for pen in pens))
        directions = [(angle - 45 + each) % 180 for each in ANGLES]
        layers = plots.draw(planar, pens, given["hatch"], directions, darkness, start)
    if not any(layer.strokes for layer in layers):
        raise UsageError(f"'{file}' leaves nothing to draw with these pens", "Use darker pens, or other colours")
    work = plots.measure(layers, start, speed or profile.speed, profile.travel_speed, profile.lift)
    settings = {name: value for name, value in given.items() if value is not None}
    words = [file, *(word for name, value in settings.items() for word in _word(name, value))]
    made, title = drawings.command_line("plot", words), f"{source.stem}, plotted"
    recipe = drawings.recipe_text(source, "plot", settings)
    written = []
    for path, kind in zip(paths, formats, strict=True):
        text = {
            "svg": lambda: files.plot_svg(layers, paper.size, title, made, recipe),
            "hpgl": lambda: files.plot_hpgl(layers, paper.size, profile),
            "gcode": lambda: files.plot_gcode(layers, paper.size, profile, made),
        }[kind]()
        written.append(drawings.write(path, text, overwrite))
    facts = {
        "pens": [layer.pen.name for layer in layers],
        "drawn_mm": round(work.drawn, 1),
        "travel_mm": round(work.travel, 1),
        "lifts": work.lifts,
        "minutes": round(work.minutes, 1),
    }
    console.say(
        f"{source.what} on {paper.width:g} x {paper.height:g} mm with {count(len(layers), 'pen')}: "
        f"{work.drawn / 1000:.1f} m drawn, {work.travel / 1000:.1f} m travelled, {work.lifts:,} lifts, "
        f"about {work.minutes:.0f} min at {speed or profile.speed:g} mm/s"
    )
    drawings.tell_written(written, as_json, paper=list(paper.size), **facts)
    return 0


def _word(name: str, value: Any) -> list[str]:
    """An option as it is typed."""
    if name == "landscape":
        return ["--landscape" if value else "--portrait"]
    return [f"--{name.replace('_', '-')}", str(value)]


def _start(text: str | None, size: tuple[float, float]) -> tuple[float, float]:
    """The start point in mm.

    Raises:
        UsageError: no such place, or one off the paper.
    """
    from evoart.errors import unknown
    from evoart.units import split

    w, h = size
    places = dict(zip(CORNERS, ((0.0, 0.0), (w, 0.0), (0.0, h), (w, h), (w / 2, h / 2)), strict=True))
    word = (text or CORNERS[0]).strip().lower()
    if word in places:
        return places[word]
    if "," not in word:
        raise unknown("start point", word, CORNERS)
    parts = word.removesuffix("mm").split(",")
    if len(parts) != 2:
        raise UsageError(f"--start-point is '{text}'", "Write X,Y in mm, such as 0,297")
    x, y = (split(part, "--start-point")[0] for part in parts)
    if not (0 <= x <= w and 0 <= y <= h):
        raise UsageError(f"--start-point {text} is off the paper", f"Use 0,0 to {w:g},{h:g}")
    return x, y
