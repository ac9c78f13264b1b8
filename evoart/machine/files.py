"""What pens draw, as files: SVG with a layer a pen, HPGL, G-code. All in true size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evoart.draw.svg import colour, compact, text_of
from evoart.errors import UsageError
from evoart.machine.profiles import Profile
from evoart.machine.route import PenLayer

HPGL_UNITS = 40  # a millimetre
_PAIRS = 60  # points of one HPGL instruction: old plotters have short buffers
_STROKES = 100  # of one path: editors are slow with thousands of objects, and with one of thousands of points
FORMATS = {".svg": "svg", ".hpgl": "hpgl", ".plt": "hpgl", ".gcode": "gcode", ".nc": "gcode", ".ngc": "gcode"}


def format_of(path: str) -> str:
    """``svg``, ``hpgl`` or ``gcode`` by the extension of a file.

    Raises:
        UsageError: another extension.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"'{path}' is no file for a plotter by its extension", f"Use {' '.join(FORMATS)}")
    return FORMATS[suffix]


def head(size: tuple[float, float], title: str, description: str, recipe: str) -> list[str]:
    """The first lines of an SVG of ``size`` (w, h) in mm, which are its user units too."""
    w, h = (compact(side, 3) for side in size)
    return [
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        f'width="{w}mm" height="{h}mm" viewBox="0 0 {w} {h}">',
        f"<title>{text_of(title)}</title>",
        f"<desc>{text_of(description)}</desc>",
        *([f"<metadata>{text_of(recipe)}</metadata>"] if recipe else []),
    ]


def layer(number: int, label: str, attributes: str) -> str:
    """The opening tag of a layer of Inkscape, which vpype takes for one too."""
    safe = text_of(label).replace('"', "&quot;")
    return f'<g id="layer{number}" inkscape:groupmode="layer" inkscape:label="{safe}" {attributes}>'


def plot_svg(
    layers: Sequence[PenLayer], size: tuple[float, float], title: str = "", description: str = "", recipe: str = ""
) -> str:
    """An SVG in mm, a layer for every pen, strokes in the order drawn."""
    lines = head(size, title, description, recipe)
    for number, each in enumerate(layers, 1):
        pen = each.pen
        paint = (
            f'fill="none" stroke="{colour(pen.rgb)}" stroke-width="{compact(pen.width, 3)}" stroke-linecap="round" '
            'stroke-linejoin="round" style="mix-blend-mode:multiply"'
        )
        lines.append(layer(number, f"{number} {pen.name} {pen.width:g} mm", paint))
        paths = [_path(stroke) for stroke in each.strokes]
        lines += [f'<path d="{"".join(paths[i : i + _STROKES])}"/>' for i in range(0, len(paths), _STROKES)]
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _path(stroke: np.ndarray) -> str:
    """Path data to a hundredth of a millimetre, each point from the one before: rounding does not add up."""
    points = hundredths(stroke)
    steps = np.diff(points, axis=0)
    steps = steps[(steps != 0).any(1)]
    if not len(steps):
        return f"M{pair(points[0])}h0"
    return f"M{pair(points[0])}l" + joined([pair(step) for step in steps])


def hundredths(points: np.ndarray) -> np.ndarray:
    """Points in mm as whole hundredths."""
    return np.rint(np.asarray(points) * 100).astype(np.int64)


def pair(point: np.ndarray) -> str:
    """Two numbers in hundredths of a millimetre, in mm."""
    return joined([compact(value / 100, 2) for value in point.tolist()])


def joined(words: Sequence[str]) -> str:
    """Numbers with a space only where one would run into the next."""
    return "".join(word if i == 0 or word.startswith("-") else f" {word}" for i, word in enumerate(words))


def plot_hpgl(layers: Sequence[PenLayer], size: tuple[float, float], profile: Profile) -> str:
    """HPGL: the first pen is number 1; the origin is the lower left corner of the paper."""

    def words(points: np.ndarray) -> list[str]:
        flipped = np.rint(np.column_stack([points[:, 0], size[1] - points[:, 1]]) * HPGL_UNITS).astype(int)
        return [f"{x},{y}" for x, y in flipped.tolist()]

    lines = ["IN;", f"VS{max(1, round(profile.speed / 10))};"]
    for number, each in enumerate(layers, 1):
        lines.append(f"SP{number};")
        for stroke in each.strokes:
            start, *rest = words(stroke)
            lines.append(f"PU{start};")
            lines += [f"PD{','.join(rest[i : i + _PAIRS])};" for i in range(0, len(rest), _PAIRS)]
    return "\n".join([*lines, "PU;", "SP0;", "IN;", ""])


def plot_gcode(layers: Sequence[PenLayer], size: tuple[float, float], profile: Profile, description: str = "") -> str:
    """G-code in mm; the origin is the lower left corner of the paper. Pens after the first wait for a change."""

    def place(point: np.ndarray) -> str:
        return f"X{compact(point[0], 3)} Y{compact(size[1] - point[1], 3)}"

    plain = description.encode("ascii", "replace").decode()[:200]
    lines = [f"; {plain}"] if plain else []
    lines += [profile.header, profile.pen_up]
    for number, each in enumerate(layers):
        lines += [profile.pen_change] if number else []
        name = each.pen.name.encode("ascii", "replace").decode()
        lines.append(f"; pen {number + 1}: {name} {each.pen.width:g} mm")
        for stroke in each.strokes:
            lines += [f"G0 {place(stroke[0])} F{profile.travel_speed * 60:g}", profile.pen_down]
            first = f" F{profile.speed * 60:g}"
            for point in stroke[1:]:
                lines.append(f"G1 {place(point)}{first}")
                first = ""
            lines.append(profile.pen_up)
    return "\n".join([*lines, "G0 X0 Y0", profile.footer, ""])
