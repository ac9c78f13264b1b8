"""Place one shape: a small (mu + lambda) evolution of its geometry; colour and opacity follow in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.compiled import njit

EARLY = 3  # generations before two thirds of the survivors drop out
STEP = 0.06  # first mutation of a position, in units; lengths and angles in proportion


@dataclass(frozen=True)
class Effort:
    """Budget to place one shape.

    Attributes:
        samples: random candidates at the start, of all kinds together.
        survivors: how many of them, of all kinds together, have children.
        children: of each survivor and generation.
        generations: of the evolution.
    """

    samples: int = 600
    survivors: int = 8
    children: int = 12
    generations: int = 10

    def evaluations(self, kinds: int = 1) -> int:
        """Candidates evaluated to place one shape of ``kinds`` to choose from."""
        return self.samples + kinds * self.children * _parents(_share(self.survivors, kinds), self.generations)

    @classmethod
    def for_budget(cls, evaluations: float, kinds: int = 1) -> Effort:
        """An effort of about so many evaluations, 20 at least, to place one shape of ``kinds`` to choose from."""
        n = max(evaluations, 20.0)
        samples, survivors = max(8, round(0.4 * n)), 8 if n > 400 else 4
        generations = int(np.clip(np.sqrt(n / kinds) / 4, 2, 14))
        parents = kinds * _parents(_share(survivors, kinds), generations)
        return cls(samples, survivors, max(1, round(0.6 * n / parents)), generations)


def _share(survivors: int, kinds: int) -> int:
    """Survivors of one kind."""
    return max(2, survivors // kinds)


def _parents(survivors: int, generations: int) -> int:
    """How often a survivor has children: all of them in the early generations, then a third of them."""
    early = min(generations, EARLY)
    return early * survivors + (generations - early) * (max(2, survivors // 3) if survivors > 3 else survivors)


def place(
    rng: np.random.Generator, canvas: Any, kinds: tuple[str, ...], scales: dict[str, np.ndarray], effort: Effort
) -> tuple[str, np.ndarray, np.ndarray, float, int]:
    """The best shape found for the top of the picture on ``canvas``.

    Args:
        canvas: offers ``sample(rng, kind, n)`` and ``gains(kind, geometry)``.
        kinds: the kinds to choose from; every one gets its share of the samples.
        scales: natural step of every number of each kind's geometry.

    Returns:
        kind, geometry, rgba, gain (by how much the weighted squared error, summed over pixels, falls) and the number of
        candidates evaluated.
    """
    found = []
    evaluated = 0
    for kind in kinds:
        samples = canvas.sample(rng, kind, -(-effort.samples // len(kinds)))
        gains, rgba = canvas.gains(kind, samples)
        evaluated += len(samples)
        keep = np.argsort(-gains, kind="stable")[: _share(effort.survivors, len(kinds))]
        geometry, rgba, gain, used = _evolve(
            rng, canvas, kind, samples[keep], rgba[keep], gains[keep], scales[kind], effort
        )
        evaluated += used
        found.append((float(gain), kind, geometry, rgba))
    gain, kind, geometry, rgba = max(found, key=lambda entry: entry[0])
    return kind, geometry, rgba, gain, evaluated


def _evolve(
    rng: np.random.Generator, canvas: Any, kind: str, geometry: np.ndarray, rgba: np.ndarray, gains: np.ndarray,
    scale: np.ndarray, effort: Effort,
) -> tuple[np.ndarray, np.ndarray, float, int]:  # fmt: skip
    """Survivors have children at their own step size, which grows on success; two thirds drop out early."""
    step, evaluated = np.full(len(geometry), STEP / 0.1), 0
    geometry, scale = np.ascontiguousarray(geometry, np.float32), np.asarray(scale, np.float64)
    for generation in range(effort.generations):
        n, dim = geometry.shape
        moves = rng.normal(size=(n, effort.children, dim))
        sizes, chosen = rng.normal(size=(n, effort.children)), rng.random((n, effort.children, dim))
        children = _mutate(geometry, scale, step, moves, sizes, chosen)
        child_gains, child_rgba = canvas.gains(kind, children)
        evaluated += len(children)
        _select(children, child_rgba, child_gains, geometry, rgba, gains, step)
        if generation == EARLY - 1 and n > 3:
            keep = np.argsort(-gains, kind="stable")[: max(2, n // 3)]
            geometry, rgba, gains, step = geometry[keep], rgba[keep], gains[keep], step[keep]
    best = int(gains.argmax())
    return geometry[best], rgba[best], gains[best], evaluated


@njit(nogil=True, cache=True)
def _mutate(geometry, scale, step, moves, sizes, chosen):
    """Children ``(n * c, dim)`` of survivors ``(n, dim)``: half of their numbers moved, each child by its own size."""
    n, count, dim = moves.shape
    children = np.empty((n * count, dim), np.float32)
    for i in range(n):
        for j in range(count):
            size = step[i] * np.exp(sizes[i, j])
            child = children[i * count + j]
            for d in range(dim):
                child[d] = geometry[i, d] + (moves[i, j, d] * scale[d] * size if chosen[i, j, d] < 0.5 else 0.0)
    return children


@njit(nogil=True, cache=True)
def _select(children, child_rgba, child_gains, geometry, rgba, gains, step):
    """Put the best child in its parent's place, where it gains more, and adapt the step sizes; in place."""
    n = len(geometry)
    count = len(children) // n
    for i in range(n):
        best = i * count
        for j in range(best, best + count):
            if child_gains[j] > child_gains[best]:
                best = j
        if child_gains[best] > gains[i]:
            gains[i] = child_gains[best]
            for d in range(geometry.shape[1]):
                geometry[i, d] = children[best, d]
            for c in range(4):
                rgba[i, c] = child_rgba[best, c]
            step[i] *= 1.3
        else:
            step[i] *= 0.6
