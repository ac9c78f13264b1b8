"""What films of sketches show: pens that draw, or one drawing that becomes another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from evoart.draw.bend import BendFrames
from evoart.draw.pen import PenDrawing
from evoart.run.sketch import layout
from evoart.run.sketch.job import SketchJob
from evoart.types import Drawing, Form, Genome


def frames_of(job: SketchJob, form: Form, genome: Genome) -> Sequence[Drawing]:
    """The pens on their way, all sketches at the same time; where it ``bends``, one drawing that becomes each of the
    sheet in turn, there and back."""
    pens = PenFrames(form, genome)
    if not job.bends:
        return pens
    drawings = layout.single_sketches(job, pens.drawing)
    return BendFrames(drawings if len(drawings) > 1 else drawings * 2)


class PenFrames(Sequence[Drawing]):
    """The pen on its way through a sheet in ``length`` even steps, each drawn when it is asked for."""

    def __init__(self, form: Form, genome: Genome, length: int = 120) -> None:
        self.form, self.genome, self.length = form, genome, length

    @cached_property
    def drawing(self) -> PenDrawing:
        """The whole sheet."""
        drawing = self.form.drawing(self.genome)
        if not isinstance(drawing, PenDrawing):
            raise TypeError(f"a {self.form.name} has no strokes")
        return drawing

    def __getstate__(self) -> dict[str, Any]:
        return {"form": self.form, "genome": self.genome, "length": self.length}

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        steps = range(1, self.length + 1)[index]
        if isinstance(steps, range):
            return [self.drawing.truncate(step / self.length) for step in steps]
        return self.drawing.truncate(steps / self.length)
