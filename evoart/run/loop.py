"""The loop. A run is an iterator of events; interruption, budgets and checkpoints live here and nowhere else."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.run import checkpoint as checkpoints
from evoart.run import distributed
from evoart.run.events import Event, Finished, Improved, Interrupted, Noted, Progress, Reason, Saved, Started, Unsaved
from evoart.run.film import FilmRecorder
from evoart.run.job import Job
from evoart.run.problem import Problem
from evoart.run.result import finish
from evoart.run.stop import Stop
from evoart.types import Drawing, Form, Search

BLOCK = 0.25  # seconds between reports; also how long a request to stop may wait beyond one step
EVERY = 10.0  # seconds between checkpoints
SLOW = 10.0  # seconds of a first block that has more to do than to compile
TIMED = 2.5  # seconds that say how fast a run is
LEAST_GAIN = 1e-3  # relative improvement of the loss that patience counts as one
_FILM_NUMBERS = 8_000_000  # float32 numbers that the film's moments may hold


@dataclass(frozen=True)
class Keep:
    """Where and how often a run is saved, and what its owner wants to find there again.

    Attributes:
        path: of the checkpoint.
        every: seconds between two.
        notes: plain values of the caller's, e.g. which outputs were asked for.
    """

    path: Path
    every: float = EVERY
    notes: dict[str, Any] | None = None


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
    problem = job.prepare(picture)
    yield from drive(problem, make(problem) if make else problem.search(), keep=keep, stop=stop)


def resume(
    checkpoint: checkpoints.Checkpoint,
    *,
    keep: Keep | None = None,
    stop: Stop | None = None,
    make: Callable[[Problem], Search] | None = None,
) -> Iterator[Event]:
    """Go on with a saved run: it ends where it would have ended without the pause. Arguments as ``run``.

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
            "Go on from its picture with --start PICTURE, or begin again with the new limit",
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
    state = _Run(problem, search, saved)
    choice = problem.engine
    yield Started(
        job=problem.job,
        engine=choice.engine,
        device=choice.device,
        why=choice.why,
        noun=problem.form.noun,
        canvas=problem.canvas,
        seed=problem.job.seed or 0,
        resumed=search.generation,
    )
    for note in (*problem.notes, *([choice.note] if choice.note else [])):
        yield Noted(note)
    keeper = _Keeper(keep, state)
    reason, state.why = distributed.agreed(state.reason(), stop.why)
    while reason is None and state.why is None:
        reason = state.block(stop)
        yield from state.report()
        if saved is None and reason is None:
            yield from state.outlook()
        if reason is None and state.why is None:
            yield from keeper.now_and_then()
    reason = reason or state.why
    state.ended = None if state.why == reason else reason
    yield from keeper.save()
    yield state.finished(reason, keeper)


