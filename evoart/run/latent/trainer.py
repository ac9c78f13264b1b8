"""Training an autoencoder as a search that the run loop can drive: a step a generation, the best model the result.

The picture of a training is a sheet of what its best model draws; the weights are another format of the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from evoart.cppn.latent.model import Config, Model, whiten
from evoart.cppn.latent.training import Losses, Training, TrainingConfig
from evoart.forms.sheet import SheetDrawing, SheetForm
from evoart.run.device import Choice, limit_threads
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.latent.dataset import Dataset, read_dataset
from evoart.run.latent.job import LatentTrainJob
from evoart.run.latent.models import config_of, config_to_plain, encode_model, form_of
from evoart.run.training import ModelTrainer, TrainingProblem, mean_of
from evoart.types import Genome

SHOWN, COLUMNS, CELL = 24, 6, 256  # pictures on the sheet of a training; pixels of each


@dataclass(frozen=True, eq=False)
class SampleSheet(SheetDrawing):
    """A sheet of samples that knows the model which drew them."""

    model: Model = field(kw_only=True)

    def safetensors(self, recipe: str) -> bytes:
        """The model as a file (.safetensors)."""
        return encode_model(self.model, recipe)


@dataclass(frozen=True)
class SampleSheetForm(SheetForm):
    """The form of a sheet of samples; recipes keep it as any other sheet."""

    model: Model | None = field(default=None, repr=False, compare=False)

    def drawing(self, genome: Genome) -> SheetDrawing:
        """See ``Form.drawing``."""
        drawing = super().drawing(genome)
        if self.model is None:
            return drawing
        return SampleSheet(drawing.form, drawing.drawings, drawing.width, drawing.height, model=self.model)

    def with_structure(self, structure: Any) -> Any:
        """See ``Form.with_structure``: a form of its own."""
        return structure


class Trainer(ModelTrainer):
    """See ``ModelTrainer``; ``history`` has the mean NLL and KL learned since the last validation, and its own NLL, KL
    and MSE."""

    psnr: float | None = None

    def __init__(self, job: LatentTrainJob, config: Config, settings: TrainingConfig, data: Dataset) -> None:
        self.job, self.config, self.settings = job, config, settings
        super().__init__()
        self._training = Training(config, settings, data.train, data.valid)
        self._shown: tuple[int, SampleSheetForm] | None = None

    @property
    def training(self) -> Training:
        """See ``ModelTrainer.training``."""
        return self._training

    @property
    def progress(self) -> float:
        """Share of the steps."""
        return min(self.generation / self.job.generations, 1.0)

    @property
    def stage(self) -> str:
        """``training, NLL 271.5``: the mean since the last validation."""
        return f"training, NLL {mean_of(self.learned, Losses).nll:.1f}" if self.learned else "training"

    def settle(self) -> None:
        """See ``types.Search``: what was learned since the last validation may be better."""
        if self.learned:
            self.validate()

    def validate(self) -> None:
        """See ``ModelTrainer.validate``."""
        training, step = self.training, self.generation
        valid, learned = training.validate(), mean_of(self.learned, Losses)
        self.history.append([step, learned.nll, learned.kl, valid.nll, valid.kl, valid.mse])
        better = np.isfinite(valid.total) and (self.best is None or valid.total < self.loss)
        if step:
            best = ", the best so far" if better else ""
            self.notes.append(
                f"step {step:,}: NLL {learned.nll:.1f}, KL {learned.kl:.1f}; validation NLL {valid.nll:.1f}, "
                f"KL {valid.kl:.1f}, PSNR {_psnr(valid.mse):.1f} dB{best}"
            )
        self.tell_skipped()
        self.learned = []
        if better or self.best is None:
            self.best, self.best_step = training.model, step
            self._keep(valid)

    def _keep(self, valid: Losses) -> None:
        self.loss = valid.total
        self.figures = {"loss": valid.total, "nll": valid.nll, "kl": valid.kl, "psnr": _psnr(valid.mse)}
        self.psnr = self.figures["psnr"]

    @property
    def structure(self) -> SampleSheetForm:
        """The form of a sheet of samples of the best model."""
        if self._shown is None or self._shown[0] != self.best_step:
            best = whiten(self.best or self.training.model, self.training.data).round()
            self._shown = self.best_step, sheet_form(best)
        return self._shown[1]

    @property
    def genome(self) -> Genome:
        """The latent vectors on it: always the same ones, so that sheets can be compared."""
        return latents(self.job)

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        params = self.load_common(arrays, Losses)
        if self.history:
            self.best = Model(self.config, params)
            *_, nll, kl, mse = self.best_row
            self._keep(Losses(nll, kl, nll + self.settings.kl_weight * kl, mse))


def latents(job: LatentTrainJob) -> Genome:
    """The latent vectors of the sheet, one after another."""
    rng = np.random.default_rng([job.seed or 0, 5])
    return (job.sigma * rng.standard_normal(SHOWN * job.latent)).astype(np.float32)


def sheet_form(model: Model) -> SampleSheetForm:
    """The form of a sheet of what a model draws."""
    return SampleSheetForm((form_of(model),) * SHOWN, COLUMNS, model=model)


@dataclass(frozen=True, eq=False, kw_only=True)
class LatentTrainProblem(TrainingProblem):
    """An autoencoder to be trained.

    Attributes:
        config: the model's shape.
        settings: how it is trained.
        dataset: what it learns from; None where it is read when the search begins.
    """

    job: LatentTrainJob
    form: Any  # a SheetForm
    config: Config
    settings: TrainingConfig
    dataset: Dataset | None = None

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``."""
        return self.config.side, self.config.side

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        import jax

        return Choice("autoencoder", jax.default_backend(), "the only one")

    def search(self) -> Trainer:
        """See ``Problem.search`` and ``Trainer``.

        Raises:
            UsageError: other pictures than those that the job was made for.
        """
        from evoart.engine.jax_setup import setup

        setup()
        limit_threads(self.job.threads)
        return Trainer(self.job, self.config, self.settings, self.dataset or _read(self.job))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The two configurations; the pictures are read again."""
        return {"config": config_to_plain(self.config), "settings": asdict(self.settings)}, {}

    @classmethod
    def prepare(cls, job: LatentTrainJob, source: Any = None) -> Self:
        """Read the pictures and decide the shape of the model.

        Raises:
            UsageError, EvoartError: pictures or layers that cannot be used.
        """
        from evoart.cppn.latent.model import create_model

        job = job.with_seed()
        data = _read(job)
        side, channels = data.train.shape[1], data.train.shape[3]
        colour = "gray" if channels == 1 else "rgb"
        config = Config(job.name, job.architecture(colour), side, job.encoder, job.licence)
        job = replace(job, data_sha256=data.sha256, pixels=side, color=colour)
        job = replace(job, decay_steps=job.decay_steps or job.generations)
        settings = TrainingConfig(
            batch=job.batch,
            share=job.share,
            learning_rate=job.learning_rate,
            steps=job.decay_steps or job.generations,
            kl_weight=job.kl_weight,
            warm_up=job.warm_up,
            seed=job.seed or 0,
        )
        form = sheet_form(create_model(config, np.random.default_rng(0)).round())  # until there is a better one
        size = output_size(form.width, form.height, job.size or COLUMNS * CELL)
        return cls(
            job=job, form=form, size=size, name=job.stem, notes=data.notes,
            config=config, settings=settings, dataset=data,
        )  # fmt: skip

    @classmethod
    def restore(
        cls, job: LatentTrainJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        """See ``Problem.restore``; nothing is read but the checkpoint."""
        sheet = common.pop("form")
        common["form"] = SampleSheetForm(sheet.members, sheet.columns)
        return cls(job=job, config=config_of(plain["config"]), settings=TrainingConfig(**plain["settings"]), **common)


def _read(job: LatentTrainJob) -> Dataset:
    data = read_dataset(
        job.data, pixels=job.pixels, color=job.color, mirror=job.mirror, validation=job.validation, seed=job.seed or 0
    )
    check_hash("data", ", ".join(job.data), data.sha256, job.data_sha256)
    return data


def _psnr(mse: float) -> float:
    return float(-10 * np.log10(max(mse, 1e-12)))
