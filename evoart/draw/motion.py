"""Shapes of a finished scene that move: one after another they grow, they fly in, they fly apart and come back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from evoart.draw.layout import layout
from evoart.draw.scene import Scene, svg_elements, svg_symbols
from evoart.draw.shapes import shape
from evoart.draw.svg import Numbers, compact, document
from evoart.errors import unknown

_GOLDEN = np.pi * (3 - 5**0.5)  # radians: directions of shapes in the middle, spread evenly
_REST = 0.12  # share of an explosion at either end during which the picture is whole


@dataclass(frozen=True)
class _Style:
    """How shapes come.

    Attributes:
        window: share of the time that each one takes.
        scale: its size at first.
        way: how far it flies, in units.
        fade: whether it is transparent at first.
    """

    window: float
    scale: float
    way: float
    fade: bool


STYLES = {
    "grow": _Style(0.08, 0.3, 0.0, True),
    "glide": _Style(0.45, 1.0, 1.3, True),
    "explode": _Style(1.0, 0.75, 0.4, False),
}


class Motion:
    """A scene in motion.

    Args:
        scene: the finished picture, with which ``grow`` and ``glide`` end and ``explode`` begins and ends.
        style: a name of ``STYLES``.

    Raises:
        UsageError: an unknown style.
    """

    def __init__(self, scene: Scene, style: str) -> None:
        if style not in STYLES:
            raise unknown("film style", style, STYLES)
        self.scene, self.style, self.loop = scene, STYLES[style], style == "explode"
        count = len(scene.kinds)
        window = 1.0 if self.loop else max(self.style.window, min(1.0, 2.0 / max(count, 1)))
        self._starts = np.arange(count) / max(count - 1, 1) * (1 - window)
        self._window = window
        middle = np.array([scene.width, scene.height]) / 2
        away = self._centres - middle
        length = np.hypot(*away.T)
        angle = _GOLDEN * np.arange(count)
        spread = np.stack([np.cos(angle), np.sin(angle)], -1)
        direction = np.where(length[:, None] > 0.02, away / np.maximum(length, 1e-9)[:, None], spread)
        far = 1.0 if not self.loop else (0.35 + (np.arange(count) * 0.6180339887 % 1))[:, None]
        self._offsets = direction * far * self.style.way

    @cached_property
    def _centres(self) -> np.ndarray:
        """The middle of each shape's box, ``(k, 2)`` in units: what a shape grows from."""
        plan = layout(self.scene.kinds, 32)
        points, _ = plan.outlines(np, self.scene.geometry.astype(np.float64), np.ones(2))
        parts = [points[a:b] for a, b in zip(plan.start[:-1], plan.start[1:], strict=True)]
        return np.array([(part.min(0) + part.max(0)) / 2 for part in parts]).reshape(-1, 2)

    def at(self, time: float) -> Scene:
        """The picture at ``time``, 0 to 1."""
        if time >= 1:
            return self.scene
        if self.loop:
            turn = np.clip((0.5 - abs(time - 0.5) - _REST) / (0.5 - _REST), 0, 1)
            left = np.full(len(self._starts), turn * turn * (3 - 2 * turn))
            seen = np.ones(len(self._starts))
        else:
            passed = np.clip((time - self._starts) / self._window, 0, 1)
            left = (1 - passed) ** 3
            seen = np.minimum(1, 2.5 * passed) if self.style.fade else (passed > 0).astype(float)
        if not left.any() and seen.all():
            return self.scene
        kept = np.flatnonzero(seen > 0)
        scene = self.scene
        scale = (1 - (1 - self.style.scale) * left)[kept]
        kinds = tuple(scene.kinds[i] for i in kept)
        moved = _place(kinds, scene.geometry[kept], self._centres[kept], scale, (self._offsets * left[:, None])[kept])
        rgba = scene.rgba[kept].copy()
        rgba[:, 3] *= seen[kept]
        return replace(scene, kinds=kinds, geometry=moved, rgba=rgba)

    def keyframes(self, i: int, number: Numbers, seconds: float, period: float, loop: bool) -> str:
        """The body of a CSS ``@keyframes`` rule of shape ``i``.

        Args:
            seconds, period: how long the motion takes, and with what follows it until it begins again.
            loop: there and back.
        """
        x, y = (number.length(value) for value in self._offsets[i])
        place = "" if (x, y) == ("0", "0") else f"translate({x}px,{y}px)"
        place += "" if self.style.scale == 1 else f"scale({compact(self.style.scale, 3)})"
        away = ("opacity:0;" if self.style.fade else "") + f"transform:{place}"
        home = ("opacity:1;" if self.style.fade else "") + "transform:none"

        def at(share: float) -> str:
            return f"{compact(100 * share * seconds / period, 2)}%"

        if self.loop:
            ease = ";animation-timing-function:cubic-bezier(.333,0,.667,1)"
            return f"0%,{at(_REST)}{{{home}{ease}}}{at(0.5)}{{{away}{ease}}}{at(1 - _REST)},100%{{{home}}}"
        start, end = float(self._starts[i]), float(self._starts[i]) + self._window
        out = ";animation-timing-function:cubic-bezier(.333,1,.667,1)"
        if not loop:
            return f"0%,{at(start)}{{{away}{out}}}{at(end)},100%{{{home}}}"
        back = ";animation-timing-function:cubic-bezier(.333,0,.667,0)"
        start, end = start * 0.45, end * 0.45  # and stays for a tenth
        first, last = f"0%,{at(start)}{{{away}{out}}}", f"{at(1 - start)},100%{{{away}}}"
        return f"{first}{at(end)},{at(1 - end)}{{{home}{back}}}{last}"


