"""What a morph comes to: two scenes of one extent, and the way between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

from evoart.draw.morph import Frames, Morph, cover
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.run import device, fields
from evoart.run.cppn.networks import read_pictures
from evoart.run.drawing import DrawingProblem, NoSearch
from evoart.run.job import output_size
from evoart.run.morph.job import MorphJob
from evoart.run.problem import Film
from evoart.types import Drawing, Form, Genome, Search

MOMENTS = 10_081  # none is drawn before it is asked for
_CROPPED = 0.02  # share of the second picture that may be cut off without a word


@dataclass(frozen=True, eq=False, kw_only=True)
class MorphProblem(DrawingProblem):
    """Two pictures of shapes; the form is the last one's, in the extent of the first.

    Attributes:
        form, genome: what the film ends with (a loop: what it begins with).
        stops: form and genome of the first and of the last picture, in one extent.
    """

    job: MorphJob
    genome: Genome
    stops: tuple[tuple[ShapesForm, Genome], tuple[ShapesForm, Genome]]

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return device.Choice("scanline", "cpu", "fastest on a CPU")

    def search(self) -> Search:
        """See ``Problem.search``: there is nothing to search for."""
        device.limit_threads(self.job.threads)
        return NoSearch(self.genome)

    @property
    def film(self) -> Film:
        """The way, or the loop."""
        return Film(self._frames, loop=self.job.loop)

    def _frames(self, form: Form, genome: Genome) -> Sequence[Drawing]:
        (first, one), (last, other) = self.stops
        morph = Morph(first.drawing(one), last.drawing(other), self.job.easing)
        count = MOMENTS - 1 if self.job.loop else MOMENTS  # even, so that a loop has a picture at its turn
        return cast("Sequence[Drawing]", Frames(morph, self.job.loop, count))

    @classmethod
    def prepare(cls, job: MorphJob, source: Any = None) -> Self:
        """Read the two pictures.

        Raises:
            UsageError: a file that is not there, or whose picture has no shapes. EvoartError: one without a recipe.
        """
        found = read_pictures(job.pictures, job.pictures_sha256)
        stops, notes = [], []
        extent = fields.extent(job.aspect) if job.aspect else (found[0][1].width, found[0][1].height)
        for path, (_, form, genome, _) in zip(job.pictures, found, strict=True):
            if not isinstance(form, ShapesForm):
                what = f"'{path}' is a picture of {form.label}, and only shapes become others"
                raise UsageError(what, "Use pictures that evoart fit or clip made; networks: evoart cppn film")
            form, genome = form.finalised(genome)
            scene = form.drawing(genome)
            fitted = cover(scene, *extent)
            if fitted is not scene:
                scale = max(extent[0] / scene.width, extent[1] / scene.height)
                kept = extent[0] * extent[1] / (scale**2 * scene.width * scene.height)
                form = dataclasses.replace(form, width=extent[0], height=extent[1])
                genome = form.encode(fitted.geometry, fitted.rgba)
                if kept < 1 - _CROPPED:
                    notes.append(f"'{path}' is cropped to the film's proportions; --aspect W:H sets others")
            stops.append((form, genome))
        job = dataclasses.replace(job.with_seed(), pictures_sha256=tuple(digest for _, _, _, digest in found))
        form, genome = stops[0] if job.loop else stops[1]
        size = output_size(*extent, job.size or max(found[0][0].size))
        return cls(
            job=job, form=form, genome=genome, size=size, name=job.stem, stops=(stops[0], stops[1]), notes=tuple(notes)
        )
