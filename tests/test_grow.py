"""The default search, on a picture made in code: it improves, repeats, resumes, and keeps to what it was told."""

from __future__ import annotations

import io
import json
import time as module_of_time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evoart.draw.shapes import MIXED
from evoart.engine.placement import PlacementCanvas
from evoart.run import recipe as recipes
from evoart.run.fit.problem import FitProblem
from evoart.run.job import Job
from evoart.run.problem import prepare
from evoart.search import plan as module
from evoart.search.options import GROWING
from evoart.search.place import Effort
from evoart.search.plan import PLANS, Plan, plan_for
from evoart.types import Search

TINY = Plan(stages=2, stage_steps=12, cycles=2, cycle_steps=12, finish=12, effort=Effort(60, 4, 4, 3))


@pytest.fixture
def begin(photo, monkeypatch) -> Callable[..., tuple[Search, FitProblem]]:
    """A search over ``photo`` with little to do, and its problem, from options of a job."""

    def start(plan: Plan = TINY, **options) -> tuple[Search, FitProblem]:
        monkeypatch.setitem(module.PLANS, "draft", plan)
        given = {"shapes": 6, "pixels": 48, "seed": 1, "quality": "draft"} | options
        problem = prepare(Job.make(**given), photo)
        return problem.search(), problem

    return start


ENOUGH = 6_000  # evaluations after which a search that never ends by itself is stopped, as the run loop would


def over(search: Search) -> bool:
    return search.done or search.evaluations >= ENOUGH


def finished(search: Search) -> Search:
    while not over(search):
        search.step()
    return search


def judged(search: Search, problem: FitProblem) -> float:
    """The loss of what a search ended with, by the engine of its problem."""
    from evoart.engine.scanline import ScanlineEngine

    engine = ScanlineEngine(problem.form.with_kinds(search.structure), problem.target)
    return float(engine.losses(search.genome[None])[0])


def same(a: Search, b: Search) -> None:
    assert a.structure == b.structure
    assert a.genome.tobytes() == b.genome.tobytes()
    assert (a.loss, a.generation, a.evaluations) == (b.loss, b.generation, b.evaluations)


