"""From a problem to the search that will work on it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.engine.jax_setup import setup
from evoart.forms.shapes import ShapesForm
from evoart.run import device
from evoart.run.fit.problem import FitProblem
from evoart.score.pixel import Target

if TYPE_CHECKING:
    from evoart.search.grow import Grow
    from evoart.search.plan import Plan
    from evoart.types import Search

_FUSED = 2048  # shapes whose sets are found on the device: it looks at every pair of them, in every candidate
DEFAULT_STRATEGY = "snes"  # the best of evosax where a candidate has one number


def build_search(problem: FitProblem) -> Search:
    """The search that the problem's job asks for, at its beginning.

    Raises:
        UsageError: unknown strategy or option, an engine or device that does not fit.
        EvoartError: a GPU that is not there.
    """
    job = problem.job
    device.limit_threads(job.threads)
    choice = device.choose(job)
    if job.search == "sets" or (job.search == "evolve" and job.finish == "none"):
        return _sets(problem, choice)
    if job.search == "evolve":
        from evoart.search.plan import plan_for

        groups, started = problem.form.groups, len(problem.start[0]) if problem.start else 0
        how = {"missing": groups - started, "kinds": len(problem.choices), "options": job.options}
        # Whoever sets a part of the plan has made it: a time then only ends the run.
        seconds = None if job.options else job.seconds
        plan = plan_for(job.quality, groups, evaluations=job.evaluations, **how)
        return _grow(problem, plan, seconds=seconds, on_device=choice.engine == "dense")
    setup()
    return _es_clip(problem, choice) if job.preset == "es-clip" else _strategic(problem, choice)


def _grow(
    problem: FitProblem, plan: Plan, gradient: bool = True, seconds: float | None = None, on_device: bool = False
) -> Grow:
    """Grow and refine: asks a studio, on the CPU's kernels or on a device, and chooses kinds itself."""
    from evoart.engine.placement import Studio, warm
    from evoart.search.grow import Grow

    job, form = problem.job, problem.form
    low, high = form.opacity
    warm()
    studio: Any = Studio
    if on_device:
        from evoart.engine.placement_jax import DeviceStudio

        studio = partial(DeviceStudio, kinds=problem.choices + form.kinds, groups=form.groups)
    return Grow(
        studio(form, coarser(problem.target, max(problem.canvas) / _coarse(problem))),
        studio(form, problem.target),
        problem.choices,
        form.groups,
        {kind: scale_of(form, kind) for kind in problem.choices + form.kinds},
        np.array([[0, 0, 0, low], [1, 1, 1, high]], np.float32),
        form.geometry,
        job.seed,
        plan=plan,
        start=problem.start,
        gradient=gradient,
        free_colours=form.palette is None,
        seconds=seconds,
    )


def _coarse(problem: FitProblem) -> float:
    """Long side of the canvas to grow on, where a step costs a quarter or less: room for every shape."""
    return min(float(max(problem.canvas)), max(128.0, 4 * problem.form.groups**0.5))


def _sets(problem: FitProblem, choice: device.Choice) -> Search:
    """Evolution without gradients: grow, then refine jointly by independent sets."""
    from evoart.forms.boxes import boxes
    from evoart.search.independent_sets import Sets
    from evoart.search.plan import Plan
    from evoart.search.sequential import Chain

    job, groups = problem.job, problem.form.groups

    def refine(kinds: tuple[str, ...], genome: np.ndarray, grown: tuple[int, int]) -> Sets:
        engine = device.make(choice, problem.form.with_kinds(kinds), problem.target)
        if not engine.traceable or len(kinds) > _FUSED:
            return Sets(engine, job.population, job.seed, genome, search_options(problem), boxes)
        from evoart.search.independent_sets_jax import FusedSets

        search = FusedSets(engine, job.population, job.seed, genome, search_options(problem), boxes)
        left = (limit and limit - spent for limit, spent in zip((job.generations, job.evaluations), grown, strict=True))
        search.stop_after(*left)
        return search

    plan = Plan(stages=1, cycles=0, finish=0)
    plan = plan.looking(0.3 * (job.evaluations or groups * 5000) / groups, len(problem.choices))
    return Chain(_grow(problem, plan, gradient=False), refine)


def _strategic(problem: FitProblem, choice: device.Choice) -> Search:
    """A search over a fixed list of kinds: every shape is there from the first generation."""
    job = problem.job
    engine = device.make(choice, problem.form, problem.target)
    start, options = first_guess(problem), search_options(problem)
    if job.search == "classical":
        from evoart.search.classical import Classical

        search = Classical(engine, job.strategy or DEFAULT_STRATEGY, job.population, job.seed, start, options)
    else:
        from evoart.forms.boxes import boxes
        from evoart.search.regional import Regional

        name = job.strategy or DEFAULT_STRATEGY
        search = Regional(engine, name, job.population, job.seed, start, options, boxes)
    search.stop_after(job.generations, job.evaluations)
    return search


def _es_clip(problem: FitProblem, choice: device.Choice) -> Search:
    """ES-CLIP's own parametrisation, reported in ours."""
    from evoart.forms.esclip import OPTIONS, EsClipForm
    from evoart.search.classical import Classical
    from evoart.search.reparametrised import Translated

    job = problem.job
    form = EsClipForm(problem.form, job.opacity[1])
    engine = device.make(choice, form, problem.target)
    start = form.random(np.random.default_rng(job.seed))
    options = (OPTIONS if job.strategy == "pgpe" else {}) | search_options(problem)
    search = Classical(engine, job.strategy or "pgpe", job.population, job.seed, start, options)
    search.stop_after(job.generations, job.evaluations)
    return Translated(search, form.to_plain)


def search_options(problem: FitProblem) -> dict[str, Any]:
    """What a search over a fixed list of kinds is told beyond strategy, population and seed."""
    job = problem.job
    return dict(job.options) | ({"step": job.step} if job.step is not None else {})


def first_guess(problem: FitProblem) -> np.ndarray:
    """A genome ``(dim,)``: the start's shapes, then random ones coloured from the photograph."""
    rng = np.random.default_rng([problem.job.seed, 0])
    genome = problem.form.random(rng, problem.target.image)
    if problem.start:
        rows = genome.reshape(problem.form.groups, problem.form.dim_per_group)
        rows[: len(problem.start[0])] = problem.start[1]
    return genome


def scale_of(form: ShapesForm, kind: str) -> np.ndarray:
    """Natural step of every number of a kind's geometry."""
    alone = ShapesForm((kind,), form.width, form.height, None)
    return alone.steps()[: alone.geometry]


def coarser(target: Target, factor: float) -> Target:
    """The target on a canvas ``factor`` times smaller, every pixel the weighted mean of those it covers."""
    from PIL import Image

    h, w = target.weight.shape
    size = max(1, round(w / factor)), max(1, round(h / factor))

    def shrunk(plane: np.ndarray) -> np.ndarray:
        return np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(size, Image.Resampling.BOX))

    weight = shrunk(target.weight)
    planes = [shrunk(target.image[..., c] * target.weight) / np.maximum(weight, 1e-6) for c in range(3)]
    image = np.clip(np.stack(planes, -1), 0, 1).astype(np.float32)
    return replace(target, image=image, weight=(weight / weight.mean(dtype=np.float64)).astype(np.float32))
