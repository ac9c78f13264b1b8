"""A film that is a loop: through the latent numbers of one network, or from network to network and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.job import Job, output_size
from evoart.run.problem import Problem
from evoart.types import Drawing, Form, Genome, Search

if TYPE_CHECKING:
    from evoart.forms.cppn import NetworkForm
    from evoart.run import device

MOMENTS = 10_080  # around the loop, none of which is drawn before it is asked for: any number of frames divides it well


@dataclass(frozen=True)
class CppnFilmJob(Job):
    """``evoart cppn film``.

    Attributes:
        networks, networks_sha256: paths of pictures of networks (``sheet.png:7`` for one of a sheet) and file hashes.
        through: what moves where there is one network: ``latent`` numbers, ``weights``, or ``auto``.
        amount: how far, 0.01 to 20; 1 shows, and stays with the picture.
    """

    command: ClassVar[str] = "cppn-film"
    files: ClassVar = Job.files | {"networks": "network"}
    checks: ClassVar = Job.checks | {
        "networks": fields.texts,
        "networks_sha256": fields.texts,
        "through": fields.Choice(("auto", "latent", "weights")),
        "amount": fields.Number(0.01, 20.0, kind=float),
        "engine": fields.Choice(("auto", "networks")),
    }

    networks: tuple[str, ...] = ()
    networks_sha256: tuple[str, ...] = ()
    through: str = "auto"
    amount: float = 1.0

    def check_together(self) -> None:
        if not self.networks:
            raise UsageError("there is no network", "Name one picture of a network or more: evoart cppn film a.png")

    @property
    def form_name(self) -> str:
        return "film"

    @property
    def formats(self) -> tuple[str, ...]:
        return ("animated-webp",)  # the 255 colours of a GIF make steps of what is smooth

    @property
    def film_only(self) -> bool:
        return True

    @property
    def stem(self) -> str:
        from pathlib import Path

        from evoart.run.cppn.networks import split_pick

        place, pick = split_pick(self.networks[0])
        return Path(place).stem + (f"-{pick}" if pick else "")

    @property
    def summary(self) -> str:
        count = len(self.networks)
        return f"a loop through {count} networks" if count > 1 else f"a loop around {self.networks[0]}"


@dataclass(frozen=True, eq=False, kw_only=True)
class FilmProblem(Problem):
    """Networks to be shown one after another; ``stops`` are (form, genome), the first one first."""

    job: CppnFilmJob
    stops: list[tuple[NetworkForm, Genome]]

    @property
    def resolution(self) -> tuple[int, int]:
        return self.size

    @property
    def engine(self) -> device.Choice:
        from evoart.run.cppn.networks import networks_engine

        return networks_engine(self.job)

    def search(self) -> Search:
        from evoart.run import device

        device.limit_threads(self.job.threads)
        return Standing(self.stops[0][1])

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        return {"loss": 0.0}

    def frames(self, form: Form, genome: Genome) -> Sequence[Drawing]:
        return Loop(self)

    @property
    def loop(self) -> bool:
        return True

    def at(self, turn: float) -> tuple[NetworkForm, Genome]:
        """The network at ``turn`` of the way around, 0 to 1; both ends are the first one."""
        if turn in (0, 1):
            return self.stops[0]
        if len(self.stops) == 1:
            return self._around(turn)
        place = turn * len(self.stops)
        first = int(place)
        share = (1 - np.cos(np.pi * (place - first))) / 2  # slow where a network is met, so that it is seen
        (form, genome), (other, after) = self.stops[first], self.stops[(first + 1) % len(self.stops)]
        between = form.between(genome, other, after, float(share))
        return between if between is not None else (form, genome)

    def _around(self, turn: float) -> tuple[NetworkForm, Genome]:
        """A circle that begins and ends at the network, in a plane of random directions."""
        form, genome = self.stops[0]
        rng = np.random.default_rng([self.job.seed, 3])
        steps = np.zeros(form.dim, np.float32)
        shared = getattr(form.net, "shared", False)
        if self.job.through == "latent" or (self.job.through == "auto" and form.latent and not shared):
            steps[: form.latent] = 1.0
        else:  # one weight for all links is swept far: what it stands for shows over its whole range
            steps[form.latent :] = 0.75 if shared else 0.5 * form.steps()[form.latent :]
        one, other = (rng.normal(0, 1, form.dim) * steps for _ in range(2))
        angle = 2 * np.pi * turn
        move = self.job.amount * ((np.cos(angle) - 1) * one + np.sin(angle) * other)
        return form, (genome + move).astype(np.float32)

    @classmethod
    def restore(
        cls, job: CppnFilmJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        return cls.prepare(job)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {}

    @classmethod
    def prepare(cls, job: CppnFilmJob, source: Any = None) -> Self:
        """Read the networks.

        Raises:
            UsageError: a file that is not there, is no network or of another kind, or has no latent numbers to move.
        """
        from evoart.run.cppn.networks import read_network, same_kind

        hashes = job.networks_sha256 or ("",) * len(job.networks)
        if len(hashes) != len(job.networks):
            raise UsageError("the job has another number of networks than of their hashes", "Leave networks_sha256 out")
        found = [read_network(path, digest) for path, digest in zip(job.networks, hashes, strict=True)]
        stops = [(form, genome) for _, form, genome, _ in found]
        form = stops[0][0]
        for path, (other, _) in zip(job.networks[1:], stops[1:], strict=True):
            same_kind(job.networks[0], form, path, other)
        if job.through == "latent" and len(stops) == 1 and not form.latent:
            raise UsageError(f"'{job.networks[0]}' has no latent numbers", "Use --through weights")
        for (one, genome), (other, after) in zip(stops, [*stops[1:], stops[0]], strict=True):
            if len(stops) > 1 and one.between(genome, other, after, 0.5) is None:
                raise UsageError("there is no way between two of these networks", "Choose networks of one family")
        job = dataclasses.replace(job.with_seed(), networks_sha256=tuple(digest for _, _, _, digest in found))
        size = output_size(form.width, form.height, job.size or max(found[0][0].size))
        return cls(job=job, form=form, size=size, name=job.stem, stops=stops)


class Loop(Sequence):
    """The moments of a film, drawn when they are asked for; the last one is the first network."""

    def __init__(self, problem: FilmProblem) -> None:
        self.problem = problem

    def __len__(self) -> int:
        return MOMENTS

    def __getitem__(self, index: int) -> Drawing:
        form, genome = self.problem.at((index % MOMENTS + 1) / MOMENTS)
        return form.drawing(genome)


class Standing(Search):
    """No search: what was given is what comes out."""

    stage = "film"

    def __init__(self, genome: Genome) -> None:
        self.genome, self.loss, self.generation, self.evaluations, self.done = genome, 0.0, 0, 0, False

    def step(self) -> None:
        self.done, self.generation = True, 1

    def arrays(self) -> dict[str, np.ndarray]:
        return {"generation": np.int64(self.generation)}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        self.generation = int(arrays["generation"])
        self.done = self.generation > 0
