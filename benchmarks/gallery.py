"""What a gallery costs: small fits a minute, the journal and the pages of many pictures, Ray for every job.

    python benchmarks/gallery.py [--jobs 48] [--lines 10000] [--no-ray]

Small fits: 50 triangles, draft, of the bundled photograph, warm caches, SVG, PNG and thumbnail of each. The journal's
lines and the thumbnails in them are made up; every line is flushed to the disk, as in a real run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import common
import numpy as np

from evoart.gallery import journal, pages, plan, pool, run, worker
from evoart.gallery.journal import Journal, Line
from evoart.picture import bundled
from evoart.run.stop import Stop


def jobs(folder: Path, count: int) -> list[plan.Entry]:
    path = folder / "jobs.toml"
    path.write_text(f'[[job]]\npicture = "{bundled()}"\nshapes = 50\nquality = "draft"\nseeds = {count}\n')
    return plan.read([path])


def whole(entries: list[plan.Entry], folder: Path, workers) -> float:
    """Seconds from the first job's beginning to the last one's line."""
    run.prepare_folder(folder)
    began = time.perf_counter()
    lines = [report for report in run.run(entries, folder, workers) if not isinstance(report, pool.Step)]
    if len(lines) != len(entries) or any(line.status != "done" for _, line in lines):
        sys.exit("a job failed")
    return time.perf_counter() - began


def fits(count: int, ray: bool) -> list[dict]:
    settings, rows = worker.Settings(), []
    ways = {
        "1 process": lambda place: lambda todo: pool.one_by_one(todo, place, settings, Stop()),
        "2 processes": lambda place: lambda todo: pool.side_by_side(todo, place, settings, Stop(), 2),
    }
    if ray:
        from evoart.gallery.cluster import on_cluster

        ways["Ray, this machine"] = lambda place: lambda todo: on_cluster(todo, place, settings, Stop(), "auto")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole(jobs(folder, 1), folder / "warm", ways["1 process"](folder / "warm"))
        for number, (name, way) in enumerate(ways.items()):
            place = folder / str(number)
            before = os.times()
            seconds = whole(jobs(folder, count), place, way(place))
            after = os.times()
            spent = sum(after[:4]) - sum(before[:4])
            rows.append({"what": f"{count} small fits, {name}", "wall s": round(seconds, 1),
                         "CPU s": "" if "Ray" in name else round(spent, 1),
                         "each": f"{60 * count / seconds:.0f} pictures a minute"})  # fmt: skip
    return rows


def trivial(count: int) -> list[dict]:
    """Jobs that take no time: what is left is Ray's own."""
    import ray

    from evoart.gallery import cluster

    entries = [plan.Entry(str(i), None, "", "") for i in range(count)]
    handle = cluster._connect("auto")

    def nothing(entry: plan.Entry) -> str:
        return entry.name

    task = handle.remote(nothing).options(num_cpus=1)
    ray.get([task.remote(entry) for entry in entries[:8]])  # workers start
    began = time.perf_counter()
    ray.get([task.remote(entry) for entry in entries])
    seconds = time.perf_counter() - began
    handle.shutdown()
    return [{"what": f"{count:,} empty jobs on Ray", "wall s": round(seconds, 2), "CPU s": "",
             "each": f"{1e3 * seconds / count:.1f} ms a job"}]  # fmt: skip


def paper(count: int) -> list[dict]:
    rng = np.random.default_rng(0)
    lines = [
        Line(f"p{i}", "0" * 16, f"g{i // 5}", "done", job={"picture": f"{i}.jpg", "seed": i},
             form="shapes", drawing="50 triangles", title=f"{i}, drawn with 50 triangles", size=(451, 300),
             figures={"loss": 0.01, "psnr": 20.0, "generations": 90, "evaluations": 27_000},
             files={"svg": f"p{i}.svg", "png": f"p{i}.png", "thumb": f"thumbs/p{i}.webp"},
             thumbnail=rng.integers(0, 256, 192).astype(np.uint8).tobytes().hex(), seconds=1.0)
        for i in range(count)
    ]  # fmt: skip
    rows = []

    def timed(what: str, do) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        each = f"{1e3 * wall / count:.2f} ms a picture"
        spent = {"wall s": round(wall, 2), "CPU s": round(cpu, 2)}
        rows.append({"what": f"{count:,} pictures: {what}", **spent, "each": each})

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        def write() -> None:
            with Journal(folder) as log:
                for line in lines:
                    log.write(line)

        timed("journal written, every line flushed", write)
        timed("journal read", lambda: journal.read(folder))
        timed("pages written", lambda: pages.build(folder, lines))
        index = (folder / "index.html").stat().st_size
        rows.append({"what": f"{count:,} pictures: size of index.html", "wall s": "", "CPU s": "",
                     "each": f"{index / 1e6:.1f} MB"})  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=48)
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--no-ray", action="store_true")
    args = parser.parse_args()
    rows = fits(args.jobs, not args.no_ray) + paper(args.lines)
    if not args.no_ray:
        rows += trivial(1000)
    common.table(rows, "gallery")


if __name__ == "__main__":
    main()
