"""One scene becomes another: every shape glides to its partner, those that have none fade."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from evoart.draw.match import agree, pair_shapes
from evoart.draw.scene import Scene, svg_elements, svg_symbols
from evoart.draw.shapes import shape
from evoart.draw.svg import Numbers, colour, compact, document

# Share of the way at a share of the time, and the same as the control points of a spline (SMIL's keySplines).
EASINGS: dict[str, tuple[Callable[[float], float], str]] = {
    "smooth": (lambda t: t * t * (3 - 2 * t), ".33333 0 .66667 1"),
    "linear": (lambda t: t, "0 0 1 1"),
    "in": (lambda t: t**3, ".33333 0 .66667 0"),
    "out": (lambda t: 1 - (1 - t) ** 3, ".33333 1 .66667 1"),
}
_FUNCTION = re.compile(r"(\w+)\(([^)]*)\)")


@dataclass(frozen=True, eq=False)
class Blend:
    """Two pictures of the same extent, ``share`` (0 to 1) of the second over the first."""

    below: Scene
    above: Scene
    share: float

    @property
    def width(self) -> float:
        """See ``types.Drawing``."""
        return self.below.width

    @property
    def height(self) -> float:
        """See ``types.Drawing``."""
        return self.below.height

    @property
    def background(self) -> tuple[float, float, float] | None:
        """See ``types.Drawing``."""
        return self.below.background

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``types.Drawing``; colours are weighted by opacity."""
        one, other = (scene.paint(size, rows) for scene in (self.below, self.above))
        share = np.float32(self.share)
        a, b = one[..., 3:] * (1 - share), other[..., 3:] * share
        alpha = a + b
        rgb = (one[..., :3] * a + other[..., :3] * b) / np.maximum(alpha, np.float32(1e-6))
        return np.clip(np.concatenate([rgb, alpha], -1), 0, 1)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """See ``types.Drawing``: the one that is seen more."""
        return (self.below if self.share < 0.5 else self.above).svg(size, title, recipe, alpha)


