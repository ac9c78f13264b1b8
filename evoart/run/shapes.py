"""The kinds of shapes that a job allows, and a start's shapes among them."""

from __future__ import annotations

import numpy as np

from evoart.draw.shapes import MIXED
from evoart.forms.shapes import ShapesForm


def expand(kind: str) -> tuple[str, ...]:
    """The shape names that a job's ``kind`` allows."""
    return tuple(dict.fromkeys(name for word in kind.split(",") for name in (MIXED if word == "mixed" else (word,))))


def fill_kinds(shapes: int, choices: tuple[str, ...], have: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The kinds of ``shapes`` shapes: those that a start has, then the choices in turn."""
    return have + tuple(choices[i % len(choices)] for i in range(shapes - len(have)))


def widen(old: np.ndarray, form: ShapesForm) -> np.ndarray:
    """Genome rows ``(k, columns)`` as ``(k, form.dim_per_group)``: as much geometry per shape as the form has."""
    rows = np.zeros((len(old), form.dim_per_group), np.float32)
    rows[:, : old.shape[1] - 4], rows[:, -4:] = old[:, :-4], old[:, -4:]
    return rows
