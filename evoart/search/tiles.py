"""Boxes on a grid of tiles: conflict-free sets of them, and sums of losses inside each by a summed-area table."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.compiled import njit
from evoart.types import Array

ROUNDING = 0.01  # pixels that a box may be wrong by


def tile_boxes(boxes: Array, height: int, width: int, tiles: int, xp: Any = np) -> Array:
    """Tile ranges ``(..., 4)`` int32 row0, row1, column0, column1 (ends included) that boxes may change.

    Args:
        boxes: ``(..., 4)`` x0, y0, x1, y1 as shares of the picture's width and height.
        height, width: picture in pixels.
        tiles: tiles per side.
        xp: ``numpy`` or ``jax.numpy``.
    """
    # Soft edges stay within the pixels a box touches. Boxes beyond the picture fall on its border tiles.
    out = []
    for side, extent, slack in ((1, height, -1), (3, height, 1), (0, width, -1), (2, width, 1)):
        place = xp.floor(boxes[..., side] * np.float32(extent) + np.float32(slack * ROUNDING))
        out.append(xp.clip(place, 0, extent - 1).astype(np.int32) * np.int32(tiles) // np.int32(extent))
    return xp.stack(out, -1)


def union(a: Array, b: Array, xp: Any = np) -> Array:
    """The tile ranges ``(..., 4)`` that hold both ``a`` and ``b``."""
    return xp.where(np.array([True, False, True, False]), xp.minimum(a, b), xp.maximum(a, b))


def reach_matrix(xp: Any, boxes: Array, height: int, width: int, tiles: int) -> Array:
    """``(tiles * tiles, groups)`` float32 of 0 and 1: which tiles count for which group.

    Args:
        xp: ``numpy`` or ``jax.numpy``.
        boxes: of the groups, ``(groups, 4)`` x0, y0, x1, y1 as shares of the picture's width and height. One beyond
            the picture reaches the border, or its group would never come back.
        height, width: picture in pixels.
        tiles: tiles per side.
    """

    def touched(low: Array, high: Array, pixels: int) -> Array:
        """``(tiles, groups)`` bool: rows (or columns) of tiles between shares ``low`` and ``high`` of a side."""
        # One pixel more, for soft edges.
        first = xp.clip(xp.floor(low * pixels - 1), 0, pixels - 1) * tiles // pixels
        last = xp.clip(xp.floor(high * pixels + 1), 0, pixels - 1) * tiles // pixels
        tile = np.arange(tiles)[:, None]
        return (tile >= first) & (tile <= last)

    rows, columns = touched(boxes[:, 1], boxes[:, 3], height), touched(boxes[:, 0], boxes[:, 2], width)
    return (rows[:, None] & columns[None]).reshape(tiles * tiles, -1).astype(xp.float32)


@njit(cache=True, nogil=True)
def independent(order, reach, tiles):
    """Greedy independent sets: ``(n, k)`` bool, True for shapes whose tiles no earlier chosen shape of the row has.

    order ``(n, k)`` int: who is asked first; -1 is nobody. reach ``(n, k, 4)`` int32 tile ranges by shape.
    """
    n, k = order.shape
    chosen = np.zeros((n, reach.shape[1]), np.bool_)
    taken = np.empty((tiles, tiles), np.bool_)
    for i in range(n):
        taken[:] = False
        for j in range(k):
            shape = order[i, j]
            if shape < 0:
                continue
            top, bottom, left, right = reach[i, shape]
            free = True
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    if taken[y, x]:
                        free = False
                        break
                if not free:
                    break
            if free:
                taken[top : bottom + 1, left : right + 1] = True
                chosen[i, shape] = True
    return chosen


def inside(grids: Array, reach: Array, xp: Any = np) -> Array:
    """Sums ``(n, k)`` of grids ``(n, tiles, tiles)`` over tile ranges ``(n, k, 4)``; in float64 on NumPy."""
    table = xp.pad(grids.astype(np.float64 if xp is np else np.float32).cumsum(1).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    top, bottom, left, right = (reach[..., i] for i in range(4))
    at = np.arange(len(grids))[:, None]
    return (
        table[at, bottom + 1, right + 1]
        - table[at, top, right + 1]
        - table[at, bottom + 1, left]
        + table[at, top, left]
    )
