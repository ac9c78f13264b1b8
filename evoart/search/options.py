"""Names and ranges of the options of searches (``--set NAME=VALUE``).

A job checks them before anything is read or searched, so this file imports neither NumPy nor JAX.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evoart.errors import UsageError, unknown

# Of the default search: evaluations to place one shape, stages of growing, prune-and-regrow cycles that are planned,
# how many of them are done, and gradient steps at the end. Together they decide the whole plan.
GROWING = ("effort", "stages", "cycles", "rounds", "finish")
LARGEST = 1_000_000  # of any of them; no plan, whatever budget it was made for, goes beyond
INDEPENDENT_SETS = {"step": 1.0, "fresh": 0.05}  # and their defaults


def check_growing(options: Mapping[str, Any]) -> None:
    """Check the options of the default search, each a whole number from 0 to ``LARGEST``.

    Raises:
        UsageError: unknown name (with a suggestion), or a value out of range.
    """
    for name, value in options.items():
        if name not in GROWING:
            raise unknown("option of the default search", name, GROWING)
        number = read_number(name, value)
        if not (0 <= number <= LARGEST and number == int(number)):
            raise UsageError(f"{name}={number:,.15g} is not a whole number from 0 to {LARGEST:,}", f"Use {name}=100")


def read_independent_sets(options: Mapping[str, Any]) -> tuple[float, float]:
    """First step size (natural steps, above 0) and share of new random shapes (0 to below 1) of independent sets.

    Raises:
        UsageError: unknown name (with a suggestion), or a value out of range.
    """
    for name in options:
        if name not in INDEPENDENT_SETS:
            raise unknown("option of independent sets", name, [*INDEPENDENT_SETS])
    given = INDEPENDENT_SETS | dict(options)
    step, fresh = (read_number(name, given[name]) for name in ("step", "fresh"))
    if step <= 0:
        raise UsageError(f"step={step:g} is not positive", "Use step=1, or leave it out")
    if not 0 <= fresh < 1:
        raise UsageError(f"fresh={fresh:g} is not a share in [0, 1)", "Use fresh=0.05, or leave it out")
    return step, fresh


def read_number(name: str, value: Any) -> float:
    """``value`` of the option ``name`` as a finite number.

    Raises:
        UsageError: it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{name}={value} is not a number", f"Use {name}=1, or leave it out")
    return number


def read_count(name: str, value: Any) -> int:
    """``value`` of the option ``name`` as a whole number of 1 or more.

    Raises:
        UsageError: it is none.
    """
    number = read_number(name, value)
    if number < 1 or number != int(number):
        raise UsageError(f"{name}={number:,.15g} is not a whole number from 1", f"Use {name}=2, or leave it out")
    return int(number)
