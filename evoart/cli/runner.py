"""What every command that makes pictures does once its job is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from evoart.cli import session
from evoart.cli.console import Console, tell
from evoart.cli.options import verbosity
from evoart.cli.text import span, visible
from evoart.run import distributed as processes
from evoart.run.device import own_process
from evoart.run.events import Event, Interrupted, Progress, Started
from evoart.run.job import Job
from evoart.run.loop import drive
from evoart.run.problem import Problem, prepare
from evoart.run.stop import EXIT, Stop, listening
from evoart.types import Search
from evoart.version import __version__


def run_job(
    job: Job,
    *,
    outputs: tuple[str, ...],
    format: str | None,
    overwrite: bool,
    films: tuple[str, ...],
    film_size: str | None,
    film_time: str | None,
    checkpoint: str | None,
    no_checkpoint: bool,
    dry_run: bool,
    preview: bool,
    as_json: bool,
    verbose: int,
    quiet: bool,
    distributed: bool = False,
    parts: bool = False,
    problem: Problem | None = None,
    begin: Callable[[Stop], Search] | None = None,
) -> int:
    """Check everything, then run ``job`` and write its picture; returns the exit code.

    ``problem`` is the job prepared, and ``begin`` makes its search, where that was done already.
    """
    console = Console(verbosity(verbose, quiet))
    own_process(job.device, job.threads)
    if distributed:
        processes.join()
    job = processes.draw_seed(job)
    if not processes.first():
        return _assist(problem or prepare(job), begin)
    naming = {
        "stem": job.stem, "form": job.form_name, "overwrite": overwrite, "inputs": [Path(p) for p in job.inputs],
        "formats": job.formats, "film_only": job.film_only,
    }  # fmt: skip
    options = session.write_options(film_size, film_time)
    places = session.outputs_for(outputs, films, format=format, **naming)
    session.check_stdout(places, as_json)
    notes = session.notes_of(places, options, checkpoint is not None)
    with console.unless_quick(f"evoart {__version__}: {job.summary}, seed {job.seed}"):
        problem = problem or prepare(job)
    session.check_size(problem.size, places)
    session.check_room(problem.size, places)
    keep, lasting = session.checkpoint_for(
        checkpoint, no_checkpoint, places, f"{job.stem}-{job.form_name}", overwrite, notes, reserve=not dry_run
    )
    if dry_run:
        return _dry_run(problem, places, keep, as_json)

    def events(stop: Stop) -> Iterator[Event]:
        return drive(problem, begin(stop) if begin else problem.search(), keep=keep, stop=stop)

    return session.perform(events, session.Plan(places, options, keep, lasting, as_json, parts), console, preview)


def _assist(problem: Problem, begin: Callable[[Stop], Search] | None) -> int:
    """Work along with the first process, which speaks and writes for all; returns the exit code."""
    stop, last = Stop(), None
    with listening(stop, lambda why: None, lambda why: None):
        for event in drive(problem, begin(stop) if begin else problem.search(), stop=stop):
            last = event
    return EXIT[last.reason] if isinstance(last, Interrupted) else 0


def _dry_run(problem: Problem, places: list[session.Output], keep: Any, as_json: bool) -> int:
    """Let the search work for a second to see how fast it is, and say what a run would do."""
    import json

    job = problem.job
    seconds, evaluations, engine = estimate(problem)
    outlook = None if seconds is None or evaluations is None else problem.outlook(seconds, evaluations)
    facts = {
        "job": job.summary,
        **problem.details(),
        "resolution": list(problem.resolution),
        "size": list(problem.size),
        "drawing": problem.form.label,
        "genome": problem.form.dim,
        "engine": engine,
        "evaluations": evaluations,
        "seconds": None if seconds is None else round(seconds, 1),
        "seed": job.seed,
        "outputs": ["-" if place.path is None else str(place.path) for place in places],
        "checkpoint": str(keep.path) if keep else None,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return 0
    w, h = problem.size
    x, y = problem.resolution
    known = "until it no longer improves" if seconds is None else f"about {span(seconds)} (from its first second)"
    judged = "" if evaluations is None else f"about {float(f'{evaluations:.2g}'):,.0f}"
    rows = [
        ("job", f"{job.summary}, seed {job.seed}"),
        ("size", f"judged at {x} x {y}, written at {w} x {h} pixels"),
        ("drawing", f"{problem.form.label}, a genome of {problem.form.dim:,} numbers"),
        *(
            (name, visible(_plain(value)))
            for name, value in problem.details().items()
            if name not in ("picture", "shapes")
        ),
        ("engine", engine),
        ("evaluations", judged or "as many as it needs"),
        ("time", known),
        *((("cost", f"{outlook[0].lower()}{outlook[1:]}"),) if outlook else ()),
        *(("output", place) for place in facts["outputs"]),
        ("checkpoint", facts["checkpoint"] or "none"),
    ]
    for name, value in rows:
        tell(f"{name:<12} {value}")
    return 0


def _plain(value: Any) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


def estimate(problem: Problem) -> tuple[float | None, int | None, str]:
    """Seconds and evaluations of the whole run as its first second after compiling suggests, and the engine."""
    stop, first, last, engine = Stop(), None, None, ""
    search = problem.search()
    for event in drive(problem, search, stop=stop):
        if isinstance(event, Started):
            engine = f"{event.engine} engine on {event.device}"
        if isinstance(event, Progress):
            first, last = first or event, event
            if event.seconds > first.seconds + 1:
                stop.ask()
    if last is None or not last.fraction:
        return None, None, engine
    seconds = last.seconds / last.fraction if last.left is None else last.seconds + last.left
    return seconds, search.planned or round(last.evaluations / last.fraction), engine
