"""What ``--form`` may say of pens: ``sketch``, ``sketch:bird``, ``sketch:mine.npz``, ``strokes``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evoart.errors import UsageError
from evoart.forms.sketch import sketch_form
from evoart.forms.strokes import StrokesForm
from evoart.types import Form

POINTS = 6  # of a stroke that evolves by itself
SKETCH_POINTS = 48  # at most, of each of several sketches: 192 numbers of noise
COUNTS = {"sketch": 24, "strokes": 100}  # where nothing is said


def is_pen(form: str) -> bool:
    """Whether a form is one of these."""
    return form.partition(":")[0] in COUNTS


def pen_form(form: str, count: int | None, width: float, height: float, **settings: Any) -> Form:
    """The form that ``--form`` names, with so many strokes or sketches (None: as many as ``COUNTS`` says).

    Args:
        width, height: extent of the picture in units; the longer one is 1.
        settings: fields of either form: ``line``, ``background``.

    Raises:
        UsageError: an unknown form, or an unknown model.
    """
    name, _, model = form.partition(":")
    if name not in COUNTS or (model and name != "sketch"):
        raise UsageError(f"there is no form '{form}' for a pen", "Use sketch, sketch:MODEL or strokes")
    count = count or COUNTS[name]
    make: Callable[..., Form] = StrokesForm
    if name == "strokes":
        return make((POINTS,) * count, width, height, **settings)
    evolve = "noise"
    if model.endswith(".z"):
        model, evolve = model[:-2], "z"
    points = SKETCH_POINTS if count > 1 else 128
    return sketch_form(model or "kanji", evolve, count, points, width=width, height=height, **settings)
