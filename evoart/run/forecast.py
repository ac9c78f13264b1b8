"""How much of a run is done, how long the rest will take, and what all of it will cost."""

from __future__ import annotations

import time
from collections.abc import Callable

from evoart.run.problem import Problem
from evoart.types import Search

SLOW = 10.0  # seconds of a first block that has more to do than to compile
TIMED = 2.5  # seconds that say how fast a run is


class Forecast:
    """What can be said of the rest of a run, from how fast it went so far.

    Args:
        problem, search: of the run.
        clock: seconds that the run took so far.
    """

    def __init__(self, problem: Problem, search: Search, clock: Callable[[], float]) -> None:
        self.problem, self.search, self.clock = problem, search, clock
        self._first: tuple[float, float, int] | None = None  # time, fraction and evaluations of the first report
        self._said = False

    @property
    def fraction(self) -> float | None:
        """How much of the nearest limit is used up, 0 to 1; None where there is no limit."""
        job, search = self.problem.job, self.search
        parts = [
            (search.generation, job.generations),
            (search.evaluations, job.evaluations),
            (self.clock(), job.seconds),
            (search.progress, 1.0),
        ]
        known = [spent / limit for spent, limit in parts if limit is not None and spent is not None]
        return min(max(known), 1.0) if known else None

    @property
    def left(self) -> float | None:
        """Seconds to go, at the pace since the first report, before which things compile; None where unknown."""
        fraction, limit = self.fraction, self.problem.job.seconds
        if fraction is None:
            return None
        now = time.monotonic()
        self._first = self._first or (now, fraction, self.search.evaluations)
        gained = fraction - self._first[1]
        rest = None if limit is None else max(limit - self.clock(), 0.0)
        if gained <= 0:
            return rest
        left = (now - self._first[0]) * (1 - fraction) / gained
        return left if rest is None else min(left, rest)

    def cost(self) -> str | None:
        """What the run will cost (see ``Problem.estimate``), once, as soon as it can be told: ``TIMED`` seconds after
        the first block, which may have had to compile, or after that one where it was slow by itself."""
        fraction, left = self.fraction, self.left
        if self._said or not fraction or self._first is None:
            return None
        since, before, evaluations = self._first
        if left is not None and fraction > before and time.monotonic() - since >= TIMED:
            seconds = self.clock() + left
            total = evaluations + (self.search.evaluations - evaluations) * (1 - before) / (fraction - before)
        elif self.clock() >= SLOW:
            seconds, total = self.clock() / fraction, self.search.evaluations / fraction
        else:
            return None
        self._said = True
        return self.problem.estimate(seconds, self.search.planned or total)
