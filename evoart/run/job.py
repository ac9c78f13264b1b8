"""A job: one frozen, complete description of a run. It is what a recipe, a checkpoint and ``--config`` hold.

Every command that makes pictures has a class of jobs: its fields, what they may hold, and the way to a problem.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from evoart.errors import EvoartError, UsageError, unknown
from evoart.registry import Registry
from evoart.run import fields

if TYPE_CHECKING:
    import numpy as np


FORMAT = 2
# Fields that had other names in format 1, by command; pictures that were made then are still in people's hands.
RENAMED: dict[str, dict[str, str]] = {
    "clip": {
        "avoid": "negative_prompts",
        "like": "image_prompts",
        "like_sha256": "image_prompts_sha256",
        "like_weight": "image_prompts_weight",
        "judge": "evaluator",
        "canvas": "form",
        "starts": "restarts",
    },
    "fit-pen": {"canvas": "form"},
    "cppn": {"choice": "candidates", "each": "image_size"},
    "cppn-breed": {"each": "image_size", "strength": "mutation_scale"},
    "cppn-explore": {"each": "image_size", "canvas": "resolution"},
    "sketch": {"first": "offset", "part": "scale", "reach": "span"},
}
QUALITIES = ("draft", "normal", "best")
SIZE = fields.Number(1, 32_768, "pixels")  # of an output's long side
BUDGET = 10**12  # generations or evaluations, at most
Check = Callable[[str, Any], Any]

# The commands whose pictures keep a job. A new one is a class here (or an entry point ``evoart.jobs``).
JOBS = Registry(
    "command",
    "evoart.jobs",
    {
        "fit": "evoart.run.fit.job:FitJob",
        "fit-pen": "evoart.run.sketch.fit:PenFitJob",
        "fit-film": "evoart.run.film.job:FilmFitJob",
        "sketch": "evoart.run.sketch.job:SketchJob",
        "sketch-train": "evoart.run.sketch.job:SketchTrainJob",
        "cppn": "evoart.run.cppn.job:CppnJob",
        "cppn-fit": "evoart.run.cppn.fit_job:CppnFitJob",
        "cppn-breed": "evoart.run.cppn.breed_job:CppnBreedJob",
        "cppn-explore": "evoart.run.cppn.explore_job:ExploreJob",
        "cppn-film": "evoart.run.cppn.film_job:CppnFilmJob",
        "cppn-train": "evoart.run.latent.job:LatentTrainJob",
        "cppn-sample": "evoart.run.latent.job:SampleJob",
        "cppn-grid": "evoart.run.latent.job:GridJob",
        "cppn-morph": "evoart.run.latent.job:MorphJob",
        "breed": "evoart.run.cppn.breed_job:BreedJob",
        "clip": "evoart.run.clip.job:ClipJob",
        "icons": "evoart.run.icons.job:IconsJob",
        "grow": "evoart.run.automaton.job:AutomatonJob",
        "morph": "evoart.run.morph.job:MorphJob",
        "glyph-train": "evoart.run.glyph.job:GlyphTrainJob",
        "glyph-sample": "evoart.run.glyph.job:GlyphSampleJob",
        "glyph-style": "evoart.run.glyph.job:GlyphStyleJob",
        "glyph-font": "evoart.run.glyph.job:GlyphFontJob",
        "glyph-interpolate": "evoart.run.glyph.job:GlyphInterpolateJob",
    },
)


@dataclass(frozen=True)
class Job:
    """Everything that decides how a run ends, as far as all commands share it. None means: not set, the search decides.

    ``Job.make`` and ``Job.from_dict`` give a job of the class that ``command`` names.

    Attributes:
        size: long side of the output, 1 to 32,768 pixels; None is what is natural for the command.
        options: further settings of the search, by name.
        generations, evaluations: stop after so many.
        seconds: stop after so much wall time.
        patience: stop after so many generations without an improvement of 0.1 %.
        quality: ``draft``, ``normal`` or ``best``: how much work the search does without a budget.
        seed: 0 to 2^32 - 1; drawn where None.
        engine: ``auto`` or an engine's name.
        device: ``auto``, ``cpu`` or ``gpu``.
        threads: CPU threads, 1 to 256; None is all.
        start, start_sha256: path of an evoart result to continue from, and its hash.
    """

    command: ClassVar[str] = ""
    checks: ClassVar[dict[str, Check]] = {
        "size": SIZE,
        "options": fields.options,
        "generations": fields.Number(1, BUDGET, "generations"),
        "evaluations": fields.Number(1, BUDGET, "evaluations"),
        "seconds": fields.Number(0.1, 30 * 86_400, kind=fields.duration, flag="--time"),
        "patience": fields.Number(1, BUDGET, "generations"),
        "quality": fields.Choice(QUALITIES),
        "seed": fields.Number(0, 2**32 - 1),
        "engine": fields.Choice(("auto", "scanline", "dense", "pallas")),
        "device": fields.Choice(("auto", "cpu", "gpu")),
        "threads": fields.Number(1, 256, "threads"),
        "start": fields.named,
        "start_sha256": fields.text,
    }
    files: ClassVar[dict[str, str]] = {"start": "start"}  # fields that name files, each with a hash
    models: ClassVar[tuple[str, ...]] = ()  # fields that name a model, or the file of one
    film_only: ClassVar[bool] = False  # whether it makes films and nothing else
    presets: ClassVar[dict[str, dict[str, Any]]] = {}  # what each sets; anything given as well wins

    size: int | None = None
    options: dict[str, float | str] = field(default_factory=dict)
    generations: int | None = None
    evaluations: int | None = None
    seconds: float | None = None
    patience: int | None = None
    quality: str = "normal"
    seed: int | None = None
    engine: str = "auto"
    device: str = "auto"
    threads: int | None = None
    start: str | None = None
    start_sha256: str = ""

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if value is not None:
                object.__setattr__(self, entry.name, self.checks[entry.name](entry.name, value))
            elif entry.default is not None:
                raise UsageError(f"{entry.name} is not set", "Leave it out to have its default")
        self.check_together()

    # What a command says of its jobs.

    def check_together(self) -> None:
        """Raise UsageError where fields exclude one another."""

    @property
    def form_name(self) -> str:
        """The form of its pictures: a name of ``FORMS``, and the last part of default file names."""
        raise NotImplementedError

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the files that are written where none are named."""
        return "svg", "png"

    @property
    def stem(self) -> str:
        """The part of default file names that says which picture it is."""
        return self.command

    def title(self, label: str) -> str:
        """For viewers and screen readers: ``photo, drawn with 100 triangles``."""
        return f"{self.stem}, drawn with {label}"

    @property
    def summary(self) -> str:
        """What is done, in a few words, for the first line of a run."""
        return self.command

    @property
    def goals(self) -> dict[str, float]:
        """Figures that end the run once they are that high, by name."""
        return {}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Paths of the files it reads, which must never be written to."""
        values = [getattr(self, name) or () for name in self.files]
        paths = [path for value in values for path in ((value,) if isinstance(value, str) else value)]
        named = [value for name in self.models if (value := getattr(self, name)) and self.names_model_file(value)]
        return tuple(path for path in (*paths, *named) if path != "-")

    @classmethod
    def names_file(cls, value: str, folder: Path = Path()) -> bool:
        """Whether a value of a field of ``files`` is a file's name, as seen from ``folder``; some may be something
        else."""
        return True

    @classmethod
    def names_model_file(cls, value: str) -> bool:
        """Whether a value of a field of ``models`` is a file's name."""
        return False

    def hash_of(self, name: str) -> str | tuple[str, ...]:
        """SHA-256, hexadecimal, of the file that the field ``name`` names, or ``""`` where it was not read yet; a tuple
        where it names several."""
        return getattr(self, "sha256" if name == "picture" else f"{name}_sha256")

    def mask(self, data: bytes, path: Path) -> np.ndarray | None:
        """Transparency ``(h, w)`` uint8 of a finished picture, read as ``data`` from ``path``: no recipe holds it."""
        return None

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """``given`` with the fields that others imply."""
        return given

    @classmethod
    def choose_command(cls, given: Mapping[str, Any]) -> str:
        """The command that does what is asked for of this one."""
        return cls.command

    # The same for all.

    @classmethod
    def make(cls, **given: Any) -> Self:
        """A job from options by name, as a caller or a command line gives them: a ``preset`` fills what is not given.

        ``time`` is another word for ``seconds`` and may be text such as ``"5m"``; None means not given.

        Raises:
            UsageError: unknown option (with a suggestion), a value of the wrong type or out of range.
        """
        command = str(given.pop("command", cls.command or "fit"))
        if not cls.command:
            return JOBS[JOBS[command].choose_command(given)].make(**given)
        if command != cls.command:
            raise UsageError(f"this is a job of '{command}', not of '{cls.command}'", f"Use evoart {command}")
        given = {name: value for name, value in given.items() if value is not None}
        if "time" in given:
            given["seconds"] = given.pop("time")
        if "preset" in given and cls.presets:
            given["preset"] = fields.Choice(tuple(cls.presets))("preset", given["preset"])
            given = cls.presets[given["preset"]] | given
        given = cls.implied(given)
        for name in given:
            if name not in cls.checks:
                if new := RENAMED.get(command, {}).get(name):
                    raise UsageError(f"unknown option '{name}'", f"It is called {new} now")
                raise unknown("option", name, [*cls.checks, "time"])
        return cls(**given)

    @property
    def seeded(self) -> int:
        """The seed of a job that has one, as ``with_seed`` gives it.

        Raises:
            ValueError: no seed was drawn yet.
        """
        if self.seed is None:
            raise ValueError("the job has no seed yet")
        return self.seed

    def with_seed(self) -> Self:
        """This job with a seed: its own, or one drawn (six digits, so that it can be typed again)."""
        return self if self.seed is not None else dataclasses.replace(self, seed=secrets.randbelow(1_000_000))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or TOML: every field that is set, defaults too, since those may change one day."""
        values = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        plain = {name: _plain(v) for name, v in values.items() if v not in (None, "", {}, ())}
        return {"format": FORMAT, "command": self.command} | plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "the job") -> Self:
        """The job that ``to_dict`` wrote, or a part of one (presets apply).

        Raises:
            EvoartError: written by a newer evoart.
            UsageError: unknown or unfit fields.
        """
        if not isinstance(values, Mapping):
            raise EvoartError(f"{where} is not a table of options", "Use a file that evoart wrote")
        version = values.get("format", FORMAT)
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise EvoartError(
                f"{where} has the format {version!r}, which does not exist", "Use a file that evoart wrote"
            )
        if version > FORMAT:
            raise EvoartError(f"{where} was made by a newer evoart (format {version})", "Update: pip install -U evoart")
        renamed = RENAMED.get(str(values.get("command", cls.command)), {}) if version == 1 else {}
        given = {renamed.get(str(name), str(name)): v for name, v in values.items() if name != "format"}
        # What evoart wrote names the command that ran; only what people write may leave the choice open.
        job = JOBS[str(given.get("command", "fit"))] if "format" in values and not cls.command else cls
        return cast("type[Self]", job).make(**given)


class PhotographJob:
    """What jobs about a photograph share, except for the fields: each job has those in the order of its recipes."""

    picture: str  # path; "" is the bundled photograph, "-" standard input
    until_psnr: float | None

    @property
    def stem(self) -> str:
        """See ``Job.stem``: the photograph's own name."""
        from evoart.picture import bundled

        if self.picture == "-":
            return "picture"
        return Path(self.picture).stem if self.picture else bundled().stem

    @property
    def subject(self) -> str:
        """The photograph as messages call it."""
        return {"": "the bundled photograph", "-": "standard input"}.get(self.picture, self.picture)

    @property
    def goals(self) -> dict[str, float]:
        """See ``Job.goals``."""
        return {} if self.until_psnr is None else {"psnr": self.until_psnr}


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def output_size(width: float, height: float, longest: int | None) -> tuple[int, int]:
    """``(w, h)`` in pixels with the proportions ``width`` to ``height`` and a long side of ``longest`` (None: theirs).

    Give the proportions as exactly as they are known: a size in pixels was rounded already.
    """
    scale = (longest or max(width, height)) / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
