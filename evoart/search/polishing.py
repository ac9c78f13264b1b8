"""Joint gradient steps of shapes, as the growing search and its followers take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evoart.search.adam import Adam


def learning_rates(
    kinds: tuple[str, ...], rows: np.ndarray, scales: Mapping[str, np.ndarray], rate: float, free_colours: bool = True
) -> np.ndarray:
    """Rates ``(k, d)`` of the numbers of shapes ``rows`` ``(k, d)``.

    Args:
        scales: natural step of every number of each kind's geometry.
        rate: of positions, units a step, for 50 shapes at most; that of colours is twice as high.
        free_colours: False holds colours as they are.
    """
    # Smaller shapes want smaller steps; 0.1 units is the natural step of a position.
    rate = rate * min(1.0, (50 / max(len(rows), 1)) ** 0.25)
    rates = np.zeros(rows.shape, np.float32)
    names = np.asarray(kinds)
    for kind in dict.fromkeys(kinds):
        scale = scales[kind]
        rates[names == kind, : len(scale)] = rate * scale / 0.1
    rates[:, -4:] = 2 * rate
    if not free_colours:
        rates[:, -4:-1] = 0
    return rates


def take_steps(
    canvas: Any,
    kinds: tuple[str, ...],
    adam: Adam,
    steps: int,
    bounds: np.ndarray,
    limits: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Up to ``steps`` steps of ``adam`` on a canvas, in place.

    Args:
        canvas: offers ``gradient(kinds, rows)`` and perhaps ``polish(kinds, adam, steps)``.
        bounds: lowest and highest value of the last four columns ``(2, 4)``.
        limits: those of every number of geometry ``(2, g)``, of the kinds that have any.
    """
    names = np.asarray(kinds)

    def clip(rows: np.ndarray) -> np.ndarray:
        rows[:, -4:] = np.clip(rows[:, -4:], *bounds)
        for kind, (low, high) in (limits or {}).items():
            rows[names == kind, : len(low)] = np.clip(rows[names == kind, : len(low)], low, high)
        return rows

    last = adam.t + steps
    if hasattr(canvas, "polish") and canvas.polish(kinds, adam, steps):
        return
    while adam.t < last and not adam.done:
        adam.step(lambda rows: canvas.gradient(kinds, rows)[:2], clip)
