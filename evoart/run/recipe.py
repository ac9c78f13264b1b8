"""Recipes: a job and its result as one JSON object, and the picture read back from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.forms.plain import numbers
from evoart.forms.registry import FORMS
from evoart.output import recipe as container
from evoart.run.job import Job
from evoart.types import Drawing, Form, Genome
from evoart.version import __version__

_FIXES = "Use another copy of the file"
_EARLIER = ("loss", "psnr", "generations", "evaluations")  # figures as recipes held them before there was a table
MOST = 1 << 24  # numbers in a genome
LARGEST = 1e15  # of a figure


@dataclass(frozen=True, eq=False)
class Record:
    """A finished picture as its recipe holds it.

    Attributes:
        form, genome: the picture; everything about it is final, so decoding changes nothing.
        size: ``(w, h)`` in pixels it was written at.
        job: the plain values of the job that made it.
        figures: loss, psnr, generations, evaluations and whatever else was measured, where they are known.
    """

    form: Form
    genome: np.ndarray
    size: tuple[int, int]
    job: dict[str, Any]
    figures: dict[str, float]
    recipe: dict[str, Any]

    @property
    def drawing(self) -> Drawing:
        """The picture, decoded."""
        return self.form.drawing(self.genome)


def write(job: Job, form: Form, genome: Genome, size: tuple[int, int], figures: dict[str, Any]) -> dict[str, Any]:
    """The recipe of a result, ready for ``json.dumps``. A figure that could not be read back is left out: it must not
    cost the picture."""
    figures = {name: value for name, value in figures.items() if abs(value) <= LARGEST}  # and no NaN
    form, final = form.finalised(genome)
    result = {"form": form.name, **form.to_plain(), "genome": container.encode_genome(final), "size": list(size)}
    return {
        "evoart": __version__,
        "format": container.FORMAT,
        "job": job.to_dict(),
        "result": result | {"figures": figures},
    }


def record(recipe: dict[str, Any], where: str = "the recipe") -> Record:
    """The picture a recipe holds; every number is checked, for the file may come from anywhere.

    Raises:
        EvoartError: something is missing, of the wrong kind, or out of range.
    """
    damaged = EvoartError(f"the result in {where} is damaged", _FIXES)
    result, job = recipe.get("result"), recipe.get("job")
    if not isinstance(result, dict) or not isinstance(job, dict):
        raise damaged
    try:
        form = FORMS[str(result.get("form", "shapes"))].from_plain(result)  # once there were only shapes
        w, h = (int(side) for side in numbers(*result["size"], low=1, high=10**6))
        figures = result.get("figures", {name: result[name] for name in _EARLIER if name in result})
        figures = {str(name): value for name, value in figures.items()}
        numbers(*figures.values(), low=-LARGEST, high=LARGEST)
        if not 0 <= form.dim <= MOST:
            raise ValueError("dim")
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise damaged from None
    except EvoartError as error:  # a form that says what is wrong
        raise EvoartError(f"the result in {where} is damaged: {error.message}", error.hint) from None
    try:
        genome = _genome(form, result)
        form.check(genome)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise damaged from None
    if "weights" in result and "genome" not in result:  # from here on as compact as any
        packed = ("genome", container.encode_genome(genome))
        recipe = recipe | {"result": dict(packed if item[0] == "weights" else item for item in result.items())}
    return Record(form, genome, (w, h), job, figures, recipe)


def _genome(form: Form, result: dict[str, Any]) -> Genome:
    """The genome as ``write`` packed it, or from numbers in plain sight where a form reads those."""
    read = getattr(form, "numbers_of", None)
    if "genome" not in result and "weights" in result and read is not None:
        return read(result["weights"])
    return container.decode_genome(result.get("genome"), form.dim)
