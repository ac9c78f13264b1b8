"""The GPU engine: is it right, does it lower, how fast is it; and what the machine's CPU cores gain.

    python benchmarks/gpu.py                 # on a machine with a GPU, in less than nine minutes: checks come first
    python benchmarks/gpu.py --tiny          # the same script on a CPU: kernels interpreted, sizes small

Where a machine with a GPU is without network, and has JAX, Numba, Pillow and click, carry along the rest as plain
folders. Prepare with a network, then run the second line there, in the repository's root:

    pip install --no-deps --target build/gpu evosax dotmap svgelements
    PYTHONPATH=build/gpu:. python benchmarks/gpu.py; cp benchmarks/results/gpu-* "${OUT:-/tmp}"

Tables: ``gpu-check`` (against the dense program), ``gpu-runs`` (whole commands, start-up included, with warm caches),
``gpu-waves`` (the programs of ``--search waves``), ``gpu-times`` (milliseconds per generation and share of the card's
fp32 rate), ``gpu-lowering`` (Triton for CUDA, which needs no GPU) and ``gpu-threads`` (``fit`` by the clock on 1, 2,
4 ... CPU threads). Each is written row by row. What fails in one is said and stops none of the others; what there is no
time for is left out, and said too. Those of ``--tiny`` say that the script works, and nothing about a GPU.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import common
import numpy as np

# fp32 rates in TFLOP/s without tensor cores, from the makers' data sheets.
RATES = {"H200": 66.9, "H100": 66.9, "A100": 19.5, "L40": 90.5, "L4": 30.3, "RTX 4090": 82.6}
# Flops per pixel of a block, a fused multiply-add being two; see ``draw/pallas.py``. Edges: beyond, c0, c1, past (4),
# the product (3), two multiply-adds. Over: opacity (1), three channels of a difference and a multiply-add.
PER_EDGE, PER_SHAPE = 11, 10
# The tables in their order, and the share of all time after which each begins no further row.
SECTIONS = {"check": 0.25, "runs": 0.45, "waves": 0.6, "times": 0.8, "lowering": 0.85, "threads": 1.0}
DONE = "done"
LOSSES, ENTRIES = ("mse", "mae", "oklab"), ("losses", "tiles", "images")


def problem(kinds: tuple[str, ...], pixels: int, loss: str = "mse"):
    """A form, a target of noise, and an engine of each kind."""
    from evoart.forms.shapes import ShapesForm
    from evoart.score.pixel import Target

    rng = np.random.default_rng(0)
    form = ShapesForm(kinds, 1.0, 1.0, (0.5, 0.5, 0.5))
    return form, Target(rng.random((pixels, pixels, 3), np.float32), np.ones((pixels, pixels), np.float32), loss)


def population(form, n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.stack([form.random(rng) for _ in range(n)])


def check(tiny: bool) -> Iterator[dict]:
    """Every shape and loss: what the kernels draw and judge against the dense program."""
    from evoart.draw.shapes import SHAPES
    from evoart.engine.dense import DenseEngine
    from evoart.engine.pallas import PallasEngine

    pixels, n, each = (40, 2, 6) if tiny else (256, 16, 64)
    for kind in ("triangle", "line", "all") if tiny else (*SHAPES, "all"):
        kinds = tuple(SHAPES) * (1 if tiny else 6) if kind == "all" else (kind,) * each
        for loss in LOSSES if kind == "all" else LOSSES[:1]:
            form, target = problem(kinds, pixels, loss)
            fast, dense, x = PallasEngine(form, target), DenseEngine(form, target), population(form, n)
            a, b = fast.losses(x), dense.losses(x)
            by_tile = np.abs(fast.tile_losses(x, 8) - dense.tile_losses(x, 8)).max() / b.max()
            levels = 255 * np.abs(fast.images(x) - dense.images(x)).max()
            yield {
                "shape": kind,
                "loss": loss,
                "pixels": pixels,
                "largest difference of 255": f"{levels:.3f}",
                "relative difference of losses": f"{np.abs(a / b - 1).max():.1e}",
                "of tile losses": f"{by_tile:.1e}",
                "right": bool(levels < 0.5 and np.abs(a / b - 1).max() < 1e-4 and by_tile < 1e-4),
            }


def lowering() -> Iterator[dict]:
    """The kernels in Triton's language for CUDA, as this JAX writes them, GPU or not."""
    import warnings

    from evoart.draw.shapes import SHAPES
    from evoart.engine.lowering import lower_for_cuda
    from evoart.engine.pallas import PallasEngine

    warnings.filterwarnings("ignore", "The Pallas Triton backend is deprecated", DeprecationWarning)
    for kind in (*SHAPES, "all"):
        form, target = problem(tuple(SHAPES) if kind == "all" else (kind,) * 50, 200)
        engine = PallasEngine(form, target)
        engine._kernels.interpret = False
        programs = {
            "losses": engine.losses_traced,
            "tiles": lambda x, inputs, engine=engine: engine.tile_losses_traced(x, 50, inputs),
            "images": lambda x, inputs, engine=engine: engine.images_traced(x),
        }
        row = {"shape": kind}
        for entry in ENTRIES:
            try:
                text = lower_for_cuda(programs[entry], population(form, 2), engine.inputs)
                row[entry] = f"{len(text) / 1024:.0f} kB" if "triton" in text else "no kernel"
            except (RuntimeError, NotImplementedError) as error:
                row[entry] = f"fails: {str(error).partition(chr(10))[0][:60]}"
        yield row


