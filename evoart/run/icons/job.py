"""Jobs of ``evoart clip`` by the model inside evoart, which knows icons of things and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.output.names import slug
from evoart.run import fields
from evoart.run.clip.prompts import prompts, split
from evoart.run.job import Job

KINDS = "blob:8,blob:5,rotated-ellipse,rotated-rectangle,triangle"
MODEL = "icons"


@dataclass(frozen=True)
class IconsJob(Job):
    """A job of ``evoart clip --model icons``: a prompt drawn from what artists' icons of a thing have in common.

    Attributes:
        prompts: what the picture shows, one to three things; weights are not used.
        model: ``icons``.
        shapes: how many at most, 1 to 500; None: 32 and 6 for each further thing, 60 at most.
        kind, font: what they are, see ``FitJob``.
        background: ``#rrggbb``; None: what the words say, else white.
    """

    command: ClassVar[str] = "icons"
    checks: ClassVar = Job.checks | {
        "prompts": prompts,
        "model": fields.Choice((MODEL,)),
        "shapes": fields.Number(1, 500, "shapes"),
        "kind": fields.kinds,
        "font": fields.named,
        "background": lambda name, value: fields.colour(value, name),
    }

    prompts: tuple[str, ...] = ()
    model: str = MODEL
    shapes: int | None = None
    kind: str = KINDS
    font: str | None = None
    background: str | None = None

    def check_together(self) -> None:
        """Raise UsageError where there is nothing to draw."""
        if not self.prompts:
            raise UsageError("there is nothing to draw", 'Say what: evoart clip "a cat"')
        if self.start is not None:
            raise UsageError("the model inside evoart starts from nothing", "Leave out --start, or use a CLIP model")

    @property
    def words(self) -> str:
        """All prompts as one, without weights: ``a cat and a hat``."""
        return " and ".join(split(each)[0] for each in self.prompts)

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "shapes"

    @property
    def stem(self) -> str:
        """See ``Job.stem``: the words as a file name."""
        return slug(self.words)

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f'"{self.words}", drawn with {label}'

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f'"{self.words}" by {self.model}'

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """``given`` without ``form``, which can only be ``shapes``."""
        return {name: value for name, value in given.items() if (name, value) != ("form", "shapes")}
