"""Every pixel against every shape, in JAX: any device, exact coverage, differentiable.

Filled polygons: the area of a pixel that a polygon covers is the sum over its edges of the signed area to the right
of the edge within the pixel; each term has a closed form (the font rasteriser of R. Levien, "Inside the fastest font
renderer in the world", 2016, sums the same terms along scanlines). The nonzero rule is taken as min(abs(sum), 1), which
is exact for outlines that do not cross themselves within one pixel. Strokes: the one-dimensional box filter of a band
of the stroke's width, at the pixel centre's distance to the centre line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.draw.layout import detail_for, layout, pixels_per_unit
from evoart.draw.shapes.ramp import shares
from evoart.types import Array

Decoder = Callable[[Any, Array], tuple[Array, Array]]
DETAIL = 32  # most points of a curve: coarser than for print, of the same area
FLAT = 5e-4  # least half-width, in pixels, of the part of an edge within a row


def filled_coverage(points: Array, height: int, width: int) -> Array:
    """Covered share ``(height, width)`` in [0, 1] of every pixel by a closed polygon ``(v, 2)`` in pixels."""
    return jnp.minimum(jnp.abs(winding_area(points, height, width)), 1)


def winding_area(points: Array, height: int, width: int) -> Array:
    """Area of every pixel ``(height, width)`` in a closed polygon ``(v, 2)`` in pixels, times its winding number."""
    following = jnp.roll(points, -1, 0)
    (xa, ya), (xb, yb) = points.T[..., None], following.T[..., None]
    top = jnp.arange(height, dtype=points.dtype)
    # The part of each edge within each pixel row, (v, height): from (x0, y0) to (x1, y1).
    y0, y1 = jnp.clip(ya, top, top + 1), jnp.clip(yb, top, top + 1)
    rise = yb - ya
    level = jnp.abs(rise) < 1e-9
    per_rise = jnp.where(level, 0.0, (xb - xa) / jnp.where(level, 1.0, rise))
    x0, x1 = xa + (y0 - ya) * per_rise, xa + (y1 - ya) * per_rise
    # Rounding must not carry a point past the edge's ends; upright parts get a little width instead of a special case.
    middle, half = (x0 + x1) / 2, jnp.maximum(jnp.abs(x0 - x1) / 2, FLAT)
    low, high, inverse, dy = middle - half, middle + half, 0.5 / half, y1 - y0
    # Without the barrier these row values are computed again for every pixel.
    rows = jax.lax.optimization_barrier((low, high, inverse, dy))
    right = jnp.arange(1, width + 1, dtype=points.dtype)

    def add(area: Array, row: tuple[Array, ...]) -> tuple[Array, None]:
        low, high, inverse, dy = (each[:, None] for each in row)
        # Mean of clamp(u, 0, 1) for u from right - high to right - low: the share of a pixel to the right of the edge.
        c0, c1 = jnp.clip(right - high, 0, 1), jnp.clip(right - low, 0, 1)
        past = jnp.clip((right - 1 - low) * inverse, 0, 1)
        return area + dy * ((c1 - c0) * (c1 + c0) * (0.5 * inverse) + past), None

    # Unrolling this loop, or the one over shapes, gains nothing and multiplies the time to compile the gradient.
    nothing = jnp.zeros((height, width), points.dtype)
    return jax.lax.scan(add, nothing, rows)[0]


def stroke_coverage(points: Array, line_width: Array, height: int, width: int) -> Array:
    """Covered share ``(height, width)`` in [0, 1] of every pixel by a round-capped polyline ``(v, 2)`` in pixels."""
    x = jnp.arange(width, dtype=points.dtype) + 0.5
    y = jnp.arange(height, dtype=points.dtype)[:, None] + 0.5
    along = points[1:] - points[:-1]
    squared = (along**2).sum(-1)
    inverse = jnp.where(squared > 1e-12, 1 / jnp.where(squared > 1e-12, squared, 1.0), 0.0)

    def nearer(nearest: Array, segment: tuple[Array, ...]) -> tuple[Array, None]:
        start, (ax, ay), inverse = segment
        dx, dy = x - start[0], y - start[1]
        t = jnp.clip((dx * ax + dy * ay) * inverse, 0, 1)
        return jnp.minimum(nearest, (dx - t * ax) ** 2 + (dy - t * ay) ** 2), None

    far = jnp.full((height, width), 1e12, points.dtype)
    segments = (points[:-1], along, inverse)
    nearest = jax.lax.scan(nearer, far, segments)[0]
    on_line = nearest < 1e-12
    distance = jnp.where(on_line, 0.0, jnp.sqrt(jnp.where(on_line, 1.0, nearest)))
    half = line_width / 2
    return jnp.clip(distance + half + 0.5, 0, 1) - jnp.clip(distance - half + 0.5, 0, 1)


class DenseRaster:
    """Draws genomes of one form at one size.

    Args:
        kinds: shape names ``(k,)`` in paint order.
        decode: ``form.decode``: genomes to geometry ``(..., k, g)`` in units and rgba ``(..., k, 4)``.
        height, width: picture in pixels.
        extent: width and height in units.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        decode: Decoder,
        height: int,
        width: int,
        extent: tuple[float, float],
    ) -> None:
        self.decode, self.height, self.width = decode, height, width
        # Pictures drawn at a time: enough to fill the device, few enough to stay within its caches or memory.
        cpu = jax.default_backend() == "cpu"
        self.batch = int(np.clip((2**19 if cpu else 2**24) // (height * width), 1, 8 if cpu else 64))
        self._scale = pixels_per_unit((width, height), extent)
        self._layout = layout(tuple(kinds), min(detail_for(max(height, width)), DETAIL))
        counts = np.diff(self._layout.start)
        # One branch of the program per kind of outline: (points, filled).
        self._classes = sorted({(int(c), bool(f)) for c, f in zip(counts, self._layout.filled, strict=True)})
        member = {name: i for i, name in enumerate(self._classes)}
        self._class = np.array(
            [member[int(c), bool(f)] for c, f in zip(counts, self._layout.filled, strict=True)], np.int32
        )
        # Outlines padded to one length, so that a scan can run over them.
        most = max(counts, default=0)
        steps = np.minimum(np.arange(most), np.maximum(counts, 1)[:, None] - 1)
        self._gather = self._layout.start[:-1, None] + steps

    def image(self, genome: Array, background: Array) -> Array:
        """One picture ``(height, width, 3)`` of a genome ``(dim,)`` on ``background`` ``(3,)``; differentiable, usable
        inside jit and vmap."""
        geometry, rgba = self.decode(jnp, genome)
        background = jnp.broadcast_to(background, (self.height, self.width, 3))
        if not len(self._class):
            return background
        points, widths = self._layout.outlines(jnp, geometry, self._scale)

        ramps = self._layout.ramps(jnp, geometry, self._scale)
        x, y = jnp.arange(self.width) + 0.5, jnp.arange(self.height)[:, None] + 0.5

        # Recomputing a coverage costs less than keeping every one of them for the gradient.
        @jax.checkpoint
        def paint(
            canvas: Array, outline: Array, line_width: Array, colour: Array, member: Array, ramp: Array | None = None
        ) -> Array:
            cover = self._coverage(outline, line_width, member)
            if ramp is not None:
                colour = colour + shares(jnp, ramp, x, y)[..., None] * jnp.where(ramp[0] > 0, ramp[5:] - colour, 0.0)
            return canvas + (cover * colour[..., 3])[..., None] * (colour[..., :3] - canvas)

        def step(canvas: Array, shape: tuple[Array, ...]) -> tuple[Array, None]:
            return paint(canvas, *shape), None

        shapes = (points[self._gather], widths, rgba, jnp.asarray(self._class), *(() if ramps is None else (ramps,)))
        return jax.lax.scan(step, background, shapes)[0]

    def _coverage(self, outline: Array, line_width: Array, member: Array) -> Array:
        def branch(count: int, filled: bool) -> Callable[[Array, Array], Array]:
            if filled:
                return lambda points, _: filled_coverage(points[:count], self.height, self.width)
            return lambda points, wide: stroke_coverage(points[:count], wide, self.height, self.width)

        branches = [branch(*each) for each in self._classes]
        if len(branches) == 1:
            return branches[0](outline, line_width)
        # The index does not depend on the candidate, so this stays a true branch under vmap.
        return jax.lax.switch(member, branches, outline, line_width)

    def map(self, judge: Callable[[Array], Array], genomes: Array, background: Array) -> Array:
        """``judge(image)`` for each of ``genomes`` ``(n, dim)`` on ``background`` ``(3,)``, ``batch`` at a time.

        The last batch is filled up: XLA rounds differently for another size, and what is found of a candidate should
        not depend on how many others there are.
        """

        def one(genome: Array) -> Array:
            return judge(self.image(genome, background))

        n, size = len(genomes), self.batch
        if n <= size:
            return jax.vmap(one)(genomes)
        padded = jnp.concatenate([genomes, jnp.broadcast_to(genomes[:1], (-n % size, genomes.shape[1]))])
        parts = jax.lax.map(jax.vmap(one), padded.reshape(-1, size, genomes.shape[1]))
        return parts.reshape(-1, *parts.shape[2:])[:n]