def _place(
    kinds: tuple[str, ...], geometry: np.ndarray, centres: np.ndarray, scale: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Geometry ``(k, g)`` scaled about ``centres`` ``(k, 2)`` and moved by ``offsets``."""
    out = geometry.astype(np.float64)
    for i, name in enumerate(kinds):
        for column, parameter in enumerate(shape(name).parameters):
            if parameter.role == "length":
                out[i, column] *= scale[i]
            elif parameter.role in ("x", "y"):
                axis = "xy".index(parameter.role)
                out[i, column] += (scale[i] - 1) * (out[i, column] - centres[i, axis]) + offsets[i, axis]
    return out.astype(np.float32)


def animated_svg(
    scene: Scene,
    style: str,
    size: tuple[int, int],
    seconds: float,
    hold: float,
    *,
    title: str = "",
    recipe: str = "",
    loop: bool = False,
    alpha: np.ndarray | None = None,
) -> str:
    """The scene as an SVG whose shapes come within ``seconds``, stay for ``hold`` and come again.

    By CSS, so that it moves wherever browsers show pictures. Programs that know no CSS, and whoever asked for less
    motion, show the finished picture.

    Args:
        style: a name of ``STYLES``.
        loop: there and back.
    """
    motion = Motion(scene, style)
    period = seconds if loop or motion.loop else seconds + hold
    digest = hashlib.sha256(scene.geometry.tobytes() + scene.rgba.tobytes() + f"{style}{size}{seconds}{hold}".encode())
    name = f"{style}-{digest.hexdigest()[:8]}"  # rules hold for the whole page that an SVG stands in

    def elements(number: Numbers) -> Iterator[str]:
        count = len(scene.kinds)
        box = "transform-box:fill-box;transform-origin:center"
        yield f"<style>.{name}>g{{{box};animation:{compact(period, 2)}s linear infinite}}"
        for i in range(count):
            yield f"@keyframes {name}-{i}{{{motion.keyframes(i, number, seconds, period, loop)}}}"
        yield f"@media (prefers-reduced-motion:reduce){{.{name}>g{{animation:none}}}}</style>"
        yield from svg_symbols(scene.kinds)
        yield f'<g class="{name}">'
        for i in range(count):
            one = Scene(scene.kinds[i : i + 1], scene.geometry[i : i + 1], scene.rgba[i : i + 1], None, 1, 1)
            yield f'<g style="animation-name:{name}-{i}">{"".join(svg_elements(one, number))}</g>'
        yield "</g>"

    return document(scene, size, elements, title=title, recipe=recipe, alpha=alpha)
