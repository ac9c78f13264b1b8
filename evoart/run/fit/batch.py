"""Many photographs at once: each is a run of its own, and those whose searches are alike share one device program.

On a CPU the scanline engine draws one picture on all cores already, so pictures follow one another; that is no slower
than a process for each, and needs a fraction of the memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evoart.errors import EvoartError, UsageError
from evoart.run.events import Event
from evoart.run.fit.job import FitJob
from evoart.run.loop import drive
from evoart.run.problem import Problem, prepare
from evoart.types import Search


@dataclass
class Picture:
    """One of many: what was asked, and what came of reading it.

    Attributes:
        job: of this picture.
        problem: None where the picture cannot be used.
        error: why not.
    """

    job: FitJob
    problem: Problem | None = None
    error: Exception | None = None
    _member: Any = None  # its search, where it advances with those of others

    @property
    def side_by_side(self) -> bool:
        """Whether its search may advance while another's is asked to."""
        return self._member is not None

    def ready(self) -> Problem:
        """Its problem.

        Raises:
            EvoartError: the picture cannot be used.
            Exception: whatever else went wrong when it was read.
        """
        if self.problem is None:
            raise self.error or EvoartError("the picture was not read", "Report this with the options you used")
        return self.problem

    def search(self) -> Search:
        """Its search, at its beginning."""
        return self._member or self.ready().search()

    def leave(self) -> None:
        """The run is over: the others continue without it."""
        if self._member is not None:
            self._member.ended = True


def prepare_all(jobs: Sequence[FitJob], sources: Sequence[Any] | None = None) -> list[Picture]:
    """Read all photographs; those that cannot be used say why and stop none of the others.

    Raises:
        UsageError, EvoartError: an engine, device or strategy that cannot be used for any of them.
    """
    pictures = [Picture(job) for job in jobs]
    for picture, source in zip(pictures, sources or [None] * len(jobs), strict=True):
        try:
            picture.problem = prepare(picture.job, source)
        except Exception as error:  # whoever runs it says so: a bug, or too little memory, costs this picture alone
            picture.error = error
    ready = [picture for picture in pictures if picture.problem is not None]
    if len(ready) > 1 and ready[0].ready().engine.engine != "scanline":
        _join(ready)
    return pictures


def _join(pictures: list[Picture]) -> None:
    """Let the searches of pictures advance side by side, where they are made of blocks; else one follows another."""
    from evoart.search.vmapped import batch_searches

    searches = [picture.ready().search() for picture in pictures]
    if all(hasattr(search, "block_key") for search in searches):
        for picture, member in zip(pictures, batch_searches(searches), strict=True):
            picture._member = member


def events(picture: Picture, **how: Any) -> Iterator[Event]:
    """The run of one picture; see ``run.loop.drive``. Where it cannot be used, its error is raised."""
    try:
        yield from drive(picture.ready(), picture.search(), **how)
    finally:
        picture.leave()


def check_sources(pictures: Any) -> list[Any]:
    """``pictures`` as a list of at least one.

    Raises:
        UsageError: none, or one that is not a list.
    """
    if isinstance(pictures, str | bytes) or not isinstance(pictures, Sequence):
        raise UsageError(f"the pictures are a {type(pictures).__name__}", "Give a list of them, or use evoart.fit")
    if not pictures:
        raise UsageError("there are no pictures", "Give one at least")
    return list(pictures)
