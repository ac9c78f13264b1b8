"""What can be measured about small pictures without knowing what they show; each ``(n, h, w, 3)`` -> ``(n,)``.

Pictures are float32 sRGB in [0, 1], best about 64 px large: what is measured then is composition and not texture.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def contrast(images: np.ndarray) -> np.ndarray:
    """Standard deviation of the brightness, 0 (flat) to 0.5 (half black, half white)."""
    return (images @ LUMA).std((1, 2))


def entropy(images: np.ndarray) -> np.ndarray:
    """Of the histogram of brightness in 32 levels, 0 (one level) to 1 (all alike)."""
    levels = np.minimum((images @ LUMA * 32).astype(np.int64), 31).reshape(len(images), -1)
    counts = np.stack([np.bincount(row, minlength=32) for row in levels]) / levels.shape[1]
    return -(counts * np.log2(np.maximum(counts, 1e-12))).sum(1) / 5


def edges(images: np.ndarray) -> np.ndarray:
    """Mean step between neighbouring pixels per 1/64 of the picture: 0 (flat) to about 0.5 (noise)."""
    h, w = images.shape[1:3]
    across = np.abs(np.diff(images, axis=2)).mean((1, 2, 3)) * w if w > 1 else 0.0
    down = np.abs(np.diff(images, axis=1)).mean((1, 2, 3)) * h if h > 1 else 0.0
    return np.full(len(images), across + down) / 128


def colourfulness(images: np.ndarray) -> np.ndarray:
    """Spread and strength of the colours, 0 (gray) to about 1 (D. Hasler and S. Suesstrunk, 2003, eq. 4, over 255)."""
    red, green, blue = np.moveaxis(images, -1, 0)
    a, b = red - green, (red + green) / 2 - blue
    spread = np.sqrt(a.var((1, 2)) + b.var((1, 2)))
    return spread + 0.3 * np.sqrt(a.mean((1, 2)) ** 2 + b.mean((1, 2)) ** 2)


def symmetry(images: np.ndarray) -> np.ndarray:
    """The better likeness to the picture's own mirror images, left-right or top-bottom: 0 (opposite) to 1 (equal)."""
    sideways = 1 - np.abs(images - images[:, :, ::-1]).mean((1, 2, 3))
    upside = 1 - np.abs(images - images[:, ::-1]).mean((1, 2, 3))
    return np.maximum(sideways, upside)


MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contrast": contrast, "entropy": entropy, "edges": edges, "colourfulness": colourfulness, "symmetry": symmetry,
}  # fmt: skip
# Between these lies what random networks reach, so that a grid over them has few cells that stay empty.
RANGES = {
    "contrast": (0.0, 0.42), "entropy": (0.0, 1.0), "edges": (0.0, 0.08), "colourfulness": (0.0, 0.7),
    "symmetry": (0.5, 1.0),
}  # fmt: skip


def liveliness(images: np.ndarray) -> np.ndarray:
    """How much there is to see, 0 to 1: the product of contrast, structure, colour and spread of brightness, each of
    which saturates where more of it would no longer please."""
    parts = [
        np.clip(contrast(images) / 0.22, 0, 1),
        np.clip(edges(images) / 0.045, 0, 1),
        np.clip((0.25 - edges(images)) / 0.1, 0, 1),  # noise is dull, too
        np.clip(0.35 + colourfulness(images) / 0.5, 0, 1),
        np.clip(entropy(images) / 0.8, 0, 1),
    ]
    return np.prod(parts, axis=0)
