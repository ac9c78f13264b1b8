"""Jobs of ``evoart glyph``: a model of letters is trained, and letters are drawn in styles of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.glyph.letters import LETTERS
from evoart.run import fields
from evoart.run.cppn.job import SheetJob
from evoart.run.model_jobs import LoopJob, ModelJob, ModelNames, TrainJob, is_seed, stem_of

NAMES = ModelNames(
    "model of letters",
    "evoart glyph train",
    {"letters": "Latin letters and digits, learned from open fonts (SIL OFL, Apache-2.0, Ubuntu Font Licence)"},
)
DEFAULT = "letters"  # the model that is meant where none is named
LONGEST = 400  # letters and spaces that are drawn at once
IN_A_CELL = 12


def letters(name: str, value: Any) -> str:
    """Letters and digits, and spaces between them.

    Raises:
        UsageError: none, or one that no model knows.
    """
    text = " ".join(unicodedata.normalize("NFC", fields.text(name, value)).split())
    wrong = next((letter for letter in text if letter not in LETTERS + " "), None)
    if wrong is not None:
        raise UsageError(f"no model knows the letter '{wrong}'", "Use A to Z, a to z and 0 to 9")
    if not text.strip():
        raise UsageError("there are no letters to draw", "Name some: ABC")
    if len(text) > LONGEST:
        raise UsageError(f"{len(text)} letters are too many", f"{LONGEST} is the most")
    return text


def letter(name: str, value: Any) -> str:
    """One letter or digit."""
    text = letters(name, value)
    if len(text) != 1:
        raise UsageError(f"--{name.replace('_', '-')} is '{fields.shortened(text)}'", "Give one letter")
    return text


def paper(name: str, value: Any) -> str:
    """``transparent`` or ``#rrggbb``; see ``fields.colour``."""
    word = str(value).strip().lower()
    return word if word == "transparent" else fields.colour(value, "background", ("transparent",))


def ink(name: str, value: Any) -> str:
    """``#rrggbb``."""
    return fields.colour(value, "ink")


@dataclass(frozen=True)
class GlyphTrainJob(TrainJob):
    """``evoart glyph train``: a model that learns letters from fonts.

    Attributes:
        latent: length of z, 2 to 64.
        units, grid, channels, encoder: of the model; see ``glyph.model.Config``.
        fonts: fonts a step; 8 letters of each.
        points: see ``glyph.training.TrainingConfig``.
        validation: share of the families that is held out to judge by; 0: it is judged by those that it learns from.
    """

    command: ClassVar[str] = "glyph-train"
    nothing: ClassVar[str] = "Name a folder of fonts: .ttf, .otf, .woff"
    checks: ClassVar = TrainJob.checks | {
        "latent": fields.Number(2, 64, "latent numbers"),
        "units": fields.Number(8, 1024, "units"),
        "grid": fields.Number(4, 24, "cells"),
        "channels": fields.Number(1, 32, "channels"),
        "encoder": fields.Number(8, 1024, "units"),
        "fonts": fields.Number(1, 512, "fonts"),
        "points": fields.Number(16, 2304, "pixels"),
        "validation": fields.Number(0, 0.5, kind=float),
    }

    generations: int = 8000
    name: str = "letters"
    latent: int = 24
    units: int = 256
    grid: int = 10
    channels: int = 10
    encoder: int = 128
    fonts: int = 16
    points: int = 400
    kl_weight: float = 0.03
    validation: float = 0.05

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "letters"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"training '{self.name}': {self.units} units, z {self.latent}"


@dataclass(frozen=True)
class LettersJob(ModelJob):
    """Letters that a model draws.

    Attributes:
        ink, background: ``#rrggbb``; a background may be ``transparent``.
    """

    checks: ClassVar = ModelJob.checks | {
        "engine": fields.Choice(("auto", "letters")),
        "letters": letters,
        "ink": ink,
        "background": paper,
    }

    model: str = DEFAULT
    ink: str = "#000000"
    background: str = "#ffffff"
    sigma: float = 0.7


@dataclass(frozen=True)
class GlyphSampleJob(LettersJob, SheetJob):
    """``evoart glyph sample``: letters in random styles.

    Attributes:
        letters: what is drawn in each style.
    """

    command: ClassVar[str] = "glyph-sample"
    checks: ClassVar = SheetJob.checks | LettersJob.checks

    letters: str = "A"

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        super().check_together()
        if len(self.letters) > IN_A_CELL:
            raise UsageError(
                f"{len(self.letters)} letters are too many for each picture", f"{IN_A_CELL} is the most; or use font"
            )

    def extent(self) -> tuple[float, float]:
        """See ``AspectJob.extent``: wide enough for the letters."""
        wide, tall = page_of(self.letters)
        return wide / max(wide, tall), tall / max(wide, tall)

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "glyphs" if self.pick is not None else "sheet"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("svg", "png") if self.pick is not None else ("png",)

    @property
    def stem(self) -> str:
        """``letters-A``; ``letters-A-7`` of one alone."""
        return f"{stem_of(self.model)}-{named(self.letters)}" + (f"-{self.pick}" if self.pick is not None else "")

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"'{self.letters}' in {self.n} random styles"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.letters}: {label}"


