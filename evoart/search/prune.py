"""Pruning of a finished genome: groups without which the loss is hardly higher are left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BATCH = 16  # candidates evaluated at a time


def find_needed(
    losses: Callable[[np.ndarray], np.ndarray],
    without: Callable[[list[int]], np.ndarray],
    groups: int,
    tolerance: float,
) -> list[int]:
    """The groups to keep, in their order, so that the loss is at most ``tolerance`` higher than with all of them.

    They are tried in the order of the loss without each alone, every one in addition to those left out already, at two
    evaluations per group. One group is always kept.

    Args:
        losses: of genomes ``(n, dim)``, ``(n,)``.
        without: the genome ``(dim,)`` without the groups of these numbers.
        groups: how many there are, 1 or more.
    """
    highest = float(losses(without([])[None])[0]) + tolerance
    alone: list[float] = []  # the loss where one group is left out
    for i in range(0, groups, BATCH):
        alone.extend(losses(np.stack([without([j]) for j in range(i, min(i + BATCH, groups))])))
    pruned: list[int] = []
    for group in sorted(range(groups), key=alone.__getitem__):
        if alone[group] > highest or len(pruned) == groups - 1:
            break
        if float(losses(without([*pruned, group])[None])[0]) <= highest:
            pruned.append(group)
    return [group for group in range(groups) if group not in pruned]
