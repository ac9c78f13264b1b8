"""Pictures put together from pictures of single things: in another colour, several of them, one above the other.

A picture here is ``(h, w, 4)`` float32: sRGB and opacity in [0, 1]. Boxes are ``(left, top, width, height)`` in units
of the canvas, whose sides are 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

# The eleven basic colour terms of English (B. Berlin and P. Kay, 1969), as icons mean them.
COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.88, 0.16, 0.18), "orange": (0.97, 0.55, 0.13), "yellow": (0.99, 0.83, 0.22),
    "green": (0.30, 0.68, 0.31), "blue": (0.15, 0.48, 0.90), "purple": (0.55, 0.27, 0.72),
    "pink": (0.98, 0.52, 0.72), "brown": (0.52, 0.34, 0.22), "black": (0.13, 0.13, 0.14),
    "white": (0.97, 0.97, 0.97), "grey": (0.58, 0.60, 0.62),
}  # fmt: skip
RELATIONS = ("left", "right", "above", "under", "on", "beside", "and")
BOX = tuple[float, float, float, float]


def shaded(colour: str) -> np.ndarray:
    """The sRGB ``(3,)`` of a colour word, with "light" or "dark" before it or not."""
    *how, word = colour.split()
    rgb = np.array(COLOURS[word], np.float32)
    if how == ["light"]:
        return 1 - (1 - rgb) * 0.45
    return rgb * 0.55 if how == ["dark"] else rgb


def hue_of(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in [0, 1), saturation and value ``(...)`` of sRGB ``(..., 3)``."""
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low
    safe = np.where(spread > 0, spread, 1)
    r, g, b = np.moveaxis(rgb, -1, 0)
    hue = np.where(high == r, (g - b) / safe, np.where(high == g, 2 + (b - r) / safe, 4 + (r - g) / safe)) / 6 % 1
    return hue, np.where(high > 0, spread / np.where(high > 0, high, 1), 0), high


def main_part(image: np.ndarray) -> np.ndarray:
    """The share ``(h, w)`` in [0, 1] of a picture that has its main colour: a hue if it has one, else a lightness."""
    hue, saturation, value = hue_of(image[..., :3])
    opaque = image[..., 3]
    vivid = (saturation > 0.22) & (value > 0.16)
    weight = opaque * vivid * (0.3 + saturation)
    if (opaque * vivid).sum() > 0.25 * opaque.sum():
        bins = np.bincount((hue * 36).astype(int).ravel() % 36, weight.ravel(), 36)
        shares = ((-2, 0.4), (-1, 0.8), (0, 1.0), (1, 0.8), (2, 0.4))
        smooth = np.sum([np.roll(bins, k) * share for k, share in shares], 0)
        near = np.abs((hue - (smooth.argmax() + 0.5) / 36 + 0.5) % 1 - 0.5)
        return np.clip((0.14 - near) / 0.03, 0, 1) * vivid
    bins = np.bincount(np.minimum((value * 8).astype(int), 7).ravel(), (opaque * ~vivid).ravel(), 8)
    near = np.abs(value - (bins.argmax() + 0.5) / 8)
    return np.clip((0.22 - near) / 0.05, 0, 1) * (saturation < 0.4)


def tinted(image: np.ndarray, colour: str) -> np.ndarray:
    """A picture whose main colour is another one, light and shade kept."""
    part = main_part(image)
    rgb, aim = image[..., :3], shaded(colour)
    light = rgb @ np.array([0.3, 0.59, 0.11], np.float32)
    weight = part * image[..., 3]
    usual = max((light * weight).sum() / max(weight.sum(), 1e-6), 0.05)
    ratio = np.clip(light / usual, 0.3, 1.7)[..., None]
    new = np.where(ratio < 1, aim * (0.25 + 0.75 * ratio), aim + (1 - aim) * (ratio - 1) * 0.7)
    mixed = rgb + part[..., None] * (new - rgb)
    return np.concatenate([np.clip(mixed, 0, 1), image[..., 3:]], -1).astype(np.float32)


