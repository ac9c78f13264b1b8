"""The strokes form: a genome is the points of a pen's strokes, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from evoart.draw.pen import PenDrawing
from evoart.forms.plain import FARTHEST, numbers
from evoart.types import Array, Genome, Image

MAX_POINTS = 4_000_000
RGB = tuple[float, float, float]
_CHUNK = 8  # segments drawn side by side inside a JAX program


@dataclass(frozen=True)
class StrokesForm:
    """Pen strokes: how many points each has, their colours, and the pen.

    Attributes:
        lengths: points of every stroke, 1 or more.
        width, height: extent of the picture in units; the longer one is 1.
        line: width of the lines in units.
        palette: the pens' colours, sRGB in [0, 1].
        inks: index of every stroke's colour; empty where all have the first.
        sketches: strokes of each sketch of a sheet; empty where it is not a sheet.
        background: sRGB in [0, 1], or None for a transparent background.
    """

    name: ClassVar[str] = "strokes"

    lengths: tuple[int, ...] = (6,) * 100
    width: float = 1.0
    height: float = 1.0
    line: float = 0.006
    palette: tuple[RGB, ...] = ((0.0, 0.0, 0.0),)
    inks: tuple[int, ...] = ()
    sketches: tuple[int, ...] = ()
    background: RGB | None = (1.0, 1.0, 1.0)

    @property
    def dim(self) -> int:
        """See ``Form.dim``: two numbers a point."""
        return 2 * sum(self.lengths)

    @property
    def label(self) -> str:
        """``16 sketches``, ``one sketch``; ``12 strokes`` where it is not a sheet."""
        count, what = (len(self.sketches), "sketch") if self.sketches else (len(self.lengths), "stroke")
        many = {"sketch": "sketches", "stroke": "strokes"}[what]
        return f"one {what}" if count == 1 else f"{count:,} {many}"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        return f"{self.label}: {len(self.lengths):,} strokes, {sum(self.lengths):,} points"

    def work(self, pixels: int) -> float:
        """What drawing at so many pixels costs, in pixels times shapes: every segment is looked for in every pixel."""
        return pixels * self.dim / 4

    def split(self, genome: Genome) -> list[np.ndarray]:
        """Points ``(k, 2)`` of every stroke, in units."""
        points = np.clip(np.asarray(genome, np.float64).reshape(-1, 2), -FARTHEST, FARTHEST)
        return np.split(points, np.cumsum(self.lengths)[:-1]) if self.lengths else []

    def sketch(self, genome: Genome, index: int) -> tuple[StrokesForm, Genome]:
        """The sketch number ``index``, from 0, of a sheet, alone on a square page that it fills up to a margin."""
        first = sum(self.sketches[:index])
        members = range(first, first + self.sketches[index])
        strokes = [self.split(genome)[k] for k in members]
        points = np.concatenate(strokes)
        low, high = points.min(0), points.max(0)
        scale = 0.8 / max(float(np.max(high - low)), 1e-3)
        inks = tuple(self.inks[k] for k in members) if self.inks else ()
        line = float(np.clip(self.line * scale, 1e-5, 0.1))
        settings = {"palette": self.palette, "inks": inks, "sketches": (len(strokes),), "background": self.background}
        form = StrokesForm(tuple(map(len, strokes)), 1.0, 1.0, line, **settings)
        return form, ((points - (low + high) / 2) * scale + 0.5).ravel().astype(np.float32)

    def drawing(self, genome: Genome) -> PenDrawing:
        """See ``Form.drawing``."""
        colours = np.array(self.palette, float)[list(self.inks) if self.inks else [0] * len(self.lengths)]
        strokes = tuple(self.split(genome))
        return PenDrawing(
            strokes, colours.reshape(-1, 3), self.line, self.width, self.height, self.background, self.sketches
        )

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """Short walks from anywhere on the paper."""
        parts = []
        for length in self.lengths:
            start = rng.random(2) * (self.width, self.height)
            heading = rng.random() * 2 * np.pi + np.cumsum(rng.normal(0, 0.5, length))
            walk = np.cumsum(np.stack([np.cos(heading), np.sin(heading)], -1) * 0.06, 0)
            parts.append(np.clip(start + walk, 0, (self.width, self.height)))
        return np.concatenate([np.zeros((0, 2)), *parts]).ravel().astype(np.float32)

    def steps(self) -> np.ndarray:
        """A step of 1 moves a point by 0.05 units."""
        return np.full(self.dim, 0.05, np.float32)

    def finalised(self, genome: Genome) -> tuple[StrokesForm, Genome]:
        """See ``Form.finalised``: points far off the page are moved to its neighbourhood."""
        return self, np.clip(np.asarray(genome, np.float32), -FARTHEST, FARTHEST)

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        if not (np.abs(genome) <= FARTHEST).all():
            raise ValueError("points")

    def with_structure(self, structure: StrokesForm) -> StrokesForm:
        """What a search makes of it: other strokes altogether."""
        return structure

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[StrokesForm, Genome] | None:
        """Points on their way, where the strokes are the same."""
        if not isinstance(other, StrokesForm) or other.lengths != self.lengths:
            return None
        genome, after = np.asarray(genome, np.float32), np.asarray(after, np.float32)
        return other, genome + np.float32(share) * (after - genome)

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        return {
            "lengths": list(self.lengths),
            "width": self.width,
            "height": self.height,
            "line": self.line,
            "palette": [list(rgb) for rgb in self.palette],
            "inks": list(self.inks),
            "sketches": list(self.sketches),
            "background": None if self.background is None else list(self.background),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> StrokesForm:
        """See ``Form.from_plain``."""
        lengths = _whole(plain["lengths"], 1, MAX_POINTS)
        inks, sketches = _whole(plain["inks"], 0, len(plain["palette"]) - 1), _whole(plain["sketches"], 0, len(lengths))
        if (
            sum(lengths) > MAX_POINTS
            or len(inks) not in (0, len(lengths))
            or (sketches and sum(sketches) != len(lengths))
        ):
            raise ValueError("lengths")
        width, height = numbers(plain["width"], plain["height"], low=1e-9, high=1)
        (line,) = numbers(plain["line"], low=1e-5, high=1)
        palette = tuple(_rgb(colour) for colour in plain["palette"])
        background = None if plain["background"] is None else _rgb(plain["background"])
        if not palette:
            raise ValueError("palette")
        return cls(lengths, width, height, line, palette, inks, sketches, background)

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program; transparency is white."""
        import jax.numpy as jnp

        points = genomes.reshape(genomes.shape[0], -1, 2)
        pairs = np.array(list(self._pairs()), int).reshape(-1, 2)
        a, b = points[:, pairs[:, 0]], points[:, pairs[:, 1]]
        inks = np.repeat(self.inks or [0] * len(self.lengths), [max(1, n - 1) for n in self.lengths])
        extent = (self.width, self.height)
        background = jnp.asarray(self.background or (1.0, 1.0, 1.0), jnp.float32)
        images = jnp.broadcast_to(background, (genomes.shape[0], height, width, 3))
        first = 0
        for last in [*(np.flatnonzero(np.diff(inks)) + 1), len(inks)]:  # a run of one colour is laid on at once
            shown = jnp.ones((genomes.shape[0], last - first), bool)
            cover = coverage_traced(a[:, first:last], b[:, first:last], shown, self.line, extent, (height, width))
            colour = jnp.asarray(self.palette[inks[first]] if len(inks) else self.palette[0], jnp.float32)
            images = images + cover[..., None] * (colour - images)
            first = last
        return images

    def _pairs(self) -> Iterator[tuple[int, int]]:
        """Indices of the points at the two ends of every segment."""
        first = 0
        for length in self.lengths:
            yield from pairwise(range(first, first + length)) if length > 1 else [(first, first)]
            first += length


