"""What the benchmark scripts share: pictures, the machine's name, commands timed by the operating system, tables."""

from __future__ import annotations

import csv
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PICTURES = ("astronaut", "chelsea", "coffee", "monalisa")


def picture(name: str, folder: str | None = None) -> Path:
    """The path of a test picture, 256 px long (monalisa: 200); see ``--pictures``."""
    path = Path(folder or ROOT.parent / "shared" / "data" / "images") / f"{name}.png"
    if not path.exists():
        sys.exit(f"{path} is missing: name the folder of the test pictures with --pictures")
    return path


def pixels(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """A picture as ``(h, w, 3)`` float64 in [0, 1]."""
    image = Image.open(path).convert("RGB")
    if size and image.size != size:
        raise ValueError(f"{path} is {image.size}, not {size}")
    return np.asarray(image, np.float64) / 255


def mse(a: np.ndarray, b: np.ndarray) -> float:
    return float(((a - b) ** 2).mean())


def db(error: float) -> float:
    return float(-10 * np.log10(error))


def run(command: Sequence[str | Path], timeout: float = 3600) -> tuple[float, float, float, str]:
    """Run a command; returns CPU seconds (user and system, children included), wall seconds, peak MB, its stdout."""
    import time

    before = time.perf_counter()
    with subprocess.Popen(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.perf_counter() - before, usage.ru_maxrss / 1024, out


def all_busy() -> float:
    """CPU seconds that all programs on this machine have used so far; 0 where the system does not tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _, _, hard, soft = map(int, stat.read_text().split()[1:8])
    return (user + nice + system + hard + soft) / os.sysconf("SC_CLK_TCK")


ALONE = 0.15  # of a processor that other programs may use while something is timed


def alone(runs: list[dict[str, float]]) -> list[dict[str, float]]:
    """Those of several runs that were nearly alone on the machine, by how many processors ``others`` kept busy
    meanwhile; all of them where none was."""
    return [run for run in runs if run["others"] < ALONE] or runs


def merged(rows: list[dict], name: str, keys: Sequence[str]) -> list[dict]:
    """``rows`` after those of the table ``results/<name>.csv`` whose ``keys`` none of them has: a table may be measured
    in several runs of a script."""
    path = RESULTS / f"{name}.csv"
    if not path.exists():
        return rows
    new = {tuple(str(row[key]) for key in keys) for row in rows}
    with open(path, newline="") as file:
        return [row for row in csv.DictReader(file) if tuple(row[key] for key in keys) not in new] + rows


def machine() -> str:
    """One line: processor, cores, Python and the libraries that matter."""
    import numba

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    if jax := sys.modules.get("jax"):  # where it was used at all
        device = jax.devices()[0]
        versions += f", JAX {jax.__version__} on {device.platform if device.platform == 'cpu' else device.device_kind}"
    return f"{model}, {os.cpu_count()} cores, {versions}"


def table(rows: list[dict], name: str, columns: Iterable[str] | None = None) -> None:
    """Print rows as a Markdown table and write them, with the machine's name, to ``results/<name>.csv`` and ``.md``."""
    columns = list(columns or rows[0])
    RESULTS.mkdir(parents=True, exist_ok=True)
    with open(RESULTS / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(column, "")) for column in columns) + " |" for row in rows]
    text = "\n".join([*lines, "", machine(), ""])
    (RESULTS / f"{name}.md").write_text(text)
    print(text)
