"""What candidates for one more shape would gain: outline, statistics and best paint, in chunks, on all threads; and the
best that they evolve to."""

from __future__ import annotations

from concurrent.futures import Future
from typing import NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.draw.atomic import SPINS, atomic_add, atomic_set, give_way
from evoart.draw.gains import STATISTICS, best_paint_inside, statistics_inside
from evoart.draw.parametric import LEAST, outline
from evoart.draw.row_coverage import BARE, JIT, floats
from evoart.threads import HELP, help_with, threads

CHUNK = 4  # candidates that a thread takes at a time
IDLE = 4000  # looks for candidates in vain, before a helping thread leaves: some milliseconds
LEFT, DONE = 0, 8  # numbers that threads share, each in a cache line of its own: candidates not taken yet, done ones


class Outline(NamedTuple):
    """One kind's outline in closed form; see ``draw.parametric.tables``."""

    table: np.ndarray  # (v, c)
    columns: np.ndarray  # (4,)
    width: int  # the column of a stroke's width, -1 for filled shapes
    scale: np.ndarray  # (2,) float32 pixels per unit


CHILDREN, GROWS, SHRINKS = range(3)  # of ``Evolution.numbers``


class Evolution(NamedTuple):
    """A small evolution of candidates, see ``search.place``; of no generation where they are only judged."""

    numbers: np.ndarray  # (3,) float32: children of each survivor, factors of its step after success and failure
    parents: np.ndarray  # (generations,) int64: survivors that have children in each generation
    scale: np.ndarray  # (g,) float32: natural step of every number of geometry
    moves: np.ndarray  # (c, g + 1) float32, normal: moves of all children, and the logarithms of their sizes
    chosen: np.ndarray  # (c, g) float32, uniform: numbers below a half move
    # The survivors, written: geometry, rgba, gains and step sizes.
    geometry: np.ndarray  # (survivors, g) float32
    rgba: np.ndarray  # (survivors, 4)
    gains: np.ndarray  # (survivors,)
    steps: np.ndarray  # (survivors,)


@njit(**BARE)
def _best_first(count, keep, geometry, rgba, gains, steps):
    """Bring the best ``keep`` of ``count`` candidates to the front, in order; of equals the first."""
    for i in range(keep):
        best = i
        for j in range(i + 1, count):
            if gains[j] > gains[best]:
                best = j
        if best > i:
            gains[i], gains[best] = gains[best], gains[i]
            if len(steps) > 0:
                steps[i], steps[best] = steps[best], steps[i]
            for d in range(geometry.shape[1]):
                geometry[i, d], geometry[best, d] = geometry[best, d], geometry[i, d]
            for c in range(4):
                rgba[i, c], rgba[best, c] = rgba[best, c], rgba[i, c]


@njit(**BARE)
def _replace(i, j, geometry, rgba, gains, evolution):
    """Put candidate ``j`` in the place of survivor ``i``."""
    evolution.gains[i] = gains[j]
    for d in range(geometry.shape[1]):
        evolution.geometry[i, d] = geometry[j, d]
    for c in range(4):
        evolution.rgba[i, c] = rgba[j, c]


@njit(**BARE)
def _mutate(parents, first, geometry, evolution):
    """Children of the first ``parents`` survivors: half of their numbers moved, each child by its own size."""
    children, half, none = int(evolution.numbers[CHILDREN]), np.float32(0.5), np.float32(0.0)
    for i in range(parents):
        for j in range(i * children, (i + 1) * children):
            moves, chosen = evolution.moves[first + j], evolution.chosen[first + j]
            size = evolution.steps[i] * np.exp(moves[len(chosen)])
            for d in range(len(chosen)):
                move = moves[d] * evolution.scale[d] * size if chosen[d] < half else none
                geometry[j, d] = evolution.geometry[i, d] + move


@njit(**BARE)
def _select(parents, geometry, rgba, gains, evolution):
    """Put the best child in its parent's place, where it gains more, and adapt the step sizes."""
    children = int(evolution.numbers[CHILDREN])
    for i in range(parents):
        best = i * children
        for j in range(best, best + children):
            if gains[j] > gains[best]:
                best = j
        better = gains[best] > evolution.gains[i]
        if better:
            _replace(i, best, geometry, rgba, gains, evolution)
        evolution.steps[i] *= evolution.numbers[GROWS if better else SHRINKS]


