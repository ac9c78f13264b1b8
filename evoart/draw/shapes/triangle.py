"""A triangle: three corners."""

from __future__ import annotations

from evoart.draw.shapes.polygon import FreePolygon


class Triangle(FreePolygon):
    """Three free corners ``x0 y0 x1 y1 x2 y2``."""

    def __init__(self) -> None:
        super().__init__(3)
        self.name = "triangle"
