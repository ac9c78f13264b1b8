"""The form of letters: a genome is the points of their curves, so that a picture needs no model to be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from evoart.draw.scanline import paint
from evoart.draw.shapes.stamp import join
from evoart.draw.svg import Numbers, colour, document
from evoart.forms.plain import FARTHEST, numbers
from evoart.glyph.letters import LETTERS
from evoart.glyph.trace import Outline, flatten, is_line
from evoart.glyph.truetype import encode_font
from evoart.types import Genome, Image

MOST = 4096  # letters of a picture; curves of a letter
_BAND = 64  # rows that are drawn at a time
_FLATTENED = 8  # straight pieces of a curve, of small pictures; twice as many of large ones
RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Mark:
    """A letter on the page.

    Attributes:
        letter: which one.
        curves: quadratic curves of each of its contours.
        x, y: its origin in units: where it begins on the baseline.
        advance: from there to the next letter's origin, in cap heights.
    """

    letter: str
    curves: tuple[int, ...]
    x: float
    y: float
    advance: float


@dataclass(frozen=True)
class GlyphsForm:
    """Letters on a page. A genome is, curve by curve, control point and end, in units.

    Attributes:
        marks: the letters.
        cap: height of an H in units.
        width, height: extent of the page in units; the longer one is 1.
        ink, background: sRGB in [0, 1]; a background of None is transparent.
        style: the latent vector that all letters have, empty where they have none in common.
        model: digest of the model that drew them.
    """

    name: ClassVar[str] = "glyphs"
    marks: tuple[Mark, ...]
    cap: float = 0.5
    width: float = 1.0
    height: float = 1.0
    ink: RGB = (0.0, 0.0, 0.0)
    background: RGB | None = (1.0, 1.0, 1.0)
    style: tuple[float, ...] = ()
    model: str = ""

    @property
    def dim(self) -> int:
        """See ``Form.dim``: four numbers a curve."""
        return 4 * sum(sum(mark.curves) for mark in self.marks)

    @property
    def text(self) -> str:
        """The letters, one after another."""
        return "".join(mark.letter for mark in self.marks)

    @property
    def label(self) -> str:
        """``the letter A``; ``62 letters``."""
        return f"the letter {self.text}" if len(self.marks) == 1 else f"{len(self.marks)} letters"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        contours = sum(len(mark.curves) for mark in self.marks)
        return f"{self.label} of {contours:,} contours, {self.dim // 4:,} curves"

    def split(self, genome: Genome) -> list[tuple[Mark, list[np.ndarray]]]:
        """Every letter with the curves ``(k, 2, 2)`` of its contours, in units."""
        points = np.clip(np.asarray(genome, np.float64), -FARTHEST, FARTHEST).reshape(-1, 2, 2)
        ends = np.cumsum([count for mark in self.marks for count in mark.curves])
        parts = iter(np.split(points, ends[:-1]) if len(ends) else [])
        return [(mark, [next(parts) for _ in mark.curves]) for mark in self.marks]

    def outlines(self, genome: Genome) -> list[tuple[str, list[np.ndarray], float]]:
        """Every letter once: its contours in cap heights from its origin, y up, and its advance."""
        found: dict[str, tuple[str, list[np.ndarray], float]] = {}
        for mark, contours in self.split(genome):
            scaled = [(each - (mark.x, mark.y)) * (1, -1) / self.cap for each in contours]
            found.setdefault(mark.letter, (mark.letter, scaled, mark.advance))
        return list(found.values())

    def drawing(self, genome: Genome) -> GlyphsDrawing:
        """See ``Form.drawing``."""
        return GlyphsDrawing(self, genome)

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """Scribbles where the letters are."""
        points = [
            (mark.x, mark.y) + self.cap * rng.uniform((0, -1), (0.7, 0), (sum(mark.curves), 2, 2))
            for mark in self.marks
        ]
        return np.concatenate([np.zeros((0, 2, 2)), *points]).ravel().astype(np.float32)

    def steps(self) -> np.ndarray:
        """A step of 1 moves a point by a twentieth of a cap height."""
        return np.full(self.dim, self.cap / 20, np.float32)

    def finalised(self, genome: Genome) -> tuple[Self, Genome]:
        """See ``Form.finalised``."""
        return self, np.clip(np.nan_to_num(np.asarray(genome, np.float32)), -FARTHEST, FARTHEST)

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        if not (np.abs(genome) <= FARTHEST).all():
            raise ValueError("points")

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        marks = [[m.letter, list(m.curves), m.x, m.y, m.advance] for m in self.marks]
        return {
            "marks": marks, "cap": self.cap, "width": self.width, "height": self.height, "ink": list(self.ink),
            "background": None if self.background is None else list(self.background),
            "style": list(self.style), "model": self.model,
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``."""
        marks = plain["marks"]
        if not isinstance(marks, list) or not 1 <= len(marks) <= MOST or not isinstance(plain["style"], list):
            raise ValueError("marks, or the style")
        width, height, cap = numbers(plain["width"], plain["height"], plain["cap"], low=1e-6, high=1)
        if max(width, height) != 1 or not isinstance(plain["model"], str) or len(plain["model"]) > 64:
            raise ValueError("the page, or the model")
        back = plain["background"]
        style = numbers(*plain["style"], low=-FARTHEST, high=FARTHEST)
        return cls(
            tuple(map(_mark, marks)), cap, width, height, _rgb(plain["ink"]), None if back is None else _rgb(back),
            style, plain["model"],
        )  # fmt: skip

    def with_structure(self, structure: Any) -> Self:
        """See ``Form.with_structure``: a form of its own."""
        return structure

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[Any, Genome] | None:
        """Along straight lines where both have the same curves; see ``Form.between``. The way through styles needs the
        model: evoart glyph interpolate."""
        if not isinstance(other, GlyphsForm) or [m.curves for m in self.marks] != [m.curves for m in other.marks]:
            return None
        mixed = (np.asarray(genome, np.float64) * (1 - share) + np.asarray(after, np.float64) * share).astype(
            np.float32
        )
        return (self if share < 0.5 else replace(other, width=self.width, height=self.height)), mixed


