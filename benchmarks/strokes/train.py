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
from check import distance, drawn
from drawings import BOX, LONGEST, TOLERANCE

from evoart.engine.jax_setup import setup
from evoart.run.sketch.dataset import Dataset, read_dataset
from evoart.sketch.latent import encode
from evoart.sketch.model import Config, Model
from evoart.sketch.strokes import to_polylines
from evoart.sketch.training import Training, TrainingConfig
from evoart.sketch.weights import to_npz

ASKED, PLACES = 120, 4  # drawings of a word that are looked at, and places that it gets
EVERY = 250  # steps between validations
# Of each phase: its last step, the learning rate at its first step and what that falls to in so many steps, the KL
# weight, and the steps by which it is nearly reached.
PHASES = {1: (3000, 5e-3, 5e-5, 5000, 0.35, 2500), 2: (4500, 8e-4, 8e-5, 1500, 0.15, 1)}
BUCKETS = (22, LONGEST)  # padded lengths: each is a program of its own, and compiling one takes long


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/strokes"))
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
    training = Training(config, settings(1), data.train, data.valid)
    training.bounds = np.array(BUCKETS)
    place, log = given.data / "things.state.npz", []
    if place.exists():
        log = restore(training, place)
    start = time.process_time() - (log[-1][1] if log else 0)
    for phase, (end, *_) in PHASES.items():
        training.settings = settings(phase)
        while training.step < end:
            learned = training.advance()
            if training.step % EVERY == 0:
                valid = training.validate()
                row = [
                    training.step,
                    time.process_time() - start,
                    learned.reconstruction,
                    learned.kl,
                    valid.reconstruction,
                    valid.kl,
                ]
                log.append(row)
                save(training, log, place)
                print(json.dumps([round(value, 4) for value in row]), flush=True)
    (given.data / "things.npz").write_bytes(to_npz(with_words(training.model, data)))


def settings(phase: int) -> TrainingConfig:
    """How the model is trained in a phase."""
    _, first, last, over, kl_weight, warm_up = PHASES[phase]
    decay = (last / first) ** (1 / over)
    begin = PHASES[phase - 1][0] if phase > 1 else 0
    return TrainingConfig(
        batch=64,
        learning_rate=first / decay**begin,
        decay=decay,
        min_learning_rate=0.0,
        keep_prob=1.0,
        augment_scale=0.0,
        augment_drop=0.0,
        kl_weight=kl_weight,
        kl_decay=0.01 ** (1 / warm_up),
        kl_floor=0.1,
    )


def with_words(model: Model, data: Dataset) -> Model:
    """The model with ``PLACES`` places of each word in its latent space: of the drawings that come out best, the best,
    and then those that are farthest from the ones before. A place has the spread that the encoder gives its drawing."""
    z, sigma = [], []
    for number in range(len(data.classes)):
        sketches = [data.train.sketches[k] for k in np.flatnonzero(data.train.classes == number)[:ASKED]]
        means, spreads = encode(model, sketches)
        found, _ = drawn(model, means)
        away = np.array([distance(to_polylines(a), b) for a, b in zip(sketches, found, strict=True)])
        best = np.argsort(away)[: ASKED // 8]
        chosen = [best[0]]
        while len(chosen) < PLACES:
            apart = np.linalg.norm(means[best][:, None] - means[chosen], axis=-1).min(1)
            chosen.append(best[np.argmax(apart)])
        z.append(means[chosen])
        sigma.append(spreads[chosen])
    config = replace(model.config, words=data.classes, places=PLACES)
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
