"""Training a cellular automaton by gradient: one deterministic step after another, decided by the seed and its number.

States that the automaton has led to before are kept in a pool, and most of a batch comes from there: so it learns to
stay what it has become. The worst of a batch begins again from one cell, and the best are wounded: so it learns to
grow, and to heal (Mordvintsev et al., 2020).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.automaton import rule
from evoart.errors import EvoartError
from evoart.types import Genome

GIVE_UP = 50  # updates in a row without a finite gradient
_LAST = 0.02  # the learning rate falls to this share
_MEMORY = 0.98  # of the mean of the last genomes
_STEADY = 0.4  # share of the updates after which it begins to


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

    batch: int = 4
    damaged: int = 1
    pool: int = 128
    unroll: tuple[int, int] = (32, 48)
    learning_rate: float = 6e-3
    updates: int = 2000
    seed: int = 0


class Training:
    """A training in progress.

    Args:
        target: what is to grow, ``(rows, columns, 4)`` float32: colour times opacity, and opacity.
        genome: the first one.

    Attributes:
        genome: the present one ``(dim,)``; ``mean``: about the mean of the last 50, which is often the better one.
        updates: updates taken.
        skipped: those whose gradient was not finite; they changed nothing.
    """

    def __init__(self, target: np.ndarray, genome: Genome, settings: Settings) -> None:
        self.target, self.settings = np.asarray(target, np.float32), settings
        self.genome = self.mean = np.asarray(genome, np.float32)
        self.moments: Any = optax.scale_by_adam().init(jnp.asarray(self.genome))
        self.updates = self.skipped = self._skipped_now = 0
        self._seed = rule.seed_cell(*self.target.shape[:2])
        # Half floats: what the pool forgets of a number is less than what a phone's shader does.
        self._pool = np.repeat(self._seed, settings.pool, 0).astype(np.float16)

    def advance(self) -> float:
        """Take one update; returns the batch's loss.

        Raises:
            EvoartError: no finite gradient in ``GIVE_UP`` updates in a row.
        """
        settings = self.settings
        rng = np.random.default_rng([settings.seed, 1, self.updates])
        members = rng.choice(settings.pool, settings.batch, replace=False)
        states = self._prepare(self._pool[members].astype(np.float32), rng)
        least, most = settings.unroll
        steps = int(rng.integers(least, most + 1))
        seeds = rng.integers(0, 1 << 32, settings.batch, np.uint32)
        share = min(max(self.updates / settings.updates - _STEADY, 0) / (1 - _STEADY), 1.0)
        rate = np.float32(settings.learning_rate * _LAST**share)
        found = _update(most, np.int32(steps), self.genome, self.moments, states, seeds, self.target, rate)
        genome, self.moments, states, loss, fine = found
        self.genome = np.asarray(genome)
        self.mean = (np.float32(_MEMORY) * self.mean + np.float32(1 - _MEMORY) * self.genome).astype(np.float32)
        self.updates += 1
        self._skipped_now = 0 if bool(fine) else self._skipped_now + 1
        self.skipped += not bool(fine)
        if self._skipped_now >= GIVE_UP:
            raise EvoartError(
                f"{GIVE_UP} updates in a row had no finite gradient",
                f"Try a lower --learning-rate than {settings.learning_rate:g}",
            )
        if bool(fine):
            self._pool[members] = np.asarray(states)
        return float(loss)

    def _prepare(self, states: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A batch, the worst state in place of which growth begins again, and the best ones wounded."""
        losses = ((states[..., :4] - self.target) ** 2).mean((1, 2, 3))
        order = np.argsort(-losses, kind="stable")
        states[order[0]] = self._seed[0]
        rows, columns = self.target.shape[:2]
        side = max(rows, columns)
        for i in order[len(order) - min(self.settings.damaged, len(order) - 1) :]:
            x, y = rng.uniform(0.25, 0.75, 2) * (columns / side, rows / side)
            states[i] = rule.wound(states[i : i + 1], x, y, rng.uniform(0.05, 0.25))[0]
        return states

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for ``load``."""
        return {
            "genome": np.array(self.genome),
            "mean": np.array(self.mean),
            "count": np.asarray(self.moments.count),
            "mu": np.asarray(self.moments.mu),
            "nu": np.asarray(self.moments.nu),
            "pool": self._pool.copy(),
            "updates": np.array([self.updates, self.skipped, self._skipped_now]),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from what ``arrays`` gave.

        Raises:
            KeyError, ValueError: it does not fit.
        """
        mine = self.arrays()
        for name, value in mine.items():
            if arrays[name].shape != value.shape:
                raise ValueError(f"{name} has another shape")
        moments = (jnp.asarray(arrays[name]) for name in ("count", "mu", "nu"))
        self.genome, self.mean = np.array(arrays["genome"]), np.array(arrays["mean"])
        self.moments = optax.ScaleByAdamState(*moments)
        self._pool = np.array(arrays["pool"])
        self.updates, self.skipped, self._skipped_now = (int(n) for n in arrays["updates"])


