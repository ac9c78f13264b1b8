"""The state of a search by one strategy as arrays: what a checkpoint keeps of it."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.search.checkpoint import check_layout
from evoart.types import Search


class StrategySearch(Search):
    """A search whose whole state is its strategy's, an origin, a key, and the best so far."""

    _state: Any
    _origin: np.ndarray
    _key: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        leaves = {f"state/{i:03d}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(self._state))}
        return leaves | {
            "origin": self._origin,
            "key": np.asarray(self._key),
            "genome": np.asarray(self.genome, np.float32),
            "loss": np.asarray(self.loss, np.float64),
            "generation": np.asarray(self.generation, np.int64),
            "evaluations": np.asarray(self.evaluations, np.int64),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        mine = self.arrays()
        check_layout(mine, arrays)
        leaves = [jnp.asarray(arrays[name]) for name in sorted(mine) if name.startswith("state/")]
        self._state = jax.tree.unflatten(jax.tree.structure(self._state), leaves)
        self._origin, self._key = np.array(arrays["origin"]), np.array(arrays["key"])
        self.genome, self.loss = np.array(arrays["genome"]), float(arrays["loss"])
        self.generation, self.evaluations = int(arrays["generation"]), int(arrays["evaluations"])
