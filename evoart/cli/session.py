"""The outputs of one run from the command line, and its interruption: nothing that was found is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoart.cli.console import Console, Report, near, tell_path
from evoart.cli.text import count, figures, span
from evoart.cli.view import View
from evoart.errors import EvoartError, UsageError, unknown
from evoart.output.claims import CLAIMS, Claims
from evoart.output.files import check_writable, is_special, numbered
from evoart.output.formats import FILM_LONGEST, HELD, OUTPUTS, STYLES, Artwork, Options
from evoart.output.names import DEFAULT_FORMATS, Output, resolve, take
from evoart.run.events import Event, Finished, Interrupted, Started
from evoart.run.fields import Number, duration
from evoart.run.loop import Keep
from evoart.run.result import Result
from evoart.run.stop import EXIT, Stop, listening


@dataclass(frozen=True)
class Plan:
    """What to write, and how.

    Attributes:
        outputs: where.
        options: film length and the like.
        keep: the checkpoint, or None.
        lasting: the checkpoint stays when the run is done.
        report: takes the facts of ``--json``; None: the names of the files are printed.
        members: also write the pictures that the result consists of, each next to the first output.
    """

    outputs: list[Output]
    options: Options
    keep: Keep | None
    lasting: bool
    report: Report | None
    members: bool = False


@contextlib.contextmanager
def new_folders(values: Iterable[str]) -> Iterator[None]:
    """Make the folders that outputs such as ``wall/`` name; those that are still empty at the end are removed.

    Raises:
        UsageError: the system refuses one.
    """
    made: list[Path] = []
    try:
        for value in values:
            folder = Path(value).expanduser()
            if value.endswith(("/", os.sep)) and not os.path.lexists(folder):
                missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
                try:
                    folder.mkdir(parents=True)
                except OSError as error:
                    what = f"the folder '{value}' cannot be made ({error.strerror})"
                    raise UsageError(what, "Choose another with -o") from None
                made += missing
        yield
    finally:
        for folder in sorted(made, key=lambda folder: -len(folder.parts)):
            with contextlib.suppress(OSError):
                folder.rmdir()


def outputs_for(
    values: tuple[str, ...],
    films: Sequence[str],
    *,
    stem: str,
    form: str,
    format: str | None,
    overwrite: bool,
    inputs: list[Path],
    formats: Sequence[str] = DEFAULT_FORMATS,
    film_only: bool = False,
) -> list[Output]:
    """The outputs that ``-o`` and ``--film`` ask for, checked and taken before any work in place of an earlier run's.
    ``moving``: all of them are films.

    Raises:
        UsageError: unknown extension, existing file, folder not writable, a film in a format without moving pictures.
        MissingExtra: a format that needs something installed.
    """
    CLAIMS.release()
    naming = {"stem": stem, "form": form, "overwrite": overwrite, "inputs": inputs}
    outputs = resolve(values, format=format, formats=formats, claims=CLAIMS, **naming)
    outputs = [moving(output) if output.format != "json" else output for output in outputs] if film_only else outputs
    outputs += films_for(films, **naming)
    places = [output.path for output in outputs if output.path is None or not is_special(output.path)]
    for place in places:
        if places.count(place) > 1:
            raise UsageError(f"'{place or '-'}' is given twice, with -o and --film", "Leave one out")
    for output in outputs:
        kind = OUTPUTS[output.format]
        kind.check()
        if kind.forms is not None and form not in kind.forms:
            as_film = " as a film" if kind.film else ""
            what = f"'{output.path or '-'}'{as_film} ({output.format}) is for {' and '.join(kind.forms)} only"
            raise UsageError(what, "Use .gif or .webp" if kind.film else "Use .png")
    return outputs


def films_for(films: Sequence[str], *, stem: str, form: str, overwrite: bool, inputs: list[Path]) -> list[Output]:
    """The outputs that ``--film`` asks for. A name says its format by itself; the others get a GIF."""
    outputs = []
    for film in films:
        nameless = film == "-" or is_special(Path(film)) or os.path.isdir(film)
        usual = "gif" if nameless else None
        outputs += resolve(
            [film], stem=stem, form=form, format=usual, overwrite=overwrite, inputs=inputs, claims=CLAIMS
        )
    return [moving(output) for output in outputs]


def check_size(size: tuple[int, int], outputs: list[Output]) -> None:
    """Refuse before the work what no format could hold after it.

    Raises:
        UsageError: too many pixels, or a side longer than an output's format allows.
    """
    w, h = size
    for output in outputs:
        room = OUTPUTS[output.format].room(size)
        if room is not None and max(w, h) > room:
            name = output.path or "standard output"
            raise UsageError(f"{w} x {h} pixels are too many for '{name}'", f"Use --size {room} or less, or write SVG")


def check_room(size: tuple[int, int], outputs: list[Output]) -> None:
    """Refuse before the work what memory and disk could not hold after it.

    Raises:
        UsageError: not enough of either.
    """
    w, h = size
    memory = available_memory()
    for output in outputs:
        held = w * h > HELD and (output.path is None or OUTPUTS[output.format].stream is None)
        still = OUTPUTS[output.format].room(size) is not None
        if held and still and memory is not None and _HELD_BYTES * w * h > memory:
            raise UsageError(
                f"{w} x {h} pixels of {output.format} need about {_HELD_BYTES * w * h / 1e9:.1f} GB of memory, and "
                f"{memory / 1e9:.1f} GB are free",
                "Write .png, which is written row by row, or use a smaller --size",
            )
        if output.path is not None and still and not is_special(output.path):
            free = shutil.disk_usage(os.path.realpath(output.path.parent)).free
            if w * h > HELD and w * h > free:  # a third of what its pixels are: smooth pictures shrink to less
                raise UsageError(
                    f"'{output.path}' may need {w * h / 1e9:.1f} GB, and its disk has {free / 1e9:.1f} GB",
                    "Free some space, or use another folder or a smaller --size",
                )


def check_films(style: str | None, loop: bool, side_by_side: bool, form: str, outputs: list[Output]) -> None:
    """Refuse options of films before the work where they would be in vain.

    Raises:
        UsageError: no output is a film; a style for shapes only.
    """
    flags = (("--film-style", style), ("--film-loop", loop), ("--side-by-side", side_by_side))
    given = [flag for flag, value in flags if value]
    if given and not any(OUTPUTS[output.format].film for output in outputs):
        raise UsageError(f"{given[0]} is for films, and no output is one", "Write .gif, .anim.webp, .mp4 or .anim.svg")
    if style not in (None, *STYLES):
        raise unknown("film style", style or "", STYLES)
    fitting = {"shapes": STYLES, "sketch": ("evolve", "grow"), "strokes": ("evolve", "grow")}.get(form, ("evolve",))
    if style not in (None, *fitting):
        raise UsageError(f"--film-style {style} is for shapes only", "Leave it out")


_SMALL = 1 << 22  # pixels of a picture of which two are held at once
_HELD_BYTES = 11  # a pixel, while a format that wants the whole picture is written


def available_memory() -> int | None:
    """Bytes that programs may still take, or None where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def moving(output: Output) -> Output:
    """The same file as a film: .webp and .png can move too."""
    moving = {"webp": "animated-webp", "png": "apng", "svg": "animated-svg"}.get(output.format, output.format)
    if not OUTPUTS[moving].film:
        raise UsageError(f"'{output.path}' cannot be a film", "Use .gif, .apng, .webp, .mp4 or .webm")
    return dataclasses.replace(output, format=moving)


