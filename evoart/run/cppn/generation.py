"""Breeding in a program: generations of pictures, each kept as a sheet with its recipe, and the tree that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoart.errors import UsageError
from evoart.forms.breeding import Picture
from evoart.forms.cppn import NetworkForm
from evoart.run.cppn.breed import BreedProblem
from evoart.run.cppn.breed_job import BreedJob, CppnBreedJob
from evoart.run.cppn.networks import aspect_of, network_form, read_picture
from evoart.run.cppn.sheet import RandomProblem
from evoart.run.job import Job
from evoart.run.loop import run
from evoart.run.problem import prepare
from evoart.run.result import Result


@dataclass(frozen=True, eq=False)
class Generation:
    """Pictures from which somebody chooses.

    Attributes:
        job: what makes them: of ``cppn``, ``cppn-sample``, ``sketch``, ``breed`` or ``cppn-breed``, with its seed.
        pictures: ``(form, genome)`` of each; the first is picture 1 of the sheet.
        parents: of every picture the numbers of its parents, from 0, in the order of ``job.parents``.
        name: of the sheet's file, ``""`` where there is none.
        before: the generation from which the parents were chosen.
        picks: numbers of the parents there, from 1.
    """

    job: Any
    pictures: tuple[Picture, ...]
    parents: tuple[tuple[int, ...], ...] = ()
    name: str = ""
    before: Generation | None = field(default=None, repr=False)
    picks: tuple[int, ...] = ()

    def choose(self, numbers: Sequence[int]) -> list[Picture]:
        """The pictures of these numbers, from 1.

        Raises:
            UsageError: none at all, one that is not there, or one twice.
        """
        if not numbers or len(set(numbers)) < len(numbers):
            raise UsageError("no parents are chosen, or one of them twice", "Choose one picture or more")
        for number in numbers:
            if not 1 <= number <= len(self.pictures):
                raise UsageError(f"there is no picture {number}", f"Use 1 to {len(self.pictures)}")
        return [self.pictures[number - 1] for number in numbers]

    def sheet(self) -> Result:
        """The generation as one picture with its recipe: what the command of ``job`` makes. Its parents' files must be
        there."""
        result = None
        for event in run(self.job):
            result = getattr(event, "result", result)
        if result is None:
            raise UsageError("the generation was not made", "Try again")
        return result


def make_first(job: Job, name: str = "") -> Generation:
    """The first generation: random networks of a ``cppn`` job, latent vectors of ``cppn-sample``, or sketches."""
    from evoart.forms.sheet import SheetForm
    from evoart.forms.strokes import StrokesForm

    problem = prepare(job)
    search = problem.search()
    while not search.done:
        search.step()
    if isinstance(problem, RandomProblem):
        extent = problem.job.extent()
        pictures = [(network_form(net, *extent), genome) for net, genome in getattr(search, "chosen", ())]
    elif isinstance(problem.form, SheetForm):
        pictures = [(form, genome) for _, form, genome in problem.form.split(search.genome)]
    else:
        form, genome = search.structure, search.genome
        if not isinstance(form, StrokesForm):
            raise UsageError(f"pictures of '{job.command}' are not bred", "Use cppn, cppn-sample or sketch")
        pictures = [form.sketch(genome, k) for k in range(len(form.sketches))]
    return Generation(problem.job, tuple(pictures), ((),) * len(pictures), name)


def breed(parents: Sequence[Picture], job: BreedJob, name: str = "", before: Generation | None = None) -> Generation:
    """Children of pictures. The same parents, job and seed give the same children, as ``evoart breed`` does.

    Args:
        job: names the parents' files; they are not read here.
        name, before: see ``Generation``.
    """
    parents = [form.finalised(genome) for form, genome in parents]  # as their files have them
    first = parents[0][0]
    decided = {"aspect": aspect_of(first)} | ({} if isinstance(job, CppnBreedJob) else {"form": first.name})
    job = dataclasses.replace(job.with_seed(), **decided)
    problem = BreedProblem.of_parents(job, parents)
    children = problem.children()
    return Generation(job, tuple(c for c, _ in children), tuple(who for _, who in children), name, before)


def breed_job(parents: Sequence[Picture], paths: Sequence[str], **options: Any) -> BreedJob:
    """The job of children: of ``cppn breed`` where all parents are networks, else of ``breed``.

    Args:
        paths: of the parents' files, ``sheet.png:7`` for one of a sheet.
        options: fields of the job.
    """
    networks = all(isinstance(form, NetworkForm) for form, _ in parents)
    return (CppnBreedJob if networks else BreedJob).make(parents=list(paths), **options)


class Breeder:
    """Interactive evolution: a first generation, then children of what is chosen, back and forward in the tree of it.

        breeder = evoart.Breeder("garden")
        breeder.start("cppn", n=15, seed=1, topology="graph")
        breeder.breed(3, 7, mutation_scale=0.5, vary="colour")
        breeder.current.pictures[0]

    Every generation is a sheet in the folder, from which ``evoart breed``, ``evoart cppn breed`` and ``evoart redo`` go
    on.

    Args:
        folder: where the sheets go; made where it is missing.
        seed: of the first generation and of all children for which none is given: their number is added.
    """

    def __init__(self, folder: str | Path, *, seed: int = 0) -> None:
        self.folder, self.seed = Path(folder), seed
        self.generations: list[Generation] = []
        self._at = -1
        self._after: dict[int, int] = {}

    @property
    def current(self) -> Generation:
        """The generation from which parents are chosen.

        Raises:
            UsageError: there is none yet.
        """
        if self._at < 0:
            raise UsageError("there is no generation yet", "Call start first")
        return self.generations[self._at]

    def start(self, command: str = "cppn", **options: Any) -> Generation:
        """Random networks (``cppn``) or sketches (``sketch``); ``options`` are fields of that job."""
        kind = {"n": 15, "topology": "graph"} if command == "cppn" else {"count": 15}
        return self._keep(make_first(Job.make(command=command, **kind | {"seed": self.seed} | options), self._name()))

    def open(self, path: str | Path) -> Generation:
        """One picture that evoart made, of whatever form, as a generation; ``sheet.png:7`` is one of a sheet."""
        record, form, genome, _ = read_picture(str(path))
        name = str(Path(str(path)).absolute())
        return self._keep(Generation(Job.from_dict(record.job), ((form, genome),), ((),), name), write=False)

    def breed(self, *picks: int, n: int = 15, **options: Any) -> Generation:
        """Children of pictures of the current generation, by their numbers from 1.

        Args:
            options: ``mutation_scale``, ``vary``, ``seed`` and the other fields of ``BreedJob``.

        Raises:
            UsageError: a picture that is not there, a value out of range.
        """
        before = self.current
        parents = before.choose(picks)
        single = len(before.pictures) == 1
        place = before.name if Path(before.name).is_absolute() else str(self.folder / before.name)
        paths = [place if single else f"{place}:{pick}" for pick in picks]
        seeded = {"seed": (self.seed + len(self.generations)) % (1 << 32)} | options
        made = breed(parents, breed_job(parents, paths, n=n, **seeded), self._name(), before)
        return self._keep(dataclasses.replace(made, picks=tuple(picks)))

    def back(self) -> Generation:
        """The generation from which the current one came.

        Raises:
            UsageError: it is a first one.
        """
        before = self.current.before
        if before is None:
            raise UsageError("this is the first generation", "Go forward")
        at = self.generations.index(before)
        self._after[at], self._at = self._at, at
        return before

    def forward(self) -> Generation:
        """The generation that was left by ``back``.

        Raises:
            UsageError: there is none.
        """
        if self._at not in self._after:
            raise UsageError("nothing came of this generation yet", "Choose parents and breed")
        return self.go(self._after[self._at])

    def go(self, index: int) -> Generation:
        """The generation of an index in ``generations``.

        Raises:
            UsageError: there is none.
        """
        if not 0 <= index < len(self.generations):
            raise UsageError(f"there is no generation {index}", f"There are {len(self.generations)}")
        self._at = index
        return self.current

    def _name(self) -> str:
        return f"generation-{len(self.generations) + 1:03d}.png"

    def _keep(self, made: Generation, *, write: bool = True) -> Generation:
        if write:
            self.folder.mkdir(parents=True, exist_ok=True)
            made.sheet().save(self.folder / made.name, overwrite=True)
        self.generations.append(made)
        self._at = len(self.generations) - 1
        return made
