"""Independent sets: move only shapes that cannot see each other, so that every proposal's gain is exact.

A candidate moves a random set of shapes whose old and new boxes share no tile. Each moved shape's change of loss,
summed over its own tiles, is then its own: no noise, and several shapes tried per evaluation. Every shape keeps its
best proposal of a generation; all kept ones together are tried, then fewer, at last a disjoint set, which cannot fail.
A step per shape for geometry and one for paint follow the one-fifth success rule (I. Rechenberg, "Evolutionsstrategie",
1973). The loss never rises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError, unknown
from evoart.search.disjoint import independent, inside, tile_boxes, union
from evoart.types import Array, Engine, Genome, Search

POPULATION, STEP = 32, 1.0
TILE, MOST_TILES = 4, 64  # pixels per tile, tiles per side
PAINT = 4  # the last numbers of a group: red, green, blue, opacity
SHARES = {"part": 0.35, "paint": 0.35, "all": 0.25, "fresh": 0.05}  # how proposals are made
SLOWEST, FASTEST, ADAPT, TARGET_RATE = 0.04, 5.0, 0.15, 0.2
_POOL = 8  # fresh shapes per group to choose from in a generation


class Sets(Search):
    """A (1, lambda) search per shape over independent sets.

    Args:
        engine: ``losses``, ``tile_losses``, ``form`` (``steps``, ``groups``, ``random``) and ``target``.
        population: candidates per generation; None is 32.
        seed: decides everything random.
        start: genome ``(dim,)`` to improve.
        options: ``step`` (initial step, in natural steps), ``fresh`` (share of proposals that start a shape anew).
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
            None: every shape may reach everywhere, and one shape is moved at a time; so it is for an engine without
            ``tile_losses``.

    Raises:
        UsageError: unknown option, or a start that is not finite.
    """

    def __init__(
        self,
        engine: Engine,
        population: int | None,
        seed: int,
        start: Genome,
        options: Mapping[str, Any] | None = None,
        boxes: Callable[[Any, Array, Any], Array] | None = None,
    ) -> None:
        given = dict(options or {})
        step, self._fresh = float(given.pop("step", STEP)), float(given.pop("fresh", SHARES["fresh"]))
        for name in given:
            raise unknown("option of sets", name, ["step", "fresh"])
        if not (0 < step < np.inf and 0 <= self._fresh < 1):
            raise UsageError("step must be positive and fresh a share in [0, 1)", "Leave them out for the defaults")
        self.engine, self.form, self.seed = engine, engine.form, seed
        self.population = POPULATION if population is None else max(int(population), 1)
        groups = self.form.groups
        self._scale = np.asarray(self.form.steps(), np.float32).reshape(groups, self.form.dim_per_group)
        self._regional = hasattr(engine, "tile_losses") and boxes is not None
        self._boxes = boxes
        target = getattr(engine, "target", None)
        self._image = None if target is None else target.image
        self._height, self._width = (1, 1) if target is None else target.weight.shape
        self._tiles = int(np.clip(min(self._height, self._width) // TILE, 1, MOST_TILES)) if self._regional else 1
        self._rows = np.array(start, np.float32).reshape(groups, self.form.dim_per_group)
        if not np.isfinite(self._rows).all():
            raise UsageError("the search's start is not a vector of finite numbers", "Start from another result")
        self._steps = np.full((groups, 2), step, np.float32)  # of geometry, of paint
        self._grid = self._judge(self._rows[None])[0]
        self.generation, self.evaluations, self.stage = 0, 1, "refining"
        self.done = groups == 0  # no shape could better the ground: there is nothing to move

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
        rng = np.random.default_rng([self.seed, 1, self.generation])
        home = self._reach(self._rows[None])
        new, drawn = self._propose(rng, home[0])
        reach = union(home, self._reach(new))
        order = rng.permuted(np.broadcast_to(np.arange(len(self._rows)), new.shape[:2]), axis=1)
        moved = independent(order, reach, self._tiles)
        grids = self._judge(np.where(moved[..., None], new, self._rows))
        self.evaluations += len(grids)
        gains = np.where(moved, inside(self._grid - grids, reach), -np.inf)
        gains[np.isnan(gains)] = -np.inf
        self._adapt(drawn, moved, gains > 0)
        self._apply(new, gains, reach)
        self.generation += 1

    def _judge(self, rows: np.ndarray) -> np.ndarray:
        """Tile losses ``(n, tiles, tiles)`` float64 of candidates ``(n, groups, d)``."""
        genomes = np.ascontiguousarray(rows.reshape(len(rows), -1), np.float32)
        if self._regional:
            return np.asarray(self.engine.tile_losses(genomes, self._tiles), np.float64)
        return np.asarray(self.engine.losses(genomes), np.float64)[:, None, None]

    def _reach(self, rows: np.ndarray) -> np.ndarray:
        """Tile ranges ``(n, groups, 4)`` of candidates ``(n, groups, d)``."""
        if not self._regional:
            return np.zeros((*rows.shape[:2], 4), np.int32)
        boxes = self._boxes(self.form, rows.reshape(len(rows), -1), np)
        return tile_boxes(boxes, self._height, self._width, self._tiles)

    # Proposals.

    def _propose(self, rng: np.random.Generator, home: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New rows ``(population, groups, d)`` and which step sizes each used, ``(population, groups, 2)`` bool."""
        n, (groups, d) = self.population, self._rows.shape
        kind = rng.random((n, groups))
        scale = np.array([SHARES["part"], SHARES["paint"], SHARES["all"]])
        part, paint, whole = np.cumsum(scale / scale.sum() * (1 - self._fresh))
        is_part, is_paint, is_all = kind < part, (kind >= part) & (kind < paint), (kind >= paint) & (kind < whole)
        is_fresh = kind >= whole
        # A part is two neighbouring numbers of the geometry: a corner, a pair of radii, a lone angle.
        geometry = d - PAINT
        pairs = (np.count_nonzero(self._scale[:, :geometry], 1) + 1) // 2
        which = np.floor(rng.random((n, groups)) * pairs).astype(np.int64)
        column = np.arange(d)
        in_part = (column // 2 == which[..., None]) & (column < geometry)
        mask = np.where(is_part[..., None], in_part, np.where(is_paint[..., None], column >= geometry, False))
        mask = np.where(is_all[..., None], np.float32(0.5), mask.astype(np.float32))
        size = np.where(column < geometry, self._steps[:, :1], self._steps[:, 1:]) * self._scale
        noise = rng.standard_normal((n, groups, d), np.float32)
        new = self._rows + noise * mask * size
        if is_fresh.any():
            new = np.where(is_fresh[..., None], self._start_anew(rng), new)
        drawn = np.stack([is_part | is_all, is_paint | is_all], -1)
        return self._bounded(new).astype(np.float32), drawn

    def _start_anew(self, rng: np.random.Generator) -> np.ndarray:
        """Fresh shapes ``(population, groups, d)``, a few per group, where the picture is wrong."""
        pool = np.stack([self.form.random(rng, self._image) for _ in range(_POOL)]).reshape(_POOL, *self._rows.shape)
        error = inside(np.broadcast_to(self._grid, (_POOL, *self._grid.shape)), self._reach(pool))
        first, second = rng.integers(_POOL, size=(2, self.population, len(self._rows)))
        column = np.arange(len(self._rows))
        return pool[np.where(error[first, column] >= error[second, column], first, second), column]

    def _bounded(self, rows: np.ndarray) -> np.ndarray:
        """Paint in [0, 1]; positions and lengths at most one picture outside; angles free."""
        geometry = rows.shape[-1] - PAINT
        near = self._scale[:, :geometry] <= 0.1  # what is measured in units; angles have larger steps
        rows[..., :geometry] = np.where(near, np.clip(rows[..., :geometry], -1, 2), rows[..., :geometry])
        rows[..., geometry:] = np.clip(rows[..., geometry:], 0, 1)
        return rows

    # Learning.

    def _adapt(self, drawn: np.ndarray, moved: np.ndarray, better: np.ndarray) -> None:
        """The one-fifth success rule for each shape's two steps, over the proposals that used them."""
        tried = (drawn & moved[..., None]).sum(0)
        won = (drawn & (moved & better)[..., None]).sum(0)
        rate = np.where(tried > 0, won / np.maximum(tried, 1), TARGET_RATE)
        steps = self._steps * np.exp(ADAPT * (rate - TARGET_RATE))
        self._steps = np.clip(steps, SLOWEST, FASTEST).astype(np.float32)

    def _apply(self, new: np.ndarray, gains: np.ndarray, reach: np.ndarray) -> None:
        """Keep each shape's best proposal; take all together if that helps, else half, else a disjoint set."""
        shapes = np.arange(len(self._rows))
        best = gains.argmax(0)
        gain, kept, kept_reach = gains[best, shapes], new[best, shapes], reach[best, shapes]
        order = np.argsort(-gain, kind="stable")
        order = order[gain[order] > 0]
        if not len(order):
            return
        if self._take([order], kept):
            return
        safe = independent(order[None], kept_reach[None], self._tiles)[0].nonzero()[0]
        self._take([order[: (len(order) + 1) // 2], safe], kept)

    def _take(self, choices: list[np.ndarray], kept: np.ndarray) -> bool:
        """Move to the best of the given sets of kept proposals if it lowers the loss."""
        candidates = np.repeat(self._rows[None], len(choices), 0)
        for candidate, chosen in zip(candidates, choices, strict=True):
            candidate[chosen] = kept[chosen]
        grids = self._judge(candidates)
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
        """Go on from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        mine = self.arrays()
        if mine.keys() != arrays.keys() or any(np.shape(arrays[name]) != mine[name].shape for name in mine):
            raise EvoartError("the checkpoint does not fit this search", "Start the run again from its picture")
        self._rows, self._grid = np.array(arrays["rows"], np.float32), np.array(arrays["grid"], np.float64)
        self._steps = np.array(arrays["steps"], np.float32)
        self.generation, self.evaluations, self.seed = (int(count) for count in arrays["counts"])