def write_options(
    film_size: str | None,
    film_time: str | None,
    before: Options | None = None,
    dpi: float | None = None,
    clip: str | None = None,
    film_fps: str | None = None,
    film_style: str | None = None,
    film_loop: bool = False,
    side_by_side: bool = False,
) -> Options:
    """How to write: the command line's words laid over ``before``."""
    words = {"dpi": dpi, "clip": clip, "film_style": film_style}
    given: dict[str, Any] = {name: value for name, value in words.items() if value is not None}
    given |= {name: True for name, on in (("film_loop", film_loop), ("side_by_side", side_by_side)) if on}
    if film_fps is not None:
        given["film_fps"] = Number(1, 60, "pictures a second", flag="--film-fps")("film_fps", film_fps)
    if film_size is not None:
        given["film_side"] = Number(16, FILM_LONGEST, "pixels", flag="--film-size")("film_size", film_size)
    if film_time is not None:
        given["film_seconds"] = Number(0.1, 120, kind=duration, flag="--film-time")("film_time", film_time)
    return dataclasses.replace(before or Options(), **given)


def checkpoint_for(
    given: str | None,
    off: bool,
    outputs: list[Output],
    name: str,
    overwrite: bool,
    notes: dict[str, Any],
    reserve: bool = True,
    claims: Claims = CLAIMS,
) -> tuple[Keep | None, bool]:
    """Where the run is saved, and whether that file stays when it is done.

    ``name`` is that of the run where no output has one. With ``reserve`` a default name is taken by ``claims``, so that
    two runs in one folder never share it.
    """
    if off:
        if given is not None:
            raise UsageError("--checkpoint and --no-checkpoint exclude each other", "Leave one out")
        return None, False
    if given is not None:
        path = Path(given).expanduser()
        if path.suffix != ".npz":
            raise UsageError(f"'{path}' does not end in .npz", f"Call it {path.name}.npz")
        if os.path.isdir(path) or (os.path.exists(path) and not overwrite):
            raise UsageError(f"'{path}' exists already", f"Use: evoart resume {path}, --overwrite or another name")
        check_writable(path.parent)
        return Keep(path, notes=notes), True
    first = next((o.path for o in outputs if o.path is not None and not is_special(o.path)), Path(f"{name}.svg"))
    path = first.with_name(first.stem + ".checkpoint.npz")
    names = (numbered(path, number) for number in itertools.count(1))
    free = (name for name in names if not os.path.lexists(name) and (not reserve or claims.take([name])))
    return Keep(next(free), notes=notes), False


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """What the start of a run imports and compiles stays: no garbage is looked for meanwhile, and what the first start
    made is not looked through again."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        _freeze_once()
    finally:
        if collects:
            gc.enable()


@functools.cache
def _freeze_once() -> None:
    gc.freeze()


def perform(events: Callable[[Stop], Iterator[Event]], plan: Plan, console: Console, preview: bool) -> int:
    """Run to the end or to an interruption, write everything, and return the exit code."""
    take(plan.outputs, CLAIMS)
    stop, last = Stop(early=True), None

    def told(why: str) -> None:
        what = "Writing what there is." if isinstance(last, Finished) else "Stopping after this step, then saving."
        console.say(f"{what} Once more stops at once, without saving.")

    def leave(why: str) -> None:
        console.end()
        CLAIMS.release()
        _mention(plan, console)
        if stop.early:
            console.say(f"{why.capitalize()}. Nothing was written.", -1)

    with contextlib.ExitStack() as stack:
        stack.callback(CLAIMS.release)
        stack.enter_context(listening(stop, told, leave))
        with View(console, preview) as view:
            run = events(stop)
            with starting():
                started = next(run)
            assert isinstance(started, Started)  # the loop's promise, as is the last event below
            stop.early = False
            try:
                for last in itertools.chain([started], run):
                    view(last)
            except BaseException:
                _mention(plan, console)
                raise
        assert isinstance(last, Finished)
        return _conclude(last, plan, console, {"device": started.device, "engine": started.engine})


def _saved(plan: Plan) -> Path | None:
    """The checkpoint, where there is one."""
    path = plan.keep.path if plan.keep else None
    return path if path and os.path.exists(path) else None


def _mention(plan: Plan, console: Console) -> None:
    if plan.keep and _saved(plan):
        console.end()
        console.say(f"Continue from the last checkpoint with: evoart resume {_quoted(plan.keep.path)}")


def _conclude(event: Finished, plan: Plan, console: Console, machine: dict[str, str]) -> int:
    with console.progress("writing") as told:
        options = dataclasses.replace(plan.options, progress=told)
        written, lost = write_all(event.result.artwork(), plan.outputs, options, console)
    if plan.members:
        more, failed = _write_members(event.result, plan, console)
        written, lost = written + more, lost or failed
    interrupted = isinstance(event, Interrupted)
    checkpoint = _saved(plan)
    if checkpoint and not (interrupted or lost or plan.lasting):
        with contextlib.suppress(OSError):
            checkpoint.unlink()
        checkpoint = None
    console.say(_summary(event, interrupted))
    if checkpoint and (interrupted or lost):
        console.say(f"Continue with: evoart resume {_quoted(checkpoint)}")
    if plan.report is not None:
        plan.report(_facts(event, written, checkpoint) | machine)
    else:
        for path in written:
            tell_path(path)
    if isinstance(event, Interrupted):
        return EXIT[event.reason]
    return 1 if lost else 0


def write_all(artwork: Artwork, outputs: list[Output], options: Options, console: Console) -> tuple[list[Path], bool]:
    """Write every output, standard output last; what the system refuses goes to a temporary folder.

    One that fails costs none of the others, whether it is the disk or the memory that runs out.
    Returns where the files are, and whether any is not where it was asked to be.
    """
    from evoart.output.save import save

    written: list[Path] = []
    lost = False
    for output in sorted(outputs, key=lambda output: output.path is None):
        try:
            path = save(artwork, output, options)
        except (EvoartError, OSError, MemoryError) as error:
            if output.path is None and isinstance(error, BrokenPipeError):
                raise  # whoever read the last output has gone: nothing is lost, and nobody to tell
            lost = True
            path = _rescue(artwork, output, options, console, _explained(error, output))
        if path is not None:
            written.append(near(path))
    return written, lost


def _write_members(result: Result, plan: Plan, console: Console) -> tuple[list[Path], bool]:
    """The pictures that the result consists of, as PNG, numbered after the first file that was written."""
    first = next((o for o in plan.outputs if o.path is not None and not is_special(o.path)), None)
    written: list[Path] = []
    if first is None or first.path is None:
        return written, False
    members = result.members()
    # Two digits at least: "-2" is what a second file of the same name is called.
    digits = max(2, len(str(max((number for number, _ in members), default=1))))
    place, overwrite = first.path, first.overwrite

    def put(numbered: tuple[int, Result]) -> tuple[list[Path], bool]:
        number, member = numbered
        path = place.with_name(f"{place.stem}-{number:0{digits}}.png")
        return write_all(member.artwork(), [Output(path, "png", overwrite)], plan.options, console)

    # Small pictures: one is encoded while the next is drawn.
    small = all(member.size[0] * member.size[1] <= _SMALL for _, member in members)
    with ThreadPoolExecutor(2 if small else 1) as executor:
        for done, lost in executor.map(put, members):
            written += done
            if lost:
                executor.shutdown(cancel_futures=True)
                return written, True
    return written, False


def _explained(error: EvoartError | OSError | MemoryError, output: Output) -> EvoartError:
    """The error in our words; what comes from elsewhere happened before there was anything to put into a file."""
    if isinstance(error, EvoartError):
        return error
    name = output.path or "standard output"
    if isinstance(error, MemoryError):
        return EvoartError(f"there is not enough memory to write '{name}'", "Use a smaller --size, or write SVG")
    return EvoartError(f"'{name}' was not written ({error.strerror or error})", "Choose another format or folder")


def _rescue(artwork: Any, output: Output, options: Options, console: Console, error: EvoartError) -> Path | None:
    from evoart.cli.failure import complain
    from evoart.output.save import save

    console.end()
    if output.path is None or not isinstance(error.__cause__, OSError):  # nothing that another folder would fix
        complain(str(error))
        return None
    try:
        folder = Path(tempfile.mkdtemp(prefix="evoart-"))
        path = save(artwork, dataclasses.replace(output, path=folder / output.path.name), options)
    except (EvoartError, OSError, MemoryError):
        complain(str(error))
        return None
    complain(f"{error.message}. It is in '{path}' instead.")
    return path


def _summary(event: Finished, interrupted: bool) -> str:
    verb = {"interrupted": "Interrupted", "terminated": "Terminated"}.get(event.reason, "Done")
    result = event.result
    known = figures(event.figures)
    parts = [f"{known} with {result.form.label}" if known else result.form.label, span(event.seconds)]
    if event.evaluations:  # else nothing was searched for
        parts += [count(event.generation, "generation"), count(event.evaluations, "evaluation")]
    return f"{verb}: {', '.join(parts)}, seed {result.seed}"


def _facts(event: Finished, written: list[Path], checkpoint: Path | None) -> dict[str, Any]:
    result = event.result
    return {
        "outputs": [str(path) for path in written],
        "seed": result.seed,
        **event.figures,
        "form": result.form.name,
        "drawing": result.form.label,
        "generations": event.generation,
        "evaluations": event.evaluations,
        "seconds": round(event.seconds, 3),
        "reason": event.reason,
        "checkpoint": str(checkpoint) if checkpoint else None,
    }


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(near(path)))


def notes_of(outputs: list[Output], options: Options, lasting: bool, members: bool = False) -> dict[str, Any]:
    """What ``resume`` needs to know to write where this run was to write."""
    places = [[str(Path(o.path).absolute()) if o.path else None, o.format, o.overwrite] for o in outputs]
    return {"outputs": places, "options": dataclasses.asdict(options), "lasting": lasting, "members": members}


def check_stdout(outputs: list[Output], as_json: bool) -> None:
    """Standard output holds one thing: one picture, or the JSON object."""
    pictures = [output for output in outputs if output.path is None]
    if pictures and as_json:
        raise UsageError("--json and -o - both want standard output", "Write the picture to a file")
