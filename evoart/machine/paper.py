"""The sheet a machine works on, and where on it a picture lies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evoart.errors import UsageError, unknown
from evoart.units import INCH, UNITS, millimetres

PAPERS = {
    "a6": (105.0, 148.0),
    "a5": (148.0, 210.0),
    "a4": (210.0, 297.0),
    "a3": (297.0, 420.0),
    "a2": (420.0, 594.0),
    "a1": (594.0, 841.0),
    "a0": (841.0, 1189.0),
    "letter": (8.5 * INCH, 11 * INCH),
    "legal": (8.5 * INCH, 14 * INCH),
    "tabloid": (11 * INCH, 17 * INCH),
}
LARGEST = 10_000.0  # mm
_EXTENT = re.compile(r"(\d+(?:\.\d+)?)\s*x\s*(\d+(?:\.\d+)?)\s*([a-z]+)")


@dataclass(frozen=True)
class Paper:
    """A sheet: width, height and the margin on every side, in mm."""

    width: float
    height: float
    margin: float

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm."""
        return self.width, self.height

    def place(self, width: float, height: float) -> tuple[float, tuple[float, float, float, float]]:
        """Scale in mm a unit, and the frame (x0, y0, x1, y1) in mm, of a picture ``width`` by ``height`` units, as
        large as fits within the margins and in the middle."""
        scale = min((self.width - 2 * self.margin) / width, (self.height - 2 * self.margin) / height)
        x, y = (self.width - scale * width) / 2, (self.height - scale * height) / 2
        return scale, (x, y, x + scale * width, y + scale * height)


def read_paper(text: str, margin: str, landscape: bool) -> Paper:
    """The paper that ``--paper``, ``--margin`` and ``--landscape`` name.

    Raises:
        UsageError: an unknown paper, a length that is none, margins that leave nothing of the paper.
    """
    word = text.strip().lower()
    if match := _EXTENT.fullmatch(word):
        if match[3] not in UNITS:
            raise UsageError(f"--paper is in '{match[3]}', which is no unit of length", "Write for example 300x400mm")
        width, height = (float(match[i]) * UNITS[match[3]] for i in (1, 2))
    elif word in PAPERS:
        width, height = PAPERS[word]
        if landscape:
            width, height = height, width
    elif re.search(r"\d\s*x\s*\d", word):
        raise UsageError(f"--paper is '{text[:40]}' without a unit", "Write for example 300x400mm")
    else:
        raise unknown("paper", text[:40], PAPERS)
    if not (1 <= width <= LARGEST and 1 <= height <= LARGEST):
        raise UsageError(f"--paper is {width:g} x {height:g} mm", f"Use sides of 1 to {LARGEST:,.0f} mm")
    edge = millimetres(margin, "--margin", plain="mm")
    if edge < 0:
        raise UsageError(f"--margin is {edge:g} mm", "Use 0mm or more")
    if 2 * edge >= min(width, height) - 1:
        what = f"margins of {edge:g} mm leave nothing of paper of {width:g} x {height:g} mm"
        raise UsageError(what, "Use a smaller --margin or a larger --paper")
    return Paper(width, height, edge)
