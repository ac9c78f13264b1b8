"""What a job of ``evoart grow`` means: a picture in cells, and a search for a rule by which it grows from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from evoart.automaton import rule
from evoart.forms.automaton import AutomatonForm
from evoart.run.automaton.job import AutomatonJob
from evoart.run.automaton.target import read_subject
from evoart.run.device import Choice
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.problem import Film, Problem
from evoart.types import Genome, Search

SIZE = 512  # pixels of the long side of a picture, about
LATE = 1000  # steps after which it is measured whether a picture holds


@dataclass(frozen=True, eq=False, kw_only=True)
class AutomatonProblem(Problem):
    """A picture to grow.

    Attributes:
        target: colour times opacity, and opacity, of every cell, ``(rows, columns, 4)`` float32.
    """

    job: AutomatonJob
    form: AutomatonForm
    target: np.ndarray

    @classmethod
    def prepare(cls, job: AutomatonJob, source: Any = None) -> Self:
        """Read what is to grow.

        Raises:
            UsageError, EvoartError: a picture that cannot be used, words that are not known.
        """
        job = job.with_seed()
        subject = read_subject(job, source)
        check_hash("picture", job.picture, subject.sha256, job.sha256)
        job = replace(job, sha256=subject.sha256, generations=job.updates)
        rows, columns = subject.cells.shape[:2]
        form = AutomatonForm(rows, columns, job.hidden, job.age, job.seeded)
        natural = max(rows, columns) * max(1, round(SIZE / max(rows, columns)))  # whole pixels a cell
        size = output_size(form.width, form.height, job.size or natural)
        return cls(job=job, form=form, target=subject.cells, size=size, name=job.stem, notes=subject.notes)

    @classmethod
    def restore(
        cls, job: AutomatonJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any
    ) -> Self:
        """See ``Problem.restore``."""
        form, target = common["form"], np.asarray(arrays["target"], np.float32)
        if target.shape != (form.rows, form.columns, 4):
            raise ValueError("the target has another shape")
        return cls(job=job, target=target, **common)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``."""
        return {}, {"target": self.target}

    @property
    def resolution(self) -> tuple[int, int]:
        """See ``Problem.resolution``."""
        return self.form.columns, self.form.rows

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        import jax

        return Choice("automaton", jax.default_backend(), "the only one")

    def search(self) -> Search:
        """See ``Problem.search``."""
        from evoart.engine.jax_setup import setup
        from evoart.run.automaton.training import GradientTraining, GrowthEngine
        from evoart.search.stochastic_es import StochasticES

        setup()
        job = self.job
        if job.strategy is None:
            return GradientTraining(job, self.form, self.target)
        start = self.form.random(np.random.default_rng([job.seeded, 0]))
        engine = GrowthEngine(self.form, self.target)
        search = StochasticES(engine, job.strategy, job.population, job.seeded, start, job.options, job.updates)
        search.stop_after(job.updates, job.evaluations)
        return search

    def figures(self, search: Search) -> dict[str, float]:
        """See ``Problem.figures``: the loss, a mean square over colours and opacity."""
        return {"loss": float(search.loss)}

    def evaluate(self, form: AutomatonForm, genome: Genome) -> dict[str, float]:
        """PSNR in dB on white: ``psnr`` of the picture as it is written, ``held`` after 1,000 steps, and ``healed`` 100
        steps after a wound that it has then, the mean over five wounds."""
        cells = rule.seed_cell(form.rows, form.columns)
        ages = sorted({form.age, LATE})
        found, before = {}, 0
        for age in ages:
            cells, before = rule.simulate(genome, cells, form.seed, before, age), age
            found[age] = cells
        healed = [
            rule.simulate(genome, rule.wound(found[LATE], *each), form.seed, LATE, LATE + rule.HEALING)
            for each in rule.judged_wounds(form.rows, form.columns)
        ]
        return {
            "psnr": measure_likeness(found[form.age], self.target),
            "held": measure_likeness(found[LATE], self.target),
            "healed": float(np.mean([measure_likeness(each, self.target) for each in healed])),
        }

    @property
    def film(self) -> Film:
        """It grows, is wounded and heals."""
        return Film(lambda form, genome: self.form.frames(genome))

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"target": self.job.picture or self.job.words, "updates": self.job.updates}


def measure_likeness(state: np.ndarray, target: np.ndarray) -> float:
    """PSNR in dB of cells ``(1, rows, columns, 16)`` to a target ``(rows, columns, 4)``, both on white."""
    a, b = (cells[..., :3] + 1 - cells[..., 3:] for cells in (rule.shown(state)[0], target))
    return float(-10 * np.log10(max(float(((a - b) ** 2).mean()), 1e-10)))
