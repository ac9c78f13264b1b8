"""Styles of what a user names: letters that evoart drew, a font, a letter in an SVG or a picture, or a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.forms.glyphs import GlyphsForm
from evoart.glyph.fonts import read_typefaces
from evoart.glyph.letters import BOTTOM, EXTENT, HALF, LETTERS, SIDE, distances, fits
from evoart.glyph.model import Model, decode, one_hot, read_style
from evoart.glyph.trace import trace
from evoart.output.recipe import extract
from evoart.run.cppn.job import split_pick
from evoart.run.cppn.networks import read_picture
from evoart.run.glyph.drawing import random_style
from evoart.run.inputs import read_hashed
from evoart.run.model_jobs import is_seed
from evoart.stamps.read import read_region

FONTS = (b"\0\1\0\0", b"true", b"OTTO", b"ttcf", b"wOFF", b"wOF2")
LIKE_ENOUGH = 0.45  # of a letter and the best that the model makes of it: intersection over union
_ROUNDS = 2  # of measuring a letter by what the model makes of it
_BEST = 6  # letters that are looked at closely


@dataclass(frozen=True, eq=False)
class Style:
    """A style, and where it comes from.

    Attributes:
        z: ``(latent,)``.
        letters: what was shown in it, ``""`` where nothing was.
        sha256: of the file, ``""`` where there is none.
        note: what a user should know, or ``""``.
    """

    z: np.ndarray
    letters: str = ""
    sha256: str = ""
    note: str = ""


def find_style(model: Model, name: str, expected: str = "", *, sigma: float = 0.7, letter: str | None = None) -> Style:
    """The style that ``name`` stands for.

    A whole number is the random one of that seed; what evoart drew in one style (``sheet.png:7`` of a sheet) has its
    own; of a font and of a single letter it is inferred.

    Args:
        expected: hash of the file, where the job knows it.
        sigma: standard deviation of a random one.
        letter: which letter a picture shows; None: the one that it is most like.

    Raises:
        UsageError: no such file, no letter in it, or letters of another model. EvoartError: a file that cannot be read.
    """
    if is_seed(name):
        return Style(random_style(model, sigma, int(name)))
    place, pick = split_pick(name)
    data, label, digest = read_hashed("picture", place, expected)
    try:
        extract(data, label)
    except EvoartError:  # somebody else's
        if pick is not None:
            raise UsageError(f"{label} is no sheet of evoart's", f"Leave out ':{pick}'") from None
        found = _of_font(model, data, label) if data[:4] in FONTS else _of_letter(model, data, label, letter)
        return replace(found, sha256=digest)
    _, form, genome, _ = read_picture(name, expected)
    if isinstance(form, GlyphsForm):
        if form.style and form.model == model.digest:
            if len(form.style) != model.config.latent:
                raise EvoartError(f"{label} has a style of {len(form.style)} numbers and not {model.config.latent}",
                                  "Use another copy of the file")  # fmt: skip
            return Style(np.array(form.style), form.text, digest)
        if form.style:
            raise UsageError(f"{label} was drawn by another model than '{model.config.name}'", "Name it: -m FILE")
    region = read_region(form.drawing(genome).svg((1024, 1024)).encode(), "picture.svg")
    return replace(_of_region(model, region, label, letter), sha256=digest)


def _of_font(model: Model, data: bytes, label: str) -> Style:
    font, *_ = read_typefaces(data, label)
    if not font.letters:
        raise UsageError(f"{label} has none of the letters", "Use a font of Latin letters")
    fields = np.array([distances(each.contours) for each in font.letters.values()])
    return Style(read_style(model, fields, [LETTERS.index(each) for each in font.letters]), "".join(font.letters))


def _of_letter(model: Model, data: bytes, label: str, letter: str | None) -> Style:
    return _of_region(model, read_region(data, label.strip("'")), label, letter)


def _of_region(model: Model, region: Any, label: str, letter: str | None) -> Style:
    """The style of one letter, whose height and place follow from what the model makes of it."""
    contours = _contours(region)
    if not contours:
        raise UsageError(f"{label} shows no letter: nothing is filled", "Give one letter, dark on white or as a path")
    kinds = [LETTERS.index(letter)] if letter is not None else list(range(len(LETTERS)))
    found = _rate(model, contours, kinds, [_extent(model, kind) for kind in kinds])
    best = sorted(found, key=lambda each: -each[0])[:_BEST]
    for _ in range(_ROUNDS):
        better = _rate(model, contours, [each[1] for each in best], [_measure(model, each) for each in best])
        best = [max(pair, key=lambda each: each[0]) for pair in zip(best, better, strict=True)]
    likeness, kind, z, *_ = max(best, key=lambda each: each[0])
    name = LETTERS[kind]
    if likeness < LIKE_ENOUGH:
        if letter is not None:
            raise UsageError(f"{label} does not look like the letter '{letter}'", "Give one letter, upright and whole")
        raise UsageError(
            f"{label} is no letter that the model knows; '{name}' comes nearest", f"Say which it is: --letter {name}"
        )
    note = f"{label} is taken for the letter '{name}' (likeness {likeness:.0%})" if letter is None else ""
    return Style(z, name, note=note)


def _contours(region: Any) -> list[np.ndarray]:
    """Contours ``(k, 2)`` of a region, y up, holes the other way round."""
    import shapely

    rings = []
    for part in shapely.get_parts(region):
        if part.geom_type == "Polygon" and part.area > 0:
            part = shapely.geometry.polygon.orient(part, -1.0)
            rings += [np.asarray(ring.coords)[:-1] * (1, -1) for ring in (part.exterior, *part.interiors)]
    return rings


def _extent(model: Model, kind: int) -> tuple[float, float]:
    """Lowest and highest point of a letter in the mean style, in cap heights."""
    return _measure(model, (0.0, kind, np.zeros(model.config.latent)))


def _measure(model: Model, found: tuple) -> tuple[float, float]:
    """Lowest and highest point of a letter in a style that was found."""
    _, kind, z, *_ = found
    field, _ = decode(model, z[None], one_hot([kind]))
    low, high = trace(field[0]).box
    return (float(low[1]), float(high[1])) if high[1] - low[1] > 0.1 else (0.0, 1.0)


def _rate(
    model: Model, contours: list[np.ndarray], kinds: list[int], extents: list[tuple[float, float]]
) -> list[tuple]:
    """(likeness, letter, style) of contours as each of some letters, brought to the height of each."""
    points = np.concatenate(contours)
    low, high = points.min(0), points.max(0)
    rated, fields, styles = [], [], []
    for kind, (bottom, top) in zip(kinds, extents, strict=True):
        scale = min((top - bottom) / max(high[1] - low[1], 1e-9), 2 * HALF * 0.98 / max(high[0] - low[0], 1e-9))
        moved = [(ring - ((low[0] + high[0]) / 2, low[1])) * scale + (0, bottom) for ring in contours]
        if not fits(moved):
            moved = [np.clip(ring, (-HALF, BOTTOM), (HALF, BOTTOM + EXTENT)) for ring in moved]
        fields.append(distances(moved))
        styles.append(read_style(model, fields[-1][None], [kind]))
    made, _ = decode(model, np.array(styles), one_hot(kinds), SIDE)
    for kind, field, other, z in zip(kinds, fields, made, styles, strict=True):
        both, either = ((field > 0) & (other > 0)).sum(), ((field > 0) | (other > 0)).sum()
        rated.append((float(both / max(either, 1)), kind, z))
    return rated
