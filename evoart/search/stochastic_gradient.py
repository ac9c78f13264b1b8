"""Gradient steps on the whole genome where the score is differentiable: Adam (Kingma and Ba, 2015).

Where a model is large, the derivative of its score by every pixel costs a hundred times what drawing does. It is then
followed for several steps: the derivative by the pixels stays, that of the pixels by the genome is computed again.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from evoart.search.adam import BETA1, BETA2, TINY, adam_moments
from evoart.search.stochastic import GRADIENT, Stochastic
from evoart.types import Array, Genome

STEP = 0.12  # learning rate at the start, in natural steps
LAST = 0.1  # the learning rate falls along half a cosine to this share


class StochasticGradient(Stochastic):
    """Adam from ``start`` with the gradient under new crops every step.

    Args: as ``Stochastic``, and
        step: learning rate in natural steps, above 0; None is ``STEP``.
        follow: steps of Adam for each derivative by the pixels; above 1 the engine has to offer
            ``where_traced(genome, inputs, key)`` and ``pull_traced(genome, slope)``.
    """

    per_generation, stage = GRADIENT, "gradient"

    def __init__(
        self,
        engine: Any,
        seed: int,
        start: Genome,
        step: float | None = None,
        generations: int | None = None,
        follow: int = 1,
    ) -> None:
        self._rate, self._follow = STEP if step is None else step, follow
        self._adam = jax.jit(self._adam_step)
        super().__init__(engine, seed, start, generations)

    def _init(self, key: Array, origin: Array) -> Any:
        return origin, jnp.zeros_like(origin), jnp.zeros_like(origin), jnp.zeros((), jnp.int32)

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        if self._follow == 1:
            return self._adam(state, self.engine.gradient_traced(state[0], inputs, key)[1], share)
        _, _, by_pixels = self.engine.where_traced(state[0], inputs, key)

        def follow(i: Array, state: Any) -> Any:
            return self._adam(state, self.engine.pull_traced(state[0], by_pixels), share)

        return self._repeat(self._follow, follow, state)

    def _adam_step(self, state: Any, slope: Array, share: Array) -> Any:
        """The state after a step of Adam along ``slope``, the gradient at its genome."""
        genome, mean, square, t = state
        slope = jnp.nan_to_num(slope) * self._scale  # per natural step
        t = t + 1
        mean, square = adam_moments(mean, square, slope)
        rate = self._rate * (LAST + (1 - LAST) * (1 + jnp.cos(jnp.pi * share)) / 2)
        first, second = mean / (1 - BETA1**t), square / (1 - BETA2**t)
        return genome - rate * self._scale * first / (jnp.sqrt(second) + TINY), mean, square, t

    def _answer(self, state: Any, origin: Array) -> Array:
        return state[0]
