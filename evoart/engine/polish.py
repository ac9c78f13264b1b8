"""Gradient steps of all shapes at once, without returning to Python between them: outlines, picture, derivative, Adam.

The picture is cut into bands of rows, whose number depends on its height alone. Threads take bands from a common
counter as they come free; every band has sums of its own, and these are added in order: the same bytes for any number
of threads. Nobody waits for a thread that has not started: the calling one could do everything alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.draw.atomic import SPINS, atomic_add, atomic_set, give_way
from evoart.draw.layout import layout
from evoart.draw.parametric import LEAST, outline, outline_vjp, tables
from evoart.draw.row_coverage import COPIED, INNER, JIT
from evoart.draw.scanline import backward_inside, paint_recorded_inside
from evoart.draw.shapes import shape
from evoart.forms.shapes import FARTHEST, ShapesForm
from evoart.score.pixel import Target
from evoart.threads import pool, threads

ROWS = 16  # of a band, about
BETA1, BETA2, TINY = np.float32(0.9), np.float32(0.99), np.float32(1e-12)  # of Adam (Kingma and Ba, 2015)
LAST = 0.05  # the rate falls linearly to this share of its start
# Numbers that threads share, each in a cache line of its own: the next band, bands done, records too small, the end.
NEXT, DONE, SMALL, STOP = 0, 8, 16, 24


class Canvas(NamedTuple):
    """What pictures are compared with, by bands of ``h`` rows; rows past the picture's end count nothing."""

    background: np.ndarray  # (3,)
    image: np.ndarray  # (bands, 3, h, width)
    share: np.ndarray  # (bands, h, width): of a pixel in the loss


class Shapes(NamedTuple):
    """What does not change of ``k`` shapes while they move; ``m`` is the number of all their vertices."""

    table: np.ndarray  # closed forms, see ``draw.parametric.tables``
    first: np.ndarray  # (k,)
    columns: np.ndarray  # (k, 4)
    width: np.ndarray  # (k,) int64: the column of a stroke's width, -1 for filled shapes
    start: np.ndarray  # (k + 1,): shape i has vertices start[i]:start[i + 1]
    scale: np.ndarray  # (2,) float32 pixels per unit
    low: np.ndarray  # (4,) float32 bounds of colour and opacity
    high: np.ndarray  # (4,)
    palette: np.ndarray  # (p, 3) float32; p = 0 for free colours


class Buffers(NamedTuple):
    """What is written in every step."""

    geometry: np.ndarray  # (k, g)
    points: np.ndarray  # (m, 2) pixels
    widths: np.ndarray  # (k,)
    rgba: np.ndarray  # (k, 4)
    cover: np.ndarray  # (bands, pixels), the record of ``draw.scanline.paint_recorded``, as the next three
    below: np.ndarray  # (bands, 3, pixels)
    entries: np.ndarray  # (bands, rows, 4) int32
    owner: np.ndarray  # (bands, k + 1) int64
    by_points: np.ndarray  # (bands, m, 2) derivative of a band's loss
    by_widths: np.ndarray  # (bands, k)
    by_rgba: np.ndarray  # (bands, k, 4)
    removal: np.ndarray  # (bands, k)
    losses: np.ndarray  # (bands,) float64


class Moments(NamedTuple):
    """The state of Adam, ``(k, d)`` each but the last two; changed in place."""

    rows: np.ndarray
    rates: np.ndarray
    mean: np.ndarray
    square: np.ndarray
    best: np.ndarray
    lowest: np.ndarray  # (1,) float64: the loss of ``best``
    count: np.ndarray  # (2,) int64: steps taken and steps planned


@njit(**COPIED)
def _differentiate_band(b, canvas, shapes, buffers, strokes):
    """Loss of one band and its derivative by points, widths and rgba. Returns False where its record has no room."""
    _, _, height, width = canvas.image.shape
    points = buffers.points.copy()
    for i in range(len(points)):
        points[i, 1] -= np.float32(b * height)
    picture = np.empty((3, height, width), np.float32)
    for c in range(3):
        picture[c] = canvas.background[c]
    start, widths, rgba = shapes.start, buffers.widths, buffers.rgba
    cover, below, entries, owner = buffers.cover[b], buffers.below[b], buffers.entries[b], buffers.owner[b]
    enough = paint_recorded_inside(picture, points, start, widths, rgba, cover, below, entries, owner, strokes)
    if enough:
        total, through = 0.0, np.empty((height, width), np.float32)
        for y in range(height):
            part, weight = np.float32(0.0), canvas.share[b, y]
            for c in range(3):
                row, aim = picture[c, y], canvas.image[b, c, y]
                for x in range(len(row)):
                    d = row[x] - aim[x]
                    part += weight[x] * d * d
                    row[x] = 2 * weight[x] * d  # from here on the derivative by the picture
            total += part
            for x in range(width):
                through[y, x] = np.sqrt(weight[x])
        buffers.losses[b] = total
        by_points, by_widths, by_rgba, removal = (
            buffers.by_points[b], buffers.by_widths[b], buffers.by_rgba[b], buffers.removal[b],
        )  # fmt: skip
        by_points[:] = 0
        by_widths[:] = 0
        by_rgba[:] = 0
        removal[:] = 0
        backward_inside(
            picture, through, points, start, widths, rgba, cover, below, entries, owner, by_points, by_widths, by_rgba,
            removal, strokes,
        )  # fmt: skip
    return enough


