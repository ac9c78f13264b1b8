"""Exploring what networks can do: MAP-Elites over measures of their pictures."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.breeder import Individual, breeder
from evoart.cppn.measures import MEASURES, RANGES, liveliness
from evoart.run import device
from evoart.run.cppn.explore_job import ExploreJob
from evoart.run.cppn.networks import rates
from evoart.run.cppn.sheet import Painters, SheetProblem, sheet_fields
from evoart.run.job import output_size
from evoart.search.archive import Grid, MapElites
from evoart.types import Search

EVALUATIONS = {"draft": 1_600, "normal": 6_400, "best": 25_600}
FRESH = 5  # batches of random networks before anything is varied


@dataclass(frozen=True, eq=False, kw_only=True)
class ExploreProblem(SheetProblem):
    """The best network for every combination of two measures."""

    job: ExploreJob

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``."""
        return output_size(*self.job.extent(), self.job.resolution)

    def search(self) -> Search:
        """See ``Problem.search``."""
        job, net = self.job, self.job.architecture()
        device.limit_threads(job.threads)
        maker, painters = breeder(net, rates(job)), Painters(self.resolution, self.job.device)
        across, up = job.measures.split(",")
        better = MEASURES.get(job.objective, liveliness)
        high = RANGES.get(job.objective, (0.0, 1.0))[1]

        def judge(some: Sequence[Individual]) -> tuple[np.ndarray, np.ndarray]:
            images = painters.images(some)
            losses = 1 - np.clip(better(images) / high, 0, 1)
            # Rows of a sheet run downwards, so its second measure is turned over: up is more.
            return losses, np.stack([-MEASURES[up](images), MEASURES[across](images)], 1)

        def vary(one: Individual, other: Individual, rng: np.random.Generator) -> Individual:
            child = maker.crossed(one, other, rng) if rng.random() < 0.3 else one
            return maker.mutated(child, rng, float(rng.choice([0.5, 1.0, 2.0])))

        low, top = RANGES[up]
        grid = Grid((job.cells // job.columns, job.columns), [(-top, -low), RANGES[across]])
        kind = self.kind(itertools.repeat(1))
        first = FRESH * job.batch
        return MapElites(maker.fresh, vary, judge, kind, self.assemble, grid, job.batch, first, job.seeded)

    def figures(self, search: Search) -> dict[str, float]:
        """``coverage``, the share of cells that are filled, and ``loss``."""
        coverage = search.coverage if isinstance(search, MapElites) else 0.0
        return {"coverage": coverage, "loss": float(search.loss)}

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"measures": self.job.measures, "objective": self.job.objective, "grid": self.job.grid}

    @classmethod
    def prepare(cls, job: ExploreJob, source: Any = None) -> Self:
        """The job with a seed and a budget.

        Raises:
            UsageError: a network that makes no sense.
        """
        if not (job.generations or job.evaluations or job.seconds or job.patience):
            job = dataclasses.replace(job, evaluations=EVALUATIONS[job.quality])
        return cls(**sheet_fields(job.with_seed(), [job.architecture()] * job.cells))
