"""Pictures that are drawn and not searched for."""

from __future__ import annotations

import numpy as np

from evoart.run.problem import Problem
from evoart.types import Form, Genome, Search


class DrawingProblem(Problem):
    """A picture that follows from the job alone."""

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """``loss``: 0, nothing is judged."""
        return {"loss": 0.0}


class NoSearch(Search):
    """No search: what was given is what comes out."""

    def __init__(self, genome: Genome, stage: str = "film") -> None:
        self.stage = stage
        self.genome, self.loss, self.generation, self.evaluations, self.done = genome, 0.0, 0, 0, False

    def step(self) -> None:
        """Done."""
        self.done, self.generation = True, 1

    def arrays(self) -> dict[str, np.ndarray]:
        """Whether it was done."""
        return {"generation": np.array(self.generation)}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``."""
        self.generation = int(arrays["generation"])
        self.done = self.generation > 0
