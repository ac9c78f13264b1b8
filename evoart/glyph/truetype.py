"""Letters as a TrueType font, which every system installs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.glyph.trace import is_line

UNITS = 1000  # an em
CAP = 700  # units of a cap height
ASCENT, DESCENT = 950, 350  # units from the baseline, both upwards and downwards
DATE = 3_786_912_000  # seconds since 1904: always the same, so that the file is
TABLE = "evoA"  # our own table: the recipe; others pass over it
_SPACE = 0.4  # cap heights
_LICENCE = "The letters come from a model. What its own licence says of the fonts that it learned from applies to it."


def encode_font(letters: Sequence[tuple[str, list[np.ndarray], float]], title: str = "", recipe: str = "") -> bytes:
    """A font (.ttf) of quadratic curves.

    The same letters always give the same bytes. Its family is ``evoart-...``, never the name of a font that a model
    learned from: those may be reserved (SIL Open Font License, 3).

    Args:
        letters: letter, contours ``(k, 2, 2)`` in cap heights from its origin, y up, and advance in cap heights.
        title: of the picture; up to a colon, it becomes the family's name.
        recipe: text kept in a table of its own.

    Raises:
        EvoartError: no letters.
    """
    from fontTools.fontBuilder import FontBuilder
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    if not letters:
        raise EvoartError("a font without letters cannot be written", "Choose --letters")
    glyphs: dict[str, Any] = {".notdef": _box(), "space": _glyph([])}
    widths = {".notdef": 600, "space": round(_SPACE * CAP)}
    names = {ord(" "): "space", 0xA0: "space"}
    for letter, contours, advance in letters:
        name = letter if letter.isalpha() else _DIGITS[int(letter)]
        glyphs[name], widths[name] = _glyph(contours), max(1, round(advance * CAP))
        names[ord(letter)] = name
    order = list(glyphs)
    family = "evoart-" + (
        "".join(c if c.isascii() and c.isalnum() else "-" for c in title.partition(":")[0]).strip("-")[:40] or "letters"
    )
    builder = FontBuilder(UNITS, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    table: Any = builder.font["glyf"]
    sides = {name: getattr(table[name], "xMin", 0) or 0 for name in order}
    builder.setupHorizontalMetrics({name: (widths[name], sides[name]) for name in order})
    builder.setupHorizontalHeader(ascent=ASCENT, descent=-DESCENT)
    builder.setupNameTable({
        "familyName": family, "styleName": "Regular", "uniqueFontIdentifier": family, "fullName": family,
        "psName": family, "version": "Version 1.000", "licenseDescription": _LICENCE,
    })  # fmt: skip
    builder.setupOS2(
        sTypoAscender=ASCENT, sTypoDescender=-DESCENT, sTypoLineGap=0, usWinAscent=ASCENT, usWinDescent=DESCENT,
        sCapHeight=CAP, sxHeight=round(0.7 * CAP), fsType=0,
    )  # fmt: skip
    builder.setupPost()
    font: Any = builder.font
    font["head"].created = font["head"].modified = DATE
    font.recalcTimestamp = False
    if recipe:
        kept = DefaultTable(TABLE)
        kept.data = recipe.encode()
        font[TABLE] = kept
    file = io.BytesIO()
    font.save(file, reorderTables=None)
    return file.getvalue()


_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def _glyph(contours: list[np.ndarray]) -> Any:
    """Contours as a glyph; points that double others are left out."""
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for curves in contours:
        points = np.rint(curves * CAP)
        last = points[-1, 1]
        pen.moveTo(_pair(last))
        for control, end in points:
            if not is_line(last, control, end):
                pen.qCurveTo(_pair(control), _pair(end))
            elif (end != points[-1, 1]).any():
                pen.lineTo(_pair(end))
            last = end
        pen.closePath()
    return pen.glyph()


def _pair(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _box() -> Any:
    """What stands for letters that the font does not have: an empty frame."""
    outer, inner = [(60, 0), (60, 700), (540, 700), (540, 0)], [(110, 50), (490, 50), (490, 650), (110, 650)]
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for ring in (outer, inner):
        pen.moveTo(ring[0])
        for point in ring[1:]:
            pen.lineTo(point)
        pen.closePath()
    return pen.glyph()
