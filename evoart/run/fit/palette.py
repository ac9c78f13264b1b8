"""A few colours that stand for a picture: k-means in Oklab (Lloyd 1957, seeded as k-means++ by Arthur and
Vassilvitskii, 2007, made deterministic)."""

from __future__ import annotations

import numpy as np

from evoart.score.pixel import oklab

ROUNDS = 20
SAMPLE = 16_384  # pixels looked at


def choose(image: np.ndarray, weight: np.ndarray, count: int) -> tuple[tuple[float, float, float], ...]:
    """At most ``count`` sRGB colours of an image ``(h, w, 3)`` whose pixels count by ``weight`` ``(h, w)``.

    They are colours of 8 bits a channel, darkest first; fewer where the picture has fewer.
    """
    pixels, weights = image.reshape(-1, 3), weight.ravel().astype(np.float64)
    stride = -(-len(pixels) // SAMPLE)
    pixels, weights = pixels[::stride], weights[::stride]
    pixels, weights = pixels[weights > 0], weights[weights > 0]
    lab = oklab(np, pixels).astype(np.float64)
    centres = _spread(lab, weights, count)
    nearest = np.zeros(len(lab), np.int64)
    for _ in range(ROUNDS):
        nearest = ((lab[:, None] - centres) ** 2).sum(-1).argmin(1)
        mass = np.bincount(nearest, weights, len(centres))
        sums = np.stack([np.bincount(nearest, weights * lab[:, c], len(centres)) for c in range(3)], -1)
        moved = np.where(mass[:, None] > 0, sums / np.maximum(mass, 1e-12)[:, None], centres)
        if np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    # The colour of a cluster is its mean in sRGB, where shapes are blended and the loss is taken.
    mass = np.bincount(nearest, weights, len(centres))
    means = np.stack([np.bincount(nearest, weights * pixels[:, c], len(centres)) for c in range(3)], -1)
    colours = np.round(means[mass > 0] / mass[mass > 0, None] * 255)
    distinct = sorted({tuple(colour) for colour in colours.tolist()}, key=lambda c: 2 * c[0] + 5 * c[1] + c[2])
    return tuple((r / 255, g / 255, b / 255) for r, g, b in distinct)


def _spread(lab: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """First centres: the mean colour's nearest pixel, then always the pixel that is worst served."""
    mean = (lab * weights[:, None]).sum(0) / weights.sum()
    chosen = [int(((lab - mean) ** 2).sum(1).argmin())]
    distance = ((lab - lab[chosen[0]]) ** 2).sum(1)
    # Weight keeps a lone odd pixel from taking a colour; the square root keeps small bright things in.
    while len(chosen) < min(count, len(lab)) and distance.max() > 1e-8:
        chosen.append(int((distance * np.sqrt(weights)).argmax()))
        distance = np.minimum(distance, ((lab - lab[chosen[-1]]) ** 2).sum(1))
    return lab[chosen]
