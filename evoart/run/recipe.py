"""Recipes: a job and its result as one JSON object, and the drawing read back from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evoart import __version__
from evoart.draw.scene import Scene
from evoart.errors import EvoartError
from evoart.forms.shapes import FARTHEST, ShapesForm
from evoart.output import recipe as container
from evoart.output.save import read_recipe
from evoart.run.job import Job

_MENDED = "Use another copy of the file"
_FACTS = ("loss", "psnr", "generations", "evaluations", "seconds")


@dataclass(frozen=True, eq=False)
class Drawing:
    """A finished drawing as its recipe holds it.

    Attributes:
        form, genome: the drawing; colours and opacities are final, so decoding changes nothing.
        size: ``(w, h)`` in pixels it was written at.
        job: the plain values of the job that made it.
        facts: loss, psnr, generations, evaluations, seconds, as far as they are there.
    """

    form: ShapesForm
    genome: np.ndarray
    size: tuple[int, int]
    job: dict[str, Any]
    facts: dict[str, float]
    recipe: dict[str, Any]

    @property
    def scene(self) -> Scene:
        return self.form.scene(self.genome)


def write(
    job: Job, form: ShapesForm, genome: np.ndarray, size: tuple[int, int], facts: dict[str, Any]
) -> dict[str, Any]:
    """The recipe of a result, ready for ``json.dumps``."""
    geometry, rgba = form.decode(np, np.asarray(genome, np.float32))
    form = replace(form, columns=0)  # no wider than these kinds need
    final = form.encode(geometry[:, : form.geometry], rgba)
    return {
        "evoart": __version__,
        "format": container.FORMAT,
        "job": job.to_dict(),
        "result": {
            "kinds": container.pack_kinds(form.kinds),
            "genome": container.encode_genome(final),
            "dim_per_group": form.dim_per_group,
            "background": None if form.background is None else list(form.background),
            "opacity": list(form.opacity),
            "width": form.width,
            "height": form.height,
            "size": list(size),
        }
        | facts,
    }


def read_drawing(path: Path) -> Drawing:
    """The drawing in a picture or JSON file that evoart wrote.

    Raises:
        UsageError: no such file.
        EvoartError: no recipe in it, damaged, or of a newer evoart.
    """
    return drawing(read_recipe(path), f"'{path}'")


def drawing(recipe: dict[str, Any], where: str = "the recipe") -> Drawing:
    """The drawing a recipe holds; every number is checked, for the file may come from anywhere.

    Raises:
        EvoartError: something is missing, of the wrong kind, or out of range.
    """
    damaged = EvoartError(f"the result in {where} is damaged", _MENDED)
    result, job = recipe.get("result"), recipe.get("job")
    if not isinstance(result, dict) or not isinstance(job, dict):
        raise damaged
    kinds = container.unpack_kinds(result.get("kinds"))
    if len(kinds) > 100_000:
        raise damaged
    try:
        width, height = _numbers(result["width"], result["height"], low=1e-4, high=1)
        low, high = _numbers(*result["opacity"], low=0, high=1)
        ground = result.get("background")
        background = None if ground is None else _numbers(*ground, low=0, high=1)
        size = tuple(int(side) for side in _numbers(*result["size"], low=1, high=10**6))
        form = ShapesForm(kinds, width, height, background, (low, high))
        if (
            result.get("dim_per_group") != form.dim_per_group
            or len(size) != 2
            or len("rgb" if ground is None else background) != 3
        ):
            raise ValueError("shape")
        facts = {name: result[name] for name in _FACTS if name in result}
        _numbers(*facts.values(), low=-1e15, high=1e15)
    except (KeyError, TypeError, ValueError):
        raise damaged from None
    genome = container.decode_genome(result.get("genome"), form.dim)
    if (np.abs(genome.reshape(-1, form.dim_per_group)[:, : form.geometry]) > FARTHEST).any():
        raise damaged  # nothing that was decoded, as ``write`` does, is out there
    return Drawing(form, genome, size, job, facts, recipe)


def _numbers(*values: Any, low: float, high: float) -> tuple[float, ...]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{value!r} is not in [{low}, {high}]")
    return tuple(float(value) for value in values)