def coverage_traced(
    a: Array, b: Array, shown: Array, line: float, extent: tuple[float, float], shape: tuple[int, int]
) -> Array:
    """Coverage ``(n, h, w)`` of the union of segments, as ``draw.pen`` has it, inside a JAX program.

    Args:
        a, b: ends ``(n, m, 2)`` in units; ``shown (n, m)``: False for segments that are not drawn.
        line: width in units; ``extent``: of the picture in units; ``shape``: ``(h, w)`` in pixels.
    """
    import jax
    import jax.numpy as jnp

    h, w = shape
    scale = np.array([w / extent[0], h / extent[1]], np.float32)
    half = line * float(np.sqrt(scale[0] * scale[1])) / 2
    n, m = shown.shape
    spare = -m % _CHUNK

    def chunks(x: Array) -> Array:
        x = jnp.concatenate([x, jnp.zeros((n, spare, *x.shape[2:]), x.dtype)], 1)
        return jnp.moveaxis(x.reshape(n, -1, _CHUNK, *x.shape[2:]), 1, 0)

    xs, ys = jnp.arange(w, dtype=jnp.float32) + 0.5, jnp.arange(h, dtype=jnp.float32)[:, None] + 0.5

    def nearest(best: Array, some: tuple[Array, Array, Array]) -> tuple[Array, None]:
        for k in range(_CHUNK):
            (ax, ay), (bx, by) = ([end[:, k, axis, None, None] for axis in (0, 1)] for end in some[:2])
            dx, dy = bx - ax, by - ay
            px, py = xs - ax, ys - ay
            t = jnp.clip((px * dx + py * dy) / jnp.maximum(dx * dx + dy * dy, 1e-9), 0, 1)
            away = (px - t * dx) ** 2 + (py - t * dy) ** 2
            best = jnp.minimum(best, jnp.where(some[2][:, k, None, None], away, jnp.inf))
        return best, None

    start = jnp.full((n, h, w), jnp.inf, jnp.float32)
    best, _ = jax.lax.scan(nearest, start, (chunks(a * scale), chunks(b * scale), chunks(shown)))
    distance = jnp.sqrt(jnp.clip(best, 1e-12, 1e12))  # a root's slope is infinite at 0
    return jnp.clip(max(half, 0.5) + 0.5 - distance, 0, 1) * min(1.0, 2 * half)


def strokes_form(strokes: Sequence[np.ndarray], **settings: Any) -> tuple[StrokesForm, Genome]:
    """Form and genome of strokes ``(k, 2)`` in units; ``settings`` are fields of the form."""
    form = StrokesForm(tuple(len(stroke) for stroke in strokes), **settings)
    return form, np.concatenate([np.zeros((0, 2)), *strokes]).ravel().astype(np.float32)


def _rgb(value: Any) -> RGB:
    red, green, blue = numbers(*value, low=0, high=1)
    return red, green, blue


def _whole(values: Any, low: int, high: int) -> tuple[int, ...]:
    if not isinstance(values, list) or len(values) > MAX_POINTS:
        raise ValueError("a list of whole numbers")
    if any(isinstance(v, bool) or not isinstance(v, int) or not low <= v <= high for v in values):
        raise ValueError("a whole number")
    return tuple(values)