def _losses(states: jax.Array, target: jax.Array) -> jax.Array:
    return ((states[..., :4] - target) ** 2).mean((1, 2, 3))


def run_traced(
    steps: int, genome: jax.Array, states: jax.Array, seeds: jax.Array, first: int = 0, count: Any = None
) -> jax.Array:
    """States ``(n, rows, columns, 16)`` after so many steps, inside a JAX program; ``seeds`` ``(n,)`` uint32.

    ``count``: how many of the steps are taken; None: all. It may differ from call to call of one program.
    """

    @jax.checkpoint  # to compute a step again on the way back is faster than to fetch it from memory
    def change(states: jax.Array, step: jax.Array) -> jax.Array:
        return rule.advance(jnp, genome, states, rule.changing(jnp, seeds, step, *states.shape[1:3]))

    def one(states: jax.Array, step: jax.Array) -> tuple[jax.Array, None]:
        if count is None:
            return change(states, step), None
        return jax.lax.cond(step < first + count, change, lambda states, step: states, states, step), None

    return jax.lax.scan(one, states, jnp.arange(first, first + steps))[0]


@functools.partial(jax.jit, static_argnums=0)
def _update(most: int, steps: Any, genome: Any, moments: Any, states: Any, seeds: Any, target: Any, rate: Any) -> Any:
    """One step of Adam; the gradients of weights and biases are each brought to length 1 first."""

    def objective(genome: jax.Array) -> tuple[jax.Array, jax.Array]:
        after = run_traced(most, genome, states, seeds, count=steps)
        return _losses(after, target).mean(), after

    (loss, after), gradient = jax.value_and_grad(objective, has_aux=True)(genome)
    fine = jnp.isfinite(gradient).all() & jnp.isfinite(loss)
    table = jnp.nan_to_num(gradient).reshape(-1, rule.row_length())
    parts = [table[:, : rule.SEEN], table[:, rule.SEEN : rule.SEEN + 1], table[:, rule.SEEN + 1 :]]
    unit = jnp.concatenate([part / (jnp.linalg.norm(part) + 1e-8) for part in parts], 1).ravel()
    step, new = optax.scale_by_adam().update(unit, moments)
    keep = functools.partial(jnp.where, fine)
    return keep(genome - rate * step, genome), jax.tree.map(keep, new, moments), after, loss, fine


@functools.partial(jax.jit, static_argnums=(2, 3))
def judge(genomes: jax.Array, target: jax.Array, grown: int = 100, kept: int = 400) -> jax.Array:
    """Losses ``(n,)`` of genomes ``(n, dim)``, the mean of three: grown from one cell, kept until later, and healed
    from a wound. Which cells change is always the same, so that losses can be compared."""
    rows, columns = target.shape[:2]
    seeds = jnp.zeros(1, jnp.uint32)
    hole = rule.wound(np.ones((1, rows, columns, 1), np.float32), *rule.place_wound(rows, columns))

    def one(genome: jax.Array) -> jax.Array:
        def step(states: jax.Array, number: jax.Array) -> tuple[jax.Array, jax.Array]:
            states = states * jnp.where(number == kept, hole, 1.0)
            states = rule.advance(jnp, genome, states, rule.changing(jnp, seeds, number, rows, columns))
            return states, _losses(states, target)[0]

        each = jax.lax.scan(step, jnp.asarray(rule.seed_cell(rows, columns)), jnp.arange(kept + rule.HEALING))[1]
        return (each[grown - 1] + each[kept - 1] + each[-1]) / 3

    return jax.lax.map(one, genomes)
