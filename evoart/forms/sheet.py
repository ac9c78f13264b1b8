"""A contact sheet: pictures of other forms side by side, as one picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evoart.draw.svg import embedded
from evoart.forms.registry import FORMS
from evoart.forms.shapes import numbers
from evoart.types import Drawing, Form, Genome, Image

GAP = 0.04  # between two pictures and around all, of a picture's long side
GROUND = (0.07, 0.07, 0.08)
MOST = 10_000  # cells


@dataclass(frozen=True)
class SheetForm:
    """Pictures in rows. A genome is theirs, one after another.

    Attributes:
        members: a form for every cell, row by row, or None where a cell is empty.
        columns: cells in a row.
        across, down: extent of a picture in units of its own; the longer one is 1.
    """

    name: ClassVar[str] = "sheet"
    members: tuple[Form | None, ...]
    columns: int
    across: float = 1.0
    down: float = 1.0

    @property
    def rows(self) -> int:
        return max(1, -(-len(self.members) // self.columns))

    @property
    def width(self) -> float:
        return self._extent[0] / max(self._extent)

    @property
    def height(self) -> float:
        return self._extent[1] / max(self._extent)

    @property
    def _extent(self) -> tuple[float, float]:
        """Of the sheet, where a picture's long side is 1."""
        return self.columns * (self.across + GAP) + GAP, self.rows * (self.down + GAP) + GAP

    @property
    def filled(self) -> list[Form]:
        return [member for member in self.members if member is not None]

    @property
    def dim(self) -> int:
        return sum(member.dim for member in self.filled)

    @property
    def label(self) -> str:
        count = len(self.filled)
        return "one picture" if count == 1 else f"{count} pictures"

    @property
    def description(self) -> str:
        nouns = [member.label for member in self.filled]
        kinds = dict.fromkeys(nouns)
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
        return np.concatenate([np.zeros(0), *(member.random(rng) for member in self.filled)]).astype(np.float32)

    def steps(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *(member.steps() for member in self.filled)]).astype(np.float32)

    def finalised(self, genome: Genome) -> tuple[SheetForm, Genome]:
        """See ``Form.finalised``."""
        settled = {cell: form.finalised(part) for cell, form, part in self.split(np.asarray(genome, np.float32))}
        members = tuple(settled[cell][0] if cell in settled else None for cell in range(len(self.members)))
        genomes = [part for _, part in settled.values()]
        return dataclasses.replace(self, members=members), np.concatenate([np.zeros(0, np.float32), *genomes])

    def to_plain(self) -> dict[str, Any]:
        """Each different form once, and for every cell which one it has, -1 for none."""
        kinds = [form for form in dict.fromkeys(self.members) if form is not None]
        cells = [-1 if member is None else kinds.index(member) for member in self.members]
        plain = [{"form": form.name, **form.to_plain()} for form in kinds]
        return {"columns": self.columns, "across": self.across, "down": self.down, "kinds": plain, "cells": cells}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SheetForm:
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
        return cls(tuple(forms[cell] if cell >= 0 else None for cell in cells), columns, across, down)

    def check(self, genome: Genome) -> None:
        for _, form, part in self.split(genome):
            form.check(part)

    def with_structure(self, structure: tuple[Form | None, ...]) -> SheetForm:
        """The same sheet with other pictures."""
        return dataclasses.replace(self, members=structure)

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> None:
        """There is nothing between two sheets."""
        return None


@dataclass(frozen=True, eq=False)
class SheetDrawing:
    """The drawings of a sheet, by cell."""

    form: SheetForm
    drawings: tuple[tuple[int, Drawing], ...]
    width: float
    height: float
    background: tuple[float, float, float] = GROUND

    def boxes(self, size: tuple[int, int]) -> Iterator[tuple[Drawing, tuple[int, int, int, int]]]:
        """Every drawing and its box (left, top, right, bottom) in pixels; all boxes are of one size."""
        form, scale = self.form, max(size) / max(self.form._extent)
        wide, tall = max(1, round(form.across * scale)), max(1, round(form.down * scale))
        for cell, drawing in self.drawings:
            row, column = divmod(cell, form.columns)
            left = round((GAP + column * (form.across + GAP)) * scale)
            top = round((GAP + row * (form.down + GAP)) * scale)
            yield drawing, (left, top, left + wide, top + tall)

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """See ``Drawing.paint``."""
        w, h = size
        first, last = rows or (0, h)
        out = np.ones((last - first, w, 4), np.float32)
        out[..., :3] = GROUND
        for drawing, (left, top, right, bottom) in self.boxes(size):
            begin, end = max(top, first), min(bottom, last)
            if begin < end and left < w:
                part = drawing.paint((right - left, bottom - top), (begin - top, end - top))[:, : w - left]
                alpha = part[..., 3:]
                place = out[begin - first : end - first, left : left + part.shape[1], :3]
                place[:] = part[..., :3] * alpha + place * (1 - alpha)
        return out

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """The sheet as a picture, embedded."""
        return embedded(self, size, title=title, recipe=recipe, alpha=alpha)
