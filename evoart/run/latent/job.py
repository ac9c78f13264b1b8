"""Jobs of ``evoart cppn train``, ``sample``, ``grid`` and ``morph``: networks that draw latent vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.run import fields
from evoart.run.cppn.job import SheetJob, layers, names, split_pick, widths
from evoart.run.model_jobs import LoopJob, ModelJob, ModelNames, TrainJob, is_seed, stem_of

NAMES = ModelNames(
    "trained network",
    "evoart cppn train",
    {"faces": "smileys and animals' faces, learned from Fluent Emoji (MIT) and Noto Emoji (Apache-2.0)"},
)
DEFAULT = "faces"  # the model that is meant where none is named
_ENGINE = {"engine": fields.Choice(("auto", "networks"))}


@dataclass(frozen=True)
class LatentTrainJob(TrainJob):
    """``evoart cppn train``: an autoencoder of small pictures, whose decoder is a network of coordinates. A generation
    is a training step.

    Attributes:
        pixels: side of the square pictures that it learns from, 8 to 64; None: the pictures' own, or 32.
        color: ``rgb`` or ``gray``; None: gray where all pictures are.
        mirror: whether it learns from every picture's mirror image too.
        layers, activations: of the decoder; see ``run.cppn.job.NetworkJob``.
        latent: length of z, 1 to 64.
        encoder: units of each of the encoder's two layers.
        batch, share, warm_up, gan_weight: see ``cppn.latent.training.TrainingConfig``.
        validation: share of the pictures that is held out to judge by, at most 1,000 of them; 0: it is judged by those
            that it learns from, which suits a few hundred that it should know by heart.
        sigma: standard deviation of the latent vectors that are shown as it learns.
    """

    command: ClassVar[str] = "cppn-train"
    nothing: ClassVar[str] = "Name a folder of pictures, an .npz, or fashion-mnist"
    checks: ClassVar = TrainJob.checks | {
        "pixels": fields.Number(8, 64, "pixels"),
        "color": fields.Choice(("rgb", "gray")),
        "mirror": fields.flag,
        "layers": layers,
        "activations": names,
        "latent": fields.Number(1, 64, "latent numbers"),
        "encoder": fields.Number(4, 1024, "units"),
        "batch": fields.Number(1, 4096, "pictures"),
        "share": fields.Number(0.01, 1.0, kind=float),
        "warm_up": fields.Number(0, 1, kind=float),
        "gan_weight": fields.Number(0, 100, kind=float),
        "validation": fields.Number(0, 0.5, kind=float),
        "sigma": fields.Number(0, 10, kind=float),
    }

    name: str = "latent"
    pixels: int | None = None
    color: str | None = None
    mirror: bool = False
    layers: str = "96x3"
    activations: str = "sine,tanh"
    latent: int = 32
    encoder: int = 256
    batch: int = 64
    share: float = 0.25
    warm_up: float = 0.25
    gan_weight: float = 0.0
    validation: float = 0.05
    sigma: float = 1.0

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
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"training '{self.name}': layers of {self.layers}, z {self.latent}"


@dataclass(frozen=True)
class SampleJob(ModelJob, SheetJob):
    """``evoart cppn sample``: what random latent vectors look like."""

    command: ClassVar[str] = "cppn-sample"
    checks: ClassVar = SheetJob.checks | ModelJob.checks | _ENGINE

    model: str = DEFAULT

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "cppn-latent" if self.pick is not None else "sheet"

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

    @classmethod
    def names_file(cls, value: str, folder: Path = Path()) -> bool:
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
class MorphJob(LoopJob):
    """``evoart cppn morph``: a film through latent vectors, along a sphere; see ``read_latent`` for its stops."""

    command: ClassVar[str] = "cppn-morph"
    checks: ClassVar = LoopJob.checks | _ENGINE

    model: str = DEFAULT

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "morph"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        named = [Path(split_pick(stop)[0]).stem for stop in self.stops[:2]]
        return "-".join([stem_of(self.model), *named])

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"a loop through {self.total} latent vectors of '{stem_of(self.model)}'"
