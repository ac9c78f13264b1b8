"""Whether pictures are as good as those of an earlier checkout: the default fit, four pictures, three seeds.

    python benchmarks/quality.py --before FOLDER [--shapes 100] [--quality draft] [--pictures FOLDER]

FOLDER is a checkout of an earlier commit (``git worktree add FOLDER COMMIT``). PSNR in dB as each run reports it; the
last line has the means.
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

SEEDS = (0, 1, 2)


def psnr(checkout: Path, picture: Path, shapes: int, seed: int, quality: str, out: Path) -> float:
    """What one fit by a checkout reaches, in dB."""
    os.environ["PYTHONPATH"] = str(checkout)
    words = ("fit", picture, "-n", shapes, "-s", seed, "--quality", quality, "--no-checkpoint", "--json", "-q")
    words = (*words, "--overwrite", "-o", out)
    return json.loads(common.run([sys.executable, "-m", "evoart", *map(str, words)])[3])["psnr"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True, help="an earlier checkout to compare with")
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--shapes", type=int, default=100)
    parser.add_argument("--quality", default="normal")
    args = parser.parse_args()
    checkouts = {"before": args.before.resolve(), "now": common.ROOT}
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "o.json"
        os.chdir(temporary)  # where no package of this name lies
        for name in common.PICTURES:
            picture = common.picture(name, args.pictures)
            for seed in SEEDS:
                found = {
                    which: psnr(checkout, picture, args.shapes, seed, args.quality, out)
                    for which, checkout in checkouts.items()
                }
                rows.append({"picture": name, "seed": seed} | found | {"gain": found["now"] - found["before"]})
                print(rows[-1], file=sys.stderr, flush=True)
    means = {key: statistics.mean(row[key] for row in rows) for key in ("before", "now", "gain")}
    rows.append({"picture": "mean", "seed": ""} | means)
    differs = [args.quality] * (args.quality != "normal") + [str(args.shapes)] * (args.shapes != 100)
    name = "-".join(["quality", *differs])
    common.table([row | {key: f"{row[key]:.3f}" for key in means} for row in rows], name)


if __name__ == "__main__":
    main()
