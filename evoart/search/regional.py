"""Regional fitness: a small evolution strategy per shape, told only what happened where its shape can reach.

Losses are kept apart on a grid of tiles. A tile counts for a shape if the shape's box touches it: the mean of the
candidates' boxes, widened by two standard deviations. Partially separable optimisation; where the loss is one number,
or nothing is known about boxes, every tile counts for every shape and this is cooperative coevolution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from evoart.search.evolution import Evolution
from evoart.types import Array, Engine, Genome

TILE, MOST_TILES = 4, 32  # pixels per tile, tiles per side


class Regional(Evolution):
    """One strategy per group of the engine's form.

    Args: as ``Evolution``, without ``groups``, and
        boxes: ``boxes(form, genomes, xp)`` gives ``(n, groups, 4)`` x0, y0, x1, y1 as shares of the picture's sides.
            None: all tiles count.
    """

    def __init__(
        self,
        engine: Engine,
        strategy: str,
        population: int | None,
        seed: int,
        start: Genome,
        options: Mapping[str, Any] | None = None,
        boxes: Callable[[Any, Array, Any], Array] | None = None,
    ) -> None:
        self._boxes = boxes if hasattr(engine, "tile_losses") else None
        if self._boxes is not None:
            self._height, self._width = engine.target.weight.shape
            self._tiles = int(np.clip(min(self._height, self._width) // TILE, 1, MOST_TILES))
        super().__init__(engine, strategy, population, seed, start, options, groups=engine.form.groups)
        self.stage = f"regional {self.stage}"

    def _judge(self, genomes: np.ndarray) -> np.ndarray:
        if self._boxes is None:
            return np.asarray(self.engine.losses(genomes))[:, None]
        return np.asarray(self.engine.tile_losses(genomes, self._tiles)).reshape(len(genomes), -1)

    def _judge_traced(self, genomes: Array, inputs: tuple[Array, ...]) -> Array:
        if self._boxes is None:
            return self.engine.losses_traced(genomes, inputs)[:, None]
        return self.engine.tile_losses_traced(genomes, self._tiles, inputs).reshape(len(genomes), -1)

    def _reach(self, genomes: Array) -> Array:
        if self._boxes is None:
            return np.ones((1, self.groups), np.float32)
        each = self._boxes(self.engine.form, genomes, jnp)  # (n, groups, 4)
        spread = 2 * each.std(0) * np.array([-1, -1, 1, 1], np.float32)
        box = each.mean(0) + spread
        rows = self._touches(box[:, 1], box[:, 3], self._height)
        columns = self._touches(box[:, 0], box[:, 2], self._width)
        return (rows[:, None] & columns[None]).reshape(-1, self.groups).astype(jnp.float32)

    def _touches(self, low: Array, high: Array, pixels: int) -> Array:
        """``(tiles, groups)`` bool: which rows (or columns) of tiles lie in shares ``low`` to ``high`` of a side."""
        # One pixel more, for soft edges. A shape outside the picture keeps the border, or it would never come back.
        first = jnp.clip(jnp.floor(low * pixels - 1), 0, pixels - 1) * self._tiles // pixels
        last = jnp.clip(jnp.floor(high * pixels + 1), 0, pixels - 1) * self._tiles // pixels
        tile = jnp.arange(self._tiles)[:, None]
        return (tile >= first) & (tile <= last)
