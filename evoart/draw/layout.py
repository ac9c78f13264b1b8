"""Where the outlines of many shapes lie in one flat list of points, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.draw.shapes import shape
from evoart.draw.shapes.polygon import FreePolygon
from evoart.draw.shapes.ramp import COLUMNS, PAINTS, Ramp
from evoart.draw.shapes.stroke import stroke_width
from evoart.types import Array

STEP = 1e-5  # units, for differences


def pixels_per_unit(size: tuple[int, int], extent: tuple[float, float]) -> np.ndarray:
    """Pixels per unit along x and y, ``(2,)`` float64, of a picture of ``size`` pixels and ``extent`` units (w, h).

    They differ a little where a side was rounded to whole pixels. Everything that draws stretches alike, so that one
    genome is one drawing on every canvas.
    """
    return np.asarray(size, np.float64) / np.asarray(extent, np.float64)


@dataclass(frozen=True)
class Layout:
    """Where each shape's outline lies in one flat list of points: static for a given list of kinds and a detail.

    Attributes:
        kinds: shape names ``(k,)``.
        detail: points of a closed curve.
        start: ``(k + 1,)`` int64; shape ``i`` owns points ``start[i]:start[i + 1]``.
        filled: ``(k,)`` bool; False for strokes.
        ramped: ``(k, 2)`` int64: the number of a shape's paint, 1 + its place in ``PAINTS``, 0 where it has one colour;
            and the column of its geometry that its ramp starts at. None where no shape has two colours.
    """

    kinds: tuple[str, ...]
    detail: int
    start: np.ndarray
    filled: np.ndarray
    ramped: np.ndarray | None = None

    def outlines(self, xp: Any, geometry: Array, scale: np.ndarray) -> tuple[Array, Array]:
        """Points ``(..., m, 2)`` and stroke widths ``(..., k)`` (0 for filled shapes), both in pixels.

        Args:
            xp: ``numpy`` or ``jax.numpy``.
            geometry: ``(..., k, g)`` in units.
            scale: pixels per unit along x and y, ``(2,)``; see ``pixels_per_unit``.
        """
        lead = geometry.shape[:-2]
        scale, across = scale.astype(geometry.dtype), _across(scale).astype(geometry.dtype)
        if not self.kinds:
            return xp.zeros((*lead, 0, 2), geometry.dtype), xp.zeros((*lead, 0), geometry.dtype)
        by_kind: dict[str, list[int]] = {}
        for index, name in enumerate(self.kinds):
            by_kind.setdefault(name, []).append(index)
        parts, widths, order_points, order_shapes = [], [], [], []
        for name, members in by_kind.items():
            kind, where = shape(name), np.asarray(members)
            whole = len(by_kind) == 1
            p = geometry if whole else geometry[..., where, :]
            p = p[..., : len(kind.parameters)]
            points = kind.outline(xp, p, self.detail)
            parts.append(points.reshape(*lead, -1, 2))
            widths.append(xp.zeros(p.shape[:-1], p.dtype) if kind.filled else stroke_width(xp, p))
            order_points.append((self.start[where][:, None] + np.arange(kind.points(self.detail))).ravel())
            order_shapes.append(where)
        if len(parts) == 1:
            return parts[0] * scale, widths[0] * across
        back_points = np.argsort(np.concatenate(order_points))
        back_shapes = np.argsort(np.concatenate(order_shapes))
        points = xp.concatenate(parts, -2)[..., back_points, :]
        return points * scale, xp.concatenate(widths, -1)[..., back_shapes] * across

    def ramps(self, xp: Any, geometry: Array, scale: np.ndarray) -> Array | None:
        """The ramps ``(..., k, COLUMNS)`` of shapes ``(..., k, g)``, positions in pixels; None where there is none."""
        if self.ramped is None:
            return None
        paint, first = self.ramped.T
        columns = np.where(paint[:, None] > 0, first[:, None] + np.arange(COLUMNS - 1), 0)
        index = xp.asarray(np.broadcast_to(columns, (*geometry.shape[:-2], *columns.shape)))
        numbers = xp.take_along_axis(geometry, index, -1) * np.array([*scale, *scale, 1, 1, 1, 1], geometry.dtype)
        paints = np.broadcast_to(paint.astype(geometry.dtype)[:, None], (*numbers.shape[:-1], 1))
        return xp.concatenate([xp.asarray(paints), numbers], -1)

    def vjp(
        self,
        geometry: np.ndarray,
        scale: np.ndarray,
        by_points: np.ndarray,
        by_widths: np.ndarray,
        by_ramps: np.ndarray | None = None,
    ) -> np.ndarray:
        """d loss / d geometry ``(k, g)`` float32 from d loss / d points ``(m, 2)`` and widths ``(k,)`` in pixels, and
        by the ramps' numbers ``(k, COLUMNS - 1)``.

        Free polygons are their points. For other kinds the outline is differentiated by central differences in double
        precision, which asks nothing of a new shape and, where the outline is smooth, is exact to about 1e-8.
        """
        by_points = by_points * scale
        out = np.zeros(geometry.shape, np.float32)
        kinds = np.asarray(self.kinds)
        for name in dict.fromkeys(self.kinds):
            kind, where = shape(name), np.flatnonzero(kinds == name)
            if isinstance(kind, Ramp) and by_ramps is not None:
                columns = slice(kind.first, len(kind.parameters))
                out[where, columns] = by_ramps[where] * np.array([*scale, *scale, 1, 1, 1, 1])
                kind = kind.base
            by_outline = by_points[self.start[where][:, None] + np.arange(kind.points(self.detail))]
            dim = len(kind.parameters)
            if isinstance(kind, FreePolygon):
                out[where, :dim] = by_outline.reshape(len(where), dim)
                continue
            p = geometry[where, :dim].astype(np.float64)
            nudged = p + STEP * np.array([1, -1])[:, None, None, None] * np.eye(dim)[:, None, :]  # (2, dim, n, dim)
            ahead, behind = kind.outline(np, nudged, self.detail)
            moved = (ahead - behind) / (2 * STEP)
            out[where, :dim] = np.einsum("dnvc,nvc->nd", moved, by_outline)
            if not kind.filled:
                out[where, dim - 1] += by_widths[where] * _across(scale) * np.sign(p[:, -1])
        return out


def _across(scale: np.ndarray) -> np.ndarray:
    """Pixels per unit of a stroke's width, which has no direction: the mean that keeps its area."""
    return np.sqrt(scale[0] * scale[1])


def layout(kinds: tuple[str, ...], detail: int) -> Layout:
    """The layout of shapes ``kinds`` when closed curves get ``detail`` points."""
    counts = [shape(name).points(detail) for name in kinds]
    return Layout(
        kinds,
        detail,
        np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64),
        np.array([shape(name).filled for name in kinds], bool),
        _ramped(kinds),
    )


def _ramped(kinds: tuple[str, ...]) -> np.ndarray | None:
    found = [
        (PAINTS.index(kind.paint) + 1, kind.first) if isinstance(kind := shape(name), Ramp) else (0, 0)
        for name in kinds
    ]
    return np.array(found, np.int64) if any(paint for paint, _ in found) else None


def detail_for(pixels: float) -> int:
    """Points per closed curve for a picture ``pixels`` long.

    Above 256 pixels, where people see it, the outline of the largest circle is within a tenth of a pixel and shows
    no corners; below, where searches work, within a third.
    """
    return int(np.clip(4 * np.ceil(np.sqrt(pixels) / (2 if pixels <= 256 else 1)), 24, 512))
