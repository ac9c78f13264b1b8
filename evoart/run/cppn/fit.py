"""A photograph drawn by a network: trained by gradient, or evolved."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from evoart.cppn.breeder import GraphBreeder, Individual, pack, unpack
from evoart.cppn.graph import Graph
from evoart.errors import UsageError
from evoart.forms.cppn import NetworkForm
from evoart.picture import Picture, bundled
from evoart.run import device
from evoart.run.cppn.fit_job import CppnFitJob
from evoart.run.cppn.networks import network_fields, network_form, networks_engine, rates, read_network
from evoart.run.inputs import check_hash, read_picture
from evoart.run.job import output_size
from evoart.run.photograph import PhotographProblem, unpack_target
from evoart.score.pixel import PixelScore, Target
from evoart.search.individuals import Kind
from evoart.search.neat import Judged, Neat, Settings
from evoart.types import Genome, Search

if TYPE_CHECKING:
    from evoart.engine.networks import NetworkEngine

# Gradient steps of a fixed network, and evaluations of everything else, where nothing says when to stop.
STEPS = {"draft": 1_000, "normal": 4_000, "best": 16_000}
EVALUATIONS = {"draft": 16_384, "normal": 65_536, "best": 262_144}
TRAINED = {"draft": 4_096, "normal": 16_384, "best": 65_536}  # those of Backprop NEAT, each a gradient
LARGEST_STEPS = 1_000_000
SHARED_WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)  # at which a weight-agnostic network is judged (Gaier and Ha, 2019)
POPULATION = {"gradient": 16, "evolve": 64}  # of NEAT
ROUNDS = {"gradient": 48, "evolve": 4}  # of growth before it: training makes use of a large network at once
DEFAULT_STRATEGY = "cr_fm_nes"  # the best of those in benchmarks/cppn.py


@dataclass(frozen=True, eq=False, kw_only=True)
class CppnFitProblem(PhotographProblem):
    """A photograph to be drawn by a network.

    Attributes:
        start: the genome of the result to continue from, of ``form``, or None.
    """

    job: CppnFitJob
    form: NetworkForm
    start: Genome | None = None

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return networks_engine(self.job.device)

    def search(self) -> Search:
        """See ``Problem.search``."""
        # Here, and not above: they bring JAX, which whoever misspells a picture should not wait for.
        from evoart.engine.networks import NetworkEngine
        from evoart.search.classical import Classical
        from evoart.search.gradient import GradientDescent

        job = self.job
        device.limit_threads(job.threads)
        engine = NetworkEngine(self.form, PixelScore(self.target), self.resolution)
        if isinstance(self.form.net, Graph):
            return self._neat(engine, self.form.net)
        first = self.start
        if first is None:
            first = self.form.net.random(np.random.default_rng([job.seeded, 0]), calm=True)
        if job.trains_layers:
            return GradientDescent(engine, first, int(job.setting("steps")), job.setting("rate"))
        options = dict(job.options) | ({"step": job.step} if job.step is not None else {})
        search = Classical(engine, job.strategy or DEFAULT_STRATEGY, job.population, job.seeded, first, options)
        search.stop_after(job.generations, job.evaluations)
        return search

    def _neat(self, engine: NetworkEngine, net: Graph) -> Search:
        job = self.job
        chances = {name: job.setting(name) for name in ("node", "link", "activation", "toggle")}
        maker = GraphBreeder(net, dataclasses.replace(rates(job), **chances), rounds=ROUNDS[job.weights])
        kind = Kind(lambda one: one, pack, lambda arrays: unpack(arrays, itertools.repeat(net)))
        settings = Settings(int(job.setting("species")), job.setting("survivors"), job.setting("crossing"))
        first = [] if self.start is None else [(net, self.start)]
        population = job.population or POPULATION[job.weights]
        return Neat(maker, _judge(job, engine), kind, population, job.seeded, first, settings)

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"picture": self.job.subject, "topology": self.job.topology, "weights": self.job.weights}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``."""
        return {}, super().pack()[1] | ({"start": self.start} if self.start is not None else {})

    @classmethod
    def prepare(cls, job: CppnFitJob, source: Any = None) -> Self:
        """Read the photograph and complete the job.

        Raises:
            UsageError, EvoartError: a picture or start file that cannot be used, a network that makes no sense.
        """
        pixels = job.pixels or (128 if job.topology == "layers" else 64)
        picture = read_picture(job.picture or bundled() if source is None else source, pixels, job.max_pixels)
        check_hash("photograph", job.picture or picture.name, picture.sha256, job.sha256)
        known: dict[str, Any] = {}
        net = start = None
        if job.start:
            _, form, start, digest = read_network(job.start, job.start_sha256)
            net, known = form.net, {"start_sha256": digest, **network_fields(form)}
        # The photograph decides the proportions, whatever those of the start are.
        known |= {"pixels": pixels, "sha256": picture.sha256, "aspect": f"{picture.width}:{picture.height}"}
        job = _with_budget(dataclasses.replace(job.with_seed(), **known))
        longest = max(picture.width, picture.height)
        return cls(
            job=job,
            form=network_form(net or job.architecture(), picture.width / longest, picture.height / longest),
            target=_target(picture, pixels, job),
            size=output_size(picture.width, picture.height, job.size),
            name=picture.name,
            notes=picture.notes,
            start=start,
        )

    @classmethod
    def restore(
        cls, job: CppnFitJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        """See ``Problem.restore``."""
        start, dim = arrays.get("start"), common["form"].dim
        if start is not None and (start.shape != (dim,) or not np.isfinite(start).all()):
            raise ValueError("the start does not fit the form")
        return cls(job=job, target=unpack_target(arrays, job.loss), start=start, **common)


def _with_budget(job: CppnFitJob) -> CppnFitJob:
    if job.trains_layers:
        if "steps" in job.options:
            return job
        # Written down, so that a run with another limit than it was planned with can still be done again.
        steps = job.generations or job.evaluations or STEPS[job.quality]
        return dataclasses.replace(job, options=job.options | {"steps": float(min(steps, LARGEST_STEPS))})
    if job.generations or job.evaluations or job.seconds or job.until_psnr or job.patience:
        return job
    return dataclasses.replace(job, evaluations=(TRAINED if job.weights == "gradient" else EVALUATIONS)[job.quality])


def _target(picture: Picture, pixels: int, job: CppnFitJob) -> Target:
    image, alpha = picture.at(pixels)
    weight = np.ones(image.shape[:2], np.float32) if alpha is None else alpha.astype(np.float32)
    if not weight.any():
        raise UsageError("the picture is transparent everywhere", "Choose another one")
    weight = (weight / weight.mean(dtype=np.float64)).astype(np.float32)
    return Target(np.ascontiguousarray(image, np.float32), weight, job.loss)


def _judge(job: CppnFitJob, engine: NetworkEngine) -> Callable[[Sequence[Individual]], Judged]:
    """How NEAT judges: as they are, trained first, or at several shared weights."""

    def untrained(some: Sequence[Individual]) -> Judged:
        losses = engine.judge(some)
        return Judged(list(some), losses, losses, len(some))

    def trained(some: Sequence[Individual]) -> Judged:
        steps = int(job.setting("steps"))
        better, losses = engine.train(some, steps, job.setting("rate"))
        return Judged(better, losses, losses, len(some) * (steps + 1))

    def agnostic(some: Sequence[Individual]) -> Judged:
        """Chosen by the mean over all shared weights, shown at the best one."""
        many = [(graph, _with_weight(genome, w)) for graph, genome in some for w in SHARED_WEIGHTS]
        losses = engine.judge(many).reshape(len(some), len(SHARED_WEIGHTS))
        best = losses.argmin(1)
        shown = [many[i * len(SHARED_WEIGHTS) + w] for i, w in enumerate(best)]
        return Judged(shown, losses.min(1), losses.mean(1), len(many))

    if job.topology == "agnostic":
        return agnostic
    return trained if job.weights == "gradient" else untrained


def _with_weight(genome: Genome, weight: float) -> Genome:
    out = np.array(genome, np.float32)
    out[-1] = weight
    return out