@njit(**INNER)
def _decode(rows, shapes, buffers):
    """Vertices, widths and colours of genome rows, as ``ShapesForm.decode`` and ``Layout.outlines`` give them."""
    shapes_, geometry = buffers.geometry.shape
    far, across = np.float32(FARTHEST), np.sqrt(shapes.scale[0] * shapes.scale[1])
    for k in range(shapes_):
        p = buffers.geometry[k]
        for j in range(geometry):
            p[j] = min(max(rows[k, j], -far), far)
        outline(p, shapes.table, shapes.first[k], shapes.columns[k], shapes.start[k], shapes.start[k + 1],
                shapes.scale[0], shapes.scale[1], buffers.points)  # fmt: skip
        column = shapes.width[k]
        buffers.widths[k] = max(abs(p[column]), LEAST) * across if column >= 0 else np.float32(0.0)
        rgba = buffers.rgba[k]
        for c in range(4):
            rgba[c] = min(max(rows[k, geometry + c], shapes.low[c]), shapes.high[c])
        if len(shapes.palette):
            nearest, least = 0, np.float32(1e9)
            for i in range(len(shapes.palette)):
                distance = np.float32(0.0)
                for c in range(3):
                    distance += (rgba[c] - shapes.palette[i, c]) ** 2
                if distance < least:
                    nearest, least = i, distance
            for c in range(3):
                rgba[c] = shapes.palette[nearest, c]


@njit(**INNER)
def _descend(adam, shapes, buffers):
    """One step of Adam from the derivatives of all bands, added in order."""
    bands, geometry = len(buffers.losses), buffers.geometry.shape[1]
    slope = np.empty(geometry + 4, np.float32)
    across = np.sqrt(shapes.scale[0] * shapes.scale[1])
    taken, planned = adam.count[0], adam.count[1]
    rate = 1 - (1 - LAST) * (taken - 1) / planned
    scale = np.float32(rate * np.sqrt(1 - np.float64(BETA2) ** taken) / (1 - np.float64(BETA1) ** taken))
    total = buffers.by_points[0]
    for b in range(1, bands):
        for i in range(len(total)):
            total[i, 0] += buffers.by_points[b, i, 0]
            total[i, 1] += buffers.by_points[b, i, 1]
    for k in range(len(adam.rows)):
        slope[:] = 0
        p = buffers.geometry[k]
        outline_vjp(p, shapes.table, shapes.first[k], shapes.columns[k], shapes.start[k], shapes.start[k + 1],
                    shapes.scale[0], shapes.scale[1], total, slope)  # fmt: skip
        column = shapes.width[k]
        for b in range(bands):
            if column >= 0:
                slope[column] += (
                    buffers.by_widths[b, k] * across * (np.float32(1.0) if p[column] >= 0 else np.float32(-1.0))
                )
            for c in range(4):
                slope[geometry + c] += buffers.by_rgba[b, k, c]
        row, mean, square, rates = adam.rows[k], adam.mean[k], adam.square[k], adam.rates[k]
        for j in range(geometry + 4):
            mean[j] += (1 - BETA1) * (slope[j] - mean[j])
            square[j] += (1 - BETA2) * (slope[j] * slope[j] - square[j])
            row[j] -= rates[j] * scale * mean[j] / (np.sqrt(square[j]) + TINY)
        for c in range(4):
            row[geometry + c] = min(max(row[geometry + c], shapes.low[c]), shapes.high[c])


