"""Boxes on a tile grid: which may move together, and what happened inside each."""

from __future__ import annotations

import numpy as np

from evoart.compiled import njit

ROUNDING = 0.01  # pixels that a box may be wrong by


def tile_boxes(boxes: np.ndarray, height: int, width: int, tiles: int) -> np.ndarray:
    """Tile ranges ``(..., 4)`` int32 row0, row1, column0, column1 (ends included) that boxes may change.

    Args:
        boxes: ``(..., 4)`` x0, y0, x1, y1 as shares of the picture's width and height.
        height, width: picture in pixels.
        tiles: tiles per side.
    """
    out = np.empty(boxes.shape, np.int32)
    # Soft edges stay within the pixels a box touches. Boxes beyond the picture fall on its border tiles.
    for column, side, extent, slack in ((0, 1, height, -1), (1, 3, height, 1), (2, 0, width, -1), (3, 2, width, 1)):
        place = np.floor(boxes[..., side] * extent + slack * ROUNDING)
        out[..., column] = np.clip(place, 0, extent - 1).astype(np.int64) * tiles // extent
    return out


def union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The tile ranges ``(..., 4)`` that hold both ``a`` and ``b``."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    out = high.copy()
    out[..., 0], out[..., 2] = low[..., 0], low[..., 2]
    return out


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


def inside(grids: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Sums ``(n, k)`` float64 of grids ``(n, tiles, tiles)`` over tile ranges ``(n, k, 4)``."""
    n, rows, columns = grids.shape
    table = np.zeros((n, rows + 1, columns + 1))
    table[:, 1:, 1:] = grids.cumsum(1, dtype=np.float64).cumsum(2)
    top, bottom, left, right = np.moveaxis(reach, -1, 0)
    at = np.arange(n)[:, None]
    return (
        table[at, bottom + 1, right + 1]
        - table[at, top, right + 1]
        - table[at, bottom + 1, left]
        + table[at, top, left]
    )
