"""The canvas of the growing search on a device: the methods of ``engine.placement`` as JAX programs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.compositing import Mix, Stack, below, over, transmitted
from evoart.draw.gains import STATISTICS, best_paint
from evoart.draw.layout import Layout, layout
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import COLUMNS, MARK, shares
from evoart.draw.traced import background_colour
from evoart.engine import memory
from evoart.engine.jax_setup import setup
from evoart.engine.placement import FAINTEST, PlacementCanvas
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target, loss_map, psnr
from evoart.types import Array

Shapes = tuple[Array, Array, Array, Array, Array | None]  # points, widths, rgba, classes, ramps
ROUND = 64  # candidates are filled up to multiples of this, so that few programs serve all numbers of them
LAYERS = 64  # arrays of one number per shape and pixel that a gradient may need at a time


class PlacementCanvasJax(PlacementCanvas):
    """See ``PlacementCanvas``; kinds and shapes must be among ``kinds``, and no more than ``groups``.

    Outlines and their derivatives are made on the host, where they cost little; what is of the size of the picture
    stays on the device.
    """

    def __init__(self, form: ShapesForm, target: Target, kinds: tuple[str, ...], groups: int) -> None:
        super().__init__(form, target)
        setup()
        outlines = {name: (shape(name).points(self._detail), shape(name).filled) for name in kinds}
        self._groups = groups
        self._ramped = any(MARK in name for name in kinds)
        room = memory.numbers_within(LAYERS)
        self._stack = Stack(sorted(set(outlines.values())), self.height, self.width, groups, room)
        self._member = {name: self._stack.classes.index(outline) for name, outline in outlines.items()}
        self._inputs = jax.device_put((target.image, target.weight, background_colour(form.background)))
        self._loss = jax.jit(jax.value_and_grad(self._loss_traced, argnums=(0, 1, 2, 4)))
        self._evaluate = jax.jit(self._evaluate_traced)
        self._lost = jax.jit(self._removal_traced)
        self._paint = jax.jit(self._paint_traced)
        self._statistics = jax.jit(self._statistics_traced, static_argnames="member")
        self._shown: Array = None  # the picture that new shapes are placed on

    def gradient(self, kinds: tuple[str, ...], rows: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Loss and gradient ``(k, dim_per_group)`` of shapes; no removal costs, which ``removal`` tells."""
        plan, where, shapes = self._outlined(kinds, rows)
        loss, (by_points, by_widths, by_rgba, by_ramps) = jax.device_get(self._loss(*shapes, *self._inputs))
        k = len(kinds)
        geometry, _ = self.form.with_kinds(kinds).decode(np, rows.ravel())
        by_ramps = None if by_ramps is None else by_ramps[:k, 1:]
        by_geometry = plan.vjp(geometry, self.scale, by_points[where], by_widths[:k], by_ramps)
        return float(loss), np.concatenate([by_geometry, by_rgba[:k]], 1), np.zeros(0, np.float32)

    def removal(self, kinds: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
        """By how much the squared error would rise without each shape ``(k,)``."""
        return np.asarray(self._lost(*self._outlined(kinds, rows)[2], *self._inputs))[: len(kinds)]

    def evaluate(self, kinds: tuple[str, ...], rows: np.ndarray) -> tuple[float, float]:
        """Loss and PSNR (dB) of shapes ``(k, dim_per_group)``."""
        loss, squared = np.asarray(self._evaluate(*self._outlined(kinds, rows)[2], *self._inputs))
        return float(loss), psnr(float(squared))

    def open(self, kinds: tuple[str, ...], rows: np.ndarray) -> None:
        """Draw these shapes: what follows is placed on top of them."""
        self._shown, error = self._paint(*self._outlined(kinds, rows)[2], *self._inputs)
        self._error = np.cumsum(self.within(np.asarray(error)).ravel(), dtype=np.float64)

    def planes(self) -> np.ndarray:
        """The picture so far, ``(3, h, w)``."""
        return np.asarray(self._shown).transpose(2, 0, 1)

    def paint(self, kind: str, row: np.ndarray) -> None:
        """Draw one more shape ``(dim_per_group,)`` on top."""
        one = self._outlined((kind,), row[None], groups=1)[2]
        self._shown, error = self._paint(*one, *self._inputs[:2], self._shown)
        self._error = np.cumsum(self.within(np.asarray(error)).ravel(), dtype=np.float64)

    def polish(self, kinds: tuple[str, ...], adam: Any, steps: int) -> bool:
        """Nothing: a device is asked for one gradient at a time."""
        return False

    def evolve(self, kind: str, *evolution: Any) -> None:
        """Nothing: a device judges one generation at a time."""

    def _gains(self, kind: str, geometry: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, plan = len(geometry), layout((kind,), self._detail)
        p = np.zeros((-(-n // ROUND) * ROUND, 1, len(shape(kind).parameters)), np.float32)
        p[:n] = self.form.widen(np, (kind,), geometry[:, None, : p.shape[-1]])
        points, widths = plan.outlines(np, p, self.scale)
        sums = self._statistics(
            points.astype(np.float32), widths[:, 0].astype(np.float32), self._shown, *self._inputs[:2],
            member=self._member[kind],
        )  # fmt: skip
        rgba, gains = np.empty((n, 4), np.float32), np.empty(n, np.float32)
        low, high = np.float32(max(self.form.opacity[0], FAINTEST)), np.float32(self.form.opacity[1])
        best_paint(np.array(sums[:n]), n, low, high, self._palette, rgba, gains)
        return gains, rgba

    # On the host.

    def _outlined(
        self, kinds: tuple[str, ...], rows: np.ndarray, groups: int | None = None
    ) -> tuple[Layout, tuple[np.ndarray, np.ndarray], tuple[np.ndarray | None, ...]]:
        """The layout, where its points lie in the filled up outlines, and points, widths, rgba, classes and ramps of
        those."""
        groups, k = groups or self._groups, len(kinds)
        plan = layout(kinds, self._detail)
        geometry, rgba = self.form.with_kinds(kinds).decode(np, np.asarray(rows, np.float32).ravel())
        found, wide = plan.outlines(np, geometry, self.scale)
        owner = np.repeat(np.arange(k), np.diff(plan.start))
        where = owner, np.arange(len(owner)) - plan.start[owner]
        points = np.zeros((groups, self._stack.most, 2), np.float32)
        points[where] = found
        widths, colours = np.ones(groups, np.float32), np.zeros((groups, 4), np.float32)
        widths[:k], colours[:k] = wide, rgba
        members = np.zeros(groups, np.int32)
        members[:k] = [self._member[kind] for kind in kinds]
        ramps = np.zeros((groups, COLUMNS), np.float32) if self._ramped else None
        if ramps is not None and (found := plan.ramps(np, geometry, self.scale)) is not None:
            ramps[:k] = found
        return plan, where, (points, widths, colours, members, ramps)

    # On the device. Each takes the shapes' points, widths, rgba, classes and ramps, the target's image and weights, the
    # background.

    def _layers(self, shapes: Shapes, first: Array) -> tuple[Array, Mix]:
        """Opacity times coverage ``(k, rows, width)``, and the second colours in it."""
        points, widths, rgba, members, ramps = shapes
        cover = self._stack.coverage(points, widths, members, first, self._stack.rows)
        if ramps is None:
            return cover * rgba[:, 3, None, None], None
        x, y = jnp.arange(self.width) + 0.5, (first + jnp.arange(self._stack.rows))[:, None] + 0.5
        share = shares(jnp, ramps[:, None, None], x, y)
        change = jnp.where(ramps[:, :1] > 0, ramps[:, 5:] - rgba, 0.0)
        return cover * (rgba[:, 3, None, None] + share * change[:, 3, None, None]), (share, change[:, :3])

    def _target_band(self, image: Array, weight: Array, first: Array) -> Target:
        stack = self._stack
        share = stack.band(weight, first) * np.float32(stack.rows / self.height)
        return replace(self.target, image=stack.band(image, first), weight=share)

    def _loss_traced(
        self, points: Array, widths: Array, rgba: Array, members: Array, ramps: Array | None, image: Array,
        weight: Array, background: Array,
    ) -> Array:  # fmt: skip
        shapes = points, widths, rgba, members, ramps

        def band(first: Array) -> Array:
            cover, mix = self._layers(shapes, first)
            picture = over(cover, rgba[:, :3], background, mix)
            return loss_map(jnp, picture, self._target_band(image, weight, first)).sum()

        return self._stack.each_band(band, jnp.float32(0))

    def _evaluate_traced(
        self, points: Array, widths: Array, rgba: Array, members: Array, ramps: Array | None, image: Array,
        weight: Array, background: Array,
    ) -> Array:  # fmt: skip
        shapes = points, widths, rgba, members, ramps

        def band(first: Array) -> Array:
            cover, mix = self._layers(shapes, first)
            picture = over(cover, rgba[:, :3], background, mix)
            target = self._target_band(image, weight, first)
            squared = loss_map(jnp, picture, replace(target, loss="mse")).sum()
            return jnp.stack([loss_map(jnp, picture, target).sum(), squared])

        return self._stack.each_band(band, jnp.zeros(2))

    def _removal_traced(
        self, points: Array, widths: Array, rgba: Array, members: Array, ramps: Array | None, image: Array,
        weight: Array, background: Array,
    ) -> Array:  # fmt: skip
        shapes = points, widths, rgba, members, ramps

        def band(first: Array) -> Array:
            cover, mix = self._layers(shapes, first)
            target = self._target_band(image, weight, first)
            error = over(cover, rgba[:, :3], background, mix) - target.image
            through, rise = transmitted(cover) * cover, 0.0
            for c in range(3):
                colours = rgba[:, c, None, None]
                if mix is not None:
                    colours = colours + mix[0] * mix[1][:, c, None, None]
                under = below(cover, colours, jnp.broadcast_to(background[c], cover.shape[1:]))
                change = through * (under - colours)
                rise = rise + change * (change + 2 * error[..., c])
            return (rise * target.share).sum((1, 2))

        return self._stack.each_band(band, jnp.zeros(len(points)))

    def _paint_traced(
        self,
        points: Array,
        widths: Array,
        rgba: Array,
        members: Array,
        ramps: Array | None,
        image: Array,
        weight: Array,
        background: Array,
    ) -> tuple[Array, Array]:
        """The picture and its weighted squared error by pixel; ``background`` is a colour, or a picture to paint on."""
        stack, shapes = self._stack, (points, widths, rgba, members, ramps)
        canvas = jnp.broadcast_to(background, image.shape)
        firsts = jnp.arange(stack.bands, dtype=jnp.int32) * stack.rows

        def band(first: Array) -> Array:
            cover, mix = self._layers(shapes, first)
            return over(cover, rgba[:, :3], stack.band(canvas, first), mix)

        picture = jax.lax.map(band, firsts).reshape(-1, *image.shape[1:])[: self.height]
        return picture, ((image - picture) ** 2).sum(-1) * weight

    def _statistics_traced(
        self, points: Array, widths: Array, canvas: Array, image: Array, weight: Array, member: int
    ) -> Array:
        """The nine statistics ``(n, 9)`` of candidates; see ``draw.gains``."""
        stack, weight = self._stack, weight[..., None]
        error = weight * (image - canvas)
        once = jnp.concatenate([error, (error * canvas).sum(-1, keepdims=True)], -1)
        twice = jnp.concatenate([weight, weight * canvas, (weight * canvas**2).sum(-1, keepdims=True)], -1)

        def some(part: tuple[Array, Array]) -> Array:
            members = jnp.zeros(len(part[0]), jnp.int32)
            cover = one.coverage(*part, members, 0, self.height)
            product = partial(jnp.einsum, "nhw,hwm->nm", precision="highest")
            return jnp.concatenate([product(cover, once), product(cover**2, twice)], 1)

        one = Stack([stack.classes[member]], self.height, self.width, 1, stack.room)
        size = int(np.clip(stack.room // (self.height * self.width) // ROUND * ROUND, ROUND, 16 * ROUND))
        n = len(points)
        whole = n // size * size
        outlines = points[:whole].reshape(-1, size, *points.shape[1:])
        parts = jax.lax.map(some, (outlines, widths[:whole].reshape(-1, size))).reshape(whole, STATISTICS)
        return parts if whole == n else jnp.concatenate([parts, some((points[whole:], widths[whole:]))])
