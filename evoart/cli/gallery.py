"""``evoart gallery``: pictures by the hundred."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES
from evoart.run.problem import prepare

if TYPE_CHECKING:
    from evoart.cli.console import Console
    from evoart.gallery.plan import Entry
    from evoart.gallery.run import Workers
    from evoart.run.stop import Stop

JOBS, WHERE = "Jobs", "Where the work is done"
_EACH = ("shapes", "kind", "quality", "seconds", "generations", "evaluations", "size", "model", "form", "device")


@click.command(
    cls=o.Command,
    short_help="Make pictures by the hundred, and web pages of them.",
    epilog="For example: evoart gallery prompts/ photos/ -o gallery/ --seeds 3. "
    f"Run it again to go on where it was. Exit codes: {EXIT_CODES}.",
)
@click.argument("paths", nargs=-1, type=o.path("FILES"), metavar="FILES...")
@o.option(
    o.OUTPUT,
    "-o",
    "--output",
    "folder",
    type=o.path("FOLDER"),
    metavar="FOLDER",
    default="gallery",
    help="Pictures, journal and pages go here. [default: gallery]",
)
@o.option(
    o.OUTPUT,
    "--format",
    "formats",
    multiple=True,
    type=o.Words("svg", "png", "webp", "jpeg", "pdf"),
    help="Format of the pictures; repeat for more. [default: by job]",
)
@o.option(o.OUTPUT, "--film", is_flag=True, help="Also a small film of every evolution, shown where the pointer is.")
@o.option(o.OUTPUT, "--title", metavar="TEXT", help="Of the pages. [default: the folder's name]")
@o.option(o.OUTPUT, "--pages-only", is_flag=True, help="Make the pages and the contact sheet of what is there.")
@o.option(JOBS, "--seeds", metavar="N", help="So many seeds of every job, 1 to 10,000. [default: 1]")
@o.option(JOBS, "--diverse", is_flag=True, help="Make three times as many seeds and keep those that differ most.")
@o.option(JOBS, "-n", "--shapes", metavar="N", help="In place of the jobs' own, where they have any.")
@o.option(JOBS, "-k", "--kind", type=o.Words(*o.KINDS, metavar="KIND", several=True), help="Likewise.")
@o.option(JOBS, "--quality", type=o.Words("draft", "normal", "best"), help="Likewise.")
@o.option(JOBS, "--size", metavar="PIXELS", help="Likewise: long side of the pictures.")
@o.option(JOBS, "--model", metavar="NAME", help="Likewise, of prompts.")
@o.option(JOBS, "--form", metavar="NAME", help="Likewise, of prompts.")
@o.option(JOBS, "-t", "--time", "seconds", metavar="TIME", help="For every job: stop it after so much time.")
@o.option(JOBS, "--generations", metavar="N", help="For every job: stop it after so many generations.")
@o.option(JOBS, "--evaluations", metavar="N", help="For every job: stop it after so many evaluations.")
@o.option(WHERE, "--processes", metavar="N", default=1, help="So many jobs at a time on this machine. [default: 1]")
@o.option(WHERE, "--shard", metavar="I/N", help="Only the I-th of N shards, for array jobs: 3/16.")
@o.option(WHERE, "--ray", metavar="ADDRESS", help="On a Ray cluster: auto, or HOST:PORT.")
@o.option(WHERE, "--cpus", metavar="N", help="With --ray: CPU cores that one job needs. [default: 1]")
@o.option(WHERE, "--gpus", metavar="N", help="With --ray: GPUs, or a share of one. [default: 0]")
@o.option(WHERE, "--device", type=o.Words("auto", "cpu", "gpu"), help="Where programs of JAX run. [default: auto]")
@o.option(WHERE, "--wait", is_flag=True, help="Where another process writes to the folder, begin when it has finished.")
@o.option(o.RUN, "--dry-run", is_flag=True, help="Print how many jobs, evaluations and how much time, and stop.")
@o.json_option
@o.verbosity_options
def gallery(paths: tuple[str, ...], folder: str, **given: Any) -> int:
    """Make all pictures that FILES ask for, and web pages of them; what is finished already is not made again.

    FILES are prompts (.txt, one a line), jobs (.toml), photographs, or folders of them. A job that fails is listed and
    costs no other; kill the run, and the same command goes on where it was.
    """
    from evoart.cli.console import Console
    from evoart.errors import UsageError
    from evoart.gallery import journal, plan
    from evoart.gallery import run as runs

    console, place = Console(o.verbosity(given["verbose"], given["quiet"])), Path(folder).expanduser()
    numbers = _numbers(given)
    if not paths and not given["pages_only"]:
        raise UsageError("there is nothing to make", "Name prompts, photographs or jobs: evoart gallery prompts/")
    overrides = {name: given[name] for name in _EACH if given.get(name) is not None}
    overrides |= {"seeds": numbers["seeds"]} if numbers["seeds"] else {}
    entries = plan.read(paths, overrides) if paths else []
    mine = runs.with_spares(entries) if given["diverse"] else entries
    part = ""
    if given["shard"]:
        number, parts = _part(given["shard"])
        mine, part = plan.part(mine, number, parts), f"{number}-of-{parts}"
    if given["dry_run"]:
        return _dry_run(mine, place, given, numbers["processes"])
    runs.opened(place)
    with journal.locked(place, part, given["wait"]):
        return _make(entries, mine, place, given, numbers, part, console)


def _make(
    entries: Sequence[Entry],
    mine: Sequence[Entry],
    folder: Path,
    given: dict[str, Any],
    numbers: dict[str, Any],
    part: str,
    console: Console,
) -> int:
    from evoart.cli.console import tell_path
    from evoart.gallery import run as runs
    from evoart.run.stop import EXIT, Stop, listening

    began, stop = time.monotonic(), Stop()
    todo, _, damaged = runs.remaining(mine, folder, given["diverse"])
    if given["pages_only"]:
        mine = todo = []
    if damaged:
        console.say(f"{damaged} damaged lines of the journal were passed over; their jobs are done again")
    if len(todo) < len(mine):
        console.say(f"{len(mine) - len(todo):,} of {len(mine):,} jobs are done already")
    failed: dict[str, str] = {}
    made = 0

    def told(why: str) -> None:
        console.say("Stopping; what is begun is saved. Once more stops at once.")

    with listening(stop, told, lambda why: console.end()):
        view = _View(console, len(todo))
        for entry, line in _watched(runs.run(todo, folder, _workers(given, numbers, folder, stop), part), view):
            if line.status == "failed":
                failed[entry.name] = line.reason
                console.say(f"failed: {entry.name}: {line.reason}")
            else:
                made += 1
                if not given["as_json"]:
                    tell_path(folder / next(iter(line.files.values())))
        console.end()
        pictures: list[Path] = []
        if given["diverse"] and not part and stop.why is None:
            _tell_choice(runs.choose(entries, folder, part), console)
        if not part or given["pages_only"]:
            pictures = runs.show(entries, folder, given["title"] or folder.resolve().name or "Gallery")
    seconds = time.monotonic() - began
    return _conclude(given, folder, pictures, made, failed, len(todo), seconds, console, EXIT.get(stop.why or ""))


def _conclude(
    given: dict[str, Any],
    folder: Path,
    pages: list[Path],
    made: int,
    failed: dict[str, str],
    todo: int,
    seconds: float,
    console: Console,
    interrupted: int | None,
) -> int:
    from evoart.cli.console import tell_path
    from evoart.cli.text import count, span

    left = todo - made - len(failed)
    if given["as_json"]:
        facts = {
            "made": made, "failed": failed, "left": left, "seconds": round(seconds, 3), "folder": str(folder),
            "pages": [str(page) for page in pages],
        }  # fmt: skip
        click.echo(json.dumps(facts))
    else:
        for page in pages:
            tell_path(page)
    if given["pages_only"]:
        return 0
    console.say(
        f"{'Interrupted' if interrupted else 'Done'}: {count(made, 'picture')} made in {span(seconds)}"
        + (f", {len(failed):,} failed" if failed else "")
        + (f", {left:,} left; the same command goes on" if left else "")
    )
    return interrupted or (1 if failed else 0)


def _tell_choice(gained: dict[str, tuple[float, float]], console: Console) -> None:
    if gained:
        before, after = (sum(pair[i] for pair in gained.values()) / len(gained) for i in (0, 1))
        console.say(
            f"pictures of one prompt are {after:.3f} apart on average; the first seeds would have been {before:.3f}"
        )


def _workers(given: dict[str, Any], numbers: dict[str, Any], folder: Path, stop: Stop) -> Workers:
    """Who does the jobs: a cluster, several processes, or this one."""
    from evoart.gallery import pool
    from evoart.gallery.worker import Settings

    settings = Settings(tuple(dict.fromkeys(given["formats"])), given["film"])
    if given["ray"]:
        from evoart.gallery.cluster import on_cluster

        needs = {"cpus": numbers["cpus"] or 1, "gpus": numbers["gpus"] or 0}
        return lambda entries: on_cluster(entries, folder, settings, stop, given["ray"], **needs)
    if numbers["processes"] > 1:
        return lambda entries: pool.side_by_side(entries, folder, settings, stop, numbers["processes"])
    return lambda entries: pool.one_by_one(entries, folder, settings, stop)


def _numbers(given: dict[str, Any]) -> dict[str, Any]:
    from evoart.run.fields import Choice, Number

    ranges = {
        "seeds": Number(1, 10_000),
        "processes": Number(1, 256),
        "cpus": Number(0, 1024, kind=float),
        "gpus": Number(0, 64, kind=float),
    }
    for name in given["formats"]:
        Choice(("svg", "png", "webp", "jpeg", "pdf"))("format", name)
    return {name: check(name, given[name]) if given[name] is not None else None for name, check in ranges.items()}


def _part(text: str) -> tuple[int, int]:
    from evoart.errors import UsageError

    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard is '{text}'", "Write which of how many, for example 3/16")
    return int(match[1]), int(match[2])


class _View:
    """The live line: jobs done, the running ones, time left."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total, self.done = console, total, 0
        self.began, self.running, self.said = time.monotonic(), {}, 0.0

    def step(self, step: Any) -> None:
        self.running[step.name] = step.progress
        self.tell()

    def finished(self, name: str) -> None:
        self.done += 1
        self.running.pop(name, None)
        self.tell()

    def tell(self) -> None:
        from evoart.cli.text import clock, figures

        spent = time.monotonic() - self.began
        begun = self.done + sum(p.fraction or 0 for p in self.running.values())
        left = f", {clock(spent * (self.total - begun) / begun)} left" if begun > 0.05 else ""
        parts = [
            f"{name[:28]} {'' if p.fraction is None else f'{p.fraction:.0%} '}{figures(p.figures)}"
            for name, p in self.running.items()
        ]
        line = f"{self.done:,}/{self.total:,}{left}  " + " | ".join(parts)
        if self.console.live:
            self.console.status(line)
        elif time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            self.console.say(line)


