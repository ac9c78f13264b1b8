"""``evoart gallery``: pictures by the hundred."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES
from evoart.errors import UsageError
from evoart.run.problem import prepare

if TYPE_CHECKING:
    from evoart.cli.console import Console
    from evoart.gallery.journal import Line
    from evoart.gallery.plan import Entry
    from evoart.gallery.pool import Report, Step
    from evoart.gallery.run import Workers
    from evoart.run.events import Progress
    from evoart.run.fields import Number
    from evoart.run.stop import Stop

JOBS, WHERE = "Jobs", "Where the work is done"
FORMATS = ("svg", "png", "webp", "jpeg", "pdf")
OVERRIDES = ("shapes", "kind", "quality", "seconds", "generations", "evaluations", "size", "model", "form", "device")


@dataclass(frozen=True)
class GalleryOptions:
    """What ``evoart gallery`` is told; see the options of these names."""

    folder: Path
    overrides: dict[str, Any]
    formats: tuple[str, ...]
    film: bool
    title: str | None
    pages_only: bool
    diverse: bool
    processes: int
    shard: tuple[int, int] | None
    ray: str | None
    cpus: float
    gpus: float
    wait: bool
    dry_run: bool
    as_json: bool
    verbose: int
    quiet: bool

    @classmethod
    def make(cls, given: dict[str, Any]) -> Self:
        """The options that click hands over, checked.

        Raises:
            UsageError: a number out of range, an unknown format.
        """
        from evoart.run.fields import Choice, Number

        for name in given["formats"]:
            Choice(FORMATS)("format", name)
        overrides = {name: given.pop(name) for name in OVERRIDES}
        overrides |= {"seeds": _number(given.pop("seeds"), Number(1, 10_000, flag="--seeds"))}
        return cls(
            **given
            | {
                "folder": Path(given["folder"]).expanduser(),
                "overrides": {name: value for name, value in overrides.items() if value is not None},
                "formats": tuple(dict.fromkeys(given["formats"])),
                "shard": None if given["shard"] is None else _shard(given["shard"]),
                "processes": _number(given["processes"], Number(1, 256, flag="--processes")),
                "cpus": _number(given["cpus"], Number(0, 1024, kind=float, flag="--cpus")),
                "gpus": _number(given["gpus"], Number(0, 64, kind=float, flag="--gpus")),
            }
        )

    @property
    def shard_name(self) -> str:
        """What the shard's journal is called by; ``""`` where there is one for all."""
        return "{}-of-{}".format(*self.shard) if self.shard else ""


def _number(value: Any, check: Number) -> Any:
    return None if value is None else check(check.flag.removeprefix("--"), value)


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard is '{text}'", "Write which of how many, for example 3/16")
    return int(match[1]), int(match[2])


@click.command(
    cls=o.Command,
    short_help="Make pictures by the hundred, and web pages of them.",
    epilog="For example: evoart gallery prompts/ photos/ -o gallery/ --seeds 3. "
    f"Run it again to continue where it stopped. Exit codes: {EXIT_CODES}.",
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
    type=o.Words(*FORMATS),
    help="Format of the pictures; repeat for more. [default: by job]",
)
@o.option(o.OUTPUT, "--film", is_flag=True, help="Also a small film of every evolution, shown under the pointer.")
@o.option(o.OUTPUT, "--title", metavar="TEXT", help="Of the pages. [default: the folder's name]")
@o.option(o.OUTPUT, "--pages-only", is_flag=True, help="Make the pages and the contact sheet of what is there.")
@o.option(JOBS, "--seeds", metavar="N", help="How many seeds of every job, 1 to 10,000. [default: 1]")
@o.option(JOBS, "--diverse", is_flag=True, help="Make three times as many seeds and keep those that differ most.")
@o.option(JOBS, "-n", "--shapes", metavar="N", help="How many shapes, in place of the jobs' own.")
@o.option(
    JOBS,
    "-k",
    "--kind",
    type=o.Words(*o.KINDS, metavar="KIND", several=True),
    help="Which shapes, in place of the jobs' own.",
)
@o.option(
    JOBS, "--quality", type=o.Words("draft", "normal", "best"), help="How much work to do, in place of the jobs' own."
)
@o.option(JOBS, "--size", metavar="PIXELS", help="Long side of the pictures, in place of the jobs' own.")
@o.option(JOBS, "--model", metavar="NAME", help="CLIP model of prompts, in place of the jobs' own.")
@o.option(JOBS, "--form", metavar="NAME", help="Form of the pictures of prompts, in place of the jobs' own.")
@o.option(JOBS, "-t", "--time", "seconds", metavar="TIME", help="Stop every job after this much time.")
@o.option(JOBS, "--generations", metavar="N", help="Stop every job after N generations.")
@o.option(JOBS, "--evaluations", metavar="N", help="Stop every job after N evaluations.")
@o.option(WHERE, "--processes", metavar="N", default=1, help="Jobs at a time on this machine. [default: 1]")
@o.option(WHERE, "--shard", metavar="I/N", help="Only the I-th of N shards, for array jobs: 3/16.")
@o.option(WHERE, "--ray", metavar="ADDRESS", help="On a Ray cluster: auto, or HOST:PORT.")
@o.option(WHERE, "--cpus", metavar="N", default=1, help="With --ray: CPU cores that one job needs. [default: 1]")
@o.option(WHERE, "--gpus", metavar="N", default=0, help="With --ray: GPUs, or a share of one. [default: 0]")
@o.option(WHERE, "--device", type=o.Words("auto", "cpu", "gpu"), help="The device that JAX uses. [default: auto]")
@o.option(WHERE, "--wait", is_flag=True, help="Where another process writes to the folder, wait until it has finished.")
@o.option(o.RUN, "--dry-run", is_flag=True, help="Print how many jobs, evaluations and how much time, and stop.")
@o.json_option
@o.verbosity_options
def gallery(paths: tuple[str, ...], **given: Any) -> int:
    """Make all pictures that FILES ask for, and web pages of them; what is finished already is not made again.

    FILES are prompts (.txt, one a line), jobs (.toml), photographs, or folders of them. A job that fails is listed and
    costs no other; kill the run, and the same command continues where it stopped.
    """
    from evoart.cli.console import Console
    from evoart.gallery import journal, plan
    from evoart.gallery import run as runs

    options = GalleryOptions.make(given)
    console = Console(o.verbosity(options.verbose, options.quiet))
    if not paths and not options.pages_only:
        raise UsageError("there is nothing to make", "Name prompts, photographs or jobs: evoart gallery prompts/")
    entries = plan.read(paths, options.overrides, console.say) if paths else []
    wanted = runs.with_surplus(entries) if options.diverse else entries
    mine = plan.shard(wanted, *options.shard) if options.shard else wanted
    if options.dry_run:
        return _dry_run(mine, options)
    runs.prepare_folder(options.folder)
    with journal.hold(options.folder, options.shard_name, options.wait):
        return _Session(options, console).make(entries, [] if options.pages_only else mine)