class Morph:
    """The way from one scene to another of the same extent.

    The order of layers cannot change little by little. So all shapes are painted twice, in the order of either scene,
    and the second picture is faded in over the first: nothing jumps.

    Args:
        first, last: the scenes; the way begins and ends with them exactly.
        easing: a name of ``EASINGS``.
    """

    def __init__(self, first: Scene, last: Scene, easing: str = "smooth") -> None:
        self.first, self.last, self.easing = first, last, easing
        if (first.background is None) != (last.background is None):  # what one of them has fades like a shape
            first, last = _with_page(first), _with_page(last)
        pairs = pair_shapes(first, last)
        self.pairs = len(pairs)
        kinds: list[str] = []
        ways: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        orders: list[tuple[float, float]] = []
        n, m = len(first.kinds), len(last.kinds)
        for i, j in pairs:
            kind, p, q = agree(first.kinds[i], _own(first, i), last.kinds[j], _own(last, j))
            kinds.append(kind)
            ways.append((p, q, first.rgba[i], last.rgba[j]))
            orders.append((i, j))
        for scene, other, side, gone in ((first, m, 0, 1), (last, n, 1, 0)):
            for i in sorted(set(range(len(scene.kinds))) - {pair[side] for pair in pairs}):
                p, faint = _own(scene, i), scene.rgba[i] * (1, 1, 1, 0)
                kinds.append(scene.kinds[i])
                ways.append((p, p, *((scene.rgba[i], faint) if gone else (faint, scene.rgba[i]))))
                there = (i + 0.5) / len(scene.kinds) * other - 0.5  # as far up among the layers of the other
                orders.append((i, there) if gone else (there, i))
        self.kinds = tuple(kinds)
        columns = max([len(shape(kind).parameters) for kind in kinds], default=0)
        self._geometry = [np.zeros((len(kinds), columns)) for _ in range(2)]
        self._rgba = [np.zeros((len(kinds), 4)) for _ in range(2)]
        for row, (p, q, before, after) in enumerate(ways):
            for end, (place, rgba) in enumerate(((p, before), (q, after))):
                self._geometry[end][row, : len(place)] = place
                self._rgba[end][row] = rgba
        places = np.array(orders, float).reshape(-1, 2)
        self._orders = [np.lexsort((places[:, 1 - end], places[:, end])) for end in range(2)]
        self._backgrounds = first.background, last.background

    def at(self, time: float) -> Scene | Blend:
        """The picture at ``time``, 0 to 1."""
        share = EASINGS[self.easing][0](time)
        if share <= 0 or share >= 1:
            return self.first if share <= 0 else self.last
        geometry, rgba = ((1 - share) * start + share * end for start, end in (self._geometry, self._rgba))
        background = None
        if self._backgrounds[0] is not None and self._backgrounds[1] is not None:
            r, g, b = ((1 - share) * np.array(self._backgrounds[0]) + share * np.array(self._backgrounds[1])).tolist()
            background = r, g, b
        below, above = (
            Scene(
                tuple(self.kinds[i] for i in order),
                geometry[order].astype(np.float32),
                rgba[order].astype(np.float32),
                background,
                self.first.width,
                self.first.height,
            )
            for order in self._orders
        )
        return Blend(below, above, share)

    def animated_svg(
        self,
        size: tuple[int, int],
        seconds: float,
        hold: float = 0.0,
        title: str = "",
        recipe: str = "",
        *,
        loop: bool = False,
    ) -> str:
        """The way as an SVG that moves by itself, by SMIL: no script. Whoever asked for less motion sees its end.

        Args:
            seconds: how long the way takes; with ``loop``, there and back.
            hold: how long the end then stays before it begins again.
        """
        timing = _Timing(self.easing, seconds, 0.0 if loop else hold, loop)
        digest = hashlib.sha256(self._geometry[0].tobytes() + self._geometry[1].tobytes() + f"{size}".encode())
        name = f"morph-{digest.hexdigest()[:8]}"

        def elements(number: Numbers) -> Iterator[str]:
            write = _Unbounded(number.scale)
            yield f"<style>.{name}-end{{display:none}}@media (prefers-reduced-motion:reduce)"
            yield f"{{.{name}{{display:none}}.{name}-end{{display:inline}}}}</style>"
            yield from svg_symbols(self.kinds)
            yield f'<g class="{name}" stroke-linecap="round" stroke-linejoin="round">'
            page = ""
            fills = [colour(each) for each in self._backgrounds if each is not None]
            if len(fills) == 2:
                box = f'width="{number.length(self.first.width)}" height="{number.length(self.first.height)}"'
                page = f'<rect {box} fill="{fills[0]}">{timing.animate("fill", *fills)}</rect>'
            yield page
            for place, i in enumerate(self._orders[0]):
                yield self._element(int(i), f"{name}-{place}", write, timing)
            yield f'<g opacity="0">{timing.animate("opacity", "0", "1")}{page}'
            placed = {int(i): place for place, i in enumerate(self._orders[0])}
            for i in self._orders[1]:
                yield f'<use href="#{name}-{placed[int(i)]}"/>'
            yield "</g></g>"
            yield f'<g class="{name}-end">'
            if self.last.background is not None:
                extent = f'width="{number.length(self.last.width)}" height="{number.length(self.last.height)}"'
                yield f'<rect {extent} fill="{colour(self.last.background)}"/>'
            yield from svg_elements(self.last, number)
            yield "</g>"

        return document(replace(self.first, background=None), size, elements, title=title, recipe=recipe)

    def _element(self, i: int, name: str, number: Numbers, timing: _Timing) -> str:
        kind = shape(self.kinds[i])
        count = len(kind.parameters)
        (element, start), (_, end) = (kind.svg(geometry[i, :count], number) for geometry in self._geometry)
        paint = "fill" if kind.filled else "stroke"
        for attributes, rgba in zip((start, end), self._rgba, strict=True):
            attributes[paint] = colour(rgba[i])
            attributes[f"{paint}-opacity"] = compact(float(np.clip(rgba[i, 3], 0, 1)), 3)
        extra = "" if kind.filled else ' fill="none"'
        inner = "".join(
            _moved(start[key], end[key], timing) if key == "transform" else timing.animate(key, start[key], end[key])
            for key in start
        )
        written = " ".join(f'{key}="{value}"' for key, value in start.items())
        return f'<{element} id="{name}" {written}{extra}>{inner}</{element}>'