def times(tiny: bool, rate: float | None) -> Iterator[dict]:
    """Milliseconds per generation of one strategy over the whole genome, and of the kernel alone; smallest first."""
    import jax

    from evoart.engine.pallas import PallasEngine
    from evoart.search.classical import Classical

    sizes = ((5,), (32, 48), (4, 8)) if tiny else ((50, 200, 1000), (200, 256, 512), (64, 256, 1024))
    cases = sorted(itertools.product(*sizes), key=lambda case: case[0] * case[1] ** 2 * case[2])
    for shapes, pixels, n in cases:
        form, target = problem(("triangle",) * shapes, pixels)
        engine = PallasEngine(form, target)
        x = jax.device_put(population(form, n))
        kernel = timed(lambda e=engine, x=x: e._losses(x, e.inputs))
        flops = counted(engine, x)
        search = Classical(engine, "snes", n, 0, np.asarray(x[0]))
        search.step()  # compiles
        began, first = time.perf_counter(), search.generation
        while time.perf_counter() < began + (0.2 if tiny else 2) or search.generation == first:
            search.step()
        spent = (time.perf_counter() - began) / (search.generation - first)
        share = f"{flops / kernel / (rate * 1e12):.0%}" if rate else ""
        yield {
            "triangles": shapes,
            "pixels": pixels,
            "population": n,
            "ms a generation": f"{1e3 * spent:.3f}",
            "ms of the kernel": f"{1e3 * kernel:.3f}",
            "GFLOP counted": f"{flops / 1e9:.2f}",
            "share of the fp32 rate": share,
        }


def waves(tiny: bool, photograph: Path) -> Iterator[dict]:
    """The search made for a GPU: milliseconds of a wave of new shapes, and of a gradient step on either canvas."""
    from evoart.run.fit.job import FitJob
    from evoart.run.problem import prepare

    for shapes in (6,) if tiny else (100, 500, 2000):
        pixels, quality = (32, "draft") if tiny else (256, "normal")
        job = FitJob.make(
            picture=str(photograph), shapes=shapes, seed=1, pixels=pixels, search="waves", quality=quality
        )
        search, compiled = prepare(job).search(), time.perf_counter()
        search.step()
        compiled = time.perf_counter() - compiled
        spent: dict[str, float] = {}
        steps, began = 1, time.perf_counter()
        while not search.done:
            stage, before = search.stage.split()[0], time.perf_counter()
            search.step()
            spent[stage] = spent.get(stage, 0.0) + time.perf_counter() - before
            steps += 1
        row = {"triangles": shapes, "pixels": pixels, "programs": steps, "evaluations": search.evaluations}
        row |= {"first program s": f"{compiled:.2f}", "the others s": f"{time.perf_counter() - began:.2f}"}
        stages = ("growing", "regrowing", "finishing")
        yield row | {f"{name} s": f"{spent.get(name, 0):.2f}" for name in stages} | {"PSNR (dB)": f"{search.psnr:.2f}"}


def timed(work, least: float = 0.3) -> float:
    """Seconds of one call, after one that compiles."""
    work().block_until_ready()
    count, began = 0, time.perf_counter()
    while count < 3 or time.perf_counter() < began + least:
        out = work()
        count += 1
    out.block_until_ready()
    return (time.perf_counter() - began) / count


def counted(engine, genomes) -> float:
    """Flops of drawing the triangles of a population: only blocks that a triangle's box touches are worked on."""
    from evoart.draw.kernel import COLUMNS, ROWS

    _, _, columns, rows = (np.asarray(a) for a in engine._kernels._tables(genomes))
    both = (rows[:, :, None] & columns[:, None]).view(np.uint32)
    return float(np.bitwise_count(both).sum()) * COLUMNS * ROWS * (3 * PER_EDGE + PER_SHAPE)


