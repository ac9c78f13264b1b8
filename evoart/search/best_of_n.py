"""Best-of-n random search: for every place of a sheet the best of several random individuals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoart.search.checkpoint import check_fit
from evoart.search.individuals import Individual, Kind
from evoart.types import Genome, Search


class BestOfN(Search):
    """Fills places one by one; one step is one place. A place depends on its own number only, not on those before.

    Args:
        make: the number of a place to its candidates.
        evaluate: candidates to losses ``(n,)`` in [0, 1].
        kind: how individuals are taken apart.
        assemble: the individuals of all places (None: empty) to structure and genome of the sheet.
        places: numbers of the places, one or more.
    """

    stage = "choosing"

    def __init__(
        self,
        make: Callable[[int], Sequence[Individual]],
        evaluate: Callable[[Sequence[Individual]], np.ndarray],
        kind: Kind,
        assemble: Callable[[list[Individual | None]], tuple[Any, Genome]],
        places: Sequence[int],
    ) -> None:
        self._make, self._evaluate, self.kind, self._assemble = make, evaluate, kind, assemble
        self.places = list(places)
        self.chosen: list[Individual] = []
        self.losses: list[float] = []
        self.evaluations = 0

    @property
    def generation(self) -> int:
        """Places that are filled."""
        return len(self.chosen)

    @property
    def done(self) -> bool:
        """Whether all places are filled."""
        return len(self.chosen) == len(self.places)

    @property
    def progress(self) -> float:
        """Share of the places that is filled, 0 to 1."""
        return len(self.chosen) / len(self.places)

    @property
    def loss(self) -> float:
        """Mean over all places; 1 for those that are empty."""
        return (sum(self.losses) + len(self.places) - len(self.losses)) / len(self.places)

    @property
    def _all(self) -> list[Individual | None]:
        return [*self.chosen, *[None] * (len(self.places) - len(self.chosen))]

    @property
    def structure(self) -> Any:
        """Of the sheet."""
        return self._assemble(self._all)[0]

    @property
    def genome(self) -> Genome:
        """Of the sheet, ``(dim,)`` float32."""
        return self._assemble(self._all)[1]

    def step(self) -> None:
        """The next place."""
        candidates = self._make(self.places[len(self.chosen)])
        losses = np.asarray(self._evaluate(candidates))
        best = int(np.argmin(np.where(np.isfinite(losses), losses, np.inf)))
        self.chosen.append(candidates[best])
        self.losses.append(float(losses[best]))
        self.evaluations += len(candidates)

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state as named arrays."""
        packed = {f"chosen/{name}": value for name, value in self.kind.pack(self.chosen).items()}
        return packed | {"losses": np.array(self.losses, np.float64), "evaluations": np.int64(self.evaluations)}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()`` of a search made with the same arguments.

        Raises:
            EvoartError: the arrays belong to another search.
        """
        parts = {k.removeprefix("chosen/"): v for k, v in arrays.items() if k.startswith("chosen/")}
        self.chosen, self.losses = self.kind.unpack(parts), [float(loss) for loss in arrays["losses"]]
        check_fit(len(self.chosen) == len(self.losses) <= len(self.places))
        self.evaluations = int(arrays["evaluations"])