class _Session:
    """One call of the command: makes what is missing, counts, and says what came of it."""

    def __init__(self, options: GalleryOptions, console: Console) -> None:
        self.options, self.console = options, console
        self.made, self.failed = 0, dict[str, str]()

    def make(self, entries: Sequence[Entry], mine: Sequence[Entry]) -> int:
        """Make ``mine`` of all ``entries``, then the pages; returns the exit code."""
        from evoart.gallery import run as runs
        from evoart.run.stop import Stop, listening

        options, console = self.options, self.console
        start, stop = time.monotonic(), Stop()
        todo, _, damaged = runs.remaining(mine, options.folder, options.diverse)
        if damaged:
            console.say(f"{damaged} damaged lines of the journal were skipped; their jobs are done again")
        if len(todo) < len(mine):
            console.say(f"{len(mine) - len(todo):,} of {len(mine):,} jobs are done already")

        def told(why: str) -> None:
            console.say("Stopping; running jobs are saved. Once more stops at once.")

        with listening(stop, told, lambda why: console.end()):
            view = _View(console, len(todo))
            reports = runs.run(todo, options.folder, _workers(options, stop), options.shard_name)
            for entry, line in _watch(reports, view):
                self._count(entry, line)
            console.end()
            pages: list[Path] = []
            if options.diverse and not options.shard and stop.why is None:
                self._tell_choice(runs.choose(entries, options.folder))
            if not options.shard or options.pages_only:
                title = options.title or options.folder.resolve().name or "Gallery"
                pages = runs.show(entries, options.folder, title)
        return self._conclude(pages, len(todo), time.monotonic() - start, stop)

    def _count(self, entry: Entry, line: Line) -> None:
        from evoart.cli.console import tell_path

        if line.status == "failed":
            self.failed[entry.name] = line.reason
            self.console.say(f"failed: {entry.name}: {line.reason}")
            return
        self.made += 1
        if not self.options.as_json:
            tell_path(self.options.folder / next(iter(line.files.values())))

    def _tell_choice(self, gained: dict[str, tuple[float, float]]) -> None:
        if gained:
            before, after = (sum(pair[i] for pair in gained.values()) / len(gained) for i in (0, 1))
            text = f"{after:.3f} apart on average; the first seeds would have been {before:.3f}"
            self.console.say(f"pictures of one prompt are {text}")

    def _conclude(self, pages: list[Path], todo: int, seconds: float, stop: Stop) -> int:
        from evoart.cli.console import tell_json, tell_path
        from evoart.cli.text import count, span
        from evoart.run.stop import EXIT

        left = todo - self.made - len(self.failed)
        if self.options.as_json:
            facts = {"made": self.made, "failed": self.failed, "left": left, "seconds": round(seconds, 3)}
            tell_json(facts | {"folder": str(self.options.folder), "pages": [str(page) for page in pages]})
        else:
            for page in pages:
                tell_path(page)
        if self.options.pages_only:
            return 0
        self.console.say(
            f"{'Interrupted' if stop.why else 'Done'}: {count(self.made, 'picture')} made in {span(seconds)}"
            + (f", {len(self.failed):,} failed" if self.failed else "")
            + (f", {left:,} left; the same command continues" if left else "")
        )
        return EXIT[stop.why] if stop.why else 1 if self.failed else 0


