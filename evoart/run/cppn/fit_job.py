"""Jobs of ``evoart cppn fit``: a photograph, drawn by a network."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from evoart.errors import UsageError, unknown
from evoart.run import fields
from evoart.run.cppn.job import NetworkJob
from evoart.run.job import PhotographJob

if TYPE_CHECKING:
    from evoart.cppn.graph import Graph
    from evoart.cppn.layers import Layers
    from evoart.score.pixel import Loss


GRADIENT = {"rate": 0.02, "steps": 4_000.0}  # the settings of training a fixed network; the rate falls over the steps
NEAT = {  # those of NEAT: of training, of the population, and how often each mutation happens
    "steps": 100.0, "rate": 0.05, "species": 6.0, "survivors": 0.3, "crossing": 0.5,
    "node": 0.4, "link": 0.6, "activation": 0.15, "toggle": 0.03,
}  # fmt: skip


@dataclass(frozen=True)
class CppnFitJob(PhotographJob, NetworkJob):
    """``evoart cppn fit``: a photograph drawn by a network.

    Attributes:
        picture, sha256: path of the photograph (``""``: the bundled one, ``"-"``: standard input) and its hash.
        weights: how they are found: ``gradient``, or ``evolve``.
        strategy: evosax strategy that evolves the weights of layers.
        population: candidates per generation, 4 to 65,536.
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
        "aspect": fields.Aspect(math.inf),  # the photograph's, which nobody chose
    }

    picture: str = ""
    sha256: str = ""
    weights: str = "gradient"
    strategy: str | None = None
    population: int | None = None
    step: float | None = None
    pixels: int | None = None
    loss: Loss = "mse"
    until_psnr: float | None = None
    max_pixels: int | None = None
    layers: str = "32x4"
    latent: int = 0

    @property
    def trains_layers(self) -> bool:
        """Whether the weights of fixed layers are found by gradient."""
        return self.topology == "layers" and self.weights == "gradient"

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.strategy is not None and (self.topology != "layers" or self.weights != "evolve"):
            raise UsageError(
                f"--strategy {self.strategy} is for layers whose weights evolve",
                f"Use --topology layers --weights evolve --strategy {self.strategy}",
            )
        if self.topology == "agnostic" and self.weights == "gradient":
            raise UsageError("a weight-agnostic network has no weights to train", "Add --weights evolve")
        if self.trains_layers and self.population is not None:
            raise UsageError("training layers has no population", "Leave out --population, or use --weights evolve")
        known = GRADIENT if self.topology == "layers" else NEAT
        if self.topology == "layers" and self.weights == "evolve":
            return  # options are the strategy's
        for name, value in self.options.items():
            if name not in known:
                raise unknown("setting", name, known)
            if isinstance(value, str) or not 0 <= value <= 1e6 or (name == "steps" and value < 1):
                raise UsageError(f"{name}={value} is out of range", "Use a number from 0 to 1,000,000, 1 step at least")

    def architecture(self) -> Layers | Graph:
        """As of any job, but that layers are sines where nobody says: with them a photograph is fitted best."""
        if self.topology == "layers" and self.activations is None:
            return dataclasses.replace(self, activations="sine").architecture()
        return super().architecture()

    def setting(self, name: str) -> float:
        """One of ``GRADIENT`` or ``NEAT``: as given, or as usual."""
        usual = (GRADIENT if self.topology == "layers" else NEAT)[name]
        return float(self.options.get(name, usual))

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        kind = {"layers": f"layers of {self.layers}", "graph": "evolved topologies"}
        how = "by gradient" if self.weights == "gradient" else "by evolution"
        return f"{self.subject}, {kind.get(self.topology, 'one weight for all links')}, {how}"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.stem}, drawn by {label}"
