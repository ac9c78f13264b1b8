"""A contact sheet: pictures of other forms side by side, as one picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from evoart.draw.svg import embed_picture
from evoart.draw.text import text_mask
from evoart.forms.plain import numbers
from evoart.forms.registry import FORMS
from evoart.types import Drawing, Form, Genome, Image

GAP = 0.04  # between two pictures and around all, of a picture's long side
CAPTION = 0.09  # height of a line of text under a picture, likewise
AXIS = 0.035  # height of a line of text along an axis, of the sheet's long side without it
BACKGROUND = (0.07, 0.07, 0.08)
INK = (0.78, 0.78, 0.8)
MOST = 10_000  # cells


@dataclass(frozen=True)
class SheetForm:
    """Pictures in rows. A genome is theirs, one after another.

    Attributes:
        members: a form for every cell, row by row, or None where a cell is empty.
        columns: cells in a row.
        across, down: extent of a picture in units of its own; the longer one is 1.
        captions: a line of text under every cell; empty where there are none.
        axes: what changes from left to right, and from bottom to top: lowest value, name and highest value, as text;
            empty where nothing does.
    """

    name: ClassVar[str] = "sheet"
    members: tuple[Form | None, ...]
    columns: int
    across: float = 1.0
    down: float = 1.0
    captions: tuple[str, ...] = ()
    axes: tuple[tuple[str, ...], ...] = ()

    @property
    def rows(self) -> int:
        """Rows of cells."""
        return max(1, -(-len(self.members) // self.columns))

    @property
    def width(self) -> float:
        """See ``Form.width``."""
        return self.extent[0] / max(self.extent)

    @property
    def height(self) -> float:
        """See ``Form.height``."""
        return self.extent[1] / max(self.extent)

    @property
    def pitch(self) -> tuple[float, float]:
        """From one cell to the next, across and down, where a picture's long side is 1."""
        return self.across + GAP, self.down + GAP + (CAPTION if self.captions else 0)

    @property
    def axis(self) -> float:
        """Width of the strips for the axes, on the left and at the bottom, where a picture's long side is 1."""
        x, y = self.pitch
        return AXIS * max(self.columns * x, self.rows * y) if self.axes else 0.0

    @property
    def extent(self) -> tuple[float, float]:
        """Of the sheet, where a picture's long side is 1."""
        x, y = self.pitch
        return self.columns * x + GAP + self.axis, self.rows * y + GAP + self.axis

    @property
    def filled(self) -> list[Form]:
        """The forms of the cells that are not empty."""
        return [member for member in self.members if member is not None]

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return sum(member.dim for member in self.filled)

    @property
    def label(self) -> str:
        """See ``Form.label``."""
        count = len(self.filled)
        return "one picture" if count == 1 else f"{count} pictures"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        kinds = dict.fromkeys(member.label for member in self.filled)
        return f"{self.label}: {next(iter(kinds))} each" if len(kinds) == 1 else f"{self.label}, {len(kinds)} kinds"

    def split(self, genome: Genome) -> list[tuple[int, Form, Genome]]:
        """(cell, form, its genome) of every picture."""
        parts, at = [], 0
        for cell, member in enumerate(self.members):
            if member is not None:
                parts.append((cell, member, genome[at : at + member.dim]))
                at += member.dim
        return parts

    def drawing(self, genome: Genome) -> SheetDrawing:
        """See ``Form.drawing``."""
        drawings = [(cell, form.drawing(part)) for cell, form, part in self.split(genome)]
        return SheetDrawing(self, tuple(drawings), self.width, self.height)

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """See ``Form.random``."""
        return np.concatenate([np.zeros(0), *(member.random(rng) for member in self.filled)]).astype(np.float32)

    def steps(self) -> np.ndarray:
        """See ``Form.steps``."""
        return np.concatenate([np.zeros(0), *(member.steps() for member in self.filled)]).astype(np.float32)

    def finalised(self, genome: Genome) -> tuple[Self, Genome]:
        """See ``Form.finalised``."""
        final = {cell: form.finalised(part) for cell, form, part in self.split(np.asarray(genome, np.float32))}
        members = tuple(final[cell][0] if cell in final else None for cell in range(len(self.members)))
        genomes = [part for _, part in final.values()]
        return dataclasses.replace(self, members=members), np.concatenate([np.zeros(0, np.float32), *genomes])

    def to_plain(self) -> dict[str, Any]:
        """Each different form once, and for every cell which one it has, -1 for none."""
        kinds = [form for form in dict.fromkeys(self.members) if form is not None]
        cells = [-1 if member is None else kinds.index(member) for member in self.members]
        plain = [{"form": form.name, **form.to_plain()} for form in kinds]
        words = {"captions": list(self.captions), "axes": [list(axis) for axis in self.axes]}
        return {
            "columns": self.columns, "across": self.across, "down": self.down, "kinds": plain, "cells": cells,
        } | {name: texts for name, texts in words.items() if texts}  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``."""
        columns, cells, kinds = plain["columns"], plain["cells"], plain["kinds"]
        if isinstance(columns, bool) or not isinstance(columns, int) or not 1 <= columns <= MOST:
            raise ValueError("columns")
        if not isinstance(cells, list) or not isinstance(kinds, list) or not 1 <= len(cells) <= MOST:
            raise ValueError("cells")
        if any(isinstance(cell, bool) or not isinstance(cell, int) or not -1 <= cell < len(kinds) for cell in cells):
            raise ValueError("cells")
        if any(kind["form"] == cls.name for kind in kinds):
            raise ValueError("a sheet of sheets")
        forms = [FORMS[str(kind["form"])].from_plain(kind) for kind in kinds]
        across, down = numbers(plain["across"], plain["down"], low=1e-9, high=1)
        members = tuple(forms[cell] if cell >= 0 else None for cell in cells)
        captions, axes = _texts(plain.get("captions", [])), tuple(_texts(axis) for axis in plain.get("axes", []))
        if len(captions) not in (0, len(cells)) or [len(axis) for axis in axes] not in ([], [3, 3]):
            raise ValueError("captions")
        return cls(members, columns, across, down, captions, axes)

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        for _, form, part in self.split(genome):
            form.check(part)

    def with_structure(self, structure: tuple[tuple[Form | None, ...], tuple[str, ...]]) -> Self:
        """The same sheet with other pictures and captions."""
        members, captions = structure
        return dataclasses.replace(self, members=members, captions=captions)

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> None:
        """There is nothing between two sheets."""
        return None


def _texts(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(text, str) and len(text) <= 200 for text in values):
        raise TypeError("texts")
    return tuple(values)


@dataclass(frozen=True, eq=False)
class SheetDrawing:
    """The drawings of a sheet.

    Attributes:
        form: of the sheet.
        drawings: (cell, drawing) of every picture.
        width, height: extent in units; the longer side is 1.
        background: sRGB in [0, 1] between the pictures.
    """

    form: SheetForm
    drawings: tuple[tuple[int, Drawing], ...]
    width: float
    height: float
    background: tuple[float, float, float] = BACKGROUND

    def boxes(self, size: tuple[int, int]) -> Iterator[tuple[int, Drawing, tuple[int, int, int, int]]]:
        """Cell, drawing and box (left, top, right, bottom) in pixels of every picture; all boxes are of one size."""
        form, scale = self.form, max(size) / max(self.form.extent)
        wide, tall = max(1, round(form.across * scale)), max(1, round(form.down * scale))
        x, y = form.pitch
        for cell, drawing in self.drawings:
            row, column = divmod(cell, form.columns)
            left, top = round((form.axis + GAP + column * x) * scale), round((GAP + row * y) * scale)
            yield cell, drawing, (left, top, left + wide, top + tall)

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``."""
        w, h = size
        first, last = rows or (0, h)
        out = np.ones((last - first, w, 4), np.float32)
        out[..., :3] = BACKGROUND
        for _, drawing, (left, top, right, bottom) in self.boxes(size):
            begin, end = max(top, first), min(bottom, last)
            if begin < end and left < w:
                part = drawing.paint((right - left, bottom - top), (begin - top, end - top))[:, : w - left]
                alpha = part[..., 3:]
                place = out[begin - first : end - first, left : left + part.shape[1], :3]
                place[:] = part[..., :3] * alpha + place * (1 - alpha)
        for mask, left, top in self._texts(size):
            begin, end = max(top, first), min(top + mask.shape[0], last)
            if begin < end and 0 <= left < w:
                ink = mask[begin - top : end - top, : w - left, None]
                place = out[begin - first : end - first, left : left + ink.shape[1], :3]
                place[:] = np.array(INK, np.float32) * ink + place * (1 - ink)
        return out

    def _texts(self, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, int, int]]:
        """Opacity ``(rows, columns)`` in [0, 1] of every line of text, and its left and top in pixels."""
        form, (w, h), scale = self.form, size, max(size) / max(self.form.extent)
        if form.captions:
            for cell, _, (left, _, right, bottom) in self.boxes(size):
                if text := form.captions[cell]:
                    mask = text_mask(text, round(CAPTION * scale), right - left)
                    yield mask, left + (right - left - mask.shape[1]) // 2, bottom
        if form.axes:
            high, gap = round(form.axis * scale), round(GAP * scale)
            for axis, side, upward in zip(form.axes, (w - high, h - high), (False, True), strict=True):
                for text, where in zip(axis, (0.0, 0.5, 1.0), strict=True):
                    mask = text_mask(text, high, max(side - 2 * gap, 1))
                    at = gap + round(where * (side - 2 * gap - mask.shape[1]))
                    yield (np.rot90(mask), 0, side - at - mask.shape[1]) if upward else (mask, high + at, h - high)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """The sheet as a picture, embedded."""
        return embed_picture(self, size, title=title, recipe=recipe, alpha=alpha)
