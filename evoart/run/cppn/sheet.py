"""What a job whose pictures come on a sheet comes to, and the sheet of random networks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.breeder import Individual, breeder, pack, unpack
from evoart.cppn.measures import liveliness
from evoart.engine.networks import Painter
from evoart.forms.cppn import NetworkForm
from evoart.forms.sheet import SheetForm
from evoart.run import device
from evoart.run.cppn.job import CppnJob, SheetJob
from evoart.run.cppn.networks import networks_engine, rates
from evoart.run.job import output_size
from evoart.run.problem import Problem
from evoart.run.result import Result
from evoart.search.best_of_n import BestOfN
from evoart.search.individuals import Kind
from evoart.types import Form, Genome, Search

CELL = 400  # pixels of a picture on a sheet, where nobody says how large the sheet is
LARGEST = 2400  # of a sheet, likewise
THUMBNAIL = 48  # pixels at which pictures are judged by eye, so to speak


@dataclass(frozen=True, eq=False, kw_only=True)
class SheetProblem(Problem):
    """Pictures to be put on a sheet, or one of them alone.

    Attributes:
        form: of the sheet with all its places filled by blanks, or of the one picture.
    """

    job: SheetJob
    form: SheetForm | NetworkForm

    @classmethod
    def prepare(cls, job: SheetJob, source: Any = None) -> Self:
        return cls(**settled(job, job.blank()))

    @classmethod
    def restore(cls, job: SheetJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        return cls(job=job, **common)

    @property
    def resolution(self) -> tuple[int, int]:
        return output_size(*self.job.extent(), THUMBNAIL)

    @property
    def engine(self) -> device.Choice:
        return networks_engine(self.job)

    @property
    def recorded(self) -> bool:
        """No: sheets are large, and there is nothing between two of them."""
        return False

    @property
    def blank(self) -> NetworkForm:
        """The form of a picture."""
        if isinstance(self.form, NetworkForm):
            return self.form
        return next((member for member in self.form.members if member is not None), self.job.blank())

    def kind(self) -> Kind:
        """How individuals, ``(net, genome)``, are taken apart."""
        net = self.blank.net
        return Kind(lambda one: one, pack, lambda arrays: unpack(arrays, net))

    def assemble(self, individuals: Sequence[Individual | None]) -> tuple[Any, Genome]:
        """Structure and genome of the sheet, or of the one picture that was picked."""
        if isinstance(self.form, NetworkForm):
            place = self.job.pick - 1 if len(individuals) > 1 else 0
            found = individuals[place]
            return found if found is not None else (self.form.net, np.zeros(self.form.dim, np.float32))
        members = [None if one is None else self.blank.with_structure(one[0]) for one in individuals]
        genomes = [one[1] for one in individuals if one is not None]
        return tuple(members), np.concatenate([np.zeros(0, np.float32), *genomes])

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """1 less the mean liveliness of the pictures; empty places count as dull."""
        pairs = [(form.net, genome)] if isinstance(form, NetworkForm) else _pairs(form, genome)
        places = 1 if isinstance(form, NetworkForm) else len(form.members)
        if not pairs:
            return {"loss": 1.0}
        images = Painter(self.blank.net, self.resolution).images(pairs)
        return {"loss": 1 - float(liveliness(images).sum()) / places}

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of every picture on the sheet, each a result of its own."""
        if isinstance(form, NetworkForm):
            return []
        counts = {"generations": 1, "evaluations": self.job.pool}  # as if it were made alone
        parts = members(self.job, form, genome)
        judged = [self.evaluate(part.form, part.genome) for _, part in parts]
        return [
            (number, dataclasses.replace(part, figures=figures, **counts))
            for (number, part), figures in zip(parts, judged, strict=True)
        ]

    def details(self) -> dict[str, Any]:
        return {"pictures": self.job.cells if self.job.pick is None else 1}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {}


def members(job: SheetJob, form: SheetForm, genome: Genome) -> list[tuple[int, Result]]:
    """(number, picture) of every picture on a sheet, each with the recipe that makes it alone."""
    return [
        (
            cell + 1,
            Result(
                job=dataclasses.replace(job, pick=cell + 1, size=job.image_size),
                form=member,
                genome=part,
                size=output_size(member.width, member.height, job.image_size),
                figures={},
                generations=0,
                evaluations=0,
                seconds=0.0,
            ),
        )
        for cell, member, part in form.split(genome)
    ]


def _pairs(form: SheetForm, genome: Genome) -> list[Individual]:
    return [(member.net, part) for _, member, part in form.split(genome)]


def sheet_of(job: SheetJob, blank: NetworkForm) -> SheetForm:
    """The form of a job's sheet, all places filled by blanks."""
    return SheetForm((blank,) * job.cells, job.columns, *job.extent())


def settled(job: SheetJob, blank: NetworkForm) -> dict[str, Any]:
    """What every problem of a sheet has in common: job, form, size, name."""
    form = blank if job.pick is not None else sheet_of(job, blank)
    natural = job.image_size if job.pick is not None else min(LARGEST, CELL * max(form.columns, form.rows))
    size = output_size(form.width, form.height, job.size or natural)
    return {"job": job.with_seed(), "form": form, "size": size, "name": job.stem}


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomProblem(SheetProblem):
    """Random networks: of several for each place, the liveliest."""

    job: CppnJob

    def search(self) -> Search:
        job, net = self.job, self.blank.net
        device.limit_threads(job.threads)
        makes = breeder(net, rates(job))
        painter = Painter(net, self.resolution)

        def make(place: int) -> list[Individual]:
            rng = np.random.default_rng([job.seed, place])
            return [makes.fresh(rng) for _ in range(job.pool)]

        return BestOfN(make, lambda some: 1 - liveliness(painter.images(some)), self.kind(), self.assemble, places(job))


def places(job: SheetJob) -> list[int]:
    """Numbers of the pictures a job makes."""
    return [job.pick] if job.pick is not None else list(range(1, job.cells + 1))
