"""CLIP measured: pictures a second of the models, and how the searches compare with the tiny model.

    python benchmarks/clip.py speed [--models ViT-B-32/random] [--batch 64 256]
    python benchmarks/clip.py search [--shapes 50 200] [--seeds 3] [--prompts N]
    python benchmarks/clip.py end    # a ViT-B/32 of random weights end to end: ms per generation, memory

Searches get the same number of encodes (a gradient counts three) and are judged by the model that did not guide.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from common import table

PROMPTS = ("a red circle", "a blue square", "a yellow star", "a green tree", "an orange cat")
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

    from evoart.clip.load import load

    rows = []
    for name in models:
        for scorer, precision in (("jax", "float32"), ("jax", "bfloat16"), ("torch", "float32")):
            model = load(name, precision=precision, torch=scorer == "torch")
            for batch in batches:
                images = np.random.default_rng(0).random((batch, model.size, model.size, 3), np.float32)
                model.images(images)
                cpu, wall, rounds = time.process_time(), time.perf_counter(), 0
                while time.perf_counter() - wall < 5 or rounds < 2:
                    model.images(images)
                    rounds += 1
                spent = time.process_time() - cpu if jax.default_backend() == "cpu" else time.perf_counter() - wall
                rows.append({"model": name, "scorer": scorer, "precision": precision, "batch": batch,
                             "pictures_per_second": round(rounds * batch / spent, 1)})  # fmt: skip
                print(rows[-1], flush=True)
    return rows


def search(shapes: list[int], seeds: int, prompts: int, evaluations: int) -> list[dict]:
    """The judge's similarity after the same number of encodes, and what it took."""
    from evoart.run.clip.job import ClipJob
    from evoart.run.loop import run

    rows = []
    for count in shapes:
        for name, how in SEARCHES.items():
            for prompt in PROMPTS[:prompts]:
                for seed in range(seeds):
                    given = {"generations": None, "shapes": count, "evaluations": evaluations}
                    job = ClipJob.make(prompts=prompt, model="tiny", seed=seed, **how | given)
                    cpu = time.process_time()
                    result = list(run(job))[-1].result
                    rows.append({"shapes": count, "search": name, "prompt": prompt, "seed": seed,
                                 "encodes": result.evaluations * 4,
                                 "similarity": round(result.figures["similarity"], 4),
                                 "judge": round(result.figures["judge"], 4),
                                 "cpu_seconds": round(time.process_time() - cpu, 1)})  # fmt: skip
                    print(rows[-1], flush=True)
    return rows


def end(model: str, generations: int) -> list[dict]:
    """Milliseconds per generation and peak memory of whole runs with a model of random weights."""
    from evoart.run.clip.job import ClipJob
    from evoart.run.events import Progress
    from evoart.run.loop import run

    rows = []
    for name, how in (("gradient", {}), ("ES-CLIP, pgpe 256", {"preset": "es-clip"})):
        many = generations if name == "gradient" else 2
        job = ClipJob.make(prompts="a cat", model=model, shapes=50, seed=1, **how | {"generations": many})
        marks = []
        for event in run(job):
            if isinstance(event, Progress):
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                marks.append((event.generation, time.process_time(), peak))
        (first, began, _), (last, ended, peak) = marks[0], marks[-1]
        per = (ended - began) / max(last - first, 1) * 1000
        rows.append({"search": name, "generations": last, "cpu_ms_per_generation": round(per), "peak_mb": round(peak),
                     "mb_at_first_report": round(marks[0][2])})  # fmt: skip
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "search", "end"))
    parser.add_argument("--models", nargs="+", default=["tiny", "ViT-B-32/random"])
    parser.add_argument("--batch", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--shapes", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--evaluations", type=int, default=1200)
    parser.add_argument("--generations", type=int, default=12)
    args = parser.parse_args()
    if args.what == "speed":
        found = speed(args.models, args.batch)
    elif args.what == "search":
        found = search(args.shapes, args.seeds, args.prompts, args.evaluations)
    else:
        found = end(args.models[-1], args.generations)
    table(found, f"clip-{args.what}")
