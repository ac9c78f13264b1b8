"""Training a model of letters as a search that the run loop can drive: a step a generation, the best model the result.

The picture of a training shows its letters in random styles; the weights are another format of the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from evoart.forms.glyphs import GlyphsForm, Mark
from evoart.forms.sheet import SheetDrawing, SheetForm
from evoart.glyph.letters import LETTERS
from evoart.glyph.model import Config, Model, whiten
from evoart.glyph.training import Losses, Training, TrainingConfig, encode_fonts
from evoart.run.device import Choice, limit_threads
from evoart.run.glyph.dataset import Dataset, read_dataset
from evoart.run.glyph.drawing import draw_letters
from evoart.run.glyph.job import GlyphTrainJob, page_of
from evoart.run.glyph.models import config_of, config_to_plain, encode_model
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.training import ModelTrainer, TrainingProblem, mean_of
from evoart.types import Genome

SHOWN = tuple(LETTERS[k : k + 8] for k in range(0, len(LETTERS), 8))  # of the sheet of a training, each in one style
CELL = 480  # pixels of the width of each


@dataclass(frozen=True, eq=False)
class LetterSheet(SheetDrawing):
    """A sheet of letters that knows the model which drew them."""

    model: Model = field(kw_only=True)

    def safetensors(self, recipe: str) -> bytes:
        """The model as a file (.safetensors)."""
        return encode_model(self.model, recipe)


@dataclass(frozen=True)
class LetterSheetForm(SheetForm):
    """The form of a sheet of letters; recipes keep it as any other sheet."""

    model: Model | None = field(default=None, repr=False, compare=False)

    def drawing(self, genome: Genome) -> SheetDrawing:
        """See ``Form.drawing``."""
        drawing = super().drawing(genome)
        if self.model is None:
            return drawing
        return LetterSheet(drawing.form, drawing.drawings, drawing.width, drawing.height, model=self.model)

    def with_structure(self, structure: Any) -> Any:
        """See ``Form.with_structure``: a form of its own."""
        return structure


class Trainer(ModelTrainer):
    """See ``ModelTrainer``; ``history`` has the mean NLL and KL learned since the last validation, and its own NLL, KL,
    total and share of wrong pixels."""

    def __init__(self, job: GlyphTrainJob, config: Config, settings: TrainingConfig, data: Dataset) -> None:
        self.job, self.config, self.settings = job, config, settings
        super().__init__()
        self._training = Training(config, settings, data.train, data.valid)
        self._shown: tuple[int, tuple[LetterSheetForm, Genome]] | None = None

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
        """``training, NLL 71.5``: the mean since the last validation."""
        return f"training, NLL {mean_of(self.learned, Losses).nll:.1f}" if self.learned else "training"

    def settle(self) -> None:
        """See ``types.Search``: what was learned since the last validation may be better."""
        if self.learned:
            self.validate()

    def validate(self) -> None:
        """See ``ModelTrainer.validate``."""
        training, step = self.training, self.generation
        valid, learned = training.validate(), mean_of(self.learned, Losses)
        self.history.append([step, learned.nll, learned.kl, valid.nll, valid.kl, valid.total, valid.cover])
        better = np.isfinite(valid.total) and (self.best is None or valid.total < self.loss)
        if step:
            best = ", the best so far" if better else ""
            self.notes.append(
                f"step {step:,}: NLL {learned.nll:.1f}, KL {learned.kl:.1f}; validation NLL {valid.nll:.1f}, "
                f"KL {valid.kl:.1f}, {valid.cover:.2%} of the square wrong{best}"
            )
        self.tell_skipped()
        self.learned = []
        if better or self.best is None:
            self.best, self.best_step = training.model, step
            self._keep(valid)

    def _keep(self, valid: Losses) -> None:
        self.loss = valid.total
        self.figures = {"loss": valid.total, "nll": valid.nll, "kl": valid.kl, "wrong": valid.cover}

    def _sheet(self) -> tuple[LetterSheetForm, Genome]:
        if self._shown is None or self._shown[0] != self.best_step:
            best = self.best or self.training.model
            best = whiten(best, encode_fonts(best, self.training.data)).round()
            self._shown = self.best_step, sheet_of(best, self.job.seed or 0)
        return self._shown[1]

    @property
    def structure(self) -> LetterSheetForm:
        """The form of a sheet of letters of the best model."""
        return self._sheet()[0]

    @property
    def genome(self) -> Genome:
        """The letters on it, in styles that are always the same, so that sheets can be compared."""
        return self._sheet()[1]

    def load(self, arrays: dict[str, Any]) -> None:
        """See ``types.Search``."""
        params = self.load_common(arrays, Losses)
        if self.history:
            self.best = Model(self.config, params)
            _, _, _, nll, kl, total, cover = self.best_row
            self._keep(Losses(nll, kl, total, cover))


def blank_sheet() -> LetterSheetForm:
    """The sheet before anything was learned: pages of the same proportions with nothing to see on them."""
    wide, tall = page_of("A" * 8)
    page = GlyphsForm((Mark("A", (), 0.0, 0.0, 0.0),), 1 / wide, 1.0, tall / wide)
    return LetterSheetForm((page,) * len(SHOWN), 2, page.width, page.height)


def sheet_of(model: Model, seed: int) -> tuple[LetterSheetForm, Genome]:
    """A sheet of what a model draws: all letters, a few in each of some styles."""
    page, found = page_of("A" * 8), []
    for number, text in enumerate(SHOWN):
        z = 0.7 * np.random.default_rng([seed, 5, number]).standard_normal(model.config.latent)
        found.append(draw_letters(model, z, (text,), page=page))
    wide, tall = (float(side) for side in (found[0][0].width, found[0][0].height))
    form = LetterSheetForm(tuple(form for form, _ in found), 2, wide, tall, model=model)
    return form, np.concatenate([genome for _, genome in found])


@dataclass(frozen=True, eq=False, kw_only=True)
class GlyphTrainProblem(TrainingProblem):
    """A model of letters to be trained.

    Attributes:
        config: the model's shape.
        settings: how it is trained.
        dataset: what it learns from; None where it is read when the search begins.
    """

    job: GlyphTrainJob
    form: Any  # a SheetForm
    config: Config
    settings: TrainingConfig
    dataset: Dataset | None = None

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        import jax

        return Choice("letters", jax.default_backend(), "the only one")

    def search(self) -> Trainer:
        """See ``Problem.search`` and ``Trainer``.

        Raises:
            UsageError: other fonts than those that the job was made for.
        """
        from evoart.engine.jax_setup import setup

        setup()
        limit_threads(self.job.threads)
        return Trainer(self.job, self.config, self.settings, self.dataset or _read(self.job))

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        held_out = list(self.dataset.held_out) if self.dataset else []
        return super().details() | {"held_out": held_out}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The two configurations; the fonts are read again."""
        return {"config": config_to_plain(self.config), "settings": asdict(self.settings)}, {}

    @classmethod
    def prepare(cls, job: GlyphTrainJob, source: Any = None) -> Self:
        """Read the fonts and decide the shape of the model.

        Raises:
            UsageError, EvoartError: fonts that cannot be used.
        """
        job = job.with_seed()
        data = _read(job)
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
        """See ``Problem.restore``; nothing is read but the checkpoint."""
        sheet = common.pop("form")
        common["form"] = LetterSheetForm(sheet.members, sheet.columns, sheet.across, sheet.down)
        return cls(job=job, config=config_of(plain["config"]), settings=TrainingConfig(**plain["settings"]), **common)


def _read(job: GlyphTrainJob) -> Dataset:
    data = read_dataset(job.data, validation=job.validation, seed=job.seeded)
    check_hash("data", ", ".join(job.data), data.sha256, job.data_sha256)
    return data
