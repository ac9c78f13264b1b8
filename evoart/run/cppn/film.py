"""A film that is a loop: through the latent numbers of one network, or from network to network and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.errors import UsageError
from evoart.forms.cppn import NetworkForm
from evoart.run import device
from evoart.run.cppn.film_job import CppnFilmJob
from evoart.run.cppn.networks import check_kind, drawing_engine, read_networks
from evoart.run.drawing import DrawingProblem, NoSearch
from evoart.run.job import output_size
from evoart.run.problem import Film
from evoart.types import Drawing, Form, Genome, Search

MOMENTS = 10_080  # around the loop, none of which is drawn before it is asked for: any number of frames divides it well


@dataclass(frozen=True, eq=False, kw_only=True)
class FilmProblem(DrawingProblem):
    """Networks to be shown one after another; ``stops`` are (form, genome), the first one first."""

    job: CppnFilmJob
    stops: list[tuple[NetworkForm, Genome]]

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return drawing_engine(self.job.device)

    def search(self) -> Search:
        """See ``Problem.search``: there is nothing to search for."""
        device.limit_threads(self.job.threads)
        return NoSearch(self.stops[0][1])

    @property
    def film(self) -> Film:
        """The loop."""
        return Film(self._loop, loop=True)

    def _loop(self, form: Form, genome: Genome) -> Loop:
        return Loop(self)

    def at(self, turn: float) -> tuple[NetworkForm, Genome]:
        """The network at ``turn`` of the way around, 0 to 1; both ends are the first one."""
        if turn in (0, 1):
            return self.stops[0]
        if len(self.stops) == 1:
            return self._around(turn)
        (form, genome), (other, after), share = self.way(turn)
        between = form.between(genome, other, after, share)
        return between if between is not None else (form, genome)

    def way(self, turn: float) -> tuple[Any, Any, float]:
        """The stops before and after ``turn``, 0 to 1, and the share of the way between them, 0 to 1: slow where one is
        met, so that it is seen."""
        first, rest = divmod(turn % 1.0 * len(self.stops), 1)
        after = self.stops[(int(first) + 1) % len(self.stops)]
        return self.stops[int(first)], after, float((1 - np.cos(np.pi * rest)) / 2)

    def _around(self, turn: float) -> tuple[NetworkForm, Genome]:
        """A circle that begins and ends at the network, in a plane of random directions."""
        form, genome = self.stops[0]
        rng = np.random.default_rng([self.job.seeded, 3])
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
    def prepare(cls, job: CppnFilmJob, source: Any = None) -> Self:
        """Read the networks.

        Raises:
            UsageError: a file that is not there, is not a network or of another kind, or has no latent numbers to move.
        """
        found = read_networks(job.networks, job.networks_sha256)
        stops = [(form, genome) for _, form, genome, _ in found]
        form = stops[0][0]
        for path, (other, _) in zip(job.networks[1:], stops[1:], strict=True):
            check_kind(job.networks[0], form, path, other)
        if job.through == "latent" and len(stops) == 1 and not form.latent:
            raise UsageError(f"'{job.networks[0]}' has no latent numbers", "Use --through weights")
        for (one, genome), (other, after) in zip(stops, [*stops[1:], stops[0]], strict=True):
            if len(stops) > 1 and one.between(genome, other, after, 0.5) is None:
                raise UsageError("there is no way between two of these networks", "Choose networks of one family")
        job = dataclasses.replace(job.with_seed(), networks_sha256=tuple(digest for _, _, _, digest in found))
        size = output_size(form.width, form.height, job.size or max(found[0][0].size))
        return cls(job=job, form=form, size=size, name=job.stem, stops=stops)


class Loop(Sequence[Drawing]):
    """The moments of a film, drawn when they are asked for; the last one is the first network."""

    def __init__(self, problem: FilmProblem) -> None:
        self.problem = problem

    def __len__(self) -> int:
        return MOMENTS

    def __getitem__(self, index: Any) -> Any:
        """The drawing at ``index``, or a list of drawings for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(MOMENTS))]
        form, genome = self.problem.at((index % MOMENTS + 1) / MOMENTS)
        return form.drawing(genome)
