"""Sheets as SVG in true size: smooth outlines, a layer a colour, registration marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from evoart.draw.svg import colour
from evoart.machine.cut import Sheet
from evoart.machine.files import head, hundredths, joined, layer, pair

BORDER = 12.0  # mm around the picture, where the marks are
HAIRLINE = 0.1  # mm
SMOOTH = 55.0  # degrees: an outline that turns by less at a point is a curve there
_MARK = 4.0  # half the length of a mark's lines, mm


def cut_svg(
    sheets: Sequence[Sheet],
    size: tuple[float, float],
    *,
    marks: bool = True,
    outlined: bool = False,
    black: bool = False,
    title: str = "",
    description: str = "",
    recipe: str = "",
) -> str:
    """An SVG of sheets in a frame of ``size`` (w, h) mm, whose top left corner is at (0, 0) of their coordinates.

    Args:
        marks: leave a border with registration marks, the same in every layer.
        outlined: hairlines in the sheets' colours; else filled areas.
        black: fill with black, as films for exposure are.
    """
    border = BORDER if marks else 0.0
    page = (size[0] + 2 * border, size[1] + 2 * border)
    corners = _corners([sheet.area for sheet in sheets])
    lines = head(page, title, description, recipe)
    for number, sheet in enumerate(sheets, 1):
        name = colour(sheet.rgb)
        ink = "#000" if black else name
        paint = f'fill="none" stroke="{ink}" stroke-width="{HAIRLINE}"' if outlined else f'fill="{ink}"'
        lines.append(layer(number, f"{number} {name}", f'{paint} fill-rule="evenodd"'))
        for part in shapely.get_parts(sheet.area):
            data = "".join(
                path_data(shapely.get_coordinates(ring), corners, border) for ring in shapely.get_rings(part)
            )
            lines.append(f'<path d="{data}"/>')
        if marks:
            lines.append(_marks(page, ink))
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _marks(page: tuple[float, float], ink: str) -> str:
    """Crosses in circles in the four corners."""
    data = ""
    for x in (BORDER / 2, page[0] - BORDER / 2):
        for y in (BORDER / 2, page[1] - BORDER / 2):
            data += f"M{x - _MARK:g},{y:g}h{2 * _MARK:g}M{x:g},{y - _MARK:g}v{2 * _MARK:g}"
            r = _MARK / 2
            data += f"M{x - r:g},{y:g}a{r:g},{r:g} 0 1 0 {2 * r:g},0a{r:g},{r:g} 0 1 0 {-2 * r:g},0"
    return f'<path class="registration" fill="none" stroke="{ink}" stroke-width="{HAIRLINE}" d="{data}"/>'


def _corners(areas: Sequence[Any]) -> set[tuple[float, float]]:
    """Points where more than two outlines meet: there every outline has a corner, so that neighbours stay flush."""
    found: dict[tuple[float, float], set[tuple[float, float]]] = {}
    for area in areas:
        for ring in shapely.get_rings(shapely.get_parts(area)):
            points = [tuple(point) for point in shapely.get_coordinates(ring).tolist()]
            for a, b in zip(points[:-1], points[1:], strict=True):
                found.setdefault(a, set()).add(b)
                found.setdefault(b, set()).add(a)
    return {point for point, near in found.items() if len(near) > 2}


def path_data(ring: np.ndarray, corners: set[tuple[float, float]], shift: float = 0.0) -> str:
    """Path data of a closed ring ``(k, 2)``, first and last point the same: curves where it turns little, else lines.

    The curve goes through all points. Both sides of a border get the same one, whichever way it is followed.
    """
    points = ring[:-1]
    count = len(points)
    step = np.roll(points, -1, 0) - points
    long = np.maximum(np.hypot(*step.T), 1e-9)
    ahead = step / long[:, None]
    behind = np.roll(ahead, 1, 0)
    turn = np.degrees(np.arccos(np.clip((ahead * behind).sum(1), -1, 1)))
    sharp = (turn > SMOOTH) | np.array([tuple(point) in corners for point in points.tolist()])
    # Next to a long straight line a curve goes on in its direction, or the line would bend.
    before = np.roll(long, 1)
    tangent = np.where(
        (long > 3 * before)[:, None], ahead, np.where((before > 3 * long)[:, None], behind, ahead + behind)
    )
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    first = int(np.flatnonzero(sharp)[0]) if sharp.any() else 0
    at = hundredths(points + shift)
    words = [f"M{pair(at[first])}"]
    for n in range(count):
        i, j = (first + n) % count, (first + n + 1) % count
        if sharp[i] and sharp[j]:
            words.append(f"l{pair(at[j] - at[i])}")
            continue
        a = points[i] + (ahead[i] if sharp[i] else tangent[i]) * long[i] / 3
        b = points[j] - (ahead[i] if sharp[j] else tangent[j]) * long[i] / 3
        middle = hundredths(np.stack([a, b]) + shift) - at[i]
        words.append("c" + joined([pair(middle[0]), pair(middle[1]), pair(at[j] - at[i])]))
    return "".join(words) + "Z"