@dataclass(frozen=True)
class GlyphStyleJob(LettersJob):
    """``evoart glyph style``: letters in the style of others.

    Attributes:
        like, like_sha256: a letter as SVG or picture, a font, or what evoart drew in one style; a whole number is the
            random style of that seed; "": that of ``seed``.
        letter: which letter ``like`` shows; None: the one that it is most like.
        letters: what is drawn; None: all 62.
    """

    command: ClassVar[str] = "glyph-style"
    files: ClassVar = {"like": "picture"}
    checks: ClassVar = LettersJob.checks | {"like": fields.text, "like_sha256": fields.text, "letter": letter}

    like: str = ""
    like_sha256: str = ""
    letter: str | None = None
    letters: str | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.start is not None:
            raise UsageError("letters are drawn and continue nothing", "Leave out start")
        if self.letter is not None and (not self.like or is_seed(self.like)):
            raise UsageError("--letter says which letter a picture shows, and there is none", "Name a picture")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "glyphs"

    @property
    def lines(self) -> tuple[str, ...]:
        """The letters, line by line."""
        if self.letters is None:
            return tuple(LETTERS[k : k + 13] for k in range(0, 52, 13)) + (LETTERS[52:],)
        lines, line = [], ""
        widest = max(13, round((3 * len(self.letters)) ** 0.5))
        for word in self.letters.split():
            for part in (word[k : k + widest] for k in range(0, len(word), widest)):
                if line and len(line) + 1 + len(part) > widest:
                    lines.append(line)
                    line = ""
                line = f"{line} {part}".strip()
        return (*lines, line)

    @classmethod
    def names_file(cls, value: str, folder: Path = Path()) -> bool:
        """See ``Job.names_file``."""
        return bool(value) and not is_seed(value)

    @property
    def inputs(self) -> tuple[str, ...]:
        """See ``Job.inputs``."""
        return tuple(path for path in super().inputs if path and not is_seed(path))

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        if self.like and not is_seed(self.like):
            return Path(self.like.partition(":")[0]).stem.split(".")[0] or "style"
        return f"{stem_of(self.model)}-{self.like or self.seed or 0}"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        what = "all letters" if self.letters is None else f"'{fields.shortened(self.letters)}'"
        return f"{what} in the style of {self.like or 'a random vector'}"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.stem}: {label}"


@dataclass(frozen=True)
class GlyphFontJob(GlyphStyleJob):
    """``evoart glyph font``: the same as a font that can be installed."""

    command: ClassVar[str] = "glyph-font"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return "ttf", "png"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"a font: {super().summary}"


@dataclass(frozen=True)
class GlyphInterpolateJob(LettersJob, LoopJob):
    """``evoart glyph interpolate``: a film from letter to letter and style to style, and back to the first; its stops
    are as ``like`` of ``GlyphStyleJob``.

    Attributes:
        letters: what is shown in all of the styles; None: the letter that each stop shows, ``A`` of random styles.
        letter: which letter all pictures of others show; None: the one that each is most like.
    """

    command: ClassVar[str] = "glyph-interpolate"
    checks: ClassVar = (
        LoopJob.checks | LettersJob.checks | {"letter": letter, "count": fields.Number(2, 100, "styles", flag="-n")}
    )

    letters: str | None = None
    letter: str | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.letters is not None and len(self.letters) > IN_A_CELL:
            raise UsageError(f"{len(self.letters)} letters are too many for a film", f"{IN_A_CELL} is the most")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "letters"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        shown = [Path(stop.partition(":")[0]).stem.split(".")[0] for stop in self.stops[:2]]
        return "-".join(shown) or f"{stem_of(self.model)}-{named(self.letters or 'A')}"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"a loop through {self.total} styles of letters"


def named(text: str) -> str:
    """Letters as a part of a file's name, in which A and a differ on every system."""
    return "".join(f"{each}-small" if len(text) == 1 and each.islower() else each for each in text.replace(" ", "-"))


def page_of(text: str) -> tuple[float, float]:
    """Width and height in cap heights of a page for a few letters."""
    return max(1.8, 0.8 * len(text) + 0.8), 1.8
