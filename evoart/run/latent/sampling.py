"""What jobs of ``evoart cppn sample`` and ``grid`` come to: a trained network, and the latent vectors to be drawn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.latent.model import Model
from evoart.errors import UsageError
from evoart.forms.latent import LatentForm
from evoart.run import device
from evoart.run.cppn.networks import drawing_engine
from evoart.run.cppn.sheet import form_fields, members, places
from evoart.run.drawing import DrawingProblem, NoSearch
from evoart.run.latent.encoding import read_latent
from evoart.run.latent.job import GridJob
from evoart.run.latent.models import FILES, form_of
from evoart.run.problem import Film
from evoart.run.result import Result
from evoart.types import Genome, Search


@dataclass(frozen=True, eq=False, kw_only=True)
class SampleProblem(DrawingProblem):
    """Latent vectors to be drawn, on a sheet or one of them alone.

    Attributes:
        vectors: ``(n, latent)``, those of the whole sheet.
    """

    job: Any  # a SampleJob
    form: Any  # a SheetForm, or a LatentForm
    vectors: np.ndarray

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return drawing_engine(self.job.device)

    def search(self) -> Search:
        """See ``Problem.search``: there is nothing to search for."""
        device.limit_threads(self.job.threads)
        chosen = [place - 1 for place in places(self.job)]
        return NoSearch(self.vectors[chosen].ravel(), "drawing")

    @property
    def film(self) -> Film:
        """None at all: a sheet has nothing between; see ``morph``."""
        return Film()

    def members(self, form: Any, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of every picture on the sheet, each a result of its own."""
        if isinstance(form, LatentForm):
            return []
        alone = {"figures": {"loss": 0.0}, "generations": 1}  # as if it were made alone
        return [(number, dataclasses.replace(one, **alone)) for number, one in members(self.job, form, genome)]

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"pictures": len(places(self.job)), "model": self.job.model}

    @classmethod
    def latents(cls, job: Any, model: Model) -> tuple[Any, np.ndarray]:
        """The job with what it names read, and its latent vectors ``(n, latent)``."""
        size = model.config.decoder.latent
        rows = [np.random.default_rng([job.seeded, place]).standard_normal(size) for place in range(1, job.n + 1)]
        return job, job.sigma * np.array(rows)

    @classmethod
    def prepare(cls, job: Any, source: Any = None) -> Self:
        """Read the model; ``source``: a ``Model`` instead of the one that the job names.

        Raises:
            UsageError, EvoartError: a model or a picture that cannot be used.
        """
        job, model = FILES.with_model(job.with_seed(), source)
        job, vectors = cls.latents(job, model)
        form = form_of(model)
        return cls(**form_fields(job, [form] * job.n), vectors=vectors.astype(np.float32))


@dataclass(frozen=True, eq=False, kw_only=True)
class GridProblem(SampleProblem):
    """A plane through the latent space."""

    job: GridJob

    @classmethod
    def latents(cls, job: GridJob, model: Model) -> tuple[GridJob, np.ndarray]:
        """See ``SampleProblem.latents``."""
        from evoart.sketch.latent import plane

        size = model.config.decoder.latent
        if size < 2:
            raise UsageError("a latent vector of one number has no plane", "Use evoart cppn morph")
        centre = np.zeros(size)
        if job.around is not None:
            centre, digest = read_latent(model, job.around, job.around_sha256)
            job = dataclasses.replace(job, around_sha256=digest)
        u, v = np.random.default_rng([job.seeded, 7]).standard_normal((2, size))
        rows = -(-job.n // job.columns)
        return job, plane(centre, u, v, rows, job.columns, job.span)[: job.n]
