"""What one more shape would gain, exactly, without drawing it.

A shape of coverage ``v`` (0 to 1), opacity ``a`` and colour ``c`` over a canvas ``B`` changes the weighted squared
error against the target ``t`` by

    L(a, c) = -2 a sum_c (c P_c - Q) + a^2 sum_c (c^2 R - 2 c S_c) + a^2 U,      e = t - B
    P_c = sum w v e_c   Q = sum_c sum w v e_c B_c   R = sum w v^2   S_c = sum w v^2 B_c   U = sum_c sum w v^2 B_c^2

with sums over pixels. The nine sufficient statistics P, Q, R, S, U do not depend on colour and opacity, so both follow
in closed form for every geometry tried. Inside a span ``v`` is 1 and the sums come from running sums along the row: a
candidate costs its outline, not its area.
"""

from __future__ import annotations

import numpy as np

from evoart.compiled import njit
from evoart.draw.row_coverage import (
    BARE,
    COPIED,
    FAR,
    INNER,
    JIT,
    edge_table,
    fill_row,
    floats,
    integers,
    stroke_cover,
    stroke_row,
)

STATISTICS = 9


@njit(**JIT)
def running_sums(target, canvas, weight, table, error, first, last):
    """Fill ``table`` ``(h, w + 1, 9)`` with running sums along each row of the integrands of the nine statistics, and
    ``error`` ``(h, w)`` with the weighted squared error of each pixel, both in rows ``first`` to ``last - 1`` alone.

    Args:
        target, canvas: ``(3, h, w)`` float32.
        weight: ``(h, w)`` float32.
    """
    width = target.shape[2]
    run = floats(1, STATISTICS, np.float32(0.0))[0]
    for y in range(first, last):
        run[:] = 0
        for m in range(STATISTICS):
            table[y, 0, m] = 0
        for x in range(width):
            w, off = weight[y, x], np.float32(0.0)
            for c in range(3):
                b = canvas[c, y, x]
                d = target[c, y, x] - b
                e = w * d
                off += e * d
                run[c] += e
                run[3] += e * b
                run[5 + c] += w * b
                run[8] += w * b * b
            run[4] += w
            error[y, x] = off
            for m in range(STATISTICS):
                table[y, x + 1, m] = run[m]


@njit(**COPIED)
def _add(table, y, first, last, v, out):
    """Add pixels first..last-1 of row ``y`` at coverage ``v``."""
    a, b, v2 = table[y, first], table[y, last], v * v
    for m in range(4):
        out[m] += v * (b[m] - a[m])
    for m in range(4, STATISTICS):
        out[m] += v2 * (b[m] - a[m])


def _statistics(points, widths, count, table, out, strokes):
    """The nine statistics ``(n, 9)`` of candidate shapes.

    Args:
        points: ``(n, v, 2)`` float32 outlines in pixels.
        widths: ``(n,)`` stroke widths in pixels, 0 for filled shapes.
        count: of the shapes, ``n`` at most.
        table: running sums ``(h, w + 1, 9)``.
        strokes: None where all shapes are filled, so that no code for others is compiled.
    """
    vertices, width = points.shape[1], table.shape[1] - 1
    edges, spans = floats(vertices, 5, np.float32(0.0)), integers(2, vertices + 1)
    acc, square = floats(1, width + 2, np.float32(0.0))[0], floats(1, width + 2, FAR)[0]
    nearest = integers(1, width + 2)[0]
    _statistics_by(edges, spans, acc, square, nearest, points, widths, count, table, out, strokes)


