"""All shapes of one picture at once, in JAX: for a device where a loop over shapes costs more than their pixels.

Coverage of every shape on every pixel lies in memory, ``(shapes, rows, width)``, for a band of rows at a time. Layers
are composited from above by products of what lies over them (T. Porter and T. Duff, "Compositing Digital Images",
1984), and gradients follow in closed form: of all layers in a few passes, with no loop over them.

Kinds of shapes come in as numbers, so that one program serves a search that changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.dense import filled_coverage, stroke_coverage
from evoart.types import Array

Outline = tuple[int, bool]  # points, and whether they are filled


class Stack:
    """Composites shapes of given classes of outlines at one size.

    Args:
        classes: the outlines that may occur.
        height, width: picture in pixels.
        shapes: most shapes; fewer are filled up with invisible ones.
        room: numbers in one array of the work, which decides how many rows a band has.
    """

    def __init__(self, classes: Sequence[Outline], height: int, width: int, shapes: int, room: int) -> None:
        self.classes, self.height, self.width = list(classes), height, width
        self.most = max(count for count, _ in self.classes)  # points of an outline
        self.room = room
        self.rows = int(np.clip(room // (max(shapes, 1) * width), 1, height))
        self.bands = -(-height // self.rows)

    def coverage(self, points: Array, widths: Array, members: Array, first: Array | int, rows: int) -> Array:
        """``(k, rows, width)`` covered shares from row ``first`` on.

        Args:
            points: outlines ``(k, most, 2)`` in pixels, filled up at the end.
            widths: of strokes, ``(k,)`` in pixels.
            members: which of ``classes`` each is, ``(k,)``.
        """
        shifted = points - jnp.stack([jnp.zeros_like(first, points.dtype), jnp.asarray(first, points.dtype)])

        def branch(count: int, filled: bool) -> Callable[[Array, Array], Array]:
            if filled:
                return lambda outline, _: filled_coverage(outline[:count], rows, self.width)
            return lambda outline, wide: stroke_coverage(outline[:count], wide, rows, self.width)

        branches = [branch(*each) for each in self.classes]
        if len(branches) == 1:
            return jax.vmap(branches[0])(shifted, widths)
        return jax.vmap(lambda member, *shape: jax.lax.switch(member, branches, *shape))(members, shifted, widths)

    def each_band(self, work: Callable[[Array], Array], start: Array) -> Array:
        """``start`` and the sum of ``work(first row)`` over all bands; the last may reach below the picture."""
        if self.bands == 1:
            return start + work(jnp.int32(0))

        def step(total: Array, first: Array) -> tuple[Array, None]:
            return total + jax.checkpoint(work)(first), None

        return jax.lax.scan(step, start, jnp.arange(self.bands, dtype=jnp.int32) * self.rows)[0]

    def band(self, plane: Array, first: Array) -> Array:
        """Rows ``first`` and on of ``(height, width, ...)``, zeros below the picture."""
        more = ((0, self.bands * self.rows - self.height), *((0, 0),) * (plane.ndim - 1))
        return jax.lax.dynamic_slice_in_dim(jnp.pad(plane, more), first, self.rows)


def transmitted(cover: Array) -> Array:
    """What the layers above each of ``(k, ...)`` let through, the last being on top."""
    through = jax.lax.cumprod(1 - cover, axis=0, reverse=True)
    return jnp.concatenate([through[1:], jnp.ones_like(through[:1])])


def below(cover: Array, colours: Array, background: Array) -> Array:
    """The picture below each layer ``(k, ...)``, in one channel.

    Args:
        cover: opacity times coverage ``(k, ...)``.
        colours: of the layers in this channel, broadcast to ``cover``.
        background: below all of them, ``(...)``.
    """

    def after(one: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
        return other[0] * one[0], other[0] * one[1] + other[1]

    through, added = jax.lax.associative_scan(after, (1 - cover, cover * colours))
    return jnp.concatenate([background[None], (through * background + added)[:-1]])


Mix = tuple[Array, Array] | None  # a share of a second colour ``(k, ...)``, and that less the first ``(k, 3)``


@jax.custom_vjp
def over(cover: Array, colours: Array, background: Array, mix: Mix = None) -> Array:
    """The picture ``(..., 3)`` of layers on ``background`` ``(3,)``, differentiable by the layers.

    Args:
        cover: opacity times coverage ``(k, ...)``.
        colours: ``(k, 3)``.
        mix: how much of which second colour is in them; None: they have one.
    """
    through = transmitted(cover)
    seen = through * cover
    layers = jnp.einsum("k...,kc->...c", seen, colours, precision="highest")
    if mix is not None:
        layers = layers + jnp.einsum("k...,kc->...c", seen * mix[0], mix[1], precision="highest")
    return layers + (through[0] * (1 - cover[0]))[..., None] * background


def _forward(cover: Array, colours: Array, background: Array, mix: Mix = None) -> tuple[Array, tuple]:
    return over(cover, colours, background, mix), (cover, colours, background, mix)


def _backward(kept: tuple, by_image: Array) -> tuple[Array, Array, Array, Mix]:
    cover, colours, background, mix = kept
    through = transmitted(cover)
    seen = through * cover
    # Along the gradient a colour is one number, so the picture below each layer is needed in one channel only.
    along, by_mix = jnp.einsum("...c,kc->k...", by_image, colours, precision="highest"), None
    if mix is not None:
        change = jnp.einsum("...c,kc->k...", by_image, mix[1], precision="highest")
        by_change = jnp.einsum("k...,...c->kc", seen * mix[0], by_image, precision="highest")
        along, by_mix = along + mix[0] * change, (seen * change, by_change)
    by_cover = through * (along - below(cover, along, by_image @ background))
    by_colours = jnp.einsum("k...,...c->kc", seen, by_image, precision="highest")
    return by_cover, by_colours, jnp.zeros_like(background), by_mix


over.defvjp(_forward, _backward)