@njit(**JIT)
def _judge(count, control, geometry, shape, table, low, high, palette, rgba, gains, strokes, evolution):
    """Judge the first ``count`` candidates, together with whoever helps, and let the best of them evolve; with
    ``count`` 0 help others, until there has been nothing to do for a while. Both are one function, so that every
    candidate is judged by one machine code. ``strokes`` as in ``draw.gains``.

    Returns:
        How many candidates were judged, children included.
    """
    vertices, idle, judged, generation, at, helps = len(shape.table), 0, 0, 0, 0, count == 0
    across, survivors = np.sqrt(shape.scale[0] * shape.scale[1]), len(evolution.gains)
    points, widths = np.empty((CHUNK, vertices, 2), np.float32), floats(1, CHUNK, np.float32(0.0))[0]
    sums = floats(CHUNK, STATISTICS, np.float32(0.0))
    if not helps:
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
        elif helps or atomic_add(control, DONE, 0) < count:
            if helps and idle > IDLE:
                return 0
            idle += 1
            if idle > SPINS:
                give_way()
        else:
            judged += count
            if generation > 0:
                _select(evolution.parents[generation - 1], geometry, rgba, gains, evolution)
            elif survivors > 0:
                _best_first(count, survivors, geometry, rgba, gains, gains[:0])
                for i in range(survivors):
                    _replace(i, i, geometry, rgba, gains, evolution)
            parents = evolution.parents[generation] if generation < len(evolution.parents) else min(1, survivors)
            if generation == 0 or parents < evolution.parents[generation - 1]:
                _best_first(survivors, parents, evolution.geometry, evolution.rgba, evolution.gains, evolution.steps)
            if generation == len(evolution.parents):
                return judged
            count = parents * int(evolution.numbers[CHILDREN])
            _mutate(parents, at, geometry, evolution)
            at += count
            generation += 1
            atomic_set(control, DONE, 0)
            atomic_set(control, LEFT, count)


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
        n = len(geometry)
        self._run(geometry, n, self._nothing(geometry.shape[1]))
        return self._gains[:n].copy(), self._rgba[:n].copy()

    def evolve(
        self, samples: np.ndarray, parents: np.ndarray, children: int, scale: np.ndarray, moves: np.ndarray,
        chosen: np.ndarray, step: float, factors: tuple[float, float],
    ) -> tuple[np.ndarray, np.ndarray, float, int]:  # fmt: skip
        """Geometry, rgba and gain of the best shape that ``samples`` ``(n, g)`` evolve to, and how many candidates were
        judged.

        Args:
            parents: how many survivors have children, in each generation.
            children: of each of them.
            scale: natural step of every number of geometry ``(g,)``.
            moves, chosen: random numbers, as ``Evolution`` has them.
            step: of every survivor at the beginning.
            factors: of a step after success, and after failure.
        """
        survivors, g, one = int(parents[0]), samples.shape[1], np.float32
        evolution = Evolution(
            np.array([children, *factors], one), parents.astype(np.int64), scale.astype(one), moves, chosen,
            np.empty((survivors, g), one), np.empty((survivors, 4), one), np.empty(survivors, one),
            np.full(survivors, step, one),
        )  # fmt: skip
        judged = self._run(samples, max(len(samples), survivors * children), evolution)
        return evolution.geometry[0], evolution.rgba[0], float(evolution.gains[0]), judged

    @staticmethod
    def _nothing(columns: int) -> Evolution:
        one, none = np.empty((0, columns + 1), np.float32), np.empty((0, columns), np.float32)
        few = np.empty(0, np.float32)
        return Evolution(few, np.empty(0, np.int64), few, one, none, none, np.empty((0, 4), np.float32), few, few)

    def _run(self, geometry: np.ndarray, room: int, evolution: Evolution) -> int:
        """Judge candidates, and their children, of which there are no more than ``room`` at a time."""
        n, columns = geometry.shape
        if len(self._geometry) < room or self._geometry.shape[1] != columns:
            self._helping = []  # who helps with the old arrays will leave
            self._control = np.zeros(16, np.int64)
            self._geometry = np.empty((room, columns), np.float32)
            self._rgba, self._gains = np.empty((room, 4), np.float32), np.empty(room, np.float32)
        self._geometry[:n] = geometry
        work = self._control, self._geometry, *self._fixed, self._rgba, self._gains, self._strokes
        self._helping = [each for each in self._helping if not each.done()]
        missing = min(threads(), n // CHUNK) - 1 - len(self._helping)
        self._helping += help_with(_judge, missing if HELP.pays else 0, 0, *work, self._nothing(columns))
        return _judge(n, *work, evolution)
