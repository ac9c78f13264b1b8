"""One run between two events: its search, clock, patience and film, and what it comes to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.run import checkpoint as checkpoints
from evoart.run import distributed
from evoart.run.events import Event, Finished, Improved, Interrupted, Noted, Progress
from evoart.run.forecast import Forecast
from evoart.run.job import Job
from evoart.run.problem import Problem
from evoart.run.recorder import FilmRecorder
from evoart.run.result import Result
from evoart.run.stop import Reason, Stop, Why
from evoart.types import Drawing, Form, Genome, Search

BLOCK = 0.25  # seconds between reports; also how long a request to stop may wait beyond one step
FRAMES = 120  # moments of a film that are handed on; each format thins them to its own rate
LEAST_GAIN = 1e-3  # relative improvement of the loss that patience counts as one
_FILM_NUMBERS = 8_000_000  # float32 numbers that the film's moments may hold


class Run:
    """One run between two events: the search, the clock, patience and the film.

    Args:
        problem: what is worked on.
        search: its search, at its beginning or as ``saved`` left it.
        saved: the checkpoint that the run continues from, or None.
    """

    def __init__(self, problem: Problem, search: Search, saved: checkpoints.Checkpoint | None) -> None:
        self.problem, self.job, self.search = problem, problem.job, search
        self.recorder = FilmRecorder(int(np.clip(_FILM_NUMBERS // max(problem.form.dim, 1), 16, 240)))
        self.before = 0.0  # seconds of earlier sessions
        self.ended: Reason | None = None
        self.asked: Why | None = None  # to stop, by whom
        self.mark = (float(search.loss), search.generation)  # loss and generation of the last gain
        if saved is not None:
            self.recorder.load(saved.film)
            self.before, self.ended = float(saved.state["seconds"]), saved.state["reason"]
            self.mark = (float(saved.state["mark"][0]), int(saved.state["mark"][1]))
        self.forecast = Forecast(problem, search, lambda: self.seconds)
        self._start = self._reported = time.monotonic()
        self._last_report = (search.evaluations, float("inf"), 0)  # evaluations, loss and notes
        self._seen: tuple[float, int] = (float("nan"), 0)
        self._figures: tuple[float, dict[str, float]] = (float("nan"), {})

    @property
    def seconds(self) -> float:
        """Wall time so far, earlier sessions included."""
        return self.before + time.monotonic() - self._start

    @property
    def form(self) -> Form:
        """The form of the best so far."""
        structure = self.search.structure
        return self.problem.form if structure is None else self.problem.form.with_structure(structure)

    def drawing(self) -> Drawing:
        """The best so far."""
        return self.form.drawing(self.search.genome)

    def block(self, stop: Stop) -> Reason | None:
        """Step for about ``BLOCK`` seconds. Everything that steers the run is looked at after every step, so that
        the cut into blocks, which depends on the clock, never shows in the result."""
        until = time.monotonic() + BLOCK
        while True:
            self.search.step()
            self._remember()
            reason, self.asked = distributed.agree(self.reason(), stop.why)
            if reason == "time":  # which the search does not know
                self.search.settle()
                self._remember()
            if reason is not None or self.asked is not None or time.monotonic() >= until:
                return reason

    def _remember(self) -> None:
        loss = float(self.search.loss)
        if loss < self.mark[0] - LEAST_GAIN * abs(self.mark[0]) or not np.isfinite(self.mark[0]):
            self.mark = (loss, self.search.generation)
        if self.problem.film is None and (loss, len(self.search.genome)) != self._seen:
            self._seen = (loss, len(self.search.genome))
            self.recorder.add(self.form, self.search.genome, loss)

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
        if search.generation > 0 and any(self.figures()[name] >= goal for name, goal in job.goals.items()):
            return "psnr"
        return None

    def figures(self) -> dict[str, float]:
        """Figures of the best so far; they may cost a drawing, so each is computed once."""
        loss = float(self.search.loss)
        if self._figures[0] != loss:
            self._figures = (loss, self.problem.figures(self.search))
        return self._figures[1]

    def report(self) -> Iterator[Event]:
        """What has happened since the last report."""
        search, now, figures, loss = self.search, time.monotonic(), self.figures(), float(self.search.loss)
        evaluations, best, notes = self._last_report
        for text in search.notes[notes:]:
            yield Noted(text)
        if loss < best:
            yield Improved(search.generation, loss, figures, self.drawing)
        rate = (search.evaluations - evaluations) / max(now - self._reported, 1e-9)
        self._reported, self._last_report = now, (search.evaluations, loss, len(search.notes))
        yield Progress(
            stage=search.stage,
            generation=search.generation,
            evaluations=search.evaluations,
            loss=loss,
            figures=figures,
            label=search.label or self.form.label,
            rate=rate,
            seconds=self.seconds,
            fraction=self.forecast.fraction,
            left=self.forecast.left,
        )

    def checkpoint(self, notes: dict[str, Any] | None) -> checkpoints.Checkpoint:
        """The run as it is now, with the caller's ``notes``."""
        state = {"seconds": self.seconds, "mark": list(self.mark), "reason": self.ended, "notes": notes or {}}
        return checkpoints.Checkpoint(self.problem, self.search.arrays(), self.recorder.arrays(), state)

    def finish(self, reason: Reason, saved: Path | None) -> Iterator[Event]:
        """The end of the run: its result in ``Finished`` or ``Interrupted``, and a note where it cannot be redone.

        Args:
            reason: why it ends.
            saved: the checkpoint that continues from here, or None.
        """
        search, form, genome = self.search, self.form, self.search.genome
        stopped = reason in ("interrupted", "terminated")
        if not stopped:  # who interrupts does not want to wait
            form, genome = self.problem.finalise(form, genome)
            if genome is not search.genome and self.problem.film is None:
                self.recorder.add(form, genome, float(search.loss))
        job = self.job
        if not stopped:
            try:
                job = resolve(job, search, reason)
            except UsageError as error:  # whatever a recipe may say: the picture is made
                yield Noted(f"The recipe keeps the limit as it was given ({error.message})")
        result = self._result(job, form, genome)
        facts: dict[str, Any] = {
            "reason": reason,
            "result": result,
            "figures": result.figures,
            "generation": search.generation,
            "evaluations": search.evaluations,
            "seconds": result.seconds,
        }
        yield Interrupted(**facts, checkpoint=saved) if stopped else Finished(**facts)

    def _result(self, job: Job, form: Form, genome: Genome) -> Result:
        problem, search, film = self.problem, self.search, self.problem.film
        genome = np.array(genome, np.float32)
        return Result(
            job=job,
            form=form,
            genome=genome,
            size=problem.size,
            figures=problem.evaluate(form, genome) | dict(search.figures),
            generations=search.generation,
            evaluations=search.evaluations,
            seconds=self.seconds,
            mask=problem.mask,
            frames=self.recorder.frames(FRAMES) if film is None else film.frames(form, genome),
            loop=film is not None and film.loop,
            rate=film and film.rate,
            sound=film and film.sound,
            photograph=partial(film.photographs, form) if film and film.photographs else problem.photograph,
            members=partial(problem.members, form, genome) if problem.has_members else list,
        )


def resolve(job: Job, search: Search, reason: Reason) -> Job:
    """The job as a recipe tells it: what a budget or the clock decided is put in numbers, so that the run can be
    redone, on any machine and from any budget that a resumed run had.

    Args:
        search: as the run left it.
        reason: why the run ended.

    Raises:
        UsageError: the search resolved an option to a value that no job may have.
    """
    if job.seconds is None and job.evaluations is None:
        return job
    options = dict(job.options) | search.resolved
    generations = max(search.generation, 1) if reason == "time" else job.generations
    return dataclasses.replace(job, seconds=None, options=options, generations=generations)
