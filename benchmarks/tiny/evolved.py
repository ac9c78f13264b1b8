"""Pictures evolved against the model while it learns: shapes that climb the similarity to a caption.

They are what ``evoart clip`` would make of the current model: the same form, the same derivative from pixels back
to corners and colours, Adam. The model's backward pass tells what every pixel should be (its gradient is there for
nothing when a batch is learned). A picture stays under attack by the newest model for as long as it lives, and then
joins an archive that is shown again, so that its trick is not forgotten.
"""

from __future__ import annotations

import numpy as np
from world import _ink, colour

from evoart.engine.rendering import ScanlineVjp
from evoart.forms.shapes import ShapesForm

FEW = ("circle", "ellipse", "triangle", "rectangle")
FAINT = 0.15  # opacity at the start at most, as the search begins


class Evolved:
    """One such picture of ``facts`` (its caption's), ``size`` pixels wide, alive for ``life`` steps."""

    def __init__(self, rng: np.random.Generator, facts: np.ndarray, life: int, size: int) -> None:
        if rng.random() < 0.7:
            n = int(rng.integers(3, 13))
            kinds = tuple(FEW[i % 4] for i in range(n)) if rng.random() < 0.5 else tuple(map(str, rng.choice(FEW, n)))
        else:
            kinds = ("triangle",) * int(rng.integers(12, 61))
        ground = tuple(colour(rng, "white" if rng.random() < 0.75 else _ink(rng, None, ())).tolist())
        self.facts, self.life, self.age = facts, life, 0
        self.form = ShapesForm(kinds, 1.0, 1.0, ground, (0.0, 1.0))
        self.genome = self.form.random(rng)
        rows = self.genome.reshape(len(kinds), -1)
        rows[:, -1] = np.minimum(rows[:, -1], FAINT if rng.random() < 0.7 else 1.0)
        self.rate = float(np.exp(rng.uniform(np.log(0.03), np.log(0.2))))
        self._steps = np.asarray(self.form.steps(), np.float32)
        self._engine = ScanlineVjp(self.form, size, size)
        self._mean, self._square = np.zeros_like(self.genome), np.zeros_like(self.genome)

    def draw(self) -> np.ndarray:
        """Picture ``(size, size, 3)``."""
        return self._engine.images(self.genome[None])[0]

    def climb(self, gradient: np.ndarray) -> None:
        """Move along d objective / d picture ``(size, size, 3)``, upwards."""
        slope = np.nan_to_num(self._engine.pulled(self.genome, gradient)) * self._steps
        self.age += 1
        self._mean += 0.1 * (slope - self._mean)
        self._square += 0.02 * (slope * slope - self._square)
        first, second = self._mean / (1 - 0.9**self.age), self._square / (1 - 0.98**self.age)
        self.genome = self.genome + self.rate * self._steps * first / (np.sqrt(second) + 1e-12)
        colours = self.genome.reshape(self.form.groups, -1)[:, -4:]
        np.clip(colours, 0, 1, out=colours)
