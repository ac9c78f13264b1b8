"""Train the judge of the words model: ``python benchmarks/words/train.py``.

It learns from pictures of artists from whom the model inside has nothing (``judged.py``), each in ``VARIANTS`` ways:
turned, stretched, mirrored, in other colours. All are described as the judge sees them (``evoart/openclip/judge.py``),
a chunk at a time, kept in ``--data``/judged: called again it goes on. What tells things apart and not artists are
linear discriminants of regularised covariances (R. A. Fisher, 1936; J. H. Friedman, 1989), solved in closed form.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from judged import fetch, render
from PIL import Image
from sets import EMOJI

from evoart.openclip import compose, judge
from evoart.openclip.safetensors import write

VARIANTS = 3
NOTHING = 600  # pictures of random shapes, which have no name
CHUNK = 512
SHRINKAGE = 0.1  # share of a sphere in the covariance within things
DIMENSIONS = 192
EXAMPLES = 3  # of a thing
SHARPNESS = 25.0


def trimmed(image: np.ndarray) -> np.ndarray:
    """The part ``(h, w, 4)`` of a picture in bytes that shows something."""
    rows, columns = np.flatnonzero(image[..., 3].max(1) > 24), np.flatnonzero(image[..., 3].max(0) > 24)
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) and len(columns) else image


def varied(image: np.ndarray, plain: bool, colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture in bytes ``(h, w, 4)`` as the judge may see it ``(SIDE, SIDE, 3)`` in [0, 1]: turned, stretched,
    mirrored, on white or a colour; one of one colour in ``colours`` ``(n, 3)`` of its thing or others, its inside
    filled or not."""
    seen = image.astype(np.float32) / 255
    alpha, rgb = seen[..., 3:], seen[..., :3]
    if plain:
        own = rng.random() < 0.7
        ink, fill = colours[rng.integers(len(colours), size=2)] if own else rng.random((2, 3))
        if rng.random() < 0.4:
            ink = ink * rng.random()
        inside = rgb[..., :1] * (rng.random() < 0.75)
        cover = alpha + (1 - alpha) * inside
        rgb = (ink * alpha + fill * (1 - alpha) * inside) / np.maximum(cover, 1e-3)
        alpha = cover
    elif rng.random() < 0.5:
        rgb = np.clip((rgb - 0.5) * rng.uniform(0.8, 1.2) + 0.5 + rng.normal(0, 0.06, 3), 0, 1)
    solid = np.concatenate([rgb, alpha], -1)
    side = judge.SIDE
    page = Image.fromarray((255 * solid + 0.5).astype(np.uint8), "RGBA")
    if rng.random() < 0.5:
        page = page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        page = page.rotate(rng.normal(0, 8), Image.Resampling.BILINEAR, expand=True)
    room, stretch = rng.uniform(0.72, 0.98), np.exp(rng.normal(0, 0.07))
    scale = side * room / max(page.width * stretch, page.height / stretch)
    size = max(round(page.width * stretch * scale), 1), max(round(page.height / stretch * scale), 1)
    page = page.resize(size, Image.Resampling.BILINEAR)
    base = np.ones(3) if rng.random() < 0.85 else 1 - rng.random(3) * rng.random()
    canvas = Image.new("RGBA", (side, side), tuple(int(255 * c) for c in base) + (255,))
    left, top = (round((side - n) / 2 + rng.normal(0, 0.8)) for n in size)
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    layer.paste(page, (left, top))
    return np.asarray(Image.alpha_composite(canvas, layer).convert("RGB"), np.float32) / 255


