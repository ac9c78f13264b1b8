"""Place one shape: a small (mu + lambda) evolution of its geometry; colour and opacity follow in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

EARLY = 3  # generations before two thirds of the survivors drop out
STEP = 0.06  # first mutation of a position, in units; lengths and angles in proportion
FACTORS = 1.3, 0.6  # of a step, after success and after failure


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
        return self.samples + kinds * self.children * int(
            _parents(_share(self.survivors, kinds), self.generations).sum()
        )

    @classmethod
    def for_budget(cls, evaluations: float, kinds: int = 1) -> Effort:
        """An effort of about so many evaluations, 20 at least, to place one shape of ``kinds`` to choose from."""
        n = max(evaluations, 20.0)
        samples, survivors = max(8, round(0.4 * n)), 8 if n > 400 else 4
        generations = int(np.clip(np.sqrt(n / kinds) / 4, 2, 14))
        parents = kinds * int(_parents(_share(survivors, kinds), generations).sum())
        return cls(samples, survivors, max(1, round(0.6 * n / parents)), generations)


def _share(survivors: int, kinds: int) -> int:
    """Survivors of one kind."""
    return max(2, survivors // kinds)


def _parents(survivors: int, generations: int) -> np.ndarray:
    """How many survivors have children in each generation: all of them in the early ones, then a third of them."""
    late = max(2, survivors // 3) if survivors > 3 else survivors
    return np.where(np.arange(generations) < EARLY, survivors, late)


def place(
    rng: np.random.Generator, canvas: Any, kinds: tuple[str, ...], scales: dict[str, np.ndarray], effort: Effort
) -> tuple[str, np.ndarray, np.ndarray, float, int]:
    """The best shape found for the top of the picture on ``canvas``.

    Survivors have children at their own step size, which grows on success; two thirds of them drop out early.

    Args:
        canvas: offers ``sample(rng, kind, n)``, ``gains(kind, geometry)`` and ``evolve``, which does in one call what
            ``_evolve`` does, or returns None.
        kinds: the kinds to choose from; every one gets its share of the samples.
        scales: natural step of every number of each kind's geometry.

    Returns:
        kind, geometry, rgba, gain (by how much the weighted squared error, summed over pixels, falls) and the number of
        candidates evaluated.
    """
    found, evaluated = [], 0
    for kind in kinds:
        samples = canvas.sample(rng, kind, -(-effort.samples // len(kinds)))
        n, dim = samples.shape
        parents = _parents(min(n, _share(effort.survivors, len(kinds))), effort.generations)
        children = int(parents.sum()) * effort.children
        moves = rng.standard_normal((children, dim + 1), np.float32)
        chosen = rng.random((children, dim), np.float32)
        work = kind, samples, parents, effort.children, scales[kind], moves, chosen, STEP / 0.1, FACTORS
        geometry, rgba, gain, used = canvas.evolve(*work) or _evolve(canvas, *work)
        evaluated += used
        found.append((float(gain), kind, geometry, rgba))
    gain, kind, geometry, rgba = max(found, key=lambda entry: entry[0])
    return kind, geometry, rgba, gain, evaluated


def _evolve(
    canvas: Any, kind: str, samples: np.ndarray, parents: np.ndarray, children: int, scale: np.ndarray,
    moves: np.ndarray, chosen: np.ndarray, step: float, factors: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, float, int]:  # fmt: skip
    """Geometry, rgba and gain of the best shape, and how many candidates were judged.

    Args:
        parents: how many survivors have children, in each generation.
        moves, chosen: random numbers of ``c`` children: ``(c, g + 1)``, normal, moves and the logarithm of a size;
            ``(c, g)``, uniform, those below a half move.
        factors: of a step after success, and after failure.
    """
    gains, rgba = canvas.gains(kind, samples)
    geometry, steps, evaluated, at = samples, np.full(len(samples), step, np.float32), len(samples), 0
    move = np.where(chosen < 0.5, moves[:, :-1] * scale.astype(np.float32), np.float32(0)) * np.exp(moves[:, -1:])
    for n in parents:
        keep = np.argsort(-gains, kind="stable")[:n] if n < len(gains) else slice(None)
        geometry, rgba, gains, steps = geometry[keep], rgba[keep], gains[keep], steps[keep]
        of = np.repeat(np.arange(n), children)
        born = geometry[of] + steps[of, None] * move[at : at + len(of)]
        at, evaluated = at + len(of), evaluated + len(of)
        born_gains, born_rgba = canvas.gains(kind, born)
        best = born_gains.reshape(n, children).argmax(1) + np.arange(n) * children
        better = born_gains[best] > gains
        geometry, rgba = (
            np.where(better[:, None], born[best], geometry),
            np.where(better[:, None], born_rgba[best], rgba),
        )
        gains, steps = np.where(better, born_gains[best], gains), steps * np.where(better, *factors).astype(np.float32)
    best = int(gains.argmax())
    return geometry[best], rgba[best], gains[best], evaluated
