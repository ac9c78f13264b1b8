"""What the model of things can do, in figures and pictures: ``python benchmarks/strokes/check.py`` after ``train.py``.

Held-out icons and how the model draws them, walks between words, a grid, samples: sheets in ``--data``, figures in
``results/strokes.md``. ``--blind`` instead writes ``results/strokes-blind.png``, shuffled, and its key: reconstructions
of held-out icons and samples by word, for somebody to name who has seen neither.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from drawings import LONGEST
from PIL import Image, ImageDraw
from scipy.spatial import KDTree

sys.path.append(str(Path(__file__).resolve().parent.parent))
from common import RESULTS, table

from evoart.draw.bend import BendFrames
from evoart.draw.pen import PenDrawing
from evoart.engine.jax_setup import setup
from evoart.run.sketch.dataset import Dataset, read_dataset
from evoart.sketch.batches import StrokeSet
from evoart.sketch.catalogue import find
from evoart.sketch.latent import between_corners, encode, slerp
from evoart.sketch.model import Model
from evoart.sketch.sampling import draw, draw_noise
from evoart.sketch.strokes import Polylines, fitted, to_polylines
from evoart.sketch.training import Training, TrainingConfig

CELL = 96  # pixels of a drawing on a sheet
STEPS = 24  # of a walk whose smoothness is measured
KEYS = 8  # drawings on a sheet of an interpolation


def drawn(model: Model, z: np.ndarray, temperature: float = 0.1, seed: int = 1) -> tuple[list[Polylines], float]:
    """Drawings of latent vectors, all from the same noise, and the share that ended by themselves."""
    noise = np.repeat(draw_noise(1, model.config.max_points, seed), len(z), 0)
    samples = draw(model, noise, temperature=temperature, z=np.asarray(z, np.float32))
    return [to_polylines(each.strokes) for each in samples], float(np.mean([each.finished for each in samples]))


def sheet(drawings: list[Polylines], columns: int, place: Path, labels: list[str] | None = None) -> None:
    """The drawings as a PNG, row by row."""
    scale, rows = 4, -(-len(drawings) // columns)
    page = Image.new("L", (columns * CELL * scale, rows * CELL * scale), 255)
    pen = ImageDraw.Draw(page)
    for k, drawing in enumerate(drawings):
        row, column = divmod(k, columns)
        box = (column * CELL + 9, row * CELL + 9, CELL - 18, CELL - 18)
        for line in fitted(drawing, box) if drawing else []:
            pen.line([tuple(point * scale) for point in line], fill=0, width=7, joint="curve")
        if labels:
            pen.text((column * CELL * scale + 8, row * CELL * scale), labels[k], fill=120, font_size=44)
    page.resize((columns * CELL, rows * CELL), Image.Resampling.LANCZOS).save(place)


def distance(one: Polylines, other: Polylines) -> float:
    """Mean distance from the ink of one drawing to the nearest of the other, both ways, in percent of the side."""
    trees = [KDTree(_ink(fitted(drawing, (0, 0, 100, 100)))) for drawing in (one, other)]
    return float(np.mean([trees[k].query(trees[1 - k].data)[0].mean() for k in (0, 1)]))


def _ink(drawing: Polylines) -> np.ndarray:
    parts = [np.zeros((1, 2)) + 50]
    for line in drawing:
        for a, b in zip(line[:-1], line[1:], strict=True):
            parts.append(a + np.linspace(0, 1, max(2, int(np.hypot(*(b - a))))).reshape(-1, 1) * (b - a))
    return np.concatenate(parts[1:] or parts)


def walks(model: Model) -> tuple[float, float, float, float]:
    """Over walks between words: the median of the largest step over the mean one (1 where all are alike), that of the
    largest step in percent of the side, the share of drawings on the way that end by themselves, and the median of the
    first ratio in films, of as many frames one way, through the drawings of a sheet."""
    rng = np.random.default_rng(0)
    places, ratios, largest, ended, films = model.params["words/z"][:, 0], [], [], [], []
    for _ in range(40):
        a, b = rng.choice(len(places), 2, replace=False)
        drawings, share = drawn(model, slerp(places[a], places[b], STEPS))
        steps = np.array([distance(one, other) for one, other in zip(drawings[:-1], drawings[1:], strict=True)])
        ratios.append(steps.max() / steps.mean())
        largest.append(steps.max())
        ended.append(share)
        keys = [fitted(each, (0, 0, 1, 1)) for each in drawn(model, slerp(places[a], places[b], KEYS))[0]]
        frames = BendFrames([PenDrawing(tuple(key), np.zeros((len(key), 3)), 0.01, 1, 1) for key in keys], 2 * STEPS)
        ways = [[100 * line for line in frame.strokes] for frame in frames[:STEPS]]
        steps = np.array([distance(one, other) for one, other in zip(ways[:-1], ways[1:], strict=True)])
        films.append(steps.max() / steps[steps > 0].mean())  # at both ends it rests
    return float(np.median(ratios)), float(np.median(largest)), float(np.mean(ended)), float(np.median(films))


def figures(model: Model, data: Dataset, place: Path) -> None:
    """The table and the sheets."""
    held = [data.valid.sketches[k] for k in range(len(data.valid))]
    originals = [to_polylines(sketch) for sketch in held]
    means = encode(model, held)[0]
    found, ended = drawn(model, means)
    near = np.mean([distance(a, b) for a, b in zip(originals, found, strict=True)])
    own = np.nanmean([_other(originals, data.valid.classes, k, True) for k in range(len(held))])
    far = np.nanmean([_other(originals, data.valid.classes, k, False) for k in range(len(held))])
    places = model.params["words/z"]
    to_words = np.linalg.norm(means[:, None, None] - places, axis=-1).min(-1).argmin(1)
    training = Training(
        model.config, TrainingConfig(), StrokeSet(data.train.sketches[:1], data.train.classes[:1]), data.valid, model
    )
    losses = training.validate()
    drawn(model, np.tile(places[:, 0], (14, 1)))  # compiled from now on
    cpu = time.process_time()
    drawn(model, np.tile(places[:, 0], (14, 1)))
    rate = 14 * len(places) / (time.process_time() - cpu)
    ratio, largest, on_the_way, film = walks(model)
    state = place / "things.state.npz"
    log = json.loads(str(np.load(state)["log"])) if state.exists() else []
    rows = {
        "icons learned from / held out": f"322 / {len(held)}",
        "parameters": f"{model.size:,}",
        "training": f"{log[-1][0]:,} steps, {log[-1][1] / 60:.0f} CPU minutes on one core" if log else "",
        "L_R, L_KL of held-out icons": f"{losses.reconstruction:.2f}, {losses.kl:.2f}",
        "from a held-out icon to its reconstruction": f"{near:.1f} % of the side",
        "from it to another icon of the same thing, of another thing": f"{own:.1f} %, {far:.1f} %",
        "held-out icons that lie nearest to their own word": f"{np.mean(to_words == data.valid.classes):.0%}",
        "reconstructions that end by themselves": f"{ended:.0%}",
        "drawings between words that end by themselves": f"{on_the_way:.0%}",
        f"walks of {STEPS}: largest step over the mean one (median)": f"{ratio:.1f}",
        f"films through {KEYS} drawings, {STEPS} frames: largest step over the mean one (median)": f"{film:.1f}",
        f"walks of {STEPS}: largest step (median)": f"{largest:.1f} % of the side",
        "sketches a CPU second, in a batch of 252": f"{rate:,.0f}",
    }
    table([{"things": name, "figure": value} for name, value in rows.items()], "strokes")
    pairs = [drawing for pair in zip(originals, found, strict=True) for drawing in pair]
    sheet(pairs, 16, place / "reconstructions.png")
    words = list(model.config.words)
    for number, (a, b) in enumerate((("apple", "star"), ("house", "umbrella"), ("fish", "heart"), ("moon", "face"))):
        ends = [places[words.index(word), 0] for word in (a, b)]
        sheet(drawn(model, slerp(*ends, 8))[0], 8, place / f"walk-{number}.png")
    corners = np.stack([places[words.index(word), 0] for word in ("star", "house", "fish", "cup")])
    sheet(drawn(model, between_corners(corners, 6, 6))[0], 6, place / "grid.png")
    every = places.reshape(-1, places.shape[-1])
    sheet(drawn(model, every)[0], 12, place / "words.png", np.repeat(words, places.shape[1]).tolist())
    z, labels = samples(model, 6)
    sheet(drawn(model, z, 0.2)[0], 12, place / "samples.png", labels)


def samples(model: Model, each: int) -> tuple[np.ndarray, list[str]]:
    """Latent vectors near the places of every word in turn, and the words."""
    rng = np.random.default_rng(5)
    chosen = np.arange(each) % model.config.places
    z, sigma = (model.params[f"words/{name}"][:, chosen] for name in ("z", "sigma"))
    near = z + sigma * rng.normal(size=z.shape)
    return near.reshape(-1, z.shape[-1]), [word for word in model.config.words for _ in range(each)]


def _other(drawings: list[Polylines], classes: np.ndarray, k: int, same: bool) -> float:
    others = [j for j in range(len(drawings)) if j != k and (classes[j] == classes[k]) == same]
    return float(np.mean([distance(drawings[k], drawings[j]) for j in others[:6]])) if others else np.nan


def blind(model: Model, data: Dataset) -> None:
    """A shuffled sheet of 36 reconstructions and 36 samples, numbered, and its key."""
    rng = np.random.default_rng(9)
    words = model.config.words
    chosen = [k for word in range(len(words)) for k in np.flatnonzero(data.valid.classes == word)[:2]]
    means = encode(model, [data.valid.sketches[k] for k in chosen])[0]
    one = [
        (words[data.valid.classes[k]], "reconstruction", d) for k, d in zip(chosen, drawn(model, means)[0], strict=True)
    ]
    z, labels = samples(model, 2)
    two = [(word, "sample", d) for word, d in zip(labels, drawn(model, z, 0.2)[0], strict=True)]
    every = [*one, *two]
    every = [every[k] for k in rng.permutation(len(every))]
    sheet([d for *_, d in every], 12, RESULTS / "strokes-blind.png", [str(k) for k in range(1, len(every) + 1)])
    key = {str(k): {"word": word, "kind": kind} for k, (word, kind, _) in enumerate(every, 1)}
    (RESULTS / "strokes-blind.key.json").write_text(json.dumps(key, indent=1) + "\n")
    print(f"{len(every)} drawings of {len(words)} words")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/strokes"))
    parser.add_argument("--model", default="things", help="name or file")
    parser.add_argument("--blind", action="store_true")
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    setup()
    sets = sorted((given.data / "strokes").glob("*.npz"))
    data = read_dataset(sets, tolerance=0.0, max_points=LONGEST, by_class=True, seed=0)
    model = find(given.model)
    if given.blind:
        blind(model, data)
    else:
        figures(model, data, given.data)


if __name__ == "__main__":
    main()
