"""Evolution by a first-order surrogate: the gradient says *where* a picture should change; shapes are evaluated there.

One backward pass at the parent gives the derivative of the loss by every pixel. The change that a candidate brings,
multiplied with it and summed over the tiles that a shape can reach, is a fitness for that shape alone: a population
is evaluated for the price of one forward and one backward pass, and every shape has a strategy of its own (see
``regional``). The surrogate holds near its parent only and never decides: after a few generations the parent
itself, the strategies' mean and points between are scored for real under the same crops, the parent moves to
the best, and the step grows or shrinks by how far it went (a trust region).
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from evoart.search.stochastic import GRADIENT, Stochastic, barrier
from evoart.search.strategies import make
from evoart.search.tiles import reach_matrix
from evoart.types import Array, Boxes, Genome

STRETCH = 4  # generations of the strategies per gradient
POPULATION = 32
STEP, SMALLEST, LARGEST = 0.3, 0.003, 1.0
SHARES = (0.0, 0.35, 1.0, 2.0)  # of the way to the strategies' mean
TILES = 16


class Surrogate(Stochastic):
    """One strategy per group of the engine's form, told the change of the loss to first order.

    Args: as ``Stochastic``, and
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
        strategy, population: of each group's strategy.
        step: standard deviation at the start, relative to the natural step of every number.
    """

    def __init__(
        self,
        engine: Any,
        boxes: Boxes,
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
        self._start, self._ask, self._tell = jax.jit(self._restart), jax.jit(self._propose), jax.jit(self._learn)
        self._between, self._move = jax.jit(self._points), jax.jit(_move)
        self.per_generation = GRADIENT + len(SHARES)
        self.stage = f"surrogate {self._strategy.info.name.replace('_', '-')}"
        super().__init__(engine, seed, start, generations)

    def _init(self, key: Array, origin: Array) -> Any:
        return origin, jnp.asarray(self._step, jnp.float32)

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        parent, step = state
        inner, gradient_key, score_key, strategy_key = self._start(key)
        _, image, slope = self.engine.where_traced(parent, inputs, gradient_key)

        def stretch(i: Array, inner: Any) -> Any:
            samples, genomes, inner, tell_key = barrier(self._ask(inner, parent, step, strategy_key, i))
            changes = barrier(self.engine.changes_traced(genomes, image, slope, TILES))
            return self._tell(inner, samples, genomes, changes, tell_key)

        inner = self._repeat(STRETCH, stretch, inner)
        points = barrier(self._between(inner, parent, step))
        return self._move(points, barrier(self.engine.losses_traced(points, inputs, score_key)), step)

    def _restart(self, key: Array) -> tuple[Any, ...]:
        """New states of the strategies, and keys: for the gradient, for the score, for the strategies."""
        gradient_key, score_key, init_key, strategy_key = jax.random.split(key, 4)
        states = jax.vmap(self._strategy.init)(jax.random.split(init_key, self._groups))
        return states, gradient_key, score_key, strategy_key

    def _propose(self, inner: Any, parent: Array, step: Array, key: Array, i: Array) -> tuple[Any, ...]:
        """What the strategies propose, as samples ``(groups, n, each)`` and as genomes ``(n, dim)``."""
        ask_key, tell_key = jax.random.split(jax.random.fold_in(key, i))
        samples, inner = jax.vmap(self._strategy.ask)(jax.random.split(ask_key, self._groups), inner)
        genomes = parent + step * self._scale * samples.transpose(1, 0, 2).reshape(samples.shape[1], -1)
        return samples, genomes, inner, tell_key

    def _learn(self, inner: Any, samples: Array, genomes: Array, changes: Array, key: Array) -> Any:
        """The strategies after each was told the changes ``(n, tiles, tiles)`` where its shape can reach."""
        fitness = jnp.matmul(changes.reshape(len(genomes), -1), self._reach(genomes), precision="highest")
        return jax.vmap(self._strategy.tell)(jax.random.split(key, self._groups), samples, fitness.T, inner)

    def _points(self, inner: Any, parent: Array, step: Array) -> Array:
        """Genomes between the parent and the strategies' mean, and beyond it."""
        move = step * self._scale * jax.vmap(self._strategy.mean)(inner).ravel()
        return parent + jnp.asarray(SHARES)[:, None] * move

    def _reach(self, genomes: Array) -> Array:
        """``(tiles, groups)`` of 0 and 1: which tiles each group's candidates can touch."""
        each = self._boxes(self.engine.form, genomes, jnp)
        boxes = jnp.concatenate([each[..., :2].min(0), each[..., 2:].max(0)], -1)
        return reach_matrix(jnp, boxes, self.engine.height, self.engine.width, TILES)

    def _answer(self, state: Any, origin: Array) -> Array:
        return state[0]


def _move(points: Array, losses: Array, step: Array) -> tuple[Array, Array]:
    """The best of ``points``, and the next step size, by how far it went."""
    best = jnp.argmin(jnp.where(jnp.isfinite(losses), losses, jnp.inf))
    factor = jnp.asarray([0.8, 0.95, 1.05, 1.2])[best]
    return points[best], jnp.clip(step * factor, SMALLEST, LARGEST)
