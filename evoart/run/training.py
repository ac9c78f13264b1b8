"""The training of a model as a search that the run loop can drive: a step a generation, the best model the result."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from evoart.errors import EvoartError
from evoart.run.device import Choice, limit_threads
from evoart.run.problem import Film, Problem
from evoart.types import Form, Genome, Search


class ModelTrainer(Search):
    """See ``types.Search``; the loss is that of the best model so far on the validation set.

    Attributes:
        best, best_step: the best model so far and the step that it comes from; None and 0 before the first validation.
        history: of each validation: its step, and losses.
    """

    losses: ClassVar[type]  # of a step or a validation: a dataclass of numbers with a ``total``
    job: Any
    settings: Any

    def __init__(self, job: Any, config: Any, settings: Any, data: Any) -> None:
        self.job, self.config, self.settings, self.data = job, config, settings, data
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
    def headline(self, losses: Any) -> str:
        """The loss that the progress line shows: ``NLL 71.5``."""

    @abstractmethod
    def report(self, learned: Any, valid: Any) -> str:
        """Losses of what was learned and of a validation, for people."""

    @abstractmethod
    def row(self, learned: Any, valid: Any) -> list[float]:
        """What ``history`` keeps of them."""

    @abstractmethod
    def keep(self, valid: Any) -> None:
        """Set ``loss`` and ``figures`` to those of the best model."""

    def is_better(self, valid: Any) -> bool:
        """Whether the model that has these losses is to be kept instead of the best one."""
        return bool(np.isfinite(valid.total) and not self.loss <= valid.total)

    def judged(self, better: bool) -> None:
        """Called after each validation; ``better``: it found the best model so far."""

    @property
    def progress(self) -> float:
        """Share of the steps."""
        return min(self.generation / self.job.generations, 1.0)

    @property
    def stage(self) -> str:
        """``training, NLL 71.5``: the mean since the last validation."""
        return f"training, {self.headline(mean_of(self.learned, self.losses))}" if self.learned else "training"

    def settle(self) -> None:
        """See ``types.Search``: what was learned since the last validation may be better."""
        if self.learned:
            self.validate()

    def validate(self) -> None:
        """Judge the model as it is, keep it if it is the best one, and say how it went."""
        step, valid, learned = self.generation, self.training.validate(), mean_of(self.learned, self.losses)
        self.history.append([step, *self.row(learned, valid)])
        better = self.best is None or self.is_better(valid)
        if step:
            best = ", the best so far" if better else ""
            self.notes.append(f"step {step:,}: {self.report(learned, valid)}{best}")
        if self.training.skipped > self._skipped:
            count = self.training.skipped - self._skipped
            self.notes.append(f"{count:,} steps had no finite gradient and changed nothing")
            self._skipped = self.training.skipped
        self.learned = []
        if better:
            self.best, self.best_step = self.training.model, step
            self.keep(valid)
        self.judged(better)

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

    def load_common(self, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Take on what ``arrays`` gave, but for the best model: its parameters are returned."""
        self.training.load(_part(arrays, "training/"))
        self.history = [[float(v) for v in row] for row in arrays["history"]]
        self.best_step = int(arrays["best_step"])
        self.learned = [self.losses(*(float(v) for v in row)) for row in arrays["losses"]]
        self._skipped, self.notes = int(arrays["skipped"]), []
        return _part(arrays, "best/")

    @property
    def best_row(self) -> list[float]:
        """What ``history`` has of the best model."""
        return next(row for row in self.history if row[0] == self.best_step)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingProblem(Problem):
    """A model to be trained: nothing is judged by its looks.

    Attributes:
        config: the model's shape.
        settings: how it is trained.
        dataset: what it learns from; None where it is read when the search begins.
    """

    engine_name: ClassVar[str]
    trainer: ClassVar[type[ModelTrainer]]
    settings_type: ClassVar[type]
    config_to_plain: ClassVar[Callable[[Any], dict[str, Any]]]  # a configuration as JSON values, and back
    config_of: ClassVar[Callable[[Any], Any]]
    job: Any  # a TrainJob
    config: Any
    settings: Any
    dataset: Any = None

    @classmethod
    @abstractmethod
    def read(cls, job: Any) -> Any:
        """What the job learns from.

        Raises:
            UsageError: other data than those that the job was made for. EvoartError: files that cannot be read.
        """

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        import jax

        return Choice(self.engine_name, jax.default_backend(), "the only one")

    def search(self) -> ModelTrainer:
        """See ``Problem.search``, ``trainer`` and, for errors, ``read``."""
        from evoart.engine.jax_setup import setup

        setup()
        limit_threads(self.job.threads)
        return self.trainer(self.job, self.config, self.settings, self.dataset or self.read(self.job))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The configuration and the settings; the data are read again."""
        return {"config": self.config_to_plain(self.config), "settings": dataclasses.asdict(self.settings)}, {}

    @classmethod
    def restore(cls, job: Any, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """See ``Problem.restore``; nothing is read but the checkpoint."""
        config, settings = cls.config_of(plain["config"]), cls.settings_type(**plain["settings"])
        return cls(job=job, config=config, settings=settings, **common)

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
        return {"data": list(self.job.data)}


def mean_of(losses: Sequence[Any], kind: type) -> Any:
    """The mean of losses of a ``kind``, of those that are finite; NaN where there are none."""
    width = len(dataclasses.fields(kind))
    rows = np.array([dataclasses.astuple(each) for each in losses]).reshape(-1, width)
    fine = rows[np.isfinite(rows).all(1)]
    return kind(*(float(v) for v in (fine.mean(0) if len(fine) else [np.nan] * width)))


def _part(arrays: Mapping[str, Any], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
