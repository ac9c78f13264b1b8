"""Children of pictures that somebody has chosen: selection by a person, a sheet at a time."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.breeder import Individual, breeder
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.cppn.measures import liveliness
from evoart.forms.cppn import layout_key
from evoart.forms.registry import FORMS
from evoart.run import device
from evoart.run.cppn.job import BreedJob, split_pick
from evoart.run.cppn.networks import network_fields, network_form, rates, read_networks
from evoart.run.cppn.sheet import Painters, SheetProblem, places, sheet_fields
from evoart.run.recipe import Record
from evoart.run.result import Result
from evoart.search.best_of_n import BestOfN
from evoart.types import Form, Genome, Search

ANCESTORS = 64  # that a recipe names
_SAME = 0.02  # mean difference of two pictures below which they are the same to the eye


@dataclass(frozen=True, eq=False, kw_only=True)
class BreedProblem(SheetProblem):
    """Children of ``parents``: each ``(net, genome)``, of any kinds. Only those of one kind are crossed."""

    job: BreedJob
    parents: list[Individual]

    def layout(self, place: int) -> Layers | Graph:
        """See ``SheetProblem.layout``: that of the parent at that cell, or of the first parent of a child."""
        return self.parents[self._parent(place)][0]

    def _parent(self, place: int) -> int:
        first = self.job.first_parent
        return place - 1 - first if place > first else (place - 1) % len(self.parents)

    def search(self) -> Search:
        """See ``Problem.search``."""
        device.limit_threads(self.job.threads)
        painters = Painters(self.resolution, self.job.device)
        seen = painters.images(self.parents)

        def judge(children: Sequence[Individual]) -> np.ndarray:
            images = painters.images(children)
            nearest = np.abs(images[:, None] - seen[None]).mean((2, 3, 4)).min(1)
            return np.where(nearest < _SAME, 1.0, 1 - liveliness(images))

        def make(place: int) -> list[Individual]:
            return [child for child, _ in self._children(place)]

        filled = places(self.job)
        return BestOfN(make, judge, self.kind(filled), self.assemble, filled)

    def _children(self, place: int) -> list[tuple[Individual, tuple[int, ...]]]:
        """Candidates for one place and the numbers of their parents, from 0: mild changes first, wilder ones at the
        end, and crossings at every other place. In a parent's own cell there is nobody else."""
        job, one = self.job, self._parent(place)
        if place > job.n:
            return [(self.parents[one], (one,))]
        net = self.parents[one][0]
        maker, rng = breeder(net, rates(job)), np.random.default_rng([job.seeded, place])
        scale = job.mutation_scale * (0.5 + 1.5 * (place - 1) / max(job.n - 1, 1))
        mates = [k for k, (other, _) in enumerate(self.parents) if k != one and layout_key(other) == layout_key(net)]
        children = []
        for _ in range(job.pool):
            child, who = self.parents[one], (one,)
            if mates and place % 2:
                mate = mates[int(rng.integers(len(mates)))]
                child, who = maker.crossed(child, self.parents[mate], rng), (one, mate)
            children.append((maker.mutated(child, rng, scale), who))
        return children

    def fill(self, individuals: Sequence[Individual | None]) -> tuple[list[Individual | None], tuple[str, ...]]:
        """See ``SheetProblem.fill``: the parents follow in a row of their own, and every child says whose it is."""
        empty = [None] * (self.job.first_parent - self.job.n)
        captions = ["" if one is None else self._whose(place, one) for place, one in enumerate(individuals, 1)]
        own = [f"parent {number}: {os.path.basename(path)}" for number, path in enumerate(self.job.parents, 1)]
        return [*individuals, *empty, *self.parents], (*captions, *("" for _ in empty), *own)

    def _whose(self, place: int, one: Individual) -> str:
        who = next((who for child, who in self._children(place) if np.array_equal(child[1], one[1])), ())
        names = " and ".join(str(parent + 1) for parent in who)
        return f"{place}: child of {names}" if names else str(place)

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """See ``Problem.members``: the children, for the parents are there already."""
        return [(number, result) for number, result in super().members(form, genome) if number <= self.job.n]

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return super().details() | {"pictures": self.job.n, "parents": ", ".join(self.job.parents)}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``."""
        forms = [network_form(net, *self.job.extent()) for net, _ in self.parents]
        genomes = {f"parent-{i}": genome for i, (_, genome) in enumerate(self.parents)}
        return {"parents": [{"form": form.name, **form.to_plain()} for form in forms]}, genomes

    @classmethod
    def prepare(cls, job: BreedJob, source: Any = None) -> Self:
        """Read the parents.

        Raises:
            UsageError: a file that is not there, or is not a network.
        """
        found = read_networks(job.parents, job.parents_sha256)
        job = dataclasses.replace(
            job.with_seed(),
            parents_sha256=tuple(digest for _, _, _, digest in found),
            lineage=_lineage(job, [rec for rec, _, _, _ in found]),
            **network_fields(found[0][1]),
        )
        nets = [form.net for _, form, _, _ in found]
        empty = [None] * (job.first_parent - job.n)
        layouts = [*(nets[cell % len(nets)] for cell in range(job.n)), *empty, *nets]
        parents = [(form.net, genome) for _, form, genome, _ in found]
        return cls(**sheet_fields(job, layouts, ("",) * job.cells), parents=parents)

    @classmethod
    def restore(cls, job: BreedJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """See ``Problem.restore``."""
        forms = [FORMS[str(each["form"])].from_plain(each) for each in plain["parents"]]
        genomes = [arrays[f"parent-{i}"] for i in range(len(forms))]
        if not forms or any(len(genome) != form.dim for form, genome in zip(forms, genomes, strict=True)):
            raise ValueError("parents that are not whole")
        return cls(job=job, parents=[(form.net, g) for form, g in zip(forms, genomes, strict=True)], **common)


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
