"""What a job whose pictures come on a sheet comes to, and the sheet of random networks."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from evoart.cppn import kernel
from evoart.cppn.breeder import Individual, breeder, pack, unpack
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.cppn.measures import liveliness
from evoart.forms.cppn import NetworkForm
from evoart.forms.sheet import SheetForm
from evoart.run import device
from evoart.run.cppn.job import CppnJob, SheetJob
from evoart.run.cppn.networks import drawing_engine, network_form, rates
from evoart.run.job import output_size
from evoart.run.problem import Film, Problem
from evoart.run.result import Result
from evoart.search.best_of_n import BestOfN
from evoart.search.individuals import Kind
from evoart.threads import spread
from evoart.types import Form, Genome, Search

if TYPE_CHECKING:
    from evoart.engine.networks import Painter

CELL = 400  # pixels of a picture on a sheet, where nobody says how large the sheet is
LARGEST = 2400  # of a sheet, likewise
THUMBNAIL = 48  # pixels at which pictures are judged


class Painters:
    """Draws individuals of any kinds, ``size`` ``(w, h)`` in pixels: by the CPU's threads, or on a GPU that is
    ``asked`` for by one program for each kind, which the process keeps."""

    def __init__(self, size: tuple[int, int], asked: str) -> None:
        self.size, self.asked = size, asked

    def images(self, individuals: Sequence[Individual]) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` float32 sRGB in [0, 1]."""
        w, h = self.size
        if self.asked != "gpu":
            return np.stack(spread(lambda i: kernel.rows(*individuals[i], self.size, 0, h), len(individuals)))
        from evoart.cppn import paint

        out = np.zeros((len(individuals), h, w, 3), np.float32)
        kinds = [paint.outline(net) for net, _ in individuals]
        for kind in dict.fromkeys(kinds):
            places = [i for i, other in enumerate(kinds) if other == kind]
            out[places] = _painter(kind, self.size).images([individuals[i] for i in places])
        return out

    def pictures(self, pictures: Sequence[tuple[Form, Genome]]) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` of any forms, on white where they are transparent."""
        w, h = self.size
        out = np.zeros((len(pictures), h, w, 3), np.float32)
        networks = [(k, form.net, genome) for k, (form, genome) in enumerate(pictures) if isinstance(form, NetworkForm)]
        if networks:
            out[[k for k, _, _ in networks]] = self.images([(net, genome) for _, net, genome in networks])
        for k, (form, genome) in enumerate(pictures):
            if not isinstance(form, NetworkForm):
                painted = form.drawing(genome).paint(self.size)
                out[k] = painted[..., :3] * painted[..., 3:] + 1 - painted[..., 3:]
        return out


@functools.lru_cache(maxsize=64)
def _painter(kind: Layers | Graph, size: tuple[int, int]) -> Painter:
    from evoart.engine.networks import Painter

    return Painter(kind, size)


@dataclass(frozen=True, eq=False, kw_only=True)
class SheetProblem(Problem):
    """Pictures to be put on a sheet, or one of them alone.

    Attributes:
        form: of the sheet with all its cells filled by blanks, or of the one picture.
    """

    job: Any  # a SheetJob; of networks, unless more is said
    form: Any  # a SheetForm, or that of one picture

    @classmethod
    def restore(cls, job: Any, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """See ``Problem.restore``; ``form`` says all there is to know."""
        return cls(job=job, **common)

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``."""
        width, height = self.job.extent()
        return output_size(width, height, THUMBNAIL)

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return drawing_engine(self.job.device)

    @property
    def film(self) -> Film:
        """None at all: sheets are large, and there is nothing between two of them."""
        return Film()

    def layout(self, place: int) -> Layers | Graph:
        """The layout of the network at ``place``, from 1; of graphs, what all of them have in common."""
        return self.job.architecture()

    def kind(self, places: Iterable[int]) -> Kind:
        """How individuals, ``(net, genome)``, that fill ``places`` in turn are taken apart."""
        return Kind(lambda one: one, pack, lambda arrays: unpack(arrays, map(self.layout, places)))

    def fill(self, individuals: Sequence[Individual | None]) -> tuple[list[Individual | None], tuple[str, ...]]:
        """What the cells of the sheet show once the places are filled by ``individuals``, and their captions."""
        return list(individuals), ()

    def assemble(self, individuals: Sequence[Individual | None]) -> tuple[Any, Genome]:
        """Structure and genome of the sheet, or of the one picture that was picked."""
        if isinstance(self.form, NetworkForm):
            found = individuals[(self.job.pick or 1) - 1 if len(individuals) > 1 else 0]
            return found if found is not None else (self.form.net, np.zeros(self.form.dim, np.float32))
        cells, captions = self.fill(individuals)
        members = tuple(None if one is None else network_form(one[0], *self.job.extent()) for one in cells)
        genomes = [one[1] for one in cells if one is not None]
        return (members, captions), np.concatenate([np.zeros(0, np.float32), *genomes])

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """``loss``: 1 less the mean liveliness of the pictures; empty cells count as dull."""
        pictures = _pictures(form, genome)
        cells = len(self.form.filled) if isinstance(self.form, SheetForm) else 1
        lively = liveliness(Painters(self.resolution, self.job.device).pictures(pictures)).sum() if pictures else 0.0
        return {"loss": 1 - float(lively) / cells}

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """(number, picture) of every picture on the sheet, each a result of its own."""
        if not isinstance(form, SheetForm):
            return []
        counts = {"generations": 1, "evaluations": self.job.pool}  # as if it were made alone
        found = members(self.job, form, genome)
        lively = liveliness(
            Painters(self.resolution, self.job.device).pictures([(part.form, part.genome) for _, part in found])
        )
        return [
            (number, dataclasses.replace(part, figures={"loss": 1 - float(value)}, **counts))
            for (number, part), value in zip(found, lively, strict=True)
        ]

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"pictures": self.job.cells if self.job.pick is None else 1}


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


def _pictures(form: Form, genome: Genome) -> list[tuple[Form, Genome]]:
    """Those of a sheet, or the one."""
    return [part[1:] for part in form.split(genome)] if isinstance(form, SheetForm) else [(form, genome)]


def sheet_fields(
    job: SheetJob, layouts: Sequence[Layers | Graph | None], captions: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What every problem of a sheet has in common: job, form, size, name.

    Args:
        layouts: of every cell, None where it stays empty.
        captions: as of ``SheetForm``.
    """
    return form_fields(job, [None if net is None else network_form(net, *job.extent()) for net in layouts], captions)


def form_fields(job: SheetJob, forms: Sequence[Form | None], captions: tuple[str, ...] = ()) -> dict[str, Any]:
    """``sheet_fields`` of cells of any form."""
    blanks = tuple(forms)
    form: Form | None = SheetForm(blanks, job.columns, *job.extent(), captions, job.axes)
    natural = min(LARGEST, CELL * max(job.columns, -(-job.cells // job.columns)))
    if job.pick is not None:
        form, natural = blanks[job.pick - 1], job.image_size
        if form is None:
            raise ValueError(f"cell {job.pick} stays empty")
    size = output_size(form.width, form.height, job.size or natural)
    return {"job": job, "form": form, "size": size, "name": job.stem}


@dataclass(frozen=True, eq=False, kw_only=True)
class RandomProblem(SheetProblem):
    """Random networks: of several for each place, the liveliest."""

    job: CppnJob

    @classmethod
    def prepare(cls, job: CppnJob, source: Any = None) -> Self:
        """The job with a seed.

        Raises:
            UsageError: a network that makes no sense.
        """
        job = job.with_seed()
        return cls(**sheet_fields(job, [job.of_place(cell + 1).architecture() for cell in range(job.cells)]))

    def layout(self, place: int) -> Layers | Graph:
        """See ``SheetProblem.layout``."""
        return self.job.of_place(place).architecture()

    def search(self) -> Search:
        """See ``Problem.search``."""
        device.limit_threads(self.job.threads)
        painters = Painters(self.resolution, self.job.device)

        def make(place: int) -> list[Individual]:
            job = self.job.of_place(place)
            maker, rng = breeder(job.architecture(), rates(job)), np.random.default_rng([job.seeded, place])
            return [maker.fresh(rng) for _ in range(job.pool)]

        filled = places(self.job)
        return BestOfN(
            make, lambda some: 1 - liveliness(painters.images(some)), self.kind(filled), self.assemble, filled
        )


def places(job: SheetJob) -> list[int]:
    """Numbers of the pictures that a job makes."""
    return [job.pick] if job.pick is not None else list(range(1, job.n + 1))