class Frames:
    """The pictures of a morph as a film, made when they are asked for.

    Args:
        morph: the way.
        loop: there and back.
        count: pictures.
    """

    def __init__(self, morph: Morph, loop: bool, count: int) -> None:
        self.morph, self.loop, self.count = morph, loop, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Scene | Blend:
        """The picture at ``index``; of a loop the last one is the first scene."""
        if not -self.count <= index < self.count:
            raise IndexError(index)
        index %= self.count
        if self.loop:
            turn = (index + 1) / self.count
            return self.morph.at(1 - abs(1 - 2 * turn))
        return self.morph.at(index / max(self.count - 1, 1))

    @cached_property
    def animated_svg(self) -> Callable[..., str]:
        """``Morph.animated_svg``, with ``loop`` said."""
        from functools import partial

        return partial(self.morph.animated_svg, loop=self.loop)


class _Unbounded(Numbers):
    """Angles go on past a whole turn: a shape must not turn back where the next angle is smaller."""

    def degrees(self, value: float) -> str:
        return compact(math.degrees(float(value)), 3)


@dataclass(frozen=True)
class _Timing:
    """When what moves is where."""

    easing: str
    seconds: float
    hold: float
    loop: bool

    @cached_property
    def _times(self) -> str:
        spline = EASINGS[self.easing][1]
        period = self.seconds + self.hold
        if self.loop:
            back = _mirrored(spline)
            keys, splines = "0;.5;1", f"{spline};{back}"
        elif self.hold > 0:
            keys, splines = f"0;{compact(self.seconds / period, 4)};1", f"{spline};0 0 1 1"
        else:
            keys, splines = "0;1", spline
        return (
            f'keyTimes="{keys}" calcMode="spline" keySplines="{splines}" dur="{compact(period, 3)}s" '
            'repeatCount="indefinite"'
        )

    def _values(self, start: str, end: str) -> str:
        return ";".join([start, end, start] if self.loop else [start, end, end] if self.hold > 0 else [start, end])

    def animate(self, name: str, start: str, end: str) -> str:
        """What moves one attribute; nothing where it stays."""
        if start == end:
            return ""
        return f'<animate attributeName="{name}" values="{self._values(start, end)}" {self._times}/>'

    def turn(self, function: str, start: str, end: str, added: bool) -> str:
        """The same for one function of a transformation; ``added`` to those before it."""
        more = ' additive="sum"' if added else ""
        values = f'values="{self._values(start, end)}"'
        return f'<animateTransform attributeName="transform" type="{function}"{more} {values} {self._times}/>'


def _mirrored(spline: str) -> str:
    """The control points of the way back: what was the end is the beginning."""
    x0, y0, x1, y1 = (float(value) for value in spline.split())
    return " ".join(compact(value, 5) for value in (1 - x1, 1 - y1, 1 - x0, 1 - y0))


def _moved(start: str, end: str, timing: _Timing) -> str:
    before, after = (dict(_FUNCTION.findall(text)) for text in (start, end))
    if before == after:
        return ""
    functions = list(before) if len(before) >= len(after) else list(after)
    return "".join(
        timing.turn(function, before.get(function, "0"), after.get(function, "0"), place > 0)
        for place, function in enumerate(functions)
    )


def _own(scene: Scene, i: int) -> np.ndarray:
    """The parameters of shape ``i``, without padding."""
    return scene.geometry[i, : len(shape(scene.kinds[i]).parameters)].astype(np.float64)


def _with_page(scene: Scene) -> Scene:
    """The scene with its background as its lowest shape, where it has one."""
    if scene.background is None:
        return scene
    w, h = scene.width / 2, scene.height / 2
    columns = max(scene.geometry.shape[1], 4)
    geometry = np.zeros((len(scene.kinds) + 1, columns), np.float32)
    geometry[0, :4] = w, h, w, h
    geometry[1:, : scene.geometry.shape[1]] = scene.geometry
    rgba = np.vstack([[*scene.background, 1.0], scene.rgba]).astype(np.float32)
    return Scene(("rectangle", *scene.kinds), geometry, rgba, None, scene.width, scene.height)


def cover(scene: Scene, width: float, height: float) -> Scene:
    """The scene at another extent: scaled as a whole until it covers that, its middle in the middle."""
    if (scene.width, scene.height) == (width, height):
        return scene
    scale = max(width / scene.width, height / scene.height)
    geometry = scene.geometry.astype(np.float64)
    for i, name in enumerate(scene.kinds):
        for column, parameter in enumerate(shape(name).parameters):
            if parameter.role in ("x", "y", "length"):
                geometry[i, column] *= scale
            if parameter.role in ("x", "y"):
                over = width - scale * scene.width if parameter.role == "x" else height - scale * scene.height
                geometry[i, column] += over / 2
    return replace(scene, geometry=geometry.astype(np.float32), width=width, height=height)
