"""One run between two events: its search, clock, patience and film, and what it comes to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evoart.run import checkpoint as checkpoints
from evoart.run import distributed
from evoart.run.events import Event, Finished, Improved, Interrupted, Noted, Progress
from evoart.run.problem import Problem
from evoart.run.recorder import FilmRecorder
from evoart.run.result import Result
from evoart.run.stop import Reason, Stop
from evoart.types import Drawing, Form, Genome, Search

FRAMES = 120  # moments of a film that are handed on; each format thins them to its own rate


def finish(
    problem: Problem,
    form: Form,
    genome: Genome,
    film: FilmRecorder,
    figures: Mapping[str, float],
    *,
    generations: int,
    evaluations: int,
    seconds: float,
) -> Result:
    """The result of a run whose best genome is ``genome`` of ``form``."""
    shown = problem.frames(form.drawing(genome))
    return Result(
        job=problem.job,
        form=form,
        genome=np.array(genome, np.float32),
        size=problem.size,
        figures=problem.evaluate(form, genome) | dict(figures),
        generations=generations,
        evaluations=evaluations,
        seconds=seconds,
        mask=problem.mask,
        frames=shown or tuple(each.drawing(numbers) for each, numbers in film.select(FRAMES)),
        loop=problem.loop,
        members=lambda: problem.members(form, genome),
    )


BLOCK = 0.25  # seconds between reports; also how long a request to stop may wait beyond one step


SLOW = 10.0  # seconds of a first block that has more to do than to compile


TIMED = 2.5  # seconds that say how fast a run is


LEAST_GAIN = 1e-3  # relative improvement of the loss that patience counts as one


_FILM_NUMBERS = 8_000_000  # float32 numbers that the film's moments may hold


class Run:
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
            yield Improved(search.generation, float(search.loss), figures, self.drawing())
        rate = (search.evaluations - self.told_evaluations) / max(now - self.told, 1e-9)
        self.told, self.told_evaluations, self.told_loss = now, search.evaluations, search.loss
        fraction = self._fraction()
        yield Progress(
            stage=search.stage,
            generation=search.generation,
            evaluations=search.evaluations,
            loss=float(search.loss),
            figures=figures,
            label=self.form.label,
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

    def estimate(self) -> Iterator[Event]:
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
        text = self.problem.estimate(seconds, self.search.planned or whole)
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
        options = dict(job.options) | self.search.resolved
        generations = self.search.generation if reason == "time" else job.generations
        job = dataclasses.replace(job, seconds=None, options=options, generations=generations)
        return dataclasses.replace(self.problem, job=job)

    def finished(self, reason: Reason, saved: Path | None) -> Finished:
        search, form, genome = self.search, self.form, self.search.genome
        if reason not in ("interrupted", "terminated"):  # who interrupts does not want to wait
            form, genome = self.problem.finalise(form, genome)
            if genome is not search.genome:
                self.film.add(form, genome, float(search.loss))
        result = finish(
            self._settled(reason),
            form,
            genome,
            self.film,
            search.figures,
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
            return Interrupted(**facts, checkpoint=saved)
        return Finished(**facts)
