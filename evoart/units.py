"""Lengths as people write them: ``420mm``, ``42 cm``, ``16.5in``, ``3000px``, ``3000``."""

from __future__ import annotations

import math
import re
from typing import Any

from evoart.errors import UsageError

INCH = 25.4  # mm
DPI = 300.0  # where a length has a unit and nobody says how fine its pixels are
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": INCH, '"': INCH, "inch": INCH, "pt": INCH / 72}
_LENGTH = re.compile(r"\s*([-+]?(?:\d+(?:[.,]\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*([a-z\"]*)\s*", re.IGNORECASE)


def millimetres(value: Any, what: str, plain: str = "") -> float:
    """A length in mm.

    Args:
        what: what it is the length of, for messages.
        plain: the unit of a number without one; ``""``: a unit must be there.

    Raises:
        UsageError: no length, not finite, an unknown unit or none.
    """
    number, unit = split(value, what)
    unit = unit or plain
    if not unit:
        raise UsageError(f"{what} is {number:g} without a unit", f"Write for example {number:g}mm")
    if unit not in UNITS:
        raise UsageError(f"{what} is in '{unit}', which is no unit of length", f"Use {', '.join(_NAMED)}")
    return number * UNITS[unit]


def split(value: Any, what: str) -> tuple[float, str]:
    """Number and unit (``""`` for none) of a length.

    Raises:
        UsageError: something else.
    """
    match = _LENGTH.fullmatch(str(value)[:60]) if not isinstance(value, bool) else None
    if not match or not math.isfinite(number := float(match[1].replace(",", "."))):
        raise UsageError(f"{what} is '{str(value)[:60]}', which is no length", "Write for example 420mm")
    return number, match[2].lower()


def pixels(value: Any, dpi: float, what: str) -> int | None:
    """Pixels at ``dpi`` of a length with a unit, at least 1; None where it has none or is in ``px``: those are pixels.

    Raises:
        UsageError: as ``millimetres``.
    """
    try:
        _, unit = split(value, what)
    except UsageError:
        return None  # whoever checks numbers says what is wrong
    if unit in ("", "px"):
        return None
    return max(1, round(millimetres(value, what) / INCH * dpi))


_NAMED = ("mm", "cm", "m", "in", "pt", "px")
