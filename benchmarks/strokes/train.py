"""The model of things: ``python benchmarks/strokes/train.py`` after ``drawings.py``; a VAE of all things at once, which
is not told what a drawing shows. One process, one core; it saves every 250 steps and goes on from what it saved.

The model goes to ``--data``/things.npz, the state of the training to ``--data``/things.state.npz.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from drawings import BOX, LONGEST, TOLERANCE

from evoart.engine.jax_setup import setup
from evoart.run.sketch.dataset import Dataset, read_dataset
from evoart.sketch.latent import encode
from evoart.sketch.model import Config, Model
from evoart.sketch.training import Training, TrainingConfig
from evoart.sketch.weights import to_npz

EVERY = 250  # steps between validations
BUCKETS = (22, LONGEST)  # padded lengths: each is a program of its own, and compiling one takes long


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/strokes"))
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--encoder", type=int, default=96)
    given = parser.parse_args()
    setup()
    sets = sorted((given.data / "strokes").glob("*.npz"))
    data = read_dataset(sets, tolerance=0.0, max_points=LONGEST, by_class=True, seed=0)
    config = Config(
        name="things",
        hidden=given.hidden,
        mixtures=10,
        latent=32,
        encoder=given.encoder,
        scale=data.scale,
        max_points=LONGEST,
        extent=float(BOX),
        ordered=True,
        tolerance=TOLERANCE / BOX,
        licence="Apache-2.0",
    )
    settings = TrainingConfig(
        batch=64,
        learning_rate=5e-3,
        decay=0.01 ** (1 / given.steps),
        min_learning_rate=0.0,
        keep_prob=1.0,
        augment_scale=0.0,
        augment_drop=0.0,
        kl_weight=0.35,
        kl_decay=0.01 ** (2 / given.steps),
        kl_floor=0.1,
    )
    training = Training(config, settings, data.train, data.valid)
    training.bounds = np.array(BUCKETS)
    place, log = given.data / "things.state.npz", []
    if place.exists():
        log = restore(training, place)
    start = time.process_time()
    while training.step < given.steps:
        learned = training.advance()
        if training.step in (20, 60) or training.step % EVERY == 0:
            row = [training.step, time.process_time() - start, learned.reconstruction, learned.kl]
            if training.step % EVERY == 0:
                valid = training.validate()
                row += [valid.reconstruction, valid.kl]
                save(training, [*log, row], place)
            log.append(row)
            print(json.dumps([round(value, 4) for value in row]), flush=True)
    (given.data / "things.npz").write_bytes(to_npz(with_words(training.model, data)))


def with_words(model: Model, data: Dataset) -> Model:
    """The model with the place of each word in its latent space: that of the drawing nearest to the mean of all."""
    config = replace(model.config, words=data.classes)
    z, sigma = [], []
    for number in range(len(data.classes)):
        members = np.flatnonzero(data.train.classes == number)
        means = encode(model, [data.train.sketches[k] for k in members])[0]
        nearest = np.argmin(np.linalg.norm(means - means.mean(0), axis=1))
        z.append(means[nearest])
        sigma.append(means.std(0))
    return Model(config, model.params | {"words/z": np.array(z), "words/sigma": np.array(sigma)})


def save(training: Training, log: list, place: Path) -> None:
    """The state of a training, in place of the one before."""
    part = place.with_suffix(".part.npz")
    np.savez(part, log=json.dumps(log), **training.arrays())
    part.replace(place)


def restore(training: Training, place: Path) -> list:
    """Go on from what ``save`` wrote; the log so far."""
    with np.load(place) as file:
        training.load(dict(file))
        return json.loads(str(file["log"]))


if __name__ == "__main__":
    main()
