"""CLIP measured: pictures a second of the models, and how the searches compare with the tiny model.

    python benchmarks/clip.py speed [--models ViT-B-32/random] [--batch 64 256]
    python benchmarks/clip.py search [--shapes 50 200] [--seeds 3] [--prompts N]
    python benchmarks/clip.py end    # a ViT-B/32 of random weights end to end: ms per generation, memory
    python benchmarks/clip.py cost   # where a generation of its gradient goes
    python benchmarks/clip.py draft [--seeds 3] [--prompts N]  # what a draft's crops and steps are worth

Searches get the same number of encodes (a gradient counts three) and are judged by the model that did not guide.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from common import table

from evoart.run.problem import prepare

PROMPTS = ("a red circle", "a blue square", "a yellow star", "a green tree", "an orange cat")
JUDGED = (0.2, 0.4, 0.6)  # similarities by the judge whose cost is told
LOOK = 100  # evaluations between two looks of the judge
SECONDS = 4  # CPU seconds after which the judge's similarity is told too
SEARCHES: dict[str, dict] = {
    "gradient": {"search": "gradient"},
    "surrogate": {"search": "surrogate"},
    "classical, snes 32": {"search": "classical", "strategy": "snes", "population": 32, "step": 0.1},
    "classical, pgpe 32": {"search": "classical", "strategy": "pgpe", "population": 32, "step": 0.1},
    "ES-CLIP, pgpe 256": {"preset": "es-clip"},
}


def speed(models: list[str], batches: list[int]) -> list[dict]:
    """Pictures a CPU second (or a second of a GPU) that a model looks at, by JAX and by torch."""
    import jax

    from evoart.openclip.load import load

    rows = []
    for name in models:
        for scorer, precision in itertools.product(("jax", "torch"), ("float32", "bfloat16")):
            if scorer == "torch" and name in ("tiny", "judge"):
                continue  # open_clip does not know them
            model = load(name, precision=precision, torch=scorer == "torch")
            for batch in batches:
                images = np.random.default_rng(0).random((batch, model.size, model.size, 3), np.float32)
                model.embed_images(images)
                cpu, wall, rounds = time.process_time(), time.perf_counter(), 0
                while time.perf_counter() - wall < 5 or rounds < 2:
                    model.embed_images(images)
                    rounds += 1
                spent = time.process_time() - cpu if jax.default_backend() == "cpu" else time.perf_counter() - wall
                rows.append({"model": name, "scorer": scorer, "precision": precision, "batch": batch,
                             "pictures_per_second": round(rounds * batch / spent, 1)})  # fmt: skip
                print(rows[-1], flush=True)
    return rows


def search(shapes: list[int], seeds: int, prompts: int, evaluations: int, processes: int) -> tuple[list, list]:
    """Every run: the judge's similarity after the same number of encodes, and the encodes that each step of it took.

    Returns:
        runs, and a summary over prompts and seeds.
    """
    runs = list(itertools.product(shapes, SEARCHES, PROMPTS[:prompts], range(seeds), [evaluations]))
    rows = []
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for row in pool.map(_run, runs):
            rows.append(row)
            print(row, flush=True)
    return rows, _summary(rows)


def _run(what: tuple[int, str, str, int, int]) -> dict:
    """One run, looked at by the judge every so often."""
    from evoart.run.clip.job import ClipJob

    count, name, prompt, seed, evaluations = what
    given = {
        "generations": None,
        "shapes": count,
        "kind": "triangle",
        "restarts": 1,
        "prune": 0,
        "evaluations": evaluations,
    }
    problem = prepare(ClipJob.make(prompts=prompt, model="tiny", seed=seed, threads=1, **SEARCHES[name] | given))
    work, form, cpu, judged, taken = problem.search(), problem.form, 0.0, -1.0, dict.fromkeys(JUDGED, "")
    work.stop_after(1, None)
    work.step()  # compiled before the clock starts
    found = problem.evaluate(form, work.genome)
    early = found["judge"]
    while work.evaluations < evaluations:
        began = time.process_time()
        # A few generations at a time, to see the judge's mind change.
        work.stop_after(work.generation + max(1, LOOK // work.per_generation), None)
        work.step()
        cpu += time.process_time() - began
        found = problem.evaluate(form, work.genome)
        judged = max(judged, found["judge"])
        early = found["judge"] if cpu <= SECONDS else early
        for level in JUDGED:
            if not taken[level] and judged >= level:
                taken[level] = work.evaluations * problem.job.crops
    return {
        "shapes": count, "search": name, "prompt": prompt, "seed": seed,
        "encodes": work.evaluations * problem.job.crops, "similarity": round(found["similarity"], 4),
        "judge": round(found["judge"], 4), "cpu_seconds": round(cpu, 1), f"judge_after_{SECONDS}_s": round(early, 4),
    } | {f"encodes_to_{level}": taken[level] for level in JUDGED}  # fmt: skip


def _summary(rows: list[dict]) -> list[dict]:
    """Means over prompts and seeds; how many runs reached a level, and the median encodes of those that did."""
    found = []
    for key, group in itertools.groupby(rows, key=lambda row: (row["shapes"], row["search"])):
        runs = list(group)
        row = dict(zip(("shapes", "search"), key, strict=True)) | {"runs": len(runs)}
        for name in ("similarity", "judge", "cpu_seconds", f"judge_after_{SECONDS}_s"):
            row[name] = round(float(np.mean([run[name] for run in runs])), 3)
        for level in JUDGED:
            taken = [run[f"encodes_to_{level}"] for run in runs if run[f"encodes_to_{level}"]]
            row[f"reached_{level}"] = len(taken)
            row[f"encodes_to_{level}"] = round(float(np.median(taken))) if taken else ""
        found.append(row)
    return found


ENDS: dict[str, dict] = {
    "draft of 100 triangles": {"quality": "draft", "shapes": 100},
    "gradient": {},
    "gradient, torch bfloat16": {"scorer": "torch", "precision": "bfloat16"},
    "surrogate": {"search": "surrogate"},
    "ES-CLIP, pgpe 256": {"preset": "es-clip"},
    "ES-CLIP, pgpe 256, torch bfloat16": {"preset": "es-clip", "scorer": "torch", "precision": "bfloat16"},
}


def end(model: str, generations: int, searches: list[str]) -> list[dict]:
    """Milliseconds per generation and peak memory of whole runs with a model of random weights, a process each."""
    rows = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, max_tasks_per_child=1) as pool:
        for row in pool.map(_end, searches, itertools.repeat(model), itertools.repeat(generations)):
            rows.append(row)
            print(row, flush=True)
    return rows


def _end(name: str, model: str, generations: int) -> dict:
    from evoart.run.clip.job import ClipJob
    from evoart.run.events import Progress
    from evoart.run.loop import run

    how = ENDS[name]
    many = 2 if "preset" in how else None if "quality" in how else generations if not how else generations // 5
    job = ClipJob.make(**{"prompts": "a cat", "model": model, "shapes": 50, "seed": 1} | how | {"generations": many})
    marks = []
    for event in run(job):
        if isinstance(event, Progress):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            marks.append((event.generation, time.process_time(), peak))
    (first, began, early), (last, ended, peak) = marks[0], marks[-1]
    per = (ended - began) / max(last - first, 1) * 1000
    return {"search": name, "generations": last, "cpu_ms_per_generation": round(per), "cpu_seconds": round(ended),
            "mb_at_first_report": round(early), "peak_mb": round(peak)}  # fmt: skip


# Generations, crops, steps for each derivative by the pixels, and their learning rate.
DRAFTS = {
    "before": (100, 4, 1, 0.12),
    "two crops": (100, 2, 1, 0.12),
    "two crops, faster": (100, 2, 1, 0.24),
    "now: two crops, followed": (100, 2, 8, 0.08),
}


def draft(seeds: int, prompts: int, processes: int) -> tuple[list[dict], list[dict]]:
    """Drafts of 100 triangles by the tiny model as ViT-B/32 makes them: every run, and means by what was tried."""
    runs = list(itertools.product(PROMPTS[:prompts], range(seeds), DRAFTS))
    rows = []
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for row in pool.map(_draft, runs):
            rows.append(row)
            print(row, flush=True)
    means = []
    for name in DRAFTS:
        mine = [row for row in rows if row["draft"] == name]
        kept = {key: mine[0][key] for key in ("draft", "encodes", "steps")} | {"runs": len(mine)}
        means.append(
            kept | {key: round(float(np.mean([row[key] for row in mine])), 3) for key in ("similarity", "judge")}
        )
    return rows, means


def _draft(what: tuple[str, int, str]) -> dict:
    from evoart.run.clip.job import ClipJob
    from evoart.search.stochastic_gradient import StochasticGradient

    prompt, seed, name = what
    generations, crops, follow, step = DRAFTS[name]
    how = {"shapes": 100, "kind": "triangle", "restarts": 1, "prune": 0, "generations": generations, "crops": crops}
    problem: Any = prepare(ClipJob.make(prompts=prompt, model="tiny", seed=seed, threads=1, **how))
    builder = problem._builder()
    start, engine = builder.first_guess(), builder.build_engine(problem.form)
    work = StochasticGradient(engine, seed, start, step, generations, follow)
    while work.generation < generations:
        work.stop_after(min(work.generation + 10, generations), None)
        work.step()
    found = problem.evaluate(problem.form, work.genome)
    return {"draft": name, "prompt": prompt, "seed": seed, "encodes": generations * crops,
            "steps": generations * follow} | {key: round(found[key], 4) for key in ("similarity", "judge")}  # fmt: skip


def cost(model: str, rounds: int = 7) -> list[dict]:
    """CPU milliseconds of every part of a gradient's generation (100 triangles), the least of some rounds."""
    import jax
    import jax.numpy as jnp

    from evoart.run.clip.job import ClipJob
    from evoart.score.crops import resample

    problem: Any = prepare(ClipJob.make(prompts="a cat", model=model, shapes=100, restarts=1, prune=0, seed=1))
    search = problem.search()
    engine, genome = search.engine, problem.search().genome
    clip, params = problem.score.models[0], problem.score.models[0].params
    image = engine._pictures.images(genome[None])[0]
    boxes = problem.score.crops.boxes(jax.random.key(0), *image.shape[:2])

    def crop(image: Any, boxes: Any) -> Any:
        return jax.vmap(lambda box: resample(image[None], box, clip.size, clip.interpolation)[0])(boxes)

    def likeness(crops: Any, params: Any) -> Any:
        return clip.embed_traced(params, crops)[:, :4].sum()

    seen = jax.jit(crop)
    crops = seen(image, boxes)
    pull = jax.jit(lambda image, boxes, slope: jax.vjp(lambda x: crop(x, boxes), image)[1](slope)[0])
    forward, both = jax.jit(clip.embed_traced), jax.jit(jax.grad(likeness))
    slope = np.asarray(jnp.ones_like(image))

    def least(call: Callable[[], Any]) -> float:
        jax.block_until_ready(call())
        times = []
        for _ in range(rounds):
            began = time.process_time()
            jax.block_until_ready(call())
            times.append(time.process_time() - began)
        return 1000 * min(times)

    draw = least(lambda: engine._pictures.images(genome[None]))
    there = least(lambda: forward(params, crops))
    steps, apart = getattr(search, "_follow", 1), getattr(search, "_apart", 1)
    parts = [
        ("drawing", draw, 1.0),
        (
            "crops, and their derivative",
            least(lambda: seen(image, boxes)) + least(lambda: pull(image, boxes, crops)),
            1.0,
        ),
        (f"model, {len(boxes)} crops, forward", there, 1.0),
        (f"model, {len(boxes)} crops, backward", least(lambda: both(crops, params)) - there, 1.0),
        ("drawing's derivative", least(lambda: engine._pictures.vjp(genome, slope)), float(steps)),
        ("choosing the best so far by 8 crops", least(lambda: engine.losses(genome[None])), 1 / apart),
    ]
    rows = [
        {"part": part, "cpu_ms": round(each, 1), "times_per_generation": round(times, 2),
         "cpu_ms_per_generation": round(each * times, 1)} for part, each, times in parts
    ]  # fmt: skip
    whole = sum(row["cpu_ms_per_generation"] for row in rows)
    return [*rows, {"part": "together", "cpu_ms_per_generation": round(whole, 1)}]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "search", "end", "cost", "draft"))
    parser.add_argument("--models", nargs="+", default=["tiny", "ViT-B-32/random"])
    parser.add_argument("--batch", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--shapes", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--processes", type=int, default=2, help="runs of a search side by side")
    parser.add_argument("--evaluations", type=int, default=1200)
    parser.add_argument("--generations", type=int, default=12)
    parser.add_argument("--searches", nargs="+", default=list(ENDS), choices=ENDS, help="of end")
    parser.add_argument("--suffix", default="", help="of the tables' names, such as -before")
    args = parser.parse_args()
    if args.what == "speed":
        found = speed(args.models, args.batch)
    elif args.what == "search":
        runs, found = search(args.shapes, args.seeds, args.prompts, args.evaluations, args.processes)
        table(runs, "clip-search-runs")
    elif args.what == "draft":
        runs, found = draft(args.seeds, args.prompts, args.processes)
        table(runs, f"clip-draft-runs{args.suffix}")
    elif args.what == "cost":
        found = cost(args.models[-1])
    else:
        found = end(args.models[-1], args.generations, args.searches)
    table(found, f"clip-{args.what}{args.suffix}")
