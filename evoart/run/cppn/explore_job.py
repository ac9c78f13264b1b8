"""Jobs of ``evoart cppn explore``: a map of what networks can draw."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.cppn.job import NetworkSheetJob, names

MEASURES = ("contrast", "entropy", "edges", "colourfulness", "symmetry")
_GRID = re.compile(r"(\d{1,5})x(\d{1,5})")


@dataclass(frozen=True)
class ExploreJob(NetworkSheetJob):
    """``evoart cppn explore``: MAP-Elites, the best network for every combination of measures.

    Attributes:
        grid: cells along the two measures, ``12x12``.
        measures: two of ``MEASURES``; the first runs from left to right, the second from bottom to top.
        objective: what decides within a cell: a measure, or ``liveliness``.
        batch: children per generation.
        resolution: long side in pixels at which pictures are measured.
    """

    command: ClassVar[str] = "cppn-explore"
    checks: ClassVar = NetworkSheetJob.checks | {
        "grid": names,
        "measures": names,
        "objective": fields.Choice((*MEASURES, "liveliness")),
        "batch": fields.Number(1, 4096, "networks"),
        "resolution": fields.Number(16, 256, "pixels"),
    }

    layers: str = "16x6"
    grid: str = "12x12"
    measures: str = "edges,colourfulness"
    objective: str = "liveliness"
    batch: int = 64
    resolution: int = 48

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        match = _GRID.fullmatch(self.grid)
        if not match or not all(2 <= int(side) <= 100 for side in match.groups()):
            raise UsageError(f"--grid is '{self.grid}'", "Write columns x rows, 2 to 100 each: 12x12")
        chosen = self.measures.split(",")
        if len(set(chosen)) != 2 or not set(chosen) <= set(MEASURES):
            raise UsageError(f"--measures is '{self.measures}'", f"Name two of: {', '.join(MEASURES)}")
        super().check_together()

    @property
    def columns(self) -> int:
        """See ``SheetJob.columns``."""
        return int(self.grid.partition("x")[0])

    @property
    def axes(self) -> tuple[tuple[str, ...], ...]:
        """See ``SheetJob.axes``: the measures and their ranges."""
        from evoart.cppn.measures import RANGES

        return tuple(
            (f"{low:g}", name, f"{high:g}") for name in self.measures.split(",") for low, high in [RANGES[name]]
        )

    @property
    def cells(self) -> int:
        """See ``SheetJob.cells``."""
        return self.columns * int(self.grid.partition("x")[2])

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "cppn-explored"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"exploring {self.measures.replace(',', ' and ')} on a grid of {self.grid}"
