"""The order of a pen's strokes: nearest next, then better by turning runs of strokes around (2-opt, Croes 1958)."""

from __future__ import annotations

import numpy as np

from evoart.compiled import njit

NEAR = 8  # ends near an end that are tried as its neighbours
ROUNDS = 40  # over all strokes, at most
STEPS = 3e9  # moves of a stroke in the order, at most


@njit(cache=True, nogil=True)
def _cells(points, cell, wide):
    """Linked lists of the points in every cell of a grid: first of each cell, next of each point, the one before."""
    most = 0
    place = np.empty(len(points), np.int64)
    for i in range(len(points)):
        place[i] = int(points[i, 1] / cell) * wide + int(points[i, 0] / cell)
        most = max(most, place[i])
    head = np.full(most + wide + 2, -1, np.int64)
    after, before = np.full(len(points), -1, np.int64), np.full(len(points), -1, np.int64)
    for i in range(len(points)):
        after[i] = head[place[i]]
        if after[i] >= 0:
            before[after[i]] = i
        head[place[i]] = i
    return place, head, after, before


@njit(cache=True, nogil=True)
def _greedy(points, x, y, cell, wide, high):
    """Ends of strokes in the order drawn: end ``2 s`` or ``2 s + 1`` at which each stroke begins."""
    place, head, after, before = _cells(points, cell, wide)
    count = len(points) // 2
    order = np.empty(count, np.int64)
    for k in range(count):
        best, found = np.inf, -1
        cx, cy = int(x / cell), int(y / cell)
        reach = 0
        while reach <= max(wide, high):
            if found >= 0 and best <= (reach - 1) * cell:
                break
            for gy in range(max(cy - reach, 0), min(cy + reach, high - 1) + 1):
                whole = gy == cy - reach or gy == cy + reach
                step = 1 if whole or reach == 0 else 2 * reach
                for gx in range(cx - reach, cx + reach + 1, step):
                    spot = gy * wide + gx
                    if gx < 0 or gx >= wide or spot >= len(head):
                        continue
                    i = head[spot]
                    while i >= 0:
                        away = np.hypot(points[i, 0] - x, points[i, 1] - y)
                        if away < best or (away == best and i < found):
                            best, found = away, i
                        i = after[i]
            reach += 1
        order[k] = found
        x, y = points[found ^ 1]
        for i in (found, found ^ 1):
            if before[i] >= 0:
                after[before[i]] = after[i]
            else:
                head[place[i]] = after[i]
            if after[i] >= 0:
                before[after[i]] = before[i]
    return order


def _neighbours(points):
    """The ``NEAR`` nearest ends of other strokes for every end, ``(n, NEAR)``, -1 where there are fewer."""
    from scipy.spatial import KDTree

    found = KDTree(points).query(points, k=NEAR + 2)[1]
    none = (found == len(points)) | (found >> 1 == np.arange(len(points))[:, None] >> 1)
    nearest = np.argsort(none, axis=1, kind="stable")[:, :NEAR]
    return np.take_along_axis(np.where(none, -1, found), nearest, axis=1)


@njit(cache=True, nogil=True)
def _gap(points, i, j):
    return 0.0 if i < 0 or j < 0 else np.hypot(points[i, 0] - points[j, 0], points[i, 1] - points[j, 1])


@njit(cache=True, nogil=True)
def _improve(points, order, near, start):
    """Turn runs of strokes around as long as that shortens the way; ``start`` is the index of a point of its own."""
    count = len(order)
    where = np.empty(count, np.int64)
    for k in range(count):
        where[order[k] >> 1] = k
    moved = 0.0
    for _ in range(ROUNDS):
        better = False
        for here in range(2 * count):
            # ``here`` is an end; the jump at it leads from ``a`` (the pen comes up) to ``b`` (it goes down).
            for k in range(NEAR):
                there = near[here, k]
                if there < 0:
                    break
                p, q = where[here >> 1], where[there >> 1]
                begins, other = order[p] == here, order[q] == there
                if begins != other or p == q:
                    continue  # an end where one stroke begins and another ends: joined by turning neither
                if begins:  # both are beginnings: turn what lies between, from the earlier one on
                    first, last = min(p, q), max(p, q) - 1
                else:
                    first, last = min(p, q) + 1, max(p, q)
                a = order[first - 1] ^ 1 if first > 0 else start
                b, c = order[first], order[last] ^ 1
                d = order[last + 1] if last + 1 < count else -1
                gain = _gap(points, a, b) + _gap(points, c, d) - _gap(points, a, c) - _gap(points, b, d)
                if gain <= 1e-9:
                    continue
                i, j = first, last
                while i < j:
                    order[i], order[j] = order[j] ^ 1, order[i] ^ 1
                    where[order[i] >> 1], where[order[j] >> 1] = i, j
                    i += 1
                    j -= 1
                if i == j:
                    order[i] ^= 1
                moved += last - first + 1
                better = True
        if not better or moved > STEPS:
            break
    return order


def order_strokes(strokes: list[np.ndarray], start: tuple[float, float]) -> list[np.ndarray]:
    """Strokes ``(k, 2)`` in an order, and each in a direction, in which a pen travels little from ``start`` on."""
    if not strokes:
        return []
    ends = np.array([[stroke[0], stroke[-1]] for stroke in strokes], float).reshape(-1, 2)
    low = np.minimum(ends.min(0), start)
    points = np.vstack([ends, [start]]) - low
    extent = points.max(0)
    cell = max(float(np.sqrt((extent[0] + 1) * (extent[1] + 1) / len(strokes))), float(extent.max()) / 2000, 1e-3)
    wide, high = (int(side / cell) + 1 for side in extent)
    order = _greedy(points[:-1], points[-1, 0], points[-1, 1], cell, wide, high)
    order = _improve(points, order, _neighbours(points[:-1]), len(ends))
    return [strokes[end >> 1][:: -1 if end & 1 else 1] for end in order.tolist()]
