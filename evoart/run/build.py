"""From a problem to the search that will work on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.run import engines
from evoart.run.problem import Problem

if TYPE_CHECKING:
    from evoart.types import Search

POPULATION = {"sets": 32, "regional": 32, "classical": 64}


def build_search(problem: Problem) -> Search:
    """The search that the problem's job asks for, at its beginning.

    Raises:
        UsageError: unknown strategy, an engine or device that does not fit.
        EvoartError: a GPU that is not there.
    """
    engines.limit_threads(problem.job.threads)
    choice = engines.choose(problem.job)
    if problem.job.search == "evolve":
        return _evolve(problem, choice)
    return _strategic(problem, choice)


def _evolve(problem: Problem, choice: engines.Choice) -> Search:
    from evoart.search.grow import Grow

    return Grow(problem, choice)


def _strategic(problem: Problem, choice: engines.Choice) -> Search:
    """A search over a fixed list of kinds: every shape is there from the first generation."""
    job = problem.job
    engine = engines.make(choice, problem.form, problem.target)
    start = first_guess(problem)
    population = job.population or POPULATION[job.search]
    options = search_options(problem)
    if job.search == "sets":
        from evoart.search.sets import Sets

        return Sets(engine, population, job.seed, start, options)
    strategy = job.strategy or "snes"
    if job.search == "regional":
        from evoart.search.regional import Regional

        return Regional(engine, strategy, population, job.seed, start, options)
    from evoart.search.classical import Classical

    return Classical(engine, strategy, population, job.seed, start, options)


def search_options(problem: Problem) -> dict[str, Any]:
    """What a search over a fixed list of kinds may be told beyond strategy, population and seed."""
    job = problem.job
    options: dict[str, Any] = dict(job.options)
    if job.step is not None:
        options["step"] = job.step
    if job.preset is not None:
        options["preset"] = job.preset
    return options


def first_guess(problem: Problem) -> np.ndarray:
    """A genome ``(dim,)``: the start's shapes, then random ones coloured from the photograph."""
    rng = np.random.default_rng([problem.job.seed, 0])
    genome = problem.form.random(rng, problem.target.image)
    if problem.start:
        rows = genome.reshape(problem.form.groups, problem.form.dim_per_group)
        rows[: len(problem.start[0])] = problem.start[1]
    return genome
