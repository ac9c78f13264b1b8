"""Training a cellular automaton by gradient: one deterministic step after another, decided by the seed and its number.

States that the automaton has led to before are kept in a pool, from which a batch comes. Its worst begins again from
one cell, and its best are wounded: so it learns to grow, to heal, and to stay what it has become (Mordvintsev et al.,
2020). Two a batch learn most at the same cost: many updates, and the worse one never stays in the pool.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.automaton import rule, sparse
from evoart.train_state import TrainState, descend, is_finite
from evoart.types import Genome

_LAST = 0.02  # the learning rate falls to this share
_MEMORY = 0.98  # of the mean of the last genomes
_STEADY = 0.4  # share of the updates after which it begins to
_RADIUS = (0.1, 0.3)  # of wounds, in shares of the long side
_HALVES = 0.25  # share of wounds that go as far as the border, along a straight line


@dataclass(frozen=True)
class Settings:
    """How an automaton is trained.

    Attributes:
        batch: states of an update; ``damaged`` of them are wounded.
        pool: states that are kept.
        unroll: least and most steps that an update follows.
        learning_rate: of Adam.
        updates: over how many the learning rate falls.
        seed: decides everything random.
    """

    batch: int = 2
    damaged: int = 1
    pool: int = 128
    unroll: tuple[int, int] = (32, 48)
    learning_rate: float = 6e-3
    updates: int = 6000
    seed: int = 0


class Training(TrainState):
    """A training in progress.

    Args:
        target: what is to grow, ``(rows, columns, 4)`` float32: colour times opacity, and opacity.
        genome: the first one.

    Attributes:
        mean: about the mean of the last 50 genomes ``(dim,)``, which is often better than the present one.
    """

    def __init__(self, target: np.ndarray, genome: Genome, settings: Settings) -> None:
        super().__init__({"genome": genome})
        self.target, self.settings = np.asarray(target, np.float32), settings
        self.mean = self.genome
        self._capacity = sparse.find_capacity(self.target, settings.batch)
        self._seed = rule.seed_cell(*self.target.shape[:2])
        # Half floats: what the pool forgets of a number is less than what a phone's shader does.
        self._pool = np.repeat(self._seed, settings.pool, 0).astype(np.float16)

    @property
    def genome(self) -> Genome:
        """The present one ``(dim,)``."""
        return np.asarray(self.params["genome"])

    def advance(self) -> float:
        """Take one step; returns the batch's loss.

        Raises:
            EvoartError: see ``TrainState.count``.
        """
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 1, self.step])
        members = rng.choice(settings.pool, settings.batch, replace=False)
        states = self._prepare(self._pool[members].astype(np.float32), rng)
        least, most = settings.unroll
        steps = int(rng.integers(least, most + 1))
        seeds = rng.integers(0, 1 << 32, settings.batch, np.uint32)
        share = min(max(self.step / settings.updates - _STEADY, 0) / (1 - _STEADY), 1.0)
        rate = np.float32(settings.learning_rate * _LAST**share)
        found = _update(
            most, self._capacity, np.int32(steps), self.params, self.moments, states, seeds, self.target, rate
        )
        self.params, self.moments, states, loss, fine = found
        self.mean = (np.float32(_MEMORY) * self.mean + np.float32(1 - _MEMORY) * self.genome).astype(np.float32)
        self.count(fine, settings.learning_rate)
        if bool(fine):
            self._pool[members] = np.asarray(states)
        return float(loss)

    def _prepare(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A batch, the worst state in place of which growth begins again, and the best ones wounded."""
        losses = ((states[..., :4] - self.target) ** 2).mean((1, 2, 3))
        order = np.argsort(-losses, kind="stable")
        states[order[0]] = self._seed[0]
        for i in order[len(order) - min(self.settings.damaged, len(order) - 1) :]:
            states[i] = rule.wound(states[i : i + 1], *self._place_wound(rng))[0]
        return states

    def _place_wound(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """A random wound, see ``rule.wound``: a disc, or what lies beyond a line that comes near the middle."""
        rows, columns = self.target.shape[:2]
        if rng.random() < _HALVES:
            x, y, _ = rule.place_wound(rows, columns, (0.5, 0.5, 0.0))
            angle, away = rng.uniform(0, 2 * np.pi), rule.FAR + rng.uniform(-0.1, 0.2)
            return x + away * np.cos(angle), y + away * np.sin(angle), rule.FAR
        return rule.place_wound(rows, columns, (*rng.uniform(0.25, 0.75, 2), rng.uniform(*_RADIUS)))

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for ``load``."""
        return super().arrays() | {"mean": np.array(self.mean), "pool": self._pool.copy()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """See ``TrainState.load``."""
        if arrays["mean"].shape != self.mean.shape or arrays["pool"].shape != self._pool.shape:
            raise ValueError("a state of another shape")
        super().load(arrays)
        self.mean, self._pool = np.array(arrays["mean"]), np.array(arrays["pool"])


def _losses(states: jax.Array, target: jax.Array) -> jax.Array:
    return ((states[..., :4] - target) ** 2).mean((1, 2, 3))


def run_traced(
    steps: int,
    genome: jax.Array,
    states: jax.Array,
    seeds: jax.Array,
    first: int = 0,
    count: Any = None,
    capacity: int | None = None,
) -> jax.Array:
    """States ``(n, rows, columns, 16)`` after so many steps, inside a JAX program; ``seeds`` ``(n,)`` uint32.

    ``count``: how many of the steps are taken; None: all. It may differ from call to call of one program.
    ``capacity``: see ``sparse.advance``; None: all cells are computed.
    """

    # To compute a step again on the way back is faster than to fetch it from memory.
    every = jax.checkpoint(lambda states, changing: rule.advance(jnp, genome, states, changing))
    some = jax.checkpoint(lambda states, turn: sparse.advance(genome, states, turn))

    def change(states: jax.Array, step: jax.Array) -> jax.Array:
        changing = rule.changing(jnp, seeds, step, *states.shape[1:3])
        if capacity is None:
            return every(states, changing)
        turn = sparse.choose(states, changing, capacity)
        return jax.lax.cond(turn.fits, lambda: some(states, turn), lambda: every(states, changing))

    def one(states: jax.Array, step: jax.Array) -> tuple[jax.Array, None]:
        if count is None:
            return change(states, step), None
        return jax.lax.cond(step < first + count, change, lambda states, step: states, states, step), None

    return jax.lax.scan(one, states, jnp.arange(first, first + steps))[0]


@functools.partial(jax.jit, static_argnums=(0, 1))
def _update(
    most: int, capacity: int, steps: Any, params: Any, moments: Any, states: Any, seeds: Any, target: Any, rate: Any
) -> Any:
    """One step of Adam; the gradients of weights and biases are each brought to length 1 first."""

    def objective(genome: jax.Array) -> tuple[jax.Array, jax.Array]:
        after = run_traced(most, genome, states, seeds, count=steps, capacity=capacity)
        return _losses(after, target).mean(), after

    (loss, after), gradient = jax.value_and_grad(objective, has_aux=True)(params["genome"])
    fine = is_finite(gradient, loss)
    table = jnp.nan_to_num(gradient).reshape(-1, rule.row_length())
    parts = [table[:, : rule.SEEN], table[:, rule.SEEN : rule.SEEN + 1], table[:, rule.SEEN + 1 :]]
    unit = jnp.concatenate([part / (jnp.linalg.norm(part) + 1e-8) for part in parts], 1).ravel()
    params, moments = descend(params, {"genome": unit}, moments, rate, fine)
    return params, moments, after, loss, fine


@functools.partial(jax.jit, static_argnums=(2, 3))
def judge(genomes: jax.Array, target: jax.Array, grown: int = 100, kept: int = 300) -> jax.Array:
    """Losses ``(n,)`` of genomes ``(n, dim)``, the mean of three: grown from one cell, kept until later, and healed
    from each of several wounds. Which cells change is always the same, so that losses can be compared."""
    rows, columns = target.shape[:2]
    whole = np.ones((1, rows, columns, 1), np.float32)
    holes = np.concatenate([rule.wound(whole, *each) for each in rule.judged_wounds(rows, columns)])
    seed = jnp.zeros(1, jnp.uint32)

    def one(genome: jax.Array) -> jax.Array:
        young = run_traced(grown, genome, jnp.asarray(rule.seed_cell(rows, columns)), seed)
        old = run_traced(kept - grown, genome, young, seed, grown)
        healed = run_traced(rule.HEALING, genome, old * holes, jnp.broadcast_to(seed, len(holes)), kept)
        return jnp.stack([_losses(each, target).mean() for each in (young, old, healed)]).mean()

    return jax.lax.map(one, genomes)
