"""What threads gain for `evoart fit`, and what would be gained by more of them than this machine has cores.

    python benchmarks/scaling.py [--runs 3] [--shapes 100 500 2000] [--merge]

Whole processes, by the clock, in turns, medians: with 1, 2, 4, ... threads. Beside them the serial share of a run with
one thread: the part of its time, imports and outputs included, that is spent outside the kernels which take work from a
common counter. Amdahl's law makes of it the gain that is possible with 2 and with 16 threads. ``others`` is how many
processors other programs kept busy meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import common

QUALITY = {2000: "draft", 5000: "draft"}  # of so many shapes; else normal
# A whole run that says how long its parallel kernels took, as the first word on its standard error stream.
PARTS = """
import sys, time
from evoart.engine import candidates, polish
spent = [0.0]
def timed(function):
    def call(*args):
        before = time.perf_counter()
        try:
            return function(*args)
        finally:
            spent[0] += time.perf_counter() - before
    return call
candidates._judge = timed(candidates._judge)
polish.Polisher._run = timed(polish.Polisher._run)
from evoart.cli.app import run
code = run(sys.argv[1:])
print(spent[0], file=sys.stderr)
sys.exit(code)
"""


def command(picture: Path, shapes: int, threads: int, folder: Path) -> list[str]:
    """``evoart fit`` without the program that runs it."""
    quality = QUALITY.get(shapes, "normal")
    words = ("fit", picture, "-n", shapes, "-s", 1, "--quality", quality, "--threads", threads, "--no-checkpoint")
    return [*map(str, words), "--json", "-q", "--overwrite", "-o", str(folder / "o.json")]


def serial_share(arguments: list[str]) -> float:
    """The share of a run's wall time that more threads do not shorten, 0 to 1."""
    import subprocess
    import time

    before = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PARTS, *arguments], capture_output=True, text=True, check=True)
    return 1 - float(done.stderr.split()[-1]) / (time.perf_counter() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--picture", default="chelsea")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shapes", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--merge", action="store_true", help="into the table that there is")
    args = parser.parse_args()
    picture, rows = common.picture(args.picture, args.pictures), []
    counts = [1]
    while 2 * counts[-1] <= (os.cpu_count() or 1):
        counts.append(2 * counts[-1])
    os.environ["PYTHONPATH"] = str(common.ROOT)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for shapes in args.shapes:
            runs: dict[int, list[dict[str, float]]] = {threads: [] for threads in counts}
            psnrs = set()
            for i in range(args.runs + 1):
                for threads in counts:
                    words = command(picture, shapes, threads, folder)
                    busy = common.all_busy()
                    cpu, wall, _, out = common.run([sys.executable, "-m", "evoart", *words])
                    others = max(0.0, common.all_busy() - busy - cpu) / wall
                    psnrs.add(json.loads(out)["psnr"])
                    runs[threads] += [{"wall": wall, "others": others}] if i else []  # the first fills the caches
            if len(psnrs) > 1:
                raise RuntimeError(f"the number of threads shows in the picture: {sorted(psnrs)} dB")
            share = statistics.median(serial_share(command(picture, shapes, 1, folder)) for _ in range(args.runs))
            counted = {threads: common.alone(each) for threads, each in runs.items()}
            middle = {threads: statistics.median(run["wall"] for run in each) for threads, each in counted.items()}
            row = {"triangles": shapes} | {f"{threads} threads: s": f"{wall:.2f}" for threads, wall in middle.items()}
            row |= {f"gain of {threads}": f"{middle[1] / middle[threads]:.2f}" for threads in counts[1:]}
            busiest = max(statistics.median(run["others"] for run in each) for each in counted.values())
            row |= {"others": f"{busiest:.2f}", "serial share": f"{share:.2f}"}
            row |= {f"Amdahl: {threads}": f"{1 / (share + (1 - share) / threads):.2f}" for threads in (2, 16)}
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    columns = list(rows[0])
    if args.merge:
        rows = sorted(common.merged(rows, "scaling", ("triangles",)), key=lambda row: int(row["triangles"]))
    common.table(rows, "scaling", columns)


if __name__ == "__main__":
    main()
