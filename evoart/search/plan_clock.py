"""A wall time for the default search: its plan is fitted in as the speed of this machine becomes known."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from evoart.search.plan import LONGEST_FINISH, Plan

# Shares of the time: what growing may take, what is kept for the finish, and what is really planned for.
GROWING, FINISHING, PLANNED = 0.3, 0.25, 0.9
MOST_CYCLES = 100_000


class PlanClock:
    """Fits a plan into ``seconds`` of wall time. What it decides becomes part of the plan, so that the run can be done
    again without a clock.

    Args:
        seconds: for the whole search.
        spent: seconds of it that went by before.
    """

    def __init__(self, seconds: float, spent: float = 0.0) -> None:
        self.seconds = seconds
        self._cycle_start = time.monotonic()
        self._start = self._cycle_start - spent
        self._cycle_time = self._gradient_time = 0.0  # of a cycle, and of a gradient on the full canvas

    @property
    def _left(self) -> float:
        """Seconds that may still be planned for."""
        return max(0.0, PLANNED * self.seconds - (time.monotonic() - self._start))

    def fit_growing(self, plan: Plan, missing: int, kinds: int, evaluate: Callable[[], Any], evaluated: int) -> Plan:
        """Less effort for each shape where growing would take more than its share of the time.

        Args:
            plan: its effort is changed only where it is the quality's own.
            missing: shapes to grow.
            kinds: how many kinds there are to choose from.
            evaluate: evaluates ``evaluated`` candidates, to be timed.
        """
        if missing <= 0 or plan.per_shape is not None:
            return plan
        possible = GROWING * self.seconds / (_time_of(evaluate) / evaluated * missing)
        return plan.with_effort(possible, kinds) if possible < plan.effort.evaluations(kinds) else plan

    def fit_cycles(self, plan: Plan, done: int, fine: Callable[[], Any], coarse: Callable[[], Any]) -> Plan:
        """Choose the number of cycles by what the first has cost, and stop them when the finish is due.

        Args:
            done: cycles so far. Before the first, gradients tell whether there is time for one.
            fine, coarse: compute a gradient on either canvas, to be timed.
        """
        before, self._cycle_start = self._cycle_start, time.monotonic()
        if done == 0:
            self._gradient_time = _time_of(fine)
            self._cycle_time = 1.5 * _time_of(coarse) * plan.cycle_steps
        elif self._cycle_start > before:
            self._cycle_time = self._cycle_start - before
        finish = min(FINISHING * self.seconds, LONGEST_FINISH * self._gradient_time)
        if done == 1:
            # Later cycles place fewer shapes: the last ones cost half of the first.
            cycles = 1 + int(max(0.0, self._left - finish) / (0.65 * self._cycle_time))
            plan = replace(plan, cycles=min(cycles, MOST_CYCLES))
        if done < plan.cycles and self._left < self._cycle_time + finish / 2:
            plan = replace(plan, rounds=done)
        return plan

    def fit_finish(self, plan: Plan, fine: Callable[[], Any]) -> Plan:
        """All the time that is left. A gradient is timed again, for the first one had buffers to make."""
        self._gradient_time = min(self._gradient_time, _time_of(fine))
        return replace(plan, finish=int(np.clip(self._left / self._gradient_time, 1, LONGEST_FINISH)))

    def array(self) -> np.ndarray:
        """Its state ``(3,)`` float64, for a checkpoint: a pause does not count."""
        return np.array([self._cycle_time, self._gradient_time, time.monotonic() - self._start])

    @classmethod
    def from_array(cls, numbers: np.ndarray, seconds: float) -> PlanClock:
        """The clock that ``array`` gave, of a search that has ``seconds`` in all."""
        cycle_time, gradient_time, spent = numbers.tolist()
        clock = cls(seconds, spent)
        clock._cycle_time, clock._gradient_time = cycle_time, gradient_time
        return clock


def _time_of(work: Callable[[], Any]) -> float:
    """Seconds, never 0."""
    start = time.monotonic()
    work()
    return max(time.monotonic() - start, 1e-9)
