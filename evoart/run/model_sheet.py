"""The picture of a training: a sheet of what its best model draws, which knows the model as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evoart.forms.sheet import SheetDrawing, SheetForm
from evoart.types import Genome

Encoder = Callable[[str], bytes]  # the model as a file (.safetensors) that keeps a recipe


@dataclass(frozen=True, eq=False)
class ModelSheet(SheetDrawing):
    """A sheet of samples that knows the model which drew them."""

    encode: Encoder = field(kw_only=True)

    def safetensors(self, recipe: str) -> bytes:
        """The model as a file (.safetensors)."""
        return self.encode(recipe)


@dataclass(frozen=True)
class ModelSheetForm(SheetForm):
    """The form of such a sheet; recipes keep it as any other sheet."""

    encode: Encoder | None = field(default=None, repr=False, compare=False)

    def drawing(self, genome: Genome) -> SheetDrawing:
        """See ``Form.drawing``."""
        drawing = super().drawing(genome)
        if self.encode is None:
            return drawing
        return ModelSheet(drawing.form, drawing.drawings, drawing.width, drawing.height, encode=self.encode)

    def with_structure(self, structure: Any) -> Any:
        """See ``Form.with_structure``: a form of its own."""
        return structure
