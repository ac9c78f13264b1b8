"""Outlines in closed form and their vector-Jacobian products, compiled: what ``Layout`` does, without NumPy's overhead.

A shape without a closed form (its ``parametric`` is optional) is not drawn this way; see ``tables``.
"""

from __future__ import annotations

import numpy as np

from evoart.compiled import njit
from evoart.draw.layout import Layout
from evoart.draw.row_coverage import BARE
from evoart.draw.shapes import shape
from evoart.draw.shapes.base import SMALLEST

LEAST = np.float32(SMALLEST)


def tables(layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The closed forms of a layout's shapes, or None where one of them has none.

    Returns:
        table: ``(m, c)`` float32, the rows of all kinds' tables, one kind after another.
        first: ``(k,)`` int64, the first row of each shape's kind.
        columns: ``(k, 4)`` int64: the columns of width, height and angle (-1: none), and the number of control points,
            0 for frames.
    """
    rows: list[np.ndarray] = []
    known: dict[str, tuple[int, tuple[int, int, int, int]]] = {}
    used = 0
    for name in dict.fromkeys(layout.kinds):
        closed = getattr(shape(name), "parametric", None)
        if closed is None:
            return None
        form = closed(layout.detail)
        points = 0 if form.columns else form.table.shape[1]
        width, height, angle = form.columns or (0, 0, -1)
        known[name] = used, (width, height, angle, points)
        rows.append(form.table)
        used += len(form.table)
    wide = max((table.shape[1] for table in rows), default=2)
    table = np.zeros((max(used, 1), wide), np.float32)
    for name, form in zip(known, rows, strict=True):
        first = known[name][0]
        table[first : first + len(form), : form.shape[1]] = form
    first = np.array([known[name][0] for name in layout.kinds], np.int64)
    columns = np.array([known[name][1] for name in layout.kinds], np.int64).reshape(-1, 4)
    return table, first, columns


@njit(**BARE)
def outline(p, table, first, columns, begin, end, scale_x, scale_y, points):
    """Vertices ``points[begin:end]`` in pixels of one shape's geometry ``p``; arguments as ``tables`` gives them."""
    controls = columns[3]
    if controls > 0:
        for i in range(end - begin):
            x, y = np.float32(0.0), np.float32(0.0)
            for c in range(controls):
                weight = table[first + i, c]
                x += weight * p[2 * c]
                y += weight * p[2 * c + 1]
            points[begin + i, 0], points[begin + i, 1] = x * scale_x, y * scale_y
        return
    w, h = max(abs(p[columns[0]]), LEAST), max(abs(p[columns[1]]), LEAST)
    cosine, sine = np.float32(1.0), np.float32(0.0)
    if columns[2] >= 0:
        cosine, sine = np.cos(p[columns[2]]), np.sin(p[columns[2]])
    for i in range(end - begin):
        a, b = w * table[first + i, 0], h * table[first + i, 1]
        points[begin + i, 0] = (p[0] + a * cosine - b * sine) * scale_x
        points[begin + i, 1] = (p[1] + a * sine + b * cosine) * scale_y


@njit(**BARE)
def outline_vjp(p, table, first, columns, begin, end, scale_x, scale_y, by_points, by_p):
    """Add to ``by_p`` what ``outline`` makes of ``by_points[begin:end]``, the derivative of a loss by its vertices."""
    controls = columns[3]
    if controls > 0:
        for i in range(end - begin):
            gx, gy = by_points[begin + i, 0] * scale_x, by_points[begin + i, 1] * scale_y
            for c in range(controls):
                by_p[2 * c] += table[first + i, c] * gx
                by_p[2 * c + 1] += table[first + i, c] * gy
        return
    width, height = p[columns[0]], p[columns[1]]
    w, h = max(abs(width), LEAST), max(abs(height), LEAST)
    cosine, sine = np.float32(1.0), np.float32(0.0)
    if columns[2] >= 0:
        cosine, sine = np.cos(p[columns[2]]), np.sin(p[columns[2]])
    by_x, by_y, by_w, by_h, by_angle = (
        np.float32(0.0),
        np.float32(0.0),
        np.float32(0.0),
        np.float32(0.0),
        np.float32(0.0),
    )
    for i in range(end - begin):
        gx, gy = by_points[begin + i, 0] * scale_x, by_points[begin + i, 1] * scale_y
        a, b = table[first + i, 0], table[first + i, 1]
        along, across = gx * cosine + gy * sine, gy * cosine - gx * sine
        by_x += gx
        by_y += gy
        by_w += a * along
        by_h += b * across
        by_angle += w * a * across - h * b * along
    by_p[0] += by_x
    by_p[1] += by_y
    if abs(width) > LEAST:  # below it, the shape is drawn at its smallest whatever the number is
        by_p[columns[0]] += by_w if width > 0 else -by_w
    if abs(height) > LEAST:
        by_p[columns[1]] += by_h if height > 0 else -by_h
    if columns[2] >= 0:
        by_p[columns[2]] += by_angle