class _Run:
    """One run between two events: the search, the clock, patience and the film."""

    def __init__(self, problem: Problem, search: Search, saved: checkpoints.Checkpoint | None) -> None:
        self.problem, self.job, self.search = problem, problem.job, search
        self.film = FilmRecorder(int(np.clip(_FILM_NUMBERS // max(problem.form.dim, 1), 16, 240)))
        self.before, self.ended, self.why = 0.0, None, None  # why: it was asked to stop
        self.mark = (float(search.loss), search.generation)
        if saved is not None:
            self.film.load(saved.film)
            self.before, self.ended = float(saved.state["seconds"]), saved.state["reason"]
            self.mark = (float(saved.state["mark"][0]), int(saved.state["mark"][1]))
        self.began = self.told = time.monotonic()
        self.told_evaluations, self.told_loss, self.told_notes = search.evaluations, float("inf"), 0
        self.seen: tuple[float, Any] = (float("nan"), None)
        self._figures: tuple[float, dict[str, float]] = (float("nan"), {})
        self._first: tuple[float, float, int] | None = None  # time, fraction and evaluations of the first report
        self._foretold = False

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    @property
    def form(self) -> Form:
        structure = self.search.structure
        return self.problem.form if structure is None else self.problem.form.with_structure(structure)

    def drawing(self) -> Drawing:
        return self.form.drawing(self.search.genome)

    def block(self, stop: Stop) -> Reason | None:
        """Steps for about ``BLOCK`` seconds. Everything that steers the run is looked at after every step, so that
        the cut into blocks, which hangs on the clock, never shows in the result."""
        until = time.monotonic() + BLOCK
        while True:
            self.search.step()
            self._remember()
            reason, self.why = distributed.agreed(self.reason(), stop.why)
            if reason is not None or self.why is not None or time.monotonic() >= until:
                return reason

    def _remember(self) -> None:
        loss = float(self.search.loss)
        if loss < self.mark[0] * (1 - LEAST_GAIN) or not np.isfinite(self.mark[0]):
            self.mark = (loss, self.search.generation)
        if self.problem.recorded and (loss, len(self.search.genome)) != self.seen:
            self.seen = (loss, len(self.search.genome))
            self.film.add(self.form, self.search.genome, loss)

    def reason(self) -> Reason | None:
        """Why the run is over, or None."""
        job, search = self.job, self.search
        if self.ended is not None:
            return self.ended
        if search.done:
            return "done"
        if job.generations is not None and search.generation >= job.generations:
            return "generations"
        if job.evaluations is not None and search.evaluations >= job.evaluations:
            return "evaluations"
        if job.seconds is not None and self.seconds >= job.seconds:
            return "time"
        if job.patience is not None and search.generation - self.mark[1] >= job.patience:
            return "patience"
        return self.problem.reached(self.figures) if search.generation > 0 else None

    def figures(self) -> dict[str, float]:
        """Figures of the best so far; they may cost a drawing, so they are looked for once."""
        loss = float(self.search.loss)
        if self._figures[0] != loss:
            self._figures = (loss, self.problem.figures(self.search))
        return self._figures[1]

    def report(self) -> Iterator[Event]:
        search, now, figures = self.search, time.monotonic(), self.figures()
        for text in search.notes[self.told_notes :]:
            yield Noted(text)
        self.told_notes = len(search.notes)
        if search.loss < self.told_loss:
            yield Improved(search.generation, float(search.loss), figures, self.drawing)
        rate = (search.evaluations - self.told_evaluations) / max(now - self.told, 1e-9)
        self.told, self.told_evaluations, self.told_loss = now, search.evaluations, search.loss
        fraction = self._fraction()
        yield Progress(
            stage=search.stage,
            generation=search.generation,
            evaluations=search.evaluations,
            loss=float(search.loss),
            figures=figures,
            noun=search.noun or self.form.noun,
            rate=rate,
            seconds=self.seconds,
            fraction=fraction,
            left=self._left(fraction),
        )

    def _fraction(self) -> float | None:
        """How much of the nearest limit is used up."""
        job, search = self.job, self.search
        parts = [
            (search.generation, job.generations),
            (search.evaluations, job.evaluations),
            (self.seconds, job.seconds),
            (search.progress, 1.0),
        ]
        known = [spent / limit for spent, limit in parts if limit is not None and spent is not None]
        return min(max(known), 1.0) if known else None

    def _left(self, fraction: float | None) -> float | None:
        """Seconds to go, as fast as since the first report: before it lies the compiling."""
        if fraction is None:
            return None
        now = time.monotonic()
        self._first = self._first or (now, fraction, self.search.evaluations)
        gained = fraction - self._first[1]
        if gained <= 0:
            return None if self.job.seconds is None else max(self.job.seconds - self.seconds, 0.0)
        left = (now - self._first[0]) * (1 - fraction) / gained
        return left if self.job.seconds is None else min(left, max(self.job.seconds - self.seconds, 0.0))

    def outlook(self) -> Iterator[Event]:
        """What the run will cost, once, as soon as it can be told: ``TIMED`` seconds after the first block, which may
        have had to compile, or after that one where it was slow by itself."""
        fraction = self._fraction()
        if self._foretold or not fraction:
            return
        left, (since, before, evaluations) = self._left(fraction), self._first or (0.0, 0.0, 0)
        if left is not None and time.monotonic() - since >= TIMED:
            seconds = self.seconds + left
            whole = evaluations + (self.search.evaluations - evaluations) * (1 - before) / (fraction - before)
        elif self.seconds >= SLOW:
            seconds, whole = self.seconds / fraction, self.search.evaluations / fraction
        else:
            return
        self._foretold = True
        text = self.problem.outlook(seconds, self.search.planned or whole)
        if text:
            yield Noted(text)

    def checkpoint(self, notes: dict[str, Any] | None) -> checkpoints.Checkpoint:
        state = {"seconds": self.seconds, "mark": list(self.mark), "reason": self.ended, "notes": notes or {}}
        return checkpoints.Checkpoint(self.problem, self.search.arrays(), self.film.arrays(), state)

    def _settled(self, reason: Reason) -> Problem:
        """The problem as its recipe tells it: what a budget or the clock decided is put in numbers, so that it can be
        redone, and from any budget that a resumed run had."""
        job = self.job
        if (job.seconds is None and job.evaluations is None) or reason in ("interrupted", "terminated"):
            return self.problem
        options = dict(job.options) | self.search.settled
        generations = self.search.generation if reason == "time" else job.generations
        job = dataclasses.replace(job, seconds=None, options=options, generations=generations)
        return dataclasses.replace(self.problem, job=job)

    def finished(self, reason: Reason, keeper: _Keeper) -> Finished:
        search, form, genome = self.search, self.form, self.search.genome
        if reason not in ("interrupted", "terminated"):  # who interrupts does not want to wait
            form, genome = self.problem.finishing(form, genome)
            if genome is not search.genome and self.problem.recorded:
                self.film.add(form, genome, float(search.loss))
        result = finish(
            self._settled(reason),
            form,
            genome,
            self.film,
            generations=search.generation,
            evaluations=search.evaluations,
            seconds=self.seconds,
        )
        facts: dict[str, Any] = {
            "reason": reason,
            "result": result,
            "figures": result.figures,
            "generation": search.generation,
            "evaluations": search.evaluations,
            "seconds": result.seconds,
        }
        if reason in ("interrupted", "terminated"):
            return Interrupted(**facts, checkpoint=keeper.saved)
        return Finished(**facts)


class _Keeper:
    """Saves the run now and then; a disk that is full is reported and does not end it."""

    def __init__(self, keep: Keep | None, state: _Run) -> None:
        self.keep, self.state, self.saved = keep, state, None
        self.next = time.monotonic() + (keep.every if keep else 0)

    def now_and_then(self) -> Iterator[Event]:
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
