"""How often and how fast evolution strategies find the best place: medians of 20 seeds on landscapes of two numbers,
and of three on a photograph in 50 triangles. ``python benchmarks/strategies.py [landscapes|picture]``"""

from __future__ import annotations

import argparse

import numpy as np
from common import table

from evoart.engine.jax_setup import setup
from evoart.run.strategies.landscapes import LANDSCAPES
from evoart.run.strategies.traces import CHOSEN, CHOSEN_FOR_PICTURES, title_of, trace, trace_picture

POPULATION, GENERATIONS = 32, 60


def landscapes(seeds: int) -> None:
    """Of each landscape: how many seeds came below its goal, after how many evaluations, and where they ended."""
    rows = []
    for name in CHOSEN:
        row: dict[str, object] = {"strategy": title_of(name)}
        for key, landscape in LANDSCAPES.items():
            found = trace(landscape, name, POPULATION, GENERATIONS, list(range(1, seeds + 1)))
            there = found.best < landscape.goal
            first = (there.argmax(1) + 1) * found.population
            solved = there.any(1)
            row[f"{key}: found of {seeds}"] = int(solved.sum())
            row[f"{key}: evaluations"] = int(np.median(first[solved])) if solved.any() else "-"
            row[f"{key}: value at the end"] = f"{np.median(found.best[:, -1]):.2g}"
        rows.append(row)
        print(row, flush=True)
    table(rows, "strategies")


def pictures(seeds: int) -> None:
    """PSNR in dB of 50 triangles after a fifth and after all of 20,000 evaluations."""
    rows = []
    for name in CHOSEN_FOR_PICTURES:
        traces = [trace_picture(name, moments=6, seed=seed) for seed in range(1, seeds + 1)]
        reached = np.median([each.psnr for each in traces], 0)
        rows.append({"strategy": title_of(name), "4,000": f"{reached[1]:.1f} dB", "20,000": f"{reached[-1]:.1f} dB"})
        print(rows[-1], flush=True)
    table(rows, "strategies-picture")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("landscapes", "picture"), default="landscapes")
    parser.add_argument("--seeds", type=int)
    given = parser.parse_args()
    setup()
    if given.what == "landscapes":
        landscapes(given.seeds or 20)
    else:
        pictures(given.seeds or 3)
