"""One search after another, as one search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoart.types import Genome, Search


class Sequential(Search):
    """Runs ``first`` until it is done, then what ``then(structure, genome, spent)`` makes of its result.

    ``spent`` are the generations and evaluations so far. Counts continue across the change; ``structure`` stays that of
    the first search.
    """

    def __init__(self, first: Search, then: Callable[[tuple[str, ...], Genome, tuple[int, int]], Search]) -> None:
        self._first, self._then = first, then
        self._second: Search | None = None

    @property
    def _now(self) -> Search:
        return self._first if self._second is None else self._second

    @property
    def structure(self) -> tuple[str, ...]:
        """The shapes of ``genome``."""
        return self._first.structure

    @property
    def genome(self) -> Genome:
        """The best so far, ``(dim,)`` float32."""
        return self._now.genome

    @property
    def loss(self) -> float:
        """Its loss."""
        return self._now.loss

    @property
    def preparing(self) -> bool:
        """Whether the first is not done yet."""
        return self._second is None

    @property
    def block_key(self) -> Any:
        """That of the second, where it has one."""
        return getattr(self._second, "block_key", None)

    def __getattr__(self, name: str) -> Any:
        if name not in ("engine", "block", "run_traced", "take"):
            raise AttributeError(name)
        return getattr(self._second, name)  # where ``block_key`` says that it can be asked

    @property
    def stage(self) -> str:
        """What is being done."""
        return self._now.stage

    @property
    def generation(self) -> int:
        """Generations of both."""
        return self._first.generation + (0 if self._second is None else self._second.generation)

    @property
    def evaluations(self) -> int:
        """Evaluations of both."""
        return self._first.evaluations + (0 if self._second is None else self._second.evaluations)

    @property
    def notes(self) -> Sequence[str]:
        """Those of both."""
        return (*self._first.notes, *(() if self._second is None else self._second.notes))

    @property
    def done(self) -> bool:
        """Whether the second has nothing left to do."""
        return self._second is not None and self._second.done

    def step(self) -> None:
        """One unit of work of the current search."""
        self._now.step()
        if self._second is None and self._first.done:
            self._second = self._start_second()

    def _start_second(self) -> Search:
        first = self._first
        return self._then(first.structure, first.genome, (first.generation, first.evaluations))

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state: that of the first search and, once it runs, of the second."""
        out = {f"first_{name}": value for name, value in self._first.arrays().items()}
        if self._second is not None:
            out |= {f"second_{name}": value for name, value in self._second.arrays().items()}
        return out

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``."""
        parts: dict[str, dict[str, np.ndarray]] = {"first": {}, "second": {}}
        for name, value in arrays.items():
            which, _, rest = name.partition("_")
            parts[which][rest] = value
        self._first.load(parts["first"])
        self._second = None
        if parts["second"]:
            self._second = self._start_second()
            self._second.load(parts["second"])
