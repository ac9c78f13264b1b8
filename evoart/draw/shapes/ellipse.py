"""Circles and ellipses, upright and turned."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, at_least, circle_points, turn
from evoart.types import Array


class Circle:
    """Centre ``x y`` and ``radius``."""

    name, filled = "circle", True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("radius", "length"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """A regular polygon of the circle's area."""
        return p[..., None, :2] + at_least(xp, p[..., 2])[..., None, None] * circle_points(detail)

    def parametric(self, detail: int) -> Parametric:
        """``detail`` points of a circle, scaled by one radius."""
        return Parametric(circle_points(detail), (2, 2, -1))

    def points(self, detail: int) -> int:
        """``detail``."""
        return detail

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random circles; see ``Shape.sample``."""
        return np.column_stack([centre, size * rng.uniform(0.3, 1.0, len(size))]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``circle``."""
        lengths = {"cx": p[0], "cy": p[1], "r": at_least(np, p[2])}
        return "circle", {name: number.length(value) for name, value in lengths.items()}


class Ellipse:
    """An upright ellipse: centre ``x y``, radii ``width`` and ``height``."""

    name, filled = "ellipse", True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("width", "length"), Parameter("height", "length"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """A polygon of the ellipse's area."""
        return p[..., None, :2] + at_least(xp, p[..., None, 2:4]) * circle_points(detail)

    def parametric(self, detail: int) -> Parametric:
        """``detail`` points of a circle, scaled by two radii."""
        return Parametric(circle_points(detail), (2, 3, -1))

    def points(self, detail: int) -> int:
        """``detail``."""
        return detail

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random ellipses; see ``Shape.sample``."""
        radii = size[:, None] * rng.uniform(0.2, 1.0, (len(size), 2))
        return np.column_stack([centre, radii]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """An ``ellipse``."""
        rx, ry = at_least(np, p[2:4])
        lengths = {"cx": p[0], "cy": p[1], "rx": rx, "ry": ry}
        return "ellipse", {name: number.length(value) for name, value in lengths.items()}


class RotatedEllipse(Ellipse):
    """An ellipse turned by ``angle`` about its centre."""

    name = "rotated-ellipse"
    parameters = (*Ellipse.parameters, Parameter("angle", "angle"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """A polygon of the ellipse's area, turned about the centre."""
        return p[..., None, :2] + turn(xp, at_least(xp, p[..., None, 2:4]) * circle_points(detail), p[..., 4])

    def parametric(self, detail: int) -> Parametric:
        """``detail`` points of a circle, scaled by two radii and turned."""
        return Parametric(circle_points(detail), (2, 3, 4))

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random ellipses at random angles."""
        angle = rng.random(len(centre)) * np.pi
        return np.column_stack([super().sample(rng, centre, size), angle]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """An ``ellipse`` with a rotation."""
        name, attributes = super().svg(p, number)
        turned = f"rotate({number.degrees(p[4])} {number.length(p[0])} {number.length(p[1])})"
        return name, attributes | {"transform": turned}
