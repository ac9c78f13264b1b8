"""Fonts to learn from: files, folders of them, and @fontsource packages that npm has installed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.glyph.fonts import Typeface, read_typefaces
from evoart.glyph.letters import LETTERS, SIDE, distances
from evoart.glyph.training import SCALE, Fields
from evoart.sources import read_source

ENDINGS = (".ttf", ".otf", ".ttc", ".otc", ".woff")
PACKAGE = "@fontsource"
FEWEST = 2  # fonts
_FEW = 10  # letters that a font must have
_LATIN = re.compile(r"-latin-\d+-(normal|italic)\.woff$")  # of a package's files, those with the letters
_WEIGHTS = re.compile(
    r"(?i)[\s-]*\b(thin|hairline|(extra|ultra|semi|demi)?[\s-]?(light|bold|black)|regular|medium|book|heavy|italic|oblique)\b"
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a training learns from.

    Attributes:
        train, valid: fonts to learn from, and of other families to judge by.
        families: names of all families, in alphabetical order; ``held_out``: those that judge.
        notes: what was done to the data, for people.
        sha256: of everything, so that a resumed training recognises it.
    """

    train: Fields
    valid: Fields
    families: tuple[str, ...]
    held_out: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str


def read_dataset(paths: Sequence[str], *, validation: float, seed: int) -> Dataset:
    """The letters of fonts as training data.

    Args:
        paths: font files, folders of them, and packages such as ``@fontsource/lora`` in a ``node_modules`` folder here
            or above.
        validation: share of the families that is held out with all their weights and slopes; 0: none.
        seed: decides which.

    Raises:
        UsageError: no such file, no fonts, or too few. EvoartError: a font that cannot be read.
    """
    fonts, notes = _collect(paths)
    if len(fonts) < FEWEST:
        raise UsageError(
            f"{len(fonts)} font is too few to learn from"
            if fonts
            else f"there are no fonts with letters in '{paths[0]}'",
            f"Give {FEWEST} at least, better hundreds: {', '.join(ENDINGS)}",
        )
    fonts.sort(key=lambda font: (family_of(font), font.label))
    families = sorted({family_of(font) for font in fonts})
    order = np.random.default_rng([seed, 3]).permutation(len(families))
    count = min(max(1, round(validation * len(families))), len(families) - 1) if validation else 0
    held_out = {families[k] for k in order[:count]}
    train = _fields([font for font in fonts if family_of(font) not in held_out])
    valid = _fields([font for font in fonts if family_of(font) in held_out]) if held_out else train
    told = f"{len(held_out):,} held out to judge by" if held_out else "none held out: the figures are of what it learns"
    notes.insert(0, f"{train.fonts:,} fonts to learn from; of {len(families):,} families {told}")
    digest = hashlib.sha256()
    for part in (train, valid):
        for array in (part.fields, part.spaces, part.letters, part.starts):
            digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return Dataset(train, valid, tuple(families), tuple(sorted(held_out)), tuple(notes), digest.hexdigest())


def family_of(font: Typeface) -> str:
    """The family of a font without the words for weights and slopes that some have in its name."""
    return _WEIGHTS.sub("", font.family).strip() or font.family


def _collect(paths: Sequence[str]) -> tuple[list[Typeface], list[str]]:
    """The fonts of all paths, and what was left out."""
    fonts: list[Typeface] = []
    broken: list[tuple[str, str]] = []
    for given in paths:
        path = _place(given)
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.suffix.lower() in ENDINGS and _is_latin(each))
            if not files:
                raise UsageError(f"there are no fonts in '{given}'", f"Name a folder of {', '.join(ENDINGS)}")
            for file in files:
                try:
                    fonts += _usable(file)
                except (UsageError, EvoartError) as error:
                    broken.append((file.name, error.message))
        else:
            fonts += _usable(path)
    notes = []
    if broken:
        (name, why), count = broken[0], len(broken)
        more = f", the first is '{name}'" if count > 1 else f": '{name}'"
        notes.append(f"{count:,} fonts cannot be used and {'are' if count > 1 else 'is'} left out{more} ({why})")
    lacking = sum(len(font.letters) < len(LETTERS) for font in fonts)
    if lacking:
        notes.append(f"{lacking:,} lack some of the 62 letters, or have some that are too large")
    return fonts, notes


def _usable(path: Path) -> list[Typeface]:
    """The fonts of a file that have letters enough.

    Raises:
        UsageError: no such file. EvoartError: no font, or too few letters.
    """
    data, _, label = read_source(path)
    found = list(read_typefaces(data, label, path.name))
    usable = [font for font in found if len(font.letters) >= _FEW]
    if not usable:
        raise EvoartError(f"{label} has {len(found[0].letters)} of the 62 letters", "Use a font of Latin letters")
    return usable


def _is_latin(file: Path) -> bool:
    """Whether a file of a package has the letters; packages keep every script in a file of its own."""
    return PACKAGE not in file.parts or _LATIN.search(file.name) is not None


def _place(given: str) -> Path:
    """Where a path or a package is.

    Raises:
        UsageError: a package that is not installed.
    """
    path = Path(given).expanduser()
    if given.startswith(f"{PACKAGE}/") and not path.exists():
        for folder in (Path.cwd(), *Path.cwd().parents):
            if (found := folder / "node_modules" / given).is_dir():
                return found
        raise UsageError(f"the package {given} is not installed here", f"npm install {given}")
    return path


def _fields(fonts: Sequence[Typeface]) -> Fields:
    fields, spaces, letters, starts = [], [], [], [0]
    for font in fonts:
        for letter, found in font.letters.items():
            fields.append(np.rint(distances(found.contours) * SCALE).astype(np.int8))
            spaces.append((found.left, found.right))
            letters.append(LETTERS.index(letter))
        starts.append(len(fields))
    return Fields(
        np.array(fields, np.int8).reshape(-1, SIDE, SIDE), np.array(spaces, np.float32).reshape(-1, 2),
        np.array(letters, np.int32), np.array(starts),
    )  # fmt: skip
