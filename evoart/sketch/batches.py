"""Training data in batches of about equal length, so that little is spent on padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evoart.sketch.loss import Batch
from evoart.sketch.strokes import to_stroke5

BUCKETS = 8  # padded lengths, each one compiled program


@dataclass(frozen=True)
class StrokeSet:
    """Drawings as stroke-3 ``(n, 3)`` float32, and the class of each, ``(count,)`` int."""

    sketches: tuple[np.ndarray, ...]
    classes: np.ndarray

    def __len__(self) -> int:
        return len(self.sketches)

    @property
    def lengths(self) -> np.ndarray:
        """Points of each drawing, ``(count,)`` int."""
        return np.array([len(sketch) for sketch in self.sketches], int)


def scale_of(data: StrokeSet) -> float:
    """The standard deviation of all offsets: what they are divided by (Ha and Eck, 2017, appendix)."""
    offsets = np.concatenate([sketch[:, :2] for sketch in data.sketches])
    return float(np.std(offsets.astype(np.float64))) or 1.0


def bucket_bounds(lengths: np.ndarray, buckets: int = BUCKETS) -> np.ndarray:
    """Ascending padded lengths, ``buckets`` at most, each holding about as many drawings."""
    shares = np.arange(1, buckets + 1) / buckets
    return np.unique(np.quantile(lengths, shares, method="higher").astype(int))


def epoch(lengths: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Indices of every batch of one pass: drawings of about equal length together, batches in random order."""
    order = rng.permutation(len(lengths))
    # Lengths are blurred a little, so that the same neighbours do not meet in every epoch.
    order = order[np.argsort(lengths[order] * rng.uniform(0.95, 1.05, len(order)), kind="stable")]
    cuts = [order[k : k + size] for k in range(0, len(order), size)]
    if len(cuts) > 1 and len(cuts[-1]) < size:  # one size means one program
        cuts[-1] = order[-size:]
    return [cuts[k] for k in rng.permutation(len(cuts))]


def augment(sketch: np.ndarray, rng: np.random.Generator, scale: float, drop: float) -> np.ndarray:
    """A drawing ``(n, 3)`` scaled along each axis by a random factor of ``1 - scale`` to ``1 + scale``, its inner
    points left out with probability ``drop``."""
    n = len(sketch)
    points = np.cumsum(sketch[:, :2], 0)
    lift = sketch[:, 2] > 0.5
    inner = ~lift & ~np.concatenate([[True], lift[:-1]])
    kept = ~(inner & (rng.random(n) < drop))
    points, lift = points[kept], lift[kept]
    factor = rng.uniform(1 - scale, 1 + scale, 2)
    return np.column_stack([np.diff(points, axis=0, prepend=np.zeros((1, 2))) * factor, lift]).astype(np.float32)


def pad(sketches: Sequence[np.ndarray], classes: np.ndarray, scale: float, bound: int) -> Batch:
    """A batch whose drawings, none longer than ``bound``, are padded to it."""
    rows = np.zeros((bound + 1, len(sketches), 5), np.float32)
    for k, sketch in enumerate(sketches):
        rows[: len(sketch) + 1, k] = to_stroke5(sketch)
    rows[..., :2] /= scale
    return Batch(rows, np.array([len(s) for s in sketches], np.int32), np.asarray(classes, np.int32))
