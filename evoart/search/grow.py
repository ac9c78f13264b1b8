"""The default search: grow, polish jointly, prune and regrow, finish.

1. *Grow*: shapes are placed one by one on top, each by a small evolution of its geometry with colour and opacity in
   closed form (``place``), in stages with a joint polish of all shapes by gradient in between.
2. *Regrow*, in many cycles: the shapes whose removal costs least are pruned, new ones are placed where the picture is
   wrong, all are polished; the result is accepted if the loss fell. Evolution makes the large moves, the gradient the
   small ones.
3. *Finish* at full resolution.

The first two happen on a coarse canvas, where a shape costs a quarter or less. How much work each part is comes from a
``Plan``; where a time is given instead, a ``PlanClock`` fits the plan into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from evoart.search.adam import Adam
from evoart.search.individuals import rng_arrays, rng_from
from evoart.search.place import place
from evoart.search.plan import GRADIENT, Phase, Plan
from evoart.search.plan_clock import PlanClock
from evoart.search.polishing import learning_rates, take_steps
from evoart.types import Search

GRADIENT_STEPS = 10  # per unit of work
PLACED = 4  # shapes per unit of work
REPORTED = 1 / 16  # of its shapes a growing picture has more, before it is judged on the full canvas again
PROBE = 512  # candidates evaluated to see how fast this machine is
JUDGED = 0.6  # share of a cycle's steps after which it is given up, if it is too far behind
COLOUR_RATE = 1.05  # of colours at most, in that of positions of few shapes
FINISH_RATE = 0.2  # of the learning rates, in the last polish

Kinds = tuple[str, ...]


class _Accepted(NamedTuple):
    """The shapes that the last successful cycle ended with, and their loss on the coarse canvas."""

    loss: float
    kinds: Kinds
    rows: np.ndarray
    locked: np.ndarray


class Grow(Search):
    """See the module's text; a ``Search`` that chooses the kinds of its shapes itself.

    Args:
        coarse, fine: canvases (``evoart.engine.placement.PlacementCanvas``) to grow on and to finish on.
        kinds: the kinds to choose from.
        groups: how many shapes.
        scales: natural step of every number of each kind's geometry.
        bounds: lowest and highest value of the last four columns (red, green, blue, opacity), ``(2, 4)``.
        geometry: columns of geometry in a row.
        seed: of the one random generator.
        plan: how much work (None: as ``Plan()``).
        start: kinds and rows to continue from.
        gradient: False leaves out every gradient step: evolution alone.
        free_colours: False holds colours as placed (a palette).
        seconds: wall time to fit the plan into; None does what the plan says.
        locked: which of the start's shapes stay as they are ``(k,)``; None: none.
        paints: how the colour of a shape may run into a second one; none: shapes have one colour.
        limits: lowest and highest value of every number of geometry ``(2, g)``, of the kinds that have any.
    """

    def __init__(
        self, coarse: Any, fine: Any, kinds: Kinds, groups: int, scales: dict[str, np.ndarray],
        bounds: np.ndarray, geometry: int, seed: int, plan: Plan | None = None,
        start: tuple[Kinds, np.ndarray] | None = None, gradient: bool = True, free_colours: bool = True,
        seconds: float | None = None, locked: np.ndarray | None = None, paints: tuple[str, ...] = (),
        limits: Mapping[str, np.ndarray] | None = None,
    ) -> None:  # fmt: skip
        self.coarse, self.fine, self.choices, self.groups, self.scales = coarse, fine, kinds, groups, scales
        self.bounds, self.geometry, self.uses_gradient, self.free_colours = bounds, geometry, gradient, free_colours
        self.plan = plan or Plan()
        self.paints, self.limits = paints, dict(limits or {})
        self._clock = None if seconds is None else PlanClock(seconds)
        self._rng = np.random.default_rng(seed)
        nothing = np.zeros((0, geometry + 4), np.float32)
        self._kinds: Kinds = start[0] if start else ()
        self._rows = np.asarray(start[1] if start else nothing, np.float32)
        self._locked = np.zeros(len(self._rows), bool) if locked is None else np.array(locked, bool)
        self._missing = groups - len(self._rows)
        self._adam: Adam | None = None
        self._phase, self._round, self._goal = Phase.GROW, 0, 0
        self._accepted = _Accepted(np.inf, (), nothing, np.zeros(0, bool))
        self.generation, self.evaluations = 0, 0
        self.structure, self.genome = self._kinds, self._rows.ravel()
        self.loss, self.psnr = fine.evaluate(self.structure, self._rows)
        if self._clock:
            evaluated = PROBE * len(kinds)
            self.coarse.open(self._kinds, self._rows)
            self.plan = self._clock.fit_growing(self.plan, self._missing, len(kinds), self._probe, evaluated)
        self._start_stage()

    # -- what the run loop sees ---------------------------------------------------------------------------------

    @property
    def stage(self) -> str:
        """What is being done, for the progress line."""
        return self.plan.stage(self._phase, self._round, len(self._rows), self.groups)

    @property
    def done(self) -> bool:
        """Whether the plan is done."""
        return self._phase == Phase.DONE

    @property
    def progress(self) -> float:
        """Share of the planned work that is done, 0 to 1, in estimated cost."""
        return self.plan.progress(self._phase, self._round, self._adam.t if self._adam else 0)

    @property
    def planned(self) -> int:
        """Evaluations that the whole plan takes, about."""
        return round(self.plan.evaluations(self.groups, self._missing, len(self.choices)))

    @property
    def resolved(self) -> dict[str, float]:
        """The plan, whatever budget it came from, as options by which the run can be done again."""
        return self.plan.options

    def step(self) -> None:
        """One small unit of work: a few shapes placed or a few gradient steps taken."""
        if self.done:
            return
        self.generation += 1
        if len(self._rows) < self._goal:
            self._place()
        elif self._adam is not None and not self._adam.done:
            self._polish(self._adam)
        else:
            self._end_polish()

    # -- growing ------------------------------------------------------------------------------------------------

    def _probe(self) -> None:
        """Judge ``PROBE`` candidates of every kind, by a generator of its own: the search must not depend on it."""
        rng = np.random.default_rng(0)
        for kind in self.choices:
            self.coarse.gains(kind, self.coarse.sample(rng, kind, PROBE))

    def _place(self) -> None:
        self.coarse.open(self._kinds, self._rows)
        for _ in range(min(PLACED, self._goal - len(self._rows))):
            kind, geometry, rgba, _, count = place(self._rng, self.coarse, self.choices, self.scales, self.plan.effort)
            row = np.zeros(self.geometry + 4, np.float32)
            row[: len(geometry)], row[-4:] = geometry, rgba
            if self.paints:
                kind, row = self.coarse.fit_ramp(kind, row, self.paints)
            self._kinds, self._rows = (*self._kinds, kind), np.vstack([self._rows, row])
            self._locked = np.append(self._locked, False)
            self.coarse.paint(kind, row)
            self.evaluations += count
        if self._phase == Phase.GROW and len(self._rows) - len(self.structure) >= REPORTED * len(self._rows):
            self._report(self._kinds, self._rows)
        if len(self._rows) >= self._goal:
            self._start_polish()

    def _start_stage(self) -> None:
        left, missing = self.plan.stages - self._round, self.groups - len(self._rows)
        if left <= 0 or missing <= 0:
            self._start_cycles()
        else:
            self._goal = len(self._rows) + -(-missing // left)

    # -- polishing ----------------------------------------------------------------------------------------------

    def _start_polish(self) -> None:
        if self._phase == Phase.FINISH and self._clock:
            self.plan = self._clock.fit_finish(self.plan, lambda: self.fine.gradient(self._kinds, self._rows))
        plan, rate = self.plan, FINISH_RATE if self._phase == Phase.FINISH else 1.0
        steps = plan.stage_steps if self._phase == Phase.GROW else plan.finish
        if self._phase == Phase.REGROW:
            steps, rate = plan.cycle_polish(self._round)
        self._adam = Adam(self._rows, self._rates() * rate, steps if self.uses_gradient else 0)

    def _rates(self) -> np.ndarray:
        rates = learning_rates(self._kinds, self._rows, self.scales, self.plan.rate, self.free_colours)
        rates[:, -4:-1] = np.minimum(rates[:, -4:-1], COLOUR_RATE * self.plan.rate)
        rates[self._locked] = 0
        return rates

    def _polish(self, adam: Adam) -> None:
        canvas = self.fine if self._phase == Phase.FINISH else self.coarse
        taken = adam.t
        take_steps(canvas, self._kinds, adam, GRADIENT_STEPS, self.bounds, self.limits)
        self.evaluations += GRADIENT * (adam.t - taken)
        if self._phase == Phase.FINISH:
            self._report(self._kinds, adam.best, adam.loss)
        elif self._phase == Phase.REGROW and self._is_hopeless(adam):
            self._end_polish()

    def _is_hopeless(self, adam: Adam) -> bool:
        """Whether the rest of a cycle's polish will not bring it to where the last successful one has ended."""
        far = JUDGED * adam.steps <= adam.t < adam.steps
        return far and self.plan.is_hopeless(self._round, adam.loss, self._accepted.loss)

    def _end_polish(self) -> None:
        """Continue from the polish's best, with what comes next."""
        loss, before = np.inf, self._accepted
        if self._adam is not None:
            self._rows, loss = self._adam.best, self._adam.loss
        self._adam = None
        self._round += 1
        if self._phase == Phase.GROW:
            self._start_stage()
        elif self._phase == Phase.REGROW:
            self._end_cycle(loss)
        else:
            self._phase = Phase.DONE
        if self._phase == Phase.GROW:
            self._report(self._kinds, self._rows)
        elif self._phase != Phase.DONE and self._accepted is not before:
            self._report(self._accepted.kinds, self._accepted.rows)

    # -- pruning and regrowing ----------------------------------------------------------------------------------

    def _start_cycles(self) -> None:
        self._phase, self._round = Phase.REGROW, 0
        self._accepted = _Accepted(
            self.coarse.evaluate(self._kinds, self._rows)[0], self._kinds, self._rows, self._locked
        )
        self._start_cycle()

    def _start_cycle(self) -> None:
        """Prune what costs least to lose; ``step`` then places as many new shapes and polishes."""
        if self._clock:
            self.plan = self._clock.fit_cycles(
                self.plan,
                self._round,
                lambda: self.fine.gradient(self._kinds, self._rows),
                lambda: self.coarse.gradient(self._kinds, self._rows),
            )
        if self._round >= self.plan.cycles_done:
            self._start_finish()
            return
        share = self.plan.share * (1 - self._round / self.plan.cycles)
        removal = self.coarse.removal(self._kinds, self._rows)
        self.evaluations += GRADIENT
        free = len(self._rows) - int(self._locked.sum())
        gone = min(free, max(1, round(share * free)))
        keep = np.sort(np.argsort(np.where(self._locked, np.inf, removal), kind="stable")[gone:])
        self._kinds, self._rows = tuple(self._kinds[i] for i in keep), self._rows[keep]
        self._locked = self._locked[keep]
        self._goal = self.groups

    def _end_cycle(self, loss: float) -> None:
        """Accept the new picture if it is better, else go back to the one before."""
        if loss < self._accepted.loss:
            self._accepted = _Accepted(loss, self._kinds, self._rows, self._locked)
        else:
            _, self._kinds, self._rows, self._locked = self._accepted
        self._start_cycle()

    def _start_finish(self) -> None:
        """The last polish, after placing what a plan without stages and cycles has left out."""
        self._phase, self._round, self._goal = Phase.FINISH, 0, self.groups
        if len(self._rows) >= self._goal:
            self._start_polish()

    def _report(self, kinds: Kinds, rows: np.ndarray, loss: float | None = None) -> None:
        """Make these shapes the best so far, if they are, as evaluated on the full canvas."""
        if loss is not None and loss >= self.loss:
            return
        exact, psnr = self.fine.evaluate(kinds, rows)
        if exact < self.loss:
            self.structure, self.genome, self.loss, self.psnr = kinds, rows.ravel().copy(), exact, psnr

    # -- state --------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state, for a checkpoint; no pickles."""
        coded = {"kinds": self.structure, "now": self._kinds, "accepted": self._accepted.kinds}
        names = sorted({kind for kinds in coded.values() for kind in kinds})
        code = {name: i for i, name in enumerate(names)}
        out = {
            "names": np.array(names, dtype=str),
            "rows": self._rows,
            "genome": self.genome,
            "accepted_rows": self._accepted.rows,
            "locked": self._locked,
            "accepted_locked": self._accepted.locked,
            "phase": np.array(self._phase.value),
            "counts": np.array([self._round, self._goal, self.generation, self.evaluations]),
            "plan": self.plan.array(),
            "clock": np.zeros(3) if self._clock is None else self._clock.array(),
            "losses": np.array([self.loss, self.psnr, self._accepted.loss]),
        }
        out |= {f"{name}_kinds": np.array([code[kind] for kind in kinds], np.int64) for name, kinds in coded.items()}
        if self._adam is not None:
            out |= {f"adam_{name}": value for name, value in self._adam.arrays().items()}
        return out | rng_arrays(self._rng)

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take on the state that ``arrays`` gave.

        Raises:
            KeyError, ValueError: the arrays belong to another search.
        """
        names = [str(name) for name in arrays["names"]]
        self.structure, self._kinds, accepted = (
            tuple(names[i] for i in arrays[f"{name}_kinds"]) for name in ("kinds", "now", "accepted")
        )
        self._rows, self.genome = arrays["rows"].copy(), arrays["genome"].copy()
        self._phase = Phase(str(arrays["phase"]))
        self._round, self._goal, self.generation, self.evaluations = (int(v) for v in arrays["counts"])
        self.plan = Plan.from_array(arrays["plan"])
        if self._clock:
            timed = arrays["clock"][0] > 0 or self._phase == Phase.GROW
            # Where cycles were planned without a clock, a time only ends the run.
            self._clock = PlanClock.from_array(arrays["clock"], self._clock.seconds) if timed else None
        self.loss, self.psnr, accepted_loss = (float(v) for v in arrays["losses"])
        accepted_rows = arrays["accepted_rows"].copy()
        # Checkpoints from before shapes could be locked have none.
        self._locked = np.array(arrays.get("locked", np.zeros(len(self._rows))), bool)
        accepted_locked = np.array(arrays.get("accepted_locked", np.zeros(len(accepted_rows))), bool)
        self._accepted = _Accepted(accepted_loss, accepted, accepted_rows, accepted_locked)
        self._rng = rng_from(arrays)
        parts = {name[5:]: value for name, value in arrays.items() if name.startswith("adam_")}
        self._adam = Adam.load(parts) if parts else None
