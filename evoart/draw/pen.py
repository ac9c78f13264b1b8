"""Pen drawings: polylines of constant width with round ends, in pixels, as SVG that a plotter follows, and as SVG that
draws itself.

A pixel's coverage is that of a straight edge at the line's distance, the nearest segment deciding, so that joints and
overlaps within a stroke show no seams whatever its opacity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby, islice

import numpy as np

from evoart.draw.svg import Numbers, colour, compact, document

_PIECE = 48.0  # pixels: long segments are cut, or their boxes would be mostly empty


@dataclass(frozen=True, eq=False)
class PenDrawing:
    """Strokes in the order drawn.

    Attributes:
        strokes: ``(k, 2)`` float arrays of points in units; one point is a dot.
        colours: sRGB in [0, 1] of each stroke, ``(n, 3)``.
        line: width of every line in units.
        width, height: extent in units; the longer one is 1.
        background: sRGB in [0, 1], or None for a transparent background.
        groups: strokes of each sketch, in order; their sum is ``n``. Sketches of a sheet are drawn at the same time.
    """

    strokes: tuple[np.ndarray, ...]
    colours: np.ndarray
    line: float
    width: float
    height: float
    background: tuple[float, float, float] | None = (1.0, 1.0, 1.0)
    groups: tuple[int, ...] = field(default=())

    def sketches(self) -> Iterator[range]:
        """Indices of the strokes of each sketch."""
        first = 0
        for count in self.groups or (len(self.strokes),):
            yield range(first, first + count)
            first += count

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``types.Drawing``."""
        w, h = size
        first, last = rows or (0, h)
        out = np.zeros((last - first, w, 4), np.float32)
        if self.background is not None:
            out[...] = (*self.background, 1.0)
        scale = np.array([w / self.width, h / self.height])
        half = self.line * np.sqrt(scale[0] * scale[1]) / 2
        # Of one colour, the order does not matter: the union of many strokes is laid on at once.
        for rgb, members in groupby(range(len(self.strokes)), key=lambda i: tuple(self.colours[i])):
            segments = np.concatenate([_segments(self.strokes[i] * scale) for i in members])
            cover, (top, left) = _coverage(segments - (0, first, 0, first), half, (last - first, w))
            if cover.size:
                _lay(out[top : top + cover.shape[0], left : left + cover.shape[1]], rgb, cover)
        return out

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """Paths in the order drawn, a group for every sketch where there are several."""
        return self._on_paper(document(self._bare, size, self._elements, title=title, recipe=recipe, alpha=alpha))

    def animated_svg(
        self, size: tuple[int, int], seconds: float, hold: float, title: str = "", recipe: str = ""
    ) -> str:
        """The drawing as an SVG that draws itself within ``seconds``, stays for ``hold`` and begins again.

        CSS alone, so that it moves wherever browsers show pictures; whoever asked for less motion sees it finished.
        """
        period = seconds + hold
        # Styles and keyframes hold for the whole page that an SVG stands in: each drawing has its own names.
        every = b"".join(np.ascontiguousarray(stroke).tobytes() for stroke in self.strokes)
        name = f"pen-{hashlib.sha256(every + f'{size}{seconds}{hold}'.encode()).hexdigest()[:8]}"

        def elements(number: Numbers) -> Iterator[str]:
            rules: list[str] = []
            times = (seconds, period)
            lines = list(self._elements(number, lambda i, begin, end: _timed(rules, f"{name}-{i}", begin, end, *times)))
            yield f"<style>.{name} path{{stroke-dasharray:1;animation:{compact(period, 2)}s linear infinite}}"
            yield from rules
            yield f"@media (prefers-reduced-motion:reduce){{.{name} path{{animation:none}}}}</style>"
            yield f'<g class="{name}">'
            yield from lines
            yield "</g>"

        return self._on_paper(document(self._bare, size, elements, title=title, recipe=recipe))

    @property
    def _bare(self) -> PenDrawing:
        return replace(self, background=None)

    def _on_paper(self, text: str) -> str:
        """The document on a background of its colour: a style, for a rectangle would be drawn by a plotter too."""
        if self.background is None:
            return text
        return text.replace(' role="img">', f' role="img" style="background:{colour(self.background)}">', 1)

    @cached_property
    def _ways(self) -> list[float]:
        """How far the pen draws each stroke, in units."""
        return [_way(stroke) for stroke in self.strokes]

    def truncate(self, share: float) -> PenDrawing:
        """The drawing when ``share`` (0 to 1) of every sketch's way has been drawn."""
        strokes, colours, groups = [], [], []
        for members in self.sketches():
            ways = [self._ways[i] for i in members]
            left = share * sum(ways)
            count = 0
            for i, way in zip(members, ways, strict=True):
                if left <= 0 and share < 1:
                    break
                strokes.append(self.strokes[i] if share >= 1 or left >= way else _cut(self.strokes[i], left))
                colours.append(self.colours[i])
                left -= way
                count += 1
            groups.append(count)
        colours = np.array(colours, float).reshape(-1, 3)
        return PenDrawing(tuple(strokes), colours, self.line, self.width, self.height, self.background, tuple(groups))

    def _elements(self, number: Numbers, extra: object = None) -> Iterator[str]:
        shared = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
        yield f'<g {shared} stroke-width="{number.length(self.line)}">'
        several = len(self.groups) > 1
        shades, which = np.unique(self.colours, axis=0, return_inverse=True)
        named = [colour(shade) for shade in shades]
        names = [named[k] for k in which.reshape(-1)]
        paths = self._paths(number)
        for place, members in enumerate(self.sketches(), 1):
            inks = {names[i] for i in members}
            ink = f' stroke="{inks.pop()}"' if len(inks) == 1 else ""
            if several or ink:
                name = f' id="sketch-{place}"' if several else ""
                yield f"<g{name}{ink}>"
            ways = [self._ways[i] if callable(extra) else 0.0 for i in members]
            whole, passed = sum(ways) or 1.0, 0.0
            for i, way in zip(members, ways, strict=True):
                own = "" if ink else f' stroke="{names[i]}"'
                more = extra(i, passed / whole, (passed + way) / whole) if callable(extra) else ""
                yield f'<path{own}{more} d="{next(paths)}"/>'
                passed += way
            if several or ink:
                yield "</g>"
        yield "</g>"

    def _paths(self, number: Numbers) -> Iterator[str]:
        """Path data of each stroke; a dot is a line of no length, which round ends make visible."""
        written = iter(number.lengths(np.concatenate([np.zeros((0, 2)), *self.strokes])))
        points = map("{},{}".format, written, written)
        for stroke in self.strokes:
            kept = [point for point, _ in groupby(islice(points, len(stroke)))]
            yield f"M{kept[0]}h0" if len(kept) == 1 else f"M{' '.join(kept)}"


