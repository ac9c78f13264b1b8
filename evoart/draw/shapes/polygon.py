"""Polygons: free corners (``polygon:5``), or regular (``regular:6``: centre, radius, angle)."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes.base import Number, Parameter, Parametric, at_least, turn
from evoart.types import Array


def _element(points: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
    return "polygon", {"points": " ".join(f"{number.length(x)},{number.length(y)}" for x, y in points)}


class FreePolygon:
    """``n`` free corners; where the outline crosses itself the nonzero rule fills it, as in SVG."""

    filled = True

    def __init__(self, corners: int) -> None:
        self.name, self.corners = f"polygon:{corners}", corners
        self.parameters = tuple(Parameter(f"{axis}{i}", axis) for i in range(corners) for axis in ("x", "y"))

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """Its parameters are its corners."""
        return p.reshape(*p.shape[:-1], self.corners, 2)

    def parametric(self, detail: int) -> Parametric:
        """Each corner is a control point of its own."""
        return Parametric(np.eye(self.corners, dtype=np.float32))

    def points(self, detail: int) -> int:
        """Its number of corners, whatever the detail."""
        return self.corners

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random polygons that do not cross themselves."""
        # That is why the corners are in order of angle.
        n = len(centre)
        angle = np.sort(rng.random((n, self.corners)), 1) * 2 * np.pi
        radius = size[:, None] * np.sqrt(0.1 + 0.9 * rng.random((n, self.corners)))
        offset = np.stack([np.cos(angle) * radius, np.sin(angle) * radius], -1)
        return (centre[:, None] + offset).reshape(n, -1).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``polygon`` or ``path`` of its corners."""
        return _element(p.reshape(self.corners, 2), number)


class RegularPolygon:
    """``n`` corners at equal distances: ``x y radius angle``."""

    filled = True
    parameters = (Parameter("x", "x"), Parameter("y", "y"), Parameter("radius", "length"), Parameter("angle", "angle"))

    def __init__(self, corners: int) -> None:
        self.name, self.corners = f"regular:{corners}", corners
        step = np.arange(corners) * (2 * np.pi / corners)
        self._unit = np.stack([np.sin(step), -np.cos(step)], -1).astype(np.float32)

    def outline(self, xp: Any, p: Array, detail: int) -> Array:
        """Corners on a circle."""
        radius = at_least(xp, p[..., 2])[..., None, None]
        return p[..., None, :2] + turn(xp, radius * self._unit, p[..., 3])

    def parametric(self, detail: int) -> Parametric:
        """The corners of a unit polygon, scaled by one radius and turned."""
        return Parametric(self._unit, (2, 2, 3))

    def points(self, detail: int) -> int:
        """Its number of corners, whatever the detail."""
        return self.corners

    def sample(self, rng: np.random.Generator, centre: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Random polygons at random angles."""
        angle = rng.random(len(centre)) * 2 * np.pi
        return np.column_stack([centre, size * rng.uniform(0.5, 1.0, len(size)), angle]).astype(np.float32)

    def svg(self, p: np.ndarray, number: Number) -> tuple[str, dict[str, str]]:
        """A ``polygon`` of its corners."""
        return _element(self.outline(np, p, 0), number)
