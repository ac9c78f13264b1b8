"""Drawings of a pen, in the three forms that the field has for them, and the ways between.

polylines   a list of ``(k, 2)`` float64 arrays, one per stroke in the order drawn: absolute positions, x right, y
            down. A stroke of one point is a dot.
stroke-3    ``(n, 3)``: ``dx, dy, lift``. The pen starts on the paper at the origin; ``lift`` is 1 where it leaves the
            paper *after* the move, so that the next row travels without drawing.
stroke-5    ``(n, 5)``: ``dx, dy, down, up, end``, the last three one-hot and likewise about what follows the move; what
            sketch-rnn reads and writes (Ha and Eck, "A Neural Representation of Sketch Drawings", 2017, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Polylines: TypeAlias = list[np.ndarray]

START = np.array([0, 0, 1, 0, 0], np.float32)  # the token that every stroke-5 sequence begins with


def to_polylines(stroke3: np.ndarray) -> Polylines:
    """Absolute strokes of relative ones; the first starts at the origin. Points that do not move are left out."""
    stroke3 = np.asarray(stroke3, np.float64)
    if not len(stroke3):
        return []
    points = np.vstack([np.zeros((1, 2)), np.cumsum(stroke3[:, :2], 0)])
    ends = np.flatnonzero(stroke3[:, 2] > 0.5) + 2
    ends = ends[ends < len(points)]
    kept = np.concatenate([[True], np.any(np.diff(points, axis=0) != 0, axis=1)])
    kept[ends] = True  # where a stroke begins
    return np.split(points[kept], np.cumsum(kept)[ends] - 1)


def to_stroke3(polylines: Sequence[np.ndarray]) -> np.ndarray:
    """Relative strokes ``(n, 3)`` float64 of absolute ones; the origin moves to where the first one starts."""
    parts = [np.asarray(line, np.float64).reshape(-1, 2) for line in polylines if len(line)]
    if not parts:
        return np.zeros((0, 3))
    points = np.vstack(parts)
    lift = np.zeros(len(points))
    lift[np.cumsum([len(part) for part in parts]) - 1] = 1
    rows = np.column_stack([np.diff(points, axis=0, prepend=points[:1]), lift])
    # The pen is on the paper at the origin already; only a dot needs a row to say that it ends there.
    return rows if len(parts[0]) == 1 else rows[1:]


def to_stroke5(stroke3: np.ndarray, *, end: bool = True) -> np.ndarray:
    """stroke-5 float32 of stroke-3, with the row that ends the drawing behind it where ``end``."""
    rows = np.zeros((len(stroke3) + end, 5), np.float32)
    n = len(stroke3)
    rows[:n, :2] = stroke3[:, :2]
    rows[:n, 3] = np.asarray(stroke3)[:, 2] > 0.5
    rows[:n, 2] = 1 - rows[:n, 3]
    if end:
        rows[n, 4] = 1
    return rows


def from_stroke5(stroke5: np.ndarray) -> tuple[np.ndarray, bool]:
    """stroke-3 float64 up to the row that ends the drawing, and whether there is one."""
    stroke5 = np.asarray(stroke5, np.float64)
    ended = np.flatnonzero(stroke5[:, 4] > 0.5)
    n = ended[0] if len(ended) else len(stroke5)
    return np.column_stack([stroke5[:n, :2], stroke5[:n, 3] > 0.5]), bool(len(ended))


def bounds(polylines: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest x and y, each ``(2,)``; zeros for no points at all."""
    parts = [line for line in polylines if len(line)]
    if not parts:
        return np.zeros(2), np.zeros(2)
    points = np.vstack(parts)
    return points.min(0), points.max(0)


def fitted(polylines: Sequence[np.ndarray], box: tuple[float, float, float, float]) -> Polylines:
    """The drawing moved and scaled, in proportion, to fill the box ``(x, y, width, height)`` and lie in its middle."""
    low, high = bounds(polylines)
    corner, extent = np.array(box[:2], np.float64), np.array(box[2:], np.float64)
    with np.errstate(divide="ignore"):
        scale = float(np.min(extent / np.maximum(high - low, 0)))
    if not np.isfinite(scale):  # a dot
        scale = 1.0
    points = (np.concatenate([np.zeros((0, 2)), *polylines]) - (low + high) / 2) * scale + corner + extent / 2
    ends = np.cumsum([len(line) for line in polylines]).tolist()
    return [points[first:last] for first, last in zip([0, *ends], ends, strict=False)]


def length(polylines: Sequence[np.ndarray]) -> float:
    """How far the pen draws, travels apart."""
    return float(sum(np.hypot(*np.diff(line, axis=0).T).sum() for line in polylines if len(line) > 1))
