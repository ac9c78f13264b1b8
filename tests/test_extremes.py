"""Every search of every command at the extremes of every budget: a run that ends has a picture and a valid recipe."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fakes import HillClimber

from evoart.run.events import Finished, Noted
from evoart.run.job import BUDGET, Job
from evoart.run.loop import run
from evoart.run.problem import prepare
from evoart.run.state import Run, resolve

FIT = {"command": "fit", "shapes": 1, "pixels": 16}
NETWORK = {"command": "cppn-fit", "pixels": 16, "layers": "2x1"}
GRAPH = NETWORK | {"population": 4}
CLIP = {"command": "clip", "prompts": ["a cat"], "model": "tiny", "shapes": 1, "crops": 2}  # as in other files
SEARCHES = {
    "grow": FIT,
    "waves": FIT | {"search": "waves"},
    "sets": FIT | {"search": "sets"},
    "grow without gradients": FIT | {"finish": "none"},
    "regional": FIT | {"search": "regional", "population": 4},
    "classical": FIT | {"search": "classical", "population": 4},
    "es-clip": FIT | {"preset": "es-clip", "shapes": 2, "pixels": 16, "population": 4},
    "pen": FIT | {"command": "fit-pen", "form": "strokes", "population": 4},
    "gradient": NETWORK,
    "strategy": NETWORK | {"weights": "evolve", "population": 4},
    "neat": GRAPH | {"topology": "graph", "weights": "evolve"},
    "neat, trained": GRAPH | {"topology": "graph", "options": {"steps": 1}},
    "agnostic": GRAPH | {"topology": "agnostic", "weights": "evolve"},
    "random networks": {"command": "cppn", "n": 1, "candidates": 1, "layers": "2x1"},
    "map-elites": {"command": "cppn-explore", "grid": "2x2", "batch": 2, "resolution": 16, "layers": "2x1"},
    "clip": CLIP,
    "clip, restarts": CLIP | {"restarts": 2},
    "clip, surrogate": CLIP | {"search": "surrogate", "population": 4},
    "clip, classical": CLIP | {"search": "classical", "population": 4},
    "sketch": {"command": "sketch", "count": 1},
}  # fmt: skip
COMPILED = ("clip", "waves")  # what starts with these names takes seconds to compile
SMALLEST = ({"generations": 1, "patience": 1}, {"evaluations": 1}, {"seconds": 0.1})
LARGE = (
    {"generations": BUDGET}, {"evaluations": BUDGET}, {"evaluations": 4_000_000}, {"seconds": 30 * 86_400},
    {"patience": BUDGET, "evaluations": BUDGET}, {"seconds": 30 * 86_400, "evaluations": BUDGET},
)  # fmt: skip


def job_of(name: str, **budget) -> Job:
    options = SEARCHES[name]
    if options["command"] in ("cppn", "sketch"):  # their work has an end
        budget.pop("patience", None)
    return Job.make(**options | {"seed": 1} | budget)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name.startswith(COMPILED) else []) for name in SEARCHES],
)
def test_a_run_with_the_smallest_budget_has_a_picture(name):
    # What is searched under prompts costs seconds, and its searches share all that has to do with budgets.
    for budget in SMALLEST[:2] if name.startswith("clip,") else SMALLEST:
        *events, last = run(job_of(name, **budget))
        assert isinstance(last, Finished)
        assert not [event for event in events if isinstance(event, Noted) and "recipe" in event.text]
        recipe = json.loads(json.dumps(last.result.recipe))
        again = Job.from_dict(recipe["job"])
        assert again == last.result.job
        assert np.isfinite(last.result.image(16)).all()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name.startswith("clip,") else []) for name in SEARCHES]
)
def test_what_the_largest_budget_resolves_to_is_no_wrong_request(name):
    apart = [each for each in SEARCHES if each.startswith("clip,")]  # these share the six among them
    for budget in LARGE[apart.index(name) :: len(apart)] if name in apart else LARGE:
        problem = prepare(job_of(name, **budget))
        search = problem.search()
        for reason in ("done", "evaluations", "generations", "time", "patience"):
            job = resolve(problem.job, search, reason)
            assert Job.from_dict(job.to_dict()) == job


class Overshooting(HillClimber):
    """A search that resolves an option to what no job may have."""

    resolved = {"effort": 1e15}


def test_a_picture_is_handed_over_whatever_the_recipe_says():
    """Were a resolved value refused after all, the recipe would keep the limit that was given."""
    *events, last = run(Job.make(shapes=1, pixels=16, evaluations=4, seed=1), make=Overshooting)
    assert isinstance(last, Finished)
    assert last.result.job.evaluations == 4
    assert last.result.job.options == {}
    assert "keeps the limit" in [event.text for event in events if isinstance(event, Noted)][-1]
    assert last.result.svg()


@pytest.mark.parametrize("reason", ["interrupted", "terminated"])
def test_who_interrupts_may_go_on_with_the_job_as_it_was(reason):
    problem = prepare(Job.make(shapes=1, pixels=16, evaluations=400, seed=1))
    (last,) = Run(problem, problem.search(), None).finish(reason, None)
    assert last.result.job == problem.job
