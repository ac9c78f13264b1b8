"""The default search: grow, polish jointly, prune and grow again, finish.

1. *Grow*: shapes are placed one by one on top, each by a small evolution of its geometry with colour and opacity in
   closed form (``place``), in stages with a joint polish of all shapes by gradient in between.
2. *Renew*, many times: the shapes whose removal costs least go, new ones are placed where the picture is wrong, all are
   polished; kept if the loss fell. Evolution makes the large moves, the gradient the small ones.
3. *Finish* at the full canvas.

Growing and renewing happen on a coarse canvas, where a shape costs a quarter or less. How much work each part is comes
from a ``Plan``; where a time is given instead, the plan is fitted into it as the speed of this machine shows itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from evoart.search.adam import Adam
from evoart.search.place import place
from evoart.search.plan import GRADIENT, LONGEST_FINISH, Plan
from evoart.types import Search

GRADIENT_STEPS = 10  # per unit of work
PLACED = 4  # shapes per unit of work
# Shares of a time budget: what growing may take, what is kept to finish, and what is really planned for.
GROWING, FINISHING, PLANNED = 0.3, 0.25, 0.9
PROBE = 512  # candidates judged to see how fast this machine is


class Grow(Search):
    """See the module's text; a ``Search`` that chooses the kinds of its shapes itself.

    Args:
        coarse, fine: studios (``evoart.engine.placement.PlacementCanvas``) of the canvas to grow on and to finish on.
        kinds: the kinds to choose from.
        groups: how many shapes.
        scales: natural step of every number of each kind's geometry.
        bounds: lowest and highest value of the last four columns (red, green, blue, opacity), ``(2, 4)``.
        geometry: columns of geometry in a row.
        seed: of the one random generator.
        plan: how much work (None: as ``Plan()``).
        start: kinds and rows to go on from.
        gradient: False leaves out every gradient step: evolution alone.
        free_colours: False holds colours as placed (a palette).
        seconds: wall time to fit the plan into; None does what the plan says.
    """

    def __init__(
        self, coarse: Any, fine: Any, kinds: tuple[str, ...], groups: int, scales: dict[str, np.ndarray],
        bounds: np.ndarray, geometry: int, seed: int, plan: Plan | None = None,
        start: tuple[tuple[str, ...], np.ndarray] | None = None, gradient: bool = True, free_colours: bool = True,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        self.coarse, self.fine, self.choices, self.groups, self.scales = coarse, fine, kinds, groups, scales
        self.bounds, self.geometry, self.uses_gradient, self.free_colours = bounds, geometry, gradient, free_colours
        self.plan = plan or Plan()
        self._rng = np.random.default_rng(seed)
        self._seconds, self._began = seconds, time.monotonic()
        self._times = np.zeros(2)  # seconds of a renewal and of a gradient on the full canvas, once they matter
        self._kinds, self._rows = start or ((), np.zeros((0, geometry + 4), np.float32))
        self._rows, self._begun = np.asarray(self._rows, np.float32), len(self._rows)
        self._adam: Adam | None = None
        self._phase, self._round, self._goal = "grow", 0, 0
        self._cycle_began = self._began
        self._kept: tuple[float, tuple[str, ...], np.ndarray] | None = None
        self.generation, self.evaluations = 0, 0
        self.structure, self.genome = self._kinds, self._rows.ravel()
        self.loss, self.psnr = fine.judge(self.structure, self._rows)
        if seconds is not None:
            self._fit_growing()
        self._next_stage()

    # -- what the run loop sees ---------------------------------------------------------------------------------

    @property
    def stage(self) -> str:
        """What is being done, for the progress line."""
        names = {"grow": f"growing {len(self._rows)} of {self.groups}", "finish": "finishing", "done": "done"}
        if self._phase == "renew":
            return f"renewing {min(self._round + 1, self.plan.renewals)} of {self.plan.renewals}"
        return names[self._phase]

    @property
    def done(self) -> bool:
        """Whether the plan is done."""
        return self._phase == "done"

    @property
    def progress(self) -> float:
        """Share of the planned work that is done, 0 to 1, in estimated cost."""
        p = self.plan
        cost = [p.stages * (p.stage_steps + 8), p.renewals * (p.cycle_steps + 10), 3 * p.finish]
        done = {
            "grow": cost[0] * self._round / max(p.stages, 1),
            "renew": cost[0] + cost[1] * self._round / max(p.renewals, 1),
            "finish": cost[0] + cost[1] + (3 * min(self._adam.t, p.finish) if self._adam else 0),
            "done": sum(cost),
        }
        return float(done[self._phase] / max(sum(cost), 1))

    @property
    def planned(self) -> int:
        """Evaluations that the whole plan takes, about."""
        return round(self.plan.evaluations(self.groups, self.groups - self._begun, len(self.choices)))

    @property
    def resolved(self) -> dict[str, float]:
        """The plan, whatever budget it came from, as options by which the run can be done again."""
        return self.plan.options

    def step(self) -> None:
        """One small unit of work: a few shapes placed or a few gradient steps taken."""
        if self._phase == "done":
            return
        self.generation += 1
        if len(self._rows) < self._goal:
            self._place()
        elif self._adam is not None and not self._adam.done:
            self._polish()
        else:
            self._settle()

    # -- growing ------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        self.coarse.open(self._kinds, self._rows)
        for _ in range(min(PLACED, self._goal - len(self._rows))):
            kind, geometry, rgba, _, judged = place(self._rng, self.coarse, self.choices, self.scales, self.plan.effort)
            row = np.zeros(self.geometry + 4, np.float32)
            row[: len(geometry)], row[-4:] = geometry, rgba
            self._kinds, self._rows = (*self._kinds, kind), np.vstack([self._rows, row])
            self.coarse.paint(kind, row)
            self.evaluations += judged
        if self._phase == "grow":
            self._report(self._kinds, self._rows)
        if len(self._rows) >= self._goal:
            self._begin_polish(self.plan.stage_steps if self._phase == "grow" else self.plan.cycle_steps)

    def _next_stage(self) -> None:
        left, missing = self.plan.stages - self._round, self.groups - len(self._rows)
        if left <= 0 or missing <= 0:
            self._begin_renewals()
        else:
            self._goal = len(self._rows) + -(-missing // left)

    # -- polishing ----------------------------------------------------------------------------------------------

    def _begin_polish(self, steps: int, rate: float = 1.0) -> None:
        self._adam = Adam(self._rows, self._rates() * rate, steps if self.uses_gradient else 0)

    def _rates(self) -> np.ndarray:
        # Smaller shapes want smaller steps; 0.1 units is the natural step of a position.
        rate = self.plan.rate * min(1.0, (50 / max(len(self._rows), 1)) ** 0.25)
        rates = np.zeros(self._rows.shape, np.float32)
        names = np.asarray(self._kinds)
        for kind in dict.fromkeys(self._kinds):
            scale = self.scales[kind]
            rates[names == kind, : len(scale)] = rate * scale / 0.1
        rates[:, -4:] = 2 * rate
        if not self.free_colours:
            rates[:, -4:-1] = 0
        return rates

    def _polish(self) -> None:
        studio = self.fine if self._phase == "finish" else self.coarse
        taken = self._adam.t
        if not (hasattr(studio, "polish") and studio.polish(self._kinds, self._adam, GRADIENT_STEPS)):
            while self._adam.t < taken + GRADIENT_STEPS and not self._adam.done:
                self._adam.step(lambda rows: studio.gradient(self._kinds, rows)[:2], self._clip)
        self.evaluations += GRADIENT * (self._adam.t - taken)
        if self._phase == "finish":
            self._report(self._kinds, self._adam.best, self._adam.loss)

    def _clip(self, rows: np.ndarray) -> np.ndarray:
        rows[:, -4:] = np.clip(rows[:, -4:], *self.bounds)
        return rows

    # -- what follows a polish ----------------------------------------------------------------------------------

    def _settle(self) -> None:
        """A polish has ended: keep its best and begin what comes next."""
        if self._adam is not None:
            self._rows = self._adam.best
        loss = self._adam.loss if self._adam is not None else np.inf
        self._adam = None
        self._round += 1
        if self._phase == "grow":
            self._next_stage()
        elif self._phase == "renew":
            self._select(loss)
        else:
            self._phase = "done"
        if self._phase == "grow":
            self._report(self._kinds, self._rows)
        elif self._phase != "done":
            self._report(*self._kept[1:])

    def _begin_renewals(self) -> None:
        self._phase, self._round = "renew", 0
        self._kept = (self.coarse.judge(self._kinds, self._rows)[0], self._kinds, self._rows)
        self._next_cycle()

    def _next_cycle(self) -> None:
        """Prune what costs least to lose; ``step`` then places as many new shapes and polishes."""
        if self._seconds is not None:
            self._fit_renewals()
        if self._round >= self.plan.renewals:
            self._begin_finish()
            return
        share = self.plan.share * (1 - self._round / self.plan.cycles)
        removal = self.coarse.removal(self._kinds, self._rows)
        self.evaluations += GRADIENT
        keep = np.sort(np.argsort(removal, kind="stable")[max(1, round(share * self.groups)) :])
        self._kinds, self._rows = tuple(self._kinds[i] for i in keep), self._rows[keep]
        self._goal = self.groups

    def _select(self, loss: float) -> None:
        """Keep the renewed picture if it is better, else go back to the one before."""
        if loss < self._kept[0]:
            self._kept = (loss, self._kinds, self._rows)
        else:
            _, self._kinds, self._rows = self._kept
        self._next_cycle()

    def _begin_finish(self) -> None:
        self._phase, self._round, self._goal = "finish", 0, len(self._rows)
        if self._seconds is not None:
            self._fit_finish()
        self._begin_polish(self.plan.finish, rate=0.2)

    def _report(self, kinds: tuple[str, ...], rows: np.ndarray, loss: float | None = None) -> None:
        """Make these shapes the best so far, if they are, as judged on the full canvas."""
        if loss is not None and loss >= self.loss:
            return
        loss, psnr = self.fine.judge(kinds, rows)
        if loss < self.loss:
            self.structure, self.genome, self.loss, self.psnr = kinds, rows.ravel().copy(), loss, psnr

    # -- keeping a time -----------------------------------------------------------------------------------------

    @property
    def _left(self) -> float:
        """Seconds that may still be planned for."""
        return max(0.0, PLANNED * self._seconds - (time.monotonic() - self._began))

    def _timed(self, work: Callable[[], Any]) -> float:
        began = time.monotonic()
        work()
        return max(time.monotonic() - began, 1e-9)

    def _fit_growing(self) -> None:
        """Look less hard for each shape where growing would take more than its share of the time."""
        missing = self.groups - len(self._rows)
        if missing <= 0 or self.plan.per_shape is not None:
            return
        kinds = len(self.choices)
        rng = np.random.default_rng(0)  # not the search's own, whose state must not hang on this
        self.coarse.open(self._kinds, self._rows)

        def judge() -> None:
            for kind in self.choices:
                self.coarse.gains(kind, self.coarse.sample(rng, kind, PROBE))

        possible = GROWING * self._seconds / (self._timed(judge) / (PROBE * kinds) * missing)
        if possible < self.plan.effort.evaluations(kinds):
            self.plan = self.plan.looking(possible, kinds)

    def _fit_renewals(self) -> None:
        """Choose the number of renewals by what the first has cost, and stop them when the finish is due.

        Before the first, a gradient tells whether there is time for one. What is chosen here becomes part of the plan,
        so that the run can be done again without a clock.
        """
        began, self._cycle_began = self._cycle_began, time.monotonic()
        if self._round == 0:
            self._times[1] = self._timed(lambda: self.fine.gradient(self._kinds, self._rows))
            coarse = self._timed(lambda: self.coarse.gradient(self._kinds, self._rows))
            self._times[0] = 1.5 * coarse * self.plan.cycle_steps
        elif self._cycle_began > began:
            self._times[0] = self._cycle_began - began
        finish = min(FINISHING * self._seconds, LONGEST_FINISH * self._times[1])
        if self._round == 1:
            # Later renewals place fewer shapes: the last ones cost half of the first.
            cycles = 1 + int(max(0.0, self._left - finish) / (0.65 * self._times[0]))
            self.plan = replace(self.plan, cycles=min(cycles, 100_000))
        if self._round < self.plan.cycles and self._left < self._times[0] + finish / 2:
            self.plan = replace(self.plan, rounds=self._round)

    def _fit_finish(self) -> None:
        """All the time that is left. A step is timed again, for the first one had buffers to make."""
        self._times[1] = min(self._times[1], self._timed(lambda: self.fine.gradient(self._kinds, self._rows)))
        self.plan = replace(self.plan, finish=int(np.clip(self._left / self._times[1], 1, LONGEST_FINISH)))

    # -- state --------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for a checkpoint; no pickles."""
        names = sorted({*self._kinds, *self.structure, *(self._kept[1] if self._kept else ())})
        code = {name: i for i, name in enumerate(names)}
        coded = {"kinds": self.structure, "now": self._kinds, "kept": self._kept[1] if self._kept else ()}
        words = self._rng.bit_generator.state
        out = {
            "names": np.array(names, dtype=str),
            "rows": self._rows,
            "genome": self.genome,
            "kept_rows": self._kept[2] if self._kept else np.zeros((0, 0), np.float32),
            "phase": np.array(self._phase),
            "counts": np.array([self._round, self._goal, self.generation, self.evaluations]),
            "plan": self.plan.array(),
            "times": np.zeros(3) if self._seconds is None else np.array([*self._times, time.monotonic() - self._began]),
            "losses": np.array([self.loss, self.psnr, self._kept[0] if self._kept else np.nan]),
            "random": _words(words["state"]["state"], words["state"]["inc"], words["has_uint32"], words["uinteger"]),
        }
        out |= {f"{name}_kinds": np.array([code[kind] for kind in kinds], np.int64) for name, kinds in coded.items()}
        if self._adam is not None:
            out |= {f"adam_{name}": value for name, value in self._adam.arrays().items()}
        return out

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take on the state that ``arrays`` gave."""
        names = [str(name) for name in arrays["names"]]
        self.structure, self._kinds, kept = (
            tuple(names[i] for i in arrays[f"{name}_kinds"]) for name in ("kinds", "now", "kept")
        )
        self._rows, self.genome = arrays["rows"].copy(), arrays["genome"].copy()
        self._phase = str(arrays["phase"])
        self._round, self._goal, self.generation, self.evaluations = (int(v) for v in arrays["counts"])
        self.plan = Plan.from_array(arrays["plan"])
        *times, spent = arrays["times"].tolist()
        self._times, self._began = np.array(times), time.monotonic() - spent
        self._cycle_began = time.monotonic()
        if not times[0] and self._phase != "grow":
            self._seconds = None  # the plan was made without a clock, and a time only ends it
        self.loss, self.psnr, kept_loss = (float(v) for v in arrays["losses"])
        self._kept = None if np.isnan(kept_loss) else (kept_loss, kept, arrays["kept_rows"].copy())
        state, increment, has, last = _from_words(arrays["random"])
        self._rng.bit_generator.state = {
            "bit_generator": "PCG64", "state": {"state": state, "inc": increment}, "has_uint32": has, "uinteger": last,
        }  # fmt: skip
        parts = {name[5:]: value for name, value in arrays.items() if name.startswith("adam_")}
        self._adam = Adam.load(parts) if parts else None


def _words(state: int, increment: int, has: int, last: int) -> np.ndarray:
    mask = (1 << 64) - 1
    return np.array([state >> 64, state & mask, increment >> 64, increment & mask, has, last], np.uint64)


def _from_words(words: np.ndarray) -> tuple[int, int, int, int]:
    a, b, c, d, has, last = (int(w) for w in words)
    return a << 64 | b, c << 64 | d, has, last
