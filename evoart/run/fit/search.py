"""From a problem to the search that will work on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import MARK
from evoart.engine.jax_setup import setup
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm, limits_of
from evoart.run import device
from evoart.run.device import Choice
from evoart.run.fit.engine import choose, make
from evoart.run.fit.job import FitJob
from evoart.score.pixel import Target

if TYPE_CHECKING:
    from evoart.engine.placement import PlacementCanvas
    from evoart.search.grow import Grow
    from evoart.search.plan import Plan
    from evoart.types import Search

_FUSED = 2048  # shapes whose sets are found on the device: it looks at every pair of them, in every candidate
DEFAULT_STRATEGY = "snes"  # the best of evosax where a candidate has one number


Start = tuple[tuple[str, ...], np.ndarray]  # kinds and genome rows ``(k, dim_per_group)`` to continue from


@dataclass(frozen=True, eq=False)
class SearchBuilder:
    """Builds the search of a job of ``evoart fit``; the fields are those of ``FitProblem``."""

    job: FitJob
    form: ShapesForm
    target: Target
    choices: tuple[str, ...]
    start: Start | None
    mirrored: bool = False  # shapes in pairs about the picture's middle, by the default search

    def build(self) -> Search:
        """The search that the job asks for, at its beginning.

        Raises:
            UsageError: unknown strategy or option, an engine or device that does not fit.
            EvoartError: a GPU that is not there.
        """
        job = self.job
        device.limit_threads(job.threads)
        choice = choose(job)
        if job.search == "sets" or (job.search == "evolve" and job.finish == "none"):
            return self._sets(choice)
        if job.search == "evolve":
            from evoart.search.plan import plan_for

            groups, started = self.form.groups, len(self.start[0]) if self.start else 0
            how = {"missing": groups - started, "kinds": len(self.choices), "options": job.options}
            # Options that set a part of the plan replace the clock: a time then only ends the run.
            seconds = None if job.options else job.seconds
            plan = plan_for(job.quality, groups, evaluations=job.evaluations, **how)
            grow = self._grow(plan, seconds=seconds, on_device=choice.engine == "dense")
            if not self.mirrored:
                return grow
            from evoart.run.fit.mirrored import Mirrored

            return cast("Search", Mirrored(grow, form=self.form))  # which is ``grow`` in everything else
        setup()
        if job.search == "waves":
            return self._waves()
        return self._es_clip(choice) if job.preset == "es-clip" else self._strategic(choice)

    def _grow(self, plan: Plan, gradient: bool = True, seconds: float | None = None, on_device: bool = False) -> Grow:
        """Grow and refine on a placement canvas, by the CPU's kernels or on a device; it chooses kinds itself."""
        from evoart.engine.placement import PlacementCanvas
        from evoart.run.fit.precompile import precompile
        from evoart.search.grow import Grow

        job, form = self.job, self.form
        kinds = self.kinds
        single = form.widens or self.target.loss != "mse" or seconds is not None or on_device or self.mirrored
        precompile(kinds, single)
        canvas: Any = PlacementCanvas
        if on_device:
            from evoart.engine.placement_jax import PlacementCanvasJax

            canvas = partial(PlacementCanvasJax, kinds=kinds, groups=form.groups)
        if self.mirrored:
            from evoart.engine.mirrored import MirroredCanvas

            canvas = MirroredCanvas
        coarse, fine = self.canvases(self.target, canvas)
        coarse.area = job.area
        return Grow(
            coarse,
            fine,
            self.choices,
            form.groups // 2 if self.mirrored else form.groups,
            self.scales,
            self.bounds,
            form.geometry,
            job.seeded,
            plan=plan,
            start=self.start,
            gradient=gradient,
            free_colours=form.palette is None,
            seconds=seconds,
            locked=self._locked(),
            paints=job.paints,
            limits={kind: limits_of(kind, form.geometry, form.opacity) for kind in kinds if MARK in kind},
        )

    def canvases(self, target: Target, canvas: Any = None) -> tuple[Any, Any]:
        """A small canvas to grow on and the full one to finish on, for the form and ``target``.

        Args:
            canvas: makes one of a form and a target; None: ``engine.placement.PlacementCanvas``.
        """
        small = coarser(target, max(target.weight.shape) / self._coarse())
        if canvas is None:
            return self.canvas(small), self.canvas(target)
        return canvas(self.form, small), canvas(self.form, target)

    def canvas(self, target: Target) -> PlacementCanvas:
        """What shapes are placed, polished and judged on, for the form and ``target``."""
        from evoart.engine.placement import PlacementCanvas

        return PlacementCanvas(self.form, target)

    @property
    def kinds(self) -> tuple[str, ...]:
        """All kinds that shapes may be of: to choose from, in one colour or two, and of the start."""
        filled = [kind for kind in self.choices if shape(kind).filled]
        return (
            self.choices + self.form.kinds + tuple(kind + MARK + paint for kind in filled for paint in self.job.paints)
        )

    @property
    def scales(self) -> dict[str, np.ndarray]:
        """Natural step of every number of each kind's geometry."""
        return {kind: scale_of(self.form, kind) for kind in self.kinds}

    @property
    def bounds(self) -> np.ndarray:
        """Lowest and highest value of red, green, blue and opacity ``(2, 4)``."""
        low, high = self.form.opacity
        return np.column_stack([self.target.colours, np.array([low, high], np.float32)])

    def _locked(self) -> np.ndarray | None:
        """Which shapes of the start stay as they are ``(k,)``: those named, and those outside the area to work on.

        Raises:
            UsageError: one that is not there.
        """
        from evoart.forms.boxes import boxes
        from evoart.run.fit.edits import numbers_of

        job = self.job
        if self.start is None or not (job.lock or job.area):
            return None
        kinds, rows = self.start
        locked = np.zeros(len(kinds), bool)
        if job.lock:
            numbers = numbers_of("--lock", job.lock)
            if numbers[-1] > len(kinds):
                raise UsageError(f"there is no shape {numbers[-1]} to lock", f"The start has {len(kinds)}")
            locked[np.array(numbers) - 1] = True
        if job.area:
            box = np.clip(boxes(self.form.with_kinds(kinds), rows.reshape(1, -1), np)[0], 0, 1)
            low, high = np.maximum(box[:, :2], job.area[:2]), np.minimum(box[:, 2:], job.area[2:])
            inside = np.prod(np.maximum(high - low, 0), -1)
            locked |= inside < 0.5 * np.prod(box[:, 2:] - box[:, :2], -1) + 1e-9
        return locked

    def _coarse(self) -> float:
        """Long side of the canvas to grow on, where a step costs a quarter or less: room for every shape."""
        return min(float(max(self.target.weight.shape)), max(128.0, 4 * self.form.groups**0.5))

    def _sets(self, choice: Choice) -> Search:
        """Evolution without gradients: grow, then refine jointly by independent sets."""
        from evoart.forms.boxes import boxes
        from evoart.search.independent_sets import IndependentSets
        from evoart.search.plan import Plan
        from evoart.search.sequential import Sequential

        job, groups = self.job, self.form.groups

        def refine(kinds: tuple[str, ...], genome: np.ndarray, grown: tuple[int, int]) -> IndependentSets:
            engine = make(choice, self.form.with_kinds(kinds), self.target)
            if not engine.traceable or len(kinds) > _FUSED:
                return IndependentSets(engine, job.population, job.seeded, genome, self.job.search_options(), boxes)
            from evoart.search.independent_sets_jax import IndependentSetsJax

            search = IndependentSetsJax(engine, job.population, job.seeded, genome, self.job.search_options(), boxes)
            left = (
                limit and limit - spent for limit, spent in zip((job.generations, job.evaluations), grown, strict=True)
            )
            search.stop_after(*left)
            return search

        plan = Plan(stages=1, cycles=0, finish=0)
        plan = plan.with_effort(0.3 * (job.evaluations or groups * 5000) / groups, len(self.choices))
        return Sequential(self._grow(plan, gradient=False), refine)

    def _waves(self) -> Search:
        """The default search in device programs."""
        from evoart.engine.waves import WaveCanvas
        from evoart.search.plan import PLANS
        from evoart.search.waves import Waves

        job, form = self.job, self.form
        kinds = tuple(dict.fromkeys(self.choices + form.kinds))
        if any(MARK in kind for kind in kinds):
            raise UsageError("the search 'waves' knows shapes of one colour only", "Leave out --search waves")
        plan, missing = PLANS[job.quality].scaled(form.groups), form.groups - (len(self.start[0]) if self.start else 0)
        if job.evaluations is not None and "stages" not in job.options:
            # How hard a shape is sought is a part of the program, which serves every budget.
            plan = plan.for_rest(job.evaluations, form.groups, missing, len(kinds))
        plan = plan.with_options(job.options, len(kinds))
        scales = np.zeros((len(kinds), form.geometry), np.float32)
        places = np.zeros((len(kinds), 2, form.geometry), np.float32)
        for i, kind in enumerate(kinds):
            roles = [parameter.role for parameter in shape(kind).parameters]
            scales[i, : len(roles)] = scale_of(form, kind)[: len(roles)]
            places[i, :, : len(roles)] = [[role == axis for role in roles] for axis in ("x", "y")]
        return Waves(
            *self.canvases(self.target, partial(WaveCanvas, kinds=kinds, shapes=form.groups)),
            form.groups,
            scales,
            places,
            sample_around_origin,
            self.bounds,
            job.seeded,
            plan,
            start=self.start,
            free_colours=form.palette is None,
        )

    def _strategic(self, choice: Choice) -> Search:
        """A search over a fixed list of kinds: every shape is there from the first generation."""
        job = self.job
        engine = make(choice, self.form, self.target)
        start, options = self.first_guess(), self.job.search_options()
        if job.search == "classical":
            from evoart.search.classical import Classical

            search = Classical(engine, job.strategy or DEFAULT_STRATEGY, job.population, job.seeded, start, options)
        else:
            from evoart.forms.boxes import boxes
            from evoart.search.regional import Regional

            name = job.strategy or DEFAULT_STRATEGY
            search = Regional(engine, name, job.population, job.seeded, start, options, boxes)
        search.stop_after(job.generations, job.evaluations)
        return search

    def _es_clip(self, choice: Choice) -> Search:
        """ES-CLIP's own parametrisation, reported in ours."""
        from evoart.forms.esclip import OPTIONS, EsClipForm
        from evoart.search.classical import Classical
        from evoart.search.reparametrised import Reparametrised

        job = self.job
        form = EsClipForm.of(self.form, job.opacity[1])
        engine = make(choice, form, self.target)
        start = form.random(np.random.default_rng(job.seeded))
        options = (OPTIONS if job.strategy == "pgpe" else {}) | self.job.search_options()
        search = Classical(engine, job.strategy or "pgpe", job.population, job.seeded, start, options)
        search.stop_after(job.generations, job.evaluations)
        return cast("Search", Reparametrised(search, form.in_units))  # which is ``search`` in everything else

    def first_guess(self) -> np.ndarray:
        """A genome ``(dim,)``: the start's shapes, then random ones coloured from the photograph."""
        rng = np.random.default_rng([self.job.seeded, 0])
        genome = self.form.random(rng, self.target.image)
        if self.start:
            rows = genome.reshape(self.form.groups, self.form.dim_per_group)
            rows[: len(self.start[0])] = self.start[1]
        return genome


def sample_around_origin(rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
    """Random shapes ``(n, geometry)`` around the origin, of the sizes of ``PlacementCanvas.sample``."""
    from evoart.engine.placement import LARGE, SMALL

    size = np.exp(rng.uniform(np.log(SMALL), np.log(LARGE), n))
    return shape(kind).sample(rng, np.zeros((n, 2)), size)


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
    low, high = min(0.0, *target.matte), max(1.0, *target.matte)
    image = np.clip(np.stack(planes, -1), low, high).astype(np.float32)
    return replace(target, image=image, weight=(weight / weight.mean(dtype=np.float64)).astype(np.float32))
