"""The CPU rasteriser: scenes to pixels, and the derivative of a loss by every point and colour of a scene.

Shapes are blended ``over`` in sRGB in paint order. All kernels work on a band of rows, release the GIL and keep the
canvas planar, ``(3, rows, width)``; bands are of fixed size, so that results do not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from evoart.compiled import njit
from evoart.draw.row_coverage import (
    BARE,
    COPIED,
    FAR,
    FULL,
    INNER,
    JIT,
    cover_fill,
    cover_stroke,
    edge_table,
    floats,
    integers,
    stroke_row,
)
from evoart.draw.shapes.ramp import SHORTEST


@njit(**COPIED)
def _most_points(start):
    most = 1
    for k in range(len(start) - 1):
        most = max(most, start[k + 1] - start[k])
    return most


@njit(**BARE)
def _reach(points, first, last, edges, radius, height, width):
    """First and past-last row that a shape may touch, none where it lies outside the picture; fills get their edges."""
    reach = radius + np.float32(1.0) if radius > 0 else np.float32(0.0)
    left, right, top, bottom = np.float32(1e9), np.float32(-1e9), np.float32(1e9), np.float32(-1e9)
    for i in range(first, last):
        left, right = min(left, points[i, 0]), max(right, points[i, 0])
        top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
    y0, y1 = max(0, int(np.floor(top - reach))), min(height, int(np.ceil(bottom + reach)))
    if right + reach <= 0 or left - reach >= width or y0 >= y1:
        return 0, 0
    edge_table(points, first, last, edges)
    return y0, y1


@njit(**BARE)
def _shares(ramp, y, lo, out):
    """The share of the second colour (see ``draw.shapes.ramp``) in pixels ``lo`` and on of row ``y``, to ``out``."""
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    across, down = ramp[3] - ramp[1], ramp[4] - ramp[2]
    inverse = one / max(across * across + down * down, np.float32(SHORTEST * SHORTEST))
    dy = np.float32(y) + half - ramp[2]
    for i in range(len(out)):
        dx = np.float32(lo + i) + half - ramp[1]
        t = np.sqrt((dx * dx + dy * dy) * inverse) if ramp[0] > 1 else (dx * across + dy * down) * inverse
        out[i] = min(max(t, zero), one)


@njit(**JIT)
def _paint(canvas, points, start, widths, rgba, strokes, ramps):
    most, width = _most_points(start), canvas.shape[2]
    edges, spans = floats(most, 5, np.float32(0.0)), integers(2, most + 1)
    acc, square = floats(1, width + 2, np.float32(0.0))[0], floats(1, width + 2, FAR)[0]
    nearest = integers(1, width + 2)[0]
    cover = floats(1, width + 2, np.float32(0.0))[0]
    mix = floats(1, width + 2 if ramps is not None else 1, np.float32(0.0))[0]
    _paint_by(edges, spans, acc, square, nearest, cover, mix, canvas, points, start, widths, rgba, strokes, ramps)


@njit(**BARE)
def _paint_by(edges, spans, acc, square, nearest, cover, mix, canvas, points, start, widths, rgba, strokes, ramps):
    # Hot loops run over slices from 0: Numba then knows that no index is negative, and makes vector code of them.
    planes, height, width = canvas.shape
    for k in range(len(rgba)):
        first, last, opacity, radius = start[k], start[k + 1], rgba[k, 3], widths[k] * np.float32(0.5)
        y0, y1 = _reach(points, first, last, edges, radius, height, width)
        for y in range(y0, y1):
            if strokes is not None and radius > 0:
                lo, hi = cover_stroke(points, first, last, radius, y, width, square, nearest, cover)
            else:
                lo, hi = cover_fill(edges, last - first, y, width, acc, spans, cover)
            line = cover[: hi - lo]
            if ramps is not None and ramps[k, 0] > 0:
                share, fading = mix[: len(line)], ramps[k, 8] - opacity
                _shares(ramps[k], y, lo, share)
                for i in range(len(line)):
                    line[i] = min(abs(line[i]), np.float32(1.0)) * (opacity + share[i] * fading)
                for c in range(planes):
                    colour = rgba[k, c] if c < 3 else np.float32(1.0)
                    change = ramps[k, 5 + c] - colour if c < 3 else np.float32(0.0)
                    row = canvas[c, y, lo:hi]
                    for i in range(len(row)):
                        row[i] += line[i] * (colour + share[i] * change - row[i])
                continue
            for i in range(len(line)):
                line[i] = min(abs(line[i]), np.float32(1.0)) * opacity
            for c in range(planes):
                colour = rgba[k, c] if c < 3 else np.float32(1.0)
                row = canvas[c, y, lo:hi]
                for i in range(len(row)):
                    row[i] += line[i] * (colour - row[i])


def paint(
    canvas: np.ndarray,
    points: np.ndarray,
    start: np.ndarray,
    widths: np.ndarray,
    rgba: np.ndarray,
    ramps: np.ndarray | None = None,
) -> None:
    """Draw shapes over a canvas ``(3 or 4, rows, width)``; points ``(m, 2)`` are in pixels of this band.

    A fourth plane is opacity, and colours are then premultiplied. ``ramps`` are those of ``Layout.ramps``, in pixels of
    this band too; None where no shape has two colours.
    """
    _paint(canvas, points, start, widths, rgba, strokes_or_none(widths), ramps)


def in_band(ramps: np.ndarray | None, first: int) -> np.ndarray | None:
    """Ramps ``(k, COLUMNS)`` float32 of the whole picture as those of a band of rows from ``first`` on."""
    if ramps is None:
        return None
    moved = np.array(ramps, np.float32)
    moved[:, [2, 4]] -= np.float32(first)
    return moved


def strokes_or_none(widths: np.ndarray) -> bool | None:
    """The last argument of kernels: None where all shapes are filled, so that no code for strokes is compiled."""
    return True if widths.any() else None


@njit(**JIT)
def record_size(points, start, widths, height, width):
    """What ``paint_recorded`` will have to store, rounded up: pixels and rows."""
    pixels, rows = 0, 0
    for k in range(len(widths)):
        left, right, top, bottom = np.float32(1e9), np.float32(-1e9), np.float32(1e9), np.float32(-1e9)
        for i in range(start[k], start[k + 1]):
            left, right = min(left, points[i, 0]), max(right, points[i, 0])
            top, bottom = min(top, points[i, 1]), max(bottom, points[i, 1])
        reach = widths[k] * np.float32(0.5) + 2
        w = min(right + reach, np.float32(width)) - max(left - reach, np.float32(0.0))
        h = min(bottom + reach, np.float32(height)) - max(top - reach, np.float32(0.0))
        if w > 0 and h > 0:
            pixels += (int(w) + 3) * (int(h) + 3)
            rows += int(h) + 3
    return pixels, rows


def _paint_recorded(canvas, points, start, widths, rgba, record, rows, owner, strokes, ramps):
    """As ``paint`` on three planes, and remember for every touched pixel its signed coverage and the colour underneath.

    They go to ``record`` ``(4, .)``, coverage first. ``rows`` ``(., 4)`` int32 gets one entry per shape and row: y,
    first pixel, past-last pixel, offset into ``record``; shape ``k`` owns entries ``owner[k]:owner[k + 1]``. Sizes come
    from ``record_size``. Returns False, the canvas half painted, where there is no room for another row.
    """
    most, width = _most_points(start), canvas.shape[2]
    edges, spans = floats(most, 5, np.float32(0.0)), integers(2, most + 1)
    acc, square = floats(1, width + 2, np.float32(0.0))[0], floats(1, width + 2, FAR)[0]
    nearest = integers(1, width + 2)[0]
    mix = floats(1, width + 2 if ramps is not None else 1, np.float32(0.0))[0]
    return _record(
        edges,
        spans,
        acc,
        square,
        nearest,
        mix,
        canvas,
        points,
        start,
        widths,
        rgba,
        record,
        rows,
        owner,
        strokes,
        ramps,
    )


@njit(**BARE)
def _record(
    edges, spans, acc, square, nearest, mix, canvas, points, start, widths, rgba, record, rows, owner, strokes, ramps
):
    _, height, width = canvas.shape
    at, entry, cover = 0, 0, record[0]
    for k in range(len(rgba)):
        owner[k] = entry
        first, last, opacity, radius = start[k], start[k + 1], rgba[k, 3], widths[k] * np.float32(0.5)
        y0, y1 = _reach(points, first, last, edges, radius, height, width)
        for y in range(y0, y1):
            if entry == len(rows) or at + width >= len(cover):
                return False
            if strokes is not None and radius > 0:
                lo, hi = cover_stroke(points, first, last, radius, y, width, square, nearest, cover[at:])
            else:
                lo, hi = cover_fill(edges, last - first, y, width, acc, spans, cover[at:])
            if lo >= hi:
                continue
            rows[entry, 0], rows[entry, 1], rows[entry, 2], rows[entry, 3] = y, lo, hi, at
            entry += 1
            signed = cover[at : at + hi - lo]
            if ramps is not None and ramps[k, 0] > 0:
                share, fading = mix[: len(signed)], ramps[k, 8] - opacity
                _shares(ramps[k], y, lo, share)
                for c in range(3):
                    row, colour, under = canvas[c, y, lo:hi], rgba[k, c], record[1 + c, at : at + hi - lo]
                    change = ramps[k, 5 + c] - colour
                    for i in range(len(row)):
                        u = min(abs(signed[i]), np.float32(1.0)) * (opacity + share[i] * fading)
                        under[i] = row[i]
                        row[i] += u * (colour + share[i] * change - row[i])
                at += hi - lo
                continue
            for c in range(3):
                row, colour, under = canvas[c, y, lo:hi], rgba[k, c], record[1 + c, at : at + hi - lo]
                for i in range(len(row)):
                    u = min(abs(signed[i]), np.float32(1.0)) * opacity
                    under[i] = row[i]
                    row[i] += u * (colour - row[i])
            at += hi - lo
    owner[len(rgba)] = entry
    return True


@njit(**BARE)
def _edges_backward(edges_points, first, last, y, width, lo, hi, g, grad):
    """Add to ``grad`` the derivative of the areas in row ``y`` by a polygon's points, weighted by ``g``."""
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    above, below = np.float32(y), np.float32(y + 1)
    for i in range(first, last):
        j = i + 1 if i + 1 < last else first
        x0, y0, y1 = edges_points[i, 0], edges_points[i, 1], edges_points[j, 1]
        if max(y0, y1) < above or min(y0, y1) >= below:
            continue
        dx, dy = edges_points[j, 0] - x0, y1 - y0
        # the part of the edge inside this row, as a range of its parameter t in [0, 1]
        ta, tb = zero, one
        if dy != zero:
            inverse = one / dy
            ta, tb = (above - y0) * inverse, (below - y0) * inverse
            if ta > tb:
                ta, tb = tb, ta
            ta, tb = max(ta, zero), min(tb, one)
        if ta >= tb:
            continue
        xa, xb = x0 + ta * dx, x0 + tb * dx
        left, right = max(int(np.floor(min(xa, xb))), lo), min(int(np.floor(max(xa, xb))), hi - 1)
        s0, s1 = zero, zero  # sums of g over the edge's parameter, and of g t
        if left == right:
            a, b, near = ta, tb, np.float32(left)
            if (min(xa, xb) < near or max(xa, xb) > near + one) and dx != zero:
                inverse = one / dx
                p, q = (near - x0) * inverse, (near + one - x0) * inverse
                a, b = max(ta, min(p, q)), min(tb, max(p, q))
            if b > a:
                s0 = g[left] * (b - a)
                s1 = s0 * half * (a + b)
        elif right > left:
            inverse = one / dx
            for x in range(left, right + 1):
                p = (np.float32(x) - x0) * inverse
                q = p + inverse
                a, b = max(ta, min(p, q)), min(tb, max(p, q))
                if b > a:
                    m = g[x] * (b - a)
                    s0 += m
                    s1 += m * half * (a + b)
        s0 -= s1
        grad[i, 0] -= s0 * dy
        grad[i, 1] += s0 * dx
        grad[j, 0] -= s1 * dy
        grad[j, 1] += s1 * dx


