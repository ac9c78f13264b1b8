"""Proposals for a drawing that grows, by the name of a model."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from evoart.sketch.proposals import Proposal, Proposer


@functools.lru_cache(maxsize=4)
def load_proposer(model: str) -> Proposer:
    """The proposer of a model that is on this machine, kept with all that it compiled.

    Raises:
        UsageError, EvoartError: no such model, or one that is not here or cannot continue a drawing.
    """
    from evoart.engine.jax_setup import setup
    from evoart.sketch.catalogue import find

    setup()
    return Proposer(find(model, download=False))


def propose_strokes(
    strokes: Sequence[np.ndarray], count: int = 9, model: str = "kanji", class_name: str | None = None, **how: Any
) -> list[Proposal]:
    """How a model would continue a drawing: by one stroke, or with ``whole=True`` to its end.

    Args:
        strokes: points ``(k, 2)`` each, in the order drawn, on a page whose longer side is 1, y down; may be none.
        count: how many proposals, 1 to 64.
        model: name or file of a sketch-rnn that is on this machine; ``class_name``: what one of several classes draws.
        how: ``temperature`` (0 to 2), ``seed``, ``whole``, as of ``evoart.sketch.proposals.Proposer.propose``.

    Returns:
        Each with ``strokes`` in the same units and ``finished``: whether the model then has nothing to add.

    Raises:
        UsageError: a value out of range, or a model that cannot continue a drawing.
        EvoartError: a model that is not on this machine.
    """
    found = load_proposer(model)
    if class_name is not None:
        how["class_index"] = found.model.class_index(class_name)
    return found.propose(strokes, count, **how)
