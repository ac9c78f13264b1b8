"""A drawing as the layers of a plotter's pens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from evoart.machine.hatch import CROSS, PATTERNS, hatch
from evoart.machine.pens import Pen, choose_levels
from evoart.machine.planar import Planar, nearest_colours
from evoart.machine.route import PenLayer, Work, measure, plan, without_duplicates

__all__ = ["PATTERNS", "PenLayer", "Work", "draw", "measure"]


def draw(
    planar: Planar,
    pens: Sequence[Pen],
    pattern: str,
    directions: Sequence[float],
    darkest: float,
    start: tuple[float, float],
) -> list[PenLayer]:
    """What each pen draws, in an order that is short to travel; pens with nothing to draw are left out.

    Args:
        planar: faces, which are hatched by darkness, and lines, each drawn once with the pen most like it, in mm.
        pattern: ``line``, ``cross`` or ``contour``.
        directions: of each pen's hatching in degrees, at least as many as pens.
        darkest: most that one pen may cover, in (0, 1].
        start: where every pen starts.
    """
    levels = choose_levels(planar.colours, pens, pattern == CROSS, darkest)
    levels[planar.opacity <= 0] = 0
    owner = nearest_colours(planar.inks, np.array([pen.rgb for pen in pens]))
    layers = []
    for k, pen in enumerate(pens):
        lines = [shapely.get_coordinates(line) for line in planar.lines[owner == k]]
        strokes = without_duplicates(lines)
        strokes += hatch(planar.faces, levels[:, k], pen.width, pattern, directions[k])
        if strokes:
            layers.append(plan(strokes, pen, start))
    return layers