def _watched(reports: Iterator[Any], view: _View) -> Iterator[tuple[Entry, Any]]:
    from evoart.gallery.pool import Step

    with contextlib.closing(reports):
        for report in reports:
            if isinstance(report, Step):
                view.step(report)
            else:
                view.finished(report[0].name)
                yield report


def _dry_run(entries: Sequence[Entry], folder: Path, given: dict[str, Any], processes: int) -> int:
    """Count what would be done, and let one job of each sort work for a second to see how long all will take."""
    from evoart.cli.console import tell
    from evoart.cli.runner import estimate
    from evoart.cli.text import span
    from evoart.errors import EvoartError
    from evoart.gallery import run as runs
    from evoart.run.downloads import find_missing_files

    todo = runs.remaining(entries, folder, given["diverse"])[0] if folder.is_dir() else list(entries)
    sorts: dict[str, list[Entry]] = {}
    for entry in todo:
        sorts.setdefault(_sort(entry), []).append(entry)
    evaluations, seconds, unknown = 0.0, 0.0, 0
    downloads = list(dict.fromkeys(file for entry in todo for file in find_missing_files(entry.job)))
    for members in list(sorts.values())[:_TRIALS]:
        needed = judged = None
        if not find_missing_files(members[0].job):  # a dry run fetches nothing
            with contextlib.suppress(EvoartError):
                needed, judged, _ = estimate(prepare(members[0].job))
        unknown += len(members) if needed is None else 0
        seconds += (needed or 0) * len(members)
        evaluations += (judged or 0) * len(members)
    unknown += sum(len(members) for members in list(sorts.values())[_TRIALS:])
    kinds = Counter(entry.job.command for entry in todo)
    facts = {
        "jobs": len(entries),
        "to do": len(todo),
        "commands": dict(kinds),
        "evaluations": round(evaluations),
        "seconds": round(seconds / processes, 1),
        "not estimated": unknown,
        "downloads": [str(each) for each in downloads],
    }
    if given["as_json"]:
        click.echo(json.dumps(facts))
        return 0
    tell(f"jobs         {len(entries):,}, of which {len(todo):,} are to be done")
    for name, number in kinds.items():
        tell(f"             {number:,} evoart {name}")
    for each in downloads:
        tell(f"download     {each}")
    tell(f"evaluations  about {float(f'{evaluations:.2g}'):,.0f}")
    tell(
        f"time         about {span(seconds / processes)}" + (f", and {unknown:,} jobs not estimated" if unknown else "")
    )
    return 0


_TRIALS = 6  # sorts of jobs that are tried for an estimate


def _sort(entry: Entry) -> str:
    """What jobs of one cost have in common."""
    plain = entry.job.to_dict()
    names = (
        "command",
        "shapes",
        "kind",
        "quality",
        "search",
        "pixels",
        "form",
        "model",
        "generations",
        "evaluations",
    )
    return json.dumps([plain.get(name) for name in names])
