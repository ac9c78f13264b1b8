"""Pictures evolved against the model while it learns: translucent triangles that climb the similarity to a caption.

The model's own backward pass tells what every pixel should be (its gradient is there for nothing when a batch is
learned); the rasteriser carries that on to corners and colours, and Adam moves them. So a picture stays under attack by
the newest model for as long as it lives, and then joins an archive that is shown again, lest its trick be forgotten.
"""

from __future__ import annotations

import numpy as np
from world import Drawing, _ink, colour

from evoart.draw import scanline


class Evolved:
    """One such picture of ``facts`` (its caption's), alive for ``life`` steps."""

    def __init__(self, rng: np.random.Generator, facts: np.ndarray, life: int) -> None:
        n = int(rng.integers(12, 60))
        self.facts, self.life, self.age = facts, life, 0
        size = rng.uniform(0.1, 0.9)
        self.points = (rng.random((n, 1, 2)) + size * rng.uniform(-0.5, 0.5, (n, 3, 2))).reshape(-1, 2)
        self.rgba = np.concatenate([rng.random((n, 3)), rng.uniform(0.1, 0.6, (n, 1))], 1)
        self.ground = colour(rng, "white" if rng.random() < 0.6 else _ink(rng, None, ()))
        self.rate = float(np.exp(rng.uniform(np.log(0.005), np.log(0.04))))
        self._start = np.arange(0, 3 * n + 1, 3)
        self._moments = [np.zeros((2, *each.shape)) for each in (self.points, self.rgba)]
        self._frame: tuple = ()

    def draw(self, size: int, offset: np.ndarray, zoom: float) -> np.ndarray:
        """Picture ``(size, size, 3)``, remembered for ``climb``."""
        points = ((self.points - offset) * (size * zoom)).astype(np.float32)
        rgba, widths = self.rgba.astype(np.float32), np.zeros(len(self.rgba), np.float32)
        pixels, rows = scanline.record_size(points, self._start, widths, size, size)
        record = (
            np.empty(pixels + size, np.float32), np.empty((3, pixels + size), np.float32),
            np.empty((rows + 1, 4), np.int32), np.empty(len(rgba) + 1, np.int64),
        )  # fmt: skip
        canvas = np.empty((3, size, size), np.float32)
        canvas[:] = self.ground[:, None, None].astype(np.float32)
        scanline.paint_recorded(canvas, points, self._start, widths, rgba, *record)
        self._frame = (points, rgba, widths, record, size * zoom)
        return canvas.transpose(1, 2, 0)

    def climb(self, gradient: np.ndarray) -> None:
        """Move along d objective / d picture ``(size, size, 3)``, upwards."""
        points, rgba, widths, record, scale = self._frame
        by_points, by_rgba = np.zeros_like(points), np.zeros_like(rgba)
        adjoint = np.ascontiguousarray(gradient.transpose(2, 0, 1), np.float32)
        scanline.pull(
            adjoint, np.zeros(adjoint.shape[1:], np.float32), points, self._start, widths, rgba, *record,
            by_points, np.zeros_like(widths), by_rgba, np.zeros_like(widths),
        )  # fmt: skip
        self.age += 1
        for value, slope, moments, rate in (
            (self.points, by_points * scale, self._moments[0], self.rate),
            (self.rgba, by_rgba, self._moments[1], 2 * self.rate),
        ):
            moments[0] += 0.15 * (slope - moments[0])
            moments[1] += 0.02 * (slope * slope - moments[1])
            first, second = moments[0] / (1 - 0.85**self.age), moments[1] / (1 - 0.98**self.age)
            value += rate * first / (np.sqrt(second) + 1e-12)
        np.clip(self.points, -0.3, 1.3, out=self.points)
        np.clip(self.rgba, (0, 0, 0, 0.03), 1, out=self.rgba)

    def drawing(self) -> Drawing:
        """What it has become, for the archive."""
        return Drawing(list(self.points.reshape(-1, 3, 2).copy()), list(self.rgba.copy()), self.ground, self.facts)
