"""What one program of the Pallas kernels does: paint the shapes that touch its block of pixels, and write the answer.

The last axis of a block runs *down* the picture. A GPU's 32 lanes are then 32 rows of pixels, each lane holding a run
of ``COLUMNS`` pixels of its row, so that all that depends on the row alone is computed once per lane. Triton knows no
arrays but those whose sides are powers of two, and no gather from registers: edges are read from memory one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import pallas as pl

from evoart.draw.dense import FLAT
from evoart.types import Array

COLUMNS, ROWS = 16, 32  # pixels of a block: a run per lane, and the lanes of a warp
WORD = 32  # shapes whose touching a block is told by one integer
UNROLLED = 6  # edges that are written out one after another instead of looped over
EDGE = (
    5  # numbers per edge: x, y, y of the next point, slope; or of a stroke's segment x, y, along x, along y, 1/length^2
)
PAINT = 5  # numbers per shape: red, green, blue, opacity, half the stroke's width

Planes = tuple[Array, Array, Array]
Judge = Callable[[Planes, Planes], Array]  # colour planes of a block, the target's there: loss per pixel


class Kernel:
    """What one program does: paint the shapes that touch its block, in order, then ``write``."""

    def __init__(self, start: np.ndarray, filled: np.ndarray) -> None:
        counts = np.diff(start)
        self.edges = int(counts[0]) if len(set(counts.tolist())) == 1 else None  # per shape, where all have as many
        self.filled = bool(filled[0]) if len(set(filled.tolist())) == 1 else None  # where all are alike
        self.start = start.astype(np.int32)
        self.is_filled = np.append(filled, True).astype(np.int32)

    def constants(self) -> list[Array]:
        """Arrays that are the same for every candidate: only needed where shapes differ from one another."""
        return (
            [jnp.asarray(self.start), jnp.asarray(self.is_filled)] if self.edges is None or self.filled is None else []
        )

    def __call__(self, words: int, down: int, write: Callable, pictures: int, *refs: Any) -> None:
        edges, paint, columns, rows, *rest = refs
        colours, *target = rest[:pictures]
        out = rest[-1]
        start, is_filled = rest[pictures:-1] or (self.start, self.is_filled)  # constants are read by programs only
        block = pl.program_id(1)
        # Corners of the pixels, x and y; every array that follows is (COLUMNS, ROWS), one that goes with x or y alone
        # has a side of 1.
        x = (jax.lax.broadcasted_iota(jnp.int32, (COLUMNS, 1), 0) + block // down * COLUMNS).astype(jnp.float32)
        y = (jax.lax.broadcasted_iota(jnp.int32, (1, ROWS), 1) + block % down * ROWS).astype(jnp.float32)

        def cover(shape: Array) -> Array:
            begin = shape * self.edges if self.edges is not None else start[shape]
            count = self.edges if self.edges is not None else start[shape + 1] - begin
            half = None if self.filled else paint[shape, 4]
            branches = (
                lambda: _filled(edges, begin, count, x, y),
                lambda: _stroke(edges, begin, count - 1, half, x, y),
            )
            if self.filled is not None:
                return branches[0 if self.filled else 1]()
            return jax.lax.cond(is_filled[shape] != 0, *branches)

        def over(shape: Array, canvas: Planes) -> Planes:
            share = cover(shape) * paint[shape, 3]
            return tuple(plane + share * (paint[shape, c] - plane) for c, plane in enumerate(canvas))

        def word(w: Array, canvas: Planes) -> Planes:
            def lowest(carry: tuple) -> tuple:
                alive, canvas = carry
                shape = w * WORD + jax.lax.population_count((alive & -alive) - 1)
                return alive & (alive - 1), over(shape, canvas)

            touching = rows[w] & columns[w]
            return jax.lax.while_loop(lambda carry: carry[0] != 0, lowest, (touching, canvas))[1]

        background = tuple(jnp.full((COLUMNS, ROWS), colours[c], jnp.float32) for c in range(3))
        write(jax.lax.fori_loop(0, words, word, background), target, out, x)


def _loop(count: Any, begin: Array, step: Callable[[Array, Array], Array], value: Array) -> Array:
    """``step(edge, value)`` for ``count`` edges from ``begin`` on."""
    if isinstance(count, int) and count <= UNROLLED:
        for edge in range(count):
            value = step(begin + edge, value)
        return value
    return jax.lax.fori_loop(begin, begin + count, step, value)


def _filled(edges: Any, begin: Array, count: Any, x: Array, y: Array) -> Array:
    """Covered share of the pixels by a closed polygon; see ``draw.dense.filled_coverage``."""

    def add(edge: Array, area: Array) -> Array:
        xa, ya, yb, slope = (edges[edge, i] for i in range(4))
        y0, y1 = jnp.clip(ya, y, y + 1), jnp.clip(yb, y, y + 1)
        x0, x1 = xa + (y0 - ya) * slope, xa + (y1 - ya) * slope
        middle, half = (x0 + x1) / 2, jnp.maximum(jnp.abs(x0 - x1) / 2, FLAT)
        low, before, inverse, dy = middle - half, 1 - (middle + half), 0.5 / half, y1 - y0
        # From here on per pixel, and a clip costs nothing: the GPU's adder and multiplier saturate.
        beyond = x - low
        c0, c1, past = jnp.clip(x + before, 0, 1), jnp.clip(beyond + 1, 0, 1), jnp.clip(beyond * inverse, 0, 1)
        return area + dy * ((c1 - c0) * (c1 + c0) * (0.5 * inverse) + past)

    area = _loop(count, begin, add, jnp.zeros((COLUMNS, ROWS), jnp.float32))
    return jnp.minimum(jnp.abs(area), 1)


def _stroke(edges: Any, begin: Array, count: Any, half: Array, x: Array, y: Array) -> Array:
    """Covered share of the pixels by a round-capped polyline; see ``draw.dense.stroke_coverage``."""

    def nearer(edge: Array, nearest: Array) -> Array:
        x0, y0, ax, ay, inverse = (edges[edge, i] for i in range(5))
        dx, dy = x + 0.5 - x0, y + 0.5 - y0
        t = jnp.clip((dx * ax + dy * ay) * inverse, 0, 1)
        return jnp.minimum(nearest, (dx - t * ax) ** 2 + (dy - t * ay) ** 2)

    distance = jnp.sqrt(_loop(count, begin, nearer, jnp.full((COLUMNS, ROWS), 1e12, jnp.float32)))
    return jnp.clip(distance + half + 0.5, 0, 1) - jnp.clip(distance - half + 0.5, 0, 1)


# What a program writes of its block's canvas.


def _error(judge: Judge, canvas: Planes, target: Sequence[Any]) -> Array:
    image, share = target
    return judge(canvas, (image[0], image[1], image[2])) * share[...]


def write_sum(judge: Judge, canvas: Planes, target: Sequence[Any], out: Any, x: Array) -> None:
    """The loss of the block, one number."""
    out[...] = jnp.sum(_error(judge, canvas, target))


def write_columns(
    judge: Judge, most: int, tiles: int, width: int, canvas: Planes, target: Sequence[Any], out: Any, x: Array
) -> None:
    """The losses of the block by column of tiles (``most`` at most) and row of pixels, ``(most, ROWS)``."""
    error = _error(judge, canvas, target)
    column = x.astype(jnp.int32) * tiles // width
    first = (pl.program_id(1) // (pl.num_programs(1) // -(-width // COLUMNS))) * COLUMNS * tiles // width
    for i in range(most):
        out[i] = jnp.sum(jnp.where(column == first + i, error, 0.0), 0)


def write_pixels(canvas: Planes, target: Sequence[Any], out: Any, x: Array) -> None:
    """The pixels of the block, ``(3, COLUMNS, ROWS)``."""
    for c, plane in enumerate(canvas):
        out[c] = plane
