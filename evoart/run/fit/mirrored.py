"""The default search on one half of a picture that is its own mirror image."""

from __future__ import annotations

from typing import Any

from evoart.engine.mirrored import both
from evoart.forms.shapes import ShapesForm
from evoart.search.reparametrised import Reparametrised
from evoart.types import Genome


class Mirrored(Reparametrised):
    """A search on a ``MirroredCanvas`` that reports the whole picture; it is ``search`` in everything else."""

    def __init__(self, search: Any, form: ShapesForm) -> None:
        super().__init__(search, self._whole)
        self._form = form

    @property
    def structure(self) -> tuple[str, ...]:
        """The kinds of all shapes, each pair's next to each other."""
        return tuple(kind for kind in self._search.structure for _ in range(2))

    def _whole(self, genome: Genome) -> Genome:
        kinds = self._search.structure
        return both(self._form, kinds, genome.reshape(len(kinds), -1)).ravel()
