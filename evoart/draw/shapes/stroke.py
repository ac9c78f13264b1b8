"""Pen strokes of their own width, round caps: straight lines, quadratic and cubic Bezier curves."""

from __future__ import annotations

import functools
from math import comb
from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, at_least
from evoart.types import Array


@functools.cache
def _bernstein(degree: int, points: int) -> np.ndarray:
    """``(points, degree + 1)`` values of the Bernstein basis ``C(d, i) t^i (1 - t)^(d - i)`` at even steps of t."""
    t = np.linspace(0, 1, points)
    return np.stack([comb(degree, i) * t**i * (1 - t) ** (degree - i) for i in range(degree + 1)], -1).astype(
        np.float32
    )


class Stroke:
    """A Bezier curve of a given degree: control points ``x0 y0 ...``, then the stroke's ``width``."""

    filled = False

    def __init__(self, name: str, degree: int) -> None:
        self.name, self.degree = name, degree
        controls = tuple(Parameter(f"{axis}{i}", axis) for i in range(degree + 1) for axis in ("x", "y"))
        self.parameters = (*controls, Parameter("width", "length"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """The centre line, ``(..., points(detail), 2)``; the width is ``stroke_width(xp, p)``."""
        controls = p[..., :-1].reshape(*p.shape[:-1], self.degree + 1, 2)
        basis = _bernstein(self.degree, self.points(detail))
        return sum(basis[:, i, None] * controls[..., i, None, :] for i in range(self.degree + 1))

    def parametric(self, detail: int) -> Parametric:
        """Points of the curve as Bernstein weights of its control points."""
        return Parametric(_bernstein(self.degree, self.points(detail)))

    def points(self, detail: int) -> int:
        """One more than the curve's segments."""
        return 2 if self.degree == 1 else max(detail // 2, 4) + 1

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random lines or curves; see ``Shape.sample``."""
        # A jittered straight line: control points spread along one direction, so that few curves start as knots.
        n, k = len(centre), self.degree + 1
        angle = rng.random(n) * 2 * np.pi
        along = np.stack([np.cos(angle), np.sin(angle)], -1)[:, None] * np.linspace(-1, 1, k)[None, :, None]
        controls = centre[:, None] + size[:, None, None] * (along + rng.normal(size=(n, k, 2)) * 0.25)
        width = size * rng.uniform(0.05, 0.6, n)
        return np.column_stack([controls.reshape(n, -1), width]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``line`` or ``path`` with its ``stroke-width``."""
        xy = [number.length(value) for value in p[:-1]]
        width = {"stroke-width": number.length(stroke_width(np, p))}
        if self.degree == 1:
            return "line", dict(zip(("x1", "y1", "x2", "y2"), xy, strict=True)) | width
        pairs = [f"{x},{y}" for x, y in zip(xy[::2], xy[1::2], strict=True)]
        return "path", {"d": f"M{pairs[0]}{' QC'[self.degree - 1]}{' '.join(pairs[1:])}"} | width


def stroke_width(xp: Any, p: Array) -> Array:
    """Full width ``(...,)`` in units of strokes ``p`` ``(..., dim)``."""
    return at_least(xp, p[..., -1])
