"""Regional fitness: a small evolution strategy per shape, told only the losses where its shape can reach.

Losses are summed by tile of a grid. A tile counts for a shape if the shape's box touches it: the mean of the
candidates' boxes, widened by two standard deviations. Partially separable optimisation; where the loss is one number,
or nothing is known about boxes, every tile counts for every shape and this is cooperative coevolution.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from evoart.search.evolution import Evolution
from evoart.search.tiles import reach_matrix
from evoart.types import Array, Boxes

TILE, MOST_TILES = 4, 32  # pixels per tile, tiles per side


class Regional(Evolution):
    """One strategy per group of the engine's form."""

    prefix = "regional "

    def _divide(self, boxes: Boxes | None) -> int:
        self._boxes = boxes if hasattr(self.engine, "tile_losses") else None
        if self._boxes is not None:
            self._height, self._width = self.engine.target.weight.shape
            self._tiles = int(np.clip(min(self._height, self._width) // TILE, 1, MOST_TILES))
        return self.engine.form.groups

    def _evaluate(self, genomes: np.ndarray) -> np.ndarray:
        if self._boxes is None:
            return np.asarray(self.engine.losses(genomes))[:, None]
        return np.asarray(self.engine.tile_losses(genomes, self._tiles)).reshape(len(genomes), -1)

    def _evaluate_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        if self._boxes is None:
            return self.engine.losses_traced(genomes, inputs)[:, None]
        return self.engine.tile_losses_traced(genomes, self._tiles, inputs).reshape(len(genomes), -1)

    def _reach(self, genomes: Array) -> Array:
        if self._boxes is None:
            return np.ones((1, self.groups), np.float32)
        each = self._boxes(self.engine.form, genomes, jnp)  # (n, groups, 4)
        spread = 2 * each.std(0) * np.array([-1, -1, 1, 1], np.float32)
        return reach_matrix(jnp, each.mean(0) + spread, self._height, self._width, self._tiles)
