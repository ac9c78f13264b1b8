"""Jobs of ``evoart sketch``: sheets that a sketch-rnn draws, and its training."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.job import Job
from evoart.run.model_jobs import TrainJob

LATENT_TASKS = ("decode", "interpolate", "grid", "combine")  # which need a VAE
TASKS = ("sample", "complete", *LATENT_TASKS)
RULES = ("js", "tf", "handwriting")
MAX_SKETCHES = 10_000  # on a sheet


def colours(name: str, value: Any) -> tuple[str, ...]:
    """Colours as ``#rrggbb``, from a list or from text with commas."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts:
        raise UsageError(f"{fields.shortened(value)} is not a list of colours", "Write black or '#e63946,#457b9d'")
    return tuple(fields.colour(part) for part in parts)


def words(name: str, value: Any) -> tuple[str, ...]:
    """Names from a list or from text with commas; may be empty."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) and part.strip() for part in parts):
        raise UsageError(f"{fields.shortened(value)} is not a list of names", "Write NAME,NAME")
    return tuple(part.strip() for part in parts)


def vector(name: str, value: Any) -> tuple[float, ...]:
    """A latent vector; empty for none."""
    fine = isinstance(value, list | tuple) and len(value) <= 1024
    if not fine or not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in value):
        raise UsageError(
            "z is not a list of numbers, 1,024 at most", "Make one with: evoart sketch encode DRAWING -o z.json"
        )
    return tuple(float(v) for v in value)


@dataclass(frozen=True)
class SketchJob(Job):
    """A job of ``evoart sketch``. What all jobs have is said there.

    Attributes:
        task: ``sample`` draws from nothing; ``complete`` continues from ``drawing``; ``decode`` draws ``z``, or
            ``drawing`` as the model sees it; ``interpolate`` goes from ``drawing`` to ``other``; ``grid`` shows a slice
            of the latent space around ``drawing`` or zero; ``combine`` adds the drawings ``plus`` and takes away
            ``minus``.
        model, model_sha256: name or file of a sketch-rnn, and the hash of what it held, ``""`` until it was read.
        count: sketches, 1 to 10,000 (interpolate: steps; grid: cells).
        offset: number of the first sketch's noise tape: sketch k of a seed is the same on every sheet.
        temperature: 0 to 2; ``rule``: what it does, ``js``, ``tf`` or ``handwriting``; None: as the model was meant.
        points: most points of a sketch; None: what the model was trained for.
        classes: what to draw, where the model knows several (classes or words); each in turn.
        then, after: model or class that takes over after so many strokes; ``then_sha256``: hash of that model.
        drawing, other: SVG or Quick, Draw! files, each with a hash, or words of the model, which have none; ``plus``,
            ``minus``: several of them each.
        scale: fraction of a full sketch's size that the given strokes of ``complete`` span.
        z: a latent vector.
        span: how far a grid goes from its middle, in standard deviations.
        columns: sketches in a row; None: about as many as rows.
        line: width of lines in percent of a sketch's cell, 0.05 to 20.
        ink: colours of the strokes; ``paper``: ``#rrggbb`` or ``transparent``.
        margin: around each sketch, in percent of its cell, 0 to 45.
        cell: height of a sketch's cell in pixels, where ``size`` says nothing.
        aspect: width of a cell over its height; None: 1, and 8 for handwriting.
    """

    command: ClassVar[str] = "sketch"
    models: ClassVar = ("model", "then")
    files: ClassVar = {
        "drawing": "drawing",
        "other": "second drawing",
        "plus": "drawing that is added",
        "minus": "drawing that is taken away",
    }
    checks: ClassVar = Job.checks | {
        "task": fields.Choice(TASKS),
        "model": fields.named,
        "model_sha256": fields.text,
        "count": fields.Number(1, MAX_SKETCHES, "sketches"),
        "offset": fields.Number(0, 10**9),
        "temperature": fields.Number(0, 2, kind=float),
        "rule": fields.Choice(RULES),
        "points": fields.Number(2, 5000, "points"),
        "classes": words,
        "then": fields.named,
        "then_sha256": fields.text,
        "after": fields.Number(1, 1000, "strokes"),
        "drawing": fields.named,
        "drawing_sha256": fields.text,
        "other": fields.named,
        "other_sha256": fields.text,
        "plus": words,
        "plus_sha256": fields.texts,
        "minus": words,
        "minus_sha256": fields.texts,
        "scale": fields.Number(0.02, 1.0, kind=float),
        "z": vector,
        "span": fields.Number(0.01, 10.0, kind=float),
        "columns": fields.Number(1, MAX_SKETCHES, "columns"),
        "line": fields.Number(0.05, 20.0, "percent", kind=float, flag="--width"),
        "ink": colours,
        "paper": lambda name, value: fields.colour(value, "paper", ("transparent",)),
        "margin": fields.Number(0, 45, "percent", kind=float),
        "cell": fields.Number(8, 4096, "pixels"),
        "aspect": fields.Number(0.05, 20.0, kind=float),
    }

    task: str = "sample"
    model: str = "kanji"
    model_sha256: str = ""
    count: int = 16
    offset: int = 0
    temperature: float = 0.35
    rule: str | None = None
    points: int | None = None
    classes: tuple[str, ...] = ()
    then: str | None = None
    then_sha256: str = ""
    after: int = 1
    drawing: str | None = None
    drawing_sha256: str = ""
    other: str | None = None
    other_sha256: str = ""
    plus: tuple[str, ...] = ()
    plus_sha256: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    minus_sha256: tuple[str, ...] = ()
    scale: float = 0.6
    z: tuple[float, ...] = ()
    span: float = 2.0
    columns: int | None = None
    line: float = 1.2
    ink: tuple[str, ...] = ("#000000",)
    paper: str = "#ffffff"
    margin: float = 10.0
    cell: int = 256
    aspect: float | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.start is not None:
            raise UsageError("a sheet of sketches has no start to continue from", "Use: evoart sketch complete DRAWING")
        needed = {"complete": ("drawing",), "interpolate": ("drawing", "other"), "combine": ("plus",)}
        for name in needed.get(self.task, ()):
            if not getattr(self, name):
                raise UsageError(f"{self.task} needs a {name}", "Name an SVG file, or a word such as star")
        if self.task == "decode" and not (self.z or self.drawing):
            raise UsageError("there is nothing to decode", "Name a drawing or a z file")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "sketch"

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """See ``Job.implied``: a VAE, where one is needed and no model is named."""
        from evoart.sketch.catalogue import DEFAULT_VAE

        return ({"model": DEFAULT_VAE} if given.get("task") in LATENT_TASKS else {}) | given

    @classmethod
    def names_file(cls, value: str, folder: Path = Path()) -> bool:
        """See ``Job.names_file``; a word of the model has neither dot nor slash."""
        return "." in value or os.sep in value or (folder / value).exists()

    @classmethod
    def names_model_file(cls, value: str) -> bool:
        """See ``Job.names_model_file``."""
        from evoart.sketch.catalogue import is_file

        return is_file(value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return tuple(path for path in super().inputs if self.names_file(path))

    @property
    def stem(self) -> str:
        """``kanji``; ``wheel-bicycle`` of a drawing that is completed."""
        model = Path(self.model).name.split(".")[0] or "sketch"
        subject = Path(self.drawing).stem if self.drawing and self.drawing != "-" else ""
        return f"{subject}-{model}" if subject else model

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{label}, drawn by sketch-rnn '{Path(self.model).name}'"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        what = {"sample": "", "complete": f" continuing from {self.drawing}", "interpolate": " on the way between two"}
        return f"{self.count:,} sketches of '{Path(self.model).name}'{what.get(self.task, '')}"

    @property
    def bends(self) -> bool:
        """Whether films show one drawing that becomes another, and no pens that draw."""
        return self.task == "interpolate"

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the sheet."""
        across = math.ceil(math.sqrt(self.count / (self.aspect or 1)))
        if self.task == "interpolate" and self.count <= 12:
            across = self.count
        columns = min(self.columns or across, self.count)
        return math.ceil(self.count / columns), columns


