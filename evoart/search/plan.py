"""How much work the default search does: from a quality, a number of evaluations, or options that say it outright."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from evoart.search.place import Effort

GRADIENT = 3  # evaluations that one gradient (draw, judge, pull back) counts as
MANY = 200  # shapes
LONGEST_FINISH = 1_000  # gradient steps at the end, however large the budget: more gain nothing
# What a job's options may say of a plan. All of them together decide it, for a given quality and number of shapes.
OPTIONS = ("effort", "stages", "cycles", "rounds", "finish")


@dataclass(frozen=True)
class Plan:
    """How much work there is.

    Attributes:
        stages: growth happens in so many stages, each followed by ``stage_steps`` gradient steps.
        cycles: renewals, each of ``cycle_steps`` gradient steps.
        rounds: of the ``cycles`` so many are done (None: all), because time runs out.
        share: share of the shapes renewed in the first cycle; falls linearly to one shape.
        finish: gradient steps on the full canvas.
        effort: how hard to look for one shape.
        per_shape: evaluations per shape that ``effort`` was made from; None where it is the quality's own.
        rate: first rate of positions (units a step) for 50 shapes; colours move at twice that.
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
    def renewals(self) -> int:
        """Cycles that are really done."""
        return self.cycles if self.rounds is None else min(self.rounds, self.cycles)

    @property
    def options(self) -> dict[str, float]:
        """The options that make this plan again."""
        given = {"effort": self.per_shape, "rounds": self.rounds}
        return {"stages": self.stages, "cycles": self.cycles, "finish": self.finish} | {
            name: value for name, value in given.items() if value is not None
        }

    def scaled(self, groups: int) -> Plan:
        """The plan for so many shapes: past 200, each gets a shorter look and a smaller share is renewed at a time,
        since the many correct one another; work then grows more slowly than the number of shapes."""
        if groups <= MANY:
            return self
        f, e = (MANY / groups) ** 0.5, self.effort
        effort = Effort(
            max(100, round(e.fresh * f)), max(4, round(e.survivors * f)), max(6, round(e.children * f)),
            max(6, round(e.rounds * f)),
        )  # fmt: skip
        return replace(self, effort=effort, share=self.share * MANY / groups)

    def looking(self, per_shape: float, kinds: int) -> Plan:
        """The plan with about so many evaluations to find one shape of ``kinds`` to choose from."""
        per_shape = max(1, int(per_shape))
        return replace(self, effort=Effort.within(per_shape, kinds), per_shape=per_shape)

    def within(self, evaluations: int, groups: int, missing: int, kinds: int) -> Plan:
        """The plan that uses about so many evaluations for ``groups`` shapes of which ``missing`` are to be grown: a
        third each to grow, renew and finish."""
        third = evaluations / 3
        stages = max(1, min(self.stages, int(third / (2 * GRADIENT * self.stage_steps))))
        plan = self.looking((third - stages * GRADIENT * self.stage_steps) / max(missing, 1), kinds)
        # An effort has a least size, so growth may cost more than its third; the rest shares what is left.
        plan = replace(plan, stages=stages, cycles=0, finish=-1)
        left = max(0.0, evaluations - plan.evaluations(groups, missing, kinds))
        polish, cycle = min(left / 2, GRADIENT * LONGEST_FINISH), self._cycle(groups, plan.effort.evaluations(kinds))
        cycles = int((left - polish) / cycle)
        finish = int(np.clip((left - cycles * cycle) / GRADIENT - 1, 1, LONGEST_FINISH))
        return replace(plan, cycles=cycles, finish=finish)

    def evaluations(self, groups: int, missing: int, kinds: int) -> float:
        """About how many evaluations the plan takes for ``groups`` shapes of which ``missing`` are to be grown."""
        each = self.effort.evaluations(kinds)
        grown = missing * each + self.stages * GRADIENT * (self.stage_steps + 1) if missing else 0
        return grown + self.renewals * self._cycle(groups, each) + GRADIENT * (self.finish + 1)

    def _cycle(self, groups: int, each: int) -> float:
        """Evaluations of a renewal, on average, where finding a shape takes ``each``."""
        return GRADIENT * (self.cycle_steps + 2) + max(1.0, self.share * groups / 2) * each

    def told(self, options: Mapping[str, float], kinds: int) -> Plan:
        """The plan with what the options say (see ``OPTIONS``)."""
        given = {name: int(value) for name, value in options.items()}
        effort = given.pop("effort", None)
        plan = replace(self, **given)
        return plan if effort is None else plan.looking(effort, kinds)

    def array(self) -> np.ndarray:
        """The whole plan as numbers, for a checkpoint."""
        values = [*asdict(replace(self, effort=None)).values(), *asdict(self.effort).values()]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    @classmethod
    def from_array(cls, numbers: np.ndarray) -> Plan:
        """The plan that ``array`` gave."""
        names = [entry.name for entry in fields(cls)]
        values: dict = dict(zip(names, numbers[: len(names)].tolist(), strict=True))
        whole = {n: None if np.isnan(v) else v if n in ("share", "rate") else int(v) for n, v in values.items()}
        return cls(**whole | {"effort": Effort(*(int(v) for v in numbers[len(names) :]))})


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
    options: Mapping[str, float] | None = None,
) -> Plan:
    """The plan of a run.

    Args:
        quality: a name of ``PLANS``.
        groups: shapes at the end.
        missing: how many of them are still to be grown.
        kinds: how many kinds of shapes there are to choose from.
        evaluations: a budget; options that a budget led to before take its place.
        options: see ``OPTIONS``.
    """
    plan, options = PLANS[quality].scaled(groups), options or {}
    if evaluations is not None and "stages" not in options:
        plan = plan.within(evaluations, groups, missing, kinds)
    return plan.told(options, kinds)
