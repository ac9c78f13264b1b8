"""Faces filled with lines: straight, crossed, or following their outlines."""

from __future__ import annotations

import numpy as np
import shapely

from evoart.machine.pens import LEVELS, PERIOD

LINE, CROSS, CONTOUR = "line", "cross", "contour"
PATTERNS = (LINE, CROSS, CONTOUR)
# Bits reversed: however many lines of a period are drawn, they lie as evenly as they can, and a darker face has all the
# lines of a lighter one, so that lines run on from face to face.
_RANK = np.array([int(f"{n:04b}"[::-1], 2) for n in range(PERIOD)])


def hatch(faces: np.ndarray, levels: np.ndarray, width: float, pattern: str, degrees: float) -> list[np.ndarray]:
    """Strokes ``(k, 2)`` of a pen that fill faces.

    Args:
        faces: disjoint polygons ``(n,)`` in mm, whose shared edges have the same points.
        levels: lines of ``PERIOD`` that are drawn in each, ``(n,)``, out of ``LEVELS``; 0 for none.
        width: of the pen's line in mm, which is the distance of the lines of a full face.
        pattern: ``line``, ``cross`` or ``contour``.
        degrees: direction of the lines.
    """
    if pattern == CONTOUR:
        return _contours(faces, levels, width)
    strokes = _lines(faces, levels, width, degrees)
    return strokes + _lines(faces, levels, width, degrees + 90) if pattern == CROSS else strokes


def _lines(faces: np.ndarray, levels: np.ndarray, width: float, degrees: float) -> list[np.ndarray]:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    strokes: list[np.ndarray] = []
    before = 0
    for level in sorted(set(np.asarray(levels).tolist()) - {0}):
        # Lines of a rank below this level, and not below the one before it, run where there is this level or more.
        edges = _edges(faces[levels >= level]) @ turn
        for ends in _clip(edges, width, (before <= _RANK) & (level > _RANK), width):
            strokes.append(ends @ turn.T)
        before = level
    return strokes


def _edges(faces: np.ndarray) -> np.ndarray:
    """The edges of polygons ``(m, 2, 2)``, each from its lesser end: so edges that two share are the same numbers."""
    points, ring = shapely.get_coordinates(shapely.get_rings(faces), return_index=True)
    same = ring[1:] == ring[:-1]
    a, b = points[:-1][same], points[1:][same]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    a[swap], b[swap] = b[swap].copy(), a[swap].copy()
    return np.stack([a, b], 1)


def _clip(edges: np.ndarray, step: float, drawn: np.ndarray, width: float) -> np.ndarray:
    """Level lines within edges, even-odd: ``(n, 2, 2)``.

    Line ``i`` lies at ``y = (i + 1/2) * step`` and is drawn where ``drawn[i % PERIOD]``. Ends stay half a ``width``
    within.
    """
    (x0, y0), (x1, y1) = edges[:, 0].T, edges[:, 1].T
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    first, last = (np.ceil(end / step - 0.5).astype(np.int64) for end in (low, high))
    count = last - first
    which = np.repeat(np.arange(len(edges)), count)
    row = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count) + first[which]
    kept = drawn[row % PERIOD]
    which, row = which[kept], row[kept]
    x = x0[which] + ((row + 0.5) * step - y0[which]) / (y1 - y0)[which] * (x1 - x0)[which]
    order = np.lexsort((x, row))
    row, x = row[order], x[order]
    start, end, row = x[::2], x[1::2], row[::2]
    run = np.ones(len(row), bool)  # faces that touch: the line runs on
    run[1:] = (row[1:] != row[:-1]) | (start[1:] - end[:-1] > 1e-6)
    heads = np.flatnonzero(run)
    start, row = start[heads], row[heads]
    end = np.append(end[heads[1:] - 1], end[-1:])
    start, end = start + width / 2, end - width / 2
    long = end - start >= width
    y = (row[long] + 0.5) * step
    return np.stack([np.stack([start[long], y], -1), np.stack([end[long], y], -1)], 1)


def _contours(faces: np.ndarray, levels: np.ndarray, width: float) -> list[np.ndarray]:
    """Lines along the outlines of all faces of one level, one within the other."""
    strokes = []
    for level in LEVELS[1:]:
        if not (levels == level).any():
            continue
        step = width * PERIOD / level
        region = shapely.coverage_union_all(faces[levels == level])
        left = shapely.buffer(region, -step / 2 if level < PERIOD else -width / 2)
        while not left.is_empty:
            for ring in shapely.get_rings(shapely.get_parts(shapely.simplify(left, width / 20))):
                if ring.length >= 3 * width:
                    strokes.append(shapely.get_coordinates(ring))
            left = shapely.buffer(left, -step)
    return strokes
