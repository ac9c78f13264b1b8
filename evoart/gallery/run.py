"""A gallery's run: what is still to be done is done, and every job is in the journal before it is reported."""

from __future__ import annotations

import contextlib
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evoart.errors import EvoartError, UsageError
from evoart.gallery import diversity, journal, pages, sheet, worker
from evoart.gallery.journal import Journal, Line, make_folder
from evoart.gallery.plan import Entry, repeated
from evoart.gallery.pool import Report, Step
from evoart.output.files import check_writable

SURPLUS = 3  # pictures made for every one that is kept, where they are to differ
Workers = Callable[[Sequence[Entry]], Iterator[Report]]


def prepare_folder(folder: Path) -> None:
    """Make the gallery's folder, or see that it can be used.

    Raises:
        UsageError: it is a file, or cannot be written to.
    """
    try:
        make_folder(folder)
    except EvoartError as error:
        raise UsageError(error.message, "Choose another folder with -o") from None
    check_writable(folder)


def remaining(
    entries: Sequence[Entry], folder: Path, surplus: bool = False
) -> tuple[list[Entry], dict[str, Line], int]:
    """The jobs still to be done (those that failed are tried again), the journal's lines and how many were damaged.

    With ``surplus`` a job that was done and not chosen is not done again.
    """
    lines, damaged = journal.read(folder)
    done = {e.name for e in entries if e.name in lines and worker.is_done(folder, lines[e.name], e, surplus)}
    return [entry for entry in entries if entry.name not in done], lines, damaged


def run(todo: Sequence[Entry], folder: Path, workers: Workers, shard: str = "") -> Iterator[Report]:
    """Do what remains to be done; reports come as ``workers`` gives them, each line after it is in the journal.

    Raises:
        worker.DiskFull, EvoartError: nothing more can be written; what was done stays done.
    """
    with Journal(folder, shard) as lines:
        for report in workers(todo):
            if not isinstance(report, Step):
                lines.write(report[1])
            yield report


def with_surplus(entries: Sequence[Entry]) -> list[Entry]:
    """The jobs and, for every group of several, more of other seeds to choose from."""
    out: list[Entry] = []
    for members in _groups(entries).values():
        out += members
        if len(members) > 1:
            out += repeated(members, (SURPLUS - 1) * len(members))
    return out


def choose(entries: Sequence[Entry], folder: Path, shard: str = "") -> dict[str, tuple[float, float]]:
    """Of every group that has a surplus keep pictures that are far apart, as many as were asked for.

    The others' files are removed, and the journal says so, so that they are not made again.

    Returns:
        For every group the mean distance between two pictures, as it would have been without the surplus and as it is.
    """
    lines, _ = journal.read(folder)
    gained: dict[str, tuple[float, float]] = {}
    with Journal(folder, shard) as log:
        for group, members in _groups(entries).items():
            made = [lines[e.name] for e in with_surplus(members) if e.name in lines and lines[e.name].thumbnail]
            if len(members) < 2 or len(made) <= len(members):
                continue
            kept = {made[i].name for i in diversity.choose_apart(made, len(members))}
            for line in made:
                if line.name not in kept and line.status == "done":
                    for name in line.files.values():
                        with contextlib.suppress(OSError):
                            (folder / name).unlink()
                    log.write(dataclasses.replace(line, status="surplus", files={}))
            first = [line for line in made if line.name in {member.name for member in members}]
            chosen = [line for line in made if line.name in kept]
            before, after = (next(iter(diversity.spread_of(some).values()), 0.0) for some in (first, chosen))
            gained[group] = (before, after)
    return gained


def show(entries: Sequence[Entry], folder: Path, title: str) -> list[Path]:
    """Write the pages and the contact sheet of all that is in the journal, in the order of ``entries``.

    Raises:
        EvoartError: the system refuses a file.
    """
    lines, _ = journal.read(folder)
    order = {entry.name: i for i, entry in enumerate(entries)}
    listed = sorted(lines.values(), key=lambda line: (order.get(line.name, len(order)), line.name))
    shown = [line for line in listed if line.status in ("done", "failed")]
    made = [pages.build(folder, shown, title)]
    page = sheet.sheet(folder, shown)
    return made + ([page] if page else [])


def _groups(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.group].append(entry)
    return groups
