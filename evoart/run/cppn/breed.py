"""Children of pictures that somebody has chosen: selection by a person, a sheet at a time."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.cppn.breeder import Individual, breeder, pack, unpack
from evoart.cppn.measures import liveliness
from evoart.engine.networks import Painter
from evoart.errors import UsageError
from evoart.run import device
from evoart.run.cppn.job import BreedJob
from evoart.run.cppn.networks import network_fields, rates, read_network, same_kind, split_pick
from evoart.run.cppn.sheet import SheetProblem, places, settled
from evoart.run.recipe import Record
from evoart.search.best_of_n import BestOfN
from evoart.types import Search

ANCESTORS = 64  # that a recipe names
_LIKE = 0.02  # mean difference of two pictures below which they are the same to the eye


@dataclass(frozen=True, eq=False, kw_only=True)
class BreedProblem(SheetProblem):
    """Children of ``parents``: each ``(net, genome)``, all of one kind."""

    job: BreedJob
    parents: list[Individual]

    def search(self) -> Search:
        job, net = self.job, self.blank.net
        device.limit_threads(job.threads)
        painter = Painter(net, self.resolution)
        seen = painter.images(self.parents)

        def judge(children: list[Individual]) -> np.ndarray:
            images = painter.images(children)
            nearest = np.abs(images[:, None] - seen[None]).mean((2, 3, 4)).min(1)
            return np.where(nearest < _LIKE, 1.0, 1 - liveliness(images))

        return BestOfN(self._children, judge, self.kind(), self.assemble, places(job))

    def _children(self, place: int) -> list[Individual]:
        """Candidates for one place: mild changes first, wilder ones towards the end, and crossings at every other."""
        job, makes = self.job, breeder(self.blank.net, rates(self.job))
        rng = np.random.default_rng([job.seed, place])
        strength = job.mutation_scale * (0.5 + 1.5 * (place - 1) / max(job.n - 1, 1))
        children = []
        for _ in range(job.pool):
            one = self.parents[(place - 1) % len(self.parents)]
            if len(self.parents) > 1 and place % 2:
                other = int(rng.integers(len(self.parents) - 1))
                other += other >= (place - 1) % len(self.parents)
                one = makes.crossed(one, self.parents[other], rng)
            children.append(makes.mutated(one, rng, strength))
        return children

    def details(self) -> dict[str, Any]:
        return super().details() | {"parents": ", ".join(self.job.parents)}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, pack(self.parents)

    @classmethod
    def prepare(cls, job: BreedJob, source: Any = None) -> Self:
        """Read the parents.

        Raises:
            UsageError: a file that is not there, is no network, or is of another kind than the first.
        """
        found = [read_network(path, expected) for path, expected in _with_hashes(job)]
        forms = [form for _, form, _, _ in found]
        for path, form in zip(job.parents[1:], forms[1:], strict=True):
            same_kind(job.parents[0], forms[0], path, form)
        job = dataclasses.replace(
            job,
            parents_sha256=tuple(digest for _, _, _, digest in found),
            lineage=_lineage(job, [rec for rec, _, _, _ in found]),
            **network_fields(forms[0]),
        )
        blank = forms[0]
        parents = [(form.net, genome) for _, form, genome, _ in found]
        return cls(**settled(job, blank), parents=parents)

    @classmethod
    def restore(cls, job: BreedJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """The problem that ``pack`` took apart."""
        problem = cls(job=job, parents=[], **common)
        parents = unpack(dict(arrays), problem.blank.net)
        if not parents:
            raise ValueError("no parents")
        return dataclasses.replace(problem, parents=parents)


def _with_hashes(job: BreedJob) -> list[tuple[str, str]]:
    hashes = job.parents_sha256 or ("",) * len(job.parents)
    if len(hashes) != len(job.parents):
        raise UsageError("the job has another number of parents than of their hashes", "Leave parents_sha256 out")
    return list(zip(job.parents, hashes, strict=True))


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
