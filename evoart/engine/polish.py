"""Gradient steps of all shapes at once, without returning to Python between them: outlines, picture, derivative, Adam.

The picture is cut into bands of rows, whose number depends on its height alone. Threads take bands from a common
counter as they come free; every band has sums of its own, and these are added in order: the same bytes for any number
of threads. Nobody waits for a thread that has not started: the calling one could do everything alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.draw.atomic import SPINS, atomic_add, atomic_set, give_way
from evoart.draw.layout import layout
from evoart.draw.parametric import LEAST, outline, outline_vjp, tables
from evoart.draw.row_coverage import BARE, COPIED, JIT, floats
from evoart.draw.scanline import backward_inside, paint_recorded_inside
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import COLUMNS
from evoart.forms.shapes import FARTHEST, ShapesForm
from evoart.score.pixel import Target
from evoart.threads import HELP, help_with, threads

ROWS = 16  # of a band, about
BETA1, BETA2, TINY = np.float32(0.9), np.float32(0.99), np.float32(1e-12)  # of Adam (Kingma and Ba, 2015)
REST1, REST2 = np.float32(1) - BETA1, np.float32(1) - BETA2
LAST = 0.05  # the rate falls linearly to this share of its start
# Numbers that threads share, each in a cache line of its own: the next band, bands done, records too small, the end.
NEXT, DONE, SMALL, STOP = 0, 8, 16, 24


# Few arrays that hold much, since Numba compiles code that takes each of them from Python.
POSITION, RATES, MEAN, SQUARE, BEST = range(5)  # of ``Adam.state``
LOWEST, TAKEN, PLANNED = range(3)  # of ``Adam.numbers``
SCALE, LOW, HIGH, BACKGROUND = range(4)  # of ``Shapes.limits``
FIRST, WIDTH = 4, 5  # columns of ``Shapes.forms``


class Shapes(NamedTuple):
    """What does not change of ``k`` shapes while they move; ``m`` is the number of all their vertices."""

    table: np.ndarray  # closed forms, see ``draw.parametric.tables``
    forms: np.ndarray  # (k, 6) int64: columns as ``tables`` gives them, first, column of a stroke's width or -1
    start: np.ndarray  # (k + 1,): shape i has vertices start[i]:start[i + 1]
    limits: (
        np.ndarray
    )  # (4, 4) float32: pixels per unit x, y and ``FARTHEST``; low and high of colour and opacity; background
    palette: np.ndarray  # (p, 3) float32; p = 0 for free colours


class Buffers(NamedTuple):
    """What is written in every step."""

    geometry: np.ndarray  # (k, g)
    points: np.ndarray  # (m, 2) pixels
    widths: np.ndarray  # (k,)
    rgba: np.ndarray  # (k, 4)
    record: np.ndarray  # (bands, 4, pixels), see ``draw.scanline.paint_recorded``, as the next two
    entries: np.ndarray  # (bands, rows, 4) int32
    owner: np.ndarray  # (bands, k + 1) int64
    by_points: np.ndarray  # (bands, m, 2) derivative of a band's loss
    by_paint: np.ndarray  # (bands, k, 6), see ``draw.scanline.backward``
    losses: np.ndarray  # (bands,) float64


class Ramps(NamedTuple):
    """The second colours of ``k`` shapes, and what is written in every step; see ``draw.shapes.ramp``."""

    where: np.ndarray  # (k, 2) int64, as ``draw.layout.Layout.ramped``
    opacity: np.ndarray  # (2,) float32: lowest and highest
    table: np.ndarray  # (k, COLUMNS), positions in pixels
    slopes: np.ndarray  # (bands, k, COLUMNS - 1)


class Moments(NamedTuple):
    """The state of ``search.adam.Adam``; changed in place."""

    state: np.ndarray  # (5, k, d): rows, rates, means of the gradient and of its square, best rows
    numbers: np.ndarray  # (3,) float64: the loss of the best rows, steps taken, steps planned


@njit(**BARE)
def _differentiate_loss(target, picture, through, weigh):
    """Loss of a band's ``picture`` ``(3, h, w)``, in whose place its derivative comes; where ``weigh``, ``through``
    gets the roots of the weights."""
    total, two = 0.0, np.float32(2.0)
    for y in range(len(through)):
        part, weight = np.float32(0.0), target[3, y]
        for c in range(3):
            row, aim = picture[c, y], target[c, y]
            for x in range(len(row)):
                d = row[x] - aim[x]
                part += weight[x] * d * d
                row[x] = two * weight[x] * d
        total += part
        if weigh:
            root = through[y]
            for x in range(len(root)):
                root[x] = np.sqrt(weight[x])
    return total


@njit(**COPIED)
def _differentiate_band(b, target, shapes, buffers, strokes, ramps, weigh):
    """Loss of one band and its derivative by points, widths and rgba; where ``weigh``, also what each shape is worth.
    Returns False where its record has no room."""
    _, _, height, width = target.shape
    points = buffers.points.copy()
    for i in range(len(points)):
        points[i, 1] -= np.float32(b * height)
    picture = np.empty((3, height, width), np.float32)
    for c in range(3):
        picture[c] = shapes.limits[BACKGROUND, c]
    start, widths, rgba = shapes.start, buffers.widths, buffers.rgba
    record, entries, owner = buffers.record[b], buffers.entries[b], buffers.owner[b]
    if ramps is not None:
        table = ramps.table.copy()
        table[:, 2] -= np.float32(b * height)
        table[:, 4] -= np.float32(b * height)
        enough = paint_recorded_inside(picture, points, start, widths, rgba, record, entries, owner, strokes, table)
    else:
        enough = paint_recorded_inside(picture, points, start, widths, rgba, record, entries, owner, strokes, None)
    if enough:
        through = floats(height, width, np.float32(0.0))
        buffers.losses[b] = _differentiate_loss(target[b], picture, through, weigh or ramps is not None)
        by_points, by_paint = buffers.by_points[b], buffers.by_paint[b]
        by_points[:] = 0
        by_paint[:] = 0
        if ramps is not None:
            slopes = ramps.slopes[b]
            slopes[:] = 0
            backward_inside(picture, through, points, start, widths, rgba, record, entries, owner, by_points, by_paint,
                            strokes, table, slopes, weigh)  # fmt: skip
        else:
            backward_inside(picture, through, points, start, widths, rgba, record, entries, owner, by_points, by_paint,
                            strokes, None, None, weigh)  # fmt: skip
    return enough


@njit(**BARE)
def _decode_ramps(rows, shapes, ramps):
    """Second colours of genome rows, as ``ShapesForm.decode`` and ``Layout.ramps`` give them; in bounds afterwards."""
    for k in range(len(ramps.where)):
        ramps.table[k, 0] = ramps.where[k, 0]
        if ramps.where[k, 0] > 0:
            numbers = rows[k, ramps.where[k, 1] :]
            for j in range(4, 8):
                low, high = (np.float32(0.0), np.float32(1.0)) if j < 7 else (ramps.opacity[0], ramps.opacity[1])
                numbers[j] = min(max(numbers[j], low), high)
            for j in range(8):
                pixels = shapes.limits[SCALE, j % 2] if j < 4 else np.float32(1.0)
                ramps.table[k, 1 + j] = numbers[j] * pixels


@njit(**BARE)
def _decode(rows, shapes, buffers):
    """Vertices, widths and colours of genome rows, as ``ShapesForm.decode`` and ``Layout.outlines`` give them."""
    shapes_, geometry = buffers.geometry.shape
    far, across = shapes.limits[SCALE, 2], np.sqrt(shapes.limits[SCALE, 0] * shapes.limits[SCALE, 1])
    for k in range(shapes_):
        p = buffers.geometry[k]
        for j in range(geometry):
            p[j] = min(max(rows[k, j], -far), far)
        outline(p, shapes.table, shapes.forms[k, FIRST], shapes.forms[k], shapes.start[k], shapes.start[k + 1],
                shapes.limits[SCALE, 0], shapes.limits[SCALE, 1], buffers.points)  # fmt: skip
        column = shapes.forms[k, WIDTH]
        buffers.widths[k] = max(abs(p[column]), LEAST) * across if column >= 0 else np.float32(0.0)
        rgba = buffers.rgba[k]
        for c in range(4):
            rgba[c] = min(max(rows[k, geometry + c], shapes.limits[LOW, c]), shapes.limits[HIGH, c])
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


@njit(**BARE)
def _descend(slope, adam, shapes, buffers, ramps):
    """One step of Adam from the derivatives of all bands, added in order; ``slope`` ``(d,)`` is overwritten."""
    bands, geometry = len(buffers.losses), buffers.geometry.shape[1]
    across = np.sqrt(shapes.limits[SCALE, 0] * shapes.limits[SCALE, 1])
    taken, planned = adam.numbers[TAKEN], adam.numbers[PLANNED]
    rate = 1 - (1 - LAST) * (taken - 1) / planned
    scale = np.float32(rate * np.sqrt(1 - np.float64(BETA2) ** taken) / (1 - np.float64(BETA1) ** taken))
    total = buffers.by_points[0]
    for b in range(1, bands):
        for i in range(len(total)):
            total[i, 0] += buffers.by_points[b, i, 0]
            total[i, 1] += buffers.by_points[b, i, 1]
    for k in range(adam.state.shape[1]):
        slope[:] = 0
        p = buffers.geometry[k]
        outline_vjp(p, shapes.table, shapes.forms[k, FIRST], shapes.forms[k], shapes.start[k], shapes.start[k + 1],
                    shapes.limits[SCALE, 0], shapes.limits[SCALE, 1], total, slope)  # fmt: skip
        column = shapes.forms[k, WIDTH]
        for b in range(bands):
            if column >= 0:
                slope[column] += (
                    buffers.by_paint[b, k, 4] * across * (np.float32(1.0) if p[column] >= 0 else np.float32(-1.0))
                )
            for c in range(4):
                slope[geometry + c] += buffers.by_paint[b, k, c]
            if ramps is not None and ramps.where[k, 0] > 0:
                for j in range(8):
                    pixels = shapes.limits[SCALE, j % 2] if j < 4 else np.float32(1.0)
                    slope[ramps.where[k, 1] + j] += ramps.slopes[b, k, j] * pixels
        row, rates = adam.state[POSITION, k], adam.state[RATES, k]
        mean, square = adam.state[MEAN, k], adam.state[SQUARE, k]
        for j in range(geometry + 4):
            mean[j] += REST1 * (slope[j] - mean[j])
            square[j] += REST2 * (slope[j] * slope[j] - square[j])
            row[j] -= rates[j] * scale * mean[j] / (np.sqrt(square[j]) + TINY)
        for c in range(4):
            row[geometry + c] = min(max(row[geometry + c], shapes.limits[LOW, c]), shapes.limits[HIGH, c])


@njit(**JIT)
def _work(limit, adam, control, target, shapes, buffers, strokes, ramps):
    """Up to ``limit`` steps, and the judgement of the last one where it is due; with ``limit`` 0 only help with bands,
    until the end is told. Both are one function, so that every band is worked on by one machine code.

    Returns:
        How many steps were not done because a record had no room, else 0.
    """
    bands, taken, idle = len(target), 0, 0
    slope, weigh = floats(1, adam.state.shape[2], np.float32(0.0))[0], adam.numbers[PLANNED] == 0
    waiting = limit > 0  # for the next step to be made ready
    while atomic_add(control, STOP, 0) == 0:
        if waiting:
            if ramps is not None:
                _decode_ramps(adam.state[POSITION], shapes, ramps)
            _decode(adam.state[POSITION], shapes, buffers)
            atomic_set(control, DONE, 0)
            atomic_set(control, NEXT, 0)
            waiting = False
        b = atomic_add(control, NEXT, 1) if atomic_add(control, NEXT, 0) < bands else bands
        if b < bands:
            if not _differentiate_band(b, target, shapes, buffers, strokes, ramps, weigh):
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
            if loss < adam.numbers[LOWEST]:
                adam.numbers[LOWEST] = loss
                for k in range(adam.state.shape[1]):
                    for j in range(adam.state.shape[2]):
                        adam.state[BEST, k, j] = adam.state[POSITION, k, j]
            taken += 1
            adam.numbers[TAKEN] += 1
            if adam.numbers[TAKEN] <= adam.numbers[PLANNED]:
                _descend(slope, adam, shapes, buffers, ramps)
            if taken == limit or adam.numbers[TAKEN] > adam.numbers[PLANNED]:
                atomic_set(control, STOP, 1)
            waiting = True
    return 0


class Polisher:
    """Polishes shapes of given kinds against one target. Kinds without a closed form, and losses other than the squared
    error, are left to ``ScanlineEngine.gradient``: see ``possible``."""

    def __init__(self, form: ShapesForm, target: Target, scale: np.ndarray, detail: int) -> None:
        plan = layout(form.kinds, detail)
        closed = tables(plan)
        self.possible = closed is not None and not form.widens and target.loss == "mse" and len(form.kinds) > 0
        if closed is None or not self.possible:
            return
        height, width = target.weight.shape
        bands = -(-height // ROWS)
        rows = -(-height // bands)
        padding = ((0, bands * rows - height), (0, 0))
        planes = np.stack([np.pad(plane, padding) for plane in (*target.image.transpose(2, 0, 1), target.share)])
        self.target = np.ascontiguousarray(planes.reshape(4, bands, rows, width).transpose(1, 0, 2, 3), np.float32)
        background = form.background if form.background is not None else (1.0, 1.0, 1.0)
        (low, high), (darkest, lightest) = form.opacity, target.colours
        widths = [-1 if shape(name).filled else len(shape(name).parameters) - 1 for name in form.kinds]
        self.strokes = True if max(widths) >= 0 else None
        table, first, columns = closed
        self.shapes = Shapes(
            table, np.column_stack([columns, first, np.array(widths, np.int64)]), plan.start,
            np.array([[*scale, FARTHEST, 0], [*darkest, low], [*lightest, high], [*background, 1]], np.float32),
            np.asarray(form.palette if form.palette else np.empty((0, 3)), np.float32).reshape(-1, 3),
        )  # fmt: skip
        self.geometry = form.geometry
        self.ramps: Ramps | None = None
        if plan.ramped is not None:
            k, bands = len(form.kinds), len(self.target)
            self.ramps = Ramps(
                plan.ramped, np.array([low if low == high else 0.0, high], np.float32),
                np.zeros((k, COLUMNS), np.float32), np.zeros((bands, k, COLUMNS - 1), np.float32),
            )  # fmt: skip
        self._buffers(0, 0)

    def _buffers(self, pixels: int, entries: int) -> None:
        bands, _, height, width = self.target.shape
        k, m = len(self.shapes.forms), int(self.shapes.start[-1])
        if not pixels:
            pixels, entries = 4 * height * width + width, k + 64
        one = np.float32
        self.buffers = Buffers(
            np.empty((k, self.geometry), one), np.empty((m, 2), one), np.empty(k, one), np.empty((k, 4), one),
            np.empty((bands, 4, pixels), one), np.empty((bands, entries, 4), np.int32),
            np.empty((bands, k + 1), np.int64), np.empty((bands, m, 2), one), np.empty((bands, k, 6), one),
            np.empty(bands),
        )  # fmt: skip

    def removal(self, rows: np.ndarray) -> np.ndarray:
        """By how much the loss would rise without each shape ``(k,)``, at rows ``(k, d)``."""
        state = np.zeros((5, *rows.shape), np.float32)
        state[POSITION] = rows
        self._run(Moments(state, np.array([np.inf, 0, 0])), 1)
        return self.buffers.by_paint[..., 5].sum(0)

    def polish(self, adam: Any, limit: int) -> None:
        """``limit`` steps of ``adam``, fewer where fewer are planned; in place."""
        arrays = adam.rows, adam.rates, adam.mean, adam.square, adam.best
        moments = Moments(np.stack(arrays), np.array([adam.loss, adam.t, adam.steps], np.float64))
        self._run(moments, limit)
        adam.rows, adam.rates, adam.mean, adam.square, adam.best = moments.state
        adam.loss, adam.t = float(moments.numbers[LOWEST]), int(moments.numbers[TAKEN])

    def _run(self, moments: Moments, limit: int) -> None:
        while limit:
            control = np.zeros(32, np.int64)
            control[NEXT] = len(self.target)  # nothing to take before the first step starts
            work = moments, control, self.target, self.shapes, self.buffers, self.strokes, self.ramps
            with HELP.timed((id(self), limit)) as helped:
                help_with(_work, min(threads(), len(self.target)) - 1 if helped else 0, 0, *work)
                limit = _work(limit, *work)
            if limit:
                self._buffers(2 * self.buffers.record.shape[2], 2 * self.buffers.entries.shape[1])
