"""Searches whose generations run in blocks, each one device program of about half a second at most."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from evoart.types import Array, Search

WORK = 1e8  # pixels times shapes per block, where an engine does not say
MOST = 100  # generations, so that short ones are still reported and can be interrupted


def generations_per_block(engine: Any, evaluated: int) -> int:
    """Generations of ``evaluated`` pictures per program, 1 to ``MOST``: fixed by the problem, not by a clock, so that
    runs can be repeated."""
    target = getattr(engine, "target", None)
    pixels = target.weight.size if target is not None else 1
    shapes = getattr(getattr(engine, "form", None), "groups", 1)
    each = getattr(engine, "work", pixels * shapes)
    return int(np.clip(getattr(engine, "block_work", WORK) / max(evaluated * each, 1), 1, MOST))


class BlockSearch(Search):
    """A search that can hand out the arrays of its next block, and take what a program made of them.

    Attributes:
        engine: evaluates genomes; a part of the program.
        preparing: another search comes first, and ends by itself.
        block_key: equal for searches whose programs are the same but for their arrays; None: it has no program.
    """

    engine: Any
    preparing = False

    @property
    def block_key(self) -> Any:
        """Hashable; see the attributes."""
        raise NotImplementedError

    def block(self) -> tuple[Any, ...]:
        """The arguments of ``run_traced`` for the next block."""
        raise NotImplementedError

    def run_traced(self, *arrays: Array) -> Any:
        """A block of generations, inside a JAX program."""
        raise NotImplementedError

    def take(self, found: Any) -> None:
        """Continue from what ``run_traced`` has returned for ``block()``."""
        raise NotImplementedError


def engine_key(engine: Any) -> tuple:
    """What of an engine is part of a program: not the picture, its weights and the background's colour."""
    form, target = getattr(engine, "form", None), getattr(engine, "target", None)
    about = (None, None) if target is None else (target.weight.shape, target.loss)
    return type(engine).__name__, getattr(engine, "name", ""), _without_background(form), *about


def _without_background(form: Any) -> Any:
    """The form, itself or the one that it wraps, without its background's colour."""
    names = getattr(form, "__dataclass_fields__", ())
    if "background" in names:
        return dataclasses.replace(form, background=None)
    return dataclasses.replace(form, plain=_without_background(form.plain)) if "plain" in names else form
