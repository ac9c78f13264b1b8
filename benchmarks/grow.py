"""Pictures that grow: what training costs, how well they hold and heal, and evolution against the gradient.

    python benchmarks/grow.py rate
    python benchmarks/grow.py likeness lizard.html cat.html
    python benchmarks/grow.py healing lizard.html cat.html
    python benchmarks/grow.py strategies

rate: updates of the default training, of a lizard of 24 cells. likeness: PSNR in dB of what evoart grow has made, on
white, after so many steps, and after a wound. healing: the same 400 steps after each of six wounds, and on average;
--sheet draws what was whole, the wound, and 50 to 400 steps later. strategies: a mushroom of 8 cells, 16 hidden units;
the gradient, and strategies at as many evaluations (a gradient counts as three) and as many CPU seconds; loss and PSNR
are those after 48 steps of growth.
"""

from __future__ import annotations

import argparse
import time

import common
import numpy as np

from evoart.automaton import rule
from evoart.run.automaton.job import AutomatonJob
from evoart.run.automaton.problem import AutomatonProblem, measure_likeness

UPDATES = 300  # of the gradient, with which strategies are compared
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
        "6,000, min": f"{wall * 6000 / 60:.1f}",
    }
    common.table([row], "grow-rate")


def likeness(files: list[str]) -> None:
    """PSNR of finished automata at several ages, and as a wound heals."""
    from evoart.run.api import load

    rows = []
    for file in files:
        result = load(file)
        target, form = AutomatonProblem.prepare(result.job).target, result.form
        row: dict[str, object] = {"picture": result.job.words or result.job.picture, "seed": result.job.seed}
        row["updates"] = result.generations
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


# By name: x, y, radius in shares of the sides and of the long side; the last two are halves.
WOUNDS = {"middle": (0.5, 0.5, 0.2), "upper right": (0.7, 0.3, 0.25), "lower left": (0.3, 0.7, 0.25)}
WOUNDS |= {"small": (0.55, 0.4, 0.08)}


def hurt_all(cells: np.ndarray) -> dict[str, np.ndarray]:
    """Grown cells ``(1, rows, columns, 16)`` after each wound, by its name."""
    rows, columns = cells.shape[1:3]
    found = {name: rule.wound(cells, *rule.place_wound(rows, columns, disc)) for name, disc in WOUNDS.items()}
    left, lower = cells.copy(), cells.copy()
    left[:, :, : columns // 2], lower[:, rows // 2 :] = 0, 0
    return found | {"left half": left, "lower half": lower}


def healing(files: list[str], sheet: str | None = None) -> None:
    """PSNR of finished automata 400 steps after wounds of several places and sizes."""
    from evoart.run.api import load

    rows, pictures = [], []
    for file in files:
        result = load(file)
        target, form = AutomatonProblem.prepare(result.job).target, result.form
        cells = rule.simulate(result.genome, rule.seed_cell(form.rows, form.columns), form.seed, 0, 1000)
        row: dict[str, object] = {"picture": result.job.words or result.job.picture, "seed": result.job.seed}
        row |= {"updates": result.generations, "unwounded": f"{measure_likeness(cells, target):.1f}"}
        healed, hurt = [], []
        for name, state in hurt_all(cells).items():
            line, hurt = [cells, state], [*hurt, measure_likeness(state, target)]
            for before, after in ((0, 50), (50, 100), (100, 200), (200, 400)):
                state = rule.simulate(result.genome, state, form.seed, 1000 + before, 1000 + after)
                line.append(state)
            healed.append(measure_likeness(state, target))
            row[name] = f"{healed[-1]:.1f}"
            pictures.append(np.concatenate([_on_white(each) for each in line], 1))
        row |= {"wounded, mean": f"{np.mean(hurt):.1f}", "healed, mean": f"{np.mean(healed):.1f}"}
        rows.append(row)
    common.table(rows, "grow-healing")
    if sheet:
        from PIL import Image

        widest = max(each.shape[1] for each in pictures)
        wide = [np.pad(each, ((0, 0), (0, widest - each.shape[1]), (0, 0)), constant_values=255) for each in pictures]
        Image.fromarray(np.concatenate(wide)).save(sheet)


def _on_white(state: np.ndarray) -> np.ndarray:
    cells = rule.shown(state)[0]
    image = np.rint(255 * (cells[..., :3] + 1 - cells[..., 3:])).astype(np.uint8)
    return image.repeat(4, 0).repeat(4, 1)


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
    parser.add_argument("what", choices=("rate", "likeness", "healing", "strategies"))
    parser.add_argument("files", nargs="*")
    parser.add_argument("--sheet", help="where the picture of healing goes")
    arguments = parser.parse_args()
    np.seterr(all="raise", under="ignore")
    if arguments.what == "likeness":
        likeness(arguments.files)
    elif arguments.what == "healing":
        healing(arguments.files, arguments.sheet)
    else:
        {"rate": rate, "strategies": strategies}[arguments.what]()
