"""The loop that classical and regional evolution share: strategies propose, an engine evaluates, strategies learn.

A genome is ``groups`` pieces with one strategy each, all run at once. Every candidate gets a row of losses, one per
region of the picture; a matrix says which regions count for which group. With one group and one region this is a
classical evolution strategy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.errors import UsageError
from evoart.search.blocks import BlockSearch, engine_key, generations_per_block
from evoart.search.program import Program
from evoart.search.strategies import Strategy, make
from evoart.search.strategy_search import StrategySearch
from evoart.types import Array, Boxes, Engine, Genome


class Evolution(StrategySearch, BlockSearch):
    """A search by evolution strategies; see ``Classical`` and ``Regional``, which say what is evaluated.

    Args:
        engine: evaluates genomes. ``form`` (``steps()``) and ``target`` are used where it has them, so a scalar score
            needs neither; where it is ``traceable``, a block of generations becomes one program.
        strategy: a name of ``strategies.names()``.
        population: candidates per generation; None is the strategy's default.
        seed: decides everything random.
        start: genome ``(dim,)`` to start from.
        options: for the strategy, see ``strategies.make``.
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
            None, or where ``Classical`` or the engine has no use for it: all losses count for all groups.

    Raises:
        UsageError: unknown strategy or option; a start that is not finite.
    """

    def __init__(
        self,
        engine: Engine,
        strategy: str,
        population: int | None,
        seed: int,
        start: Genome,
        options: Mapping[str, Any] | None = None,
        boxes: Boxes | None = None,
    ) -> None:
        self.engine: Any = engine
        self.groups = self._divide(boxes)
        self._made_of = (strategy, population, tuple(sorted((options or {}).items())))
        self._origin = np.array(start, np.float32)
        if self._origin.ndim != 1 or not np.isfinite(self._origin).all():
            raise UsageError("the search's start is not a vector of finite numbers", "Start from another result")
        form = getattr(engine, "form", None)
        self._scale = np.asarray(form.steps() if form is not None else np.ones_like(self._origin), np.float32)
        self.strategy: Strategy = make(strategy, self._origin.size // self.groups, population, options)
        self._key = np.asarray(jax.random.key_data(jax.random.key(seed)))
        self._traceable = getattr(engine, "traceable", False)
        self._inputs = self.engine.inputs if self._traceable else ()
        self._block = generations_per_block(engine, self._evaluated) if self._traceable else 1
        # Start and target are arguments of the programs and no constants in them: other pictures and seeds then find
        # them in JAX's cache.
        self._ask_jit, self._tell_jit = jax.jit(self._ask), jax.jit(self._tell)
        self._program = Program(engine, self.run_traced) if self._traceable else None
        self._limit: int | None = None
        self.genome, self.generation, self.evaluations = self._origin.copy(), 0, 1
        self.loss = float(np.asarray(engine.losses(self._origin[None]))[0])
        self.stage, self.done = self.prefix + self.strategy.info.name.replace("_", "-"), False
        self._state = jax.jit(self._init)(self._key)

    # What subclasses say.

    prefix = ""  # of the strategy's name, in ``stage``

    def _divide(self, boxes: Boxes | None) -> int:
        """Prepare the regions of the picture; how many groups the genome is divided into."""
        raise NotImplementedError

    def _evaluate(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n, regions)`` of genomes ``(n, dim)``."""
        raise NotImplementedError

    def _evaluate_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        """The same inside a JAX program."""
        raise NotImplementedError

    def _reach(self, genomes: Array) -> Array:
        """``(regions, groups)`` of 0 and 1: which regions count for which group, given candidates ``(n, dim)``."""
        raise NotImplementedError

    # One generation.

    @property
    def _evaluated(self) -> int:
        """Pictures per generation: the candidates and, where there is one, the distribution's mean."""
        return self.strategy.population + self.strategy.info.mean

    def _init(self, key: Array) -> Any:
        keys = jax.random.split(jax.random.wrap_key_data(key), self.groups)
        return jax.vmap(self.strategy.init)(keys)

    def _keys(self, key: Array, generation: Array, use: int) -> Array:
        root = jax.random.fold_in(jax.random.fold_in(jax.random.wrap_key_data(key), generation + 1), use)
        return jax.random.split(root, self.groups)

    def _ask(self, origin: Array, key: Array, generation: Array, state: Any) -> tuple[Array, Array, Any]:
        """Genomes ``(evaluated, dim)``, the strategies' samples ``(groups, n, d)`` and their states."""
        samples, state = jax.vmap(self.strategy.ask)(self._keys(key, generation, 0), state)
        rows = samples
        if self.strategy.info.mean:
            rows = jnp.concatenate([samples, jax.vmap(self.strategy.mean)(state)[:, None]], 1)
        moves = rows.transpose(1, 0, 2).reshape(self._evaluated, -1)
        return origin + self._scale * moves, samples, state

    def _tell(self, key: Array, generation: Array, genomes: Array, samples: Array, by_region: Array, state: Any) -> Any:
        n = self.strategy.population
        fitness = jnp.matmul(by_region[:n], self._reach(genomes[:n]), precision="highest")
        return jax.vmap(self.strategy.tell)(self._keys(key, generation, 1), samples, fitness.T, state)

    def stop_after(self, generations: int | None, evaluations: int | None) -> None:
        """Let no block of generations run past these budgets (None: no budget)."""
        limits = [generations, None if evaluations is None else -(-(evaluations - 1) // self._evaluated)]
        self._limit = min((limit for limit in limits if limit is not None), default=None)

    def step(self) -> None:
        """One generation, or a fixed number of them as one program where the engine can be part of it."""
        if self._program is not None:
            self.take(self._program(*self.block()))
            return
        generation = np.int32(self.generation)
        genomes, samples, state = self._ask_jit(self._origin, self._key, generation, self._state)
        by_region = np.asarray(self._evaluate(np.asarray(genomes)), np.float32)
        self._state = self._tell_jit(self._key, generation, genomes, samples, by_region, state)
        losses = by_region.sum(1)
        best = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        if losses[best] < self.loss:
            self.genome, self.loss = np.array(genomes[best]), float(losses[best])
        self.generation += 1
        self.evaluations += self._evaluated

    @property
    def block_key(self) -> tuple | None:
        """See ``BlockSearch``."""
        if self._program is None:
            return None
        return type(self).__name__, self._made_of, self.groups, engine_key(self.engine)

    def block(self) -> tuple[Any, ...]:
        """See ``BlockSearch``."""
        count = self._block if self._limit is None else max(1, min(self._block, self._limit - self.generation))
        carry = (self._state, self.genome, np.float32(self.loss))
        return self._inputs, self._origin, self._key, np.int32(self.generation), np.int32(count), carry

    def take(self, found: Any) -> None:
        """See ``BlockSearch``."""
        self._state, genome, loss, count = found
        self.genome, self.loss, count = np.array(genome), float(loss), int(count)
        self.generation += count
        self.evaluations += count * self._evaluated

    def run_traced(
        self, inputs: tuple[Array, ...], origin: Array, key: Array, first: Array, count: Array, carry: Any
    ) -> Any:
        """See ``BlockSearch``: ``count`` generations from number ``first`` on."""

        def one(i: Array, carry: Any) -> Any:
            state, genome, loss = carry
            generation = first + i
            # Barriers keep arithmetic on either side from being fused with the evaluation, however that is compiled:
            # results must not depend on how many devices share it.
            genomes, samples, state = jax.lax.optimization_barrier(self._ask(origin, key, generation, state))
            by_region = jax.lax.optimization_barrier(self._evaluate_traced(genomes, inputs))
            state = self._tell(key, generation, genomes, samples, by_region, state)
            losses = by_region.sum(1)
            losses = jnp.where(jnp.isfinite(losses), losses, jnp.inf)
            best = jnp.argmin(losses)
            better = losses[best] < loss
            return (state, jnp.where(better, genomes[best], genome), jnp.where(better, losses[best], loss))

        return (*jax.lax.fori_loop(0, count, one, carry), count)

    @property
    def notes(self) -> Sequence[str]:
        """What was done about the device's memory."""
        return () if self._program is None else self._program.notes
