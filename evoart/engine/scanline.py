"""The CPU engine: compiled scanline kernels, straight to losses; no JAX."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from evoart.draw import scanline
from evoart.draw.layout import detail_for, layout, pixels_per_unit
from evoart.draw.shapes.ramp import COLUMNS
from evoart.score.pixel import Target, loss_map, value_and_gradient
from evoart.threads import spread
from evoart.types import Genome

if TYPE_CHECKING:
    from evoart.forms.shapes import ShapesForm

BAND = 128  # rows of one unit of work; fixed, so that sums do not depend on the number of threads
WHITE = (1.0, 1.0, 1.0)


class ScanlineEngine:
    """Evaluates genomes of ``form`` against ``target`` on the CPU.

    Attributes:
        form: what a genome stands for.
        target: the picture to come near.
        traceable: False: only the host can call it.
    """

    name, traceable = "scanline", False

    def __init__(self, form: ShapesForm, target: Target) -> None:
        self.form, self.target = form, target
        self.height, self.width = target.image.shape[:2]
        self.scale = pixels_per_unit((self.width, self.height), (form.width, form.height))
        # 24 points a curve at 256 px: coarser than for print, of the same area.
        self.layout = layout(form.kinds, min(detail_for(max(self.height, self.width)), 32))
        self.background = np.asarray(form.background if form.background is not None else WHITE, np.float32)
        self._image = np.ascontiguousarray(target.image.transpose(2, 0, 1))
        self._share = np.ascontiguousarray(target.share)
        self._root = np.sqrt(self._share)
        self._bands = [(y, min(y + BAND, self.height)) for y in range(0, self.height, BAND)]
        self._records: dict[int, tuple] = {}
        self.removal = np.zeros(form.groups, np.float32)

    def images(self, genomes: np.ndarray) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` float32 sRGB of genomes ``(n, dim)``; a transparent background is white."""
        shapes = self._outlines(genomes)
        out = np.empty((len(shapes), self.height, self.width, 3), np.float32)

        def work(i: int) -> None:
            out[i] = self._paint(*shapes[i]).transpose(1, 2, 0)

        spread(work, len(shapes))
        return out

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)``."""
        return self.tile_losses(genomes, 1)[:, 0, 0]

    def tile_losses(self, genomes: np.ndarray, tiles: int) -> np.ndarray:
        """Losses ``(n, tiles, tiles)`` float32 by tile: pixel ``(y, x)`` counts in ``(y*tiles//h, x*tiles//w)``."""
        shapes = self._outlines(genomes)
        grid = np.zeros((len(shapes), tiles, tiles), np.float32)

        def work(i: int) -> None:
            canvas = self._paint(*shapes[i])
            if self.target.loss == "mse":
                scanline.squared_error_tiles(canvas, self._image, self._share, grid[i])
                return
            each = loss_map(np, canvas.transpose(1, 2, 0), self.target)
            rows, columns = np.arange(self.height) * tiles // self.height, np.arange(self.width) * tiles // self.width
            np.add.at(grid[i], (rows[:, None], columns[None]), each)

        spread(work, len(shapes))
        return grid

    def gradient(self, genome: Genome) -> tuple[float, np.ndarray]:
        """Loss of one genome ``(dim,)`` and its gradient ``(dim,)`` float32, exact for the area-sampled picture.

        Where decoding clips a number or snaps a colour, the gradient is that of the decoded one. Also sets ``removal``
        ``(groups,)``: by how much the loss would rise without each shape (exact for squared error).
        """
        shapes = self._outlines(genome[None])[0]
        parts = spread(lambda b: self._gradient_band(b, *shapes), len(self._bands))
        losses, *gradients = zip(*parts, strict=True)
        by_points, by_paint, by_ramps = (functools.reduce(np.add, part) for part in gradients)
        self.removal = by_paint[:, 5]
        geometry, _ = self.form.decode(np, genome)
        by_geometry = self.layout.vjp(geometry, self.scale, by_points, by_paint[:, 4], by_ramps)
        return float(sum(losses)), np.concatenate([by_geometry, by_paint[:, :4]], 1).ravel()

    def canvas(self, genome: Genome) -> np.ndarray:
        """The picture of one genome ``(dim,)`` as planes ``(3, h, w)``."""
        return self._paint(*self._outlines(genome[None])[0])

    def _outlines(self, genomes: np.ndarray) -> list[tuple]:
        """Points, widths, rgba and ramps (or None) of each genome."""
        geometry, rgba = self.form.decode(np, np.asarray(genomes, np.float32))
        points, widths = self.layout.outlines(np, geometry, self.scale)
        ramps = self.layout.ramps(np, geometry, self.scale)
        parts = [np.ascontiguousarray(a, np.float32) for a in (points, widths, rgba)]
        return list(zip(*parts, [None] * len(genomes) if ramps is None else ramps.astype(np.float32), strict=True))

    def _paint(self, points: np.ndarray, widths: np.ndarray, rgba: np.ndarray, ramps: np.ndarray | None) -> np.ndarray:
        canvas = np.empty((3, self.height, self.width), np.float32)
        canvas[:] = self.background[:, None, None]
        scanline.paint(canvas, points, self.layout.start, widths, rgba, ramps)
        return canvas

    def _gradient_band(
        self, band: int, points: np.ndarray, widths: np.ndarray, rgba: np.ndarray, ramps: np.ndarray | None
    ) -> tuple:
        y0, y1 = self._bands[band]
        points, ramps = points - np.array([0, y0], np.float32), scanline.in_band(ramps, y0)
        start, height, strokes = self.layout.start, y1 - y0, scanline.strokes_or_none(widths)
        pixels, entries = scanline.record_size(points, start, widths, height, self.width)
        canvas = np.empty((3, height, self.width), np.float32)
        while True:
            record, rows, owner = self._record(band, pixels, entries)
            canvas[:] = self.background[:, None, None]
            if scanline.paint_recorded(canvas, points, start, widths, rgba, record, rows, owner, strokes, ramps):
                break
            pixels, entries = 2 * record.shape[1], 2 * len(rows)
        loss, adjoint = self._loss_band(canvas, y0, y1)
        by_points, by_paint = np.zeros_like(points), np.zeros((len(rgba), 6), np.float32)
        by_ramps = np.zeros((len(rgba), COLUMNS - 1), np.float32)
        scanline.backward(
            adjoint, self._root[y0:y1].copy(), points, start, widths, rgba, record, rows, owner,
            by_points, by_paint, strokes, ramps, by_ramps if ramps is not None else None, True,
        )  # fmt: skip
        return loss, by_points, by_paint, by_ramps

    def _loss_band(self, canvas: np.ndarray, y0: int, y1: int) -> tuple[float, np.ndarray]:
        if self.target.loss == "mse":
            adjoint = np.empty_like(canvas)
            return float(scanline.squared_error(canvas, self._image[:, y0:y1], self._share[y0:y1], adjoint)), adjoint
        loss, by_image = value_and_gradient(canvas.transpose(1, 2, 0), self.target.rows(y0, y0 + canvas.shape[1]))
        return loss, np.ascontiguousarray(by_image.transpose(2, 0, 1), np.float32)

    def _record(self, band: int, pixels: int, entries: int) -> tuple:
        """Buffers for the recorded pass, kept between calls and grown when they are too small."""
        buffers = self._records.get(band)
        if buffers is None or buffers[0].shape[1] < pixels or len(buffers[1]) < entries:
            pixels, entries = pixels * 5 // 4 + self.width, entries * 5 // 4 + 64
            buffers = (
                np.empty((4, pixels), np.float32),
                np.empty((entries, 4), np.int32),
                np.empty(self.form.groups + 1, np.int64),
            )
            self._records[band] = buffers
        return buffers
