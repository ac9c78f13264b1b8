"""Leaving out what does not matter: groups of a finished genome that the score hardly misses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SIDE = 16  # candidates judged side by side


def missed(losses: Callable[[np.ndarray], np.ndarray], without: Callable[[list[int]], np.ndarray], groups: int) -> list:
    """Groups ``[0, groups)`` with what the loss rises by when each alone is left out, the least missed first.

    Args:
        losses: of genomes ``(n, dim)``, ``(n,)``.
        without: the genome ``(dim,)`` without these groups.
    """
    base = float(losses(without([])[None])[0])
    found: list[float] = []
    for i in range(0, groups, SIDE):
        some = np.stack([without([j]) for j in range(i, min(i + SIDE, groups))])
        found.extend(np.asarray(losses(some), float) - base)
    return sorted(zip(range(groups), found, strict=True), key=lambda each: each[1])


def needed(
    losses: Callable[[np.ndarray], np.ndarray],
    without: Callable[[list[int]], np.ndarray],
    groups: int,
    tolerance: float,
) -> list[int]:
    """The groups to keep, in their order, so that the loss is at most ``tolerance`` higher than with all of them.

    They are tried from the least missed to the most, each on top of those left out already, at two evaluations per
    group. One group is always kept.
    """
    most = float(losses(without([])[None])[0]) + tolerance
    gone: list[int] = []
    for group, rise in missed(losses, without, groups):
        if rise > tolerance or len(gone) == groups - 1:
            break
        if float(losses(without([*gone, group])[None])[0]) <= most:
            gone.append(group)
    return [group for group in range(groups) if group not in gone]
