"""``evoart fit *.jpg``: many photographs, one after another or side by side; a broken one stops none of the others."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evoart.cli.console import Console
from evoart.cli.failure import complain
from evoart.cli.options import verbosity
from evoart.cli.runner import run_job
from evoart.cli.text import count
from evoart.errors import EvoartError, UsageError
from evoart.run import distributed as processes
from evoart.run.device import own_process
from evoart.run.fit import batch
from evoart.run.fit.job import FitJob
from evoart.run.stop import EXIT, Stop
from evoart.types import Search

MEANING = {code: why for why, code in EXIT.items()}


def fit_all(jobs: Sequence[FitJob], **how: Any) -> int:
    """Run every job and write its pictures; returns the exit code: that of an interruption, or 1 if any failed.

    ``how`` is as for ``run_job``.
    """
    _check(jobs, how)
    console = Console(verbosity(how["verbose"], how["quiet"]))
    own_process(jobs[0].device, jobs[0].threads)
    if how["distributed"]:
        processes.join()
    seed = processes.draw_seed(jobs[0]).seed  # one for all
    pictures = batch.prepare_all([dataclasses.replace(job, seed=seed) for job in jobs])
    failed: list[str] = []
    halted = None
    for number, picture in enumerate(pictures, 1):
        name = picture.job.picture
        if halted is not None and not _begun(picture):
            failed.append(name)
            continue
        try:
            if picture.error is not None:
                raise picture.error
            console.say(f"{number} of {len(pictures)}: {name}")
            code = run_job(picture.job, problem=picture.problem, begin=_begin(picture, halted), **how)
        except EvoartError as error:
            complain(f"{name}: {error}")
            code = 1
        finally:
            picture.ended()
        halted = halted or MEANING.get(code)
        if code and code not in MEANING:
            failed.append(name)
    if failed:
        console.say(f"Not drawn, {len(failed)} of {count(len(pictures), 'picture')}: {', '.join(failed)}")
    return EXIT[halted] if halted else int(bool(failed))


def _begin(picture: batch.Picture, halted: str | None) -> Any:
    """What makes the picture's search; where the user has asked to stop, it only saves what was found side by side."""

    def begin(stop: Stop) -> Search:
        search = picture.search()
        if halted is not None:
            search.skip()
            stop.ask(halted)
        return search

    return begin


def _begun(picture: batch.Picture) -> bool:
    """Whether something was found for it while another was run."""
    return picture.error is None and picture.side_by_side and picture.search().ahead


def _check(jobs: Sequence[FitJob], how: dict[str, Any]) -> None:
    names = [job.picture for job in jobs]
    if "-" in names:
        raise UsageError("standard input is one picture", "Give it alone, or files only")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"'{name}' is given twice", "Leave one out")
        if not os.path.exists(name):  # a slip, and not a broken photograph: nothing has been done yet
            raise UsageError(f"there is no file '{name}'", "Check the spelling")
    for value in (*how["outputs"], *how["films"]):
        if not os.path.isdir(Path(value).expanduser()):
            raise UsageError(f"'{value}' is one output for {len(jobs)} pictures", "Give a folder with -o, and --format")
    if how["checkpoint"]:
        raise UsageError(f"--checkpoint names one file for {len(jobs)} pictures", "Leave it out: each gets its own")
