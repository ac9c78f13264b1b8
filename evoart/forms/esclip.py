"""ES-CLIP's parametrisation of triangles.

Y. Tian and D. Ha, "Modern Evolution Strategies for Creativity: Fitting Concrete Images and Abstract Concepts" (2021).
Each of the ten numbers of a triangle is stretched over all triangles to [0, 1] (its own lowest and highest become 0 and
1), so a genome has no scale: adding to a column or multiplying it draws the same picture. Opacity is then multiplied by
``alpha`` (0.5 in the authors' program, 0.1 in the article's text). Known differences: theirs truncates corners and
colours to whole pixels and levels and draws on uniform noise; ours starts opacity at the form's lowest, not at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.types import Array, Genome

ALPHA = 0.5
STEP = 0.1  # standard deviation that their search starts with
# PGPE with ClipUp as in their program: start at 0, learning rate and top speed 0.15.
OPTIONS = {
    "step": STEP,
    "learning_rate": 0.15,
    "max_speed": 0.15,
    "momentum": 0.9,
    "std_lr": 0.1,
    "std_max_change": 0.2,
}


@dataclass(frozen=True)
class EsClipForm(ShapesForm):
    """Triangles read as ES-CLIP does: in a genome ``(dim,)`` every number is relative to the same one of the others.

    Raises:
        UsageError: a form of anything but triangles, or an opacity outside of its range.
    """

    @classmethod
    def of(cls, plain: ShapesForm, alpha: float = ALPHA) -> Self:
        """The form that reads a genome of ``plain``, at most as opaque as ``alpha``."""
        if set(plain.kinds) != {"triangle"}:
            raise UsageError("ES-CLIP's parametrisation is for triangles", "Use --kind triangle or another preset")
        low, high = plain.opacity
        if not low <= alpha <= high:
            raise UsageError(f"ES-CLIP's opacity of {alpha} is not within {low} to {high}", "Widen the range")
        opacity = (low, alpha)
        return cls(plain.kinds, plain.width, plain.height, plain.background, opacity, plain.palette, plain.columns)

    def decode(self, xp: Any, genomes: Array) -> tuple[Array, Array]:
        """See ``ShapesForm.decode``."""
        return super().decode(xp, self._in_units(xp, genomes))

    def _in_units(self, xp: Any, genomes: Array) -> Array:
        rows = genomes.reshape(*genomes.shape[:-1], self.groups, 10)
        low, high = rows.min(-2, keepdims=True), rows.max(-2, keepdims=True)
        flat = high <= low  # one triangle, or a start of zeros: the middle
        unit = xp.where(flat, 0.5, (rows - low) / xp.where(flat, 1.0, high - low))
        faintest, alpha = self.opacity
        span = [self.width, self.height] * 3 + [1, 1, 1, alpha - faintest]
        base = [0.0] * 9 + [faintest]
        return (unit * np.array(span, np.float32) + np.array(base, np.float32)).reshape(genomes.shape)

    def in_units(self, genome: Genome) -> Genome:
        """The same picture as a genome ``(dim,)`` of the plain form."""
        return self._in_units(np, np.asarray(genome, np.float32)).astype(np.float32)

    def random(self, rng: np.random.Generator, image: np.ndarray | None = None) -> Genome:
        """Where ES-CLIP starts: zeros, ``(dim,)``. Every sample around them is a picture; their mean is not yet one."""
        return np.zeros(self.dim, np.float32)

    def steps(self) -> np.ndarray:
        """Ones ``(dim,)``: all ten numbers move alike."""
        return np.ones(self.dim, np.float32)
