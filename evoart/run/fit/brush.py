"""Importance maps by a brush: what matters, what is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evoart.errors import UsageError

BASE = 0.2  # weight of what no stroke has touched, where something matters more
MOST_STROKES, MOST_POINTS = 2_000, 10_000


def paint_weights(size: tuple[int, int], strokes: Sequence[Mapping[str, Any]], base: float | None = None) -> np.ndarray:
    """An importance map painted by strokes, for ``evoart.fit(..., weights=...)``.

    Args:
        size: ``(w, h)`` of the map in pixels; it needs the picture's proportions.
        strokes: in order, each a mapping of ``points``, pairs ``(x, y)`` in shares of the sides; ``radius`` in shares
            of the long side; ``value``, 1 where the picture matters most, 0 for what is left out.
        base: weight of what no stroke touches, 0 to 1; None is 1 where strokes only leave out, else 0.2.

    Returns:
        ``(h, w)`` float32 in [0, 1]; strokes have soft edges of half their radius.

    Raises:
        UsageError: a stroke that is none.
    """
    from PIL import Image, ImageDraw, ImageFilter

    w, h = size
    read = [_read(stroke) for stroke in strokes[: MOST_STROKES + 1]]
    if len(read) > MOST_STROKES:
        raise UsageError(f"there are more than {MOST_STROKES:,} strokes", "Paint with a larger brush")
    if base is None:
        base = BASE if any(value > 0 for _, _, value in read) else 1.0
    weights = np.full((h, w), base, np.float32)
    for points, radius, value in read:
        r = max(radius * max(w, h), 0.5)
        mask = Image.new("L", size)
        draw = ImageDraw.Draw(mask)
        corners = [(x * w, y * h) for x, y in points]
        if len(corners) > 1:
            draw.line(corners, fill=255, width=max(1, round(2 * r)))
        for x, y in corners:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(r / 4)), np.float32) / 255
        weights += soft * (value - weights)
    return weights


def _read(stroke: Mapping[str, Any]) -> tuple[list[tuple[float, float]], float, float]:
    try:
        points = [(float(x), float(y)) for x, y in stroke["points"]]
        radius, value = float(stroke["radius"]), float(stroke["value"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"a stroke of the brush is not understood ({error})", _HINT) from None
    numbers = np.array([*np.ravel(points), radius, value])
    sound = 1 <= len(points) <= MOST_POINTS and np.isfinite(numbers).all() and np.abs(numbers).max() <= 10
    if not (sound and 0 < radius <= 1 and 0 <= value <= 1):
        raise UsageError("a stroke of the brush has numbers that are out of range", _HINT)
    return points, radius, value


_HINT = 'Write {"points": [(0.5, 0.5)], "radius": 0.05, "value": 1}, in shares of the picture'
