"""Fewer points for the same line: Ramer-Douglas-Peucker, to a tolerance or to a number of points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evoart.sketch.strokes import Polylines


def significance(line: np.ndarray) -> np.ndarray:
    """For each point of a polyline ``(k, 2)`` the tolerance at which Ramer-Douglas-Peucker drops it, ``(k,)`` float64.

    Both ends have ``inf``. The recursion of Ramer (1972) and Douglas and Peucker (1973) splits a stretch at the point
    farthest from its chord; a point survives a tolerance where its own distance and those of all splits above it
    exceed it. Worked out once, every tolerance and every number of points is a comparison.
    """
    line = np.asarray(line, np.float64)
    worth = np.zeros(len(line))
    worth[[0, -1]] = np.inf
    stretches = [(0, len(line) - 1, np.inf)]
    while stretches:
        first, last, above = stretches.pop()
        if last - first < 2:
            continue
        away = _from_chord(line[first + 1 : last], line[first], line[last])
        split = int(np.argmax(away))
        own = min(float(away[split]), above)
        split += first + 1
        worth[split] = own
        stretches += [(first, split, own), (split, last, own)]
    return worth


def simplify(polylines: Sequence[np.ndarray], tolerance: float) -> Polylines:
    """Each stroke without the points that are less than ``tolerance`` (in its own units) from the simplified line."""
    return [line[significance(line) > tolerance] for line in polylines if len(line)]


def simplify_to(polylines: Sequence[np.ndarray], points: int) -> Polylines:
    """At most ``points`` in all, by one tolerance for every stroke; strokes are kept, so their ends are the least."""
    lines = [line for line in polylines if len(line)]
    worth = [significance(line) for line in lines]
    every = np.sort(np.concatenate(worth))[::-1] if worth else np.zeros(0)
    if len(every) <= points:
        return list(lines)
    tolerance = every[points]  # the first point that is one too many
    if np.isinf(tolerance):
        tolerance = np.nextafter(np.inf, 0)
    return [line[own > tolerance] for line, own in zip(lines, worth, strict=True)]


def _from_chord(points: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Distances ``(k,)`` of points from the segment between ``first`` and ``last``."""
    along = last - first
    square = float(along @ along)
    share = np.clip((points - first) @ along / square, 0, 1) if square > 0 else np.zeros(len(points))
    return np.hypot(*(points - first - share[:, None] * along).T)
