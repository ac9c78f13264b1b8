"""``evoart fit *.jpg``: many photographs, one after another or side by side; a broken one stops none of the others."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evoart.cli.console import Console, Report
from evoart.cli.options import RunOptions
from evoart.cli.runner import attempt, collect_json, run_job
from evoart.cli.session import new_folders
from evoart.cli.text import count
from evoart.errors import UsageError
from evoart.run import distributed as processes
from evoart.run.device import own_process
from evoart.run.fit import batch
from evoart.run.fit.job import FitJob
from evoart.run.stop import EXIT, Stop, Why
from evoart.types import Search

if TYPE_CHECKING:
    from evoart.search.vmapped import BatchedSearch

MEANING: dict[int, Why] = {EXIT["interrupted"]: "interrupted", EXIT["terminated"]: "terminated"}


def fit_all(jobs: Sequence[FitJob], options: RunOptions) -> int:
    """Run every job and write its pictures; returns the exit code: that of an interruption, or 1 if any failed.

    Raises:
        UsageError: options or pictures that several runs cannot share.
    """
    console = Console(options.verbosity)
    own_process(jobs[0].device, jobs[0].threads)
    with new_folders((*options.outputs, *options.films)), collect_json(options) as report:
        _check(jobs, options)
        if options.distributed:
            processes.join()
        seed = processes.draw_seed(jobs[0]).seed  # one for all
        pictures = batch.prepare_all([dataclasses.replace(job, seed=seed) for job in jobs])
        failed: list[str] = []
        halted: Why | None = None
        for number, picture in enumerate(pictures, 1):
            name = picture.job.picture
            if halted is not None and not _has_results(picture):
                failed.append(name)
                report({"picture": name, "error": halted})
                continue
            console.say(f"{number} of {len(pictures)}: {name}", 0 if picture.error is None else 1)
            code = _fit_one(picture, options, halted, lambda facts, name=name: report({"picture": name} | facts))
            halted = halted or MEANING.get(code)
            if code and code not in MEANING:
                failed.append(name)
    if failed:
        console.say(f"Not drawn, {len(failed)} of {count(len(pictures), 'picture')}: {', '.join(failed)}")
    return EXIT[halted] if halted else int(bool(failed))


def _fit_one(picture: batch.Picture, options: RunOptions, halted: Why | None, report: Report) -> int:
    """Run one of the jobs; whatever goes wrong is said and costs no other picture. Returns the exit code."""

    def run() -> int:
        if picture.error is not None:
            raise picture.error
        search = _search(picture, halted)
        return run_job(picture.job, options, problem=picture.problem, search=search, report=report)

    try:
        return attempt(run, picture.job.picture, report)
    finally:
        picture.leave()


def _search(picture: batch.Picture, halted: Why | None) -> Callable[[Stop], Search]:
    """What makes the picture's search; where the user has asked to stop, it only saves what was found side by side."""

    def make(stop: Stop) -> Search:
        if halted is not None:
            stop.ask(halted)
            if member := _member(picture):
                member.skip()
        return picture.search()

    return make


def _has_results(picture: batch.Picture) -> bool:
    """Whether something was found for it while another was run."""
    member = _member(picture)
    return member is not None and member.ahead > 0


def _member(picture: batch.Picture) -> BatchedSearch | None:
    """Its search, where that advances side by side with the others'."""
    if picture.error is not None or not picture.side_by_side:
        return None
    from evoart.search.vmapped import BatchedSearch

    search = picture.search()
    return search if isinstance(search, BatchedSearch) else None


def _check(jobs: Sequence[FitJob], options: RunOptions) -> None:
    names = [job.picture for job in jobs]
    if "-" in names:
        raise UsageError("standard input is one picture", "Give it alone, or files only")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"'{name}' is given twice", "Leave one out")
        if not os.path.exists(name):  # a typing error, and no broken photograph: nothing was done yet
            raise UsageError(f"there is no file '{name}'", "Check the spelling")
    for value in (*options.outputs, *options.films):
        if not os.path.isdir(Path(value).expanduser()):
            raise UsageError(f"'{value}' is one output for {len(jobs)} pictures", "Give a folder: -o wall/")
    if options.checkpoint:
        raise UsageError(f"--checkpoint names one file for {len(jobs)} pictures", "Leave it out: each gets its own")
