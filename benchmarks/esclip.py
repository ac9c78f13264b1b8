"""ES-CLIP's own table: Mona Lisa at 200 px, score 1 - MSE, with 1/500 of the paper's renders.

    python benchmarks/esclip.py

Tian and Ha, "Modern Evolution Strategies for Creativity" (2021): 10,000 generations of 256 candidates drawn 5 times
each, 12.8 million renders; opacity up to 0.5 on uniform noise. Here a candidate judged in closed form counts as
an evaluation and a gradient as three. Two settings: our defaults (opacity 0.1 to 1 on the mean colour) and the
paper's opacity, 0 to 0.5, over the noise's mean (#808080; we do not draw noise). Scores are of the PNG we wrote, CPU
seconds of whole processes, compiled code in the cache.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import common

PAPER = {10: 98.02, 25: 99.30, 50: 99.62, 200: 99.80}
LIMIT, QUICK = 25_600, 4_096  # evaluations
WORK = ((LIMIT, tuple(PAPER)), (QUICK, (50,)))
SLACK = 30  # a run ends with the unit of work in which it reaches its budget
TERMS = {"ours": (), "paper's": ("--opacity", "0:0.5", "--background", "#808080")}


def measured(path: Path, shapes: int, terms: str, seed: int, limit: int, folder: Path) -> dict:
    """One run within the limit (0: the plan of ``evoart fit``)."""
    png = folder / f"{terms}-{shapes}-{seed}.png"
    command = [
        sys.executable,
        "-m",
        "evoart",
        "fit",
        path,
        "-n",
        shapes,
        "--pixels",
        200,
        "--seed",
        seed,
        *TERMS[terms],
    ]
    command += ["--evaluations", limit - SLACK] if limit else []
    command += ["--no-checkpoint", "--overwrite", "--json", "-o", png]
    cpu, wall, _, out = common.run([*map(str, command)])
    error = common.mse(common.pixels(png), common.pixels(path))
    return {"score": 100 * (1 - error), "cpu": cpu, "wall": wall, **json.loads(out)}


def row(path: Path, shapes: int, terms: str, limit: int, seeds: int, folder: Path) -> dict:
    runs = [measured(path, shapes, terms, seed, limit, folder) for seed in range(seeds)]
    scores = [run["score"] for run in runs]
    result = {
        "terms": terms,
        "triangles": shapes,
        "work": f"at most {limit:,}" if limit else "as evoart fit",
        "paper %": f"{PAPER[shapes]:.2f}",
        "ours %": f"{statistics.mean(scores):.2f}",
        "seeds %": " ".join(f"{score:.2f}" for score in scores),
        "evaluations": f"{max(run['evaluations'] for run in runs):,}",
        "CPU s": f"{statistics.mean(run['cpu'] for run in runs):.1f}",
        "beaten": "yes" if min(scores) > PAPER[shapes] else f"by {statistics.mean(scores) - PAPER[shapes]:+.3f}",
        "99.80 %": "yes" if min(scores) >= 99.80 else "no",
    }
    print(result, file=sys.stderr, flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    path = common.picture("monalisa", args.pictures)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        measured(path, 10, "ours", 99, 2_000, folder)  # compiled code into the cache
        cases = [(terms, limit, shapes) for terms in TERMS for limit, counts in WORK for shapes in counts]
        cases += [("ours", 0, shapes) for shapes in PAPER]
        rows = [row(path, shapes, terms, limit, args.seeds if limit else 1, folder) for terms, limit, shapes in cases]
    common.table(rows, "esclip")


if __name__ == "__main__":
    main()