def _mark(plain: Any) -> Mark:
    letter, curves, x, y, advance = plain
    if not isinstance(letter, str) or len(letter) != 1 or letter not in LETTERS:
        raise ValueError("a letter")
    if not isinstance(curves, list) or len(curves) > MOST:
        raise ValueError("contours")
    if not all(isinstance(count, int) and not isinstance(count, bool) and 1 <= count <= MOST for count in curves):
        raise ValueError("curves")
    return Mark(letter, tuple(curves), *numbers(x, y, low=-FARTHEST, high=FARTHEST), *numbers(advance, low=0, high=100))


def _rgb(plain: Any) -> RGB:
    r, g, b = numbers(*plain, low=0, high=1)
    return r, g, b


class GlyphsDrawing:
    """Letters of one colour on a page; see ``GlyphsForm``."""

    def __init__(self, form: GlyphsForm, genome: Genome) -> None:
        self.form, self.genome = form, genome
        self.width, self.height, self.background = form.width, form.height, form.background

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``; anti-aliased by exact area."""
        w, h = size
        top, bottom = rows or (0, h)
        pieces = _FLATTENED * (2 if max(w, h) > 1024 else 1)
        scale = np.array([w / self.width, h / self.height])
        rings = [join([flatten(each, pieces) * scale for each in contours])
                 for _, contours in self.form.split(self.genome) if contours]  # fmt: skip
        points = np.concatenate([np.zeros((0, 2)), *rings])
        start = np.cumsum([0, *map(len, rings)])
        widths = np.zeros(len(rings), np.float32)
        rgba = np.tile(np.array([*self.form.ink, 1.0], np.float32), (len(rings), 1))
        out = np.empty((bottom - top, w, 4), np.float32)
        for y in range(top, bottom, _BAND):
            band = np.zeros((4, min(_BAND, bottom - y), w), np.float32)
            if self.background is not None:
                band[:3] = np.asarray(self.background, np.float32)[:, None, None]
                band[3] = 1
            if rings:
                paint(band, (points - (0, y)).astype(np.float32), start, widths, rgba)
            out[y - top : y - top + _BAND] = band.transpose(1, 2, 0)
        if self.background is None:
            out[..., :3] /= np.maximum(out[..., 3:], 1e-6)
        return np.clip(out, 0, 1, out=out)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """A path for every letter."""
        return document(self, size, self._paths, title=title, recipe=recipe, alpha=alpha)

    def _paths(self, number: Numbers) -> Iterator[str]:
        yield f'<g fill="{colour(self.form.ink)}">'
        for _, contours in self.form.split(self.genome):
            if contours:
                yield f'<path d="{"".join(_path(each, number) for each in contours)}"/>'
        yield "</g>"

    def font(self, title: str = "", recipe: str = "") -> bytes:
        """The letters as a TrueType font; see ``glyph.truetype``."""
        return encode_font(self.form.outlines(self.genome), title, recipe)


def _path(curves: np.ndarray, number: Numbers) -> str:
    """The path data of a contour ``(k, 2, 2)``."""

    def place(point: np.ndarray) -> str:
        return f"{number.length(point[0])} {number.length(point[1])}"

    parts, last = [f"M{place(curves[-1, 1])}"], curves[-1, 1]
    for control, end in curves:
        parts.append(f"L{place(end)}" if is_line(last, control, end) else f"Q{place(control)} {place(end)}")
        last = end
    return "".join([*parts, "Z"])


def set_lines(
    lines: Sequence[Sequence[tuple[str, Outline]]],
    *,
    ink: RGB = (0.0, 0.0, 0.0),
    background: RGB | None = (1.0, 1.0, 1.0),
    style: Sequence[float] = (),
    model: str = "",
    page: tuple[float, float] | None = None,
    leading: float = 1.9,
    margin: float = 0.5,
) -> tuple[GlyphsForm, Genome]:
    """A page of lines of letters, each line in the middle.

    Args:
        lines: letters and outlines of each line; a space is ``(" ", any)``, half a letter wide.
        page: width and height in cap heights; None: what the lines need. Lines that are too long are made smaller.
        leading: from one baseline to the next, in cap heights.
        margin: around all, in cap heights, where the page has no size of its own.
    """
    widths = [sum(_advance(letter, outline) for letter, outline in line) for line in lines]
    needed = max([*widths, 0.5]) + 2 * margin, leading * (len(lines) - 1) + 1.8 + 2 * margin
    wide, tall = page or needed
    shrink = min(1.0, wide / needed[0], tall / (needed[1] - 2 * margin) if page else 1.0)
    unit = 1 / max(wide, tall)
    cap = unit * shrink
    marks, points = [], []
    height = shrink * (leading * (len(lines) - 1) + 1.8)
    for row, (line, length) in enumerate(zip(lines, widths, strict=True)):
        x = (wide - shrink * length) / 2
        y = (tall - height) / 2 + shrink * (1.3 + row * leading)
        for letter, outline in line:
            if letter != " ":
                low, _ = outline.box
                move = np.array([x + shrink * (outline.left - low[0]), y])
                marks.append(Mark(letter, tuple(map(len, outline.contours)), x * unit, y * unit, outline.advance))
                points += [(each * (shrink, -shrink) + move) * unit for each in outline.contours]
            x += shrink * _advance(letter, outline)
    genome = np.concatenate([np.zeros((0, 2, 2)), *points]).ravel().astype(np.float32)
    form = GlyphsForm(
        tuple(marks),
        cap,
        wide / max(wide, tall),
        tall / max(wide, tall),
        ink,
        background,
        tuple(float(np.float32(v)) for v in style),
        model,
    )
    return form, genome


def _advance(letter: str, outline: Outline) -> float:
    return 0.35 if letter == " " else outline.advance
