"""Jobs of ``evoart cppn train``, ``sample``, ``grid`` and ``morph``: networks that draw latent vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.errors import UsageError, unknown
from evoart.run import fields
from evoart.run.cppn.job import SheetJob, layers, names, split_pick, widths
from evoart.run.job import Job

BUILTIN = {"faces": "smileys and animals' faces, learned from Fluent Emoji (MIT) and Noto Emoji (Apache-2.0)"}
DEFAULT = "faces"  # the model that is meant where none is named
_SHARED = {
    "model": fields.named,
    "model_sha256": fields.text,
    "engine": fields.Choice(("auto", "networks")),
}


@dataclass(frozen=True)
class LatentTrainJob(Job):
    """``evoart cppn train``: an autoencoder of small pictures, whose decoder is a network of coordinates. A generation
    is a training step.

    Attributes:
        name: what the pictures show, for people and file names.
        data, data_sha256: files and folders of pictures, and the hash of what was in them, ``""`` until it was read.
        pixels: side of the square pictures that it learns from, 8 to 64; None: the pictures' own, or 32.
        color: ``rgb`` or ``gray``; None: gray where all pictures are.
        mirror: whether it learns from every picture's mirror image too.
        layers, activations: of the decoder; see ``run.cppn.job.NetworkJob``.
        latent: length of z, 1 to 64.
        encoder: units of each of the encoder's two layers.
        licence: one line kept in the model: what applies to it, whose pictures.
        interval: steps between two validations.
        batch, share, learning_rate, kl_weight, warm_up: see ``cppn.latent.training.TrainingConfig``.
        validation: share of the pictures that is held out to judge by, at most 1,000 of them; 0: it is judged by those
            that it learns from, which suits a few hundred that it should know by heart.
        decay_steps: steps over which the learning rate falls; None: all of them.
        sigma: standard deviation of the latent vectors that are shown as it learns.
    """

    command: ClassVar[str] = "cppn-train"
    checks: ClassVar = Job.checks | {
        "generations": fields.Number(1, 10**9, "steps", flag="--steps"),
        "name": fields.named,
        "data": fields.texts,
        "data_sha256": fields.text,
        "pixels": fields.Number(8, 64, "pixels"),
        "color": fields.Choice(("rgb", "gray")),
        "mirror": fields.flag,
        "layers": layers,
        "activations": names,
        "latent": fields.Number(1, 64, "latent numbers"),
        "encoder": fields.Number(4, 1024, "units"),
        "licence": fields.text,
        "interval": fields.Number(1, 10**6, "steps", flag="--check"),
        "batch": fields.Number(1, 4096, "pictures"),
        "share": fields.Number(0.01, 1.0, kind=float),
        "learning_rate": fields.Number(1e-6, 1.0, kind=float),
        "kl_weight": fields.Number(0, 100, kind=float),
        "warm_up": fields.Number(0, 1, kind=float),
        "validation": fields.Number(0, 0.5, kind=float),
        "decay_steps": fields.Number(1, 10**9, "steps"),
        "sigma": fields.Number(0, 10, kind=float),
    }

    generations: int = 4000
    name: str = "latent"
    data: tuple[str, ...] = ()
    data_sha256: str = ""
    pixels: int | None = None
    color: str | None = None
    mirror: bool = False
    layers: str = "96x3"
    activations: str = "sine,tanh"
    latent: int = 32
    encoder: int = 256
    licence: str = ""
    interval: int = 250
    batch: int = 64
    share: float = 0.25
    learning_rate: float = 2e-3
    kl_weight: float = 1.0
    warm_up: float = 0.25
    validation: float = 0.05
    decay_steps: int | None = None
    sigma: float = 1.0

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.data:
            raise UsageError("there is nothing to learn from", "Name a folder of pictures, an .npz, or fashion-mnist")

    def architecture(self, colour: str) -> Any:
        """The decoder's ``Layers``.

        Raises:
            UsageError: layers or activations that make no sense.
        """
        from evoart.cppn.layers import Layers

        return Layers(widths(self.layers), tuple(self.activations.split(",")), self.latent, colour)

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "latents"

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

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"training '{self.name}': layers of {self.layers}, z {self.latent}"


@dataclass(frozen=True)
class SampleJob(SheetJob):
    """``evoart cppn sample``: what random latent vectors look like.

    Attributes:
        model, model_sha256: name or file of a trained network, and the hash of what it held, ``""`` until it was read.
        sigma: standard deviation of the latent numbers, 0 to 10.
    """

    command: ClassVar[str] = "cppn-sample"
    checks: ClassVar = SheetJob.checks | _SHARED | {"sigma": fields.Number(0, 10, kind=float)}

    model: str = DEFAULT
    model_sha256: str = ""
    sigma: float = 1.0

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "cppn-latent" if self.pick is not None else "sheet"

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return (*super().inputs, *model_inputs(self.model))

    @property
    def stem(self) -> str:
        """``faces``; ``faces-7`` of one alone."""
        return stem_of(self.model) + (f"-{self.pick}" if self.pick is not None else "")

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"{self.n} random latent vectors of '{stem_of(self.model)}'"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{stem_of(self.model)}: {label}"

    def names_file(self, value: str) -> bool:
        """See ``Job.names_file``."""
        return not is_seed(value)


@dataclass(frozen=True)
class GridJob(SampleJob):
    """``evoart cppn grid``: a plane through the latent space, two directions of the seed's choice.

    Attributes:
        around, around_sha256: a picture in its middle, see ``read_latent``; None: the mean of all.
        span: how far it goes to each side, in standard deviations.
    """

    command: ClassVar[str] = "cppn-grid"
    files: ClassVar = SampleJob.files | {"around": "picture"}
    checks: ClassVar = SampleJob.checks | {
        "around": fields.named,
        "around_sha256": fields.text,
        "span": fields.Number(0.01, 50.0, kind=float),
    }

    n: int = 49
    around: str | None = None
    around_sha256: str = ""
    span: float = 3.0

    @property
    def columns(self) -> int:
        """See ``SheetJob.columns``: a square, as nearly as it goes."""
        return math.ceil(math.sqrt(self.n))

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return tuple(path for path in super().inputs if not is_seed(path))

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"a plane through the latent space of '{stem_of(self.model)}'"


@dataclass(frozen=True)
class MorphJob(Job):
    """``evoart cppn morph``: a film from one latent vector to the next and back to the first, along a sphere.

    Attributes:
        model, model_sha256: as of ``SampleJob``.
        stops, stops_sha256: what it goes through, see ``read_latent``, and the hashes of the files.
        count: latent vectors it goes through where fewer are named: the rest are random.
        sigma: standard deviation of those.
    """

    command: ClassVar[str] = "cppn-morph"
    files: ClassVar = Job.files | {"stops": "picture"}
    checks: ClassVar = (
        Job.checks
        | _SHARED
        | {
            "stops": fields.texts,
            "stops_sha256": fields.texts,
            "count": fields.Number(2, 100, "pictures", flag="-n"),
            "sigma": fields.Number(0, 10, kind=float),
        }
    )

    model: str = DEFAULT
    model_sha256: str = ""
    stops: tuple[str, ...] = ()
    stops_sha256: tuple[str, ...] = ()
    count: int | None = None
    sigma: float = 1.0

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "morph"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("animated-webp",)

    @property
    def film_only(self) -> bool:
        """See ``Job.film_only``."""
        return True

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return tuple(path for path in (*super().inputs, *model_inputs(self.model)) if not is_seed(path))

    def names_file(self, value: str) -> bool:
        """See ``Job.names_file``."""
        return not is_seed(value)

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        named = [Path(split_pick(stop)[0]).stem for stop in self.stops[:2]]
        return "-".join([stem_of(self.model), *named])

    @property
    def total(self) -> int:
        """Latent vectors it goes through."""
        return max(len(self.stops), self.count or (4 if not self.stops else 2))

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"a loop through {self.total} latent vectors of '{stem_of(self.model)}'"


def is_seed(stop: str) -> bool:
    """Whether what was named is no file but the number of a random latent vector."""
    return stop.isascii() and stop.isdigit() and len(stop) <= 10


def is_file(model: str) -> bool:
    """Whether a model's name is that of a file."""
    return model.endswith(".safetensors") or "/" in model or "\\" in model


def check_model(model: str) -> None:
    """Refuse a model that is not there, before anything is imported that could read it.

    Raises:
        UsageError: no such name or file.
    """
    if is_file(model):
        if not Path(model).expanduser().is_file():
            raise UsageError(f"there is no file '{model}'", "Check the spelling")
    elif model not in BUILTIN:
        if Path(model).exists():
            raise UsageError(f"'{model}' is no trained network", "Use a .safetensors that evoart cppn train wrote")
        raise unknown("trained network", model, BUILTIN)


def model_inputs(model: str) -> tuple[str, ...]:
    """The file that a model's name is."""
    return (model,) if is_file(model) else ()


def stem_of(model: str) -> str:
    """A model's name without folder and ending."""
    return Path(model).name.removesuffix(".safetensors") or "latent"
