"""MAP-Elites (J.-B. Mouret and J. Clune, "Illuminating search spaces by mapping elites", 2015): the best individual for
every combination of measures. Others define what individuals are, how they vary and what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoart.search.checkpoint import check_fit
from evoart.search.individuals import Individual, Kind, rng_arrays, rng_from
from evoart.types import Genome, Search


class Grid:
    """Cells over the range of each measure. A cell holds the individual of the lowest loss that fell into it.

    Args:
        shape: cells along each measure.
        ranges: (low, high) of each measure; what lies beyond counts to the outermost cells.
    """

    def __init__(self, shape: Sequence[int], ranges: Sequence[tuple[float, float]]) -> None:
        self.shape = tuple(shape)
        self.low, self.high = (np.array(side, np.float64) for side in zip(*ranges, strict=True))
        self.cells: dict[int, tuple[Individual, float]] = {}

    @property
    def size(self) -> int:
        """Number of cells."""
        return int(np.prod(self.shape))

    def cell_of(self, measures: np.ndarray) -> np.ndarray:
        """Numbers of the cells ``(n,)`` for measures ``(n, m)``, the last measure running fastest."""
        place = (measures - self.low) / (self.high - self.low) * self.shape
        place = np.clip(np.floor(place), 0, np.array(self.shape) - 1).astype(int)
        return np.asarray(np.ravel_multi_index(tuple(place.T), self.shape))

    def add(self, individuals: Sequence[Individual], losses: np.ndarray, measures: np.ndarray) -> int:
        """Offer individuals in order. A cell takes one that is its first or has a lower loss; none that is not finite.

        Returns:
            how many were taken.
        """
        taken = 0
        sound = np.isfinite(losses) & np.isfinite(measures).all(1)
        cells = self.cell_of(np.where(sound[:, None], measures, self.low))
        for one, loss, cell, fit in zip(individuals, losses, cells, sound, strict=True):
            if fit and (int(cell) not in self.cells or loss < self.cells[int(cell)][1]):
                self.cells[int(cell)] = (one, float(loss))
                taken += 1
        return taken


class MapElites(Search):
    """A search for variety. One step is one batch: parents are drawn uniformly from all cells, varied, evaluated and
    offered to the archive.

    Args:
        random: a generator to a random individual.
        vary: two parents and a generator to a child.
        evaluate: individuals to losses in [0, 1] ``(n,)`` and measures ``(n, m)``.
        kind: how individuals are taken apart; ``assemble`` makes structure and genome of the whole archive.
        grid: the empty archive.
        batch: children per step; the first ``first`` individuals are random.
        seed: decides everything random.
    """

    def __init__(
        self,
        random: Callable[[np.random.Generator], Individual],
        vary: Callable[[Individual, Individual, np.random.Generator], Individual],
        evaluate: Callable[[Sequence[Individual]], tuple[np.ndarray, np.ndarray]],
        kind: Kind,
        assemble: Callable[[list[Individual | None]], tuple[Any, Genome]],
        grid: Grid,
        batch: int,
        first: int,
        seed: int,
    ) -> None:
        self._random, self._vary, self._evaluate, self.kind = random, vary, evaluate, kind
        self._assemble, self.grid, self.batch, self.first = assemble, grid, batch, first
        self.rng = np.random.default_rng([seed, 11])
        self.generation, self.evaluations, self.done = 0, 0, False

    @property
    def stage(self) -> str:
        """How many cells are filled."""
        return f"{len(self.grid.cells)} of {self.grid.size} cells"

    @property
    def loss(self) -> float:
        """1 less the mean of 1 - loss over all cells, empty ones counting nothing: 1 minus the QD score per cell."""
        return 1.0 - sum(1.0 - loss for _, loss in self.grid.cells.values()) / self.grid.size

    @property
    def coverage(self) -> float:
        """Share of the cells that are filled."""
        return len(self.grid.cells) / self.grid.size

    @property
    def _elites(self) -> list[Individual | None]:
        return [self.grid.cells[cell][0] if cell in self.grid.cells else None for cell in range(self.grid.size)]

    @property
    def structure(self) -> Any:
        """Of the whole archive."""
        return self._assemble(self._elites)[0]

    @property
    def genome(self) -> Genome:
        """Of the whole archive, ``(dim,)`` float32."""
        return self._assemble(self._elites)[1]

    def step(self) -> None:
        """One batch."""
        self.grid.add(individuals := self._next(), *self._evaluate(individuals))
        self.evaluations += len(individuals)
        self.generation += 1

    def _next(self) -> list[Individual]:
        if self.evaluations < self.first or not self.grid.cells:
            return [self._random(self.rng) for _ in range(self.batch)]
        elites = [self.grid.cells[cell][0] for cell in sorted(self.grid.cells)]
        pairs = self.rng.integers(len(elites), size=(self.batch, 2))
        return [self._vary(elites[a], elites[b], self.rng) for a, b in pairs]

    # Checkpoints.

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        cells = sorted(self.grid.cells)
        packed = self.kind.pack([self.grid.cells[cell][0] for cell in cells])
        return {f"elites/{name}": value for name, value in packed.items()} | rng_arrays(self.rng) | {
            "cells": np.array(cells, np.int64),
            "losses": np.array([self.grid.cells[cell][1] for cell in cells], np.float64),
            "numbers": np.array([self.generation, self.evaluations], np.int64),
        }  # fmt: skip

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        parts = {k.removeprefix("elites/"): v for k, v in arrays.items() if k.startswith("elites/")}
        elites, cells, losses = self.kind.unpack(parts), arrays["cells"].tolist(), arrays["losses"].tolist()
        check_fit(len(elites) == len(cells) == len(losses) and all(0 <= cell < self.grid.size for cell in cells))
        pairs = zip(elites, losses, strict=True)
        self.grid.cells = dict(zip(cells, pairs, strict=True))
        self.generation, self.evaluations = (int(value) for value in arrays["numbers"])
        self.rng = rng_from(arrays)
