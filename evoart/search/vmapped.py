"""Many searches of one kind side by side: their blocks of generations run as one program.

A member is one of them, to be driven like any search. Whichever is asked for a step it has not got yet lets all of them
advance by a block; the others keep what they have found until they are asked in turn. So every member can be run to its
end after the other, with its own events, film and files, while the device works on all pictures at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import jax
import numpy as np

from evoart.search.program import Program
from evoart.types import Genome, Search


@dataclass(frozen=True)
class _Seen:
    """What a run sees of a search between two steps."""

    genome: Genome
    loss: float
    generation: int
    evaluations: int
    stage: str
    done: bool
    structure: Any


class Member(Search):
    """One of the searches of ``together``; see there."""

    def __init__(self, search: Any, group: _Group) -> None:
        self.search, self._group = search, group
        self._ahead: deque[_Seen] = deque()
        self.ended = False  # its run is over: it no longer advances with the others
        self._show(self._now())

    def step(self) -> None:
        """The next step: one that is known already, or one that all take together."""
        if not self._ahead:
            self._group.advance(self)
        self._show(self._ahead.popleft())

    def note(self) -> None:
        """Remember the search's present state as the next step."""
        self._ahead.append(self._now())

    @property
    def ahead(self) -> int:
        """Steps that are known and were not asked for yet."""
        return len(self._ahead)

    def skip(self) -> None:
        """Show the newest step, as if all before it had been asked for."""
        if self._ahead:
            self._show(self._ahead[-1])
            self._ahead.clear()

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, that of the newest step: what was not yet shown of it is skipped."""
        self.skip()
        return self.search.arrays()

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from ``arrays()``."""
        self.search.load(arrays)
        self._ahead.clear()
        self._show(self._now())

    @property
    def notes(self) -> Sequence[str]:
        """Those of the search, and of the program that all share."""
        return (*self.search.notes, *self._group.notes)

    def _now(self) -> _Seen:
        s = self.search
        return _Seen(s.genome.copy(), float(s.loss), s.generation, s.evaluations, s.stage, s.done, s.structure)

    def _show(self, seen: _Seen) -> None:
        for entry in fields(seen):
            setattr(self, entry.name, getattr(seen, entry.name))


class _Group:
    """Searches that advance side by side where their programs are the same."""

    def __init__(self, searches: Sequence[Any]) -> None:
        self.members = [Member(search, self) for search in searches]
        self._programs: dict[tuple, Program] = {}

    @property
    def notes(self) -> list[str]:
        return [note for program in self._programs.values() for note in program.notes]

    def advance(self, asked: Member) -> None:
        """A block of ``asked`` and of all others that can share its program; or a step of its own."""
        if asked.search.block_key is not None:
            for other in self.members:  # let those that are still growing catch up
                while not other.ended and other.search.preparing:
                    other.search.step()
                    other.note()
        beside = [m for m in self.members if not m.ended and m.search.block_key == asked.search.block_key]
        if asked.search.block_key is None or len(beside) == 1:
            asked.search.step()
            asked.note()
            return
        blocks = [member.search.block() for member in beside]
        stacked = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *blocks)
        found = jax.device_get(self._program(beside)(*stacked))
        for i, member in enumerate(beside):
            member.search.take(jax.tree.map(lambda leaf, i=i: leaf[i], found))
            member.note()

    def _program(self, beside: list[Member]) -> Program:
        """The program of so many searches; the first stands for all."""
        key = beside[0].search.block_key, len(beside)
        if key not in self._programs:
            first = beside[0].search
            self._programs[key] = Program(first.engine, jax.vmap(first.run_traced))
        return self._programs[key]


def together(searches: Sequence[Any]) -> list[Member]:
    """The searches (``blocks.BlockSearch``) as members of one group."""
    return _Group(searches).members
