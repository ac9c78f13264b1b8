"""sketch-rnn in figures: sketches a second, CPU seconds of a training step, what models reach.

    python benchmarks/sketch.py sampling    # sketches a second in batches of 1, 100 and 1,000
    python benchmarks/sketch.py training    # CPU seconds a step, every cell; steps a second with and without buckets
    python benchmarks/sketch.py models      # validation loss and share of finished sketches; --model FILE for others

Each prints a table and writes it to ``results``. CPU seconds are those of this process on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time

import numpy as np
from common import ROOT, table

from evoart.engine.jax_setup import setup

DATA = ROOT.parent / "shared" / "data" / "sketch"
SETS = {"kanji": "kanji.rdp200", "omniglot": "omniglot"}


def stroke_set(name: str, max_points: int):
    """Training and validation drawings of a published stroke set, those of up to ``max_points`` points."""
    from evoart.sketch.arrays import read_npz
    from evoart.sketch.batches import StrokeSet

    parts = read_npz(DATA / "strokes" / f"{name}.npz", ("train", "valid"))
    sets = []
    for part in ("train", "valid"):
        kept = [np.asarray(sketch, np.float32) for sketch in parts[part] if 1 <= len(sketch) <= max_points]
        sets.append(StrokeSet(tuple(kept), np.zeros(len(kept), int)))
    return sets


def sampling(models: list[str]) -> None:
    from evoart.sketch.catalogue import find
    from evoart.sketch.sampling import draw, draw_noise

    rows = []
    for name in models or ["kanji", str(DATA / "models" / "bird.gen.json")]:
        model = find(name)
        for count in (1, 100, 1000):
            noise = draw_noise(count, model.config.max_points, 2)
            z = np.random.default_rng(1).normal(size=(count, model.config.latent)) if model.config.latent else None
            draw(model, noise, z=z)  # compiled from now on
            times = []
            for _ in range(5 if count < 1000 else 2):
                cpu, wall = time.process_time(), time.perf_counter()
                drawn = draw(model, noise, z=z)
                times.append((time.process_time() - cpu, time.perf_counter() - wall))
            cpu, wall = np.min(times, 0)
            rows.append(
                {
                    "model": model.config.name,
                    "LSTM": model.config.hidden,
                    "batch": count,
                    "points a sketch": f"{np.mean([len(each.strokes) for each in drawn]):.0f}",
                    "finished": f"{np.mean([each.finished for each in drawn]):.1%}",
                    "sketches/CPU s": f"{count / cpu:,.0f}",
                    "sketches/s": f"{count / wall:,.0f}",
                }
            )
    table(rows, "sketch-sampling")


def training(cells: list[str]) -> None:
    from evoart.sketch.batches import StrokeSet, pad
    from evoart.sketch.cells import CELLS
    from evoart.sketch.model import Config
    from evoart.sketch.training import Training, TrainingConfig

    rng = np.random.default_rng(0)
    whole = [np.column_stack([rng.normal(size=(249, 2)), rng.random(249) < 0.1]).astype(np.float32) for _ in range(100)]
    full = StrokeSet(tuple(whole), np.zeros(100, int))
    rows = []
    for cell in cells or CELLS:
        for written in (True, False) if cell == "lstm" else (False,):
            gradient = "by hand" if written else "autodiff"
            settings = TrainingConfig(
                augment_drop=0.0, augment_scale=0.0, seed=int(written)
            )  # another seed is another program
            with contextlib.nullcontext() if written else autodiff():
                seconds = steps_of(Training(Config(cell=cell, hidden=512, max_points=250), settings, full, full), 3)
            row = {"cell": cell, "gradient": gradient, "H": 512, "T": 250, "batch": 100, "data": "full length"}
            rows.append(row | {"CPU s/step": f"{seconds:.2f}"})
    train, valid = stroke_set("kanji.rdp200", 250)
    max_points = max(train.lengths.max(), valid.lengths.max())
    for bucketed in (True, False):
        training = Training(Config(hidden=256, max_points=int(max_points)), TrainingConfig(), train, valid)
        if not bucketed:
            training.bounds = np.array([max_points])
            order = np.random.default_rng(0)

            def batch(training=training, order=order):
                members = order.choice(len(train), 100, replace=False)
                return pad([train.sketches[k] for k in members], train.classes[members], 20.0, int(max_points))

            training.batch = batch
        seconds = steps_of(training, 60)
        how = "kanji, bucketed" if bucketed else "kanji, all padded alike"
        rows.append(
            {
                "cell": "lstm",
                "gradient": "by hand",
                "H": 256,
                "T": int(max_points),
                "batch": 100,
                "data": how,
                "CPU s/step": f"{seconds:.3f}",
                "steps/CPU s": f"{1 / seconds:.1f}",
            }
        )
    table(rows, "sketch-training", [*rows[0], "steps/CPU s"])


@contextlib.contextmanager
def autodiff():
    """JAX's own gradient of the LSTM's loop, to compare with."""
    import jax

    from evoart.sketch import loss, unroll
    from evoart.sketch.cells import CELLS

    def plain(cell, params, base, state, xs, keep):
        hidden = params["wh"].shape[0]

        def step(state, inputs):
            x, kept = inputs
            state = CELLS[cell].step(params, base, state, x, None if kept is None else unroll.scaled(kept))
            return state, CELLS[cell].output(state, hidden)

        return jax.lax.scan(step, state, (xs, keep))[1]

    before, loss.unroll = loss.unroll, plain
    try:
        yield
    finally:
        loss.unroll = before


def steps_of(training, count: int) -> float:
    """CPU seconds a step, once everything is compiled."""
    for _ in range(2 if count < 10 else 60):
        training.advance()
    before = time.process_time()
    for _ in range(count):
        training.advance()
    return (time.process_time() - before) / count


def models(names: list[str]) -> None:
    from evoart.sketch import latent
    from evoart.sketch.batches import StrokeSet
    from evoart.sketch.catalogue import BUILTIN, find
    from evoart.sketch.sampling import draw, draw_noise
    from evoart.sketch.training import Training, TrainingConfig

    rows = []
    for name in names or [*BUILTIN, *sorted(str(path) for path in (DATA / "models").glob("*.gen.js*"))]:
        model = find(name)
        config = model.config
        row = {"model": config.name, "parameters": f"{model.size:,}", "cell": f"{config.cell} {config.hidden}"}
        if config.name in SETS:
            train, valid = stroke_set(SETS[config.name], config.max_points)
            training = Training(
                config, TrainingConfig(), StrokeSet(train.sketches[:1], train.classes[:1]), valid, model
            )
            figures = training.validate()
            row |= {"L_R": f"{figures.reconstruction:.2f}", "L_KL": f"{figures.kl:.2f}" if config.latent else ""}
        noise = draw_noise(300, config.max_points, 1)
        z = None
        if config.latent:
            z = latent.encode(model, valid.sketches[:300])[0]
            row["of"] = "encoded drawings"
        drawn = draw(model, noise[: 300 if z is None else len(z)], z=z, temperature=0.35)
        row["finished"] = f"{np.mean([each.finished for each in drawn]):.1%}"
        if config.latent:
            z = np.random.default_rng(1).normal(size=(300, config.latent))
            drawn = draw(model, noise, z=z, temperature=0.35)
            row["finished, z from the prior"] = f"{np.mean([each.finished for each in drawn]):.1%}"
        rows.append(row)
    columns = ["model", "cell", "parameters", "L_R", "L_KL", "finished", "finished, z from the prior"]
    table(rows, "sketch-models", columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("sampling", "training", "models"))
    parser.add_argument("--model", action="append", default=[], help="name or file of a model; repeat")
    parser.add_argument("--cell", action="append", default=[], help="lstm, layer_norm or hyper; repeat")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    setup()
    if given.what == "training":
        training(given.cell)
    else:
        {"sampling": sampling, "models": models}[given.what](given.model)


if __name__ == "__main__":
    main()
