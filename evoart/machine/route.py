"""What a plotter does: strokes without duplicates, in a short order, joined where the pen need not come up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evoart.machine.order import order_strokes
from evoart.machine.pens import Pen

SAME = 0.01  # mm: points this near are the same


@dataclass(frozen=True, eq=False)
class PenLayer:
    """What one pen draws, in this order: strokes ``(k, 2)`` in mm from the top left of the paper."""

    pen: Pen
    strokes: list[np.ndarray]


@dataclass(frozen=True)
class Work:
    """What a plot takes: mm drawn, mm travelled with the pen up, how often it is lifted, and minutes."""

    drawn: float
    travel: float
    lifts: int
    minutes: float


def without_duplicates(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Strokes without segments that were drawn before, in either direction; a stroke may fall into pieces."""
    seen: set[tuple[int, ...]] = set()
    kept = []
    for stroke in strokes:
        near = np.rint(np.asarray(stroke) / SAME).astype(np.int64)
        piece: list[np.ndarray] = []
        for i in range(len(stroke) - 1):
            a, b = tuple(near[i].tolist()), tuple(near[i + 1].tolist())
            if a == b:
                continue
            key = min(a, b) + max(a, b)
            if key in seen:
                if piece:
                    kept.append(np.array(piece))
                piece = []
                continue
            seen.add(key)
            piece = piece or [stroke[i]]
            piece.append(stroke[i + 1])
        if piece:
            kept.append(np.array(piece))
    return kept


def plan(strokes: Sequence[np.ndarray], pen: Pen, start: tuple[float, float], join: float = 1.5) -> PenLayer:
    """Order a pen's strokes, and join those between which it moves no farther than ``join`` times its width."""
    joined = list(strokes)
    for _ in range(2):  # longer strokes have another best order, in which more are neighbours
        joined = _joined(order_strokes(joined, start), join * pen.width)
    return PenLayer(pen, joined)


def _joined(strokes: Sequence[np.ndarray], reach: float) -> list[np.ndarray]:
    """Strokes, each one with those after it that begin within ``reach`` mm of its end."""
    runs: list[list[np.ndarray]] = []
    for stroke in strokes:
        if runs and np.hypot(*(stroke[0] - runs[-1][-1][-1])) <= reach:
            runs[-1].append(stroke)
        else:
            runs.append([stroke])
    return [np.vstack(run) for run in runs]


def measure(
    layers: Sequence[PenLayer], start: tuple[float, float], speed: float, travel_speed: float, lift: float
) -> Work:
    """What ``layers`` take, each begun at ``start``.

    Args:
        speed, travel_speed: mm a second with the pen down and up.
        lift: seconds for lifting and lowering it once.
    """
    drawn = travel = 0.0
    lifts = 0
    for layer in layers:
        at = np.asarray(start, float)
        for stroke in layer.strokes:
            travel += float(np.hypot(*(stroke[0] - at)))
            drawn += float(np.hypot(*np.diff(stroke, axis=0).T).sum())
            at = stroke[-1]
            lifts += 1
    seconds = drawn / speed + travel / travel_speed + lifts * lift
    return Work(drawn, travel, lifts, seconds / 60)
