"""What a GPU would be asked by the search that is made for it, against the default search, measured on a CPU.

    python benchmarks/device.py [--pictures FOLDER] [--seeds N]

``waves`` on the JAX that is here against ``evolve`` on the CPU's kernels, 100 triangles each, threads 1: PSNR of the
finished picture by the exact renderer, evaluations, and how often a program was launched, which is how often the host
was visited. With a GPU all of a wave and of a polish is one program; on a CPU programs are cut into half seconds, so
there are more of them. CPU seconds say nothing about a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import common

SHAPES = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--seeds", type=int, default=2, help="so many, from 0")
    parser.add_argument("--shapes", type=int, default=SHAPES)
    given = parser.parse_args()
    rows: list[dict] = []
    for name in common.PICTURES:
        for seed in range(given.seeds):
            path = common.picture(name, given.pictures)
            default, wide = (drawn(path, given.shapes, seed, search) for search in ("evolve", "waves"))
            gain = wide["dB"] - default["dB"]
            row = {"picture": name, "seed": seed, "default (dB)": default["dB"], "waves (dB)": wide["dB"], "gain": gain}
            row |= {"default, evaluations": default["evaluations"], "waves, evaluations": wide["evaluations"]}
            row |= {"waves, programs": wide["steps"], "default, CPU s": default["CPU"], "waves, CPU s": wide["CPU"]}
            rows.append(row)
            print(row, file=sys.stderr)
            measured = [key for key in row if key not in ("picture", "seed")]
            mean = {key: statistics.mean(row[key] for row in rows) for key in measured}
            table = [*rows, {"picture": "mean", "seed": ""} | mean]  # written as it goes
            common.table([each | {key: _said(key, each[key]) for key in measured} for each in table], "device")


def _said(key: str, value: float) -> str:
    return f"{value:,.0f}" if "evaluations" in key or "programs" in key else f"{value:.2f}"


def drawn(path, shapes: int, seed: int, search: str) -> dict:
    """One run: PSNR, evaluations, steps of the search and CPU seconds."""
    from evoart.run.fit.job import FitJob
    from evoart.run.problem import prepare

    began = time.process_time()
    problem = prepare(FitJob.make(picture=str(path), shapes=shapes, seed=seed, threads=1, search=search))
    run = problem.search()
    while not run.done:
        run.step()
    figures = problem.evaluate(problem.form.with_structure(run.structure), run.genome)
    seconds = time.process_time() - began
    return {"dB": figures["psnr"], "evaluations": run.evaluations, "steps": run.generation, "CPU": seconds}


if __name__ == "__main__":
    main()
