"""Changes to a drawing of shapes, as text: ``remove 3,5-8``, ``colour 3 #e63946``, ``front 2``, ``keep 80``.

Shapes have numbers from 1 in paint order, as the change before has left them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evoart.errors import UsageError, unknown
from evoart.run import fields

Shapes = tuple[tuple[str, ...], np.ndarray]  # kinds, and genome rows (k, dim_per_group)
MOST = 20_000  # shapes, and so the largest number
VERBS = {
    "remove": "remove 3,5-8",
    "front": "front 3",
    "back": "back 3",
    "colour": "colour 3 #e63946",
    "opacity": "opacity 3 0.5",
    "keep": "keep 80",
}


@dataclasses.dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        verb: a word of ``VERBS``.
        numbers: of the shapes that it is about, from 1; of ``keep`` how many are kept.
        value: the colour as ``#rrggbb``, or the opacity; else ``""``.
    """

    verb: str
    numbers: tuple[int, ...]
    value: str = ""

    def __str__(self) -> str:
        return " ".join([self.verb, _written(self.numbers), *([self.value] if self.value else [])])


def read(text: str) -> Edit:
    """The change that ``text`` says.

    Raises:
        UsageError: something else.
    """
    verb, *rest = text.split()[:4] or [""]
    verb = {"color": "colour"}.get(verb.lower(), verb.lower())
    if verb not in VERBS:
        raise unknown("edit", fields.shortened(verb), VERBS)
    if len(rest) != 1 + (verb in ("colour", "opacity")):
        raise UsageError(f"'{fields.shortened(text)}' is not an edit", f"Write it as in '{VERBS[verb]}'")
    numbers = numbers_of("edit", rest[0])
    if verb == "keep" and len(numbers) > 1:
        raise UsageError(f"'{fields.shortened(text)}' is not a number of shapes", "Write it as in 'keep 80'")
    if verb == "colour":
        return Edit(verb, numbers, fields.colour(rest[1]))
    if verb == "opacity":
        return Edit(verb, numbers, f"{fields.Number(0.01, 1, kind=float, flag='opacity')('opacity', rest[1]):g}")
    return Edit(verb, numbers)


def edits(name: str, value: Any) -> tuple[str, ...]:
    """Changes as a job keeps them, each in its shortest form: of a list of texts, or of one with ``;`` in between."""
    parts = value.split(";") if isinstance(value, str) else fields.texts(name, value)
    return tuple(str(read(part)) for part in parts if part.strip())


def numbers_of(name: str, value: Any) -> tuple[int, ...]:
    """Numbers of shapes, from 1, ascending: of ``3,5-8`` or a list.

    Raises:
        UsageError: something else.
    """
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    found: set[int] = set()
    for part in parts:
        match = re.fullmatch(r"\s*(\d{1,6})(?:\s*-\s*(\d{1,6}))?\s*", str(part)) if not isinstance(part, bool) else None
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= low <= high <= MOST:
            hint = "Write numbers of shapes such as 3,5-8"
            raise UsageError(f"{name} is '{fields.shortened(value)}', which is no list of shapes", hint)
        found.update(range(low, high + 1))
    return tuple(sorted(found))


def numbers_written(name: str, value: Any) -> str:
    """Numbers of shapes as a job keeps them: ``3,5-8``; ``""`` for none."""
    return _written(numbers_of(f"--{name}", value)) if value not in ("", ()) else ""


def area(name: str, value: Any) -> tuple[float, float, float, float]:
    """A rectangle ``(left, top, right, bottom)`` in shares of the picture's sides: of ``0.2,0.1,0.6,0.5`` or a list.

    Raises:
        UsageError: something else, or one without extent.
    """
    parts = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        raise UsageError(f"--area is '{fields.shortened(value)}'", "Write left,top,right,bottom: 0.2,0.1,0.6,0.5")
    left, top, right, bottom = (fields.Number(0, 1, kind=float, flag="--area")(name, part) for part in parts)
    if right - left < 0.01 or bottom - top < 0.01:
        raise UsageError("--area is a rectangle without extent", "Write left,top,right,bottom: 0.2,0.1,0.6,0.5")
    return left, top, right, bottom


def apply(shapes: Shapes, written: Sequence[str], costs: Callable[[Shapes], np.ndarray]) -> Shapes:
    """Shapes after changes.

    Args:
        shapes: kinds and genome rows ``(k, dim_per_group)``, whose last four columns are colour and opacity.
        written: the changes.
        costs: gives by how much the loss would rise without each of some shapes ``(k,)``; ``keep`` asks.

    Raises:
        UsageError: a shape that is not there, or none that is left.
    """
    for text in written:
        shapes = _apply(shapes, read(text), costs)
    return shapes


def _apply(shapes: Shapes, edit: Edit, costs: Callable[[Shapes], np.ndarray]) -> Shapes:
    kinds, rows = shapes
    if edit.verb == "keep":
        return _keep(shapes, edit.numbers[0], costs)
    if edit.numbers[-1] > len(kinds):
        raise UsageError(f"there is no shape {edit.numbers[-1]} to {edit.verb}", f"There are {len(kinds)}")
    chosen = np.array(edit.numbers) - 1
    if edit.verb in ("colour", "opacity"):
        return _painted(shapes, chosen, edit)
    others = np.setdiff1d(np.arange(len(kinds)), chosen)
    order = {"remove": others, "front": np.r_[others, chosen], "back": np.r_[chosen, others]}[edit.verb]
    if not len(order):
        raise UsageError("no shape would be left", "Remove fewer")
    return tuple(kinds[i] for i in order), rows[order]


def _painted(shapes: Shapes, chosen: np.ndarray, edit: Edit) -> Shapes:
    """Shapes in another colour or opacity, all over where they have two."""
    from evoart.draw.shapes import shape
    from evoart.draw.shapes.ramp import Ramp, base_of

    kinds, rows = list(shapes[0]), shapes[1].copy()
    for i in chosen:
        kind = shape(kinds[i])
        if edit.verb == "opacity":
            rows[i, -1] = float(edit.value)
            if isinstance(kind, Ramp):
                rows[i, len(kind.parameters) - 1] = float(edit.value)
        else:
            rows[i, -4:-1] = fields.rgb(edit.value)
            if isinstance(kind, Ramp):
                rows[i, kind.first : len(kind.parameters)] = 0
                kinds[i] = base_of(kinds[i])
    return tuple(kinds), rows


def _keep(shapes: Shapes, count: int, costs: Callable[[Shapes], np.ndarray]) -> Shapes:
    """The shapes that are missed most; a tenth goes at a time, since they stand in for one another."""
    kinds, rows = shapes
    while len(kinds) > count:
        gone = min(len(kinds) - count, max(1, len(kinds) // 10))
        keep = np.sort(np.argsort(costs((kinds, rows)), kind="stable")[gone:])
        kinds, rows = tuple(kinds[i] for i in keep), rows[keep]
    return kinds, rows


def _written(numbers: Sequence[int]) -> str:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