def _timed(rules: list[str], name: str, begin: float, end: float, seconds: float, period: float) -> str:
    """Add the keyframes ``name`` of a stroke that is drawn from ``begin`` to ``end`` (0 to 1) of the time, and return
    its attributes."""
    start, stop = (compact(100 * t * seconds / period, 3) for t in (begin, max(end, begin + 1e-3)))
    hidden = "stroke-dashoffset:1;visibility:hidden"
    rules.append(f"@keyframes {name}{{0%,{start}%{{{hidden}}}{stop}%,100%{{stroke-dashoffset:0;visibility:visible}}}}")
    return f' pathLength="1" style="animation-name:{name}"'


def _way(stroke: np.ndarray) -> float:
    """How far the pen draws, in units; a dot takes it a moment too."""
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum()) + 0.005


def _cut(stroke: np.ndarray, way: float) -> np.ndarray:
    """The first ``way`` units of a stroke."""
    steps = np.hypot(*np.diff(stroke, axis=0).T)
    passed = np.concatenate([[0.0], np.cumsum(steps)])
    whole = int(np.searchsorted(passed, way, side="right"))
    if whole >= len(stroke):
        return stroke
    share = (way - passed[whole - 1]) / max(steps[whole - 1], 1e-12)
    end = stroke[whole - 1] + share * (stroke[whole] - stroke[whole - 1])
    return np.vstack([stroke[:whole], end])


def _segments(points: np.ndarray) -> np.ndarray:
    """``(m, 4)``: x0 y0 x1 y1 in pixels, none longer than ``_PIECE``."""
    if len(points) == 1:
        return np.hstack([points, points])
    a, b = points[:-1], points[1:]
    pieces = np.maximum(1, np.ceil(np.hypot(*(b - a).T) / _PIECE)).astype(int)
    index = np.repeat(np.arange(len(a)), pieces)
    place = np.arange(len(index)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start = (place / pieces[index])[:, None]
    end = ((place + 1) / pieces[index])[:, None]
    way = (b - a)[index]
    return np.hstack([a[index] + start * way, a[index] + end * way])


def _coverage(segments: np.ndarray, half: float, shape: tuple[int, int]) -> tuple[np.ndarray, tuple[int, int]]:
    """Coverage ``(h, w)`` float32 of the union of segments within a canvas of ``shape``, and its top left corner."""
    h, w = shape
    reach = half + 1
    low = np.floor(np.minimum(segments[:, :2], segments[:, 2:]) - reach).astype(int)
    high = np.ceil(np.maximum(segments[:, :2], segments[:, 2:]) + reach).astype(int)
    low, high = np.clip(low, 0, (w, h)), np.clip(high, 0, (w, h))
    seen = np.flatnonzero((low < high).all(1))
    if not len(seen):
        return np.zeros((0, 0), np.float32), (0, 0)
    (left, top), (right, bottom) = low[seen].min(0), high[seen].max(0)
    out = np.zeros((bottom - top, right - left), np.float32)
    full = min(1.0, 2 * half)  # a line thinner than a pixel is as much paler
    for i in seen:
        (x0, y0), (x1, y1) = low[i], high[i]
        xs = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5 - segments[i, 0])
        ys = np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(0.5 - segments[i, 1])
        dx, dy = (segments[i, 2:] - segments[i, :2]).astype(np.float32)
        square = dx * dx + dy * dy
        t = np.clip((xs * dx + ys * dy) / square, 0, 1) if square > 0 else np.float32(0)
        distance = np.hypot(xs - t * dx, ys - t * dy)
        cover = np.clip(np.float32(max(half, 0.5) + 0.5) - distance, 0, 1) * np.float32(full)
        place = out[y0 - top : y1 - top, x0 - left : x1 - left]
        np.maximum(place, cover, out=place)
    return out, (int(top), int(left))


def _lay(under: np.ndarray, rgb: tuple[float, ...], cover: np.ndarray) -> None:
    """Lay a colour over ``under (h, w, 4)``, straight sRGB and opacity, in place."""
    before = under[..., 3] * (1 - cover)
    alpha = before + cover
    share = np.divide(cover, alpha, out=np.zeros_like(cover), where=alpha > 0)[..., None]
    under[..., :3] += share * (np.asarray(rgb, np.float32) - under[..., :3])
    under[..., 3] = alpha
