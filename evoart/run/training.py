"""The training of a model as a search that the run loop can drive: a step a generation, the best model the result."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.run.problem import Film, Problem
from evoart.types import Form, Genome, Search


class ModelTrainer(Search):
    """See ``types.Search``; the loss is that of the best model so far on the validation set.

    Attributes:
        best, best_step: the best model so far and the step that it comes from; None and 0 before the first validation.
        history: of each validation: its step, and losses.
    """

    job: Any
    settings: Any

    def __init__(self) -> None:
        self.best: Any = None
        self.best_step, self.loss = 0, float("inf")
        self.history: list[list[float]] = []
        self.done = False
        self.notes: list[str] = []
        self.figures: dict[str, float] = {}
        self.learned: list[Any] = []  # losses of the steps since the last validation
        self._skipped = 0  # steps that the notes have told of

    @property
    @abstractmethod
    def training(self) -> Any:
        """The training itself; see ``train_state.TrainState``."""

    @abstractmethod
    def validate(self) -> None:
        """Judge the model as it is, keep it if it is the best one, and say how it went."""

    @property
    def generation(self) -> int:
        """Steps taken."""
        return self.training.step

    @property
    def evaluations(self) -> int:
        """Examples learned from."""
        return self.generation * self.settings.batch

    @property
    def planned(self) -> int:
        """Examples to learn from, at most."""
        return self.job.generations * self.settings.batch

    def step(self) -> None:
        """Take one training step, and validate where it is time. Before the first one the first weights are judged, so
        that there is a best model from then on."""
        if not self.history:
            self.validate()
        try:
            self.learned.append(self.training.advance())
        except EvoartError as error:
            self.notes.append(f"{error}; the best model so far is kept")
            self.done = True
            return
        if self.generation % self.job.interval == 0 or self.generation >= self.job.generations:
            self.validate()

    def tell_skipped(self) -> None:
        """A note of the steps that changed nothing since the last one."""
        if self.training.skipped > self._skipped:
            count = self.training.skipped - self._skipped
            self.notes.append(f"{count:,} steps had no finite gradient and changed nothing")
            self._skipped = self.training.skipped

    def arrays(self) -> dict[str, np.ndarray]:
        """See ``types.Search``."""
        best = self.best or self.training.model
        return {
            **{f"training/{name}": value for name, value in self.training.arrays().items()},
            **{f"best/{name}": np.asarray(value) for name, value in best.params.items()},
            "best_step": np.array(self.best_step),
            "history": np.array(self.history, np.float64),
            "losses": np.array([dataclasses.astuple(each) for each in self.learned], np.float64),
            "skipped": np.array(self._skipped),
        }

    def load_common(self, arrays: Mapping[str, Any], losses: type) -> dict[str, np.ndarray]:
        """Take on what ``arrays`` gave, but for the best model: its parameters are returned.

        Args:
            losses: the class of losses.
        """
        self.training.load(_part(arrays, "training/"))
        self.history = [[float(v) for v in row] for row in arrays["history"]]
        self.best_step = int(arrays["best_step"])
        self.learned = [losses(*(float(v) for v in row)) for row in arrays["losses"]]
        self._skipped, self.notes = int(arrays["skipped"]), []
        return _part(arrays, "best/")

    @property
    def best_row(self) -> list[float]:
        """What ``history`` has of the best model."""
        return next(row for row in self.history if row[0] == self.best_step)


class TrainingProblem(Problem):
    """What problems of trainings share: nothing is judged by its looks."""

    @property
    def film(self) -> Film:
        """None: it leaves a model."""
        return Film()

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """Nothing: the search knows the losses."""
        return {}

    def figures(self, search: Search) -> dict[str, float]:
        """Those of the best model so far, on the validation set."""
        return dict(search.figures)

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"data": list(self.job.data)}  # pyright: ignore[reportAttributeAccessIssue]


def mean_of(losses: Sequence[Any], kind: type) -> Any:
    """The mean of losses of a ``kind``, of those that are finite; NaN where there are none."""
    width = len(dataclasses.fields(kind))
    rows = np.array([dataclasses.astuple(each) for each in losses]).reshape(-1, width)
    fine = rows[np.isfinite(rows).all(1)]
    return kind(*(float(v) for v in (fine.mean(0) if len(fine) else [np.nan] * width)))


def _part(arrays: Mapping[str, Any], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
