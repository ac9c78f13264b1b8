"""The shapes form: a genome is ``groups`` rows of geometry, red, green, blue, opacity."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar

import numpy as np

from evoart.draw.scene import Scene
from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import MARK, base_of
from evoart.draw.shapes.stamp import is_stamp, pack, stamp, unpack
from evoart.errors import UsageError
from evoart.forms.plain import FARTHEST, numbers
from evoart.types import Array, Genome

MOST = 100_000  # shapes in a form that is read from a file
_FAR = 0.2  # units or radians between two moments of a film past which shapes do not glide


NOUNS = {"quadratic": "quadratic curve", "cubic": "cubic curve", "regular": "regular polygon"}  # kinds that are none


@dataclass(frozen=True)
class ShapesForm:
    """What a genome of shapes stands for.

    Attributes:
        kinds: shape names ``(groups,)`` in paint order.
        width, height: extent of the picture in units; the longer one is 1.
        background: sRGB in [0, 1], or None where it is transparent.
        opacity: lowest and highest opacity; decoding clips to it.
        palette: colours ``(p, 3)`` that decoding snaps to, or None.
        columns: geometry columns at least, so that rows keep their width while a search changes the kinds.
        min_width: smallest width of strokes, and of ellipses and rectangles, in units; decoding widens to it.
        stroke: lowest and highest width of strokes in units, or None; decoding brings them there.
    """

    name: ClassVar[str] = "shapes"

    kinds: tuple[str, ...]
    width: float
    height: float
    background: tuple[float, float, float] | None
    opacity: tuple[float, float] = (0.1, 1.0)
    palette: tuple[tuple[float, float, float], ...] | None = None
    columns: int = 0
    min_width: float = 0.0
    stroke: tuple[float, float] | None = None

    @property
    def widens(self) -> bool:
        """Whether decoding changes lengths, so that no outline follows from a row in closed form."""
        return self.min_width > 0 or self.stroke is not None

    @property
    def groups(self) -> int:
        """Shapes."""
        return len(self.kinds)

    @property
    def geometry(self) -> int:
        """Numbers of geometry per group: the longest parameter list of the kinds in use, ``columns`` at least."""
        return max([self.columns, *(len(shape(name).parameters) for name in set(self.kinds))])

    @property
    def dim_per_group(self) -> int:
        """Numbers of a shape: geometry, then rgba."""
        return self.geometry + 4

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return self.groups * self.dim_per_group

    @property
    def label(self) -> str:
        """``100 triangles``, or ``3 shapes`` where there are several kinds."""
        names = set(map(base_of, self.kinds))
        if len(names) > 1 and all(map(is_stamp, names)):
            labels = {stamp(name).label for name in names}
            return _counted(len(self.kinds), "stamp") + (f" of {labels.pop()}" if len(labels) == 1 else "")
        return _counted(len(self.kinds), names.pop() if len(names) == 1 else "shape")

    @property
    def description(self) -> str:
        """Every kind with its number, most frequent first: ``12 triangles, 3 lines``."""
        return ", ".join(_counted(number, name) for name, number in Counter(self.kinds).most_common())

    def __getstate__(self) -> dict[str, Any]:
        """Outlines go along: the process that unpickles it may not know them."""
        return self.__dict__ | {"stamps": pack(self.kinds)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        unpack(state.pop("stamps"))
        self.__dict__.update(state)

    def with_structure(self, structure: tuple[str, ...]) -> ShapesForm:
        """See ``Form.with_structure``; the structure is the list of kinds."""
        return self.with_kinds(tuple(structure))

    def with_kinds(self, kinds: tuple[str, ...]) -> ShapesForm:
        """The same form for other shapes; rows keep their width."""
        return replace(self, kinds=kinds, columns=self.geometry)

    def decode(self, xp: Any, genomes: Array) -> tuple[Array, Array]:
        """Geometry ``(..., groups, geometry)`` and rgba ``(..., groups, 4)`` of genomes ``(..., dim)``.

        ``xp`` is ``numpy`` or ``jax.numpy``. Colours are clipped to [0, 1] (or snapped to the palette), opacity to
        its range, geometry to +-1000, and lengths by ``widen``.
        """
        rows = genomes.reshape(*genomes.shape[:-1], self.groups, self.dim_per_group)
        g = self.geometry
        rgb = xp.clip(rows[..., g : g + 3], 0.0, 1.0)
        if self.palette is not None:
            colours = xp.asarray(np.asarray(self.palette, np.float32))
            # The squared distance less what all colours share; the difference per channel takes three times the memory.
            products = sum(rgb[..., c, None] * colours[:, c] for c in range(3))
            nearest = ((colours**2).sum(-1) - 2 * products).argmin(-1)
            rgb = colours[nearest]
        low, high = self.opacity
        bounds = _bounds(self.kinds, g, self.opacity)
        geometry = self.widen(xp, self.kinds, xp.clip(rows[..., :g], *bounds))
        return geometry, xp.concatenate([rgb, xp.clip(rows[..., g + 3 :], low, high)], -1)

    def widen(self, xp: Any, kinds: Sequence[str], geometry: Array) -> Array:
        """Geometry ``(..., len(kinds), columns)`` of shapes none of whose lengths is below ``min_width``, and whose
        strokes are as wide as ``stroke`` says; signs kept."""
        if not self.widens:
            return geometry
        least = np.zeros((len(kinds), geometry.shape[-1]), np.float32)
        most = np.full_like(least, np.inf)
        for low, high, kind in zip(least, most, map(shape, kinds), strict=True):
            width = self.min_width / 2 if kind.filled else self.min_width  # of what is filled, half of it is said
            low[: len(kind.parameters)] = [width if p.role == "length" else 0.0 for p in kind.parameters]
            if self.stroke and not kind.filled:
                column = len(kind.parameters) - 1
                low[column], high[column] = self.stroke
        size = xp.clip(xp.abs(geometry), least, most)
        return xp.where(size == xp.abs(geometry), geometry, xp.where(geometry < 0, -size, size))

    def encode(self, geometry: np.ndarray, rgba: np.ndarray) -> Genome:
        """The genome ``(dim,)`` of geometry ``(groups, <= geometry)`` and rgba ``(groups, 4)``."""
        rows = np.zeros((self.groups, self.dim_per_group), np.float32)
        rows[:, : geometry.shape[1]] = geometry
        rows[:, self.geometry :] = rgba
        return rows.ravel()

    def drawing(self, genome: Genome) -> Scene:
        """The drawing a genome ``(dim,)`` stands for."""
        geometry, rgba = self.decode(np, np.asarray(genome, np.float32))
        return Scene(self.kinds, geometry, rgba, self.background, self.width, self.height)

    def random(self, rng: np.random.Generator, image: np.ndarray | None = None) -> Genome:
        """A first guess: shapes anywhere, about ``1.5 / sqrt(groups)`` units large, coloured from ``image``."""
        n = self.groups
        centre = rng.random((n, 2)) * (self.width, self.height)
        size = np.full(n, min(1.5 / np.sqrt(max(n, 1)), 0.5) / 2)
        rows = np.zeros((n, self.dim_per_group), np.float32)
        for name in sorted(set(self.kinds)):
            where = np.array([i for i, kind in enumerate(self.kinds) if kind == name])
            sampled = shape(name).sample(rng, centre[where], size[where])
            rows[where, : sampled.shape[1]] = sampled
        if image is None:
            rows[:, -4:-1] = rng.random((n, 3))
        else:
            h, w = image.shape[:2]
            x, y = centre[:, 0] / self.width * w, centre[:, 1] / self.height * h
            rows[:, -4:-1] = image[np.clip(y.astype(int), 0, h - 1), np.clip(x.astype(int), 0, w - 1)]
        low, high = self.opacity
        rows[:, -1] = low + 0.5 * (high - low)
        return rows.ravel()

    def steps(self) -> np.ndarray:
        """Relative step size of every number ``(dim,)``: a step of 1 moves a position by 0.1 units, a colour by 0.2,
        an angle by 0.5 radians. Padding gets 0."""
        roles = {"x": 0.1, "y": 0.1, "length": 0.05, "angle": 0.5, "colour": 0.2, "opacity": 0.2}
        rows = np.zeros((self.groups, self.dim_per_group), np.float32)
        for i, name in enumerate(self.kinds):
            parameters = shape(name).parameters
            rows[i, : len(parameters)] = [roles[p.role] for p in parameters]
        rows[:, self.geometry :] = 0.2
        return rows.ravel()

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program; transparency is white."""
        from evoart.draw.traced import images

        extent = (self.width, self.height)
        return images(self.kinds, self.decode, self.background, genomes, (width, height), extent)

    def finalised(self, genome: Genome) -> tuple[ShapesForm, Genome]:
        """Final colours and opacities, in rows no wider than these kinds need."""
        geometry, rgba = self.decode(np, np.asarray(genome, np.float32))
        form = replace(self, columns=0, palette=None, min_width=0.0, stroke=None)
        return form, form.encode(geometry[:, : form.geometry], rgba)

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        plain = {
            "kinds": pack_kinds(self.kinds),
            "dim_per_group": self.dim_per_group,
            "background": None if self.background is None else list(self.background),
            "opacity": list(self.opacity),
            "width": self.width,
            "height": self.height,
        }
        if stamps := pack(self.kinds):
            plain["stamps"] = stamps
        if self.min_width:
            plain["min_width"] = self.min_width
        if self.stroke:
            plain["stroke"] = list(self.stroke)
        if self.palette is not None:
            plain["palette"] = [list(colour) for colour in self.palette]
        return plain | ({"columns": self.columns} if self.columns else {})

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ShapesForm:
        """See ``Form.from_plain``."""
        unpack(plain.get("stamps", {}))
        background, palette, columns = plain.get("background"), plain.get("palette"), plain.get("columns", 0)
        if not isinstance(columns, int) or not 0 <= columns <= 100:
            raise ValueError("columns")
        if palette is not None and not palette:
            raise ValueError("palette")
        low, high = numbers(*plain["opacity"], low=0, high=1)
        width, height = numbers(plain["width"], plain["height"], low=1e-9, high=1)
        (min_width,) = numbers(plain.get("min_width", 0.0), low=0, high=1)
        form = cls(
            unpack_kinds(plain.get("kinds")),
            width,
            height,
            None if background is None else _colour(background),
            (low, high),
            None if palette is None else tuple(_colour(colour) for colour in palette),
            columns,
            min_width,
            None if plain.get("stroke") is None else _range(*plain["stroke"]),
        )
        if plain.get("dim_per_group") != form.dim_per_group:
            raise ValueError("dim_per_group")
        return form

    def check(self, genome: Genome) -> None:
        """Raise ValueError where a genome read from a file holds what ``finalised`` never writes."""
        if (np.abs(genome.reshape(-1, self.dim_per_group)[:, : self.geometry]) > FARTHEST).any():
            raise ValueError("nothing that was decoded is out there")

    def between(
        self, genome: Genome, other: ShapesForm, after: Genome, share: float
    ) -> tuple[ShapesForm, Genome] | None:
        """Shapes that are one set, moved or added to, move and appear one by one; see ``Form.between``."""
        old, new = len(self.kinds), len(other.kinds)
        same_shapes = new > 0 and other.kinds[:old] == self.kinds and len(after) % new == 0
        width = len(after) // new if same_shapes else 0
        uniform = len(set(other.kinds)) == 1  # else fewer kinds might mean narrower rows
        if not same_shapes or len(genome) != old * width or not (old or uniform):
            return None
        rows, last = after.reshape(new, width), genome.reshape(old, width)
        moved = last + np.float32(share) * (rows[:old] - last)
        # A shape that has gone far is another one in the same place of the list: those change over one after another.
        far = np.abs(rows[:old, :-4] - last[:, :-4]).max(1, initial=0) > _FAR
        arrived = (np.arange(old) + 0.5) / max(old, 1) < share
        moved[far] = np.where(arrived[far, None], rows[:old][far], last[far])
        visible = old + round((new - old) * share)
        between = np.concatenate([moved, rows[old:visible]]).ravel()
        return replace(other, kinds=other.kinds[:visible], columns=width - 4), between


