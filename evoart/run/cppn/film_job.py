"""Jobs of ``evoart cppn film``: a loop through networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.cppn.job import split_pick
from evoart.run.job import Job


@dataclass(frozen=True)
class CppnFilmJob(Job):
    """``evoart cppn film``.

    Attributes:
        networks, networks_sha256: paths of pictures of networks (``sheet.png:7`` for one of a sheet) and file hashes.
        through: what moves where there is one network: ``latent`` numbers, ``weights``, or ``auto``.
        amount: how far, 0.01 to 20; 1 shows, and stays with the picture.
    """

    command: ClassVar[str] = "cppn-film"
    film_only: ClassVar[bool] = True
    files: ClassVar = Job.files | {"networks": "network"}
    checks: ClassVar = Job.checks | {
        "networks": fields.texts,
        "networks_sha256": fields.texts,
        "through": fields.Choice(("auto", "latent", "weights")),
        "amount": fields.Number(0.01, 20.0, kind=float),
        "engine": fields.Choice(("auto", "networks")),
    }

    networks: tuple[str, ...] = ()
    networks_sha256: tuple[str, ...] = ()
    through: str = "auto"
    amount: float = 1.0

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.networks:
            raise UsageError("there is no network", "Name one picture of a network or more: evoart cppn film a.png")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "film"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("animated-webp",)  # the 255 colours of a GIF make steps of what is smooth

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        place, pick = split_pick(self.networks[0])
        return Path(place).stem + (f"-{pick}" if pick else "")

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.networks)
        return f"a loop through {count} networks" if count > 1 else f"a loop around {self.networks[0]}"
