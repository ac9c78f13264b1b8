"""A search whose genomes are read in another way than the run reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from evoart.types import Genome, Search


class Reparametrised:
    """A search that reports ``convert(genome)`` instead of its own genome, and is ``search`` in everything else."""

    def __init__(self, search: Search, convert: Callable[[Genome], Genome]) -> None:
        self._search, self._convert = search, convert

    @property
    def genome(self) -> Genome:
        """The best so far as the run's form reads it, ``(dim,)`` float32."""
        return self._convert(self._search.genome)

    def step(self) -> None:
        """One unit of the inner search's work."""
        self._search.step()

    def arrays(self) -> dict[str, np.ndarray]:
        """The inner search's state."""
        return self._search.arrays()

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``."""
        self._search.load(arrays)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._search, name)
