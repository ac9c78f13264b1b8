"""What candidates for one more shape would gain: outline, statistics and best paint, in chunks, on all threads."""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.draw.atomic import SPINS, atomic_add, atomic_set, give_way
from evoart.draw.gains import STATISTICS, best_paint_inside, statistics_inside
from evoart.draw.parametric import LEAST, outline
from evoart.draw.row_coverage import JIT, floats
from evoart.threads import HELP, help_with, threads

CHUNK = 8  # candidates that a thread takes at a time
IDLE = 4000  # looks for candidates in vain, before a helping thread leaves: some milliseconds
LEFT, DONE = 0, 8  # numbers that threads share, each in a cache line of its own: candidates not taken yet, done ones


class Outline(NamedTuple):
    """One kind's outline in closed form; see ``draw.parametric.tables``."""

    table: np.ndarray  # (v, c)
    columns: np.ndarray  # (4,)
    width: int  # the column of a stroke's width, -1 for filled shapes
    scale: np.ndarray  # (2,) float32 pixels per unit


@njit(**JIT)
def _judge(count, control, geometry, shape, table, low, high, palette, rgba, gains, strokes):
    """Judge the first ``count`` candidates, together with whoever helps; with ``count`` 0 help others, until there has
    been nothing to do for a while. ``strokes`` as in ``draw.gains``."""
    vertices, idle = len(shape.table), 0
    across = np.sqrt(shape.scale[0] * shape.scale[1])
    points, widths = np.empty((CHUNK, vertices, 2), np.float32), floats(1, CHUNK, np.float32(0.0))[0]
    sums = floats(CHUNK, STATISTICS, np.float32(0.0))
    if count > 0:
        atomic_set(control, DONE, 0)
        atomic_set(control, LEFT, count)  # all else lies ready
    while True:
        left = atomic_add(control, LEFT, -CHUNK) if atomic_add(control, LEFT, 0) > 0 else 0
        if left > 0:
            first, idle = max(0, left - CHUNK), 0
            for i in range(left - first):
                p = geometry[first + i]
                outline(p, shape.table, 0, shape.columns, 0, vertices, shape.scale[0], shape.scale[1], points[i])
                if shape.width >= 0:
                    widths[i] = max(abs(p[shape.width]), LEAST) * across
            statistics_inside(points, widths, left - first, table, sums, strokes)
            best_paint_inside(sums, left - first, low, high, palette, rgba[first:], gains[first:])
            atomic_add(control, DONE, left - first)
        elif (atomic_add(control, DONE, 0) >= count) if count > 0 else idle > IDLE:
            return
        else:
            idle += 1
            if idle > SPINS:
                give_way()


class Judge:
    """Judges candidates of one kind against one picture.

    Threads that help stay for some milliseconds after the last candidates: to wake them for every generation of a
    placement would take as long as its work.

    Args:
        table: running sums of the picture, see ``draw.gains.running_sums``; its numbers may change between calls.
        low, high: bounds of the opacity.
        palette: ``(p, 3)`` float32; p = 0 for free colours.
    """

    def __init__(self, shape: Outline, table: np.ndarray, low: float, high: float, palette: np.ndarray) -> None:
        self._fixed = shape, table, np.float32(low), np.float32(high), palette
        self._strokes = True if shape.width >= 0 else None
        self._geometry = np.empty((0, 0), np.float32)
        self._helping: list[Future] = []

    def gains(self, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gains ``(n,)`` and best rgba ``(n, 4)`` of candidates ``(n, g)``."""
        n, columns = geometry.shape
        if len(self._geometry) < n or self._geometry.shape[1] != columns:
            self._helping = []  # who helps with the old arrays will leave
            self._control = np.zeros(16, np.int64)
            self._geometry = np.empty((n, columns), np.float32)
            self._rgba, self._gains = np.empty((n, 4), np.float32), np.empty(n, np.float32)
        self._geometry[:n] = geometry
        work = self._control, self._geometry, *self._fixed, self._rgba, self._gains, self._strokes
        self._helping = [each for each in self._helping if not each.done()]
        missing = min(threads(), n // CHUNK) - 1 - len(self._helping)
        self._helping += help_with(_judge, missing if HELP.pays else 0, 0, *work)
        _judge(n, *work)
        return self._gains[:n].copy(), self._rgba[:n].copy()