@njit(**BARE)
def _stroke_backward(points, first, last, radius, y, width, square, nearest, g, grad):
    """Add to ``grad`` the derivative of row ``y`` by a stroke's points, weighted by ``g``; return its radius'."""
    lo, hi = stroke_row(points, first, last, radius, y, width, square, nearest)
    half, by_radius = np.float32(0.5), np.float32(0.0)
    for x in range(lo, hi):
        d = np.sqrt(square[x])
        inner = np.float32(1.0) if abs(d + radius) < half else np.float32(0.0)
        outer = np.float32(1.0) if abs(d - radius) < half else np.float32(0.0)
        if square[x] < FAR and (inner > 0 or outer > 0):
            by_radius += g[x] * (inner + outer)
            if d > np.float32(1e-4):
                i = nearest[x]
                x0, y0 = points[i, 0], points[i, 1]
                dx, dy = points[i + 1, 0] - x0, points[i + 1, 1] - y0
                px, py = np.float32(x) + half - x0, np.float32(y) + half - y0
                length = dx * dx + dy * dy
                t = (px * dx + py * dy) / length if length > np.float32(1e-12) else np.float32(0.0)
                t = min(max(t, np.float32(0.0)), np.float32(1.0))
                f = g[x] * (inner - outer) / d
                fx, fy = f * (px - t * dx), f * (py - t * dy)
                grad[i, 0] -= (np.float32(1.0) - t) * fx
                grad[i, 1] -= (np.float32(1.0) - t) * fy
                grad[i + 1, 0] -= t * fx
                grad[i + 1, 1] -= t * fy
        square[x] = FAR
    return by_radius


