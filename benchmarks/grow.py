"""Pictures that grow: what training costs, how well they hold and heal, and evolution against the gradient.

    python benchmarks/grow.py rate
    python benchmarks/grow.py likeness lizard.html cat.html
    python benchmarks/grow.py strategies

rate: updates of the default training, of a lizard of 24 cells. likeness: PSNR in dB of what evoart grow
has made, on white, after so many steps, and after a wound. strategies: a mushroom of 8 cells, 16 hidden units; the
gradient, and strategies at as many evaluations (a gradient counts as three) and as many CPU seconds; loss and PSNR are
those after 48 steps of growth.
"""

from __future__ import annotations

import argparse
import time

import common
import numpy as np

from evoart.automaton import rule
from evoart.run.automaton.job import AutomatonJob
from evoart.run.automaton.problem import AutomatonProblem, measure_likeness

UPDATES = 150  # of the gradient, with which strategies are compared
GROWN = 48  # steps
STRATEGIES = ("open_es", "snes", "sep_cma_es", "pgpe")


def rate(updates: int = 60) -> None:
    """Wall and CPU seconds of an update."""
    search = AutomatonProblem.prepare(AutomatonJob.make(seed=1)).search()
    for _ in range(2):
        search.step()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(updates):
        search.step()
    wall, cpu = (time.perf_counter() - wall) / updates, (time.process_time() - cpu) / updates
    row = {
        "updates": updates,
        "wall s each": f"{wall:.3f}",
        "CPU s each": f"{cpu:.3f}",
        "2,000, min": f"{wall * 2000 / 60:.1f}",
    }
    common.table([row], "grow-rate")


def likeness(files: list[str]) -> None:
    """PSNR of finished automata at several ages, and as a wound heals."""
    from evoart.run.api import load

    rows = []
    for file in files:
        result = load(file)
        target, form = AutomatonProblem.prepare(result.job).target, result.form
        row: dict[str, object] = {"picture": result.job.words or result.job.picture, "updates": result.generations}
        cells, before = rule.seed_cell(form.rows, form.columns), 0
        for age in (96, 200, 500, 1000, 3000):
            cells, before = rule.simulate(result.genome, cells, form.seed, before, age), age
            row[f"{age:,} steps"] = f"{measure_likeness(cells, target):.1f}"
            if age == 1000:
                hurt = rule.wound(cells, *rule.place_wound(form.rows, form.columns))
        row["wounded"] = f"{measure_likeness(hurt, target):.1f}"
        for steps in (25, 50, 100, 200, 400):
            healed = rule.simulate(result.genome, hurt, form.seed, 1000, 1000 + steps)
            row[f"healing for {steps}"] = f"{measure_likeness(healed, target):.1f}"
        rows.append(row)
    common.table(rows, "grow-likeness")


def strategies() -> None:
    """The gradient, and strategies at equal evaluations and at equal CPU seconds."""
    rows, given = [], {"words": "🍄", "pixels": 8, "padding": 2, "hidden": 16, "pool": 8, "seed": 1}
    gradient = AutomatonProblem.prepare(AutomatonJob.make(**given, generations=UPDATES))
    search = gradient.search()
    search.step()
    cpu = time.process_time()
    while not search.done:
        search.step()
    most, seconds = search.evaluations, time.process_time() - cpu
    rows.append(_row("gradient", search, gradient, seconds))
    for name in STRATEGIES:
        problem = AutomatonProblem.prepare(AutomatonJob.make(**given, strategy=name, population=32, generations=10**6))
        search = problem.search()
        search.stop_after(1, None)
        search.step()  # compiles
        search.stop_after(None, most)
        cpu = time.process_time()
        while search.evaluations < most:
            search.step()
        rows.append(_row(f"{name}, as many evaluations", search, problem, time.process_time() - cpu))
        search.stop_after(None, None)
        while time.process_time() - cpu < seconds:
            search.step()
        rows.append(_row(f"{name}, as many CPU seconds", search, problem, time.process_time() - cpu))
    common.table(rows, "grow-strategies")


def _row(name: str, search, problem: AutomatonProblem, seconds: float) -> dict[str, object]:
    state = rule.simulate(search.genome, rule.seed_cell(*problem.target.shape[:2]), problem.form.seed, 0, GROWN)
    loss = float(((state[0, ..., :4] - problem.target) ** 2).mean())
    return {
        "by": name, "evaluations": search.evaluations, "CPU s": f"{seconds:.1f}",
        "MSE x 1000": f"{1000 * loss:.1f}", "PSNR": f"{measure_likeness(state, problem.target):.1f}",
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rate", "likeness", "strategies"))
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    np.seterr(all="raise", under="ignore")
    if arguments.what == "likeness":
        likeness(arguments.files)
    else:
        {"rate": rate, "strategies": strategies}[arguments.what]()
