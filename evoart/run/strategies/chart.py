"""The film: a panel for each strategy, with what it does above and how far it has come below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.run.strategies.landscapes import Landscape
from evoart.run.strategies.traces import PictureTrace, Trace, title_of
from evoart.types import Image

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from PIL.ImageDraw import ImageDraw

PAPER, INK, FAINT = (251, 250, 246), (38, 40, 48), (150, 150, 150)
SAMPLE, MEAN, BEST = (244, 166, 60), (205, 42, 84), (255, 255, 255)
PAST = (31, 90, 120)
# From the lowest value to the highest: dark where the strategies want to go.
HEAT = np.array([(24, 42, 84), (38, 92, 126), (96, 154, 160), (176, 202, 188), (232, 230, 210), (247, 243, 230)], float)
COLOURS = 224  # of a flat chart
_TALLEST = 1.3  # height to width of a panel; what is taller is shown less wide
BANDS = 14  # of values in a heat map
_OVER = 2  # pixels drawn for each one that is shown
_WIDE = 320  # of a panel, in the units that follow; all of them are pixels of a film as wide as that
_TITLE, _CURVE, _GAP, _HEAD, _FOOT = 26, 46, 20, 56, 40


@dataclass(frozen=True)
class Curve:
    """How far a strategy has come: ``heights`` ``(moments,)`` in [0, 1], 1 the best, and what is written for each."""

    heights: np.ndarray
    words: Sequence[str]


@dataclass(frozen=True)
class Panel:
    """One cell of the film.

    Attributes:
        title: over it.
        curve: under it; None: there is none.
        background: ``(width) -> (height, width, 3)`` uint8 pixels, what does not move.
        draw: draws moment ``i`` into a square whose corner and side in pixels are given.
    """

    title: str
    curve: Curve | None
    background: Callable[[int], np.ndarray]
    draw: Callable[[ImageDraw, PillowImage, int, tuple[int, int], int], None]


@dataclass(eq=False)
class Chart:
    """All panels.

    Attributes:
        title: on top.
        panels: row by row.
        moments: of the film.
        says: moment to what stands at the top right.
        legend: whether it is said what the marks mean.
        flat: of few colours, as charts are and pictures are not.
        proportion: height to width of what is shown in a panel.
    """

    title: str
    panels: list[Panel]
    moments: int
    says: Callable[[int], str]
    legend: bool
    flat: bool
    proportion: float = 1.0
    _still: dict[int, PillowImage] = field(default_factory=dict)
    _palette: tuple[int, PillowImage] | None = None

    @property
    def columns(self) -> int:
        """Panels in a row: as many as rows, or one more."""
        return int(np.ceil(np.sqrt(len(self.panels))))

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in units of a panel's own."""
        rows = -(-len(self.panels) // self.columns)
        height = _HEAD + rows * self._row + (_FOOT if self.legend else 0)
        return self.columns * (_WIDE + _GAP) + _GAP, height

    @property
    def _row(self) -> float:
        return _TITLE + _WIDE * self.proportion + _CURVE + _GAP

    def image(self, moment: int, width: int) -> Image:
        """Moment ``moment`` as ``(h, w, 3)`` float32 in [0, 1], ``width`` pixels wide."""
        from PIL import Image

        picture = self._draw(moment, width)
        if self.flat:
            if self._palette is None or self._palette[0] != width:
                self._palette = width, self._choose_palette(width)
            picture = picture.quantize(palette=self._palette[1], dither=Image.Dither.NONE).convert("RGB")
        return np.asarray(picture, np.float32) / np.float32(255)

    def _choose_palette(self, width: int) -> PillowImage:
        """The colours of all moments, from a few: what does not move is then the same in all, and costs a film
        nothing."""
        from PIL import Image

        few = [self._draw(moment, width) for moment in sorted({0, self.moments // 3, self.moments - 1})]
        together = Image.fromarray(np.concatenate([np.asarray(each) for each in few]))
        return together.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=2)

    def _draw(self, moment: int, width: int) -> PillowImage:
        from PIL import ImageDraw

        wide, tall = self.extent
        height = round(width * tall / wide)
        scale = width * _OVER / wide
        if width not in self._still:
            self._still.clear()
            self._still[width] = self._draw_still(width, height, scale)
        picture = self._still[width].copy()
        draw = ImageDraw.Draw(picture)
        write = _Writer(draw, scale)
        write(wide - _GAP, _HEAD / 2, self.says(moment), 15, FAINT, "rm")
        for index, panel in enumerate(self.panels):
            x, y = self._corner(index)
            side = round(_WIDE * scale)
            panel.draw(draw, picture, moment, (round(x * scale), round((y + _TITLE) * scale)), side)
            if panel.curve is not None:
                write(x + _WIDE, y + _TITLE / 2, panel.curve.words[moment], 15, INK, "rm")
                self._draw_curve(draw, panel.curve, moment, x, y, scale)
        return picture.reduce(_OVER)

    def _corner(self, index: int) -> tuple[float, float]:
        row, column = divmod(index, self.columns)
        return _GAP + column * (_WIDE + _GAP), _HEAD + row * self._row

    def _draw_still(self, width: int, height: int, scale: float) -> PillowImage:
        from PIL import Image, ImageDraw

        picture = Image.new("RGB", (width * _OVER, height * _OVER), PAPER)
        draw = ImageDraw.Draw(picture)
        write = _Writer(draw, scale)
        write(_GAP, _HEAD / 2, self.title, 21, INK, "lm")
        for index, panel in enumerate(self.panels):
            x, y = self._corner(index)
            write(x, y + _TITLE / 2, panel.title, 17, INK, "lm")
            side = round(_WIDE * scale)
            picture.paste(Image.fromarray(panel.background(side)), (round(x * scale), round((y + _TITLE) * scale)))
            if panel.curve is not None:
                self._draw_curve(draw, panel.curve, None, x, y, scale)
        if self.legend:
            self._draw_legend(draw, write, self.extent[1] - _FOOT / 2 - 4, scale)
        return picture

    def _draw_curve(self, draw: ImageDraw, curve: Curve, moment: int | None, x: float, y: float, scale: float) -> None:
        """The whole way faintly, or what is past (up to ``moment``) in colour."""
        top, high = y + _TITLE + _WIDE * self.proportion + 10, _CURVE - 16
        count = len(curve.heights)
        last = count if moment is None else moment + 1
        points = [
            ((x + _WIDE * i / max(count - 1, 1)) * scale, (top + high * (1 - float(curve.heights[i]))) * scale)
            for i in range(last)
        ]
        if moment is None:
            base = (top + high + 3) * scale
            draw.line([(x * scale, base), ((x + _WIDE) * scale, base)], (214, 212, 204), max(1, round(scale)))
        if len(points) > 1:
            colour = (214, 212, 204) if moment is None else PAST
            draw.line(points, colour, round((1.5 if moment is None else 2.2) * scale), joint="curve")
        if moment is not None:
            _dot(draw, points[-1], 3.6 * scale, PAST, None, 0)

    def _draw_legend(self, draw: ImageDraw, write: _Writer, y: float, scale: float) -> None:
        x = float(_GAP) + 6
        marks: list[tuple[str, Callable[[float, float], None]]] = [
            ("samples", lambda a, b: _dot(draw, (a, b), 4.5 * scale, SAMPLE, INK, scale)),
            ("mean", lambda a, b: _cross(draw, (a, b), 6 * scale, scale)),
            ("two standard deviations", lambda a, b: _ring(draw, (a, b), 8 * scale, scale)),
            ("best so far", lambda a, b: _diamond(draw, (a, b), 6.5 * scale, scale)),
        ]
        for label, mark in marks:
            mark(x * scale, y * scale)
            x = write(x + 14, y, label, 15, INK, "lm") + 26
        write(self.extent[0] - _GAP, y, "curves: best so far, logarithm", 15, FAINT, "rm")


def landscape_chart(landscape: Landscape, traces: Sequence[Trace], seed: int = 0) -> Chart:
    """The film of strategies on a landscape; ``seed`` is the place of the run among those of the traces."""
    moments = traces[0].values.shape[1]
    top = float(max(each.best[seed, 0] for each in traces))

    def panel(each: Trace) -> Panel:
        best = np.maximum(each.best[seed], landscape.floor)
        span = np.log(top / landscape.floor)
        heights = np.clip(np.log(top / best) / span, 0, 1)
        words = [_plain(float(value), landscape.floor) for value in each.best[seed]]

        def draw(draw: ImageDraw, picture: PillowImage, moment: int, corner: tuple[int, int], side: int) -> None:
            _draw_search(draw, each, seed, moment, landscape, corner, side)

        return Panel(title_of(each.name), Curve(heights, words), lambda side: _heat(landscape, side), draw)

    title = f"Evolution strategies on {landscape.title}"

    def says(moment: int) -> str:
        return f"generation {moment + 1} of {moments}, {(moment + 1) * traces[0].population:,} evaluations"

    return Chart(title, [panel(each) for each in traces], moments, says, True, True)


def picture_chart(photograph: Image, traces: Sequence[PictureTrace], evaluations: int, label: str) -> Chart:
    """The film of strategies that move the shapes of a picture; the first panel is the photograph.

    Args:
        photograph: ``(h, w, 3)`` float32 in [0, 1].
        evaluations: budget of each.
        label: what they move: ``50 triangles``.
    """
    moments = len(traces[0].drawings)
    low = min(float(each.psnr[0]) for each in traces)
    high = max(float(each.psnr[-1]) for each in traces)
    h, w = photograph.shape[:2]
    proportion = min(h / w, _TALLEST)

    def fitted(side: int) -> tuple[int, int]:
        scale = min(side / w, side * proportion / h)
        return round(w * scale), round(h * scale)

    def place(picture: np.ndarray, side: int) -> np.ndarray:
        high = max(round(side * proportion), picture.shape[0])
        out = np.empty((high, side, 3), np.uint8)
        out[:] = PAPER
        top, left = (high - picture.shape[0]) // 2, (side - picture.shape[1]) // 2
        out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        return out

    def still(side: int) -> np.ndarray:
        from PIL import Image

        levels = Image.fromarray(np.rint(np.clip(photograph, 0, 1) * 255).astype(np.uint8))
        return place(np.asarray(levels.resize(fitted(side), Image.Resampling.LANCZOS)), side)

    def nothing(*_: Any) -> None:
        return None

    def panel(each: PictureTrace) -> Panel:
        heights = np.clip((each.psnr - low) / max(high - low, 1e-9), 0, 1)

        def draw(draw: ImageDraw, picture: PillowImage, moment: int, corner: tuple[int, int], side: int) -> None:
            from PIL import Image

            size = fitted(side // _OVER)  # smooth already: no need for more
            levels = np.rint(each.drawings[moment].paint(size)[..., :3] * 255).astype(np.uint8)
            shown = np.asarray(Image.fromarray(levels).resize(fitted(side)))
            picture.paste(Image.fromarray(place(shown, side)), corner)

        blank = np.array(PAPER, np.uint8)
        words = [f"{value:.1f} dB" for value in each.psnr]
        curve = Curve(heights, words)
        return Panel(title_of(each.name), curve, lambda side: np.broadcast_to(blank, (1, side, 3)).copy(), draw)

    def says(moment: int) -> str:
        return f"{round(evaluations * moment / max(moments - 1, 1)):,} of {evaluations:,} evaluations"

    panels = [Panel("The photograph", None, still, nothing), *(panel(each) for each in traces)]
    return Chart(f"{label}, moved by evolution strategies", panels, moments, says, False, False, proportion)


def _plain(value: float, floor: float) -> str:
    """A value with two figures, ``0`` below ``floor``."""
    if value <= floor:
        return "0"
    return f"{value:.2f}" if value >= 0.1 else f"{float(f'{value:.1e}'):.7f}".rstrip("0")


def _heat(landscape: Landscape, side: int) -> np.ndarray:
    """The landscape from above, ``(side, side, 3)`` uint8: bands of equal value with faint lines between them; y up."""
    line = (np.arange(side) + 0.5) / side * 2 * landscape.reach - landscape.reach
    places = np.stack(np.meshgrid(line, -line), -1)
    values = landscape.values(np, places)
    share = (values - values.min()) / max(float(np.ptp(values)), 1e-12)
    band = np.minimum((np.sqrt(share) * BANDS).astype(int), BANDS - 1)  # finer where it is low
    at = band / (BANDS - 1) * (len(HEAT) - 1)
    low = np.minimum(at.astype(int), len(HEAT) - 2)
    colours = HEAT[low] + (at - low)[..., None] * (HEAT[low + 1] - HEAT[low])
    edge = np.zeros(band.shape, bool)
    edge[:, 1:] |= band[:, 1:] != band[:, :-1]
    edge[1:] |= band[1:] != band[:-1]
    colours[edge] = colours[edge] * 0.9
    return np.rint(colours).astype(np.uint8)


def _draw_search(
    draw: ImageDraw, each: Trace, seed: int, moment: int, landscape: Landscape, corner: tuple[int, int], side: int
) -> None:
    """Samples, mean, ellipse and best so far of one generation, within the square."""
    unit = side / _WIDE
    left, top = corner

    def pixel(place: np.ndarray) -> tuple[float, float]:
        x, y = place / landscape.reach / 2 + 0.5
        return left + float(x) * side, top + float(1 - y) * side

    def inside(point: tuple[float, float], margin: float) -> bool:
        return left + margin <= point[0] <= left + side - margin and top + margin <= point[1] <= top + side - margin

    for place in each.samples[seed, moment]:
        if inside(point := pixel(place), 4.5 * unit):
            _dot(draw, point, 3.6 * unit, SAMPLE, INK, 0.8 * unit)
    if each.means is not None and each.covariances is not None:
        values, vectors = np.linalg.eigh(each.covariances[seed, moment])
        angle = np.linspace(0, 2 * np.pi, 73)
        circle = np.stack([np.cos(angle), np.sin(angle)]) * 2 * np.sqrt(np.maximum(values, 0))[:, None]
        points = [pixel(each.means[seed, moment] + vectors @ c) for c in circle.T]
        for a, b in zip(points[:-1], points[1:], strict=True):
            if inside(a, unit) and inside(b, unit):
                draw.line([a, b], MEAN, round(2.2 * unit))
        if inside(point := pixel(each.means[seed, moment]), 6 * unit):
            _cross(draw, point, 6 * unit, unit)
    if inside(point := pixel(each.best_place(seed, moment)), 7 * unit):
        _diamond(draw, point, 6 * unit, unit)


def _dot(draw: ImageDraw, at: tuple[float, float], radius: float, fill: Any, outline: Any, width: float) -> None:
    x, y = at
    draw.ellipse(
        (x - radius, y - radius, x + radius, y + radius), fill, outline, max(round(width), 1) if outline else 0
    )


def _cross(draw: ImageDraw, at: tuple[float, float], radius: float, unit: float) -> None:
    x, y = at
    for colour, width in (((255, 255, 255), 5), (MEAN, 2.6)):
        draw.line((x - radius, y, x + radius, y), colour, round(width * unit))
        draw.line((x, y - radius, x, y + radius), colour, round(width * unit))


def _ring(draw: ImageDraw, at: tuple[float, float], radius: float, unit: float) -> None:
    x, y = at
    draw.ellipse((x - radius, y - radius * 0.7, x + radius, y + radius * 0.7), None, MEAN, round(2.2 * unit))


def _diamond(draw: ImageDraw, at: tuple[float, float], radius: float, unit: float) -> None:
    x, y = at
    corners = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)]
    draw.polygon(corners, BEST, INK, max(1, round(1.4 * unit)))


class _Writer:
    """Writes text in the chart's units."""

    def __init__(self, draw: ImageDraw, scale: float) -> None:
        self.draw, self.scale = draw, scale

    def __call__(self, x: float, y: float, text: str, size: float, colour: Any, anchor: str) -> float:
        """Write and return where the text ends."""
        from PIL import ImageFont

        font = ImageFont.load_default(round(size * self.scale))
        self.draw.text((x * self.scale, y * self.scale), text, colour, font, anchor)
        return x + self.draw.textlength(text, font) / self.scale
