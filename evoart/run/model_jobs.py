"""Jobs that train a model, and jobs whose pictures a trained model draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evoart.errors import UsageError, unknown
from evoart.run import fields
from evoart.run.job import Job


@dataclass(frozen=True)
class ModelNames:
    """Names of models that come with evoart.

    Attributes:
        what: what one is called: ``trained network``.
        command: what trains others: ``evoart cppn train``.
        builtin: what each is, by name.
    """

    what: str
    command: str
    builtin: Mapping[str, str]

    def check(self, model: str) -> None:
        """Refuse a model that is not there, before anything is imported that could read it.

        Raises:
            UsageError: no such name or file.
        """
        if is_file(model):
            if not Path(model).expanduser().is_file():
                raise UsageError(f"there is no file '{model}'", "Check the spelling")
        elif model not in self.builtin:
            if Path(model).exists():
                raise UsageError(f"'{model}' is no {self.what}", f"Use a .safetensors that {self.command} wrote")
            raise unknown(self.what, model, self.builtin)


@dataclass(frozen=True)
class TrainJob(Job):
    """A model that learns from files. A generation is a training step.

    Attributes:
        name: what it draws, for people and file names.
        data, data_sha256: files and folders that it learns from, and the hash of what was in them, ``""`` until it was
            read.
        licence: one line kept in the model: what applies to it, whose works it learned from.
        interval: steps between two validations.
        learning_rate, kl_weight: see the ``TrainingConfig`` of its training.
        decay_steps: steps over which the learning rate falls; None: all of them.
    """

    nothing: ClassVar[str] = ""  # what to do where there is no data
    checks: ClassVar = Job.checks | {
        "generations": fields.Number(1, 10**9, "steps", flag="--steps"),
        "name": fields.named,
        "data": fields.texts,
        "data_sha256": fields.text,
        "licence": fields.text,
        "interval": fields.Number(1, 10**6, "steps", flag="--check"),
        "learning_rate": fields.Number(1e-6, 1.0, kind=float),
        "kl_weight": fields.Number(0, 100, kind=float),
        "decay_steps": fields.Number(1, 10**9, "steps"),
    }

    generations: int = 4000
    name: str = "model"
    data: tuple[str, ...] = ()
    data_sha256: str = ""
    licence: str = ""
    interval: int = 250
    learning_rate: float = 2e-3
    kl_weight: float = 1.0
    decay_steps: int | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.data:
            raise UsageError("there is nothing to learn from", self.nothing)

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return "safetensors", "png"

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return super().inputs + self.data

    @property
    def stem(self) -> str:
        """The model's name."""
        return self.name

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{label} of '{self.name}'"


@dataclass(frozen=True)
class ModelJob(Job):
    """Pictures that a trained model draws of latent vectors.

    Attributes:
        model, model_sha256: name or file of a model, and the hash of what it held, ``""`` until it was read.
        sigma: standard deviation of random latent numbers, 0 to 10: 0 is the mean of what it learned.
    """

    models: ClassVar = ("model",)
    checks: ClassVar = Job.checks | {
        "model": fields.named,
        "model_sha256": fields.text,
        "sigma": fields.Number(0, 10, kind=float),
    }

    model: str = ""
    model_sha256: str = ""
    sigma: float = 1.0

    @classmethod
    def names_model_file(cls, value: str) -> bool:
        """See ``Job.names_model_file``."""
        return is_file(value)


@dataclass(frozen=True)
class LoopJob(ModelJob):
    """A film from one latent vector of a model to the next and back to the first.

    Attributes:
        stops, stops_sha256: what it goes through, pictures or the numbers of random vectors, and hashes of the files.
        count: vectors it goes through where fewer are named: the rest are random.
    """

    film_only: ClassVar[bool] = True
    files: ClassVar = ModelJob.files | {"stops": "picture"}
    checks: ClassVar = ModelJob.checks | {
        "stops": fields.texts,
        "stops_sha256": fields.texts,
        "count": fields.Number(2, 100, "pictures", flag="-n"),
    }

    stops: tuple[str, ...] = ()
    stops_sha256: tuple[str, ...] = ()
    count: int | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("animated-webp",)

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return tuple(path for path in super().inputs if not is_seed(path))

    @classmethod
    def names_file(cls, value: str, folder: Path = Path()) -> bool:
        """See ``Job.names_file``."""
        return not is_seed(value)

    @property
    def total(self) -> int:
        """Vectors it goes through."""
        return max(len(self.stops), self.count or (4 if not self.stops else 2))


def is_seed(stop: str) -> bool:
    """Whether what was named is no file but the number of a random latent vector."""
    return stop.isascii() and stop.isdigit() and len(stop) <= 10


def is_file(model: str) -> bool:
    """Whether a model's name is that of a file."""
    return model.endswith(".safetensors") or "/" in model or "\\" in model


def stem_of(model: str) -> str:
    """A model's name without folder and ending."""
    return Path(model).name.removesuffix(".safetensors") or "model"