@njit(**BARE)
def _statistics_by(edges, spans, acc, square, nearest, points, widths, count, table, out, strokes):
    vertices = points.shape[1]
    height, width = table.shape[0], table.shape[1] - 1
    for i in range(count):
        total = out[i]
        for m in range(STATISTICS):
            total[m] = 0
        top, bottom = edge_table(points[i], 0, vertices, edges)
        if strokes is not None and widths[i] > 0:
            radius = widths[i] * np.float32(0.5)
            reach = radius + np.float32(1.0)
            for y in range(max(0, int(np.floor(top - reach))), min(height, int(np.ceil(bottom + reach)))):
                lo, hi = stroke_row(points[i], 0, vertices, radius, y, width, square, nearest)
                for x in range(lo, hi):
                    v = stroke_cover(square[x], radius)
                    square[x] = FAR
                    if v > 0:
                        _add(table, y, x, x + 1, v, total)
            continue
        for y in range(max(0, int(np.floor(top))), min(height, int(np.ceil(bottom)))):
            k = fill_row(edges, vertices, y, width, acc, spans)
            run = np.float32(0.0)
            for s in range(k):
                for x in range(spans[0, s], spans[1, s] + 1):
                    run += acc[x]
                    acc[x] = 0
                    if x < width:
                        _add(table, y, x, x + 1, min(abs(run), np.float32(1.0)), total)
                end = spans[0, s + 1] if s + 1 < k else width
                v = min(abs(run), np.float32(1.0))
                if v > np.float32(1e-4) and end > spans[1, s] + 1:
                    _add(table, y, spans[1, s] + 1, end, v, total)


def _best_paint(statistics, count, low, high, palette, rgba, gains):
    """Best colour and opacity of candidates from their statistics, and what each gains (the fall of the squared error).

    Opacity is searched on a grid over [low, high] and refined once; for each opacity the colour is exact: the loss is
    quadratic in every channel, so clipping to [0, 1] is optimal, and with a palette the best of its colours is taken.

    Args:
        statistics: ``(n, 9)`` float32.
        count: of the candidates, ``n`` at most.
        palette: ``(p, 3)`` float32, p = 0 for free colours.
        rgba: ``(n, 4)`` float32, written.
        gains: ``(n,)`` float32, written; positive is better.
    """
    grid = 6 if high > low else 1
    colour = floats(1, 3, np.float32(0.0))[0]
    for i in range(count):
        p, q, r, s, u = statistics[i, :3], statistics[i, 3], statistics[i, 4], statistics[i, 5:8], statistics[i, 8]
        gains[i] = np.float32(-1e30)
        for c in range(4):
            rgba[i, c] = 0
        if r <= np.float32(1e-9):
            continue
        centre, span = np.float32(0.5) * (low + high), np.float32(0.5) * (high - low)
        for _ in range(2 if grid > 1 else 1):
            for j in range(grid):
                at = np.float32(0.0) if grid == 1 else np.float32(2 * j) / np.float32(grid - 1) - np.float32(1.0)
                a = min(max(centre + at * span, low), high)
                loss = 2 * a * q + a * a * u
                if len(palette) == 0:
                    for c in range(3):
                        colour[c] = min(max((p[c] / a + s[c]) / r, np.float32(0.0)), np.float32(1.0))
                        loss += -2 * a * colour[c] * p[c] + a * a * (colour[c] * colour[c] * r - 2 * colour[c] * s[c])
                else:
                    best = np.float32(1e30)
                    for k in range(len(palette)):
                        trial = np.float32(0.0)
                        for c in range(3):
                            v = palette[k, c]
                            trial += -2 * a * v * p[c] + a * a * (v * v * r - 2 * v * s[c])
                        if trial < best:
                            best = trial
                            for c in range(3):
                                colour[c] = palette[k, c]
                    loss += best
                if -loss > gains[i]:
                    gains[i] = -loss
                    for c in range(3):
                        rgba[i, c] = colour[c]
                    rgba[i, 3] = a
            centre, span = rgba[i, 3], span / np.float32(grid - 1) if grid > 1 else span


# Once for Python, and once for kernels that contain it.
statistics, statistics_inside = njit(**JIT)(_statistics), njit(**INNER)(_statistics)
best_paint, best_paint_inside = njit(**JIT)(_best_paint), njit(**INNER)(_best_paint)
