"""The loop. A run is an iterator of events; interruption, budgets and checkpoints live here and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, UsageError
from evoart.run import checkpoint as checkpoints
from evoart.run import distributed
from evoart.run.events import Event, Noted, Saved, Started, Unsaved
from evoart.run.job import Job
from evoart.run.problem import Problem, prepare
from evoart.run.state import Run
from evoart.run.stop import Stop
from evoart.types import Search

EVERY = 10.0  # seconds between checkpoints


@dataclass(frozen=True)
class Keep:
    """Where and how often a run is saved, and what its owner wants to find there again.

    Attributes:
        path: of the checkpoint.
        every: seconds between two.
        notes: plain values of the caller's, e.g. which outputs were asked for.
        least: seconds that a run must have taken to be saved when it has come to its end.
    """

    path: Path
    every: float = EVERY
    notes: dict[str, Any] | None = None
    least: float = 0.0


def run(
    job: Job,
    picture: Any = None,
    *,
    keep: Keep | None = None,
    stop: Stop | None = None,
    make: Callable[[Problem], Search] | None = None,
) -> Iterator[Event]:
    """Run a job and report what happens; the last event is ``Finished`` or ``Interrupted`` and carries the result.

    Args:
        job: what to do.
        picture: the photograph (path, bytes, array or Pillow image) where ``job.picture`` does not name it.
        keep: where to save checkpoints; None saves none.
        stop: a flag that ends the run after its current step.
        make: builds the search; None: ``problem.search``.

    Raises:
        UsageError, EvoartError: at the first event, for a picture, engine or strategy that cannot be used.
    """
    if not isinstance(job, Job):
        raise UsageError(f"a job cannot be a {type(job).__name__}", "Make one with evoart.Job.make(picture=...)")
    problem = prepare(job, picture)
    yield from drive(problem, make(problem) if make else problem.search(), keep=keep, stop=stop)


def resume(
    checkpoint: checkpoints.Checkpoint,
    *,
    keep: Keep | None = None,
    stop: Stop | None = None,
    make: Callable[[Problem], Search] | None = None,
) -> Iterator[Event]:
    """Continue a saved run: it ends where it would have ended without the pause. Arguments as ``run``.

    Raises:
        UsageError: a limit was changed of a run whose search has nothing left to do.
        EvoartError: the search does not recognise the state it is given.
    """
    search = make(checkpoint.problem) if make else checkpoint.problem.search()
    try:
        search.load(checkpoint.search)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise EvoartError(
            f"the checkpoint does not fit this version's search ({error})", "Start the run again"
        ) from error
    if search.done and checkpoint.state["reason"] is None:  # so it was taken away with the old limit
        raise UsageError(
            "this run is finished: its search has planned its work and done it",
            "Continue from its picture with --start PICTURE, or begin again with the new limit",
        )
    yield from drive(checkpoint.problem, search, keep=keep, stop=stop, saved=checkpoint)


def drive(
    problem: Problem,
    search: Search,
    *,
    keep: Keep | None = None,
    stop: Stop | None = None,
    saved: checkpoints.Checkpoint | None = None,
) -> Iterator[Event]:
    """The loop itself, over any search."""
    stop = stop or Stop()
    state = Run(problem, search, saved)
    choice = problem.engine
    yield Started(
        job=problem.job,
        engine=choice.engine,
        device=choice.device,
        why=choice.why,
        label=problem.form.label,
        resolution=problem.resolution,
        seed=problem.job.seed or 0,
        resumed=search.generation,
    )
    for note in (*problem.notes, *([choice.note] if choice.note else [])):
        yield Noted(note)
    keeper = _Keeper(keep, state)
    reason, state.asked = distributed.agree(state.reason(), stop.why)
    while reason is None and state.asked is None:
        reason = state.block(stop)
        yield from state.report()
        if saved is None and reason is None and (text := state.forecast.cost()):
            yield Noted(text)
        if reason is None and state.asked is None:
            yield from keeper.save_when_due()
    state.ended = reason
    reason = reason or state.asked or "interrupted"
    if state.ended is None or keep is None or state.seconds >= keep.least:
        yield from keeper.save()
    yield from state.finish(reason, keeper.saved)


class _Keeper:
    """Saves the run now and then; a disk that is full is reported and does not end it."""

    def __init__(self, keep: Keep | None, state: Run) -> None:
        self.keep, self.state, self.saved = keep, state, None
        self.next = time.monotonic() + (keep.every if keep else 0)

    def save_when_due(self) -> Iterator[Event]:
        if self.keep and time.monotonic() >= self.next:
            yield from self.save()

    def save(self) -> Iterator[Event]:
        if not self.keep:
            return
        try:
            checkpoints.save(self.keep.path, self.state.checkpoint(self.keep.notes))
        except EvoartError as error:
            yield Unsaved(self.keep.path, str(error))
        else:
            self.saved = self.keep.path
            yield Saved(self.keep.path, self.state.search.generation)
        self.next = time.monotonic() + self.keep.every
