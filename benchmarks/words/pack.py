"""Flatten the blends to maps of a few colours and write the prior: ``python benchmarks/words/pack.py``."""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path

import numpy as np
from blend import blurred
from captions import Captions

from evoart.openclip.icons import FILE
from evoart.openclip.safetensors import write

COLOURS = 10  # of a blend at most
NEAR = 0.09  # colours nearer than this are one
CRUMB = 30  # pixels of a patch at least
SMOOTH = 1.3  # pixels


def flat(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Labels ``(h, w)``, 0 for nothing, and the palette ``(k, 3)`` of a picture ``(h, w, 4)``."""
    alpha, rgb = image[..., 3], image[..., :3]
    inside = alpha > 0.5
    points = rgb[inside][::3]
    if len(points) < 8:
        return np.zeros(alpha.shape, np.uint8), np.zeros((0, 3))
    # k-means++ and a few rounds of Lloyd's.
    centres = [points[rng.integers(len(points))]]
    for _ in range(COLOURS - 1):
        far = np.min([((points - c) ** 2).sum(1) for c in centres], 0)
        if far.max() < NEAR**2:
            break
        centres.append(points[far.argmax()] if len(centres) < 3 else points[rng.choice(len(points), p=far / far.sum())])
    centres = np.array(centres)
    for _ in range(12):
        nearest = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        centres = np.array(
            [points[nearest == k].mean(0) if (nearest == k).any() else centres[k] for k in range(len(centres))]
        )
    # Merge what lies near or is hardly there.
    while len(centres) > 1:
        nearest = ((points[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        size = np.bincount(nearest, minlength=len(centres))
        gap = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(-1)) + 9 * np.eye(len(centres))
        a, b = np.unravel_index(gap.argmin(), gap.shape)
        small = int(size.argmin())
        if gap[a, b] < NEAR:
            merged = (centres[a] * size[a] + centres[b] * size[b]) / max(size[a] + size[b], 1)
            centres = np.vstack([np.delete(centres, [a, b], 0), merged])
        elif size[small] < CRUMB / 3:
            centres = np.delete(centres, small, 0)
        else:
            break
    labels = np.where(inside, ((rgb[..., None, :] - centres) ** 2).sum(-1).argmin(-1) + 1, 0)
    return labels.astype(np.uint8), centres


def smooth(labels: np.ndarray, even: bool, sigma: float = SMOOTH) -> np.ndarray:
    """Labels with smooth outlines: every pixel gets the label that most around it have, in two rounds; ``even``: the
    same on both sides of the upright middle."""
    for _ in range(2):
        planes = (labels[..., None] == np.arange(int(labels.max()) + 1)).astype(np.float32)
        planes = blurred(planes, sigma)
        if even:
            planes = planes + planes[:, ::-1]
        labels = planes.argmax(-1).astype(np.uint8)
    return labels


def without_crumbs(labels: np.ndarray, least: int = CRUMB) -> np.ndarray:
    """Labels whose patches smaller than ``least`` pixels are given to their surroundings."""
    from scipy.ndimage import binary_dilation, label

    labels = labels.copy()
    for k in np.unique(labels):
        patches = np.asarray(label(labels == k)[0])  # type: ignore[index]
        for patch in np.flatnonzero(np.bincount(patches.ravel())[1:] < least) + 1:
            where = patches == patch
            rim = binary_dilation(where) & ~where
            labels[where] = np.bincount(labels[rim]).argmax()
    return labels


def rimless(labels: np.ndarray) -> np.ndarray:
    """Labels whose outermost pixels are those of what lies inside: where artists' outlines do not meet, colours of no
    part are left."""
    inside = np.pad(labels > 0, 1)
    core = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    planes = np.pad(np.array([(labels == k) & core for k in range(int(labels.max()) + 1)]), ((0, 0), (2, 2), (2, 2)))
    h, w = labels.shape
    near = np.sum([planes[:, dy : dy + h, dx : dx + w] for dy in range(5) for dx in range(5)], 0)
    rim = (labels > 0) & ~core & (near.max(0) > 0)
    return np.where(rim, near.argmax(0), labels).astype(np.uint8)


def pack(data: Path, out: Path) -> None:
    """Write ``icons-prior.safetensors``."""
    store, rng = dict(np.load(data / "blends.npz")), np.random.default_rng(0)
    captions = Captions(data)
    rows = json.loads((data / "things.json").read_text())["things"]
    things = [
        {"name": captions.names[i], "short": captions.short[i], "words": captions.words[i], "theme": row["theme"],
         "emoji": row["emoji"]}
        for i, row in enumerate(rows)
    ]  # fmt: skip
    maps, offsets, palettes = [], [0], []
    for image, even in zip(store["blends"], store["symmetric"], strict=True):
        labels, centres = flat(image.astype(np.float32) / 255, rng)
        labels = without_crumbs(smooth(without_crumbs(rimless(labels)), even))
        palette = np.zeros((COLOURS, 3), np.uint8)
        palette[: len(centres)] = np.clip(255 * centres + 0.5, 0, 255).astype(np.uint8) if len(centres) else 0
        packed = zlib.compress(labels.tobytes(), 9)
        maps.append(np.frombuffer(packed, np.uint8))
        offsets.append(offsets[-1] + len(packed))
        palettes.append(palette)
    artists = store["artists"]
    group = np.zeros(len(artists), np.uint8)
    for thing in np.unique(store["things"]):
        where = np.flatnonzero(store["things"] == thing)
        views = list(dict.fromkeys(artists[where].tolist()))
        group[where] = [views.index(each) for each in artists[where]]
    write(
        out,
        {
            "maps": np.concatenate(maps), "offsets": np.array(offsets, np.int32), "palettes": np.array(palettes),
            "of": store["things"].astype(np.int16), "group": group, "distance": store["distances"].astype(np.float16),
            "artists": artists.astype(np.int32),
        },
        {"things": json.dumps(things, ensure_ascii=True, separators=(",", ":"))},
    )  # fmt: skip
    print(f"{len(maps):,} blends of {len(np.unique(store['things'])):,} things, {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    parser.add_argument("--out", type=Path, default=FILE)
    args = parser.parse_args()
    pack(args.data, args.out)
