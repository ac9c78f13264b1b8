"""One row of one shape: which pixels it covers and how much. The compiled core of the CPU engine.

Filled polygons get the exact area of every pixel (box filter) under the nonzero rule; edges leave signed differences in
a row buffer whose running sum is the winding-weighted coverage (the accumulation of R. Levien's font-rs, 2016). Only
the cells that edges touch are stored, so the inside of a span is one constant run. Strokes get their coverage from the
distance to the centre line, as the overlap of the pixel with the pen along the line's normal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.compiled import Part, njit

# Of kernels that Python calls, of functions that only kernels call (nothing of them is kept by itself), and of small
# ones with one caller, which Numba copies into it before it compiles: each function by itself costs it 0.1 s or more.
# What kernels call becomes part of them. If it stayed a function, each would bring a copy, optimised in its own way, of
# which the linker takes whichever is there first: rounding would depend on what a process has done before.
JIT: dict[str, Any] = {"nogil": True, "cache": True, "fastmath": True, "error_model": "numpy", "no_cfunc_wrapper": True}
INNER: dict[str, Any] = JIT | {"cache": False, "no_cpython_wrapper": True, "forceinline": True, "pipeline_class": Part}
COPIED: dict[str, Any] = INNER | {"inline": "always"}
# Of those that make no array: no references are counted, which is an eighth of the time of what works row by row.
BARE: dict[str, Any] = INNER | {"_nrt": False}
FAR = np.float32(1e12)  # a squared distance that nothing reaches
FULL = 1.0001  # coverage sums up to here are "inside once": rounding, not overlap


@njit(**INNER)
def floats(rows, columns, value):
    """``(rows, columns)`` float32, all ``value``. Numba compiles ``np.empty`` for every way to say a shape."""
    made = np.empty((rows, columns), np.float32)
    made[:] = value
    return made


@njit(**INNER)
def integers(rows, columns):
    """``(rows, columns)`` int64 to be written; see ``floats``."""
    return np.empty((rows, columns), np.int64)


@njit(**BARE)
def edge_table(points, first, last, edges):
    """Write one row per edge, ``x at top, top, bottom, dx/dy, direction``; returns top and bottom."""
    top, bottom = np.float32(1e9), np.float32(-1e9)
    for i in range(first, last):
        j = i + 1 if i + 1 < last else first
        x0, y0, x1, y1 = points[i, 0], points[i, 1], points[j, 0], points[j, 1]
        direction = np.float32(1.0)
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
            direction = np.float32(-1.0)
        row = edges[i - first]
        row[0], row[1], row[2], row[4] = x0, y0, y1, direction
        row[3] = (x1 - x0) / (y1 - y0) if y1 > y0 else np.float32(0.0)
        top, bottom = min(top, y0), max(bottom, y1)
    return top, bottom


@njit(**COPIED)
def _deposit(acc, left, right, d):
    """Add one edge piece inside a row, from x = left to right with signed height d, as coverage differences."""
    # Numba makes float64 of an integer and a float32, hence so many conversions.
    i, j, half = int(left), int(right), np.float32(0.5)
    if i == j:
        m = half * (left + right) - np.float32(i)
        acc[i] += d - d * m
        acc[i + 1] += d * m
        return
    s = d / (right - left)
    f = np.float32(i + 1) - left
    before = half * s * f * f
    acc[i] += before
    for x in range(i + 1, j):
        now = s * (np.float32(x) - left + half)
        acc[x] += now - before
        before = now
    f = right - np.float32(j)
    now = d - np.float32(0.5) * s * f * f
    acc[j] += now - before
    acc[j + 1] += d - now


@njit(**BARE)
def fill_row(edges, count, y, width, acc, spans):
    """Coverage differences of a filled polygon in pixel row ``y``.

    ``acc`` ``(width + 2,)`` must be zero on entry; the touched cells, as disjoint ascending ``spans`` ``(2, .)`` of
    first and last cell, are the only ones changed. Returns how many spans.
    """
    n, above, below, wide = 0, np.float32(y), np.float32(y + 1), np.float32(width)
    for e in range(count):
        ya, yb = max(edges[e, 1], above), min(edges[e, 2], below)
        if ya >= yb:
            continue
        xa = edges[e, 0] + (ya - edges[e, 1]) * edges[e, 3]
        xb = edges[e, 0] + (yb - edges[e, 1]) * edges[e, 3]
        left, right = min(xa, xb), max(xa, xb)
        d = (yb - ya) * edges[e, 4]
        if left >= wide:
            continue
        if right <= np.float32(0.0):
            acc[0] += d
            lo, hi = 0, 0
        else:
            if left < np.float32(0.0):  # what lies left of the picture covers the whole row from its first cell on
                part = d * (-left / (right - left))
                acc[0] += part
                d -= part
                left = np.float32(0.0)
                lo = 0
            if right > wide:
                d *= (wide - left) / (right - left)
                right = wide
            _deposit(acc, left, right, d)
            lo, hi = int(left), min(int(right) + 1, width)
        # insert [lo, hi], merging with what it touches
        at = n
        while at > 0 and spans[0, at - 1] > lo:
            spans[0, at], spans[1, at] = spans[0, at - 1], spans[1, at - 1]
            at -= 1
        spans[0, at], spans[1, at] = lo, hi
        n += 1
    if n > 1:
        m = 0
        for k in range(1, n):
            if spans[0, k] <= spans[1, m] + 1:
                spans[1, m] = max(spans[1, m], spans[1, k])
            else:
                m += 1
                spans[0, m], spans[1, m] = spans[0, k], spans[1, k]
        n = m + 1
    return n


@njit(**BARE)
def stroke_row(points, first, last, radius, y, width, square, nearest):
    """Squared distance of pixel centres in row ``y`` to a polyline, where it is less than ``(radius + 1)^2``.

    ``square`` ``(width + 2,)`` must be large on entry; ``nearest`` gets the segment's index. Returns first and
    past-last pixel touched.
    """
    reach = radius + np.float32(1.0)
    cy = np.float32(y) + np.float32(0.5)
    lo, hi = width, 0
    for i in range(first, last - 1):
        x0, y0, x1, y1 = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        if min(y0, y1) - reach > cy or max(y0, y1) + reach < cy:
            continue
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        left, right = min(x0, x1) - reach, max(x0, x1) + reach
        if abs(dy) > np.float32(1e-3):  # the strip's crossing of this row is narrower than the segment's box
            middle = x0 + (cy - y0) * dx / dy
            half = reach * np.sqrt(length) / abs(dy)
            # caps reach past the ends, so the strip is only a bound between them
            left, right = max(left, middle - half), min(right, middle + half)
        a, b = max(int(np.floor(left)), 0), min(int(np.ceil(right)) + 1, width)
        inverse = np.float32(1.0) / length if length > np.float32(1e-12) else np.float32(0.0)
        for x in range(a, b):
            px, py = np.float32(x) + np.float32(0.5) - x0, cy - y0
            t = min(max((px * dx + py * dy) * inverse, np.float32(0.0)), np.float32(1.0))
            qx, qy = px - t * dx, py - t * dy
            q = qx * qx + qy * qy
            if q < square[x]:
                square[x] = q
                nearest[x] = i
        lo, hi = min(lo, a), max(hi, b)
    return lo, hi


@njit(**COPIED)
def stroke_cover(square, radius):
    """Coverage of a pixel at squared distance ``square`` from the centre line of a pen of this radius."""
    d, half = np.sqrt(square), np.float32(0.5)
    one, none = np.float32(1.0), np.float32(0.0)
    return min(max(d + radius + half, none), one) - min(max(d - radius + half, none), one)


@njit(**BARE)
def cover_stroke(points, first, last, radius, y, width, square, nearest, line):
    """Coverage of one stroke's pixels in row ``y``, into ``line`` from its start; returns its pixel range.

    ``square`` ``(width + 2,)`` must hold FAR on entry and does so on return.
    """
    lo, hi = stroke_row(points, first, last, radius, y, width, square, nearest)
    if lo >= hi:
        return 0, 0
    part = square[lo:hi]
    for i in range(len(part)):
        line[i] = stroke_cover(part[i], radius)
        part[i] = FAR
    return lo, hi


@njit(**BARE)
def cover_fill(edges, count, y, width, acc, spans, line):
    """Signed coverage of one filled shape's pixels in row ``y``, into ``line`` from its start; returns its pixel range.

    ``edges`` come from ``edge_table``. The coverage is the winding-weighted area, to be read as ``min(|.|, 1)``.
    ``acc`` ``(width + 2,)`` must hold zeros on entry and does so on return.
    """
    n = fill_row(edges, count, y, width, acc, spans)
    if n == 0:
        return 0, 0
    lo, hi = spans[0, 0], min(spans[1, n - 1] + 1, width)
    run = np.float32(0.0)
    for s in range(n):
        a, b = spans[0, s], spans[1, s] + 1
        touched, part = acc[a:b], line[a - lo :]
        for i in range(len(touched)):
            run += touched[i]
            touched[i] = 0
            part[i] = run
        if s + 1 < n:
            line[b - lo : spans[0, s + 1] - lo] = run
        elif abs(run) > np.float32(1e-4) and b < width:  # its right side lies outside the picture
            line[b - lo : width - lo] = run
            hi = width
    return lo, hi