def varied(image: np.ndarray, rng: np.random.Generator, reach: float = 0.016) -> np.ndarray:
    """A picture bent a little, ``reach`` of its side at most places, and its main colour a little lighter or darker.

    One that is its own mirror image stays so.
    """
    h, w = image.shape[:2]
    grids = rng.normal(0, reach, (2, 4, 4)) * np.array([h, w])[:, None, None]
    if np.abs(image - image[:, ::-1]).max() < 0.02:
        grids = (grids + np.array([1, -1])[:, None, None] * grids[..., ::-1]) / 2**0.5
    bend = [
        np.asarray(Image.fromarray(grid.astype(np.float32), "F").resize((w, h), Image.Resampling.BICUBIC))
        for grid in grids
    ]
    y = np.clip(np.arange(h)[:, None] + bend[0], 0, h - 1.001)
    x = np.clip(np.arange(w) + bend[1], 0, w - 1.001)
    i, j = y.astype(int), x.astype(int)
    v, u = (y - i)[..., None], (x - j)[..., None]
    solid = np.concatenate([image[..., :3] * image[..., 3:], image[..., 3:]], -1)  # colours weigh as they are seen
    top = solid[i, j] * (1 - u) + solid[i, j + 1] * u
    seen = top * (1 - v) + (solid[i + 1, j] * (1 - u) + solid[i + 1, j + 1] * u) * v
    seen[..., :3] /= np.maximum(seen[..., 3:], 1e-3)
    light = 1 + main_part(seen)[..., None] * rng.uniform(-0.1, 0.06)
    seen[..., :3] = np.clip(seen[..., :3] * light, 0, 1)
    return seen.astype(np.float32)


def trimmed(image: np.ndarray) -> np.ndarray:
    """The part of a picture that shows something."""
    rows, columns = np.flatnonzero(image[..., 3].max(1) > 0.1), np.flatnonzero(image[..., 3].max(0) > 0.1)
    if not len(rows):
        return image
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def pasted(parts: Sequence[tuple[np.ndarray, BOX]], size: int) -> np.ndarray:
    """Pictures in boxes, their proportions kept, at the middle of their box; ``(size, size, 4)``, first at the back."""
    canvas = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    for image, (x, y, w, h) in parts:
        shown = trimmed(image)
        scale = min(w * size / shown.shape[1], h * size / shown.shape[0])
        # Even, so that what is symmetric stays so about a pixel's edge.
        wide, high = max(2 * round(shown.shape[1] * scale / 2), 2), max(round(shown.shape[0] * scale), 1)
        piece = Image.fromarray((255 * np.clip(shown, 0, 1) + 0.5).astype(np.uint8), "RGBA")
        piece = piece.resize((wide, high), Image.Resampling.BILINEAR)
        left, top = round((x + w / 2) * size - wide / 2), round((y + h / 2) * size - high / 2)
        layer = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        layer.paste(piece, (left, top))
        canvas = Image.alpha_composite(canvas, layer)
    return np.asarray(canvas, np.float32) / 255


def flattened(image: np.ndarray, background: np.ndarray | Sequence[float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """A picture ``(h, w, 3)`` on a colour."""
    return image[..., :3] * image[..., 3:] + np.asarray(background, np.float32) * (1 - image[..., 3:])


def spots(count: int) -> list[BOX]:
    """Boxes of ``count`` equal things, 1 to 9, in rows."""
    rows = {1: [1], 2: [2], 3: [1, 2], 4: [2, 2], 5: [2, 3], 6: [3, 3], 7: [3, 4], 8: [4, 4], 9: [3, 3, 3]}[count]
    cell = 0.94 / max(max(rows), len(rows))
    top = 0.5 - cell * len(rows) / 2
    boxes = []
    for i, n in enumerate(rows):
        left = 0.5 - cell * n / 2
        boxes += [(left + cell * (j + 0.07), top + cell * (i + 0.07), cell * 0.86, cell * 0.86) for j in range(n)]
    return boxes


def places(relation: str) -> tuple[BOX, BOX]:
    """Boxes of two things A and B for "A relation B"; see ``RELATIONS``."""
    left, right = (0.03, 0.22, 0.46, 0.6), (0.51, 0.22, 0.46, 0.6)
    top, bottom = (0.22, 0.03, 0.56, 0.44), (0.14, 0.49, 0.72, 0.48)
    return {
        "left": (left, right), "right": (right, left), "beside": (left, right), "and": (left, right),
        "above": (top, bottom), "under": (bottom, top), "on": ((0.25, 0.06, 0.5, 0.46), (0.1, 0.46, 0.8, 0.5)),
    }[relation]  # fmt: skip
