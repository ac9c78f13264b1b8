"""Classical evolution strategies: one strategy over the whole genome, one loss per candidate."""

from __future__ import annotations

import numpy as np

from evoart.search.evolution import Evolution
from evoart.types import Array, Boxes


class Classical(Evolution):
    """Any strategy of evosax over the whole genome. Needs no more of an engine than ``losses(genomes)``."""

    def _divide(self, boxes: Boxes | None) -> int:
        return 1

    def _evaluate(self, genomes: np.ndarray) -> np.ndarray:
        return np.asarray(self.engine.losses(genomes))[:, None]

    def _evaluate_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        return self.engine.losses_traced(genomes, inputs)[:, None]

    def _reach(self, genomes: Array) -> Array:
        return np.ones((1, 1), np.float32)
