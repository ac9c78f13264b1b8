"""Training a sketch-rnn as a search that the run loop can drive: a step a generation, the best model the result.

The picture of a training is a sheet of what its best model draws; the weights are another format of the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from evoart.draw.pen import PenDrawing
from evoart.errors import UsageError
from evoart.forms.strokes import StrokesForm
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.sketch import layout
from evoart.run.sketch.dataset import Dataset, read_dataset
from evoart.run.sketch.job import SketchJob, SketchTrainJob
from evoart.run.sketch.problem import SketchProblem
from evoart.run.training import ModelTrainer, TrainingProblem
from evoart.sketch.model import Config, Model
from evoart.sketch.training import Losses, Training, TrainingConfig
from evoart.sketch.weights import read, to_npz
from evoart.types import Genome


@dataclass(frozen=True, eq=False)
class SampleDrawing(PenDrawing):
    """A sheet of samples that knows the model which drew them."""

    model: Model = field(kw_only=True)

    def weights(self) -> bytes:
        """The model as a file (.npz)."""
        return to_npz(self.model)


@dataclass(frozen=True)
class SampleForm(StrokesForm):
    """The form of a sheet of samples; recipes keep its strokes alone."""

    model: Model | None = field(default=None, repr=False, compare=False)

    def drawing(self, genome: Genome) -> PenDrawing:
        """See ``Form.drawing``."""
        drawing = super().drawing(genome)
        return drawing if self.model is None else _extend(SampleDrawing, drawing, model=self.model)


class Trainer(ModelTrainer):
    """See ``ModelTrainer``; ``history`` has the mean L_R and L_KL learned since the last validation, and its own."""

    losses = Losses

    def __init__(
        self,
        job: SketchTrainJob,
        config: Config,
        settings: TrainingConfig,
        data: Dataset,
        start: Callable[[], Model | None] = lambda: None,
        on_best: Callable[[Trainer], None] = lambda trainer: None,
    ) -> None:
        """``start`` gives the first weights; ``on_best`` is called after each validation that found a better model."""
        super().__init__(job, config, settings, data)
        self.start, self.on_best = start, on_best
        self._training: Training | None = None
        self._samples: tuple[int, StrokesForm, Genome] | None = None

    @property
    def training(self) -> Training:
        """The training itself, set up when it is first needed: a resumed one does not ask for ``start``."""
        if self._training is None:
            self._training = Training(self.config, self.settings, self.data.train, self.data.valid, self.start())
        return self._training

    @property
    def generation(self) -> int:
        """Steps taken."""
        return self._training.step if self._training else 0

    def headline(self, losses: Losses) -> str:
        """See ``ModelTrainer.headline``."""
        return f"L_R {losses.reconstruction:.3f}"

    def report(self, learned: Losses, valid: Losses) -> str:
        """See ``ModelTrainer.report``."""
        return f"{self._text(learned)}; validation {self._text(valid)}"

    def row(self, learned: Losses, valid: Losses) -> list[float]:
        """See ``ModelTrainer.row``."""
        return [learned.reconstruction, learned.kl, valid.reconstruction, valid.kl]

    def keep(self, valid: Losses) -> None:
        """See ``ModelTrainer.keep``."""
        self.loss = valid.total
        self.figures = {"L_R": valid.reconstruction} | ({"L_KL": valid.kl} if self.config.latent else {})

    def judged(self, better: bool) -> None:
        """See ``ModelTrainer.judged``: it ends where nothing better is found for long."""
        if better:
            self.on_best(self)
        elif self.generation - self.best_step >= self.job.stale * self.job.interval:
            self.notes.append(f"it no longer improves: the best model is that of step {self.best_step:,}")
            self.done = True

    def _text(self, losses: Losses) -> str:
        return f"L_R {losses.reconstruction:.3f}" + (f", L_KL {losses.kl:.3f}" if self.config.latent else "")

    def _sheet(self) -> tuple[StrokesForm, Genome]:
        """Sixteen sketches of the best model, always of the same noise, so that sheets can be compared."""
        if self._samples is None or self._samples[0] != self.best_step:
            model = self.best or self.training.model
            job = SketchJob(model=self.config.name, classes=self.config.classes, seed=self.settings.seed)
            search = SketchProblem.prepare(job, model).search()
            while not search.done:
                search.step()
            form = _extend(SampleForm, search.structure, model=model)
            self._samples = self.best_step, form, search.genome
        return self._samples[1:]

    @property
    def structure(self) -> StrokesForm:
        """The form of a sheet of samples, which are drawn when they are needed."""
        return self._sheet()[0]

    @property
    def genome(self) -> Genome:
        """Its points."""
        return self._sheet()[1]

    def arrays(self) -> dict[str, np.ndarray]:
        """See ``types.Search``."""
        return super().arrays() | {"best_loss": np.array(self.loss)}

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        self.start = lambda: None
        params = self.load_common(arrays)
        self.loss = float(arrays["best_loss"])
        if self.history:
            self.best = Model(self.config, params)
            row = self.best_row
            self.figures = {"L_R": row[3]} | ({"L_KL": row[4]} if self.config.latent else {})


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainProblem(TrainingProblem):
    """See ``TrainingProblem``: a sketch-rnn."""

    engine_name = "sketch-rnn"
    trainer = Trainer
    settings_type = TrainingConfig
    config_to_plain = staticmethod(asdict)
    form: StrokesForm

    @staticmethod
    def config_of(plain: Any) -> Config:
        """See ``TrainingProblem.config_of``."""
        lists = {name: tuple(plain[name]) for name in ("classes", "words") if name in plain}
        return Config(**plain | lists)

    @classmethod
    def read(cls, job: SketchTrainJob) -> Dataset:
        """See ``TrainingProblem.read``."""
        paths = [Path(path).expanduser() for path in job.data]
        data = read_dataset(
            paths, tolerance=job.tolerance, max_points=job.max_points, by_class=job.by_class, seed=job.seeded
        )
        check_hash("data", ", ".join(job.data), data.sha256, job.data_sha256)
        return data

    def search(self, on_best: Callable[[Trainer], None] = lambda trainer: None) -> Trainer:
        """See ``Problem.search`` and ``Trainer``.

        Raises:
            UsageError: other drawings than those that the job was made for.
        """
        from evoart.engine.jax_setup import setup

        setup()
        data = self.dataset or self.read(self.job)
        return Trainer(self.job, self.config, self.settings, data, lambda: _read_start(self.job), on_best)

    @classmethod
    def prepare(cls, job: SketchTrainJob, source: Any = None) -> Self:
        """Read the drawings and decide the shape of the model.

        Raises:
            UsageError, EvoartError: drawings or a start that cannot be used.
        """
        job = job.with_seed()
        data = cls.read(job)
        config = Config(
            name=job.name,
            cell=job.cell,
            hidden=job.hidden,
            mixtures=job.mixtures,
            latent=job.latent,
            encoder=job.encoder,
            classes=data.classes,
            scale=data.scale,
            max_points=data.max_points,
            extent=data.extent,
            licence=job.licence,
        )
        if (start := _read_start(job)) is not None:
            config = _continue_config(config, start, data)
            job = replace(job, start_sha256=start.digest)
        steps = job.decay_steps or job.generations
        job = replace(job, data_sha256=data.sha256, decay_steps=steps)
        settings = TrainingConfig(
            batch=min(job.batch, len(data.train)),
            learning_rate=job.learning_rate,
            decay=0.01 ** (1 / steps),
            min_learning_rate=0.0,
            keep_prob=job.keep_prob,
            augment_scale=job.augment_scale,
            augment_drop=job.augment_drop,
            kl_weight=job.kl_weight,
            kl_decay=0.01 ** (2 / steps),  # nearly all of it by the middle
            kl_floor=job.kl_floor,
            seed=job.seed or 0,
        )
        sheet = SketchJob()
        form, _ = layout.sheet(sheet, [[np.zeros((1, 2))]] * sheet.count)
        size = output_size(form.width, form.height, job.size or sheet.grid[0] * sheet.cell)
        return cls(job=job, form=form, size=size, name=job.stem, config=config, settings=settings, dataset=data)


def _extend(kind: Any, value: Any, **more: Any) -> Any:
    """A value of a dataclass as one of a subclass with further fields."""
    return kind(**{each.name: getattr(value, each.name) for each in fields(value)}, **more)


def _read_start(job: SketchTrainJob) -> Model | None:
    if job.start is None:
        return None
    model = read(Path(job.start).expanduser())
    check_hash("start", job.start, model.digest, job.start_sha256)
    return model


def _continue_config(config: Config, start: Model, data: Dataset) -> Config:
    """The shape of the model that training starts from, for the new data."""
    old = start.config
    if old.inputs != 5 or old.classes != data.classes:
        raise UsageError(f"'{old.name}' does not go with this data", "Train from the beginning, without --start")
    max_points = max(old.max_points, data.max_points)
    return replace(old, words=(), name=config.name, max_points=max_points, extent=data.extent, scale=data.scale)
