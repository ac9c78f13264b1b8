"""Searches for the same pictures, in the same CPU time: ``python benchmarks/words/search.py``.

What the model inside has in mind is one picture, so every search of ``evoart fit`` can look for it. ``evolve`` (grown,
polished by gradient, regrown) draws a draft first; each of the others gets the CPU seconds that it took, and as many
shapes, of kinds drawn at random where it cannot choose. Compiling is not counted. Writes ``results/words-search.md``.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from evoart.openclip import icons, judge
from evoart.run.fit.job import FitJob
from evoart.run.fit.search import SearchBuilder
from evoart.run.icons.problem import IconsProblem
from evoart.run.job import Job
from evoart.run.problem import prepare
from evoart.score.pixel import evaluate_drawing
from evoart.types import Form, Search

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common

PROMPTS = ("a pear", "a cloud", "a bus", "a tulip", "a pizza")
SEARCHES: dict[str, dict[str, Any]] = {
    "evolve (gradient)": {"search": "evolve"}, "evolve, then independent sets": {"search": "sets"},
    "regional, SNES": {"search": "regional"}, "classical, SNES": {"search": "classical", "strategy": "snes"},
    "classical, PGPE": {"search": "classical", "strategy": "pgpe"},
}  # fmt: skip


def build(problem: IconsProblem, how: dict[str, Any]) -> Search:
    """The search of that kind for the problem's picture."""
    job = problem.job
    fit = FitJob(shapes=job.shapes, kind=job.kind, opacity=(1.0, 1.0), seed=job.seed, quality="draft", **how)
    return SearchBuilder(fit, problem.form, problem.target, problem.choices, None).build()


def work(search: Search, seconds: float | None) -> float:
    """Step until it is done or ``seconds`` of the processor have passed; returns those that have."""
    began = time.process_time()
    while not search.done and (seconds is None or time.process_time() < began + seconds):
        search.step()
    return time.process_time() - began


def told(problem: IconsProblem, search: Search) -> tuple[float, int, int]:
    """Loss of the picture as it is, the judge's rank among 200 things, and shapes."""
    form: Form = problem.form if search.structure is None else problem.form.with_structure(search.structure)
    drawing = form.drawing(search.genome)
    known, critic = icons.load(), judge.load()
    wanted = judge.things_meant(known, known.read(problem.job.words))
    others = sorted(set(critic.names) - set(wanted))
    among = [others[i] for i in np.random.default_rng(2).choice(len(others), 199, replace=False)]
    verdict = critic.verdict(drawing.paint((256, 256))[..., :3], wanted, among=among)
    if verdict is None:
        raise SystemExit(f"the judge does not know {problem.job.words}")
    return evaluate_drawing(drawing, problem.target)[0], verdict.rank, len(getattr(form, "kinds", ()))


def main(args: argparse.Namespace) -> None:
    """Compare."""
    rows = []
    for prompt in PROMPTS[: args.prompts]:
        for seed in range(1, args.seeds + 1):
            job = dataclasses.replace(Job.make(command="icons", prompts=[prompt], seed=seed), quality="draft")
            problem = prepare(job)
            if not isinstance(problem, IconsProblem):
                raise SystemExit("another model draws")
            seconds = None
            for name, how in SEARCHES.items():
                search = build(problem, how)
                if not rows or len(rows) < len(SEARCHES):  # compile what it needs
                    work(build(problem, how), 3.0)
                took = work(search, seconds)
                seconds = took if seconds is None else seconds
                loss, rank, shapes = told(problem, search)
                row = {"prompt": prompt, "seed": seed, "search": name, "loss": f"{loss:.5f}", "rank": rank}
                rows.append(row | {"shapes": shapes, "CPU s": f"{took:.1f}", "evaluations": search.evaluations})
                print(rows[-1], flush=True)
    common.table(rows, "words-search-runs")
    summary = []
    for name in SEARCHES:
        own = [row for row in rows if row["search"] == name]
        ranks = np.array([row["rank"] for row in own])
        summary.append({
            "search": name, "loss": f"{np.mean([float(row['loss']) for row in own]):.5f}",
            "first of 200": f"{(ranks == 1).mean():.0%}", "among five": f"{(ranks <= 5).mean():.0%}",
            "median rank": f"{np.median(ranks):.0f}", "CPU s": f"{np.mean([float(row['CPU s']) for row in own]):.1f}",
            "evaluations": f"{np.mean([row['evaluations'] for row in own]):,.0f}",
        })  # fmt: skip
    common.table(summary, "words-search")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--seeds", type=int, default=3)
    main(parser.parse_args())
