"""From one frame of a film to the next: the same shapes, polished, a few of them replaced.

1. *Polish* all shapes of the last frame against the new one. A shape moves the less the less has changed under it, so
   that what is still stays as it is: Adam's steps have the same length however small the gradient.
2. *Replace*, in rounds: the shapes whose removal costs least are pruned, as many are placed on top where the picture is
   wrong, all are polished; kept where the loss falls by enough.
3. *Finish* at full resolution, where all shapes may move a little.

Every shape has a number for as long as it lives. New shapes lie on top of older ones, so the order of the numbers is
the paint order in every frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evoart.search.adam import Adam
from evoart.search.place import Effort, place
from evoart.search.plan import GRADIENT
from evoart.search.polishing import learning_rates, take_steps

FINISH_RATE = 0.3  # of the learning rates, in the last polish
GRID = 1 << 14  # numbers are whole multiples of 1 / GRID, which a recipe packs well: 0.06 pixels at 1,024


class Shapes(NamedTuple):
    """The shapes of one frame in paint order: kinds, rows ``(k, d)`` float32, and the number of each ``(k,)``."""

    kinds: tuple[str, ...]
    rows: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Pace:
    """How much work a frame is that follows another.

    Attributes:
        rounds: of replacing shapes.
        share: share of the shapes replaced in the first round, 0 to 1; falls linearly to one shape.
        steps: gradient steps before the rounds, and in each.
        finish: gradient steps on the full canvas.
        effort: budget to place one shape.
        rate: first learning rate, as of ``Plan``.
        gain: share of the loss that a round has to gain to be kept.
    """

    rounds: int = 3
    share: float = 0.12
    steps: int = 40
    finish: int = 95
    effort: Effort = Effort(200, 4, 8, 6)
    rate: float = 0.01
    gain: float = 0.002


PACES = {
    "draft": Pace(rounds=2, steps=25, finish=40, effort=Effort(100, 4, 6, 5)),
    "normal": Pace(),
    "best": Pace(rounds=6, steps=60, finish=250, effort=Effort()),
}


def on_grid(rows: np.ndarray) -> np.ndarray:
    """``rows`` rounded to multiples of 1 / ``GRID``."""
    return (np.rint(rows * GRID) / GRID).astype(np.float32)


def follow(
    rng: np.random.Generator, coarse: Any, fine: Any, last: Shapes, choices: tuple[str, ...],
    scales: dict[str, np.ndarray], bounds: np.ndarray, moving: Callable[[tuple[str, ...], np.ndarray], np.ndarray],
    pace: Pace, next_number: int, free_colours: bool = True, ease: float = 0.0,
) -> tuple[Shapes, int]:  # fmt: skip
    """The shapes of the next frame, and the number of evaluations.

    Args:
        coarse, fine: canvases (``evoart.engine.placement.PlacementCanvas``) of the new frame.
        last: shapes of the last frame.
        choices: the kinds that a new shape may have.
        scales: natural step of every number of each kind's geometry.
        bounds: lowest and highest value of the last four columns ``(2, 4)``.
        moving: tells of shapes (kinds, rows) how much of the learning rate each gets ``(k,)``, 0 to 1.
        next_number: of the first new shape.
        free_colours: False holds colours as placed (a palette).
        ease: how much of the learning rate shapes keep at least in the last polish, 0 to 1. What is new was drawn with
            few steps, and what lies around it has made room for it: both have to settle while nothing changes.
    """
    evaluations = 0

    def polish(canvas: Any, shapes: Shapes, shares: np.ndarray, rate: float, steps: int) -> tuple[Shapes, float]:
        nonlocal evaluations
        rates = learning_rates(shapes.kinds, shapes.rows, scales, rate, free_colours) * shares[:, None]
        adam = Adam(shapes.rows, rates, steps)
        take_steps(canvas, shapes.kinds, adam, steps + 1, bounds)
        evaluations += GRADIENT * (steps + 1)
        return shapes._replace(rows=adam.best), adam.loss

    shares = moving(last.kinds, last.rows)
    shapes, loss = polish(coarse, last, shares, pace.rate, pace.steps)
    for turn in range(pace.rounds):
        gone = max(1, round(pace.share * len(shapes.rows) * (1 - turn / pace.rounds)))
        removal = coarse.removal(shapes.kinds, shapes.rows)
        keep = np.sort(np.argsort(removal, kind="stable")[gone:])
        kinds, rows = tuple(shapes.kinds[i] for i in keep), shapes.rows[keep]
        coarse.open(kinds, rows)
        for _ in range(gone):
            kind, geometry, rgba, _, count = place(rng, coarse, choices, scales, pace.effort)
            row = np.zeros(rows.shape[1], np.float32)
            row[: len(geometry)], row[-4:] = geometry, rgba
            kinds, rows = (*kinds, kind), np.vstack([rows, row])
            coarse.paint(kind, row)
            evaluations += count
        numbers = np.append(shapes.numbers[keep], np.arange(next_number, next_number + gone))
        fresh = np.append(shares[keep], np.ones(gone))
        tried, found = polish(coarse, Shapes(kinds, rows, numbers), fresh, pace.rate, pace.steps)
        if found < loss * (1 - pace.gain):
            shapes, loss, shares, next_number = tried, found, fresh, next_number + gone
    shapes, _ = polish(fine, shapes, ease + (1 - ease) * shares, FINISH_RATE * pace.rate, pace.finish)
    return shapes._replace(rows=on_grid(shapes.rows)), evaluations