@dataclass(frozen=True)
class SketchTrainJob(TrainJob):
    """``evoart sketch train``: a sketch-rnn; ``start`` names the first weights.

    Attributes:
        tolerance, max_points, by_class: see ``dataset.read_dataset``.
        cell, hidden, latent, encoder, mixtures: see ``sketch.model.Config``.
        stale: validations in a row without a better model after which it ends.
        batch, keep_prob, augment_scale, augment_drop, kl_floor: see ``sketch.training.TrainingConfig``.
    """

    command: ClassVar[str] = "sketch-train"
    nothing: ClassVar[str] = "Name files or folders of drawings"
    checks: ClassVar = TrainJob.checks | {
        "tolerance": fields.Number(0, 255, kind=float),
        "max_points": fields.Number(2, 5000, "points"),
        "by_class": fields.flag,
        "cell": fields.Choice(("lstm", "layer_norm", "hyper")),
        "hidden": fields.Number(4, 4096, "units"),
        "latent": fields.Number(0, 1024),
        "encoder": fields.Number(4, 4096, "units"),
        "mixtures": fields.Number(1, 100),
        "stale": fields.Number(1, 10**6, "validations", flag="--patience"),
        "batch": fields.Number(1, 4096, "drawings"),
        "keep_prob": fields.Number(0.1, 1.0, kind=float),
        "augment_scale": fields.Number(0, 0.9, kind=float),
        "augment_drop": fields.Number(0, 0.5, kind=float),
        "kl_floor": fields.Number(0, 100, kind=float),
    }

    generations: int = 5000
    name: str = "sketch"
    tolerance: float | None = None
    max_points: int = 250
    by_class: bool = False
    cell: str = "lstm"
    hidden: int = 256
    latent: int = 0
    encoder: int = 256
    mixtures: int = 20
    interval: int = 200
    stale: int = 15
    batch: int = 100
    learning_rate: float = 3e-3
    keep_prob: float = 0.9
    augment_scale: float = 0.15
    augment_drop: float = 0.1
    kl_weight: float = 0.5
    kl_floor: float = 0.2

    @classmethod
    def flag(cls, name: str) -> str:
        """The option of ``evoart sketch train`` that sets a field."""
        return getattr(cls.checks[name], "flag", "") or f"--{name.replace('_', '-')}"

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "samples"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return "svg", "png"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        kind = f"VAE, z {self.latent}" if self.latent else "decoder only"
        return f"training '{self.name}': {self.cell} {self.hidden}, {kind}"
