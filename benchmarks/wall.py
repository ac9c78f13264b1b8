"""What users wait for: whole commands by the clock, by one thread and by all, in turns with an earlier checkout.

    python benchmarks/wall.py [--before FOLDER] [--runs 5] [--only fit] [--merge]

FOLDER is a checkout of an earlier commit (``git worktree add FOLDER COMMIT``); its runs alternate with this one's, so
that a machine whose speed drifts does so for both. Medians of wall seconds, CPU seconds (children included), peak MB,
and the PSNR that each reached. Caches are warm, every command having run once before it counts, except for the rows
that say ``first``: each of their runs has an empty folder for what is compiled. ``others`` is how many processors other
programs kept busy meanwhile; where some runs were nearly alone, only those count. ``--merge`` keeps the rows of an
earlier table that are not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import common
from PIL import Image

FIT = ("fit", "{photo}", "-s", "1", "--json", "-q", "--overwrite", "-o", "{out}.json")
LARGE = ("fit", "large.png", *FIT[2:], "-n", "2000", "--quality", "draft", "--pixels", "512")
CLIP = ("--quality", "draft", "-s", "1", "-q", "--overwrite", "-o", "{out}.svg")
PICTURES = 48  # of the gallery, all small: 50 triangles, draft
GALLERY = ("gallery", "{photo}", "-o", "{gallery}", "-n", "50", "--quality", "draft", "--seeds", str(PICTURES), "-q")
COMMANDS: dict[str, tuple[str, ...]] = {
    "fit -n 100": (*FIT, "-n", "100"),
    "fit -n 100 --threads 1": (*FIT, "-n", "100", "--threads", "1"),
    "fit -n 500": (*FIT, "-n", "500"),
    "fit -n 500 --threads 1": (*FIT, "-n", "500", "--threads", "1"),
    "fit -n 2000 --quality draft, 512 px": LARGE,
    "fit -n 2000 --quality draft, 512 px --threads 1": (*LARGE, "--threads", "1"),
    "fit, the first": FIT,
    "clip, draft": ("clip", "a red apple", *CLIP),
    "clip, draft, the first": ("clip", "a red apple", *CLIP),
    "sketch -n 500": ("sketch", "-n", "500", "-s", "1", "-q", "--overwrite", "-o", "{out}.svg"),
    "cppn film": ("cppn", "film", "{network}", "-s", "1", "-q", "--overwrite", "-o", "{out}.gif"),
    "cppn": ("cppn", "-s", "1", "-q", "--overwrite", "-o", "{out}.png"),
    "gallery, one process": (*GALLERY, "--processes", "1"),
    "gallery, two processes": (*GALLERY, "--processes", "2"),
}


def measure(checkout: Path, name: str, folder: Path) -> dict[str, float]:
    """One run of a command by one checkout: wall and CPU seconds, peak MB, and PSNR or pictures a minute where it has
    them."""
    places = {"photo": common.picture("chelsea"), "out": folder / "out", "network": folder / "network.json"}
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        command = [word.format(**places, gallery=f"{fresh}/gallery") for word in COMMANDS[name]]
        caches = {"EVOART_CACHE": fresh, "NUMBA_CACHE_DIR": f"{fresh}/numba"} if name.endswith("first") else {}
        busy = common.all_busy()
        cpu, wall, peak, out = evoart(checkout, command, caches)
        busy = common.all_busy() - busy
    found = {"wall s": wall, "CPU s": cpu, "MB": peak, "others": max(0.0, busy - cpu) / wall}
    if name.startswith("gallery"):
        found["pictures a minute"] = 60 * PICTURES / wall
    return found | ({"dB": json.loads(out)["psnr"]} if "--json" in command else {})


def evoart(checkout: Path, words: Sequence[str], more: Mapping[str, str] = MappingProxyType({})) -> tuple:
    """Run a command of a checkout, with ``more`` in its environment; see ``common.run``."""
    before = dict(os.environ)
    os.environ.update({"PYTHONPATH": str(checkout), **more})
    try:
        return common.run([sys.executable, "-m", "evoart", *words])
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="an earlier checkout to compare with")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", default="", help="commands that contain this")
    parser.add_argument("--merge", action="store_true", help="into the table that there is")
    args = parser.parse_args()
    checkouts = {"before": args.before.resolve()} if args.before else {}
    checkouts["now"] = common.ROOT
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        # Python's own caches as after an installation, whatever the setting here.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "python")
        photo = Image.open(common.picture("chelsea")).convert("RGB")
        size = 512, round(512 * photo.height / photo.width)
        photo.resize(size, Image.Resampling.LANCZOS).save(folder / "large.png")
        os.chdir(folder)
        network = ("cppn", "--pick", "1", "-s", "1", "-q", "-o", str(folder / "network.json"))
        evoart(next(iter(checkouts.values())), network)
        for name in COMMANDS:
            if args.only not in name:
                continue
            runs: dict[str, list[dict[str, float]]] = {which: [] for which in checkouts}
            for i in range(args.runs + 1):
                for which, checkout in checkouts.items():
                    found = measure(checkout, name, folder)
                    runs[which] += [found] if i else []  # the first fills the caches
            for which, each in runs.items():
                each = common.alone(each)
                middle = {key: round(statistics.median(run[key] for run in each), 2) for key in each[0]}
                rows.append({"command": name, "which": which} | middle)
                print(rows[-1], flush=True)
    if args.merge:
        rows = common.merged(rows, "wall", ("command", "which"))
        rows.sort(key=lambda row: list(COMMANDS).index(row["command"]))
    common.table(rows, "wall", ("command", "which", "wall s", "CPU s", "others", "MB", "dB", "pictures a minute"))


if __name__ == "__main__":
    main()
