"""Checks of what forms read from files. Here nothing is imported that draws."""

from __future__ import annotations

from typing import Any

FARTHEST = 1000.0  # units or radians: no number of geometry is read as more, so that every rasteriser can hold it


def numbers(*values: Any, low: float, high: float) -> tuple[float, ...]:
    """The values as floats. Raises ValueError where one is not a number from ``low`` to ``high``."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{value!r} is not in [{low}, {high}]")
    return tuple(float(value) for value in values)