def through_a_file(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As a checkpoint does: written and read, without pickles."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def test_the_same_seed_gives_the_same_bytes(begin):
    first, second = finished(begin()[0]), finished(begin()[0])
    same(first, second)
    other = finished(begin(seed=2)[0])
    assert other.genome.tobytes() != first.genome.tobytes()


@pytest.mark.parametrize("options", [{}, {"kind": "mixed"}, {"palette": 3}, {"finish": "none"}], ids=str)
def test_it_goes_on_from_anywhere_as_if_nothing_had_happened(begin, options):
    whole, _ = begin(**options)
    states = [through_a_file(whole.arrays())]
    while not over(whole):
        whole.step()
        states.append(through_a_file(whole.arrays()))
    for arrays in states[:: max(1, len(states) // 12)] + states[-2:]:
        again, _ = begin(**options)
        again.load(arrays)
        same(finished(again), whole)


def test_a_state_that_was_handed_out_does_not_change(begin):
    search, _ = begin()
    for _ in range(4):
        search.step()
    arrays = search.arrays()
    before = {name: value.tobytes() for name, value in arrays.items()}
    finished(search)
    assert {name: value.tobytes() for name, value in arrays.items()} == before


def test_it_improves_and_never_gets_worse(begin):
    search, problem = begin()
    initial, losses, progress, stages = search.loss, [], [], []
    while not search.done:
        search.step()
        losses.append(search.loss)
        progress.append(search.progress)
        stages.append(search.stage.split()[0])
    assert losses[-1] < 0.25 * initial
    assert (np.diff(losses) <= 0).all()
    assert (np.diff(progress) >= 0).all()
    assert progress[-1] == 1
    assert list(dict.fromkeys(stages)) == ["growing", "regrowing", "finishing", "done"]
    assert len(search.structure) == 6
    assert judged(search, problem) == pytest.approx(search.loss, rel=1e-4)
    before = search.arrays()
    search.step()  # nothing is left to do, and nothing is done
    assert all(
        np.array_equal(before[name], value, equal_nan=value.dtype.kind == "f")
        for name, value in search.arrays().items()
    )


@pytest.mark.parametrize("loss", ["mse", "mae", "oklab"])
def test_every_loss_is_made_small(begin, loss):
    search, problem = begin(loss=loss)
    initial = search.loss
    assert finished(search).loss < 0.5 * initial
    assert judged(search, problem) == pytest.approx(search.loss, rel=1e-3)


def test_colours_are_held_to_a_palette(begin):
    colours = ("#000000", "#ffd94d", "#336626", "#8fb0e0")
    search, problem = begin(palette=colours, shapes=8)
    rgba = problem.form.with_kinds(finished(search).structure).drawing(search.genome).rgba
    allowed = {tuple(np.round(np.array(c) * 255).astype(int)) for c in problem.form.palette}
    assert {tuple(np.round(c * 255).astype(int)) for c in rgba[:, :3]} <= allowed
    assert len(allowed) == 4


def test_mixed_kinds_are_chosen_from(begin):
    search, _ = begin(kind="mixed", shapes=12)
    assert set(finished(search).structure) <= set(MIXED)
    assert len(set(search.structure)) > 1


@pytest.mark.parametrize("kind", ["circle,line", "cubic", "polygon:5"])
def test_other_kinds_improve_too(begin, kind):
    search, _ = begin(kind=kind)
    initial = search.loss
    assert finished(search).loss < 0.5 * initial


@pytest.mark.parametrize("opacity", ["0.5", "0.2-0.6"])
def test_opacity_stays_in_its_range(begin, opacity):
    search, problem = begin(opacity=opacity)
    finished(search)
    rows = search.genome.reshape(len(search.structure), -1)
    low, high = problem.form.opacity
    assert (rows[:, -1] >= np.float32(low)).all()
    assert (rows[:, -1] <= np.float32(high)).all()
    assert (rows[:, -4:-1] >= 0).all()
    assert (rows[:, -4:-1] <= 1).all()


def test_what_counts_more_is_drawn_better(begin, photo, tmp_path):
    from PIL import Image

    mask = np.zeros(photo.shape[:2], np.uint8)
    mask[:, 24:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    weighted, problem = begin(weights=str(tmp_path / "mask.png"))
    plain, _ = begin()
    finished(weighted), finished(plain)

    def right_half(search: Search) -> float:
        from evoart.draw.scene import draw

        image = draw(problem.form.with_kinds(search.structure).drawing(search.genome), (48, 36))[..., :3]
        return float(((image - photo)[:, 24:] ** 2).mean())

    assert right_half(weighted) < 0.8 * right_half(plain)


def test_a_start_is_kept_or_bettered(begin, photo, tmp_path):
    import evoart

    first = evoart.fit(photo, shapes=5, pixels=48, seed=1, quality="draft")
    (path,) = first.save(tmp_path / "first.svg")
    search, problem = begin(start=str(path), shapes=8)
    assert search.structure == ("triangle",) * 5
    assert search.loss == pytest.approx(first.loss, rel=1e-2)
    before = search.loss
    assert finished(search).loss <= before
    assert len(search.structure) == 8
    assert problem.form.groups == 8


def test_evolution_alone_improves_too(begin):
    search, _ = begin(finish="none")
    initial = search.loss
    assert finished(search).loss < 0.4 * initial


class Clock:
    """A clock that only the work itself moves: seconds of a gradient and of judging one candidate, by canvas."""

    def __init__(self, monkeypatch, gradient: float = 0.02, candidate: float = 1e-4) -> None:
        self.now = 0.0

        def costly(method, cost):
            def call(canvas, *args):
                self.now += cost(canvas, args)
                return method(canvas, *args)

            return call

        def polish(canvas, kinds, adam, steps, run=PlacementCanvas.polish):
            before = adam.t
            possible = run(canvas, kinds, adam, steps)
            self.now += (adam.t - before) * per_step(canvas, ())
            return possible

        def per_step(canvas, _):
            return gradient * canvas.height * canvas.width / (48 * 36)

        monkeypatch.setattr(PlacementCanvas, "gradient", costly(PlacementCanvas.gradient, per_step))
        monkeypatch.setattr(PlacementCanvas, "polish", polish)
        monkeypatch.setattr(
            PlacementCanvas, "gains", costly(PlacementCanvas.gains, lambda _, args: candidate * len(args[1]))
        )
        monkeypatch.setattr(module_of_time, "monotonic", lambda: self.now)


@pytest.mark.slow
@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize(("seconds", "shapes"), [(20, 6), (60, 6), (60, 30), (600, 6)])
def test_time_is_kept_and_used(begin, monkeypatch, tmp_path, seconds, shapes, started):
    options = {"shapes": shapes, "pixels": 48, "seconds": seconds, "quality": "normal"}
    if started:
        first = finished(begin(shapes=shapes)[0])
        problem = begin(shapes=shapes)[1]
        recipe = recipes.write(problem.job, problem.form.with_kinds(first.structure), first.genome, (48, 36), {})
        (tmp_path / "first.json").write_text(json.dumps(recipe))
        options["start"] = str(tmp_path / "first.json")
    clock = Clock(monkeypatch)
    search, _ = begin(**options)
    while not search.done:
        search.step()
    assert 0.6 * seconds < clock.now < seconds
    assert search.stage == "done"


def test_what_time_decided_is_a_plan_without_a_clock(begin, monkeypatch):
    clock = Clock(monkeypatch, candidate=2e-3)
    timed, _ = begin(seconds=40, shapes=30, quality="normal")
    while not timed.done:
        timed.step()
    assert clock.now < 40
    assert timed.resolved["effort"] < 600  # at full effort growing alone would have taken a minute
    again, _ = begin(shapes=30, quality="normal", options=timed.resolved)
    while not again.done:
        again.step()
    same(timed, again)


def test_time_spent_before_a_pause_counts(begin, monkeypatch):
    clock = Clock(monkeypatch)
    search, _ = begin(seconds=60, quality="normal")
    while clock.now < 30:
        search.step()
    arrays = through_a_file(search.arrays())
    clock.now += 1e6  # the pause
    again, _ = begin(seconds=60, quality="normal")
    again.load(arrays)
    resumed = clock.now
    while not again.done:
        again.step()
    assert clock.now - resumed < 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "options"),
    [
        (2_000, {}),
        (20_000, {}),
        (20_000, {"kind": "mixed"}),
        (20_000, {"kind": "triangle,rectangle,circle,line,cubic,polygon:5"}),
        (60_000, {"shapes": 300, "pixels": 16}),
    ],
    ids=str,
)
def test_evaluations_are_planned_for(photo, budget, options):
    job = Job.make(**{"shapes": 6, "pixels": 48, "seed": 1, "evaluations": budget} | options)
    search = prepare(job, photo).search()
    while not search.done and search.evaluations < 3 * budget:
        search.step()
    assert 0.4 * budget < search.evaluations < 1.2 * budget
    assert 0.7 < search.evaluations / search.planned < 1.4
    assert len(search.structure) == job.shapes


def test_a_plan_is_the_same_after_a_checkpoint_and_from_its_options():
    for quality in PLANS:
        for budget in (None, 30_000):
            how = {"missing": 250, "kinds": 3}
            plan = plan_for(quality, 250, evaluations=budget, **how)
            assert Plan.from_array(plan.array()) == plan
            assert plan_for(quality, 250, options=plan.options, **how) == plan
    timed = replace(Plan(), rounds=3, share=0.123).with_effort(321.7, 2)
    assert Plan.from_array(timed.array()) == timed
    assert set(timed.options) == set(GROWING)


def test_one_shape_and_a_picture_of_one_colour(begin, monkeypatch):
    search, _ = begin(shapes=1)
    assert len(finished(search).structure) == 1
    flat = np.full((20, 30, 3), 0.5, np.float32)
    problem = prepare(Job.make(shapes=4, pixels=30, seed=1, quality="draft"), flat)
    search = finished(problem.search())
    assert np.isfinite(search.genome).all()
    assert search.loss < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "decibels"), [("astronaut", 17.0), ("chelsea", 23.3), ("coffee", 21.0), ("monalisa", 25.4)]
)
def test_a_draft_beats_hill_climbing_on_photographs(shared, name, decibels):
    """50 triangles; the bar is what placing them one at a time reaches with a million evaluations."""
    import evoart

    result = evoart.fit(shared / "images" / f"{name}.png", shapes=50, seed=1, quality="draft")
    assert result.psnr > decibels + 1
