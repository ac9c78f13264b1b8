"""A finished drawing of a photograph, changed by hand; and where it is wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.picture import bundled
from evoart.pixels import fit_size
from evoart.run.fit.job import FitJob
from evoart.run.inputs import read_picture
from evoart.run.result import Result

STILL = {"stages": 0, "cycles": 0, "finish": 0}  # options of a search that leaves shapes as they are
# What a drawing was made under and its changes are not: how long to search, and what was changed before.
_SPENT = (
    "seconds", "generations", "evaluations", "patience", "until_psnr", "options", "shapes", "start_sha256", "edits",
    "lock", "area", "search", "strategy", "preset", "population", "step", "finish", "engine",
)  # fmt: skip


def following_job(result: Result, start: str | Path, **changes: Any) -> FitJob:
    """The job that goes on from a drawing: the same photograph, colours and shapes.

    Args:
        result: the drawing that ``start`` holds.
        start: path of its file, as the job is to name it.
        changes: fields of the job: ``edits``, ``lock``, ``area``, ``shapes``, ``picture``, ``quality``, ...

    Raises:
        UsageError: not a drawing of shapes, no photograph is known of it, or fields that do not go together.
    """
    from evoart.draw.shapes.ramp import base_of
    from evoart.draw.svg import colour
    from evoart.forms.shapes import ShapesForm

    form = result.form
    if not isinstance(form, ShapesForm):
        raise UsageError("only drawings of shapes are edited", "Choose a picture that evoart fit has drawn")
    if isinstance(result.job, FitJob):
        plain = result.job.to_dict()
    elif "picture" in changes:
        plain = {"opacity": form.opacity, "kind": ",".join(dict.fromkeys(map(base_of, form.kinds)))}
    else:
        raise UsageError("this picture was not drawn from a photograph", "Name one: picture='photo.jpg'")
    plain = {name: value for name, value in plain.items() if name not in (*_SPENT, "format", "command")}
    if "picture" in changes:
        plain.pop("sha256", None)
    if "weights" in changes:
        plain.pop("weights_sha256", None)
    # What lies behind the shapes stays as it is, whatever counts now.
    plain["background"] = "transparent" if form.background is None else _long(colour(form.background))
    return FitJob.make(**plain | {"start": str(start)} | changes)


def edit(start: str | Path, *edits: str, **options: Any) -> Result:
    """A drawing of shapes with changes, and no search: ``evoart.edit("cat.svg", "remove 3,5-8", "front 2")``.

    To go on from there, save it and ``evoart.fit(photo, start=...)``; or give ``edits`` to ``evoart.fit`` at once.

    Args:
        start: a picture that ``evoart.fit`` or ``evoart.clip`` made.
        edits: in order, each ``remove 3,5-8``, ``front 3``, ``back 3``, ``colour 3 #e63946``, ``opacity 3 0.5`` or
            ``keep 80`` (those that are missed most). Shapes are numbered from 1 in paint order.
        options: other fields of the job, such as ``picture`` where the photograph is elsewhere now.

    Raises:
        UsageError: an edit that is none, or a shape that is not there.
        EvoartError: a file that cannot be used.
    """
    from evoart.run.api import load, make

    job = following_job(load(start), start, edits=edits, options=STILL, **options)
    return make(dataclasses.replace(job, seed=job.seed or 0))


def error_map(result: Result, picture: Any = None, size: int = 256) -> np.ndarray:
    """Where a drawing differs from its photograph.

    Args:
        result: of ``evoart.fit`` or ``evoart.load``.
        picture: the photograph: whatever ``evoart.fit`` takes; None is the one that the result's job names.
        size: long side in pixels.

    Returns:
        ``(h, w)`` float32: the root of the mean squared difference of red, green and blue, 0 to 1. Transparent parts of
        the photograph are 0.

    Raises:
        UsageError, EvoartError: no photograph, or one that cannot be used.
    """
    if picture is None:
        if not hasattr(result.job, "picture"):
            raise UsageError("this picture was not drawn from a photograph", "Give one: error_map(result, 'photo.jpg')")
        picture = getattr(result.job, "picture") or bundled()  # noqa: B009 (of this kind of jobs alone)
    photograph = read_picture(picture, size)
    image, alpha = photograph.at(size)
    w, h = fit_size(photograph.width, photograph.height, size)
    painted = result.drawing.paint((w, h))
    shown = painted[..., :3] * painted[..., 3:] + (1 - painted[..., 3:])
    error = np.sqrt(((shown - image) ** 2).mean(-1))
    return (error if alpha is None else error * alpha).astype(np.float32)


def _long(text: str) -> str:
    """``#rrggbb`` of ``#rgb``."""
    return text if len(text) == 7 else "#" + "".join(2 * digit for digit in text[1:])
