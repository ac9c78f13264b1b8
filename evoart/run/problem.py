"""What a job comes to once its data are read: everything the search and the outputs need.

A job is data and imports no problem. ``PROBLEMS`` leads from a command to the class of its problems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from evoart.registry import Registry
from evoart.types import Drawing, Form, Genome, Image, Search

if TYPE_CHECKING:
    from evoart.output.formats import Sound
    from evoart.run.device import Choice
    from evoart.run.job import Job
    from evoart.run.result import Result


def _no_frames(form: Form, genome: Genome) -> Sequence[Drawing]:
    return ()


@dataclass(frozen=True)
class Film:
    """A film that is not a record of the run.

    Attributes:
        frames: what a film of the finished picture shows, each drawn when it is asked for.
        loop: the frames are a loop: after the last comes the first.
        rate: frames a second, where all are shown; None: as many as the format likes, for as long as one likes.
        sound: that goes with them, or None.
        photographs: what each of them was made from ``(n, h, w, 3)`` uint8; None: all from the problem's photograph.
    """

    frames: Callable[[Form, Genome], Sequence[Drawing]] = _no_frames
    loop: bool = False
    rate: float | None = None
    sound: Sound | None = None
    photographs: Callable[[Form], np.ndarray] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A job, complete, and its data. Every command has its own, which says how pictures are searched for and judged.

    Attributes:
        job: with seed, sizes and budget decided.
        form: what genomes stand for.
        size: the output's ``(w, h)`` in pixels.
        name: for default file names.
        mask: ``(H, W)`` uint8 transparency of the output, or None.
        notes: what a user should know of the data, one line each.
    """

    job: Job
    form: Form
    size: tuple[int, int]
    name: str
    mask: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def prepare(cls, job: Any, source: Any = None) -> Self:
        """The job with everything decided, and its data.

        ``source`` is what it is about, where the job does not name it.

        Raises:
            UsageError, EvoartError: a file, model or option that cannot be used.
        """
        raise NotImplementedError

    @classmethod
    def restore(cls, job: Any, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """The problem that ``pack`` took apart; ``common`` (form, size, name, mask) is what all problems have.

        Where nothing is packed, everything is read again from what the job names.

        Raises:
            ValueError, KeyError, TypeError: parts that do not belong together.
        """
        return cls.prepare(job)

    @property
    def resolution(self) -> tuple[int, int]:
        """``(w, h)`` in pixels of the pictures that are judged; those of the output where none is."""
        return self.size

    @property
    def engine(self) -> Choice:
        """What draws and judges, and where."""
        raise NotImplementedError

    def search(self) -> Search:
        """The search that the job asks for, at its beginning.

        Raises:
            UsageError: unknown strategy or option, an engine or device that does not fit.
            EvoartError: a GPU that is not there.
        """
        raise NotImplementedError

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """Figures of a finished picture, drawn as it will be written; ``loss`` is one of them, lower is better."""
        raise NotImplementedError

    def finalise(self, form: Form, genome: Genome) -> tuple[Form, Genome]:
        """The form and genome that are handed over of a run's best, where that is more than the best itself."""
        return form, genome

    def figures(self, search: Search) -> dict[str, float]:
        """Figures of the search's best so far that people want to see, cheap enough for every report."""
        return {"loss": float(search.loss)}

    def estimate(self, seconds: float, evaluations: float) -> str | None:
        """One line on what the whole run costs, as far as that can be told once it runs: wall time and
        evaluations. None where there is nothing to say that progress does not."""
        return None

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of the pictures that a finished one consists of, each a result of its own."""
        return []

    @property
    def has_members(self) -> bool:
        """Whether ``members`` gives any."""
        return type(self).members is not Problem.members

    @property
    def film(self) -> Film | None:
        """What films show; None for how the picture came about, which is recorded then."""
        return None

    @property
    def photograph(self) -> Callable[[], Image] | None:
        """Gives the photograph that pictures are made from, as large as films are; None where there is none."""
        return None

    def details(self) -> dict[str, Any]:
        """What a dry run tells of the work, by name, beyond what all commands have."""
        return {}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain values and arrays for a checkpoint, of what this class adds; ``restore`` takes them."""
        return {}, {}


# The problems of the commands in ``run.job.JOBS``. A new one is a class here (or an entry point ``evoart.problems``).
PROBLEMS = Registry(
    "command",
    "evoart.problems",
    {
        "fit": "evoart.run.fit.problem:FitProblem",
        "fit-pen": "evoart.run.sketch.fit:PenFitProblem",
        "fit-film": "evoart.run.film.problem:FilmFitProblem",
        "sketch": "evoart.run.sketch.problem:SketchProblem",
        "sketch-train": "evoart.run.sketch.trainer:TrainProblem",
        "cppn": "evoart.run.cppn.sheet:RandomProblem",
        "cppn-fit": "evoart.run.cppn.fit:CppnFitProblem",
        "cppn-breed": "evoart.run.cppn.breed:BreedProblem",
        "cppn-explore": "evoart.run.cppn.explore:ExploreProblem",
        "cppn-film": "evoart.run.cppn.film:FilmProblem",
        "cppn-train": "evoart.run.latent.trainer:LatentTrainProblem",
        "cppn-sample": "evoart.run.latent.sampling:SampleProblem",
        "cppn-grid": "evoart.run.latent.sampling:GridProblem",
        "cppn-morph": "evoart.run.latent.morph:MorphProblem",
        "breed": "evoart.run.cppn.breed:BreedProblem",
        "clip": "evoart.run.clip.problem:ClipProblem",
        "icons": "evoart.run.icons.problem:IconsProblem",
        "grow": "evoart.run.automaton.problem:AutomatonProblem",
        "morph": "evoart.run.morph.problem:MorphProblem",
        "glyph-train": "evoart.run.glyph.trainer:GlyphTrainProblem",
        "glyph-sample": "evoart.run.glyph.problem:GlyphSampleProblem",
        "glyph-style": "evoart.run.glyph.problem:GlyphStyleProblem",
        "glyph-font": "evoart.run.glyph.problem:GlyphStyleProblem",
        "glyph-interpolate": "evoart.run.glyph.problem:GlyphInterpolateProblem",
    },
)


def prepare(job: Job, source: Any = None) -> Problem:
    """The problem of a job; see ``Problem.prepare``."""
    return PROBLEMS[job.command].prepare(job, source)


def restore(job: Job, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Problem:
    """The problem of a job that was packed; see ``Problem.restore``."""
    return PROBLEMS[job.command].restore(job, plain, arrays, **common)
