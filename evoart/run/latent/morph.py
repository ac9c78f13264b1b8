"""A film from one latent vector to the next and back to the first."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.run.cppn.film import FilmProblem
from evoart.run.job import output_size
from evoart.run.latent.encoding import read_latent
from evoart.run.latent.job import MorphJob
from evoart.run.latent.models import FILES, form_of

SIDE = 1024  # pixels, where nobody says


@dataclass(frozen=True, eq=False, kw_only=True)
class MorphProblem(FilmProblem):
    """Latent vectors to be shown one after another; see ``FilmProblem``."""

    job: Any  # a MorphJob
    stops: Any  # [(LatentForm, latent vector)]

    @classmethod
    def prepare(cls, job: MorphJob, source: Any = None) -> Self:
        """Read the model and what the film goes through; ``source``: a ``Model`` instead of the one that is named.

        Raises:
            UsageError, EvoartError: a model or a picture that cannot be used.
        """
        job, model = FILES.with_model(job.with_seed(), source)
        hashes = job.stops_sha256 or ("",) * len(job.stops)
        named = [read_latent(model, stop, digest, job.sigma) for stop, digest in zip(job.stops, hashes, strict=False)]
        job = dataclasses.replace(job, stops_sha256=tuple(digest for _, digest in named))
        form = form_of(model)
        vectors = [vector for vector, _ in named]
        for number in range(len(vectors), job.total):
            rng = np.random.default_rng([job.seeded, number + 1])
            vectors.append(job.sigma * rng.standard_normal(form.dim))
        size = output_size(1, 1, job.size or SIDE)
        stops = [(form, np.asarray(vector, np.float32)) for vector in vectors]
        return cls(job=job, form=form, size=size, name=job.stem, stops=stops)
