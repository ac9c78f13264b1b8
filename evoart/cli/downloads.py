"""What the terminal shows of downloads: lines and progress while they run, and what a dry run would fetch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from evoart.cli.console import Report as Facts
from evoart.cli.console import tell
from evoart.download import MissingFile, Progress, Report, format_bytes

if TYPE_CHECKING:
    from evoart.cli.console import Console
    from evoart.run.job import Job


class Callbacks(TypedDict):
    """Parameters of ``download.obtain`` and of whatever calls it."""

    report: Report
    progress: Progress


def callbacks(console: Console) -> Callbacks:
    """Show the lines and the progress of downloads on the terminal."""

    def progress(done: int, total: int | None) -> None:
        share = f" of {format_bytes(total)}, {done / max(total, 1):.0%}" if total else ""
        console.status(f"{format_bytes(done)}{share}")
        if done == total:
            console.end()

    return {"report": console.say, "progress": progress}


def tell_missing(job: Job, missing: Sequence[MissingFile], report: Facts | None) -> int:
    """Say what a job would download before it could run, to ``report`` where there is one; returns the exit code."""
    if report is not None:
        rows = [{"name": each.name, "url": each.url, "path": str(each.path), "bytes": each.size} for each in missing]
        report({"job": job.summary, "seed": job.seed, "downloads": rows})
        return 0
    tell(f"{'job':<12} {job.summary}, seed {job.seed}")
    for each in missing:
        tell(f"{'download':<12} {each}")
    tell(f"{'time':<12} can be estimated once this is here")
    return 0
