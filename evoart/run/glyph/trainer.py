"""Training a model of letters as a search that the run loop can drive: a step a generation, the best model the result.

The picture of a training shows its letters in random styles; the weights are another format of the same result.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from evoart.forms.glyphs import GlyphsForm, Mark
from evoart.glyph.letters import LETTERS
from evoart.glyph.model import Config, Model, whiten
from evoart.glyph.training import Losses, Training, TrainingConfig, encode_fonts
from evoart.run.glyph.dataset import Dataset, read_dataset
from evoart.run.glyph.drawing import draw_letters
from evoart.run.glyph.job import GlyphTrainJob, page_of
from evoart.run.glyph.models import FILES
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.model_sheet import ModelSheetForm
from evoart.run.training import ModelTrainer, TrainingProblem
from evoart.types import Genome

SHOWN = tuple(LETTERS[k : k + 8] for k in range(0, len(LETTERS), 8))  # of the sheet of a training, each in one style
CELL = 480  # pixels of the width of each


class Trainer(ModelTrainer):
    """See ``ModelTrainer``; ``history`` has the mean NLL and KL learned since the last validation, and its own NLL, KL,
    total and share of wrong pixels."""

    losses = Losses

    def __init__(self, job: GlyphTrainJob, config: Config, settings: TrainingConfig, data: Dataset) -> None:
        super().__init__(job, config, settings, data)
        self._training = Training(config, settings, data.train, data.valid)
        self._shown: tuple[int, tuple[ModelSheetForm, Genome]] | None = None

    @property
    def training(self) -> Training:
        """See ``ModelTrainer.training``."""
        return self._training

    def headline(self, losses: Losses) -> str:
        """See ``ModelTrainer.headline``."""
        return f"NLL {losses.nll:.1f}"

    def report(self, learned: Losses, valid: Losses) -> str:
        """See ``ModelTrainer.report``."""
        return (
            f"NLL {learned.nll:.1f}, KL {learned.kl:.1f}; validation NLL {valid.nll:.1f}, "
            f"KL {valid.kl:.1f}, {valid.cover:.2%} of the square wrong"
        )

    def row(self, learned: Losses, valid: Losses) -> list[float]:
        """See ``ModelTrainer.row``."""
        return [learned.nll, learned.kl, valid.nll, valid.kl, valid.total, valid.cover]

    def keep(self, valid: Losses) -> None:
        """See ``ModelTrainer.keep``."""
        self.loss = valid.total
        self.figures = {"loss": valid.total, "nll": valid.nll, "kl": valid.kl, "wrong": valid.cover}

    def _sheet(self) -> tuple[ModelSheetForm, Genome]:
        if self._shown is None or self._shown[0] != self.best_step:
            best = self.best or self.training.model
            best = whiten(best, encode_fonts(best, self.training.data)).round()
            self._shown = self.best_step, sheet_of(best, self.job.seeded)
        return self._shown[1]

    @property
    def structure(self) -> ModelSheetForm:
        """The form of a sheet of letters of the best model."""
        return self._sheet()[0]

    @property
    def genome(self) -> Genome:
        """The letters on it, in styles that are always the same, so that sheets can be compared."""
        return self._sheet()[1]

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        params = self.load_common(arrays)
        if self.history:
            self.best = Model(self.config, params)
            _, _, _, nll, kl, total, cover = self.best_row
            self.keep(Losses(nll, kl, total, cover))


def blank_sheet() -> ModelSheetForm:
    """The sheet before anything was learned: pages of the same proportions with nothing to see on them."""
    wide, tall = page_of("A" * 8)
    page = GlyphsForm((Mark("A", (), 0.0, 0.0, 0.0),), 1 / wide, 1.0, tall / wide)
    return ModelSheetForm((page,) * len(SHOWN), 2, page.width, page.height)


def sheet_of(model: Model, seed: int) -> tuple[ModelSheetForm, Genome]:
    """A sheet of what a model draws: all letters, a few in each of some styles."""
    page, found = page_of("A" * 8), []
    for number, text in enumerate(SHOWN):
        z = 0.7 * np.random.default_rng([seed, 5, number]).standard_normal(model.config.latent)
        found.append(draw_letters(model, z, (text,), page=page))
    wide, tall = (float(side) for side in (found[0][0].width, found[0][0].height))
    encode = functools.partial(FILES.encode, model)
    form = ModelSheetForm(tuple(form for form, _ in found), 2, wide, tall, encode=encode)
    return form, np.concatenate([genome for _, genome in found])


@dataclass(frozen=True, eq=False, kw_only=True)
class GlyphTrainProblem(TrainingProblem):
    """See ``TrainingProblem``: a model of letters."""

    engine_name = "letters"
    trainer = Trainer
    settings_type = TrainingConfig
    config_to_plain = staticmethod(FILES.config_to_plain)
    config_of = staticmethod(FILES.config_of)
    form: Any  # a SheetForm

    @classmethod
    def read(cls, job: GlyphTrainJob) -> Dataset:
        """See ``TrainingProblem.read``."""
        data = read_dataset(job.data, validation=job.validation, seed=job.seeded)
        check_hash("data", ", ".join(job.data), data.sha256, job.data_sha256)
        return data

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        held_out = list(self.dataset.held_out) if self.dataset else []
        return super().details() | {"held_out": held_out}

    @classmethod
    def prepare(cls, job: GlyphTrainJob, source: Any = None) -> Self:
        """Read the fonts and decide the shape of the model.

        Raises:
            UsageError, EvoartError: fonts that cannot be used.
        """
        job = job.with_seed()
        data = cls.read(job)
        config = Config(
            job.name, job.latent, job.units, job.grid, job.channels, encoder=job.encoder, licence=job.licence
        )
        job = replace(job, data_sha256=data.sha256, decay_steps=job.decay_steps or job.generations)
        settings = TrainingConfig(
            fonts=job.fonts, points=job.points, learning_rate=job.learning_rate,
            steps=job.decay_steps or job.generations, kl_weight=job.kl_weight, seed=job.seeded,
        )  # fmt: skip
        form = blank_sheet()  # until there is a better one
        size = output_size(form.width, form.height, job.size or round(2 * CELL / form.width))
        return cls(
            job=job, form=form, size=size, name=job.stem, notes=data.notes,
            config=config, settings=settings, dataset=data,
        )  # fmt: skip

    @classmethod
    def restore(
        cls, job: GlyphTrainJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        """See ``TrainingProblem.restore``."""
        sheet = common.pop("form")
        form = ModelSheetForm(sheet.members, sheet.columns, sheet.across, sheet.down)
        return super().restore(job, plain, arrays, form=form, **common)