@njit(**BARE)
def _ramp_backward(ramp, colours, y, lo, signed, share, adjoint, under, light, by_cover, by_paint, by_ramp):
    """What ``_backward`` does with one row of a shape of two colours, but for the outline: see there.

    Args:
        ramp: ``(COLUMNS,)``; colours: its shape's rgba.
        share: a buffer, as long as ``signed``.
        adjoint, under, light: of this row, ``(3, .)``, ``(3, .)`` and ``(.,)``.
        by_ramp: ``(COLUMNS - 1,)``; added to.
    """
    one, zero, half = np.float32(1.0), np.float32(0.0), np.float32(0.5)
    _shares(ramp, y, lo, share)
    across, down, opacity, fading = ramp[3] - ramp[1], ramp[4] - ramp[2], colours[3], ramp[8] - colours[3]
    squared = max(across * across + down * down, np.float32(SHORTEST * SHORTEST))
    total, along_x, along_y, weighted = zero, zero, zero, zero  # sums over pixels of d loss / d t, and with positions
    for i in range(len(signed)):
        s, t = signed[i], share[i]
        cover = min(abs(s), one)
        alpha = opacity + t * fading
        u, q, slope, distance = cover * alpha, zero, zero, zero
        for c in range(3):
            change = ramp[5 + c] - colours[c]
            d = colours[c] + t * change - under[c, i]
            q += adjoint[c, i] * d
            distance += d * d
            slope += adjoint[c, i] * change
            by_paint[c] += u * (one - t) * adjoint[c, i]
            by_ramp[4 + c] += u * t * adjoint[c, i]
        by_paint[3] += cover * (one - t) * q
        by_ramp[7] += cover * t * q
        through = light[i] * u
        by_paint[5] += through * through * distance - u * q
        inside = alpha if abs(s) <= np.float32(FULL) else zero
        by_cover[i] = q * (inside if s >= 0 else -inside)
        if zero < t < one:
            by_share = u * slope + cover * fading * q
            dx, dy = np.float32(lo + i) + half - ramp[1], np.float32(y) + half - ramp[2]
            if ramp[0] > 1:
                by_length = by_share / max(np.sqrt(dx * dx + dy * dy), np.float32(1e-6))
                along_x += by_length * dx
                along_y += by_length * dy
            else:
                along_x += by_share * dx
                along_y += by_share * dy
            total += by_share
            weighted += by_share * t
        keep = one - u
        for c in range(3):
            adjoint[c, i] *= keep
        light[i] *= keep
    if ramp[0] > 1:  # t is the distance from the first point, over that between the two
        length = np.sqrt(squared)
        by_ramp[0] += weighted * across / squared - along_x / length
        by_ramp[1] += weighted * down / squared - along_y / length
        by_ramp[2] -= weighted * across / squared
        by_ramp[3] -= weighted * down / squared
    else:
        by_ramp[0] += (2 * weighted * across - total * across - along_x) / squared
        by_ramp[1] += (2 * weighted * down - total * down - along_y) / squared
        by_ramp[2] += (along_x - 2 * weighted * across) / squared
        by_ramp[3] += (along_y - 2 * weighted * down) / squared


