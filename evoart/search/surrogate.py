"""Evolution by a first-order surrogate: the score says *where* a picture should change, and each shape is judged there.

One backward pass at the parent gives the derivative of the loss by every pixel. The change that a candidate brings,
multiplied with it and summed over the tiles that a shape can reach, is a fitness for that shape alone: a population
is judged for the price of one forward and one backward pass, and every shape has a strategy of its own (see
``regional``). The surrogate holds near its parent only and never has the last word: after a stretch of generations the
parent itself, the strategies' mean and points between are scored for real under the same crops, the parent moves to
the best, and the step grows or shrinks by how far it went (a trust region).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.search.stochastic import GRADIENT, Stochastic
from evoart.search.strategies import make
from evoart.types import Array, Genome

STRETCH = 4  # generations of the strategies per derivative
POPULATION = 32
STEP, SMALLEST, LARGEST = 0.3, 0.003, 1.0
SHARES = (0.0, 0.35, 1.0, 2.0)  # of the way to the strategies' mean
TILES = 16


class Surrogate(Stochastic):
    """One strategy per group of the engine's form, told what a derivative promises.

    Args: as ``Stochastic``, and
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
        strategy, population: of each group's strategy.
        step: standard deviation at the start, relative to the natural step of every number.
    """

    def __init__(
        self,
        engine: Any,
        boxes: Callable[[Any, Array, Any], Array],
        seed: int,
        start: Genome,
        strategy: str = "snes",
        population: int | None = None,
        step: float | None = None,
        generations: int | None = None,
    ) -> None:
        self._boxes, self._groups = boxes, engine.form.groups
        self._step = STEP if step is None else step
        self._strategy = make(strategy, len(start) // self._groups, population or POPULATION, {"step": 1.0})
        self.per_generation = GRADIENT + len(SHARES)
        self.stage = f"surrogate {self._strategy.info.name.replace('_', '-')}"
        super().__init__(engine, seed, start, generations)

    def _init(self, key: Array, origin: Array) -> Any:
        return origin, jnp.asarray(self._step, jnp.float32)

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        parent, step = state
        seen, judged, begun, going = jax.random.split(key, 4)
        _, image, slope = self.engine.where_traced(parent, inputs, seen)
        inner = jax.vmap(self._strategy.init)(jax.random.split(begun, self._groups))

        def stretch(i: Array, inner: Any) -> Any:
            asked, told = jax.random.split(jax.random.fold_in(going, i))
            samples, inner = jax.vmap(self._strategy.ask)(jax.random.split(asked, self._groups), inner)
            genomes = parent + step * self._scale * samples.transpose(1, 0, 2).reshape(samples.shape[1], -1)
            changes = self.engine.changes_traced(genomes, image, slope, TILES).reshape(len(genomes), -1)
            fitness = jnp.matmul(changes, self._reach(genomes), precision="highest")
            return jax.vmap(self._strategy.tell)(jax.random.split(told, self._groups), samples, fitness.T, inner)

        inner = jax.lax.fori_loop(0, STRETCH, stretch, inner)
        move = step * self._scale * jax.vmap(self._strategy.mean)(inner).ravel()
        tries = parent + jnp.asarray(SHARES)[:, None] * move
        losses = self.engine.losses_traced(tries, inputs, judged)
        best = jnp.argmin(jnp.where(jnp.isfinite(losses), losses, jnp.inf))
        factor = jnp.asarray([0.8, 0.95, 1.05, 1.2])[best]
        return tries[best], jnp.clip(step * factor, SMALLEST, LARGEST)

    def _reach(self, genomes: Array) -> Array:
        """``(tiles, groups)`` of 0 and 1: which tiles each group's candidates can touch."""
        each = self._boxes(self.engine.form, genomes, jnp)
        low, high = each[..., :2].min(0), each[..., 2:].max(0)
        columns = self._touches(low[:, 0], high[:, 0], self.engine.width)
        rows = self._touches(low[:, 1], high[:, 1], self.engine.height)
        return (rows[:, None] & columns[None]).reshape(-1, self._groups).astype(jnp.float32)

    def _touches(self, low: Array, high: Array, pixels: int) -> Array:
        """``(tiles, groups)`` bool: which rows (or columns) of tiles lie in shares ``low`` to ``high`` of a side."""
        first = jnp.clip(jnp.floor(low * pixels - 1), 0, pixels - 1) * TILES // pixels
        last = jnp.clip(jnp.floor(high * pixels + 1), 0, pixels - 1) * TILES // pixels
        tile = np.arange(TILES)[:, None]
        return (tile >= first) & (tile <= last)

    def _answer(self, state: Any, origin: Array) -> Array:
        return state[0]
