"""The form of a job's pictures: shapes as the job says, other forms with their own defaults."""

from __future__ import annotations

from typing import Any

import numpy as np

from evoart.draw.shapes import shape
from evoart.errors import UsageError
from evoart.forms.pens import is_pen, pen_form
from evoart.forms.registry import FORMS
from evoart.forms.shapes import ShapesForm
from evoart.run import fields
from evoart.run.clip.job import DEFAULT_SHAPES, ClipJob
from evoart.run.recipe import Record
from evoart.run.shapes import expand, fill_kinds, widen
from evoart.types import Form, Genome


def form_of(job: ClipJob, previous: Record | None) -> tuple[Form, Genome | None]:
    """The form of a job, and the genome of what it starts from, where it starts from something.

    Raises:
        UsageError: a start that has more than was asked for; options that the form does not have.
    """
    width, height = fields.extent(job.aspect)
    if job.form == "shapes":
        return _shapes(job, previous, width, height)
    if previous is not None:
        return previous.form, previous.genome
    if is_pen(job.form):
        return pen_form(job.form, job.shapes or (1 if job.form_name == "sketch" else None), width, height), None
    try:
        return FORMS[job.form_name](width=width, height=height), None
    except TypeError:
        raise UsageError(f"pictures of {job.form} cannot be made from words", "Use --form shapes or cppn") from None


def _shapes(job: ClipJob, previous: Record | None, width: float, height: float) -> tuple[ShapesForm, Genome | None]:
    choices = expand(job.kind)
    background = None if job.background == "transparent" else fields.rgb(job.background)
    colours = tuple(fields.rgb(colour) for colour in job.palette) if isinstance(job.palette, tuple) else None
    have: tuple[str, ...] = ()
    if previous is not None:
        old: Any = previous.form
        have, width, height = old.kinds, old.width, old.height
    count = job.shapes or len(have) or DEFAULT_SHAPES
    if len(have) > count:
        raise UsageError(
            f"the start has {len(have)} shapes, more than the {count} asked for", f"Use --shapes {len(have)}"
        )
    kinds = fill_kinds(count, choices, have)
    form = ShapesForm(
        kinds,
        width,
        height,
        background,
        job.opacity,
        colours,
        columns=max(len(shape(kind).parameters) for kind in choices),
    )
    if previous is None:
        return form, None
    start = form.random(np.random.default_rng([job.seed or 0, 0])).reshape(form.groups, -1)
    start[: len(have)] = widen(previous.genome.reshape(len(have), -1), form)
    return form, start.ravel()
