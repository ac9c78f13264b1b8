"""Training an autoencoder as a search that the run loop can drive: a step a generation, the best model the result.

The picture of a training is a sheet of what its best model draws; the weights are another format of the same result.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from evoart.cppn.latent.model import Config, Model, whiten
from evoart.cppn.latent.training import Losses, Training, TrainingConfig
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.latent.dataset import Dataset, read_dataset
from evoart.run.latent.job import LatentTrainJob
from evoart.run.latent.models import FILES, form_of
from evoart.run.model_sheet import ModelSheetForm
from evoart.run.training import ModelTrainer, TrainingProblem
from evoart.types import Genome

SHOWN, COLUMNS, CELL = 24, 6, 256  # pictures on the sheet of a training; pixels of each


class Trainer(ModelTrainer):
    """See ``ModelTrainer``; ``history`` has the mean NLL and KL learned since the last validation, and its own NLL, KL
    and MSE."""

    losses = Losses
    psnr: float | None = None

    def __init__(self, job: LatentTrainJob, config: Config, settings: TrainingConfig, data: Dataset) -> None:
        super().__init__(job, config, settings, data)
        self._training = Training(config, settings, data.train, data.valid)
        self._shown: tuple[int, ModelSheetForm] | None = None

    @property
    def training(self) -> Training:
        """See ``ModelTrainer.training``."""
        return self._training

    def headline(self, losses: Losses) -> str:
        """See ``ModelTrainer.headline``."""
        return f"NLL {losses.nll:.1f}"

    def report(self, learned: Losses, valid: Losses) -> str:
        """See ``ModelTrainer.report``."""
        gan = f"discriminator {learned.discriminator:.2f}, generator {learned.generator:.2f}; "
        return (
            f"NLL {learned.nll:.1f}, KL {learned.kl:.1f}; {gan if self.settings.gan_weight else ''}"
            f"validation NLL {valid.nll:.1f}, KL {valid.kl:.1f}, PSNR {_psnr(valid.mse):.1f} dB"
        )

    def is_better(self, valid: Losses) -> bool:
        """See ``ModelTrainer.is_better``. Likeness falls as drawings become sharp: with a discriminator the latest
        model counts."""
        return np.isfinite(valid.total) if self.settings.gan_weight else super().is_better(valid)

    def row(self, learned: Losses, valid: Losses) -> list[float]:
        """See ``ModelTrainer.row``."""
        return [learned.nll, learned.kl, valid.nll, valid.kl, valid.mse]

    def keep(self, valid: Losses) -> None:
        """See ``ModelTrainer.keep``."""
        self.loss = valid.total
        self.figures = {"loss": valid.total, "nll": valid.nll, "kl": valid.kl, "psnr": _psnr(valid.mse)}
        self.psnr = self.figures["psnr"]

    @property
    def structure(self) -> ModelSheetForm:
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
        params = self.load_common(arrays)
        if self.history:
            self.best = Model(self.config, params)
            *_, nll, kl, mse = self.best_row
            self.keep(Losses(nll, kl, nll + self.settings.kl_weight * kl, mse))


def latents(job: LatentTrainJob) -> Genome:
    """The latent vectors of the sheet, one after another."""
    rng = np.random.default_rng([job.seed or 0, 5])
    return (job.sigma * rng.standard_normal(SHOWN * job.latent)).astype(np.float32)


def sheet_form(model: Model) -> ModelSheetForm:
    """The form of a sheet of what a model draws."""
    return ModelSheetForm((form_of(model),) * SHOWN, COLUMNS, encode=functools.partial(FILES.encode, model))


@dataclass(frozen=True, eq=False, kw_only=True)
class LatentTrainProblem(TrainingProblem):
    """See ``TrainingProblem``: an autoencoder."""

    engine_name = "autoencoder"
    trainer = Trainer
    settings_type = TrainingConfig
    config_to_plain = staticmethod(FILES.config_to_plain)
    config_of = staticmethod(FILES.config_of)
    form: Any  # a SheetForm

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``."""
        return self.config.side, self.config.side

    @classmethod
    def read(cls, job: LatentTrainJob) -> Dataset:
        """See ``TrainingProblem.read``."""
        data = read_dataset(
            job.data, pixels=job.pixels, color=job.color, mirror=job.mirror, validation=job.validation, seed=job.seeded
        )
        check_hash("data", ", ".join(job.data), data.sha256, job.data_sha256)
        return data

    @classmethod
    def prepare(cls, job: LatentTrainJob, source: Any = None) -> Self:
        """Read the pictures and decide the shape of the model.

        Raises:
            UsageError, EvoartError: pictures or layers that cannot be used.
        """
        from evoart.cppn.latent.model import create_model

        job = job.with_seed()
        data = cls.read(job)
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
            gan_weight=job.gan_weight,
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
        """See ``TrainingProblem.restore``."""
        sheet = common.pop("form")
        form = ModelSheetForm(sheet.members, sheet.columns)
        return super().restore(job, plain, arrays, form=form, **common)


def _psnr(mse: float) -> float:
    return float(-10 * np.log10(max(mse, 1e-12)))
