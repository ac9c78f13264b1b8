"""Strokes in one order, whoever drew them: a model need not learn that a house can be drawn from any of its corners.

Ends that meet are joined; a closed line begins at its upper left and runs clockwise, an open one runs down or to the
right; large strokes come before small ones, and those of one size in reading order. (Quick, Draw! needs none of this:
people begin a drawing alike. Designers of icons do not.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoart.sketch.strokes import Polylines, bounds

_MEET = 0.03  # ends are one point where they are nearer than this share of the drawing's longer side
_CLOSED = 0.07  # and so are the ends of one line, which hands and models do not quite close
_ACROSS = 0.35  # how much a step to the right counts, where one down is 1: what "upper left" means
_SIZES = 8  # sizes that are told apart
_MANY = 400  # lines, above which none are joined: that would take long, and no model holds so many


def order(polylines: Sequence[np.ndarray]) -> Polylines:
    """The same drawing with its strokes joined, turned and sorted as above; points stay where they are."""
    lines = [np.asarray(line, np.float64) for line in polylines if len(line)]
    low, high = bounds(lines)
    side = max(float(np.max(high - low)), 1e-9)
    turned = [_turned(line, _CLOSED * side) for line in _joined(lines, _MEET * side)]
    return sorted(turned, key=lambda line: _rank(line, side))


def _rank(line: np.ndarray, side: float) -> tuple[float, float]:
    low, high = bounds([line])
    size = float(np.sum(high - low)) / (2 * side)
    return -round(_SIZES * size), float(low @ (_ACROSS, 1))


def _joined(lines: Polylines, near: float) -> Polylines:
    """Lines whose ends meet as one line; where several meet, those that turn least go on into each other."""
    lines = list(lines)
    while 1 < len(lines) <= _MANY:
        ends = np.array([[line[0], line[-1]] for line in lines])
        open_ = np.hypot(*(ends[:, 0] - ends[:, 1]).T) >= near
        flat = ends.reshape(-1, 2)
        meets = np.hypot(*(flat[:, None] - flat[None]).T) < near
        usable = np.repeat(open_, 2)
        meets &= usable[:, None] & usable[None]
        pairs = [(i, j) for i, j in np.argwhere(meets) if i // 2 < j // 2]
        if not pairs:
            break
        # Ends 2 k and 2 k + 1 are the first and the last of line k.
        joints = [(lines[i // 2][:: 1 if i % 2 else -1], lines[j // 2][:: -1 if j % 2 else 1]) for i, j in pairs]
        best = int(np.argmin([_turn(*joint) for joint in joints]))
        i, j = pairs[best]
        lines[i // 2] = np.concatenate([joints[best][0], joints[best][1][1:]])
        del lines[j // 2]
    return lines


def _turn(first: np.ndarray, second: np.ndarray) -> float:
    """By how much the pen turns where ``first`` goes on as ``second``: 0 for straight on, 2 for back."""
    if len(first) < 2 or len(second) < 2:
        return 2.0
    u, v = first[-1] - first[-2], second[1] - second[0]
    return 1 - float(u @ v) / max(float(np.hypot(*u) * np.hypot(*v)), 1e-12)


def _length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _turned(line: np.ndarray, near: float) -> np.ndarray:
    gap = float(np.hypot(*(line[0] - line[-1])))
    if len(line) > 3 and gap < near and _length(line) > 4 * near:
        ring = line[:-1]
        x, y = (ring - ring[0]).T
        if np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0:  # y points down, so clockwise is positive
            ring = ring[::-1]
        ring = np.roll(ring, -int(np.argmin(ring @ (_ACROSS, 1))), 0)
        return np.concatenate([ring, ring[:1]])
    dx, dy = line[-1] - line[0]
    back = dy < 0 if abs(dy) > abs(dx) else dx < 0
    return line[::-1] if back else line
