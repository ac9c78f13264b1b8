"""Leaving out what does not matter: groups of a finished genome that the score hardly misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIDE = 16  # candidates judged side by side


def needed(
    losses: Callable[[np.ndarray], np.ndarray],
    without: Callable[[list[int]], np.ndarray],
    groups: int,
    tolerance: float,
) -> list[int]:
    """The groups to keep, in their order, so that the loss is at most ``tolerance`` higher than with all of them.

    They are tried from the least missed to the most, each on top of those left out already, at two evaluations per
    group. One group is always kept.

    Args:
        losses: of genomes ``(n, dim)``, ``(n,)``.
        without: the genome ``(dim,)`` without these groups.
    """
    most = float(losses(without([])[None])[0]) + tolerance
    alone: list[float] = []  # the loss where one group is left out
    for i in range(0, groups, SIDE):
        alone.extend(losses(np.stack([without([j]) for j in range(i, min(i + SIDE, groups))])))
    gone: list[int] = []
    for group in sorted(range(groups), key=alone.__getitem__):
        if alone[group] > most or len(gone) == groups - 1:
            break
        if float(losses(without([*gone, group])[None])[0]) <= most:
            gone.append(group)
    return [group for group in range(groups) if group not in gone]
