"""From prompts to the search that will work on them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.engine.clip import ClipEngine
from evoart.engine.sharded import over_devices
from evoart.errors import UsageError
from evoart.run.clip.problem import GENERATIONS, ClipProblem

if TYPE_CHECKING:
    from evoart.types import Search

DEFAULT_STRATEGY = "pgpe"
TRIAL = 0.25  # of the planned generations, after which the best of several starts goes on alone
FAINT = 0.15  # opacity of the first shapes at most: what is not needed is then hardly seen


def build_search(problem: ClipProblem) -> Search:
    """The search that the problem's job asks for, at its beginning.

    Raises:
        UsageError: unknown strategy or option, a search that does not go with the form.
    """
    job = problem.job
    if job.preset == "es-clip":
        return _es_clip(problem)
    engine, planned = engine_of(problem, problem.form), plan(problem)
    if job.starts == 1:
        return _limited(_search(problem, engine, planned, 0), problem)
    from evoart.search.multistart import Starts

    trial = round(TRIAL * planned)
    return _limited(Starts(lambda i: _search(problem, engine, planned, i), job.starts, trial), problem)


def _search(problem: ClipProblem, engine: Any, planned: int, i: int) -> Any:
    """The search from the ``i``-th start."""
    job, start = problem.job, first_guess(problem, i)
    seed = job.seed if i == 0 else int(np.random.default_rng([job.seed or 0, i]).integers(2**32))
    if job.search == "classical":
        from evoart.search.stochastic_es import Noisy

        return Noisy(engine, job.strategy or DEFAULT_STRATEGY, job.population, seed, start, _options(problem), planned)
    if job.search == "surrogate":
        from evoart.forms.boxes import boxes
        from evoart.search.surrogate import Surrogate

        if problem.form.name != "shapes":
            raise UsageError(f"the search 'surrogate' does not work with {problem.form.name}", "Use --search gradient")
        return Surrogate(engine, boxes, seed, start, population=job.population, step=job.step, generations=planned)
    from evoart.search.stochastic_gradient import Ascent

    return Ascent(engine, seed, start, job.step, planned)


def engine_of(problem: ClipProblem, form: Any) -> Any:
    """What draws and judges genomes of ``form``, over all devices there are."""
    w, h = problem.pixels
    return over_devices(ClipEngine(form, problem.score, h, w, problem.job.seed or 0))


def pruned(problem: ClipProblem, form: Any, genome: np.ndarray) -> tuple[Any, np.ndarray]:
    """Form and genome without the shapes that the job's models hardly miss."""
    from evoart.search.prune import needed

    # What is left out is there and not seen, so that all candidates are genomes of one form.
    unseen = dataclasses.replace(form, opacity=(0.0, form.opacity[1]))
    rows = np.asarray(genome, np.float32).reshape(form.groups, -1)
    rows = np.concatenate([rows[:, :-1], np.clip(rows[:, -1:], *form.opacity)], 1)

    def without(gone: list[int]) -> np.ndarray:
        some = rows.copy()
        some[gone, -1] = 0
        return some.ravel()

    kept = needed(engine_of(problem, unseen).losses, without, form.groups, problem.job.prune)
    if len(kept) == form.groups:
        return form, genome
    return form.with_kinds(tuple(form.kinds[i] for i in kept)), rows[kept].ravel()


def plan(problem: ClipProblem) -> int:
    """Generations that the search plans for: a clock may end it earlier, and then a recipe still knows the plan."""
    job = problem.job
    return int(job.options.get("planned") or job.generations or GENERATIONS[job.search][job.quality])


def first_guess(problem: ClipProblem, i: int = 0) -> np.ndarray:
    """The ``i``-th genome ``(dim,)`` to start from: the start's, or a random one."""
    if problem.start is not None:
        return problem.start
    genome = problem.form.random(np.random.default_rng([problem.job.seed or 0, i]))
    if problem.form.name == "shapes":
        rows = genome.reshape(problem.form.groups, -1)
        rows[:, -1] = np.clip(FAINT, *problem.form.opacity)
    return genome


def _es_clip(problem: ClipProblem) -> Search:
    """ES-CLIP's own parametrisation, reported in ours."""
    from evoart.forms.esclip import OPTIONS, EsClipForm
    from evoart.search.reparametrised import Translated
    from evoart.search.stochastic_es import Noisy

    job = problem.job
    if problem.form.name != "shapes" or problem.start is not None:
        raise UsageError(
            "ES-CLIP's parametrisation starts from nothing and draws triangles", "Leave out --preset es-clip"
        )
    form = EsClipForm(problem.form, job.opacity[1])
    options = (OPTIONS if job.strategy == "pgpe" else {}) | _options(problem)
    start = form.random(np.random.default_rng(job.seed))
    search = Noisy(
        engine_of(problem, form), job.strategy or "pgpe", job.population, job.seed, start, options, plan(problem)
    )
    return Translated(_limited(search, problem), form.to_plain)


def _limited(search: Any, problem: ClipProblem) -> Any:
    job = problem.job
    search.stop_after(job.generations, job.evaluations)
    search.settled = {"planned": float(plan(problem))}
    return search


def _options(problem: ClipProblem) -> dict[str, Any]:
    job = problem.job
    given = {name: value for name, value in job.options.items() if name != "planned"}
    return given | ({"step": job.step} if job.step is not None else {})
