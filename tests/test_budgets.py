"""Every search at the extremes of every budget: what a run resolves is a job again, and its picture is never lost."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import evoart
from evoart.errors import UsageError
from evoart.run.fit.job import FitJob
from evoart.run.job import Job
from evoart.run.problem import prepare
from evoart.search.options import GROWING, LARGEST, check_growing
from evoart.search.plan import PLANS, plan_for
from evoart.search.strategies import make

MOST = 10**12  # that a job takes as a budget


@pytest.mark.parametrize("quality", PLANS)
def test_a_plan_for_any_budget_is_made_of_valid_options(quality):
    for groups, kinds, evaluations in itertools.product((1, 100, 20_000), (1, 9), (1, 1_000, 4_000_000, 10**9, MOST)):
        for missing in {0, 1, groups}:
            plan = plan_for(quality, groups, missing=missing, kinds=kinds, evaluations=evaluations)
            check_growing(plan.options)
            FitJob.make(seed=1, options=plan.options)
            again = plan_for(quality, groups, missing=missing, kinds=kinds, options=plan.options)
            assert again == plan
            assert plan.effort.evaluations(kinds) < 1.2 * LARGEST + 200 * kinds


def test_what_a_budget_resolved_is_a_job_again(photo):
    job = Job.make(shapes=1, pixels=16, seed=1, evaluations=4_000_000)
    resolved = prepare(job, photo).search().resolved
    assert resolved["effort"] == LARGEST
    assert Job.from_dict(Job.make(shapes=1, seed=1, options=resolved).to_dict()).options == resolved


@pytest.mark.parametrize("search", ["evolve", "sets", "regional", "classical"])
def test_the_smallest_budget_ends_with_a_picture_that_is_read_back(photo, tmp_path, search):
    """``tests/test_extremes.py`` tries all budgets with all searches."""
    result = evoart.fit(photo, shapes=2, pixels=16, seed=1, search=search, generations=3, evaluations=1)
    (path,) = result.save(tmp_path / "picture.svg")
    assert np.array_equal(evoart.load(path).drawing.paint((16, 12)), result.drawing.paint((16, 12)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "engine"),
    [*itertools.product(("evolve", "sets", "regional", "classical"), ("scanline", "dense")), ("waves", "dense")],
)
def test_the_largest_budgets_are_searched_with(photo, engine, search):
    budgets = {"generations": MOST, "evaluations": MOST, "patience": MOST}
    job = Job.make(shapes=2, pixels=16, seed=1, search=search, engine=engine, **budgets)
    one = prepare(job, photo).search()
    for _ in range(3):
        one.step()
    assert np.isfinite(one.loss)


def test_every_shape_is_placed_whatever_the_plan(photo):
    result = evoart.fit(photo, shapes=3, pixels=24, seed=1, options={"stages": 0, "cycles": 0, "finish": 5})
    assert len(result.form.kinds) == 3
    blank = prepare(Job.make(shapes=3, pixels=24, seed=1), photo).search()
    assert result.figures["loss"] < 0.8 * blank.loss


def test_a_job_takes_every_value_that_the_default_search_has():
    for name in GROWING:
        assert FitJob.make(options={name: LARGEST}).options == {name: LARGEST}
        with pytest.raises(UsageError, match="not a whole number from 0 to 1,000,000"):
            FitJob.make(options={name: LARGEST + 1})
        with pytest.raises(UsageError, match=f"{name}=fast is not a number"):
            FitJob.make(options={name: "fast"})


@pytest.mark.parametrize("job", [{"search": "sets"}, {"finish": "none"}], ids=str)
def test_options_of_independent_sets_are_checked_before_anything_is_searched(job):
    for options, message in [
        ({"stages": 3}, "unknown option of independent sets 'stages'"),
        ({"step": "fast"}, "step=fast is not a number"),
        ({"step": 0}, "step=0 is not positive"),
        ({"fresh": 1}, "fresh=1 is not a share"),
    ]:
        with pytest.raises(UsageError) as error:
            FitJob.make(**job, options=options)
        assert message in str(error.value)


def test_options_of_strategies_are_numbers():
    for options, message in [
        ({"step": "fast"}, "step=fast is not a number"),
        ({"step": 0}, "a step of 0 is not positive"),
        ({"learning_rate": "fast"}, "learning_rate=fast is not a number"),
        ({"c_mean": "fast"}, "unknown option of snes 'c_mean'"),
    ]:
        with pytest.raises(UsageError) as error:
            make("snes", 4, 8, options)
        assert message in str(error.value)
    with pytest.raises(UsageError, match="num_populations=0 is not a whole number from 1"):
        make("sv_open_es", 4, 8, {"num_populations": 0})


def test_the_plan_of_the_longest_run_under_prompts_is_an_option_again():
    Job.make(command="clip", prompts=("a circle",), model="tiny", generations=MOST, options={"planned": float(MOST)})
