"""Children of pictures that somebody has chosen: selection by a person, a sheet at a time."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.genes import Rates
from evoart.cppn.measures import liveliness
from evoart.forms.breeding import Picture, cross, matches, mutate
from evoart.forms.cppn import NetworkForm
from evoart.forms.registry import FORMS
from evoart.run import device
from evoart.run.cppn.breed_job import BreedJob, CppnBreedJob
from evoart.run.cppn.job import split_pick
from evoart.run.cppn.networks import aspect_of, network_fields, network_form, rates, read_networks, read_pictures
from evoart.run.cppn.sheet import Painters, SheetProblem, form_fields, places
from evoart.run.recipe import Record
from evoart.run.result import Result
from evoart.search.best_of_n import BestOfN
from evoart.search.individuals import Kind
from evoart.types import Form, Genome, Search

ANCESTORS = 64  # that a recipe names
# Mean difference of two pictures below which they are the same to the eye; strokes are few and thin.
_SAME, _SAME_STROKES = 0.02, 0.004


@dataclass(frozen=True, eq=False, kw_only=True)
class BreedProblem(SheetProblem):
    """Children of ``parents``: each ``(form, genome)``, of any forms. Only those of one kind are crossed."""

    job: BreedJob
    parents: list[Picture]

    @property
    def rates(self) -> Rates:
        """How graphs mutate."""
        return rates(self.job) if isinstance(self.job, CppnBreedJob) else Rates()

    def _parent(self, place: int) -> int:
        """The parent at that cell, or the first one of a child, from 0."""
        first = self.job.first_parent
        return place - 1 - first if place > first else (place - 1) % len(self.parents)

    def kind(self, places: Iterable[int]) -> Kind:
        """See ``SheetProblem.kind``; individuals are pictures."""
        return Kind(lambda one: one, _pack, _unpack)

    def search(self) -> Search:
        """See ``Problem.search``."""
        device.limit_threads(self.job.threads)

        def make(place: int) -> list[Picture]:
            return [child for child, _ in self._children(place)]

        filled = places(self.job)
        return BestOfN(make, self._judge, self.kind(filled), self.assemble, filled)

    def children(self) -> list[tuple[Picture, tuple[int, ...]]]:
        """Every child and the numbers of its parents, from 0: what the search finds, judged all at once."""
        candidates = [self._children(place) for place in range(1, self.job.n + 1)]
        losses = self._judge([child for some in candidates for child, _ in some]).reshape(len(candidates), -1)
        return [some[int(np.argmin(row))] for some, row in zip(candidates, losses, strict=True)]

    @functools.cached_property
    def _seen(self) -> np.ndarray:
        return Painters(self.resolution, self.job.device).pictures(self.parents)

    def _judge(self, children: Sequence[Picture]) -> np.ndarray:
        """Losses ``(n,)``: a child that looks like a parent is worth nothing. Networks are judged by their liveliness;
        of others the first that differs is as good as any, for taste is the chooser's."""
        images = Painters(self.resolution, self.job.device).pictures(children)
        nearest = np.abs(images[:, None] - self._seen[None]).mean((2, 3, 4)).min(1)
        networks = np.array([isinstance(form, NetworkForm) for form, _ in children])
        same = nearest < np.where(networks, _SAME, _SAME_STROKES)
        return np.where(same, 1.0, np.where(networks, 1 - liveliness(images), 0.0))

    def _children(self, place: int) -> list[tuple[Picture, tuple[int, ...]]]:
        """Candidates for one place and the numbers of their parents, from 0: mild changes first, wilder ones at the
        end, and crossings at every other place. In a parent's own cell there is nobody else."""
        job, one = self.job, self._parent(place)
        if place > job.n:
            return [(self.parents[one], (one,))]
        form, rng = self.parents[one][0], np.random.default_rng([job.seeded, place])
        scale = float(np.clip(job.mutation_scale * (0.5 + 1.5 * (place - 1) / max(job.n - 1, 1)), 0.05, 10))
        mates = [k for k, (other, _) in enumerate(self.parents) if k != one and matches(form, other)]
        children = []
        for _ in range(job.pool):
            child, who = self.parents[one], (one,)
            if mates and place % 2:
                mate = mates[int(rng.integers(len(mates)))]
                child, who = cross(child, self.parents[mate], rng, job.vary), (one, mate)
            children.append((mutate(child, rng, scale, job.vary, self.rates), who))
        return children

    def fill(self, individuals: Sequence[Picture | None]) -> tuple[list[Picture | None], tuple[str, ...]]:
        """See ``SheetProblem.fill``: the parents follow in a row of their own, and every child says whose it is."""
        empty = [None] * (self.job.first_parent - self.job.n)
        captions = ["" if one is None else self._whose(place, one) for place, one in enumerate(individuals, 1)]
        own = [f"parent {number}: {os.path.basename(path)}" for number, path in enumerate(self.job.parents, 1)]
        return [*individuals, *empty, *self.parents], (*captions, *("" for _ in empty), *own)

    def _parents_of(self, place: int, one: Picture) -> tuple[int, ...]:
        """Numbers of the parents, from 0, of the child ``one`` at ``place``, from 1."""
        return next((who for child, who in self._children(place) if np.array_equal(child[1], one[1])), ())

    def _whose(self, place: int, one: Picture) -> str:
        names = " and ".join(str(parent + 1) for parent in self._parents_of(place, one))
        return f"{place}: child of {names}" if names else str(place)

    def assemble(self, individuals: Sequence[Picture | None]) -> tuple[Any, Genome]:
        """See ``SheetProblem.assemble``."""
        if self.job.pick is not None:
            found = individuals[self.job.pick - 1 if len(individuals) > 1 else 0]
            form, genome = found if found is not None else (self.form, np.zeros(self.form.dim, np.float32))
            return (form.net if isinstance(form, NetworkForm) else _structure(form)), genome
        cells, captions = self.fill(individuals)
        genomes = [one[1] for one in cells if one is not None]
        members = tuple(None if one is None else one[0] for one in cells)
        return (members, captions), np.concatenate([np.zeros(0, np.float32), *genomes])

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """See ``Problem.members``: the children, for the parents are there already."""
        return [(number, result) for number, result in super().members(form, genome) if number <= self.job.n]

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return super().details() | {"pictures": self.job.n, "parents": ", ".join(self.job.parents)}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``."""
        genomes = {f"parent-{i}": genome for i, (_, genome) in enumerate(self.parents)}
        return {"parents": [{"form": form.name, **form.to_plain()} for form, _ in self.parents]}, genomes

    @classmethod
    def prepare(cls, job: BreedJob, source: Any = None) -> Self:
        """Read the parents.

        Raises:
            UsageError: a file that is not there, or has no children: a sheet, or for ``cppn breed`` what is no network.
        """
        read = read_networks if isinstance(job, CppnBreedJob) else read_pictures
        found = read(job.parents, job.parents_sha256)
        first = found[0][1]
        decided: dict[str, Any] = {"form": first.name, "aspect": aspect_of(first)}
        if isinstance(job, CppnBreedJob) and isinstance(first, NetworkForm):
            decided = network_fields(first)
        job = dataclasses.replace(
            job.with_seed(),
            parents_sha256=tuple(digest for _, _, _, digest in found),
            lineage=_lineage(job, [rec for rec, _, _, _ in found]),
            **decided,
        )
        return cls.of_parents(job, [(form, genome) for _, form, genome, _ in found])

    @classmethod
    def of_parents(cls, job: BreedJob, parents: Sequence[Picture]) -> Self:
        """The problem of a job whose parents were read; networks take on the proportions of the first."""
        extent = job.extent()
        parents = [(network_form(f.net, *extent) if isinstance(f, NetworkForm) else f, g) for f, g in parents]
        forms: list[Form | None] = [parents[cell % len(parents)][0] for cell in range(job.n)]
        forms += [None] * (job.first_parent - job.n) + [form for form, _ in parents]
        return cls(**form_fields(job, forms, ("",) * job.cells), parents=parents)

    @classmethod
    def restore(cls, job: BreedJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """See ``Problem.restore``."""
        forms = [FORMS[str(each["form"])].from_plain(each) for each in plain["parents"]]
        genomes = [arrays[f"parent-{i}"] for i in range(len(forms))]
        if not forms or any(len(genome) != form.dim for form, genome in zip(forms, genomes, strict=True)):
            raise ValueError("parents that are not whole")
        return cls(job=job, parents=list(zip(forms, genomes, strict=True)), **common)


def _structure(form: Form) -> Any:
    """What ``with_structure`` makes this form of."""
    return getattr(form, "kinds", form)


def _pack(pictures: Sequence[Picture]) -> dict[str, np.ndarray]:
    """Pictures as plain arrays, for checkpoints."""
    plain = json.dumps([{"form": form.name, **form.to_plain()} for form, _ in pictures])
    genomes = [genome for _, genome in pictures]
    return {
        "forms": np.frombuffer(plain.encode(), np.uint8),
        "genomes": np.concatenate([np.zeros(0, np.float32), *genomes]).astype(np.float32),
    }


def _unpack(arrays: Mapping[str, np.ndarray]) -> list[Picture]:
    """The pictures that ``_pack`` took apart.

    Raises:
        KeyError, TypeError, ValueError, EvoartError: arrays that do not belong together.
    """
    forms = [FORMS[str(each["form"])].from_plain(each) for each in json.loads(bytes(arrays["forms"]))]
    ends = np.cumsum([form.dim for form in forms])
    if len(arrays["genomes"]) != (ends[-1] if forms else 0):
        raise ValueError("a genome does not fit its form")
    return list(zip(forms, np.split(arrays["genomes"], ends[:-1]), strict=True)) if forms else []


def _lineage(job: BreedJob, found: list[Record]) -> tuple[str, ...]:
    """The ancestors, nearest first, each once: how many generations back, and what made it."""
    lines: dict[str, None] = {}
    for path, rec in zip(job.parents, found, strict=True):
        made = rec.job
        pick = split_pick(path)[1] or made.get("pick")
        which = f" picture {pick}" if pick else ""
        command = str(made.get("command", "fit")).replace("-", " ")
        lines[f"1 {os.path.basename(path)}: {command} seed {made.get('seed')}{which}"] = None
    for rec in found:
        for line in rec.job.get("lineage", ()):
            generation, _, rest = str(line).partition(" ")
            if generation.isdigit():
                lines[f"{int(generation) + 1} {rest[:200]}"] = None
    return tuple(sorted(lines, key=lambda line: int(line.partition(" ")[0]))[:ANCESTORS])
