"""Networks of coordinates: how many are judged a second, what a print costs, and evolution against the gradient.

    python benchmarks/cppn.py rate
    python benchmarks/cppn.py print
    python benchmarks/cppn.py fit

rate: candidates judged by squared error, 64 at a time by one thread, and the CPU time of one; the graphs have about 130
links. print: one network at sizes up to 16,384 px, PNG, by the command line; CPU and wall seconds, peak memory. fit: a
photograph at 64 px drawn by a network of 947 weights and one latent number (16x4, sines and tanh), and by evolved
topologies; CPU seconds; PSNR and MSE x 1000 on that canvas.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np

from evoart.run.problem import prepare

SEED = 1
STRATEGIES = ("guided_es", "snes", "sep_cma_es", "cr_fm_nes", "pgpe", "open_es", "simple_ga", "lm_ma_es")


def rate() -> None:
    """Candidates a second: layers of 24x4 and graphs of 30 nodes, at 128 and 256 px."""
    from evoart.cppn.layers import Layers
    from evoart.engine.networks import NetworkEngine
    from evoart.forms.cppn import CppnForm, GraphForm
    from evoart.score.pixel import PixelScore, Target
    from evoart.threads import set_threads

    rng = np.random.default_rng(SEED)
    mixed = Layers((24,) * 4, ("tanh", "sine", "gaussian"))
    kinds = {
        "layers 24x4, tanh": (CppnForm(net=Layers((24,) * 4)), None),
        "layers 24x4, tanh, sine and gaussian": (CppnForm(net=mixed), None),
        "graphs of 30 nodes, each another": (GraphForm(), [_graph(rng) for _ in range(64)]),
    }
    assert all(len(graph.nodes) == 30 for graph, _ in kinds["graphs of 30 nodes, each another"][1])
    rows = []
    for name, (form, some) in kinds.items():
        individuals = some or [(form.net, form.random(rng)) for _ in range(64)]
        for side in (128, 256):
            target = Target(rng.random((side, side, 3)).astype(np.float32), np.ones((side, side), np.float32))
            engine = NetworkEngine(form, PixelScore(target), (side, side))
            set_threads(1)
            engine.judge(individuals)
            cpu = _least(lambda engine=engine, individuals=individuals: engine.judge(individuals))
            row = {"networks": name, "px": side, "CPU ms each": f"{1000 * cpu / 64:.2f}"}
            row["a CPU second"] = f"{64 / cpu:,.0f}"
            rows.append(row)
    common.table(rows, "cppn-rate")


def _graph(rng: np.random.Generator):
    """A random graph of 30 nodes, the outputs among them."""
    from evoart.cppn import genes
    from evoart.forms.cppn import bare

    return genes.random_genes(bare(), rng, genes.Rates(), rounds=27).express()


def _least(work: Callable[[], object], times: int = 12) -> float:
    """Least CPU seconds of several runs."""
    cpus = []
    for _ in range(times):
        cpu = time.process_time()
        work()
        cpus.append(time.process_time() - cpu)
    return min(cpus)


def prints() -> None:
    """A network as a print, up to 16,384 x 16,384 pixels."""
    rows = []
    evoart = [sys.executable, "-m", "evoart"]
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"layers 24x4": ["--layers", "24x4"], "layers 24x8 (default)": [], "graph": ["--topology", "graph"]}
        for name, words in kinds.items():
            source = Path(folder) / f"{name.split()[-1].strip('()')}.png"
            common.run([*evoart, "cppn", "--pick", "1", "-n", "1", "-s", SEED, *words, "--size", "64", "-o", source])
            for size in (4096, 16_384):
                target = Path(folder) / "print.png"
                command = [*evoart, "render", source, "-o", target, "--size", size, "--overwrite", "-q"]
                cpu, wall, peak, _ = common.run(command)
                rows.append(
                    {
                        "network": name, "px": size, "CPU s": f"{cpu:.1f}", "wall s": f"{wall:.1f}",
                        "peak MB": f"{peak:.0f}", "file MB": f"{target.stat().st_size / 1e6:.0f}",
                    }
                )  # fmt: skip
    common.table(rows, "cppn-print")


def fit(name: str, folder: str | None) -> None:
    """Strategies, the gradient and NEAT on one photograph."""
    from evoart.run.cppn.fit_job import CppnFitJob

    path = str(common.picture(name, folder))
    fixed = {"layers": "16x4", "latent": 1, "activations": "sine,tanh"}
    runs = [
        *(
            (f"{s}, 947 weights", fixed | {"weights": "evolve", "strategy": s, "evaluations": 16_384})
            for s in STRATEGIES
        ),
        *((f"gradient, 947 weights, {n:,} steps", fixed | {"generations": n}) for n in (1000, 2000, 4000)),
        ("NEAT, evolved weights", {"topology": "graph", "weights": "evolve", "evaluations": 16_384}),
        ("weight-agnostic NEAT", {"topology": "agnostic", "weights": "evolve", "evaluations": 16_384}),
        ("Backprop NEAT", {"topology": "graph", "evaluations": 16_384}),
    ]
    rows = []
    for what, options in runs:
        rows.append({"search": what} | _fitted(CppnFitJob.make(picture=path, pixels=64, seed=SEED, **options)))
        print(rows[-1], flush=True)
    common.table(rows, f"cppn-fit-{name}")


def _fitted(job) -> dict:
    from evoart.score.pixel import psnr

    problem = prepare(job)
    search = problem.search()
    search.step()  # compiles
    search = problem.search()
    cpu = time.process_time()
    limit = job.evaluations or float("inf")
    while not search.done and search.evaluations < limit:
        search.step()
    cpu = time.process_time() - cpu
    form = problem.form if search.structure is None else problem.form.with_structure(search.structure)
    numbers = form.dim if form.name == "cppn" else f"{len(form.net.enabled)} links, {len(form.net.nodes)} nodes"
    return {
        "network": numbers, "evaluations": f"{search.evaluations:,}", "CPU s": f"{cpu:.0f}",
        "MSE x 1000": f"{1000 * search.loss:.1f}", "PSNR": f"{psnr(search.loss):.2f} dB",
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rate", "print", "fit"))
    parser.add_argument("--picture", default="chelsea", choices=common.PICTURES)
    parser.add_argument("--pictures", help="folder of the test pictures")
    given = parser.parse_args()
    if given.what == "fit":
        fit(given.picture, given.pictures)
    else:
        {"rate": rate, "print": prints}[given.what]()


if __name__ == "__main__":
    main()
