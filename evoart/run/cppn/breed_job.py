"""Jobs of ``evoart cppn breed`` and ``evoart breed``: children of pictures that somebody chose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.cppn.job import NetworkJob, SheetJob


def _british(value: Any) -> Any:
    """``color`` as the fields spell it."""
    return "colour" if value == "color" else value


@dataclass(frozen=True)
class BreedJob(SheetJob):
    """``evoart breed``: children of pictures that somebody has chosen, of any form. The parents follow them on the
    sheet, in rows of their own.

    Attributes:
        n: children, 1 to 400.
        parents, parents_sha256: paths of the parents, ``sheet.png:7`` for one of a sheet, and the hashes of the files.
        mutation_scale: how much children differ, 0.05 to 10.
        vary: what changes: ``colour``, ``structure`` or ``all``.
        candidates: children of which one is kept, 1 to 64.
        lineage: the ancestors, nearest first: how many generations back, file, job and picture.
        form: of the first parent, ``""`` until it was read.
    """

    command: ClassVar[str] = "breed"
    files: ClassVar = SheetJob.files | {"parents": "parent"}
    checks: ClassVar = SheetJob.checks | {
        "parents": fields.texts,
        "parents_sha256": fields.texts,
        "mutation_scale": fields.Number(0.05, 10.0, kind=float),
        "vary": lambda name, value: fields.Choice(("all", "colour", "structure"))(name, _british(value)),
        "candidates": fields.Number(1, 64, "children"),
        "lineage": fields.texts,
        "form": fields.text,
        "aspect": fields.Aspect(math.inf),  # the parents', which nobody chose
        "engine": fields.Choice(("auto", "networks")),
    }

    parents: tuple[str, ...] = ()
    parents_sha256: tuple[str, ...] = ()
    mutation_scale: float = 1.0
    vary: str = "all"
    candidates: int = 3
    lineage: tuple[str, ...] = ()
    form: str = ""
    n: int = 16

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.parents:
            what = f"evoart {self.command.replace('-', ' ')} a.png"
            raise UsageError("there are no parents", f"Name one picture or more: {what}")
        super().check_together()
        if self.pick is not None and self.n < self.pick <= self.first_parent:
            raise UsageError(f"there is no picture {self.pick} on a sheet of {self.n} children", f"Use 1 to {self.n}")

    @property
    def first_parent(self) -> int:
        """Cell of the first parent, from 0: at the beginning of a row."""
        return -(-self.n // self.columns) * self.columns

    @property
    def cells(self) -> int:
        """See ``SheetJob.cells``; those between the last child and the first parent stay empty."""
        return self.first_parent + len(self.parents)

    @property
    def pool(self) -> int:
        """See ``SheetJob.pool``."""
        return self.candidates

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``; ``sheet`` until the parents were read."""
        return self.form if self.pick is not None and self.form else "sheet"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "bred"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.parents)
        return f"{self.n} children of {count} picture{'s' if count > 1 else ''}"


@dataclass(frozen=True)
class CppnBreedJob(BreedJob, NetworkJob):
    """``evoart cppn breed``: children of networks. ``form`` is not set: the network's own fields say it."""

    command: ClassVar[str] = "cppn-breed"
    checks: ClassVar = NetworkJob.checks | BreedJob.checks

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return NetworkJob.form_name.__get__(self) if self.pick is not None else "sheet"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "cppn-bred"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.parents)
        return f"{self.n} children of {count} network{'s' if count > 1 else ''}"
