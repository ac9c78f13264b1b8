"""How independent sets propose: moved parts, new paint, both, or a new random shape. One code for NumPy and JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.search.counter_rng import CounterRNG
from evoart.types import Array

PAINT = 4  # the last numbers of a group: red, green, blue, opacity
SHARES = {"part": 0.35, "paint": 0.35, "all": 0.25}  # how proposals are made that are no new random shapes
SLOWEST, FASTEST, ADAPT, TARGET_RATE = 0.04, 5.0, 0.15, 0.2
# What a generation's random numbers are for.
KIND, WHICH, NOISE, FIRST, SECOND, ORDER = range(6)


@dataclass(frozen=True)
class Proposals:
    """Makes proposals for shapes ``(groups, d)``, and adapts step sizes to their success.

    Attributes:
        scale: natural step of every number, ``(groups, d)``; 0 for padding.
        fresh: share of proposals that are new random shapes, 0 to 1.
    """

    scale: np.ndarray
    fresh: float

    def make(
        self, xp: Any, draws: CounterRNG, n: int, rows: Array, steps: Array, pool: Array, error: Array
    ) -> tuple[Array, Array]:
        """New rows ``(n, groups, d)`` and which step sizes each used, ``(n, groups, 2)`` bool.

        Args:
            rows: what there is, ``(groups, d)``.
            steps: of geometry and of paint, ``(groups, 2)``.
            pool: new random shapes ``(p, groups, d)`` to choose from.
            error: the loss where each of them lies, ``(p, groups)``.
        """
        groups, d = self.scale.shape
        kind = draws.uniform(KIND, (n, groups))
        scale = np.array([SHARES["part"], SHARES["paint"], SHARES["all"]])
        part, paint, whole = (np.cumsum(scale / scale.sum()) * (1 - self.fresh)).astype(np.float32)
        is_part, is_paint, is_all = kind < part, (kind >= part) & (kind < paint), (kind >= paint) & (kind < whole)
        # A part is two neighbouring numbers of the geometry: a corner, a pair of radii, a lone angle.
        geometry, column = d - PAINT, np.arange(d)
        pairs = (np.count_nonzero(self.scale[:, :geometry], 1) + 1) // 2
        which = xp.floor(draws.uniform(WHICH, (n, groups)) * pairs.astype(np.float32))
        in_part = (column // 2 == which[..., None]) & (column < geometry)
        mask = xp.where(is_part[..., None], in_part, is_paint[..., None] & (column >= geometry))
        mask = xp.where(is_all[..., None], np.float32(0.5), mask.astype(np.float32))
        size = xp.where(column < geometry, steps[:, :1], steps[:, 1:]) * self.scale
        new = rows + draws.normal(NOISE, (n, groups, d)) * mask * size
        new = xp.where((kind >= whole)[..., None], self._replace(xp, draws, n, pool, error), new)
        drawn = xp.stack([is_part | is_all, is_paint | is_all], -1)
        return self._bounded(xp, new), drawn

    def adapted(self, xp: Any, steps: Array, drawn: Array, moved: Array, better: Array) -> Array:
        """``steps`` after the one-fifth success rule, over the proposals that used and tried them."""
        tried = (drawn & moved[..., None]).sum(0)
        won = (drawn & (moved & better)[..., None]).sum(0)
        share = won.astype(np.float32) / xp.maximum(tried, 1).astype(np.float32)
        rate = xp.where(tried > 0, share, np.float32(TARGET_RATE))
        change = xp.exp(np.float32(ADAPT) * (rate - np.float32(TARGET_RATE)))
        return xp.clip(steps * change, np.float32(SLOWEST), np.float32(FASTEST))

    def _replace(self, xp: Any, draws: CounterRNG, n: int, pool: Array, error: Array) -> Array:
        """New random shapes ``(n, groups, d)``: of two from the pool, the one where the error is larger."""
        groups, size = pool.shape[1], len(pool)
        first, second = (xp.floor(draws.uniform(use, (n, groups)) * size).astype(np.int32) for use in (FIRST, SECOND))
        column = np.arange(groups)
        return pool[xp.where(error[first, column] >= error[second, column], first, second), column]

    def _bounded(self, xp: Any, rows: Array) -> Array:
        """Paint in [0, 1]; positions and lengths at most one picture outside; angles free."""
        geometry = self.scale.shape[-1] - PAINT
        near = self.scale[:, :geometry] <= 0.1  # what is measured in units; angles have larger steps
        where = xp.where(near, xp.clip(rows[..., :geometry], -1, 2), rows[..., :geometry])
        return xp.concatenate([where, xp.clip(rows[..., geometry:], 0, 1)], -1).astype(np.float32)
