"""Gradient descent as a search: optax's Adam (D. Kingma and J. Ba, 2015) with a falling learning rate."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.search.checkpoint import check_layout
from evoart.types import Array, Genome, GradientEngine, Search

LAST = 0.02  # the learning rate falls along a cosine to this share of its start
MOST_STEPS = 2**31 - 1  # that a device counts to
_BLOCK_WORK = {"cpu": 3e7, "other": 2e10}  # pixels times shapes (see ``Engine.work``) of one block of steps


class GradientDescent(Search):
    """Follows the gradient of the loss for a planned number of steps and keeps the best genome it meets.

    Args:
        engine: evaluates genomes.
        start: genome ``(dim,)``.
        steps: how many, 1 or more.
        rate: learning rate at the beginning, above 0.
    """

    def __init__(self, engine: GradientEngine, start: Genome, steps: int, rate: float) -> None:
        self.engine, self.steps = engine, steps
        schedule = optax.cosine_decay_schedule(rate, min(steps, MOST_STEPS), LAST)
        self._adam = optax.adam(schedule, b2=0.99)
        genome = jnp.asarray(start, jnp.float32)
        self._state = (genome, self._adam.init(genome), genome, jnp.float32(jnp.inf))
        self._run = jax.jit(self._steps)
        self.genome, self.loss = np.array(start, np.float32), float("inf")
        self.generation, self.evaluations, self.stage = 0, 0, "gradient"
        self.planned = steps
        work = 3 * engine.work  # a gradient costs about three pictures
        self._block = int(np.clip(_BLOCK_WORK.get(jax.default_backend(), _BLOCK_WORK["other"]) / work, 1, 50))

    @property
    def done(self) -> bool:
        """Whether all steps are taken."""
        return self.generation >= self.steps

    @property
    def progress(self) -> float:
        """Share of the steps that is taken, 0 to 1."""
        return self.generation / self.steps

    def step(self) -> None:
        """A block of steps, its length fixed by the problem and not by a clock."""
        count = min(self._block, self.steps - self.generation)
        self._state = self._run(self.engine.inputs, np.int32(count), self._state)
        self.generation += count
        self.evaluations += count
        self.genome, self.loss = np.array(self._state[2]), float(self._state[3])

    def _steps(self, inputs: tuple[Any, ...], count: Array, state: Any) -> Any:
        def one(_: Array, state: Any) -> Any:
            genome, adam, best, lowest = state
            loss, slope = self.engine.loss_and_gradient_traced(genome, inputs)
            better = loss < lowest
            best, lowest = jnp.where(better, genome, best), jnp.where(better, loss, lowest)
            update, adam = self._adam.update(jnp.nan_to_num(slope), adam)
            return optax.apply_updates(genome, update), adam, best, lowest

        return jax.lax.fori_loop(0, count, one, state)

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        leaves: dict[str, np.ndarray] = {
            f"state/{i:02d}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(self._state))
        }
        return leaves | {"generation": np.asarray(self.generation, np.int64)}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        mine = self.arrays()
        check_layout(mine, arrays)
        leaves = [jnp.asarray(arrays[name]) for name in sorted(mine) if name.startswith("state/")]
        self._state = jax.tree.unflatten(jax.tree.structure(self._state), leaves)
        self.generation = self.evaluations = int(arrays["generation"])
        self.genome, self.loss = np.array(self._state[2]), float(self._state[3])
