"""How far each shape of a genome reaches."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes import shape
from evoart.draw.shapes.stroke import stroke_width
from evoart.forms.shapes import ShapesForm
from evoart.types import Array

_DETAIL = 24  # points of a curve
_CURVED = 0.01  # widening that makes up for the points between those, of half the extent


def boxes(form: ShapesForm, genomes: Array, xp: Any = np) -> Array:
    """Bounding boxes ``(..., groups, 4)`` of genomes ``(..., dim)``: x0, y0, x1, y1; strokes with their width.

    They are shares of the picture's width and height, 0 to 1, and not cut at its edges, so that a search can use them
    on any canvas. ``xp`` is ``numpy`` or ``jax.numpy``.
    """
    geometry, _ = form.decode(xp, genomes)
    extent = np.array([form.width, form.height] * 2, np.float32)
    by_kind: dict[str, list[int]] = {}
    for index, name in enumerate(form.kinds):
        by_kind.setdefault(name, []).append(index)
    parts = [_boxes_of(xp, name, geometry[..., np.asarray(at), :]) for name, at in by_kind.items()]
    if len(parts) == 1:
        return parts[0] / extent
    back = np.argsort(np.concatenate([np.asarray(at) for at in by_kind.values()]))
    return xp.concatenate(parts, -2)[..., back, :] / extent


def _boxes_of(xp: Any, name: str, geometry: Array) -> Array:
    kind = shape(name)
    p = geometry[..., : len(kind.parameters)]
    points = kind.outline(xp, p, _DETAIL)
    box = xp.concatenate([points.min(-2), points.max(-2)], -1)
    low, high = box[..., :2], box[..., 2:]
    more = 0.0 if kind.filled else stroke_width(xp, p)[..., None] / 2
    if kind.points(_DETAIL) != kind.points(2 * _DETAIL):
        more = more + _CURVED * (high - low)
    return xp.concatenate([low - more, high + more], -1)