def _backward(
    adjoint, through, points, start, widths, rgba, record, rows, owner, by_points, by_paint, strokes, ramps, by_ramps,
    weigh,
):  # fmt: skip
    """Backward pass of ``paint_recorded``: from d loss / d canvas to points, widths and rgba.

    Args:
        adjoint: ``(3, rows, width)`` d loss / d canvas; overwritten.
        through: ``(rows, width)`` square root of each pixel's share in the loss; overwritten.
        by_points: ``(m, 2)``; added to.
        by_paint: ``(k, 6)``: by red, green, blue, opacity and a stroke's width, and by how much the loss would change
            without the shape, exactly for squared error; added to. (Without shape k the picture changes by
            d = -T u (colour - below), T what the shapes above let through.)
        weigh: False leaves that out: the last column of ``by_paint`` is of no use then, and ``through`` is not read
            for shapes of one colour.
        ramps, by_ramps: those of ``paint_recorded``, and ``(k, COLUMNS - 1)``, added to; or None.
    """
    width = adjoint.shape[2]
    g, square = floats(1, width + 2, np.float32(0.0))[0], floats(1, width + 2, FAR)[0]
    nearest = integers(1, width + 2)[0]
    mix = floats(1, width + 2 if ramps is not None else 1, np.float32(0.0))[0]
    _backward_by(
        g, square, nearest, mix, adjoint, through, points, start, widths, rgba, record, rows, owner, by_points,
        by_paint, strokes, ramps, by_ramps, weigh,
    )  # fmt: skip


