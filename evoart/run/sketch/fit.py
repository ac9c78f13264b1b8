"""``evoart fit --form sketch``: a photograph drawn by a pen whose strokes, noise or latent vectors evolve."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from evoart.errors import UsageError
from evoart.forms.pens import COUNTS, is_pen, pen_form
from evoart.run import fields
from evoart.run.device import Choice, choose_jax
from evoart.run.fit.job import FitJob
from evoart.run.fit.problem import FitProblem
from evoart.types import Search, TracedForm

DEFAULT_STRATEGY = "snes"
POPULATION = 32  # a drawing costs more than a vector, and a generation must end before one loses patience


@dataclass(frozen=True)
class PenFitJob(FitJob):
    """A job of ``evoart fit`` with a pen. What is said there holds, but for the search, which is a strategy of evosax.

    Attributes:
        form: ``strokes``; ``sketch``, ``sketch:MODEL`` (noise evolves), ``sketch:MODEL.z`` (latent vectors).
        shapes: how many strokes or sketches.
        line: width of the lines in percent of the long side.
        ink: their colour.
    """

    command: ClassVar[str] = "fit-pen"
    presets: ClassVar = {}
    checks: ClassVar = FitJob.checks | {
        "form": fields.named,
        "line": fields.Number(0.05, 20.0, "percent", kind=float),
        "ink": lambda name, value: fields.colour(value, name),
        "search": fields.Choice(("classical",)),
    }

    form: str = "sketch"
    search: str = "classical"
    background: str = "#ffffff"
    line: float = 0.6
    ink: str = "#000000"

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not is_pen(self.form):
            raise UsageError(f"there is no form '{self.form}' to fit", "Use shapes, sketch, sketch:MODEL or strokes")
        if self.palette is not None or self.preset is not None or self.start is not None:
            what = "--palette" if self.palette else "--preset" if self.preset else "--start"
            raise UsageError(f"{what} does not go with a pen", "Leave it out")
        if self.engine != "auto":
            raise UsageError(f"the {self.engine} engine draws shapes only", "Leave out --engine")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return self.form.partition(":")[0]

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        name = {"": "the bundled photograph", "-": "standard input"}.get(self.picture, self.picture)
        what = "sketches" if self.form_name == "sketch" else "strokes"
        return f"{name}, {self.shapes or COUNTS[self.form_name]:,} {what} ({self.form})"

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """See ``Job.implied``: nothing."""
        return given


@dataclass(frozen=True, eq=False, kw_only=True)
class PenFitProblem(FitProblem):
    """A photograph to be drawn by a pen."""

    job: PenFitJob
    form: TracedForm

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        return Choice("images", choose_jax(self.job.device).device, "pens are drawn in JAX")

    def search(self) -> Search:
        """See ``Problem.search``: a strategy of evosax over images of pens."""
        from evoart.engine.images import ImagesEngine
        from evoart.engine.sharded import over_devices
        from evoart.run import device
        from evoart.score.pixel import PixelScore
        from evoart.search.classical import Classical

        job, seed = self.job, self.job.seed or 0
        device.limit_threads(job.threads)
        engine = over_devices(ImagesEngine(self.form, PixelScore(self.target), self.resolution))
        start = self.form.random(np.random.default_rng([seed, 0]), self.target.image)
        name, population = job.strategy or DEFAULT_STRATEGY, job.population or POPULATION
        search = Classical(engine, name, population, seed, start, job.search_options())
        search.stop_after(job.generations, job.evaluations)
        return search

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"picture": self.job.picture or "the bundled photograph", "form": self.job.form}

    @classmethod
    def prepare(cls, job: PenFitJob, source: Any = None) -> Self:
        """Read the photograph and settle the job; see ``FitProblem.prepare``.

        Raises:
            UsageError, EvoartError: a picture or a model that cannot be used.
        """
        from evoart.engine.jax_setup import setup

        setup()
        job = dataclasses.replace(job, shapes=job.shapes or COUNTS[job.form_name])
        shaped = super().prepare(job, source)
        background = getattr(shaped.form, "background", None) if job.background != "transparent" else None
        form = pen_form(
            job.form,
            job.shapes,
            shaped.form.width,
            shaped.form.height,
            line=job.line / 100,
            background=background,
            **({"ink": fields.rgb(job.ink)} if job.form_name == "sketch" else {"palette": (fields.rgb(job.ink),)}),
        )
        return dataclasses.replace(shaped, form=form, choices=())
