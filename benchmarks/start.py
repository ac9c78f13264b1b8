"""How long evoart takes to start, with nothing in any cache and with everything there.

    python benchmarks/start.py

Wall seconds, medians. Cold: empty folders for compiled code (Numba's, JAX's and Python's own); the file system's cache
stays warm. First line: the first thing on the standard error stream; first progress: the first line that tells a
generation.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

EVOART = (sys.executable, "-m", "evoart")


def seconds(command: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def fit(path: Path, folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """A whole draft: seconds to its first line, to its first progress line and to its end."""
    command = [*EVOART, "fit", str(path), "--quality", "draft", "--seed", "0", "--no-checkpoint", "--overwrite"]
    began, out = time.perf_counter(), {}
    with subprocess.Popen(
        [*command, "-o", str(folder / "o.png")], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        text=True,
    ) as process:  # fmt: skip
        for line in process.stderr:
            out.setdefault("fit: first line", time.perf_counter() - began)
            if "generation " in line:
                out.setdefault("fit: first progress", time.perf_counter() - began)
    if process.returncode:
        raise RuntimeError(f"evoart fit ended with {process.returncode}")
    out["fit --quality draft, whole"] = time.perf_counter() - began
    return out


def once(path: Path, folder: Path, caches: Path) -> dict[str, float]:
    # Whoever forbids Python to keep compiled modules would have no warm start.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "EVOART_CACHE": str(caches / "evoart"),
        "PYTHONPYCACHEPREFIX": str(caches / "python"),
    }
    return {
        "python -c pass": seconds([sys.executable, "-c", "pass"], environment),
        "import evoart": seconds([sys.executable, "-c", "import evoart"], environment),
        "evoart --help": seconds([*EVOART, "--help"], environment),
    } | fit(path, folder, environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", type=int, default=3, help="runs with empty caches, which compile everything")
    args = parser.parse_args()
    path = common.picture("chelsea", args.pictures)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cold = [once(path, folder, folder / str(i)) for i in range(args.cold)]
        warm = [once(path, folder, folder / "0") for _ in range(args.runs)]
    rows = [
        {
            "what": name,
            f"cold s, median of {args.cold}": f"{statistics.median(run[name] for run in cold):.2f}",
            f"warm s, median of {args.runs}": f"{statistics.median(run[name] for run in warm):.2f}",
            "warm s, all": " ".join(f"{run[name]:.2f}" for run in warm),
        }
        for name in cold[0]
    ]
    common.table(rows, "start")


if __name__ == "__main__":
    main()
