"""An SVG of at most so many bytes: fewer shapes and shorter numbers, whatever keeps most of the likeness."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.search.adam import Adam
from evoart.search.polishing import take_steps

DIGITS = 1  # of a length in the SVG's user units, which are pixels
MARGIN = 250  # bytes for what is not known yet: the figures in the recipe, the title, a clip path
SHARE = 0.2  # of the shapes that are too many, removed before the others are polished again
STEPS = 40  # of each polish
RATE = 0.003  # units a step, of positions

Kinds = tuple[str, ...]


def shorten(
    kinds: Kinds, rows: np.ndarray, canvas: Any, rates: np.ndarray, bounds: np.ndarray,
    measure: Callable[[Kinds, np.ndarray], int], limit: int, long_side: int,
) -> tuple[Kinds, np.ndarray]:  # fmt: skip
    """Kinds and rows ``(k, d)`` of which the SVG has at most ``limit`` bytes.

    Args:
        canvas: an ``engine.placement.PlacementCanvas`` at full resolution.
        rates: learning rate of every number ``(k, d)``.
        bounds: lowest and highest value of the last four columns ``(2, 4)``.
        measure: bytes of the SVG of kinds and rows.
        limit: most bytes.
        long_side: of the SVG in pixels.
    """
    limit -= MARGIN
    while measure(kinds, rounded := _round(rows, long_side)) > limit and len(kinds) > 1:
        empty = measure((), rows[:0])
        room = (limit - empty) / max((measure(kinds, rounded) - empty) / len(kinds), 1)
        gone = min(max(1, round(SHARE * (len(kinds) - room))), len(kinds) - 1)
        keep = np.sort(np.argsort(canvas.removal(kinds, rows), kind="stable")[gone:])
        kinds, rows, rates = tuple(kinds[i] for i in keep), rows[keep], rates[keep]
        adam = Adam(rows, rates, STEPS)
        take_steps(canvas, kinds, adam, STEPS + 1, bounds)  # the last step is judged by one more
        rows = adam.best
    return kinds, rounded


def _round(rows: np.ndarray, long_side: int) -> np.ndarray:
    """Rows with lengths of few decimals where they are written, and colours of 8 bits."""
    step = long_side * 10.0**DIGITS
    short = np.round(rows.astype(np.float64) * step) / step
    short[:, -4:-1] = np.round(rows[:, -4:-1].astype(np.float64) * 255) / 255
    short[:, -1] = np.round(rows[:, -1].astype(np.float64), 2)
    return short.astype(np.float32)


def check(least: int, limit: int) -> None:
    """Raise UsageError where an SVG of one shape, ``least`` bytes, is too large."""
    if least + MARGIN > limit:
        raise UsageError(
            f"not even one shape fits in {limit:,} bytes",
            f"The recipe takes most of it: use {least + MARGIN:,} or more",
        )


def bytes_of(document: Callable[[str], str], recipe: dict[str, Any]) -> int:
    """Bytes of an SVG, given what makes it of the text of its recipe."""
    return len(document(json.dumps(recipe, separators=(",", ":"))).encode())
