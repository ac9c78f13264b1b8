"""Jobs of ``evoart morph``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.cppn.job import split_pick
from evoart.run.job import Job

EASINGS = ("smooth", "linear", "in", "out")  # as draw.morph.EASINGS: a job imports nothing that draws


@dataclass(frozen=True)
class MorphJob(Job):
    """``evoart morph``.

    Attributes:
        pictures, pictures_sha256: paths of two results of shapes (``sheet.png:7`` for one of a sheet) and file hashes.
        easing: the pace of the change: ``smooth``, ``linear``, ``in`` (slow at first) or ``out`` (slow at last).
        loop: there and back.
        aspect: width to height of the film, ``16:9``; None: those of the first picture. Pictures are cropped to it.
    """

    command: ClassVar[str] = "morph"
    film_only: ClassVar[bool] = True
    files: ClassVar = Job.files | {"pictures": "picture"}
    checks: ClassVar = Job.checks | {
        "pictures": fields.texts,
        "pictures_sha256": fields.texts,
        "easing": fields.Choice(EASINGS),
        "loop": fields.flag,
        "aspect": fields.Aspect(),
        "engine": fields.Choice(("auto", "scanline")),
        "device": fields.Choice(("auto", "cpu")),
    }

    pictures: tuple[str, ...] = ()
    pictures_sha256: tuple[str, ...] = ()
    easing: str = "smooth"
    loop: bool = False
    aspect: str | None = None

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if len(self.pictures) != 2:
            raise UsageError(f"a morph has two pictures, not {len(self.pictures)}", "Write: evoart morph a.svg b.svg")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "morph"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("animated-webp",)

    @property
    def stem(self) -> str:
        """See ``Job.stem``: ``cat-to-dog``."""
        stems = []
        for path in self.pictures:
            place, pick = split_pick(path)
            stem = Path(place).stem.removesuffix(".anim").removesuffix("-shapes")
            stems.append(stem + (f"-{pick}" if pick else ""))
        return "-to-".join(stems)

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return self.stem.replace("-to-", " becomes ")

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"{self.pictures[0]} becomes {self.pictures[1]}{', and back' if self.loop else ''}"
