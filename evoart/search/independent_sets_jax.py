"""Independent sets as one device program: a whole block of generations without a visit to the host.

The same search as ``IndependentSets``, decision by decision, from the same random numbers: apart from rounding both
find the same pictures. What a host does one after another is done in parallel here: a greedy set is found in rounds,
in each of which every shape that comes before all its undecided rivals is chosen (G. Blelloch, J.
Fineman and J. Shun, "Greedy Sequential Maximal Independent Set and Matching are Parallel on Average", 2012: the same
set as the sequential one).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.search.blocks import BlockSearch, engine_key, generations_per_block
from evoart.search.counter_rng import CounterRNG
from evoart.search.independent_sets import EPOCH, IndependentSets
from evoart.search.program import Program
from evoart.search.proposals import ORDER
from evoart.search.tiles import inside, tile_boxes, union
from evoart.types import Array

MOST = int(np.iinfo(np.int32).max)


class IndependentSetsJax(IndependentSets, BlockSearch):
    """``IndependentSets`` for an engine that is ``traceable``; arguments as there."""

    _budget: tuple[int | None, int | None] = None, None  # generations, evaluations

    @functools.cached_property
    def _block(self) -> int:
        return generations_per_block(self.engine, self.population)

    @functools.cached_property
    def _program(self) -> Program:
        return Program(self.engine, self.run_traced)

    @property
    def notes(self) -> Sequence[str]:
        """What was done about the device's memory."""
        return self._program.notes

    def stop_after(self, generations: int | None, evaluations: int | None) -> None:
        """Let no block of generations run past these budgets (None: no budget)."""
        self._budget = generations, evaluations

    def step(self) -> None:
        """A block of generations, none beyond the epoch of the pool."""
        self.take(jax.device_get(self._program(*self.block())))

    @property
    def block_key(self) -> tuple:
        """See ``BlockSearch``."""
        return type(self).__name__, self.population, self._proposals.fresh, engine_key(self.engine)

    def block(self) -> tuple[Any, ...]:
        """See ``BlockSearch``."""
        pool, reach = self._pool(self.generation // EPOCH)
        generations, evaluations = self._budget
        ends = [self.generation + self._block, (self.generation // EPOCH + 1) * EPOCH]
        until = min(ends if generations is None else [*ends, generations])
        # Evaluations are counted from 0 in every block: 32 bits hold no more than some hours of a fast device.
        left = MOST if evaluations is None else min(max(evaluations - self.evaluations, 0), MOST)
        counts, limits = np.array([self.generation, 0], np.int32), np.array([until, left], np.int32)
        state = (self._rows, self._grid.astype(np.float32), self._steps, counts)
        return self.engine.inputs, np.uint32(self.seed), pool, reach, limits, state

    def take(self, found: Any) -> None:
        """See ``BlockSearch``."""
        rows, grid, steps, counts = found
        self._rows, self._grid, self._steps = np.array(rows), np.asarray(grid, np.float64), np.array(steps)
        self.generation, self.evaluations = int(counts[0]), self.evaluations + int(counts[1])

    def run_traced(
        self, inputs: tuple, seed: Array, pool: Array, pool_reach: Array, limits: Array, state: tuple
    ) -> tuple:
        """See ``BlockSearch``."""

        def going(state: tuple) -> Array:
            return (state[-1] < limits).all() | (state[-1][0] == first)

        first = state[-1][0]  # one generation at least, as the host would do

        def one(state: tuple) -> tuple:
            rows, grid, steps, counts = state
            draws = CounterRNG.of(jnp, seed, counts[0])
            home = self._reach_traced(rows[None])
            error = inside(grid[None], pool_reach.reshape(1, -1, 4), jnp).reshape(pool.shape[:2])
            new, drawn = self._proposals.make(jnp, draws, self.population, rows, steps, pool, error)
            reach = union(home, self._reach_traced(new), jnp)
            place = _ranks(draws.bits(ORDER, new.shape[:2])[0])
            moved = _independent(place, reach, jnp.ones(place.shape, bool))
            grids = self._evaluate_traced(jnp.where(moved[..., None], new, rows), inputs)
            gains = jnp.where(moved, _inside(grid - grids, reach), -jnp.inf)
            gains = jnp.where(jnp.isnan(gains), -jnp.inf, gains)
            steps = self._proposals.adapted(jnp, steps, drawn, moved, gains > 0)
            rows, grid, used = self._applied(inputs, rows, grid, new, gains, reach)
            return rows, grid, steps, counts + jnp.stack([jnp.int32(1), len(grids) + used])

        return jax.lax.while_loop(going, one, state)

    def _evaluate_traced(self, rows: Array, inputs: tuple[Array, ...]) -> Array:
        # Barriers as in ``Evolution``.
        genomes = jax.lax.optimization_barrier(rows.reshape(len(rows), -1))
        if self._boxes:
            return jax.lax.optimization_barrier(self.engine.tile_losses_traced(genomes, self._tiles, inputs))
        return jax.lax.optimization_barrier(self.engine.losses_traced(genomes, inputs)[:, None, None])

    def _reach_traced(self, rows: Array) -> Array:
        if self._boxes is None:
            return jnp.zeros((*rows.shape[:2], 4), jnp.int32)
        boxes = self._boxes(self.form, rows.reshape(len(rows), -1), jnp)
        return tile_boxes(boxes, self._height, self._width, self._tiles, jnp)

    def _applied(
        self, inputs: tuple, rows: Array, grid: Array, new: Array, gains: Array, reach: Array
    ) -> tuple[Array, Array, Array]:
        """What ``IndependentSets._apply`` does: rows and grid afterwards, and how many pictures were evaluated."""
        shapes = np.arange(len(rows))
        best = gains.argmax(0)
        gain, moved, moved_reach = gains[best, shapes], new[best, shapes], reach[best, shapes]
        helps, place = gain > 0, _ranks(-gain)

        def attempt(chosen: Array, rows: Array, grid: Array) -> tuple[Array, Array, Array]:
            candidates = jnp.where(chosen[..., None], moved, rows)
            grids = self._evaluate_traced(candidates, inputs)
            totals = grids.sum((1, 2))
            winner = jnp.where(jnp.isnan(totals), jnp.inf, totals).argmin()
            better = totals[winner] < grid.sum()
            return (
                jnp.where(better, candidates[winner], rows), jnp.where(better, grids[winner], grid), better,
            )  # fmt: skip

        def fewer(rows: Array, grid: Array) -> tuple[Array, Array, Array]:
            half = helps & (place < (helps.sum() + 1) // 2)
            safe = _independent(place[None], moved_reach[None], helps[None])[0]
            return attempt(jnp.stack([half, safe]), rows, grid)[:2] + (jnp.int32(3),)

        def some(rows: Array, grid: Array) -> tuple[Array, Array, Array]:
            rows, grid, better = attempt(helps[None], rows, grid)
            return jax.lax.cond(better, lambda rows, grid: (rows, grid, jnp.int32(1)), fewer, rows, grid)

        return jax.lax.cond(helps.any(), some, lambda rows, grid: (rows, grid, jnp.int32(0)), rows, grid)


def _ranks(values: Array) -> Array:
    """``(..., k)`` int32: the place of each value in its row; of equal ones the first comes first."""
    return jnp.argsort(jnp.argsort(values, -1, stable=True), -1).astype(jnp.int32)


def _independent(place: Array, reach: Array, eligible: Array) -> Array:
    """The greedy sets of ``tiles.independent``: ``(n, k)`` bool.

    Args:
        place: who is considered first, ``(n, k)`` int.
        reach: tile ranges ``(n, k, 4)``.
        eligible: ``(n, k)`` bool; the others are left out.
    """
    top, bottom, left, right = (reach[..., i] for i in range(4))
    meet = (top[..., :, None] <= bottom[..., None, :]) & (bottom[..., :, None] >= top[..., None, :])
    meet &= (left[..., :, None] <= right[..., None, :]) & (right[..., :, None] >= left[..., None, :])
    before = meet & (place[..., None, :] < place[..., :, None])  # (n, shape, rival that is considered earlier)

    def decide(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        chosen, open_ = carry
        now = open_ & ~(before & open_[..., None, :]).any(-1)
        conflicting = (meet & now[..., None, :]).any(-1)  # chosen shapes meet themselves
        return chosen | now, open_ & ~conflicting

    return jax.lax.while_loop(lambda carry: carry[1].any(), decide, (jnp.zeros_like(eligible), eligible))[0]


def _inside(grids: Array, reach: Array) -> Array:
    """As ``tiles.inside``, added up tile by tile: differences of running sums would be too coarse in float32."""
    tile = np.arange(grids.shape[-1])
    rows = (tile >= reach[..., 0:1]) & (tile <= reach[..., 1:2])
    columns = (tile >= reach[..., 2:3]) & (tile <= reach[..., 3:4])
    by_row = jnp.einsum("nkr,nrc->nkc", rows.astype(jnp.float32), grids, precision="highest")
    return jnp.where(columns, by_row, 0).sum(-1)
