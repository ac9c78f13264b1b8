"""Pens: their colours and widths, and which of them together, how densely hatched, look like a colour."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import UsageError, unknown
from evoart.score.pixel import oklab
from evoart.units import millimetres

PERIOD = 16  # lines after which a hatching repeats
LEVELS = (0, 2, 3, 4, 6, 8, 12, 16)  # how many lines of a period are drawn
WIDEST, MOST = 10.0, 12  # mm; pens
MOST_INK = 1.75  # layers of ink in one place: more soften paper
# Pens that people have: name -> (name, colour, width) of each.
_BLACK = ("black", "#101010", 0.3)
SETS: dict[str, tuple[tuple[str, str, float], ...]] = {
    "black": (_BLACK,),
    "grays": (("light gray", "#b8b8b8", 0.5), ("gray", "#787878", 0.4), _BLACK),
    "cmyk": (("yellow", "#ffe100", 0.3), ("cyan", "#00a0dc", 0.3), ("magenta", "#e4007c", 0.3), _BLACK),
    "earth": (("ochre", "#d8a038", 0.4), ("sienna", "#a84c28", 0.4), ("teal", "#2f6f73", 0.4),
              ("sepia", "#2b1d14", 0.3)),
    "office": (("red", "#d02028", 0.4), ("green", "#118048", 0.4), ("blue", "#1848a8", 0.4), _BLACK),
}  # fmt: skip


@dataclass(frozen=True)
class Pen:
    """A pen: ``name``, ``rgb`` sRGB in [0, 1], ``width`` of its line in mm."""

    name: str
    rgb: tuple[float, float, float]
    width: float


def read_pens(text: str, colour: Any) -> list[Pen]:
    """The pens that ``--pens`` names: ``black:0.3,#e63946:0.5``, a set such as ``cmyk``, or a TOML file.

    Args:
        colour: ``#rrggbb`` of a word, see ``run.fields.colour``.

    Raises:
        UsageError: an unknown pen, a width out of range, the same pen twice.
    """
    text = text.strip()
    if text.lower() in SETS:
        pens = [Pen(name, _rgb(code), width) for name, code, width in SETS[text.lower()]]
    elif text.lower().endswith(".toml"):
        pens = _from_file(Path(text), colour)
    else:
        pens = [_from_word(word.strip(), colour) for word in text.split(",") if word.strip()]
    if not 1 <= len(pens) <= MOST:
        raise UsageError(f"--pens names {len(pens)} pens", f"Name 1 to {MOST}, such as black:0.3,red:0.5")
    for pen in pens:
        if sum(pen == other for other in pens) > 1:
            raise UsageError(f"--pens names {pen.name}:{pen.width:g} twice", "Leave one out")
    return pens


def _from_word(word: str, colour: Any) -> Pen:
    name, colon, width = word.rpartition(":") if ":" in word else (word, "", "")
    if not colon and name.lower() not in SETS and not re.fullmatch(r"#?\w+", name):
        raise UsageError(f"'{word}' is not a pen", "Write COLOUR:WIDTH, such as black:0.3")
    return Pen(name, _rgb(colour(name, "pen", tuple(SETS))), _width(width or "0.3", name))


def _width(text: Any, name: str) -> float:
    width = millimetres(text, f"the width of pen '{name}'", plain="mm")
    if not 0.05 <= width <= WIDEST:
        raise UsageError(f"pen '{name}' is {width:g} mm wide", f"Use 0.05 to {WIDEST:g} mm")
    return width


def _from_file(path: Path, colour: Any) -> list[Pen]:
    """The pens of a TOML file: ``[pens]`` with ``name = "colour:width"`` or ``name = {color = "...", width = 0.3}``."""
    table = read_toml(path, "pens")
    entries = table.get("pens", {})
    if set(table) - {"pens"}:
        raise unknown("table of pens", sorted(set(table) - {"pens"})[0], ["pens"])
    if not isinstance(entries, dict) or not entries:
        raise UsageError(f"'{path}' holds no pens", 'Write [pens] and lines such as black = "#101010:0.3"')
    pens = []
    for name, entry in entries.items():
        if isinstance(entry, str):
            pen = _from_word(entry, colour)
            pens.append(Pen(name, pen.rgb, pen.width))
        elif isinstance(entry, dict):
            if more := sorted(set(entry) - {"color", "width"}):
                raise unknown(f"key of pen '{name}'", more[0], ["color", "width"])
            pens.append(
                Pen(
                    name,
                    _rgb(colour(entry.get("color", name), "pen", tuple(SETS))),
                    _width(entry.get("width", 0.3), name),
                )
            )
        else:
            raise UsageError(f"pen '{name}' in '{path}' is {entry!r}", 'Write name = "colour:width"')
    return pens


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The values of a small TOML file.

    Raises:
        UsageError: no such file, or not TOML.
    """
    try:
        if path.stat().st_size > 1 << 16:
            raise UsageError(f"'{path}' is too large for {what}", "Give a TOML file of a few lines")
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"'{path}' cannot be read as {what} ({error})", "Give a TOML file") from None


def _rgb(code: str) -> tuple[float, float, float]:
    r, g, b = bytes.fromhex(code.lstrip("#"))
    return r / 255, g / 255, b / 255


def coverage(level: np.ndarray, cross: bool) -> np.ndarray:
    """Share of the paper that hatching with ``level`` lines a period covers; crossed, each direction has as many."""
    share = np.asarray(level) / PERIOD
    return 1 - (1 - share) ** 2 if cross else share


def choose_levels(colours: np.ndarray, pens: Sequence[Pen], cross: bool = False, darkest: float = 1.0) -> np.ndarray:
    """Lines a period for every colour and pen, ``(n, pens)`` int, out of ``LEVELS``.

    Inks are taken as transparent and their lines as crossing at random, so that a mixture's colour is the product of
    what each pen lets through (Demichel's equations, Neugebauer 1937). Of all mixtures the nearest in Oklab is taken.

    Args:
        colours: sRGB in [0, 1] as seen on white paper, ``(n, 3)``.
        darkest: most that one pen may cover, in (0, 1].
    """
    allowed = [level for level in LEVELS if coverage(np.array(level), cross) <= darkest + 1e-9]
    active = len(pens) if len(allowed) ** len(pens) <= 8000 else 3  # pens that are mixed at once
    mixtures = np.array(
        [
            mixture
            for some in itertools.combinations(range(len(pens)), min(active, len(pens)))
            for mixture in _spread(itertools.product(allowed, repeat=len(some)), some, len(pens))
        ]
    )
    mixtures = np.unique(mixtures, axis=0)
    mixtures = mixtures[coverage(mixtures, cross).sum(1) <= MOST_INK]
    share = coverage(mixtures, cross)
    light = np.prod([1 - share[:, [k]] * (1 - np.array(pen.rgb)) for k, pen in enumerate(pens)], 0)
    known, cost = oklab(np, light), 2e-4 * share.sum(1)  # of two that look the same, the one with less ink
    wanted = oklab(np, np.clip(colours, 0, 1))
    out = np.empty((len(colours), len(pens)), np.int64)
    for first in range(0, len(colours), 512):
        part = wanted[first : first + 512]
        distance = ((part[:, None] - known) ** 2).sum(-1) + cost
        out[first : first + 512] = mixtures[distance.argmin(1)]
    return out


def _spread(values: Any, places: Sequence[int], count: int) -> Any:
    """Each tuple of ``values`` at ``places`` of a list of ``count`` zeros."""
    for value in values:
        row = [0] * count
        for place, level in zip(places, value, strict=True):
            row[place] = level
        yield row
