"""A gallery's run: what is still to be done is done, and every job is in the journal before it is reported."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evoart.errors import UsageError
from evoart.gallery import diversity, journal, pages, sheet, worker
from evoart.gallery.journal import Journal, Line
from evoart.gallery.plan import Entry, repeated
from evoart.gallery.pool import Report, Step
from evoart.output.files import check_writable

SPARES = 3  # pictures made for every one that is kept, where they are to be unlike
Workers = Callable[[Sequence[Entry]], Iterator[Report]]


def opened(folder: Path) -> None:
    """Make the gallery's folder, or see that it can be used.

    Raises:
        UsageError: it is a file, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be made ({error.strerror})", "Choose another folder with -o") from None
    check_writable(folder)


def remaining(entries: Sequence[Entry], folder: Path, spares: bool = False) -> tuple[list[Entry], dict[str, Line], int]:
    """The jobs still to be done (those that failed are tried again), the journal's lines and how many were damaged.

    With ``spares`` a job that was done and not chosen is not done again.
    """
    lines, damaged = journal.read(folder)
    done = {e.name for e in entries if e.name in lines and worker.there(folder, lines[e.name], e, spares)}
    return [entry for entry in entries if entry.name not in done], lines, damaged


def run(todo: Sequence[Entry], folder: Path, workers: Workers, part: str = "") -> Iterator[Report]:
    """Do what remains to be done; reports come as ``workers`` gives them, each line after it is in the journal.

    Raises:
        worker.DiskFull, EvoartError: nothing more can be written; what was done stays done.
    """
    with Journal(folder, part) as book:
        for report in workers(todo):
            if not isinstance(report, Step):
                book.write(report[1])
            yield report


def with_spares(entries: Sequence[Entry]) -> list[Entry]:
    """The jobs and, for every group of several, more of other seeds to choose from."""
    out: list[Entry] = []
    for members in _groups(entries).values():
        out += members
        if len(members) > 1:
            out += repeated(members, (SPARES - 1) * len(members))
    return out


def choose(entries: Sequence[Entry], folder: Path, part: str = "") -> dict[str, tuple[float, float]]:
    """Of every group that has spares keep pictures that are far apart, as many as were asked for.

    The others' files are removed, and the journal says so, so that they are not made again.

    Returns:
        For every group the mean distance between two pictures, as it would have been without spares and as it is.
    """
    lines, _ = journal.read(folder)
    gained: dict[str, tuple[float, float]] = {}
    with Journal(folder, part) as book:
        for group, members in _groups(entries).items():
            there = [lines[e.name] for e in with_spares(members) if e.name in lines and lines[e.name].look]
            if len(members) < 2 or len(there) <= len(members):
                continue
            kept = {there[i].name for i in diversity.apart(there, len(members))}
            for line in there:
                status = "done" if line.name in kept else "spare"
                if status == "spare" and line.status == "done":
                    for name in line.files.values():
                        (folder / name).unlink(missing_ok=True)
                    book.write(dataclasses.replace(line, status=status, files={}))
            plain = [line for line in there if line.name in {member.name for member in members}]
            apart = [line for line in there if line.name in kept]
            spread = [next(iter(diversity.spread_of(some).values()), 0.0) for some in (plain, apart)]
            gained[group] = (spread[0], spread[1])
    return gained


def show(entries: Sequence[Entry], folder: Path, title: str) -> list[Path]:
    """Write the pages and the contact sheet of all that is in the journal, in the order of ``entries``."""
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
