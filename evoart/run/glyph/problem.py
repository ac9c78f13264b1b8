"""What jobs of ``evoart glyph sample``, ``style``, ``font`` and ``interpolate`` come to: a model, and styles."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.latent.space import slerp
from evoart.errors import UsageError
from evoart.forms.glyphs import GlyphsForm, set_lines
from evoart.glyph.letters import LETTERS
from evoart.glyph.model import Model, decode, one_hot
from evoart.glyph.trace import SIDE, level_of, trace
from evoart.run import device
from evoart.run.cppn.film import FilmProblem
from evoart.run.cppn.sheet import form_fields, members, places
from evoart.run.drawing import DrawingProblem, NoSearch
from evoart.run.glyph.drawing import colours_of, draw_letters, random_style
from evoart.run.glyph.job import GlyphInterpolateJob, GlyphSampleJob, GlyphStyleJob, page_of
from evoart.run.glyph.models import FILES
from evoart.run.glyph.style import find_style
from evoart.run.job import output_size
from evoart.run.model_jobs import is_seed
from evoart.run.problem import Film
from evoart.run.result import Result
from evoart.types import Genome, Search

LINE = 160  # pixels of a cap height of a page of letters, where nobody says
LARGEST = 2400  # pixels of its long side, likewise
ALONE = 1024  # pixels of a film's letters, likewise


class LettersProblem(DrawingProblem):
    """Letters that follow from a model and styles."""

    job: Any
    genome: Genome

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return device.Choice("letters", "cpu", "the only one")

    def search(self) -> Search:
        """See ``Problem.search``: there is nothing to search for."""
        return NoSearch(self.genome, "drawing")

    @property
    def film(self) -> Film:
        """None at all; see ``interpolate``."""
        return Film()


@dataclass(frozen=True, eq=False, kw_only=True)
class GlyphSampleProblem(LettersProblem):
    """Letters in random styles, on a sheet or one of them alone.

    Attributes:
        genome: of all that are drawn.
    """

    job: Any  # a GlyphSampleJob
    form: Any  # a SheetForm, or a GlyphsForm
    genome: Genome

    def members(self, form: Any, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of every picture on the sheet, each a result of its own."""
        if isinstance(form, GlyphsForm):
            return []
        alone = {"figures": {"loss": 0.0}, "generations": 1}  # as if it were made alone
        return [(number, dataclasses.replace(one, **alone)) for number, one in members(self.job, form, genome)]

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"pictures": len(places(self.job)), "letters": self.job.letters, "model": self.job.model}

    @classmethod
    def prepare(cls, job: GlyphSampleJob, source: Any = None) -> Self:
        """Read the model and draw; ``source``: a ``Model`` instead of the one that the job names.

        Raises:
            UsageError, EvoartError: a model that cannot be used.
        """
        job, model = FILES.with_model(job.with_seed(), source)
        found = {
            place: draw_letters(
                model, random_style(model, job.sigma, job.seeded, place), (job.letters,), page_of(job.letters),
                **colours_of(job),
            )
            for place in places(job)
        }  # fmt: skip
        forms = [found[place][0] if place in found else next(iter(found.values()))[0] for place in range(1, job.n + 1)]
        genome = np.concatenate([genome for _, genome in found.values()])
        return cls(**form_fields(job, forms), genome=genome)


@dataclass(frozen=True, eq=False, kw_only=True)
class GlyphStyleProblem(LettersProblem):
    """Lines of letters in one style.

    Attributes:
        genome: theirs.
    """

    job: Any  # a GlyphStyleJob
    form: GlyphsForm
    genome: Genome

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"letters": "".join(self.job.lines), "like": self.job.like or None, "model": self.job.model}

    @classmethod
    def prepare(cls, job: GlyphStyleJob, source: Any = None) -> Self:
        """Read the model and the style, and draw; ``source``: a ``Model`` instead of the one that the job names.

        Raises:
            UsageError, EvoartError: a model or a picture that cannot be used.
        """
        job, model = FILES.with_model(job.with_seed(), source)
        like = job.like or str(job.seeded)
        style = find_style(model, like, job.like_sha256, sigma=job.sigma, letter=job.letter)
        job = dataclasses.replace(job, like_sha256=style.sha256)
        form, genome = draw_letters(model, style.z, job.lines, **colours_of(job))
        size = output_size(form.width, form.height, job.size or min(LARGEST, max(512, round(LINE / form.cap))))
        notes = (style.note,) if style.note else ()
        return cls(job=job, form=form, size=size, name=job.stem, genome=genome, notes=notes)