@functools.lru_cache(64)
def _counted(number: int, kind: str) -> str:
    """``12 rotated ellipses``, ``1 triangle in linear paint``, ``3 blobs of 6 corners``, ``20 stamps of leaf``."""
    base, paint = base_of(kind), kind[len(base_of(kind)) + 1 :]
    name, _, corners = base.partition(":")
    one = NOUNS.get(name, name.replace("-", " "))
    of = f" of {corners} corners" if corners else ""
    if is_stamp(base):
        one, of = "stamp", f" of {stamp(base).label}"
    many = one + "s"
    if not is_stamp(base):
        with contextlib.suppress(UsageError):  # a plugin's shape that is not here any more
            many = getattr(shape(base), "plural", many)
    return f"{number:,} {one if number == 1 else many}{of}" + (f" in {paint} paint" if paint else "")


def _bounds(kinds: tuple[str, ...], columns: int, opacity: tuple[float, float]) -> tuple[Any, Any]:
    """Lowest and highest geometry, ``(groups, columns)`` each where a shape has a second colour. That may fade away
    altogether, unless the opacity is fixed."""
    if not any(MARK in name for name in kinds):
        return -FARTHEST, FARTHEST
    low, high = np.stack([limits_of(name, columns, opacity) for name in kinds], 1)
    return low, high


