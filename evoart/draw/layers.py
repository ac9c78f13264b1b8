"""Layers of filled outlines and strokes, many at once, in JAX, with a gradient that costs little more than drawing.

The coverage of a filled outline is the exact area of each pixel; its derivative by a corner is an integral along the
two edges that meet there (T.-M. Li et al., "Differentiable Monte Carlo Ray Tracing through Edge Sampling", 2018), taken
here at points along them a pixel or so apart: work in proportion to the outline and not to the picture.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.dense import stroke_coverage, winding_area
from evoart.types import Array

CAP = 0.999  # of coverage times opacity: what lies below a layer can then be told from the picture
BLOCK = 64  # layers whose sums are one product of matrices
ONCE = 1.0001  # areas up to here are "inside once": rounding, not overlap


@partial(jax.custom_vjp, nondiff_argnums=(1, 2))
def fill(points: Array, height: int, width: int) -> Array:
    """Covered share ``(height, width)`` of every pixel by a closed polygon ``(v, 2)`` in pixels, nonzero rule."""
    return jnp.minimum(jnp.abs(winding_area(points, height, width)), 1)


def _fill_forward(points: Array, height: int, width: int) -> tuple[Array, tuple[Array, Array]]:
    area = winding_area(points, height, width)
    return jnp.minimum(jnp.abs(area), 1), (points, area)


def _fill_backward(height: int, width: int, kept: tuple[Array, Array], by_cover: Array) -> tuple[Array]:
    points, area = kept
    by_area = jnp.where(jnp.abs(area) < ONCE, by_cover * jnp.sign(area), 0.0)
    samples = max(height, width)
    share = (jnp.arange(samples) + 0.5) / samples
    along = jnp.roll(points, -1, 0) - points
    at = points[:, None] + share[:, None] * along[:, None]
    x, y = (jnp.floor(at[..., i]).astype(jnp.int32) for i in (0, 1))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    value = by_area[jnp.clip(y, 0, height - 1), jnp.clip(x, 0, width - 1)]
    value = jnp.where(inside, value, 0.0) / samples
    # An edge that moves by (dx, dy) sweeps the area dy * run - dx * rise.
    sweep = jnp.stack([-along[:, 1], along[:, 0]], -1)
    near, far = ((value * part).sum(1)[:, None] * sweep for part in (1 - share, share))
    return (near + jnp.roll(far, 1, 0),)


fill.defvjp(_fill_forward, _fill_backward)


def cover(points: Array, widths: Array, filled: tuple[bool, ...], member: Array, height: int, width: int) -> Array:
    """Covered shares ``(k, height, width)``.

    Args:
        points: outlines ``(k, v, 2)`` in pixels, filled up by repeating the last point.
        widths: of strokes, ``(k,)`` in pixels.
        filled: of each kind; where they are alike, the other sort is not drawn.
        member: the kind of each, ``(k,)``.
    """
    fills = strokes = None
    if any(filled):
        fills = jax.vmap(lambda outline: fill(outline, height, width))(points)
    if not all(filled):
        draw = jax.checkpoint(lambda outline, wide: stroke_coverage(outline, wide, height, width))
        strokes = jax.vmap(draw)(points, widths)
    if fills is None or strokes is None:
        return strokes if fills is None else fills
    return jnp.where(jnp.asarray(filled)[member][:, None, None], fills, strokes)


def sums_above(layers: Array) -> Array:
    """Of ``(k, ...)``, the sum over all layers above each, the last being on top: products of matrices, in which every
    layer and pixel is worked on at once."""
    k, rest = layers.shape[0], layers.shape[1:]
    size, blocks = min(BLOCK, k), -(-k // BLOCK)
    parts = jnp.pad(layers.reshape(k, -1), ((0, size * blocks - k), (0, 0))).reshape(blocks, size, -1)
    product = partial(jnp.einsum, precision="highest")
    inner = product("ij,bjp->bip", np.triu(np.ones((size, size), np.float32), 1), parts)
    if blocks > 1:
        outer = product("ab,bp->ap", np.triu(np.ones((blocks, blocks), np.float32), 1), parts.sum(1))
        inner = inner + outer[:, None]
    return inner.reshape(size * blocks, -1)[:k].reshape(k, *rest)


def transmitted(shares: Array) -> Array:
    """What the layers above each of ``(k, ...)``, none above ``CAP``, let through."""
    return jnp.exp(sums_above(jnp.log1p(-shares)))


@jax.custom_vjp
def composite(shares: Array, colours: Array, background: Array) -> Array:
    """The picture ``(h, w, 3)`` of layers on ``background`` ``(3,)``, differentiable by the layers.

    Args:
        shares: opacity times coverage ``(k, h, w)``, taken as ``CAP`` at most.
        colours: ``(k, 3)``.
    """
    return _composite_forward(shares, colours, background)[0]


def _composite_forward(shares: Array, colours: Array, background: Array) -> tuple[Array, tuple]:
    shares = jnp.minimum(shares, CAP)
    through = transmitted(shares)
    seen = through * shares
    picture = jnp.einsum("khw,kc->hwc", seen, colours, precision="highest")
    picture = picture + (through[0] * (1 - shares[0]))[..., None] * background
    return picture, (shares, through, seen, colours, background, picture)


def _composite_backward(kept: tuple, by_picture: Array) -> tuple[Array, Array, Array]:
    shares, through, seen, colours, background, picture = kept
    # Along the gradient a colour is one number, so what lies below each layer is needed in one channel only.
    along = jnp.einsum("hwc,kc->khw", by_picture, colours, precision="highest")
    below = (picture * by_picture).sum(-1) - sums_above(seen * along) - seen * along
    by_shares = through * along - below / (1 - shares)
    return by_shares, jnp.einsum("khw,hwc->kc", seen, by_picture, precision="highest"), jnp.zeros_like(background)


composite.defvjp(_composite_forward, _composite_backward)


@jax.custom_vjp
def composite_in_turn(shares: Array, colours: Array, background: Array) -> Array:
    """As ``composite``, layer after layer: for a processor of few lanes, which this takes half the time."""
    return _in_turn_forward(shares, colours, background)[0]


def _in_turn_forward(shares: Array, colours: Array, background: Array) -> tuple[Array, tuple]:
    shares = jnp.minimum(shares, CAP)

    def step(picture: Array, layer: tuple[Array, Array]) -> tuple[Array, Array]:
        share, colour = layer
        return picture + share * (colour[:, None, None] - picture), picture

    start = jnp.broadcast_to(background[:, None, None], (3, *shares.shape[1:]))
    picture, below = jax.lax.scan(step, start, (shares, colours))
    return picture.transpose(1, 2, 0), (shares, colours, below)


def _in_turn_backward(kept: tuple, by_picture: Array) -> tuple[Array, Array, Array]:
    shares, colours, below = kept

    def step(slope: Array, layer: tuple[Array, Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        share, colour, under = layer
        by_share = (slope * (colour[:, None, None] - under)).sum(0)
        return slope * (1 - share), (by_share, (slope * share).sum((1, 2)))

    _, (by_shares, by_colours) = jax.lax.scan(
        step, by_picture.transpose(2, 0, 1), (shares, colours, below), reverse=True
    )
    return by_shares, by_colours, jnp.zeros(3, by_picture.dtype)


composite_in_turn.defvjp(_in_turn_forward, _in_turn_backward)
