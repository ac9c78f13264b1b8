"""What several artists' pictures of a thing share: ``python benchmarks/words/blend.py`` writes ``blends.npz``.

Of each thing the pictures that agree best are warped onto each other (Thirion's demons, 1998, on blurred pictures,
coarse to fine), brought to the mean of their shapes (so that no artist's outline is kept), and vote on the colour of
every pixel. What comes out is nobody's picture: a place for every part. Pictures that agree with no other are left out.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import njit
from PIL import Image
from sets import EMOJI, SILHOUETTES

from evoart.openclip.compose import trimmed

SIZE = 128
LOW = 64  # pixels of what is compared and registered
REACH = 112  # pixels of the longer side of a thing
VARIANTS = 1  # of a thing's first view, next to its mean: blends in which one artist counts half
LAST = ("face", "person", "hand", "emotion")  # themes
SAVED = 100  # things between two savings
MEMBERS = 5  # pictures in a blend at most
FAR = 0.055  # distance past which two pictures do not show the same view
ALIKE, ALIKE_ANYWHERE = 0.012, 0.9  # of a symmetric picture: distance to its mirror image, on average and at most


def gaussian(sigma: float, n: int = LOW) -> np.ndarray:
    """``(n, n)`` float32 that blurs a row."""
    at = np.arange(n)
    weight = np.exp(-((at - at[:, None]) ** 2) / (2 * sigma**2))
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def normal(image: np.ndarray, aspect: float | None = None) -> np.ndarray:
    """A picture trimmed, centred and ``REACH`` large, of width over height ``aspect``, opacity multiplied in."""
    shown = trimmed(image.astype(np.float32) / 255)
    h, w = shown.shape[:2]
    ratio = aspect or w / h
    wide, high = (REACH, REACH / ratio) if ratio > 1 else (REACH * ratio, REACH)
    wide, high = max(round(wide), 4), max(round(high), 4)
    piece = Image.fromarray((255 * shown + 0.5).astype(np.uint8), "RGBA").resize((wide, high), Image.Resampling.BOX)
    canvas = np.zeros((SIZE, SIZE, 4), np.float32)
    top, left = (SIZE - high) // 2, (SIZE - wide) // 2
    canvas[top : top + high, left : left + wide] = np.asarray(piece, np.float32) / 255
    canvas[..., :3] *= canvas[..., 3:]
    return canvas


def traits(images: np.ndarray) -> np.ndarray:
    """What is compared ``(n, LOW, LOW, 5)`` of pictures with opacity multiplied in: opacity twice, lightness, hues."""
    images = images.reshape(len(images), LOW, SIZE // LOW, LOW, SIZE // LOW, 4).mean((2, 4))
    r, g, b, a = np.moveaxis(images, -1, 0)
    light = 0.3 * r + 0.59 * g + 0.11 * b - 0.5 * a
    return np.stack([a, 0.7 * a, 1.2 * light, 0.5 * (r - g), 0.5 * (g - b)], -1)


def agreement(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distances ``(n, n)`` of pictures, and whether the second is to be mirrored for it."""
    n, half = len(pictures), LOW // 2
    blur = gaussian(1.0, half)
    seen = traits(np.array(pictures)).reshape(n, half, 2, half, 2, -1).mean((2, 4))
    soft = np.moveaxis(blur @ np.moveaxis(seen, -1, 1) @ blur.T, 1, -1)
    flat, other = soft.reshape(n, -1), soft[:, :, ::-1].reshape(n, -1)
    straight = ((flat[:, None] - flat[None]) ** 2).sum(-1) / half**2
    turned = ((flat[:, None] - other[None]) ** 2).sum(-1) / half**2
    return np.minimum(straight, turned), turned < 0.85 * straight


@njit(fastmath=True, nogil=True, cache=True)
def warped(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    """A picture ``(h, w, c)`` sampled at every place plus ``field`` ``(h, w, 2)``, rows first, in pixels."""
    h, w, c = image.shape
    out = np.empty((h, w, c), np.float32)
    for y in range(h):
        for x in range(w):
            v = min(max(y + field[y, x, 0], 0.0), h - 1.001)
            u = min(max(x + field[y, x, 1], 0.0), w - 1.001)
            i, j = int(v), int(u)
            fy, fx = v - i, u - j
            for k in range(c):
                top = image[i, j, k] * (1 - fx) + image[i, j + 1, k] * fx
                low = image[i + 1, j, k] * (1 - fx) + image[i + 1, j + 1, k] * fx
                out[y, x, k] = top * (1 - fy) + low * fy
    return out


@njit(fastmath=True, nogil=True, cache=True)
def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """A picture ``(h, w, c)`` under a Gaussian, its edge repeated."""
    h, w, c = image.shape
    reach = int(np.ceil(2.5 * sigma))
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2)).astype(np.float32)
    kernel /= kernel.sum()
    half, out = np.zeros((h, w, c), np.float32), np.zeros((h, w, c), np.float32)
    for y in range(h):
        for d in range(-reach, reach + 1):
            row = min(max(y + d, 0), h - 1)
            for x in range(w):
                for k in range(c):
                    half[y, x, k] += kernel[d + reach] * image[row, x, k]
    for y in range(h):
        for x in range(w):
            for d in range(-reach, reach + 1):
                column = min(max(x + d, 0), w - 1)
                for k in range(c):
                    out[y, x, k] += kernel[d + reach] * half[y, column, k]
    return out