def limits_of(kind: str, columns: int, opacity: tuple[float, float]) -> np.ndarray:
    """Lowest and highest value of a shape's geometry, ``(2, columns)`` float32, where ``opacity`` is so bounded. A
    second colour may fade away altogether, unless the opacity is fixed."""
    low, high = (np.full(columns, far, np.float32) for far in (-FARTHEST, FARTHEST))
    limits = {"colour": (0.0, 1.0), "opacity": (opacity[0] if opacity[0] == opacity[1] else 0.0, opacity[1])}
    for j, parameter in enumerate(shape(kind).parameters):
        if parameter.role in limits:
            low[j], high[j] = limits[parameter.role]
    return np.stack([low, high])


def _range(low: Any, high: Any) -> tuple[float, float]:
    low, high = numbers(low, high, low=0, high=1)
    if low > high:
        raise ValueError("a range")
    return low, high


def _colour(values: Any) -> tuple[float, float, float]:
    r, g, b = numbers(*values, low=0, high=1)
    return r, g, b


def pack_kinds(kinds: Sequence[str]) -> list[list[Any]]:
    """Shape names in paint order as runs: ``[["triangle", 100]]``."""
    return [[name, len(list(run))] for name, run in groupby(kinds)]


def unpack_kinds(runs: Any) -> tuple[str, ...]:
    """The shape names ``pack_kinds`` wrote. Raises ValueError where it is anything else, or more than ``MOST``."""
    if not isinstance(runs, list):
        raise ValueError("no list of shapes")
    kinds: list[str] = []
    for run in runs:
        match run:
            case [str(name), int(count)] if 0 < count <= MOST - len(kinds) and len(name) <= 100:
                kinds += [name] * count
            case _:
                raise ValueError("no run of shapes")
    return tuple(kinds)