@njit(**BARE)
def _backward_by(
    g, square, nearest, mix, adjoint, through, points, start, widths, rgba, record, rows, owner, by_points, by_paint,
    strokes, ramps, by_ramps, weigh,
):  # fmt: skip
    width = adjoint.shape[2]
    one, zero = np.float32(1.0), np.float32(0.0)
    for k in range(len(rgba) - 1, -1, -1):
        first, last, opacity = start[k], start[k + 1], rgba[k, 3]
        r, gr, b = rgba[k, 0], rgba[k, 1], rgba[k, 2]
        sa, s0, s1, s2, gone = zero, zero, zero, zero, zero
        for entry in range(owner[k], owner[k + 1]):
            y, lo, hi, at = np.int64(rows[entry, 0]), np.int64(rows[entry, 1]), np.int64(rows[entry, 2]), rows[entry, 3]
            if ramps is not None and ramps[k, 0] > 0:
                _ramp_backward(
                    ramps[k], rgba[k], y, lo, record[0, at : at + hi - lo], mix[lo:hi], adjoint[:, y, lo:hi],
                    record[1:, at : at + hi - lo], through[y, lo:hi], g[lo:hi], by_paint[k], by_ramps[k],
                )  # fmt: skip
                _edges_backward(points, first, last, y, width, lo, hi, g, by_points)
                continue
            a0, a1, a2 = adjoint[0, y, lo:hi], adjoint[1, y, lo:hi], adjoint[2, y, lo:hi]
            b0, b1, b2 = record[1, at : at + hi - lo], record[2, at : at + hi - lo], record[3, at : at + hi - lo]
            signed, by_cover = record[0, at : at + hi - lo], g[lo:hi]
            for i in range(len(signed)):
                s = signed[i]
                c = min(abs(s), one)
                d0, d1, d2 = r - b0[i], gr - b1[i], b - b2[i]
                q = a0[i] * d0 + a1[i] * d1 + a2[i] * d2
                sa += c * q
                s0 += c * a0[i]
                s1 += c * a1[i]
                s2 += c * a2[i]
                inside = opacity if abs(s) <= np.float32(FULL) else zero
                by_cover[i] = q * (inside if s >= zero else -inside)
            for p in range(3):
                row = adjoint[p, y, lo:hi]
                for i in range(len(row)):
                    row[i] *= one - min(abs(signed[i]), one) * opacity
            if weigh:
                light = through[y, lo:hi]
                for i in range(len(light)):
                    u = min(abs(signed[i]), one) * opacity
                    t, d0, d1, d2 = light[i] * u, r - b0[i], gr - b1[i], b - b2[i]
                    gone += t * t * (d0 * d0 + d1 * d1 + d2 * d2)
                    light[i] *= one - u
            if strokes is not None and widths[k] > 0:
                radius = widths[k] * np.float32(0.5)
                by_paint[k, 4] += np.float32(0.5) * _stroke_backward(
                    points, first, last, radius, y, width, square, nearest, g, by_points
                )
            else:
                _edges_backward(points, first, last, y, width, lo, hi, g, by_points)
        by_paint[k, 0] += s0 * opacity
        by_paint[k, 1] += s1 * opacity
        by_paint[k, 2] += s2 * opacity
        by_paint[k, 3] += sa
        by_paint[k, 5] += gone - sa * opacity