def _workers(options: GalleryOptions, stop: Stop) -> Workers:
    """Who does the jobs: a cluster, several processes, or this one."""
    from evoart.gallery import pool
    from evoart.gallery.worker import Settings

    folder, settings, ray = options.folder, Settings(options.formats, options.film), options.ray
    if ray:
        from evoart.gallery.cluster import on_cluster

        return lambda entries: on_cluster(entries, folder, settings, stop, ray, options.cpus, options.gpus)
    if options.processes > 1:
        return lambda entries: pool.side_by_side(entries, folder, settings, stop, options.processes)
    return lambda entries: pool.one_by_one(entries, folder, settings, stop)


class _View:
    """The live line: jobs done, the running ones, time left."""

    def __init__(self, console: Console, total: int) -> None:
        self.console, self.total, self.done = console, total, 0
        self.start, self.said = time.monotonic(), 0.0
        self.running: dict[str, Progress] = {}

    def step(self, step: Step) -> None:
        """A running job has come further."""
        self.running[step.name] = step.progress
        self.show()

    def finish(self, name: str) -> None:
        """A job has ended."""
        self.done += 1
        self.running.pop(name, None)
        self.show()

    def show(self) -> None:
        """Show the line; where there is no terminal, every ten seconds."""
        from evoart.cli.text import clock, figures

        spent = time.monotonic() - self.start
        share = self.done + sum(p.fraction or 0 for p in self.running.values())
        left = f", {clock(spent * (self.total - share) / share)} left" if share > 0.05 else ""
        jobs = [
            f"{name[:28]} {'' if p.fraction is None else f'{p.fraction:.0%} '}{figures(p.figures)}"
            for name, p in self.running.items()
        ]
        line = f"{self.done:,}/{self.total:,}{left}  " + " | ".join(jobs)
        if self.console.live:
            self.console.status(line)
        elif time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            self.console.say(line)


def _watch(reports: Iterator[Report], view: _View) -> Iterator[tuple[Entry, Line]]:
    """The finished jobs among the reports, all of which the view shows."""
    from evoart.gallery.pool import Step

    try:
        for report in reports:
            if isinstance(report, Step):
                view.step(report)
            else:
                view.finish(report[0].name)
                yield report
    finally:
        if isinstance(reports, Generator):
            reports.close()


def _dry_run(entries: Sequence[Entry], options: GalleryOptions) -> int:
    """Count what would be done, and let one job of each sort work for a second to see how long all will take."""
    from evoart.cli.console import tell, tell_json
    from evoart.cli.runner import estimate
    from evoart.cli.text import span
    from evoart.gallery import run as runs
    from evoart.run.downloads import find_missing_files

    exists = options.folder.is_dir()
    todo = runs.remaining(entries, options.folder, options.diverse)[0] if exists else list(entries)
    sorts: dict[str, list[Entry]] = {}
    for entry in todo:
        sorts.setdefault(_sort_of(entry), []).append(entry)
    evaluations, seconds, unknown = 0.0, 0.0, 0
    downloads = list(dict.fromkeys(file for entry in todo for file in find_missing_files(entry.job)))
    for i, members in enumerate(sorts.values()):
        needed = judged = None
        if i < _TRIALS and not find_missing_files(members[0].job):  # a dry run fetches nothing
            with contextlib.suppress(Exception):  # a job that fails costs no other
                needed, judged, _ = estimate(prepare(members[0].job))
        unknown += len(members) if needed is None else 0
        seconds += (needed or 0) * len(members) / options.processes
        evaluations += (judged or 0) * len(members)
    kinds = Counter(entry.job.command for entry in todo)
    if options.as_json:
        facts = {"jobs": len(entries), "to do": len(todo), "commands": dict(kinds), "evaluations": round(evaluations)}
        tell_json(facts | {"seconds": round(seconds, 1), "not estimated": unknown, "downloads": [*map(str, downloads)]})
        return 0
    tell(f"jobs         {len(entries):,}, of which {len(todo):,} are to be done")
    for name, number in kinds.items():
        tell(f"             {number:,} evoart {name}")
    for each in downloads:
        tell(f"download     {each}")
    tell(f"evaluations  about {float(f'{evaluations:.2g}'):,.0f}")
    tell(f"time         about {span(seconds)}" + (f", and {unknown:,} jobs not estimated" if unknown else ""))
    return 0


_TRIALS = 6  # sorts of jobs that are tried for an estimate
_COST = ("command", "shapes", "kind", "quality", "search", "pixels", "form", "model", "generations", "evaluations")


def _sort_of(entry: Entry) -> str:
    """What jobs of one cost have in common."""
    plain = entry.job.to_dict()
    return json.dumps([plain.get(name) for name in _COST])
