"""Jobs of ``evoart grow``: what is to grow, and how the rule of the cells is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.output.names import slug
from evoart.run import fields
from evoart.run.job import Job

BACKGROUNDS = ("auto", "keep", "cut")
WORDS = "🦎"  # what grows where nobody says
UPDATES = {"draft": 1500, "normal": 6000, "best": 20_000}


@dataclass(frozen=True)
class AutomatonJob(Job):
    """A job of ``evoart grow``. What all jobs have is said there; a generation is an update of the rule.

    Attributes:
        picture, sha256: path of what is to grow, ``-`` for standard input, and its hash; "" where ``words`` say it.
        words: a thing that the model inside evoart knows, or an emoji.
        pixels: long side of what grows, in cells; smaller pictures stay as they are.
        padding: empty cells around it.
        background: of a picture without transparency: ``keep``, ``cut`` away what is connected with its border and has
            its colour, or ``auto``: cut where the border has one colour.
        hidden: hidden units of the rule.
        age: steps that the picture has grown when it is written.
        batch: states of an update; ``pool``: states that are kept; ``damaged``: how many of a batch are wounded.
        learning_rate: of Adam, at first.
        strategy: evolution strategy in place of the gradient; ``population``: its candidates per generation.
    """

    command: ClassVar[str] = "grow"
    files: ClassVar = {"picture": "picture"}
    checks: ClassVar = Job.checks | {
        "engine": fields.Choice(("auto",)),
        "picture": fields.text,
        "sha256": fields.text,
        "words": fields.text,
        "pixels": fields.Number(4, 128, "cells"),
        "padding": fields.Number(0, 32, "cells"),
        "background": fields.Choice(BACKGROUNDS),
        "hidden": fields.Number(4, 512, "units"),
        "age": fields.Number(0, 100_000, "steps", flag="--steps"),
        "batch": fields.Number(1, 64, "states"),
        "pool": fields.Number(1, 1024, "states"),
        "damaged": fields.Number(0, 64, "states"),
        "learning_rate": fields.Number(1e-6, 1.0, kind=float),
        "strategy": fields.named,
        "population": fields.Number(2, 65_536, "candidates"),
    }

    picture: str = ""
    sha256: str = ""
    words: str = ""
    pixels: int = 24
    padding: int = 4
    background: str = "auto"
    hidden: int = 64
    age: int = 200
    batch: int = 2
    pool: int = 128
    damaged: int = 1
    learning_rate: float = 6e-3
    strategy: str | None = None
    population: int | None = None

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """``given`` with what grows where nobody says."""
        return given if given.get("picture") or given.get("words") else given | {"words": WORDS}

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.start is not None:
            raise UsageError("an automaton grows from one cell and no start", "Leave out start")
        if self.picture and self.words:
            raise UsageError("a picture and words are given", "Give one of them")
        if self.pool < self.batch:
            raise UsageError(f"a pool of {self.pool} has no batch of {self.batch}", "Use a --pool of more states")
        if self.strategy is None and self.population is not None:
            raise UsageError("only a strategy has a population", "Name one, such as --strategy open_es")
        if self.strategy is None and self.options:
            raise UsageError("only a strategy has settings", "Name one, such as --strategy open_es")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "automaton"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return "page", "png"

    @property
    def updates(self) -> int:
        """How many updates, or generations of a strategy, are planned."""
        return self.generations or UPDATES[self.quality]

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        if self.picture == "-":
            return "picture"
        return Path(self.picture).stem.split(".")[0] or "picture" if self.picture else slug(self.words)

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.words or self.stem}, grown by {label}"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        how = f"by {self.strategy}" if self.strategy else "by gradient"
        return f"growing {self.picture or self.words}, trained {how} for {self.updates:,} updates"
