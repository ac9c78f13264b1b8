"""Independent sets: move only shapes that do not affect each other, so that every proposal's gain is exact.

A candidate moves a random set of shapes whose old and new boxes share no tile. Each moved shape's change of loss,
summed over its own tiles, is then its own: no noise, and several shapes tried per evaluation. Of a generation every
shape has a best proposal; all of these are tried at once, then half of them and an independent set, which cannot fail.
A step per shape for geometry and one for paint follow the one-fifth success rule (I. Rechenberg, "Evolutionsstrategie",
1973). The loss never rises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.search.checkpoint import check_layout
from evoart.search.counter_rng import CounterRNG
from evoart.search.options import read_independent_sets
from evoart.search.proposals import ORDER, Proposals
from evoart.search.tiles import independent, inside, tile_boxes, union
from evoart.types import Boxes, Engine, Genome, Search

POPULATION = 32
TILE, MOST_TILES = 4, 64  # pixels per tile, tiles per side
POOL, EPOCH = 64, 100  # new random shapes per group to choose from, and for how many generations


class IndependentSets(Search):
    """A (1, lambda) search per shape over independent sets.

    Args:
        engine: ``losses``, ``tile_losses``, ``form`` (``steps``, ``groups``, ``random``) and ``target``.
        population: candidates per generation; None is 32.
        seed: decides everything random.
        start: genome ``(dim,)`` to improve.
        options: ``step`` (initial step, in natural steps), ``fresh`` (share of proposals that are new random shapes).
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
            None: every shape may reach everywhere, and one shape is moved at a time; so it is for an engine without
            ``tile_losses``.

    Raises:
        UsageError: an option that ``options.read_independent_sets`` refuses, or a start that is not finite.
    """

    def __init__(
        self,
        engine: Engine,
        population: int | None,
        seed: int,
        start: Genome,
        options: Mapping[str, Any] | None = None,
        boxes: Boxes | None = None,
    ) -> None:
        step, fresh = read_independent_sets(options or {})
        self.engine: Any = engine
        self.form, self.seed = self.engine.form, seed
        self.population = POPULATION if population is None else max(int(population), 1)
        groups = self.form.groups
        scale = np.asarray(self.form.steps(), np.float32).reshape(groups, self.form.dim_per_group)
        self._proposals = Proposals(scale, fresh)
        self._boxes = boxes if hasattr(engine, "tile_losses") else None
        target = getattr(engine, "target", None)
        self._image = None if target is None else target.image
        self._height, self._width = (1, 1) if target is None else target.weight.shape
        self._tiles = int(np.clip(min(self._height, self._width) // TILE, 1, MOST_TILES)) if self._boxes else 1
        self._rows = np.array(start, np.float32).reshape(groups, self.form.dim_per_group)
        if not np.isfinite(self._rows).all():
            raise UsageError("the search's start is not a vector of finite numbers", "Start from another result")
        self._steps = np.full((groups, 2), step, np.float32)  # of geometry, of paint
        self._pool_epoch, self._pool_now = -1, (self._rows, self._rows)  # until ``_pool`` is asked
        self._grid = self._evaluate(self._rows[None])[0]
        self.generation, self.evaluations, self.stage = 0, 1, "refining"
        self.done = groups == 0  # no shape improves on the background: there is nothing to move

    @property
    def genome(self) -> Genome:
        """The best so far, ``(dim,)`` float32."""
        return self._rows.ravel().copy()

    @property
    def loss(self) -> float:
        """Its loss."""
        return float(self._grid.sum())

    def step(self) -> None:
        """One generation. What it does follows from the state, the seed and the generation's number alone."""
        draws = CounterRNG.of(np, self.seed, self.generation)
        home = self._reach(self._rows[None])
        pool, pool_reach = self._pool(self.generation // EPOCH)
        error = inside(self._grid[None], pool_reach.reshape(1, -1, 4)).reshape(pool.shape[:2])
        new, drawn = self._proposals.make(np, draws, self.population, self._rows, self._steps, pool, error)
        reach = union(home, self._reach(new))
        order = draws.bits(ORDER, new.shape[:2])[0].argsort(-1, kind="stable")
        moved = independent(order, reach, self._tiles)
        grids = self._evaluate(np.where(moved[..., None], new, self._rows))
        self.evaluations += len(grids)
        gains = np.where(moved, inside(self._grid - grids, reach), -np.inf)
        gains[np.isnan(gains)] = -np.inf
        self._steps = self._proposals.adapted(np, self._steps, drawn, moved, gains > 0)
        self._apply(new, gains, reach)
        self.generation += 1

    def _pool(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Random shapes ``(POOL, groups, d)`` and their tile ranges, the same for all of an epoch."""
        if self._pool_epoch != epoch:
            rng = np.random.default_rng([self.seed, 1, epoch])
            pool = np.stack([self.form.random(rng, self._image) for _ in range(POOL)])
            pool = pool.reshape(POOL, *self._rows.shape).astype(np.float32)
            self._pool_epoch, self._pool_now = epoch, (pool, self._reach(pool))
        return self._pool_now

    def _evaluate(self, rows: np.ndarray) -> np.ndarray:
        """Tile losses ``(n, tiles, tiles)`` float64 of candidates ``(n, groups, d)``."""
        genomes = np.ascontiguousarray(rows.reshape(len(rows), -1), np.float32)
        if self._boxes:
            return np.asarray(self.engine.tile_losses(genomes, self._tiles), np.float64)
        return np.asarray(self.engine.losses(genomes), np.float64)[:, None, None]

    def _reach(self, rows: np.ndarray) -> np.ndarray:
        """Tile ranges ``(n, groups, 4)`` of candidates ``(n, groups, d)``."""
        if self._boxes is None:
            return np.zeros((*rows.shape[:2], 4), np.int32)
        boxes = self._boxes(self.form, rows.reshape(len(rows), -1), np)
        return tile_boxes(boxes, self._height, self._width, self._tiles)

    # Learning.

    def _apply(self, new: np.ndarray, gains: np.ndarray, reach: np.ndarray) -> None:
        """Take every shape's best proposal if that helps, else half of them or an independent set."""
        shapes = np.arange(len(self._rows))
        best = gains.argmax(0)
        gain, rows, rows_reach = gains[best, shapes], new[best, shapes], reach[best, shapes]
        order = np.argsort(-gain, kind="stable")
        order = order[gain[order] > 0]
        if not len(order):
            return
        if self._take([order], rows):
            return
        safe = independent(order[None], rows_reach[None], self._tiles)[0].nonzero()[0]
        self._take([order[: (len(order) + 1) // 2], safe], rows)

    def _take(self, choices: list[np.ndarray], rows: np.ndarray) -> bool:
        """Move to the best of the given sets of proposals ``rows`` ``(groups, d)`` if it lowers the loss."""
        candidates = np.repeat(self._rows[None], len(choices), 0)
        for candidate, chosen in zip(candidates, choices, strict=True):
            candidate[chosen] = rows[chosen]
        grids = self._evaluate(candidates)
        self.evaluations += len(choices)
        totals = grids.sum((1, 2))
        winner = int(np.argmin(np.where(np.isnan(totals), np.inf, totals)))
        if not totals[winner] < self._grid.sum():
            return False
        self._rows, self._grid = candidates[winner], grids[winner]
        return True

    # Checkpoints.

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        return {
            "rows": self._rows.copy(),
            "grid": self._grid.copy(),
            "steps": self._steps.copy(),
            "counts": np.array([self.generation, self.evaluations, self.seed], np.int64),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        check_layout(self.arrays(), arrays)
        self._rows, self._grid = np.array(arrays["rows"], np.float32), np.array(arrays["grid"], np.float64)
        self._steps = np.array(arrays["steps"], np.float32)
        self.generation, self.evaluations, self.seed = (int(count) for count in arrays["counts"])
