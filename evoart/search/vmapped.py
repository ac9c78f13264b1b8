"""Batched searches: the blocks of generations of many searches of one kind run as one vmapped program.

Each of them is driven like any search. One that is asked for a step that is not known yet lets all of them advance by a
block; the others queue what they found until they are asked in turn. So every search can be run to its end after the
other, with its own events, film and files, while the device works on all pictures at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from evoart.search.program import Program
from evoart.types import Genome, Search


@dataclass(frozen=True)
class _Snapshot:
    """What a run sees of a search between two steps."""

    genome: Genome
    loss: float
    generation: int
    evaluations: int
    stage: str
    done: bool
    structure: Any

    @classmethod
    def of(cls, s: Any) -> _Snapshot:
        return cls(s.genome.copy(), float(s.loss), s.generation, s.evaluations, s.stage, s.done, s.structure)


class BatchedSearch(Search):
    """One of the searches of ``batch_searches``.

    Attributes:
        search: the search itself, which may be ahead of what is shown.
        ended: its run is over, so it no longer advances with the others; its owner sets it.
    """

    def __init__(self, search: Any, batch: _Batch) -> None:
        self.search, self._batch = search, batch
        self._queue: deque[_Snapshot] = deque()
        self.ended = False
        self._show(_Snapshot.of(search))

    def step(self) -> None:
        """The next step: one that is known already, or one that all take at once."""
        if not self._queue:
            self._batch.advance(self)
        self._show(self._queue.popleft())

    def enqueue(self) -> None:
        """Queue the search's present state as a step."""
        self._queue.append(_Snapshot.of(self.search))

    @property
    def ahead(self) -> int:
        """Steps that are known and were not asked for yet."""
        return len(self._queue)

    def skip(self) -> None:
        """Show the newest step, as if all before it had been asked for."""
        if self._queue:
            self._show(self._queue[-1])
            self._queue.clear()

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, that of the newest step: what was not yet shown of it is skipped."""
        self.skip()
        return self.search.arrays()

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``."""
        self.search.load(arrays)
        self._queue.clear()
        self._show(_Snapshot.of(self.search))

    @property
    def notes(self) -> Sequence[str]:
        """Those of the search, and of the program that all share."""
        return (*self.search.notes, *self._batch.notes)

    def _show(self, seen: _Snapshot) -> None:
        self.genome, self.loss, self.structure = seen.genome, seen.loss, seen.structure
        self.generation, self.evaluations = seen.generation, seen.evaluations
        self.stage, self.done = seen.stage, seen.done


class _Batch:
    """Searches that advance at once where their programs are the same."""

    def __init__(self, searches: Sequence[Any]) -> None:
        self.members = [BatchedSearch(search, self) for search in searches]
        self._programs: dict[tuple, Program] = {}

    @property
    def notes(self) -> list[str]:
        return [note for program in self._programs.values() for note in program.notes]

    def advance(self, asked: BatchedSearch) -> None:
        """A block of ``asked`` and of all others that can share its program; or a step of its own."""
        if asked.search.block_key is not None:
            for other in self.members:  # let those that are still growing catch up
                while not other.ended and other.search.preparing:
                    other.search.step()
                    other.enqueue()
        alike = [m for m in self.members if not m.ended and m.search.block_key == asked.search.block_key]
        if asked.search.block_key is None or len(alike) == 1:
            asked.search.step()
            asked.enqueue()
            return
        blocks = [member.search.block() for member in alike]
        stacked = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *blocks)
        found = jax.device_get(self._program(alike)(*stacked))
        for i, member in enumerate(alike):
            member.search.take(jax.tree.map(lambda leaf, i=i: leaf[i], found))
            member.enqueue()

    def _program(self, alike: list[BatchedSearch]) -> Program:
        """The program of so many searches; the first stands for all."""
        key = alike[0].search.block_key, len(alike)
        if key not in self._programs:
            first = alike[0].search
            self._programs[key] = Program(first.engine, jax.vmap(first.run_traced))
        return self._programs[key]


def batch_searches(searches: Sequence[Any]) -> list[BatchedSearch]:
    """``searches`` (``blocks.BlockSearch``), each to be driven by its own run, that advance as one batch."""
    return _Batch(searches).members
