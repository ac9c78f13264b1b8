"""Whether the arrays of a checkpoint belong to a search."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evoart.errors import EvoartError


def check_fit(fits: bool) -> None:
    """Raise EvoartError where a checkpoint does not fit the search that it is loaded into."""
    if not fits:
        raise EvoartError("the checkpoint does not fit this search", "Start the run again from its picture")


def check_layout(mine: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> None:
    """Raise EvoartError unless ``arrays`` have the names, shapes and types of ``mine``."""
    check_fit(
        mine.keys() == arrays.keys()
        and all(np.shape(arrays[name]) == mine[name].shape for name in mine)
        and all(np.asarray(arrays[name]).dtype == mine[name].dtype for name in mine)
    )
