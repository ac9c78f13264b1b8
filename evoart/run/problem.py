"""What a job comes to once its data are read: everything the search and the outputs need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.types import Drawing, Form, Genome, Search

if TYPE_CHECKING:
    from evoart.run.engines import Choice
    from evoart.run.events import Reason
    from evoart.run.job import Job
    from evoart.run.result import Result


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A job, settled, and its data. Every command has its own, which says how pictures are searched for and judged.

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

    @property
    def canvas(self) -> tuple[int, int]:
        """``(w, h)`` in pixels of the pictures that are judged."""
        raise NotImplementedError

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

    def judge(self, form: Form, genome: Genome) -> dict[str, float]:
        """Figures of a finished picture, drawn as it will be written; ``loss`` is one of them, lower is better."""
        raise NotImplementedError

    def finishing(self, form: Form, genome: Genome) -> tuple[Form, Genome]:
        """The form and genome that are handed over of a run's best, where that is more than the best itself."""
        return form, genome

    def figures(self, search: Search) -> dict[str, float]:
        """Figures of the search's best so far that people want to see, cheap enough for every report."""
        return {"loss": float(search.loss)}

    def outlook(self, seconds: float, evaluations: float) -> str | None:
        """One line on what the whole run costs, as far as that can be told after its beginning: wall time and
        evaluations. None where there is nothing to say that progress does not."""
        return None

    def reached(self, figures: Callable[[], dict[str, float]]) -> Reason | None:
        """Why the run is over, where its goal is reached; ``figures()`` gives those of the best so far."""
        return None

    def parts(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of the pictures that a finished one consists of, each a result of its own."""
        return []

    @property
    def has_parts(self) -> bool:
        """Whether ``parts`` has something to say."""
        return type(self).parts is not Problem.parts

    def frames(self, form: Form, genome: Genome) -> Sequence[Drawing]:
        """What a film of the finished picture shows, each drawn when it is asked for; empty for the run's own
        moments."""
        return ()

    @property
    def recorded(self) -> bool:
        """Whether how the picture comes about is kept, for films."""
        return True

    @property
    def loop(self) -> bool:
        """Whether ``frames`` are a loop: after the last comes the first."""
        return False

    def facts(self) -> dict[str, Any]:
        """What a dry run tells of the work, by name, beyond what all commands have."""
        return {}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Plain values and arrays for a checkpoint, of what this class adds; ``Job.restore`` takes them."""
        raise NotImplementedError


def output_size(width: float, height: float, longest: int | None) -> tuple[int, int]:
    """``(w, h)`` in pixels with the proportions ``width`` to ``height`` and a long side of ``longest`` (None: theirs).

    Give the proportions as exactly as they are known: a size in pixels was rounded already.
    """
    scale = (longest or max(width, height)) / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