@njit(**JIT)
def _work(limit, adam, control, canvas, shapes, buffers, strokes):
    """Up to ``limit`` steps, and the judgement of the last one where it is due; with ``limit`` 0 only help with bands,
    until the end is told. Both are one function, so that every band is worked on by one machine code.

    Returns:
        How many steps were not done because a record had no room, else 0.
    """
    bands, taken, idle = len(canvas.image), 0, 0
    waiting = limit > 0  # for the next step to be made ready
    while atomic_add(control, STOP, 0) == 0:
        if waiting:
            _decode(adam.rows, shapes, buffers)
            atomic_set(control, DONE, 0)
            atomic_set(control, NEXT, 0)
            waiting = False
        b = atomic_add(control, NEXT, 1) if atomic_add(control, NEXT, 0) < bands else bands
        if b < bands:
            if not _differentiate_band(b, canvas, shapes, buffers, strokes):
                atomic_add(control, SMALL, 1)
            atomic_add(control, DONE, 1)
            idle = 0
        elif limit == 0 or atomic_add(control, DONE, 0) < bands:
            idle += 1
            if idle > SPINS:
                give_way()
        elif atomic_add(control, SMALL, 0):
            atomic_set(control, STOP, 1)
            return limit - taken
        else:
            loss = 0.0
            for i in range(bands):
                loss += buffers.losses[i]
            if loss < adam.lowest[0]:
                adam.lowest[0] = loss
                for k in range(len(adam.rows)):
                    for j in range(adam.rows.shape[1]):
                        adam.best[k, j] = adam.rows[k, j]
            taken += 1
            adam.count[0] += 1
            if adam.count[0] <= adam.count[1]:
                _descend(adam, shapes, buffers)
            if taken == limit or adam.count[0] > adam.count[1]:
                atomic_set(control, STOP, 1)
            waiting = True
    return 0


class Polisher:
    """Polishes shapes of given kinds against one target. Kinds without a closed form, and losses other than the squared
    error, are left to ``ScanlineEngine.gradient``: see ``possible``."""

    def __init__(self, form: ShapesForm, target: Target, scale: np.ndarray, detail: int) -> None:
        plan = layout(form.kinds, detail)
        closed = tables(plan)
        self.possible = closed is not None and not form.min_width and target.loss == "mse" and len(form.kinds) > 0
        if closed is None or not self.possible:
            return
        height, width = target.weight.shape
        bands = -(-height // ROWS)
        rows = -(-height // bands)
        padding = ((0, bands * rows - height), (0, 0))
        image = np.stack([np.pad(target.image[..., c], padding) for c in range(3)])
        background = form.background if form.background is not None else (1.0, 1.0, 1.0)
        self.canvas = Canvas(
            np.asarray(background, np.float32),
            np.ascontiguousarray(image.reshape(3, bands, rows, width).transpose(1, 0, 2, 3), np.float32),
            np.pad(target.share, padding).reshape(bands, rows, width).astype(np.float32),
        )
        low, high = form.opacity
        widths = [-1 if shape(name).filled else len(shape(name).parameters) - 1 for name in form.kinds]
        self.shapes = Shapes(
            closed[0], closed[1], closed[2], np.array(widths, np.int64), plan.start, np.asarray(scale, np.float32),
            np.array([0, 0, 0, low], np.float32), np.array([1, 1, 1, high], np.float32),
            np.asarray(form.palette if form.palette else np.empty((0, 3)), np.float32).reshape(-1, 3),
        )  # fmt: skip
        self.geometry = form.geometry
        self._buffers(0, 0)

    def _buffers(self, pixels: int, entries: int) -> None:
        bands, k, m = len(self.canvas.image), len(self.shapes.first), int(self.shapes.start[-1])
        if not pixels:
            pixels, entries = 4 * self.canvas.share[0].size + self.canvas.share.shape[2], k + 64
        one = np.float32
        self.buffers = Buffers(
            np.empty((k, self.geometry), one), np.empty((m, 2), one), np.empty(k, one), np.empty((k, 4), one),
            np.empty((bands, pixels), one), np.empty((bands, 3, pixels), one), np.empty((bands, entries, 4), np.int32),
            np.empty((bands, k + 1), np.int64), np.empty((bands, m, 2), one), np.empty((bands, k), one),
            np.empty((bands, k, 4), one), np.empty((bands, k), one), np.empty(bands),
        )  # fmt: skip

    def removal(self, rows: np.ndarray) -> np.ndarray:
        """By how much the loss would rise without each shape ``(k,)``, at rows ``(k, d)``."""
        rows = np.array(rows, np.float32)
        none = np.zeros_like(rows)
        self.polish(Moments(rows, none, none, none, none, np.array([np.inf]), np.zeros(2, np.int64)), 1)
        return self.buffers.removal.sum(0)

    def polish(self, adam: Moments, limit: int) -> None:
        """``limit`` steps, fewer where fewer are planned."""
        while limit:
            control = np.zeros(32, np.int64)
            control[NEXT] = len(self.canvas.image)  # nothing to take before the first step starts
            strokes = True if (self.shapes.width >= 0).any() else None
            work = control, self.canvas, self.shapes, self.buffers, strokes
            for _ in range(min(threads(), len(self.canvas.image)) - 1):
                pool().submit(_work, 0, adam, *work)
            limit = _work(limit, adam, *work)
            if limit:
                self._buffers(2 * self.buffers.cover.shape[1], 2 * self.buffers.entries.shape[1])
