"""Stamps from files: ``stamp:heart.svg``, ``stamp:leaf.png``, ``stamp:folder``, ``letters:LOVE``."""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.draw.filled import fill_region
from evoart.draw.shapes.stamp import Stamp
from evoart.errors import EvoartError, UsageError
from evoart.glyph.fonts import flatten
from evoart.sketch.svgfile import read_painting
from evoart.sources import read_source
from evoart.stamps.region import MOST_READ, stamps_of

if TYPE_CHECKING:
    from fontTools.ttLib import TTFont
    from shapely.geometry.base import BaseGeometry

PICTURES = (".png", ".webp", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".avif")
MOST_FILES = 64  # of a folder
MOST_LETTERS = 64
_TRACED = 256  # pixels a side on which silhouettes are traced
_LARGEST = 64 << 20  # bytes of a font
_FONTS = ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "NotoSans-Bold.ttf", "Arial Bold.ttf", "arialbd.ttf",
          "Helvetica.ttc", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf")  # fmt: skip


def read_stamps(place: str) -> list[Stamp]:
    """The stamps of an SVG, the silhouette of a picture, or all of those in a folder, by name.

    Raises:
        UsageError: no such file, or none that can be a stamp. EvoartError: one with nothing to see.
    """
    path = Path(place)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in (".svg", *PICTURES))
        if not files:
            raise UsageError(f"the folder '{place}' has no SVG and no picture", "Put the outlines there, one a file")
        if len(files) > MOST_FILES:
            raise UsageError(f"the folder '{place}' has {len(files)} outlines", f"{MOST_FILES} is the most")
        return [each for file in files for each in read_stamps(str(file))]
    if path.suffix.lower() not in (".svg", *PICTURES):
        raise UsageError(f"'{place}' is no outline by its extension", f"Give .svg or {' '.join(PICTURES[:3])}")
    data, _, _ = read_source(path)
    region = _svg_region(data, place) if path.suffix.lower() == ".svg" else _silhouette(data, place)
    return stamps_of(region, path.stem, f"'{place}'", mirror=True)


def read_region(data: bytes, place: str) -> BaseGeometry:
    """What an SVG fills, or the silhouette of a picture, as one region, y down; ``place``: its name for messages.

    Raises:
        EvoartError: a file that cannot be read, or with nothing to see.
    """
    is_svg = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    return _svg_region(data, place) if is_svg else _silhouette(data, place)


def _svg_region(data: bytes, place: str) -> BaseGeometry:
    """What an SVG fills; where it fills nothing, what its lines cover."""
    import shapely

    elements = read_painting(data, place).elements
    points = sum(len(line) for element in elements for line in element.lines)
    if points > MOST_READ:
        raise EvoartError(f"'{place}' has more than {MOST_READ:,} points", "Simplify it; a stamp is small")
    filled = shapely.union_all([fill_region(element.lines, element.even_odd) for element in elements if element.fill])
    if filled.area > 0:
        return filled
    lines = [(line, element.width) for element in elements if element.stroke for line in element.lines]
    return shapely.union_all([shapely.LineString(line).buffer(width / 2) for line, width in lines if len(line) > 1])


def _silhouette(data: bytes, place: str) -> BaseGeometry:
    """The region where a picture is opaque; where it is opaque everywhere, where it differs from its corners."""
    import contourpy

    from evoart.picture import load

    image, alpha = load(data, needed=_TRACED, label=f"'{place}'").at(_TRACED)
    if alpha is None:
        corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
        distance = np.sqrt(((image - np.median(corners, 0)) ** 2).sum(-1))
        alpha = (distance / max(float(distance.max()), 1e-6)).astype(np.float32)
        if float(distance.max()) < 0.1:
            raise EvoartError(f"'{place}' shows nothing on its background", "Give a picture with transparency")
    if alpha.shape[0] * alpha.shape[1] < 9:
        raise EvoartError(f"'{place}' is too small to have an outline", "Give 16 pixels or more a side")
    lines: Any = contourpy.contour_generator(z=np.pad(alpha, 1)).lines(0.5)  # closed: the margin is transparent
    return fill_region([np.asarray(line)[:-1] for line in lines], even_odd=True)


def read_letters(text: str, font: str | None) -> list[Stamp]:
    """A stamp for each letter of ``text``, once each; spaces do not count.

    Args:
        font: path of a TrueType, OpenType or WOFF font; None: one that this system has.

    Raises:
        UsageError: no letters, no font, or one that cannot be read or lacks a letter.
    """
    letters = list(dict.fromkeys(c for c in unicodedata.normalize("NFC", text) if not c.isspace()))
    if not letters:
        raise UsageError("there are no letters to draw with", "Write -k letters:LOVE")
    if len(letters) > MOST_LETTERS:
        raise UsageError(f"{len(letters)} different letters are too many", f"{MOST_LETTERS} is the most")
    place = font or _find_font()
    return [each for letter in letters for each in _letter(place, letter)]


def _letter(place: str, letter: str) -> list[Stamp]:
    from fontTools.pens.recordingPen import DecomposingRecordingPen

    with _open_font(place) as opened:
        glyphs, names = opened.getGlyphSet(), opened.getBestCmap() or {}
        if ord(letter) not in names:
            raise UsageError(f"the font '{place}' has no letter '{letter}'", "Choose another with --font")
        pen = DecomposingRecordingPen(glyphs)
        glyphs[names[ord(letter)]].draw(pen)
    label = letter if letter.isascii() and letter.isalnum() else f"u{ord(letter):x}"
    region = fill_region([contour * (1, -1) for contour in flatten(pen.value)])
    return stamps_of(region, label, f"the letter '{letter}' of '{place}'", mirror=False, upright=True)


def _open_font(place: str) -> TTFont:
    from fontTools.ttLib import TTFont

    try:
        data, _, _ = read_source(place)
        if len(data) > _LARGEST:
            raise UsageError(f"'{place}' has more than {_LARGEST >> 20} MiB", "Choose another font")
        return TTFont(io.BytesIO(data), fontNumber=0)
    except EvoartError:
        raise
    except ImportError:
        raise UsageError(f"'{place}' is compressed as WOFF 2", "pip install brotli, or use TTF, OTF or WOFF") from None
    except Exception as error:  # a broken font fails in many ways
        raise UsageError(f"'{place}' is no font that can be read ({error})", "Use TTF, OTF or WOFF") from None


def _find_font() -> str:
    """A font that this system has.

    Raises:
        UsageError: none is found.
    """
    home = Path.home()
    folders = {
        "win32": [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"],
        "darwin": [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"],
    }.get(sys.platform, [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts"])
    found = {file.name: file for folder in folders for file in sorted(folder.rglob("*.[to]t[fc]"))}
    chosen = next((found[name] for name in _FONTS if name in found), None)
    if chosen is None and found:
        chosen = found[sorted(found)[0]]
    if chosen is None:
        raise UsageError("no font was found on this system", "Name one: --font FILE.ttf")
    return str(chosen)
