"""A classical evolution strategy over a whole genome under a stochastic objective."""

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
        self._ask, self._tell = jax.jit(self._propose), jax.jit(self._learn)
        self._place = jax.jit(lambda origin, sample: origin + self._scale * sample)
        super().__init__(engine, seed, start, generations)

    def _init(self, key: Array, origin: Array) -> Any:
        return self.strategy.init(jax.random.wrap_key_data(key)), jnp.zeros_like(origin)

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        samples, genomes, inner, score_key, tell_key = barrier(self._ask(state, key, origin))
        losses = barrier(self.engine.losses_traced(genomes, inputs, score_key))
        return self._tell(inner, samples, losses, tell_key)

    def _propose(self, state: Any, key: Array, origin: Array) -> tuple[Any, ...]:
        """Proposals, as samples and as genomes, the strategy's state, and keys for the score and for ``tell``."""
        ask_key, score_key, tell_key = jax.random.split(key, 3)
        samples, inner = self.strategy.ask(ask_key, state[0])
        return samples, origin + self._scale * samples, inner, score_key, tell_key

    def _learn(self, inner: Any, samples: Array, losses: Array, key: Array) -> Any:
        """The state after the strategy was told the losses."""
        inner = self.strategy.tell(key, samples, losses, inner)
        best = samples[jnp.argmin(jnp.where(jnp.isfinite(losses), losses, jnp.inf))]
        return inner, self.strategy.mean(inner) if self.strategy.info.mean else best

    def _answer(self, state: Any, origin: Array) -> Array:
        return self._place(origin, state[1])
