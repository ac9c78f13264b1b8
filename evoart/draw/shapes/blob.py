"""Blobs: smooth closed outlines (``blob:6``), quadratic B-splines around their control points."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric
from evoart.types import Array

LEAST = 3  # vertices of an arc at least


@functools.cache
def _basis(corners: int, pieces: int) -> np.ndarray:
    """``(corners * pieces, corners)``: vertices of the curve from its control points, ``pieces`` to every arc.

    An arc is a quadratic Bézier curve from the middle of one side of the control polygon to that of the next. Chords
    cut off area, so every vertex lies a twelfth of the second difference outside, which gives the curve's own area to
    third order.
    """
    t = np.arange(pieces) / pieces
    arc = np.stack([(1 - t) ** 2 / 2, 0.5 + t - t**2, t**2 / 2], -1)
    bend = np.array([1.0, -2.0, 1.0]) / pieces**2 / 12  # of the chord between two vertices, and half of it at a joint
    table = np.zeros((corners, pieces, corners))
    for i in range(corners):
        for k in range(3):
            j = (i + k - 1) % corners
            table[i, :, j] += arc[:, k]
            table[i, 1:, j] -= bend[k]
            table[i, 0, j] -= bend[k] / 2
            table[(i + 1) % corners, 0, j] -= bend[k] / 2
    return table.reshape(-1, corners).astype(np.float32)


class Blob:
    """A smooth closed curve around ``n`` free control points; where it crosses itself it is filled, as in SVG."""

    filled = True

    def __init__(self, corners: int) -> None:
        self.name, self.corners = f"blob:{corners}", corners
        self.parameters = tuple(Parameter(f"{axis}{i}", axis) for i in range(corners) for axis in ("x", "y"))

    def _table(self, detail: int) -> np.ndarray:
        return _basis(self.corners, max(LEAST, -(-detail // self.corners)))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """A polygon of the curve's area."""
        return xp.matmul(self._table(detail), p.reshape(*p.shape[:-1], self.corners, 2))

    def parametric(self, detail: int) -> Parametric:
        """Vertices are weighted means of three control points."""
        return Parametric(self._table(detail))

    def points(self, detail: int) -> int:
        """``detail``, rounded up to a multiple of its control points."""
        return len(self._table(detail))

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random blobs that do not cross themselves; see ``Shape.sample``."""
        # In equal angles: a curve whose control points lie in a heap is thin.
        n, step = len(centre), 2 * np.pi / self.corners
        apart = np.arange(self.corners) + rng.uniform(-0.3, 0.3, (n, self.corners))
        angle = rng.random((n, 1)) * 2 * np.pi + step * apart
        turned = rng.random((n, 1)) * np.pi
        radius = 1.15 * size[:, None] * rng.uniform(0.6, 1.0, (n, self.corners))
        flat = rng.uniform(0.35, 1.0, (n, 1))
        a, b = np.cos(angle) * radius, np.sin(angle) * radius * flat
        offset = np.stack([a * np.cos(turned) - b * np.sin(turned), a * np.sin(turned) + b * np.cos(turned)], -1)
        return (centre[:, None] + offset).reshape(n, -1).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``path`` of quadratic curves from middle to middle of the control polygon's sides."""
        controls = np.asarray(p, np.float64).reshape(self.corners, 2)
        middles = (controls + np.roll(controls, -1, 0)) / 2
        text = [" ".join(number.length(v) for v in (*c, *m)) for c, m in zip(controls, middles, strict=True)]
        start = " ".join(number.length(v) for v in middles[-1])
        return "path", {"d": f"M{start}Q{' '.join(text)}Z"}
