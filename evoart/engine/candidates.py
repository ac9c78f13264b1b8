"""What candidates for one more shape would gain: outline, statistics and best paint, in chunks, on all threads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.draw.atomic import SPINS, atomic_add, give_way
from evoart.draw.gains import STATISTICS, best_paint_inside, statistics_inside
from evoart.draw.parametric import LEAST, outline
from evoart.draw.row_coverage import JIT, floats
from evoart.threads import pool, threads

CHUNK = 24  # candidates that a thread takes at a time
NEXT, DONE = 0, 8  # numbers that threads share, each in a cache line of its own


class Outline(NamedTuple):
    """One kind's outline in closed form; see ``draw.parametric.tables``."""

    table: np.ndarray  # (v, c)
    columns: np.ndarray  # (4,)
    width: int  # the column of a stroke's width, -1 for filled shapes
    scale: np.ndarray  # (2,) float32 pixels per unit


@njit(**JIT)
def _judge(control, geometry, shape, table, low, high, palette, rgba, gains, strokes):
    """Take chunks of candidates as long as there are any; ``strokes`` as in ``draw.gains``."""
    n, vertices = len(geometry), len(shape.table)
    across = np.sqrt(shape.scale[0] * shape.scale[1])
    points, widths = np.empty((CHUNK, vertices, 2), np.float32), floats(1, CHUNK, np.float32(0.0))[0]
    sums = floats(CHUNK, STATISTICS, np.float32(0.0))
    while True:
        first = atomic_add(control, NEXT, CHUNK)
        if first >= n:
            return
        count = min(CHUNK, n - first)
        for i in range(count):
            p = geometry[first + i]
            outline(p, shape.table, 0, shape.columns, 0, vertices, shape.scale[0], shape.scale[1], points[i])
            if shape.width >= 0:
                widths[i] = max(abs(p[shape.width]), LEAST) * across
        statistics_inside(points, widths, count, table, sums, strokes)
        best_paint_inside(sums, count, low, high, palette, rgba[first:], gains[first:])
        atomic_add(control, DONE, count)


@njit(**JIT)
def _wait(control, n):
    idle = 0
    while atomic_add(control, DONE, 0) < n:
        idle += 1
        if idle > SPINS:
            give_way()


def judge(
    geometry: np.ndarray, shape: Outline, table: np.ndarray, low: float, high: float, palette: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gains ``(n,)`` and best rgba ``(n, 4)`` of candidates ``(n, g)``.

    Args:
        table: running sums of the picture, see ``draw.gains.running_sums``.
        low, high: bounds of the opacity.
        palette: ``(p, 3)`` float32; p = 0 for free colours.
    """
    n = len(geometry)
    rgba, gains, control = np.empty((n, 4), np.float32), np.empty(n, np.float32), np.zeros(16, np.int64)
    geometry = np.ascontiguousarray(geometry, np.float32)
    work = control, geometry, shape, table, np.float32(low), np.float32(high), palette, rgba, gains
    work = *work, True if shape.width >= 0 else None
    for _ in range(min(threads(), n // CHUNK) - 1):
        pool().submit(_judge, *work)
    _judge(*work)
    _wait(control, n)
    return gains, rgba
