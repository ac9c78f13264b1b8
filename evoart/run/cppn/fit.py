"""A photograph drawn by a network: trained by gradient, or evolved."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from evoart.errors import UsageError, unknown
from evoart.run import fields
from evoart.run.cppn.job import NetworkJob
from evoart.run.job import output_size
from evoart.run.problem import Problem

if TYPE_CHECKING:
    from evoart.cppn.breeder import Individual
    from evoart.forms.cppn import NetworkForm
    from evoart.run import device
    from evoart.run.stop import Reason
    from evoart.score.pixel import Target
    from evoart.types import Form, Genome, Search

# Gradient steps of a fixed network, and evaluations of everything else, where nothing says when to stop.
STEPS = {"draft": 1_000, "normal": 4_000, "best": 16_000}
EVALUATIONS = {"draft": 16_384, "normal": 65_536, "best": 262_144}
TRAINED = {"draft": 4_096, "normal": 16_384, "best": 65_536}  # those of Backprop NEAT, each a gradient
GRADIENT = {"rate": 0.02, "steps": 4_000.0}  # the settings of training a fixed network; the rate falls over the steps
NEAT = {  # those of NEAT: of training, of the population, and how often each mutation happens
    "steps": 100.0, "rate": 0.05, "species": 6.0, "survivors": 0.3, "crossing": 0.5,
    "node": 0.4, "link": 0.6, "activation": 0.15, "toggle": 0.03,
}  # fmt: skip
SHARED_WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)  # at which a weight-agnostic network is judged (Gaier and Ha, 2019)
POPULATION = {"gradient": 16, "evolve": 64}  # of NEAT
ROUNDS = {"gradient": 48, "evolve": 4}  # of growth before it: training makes use of a large network at once
DEFAULT_STRATEGY = "cr_fm_nes"  # the best of those in benchmarks/cppn.py


def proportions(name: str, value: Any) -> str:
    """Width to height of a photograph in pixels, ``1200:900``: whatever it is, for nobody has chosen it."""
    match = re.fullmatch(r"0*([1-9]\d{0,9}):0*([1-9]\d{0,9})", str(value).strip())
    return f"{match[1]}:{match[2]}" if match else fields.Aspect()(name, value)


@dataclass(frozen=True)
class CppnFitJob(NetworkJob):
    """``evoart cppn fit``: a photograph drawn by a network.

    Attributes:
        picture, sha256: path of the photograph (``""``: the bundled one, ``"-"``: standard input) and its hash.
        weights: how they are found: ``gradient``, or ``evolve``.
        strategy: evosax strategy that evolves the weights of layers.
        population: pool per generation, 4 to 65,536.
        step: initial step size of a strategy.
        pixels: long side of the canvas, 16 to 1,024 pixels; None: 128, of graphs 64.
        loss: ``mse``, ``mae`` or ``oklab``.
        until_psnr: stop at this PSNR in dB, 1 to 100.
        max_pixels: photographs with more pixels are refused.
    """

    command: ClassVar[str] = "cppn-fit"
    files: ClassVar = NetworkJob.files | {"picture": "photograph"}
    checks: ClassVar = NetworkJob.checks | {
        "picture": fields.text,
        "sha256": fields.text,
        "weights": fields.Choice(("gradient", "evolve")),
        "strategy": fields.named,
        "population": fields.Number(4, 65_536, "candidates"),
        "step": fields.Number(1e-5, 2.0, kind=float),
        "pixels": fields.Number(16, 1024, "pixels"),
        "loss": fields.Choice(("mse", "mae", "oklab")),
        "until_psnr": fields.Number(1.0, 100.0, "dB", kind=float),
        "max_pixels": fields.Number(4, 10**10, "pixels"),
        "aspect": proportions,
    }

    picture: str = ""
    sha256: str = ""
    weights: str = "gradient"
    strategy: str | None = None
    population: int | None = None
    step: float | None = None
    pixels: int | None = None
    loss: str = "mse"
    until_psnr: float | None = None
    max_pixels: int | None = None
    layers: str = "32x4"
    latent: int = 0

    def check_together(self) -> None:
        if self.strategy is not None and (self.topology != "layers" or self.weights != "evolve"):
            raise UsageError(
                f"--strategy {self.strategy} is for layers whose weights evolve",
                f"Use --topology layers --weights evolve --strategy {self.strategy}",
            )
        if self.topology == "agnostic" and self.weights == "gradient":
            raise UsageError("a weight-agnostic network has no weights to train", "Add --weights evolve")
        if self.topology == "layers" and self.weights == "gradient" and self.population is not None:
            raise UsageError("training layers has no population", "Leave out --population, or use --weights evolve")
        known = GRADIENT if self.topology == "layers" else NEAT
        for name, value in self.options.items():
            if self.topology == "layers" and self.weights == "evolve":
                break  # they are the strategy's
            if name not in known:
                raise unknown("setting", name, known)
            if isinstance(value, str) or not 0 <= value <= 1e6 or (name == "steps" and value < 1):
                raise UsageError(f"{name}={value} is out of range", "Use a number from 0 to 1,000,000, 1 step at least")

    def architecture(self) -> Any:
        """As of any job, but that layers are sines where nobody says: with them a photograph is fitted best."""
        if self.topology == "layers" and self.activations is None:
            return dataclasses.replace(super().architecture(), activations=("sine",))
        return super().architecture()

    def setting(self, name: str) -> float:
        """One of ``GRADIENT`` or ``NEAT``: as given, or as usual."""
        usual = (GRADIENT if self.topology == "layers" else NEAT)[name]
        return float(self.options.get(name, usual))

    @property
    def stem(self) -> str:
        from evoart.picture import bundled

        if self.picture == "-":
            return "picture"
        return Path(self.picture).stem if self.picture else bundled().stem

    @property
    def summary(self) -> str:
        name = {"": "the bundled photograph", "-": "standard input"}.get(self.picture, self.picture)
        kind = {"layers": f"layers of {self.layers}", "graph": "evolved topologies"}
        how = "by gradient" if self.weights == "gradient" else "by evolution"
        return f"{name}, {kind.get(self.topology, 'one weight for all links')}, {how}"

    def title(self, label: str) -> str:
        return f"{self.stem}, drawn by {label}"


@dataclass(frozen=True, eq=False, kw_only=True)
class CppnFitProblem(Problem):
    """A photograph to be drawn by a network.

    Attributes:
        target: what pictures are compared with.
        start: the genome of the result to go on from, of ``form``, or None.
    """

    job: CppnFitJob
    form: NetworkForm
    target: Target
    start: Genome | None = None

    @property
    def resolution(self) -> tuple[int, int]:
        h, w = self.target.weight.shape
        return w, h

    @property
    def engine(self) -> device.Choice:
        from evoart.run.cppn.networks import networks_engine

        return networks_engine(self.job)

    def search(self) -> Search:
        from evoart.engine.networks import NetworkEngine
        from evoart.run import device
        from evoart.score.pixel import PixelScore

        device.limit_threads(self.job.threads)
        engine = NetworkEngine(self.form, PixelScore(self.target), self.resolution)
        if self.job.topology != "layers":
            return self._neat(engine)
        return self._descent(engine) if self.job.weights == "gradient" else self._strategy(engine)

    def _first(self) -> Genome:
        if self.start is not None:
            return self.start
        return self.form.net.random(np.random.default_rng([self.job.seed, 0]), calm=True)

    def _descent(self, engine: Any) -> Search:
        from evoart.search.gradient import GradientDescent

        return GradientDescent(engine, self._first(), int(self.job.setting("steps")), self.job.setting("rate"))

    def _strategy(self, engine: Any) -> Search:
        from evoart.search.classical import Classical

        job = self.job
        options = dict(job.options) | ({"step": job.step} if job.step is not None else {})
        search = Classical(engine, job.strategy or DEFAULT_STRATEGY, job.population, job.seed, self._first(), options)
        search.stop_after(job.generations, job.evaluations)
        return search

    def _neat(self, engine: Any) -> Search:
        from evoart.cppn.breeder import GraphBreeder, pack, unpack
        from evoart.run.cppn.networks import rates
        from evoart.search.individuals import Kind
        from evoart.search.neat import Neat, Settings

        job, net = self.job, self.form.net
        chances = {name: job.setting(name) for name in ("node", "link", "activation", "toggle")}
        makes = GraphBreeder(net, dataclasses.replace(rates(job), **chances), rounds=ROUNDS[job.weights])
        kind = Kind(lambda one: one, pack, lambda arrays: unpack(arrays, net))
        settings = Settings(int(job.setting("species")), job.setting("survivors"), job.setting("crossing"))
        first = [] if self.start is None else [(net, self.start)]
        population = job.population or POPULATION[job.weights]
        return Neat(makes, _judge(job, engine), kind, population, job.seed, first, settings)

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        from evoart.score.pixel import evaluate_drawing

        loss, decibels = evaluate_drawing(form.drawing(genome), self.target)
        return {"loss": loss, "psnr": decibels}

    def figures(self, search: Search) -> dict[str, float]:
        from evoart.score.pixel import psnr

        if self.job.loss == "mse":
            return {"psnr": psnr(float(search.loss)) if np.isfinite(search.loss) else 0.0}
        form = self.form if search.structure is None else self.form.with_structure(search.structure)
        return {"psnr": self.evaluate(form, search.genome)["psnr"]}

    def reached(self, figures: Callable[[], dict[str, float]]) -> Reason | None:
        goal = self.job.until_psnr
        return "psnr" if goal is not None and figures()["psnr"] >= goal else None

    def details(self) -> dict[str, Any]:
        job = self.job
        return {"picture": job.picture or "the bundled photograph", "topology": job.topology, "weights": job.weights}

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays = {"image": self.target.image, "weight": self.target.weight}
        return {}, arrays | ({"start": self.start} if self.start is not None else {})

    @classmethod
    def prepare(cls, job: CppnFitJob, source: Any = None) -> Self:
        """Read the photograph and settle the job.

        Raises:
            UsageError, EvoartError: a picture or start file that cannot be used, a network that makes no sense.
        """
        from evoart.picture import bundled
        from evoart.run.cppn.networks import network_fields, read_network
        from evoart.run.inputs import check_hash, read_picture
        from evoart.score.pixel import Target

        if job.pixels is None:
            job = dataclasses.replace(job, pixels=128 if job.topology == "layers" else 64)
        picture = read_picture(job.picture or bundled() if source is None else source, job.pixels, job.max_pixels)
        check_hash("photograph", job.picture or picture.name, picture.sha256, job.sha256)
        image, alpha = picture.at(job.pixels)
        weight = np.ones(image.shape[:2], np.float32) if alpha is None else alpha.astype(np.float32)
        if not weight.any():
            raise UsageError("the picture is transparent everywhere", "Choose another one")
        weight = (weight / weight.mean(dtype=np.float64)).astype(np.float32)
        longest = max(picture.width, picture.height)
        job = dataclasses.replace(job.with_seed(), sha256=picture.sha256, aspect=f"{picture.width}:{picture.height}")
        start, form = None, None
        if job.start:
            _, form, start, digest = read_network(job.start, job.start_sha256)
            job = dataclasses.replace(job, start_sha256=digest, **network_fields(form))
            form = dataclasses.replace(form, width=picture.width / longest, height=picture.height / longest)
            job = dataclasses.replace(job, aspect=f"{picture.width}:{picture.height}")
        limits = (job.generations, job.evaluations, job.seconds, job.until_psnr, job.patience)
        descends = job.topology == "layers" and job.weights == "gradient"
        if descends and "steps" not in job.options:
            # Written down, so that a run with another limit than it was planned with can still be done again.
            steps = job.generations or job.evaluations or STEPS[job.quality]
            job = dataclasses.replace(job, options=job.options | {"steps": float(min(steps, 1_000_000))})
        if not descends and not any(limits):
            budget = TRAINED if job.weights == "gradient" else EVALUATIONS
            job = dataclasses.replace(job, evaluations=budget[job.quality])
        return cls(
            job=job,
            form=form or job.blank(),
            target=Target(np.ascontiguousarray(image, np.float32), weight, job.loss),
            size=output_size(picture.width, picture.height, job.size),
            name=picture.name,
            mask=None,
            start=start,
        )

    @classmethod
    def restore(
        cls, job: CppnFitJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        """The problem that ``pack`` took apart.

        Raises:
            ValueError: parts that do not belong together.
        """
        from evoart.score.pixel import Target

        image, weight, start = arrays["image"], arrays["weight"], arrays.get("start")
        problem = cls(job=job, target=Target(image, weight, job.loss), start=start, **common)
        sound = (
            image.ndim == 3 and image.shape == (*weight.shape, 3) and image.dtype == weight.dtype == np.float32
            and min(weight.shape) > 0 and np.isfinite(image).all() and np.isfinite(weight).all() and weight.min() >= 0
            and (start is None or (start.shape == (problem.form.dim,) and np.isfinite(start).all()))
        )  # fmt: skip
        if not sound:
            raise ValueError("parts that do not belong together")
        return problem


def _judge(job: CppnFitJob, engine: Any) -> Callable[[list[Individual]], Any]:
    """How NEAT judges: as they are, trained first, or at several shared weights."""
    from evoart.search.neat import Judged

    def plainly(some: list[Individual]) -> Judged:
        losses = engine.judge(some)
        return Judged(list(some), losses, losses, len(some))

    def trained(some: list[Individual]) -> Judged:
        steps = int(job.setting("steps"))
        better, losses = engine.train(some, steps, job.setting("rate"))
        return Judged(better, losses, losses, len(some) * (steps + 1))

    def agnostic(some: list[Individual]) -> Judged:
        """Chosen by the mean over all shared weights, shown at the best one."""
        many = [(graph, _with_weight(genome, w)) for graph, genome in some for w in SHARED_WEIGHTS]
        losses = engine.judge(many).reshape(len(some), len(SHARED_WEIGHTS))
        best = losses.argmin(1)
        shown = [many[i * len(SHARED_WEIGHTS) + w] for i, w in enumerate(best)]
        return Judged(shown, losses.min(1), losses.mean(1), len(many))

    if job.topology == "agnostic":
        return agnostic
    return trained if job.weights == "gradient" else plainly


def _with_weight(genome: Genome, weight: float) -> Genome:
    out = np.array(genome, np.float32)
    out[-1] = weight
    return out
