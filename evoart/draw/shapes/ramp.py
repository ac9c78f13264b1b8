"""Shapes of two colours that run into one another: what SVG calls a linear or a radial gradient.

Colour and opacity are mixed by a share ``t``, from the shape's own at 0 to its second ones at 1: along the line from
``(x1, y1)`` to ``(x2, y2)``, or around the first point up to the circle through the second; beyond, they stay as they
are there. The shape's outline knows nothing of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, Shape
from evoart.types import Array

PAINTS = ("linear", "radial")
MARK = "~"  # between the name of a shape and that of its paint: triangle~linear
PARAMETERS = (
    Parameter("x1", "x"),
    Parameter("y1", "y"),
    Parameter("x2", "x"),
    Parameter("y2", "y"),
    Parameter("red", "colour"),
    Parameter("green", "colour"),
    Parameter("blue", "colour"),
    Parameter("opacity", "opacity"),
)
COLUMNS = 1 + len(PARAMETERS)  # of a ramp in pixels: 1 + the number of its paint in ``PAINTS`` (0: none), parameters
SHORTEST = 1e-3  # pixels or units between the two points, at least


class Ramp:
    """The filled shape ``base``, whose colour runs into a second one: its parameters, then ``PARAMETERS``.

    Args:
        base: any filled shape of one colour.
        paint: one of ``PAINTS``.
    """

    filled = True

    def __init__(self, base: Shape, paint: str) -> None:
        self.base, self.paint, self.name = base, paint, base.name + MARK + paint
        self.parameters = base.parameters + PARAMETERS
        self.first = len(base.parameters)
        if hasattr(base, "parametric"):
            self.parametric = self._parametric

    def _parametric(self, detail: int) -> Parametric:
        return self.base.parametric(detail)  # type: ignore[attr-defined]

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """That of ``base``."""
        return self.base.outline(xp, p[..., : self.first], detail)

    def points(self, detail: int) -> int:
        """Those of ``base``."""
        return self.base.points(detail)

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random shapes of ``base`` with a second colour at random, from the middle outwards."""
        n = len(centre)
        angle = rng.random(n) * 2 * np.pi
        there = centre + size[:, None] * np.stack([np.cos(angle), np.sin(angle)], -1)
        rows = self.base.sample(rng, centre, size), centre, there, rng.random((n, 4))
        return np.column_stack(rows).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """That of ``base``; ``draw.scene`` writes the ramp."""
        return self.base.svg(p[: self.first], number)


def base_of(name: str) -> str:
    """The name of a shape without that of its paint."""
    return name.partition(MARK)[0]


def shares(xp: Any, ramps: Array, x: Array, y: Array) -> Array:
    """The share ``t`` of the second colour, in [0, 1], at points.

    Args:
        ramps: ``(..., COLUMNS)``.
        x, y: positions in the unit of the ramps, broadcast to ``ramps[..., 0]``.
    """
    paint, x1, y1, x2, y2 = (ramps[..., i] for i in range(5))
    dx, dy, across, down = x - x1, y - y1, x2 - x1, y2 - y1
    squared = xp.maximum(across**2 + down**2, SHORTEST**2)
    linear = (dx * across + dy * down) / squared
    distance = dx**2 + dy**2
    near = distance < 1e-12  # where the root has no derivative
    radial = xp.where(near, 0.0, xp.sqrt(xp.where(near, 1.0, distance) / squared))
    return xp.where(paint > 0, xp.clip(xp.where(paint > 1, radial, linear), 0, 1), 0.0)
