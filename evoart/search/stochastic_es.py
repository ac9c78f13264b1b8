"""A classical evolution strategy over a whole genome, where the score differs a little every generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from evoart.search.stochastic import Stochastic, barrier
from evoart.search.strategies import make
from evoart.types import Array, Genome


class StochasticES(Stochastic):
    """Any strategy of evosax; its mean is its answer, or the last generation's best where it has none.

    Args: as ``Stochastic``, and
        strategy, population, options: see ``strategies.make``.

    Raises:
        UsageError: unknown strategy or option; a start that is not finite.
    """

    def __init__(
        self,
        engine: Any,
        strategy: str,
        population: int | None,
        seed: int,
        start: Genome,
        options: Mapping[str, Any] | None = None,
        generations: int | None = None,
    ) -> None:
        self.strategy = make(strategy, len(start), population, options)
        self.per_generation = self.strategy.population
        self.stage = self.strategy.info.name.replace("_", "-")
        self._ask, self._tell = jax.jit(self._asked), jax.jit(self._told)
        self._place = jax.jit(lambda origin, sample: origin + self._scale * sample)
        super().__init__(engine, seed, start, generations)

    def _init(self, key: Array, origin: Array) -> Any:
        return self.strategy.init(jax.random.wrap_key_data(key)), jnp.zeros_like(origin)

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        samples, genomes, inner, judged, told = barrier(self._ask(state, key, origin))
        losses = barrier(self.engine.losses_traced(genomes, inputs, judged))
        return self._tell(inner, samples, losses, told)

    def _asked(self, state: Any, key: Array, origin: Array) -> tuple[Any, ...]:
        """What the strategy proposes, as samples and as genomes, its state, and keys to judge and to tell by."""
        asked, judged, told = jax.random.split(key, 3)
        samples, inner = self.strategy.ask(asked, state[0])
        return samples, origin + self._scale * samples, inner, judged, told

    def _told(self, inner: Any, samples: Array, losses: Array, key: Array) -> Any:
        """The state after the strategy has heard of the losses."""
        inner = self.strategy.tell(key, samples, losses, inner)
        best = samples[jnp.argmin(jnp.where(jnp.isfinite(losses), losses, jnp.inf))]
        return inner, self.strategy.mean(inner) if self.strategy.info.mean else best

    def _answer(self, state: Any, origin: Array) -> Array:
        return self._place(origin, state[1])
