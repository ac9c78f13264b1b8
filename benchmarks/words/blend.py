"""What several artists' pictures of a thing share: ``python benchmarks/words/blend.py`` writes ``blends.npz``.

Of each thing the pictures that agree best are warped onto each other (Thirion's demons, 1998, on blurred pictures,
coarse to fine), brought to the mean of their shapes (so that no artist's outline is kept), and vote on the colour of
every pixel. What comes out is nobody's picture: a place for every part. Pictures that agree with no other are left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numba import njit
from PIL import Image
from sets import EMOJI

from evoart.openclip.compose import trimmed

SIZE = 64
REACH = 56  # pixels of the longer side of a thing
MEMBERS = 5  # pictures in a blend at most
FAR = 0.055  # distance past which two pictures do not show the same view


def gaussian(sigma: float, n: int = SIZE) -> np.ndarray:
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
    """What is compared ``(n, h, w, 5)`` of pictures with opacity multiplied in: opacity twice, lightness, two hues."""
    r, g, b, a = np.moveaxis(images, -1, 0)
    light = 0.3 * r + 0.59 * g + 0.11 * b - 0.5 * a
    return np.stack([a, 0.7 * a, 1.2 * light, 0.5 * (r - g), 0.5 * (g - b)], -1)


def agreement(pictures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distances ``(n, n)`` of pictures, and whether the second is to be mirrored for it."""
    blur = gaussian(2.0)
    seen = traits(np.array(pictures))
    soft = np.einsum("ij,njkc->nikc", blur, np.einsum("kj,nijc->nikc", blur, seen))
    other = soft[:, :, ::-1]
    straight = ((soft[:, None] - soft[None]) ** 2).sum(-1).mean((2, 3))
    turned = ((soft[:, None] - other[None]) ** 2).sum(-1).mean((2, 3))
    return np.minimum(straight, turned), turned < 0.85 * straight


@njit(fastmath=True, cache=True)
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


@njit(fastmath=True, cache=True)
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


@njit(fastmath=True, cache=True)
def registered(fixed: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """The field ``(h, w, 2)`` by which ``moving`` comes to lie on ``fixed``, both traits ``(h, w, c)``."""
    h, w, c = fixed.shape
    field = np.zeros((h, w, 2), np.float32)
    move = np.empty((h, w, 2), np.float32)
    for sigma, smooth, rounds in ((4.0, 6.0, 25), (2.2, 4.5, 25), (1.2, 3.3, 25)):
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


def inverse(field: np.ndarray) -> np.ndarray:
    """The field by which one goes back: at ``q`` it holds ``p - q`` where ``p + field(p) = q``."""
    back = -field
    for _ in range(8):
        back = -warped(field, back)
    return back


def voted(images: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """One picture ``(h, w, 4)`` of several ``(n, h, w, 4)``, opacity multiplied in: colours most agree on."""
    alpha = images[..., 3]
    colours = images[..., :3] / np.maximum(alpha[..., None], 1e-3)
    share = weights[:, None, None] * alpha
    near = ((colours[:, None] - colours[None]) ** 2).sum(-1)
    votes = (np.exp(-near / (2 * 0.16**2)) * share[None]).sum(1) ** 2 * share
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


def blend(data: Path, only: list[str] | None = None) -> None:
    """Write for every group of every thing the mean picture and variants nearer to this or that artist."""
    store = dict(np.load(data / "pictures.npz"))
    meta = json.loads((data / "things.json").read_text())
    allowed = [meta["sets"].index(name) for name in EMOJI]
    out, of, variants, distances, artists = [], [], [], [], []
    path = data / "blends.npz"
    if path.exists() and not only:  # what is there stays
        old = dict(np.load(path))
        out, of, variants = list(old["blends"]), old["things"].tolist(), old["variants"].tolist()
        distances, artists = old["distances"].tolist(), old["artists"].tolist()
    there, chosen = set(of), []
    names = [row["name"] for row in meta["things"]]
    for thing in range(len(names)):
        if thing in there or (only and names[thing] not in only):
            continue
        rows = [r for r in np.flatnonzero(store["things"] == thing) if store["sets"][r] in allowed]
        if len(rows) < 2:
            continue
        raw = [store["pictures"][r] for r in rows]
        # Where no two agree well, the nearest two or three still say more than one; at last the nearest two anyway.
        seen = [normal(each) for each in raw]
        found = groups(seen) or groups(seen, 2.2 * FAR, 1, 3) or groups(seen, np.inf, 1, 2)
        for members, flips, distance in found:
            ratios = []
            for k in members:
                h, w = trimmed(raw[k].astype(np.float32) / 255).shape[:2]
                ratios.append(w / h)
            aspect = float(np.exp(np.mean(np.log(ratios))))
            images = [normal(raw[k], aspect)[:, ::-1] if f else normal(raw[k], aspect)
                      for k, f in zip(members, flips, strict=True)]  # fmt: skip
            chosen.append((thing, np.array(images), [int(store["sets"][rows[k]]) for k in members], distance))
    for g, (thing, images, sets, distance) in enumerate(chosen):
        n = len(images)
        images = np.ascontiguousarray(images)
        if g % 100 == 0:
            print(f"{g:,} of {len(chosen):,} groups", flush=True)
        seen = [np.ascontiguousarray(each) for each in traits(images)]
        field = np.stack([np.zeros((SIZE, SIZE, 2), np.float32), *(registered(seen[0], each) for each in seen[1:])])
        mixes = [np.full(n, 1 / n)]
        if n > 2:
            for k in range(min(n, 3)):
                mixes.append(np.array([0.5 if m == k else 0.5 / (n - 1) for m in range(n)]))
        for v, mix in enumerate(mixes):
            mean = (mix[:, None, None, None] * field).sum(0).astype(np.float32)
            back = inverse(mean)  # from the mean frame to the first picture's
            shown = [warped(image, back + warped(each, back)) for image, each in zip(images, field, strict=True)]
            out.append((255 * np.clip(voted(np.array(shown), mix), 0, 1) + 0.5).astype(np.uint8))
            of.append(thing)
            variants.append(v)
            distances.append(distance)
            artists.append(sum(1 << s for s in sets))
    np.savez_compressed(
        path, blends=np.array(out),
        things=np.array(of), variants=np.array(variants), distances=np.array(distances, np.float32),
        artists=np.array(artists),
    )  # fmt: skip
    print(f"{len(out):,} blends of {len(set(of)):,} things")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    parser.add_argument("--only", nargs="*", help="names of things, to try")
    args = parser.parse_args()
    blend(args.data, args.only)