@dataclass(frozen=True, eq=False, kw_only=True)
class GlyphInterpolateProblem(FilmProblem):
    """A loop through styles, and from letter to letter.

    Attributes:
        model: what draws.
        stops: (weights of the letters ``(k, 62)``, style ``(latent,)``), the first one first.
    """

    job: Any  # a GlyphInterpolateJob
    model: Model
    stops: Any

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return device.Choice("letters", "cpu", "the only one")

    def search(self) -> Search:
        """See ``Problem.search``: there is nothing to search for."""
        return NoSearch(self.at(0.0)[1])

    def at(self, turn: float) -> tuple[GlyphsForm, Genome]:
        """The letters at ``turn`` of the way around, 0 to 1; both ends are the first ones."""
        (letters, z), (others, after), share = self.way(turn)
        mixed = (1 - share) * letters + share * others
        return _draw(self.job, self.model, mixed, slerp(z, after, share))

    @classmethod
    def prepare(cls, job: GlyphInterpolateJob, source: Any = None) -> Self:
        """Read the model and what the film goes through; ``source``: a ``Model`` instead of the one that is named.

        Raises:
            UsageError, EvoartError: a model or a picture that cannot be used.
        """
        job, model = FILES.with_model(job.with_seed(), source)
        hashes = job.stops_sha256 or ("",) * len(job.stops)
        styles = [
            find_style(model, stop, digest, sigma=job.sigma, letter=None if is_seed(stop) else job.letter)
            for stop, digest in zip(job.stops, hashes, strict=False)
        ]
        job = dataclasses.replace(job, stops_sha256=tuple(style.sha256 for style in styles))
        shown = [job.letters or style.letters or "A" for style in styles]
        if len({len(text.replace(" ", "")) for text in shown}) > 1 or any(len(text) > 12 for text in shown):
            raise UsageError("the pictures do not show one letter each", "Say what the film shows: --letters ABC")
        text = job.letters or (shown[0] if shown else "A")
        stops = [(_weights(each), style.z) for each, style in zip(shown, styles, strict=True)]
        for number in range(len(stops), job.total):
            stops.append((_weights(text), random_style(model, job.sigma, job.seeded, number + 1)))
        form, _ = _draw(job, model, *stops[0])
        size = output_size(form.width, form.height, job.size or ALONE)
        notes = tuple(style.note for style in styles if style.note)
        return cls(job=job, form=form, size=size, name=job.stem, stops=stops, model=model, notes=notes)


def _weights(text: str) -> np.ndarray:
    return one_hot([LETTERS.index(letter) for letter in text if letter != " "])


def _draw(job: Any, model: Model, letters: np.ndarray, z: np.ndarray) -> tuple[GlyphsForm, Genome]:
    """Letters, each a mixture ``(k, 62)`` of those that the model knows, on a page of a size that never changes."""
    fields, spaces = decode(model, np.repeat(np.asarray(z)[None], len(letters), 0), letters, SIDE)
    line = [
        (LETTERS[int(weights.argmax())], trace(field, float(space[0]), float(space[1]), level_of(field)))
        for weights, field, space in zip(letters, fields, spaces, strict=True)
    ]
    return set_lines(
        [line], page=page_of("A" * len(letters)), style=list(np.asarray(z, np.float32)), model=model.digest,
        **colours_of(job),
    )  # fmt: skip