def clutter(colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture ``(SIDE, SIDE, 3)`` of nothing: up to thirty ellipses, boxes and triangles."""
    side = judge.SIDE
    out = np.ones((side, side, 3), np.float32)
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    for _ in range(int(rng.integers(0, 30))):
        cx, cy, a, b, angle = *rng.random(2), *rng.uniform(0.03, 0.3, 2), rng.uniform(0, np.pi)
        u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) / a
        v = ((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)) / b
        inside = (np.hypot(u, v) < 1, np.maximum(abs(u), abs(v)) < 1, (abs(v) < 1) & (abs(u) < (1 - v) / 2))
        out[inside[rng.integers(3)]] = colours[rng.integers(len(colours))]
    return out


def describe_all(data: Path, without: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Descriptions ``(n, features)``, the thing of each (one more for nothing), its picture's row, and the things'
    names."""
    store = np.load(data / "judged.npz")
    use = np.flatnonzero(~np.isin(store["of"][store["sets"]], without))
    pictures, things, plain, names = store["pictures"], store["things"], store["plain"], store["names"].tolist()
    colours = {}
    for i in np.unique(things):
        seen = pictures[(things == i) & ~plain].reshape(-1, 4)
        seen = seen[seen[:, 3] > 200][:, :3] / np.float32(255)
        colours[i] = seen[np.random.default_rng(i).integers(len(seen), size=64)] if len(seen) else np.full((1, 3), 0.5)
    jobs = np.repeat(use, VARIANTS)
    every = np.concatenate(list(colours.values()))
    described = []
    folder = data / "judged"
    folder.mkdir(exist_ok=True)
    for start in range(0, len(jobs) + NOTHING, CHUNK):
        path = folder / f"{start}-{len(without)}.npy"
        if not path.exists():
            rng, images = np.random.default_rng([1, start]), []
            for k in range(start, min(start + CHUNK, len(jobs) + NOTHING)):
                if k < len(jobs):
                    row = jobs[k]
                    images.append(varied(trimmed(pictures[row]), bool(plain[row]), colours[things[row]], rng))
                else:
                    images.append(clutter(every, rng))
            np.save(path, judge.describe(np.array(images)).astype(np.float16))
        described.append(np.load(path))
    rows = np.concatenate([jobs, np.full(NOTHING, -1)])
    return (
        np.concatenate(described).astype(np.float32),
        np.append(things[jobs], np.full(NOTHING, len(names))),
        rows,
        names,
    )


def discriminants(described: np.ndarray, things: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Projection ``(features, DIMENSIONS)`` and offset: directions in which things differ most, in units of how much
    the pictures of one thing do."""
    count = np.bincount(things)
    means = np.zeros((len(count), described.shape[1]), np.float32)
    np.add.at(means, things, described)
    means /= np.maximum(count, 1)[:, None]
    rest = (described - means[things]) / np.sqrt(count[things])[:, None]
    within = rest.T @ rest / (count > 0).sum()
    within = (1 - SHRINKAGE) * within + SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    white = vectors / np.sqrt(values)
    means = means[count > 0]
    centre = means.mean(0)
    _, _, turned = np.linalg.svd((means - centre) @ white, full_matrices=False)
    projection = white @ turned[:DIMENSIONS].T
    return projection.astype(np.float32), (centre @ projection).astype(np.float32)


def examples_of(points: np.ndarray, things: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows, at most ``EXAMPLES`` of each thing (k-means), and their things."""
    found, of = [], []
    for i in np.unique(things):
        own = points[things == i]
        k = min(EXAMPLES if i < things.max() else 40, len(own))
        centres = own[np.linspace(0, len(own) - 1, k).astype(int)]
        for _ in range(8):
            nearest = (own @ centres.T).argmax(1)
            centres = np.array([own[nearest == j].mean(0) if (nearest == j).any() else centres[j] for j in range(k)])
            centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        # The mean of all as well: what the pictures share.
        mean = own.mean(0)
        rows = np.concatenate([centres, mean[None] / np.linalg.norm(mean)]) if i < things.max() else centres
        found.append(rows)
        of += [i] * len(rows)
    return np.concatenate(found), np.array(of)


def measure(critic: judge.Judge, data: Path, most: int) -> None:
    """Print how often true icons of each of the guide's sets (never seen) are named rightly first, and among five."""
    store, said = np.load(data / "pictures.npz"), json.loads((data / "things.json").read_text())["sets"]
    pictures = store["pictures"]
    for k, name in enumerate(said):
        if name not in EMOJI:
            continue
        rows = np.random.default_rng(7).permutation(np.flatnonzero(store["sets"] == k))[:most]
        place = []
        for row in rows:
            shares = critic.probabilities(compose.flattened(pictures[row] / np.float32(255)))[:-1]
            place.append(int((shares > shares[store["things"][row]]).sum()))
        place = np.array(place)
        print(f"{name:20s} first {(place == 0).mean():.1%}, among five {(place < 5).mean():.1%}", flush=True)


def train(args: argparse.Namespace) -> None:
    """Describe, solve, write and measure."""
    described, things, _, names = describe_all(args.data, args.without)
    projection, offset = discriminants(described, things)
    examples, of = examples_of(judge.project(described, projection, offset), things)
    arrays = {"projection": projection, "offset": offset, "examples": examples}
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    notes = {"names": json.dumps(names), "sharpness": str(SHARPNESS)}
    path = args.data / "icons-judge.safetensors"
    write(path, halves | {"of": of.astype(np.int16)}, notes)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {len(names):,} names, {len(examples):,} examples", flush=True)
    measure(judge.load(path), args.data, args.most)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    parser.add_argument("--without", nargs="*", default=[], help="sets to leave out, to measure what they bring")
    parser.add_argument("--most", type=int, default=150, help="pictures of each set to measure by")
    args = parser.parse_args()
    fetch(args.data)
    if not (args.data / "judged.npz").exists():
        render(args.data)
    train(args)
