"""Restarts: several searches of one kind, each from a start of its own; after a trial only the best continues.

A gradient leads to the nearest good picture, and which one that is depends on the start: with few shapes more than on
anything that comes after. This is one round of successive halving (K. Jamieson and A. Talwalkar, "Non-stochastic Best
Arm Identification and Hyperparameter Optimization", 2016), which is enough for a handful of starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoart.search.checkpoint import check_fit
from evoart.types import Genome, Search


class MultiStart(Search):
    """Searches over one engine, of which one is left after ``trial`` generations.

    Args:
        make: the ``i``-th search; all must find losses that compare.
        number: of searches, 2 or more.
        trial: generations that each of them gets before all but the best are stopped, 1 at least.

    Attributes:
        generation: of the one that is behind, so that a budget of generations is that of the one that is left.
        evaluations: of all together.
    """

    done = False

    def __init__(self, make: Callable[[int], Any], number: int, trial: int) -> None:
        self._trial, self._number = max(1, trial), number
        self._running = {i: make(i) for i in range(number)}
        self._spent = 0  # of those that were stopped
        self._budget: tuple[int | None, int | None] = None, None

    def stop_after(self, generations: int | None, evaluations: int | None) -> None:
        """Let no block of generations run past these budgets (None: no budget)."""
        self._budget = generations, evaluations

    def step(self) -> None:
        """A block of the search that is behind; where all have had their trial, all but the best are stopped."""
        i, search = min(self._running.items(), key=lambda each: (each[1].generation, each[0]))
        generations, evaluations = self._budget
        if len(self._running) > 1:
            generations = self._trial if generations is None else min(self._trial, generations)
        left = None if evaluations is None else search.evaluations + max(1, evaluations - self.evaluations)
        search.stop_after(generations, left)
        search.step()
        if len(self._running) > 1 and all(each.generation >= self._trial for each in self._running.values()):
            total, best = self.evaluations, self._best
            self._running = {i: each for i, each in self._running.items() if each is best}
            self._spent = total - best.evaluations

    def settle(self) -> None:
        """See ``Search.settle``: of every search that is left."""
        for search in self._running.values():
            search.settle()

    @property
    def _best(self) -> Any:
        return min(self._running.values(), key=lambda each: each.loss)

    @property
    def genome(self) -> Genome:
        """The best so far, ``(dim,)`` float32."""
        return self._best.genome

    @property
    def loss(self) -> float:
        """Its loss."""
        return self._best.loss

    @property
    def generation(self) -> int:
        """Generations of the search that is behind."""
        return min(each.generation for each in self._running.values())

    @property
    def evaluations(self) -> int:
        """Evaluations of all, those that were stopped too."""
        return self._spent + sum(each.evaluations for each in self._running.values())

    @property
    def stage(self) -> str:
        """What is being done, and how many restarts there are until the trial is over."""
        trial = f", {self._number} restarts" if len(self._running) > 1 else ""
        return f"{self._best.stage}{trial}"

    @property
    def notes(self) -> Sequence[str]:
        """Those of all, each once."""
        return tuple(dict.fromkeys(note for each in self._running.values() for note in each.notes))

    def arrays(self) -> dict[str, np.ndarray]:
        """The state of every search that is left."""
        return {"spent": np.asarray(self._spent, np.int64)} | {
            f"{i}/{name}": array for i, each in self._running.items() for name, array in each.arrays().items()
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        parts: dict[str, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            i, _, rest = name.partition("/")
            if rest:
                parts.setdefault(i, {})[rest] = array
        check_fit(bool(parts) and "spent" in arrays and parts.keys() <= {str(i) for i in self._running})
        self._running = {i: each for i, each in self._running.items() if str(i) in parts}
        for i, each in self._running.items():
            each.load(parts[str(i)])
        self._spent = int(arrays["spent"])
