"""Exploring what networks can do: MAP-Elites over measures of their pictures."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.breeder import Individual, breeder
from evoart.cppn.measures import MEASURES, RANGES, liveliness
from evoart.engine.networks import Painter
from evoart.run import device
from evoart.run.cppn.job import ExploreJob
from evoart.run.cppn.networks import rates
from evoart.run.cppn.sheet import SheetProblem, settled
from evoart.run.job import output_size
from evoart.search.archive import Grid, MapElites
from evoart.search.individuals import Kind
from evoart.types import Search

EVALUATIONS = {"draft": 1_600, "normal": 6_400, "best": 25_600}
FRESH = 5  # batches that look around before anything is varied


@dataclass(frozen=True, eq=False, kw_only=True)
class ExploreProblem(SheetProblem):
    """The best network for every combination of two measures."""

    job: ExploreJob

    @property
    def resolution(self) -> tuple[int, int]:
        return output_size(*self.job.extent(), self.job.resolution)

    def search(self) -> Search:
        job, net = self.job, self.blank.net
        device.limit_threads(job.threads)
        makes, painter = breeder(net, rates(job)), Painter(net, self.resolution)
        across, up = job.measures.split(",")
        better = MEASURES.get(job.objective, liveliness)
        high = RANGES.get(job.objective, (0.0, 1.0))[1]

        def judge(some: list[Individual]) -> tuple[np.ndarray, np.ndarray]:
            images = painter.images(some)
            losses = 1 - np.clip(better(images) / high, 0, 1)
            # Rows of a sheet run downwards, so its second measure is turned over: up is more.
            return losses, np.stack([-MEASURES[up](images), MEASURES[across](images)], 1)

        def vary(one: Individual, other: Individual, rng: np.random.Generator) -> Individual:
            child = makes.crossed(one, other, rng) if rng.random() < 0.3 else one
            return makes.mutated(child, rng, float(rng.choice([0.5, 1.0, 2.0])))

        low, top = RANGES[up]
        grid = Grid((job.cells // job.columns, job.columns), [(-top, -low), RANGES[across]])
        kind: Kind = self.kind()
        return MapElites(makes.fresh, vary, judge, kind, self.assemble, grid, job.batch, FRESH * job.batch, job.seed)

    def figures(self, search: Search) -> dict[str, float]:
        return {"coverage": search.coverage, "loss": float(search.loss)}

    def details(self) -> dict[str, Any]:
        return {"measures": self.job.measures, "objective": self.job.objective, "grid": self.job.grid}

    @classmethod
    def prepare(cls, job: ExploreJob, source: Any = None) -> Self:
        """The job settled, with a budget.

        Raises:
            UsageError: a network that makes no sense.
        """
        if not (job.generations or job.evaluations or job.seconds or job.patience):
            job = dataclasses.replace(job, evaluations=EVALUATIONS[job.quality])
        return cls(**settled(job, job.blank()))
