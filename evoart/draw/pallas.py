"""A whole picture in a GPU's registers: one Pallas program draws a block of pixels and hands on what was asked for.

The coverage is the one of ``draw/dense.py``, term by term. What differs is where things are. A program owns a block of
``COLUMNS x ROWS`` pixels of one candidate: its canvas lives in registers, shapes whose box does not touch the block are
never looked at, and what is written is one number (the block's loss), a few rows of sums, or the finished pixels.

Pictures are kept transposed, ``(3, width, height)``, and padded to whole blocks; ``draw/kernel.py`` says why, and what
happens within a block. Here is what is prepared for it, and what becomes of its answers.

On a CPU the same program runs in Pallas' interpret mode: slowly, for tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from evoart.draw.dense import DETAIL, Decoder
from evoart.draw.kernel import (
    COLUMNS,
    EDGE,
    PAINT,
    ROWS,
    WORD,
    Judge,
    Kernel,
    write_columns,
    write_pixels,
    write_sum,
)
from evoart.draw.layout import detail_for, layout, pixels_per_unit
from evoart.errors import UsageError
from evoart.types import Array

MARGIN = 0.01  # pixels that a box may be wrong by


class PallasRaster:
    """Draws genomes of one form at one size. Arguments as ``draw.dense.DenseRaster``, and

    interpret: run the kernels as ordinary JAX, for a machine without a GPU.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        decode: Decoder,
        height: int,
        width: int,
        extent: tuple[float, float],
        interpret: bool,
    ) -> None:
        self.decode, self.height, self.width, self.interpret = decode, height, width, interpret
        self._scale = pixels_per_unit((width, height), extent)
        self._layout = layout(tuple(kinds), min(detail_for(max(height, width)), DETAIL))
        if self._layout.ramped is not None:
            raise UsageError("the pallas kernels draw no shapes of two colours", "Use --engine dense")
        self.across, self.down = -(-width // COLUMNS), -(-height // ROWS)  # blocks
        counts = np.diff(self._layout.start)
        self._kernel = Kernel(self._layout.start, self._layout.filled)
        # The point after each one, around the shape; outlines padded to one length, for their boxes.
        start, of = self._layout.start, np.repeat(np.arange(len(counts)), counts)
        place = np.arange(start[-1]) - start[of]
        self._next = start[of] + (place + 1) % np.maximum(counts[of], 1)
        self._of_filled = self._layout.filled[of]
        steps = np.minimum(np.arange(max(counts, default=0)), np.maximum(counts, 1)[:, None] - 1)
        self._gather = start[:-1, None] + steps

    @property
    def numbers(self) -> tuple[int, int]:
        """Numbers of 4 bytes per candidate: of the tables, and of what is written at most (a picture)."""
        points, shapes = int(self._layout.start[-1]), len(self._layout.kinds)
        words = -(-max(shapes, 1) // WORD)
        tables = points * (EDGE + 6) + shapes * (PAINT + 8) + words * (self.across + self.down) * (WORD + 1)
        return tables, 3 * self.across * COLUMNS * self.down * ROWS

    def target(self, image: Array, share: Array) -> tuple[Array, Array]:
        """An image ``(h, w, 3)`` and the pixels' shares ``(h, w)`` in the loss, as the kernels read them."""
        wide, high = self.across * COLUMNS - self.width, self.down * ROWS - self.height
        planes = jnp.pad(jnp.transpose(image, (2, 1, 0)), ((0, 0), (0, wide), (0, high)))
        return planes, jnp.pad(jnp.transpose(share), ((0, wide), (0, high)))

    def losses(self, genomes: Array, background: Array, target: tuple[Array, Array], judge: Judge) -> Array:
        """Losses ``(n,)`` of genomes ``(n, dim)`` on ``background`` ``(3,)``: each block writes one number."""
        blocks = self.across * self.down
        out = ((blocks,), (None, None), lambda i, t: (i, t))
        return self._run(genomes, background, target, out, partial(write_sum, judge)).sum(-1)

    def tile_losses(
        self, genomes: Array, background: Array, target: tuple[Array, Array], judge: Judge, tiles: int
    ) -> Array:
        """Losses ``(n, tiles, tiles)`` by tile: pixel ``(y, x)`` counts in ``(y * tiles // h, x * tiles // w)``.

        A block sums its pixels along x, apart for each column of tiles that it meets; the rest is two thin products
        with matrices of zeros and ones.
        """
        first = np.arange(self.across) * COLUMNS * tiles // self.width
        last = (np.minimum((np.arange(self.across) + 1) * COLUMNS, self.width) - 1) * tiles // self.width
        most = int((last - first).max()) + 1
        high = self.down * ROWS
        out = (
            (self.across, most, high),
            (None, None, most, ROWS),
            lambda i, t: (i, t // self.down, 0, t % self.down),
        )
        sums = self._run(genomes, background, target, out, partial(write_columns, judge, most, tiles, self.width))
        column = (first[:, None] + np.arange(most)).ravel()
        by_column = (np.arange(tiles)[:, None] == column).astype(np.float32)
        by_row = (np.arange(tiles)[:, None] == np.arange(self.height) * tiles // self.height).astype(np.float32)
        sums = sums.reshape(len(genomes), self.across * most, high)[..., : self.height]
        # An accelerator's fast low precision would spoil exact differences of tiles.
        return jnp.einsum("yh,nch,xc->nyx", by_row, sums, by_column, precision="highest")

    def images(self, genomes: Array, background: Array) -> Array:
        """Pictures ``(n, h, w, 3)`` sRGB of genomes ``(n, dim)`` on ``background`` ``(3,)``."""
        wide, high = self.across * COLUMNS, self.down * ROWS
        out = (
            (3, wide, high),
            (None, 3, COLUMNS, ROWS),
            lambda i, t: (i, 0, t // self.down, t % self.down),
        )
        planes = self._run(genomes, background, (), out, write_pixels)
        return jnp.transpose(planes[..., : self.width, : self.height], (0, 3, 2, 1))

    def _run(self, genomes: Array, background: Array, target: tuple[Array, ...], out: tuple, write: Callable) -> Array:
        tables = self._tables(genomes)
        pictures = [jnp.asarray(each)[None] for each in (background, *target)]
        return _batched(partial(self._call, out=out, write=write), len(tables))(*tables, *pictures)

    def _tables(self, genomes: Array) -> tuple[Array, ...]:
        """What the kernels read of each candidate: edges, paint, and which blocks each shape touches."""
        geometry, rgba = self.decode(jnp, genomes)
        points, widths = self._layout.outlines(jnp, geometry, self._scale)
        n = len(genomes)
        if not self._layout.kinds:
            points, widths, rgba = jnp.zeros((n, 1, 2)), jnp.zeros((n, 1)), jnp.zeros((n, 1, 4))
            nothing = jnp.zeros((n, 1, 1), jnp.int32)
            empty = jnp.zeros((n, 1, EDGE)), jnp.zeros((n, 1, PAINT))
            return *empty, nothing.repeat(self.across, 1), nothing.repeat(self.down, 1)
        half = widths / 2
        outlines = points[:, self._gather]
        reach = jnp.where(self._layout.filled, MARGIN, half + 0.5 + MARGIN)[..., None]
        low, high = outlines.min(2) - reach, outlines.max(2) + reach
        columns = _touching(low[..., 0], high[..., 0], self.across, COLUMNS)
        rows = _touching(low[..., 1], high[..., 1], self.down, ROWS)
        paint = jnp.concatenate([rgba, half[..., None]], -1)
        return self._edges(points), paint, columns, rows

    def _edges(self, points: Array) -> Array:
        """``(n, m, EDGE)``: the edge (or segment) from each point to the next."""
        following = points[:, self._next]
        along = following - points
        level = jnp.abs(along[..., 1]) < 1e-9
        slope = jnp.where(level, 0.0, along[..., 0] / jnp.where(level, 1.0, along[..., 1]))
        edge = jnp.stack([points[..., 0], points[..., 1], following[..., 1], slope, jnp.zeros_like(slope)], -1)
        if self._of_filled.all():
            return edge
        squared = (along**2).sum(-1)
        inverse = jnp.where(squared > 1e-12, 1 / jnp.where(squared > 1e-12, squared, 1.0), 0.0)
        segment = jnp.concatenate([points, along, inverse[..., None]], -1)
        return jnp.where(self._of_filled[:, None], edge, segment)

    def _call(self, *arrays: Array, out: tuple, write: Callable) -> Array:
        """Over candidates ``(n, ...)`` and pictures ``(p, ...)``: candidate ``i`` has picture ``i * p // n``."""
        edges, paint, columns, rows, *pictures = arrays
        n, words = len(edges), rows.shape[-1]
        shape, block, index = out
        specs = [
            pl.BlockSpec((None, *edges.shape[1:]), lambda i, t: (i, 0, 0)),
            pl.BlockSpec((None, *paint.shape[1:]), lambda i, t: (i, 0, 0)),
            pl.BlockSpec((None, None, words), lambda i, t: (i, t // self.down, 0)),
            pl.BlockSpec((None, None, words), lambda i, t: (i, t % self.down, 0)),
        ]
        each = n // len(pictures[0])
        specs.append(pl.BlockSpec((None, 3), lambda i, t: (i // each, 0)))
        if len(pictures) > 1:
            specs += [
                pl.BlockSpec((None, 3, COLUMNS, ROWS), lambda i, t: (i // each, 0, t // self.down, t % self.down)),
                pl.BlockSpec((None, COLUMNS, ROWS), lambda i, t: (i // each, t // self.down, t % self.down)),
            ]
        constants = self._kernel.constants()
        specs += [pl.BlockSpec(c.shape, lambda i, t: (0,)) for c in constants]
        return pl.pallas_call(
            partial(self._kernel, words, self.down, write, len(pictures)),
            out_shape=jax.ShapeDtypeStruct((n, *shape), jnp.float32),
            grid=(n, self.across * self.down),
            in_specs=specs,
            out_specs=pl.BlockSpec(block, index),
            interpret=self.interpret,
            compiler_params=triton.CompilerParams(num_warps=1, num_stages=1),
        )(*arrays, *constants)


def _touching(low: Array, high: Array, blocks: int, size: int) -> Array:
    """``(n, blocks, words)`` int32: bit ``j`` of word ``w`` says that shape ``32 w + j`` reaches the block.

    low, high: ``(n, k)`` extent of the shapes in pixels along the axis that is cut into ``blocks`` of ``size`` pixels.
    """
    begin = (np.arange(blocks) * size).astype(np.float32)[:, None]
    touches = (low[:, None] < begin + size) & (high[:, None] >= begin)
    padded = jnp.pad(touches, ((0, 0), (0, 0), (0, -touches.shape[-1] % WORD)))
    bits = jnp.left_shift(jnp.int32(1), jnp.arange(WORD, dtype=jnp.int32))
    return jnp.where(padded.reshape(*padded.shape[:-1], -1, WORD), bits, 0).sum(-1, dtype=jnp.int32)


def _batched(call: Callable, candidates: int) -> Callable:
    """``call``, whose first ``candidates`` arguments are ``(n, ...)`` and the others ``(pictures, ...)``, so that
    ``vmap`` over it lengthens these axes: the kernel's grid has no room for further ones."""

    @custom_vmap
    def run(*arrays: Array) -> Array:
        return call(*arrays)

    @run.def_vmap
    def rule(size: int, batched: list[bool], *arrays: Array) -> tuple[Array, bool]:
        whole = [a if has else jnp.broadcast_to(a, (size, *a.shape)) for a, has in zip(arrays, batched, strict=True)]
        out = run(*(a.reshape(-1, *a.shape[2:]) for a in whole))
        return out.reshape(size, -1, *out.shape[1:]), True

    return run
