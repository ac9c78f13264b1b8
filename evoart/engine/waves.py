"""What ``search.waves`` asks of a picture at one resolution, as parts of a JAX program.

Shapes are rows of a genome ``(k, d)`` with the number of their kind ``(k,)``; from ``count`` on there are none yet.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.dense import DETAIL
from evoart.draw.gains import STATISTICS
from evoart.draw.layers import CAP, composite, composite_in_turn, cover, sums_above, transmitted
from evoart.draw.layout import detail_for, layout, pixels_per_unit
from evoart.draw.shapes import shape
from evoart.engine.dense import WORK
from evoart.engine.jax_setup import setup
from evoart.engine.placement import FAINTEST, NOTHING, UNLIKE
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target, loss_map
from evoart.types import Array

GRID = 6  # opacities that are tried for a new shape, twice
CHUNK = {"cpu": 2**19, "other": 2**26}  # pixels times candidates that are judged at a time

Inputs = tuple[Array, Array, Array]


class WaveCanvas:
    """Draws, judges and differentiates shapes of some kinds against a target.

    Args:
        form: ``form.kinds`` do not matter.
        target: the picture to come near.
        kinds: the kinds that shapes may be of.
        shapes: most shapes.

    Attributes:
        inputs: the target's picture and weights and the background's colour, which every method takes: so the program
            serves the next picture too.
        work: pixels times shapes.
        block_work: pixels times shapes that one program may draw, so that a user never waits long for it.
    """

    def __init__(self, form: ShapesForm, target: Target, kinds: tuple[str, ...], shapes: int) -> None:
        setup()
        self.form, self.target, self.kinds = form, target, kinds
        self.height, self.width = target.weight.shape
        self.inputs = (target.image, target.weight, np.asarray(form.background, np.float32))
        self.work = float(target.weight.size * max(shapes, 1))
        self._filled = tuple(shape(kind).filled for kind in kinds)
        self._scale = pixels_per_unit((self.width, self.height), (form.width, form.height))
        detail = min(detail_for(max(self.height, self.width)), DETAIL)
        self._layouts = [layout((kind,), detail) for kind in kinds]
        self._points = max(shape(kind).points(detail) for kind in kinds)
        cpu = jax.default_backend() == "cpu"
        self.block_work = WORK["cpu" if cpu else "other"]
        self._composite = composite_in_turn if cpu else composite
        self._chunk = CHUNK["cpu" if cpu else "other"]

    @property
    def key(self) -> tuple:
        """What of a canvas is part of a program: not the picture."""
        return (
            self.kinds,
            self.height,
            self.width,
            self.target.loss,
            self.target.matte,
            replace(self.form, background=None),
        )

    def _outlined(self, rows: Array, members: Array) -> tuple[Array, Array, Array]:
        """Points ``(k, v, 2)``, widths ``(k,)`` and rgba ``(k, 4)`` of rows ``(k, d)``."""
        points, widths, rgba = [], [], None
        for kind, plan in zip(self.kinds, self._layouts, strict=True):
            geometry, colours = self.form.with_kinds((kind,)).decode(jnp, rows)
            outline, width = plan.outlines(jnp, geometry, self._scale)
            more = self._points - outline.shape[1]
            points.append(jnp.concatenate([outline, jnp.repeat(outline[:, -1:], more, 1)], 1) if more else outline)
            widths.append(width[:, 0])
            rgba = colours[:, 0]
        if len(points) == 1:
            return points[0], widths[0], rgba
        pick = partial(jnp.take_along_axis, axis=0)
        return (
            pick(jnp.stack(points), members[None, :, None, None])[0],
            pick(jnp.stack(widths), members[None])[0],
            rgba,
        )

    def _cover(self, rows: Array, members: Array) -> tuple[Array, Array]:
        """Covered shares ``(k, h, w)`` and rgba ``(k, 4)``."""
        points, widths, rgba = self._outlined(rows, members)
        return cover(points, widths, self._filled, members, self.height, self.width), rgba

    def _shares(self, rows: Array, members: Array, count: Array) -> tuple[Array, Array]:
        """Opacity times coverage ``(k, h, w)`` and colours ``(k, 3)``."""
        covered, rgba = self._cover(rows, members)
        opacity = jnp.where(jnp.arange(len(rows)) < count, rgba[:, 3], 0.0)
        return covered * opacity[:, None, None], rgba[:, :3]

    def _target(self, inputs: Inputs) -> Target:
        return replace(self.target, image=inputs[0], weight=inputs[1])

    def picture(self, rows: Array, members: Array, count: Array, inputs: Inputs) -> Array:
        """``(h, w, 3)``."""
        return self._composite(*self._shares(rows, members, count), inputs[2])

    def loss(self, rows: Array, members: Array, count: Array, inputs: Inputs) -> Array:
        """Differentiable by ``rows``."""
        return loss_map(jnp, self.picture(rows, members, count, inputs), self._target(inputs)).sum()

    def losses(self, rows: Array, members: Array, count: Array, inputs: Inputs) -> Array:
        """Loss and PSNR in dB ``(2,)``."""
        picture, target = self.picture(rows, members, count, inputs), self._target(inputs)
        loss, squared = (loss_map(jnp, picture, each).sum() for each in (target, replace(target, loss="mse")))
        return jnp.stack([loss, -10 * jnp.log10(jnp.maximum(squared, 1e-10))])

    def removal(self, rows: Array, members: Array, count: Array, inputs: Inputs) -> Array:
        """By how much the squared error would rise without each shape ``(k,)``."""
        shares, colours = self._shares(rows, members, count)
        shares, target = jnp.minimum(shares, CAP), self._target(inputs)
        through = transmitted(shares)
        picture = self._composite(shares, colours, inputs[2])
        rise = 0.0
        for c in range(3):
            part = through * shares * colours[:, c, None, None]
            below = (picture[..., c] - sums_above(part) - part) / (1 - shares)  # times what lets it be seen
            change = shares * below - part
            rise = rise + change * (change + 2 * (picture[..., c] - target.image[..., c]))
        return (rise * target.share).sum((1, 2))

    # Growing, on a picture ``(h, w, 3)``.

    def error(self, picture: Array, inputs: Inputs) -> Array:
        """Weighted squared error of every pixel ``(h, w)``."""
        return ((inputs[0] - picture) ** 2).sum(-1) * inputs[1]

    def places(self, random: Array, picture: Array, inputs: Inputs) -> Array:
        """Random positions ``(n, 2)`` in units, from uniform numbers ``(n, 3)``: a place is as likely as its squared
        error."""
        total = jnp.cumsum(self.error(picture, inputs).ravel())
        at = jnp.searchsorted(total, random[:, 0] * total[-1]).clip(0, total.size - 1)
        return (jnp.stack([at % self.width, at // self.width], -1) + random[:, 1:]) / self._scale.astype(np.float32)

    def gains(self, rows: Array, members: Array, picture: Array, inputs: Inputs) -> tuple[Array, Array]:
        """What each of shapes ``(n, d)`` on top would gain (fall of the squared error) ``(n,)``, and its rgba."""
        planes = self._planes(picture, inputs)
        size = int(np.clip(self._chunk // (self.height * self.width), 1, len(rows)))
        short = -len(rows) % size
        rows, members = (jnp.concatenate([each, each[:short]]) for each in (rows, members))
        parts = rows.reshape(-1, size, rows.shape[1]), members.reshape(-1, size)
        sums = jax.lax.map(lambda part: _statistics(self._cover(*part)[0], *planes), parts)
        return self.paint(sums.reshape(len(rows), STATISTICS)[: len(rows) - short])

    def covered(self, rows: Array, members: Array) -> Array:
        """Covered shares ``(n, h, w)`` of candidates, for ``gains_of``."""
        return self._cover(rows, members)[0]

    def gains_of(self, covered: Array, picture: Array, inputs: Inputs) -> tuple[Array, Array]:
        """As ``gains``, of candidates whose coverage is known."""
        return self.paint(_statistics(covered, *self._planes(picture, inputs)))

    def _planes(self, picture: Array, inputs: Inputs) -> tuple[Array, Array]:
        image, weight = inputs[0], inputs[1][..., None]
        error = weight * (image - picture)
        once = jnp.concatenate([error, (error * picture).sum(-1, keepdims=True)], -1)
        twice = jnp.concatenate([weight, weight * picture, (weight * picture**2).sum(-1, keepdims=True)], -1)
        return once, twice

    def paint(self, sums: Array) -> tuple[Array, Array]:
        """Gains ``(n,)`` and best rgba ``(n, 4)`` of statistics ``(n, 9)``; see ``draw.gains.best_paint``."""
        low, high = max(self.form.opacity[0], FAINTEST), self.form.opacity[1]
        p, q, r, s, u = sums[:, None, :3], sums[:, None, 3], sums[:, None, 4], sums[:, None, 5:8], sums[:, None, 8]
        there = r[:, 0] > 1e-9
        r = jnp.maximum(r, 1e-9)

        def judge(opacity: Array) -> tuple[Array, Array]:
            """Gains ``(n, g)`` and colours ``(n, g, 3)`` at opacities ``(n, g)``."""
            a = opacity[..., None]

            def loss(colour: Array, a: Array) -> Array:
                return (a * a * (colour**2 * r[..., None] - 2 * colour * s) - 2 * a * colour * p).sum(-1)

            if self.form.palette is None:
                colour = jnp.clip((p / a + s) / r[..., None], 0, 1)
            else:
                colours = np.asarray(self.form.palette, np.float32)
                trials = jnp.stack([loss(jnp.broadcast_to(each, a.shape[:-1] + (3,)), a) for each in colours])
                colour = jnp.asarray(colours)[trials.argmin(0)]
            return -(2 * opacity * q + opacity**2 * u + loss(colour, a)), colour

        def best(opacity: Array) -> tuple[Array, Array, Array]:
            gains, colours = judge(opacity)
            at = gains.argmax(1)
            n = jnp.arange(len(at))
            return gains[n, at], colours[n, at], opacity[n, at]

        grid = np.linspace(-1, 1, GRID).astype(np.float32) if high > low else np.zeros(1, np.float32)
        centre, span = (low + high) / 2, (high - low) / 2
        found = best(jnp.broadcast_to(jnp.float32(centre) + span * grid, (len(sums), len(grid))))
        if high > low:
            around = jnp.clip(found[2][:, None] + span / (GRID - 1) * grid, low, high)
            finer = best(around)
            found = tuple(
                jnp.where((finer[0] > found[0]).reshape(-1, *[1] * (new.ndim - 1)), new, old)
                for new, old in zip(finer, found, strict=True)
            )
        gains, colours, opacity = found
        if self.target.beyond:
            matte = np.clip(self.target.matte, 0, 1).astype(np.float32)
            there &= ((colours - matte) ** 2).sum(-1) >= UNLIKE
        return jnp.where(there, gains, NOTHING), jnp.concatenate([colours, opacity[:, None]], 1)

    def lay(self, picture: Array, covered: Array, rgba: Array) -> Array:
        """The picture with one more shape, of known coverage ``(h, w)``, on top."""
        return picture + (covered * rgba[3])[..., None] * (rgba[:3] - picture)


def _statistics(covered: Array, once: Array, twice: Array) -> Array:
    """The nine statistics ``(n, 9)`` of candidates; see ``draw.gains``."""
    product: Any = partial(jnp.einsum, "nhw,hwm->nm", precision="highest")
    return jnp.concatenate([product(covered, once), product(covered**2, twice)], 1)
