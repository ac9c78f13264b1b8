"""How much work the default search does: from a quality, a number of evaluations, or options that say it outright."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np

from evoart.search.options import LARGEST
from evoart.search.place import Effort

GRADIENT = 3  # evaluations that one gradient (forward and backward pass) counts as
MANY = 200  # shapes
SETTLED_STEPS, SETTLED_RATE = 0.5, 0.25  # of the last cycle's polish, in those of the first
SHORT_FINISH, FULL = 100, 400  # steps of a finish that no number of shapes shortens, and shapes that need all of it
HOPELESS = 0.08  # dB by which a cycle is too far behind, at first
LONGEST_FINISH = 1_000  # gradient steps at the end, however large the budget: more gain nothing


class Phase(StrEnum):
    """What a search by a plan is doing."""

    GROW = "grow"
    REGROW = "regrow"
    FINISH = "finish"
    DONE = "done"


@dataclass(frozen=True)
class Plan:
    """How much work there is. In a cycle the shapes that matter least are pruned, as many are grown, all are polished.

    Attributes:
        stages: growth happens in so many stages, each followed by ``stage_steps`` gradient steps.
        cycles: prune-and-regrow cycles.
        cycle_steps: gradient steps of the first cycle; see ``cycle_polish``.
        rounds: only so many of the ``cycles`` are done (None: all), because time runs out.
        share: share of the shapes replaced in the first cycle, 0 to 1; falls linearly to one shape.
        finish: gradient steps on the full canvas.
        effort: budget to place one shape.
        per_shape: evaluations per shape that ``effort`` was made from; None where it is the quality's own.
        rate: first learning rate of positions (units a step) for 50 shapes; see ``learning_rates`` for the others.
    """

    stages: int = 10
    stage_steps: int = 40
    cycles: int = 16
    cycle_steps: int = 100
    rounds: int | None = None
    share: float = 0.3
    finish: int = 300
    effort: Effort = Effort()
    per_shape: int | None = None
    rate: float = 0.01

    @property
    def cycles_done(self) -> int:
        """Cycles that are really done: ``cycles``, or fewer where time runs out."""
        return self.cycles if self.rounds is None else min(self.rounds, self.cycles)

    @property
    def options(self) -> dict[str, float]:
        """The options (see ``options.GROWING``) that make this plan again; a job takes every one of them."""
        given = {"effort": self.per_shape, "rounds": self.rounds}
        always: dict[str, float] = {"stages": self.stages, "cycles": self.cycles, "finish": self.finish}
        return always | {name: value for name, value in given.items() if value is not None}

    def cycle_polish(self, cycle: int) -> tuple[int, float]:
        """Gradient steps of a cycle (0 is the first), and its share of the learning rates. Later cycles replace fewer
        shapes: what has settled around them need not be shaken up."""
        settled = cycle / max(self.cycles - 1, 1)
        steps, rate = 1 - (1 - SETTLED_STEPS) * settled, 1 - (1 - SETTLED_RATE) * settled
        return round(self.cycle_steps * steps), rate

    def scaled(self, groups: int) -> Plan:
        """The plan for so many shapes. Past 200, each is searched for with less effort and a smaller share is replaced
        at a time, since the many correct one another; work then grows more slowly than the number of shapes. Up to
        400, a shorter finish brings them as far."""
        share = float(np.clip((groups / FULL) ** 0.5, 0.5, 1))
        plan = replace(self, finish=max(min(self.finish, SHORT_FINISH), round(share * self.finish)))
        if groups <= MANY:
            return plan
        f, e = (MANY / groups) ** 0.5, self.effort
        effort = Effort(
            max(100, round(e.samples * f)), max(4, round(e.survivors * f)), max(6, round(e.children * f)),
            max(6, round(e.generations * f)),
        )  # fmt: skip
        return replace(plan, effort=effort, share=self.share * MANY / groups)

    def with_effort(self, per_shape: float, kinds: int) -> Plan:
        """The plan with about so many evaluations (1 to ``LARGEST``) to place one shape of ``kinds`` to choose from."""
        per_shape = min(max(1, int(per_shape)), LARGEST)
        return replace(self, effort=Effort.for_budget(per_shape, kinds), per_shape=per_shape)

    def for_budget(self, evaluations: int, groups: int, missing: int, kinds: int) -> Plan:
        """The plan that uses about so many evaluations for ``groups`` shapes of which ``missing`` are to be grown: a
        third each to grow, to prune and regrow, and to finish. No part of it exceeds ``LARGEST``."""
        third = evaluations / 3
        stages = max(1, min(self.stages, int(third / (2 * GRADIENT * self.stage_steps))))
        plan = self.with_effort((third - stages * GRADIENT * self.stage_steps) / max(missing, 1), kinds)
        # An effort has a minimum, so growth may cost more than its third; the rest shares what is left.
        return replace(plan, stages=stages).for_rest(evaluations, groups, missing, kinds)

    def stage(self, phase: Phase, done: int, placed: int, groups: int) -> str:
        """What is being done, for the progress line, when ``done`` rounds of the phase are and ``placed`` shapes."""
        return {
            Phase.GROW: f"growing {placed} of {groups}",
            Phase.REGROW: f"regrowing {min(done + 1, self.cycles_done)} of {self.cycles_done}",
            Phase.FINISH: "finishing",
            Phase.DONE: "done",
        }[phase]

    def progress(self, phase: Phase, done: int, steps: int) -> float:
        """Share of the work that is done, 0 to 1, in estimated cost, after ``steps`` of the present polish."""
        grow, regrow = self.stages * (self.stage_steps + 8), self.cycles_done * (self.cycle_steps + 10)
        finish = 3 * self.finish
        so_far = {
            Phase.GROW: grow * done / max(self.stages, 1),
            Phase.REGROW: grow + regrow * done / max(self.cycles_done, 1),
            Phase.FINISH: grow + regrow + 3 * min(steps, self.finish),
            Phase.DONE: grow + regrow + finish,
        }
        return float(so_far[phase] / max(grow + regrow + finish, 1))

    def is_hopeless(self, done: int, loss: float, accepted: float) -> bool:
        """Whether the rest of a cycle will not bring ``loss`` to the ``accepted`` one, after ``done`` cycles."""
        return loss > accepted * 10 ** (HOPELESS * (1 - 0.5 * done / self.cycles) / 10)

    def for_rest(self, evaluations: int, groups: int, missing: int, kinds: int) -> Plan:
        """The plan that grows as this one does and shares what is left of so many evaluations between cycles and the
        finish; arguments as ``for_budget``."""
        plan = replace(self, cycles=0, finish=-1)
        left = max(0.0, evaluations - plan.evaluations(groups, missing, kinds))
        polish, cycle = min(left / 2, GRADIENT * LONGEST_FINISH), self._cycle(groups, plan.effort.evaluations(kinds))
        cycles = min(int((left - polish) / cycle), LARGEST)
        finish = int(np.clip((left - cycles * cycle) / GRADIENT - 1, 1, LONGEST_FINISH))
        return replace(plan, cycles=cycles, finish=finish)

    def evaluations(self, groups: int, missing: int, kinds: int) -> float:
        """About how many evaluations the plan takes for ``groups`` shapes of which ``missing`` are to be grown."""
        each = self.effort.evaluations(kinds)
        grown = missing * each + self.stages * GRADIENT * (self.stage_steps + 1) if missing else 0
        return grown + self.cycles_done * self._cycle(groups, each) + GRADIENT * (self.finish + 1)

    def _cycle(self, groups: int, each: int) -> float:
        """Evaluations of a cycle, on average, where placing a shape takes ``each``."""
        steps = self.cycle_steps * (1 + SETTLED_STEPS) / 2
        return GRADIENT * (steps + 2) + max(1.0, self.share * groups / 2) * each

    def with_options(self, options: Mapping[str, Any], kinds: int) -> Plan:
        """The plan with what ``options`` (see ``options.GROWING``) say, for ``kinds`` to choose from."""
        given = {name: int(value) for name, value in options.items()}
        effort = given.pop("effort", None)
        plan = replace(self, **given)
        return plan if effort is None else plan.with_effort(effort, kinds)

    def array(self) -> np.ndarray:
        """The whole plan as numbers ``(m,)`` float64, for a checkpoint."""
        plan = asdict(self)
        effort = plan.pop("effort")
        return np.array([np.nan if v is None else v for v in (*plan.values(), *effort.values())], np.float64)

    @classmethod
    def from_array(cls, numbers: np.ndarray) -> Plan:
        """The plan that ``array`` gave."""
        names = [entry.name for entry in fields(cls) if entry.name != "effort"]
        values: dict[str, Any] = {}
        for name, number in zip(names, numbers.tolist(), strict=False):
            whole = None if np.isnan(number) else int(number)
            values[name] = number if name in ("share", "rate") else whole
        return cls(**values, effort=Effort(*(int(number) for number in numbers[len(names) :])))


PLANS = {
    "draft": Plan(stages=5, cycles=4, cycle_steps=60, finish=100, effort=Effort(300, 6, 8, 6)),
    "normal": Plan(),
    "best": Plan(stages=20, stage_steps=60, cycles=80, finish=1000, effort=Effort(1500, 12, 16, 12)),
}


def plan_for(
    quality: str,
    groups: int,
    *,
    missing: int,
    kinds: int,
    evaluations: int | None = None,
    options: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of a run.

    Args:
        quality: a name of ``PLANS``.
        groups: shapes at the end.
        missing: how many of them are still to be grown.
        kinds: how many kinds of shapes there are to choose from.
        evaluations: a budget; options that a budget led to before take its place.
        options: see ``options.GROWING``.
    """
    plan, options = PLANS[quality].scaled(groups), options or {}
    if evaluations is not None and "stages" not in options:
        plan = plan.for_budget(evaluations, groups, missing, kinds)
    return plan.with_options(options, kinds)
