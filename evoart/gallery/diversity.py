"""How different pictures are, and how to choose pictures of one prompt that differ.

Pictures are compared at 8 x 8 pixels: coarse colour and composition, as the eye compares them on a wall of pictures.
The distance is the root mean square difference of sRGB values from 0 to 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from evoart.gallery.journal import Line
from evoart.gallery.worker import THUMBNAIL

_STARTS = 32  # first pictures that are tried
_ROWS = 512  # of the table of distances that are there at a time


def thumbnails(lines: Sequence[Line]) -> np.ndarray:
    """``(n, 192)`` float32 in [0, 1]; a line without a thumbnail is gray."""
    out = np.full((len(lines), THUMBNAIL * THUMBNAIL * 3), 0.5, np.float32)
    for i, line in enumerate(lines):
        try:
            values = np.frombuffer(bytes.fromhex(line.thumbnail), np.uint8)
        except ValueError:
            continue
        if len(values) == out.shape[1]:
            out[i] = values / np.float32(255)
    return out


def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distances ``(n, m)`` of thumbnails ``(n, d)`` and ``(m, d)``."""
    squared = (some**2).sum(1)[:, None] + (others**2).sum(1) - 2 * some @ others.T
    return np.sqrt(np.maximum(squared, 0) / some.shape[1])


def nearest(lines: Sequence[Line], count: int) -> list[list[int]]:
    """For every line the indices of the ``count`` pictures most like it, most similar first."""
    features = thumbnails(lines)
    count = min(count, len(lines) - 1)
    found: list[list[int]] = []
    if count < 1:
        return [[] for _ in lines]
    for first in range(0, len(lines), _ROWS):
        apart = distances(features[first : first + _ROWS], features)
        apart[np.arange(len(apart)), first + np.arange(len(apart))] = np.inf
        near = np.argpartition(apart, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(apart, near, 1), axis=1, kind="stable")
        found += np.take_along_axis(near, order, 1).tolist()
    return found


def spread_of(lines: Sequence[Line]) -> dict[str, float]:
    """Mean distance between two pictures of one group, for every group that has at least two."""
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.group].append(line)
    return {name: _mean(thumbnails(members)) for name, members in groups.items() if len(members) > 1}


def _mean(features: np.ndarray) -> float:
    n = len(features)
    return float(distances(features, features).sum() / (n * (n - 1)))


def choose_apart(lines: Sequence[Line], count: int) -> list[int]:
    """Indices of ``count`` pictures that are far from one another.

    From a first picture on, always the one whose nearest chosen picture is farthest (T. Gonzalez, "Clustering to
    minimize the maximum intercluster distance", 1985: at least half the best possible least distance); of several first
    pictures the choice with the largest mean distance.
    """
    if count >= len(lines):
        return list(range(len(lines)))
    table = distances(features := thumbnails(lines), features)
    starts = np.linspace(0, len(lines) - 1, min(len(lines), _STARTS)).astype(int)
    choices = [_farthest_first(table, int(start), count) for start in dict.fromkeys(starts.tolist())]
    return max(choices, key=lambda chosen: table[np.ix_(chosen, chosen)].sum()) if count else []


def _farthest_first(table: np.ndarray, start: int, count: int) -> list[int]:
    chosen, least = [start], table[start].copy()
    while len(chosen) < count:
        least[chosen] = -1
        chosen.append(int(least.argmax()))
        least = np.minimum(least, table[chosen[-1]])
    return sorted(chosen)