@njit(fastmath=True, nogil=True, cache=True)
def registered(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """The field ``(h, w, 2)`` by which ``moving`` comes to lie on ``fixed``, both traits ``(h, w, c)``."""
    h, w, c = fixed.shape
    field = np.zeros((h, w, 2), np.float32)
    move = np.empty((h, w, 2), np.float32)
    for sigma, smooth, rounds in ((4.0, 6.0, 12), (2.2, 4.5, 10), (1.2, 3.3, 8)):
        a, b = blurred(fixed, sigma), blurred(moving, sigma)
        for _ in range(rounds):
            seen = warped(b, field)
            for y in range(h):
                for x in range(w):
                    top0 = top1 = steep = 0.0
                    for k in range(c):
                        d = seen[y, x, k] - a[y, x, k]
                        gy = (seen[min(y + 1, h - 1), x, k] - seen[max(y - 1, 0), x, k]) / 2
                        gx = (seen[y, min(x + 1, w - 1), k] - seen[y, max(x - 1, 0), k]) / 2
                        top0 -= d * gy
                        top1 -= d * gx
                        steep += gy * gy + gx * gx + 0.25 * d * d
                    steep += 1e-4
                    move[y, x, 0] = min(max(top0 / steep, -1.2), 1.2)
                    move[y, x, 1] = min(max(top1 / steep, -1.2), 1.2)
            field = blurred(field + np.float32(1.3) * blurred(move, smooth), 1.5)
    return field


def finer(field: np.ndarray) -> np.ndarray:
    """A field on ``LOW`` pixels as one on ``SIZE``."""
    factor = SIZE // LOW
    planes = [Image.fromarray(field[..., k]).resize((SIZE, SIZE), Image.Resampling.BICUBIC) for k in range(2)]
    return np.ascontiguousarray(np.stack([np.asarray(plane) for plane in planes], -1) * factor, np.float32)


def symmetric(image: np.ndarray) -> np.ndarray | None:
    """A picture ``(h, w, 4)`` that is its own mirror image, if this one nearly is: both mixed.

    What is not nearly symmetric (a mug with its handle, a clock's hands) gives None.
    """
    image = np.concatenate([image[..., :3] * image[..., 3:], image[..., 3:]], -1)
    other = image[:, ::-1]
    one, two = traits(image[None])[0], traits(other[None])[0]
    blur = gaussian(1.5)
    gap = np.moveaxis(blur @ np.moveaxis(one - two, -1, 0) @ blur.T, 0, -1)
    if (gap**2).sum(-1).mean() > ALIKE or (gap**2).sum(-1).max() > ALIKE_ANYWHERE:
        return None
    solid = (image + other) / 2
    solid[..., :3] /= np.maximum(solid[..., 3:], 1e-3)
    return solid


def inverse(field: np.ndarray) -> np.ndarray:
    """The field by which one goes back: at ``q`` it holds ``p - q`` where ``p + field(p) = q``."""
    back = -field
    for _ in range(8):
        back = -warped(field, back)
    return back


def voted(images: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One picture ``(h, w, 4)`` of several ``(n, h, w, 4)``, opacity multiplied in: colours most agree on."""
    images, weights = images.astype(np.float32), weights.astype(np.float32)
    alpha = images[..., 3]
    colours = images[..., :3] / np.maximum(alpha[..., None], 1e-3)
    share = weights[:, None, None] * alpha
    near = ((colours[:, None] - colours[None]) ** 2).sum(-1)
    votes = (np.exp(-near / (2 * 0.16**2)) * share[None]).sum(1) ** 4 * share
    colour = (votes[..., None] * colours).sum(0) / np.maximum(votes.sum(0), 1e-9)[..., None]
    return np.concatenate([colour, (weights[:, None, None] * alpha).sum(0)[..., None] / weights.sum()], -1)


def groups(
    pictures: list[np.ndarray], limit: float = FAR, most: int = 2, members: int = MEMBERS
) -> list[tuple[list[int], list[bool], float]]:
    """Which pictures show the same view, mirrored or not, the first of each group in its middle; best first."""
    far, mirror = agreement(pictures)
    free, found = set(range(len(pictures))), []
    while len(free) > 1 and len(found) < most:
        best = None
        for c in free:
            others = sorted((far[c, k], k) for k in free if k != c)
            close = [(d, k) for d, k in others if d < limit][: members - 1]
            if close:
                score = np.mean([d for d, _ in close]) - 0.008 * len(close)
                if best is None or score < best[0]:
                    best = (score, c, close)
        if best is None:
            break
        _, c, close = best
        group = [c, *(k for _, k in close)]
        flips = [False, *(bool(mirror[c, k]) for _, k in close)]
        found.append((group, flips, float(np.mean([d for d, _ in close]))))
        free -= set(group)
    return found


def blended(raw: list[np.ndarray]) -> list[tuple[np.ndarray, bool, list[int], float]]:
    """Blends of a thing's pictures: each with whether it is symmetric, the pictures it is of and their distance."""
    # Where no two agree well, the nearest two or three still say more than one; at last the nearest two anyway.
    seen = [normal(each) for each in raw]
    found = groups(seen) or groups(seen, 2.2 * FAR, 1, 3) or groups(seen, np.inf, 1, 2) or [([0], [False], 0.02)]
    made = []
    for view, (members, flips, distance) in enumerate(found):
        ratios = [np.divide(*trimmed(raw[k].astype(np.float32) / 255).shape[1::-1]) for k in members]
        aspect, n = float(np.exp(np.mean(np.log(ratios)))), len(members)
        images = [normal(raw[k], aspect)[:, :: -1 if f else 1] for k, f in zip(members, flips, strict=True)]
        images = np.ascontiguousarray(images)
        marks = [np.ascontiguousarray(each) for each in traits(images)]
        moved = (finer(registered(marks[0], each)) for each in marks[1:])
        field = np.stack([np.zeros((SIZE, SIZE, 2), np.float32), *moved])
        mixes = [np.full(n, 1 / n)] if n != 2 else [np.array([0.6, 0.4])]
        for k in range(n - VARIANTS, n) if n > 1 and view == 0 else ():  # who is farthest from the middle
            mixes.append(np.array([0.5 if m == k else 0.5 / (n - 1) for m in range(n)]))
        for mix in mixes:
            mean = (mix[:, None, None, None] * field).sum(0).astype(np.float32)
            back = inverse(mean)  # from the mean frame to the first picture's
            shown = [warped(image, back + warped(each, back)) for image, each in zip(images, field, strict=True)]
            mixed = voted(np.array(shown), mix)
            even = symmetric(mixed)
            made.append((mixed if even is None else even, even is not None, members, distance))
    return made


def blend(data: Path, only: list[str] | None = None) -> None:
    """Write for every group of every thing the mean picture, and for the first one that is nearer to one artist."""
    store = dict(np.load(data / "pictures.npz"))
    meta = json.loads((data / "things.json").read_text())
    allowed = np.isin(store["sets"], [meta["sets"].index(name) for name in (*EMOJI, *SILHOUETTES)])
    path, columns = data / "blends.npz", ("blends", "things", "distances", "artists", "symmetric")
    rows: list[tuple] = []
    if path.exists() and not only:  # what is there stays
        old = np.load(path)
        rows = list(zip(*(old[name] for name in columns), strict=True))
    there, chosen = {int(row[1]) for row in rows}, {}
    for i, thing in enumerate(meta["things"]):
        which = np.flatnonzero((store["things"] == i) & allowed)
        if i not in there and (thing["name"] in only if only else True) and (len(which) > 1 or thing["colour"]):
            chosen[i] = which
    # Faces and people last: should somebody stop it early, more is missed of the rest.
    numbers = sorted(chosen, key=lambda i: (meta["things"][i]["theme"].startswith(LAST), -i))
    with ThreadPoolExecutor(2) as workers:
        for first in range(0, len(numbers), SAVED):
            part = numbers[first : first + SAVED]
            pictures = [list(store["pictures"][chosen[i]]) for i in part]
            for i, made in zip(part, workers.map(blended, pictures), strict=True):
                sets = [int(store["sets"][k]) for k in chosen[i]]
                for image, even, members, distance in made:
                    of = sum(1 << sets[k] for k in members)
                    rows.append(((255 * np.clip(image, 0, 1) + 0.5).astype(np.uint8), i, distance, of, even))
            np.savez(path, **dict(zip(columns, (np.array(column) for column in zip(*rows, strict=True)), strict=True)))
            print(f"{first + len(part):,} of {len(numbers):,} things, {len(rows):,} blends", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    parser.add_argument("--only", nargs="*", help="names of things, to try")
    args = parser.parse_args()
    blend(args.data, args.only)
