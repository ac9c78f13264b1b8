"""Waves: the default search in the form of a few device programs.

What makes the default search good is kept: shapes are grown where the picture is wrong, colours follow in closed form,
the gradient moves all of them together, and cycles renew those that would be missed least (see ``grow``). But what a
host does one after another is done for many at once. A *wave* of new shapes comes from one evolution: thousands of
candidates all over the picture, the best of which have children, all judged together; then the best survivor is laid on
the picture, the others are judged again on it, and so on, while what they gain is still of the size of what the first
has gained. One program removes shapes, grows waves, takes gradient steps and judges the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from evoart.search.adam import BETA1, BETA2, LAST, TINY, adam_moments
from evoart.search.blocks import MOST as MOST_WAVES
from evoart.search.blocks import BlockSearch, generations_per_block
from evoart.search.checkpoint import check_layout
from evoart.search.counter_rng import CounterRNG
from evoart.search.grow import COLOUR_RATE, FINISH_RATE, JUDGED
from evoart.search.place import FACTORS, STEP
from evoart.search.plan import GRADIENT, Phase, Plan
from evoart.search.program import Program
from evoart.types import Array

MOST = 8  # shapes of one wave
JUDGED_AT_ONCE = 2**16  # candidates, however large the effort
LEAST = 0.3  # what a shape of a wave gains, at least, in what its first has gained
SAMPLES, SURVIVORS, GENERATIONS = 4, 8, 0.5  # of a wave, in those of one shape of the default search


class Orders(NamedTuple):
    """What one program is to do, in this order; numbers that it is called with.

    Attributes:
        remove: shapes that would be missed least.
        goal, waves: grow so many waves at most, until there are ``goal`` shapes; where they do, go on.
        steps, count: of so many gradient steps in all, take ``count`` now.
        judge: whether to judge the best of the polish on the full canvas after every program, and not after the last.
    """

    remove: int
    goal: int
    waves: int
    steps: int
    count: int
    judge: int


class State(NamedTuple):
    """What a program takes and gives: ``k`` shapes of which ``count`` are there, and a polish of all of them."""

    rows: Array  # (k, d)
    members: Array  # (k,) int32, the kind of each
    counts: Array  # (3,) int32: shapes, gradients taken of the polish, evaluations of this program
    mean: Array  # (k, d), as of ``Adam``, and the next three
    square: Array
    best: Array  # (k, d)
    lowest: Array  # loss of the best
    figures: Array  # (2,) loss and PSNR in dB of the best on the full canvas


class _Accepted(NamedTuple):
    """The shapes that the last successful cycle ended with, and their loss on the coarse canvas."""

    loss: float
    rows: np.ndarray
    members: np.ndarray


class Waves(BlockSearch):
    """See the module's text; a ``Search`` that chooses the kinds of its shapes itself.

    Args:
        coarse, fine: canvases (``evoart.engine.waves.WaveCanvas``) to grow on and to finish on, of the same kinds.
        groups: how many shapes, 1 or more.
        scales: natural step of every number of a row's geometry, ``(kinds, g)``.
        places: which numbers of it are positions along x and y, ``(kinds, 2, g)`` of 0 and 1.
        sample: ``sample(rng, kind, n)`` gives the geometry ``(n, g)`` of random shapes of a kind around the origin.
        bounds: lowest and highest value of the last four columns of a row (red, green, blue, opacity), ``(2, 4)``.
        seed: decides everything random.
        plan: how much work.
        start: kinds and rows ``(k, g + 4)`` to continue from.
        free_colours: False holds colours as placed (a palette).
    """

    def __init__(
        self, coarse: Any, fine: Any, groups: int, scales: np.ndarray, places: np.ndarray,
        sample: Callable[[np.random.Generator, str, int], np.ndarray], bounds: np.ndarray, seed: int, plan: Plan,
        start: tuple[tuple[str, ...], np.ndarray] | None = None, free_colours: bool = True,
    ) -> None:  # fmt: skip
        self.coarse, self.fine, self.groups, self.plan, self._seed = coarse, fine, groups, plan, seed
        self._scales, self._places, self._bounds = (a.astype(np.float32) for a in (scales, places, bounds))
        self._sample, self._free_colours = sample, free_colours
        rows, members = np.zeros((groups, scales.shape[1] + 4), np.float32), np.zeros(groups, np.int32)
        kinds = start[0] if start else ()
        if start:
            rows[: len(kinds)], members[: len(kinds)] = start[1], [coarse.kinds.index(kind) for kind in kinds]
        self._started = len(kinds)
        far = np.float32(np.inf)
        counts = np.array([len(kinds), 0, 0], np.int32)
        self._state = State(rows, members, counts, rows, rows, rows, far, np.array([far, far]))
        self._accepted = _Accepted(np.inf, rows, members)
        self._programs: dict[bool, Program] = {}
        self._phase, self._round, self._goal, self._remove = Phase.GROW, 0, 0, 0
        self.generation, self.evaluations = 0, 0
        self._judge = jax.jit(fine.losses)
        self.loss, self.psnr = np.inf, 0.0
        self._report(rows, members, len(kinds), self._judge(rows, members, counts[0], fine.inputs))
        self._start_stage()

    # What the run loop sees.

    @property
    def done(self) -> bool:
        """Whether the plan is done."""
        return self._phase == Phase.DONE

    @property
    def stage(self) -> str:
        """What is being done, for the progress line."""
        return self.plan.stage(self._phase, self._round, int(self._state.counts[0]), self.groups)

    @property
    def progress(self) -> float:
        """Share of the planned work that is done, 0 to 1, in estimated cost."""
        return self.plan.progress(self._phase, self._round, int(self._state.counts[1]))

    @property
    def planned(self) -> int:
        """Evaluations that the whole plan takes, about."""
        return round(self.plan.evaluations(self.groups, self.groups - self._started, len(self.coarse.kinds)))

    @property
    def resolved(self) -> dict[str, float]:
        """The plan, whatever budget it came from, as options by which the run can be done again."""
        return self.plan.options

    @property
    def notes(self) -> list[str]:
        """What was done about the device's memory."""
        return [note for program in self._programs.values() for note in program.notes]

    # One step: a program, and what follows from it.

    def step(self) -> None:
        """One program."""
        if self.done:
            return
        fine = self._phase == Phase.FINISH
        if fine not in self._programs:
            self._programs[fine] = Program(self.engine, self.run_traced)
        self.take(jax.device_get(self._programs[fine](*self.block())))

    @property
    def engine(self) -> Any:
        """The canvas that is worked on; see ``BlockSearch``."""
        return self.fine if self._phase == Phase.FINISH else self.coarse

    @property
    def _samples(self) -> int:
        """Random candidates of a wave, of each kind."""
        return -(-min(SAMPLES * self.plan.effort.samples, JUDGED_AT_ONCE) // len(self.coarse.kinds))

    @property
    def _survivors(self) -> int:
        return min(SURVIVORS * self.plan.effort.survivors, self._samples * len(self.coarse.kinds))

    @property
    def _children(self) -> int:
        return max(1, min(self.plan.effort.children, JUDGED_AT_ONCE // self._survivors))

    @property
    def _generations(self) -> int:
        return max(1, round(GENERATIONS * self.plan.effort.generations))

    @property
    def block_key(self) -> tuple | None:
        """See ``BlockSearch``."""
        if self.done:
            return None
        fine = self._phase == Phase.FINISH
        return (
            type(self).__name__,
            fine,
            self.coarse.key,
            self.fine.key,
            self.groups,
            self.plan.effort,
            self._free_colours,
        )

    def block(self) -> tuple[Any, ...]:
        """See ``BlockSearch``."""
        key = np.array([self._seed & 0xFFFFFFFF, self.generation & 0xFFFFFFFF], np.uint32)
        inputs = self.coarse.inputs, self.fine.inputs
        return inputs, key, self._pool(), self._rates(), np.array(self._orders(), np.int32), self._state

    def _orders(self) -> Orders:
        (steps, _), taken = self._polish(), int(self._state.counts[1])
        count = min(generations_per_block(self.engine, GRADIENT), steps + 1 - taken)
        if self._phase == Phase.REGROW and taken < (at := int(JUDGED * steps)):
            count = min(count, at - taken)
        judged = len(self.coarse.kinds) * self._samples + self._survivors * self._children * self._generations
        waves = generations_per_block(self.engine, -(-judged // self.groups))
        return Orders(self._remove, self._goal, waves, steps, count, int(self._phase == Phase.FINISH))

    def _polish(self) -> tuple[int, float]:
        """Steps of the present polish, and its share of the learning rates."""
        if self._phase == Phase.REGROW:
            return self.plan.cycle_polish(self._round)
        if self._phase == Phase.FINISH:
            return self.plan.finish, FINISH_RATE
        return (self.plan.stage_steps if self._started < self.groups else 0), 1.0

    def _rates(self) -> np.ndarray:
        """Learning rates of every kind ``(kinds, g + 4)``, as ``polishing.learning_rates`` and ``Grow`` have them."""
        rate = self.plan.rate * min(1.0, (50 / max(self._goal, 1)) ** 0.25)
        paint = np.full((len(self._scales), 4), 2 * rate)
        paint[:, :3] = min(2 * rate, COLOUR_RATE * self.plan.rate) if self._free_colours else 0.0
        return (self._polish()[1] * np.hstack([rate * self._scales / 0.1, paint])).astype(np.float32)

    def _pool(self) -> np.ndarray:
        """Geometry ``(kinds, n, g)`` of random shapes around the origin, where any are to be grown."""
        pool = np.zeros((len(self.coarse.kinds), self._samples, self._scales.shape[1]), np.float32)
        if int(self._state.counts[0]) - self._remove < self._goal:
            rng = np.random.default_rng([self._seed, self.generation])
            for each, kind in zip(pool, self.coarse.kinds, strict=True):
                found = self._sample(rng, kind, self._samples)
                each[:, : found.shape[1]] = found
        return pool

    def take(self, found: Any) -> None:
        """See ``BlockSearch``."""
        self._state = State(*(np.asarray(each) for each in found))
        count, taken, evaluated = (int(each) for each in self._state.counts)
        self.generation, self._remove = self.generation + 1, 0
        self.evaluations += evaluated
        (steps, _), lowest = self._polish(), float(self._state.lowest)
        if taken > steps:
            self._report(self._state.best, self._state.members, count, self._state.figures)
            self._end_polish(lowest)
        elif self._phase == Phase.FINISH and taken:
            self._report(self._state.best, self._state.members, count, self._state.figures)
        elif (
            self._phase == Phase.REGROW
            and taken >= int(JUDGED * steps) > 0
            and self.plan.is_hopeless(self._round, lowest, self._accepted.loss)
        ):
            self._end_polish(np.inf)

    def settle(self) -> None:
        """See ``Search.settle``: of a stage that is not at its end, the shapes that are there."""
        if self._phase == Phase.GROW:
            rows = self._state.best if self._state.counts[1] else self._state.rows
            members, count = self._state.members, self._state.counts[0]
            self._report(rows, members, int(count), self._judge(rows, members, count, self.fine.inputs))

    def _report(self, rows: np.ndarray, members: np.ndarray, count: int, figures: Array) -> None:
        """Make these shapes the best so far, if they are, as judged on the full canvas."""
        loss, decibels = (float(each) for each in np.asarray(figures))
        if loss < self.loss:
            self.loss, self.psnr = loss, decibels
            self.structure = tuple(self.coarse.kinds[i] for i in members[:count])
            self.genome = np.array(rows[:count]).ravel()

    # What comes next.

    def _begin(self, rows: np.ndarray, members: np.ndarray, count: int, goal: int, remove: int = 0) -> None:
        """Have the next programs remove shapes, grow others and polish all."""
        nothing, far = np.zeros_like(rows), np.float32(np.inf)
        counts, self._goal, self._remove = np.array([count, 0, 0], np.int32), goal, remove
        self._state = State(rows, members, counts, nothing, nothing, rows, far, np.array([far, far]))

    def _start_stage(self) -> None:
        """Of the shapes that are missing, as many as this stage grows. Where none are, what is there is judged."""
        count = int(self._state.counts[0])
        missing, left = self.groups - count, max(self.plan.stages - self._round, 1)
        self._begin(self._state.best, self._state.members, count, count + -(-missing // left))

    def _end_polish(self, loss: float) -> None:
        self._round += 1
        state = self._state
        if self._phase == Phase.FINISH:
            self._phase = Phase.DONE
        elif self._phase == Phase.GROW and self._goal < self.groups:
            self._start_stage()
        else:
            if loss < self._accepted.loss:
                self._accepted = _Accepted(loss, state.best, state.members)
            if self._phase == Phase.GROW:
                self._phase, self._round = Phase.REGROW, 0
            self._start_cycle()

    def _start_cycle(self) -> None:
        rows, members = self._accepted.rows, self._accepted.members
        remove = 0
        if self._round < self.plan.cycles_done:
            share = self.plan.share * (1 - self._round / self.plan.cycles)
            remove = max(1, round(share * self.groups))
        else:
            self._phase, self._round = Phase.FINISH, 0
        self._begin(rows, members, self.groups, self.groups, remove)

    # The program.

    def run_traced(
        self, inputs: tuple, key: Array, pool: Array, rates: Array, orders: Array, state: State
    ) -> tuple[Array, ...]:
        """See ``BlockSearch``."""
        remove, goal, waves, steps, count, judge = orders
        fine = self._phase == Phase.FINISH  # where nothing is left to grow
        canvas, mine = self.engine, inputs[int(fine)]
        rows, members, counts, mean, square, best, lowest, figures = state
        shapes, taken, _ = counts

        def without(rows: Array, members: Array, shapes: Array) -> tuple[Array, Array]:
            there = jnp.arange(len(rows)) < shapes
            missed = jnp.where(there, canvas.removal(rows, members, shapes, mine), jnp.inf)
            rank = jnp.argsort(jnp.argsort(missed, stable=True), stable=True)
            order = jnp.argsort(jnp.where(rank < remove, 1, 0), stable=True)
            return rows[order], members[order]

        evaluated = jnp.int32(GRADIENT) * (remove > 0)
        if not fine:
            rows, members = jax.lax.cond(remove > 0, without, lambda *same: same[:2], rows, members, shapes)

        def growing(carry: tuple) -> Array:
            return (carry[2] < goal) & (carry[3] < waves)

        def grow(carry: tuple) -> tuple:
            rows, members, shapes, wave, evaluated = carry
            draws = CounterRNG.of(jnp, key[0], key[1] * MOST_WAVES + wave.astype(jnp.uint32))
            rows, members, shapes, more = self._wave(draws, canvas, mine, pool, rows, members, shapes, goal)
            return rows, members, shapes, wave + 1, evaluated + more

        if not fine:
            begun = rows, members, shapes - remove, jnp.int32(0), evaluated
            rows, members, shapes, _, evaluated = jax.lax.while_loop(growing, grow, begun)
        rate, bounds = rates[members], self._bounds

        def descend(_: Array, carry: tuple) -> tuple:
            rows, mean, square, best, lowest, taken = carry
            loss, slope = jax.value_and_grad(canvas.loss)(rows, members, shapes, mine)
            better = loss < lowest
            best, lowest = jnp.where(better, rows, best), jnp.where(better, loss, lowest)
            t = (taken + 1).astype(jnp.float32)
            mean, square = adam_moments(mean, square, jnp.nan_to_num(slope))
            falling = 1 - (1 - LAST) * (t - 1) / jnp.maximum(steps, 1)
            scale = falling * jnp.sqrt(1 - BETA2**t) / (1 - BETA1**t)
            moved = rows - rate * scale * mean / (jnp.sqrt(square) + TINY)
            moved = jnp.concatenate([moved[:, :-4], jnp.clip(moved[:, -4:], *bounds)], 1)
            return jnp.where(taken < steps, moved, rows), mean, square, best, lowest, taken + 1

        count = jnp.where(shapes < goal, 0, count)
        polish = rows, mean, square, best, lowest, taken
        rows, mean, square, best, lowest, taken = jax.lax.fori_loop(0, count, descend, polish)

        def measure(best: Array) -> Array:
            return self.fine.losses(best, members, shapes, inputs[1])

        due = (count > 0) & ((taken > steps) | (judge > 0))
        figures = jax.lax.cond(due, measure, lambda _: figures, best)
        counts = jnp.stack([shapes, taken, evaluated + GRADIENT * count])
        return rows, members, counts, mean, square, best, lowest, figures

    def _wave(
        self,
        draws: CounterRNG,
        canvas: Any,
        inputs: Any,
        pool: Array,
        rows: Array,
        members: Array,
        shapes: Array,
        goal: Array,
    ) -> tuple[Array, Array, Array, Array]:
        """Rows, kinds and number of shapes with a wave more, and how many candidates were judged."""
        keep = self._survivors
        picture = canvas.picture(rows, members, shapes, inputs)
        kinds, each, geometry = pool.shape
        member = jnp.repeat(jnp.arange(kinds, dtype=jnp.int32), each, total_repeat_length=kinds * each)
        at = canvas.places(draws.uniform(0, (kinds * each, 3)), picture, inputs)
        moved = jnp.einsum("nx,nxg->ng", at, jnp.asarray(self._places)[member], precision="highest")
        born = jnp.pad(pool.reshape(-1, geometry) + moved, ((0, 0), (0, 4)))
        gains, paint = canvas.gains(born, member, picture, inputs)
        kept = jax.lax.top_k(gains, keep)[1]
        member, children = member[kept], self._children
        scale = jnp.asarray(self._scales)[member]
        of = jnp.repeat(jnp.arange(keep), children, total_repeat_length=keep * children)
        first = jnp.arange(keep) * children

        def generation(carry: tuple, random: tuple[Array, Array]) -> tuple[tuple, None]:
            born, gains, paint, step = carry
            normal, chosen = random
            move = jnp.where(chosen < 0.5, normal[:, 1:] * scale[of], 0.0)
            far = step[of] * jnp.exp(normal[:, 0])
            young = born[of] + jnp.pad(far[:, None] * move, ((0, 0), (0, 4)))
            theirs, their_paint = canvas.gains(young, member[of], picture, inputs)
            best = theirs.reshape(keep, children).argmax(1) + first
            better = theirs[best] > gains
            born = jnp.where(better[:, None], young[best], born)
            paint = jnp.where(better[:, None], their_paint[best], paint)
            return (born, jnp.where(better, theirs[best], gains), paint, step * jnp.where(better, *FACTORS)), None

        begun = born[kept], gains[kept], paint[kept], jnp.full(keep, STEP / 0.1, jnp.float32)
        size = self._generations, len(of)
        random = draws.normal(1, (*size, 1 + geometry)), draws.uniform(2, (*size, geometry))
        born = jax.lax.scan(generation, begun, random)[0][0]
        covered = canvas.covered(born, member)

        def lay(i: Array, carry: tuple) -> tuple:
            rows, members, shapes, picture, first, judged = carry
            gains, paint = canvas.gains_of(covered, picture, inputs)
            best = gains.argmax()
            first = jnp.where(i == 0, gains[best], first)
            wanted = (shapes < goal) & ((i == 0) | (gains[best] >= LEAST * first) & (first > 0))
            row = born[best].at[-4:].set(paint[best])
            place = jnp.where(wanted, shapes, len(rows))  # beyond the end: nowhere
            rows, members = rows.at[place].set(row, mode="drop"), members.at[place].set(member[best], mode="drop")
            picture = jnp.where(wanted, canvas.lay(picture, covered[best], paint[best]), picture)
            return rows, members, shapes + wanted, picture, first, judged + keep * wanted

        judged = jnp.int32(kinds * each + len(of) * self._generations)
        laid = rows, members, shapes, picture, jnp.float32(0), judged
        rows, members, shapes, _, _, judged = jax.lax.fori_loop(0, MOST, lay, laid)
        return rows, members, shapes, judged

    # Checkpoints.

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        kinds = [self.coarse.kinds.index(kind) for kind in self.structure]
        best = np.zeros((self.groups, self._state.rows.shape[1]), np.float32)
        best[: len(kinds)] = self.genome.reshape(len(kinds), best.shape[1])
        counts = (
            list(Phase).index(self._phase),
            self._round,
            self._goal,
            self._remove,
            self.generation,
            self.evaluations,
            len(kinds),
        )
        return {f"state_{name}": np.array(each) for name, each in self._state._asdict().items()} | {
            "accepted_rows": self._accepted.rows.copy(),
            "accepted_members": self._accepted.members.copy(),
            "best_rows": best,
            "best_members": np.array(kinds + [0] * (self.groups - len(kinds)), np.int32),
            "counts": np.array(counts, np.int64),
            "losses": np.array([self._accepted.loss, self.loss, self.psnr]),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        check_layout(self.arrays(), arrays)
        self._state = State(*(np.array(arrays[f"state_{name}"]) for name in State._fields))
        phase, self._round, self._goal, self._remove, self.generation, self.evaluations, count = (
            int(each) for each in arrays["counts"]
        )
        self._phase = list(Phase)[phase]
        accepted, self.loss, self.psnr = (float(each) for each in arrays["losses"])
        self._accepted = _Accepted(accepted, arrays["accepted_rows"].copy(), arrays["accepted_members"].copy())
        self.structure = tuple(self.coarse.kinds[i] for i in arrays["best_members"][:count])
        self.genome = arrays["best_rows"][:count].ravel()
