"""What the default search could be on a GPU: PSNR per evaluation of what runs as device programs, measured on a CPU.

    python benchmarks/device.py

``evolve`` is the default (grow, polish by gradient, regrow). Against it, from random shapes: independent sets, one
device program, alternating with gradient steps. All use the CPU's kernels, which compute the same; so the figures are
evaluations and decibels, and say nothing about a GPU's speed. ``device`` is evolve on its canvas in JAX.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

import common
import numpy as np

from evoart.run.problem import prepare

PIXELS = 128
TURNS = ((1, 16_384), (1, 65_536), (8, 2_048), (16, 4_096))  # how often, and evaluations of sets each time
STEPS, LAST = 100, 300  # gradient steps between turns, and at the end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--device", action="store_true", help="add evolve on the device's studio: slow on a CPU")
    given = parser.parse_args()
    rows = []
    for name, shapes in (("chelsea", 50), ("chelsea", 100), ("monalisa", 100)):
        path = common.picture(name, given.pictures)
        said = {"picture": name, "triangles": shapes}
        rows.append({**said, "search": "evolve", **evolved(path, shapes, "auto")})
        if given.device:
            rows.append({**said, "search": "evolve, device", **evolved(path, shapes, "dense")})
        for turns, evaluations in TURNS:
            label = f"sets and gradient, {turns} x {evaluations:,}"
            rows.append({**said, "search": label, **by_turns(path, shapes, turns, evaluations)})
    common.table(rows, "device")


def evolved(path, shapes: int, engine: str) -> dict:
    import evoart

    began = time.process_time()
    device = "cpu" if engine == "dense" else "auto"
    result = evoart.fit(path, shapes=shapes, seed=1, pixels=PIXELS, threads=1, engine=engine, device=device)
    return told(result.psnr, result.evaluations, began)


def by_turns(path, shapes: int, turns: int, evaluations: int) -> dict:
    from evoart.engine.scanline import ScanlineEngine
    from evoart.forms.boxes import boxes
    from evoart.run.fit.job import FitJob
    from evoart.score.pixel import psnr
    from evoart.search.adam import Adam
    from evoart.search.independent_sets import IndependentSets

    began = time.process_time()
    job = FitJob.make(picture=str(path), shapes=shapes, seed=1, pixels=PIXELS, search="sets", threads=1)
    problem = prepare(job)
    engine, genome, used, loss = (
        ScanlineEngine(problem.form, problem.target),
        problem.builder().first_guess(),
        0,
        np.inf,
    )
    rates = np.full(10, 0.01 * (50 / shapes) ** 0.25, np.float32) * np.array([1] * 6 + [2] * 4)
    bounds = np.array([[0, 0, 0, problem.form.opacity[0]], [1, 1, 1, problem.form.opacity[1]]], np.float32)

    def clip(rows: np.ndarray) -> np.ndarray:
        rows[:, -4:] = np.clip(rows[:, -4:], *bounds)
        return rows

    def slope(rows: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient = engine.gradient(rows.ravel())
        return loss, gradient.reshape(rows.shape)

    for turn in range(turns):
        sets = IndependentSets(engine, None, turn + 1, genome, {}, boxes)
        while sets.evaluations < evaluations:
            sets.step()
        adam = Adam(sets.genome.reshape(shapes, -1), rates, LAST if turn == turns - 1 else STEPS)
        while not adam.done:
            adam.step(slope, partial(clip))
        genome, loss, used = adam.best.ravel(), adam.loss, used + sets.evaluations + 3 * adam.steps
    return told(psnr(loss), used, began)


def told(decibels: float, evaluations: int, began: float) -> dict:
    seconds = time.process_time() - began
    return {"PSNR (dB)": f"{decibels:.2f}", "evaluations": evaluations, "CPU seconds": f"{seconds:.1f}"}


if __name__ == "__main__":
    main()
