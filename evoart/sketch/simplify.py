"""Fewer points for the same line: Ramer-Douglas-Peucker, to a tolerance or to a number of points."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evoart.sketch.strokes import Polylines

_SHORT = 64  # points


def significance(line: np.ndarray) -> np.ndarray:
    """For each point of a polyline ``(k, 2)`` the tolerance at which Ramer-Douglas-Peucker drops it, ``(k,)`` float64.

    Both ends have ``inf``. The recursion of Ramer (1972) and Douglas and Peucker (1973) splits a stretch at the point
    farthest from its chord; a point survives a tolerance where its own distance and those of all splits above it
    exceed it. Worked out once, every tolerance and every number of points is a comparison.
    """
    line = np.asarray(line, np.float64)
    if len(line) <= _SHORT:
        return _significance_of_few(line)
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


def _significance_of_few(line: np.ndarray) -> np.ndarray:
    """The same for a few points: Python's own numbers are faster than arrays of them."""
    points = line.tolist()
    worth = [0.0] * len(points)
    worth[0] = worth[-1] = np.inf
    stretches = [(0, len(points) - 1, np.inf)]
    while stretches:
        first, last, above = stretches.pop()
        if last - first < 2:
            continue
        (x, y), (end_x, end_y) = points[first], points[last]
        dx, dy = end_x - x, end_y - y
        square = dx * dx + dy * dy
        own, split = -1.0, first + 1
        for k in range(first + 1, last):
            px, py = points[k][0] - x, points[k][1] - y
            share = min(max((px * dx + py * dy) / square, 0.0), 1.0) if square > 0 else 0.0
            away = math.hypot(px - share * dx, py - share * dy)
            if away > own:
                own, split = away, k
        own = min(own, above)
        worth[split] = own
        stretches += [(first, split, own), (split, last, own)]
    return np.array(worth)


def simplify(polylines: Sequence[np.ndarray], tolerance: float) -> Polylines:
    """Each stroke without the points that are less than ``tolerance`` (in its own units) from the simplified line."""
    lines = [line for line in polylines if len(line)]
    return [line[significance(line) > tolerance] if len(line) > 2 else line[:] for line in lines]


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
