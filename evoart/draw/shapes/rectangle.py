"""Rectangles: upright, and turned about their centre."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, at_least, turn
from evoart.types import Array

_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)


class Rectangle:
    """An upright rectangle: centre ``x y``, half ``width`` and half ``height``."""

    name, filled = "rectangle", True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("width", "length"), Parameter("height", "length"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """Four corners."""
        return p[..., None, :2] + at_least(xp, p[..., None, 2:4]) * _CORNERS

    def parametric(self, detail: int) -> Parametric:
        """Four corners, scaled by half the width and half the height."""
        return Parametric(_CORNERS, (2, 3, -1))

    def points(self, detail: int) -> int:
        """Four, whatever the detail."""
        return 4

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random rectangles; see ``Shape.sample``."""
        half = size[:, None] * rng.uniform(0.2, 1.0, (len(size), 2))
        return np.column_stack([centre, half]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``rect``."""
        x, y = p[:2]
        w, h = at_least(np, p[2:4])
        lengths = {"x": x - w, "y": y - h, "width": 2 * w, "height": 2 * h}
        return "rect", {name: number.length(value) for name, value in lengths.items()}


class RotatedRectangle(Rectangle):
    """A rectangle turned by ``angle`` about its centre."""

    name = "rotated-rectangle"
    parameters = (*Rectangle.parameters, Parameter("angle", "angle"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """Four corners, turned about the centre."""
        return p[..., None, :2] + turn(xp, at_least(xp, p[..., None, 2:4]) * _CORNERS, p[..., 4])

    def parametric(self, detail: int) -> Parametric:
        """Four corners, scaled by half the width and half the height, and turned."""
        return Parametric(_CORNERS, (2, 3, 4))

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random rectangles at random angles."""
        angle = rng.random(len(centre)) * np.pi
        return np.column_stack([super().sample(rng, centre, size), angle]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``rect`` with a rotation."""
        name, attributes = super().svg(p, number)
        turned = f"rotate({number.degrees(p[4])} {number.length(p[0])} {number.length(p[1])})"
        return name, attributes | {"transform": turned}
