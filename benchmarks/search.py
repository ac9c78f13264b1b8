"""The default search against the others at equal evaluations and at equal CPU seconds, inside one process.

    python benchmarks/search.py

Every search is built and does its first step (which compiles) before its CPU clock starts. It then runs until it has
spent both budgets; its best loss within each is noted. The default search plans ahead, and so does Adam, whose rate
falls: they run once with each budget. A gradient counts as three evaluations. All that do not grow start from the same
random triangles, coloured from the photograph. Judged on the search's own canvas.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from unittest import mock

import common
import numpy as np

from evoart.engine.jax_setup import setup
from evoart.engine.scanline import ScanlineEngine
from evoart.forms.boxes import boxes
from evoart.run import problem as problems
from evoart.run.job import Job
from evoart.search.adam import Adam
from evoart.search.independent_sets import IndependentSets
from evoart.search.plan import GRADIENT
from evoart.types import Search

PICTURES = ("astronaut", "chelsea", "coffee")
RATE, FINE = 0.01, 0.002  # of Adam's positions, from anywhere and at the end, as in the default search
WARM = 20  # steps of Adam that tell its speed
EVOLVED = 0.7  # share of a budget before the gradient takes over, where both have a part


class Climber:
    """(1 + 1): one shape moves a step (a corner, its paint, or all of it), and stays if the picture is better."""

    def __init__(self, engine: ScanlineEngine, start: np.ndarray, seed: int) -> None:
        self.engine, self.form = engine, engine.form
        self._rng = np.random.default_rng([seed, 7])
        self._scale = self.form.steps().reshape(self.form.groups, -1)
        self.genome, self.loss, self.evaluations, self.done = (
            start.copy(),
            float(engine.losses(start[None])[0]),
            1,
            False,
        )

    def step(self) -> None:
        rows = self.genome.reshape(self.form.groups, -1).copy()
        shape, geometry = self._rng.integers(len(rows)), self.form.geometry
        what = self._rng.choice(3, p=(0.4, 0.4, 0.2))
        mask = np.zeros(rows.shape[1])
        if what == 0:
            corner = 2 * self._rng.integers(geometry // 2)
            mask[corner : corner + 2] = 1
        else:
            mask[geometry if what == 1 else 0 :] = 1
        size = np.exp(self._rng.uniform(np.log(0.03), np.log(3)))
        rows[shape] += (size * mask * self._scale[shape] * self._rng.normal(size=mask.shape)).astype(np.float32)
        loss = float(self.engine.losses(rows.reshape(1, -1))[0])
        self.evaluations += 1
        if loss < self.loss:
            self.genome, self.loss = rows.ravel(), loss


class GradientDescent:
    """Adam down the exact gradient of the anti-aliased picture."""

    def __init__(self, engine: ScanlineEngine, start: np.ndarray, steps: int, rate: float = RATE) -> None:
        form = engine.form
        rates = rate * (50 / form.groups) ** 0.25 * form.steps() / 0.1
        self._engine, self._adam = engine, Adam(start, rates.astype(np.float32), steps)
        self._bounds = form.opacity
        self.evaluations = 0

    def step(self) -> None:
        self._adam.step(self._engine.gradient, self._clip)
        self.evaluations += GRADIENT

    def _clip(self, genome: np.ndarray) -> np.ndarray:
        form = self._engine.form
        rows = genome.reshape(form.groups, -1)
        rows[:, -4:-1] = np.clip(rows[:, -4:-1], 0, 1)
        rows[:, -1] = np.clip(rows[:, -1], *self._bounds)
        return genome

    @property
    def loss(self) -> float:
        return self._adam.loss

    @property
    def done(self) -> bool:
        return self._adam.done


def follow(search, evaluations: int, seconds: float) -> tuple[tuple[float, float], tuple[float, int]]:
    """Run a search until both budgets are spent: (loss, CPU s) within the evaluations, (loss, evaluations) within the
    CPU seconds. An infinite budget is not waited for."""
    search.step()
    by_count, by_time = (search.loss, 0.0), (search.loss, search.evaluations)
    began = time.process_time()
    while not search.done:
        search.step()
        spent = time.process_time() - began
        if search.evaluations <= evaluations:
            by_count = (search.loss, spent)
        if spent <= seconds:
            by_time = (search.loss, search.evaluations)
        if all(over or budget == np.inf for over, budget in (
            (search.evaluations >= evaluations, evaluations), (spent >= seconds, seconds)
        )):  # fmt: skip
            break
    return by_count, by_time


def methods() -> dict[str, Callable]:
    """How each method spends both budgets on ``(name, shapes, seed, pixels, evaluations, seconds, path)``."""
    return {
        "default (grow, polish, renew)": default,
        "grow, then independent sets": grown_sets,
        "the same, then Adam": polished_sets,
        "independent sets": sets,
        "regional, snes": strategic("regional", "snes"),
        "classical, snes": strategic("classical", "snes"),
        "classical, pgpe": strategic("classical", "pgpe"),
        "(1+1) hill climber": climber,
        "Adam from random starts": descent,
    }


def prepare(path, shapes: int, seed: int, pixels: int, evaluations: int | None = None, **more) -> problems.Problem:
    job = Job.make(picture=str(path), shapes=shapes, seed=seed, pixels=pixels, evaluations=evaluations, **more)
    return problems.prepare(job)


def default(path, shapes, seed, pixels, evaluations, seconds):
    count, _ = follow(prepare(path, shapes, seed, pixels, evaluations).search(), evaluations, np.inf)
    with mock.patch.object(time, "monotonic", time.process_time):  # the budget is CPU time here
        _, timed = follow(prepare(path, shapes, seed, pixels, None, seconds=seconds).search(), np.inf, seconds)
    return count, timed


def grown_sets(path, shapes, seed, pixels, evaluations, seconds):
    problem = prepare(path, shapes, seed, pixels, evaluations, search="sets", engine="scanline")
    return follow(problem.search(), evaluations, seconds)


def polished_sets(path, shapes, seed, pixels, evaluations, seconds):
    """Evolution for most of a budget, the gradient for the rest."""
    problem = prepare(path, shapes, seed, pixels, evaluations, search="sets", engine="scanline")

    def polished(over: Callable[[Search, float], bool], left: Callable[[GradientDescent, Search, float], int]):
        search = problem.search()
        search.step()
        began = time.process_time()
        while not over(search, time.process_time() - began):
            search.step()
        engine = ScanlineEngine(problem.form.with_kinds(search.structure or problem.form.kinds), problem.target)
        probe = GradientDescent(engine, search.genome, WARM, FINE)
        steps = left(probe, search, time.process_time() - began)
        descent = GradientDescent(engine, search.genome, max(1, steps), FINE)
        while not descent.done:
            descent.step()
        spent = time.process_time() - began
        return min(search.loss, descent.loss), spent, search.evaluations + descent.evaluations

    def steps_in_time(probe: GradientDescent, search: Search, spent: float) -> int:
        began = time.process_time()
        while not probe.done:
            probe.step()
        each = (time.process_time() - began) / WARM
        return int((seconds - spent - WARM * each) / each)

    loss, spent, _ = polished(
        lambda search, _: search.evaluations >= EVOLVED * evaluations,
        lambda _, search, __: (evaluations - search.evaluations) // GRADIENT - 1,
    )
    timed, _, used = polished(lambda _, spent: spent >= EVOLVED * seconds, steps_in_time)
    return (loss, spent), (timed, used)


def sets(path, shapes, seed, pixels, evaluations, seconds):
    problem = prepare(path, shapes, seed, pixels)
    engine = ScanlineEngine(problem.form, problem.target)
    return follow(
        IndependentSets(engine, None, seed, problem.builder().first_guess(), None, boxes), evaluations, seconds
    )


def strategic(search: str, strategy: str) -> Callable:
    def both(path, shapes, seed, pixels, evaluations, seconds):
        problem = prepare(path, shapes, seed, pixels, search=search, strategy=strategy, engine="scanline")
        return follow(problem.search(), evaluations, seconds)

    return both


def climber(path, shapes, seed, pixels, evaluations, seconds):
    problem = prepare(path, shapes, seed, pixels)
    engine = ScanlineEngine(problem.form, problem.target)
    return follow(Climber(engine, problem.builder().first_guess(), seed), evaluations, seconds)


def descent(path, shapes, seed, pixels, evaluations, seconds):
    problem = prepare(path, shapes, seed, pixels)
    engine, start = ScanlineEngine(problem.form, problem.target), problem.builder().first_guess()
    count, _ = follow(GradientDescent(engine, start, evaluations // GRADIENT - 1), evaluations, np.inf)
    probe, began = GradientDescent(engine, start, WARM), time.process_time()
    while not probe.done:
        probe.step()
    steps = int(seconds / ((time.process_time() - began) / WARM))
    _, timed = follow(GradientDescent(engine, start, steps), np.inf, 1.2 * seconds)
    return count, timed


def cells(args: argparse.Namespace) -> Iterator[dict]:
    for shapes in args.shapes:
        for name in PICTURES:
            for seed in range(args.seeds):
                for method in args.methods:
                    (loss, cpu), (timed, evaluations) = methods()[method](
                        common.picture(name, args.pictures), shapes, seed, args.pixels, args.evaluations, args.seconds
                    )
                    yield {
                        "triangles": shapes, "picture": name, "seed": seed, "method": method,
                        "count dB": common.db(loss), "CPU s": cpu, "time dB": common.db(timed),
                        "evaluations": evaluations,
                    }  # fmt: skip


def summary(rows: list[dict], args: argparse.Namespace) -> list[dict]:
    out = []
    for shapes in args.shapes:
        for method in args.methods:
            mine = [r for r in rows if (r["triangles"], r["method"]) == (shapes, method)]

            def mean(column: str, name: str | None = None, mine: list[dict] = mine) -> float:
                return statistics.mean(r[column] for r in mine if name in (None, r["picture"]))

            def each(column: str, mean: Callable = mean) -> str:
                return " / ".join(f"{mean(column, name):.2f}" for name in PICTURES)

            out.append({
                "triangles": shapes, "method": method,
                f"dB at {args.evaluations:,} evaluations": f"{mean('count dB'):.2f}",
                " / ".join(PICTURES): each("count dB"), "CPU s": f"{mean('CPU s'):.1f}",
                f"dB at {args.seconds:g} CPU s": f"{mean('time dB'):.2f}",
                " / ".join(PICTURES) + " ": each("time dB"), "evaluations": f"{mean('evaluations'):,.0f}",
            })  # fmt: skip
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--evaluations", type=int, default=8_192)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="+", default=list(methods()), choices=list(methods()), metavar="METHOD")
    parser.add_argument("--name", default="search", help="of the table")
    parser.add_argument("--shapes", type=int, nargs="+", default=[50, 200])
    args = parser.parse_args()
    setup()
    rows = []
    for row in cells(args):
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    common.table(summary(rows, args), args.name)


if __name__ == "__main__":
    main()
