"""What searches under a stochastic objective share: a score that differs a little every time (random crops).

A block of generations is one compiled program where the engine can be part of it; elsewhere the host goes from one
small program to the next. After a block the search's own estimate, the mean of its distribution or its parent, is
scored under crops that never change, and stored if it is the best so far: so the loss of a run never rises. A loss is
only compared with losses under the same crops. Where that score costs as much as a generation, it is only computed
every few generations and at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.errors import UsageError
from evoart.search.program import Program
from evoart.search.strategy_search import StrategySearch
from evoart.types import Array, Genome

GRADIENT = 3  # evaluations that a loss and its derivative cost: one forward, about two backward
_WORK = {"cpu": 2e10, "other": 2e14}  # operations per block: about half a second
_LONGEST = 50  # generations per block

# On either side of an evaluation: keeps arithmetic from being fused with it, however that is compiled. Results must not
# depend on how many devices share it.
barrier = jax.lax.optimization_barrier


class Stochastic(StrategySearch):
    """A search over ``engine``.

    An engine offers ``losses_traced(genomes, inputs, key)``,
    ``losses(genomes)``, ``inputs``, ``form.steps()`` and, where it knows, ``work``: operations to evaluate one genome,
    and ``evaluations_apart``: how many evaluations should lie between two calls of ``losses``, at least.
    With ``traceable`` False its methods are called by the host; whatever else a generation does is to be a compiled
    function of its own.

    Args:
        engine: evaluates genomes.
        seed: decides everything random.
        start: genome ``(dim,)`` to start from.
        generations: planned; where a search makes smaller steps towards its end, that is the end.

    Raises:
        UsageError: a start that is not finite.
    """

    def __init__(self, engine: Any, seed: int, start: Genome, generations: int | None = None) -> None:
        self.engine, self._generations = engine, generations
        self._origin = np.array(start, np.float32)
        if self._origin.ndim != 1 or not np.isfinite(self._origin).all():
            raise UsageError("the search's start is not a vector of finite numbers", "Start from another result")
        self._scale = np.asarray(engine.form.steps(), np.float32)
        self._key = np.asarray(jax.random.key_data(jax.random.key(seed)))
        self._limit: int | None = None
        self._most: int | None = None
        self._settled = 0  # the generation whose estimate was scored last
        self._traced = getattr(engine, "traceable", True)
        self._program = Program(engine, self._run)
        self._state = jax.jit(self._init)(self._key, self._origin)
        self._estimate = jax.jit(self._answer)
        self.genome, self.generation, self.evaluations, self.done = self._origin.copy(), 0, 1, False
        self.loss = float(engine.losses(self._origin[None])[0])
        work = getattr(engine, "work", 0.0) * self.per_generation
        budget = _WORK.get(jax.default_backend(), _WORK["other"])
        self._block = int(np.clip(budget / max(work, 1.0), 1, _LONGEST))
        self._apart = -(-getattr(engine, "evaluations_apart", 1) // self.per_generation)  # generations, rounded up

    # What subclasses say.

    per_generation = 1  # evaluations

    def _init(self, key: Array, origin: Array) -> Any:
        """The state before the first generation: a tree of arrays."""
        raise NotImplementedError

    def _one(self, state: Any, key: Array, share: Array, origin: Array, inputs: Any) -> Any:
        """One generation; ``share`` of the planned work is done."""
        raise NotImplementedError

    def _answer(self, state: Any, origin: Array) -> Array:
        """The genome ``(dim,)`` that the search stands for."""
        raise NotImplementedError

    # The rest.

    @property
    def notes(self) -> Sequence[str]:
        """What was done about the device's memory."""
        return self._program.notes

    def stop_after(self, generations: int | None, evaluations: int | None) -> None:
        """Let no block of generations run past these budgets (None: no budget)."""
        limits = [generations, None if evaluations is None else max(1, evaluations // self.per_generation)]
        self._limit, self._most = min((limit for limit in limits if limit is not None), default=None), evaluations

    def step(self) -> None:
        """A block of generations and, where it is due, the score of its estimate."""
        count = self._block if self._limit is None else max(1, min(self._block, self._limit - self.generation))
        planned = np.float32(self._generations or self._limit or np.inf)
        self._state = self._program(
            self._state,
            self._key,
            np.int32(self.generation),
            np.int32(count),
            planned,
            self._origin,
            self.engine.inputs,
        )
        before, self.generation = self.generation, self.generation + count
        self.evaluations += count * self.per_generation
        over = self._limit is not None and self.generation >= self._limit
        over = over or (self._most is not None and self.evaluations + 1 >= self._most)
        if over or before // self._apart < self.generation // self._apart:
            self.settle()

    def settle(self) -> None:
        """See ``Search.settle``."""
        if self._settled == self.generation:
            return
        genome = np.array(self._estimate(self._state, self._origin), np.float32)
        loss = float(self.engine.losses(genome[None])[0])
        self._settled, self.evaluations = self.generation, self.evaluations + 1
        if loss < self.loss:
            self.genome, self.loss = genome, loss

    def _run(
        self, state: Any, key: Array, first: Array, count: Array, planned: Array, origin: Array, inputs: Any
    ) -> Any:
        def one(i: Array, state: Any) -> Any:
            each, share = _schedule(key, first + i, planned)
            return self._one(state, each, share, origin, inputs)

        return self._repeat(count, one, state)

    def _repeat(self, count: Any, one: Callable[[Any, Any], Any], state: Any) -> Any:
        """``one(i, state)`` so many times, inside a program or by the host."""
        if self._traced:
            return jax.lax.fori_loop(0, count, one, state)
        for i in range(count):
            state = one(i, state)
        return state


@jax.jit
def _schedule(key: Array, generation: Array, planned: Array) -> tuple[Array, Array]:
    """A generation's own key, and the share of the planned work that is done."""
    each = jax.random.fold_in(jax.random.wrap_key_data(key), generation)
    return each, jnp.minimum(generation / planned, 1.0)
