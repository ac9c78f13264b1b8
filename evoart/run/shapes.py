"""The kinds of shapes that a job allows, and a start's shapes among them."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from evoart.draw.shapes import MIXED, shape
from evoart.draw.shapes.stamp import add, is_stamp
from evoart.forms.shapes import ShapesForm
from evoart.run.fields import READ


def expand(kind: str, font: str | None = None) -> tuple[str, ...]:
    """The shape names that a job's ``kind`` allows; the files that stamps come from are read.

    Raises:
        UsageError: a file or font that is not there. EvoartError: one that no shape can be made of.
    """
    return tuple(dict.fromkeys(name for word in kind.split(",") for name in _names(word, font)))


def _names(word: str, font: str | None) -> tuple[str, ...]:
    if word == "mixed":
        return MIXED
    family, _, of = word.partition(":")
    if family not in READ:
        return (word,)
    if is_stamp(word) and not os.path.exists(of):
        return (shape(word).name,)
    from evoart.stamps.read import read_letters, read_stamps

    return tuple(add(each) for each in (read_stamps(of) if family == "stamp" else read_letters(of, font)))


def resolve(kind: str, choices: Sequence[str]) -> str:
    """``kind`` as a recipe keeps it: stamps by the names of their outlines, which are in the recipe, not by files."""
    return ",".join(choices) if any(map(is_stamp, choices)) else kind


def fill_kinds(shapes: int, choices: tuple[str, ...], have: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The kinds of ``shapes`` shapes: those that a start has, then the choices in turn."""
    return have + tuple(choices[i % len(choices)] for i in range(shapes - len(have)))


def widen(old: np.ndarray, form: ShapesForm) -> np.ndarray:
    """Genome rows ``(k, columns)`` as ``(k, form.dim_per_group)``: as much geometry per shape as the form has."""
    rows = np.zeros((len(old), form.dim_per_group), np.float32)
    rows[:, : old.shape[1] - 4], rows[:, -4:] = old[:, :-4], old[:, -4:]
    return rows