@njit(**JIT)
def squared_error(canvas, target, share, adjoint):
    """Weighted squared error of a band ``(3, rows, width)`` and its derivative, written to ``adjoint``."""
    _, height, width = canvas.shape
    total = 0.0
    for y in range(height):
        part = np.float32(0.0)
        for c in range(3):
            for x in range(width):
                d = canvas[c, y, x] - target[c, y, x]
                part += share[y, x] * d * d
                adjoint[c, y, x] = np.float32(2.0) * share[y, x] * d
        total += part
    return total


@njit(**JIT)
def squared_error_tiles(canvas, target, share, grid):
    """Add the weighted squared error of a whole canvas ``(3, h, w)`` to ``grid`` ``(rows, columns)``, by tile."""
    _, height, width = canvas.shape
    rows, columns = grid.shape
    for y in range(height):
        into = grid[y * rows // height]
        for column in range(columns):
            # pixel x belongs to tile x * columns // width
            first, last = -(-column * width // columns), -(-(column + 1) * width // columns)
            part = np.float32(0.0)
            for c in range(3):
                for x in range(first, last):
                    d = canvas[c, y, x] - target[c, y, x]
                    part += share[y, x] * d * d
            into[column] += part


# Once for Python, and once for kernels that contain it.
paint_recorded, paint_recorded_inside = njit(**JIT)(_paint_recorded), njit(**INNER)(_paint_recorded)
backward, backward_inside = njit(**JIT)(_backward), njit(**INNER)(_backward)
