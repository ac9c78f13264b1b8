"""What every command that makes pictures does once its job is known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evoart.cli import session
from evoart.cli.console import Console, Report, tell, tell_json
from evoart.cli.downloads import tell_missing
from evoart.cli.failure import complain, describe, facts_of
from evoart.cli.options import RunOptions
from evoart.cli.text import span, visible
from evoart.run import distributed as processes
from evoart.run.device import own_process
from evoart.run.downloads import find_missing_files
from evoart.run.events import Event, Interrupted, Progress, Started
from evoart.run.job import Job
from evoart.run.loop import Keep, drive
from evoart.run.problem import Problem, prepare
from evoart.run.stop import EXIT, Stop, listening
from evoart.types import Search
from evoart.version import __version__


def run_job(
    job: Job,
    options: RunOptions,
    *,
    members: bool = False,
    problem: Problem | None = None,
    search: Callable[[Stop], Search] | None = None,
    report: Report = tell_json,
) -> int:
    """Check everything, then run ``job`` and write its picture; returns the exit code.

    Args:
        members: also write the pictures that the result consists of.
        problem: the job prepared, where that was done already.
        search: makes the search of the problem; None: ``problem.search``.
        report: takes the facts that ``--json`` asks for.

    Raises:
        UsageError, EvoartError: an option, file or model that cannot be used.
    """
    console = Console(options.verbosity)
    own_process(job.device, job.threads)
    if options.distributed:
        processes.join()
    job = processes.draw_seed(job)
    if options.dry_run and (missing := find_missing_files(job)):
        return tell_missing(job, missing, report if options.as_json else None)
    if not processes.first():
        return _assist(problem or prepare(job), search)
    writing = session.write_options(**options.writing)
    with session.new_folders((*options.outputs, *options.films)):
        outputs = session.outputs_for(
            options.outputs,
            options.films,
            stem=job.stem,
            form=job.form_name,
            format=options.format,
            overwrite=options.overwrite,
            inputs=[Path(path) for path in job.inputs],
            formats=job.formats,
            film_only=job.film_only,
        )
        session.check_stdout(outputs, options.as_json)
        session.check_films(options.film_style, options.film_loop, options.side_by_side, job.form_name, outputs)
        notes = session.notes_of(outputs, writing, options.checkpoint is not None, members)
        with console.unless_quick(f"evoart {__version__}: {job.summary}, seed {job.seed}"), session.starting():
            settled = problem or prepare(job)
        session.check_size(settled.size, outputs)
        session.check_room(settled.size, outputs)
        keep, lasting = session.checkpoint_for(
            options.checkpoint,
            options.no_checkpoint,
            outputs,
            f"{job.stem}-{job.form_name}",
            options.overwrite,
            notes,
            reserve=not options.dry_run,
        )
        if options.dry_run:
            return _dry_run(settled, outputs, keep, report if options.as_json else None)

        def events(stop: Stop) -> Iterator[Event]:
            return drive(settled, search(stop) if search else settled.search(), keep=keep, stop=stop)

        plan = session.Plan(outputs, writing, keep, lasting, report if options.as_json else None, members)
        return session.perform(events, plan, console, options.preview)


@contextlib.contextmanager
def collect_json(options: RunOptions) -> Iterator[Report]:
    """What takes the facts of several pictures; with ``--json`` they are printed at the end, as one object."""
    facts: list[dict[str, Any]] = []
    yield facts.append
    if options.as_json:
        tell_json({"pictures": facts})


def attempt(run: Callable[[], int], label: str, report: Report) -> int:
    """The exit code of ``run``, which makes one of several pictures; whatever goes wrong is said and reported."""
    try:
        return run()
    except Exception as error:
        told = describe(error, ())
        complain(f"{label}: {told}")
        report(facts_of(told))
        return told.exit_code


def _assist(problem: Problem, search: Callable[[Stop], Search] | None) -> int:
    """Work with the first process, which speaks and writes for all; returns the exit code."""
    stop, last = Stop(), None
    with listening(stop, lambda why: None, lambda why: None):
        for event in drive(problem, search(stop) if search else problem.search(), stop=stop):
            last = event
    return EXIT[last.reason] if isinstance(last, Interrupted) else 0


def _dry_run(problem: Problem, outputs: list[session.Output], keep: Keep | None, report: Report | None) -> int:
    """Let the search work for a second to see how fast it is, and say what a run would do."""
    job = problem.job
    seconds, evaluations, engine = estimate(problem)
    cost = None if seconds is None or evaluations is None else problem.estimate(seconds, evaluations)
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
        "outputs": ["-" if output.path is None else str(output.path) for output in outputs],
        "checkpoint": str(keep.path) if keep else None,
    }
    if report is not None:
        report(facts)
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
        *((("cost", f"{cost[0].lower()}{cost[1:]}"),) if cost else ()),
        *(("output", path) for path in facts["outputs"]),
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
