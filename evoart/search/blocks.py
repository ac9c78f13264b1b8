"""How many generations make one device program: about half a second's worth at most."""

from __future__ import annotations

from typing import Any

import numpy as np

WORK = 1e8  # pixels times shapes per block, where an engine does not say
MOST = 100  # generations, so that short ones are still reported and can be interrupted


def generations_per_block(engine: Any, judged: int) -> int:
    """Generations of ``judged`` pictures per program: fixed by the problem, not by a clock, so that runs can be
    repeated."""
    target = getattr(engine, "target", None)
    pixels = target.weight.size if target is not None else 1
    shapes = getattr(getattr(engine, "form", None), "groups", 1)
    work = getattr(engine, "block_work", WORK)
    return int(np.clip(work / max(judged * pixels * shapes, 1), 1, MOST))
