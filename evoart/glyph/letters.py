"""The 62 letters that a model knows, and the square in which each of them is seen.

Lengths are in heights of the font's own H (cap heights); y goes up from the baseline, x from the middle of the letter.
"""

from __future__ import annotations

import string
from dataclasses import dataclass

import numpy as np

from evoart.types import Array

LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
SIDE = 48  # pixels of the square, each way
EXTENT = 1.8  # of the square
BOTTOM = -0.5  # of the square: descenders reach to -0.4, ascenders to 1.2
DEEP = 4.0  # pixels: distances are cut off beyond
PIXEL = EXTENT / SIDE
HALF = EXTENT / 2


@dataclass(frozen=True, eq=False)
class Letter:
    """A letter of a font.

    Attributes:
        contours: closed polygons ``(k, 2)`` float64, the middle of the letter's box at x = 0; nonzero winding fills.
        left, right: space before and after its box, negative where it reaches over its neighbours.
    """

    contours: tuple[np.ndarray, ...]
    left: float
    right: float


def index_of(letter: str) -> int:
    """The number of a letter among ``LETTERS``; ValueError where it is none of them."""
    return LETTERS.index(letter)


def positions(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x ``(side,)`` and y ``(side,)`` of the columns' and the rows' middles in a square of ``side`` pixels, rows
    downwards."""
    at = (np.arange(side) + 0.5) * (EXTENT / side)
    return at - HALF, BOTTOM + EXTENT - at


def fits(contours: Array) -> bool:
    """Whether a letter lies within the square."""
    points = np.concatenate(list(contours))
    low, high = points.min(0), points.max(0)
    return bool(low[0] >= -HALF and high[0] <= HALF and low[1] >= BOTTOM and high[1] <= BOTTOM + EXTENT)


def distances(contours: Array, side: int = SIDE) -> np.ndarray:
    """The signed distance field ``(side, side)`` float32 of a letter in pixels of a square of ``SIDE``: positive
    inside, cut off at ``DEEP``; inside is where the contours' winding number is not 0."""
    from scipy.spatial import KDTree

    x, y = positions(side)
    segments = [np.stack([ring, np.roll(ring, -1, 0)], 1) for ring in contours]
    ends = np.concatenate(segments)  # (s, 2, 2)
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    counts = np.maximum(np.ceil(lengths / (PIXEL / 8)).astype(int), 1)
    which = np.repeat(np.arange(len(ends)), counts)
    share = (np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[which]
    points = ends[which, 0] + share[:, None] * (ends[which, 1] - ends[which, 0])
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    far, _ = KDTree(points).query(grid, distance_upper_bound=(DEEP + 1) * PIXEL)
    far = np.minimum(far / PIXEL, DEEP).reshape(side, side)
    return np.where(winding(ends, x, y) != 0, far, -far).astype(np.float32)


def winding(ends: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How often directed segments ``(s, 2, 2)`` of closed polygons go round each point of a grid,
    ``(len(y), len(x))``."""
    (x0, y0), (x1, y1) = ends[:, 0].T, ends[:, 1].T
    crosses = (y0[None] <= y[:, None]) != (y1[None] <= y[:, None])
    slope = np.divide(x1 - x0, y1 - y0, out=np.zeros_like(x0), where=y1 != y0)
    count = np.zeros((len(y), len(x) + 1), np.int32)
    row, which = np.nonzero(crosses)
    at = x0[which] + (y[row] - y0[which]) * slope[which]
    up = np.where(y1[which] > y0[which], 1, -1)
    np.add.at(count, (row, np.searchsorted(x, at)), up)
    return np.cumsum(count, 1)[:, :-1]