def runs(tiny: bool, photograph: Path, device: str) -> Iterator[dict]:
    """Whole commands, start-up included: the second of two runs, so that caches are warm."""
    small = ("--pixels", "32") if tiny else ()
    esclip = ("--preset", "es-clip", *(("--generations", "20", "--population", "8") if tiny else ()))
    default = ("-n", "6", "--quality", "draft") if tiny else ()
    reference = twice("fit", photograph, *small, *default)
    goal = reference["psnr"]
    yield {"run": "the default, on the CPU", **described(reference, goal)}
    jobs = {
        "waves": ("--search", "waves", "--device", device, *small, *default),
        "ES-CLIP's preset": (*esclip, "--device", device, *small),
        "sets, until the default's PSNR": (
            "--search", "sets", "--device", device, "--until-psnr", f"{goal:.2f}", *small, *default[:2],
            "--evaluations", "2000" if tiny else "500000",
        ),
    }  # fmt: skip
    for name, words in jobs.items():
        engine = ("--engine", "dense") if device == "cpu" else ()
        yield {"run": name, **described(twice("fit", photograph, *words, *engine), goal)}


def threads(tiny: bool, photograph: Path) -> Iterator[dict]:
    """Whole fits by the clock on 1, 2, 4 ... of the machine's threads, medians of three."""
    counts = [n for n in (1, 2, 4, 8, 16, 32) if n <= len(os.sched_getaffinity(0))]
    for shapes in (20,) if tiny else (100, 500, 2000):
        more = ("--quality", "draft") if tiny or shapes > 1000 else ()
        first = None
        for n in counts:
            walls = []
            for _ in range(1 if tiny else 3):
                with tempfile.TemporaryDirectory() as folder:
                    fit = (sys.executable, "-m", "evoart", "fit", photograph, "-s", "1", "-q", "--no-checkpoint", *more)
                    words = (*fit, "-n", str(shapes), "--threads", str(n), "--device", "cpu", "-o", f"{folder}/a.json")
                    walls.append(common.run(words)[1])
            wall = statistics.median(walls)
            first = first or wall
            yield {"triangles": shapes, "threads": n, "wall s": f"{wall:.2f}", "gain": f"{first / wall:.2f}"}


def described(facts: dict, goal: float) -> dict:
    return {
        "engine": f"{facts['engine']} on {facts['device']}",
        "seconds": f"{facts['wall']:.2f}",
        "evaluations": facts["evaluations"],
        "PSNR (dB)": f"{facts['psnr']:.2f}",
        "as good as the default": facts["psnr"] >= goal - 0.005,
    }


def twice(*words) -> dict:
    facts: dict = {}
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "evoart", *words, "--seed", "1", "--json", "-q", "--no-checkpoint"]
            _, wall, _, out = common.run([*command, "-o", f"{folder}/a.png"])
            facts = json.loads(out) | {"wall": wall}
    return facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="small sizes, for a CPU")
    parser.add_argument("--minutes", type=float, default=9.0, help="begin nothing long that would end later")
    parser.add_argument("--rate", type=float, help="the card's fp32 rate in TFLOP/s, where it is not known here")
    parser.add_argument("--only", choices=SECTIONS, help="one of the tables")
    given = parser.parse_args()

    from evoart.picture import bundled
    from evoart.run import device

    gpu = device.accelerator()
    if gpu is None and not given.tiny:
        sys.exit(f"there is no GPU here: use --tiny for a trial on the CPU. {device.unused()}".strip())
    rate = given.rate or next((value for name, value in RATES.items() if gpu and name in gpu), None)
    print(f"on {gpu or 'a CPU: kernels are interpreted, times say nothing about a GPU'}")
    photograph, began = bundled(), time.perf_counter()
    sections: dict[str, Callable[[], Iterator[dict]]] = {
        "check": lambda: check(given.tiny),
        "runs": lambda: runs(given.tiny, photograph, "gpu" if gpu else "cpu"),
        "waves": lambda: waves(given.tiny, photograph),
        "times": lambda: times(given.tiny, rate),
        "lowering": lowering,
        "threads": lambda: threads(given.tiny, photograph),
    }
    said = []
    for name, share in SECTIONS.items():
        if given.only in (None, name):
            suffix = "-tiny" if given.tiny and name != "lowering" else ""  # which is the same
            until = began + 60 * given.minutes * (1.0 if given.only else share)
            said.append(f"{name}: {write(sections[name], f'gpu-{name}' + suffix, until)}")
    print("\n".join([*said, f"in {time.perf_counter() - began:.0f} s"]))
    if not all(line.endswith(DONE) for line in said if "no time" not in line):
        sys.exit(1)


def write(section: Callable[[], Iterator[dict]], name: str, until: float) -> str:
    """Write a table row by row, none that begins after ``until`` (of ``time.perf_counter``); returns how it went."""
    rows: list[dict] = []
    try:
        found = section()
        while time.perf_counter() < until:
            row = next(found, None)
            if row is None:
                wrong = [row for row in rows if row.get("right") is False]
                return f"{len(wrong)} of {len(rows)} rows are wrong" if wrong else f"{len(rows)} rows, {DONE}"
            rows.append(row)
            common.table(rows, name)
    except Exception as error:  # whatever it is, the other tables are wanted
        traceback.print_exc()
        return f"failed after {len(rows)} rows: {type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    return f"{len(rows)} rows, then there was no time left"


if __name__ == "__main__":
    main()
