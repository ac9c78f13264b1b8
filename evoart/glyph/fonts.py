"""Letters of fonts in files: TrueType, OpenType, collections of them, and WOFF."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.glyph.letters import LETTERS, Letter, fits

LARGEST = 64 << 20  # bytes of a font
_BENDS = 8  # straight pieces of a curve
_MOST = 4000  # points of a letter
INSTEAD = "Use TTF, OTF, TTC or WOFF"


@dataclass(frozen=True, eq=False)
class Typeface:
    """A font: one weight and slope of a family.

    Attributes:
        family: its family's name.
        label: file and, in a collection, number.
        letters: those of ``LETTERS`` that it has and that fit into the square.
        cap: height of its H in units of the file.
    """

    family: str
    label: str
    letters: dict[str, Letter]
    cap: float


def read_typefaces(data: bytes, label: str, name: str = "") -> Iterator[Typeface]:
    """The fonts in a file, one but for collections.

    Args:
        label: the file in messages; ``name``: its name without folder.

    Raises:
        EvoartError: too large, broken, or without letters.
    """
    from fontTools.ttLib import TTCollection, TTFont

    if len(data) > LARGEST:
        raise EvoartError(f"{label} has more than {LARGEST >> 20} MiB", INSTEAD)
    try:
        if data[:4] == b"ttcf":
            fonts: Sequence[Any] = TTCollection(io.BytesIO(data), lazy=True).fonts
        else:
            fonts = [TTFont(io.BytesIO(data), lazy=True)]
        for number, font in enumerate(fonts, 1):
            yield _typeface(font, label if len(fonts) == 1 else f"{label}:{number}", name)
    except EvoartError:
        raise
    except ImportError:
        raise EvoartError(f"{label} is compressed as WOFF 2", "pip install brotli, or use TTF, OTF or WOFF") from None
    except Exception as error:  # a broken font fails in many ways
        raise EvoartError(
            f"{label} is no font that can be read ({str(error)[:80] or type(error).__name__})", INSTEAD
        ) from None


def _typeface(font: Any, label: str, name: str) -> Typeface:
    from fontTools.pens.recordingPen import DecomposingRecordingPen

    names, glyphs = font.getBestCmap() or {}, font.getGlyphSet()
    if "H" not in map(chr, names):
        raise EvoartError(f"{label} has no letter H, whose height is the measure", "Use a font of Latin letters")

    def draw(letter: str) -> list[np.ndarray]:
        pen = DecomposingRecordingPen(glyphs)
        glyphs[names[ord(letter)]].draw(pen)
        return flatten(pen.value)

    points = np.concatenate([np.zeros((0, 2)), *draw("H")])
    cap = float(np.ptp(points[:, 1])) if len(points) else 0.0
    if not cap > 0:
        raise EvoartError(f"{label} has an empty H, whose height is the measure", "Use a font of Latin letters")
    letters = {}
    for letter in LETTERS:
        if ord(letter) not in names:
            continue
        contours = draw(letter)
        count = sum(map(len, contours))
        if not contours or count > _MOST:
            continue
        both = np.concatenate(contours)
        low, high = float(both[:, 0].min()), float(both[:, 0].max())
        contours = [(ring - ((low + high) / 2, 0)) / cap for ring in contours]
        if fits(contours):
            width = float(glyphs[names[ord(letter)]].width)
            letters[letter] = Letter(tuple(contours), low / cap, (width - high) / cap)
    family = _family(font) or Path(name).stem.split("-latin")[0]
    return Typeface(family, label, letters, cap)


def _family(font: Any) -> str:
    for number in (16, 1):
        if "name" in font and (found := font["name"].getDebugName(number)):
            return str(found).strip()
    return ""


def flatten(commands: Sequence[tuple[str, tuple]]) -> list[np.ndarray]:
    """Closed polygons ``(k, 2)`` of what a pen recorded, y up."""
    contours: list[list[tuple[float, float]]] = []
    share = np.linspace(0, 1, _BENDS + 1)[1:, None]
    for name, points in commands:
        if name == "moveTo":
            contours.append([points[0]])
        elif name == "lineTo":
            contours[-1].append(points[0])
        elif name == "curveTo":
            a, (b, c, d) = np.array(contours[-1][-1]), (np.array(point) for point in points)
            curve = (
                (1 - share) ** 3 * a + 3 * (1 - share) ** 2 * share * b + 3 * (1 - share) * share**2 * c + share**3 * d
            )
            contours[-1] += [tuple(point) for point in curve]
        elif name == "qCurveTo":
            contours += [] if contours else [[]]
            for b, c in _quadratics(points, contours):
                a = np.array(contours[-1][-1])
                curve = (1 - share) ** 2 * a + 2 * (1 - share) * share * np.array(b) + share**2 * np.array(c)
                contours[-1] += [tuple(point) for point in curve]
    return [np.array(contour, np.float64) for contour in contours if len(contour) > 2]


def _quadratics(points: tuple, contours: list[list[tuple[float, float]]]) -> list[tuple]:
    """Control and end points of a TrueType curve; a contour without any point on it begins half-way."""
    from fontTools.pens.basePen import decomposeQuadraticSegment

    if points[-1] is None:
        off = points[:-1]
        start = tuple((np.array(off[-1]) + np.array(off[0])) / 2)
        contours.append([start])
        points = (*off, start)
    return list(decomposeQuadraticSegment(points))
