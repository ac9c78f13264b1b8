"""From prompts to the search that will work on them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from evoart.engine.clip import APART, ClipEngine
from evoart.engine.sharded import over_devices
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm
from evoart.run.clip.job import GENERATIONS, ClipJob
from evoart.score.clip import ClipScore
from evoart.types import Form, Genome

if TYPE_CHECKING:
    from evoart.types import Search

DEFAULT_STRATEGY = "pgpe"
TRIAL = 0.25  # of the planned generations, after which the best of several starts continues alone
FOLLOW, FOLLOW_STEP = 8, 0.08  # of a draft: steps for each derivative by the pixels, and their learning rate
LARGE = 1e9  # operations to look at one crop, from which on a derivative is followed
FAINT = 0.15  # opacity of the first shapes at most: what is not needed is then hardly seen


@dataclass(frozen=True, eq=False)
class SearchBuilder:
    """Builds the search of a job of ``evoart clip``; the fields are those of ``ClipProblem``."""

    job: ClipJob
    form: Form
    score: ClipScore
    pixels: tuple[int, int]
    start: Genome | None = None

    def build(self) -> Search:
        """The search that the job asks for, at its beginning.

        Raises:
            UsageError: unknown strategy or option, a search that does not go with the form.
        """
        job = self.job
        if job.preset == "es-clip":
            return self._es_clip()
        engine, planned = self.build_engine(self.form), self.plan()
        if job.restarts == 1:
            return self._limit(self._search(engine, planned, 0))
        from evoart.search.multistart import MultiStart

        trial = round(TRIAL * planned)
        return self._limit(MultiStart(lambda i: self._search(engine, planned, i), job.restarts, trial))

    def _search(self, engine: Any, planned: int, i: int) -> Any:
        """The search from the ``i``-th start."""
        job, start = self.job, self.first_guess(i)
        seed = job.seeded if i == 0 else int(np.random.default_rng([job.seeded, i]).integers(2**32))
        if job.search == "classical":
            from evoart.search.stochastic_es import StochasticES

            return StochasticES(
                engine, job.strategy or DEFAULT_STRATEGY, job.population, seed, start, self._options(), planned
            )
        if job.search == "surrogate":
            from evoart.forms.boxes import boxes
            from evoart.search.surrogate import Surrogate

            if self.form.name != "shapes":
                raise UsageError(f"the search 'surrogate' does not work with {self.form.name}", "Use --search gradient")
            return Surrogate(engine, boxes, seed, start, population=job.population, step=job.step, generations=planned)
        from evoart.search.stochastic_gradient import StochasticGradient

        if self._follows:
            return StochasticGradient(engine, seed, start, job.step or FOLLOW_STEP, planned, FOLLOW)
        return StochasticGradient(engine, seed, start, job.step, planned)

    @property
    def _follows(self) -> bool:
        """Whether a derivative by the pixels is followed for several steps: in drafts of shapes, by models that cost
        far more than drawing (to be measured by: benchmarks/clip.py draft)."""
        large = sum(getattr(model, "work", LARGE) for model in self.score.models) >= LARGE
        return large and self.form.name == "shapes" and self.job.quality == "draft"

    def build_engine(self, form: Any) -> Any:
        """What draws and judges genomes of ``form``, over all available devices."""
        w, h = self.pixels
        apart = APART if self.job.patience is None else 1  # patience waits for a gain, which is to be seen at once
        return over_devices(ClipEngine(form, self.score, h, w, self.job.seeded, apart))

    def prune(self, form: Any, genome: np.ndarray) -> tuple[Any, np.ndarray]:
        """Form and genome without the shapes that the job's models hardly miss."""
        from evoart.search.prune import find_needed

        # What is left out is there and not seen, so that all candidates are genomes of one form.
        unseen = dataclasses.replace(form, opacity=(0.0, form.opacity[1]))
        rows = np.asarray(genome, np.float32).reshape(form.groups, -1)
        rows = np.concatenate([rows[:, :-1], np.clip(rows[:, -1:], *form.opacity)], 1)

        def without(gone: list[int]) -> np.ndarray:
            some = rows.copy()
            some[gone, -1] = 0
            return some.ravel()

        kept = find_needed(self.build_engine(unseen).losses, without, form.groups, self.job.prune)
        if len(kept) == form.groups:
            return form, genome
        return form.with_kinds(tuple(form.kinds[i] for i in kept)), rows[kept].ravel()

    def plan(self) -> int:
        """Generations that the search plans for: a clock may end it earlier, and then a recipe still knows the plan."""
        job = self.job
        return int(job.options.get("planned") or job.generations or GENERATIONS[job.search][job.quality])

    def first_guess(self, i: int = 0) -> np.ndarray:
        """The ``i``-th genome ``(dim,)`` to start from: the start's, or a random one."""
        if self.start is not None:
            return self.start
        genome = self.form.random(np.random.default_rng([self.job.seeded, i]))
        if isinstance(self.form, ShapesForm):
            rows = genome.reshape(self.form.groups, -1)
            rows[:, -1] = np.clip(FAINT, *self.form.opacity)
        return genome

    def _es_clip(self) -> Search:
        """ES-CLIP's own parametrisation, reported in ours."""
        from evoart.forms.esclip import OPTIONS, EsClipForm
        from evoart.search.reparametrised import Reparametrised
        from evoart.search.stochastic_es import StochasticES

        job = self.job
        if not isinstance(self.form, ShapesForm) or self.start is not None:
            raise UsageError(
                "ES-CLIP's parametrisation starts from nothing and draws triangles", "Leave out --preset es-clip"
            )
        form = EsClipForm.of(self.form, job.opacity[1])
        options = (OPTIONS if job.strategy == "pgpe" else {}) | self._options()
        start = form.random(np.random.default_rng(job.seeded))
        search = StochasticES(
            self.build_engine(form), job.strategy or "pgpe", job.population, job.seeded, start, options, self.plan()
        )
        self._limit(search)
        return cast("Search", Reparametrised(search, form.in_units))  # which is ``search`` in everything else

    def _limit(self, search: Any) -> Any:
        """The search, told the job's limits and the plan that a recipe has to know."""
        search.stop_after(self.job.generations, self.job.evaluations)
        search.resolved = {"planned": float(self.plan())}
        return search

    def _options(self) -> dict[str, Any]:
        job = self.job
        given = {name: value for name, value in job.options.items() if name != "planned"}
        return given | ({"step": job.step} if job.step is not None else {})
