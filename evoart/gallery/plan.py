"""What a gallery is to hold: prompts, photographs and TOML jobs, read into a list of named jobs.

A ``.txt`` file has a prompt on each line; empty lines and lines that start with ``#`` do not count. A picture file is a
photograph to be drawn. A ``.toml`` file holds jobs::

    include = ["more.toml"]            # other files, relative to this one

    [defaults]                         # for every job of this file
    quality = "draft"

    [[job]]
    command = "fit"                    # fit, clip, cppn, sketch: fields are those of the command's options
    picture = "photos/*.jpg"           # a job for each file; relative to this file
    seeds = 2                          # two seeds of each

    [job.matrix]                       # every combination
    shapes = [50, 200]
    kind = ["triangle", "ellipse"]
"""

from __future__ import annotations

import dataclasses
import glob
import itertools
import os
import re
import tomllib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError, UsageError, unknown
from evoart.output.names import slug
from evoart.run.job import JOBS, RENAMED, Job

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif")
MOST = 1_000_000  # jobs
_OWN = ("command", "name", "seeds", "matrix")  # keys of a job's table that are not fields of the job
_MAX_BYTES = 1 << 20  # of a file of prompts or jobs
# Overrides that apply to some commands only, though others have a field of the same name.
_CONCERNS = {
    "model": ("clip",),
    "form": ("clip",),
    "shapes": ("fit", "fit-pen", "clip"),
    "kind": ("fit", "clip"),
}


@dataclass(frozen=True)
class Entry:
    """One picture of a gallery.

    Attributes:
        name: unique in the gallery; its files are called so.
        job: with its seed.
        group: jobs that differ in their seed alone share it: what they have in common.
        source: where it was asked for, ``prompts/animals.txt:3``.
        heading: the name that the job was given, with what its matrix varies; ``""`` where it has none.
    """

    name: str
    job: Job
    group: str
    source: str
    heading: str = ""


def read(
    paths: Sequence[str | Path],
    overrides: dict[str, Any] | None = None,
    report: Callable[[str], object] = lambda text: None,
) -> list[Entry]:
    """The jobs that files and folders ask for, in order; one that is asked for twice is there once.

    Args:
        paths: ``.txt``, ``.toml`` or picture files, or folders of them (not their subfolders).
        overrides: fields (and ``seeds``) that are laid over every job that they concern.
        report: takes a line on jobs that were asked for twice.

    Raises:
        UsageError: nothing there, a file that cannot be read or understood (with its line), two jobs of one name
            in one file.
    """
    requests = [each for path in paths for each in _read(Path(path), overrides or {})]
    if not requests:
        named = ", ".join(f"'{path}'" for path in paths)
        raise UsageError(f"there are no prompts, pictures or jobs in {named}", "Give .txt, .toml or picture files")
    unique: dict[str, Entry] = {}
    doubled = 0
    for entry in _name_all(requests):
        # Names are compared without case, as some file systems do.
        other = unique.setdefault(entry.name.casefold(), entry)
        if other.job != entry.job and _file_of(other) != _file_of(entry):  # two files, each right by itself
            entry = _rename(entry)
            other = unique.setdefault(entry.name.casefold(), entry)
        if other is entry:
            continue
        if other.job != entry.job:
            raise UsageError(
                f"two jobs are called '{entry.name}' ({other.source} and {entry.source})",
                "Give one of them another name",
            )
        doubled += 1
    if doubled:
        report(f"{doubled:,} {'job is' if doubled == 1 else 'jobs are'} asked for twice and done once")
    return list(unique.values())


def _file_of(entry: Entry) -> str:
    return entry.source.rpartition(":")[0] or entry.source


def _rename(entry: Entry) -> Entry:
    """The job called after its file, too."""
    group = f"{entry.group}-{slug(Path(_file_of(entry)).stem)}"
    return dataclasses.replace(entry, name=group + entry.name.removeprefix(entry.group), group=group)


def shard(entries: Sequence[Entry], number: int, shards: int) -> list[Entry]:
    """Every ``shards``-th entry, from the ``number``-th (from 1) on: shards are disjoint and of about one cost."""
    return list(entries[number - 1 :: shards])


@dataclass
class _Request:
    """A job before it has its name: the fields as they were given, and those that tell it from its siblings."""

    command: str
    fields: dict[str, Any]
    name: str | None
    varied: dict[str, Any]
    source: str


def _read(path: Path, overrides: dict[str, Any], within: tuple[Path, ...] = ()) -> Iterator[_Request]:
    if os.path.isdir(path):
        for inner in sorted(path.iterdir()):
            if inner.suffix.lower() in (".txt", ".toml", *PICTURES) and not inner.name.startswith("."):
                yield from _read(inner, overrides, within)
        return
    if not os.path.exists(path):
        raise UsageError(f"there is no file or folder '{path}'", "Check the spelling")
    match path.suffix.lower():
        case ".txt":
            yield from _read_prompts(path, overrides)
        case ".toml":
            yield from _read_tables(path, overrides, within)
        case suffix if suffix in PICTURES:
            yield from _expand({"command": "fit", "picture": str(path)}, overrides, str(path), Path())
        case _:
            raise UsageError(f"'{path}' is not a list of prompts, picture or job file", "Give .txt, .toml or pictures")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"'{path}' is larger than 1 MB", "Split it")
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"'{path}' cannot be read ({what})", "Give a text file") from None


def _read_prompts(path: Path, overrides: dict[str, Any]) -> Iterator[_Request]:
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        prompt = line.strip()
        if prompt and not prompt.startswith("#"):
            yield from _expand({"command": "clip", "prompts": [prompt]}, overrides, f"{path}:{number}", Path())


def _read_tables(path: Path, overrides: dict[str, Any], within: tuple[Path, ...]) -> Iterator[_Request]:
    place = Path(os.path.realpath(path))
    if place in within:
        raise UsageError(f"'{path}' includes itself, by way of {len(within)} files", "Remove an include")
    text = _read_text(path)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"'{path}' is not valid TOML ({error})", "Correct it") from None
    for key in tables:
        if key not in ("include", "defaults", "job"):
            raise _at(path, _line(text, key), unknown("key", key, ("include", "defaults", "job")))
    includes, defaults, jobs = tables.get("include", []), tables.get("defaults", {}), tables.get("job", [])
    if not isinstance(includes, list) or not all(isinstance(name, str) for name in includes):
        raise UsageError(
            f"{path}:{_line(text, 'include')}: include is not a list of names", 'Write include = ["a.toml"]'
        )
    if not isinstance(defaults, dict) or not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise UsageError(f"in '{path}' jobs are no tables", "Write [defaults] and [[job]]")
    for name in includes:
        yield from _read(path.parent / name, overrides, (*within, place))
    starts = [n for n, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*job\s*\]\]", line)]
    starts += [1] * (len(jobs) - len(starts))  # jobs written in another way: the file's first line must do
    for job, start in zip(jobs, starts, strict=False):
        try:
            yield from _expand(defaults | job, overrides, f"{path}:{start}", path.parent)
        except UsageError as error:
            named = re.search(r"'(\w[\w.-]*)'|--([\w-]+)", error.message)
            key = next((part for part in named.groups() if part), "") if named else ""
            raise _at(path, _line(text, key.replace("-", "_"), start), error) from None


def _at(path: Path, line: int, error: UsageError) -> UsageError:
    return UsageError(f"{path}:{line}: {error.message}", error.hint)


def _line(text: str, key: str, after: int = 1) -> int:
    """The line, from ``after`` on, where ``key`` is set or a table of its name begins; ``after`` where none is."""
    pattern = re.compile(rf"\s*(\[+\s*)?(\w+\.)?[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    for number, line in enumerate(text.splitlines()[after - 1 :], after):
        if key and pattern.match(line):
            return number
    return after


def _expand(table: dict[str, Any], overrides: dict[str, Any], source: str, folder: Path) -> Iterator[_Request]:
    """The jobs of one table: every combination of its matrix, every picture of its pattern, every seed."""
    command = str(table.get("command", "clip" if "prompts" in table or "prompt" in table else "fit"))
    known = JOBS[command].checks
    seeds = overrides.get("seeds", table.get("seeds"))
    fields = {name: value for name, value in table.items() if name not in _OWN}
    matrix = _matrix(table.get("matrix", {}))
    for combination in itertools.product(*matrix.values()):
        varied = dict(zip(matrix, combination, strict=True))
        laid = _concerning(overrides, command, fields | varied)
        varied |= {name: value for name, value in laid.items() if name in varied}
        if "model" in laid:  # what belongs to the job's own model goes with it
            fields = {name: value for name, value in fields.items() if name not in ("pretrained", "clip_weights")}
        chosen = _spell(fields | varied) | laid
        for name in chosen:
            if new := RENAMED.get(command, {}).get(name):
                raise UsageError(f"unknown key '{name}'", f"It is called {new} now")
            if name not in known and name != "preset":
                raise unknown("key", name, [*known, *_OWN, "time"])
        for picture in _pictures(chosen.get("picture"), folder):
            each = chosen if picture is None else chosen | {"picture": picture}
            more = {} if picture is None or picture == chosen.get("picture") else {"picture": picture}
            placed = _place(each, command, folder)
            yield from _seeds(_Request(command, placed, table.get("name"), varied | more, source), seeds)


def _concerning(overrides: dict[str, Any], command: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The overrides that a job of ``command`` with these ``fields`` has a use for."""
    known = JOBS[command].checks
    laid = {
        name: value for name, value in overrides.items() if name in known and command in _CONCERNS.get(name, (command,))
    }
    if {**fields, **laid}.get("form", "shapes") != "shapes" and command == "clip":
        laid = {name: value for name, value in laid.items() if name not in ("shapes", "kind")}
    return laid


def _spell(fields: dict[str, Any]) -> dict[str, Any]:
    """``prompt = "a cat"`` is another way to write ``prompts = ["a cat"]``, and ``time`` is one for ``seconds``."""
    fields = {"seconds" if name == "time" else name: value for name, value in fields.items()}
    if "prompt" in fields:
        fields["prompts"] = [fields.pop("prompt")]
    return fields


def _matrix(matrix: Any) -> dict[str, list[Any]]:
    if not isinstance(matrix, dict) or not all(isinstance(values, list) and values for values in matrix.values()):
        raise UsageError("'matrix' is not a table of lists", "Write for example: matrix.shapes = [50, 200]")
    if len(list(itertools.islice(itertools.product(*matrix.values()), MOST + 1))) > MOST:
        raise UsageError("'matrix' has more than a million combinations", "Leave some out")
    return dict(matrix)


def _pictures(picture: Any, folder: Path) -> list[str | None]:
    """The files of a pattern, or the one file. A name that is not a pattern stays as it was typed."""
    if not isinstance(picture, str) or not glob.has_magic(picture) or os.path.exists(folder / picture):
        return [picture if isinstance(picture, str) else None]
    found = sorted(glob.glob(picture, root_dir=folder or None))
    if not found:
        raise UsageError(f"no picture is called '{picture}'", "Check the pattern")
    return list(found)


def _place(fields: dict[str, Any], command: str, folder: Path) -> dict[str, Any]:
    """The fields with file names as seen from the current folder."""
    job = JOBS[command]

    def placed(value: Any, names_file: Callable[[str], bool]) -> Any:
        if isinstance(value, list):
            return [placed(each, names_file) for each in value]
        if not isinstance(value, str) or value in ("", "-") or not names_file(value):
            return value
        return os.path.normpath(folder / os.path.expanduser(value))

    kinds = dict.fromkeys(job.files, lambda value: job.names_file(value, folder))
    kinds |= dict.fromkeys(job.models, job.names_model_file)
    return fields | {name: placed(fields[name], names_file) for name, names_file in kinds.items() if name in fields}


def _seeds(request: _Request, count: Any) -> Iterator[_Request]:
    """The request with ``count`` seeds from its own on."""
    if count is None or "seed" in request.varied:
        yield request
        return
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10_000:
        raise UsageError(f"'seeds' is {count!r}", "Use a whole number from 1 to 10,000")
    first = int(Job.checks["seed"]("seed", request.fields.get("seed", 1)))
    for seed in range(first, first + count):
        varied = request.varied | ({"seed": seed} if count > 1 else {})
        yield dataclasses.replace(request, fields=request.fields | {"seed": seed}, varied=varied)


def _name_all(requests: list[_Request]) -> list[Entry]:
    if len(requests) > MOST:
        raise UsageError(f"there are {len(requests):,} jobs", f"Use at most {MOST:,}")
    entries: list[Entry] = []
    taken: dict[str, Any] = {}
    for each in requests:
        try:
            job = Job.make(command=each.command, **each.fields)
        except UsageError as error:
            raise UsageError(f"{each.source}: {error.message}", error.hint) from None
        except EvoartError as error:
            raise EvoartError(f"{each.source}: {error.message}", error.hint) from None
        words = [str(each.name or job.stem)]
        words += [
            _word(name, value) for name, value in each.varied.items() if name not in ("prompts", "picture", "seed")
        ]
        if each.name and ("prompts" in each.varied or "picture" in each.varied):
            words.insert(1, job.stem)
        about = str(each.fields.get("prompts", each.fields.get("picture", "")))
        group = _name("-".join(words), about if each.name is None else "", taken)
        taken.setdefault(group.casefold(), about)
        name = f"{group}-s{each.varied['seed']}" if "seed" in each.varied else group
        if job.seed is None:  # the same on every machine and every day
            job = Job.from_dict(job.to_dict() | {"seed": zlib.crc32(name.encode()) % 1_000_000})
        entries.append(Entry(name, job, group, each.source, ", ".join(words) if each.name else ""))
    return entries


def _name(text: str, about: str, taken: dict[str, Any]) -> str:
    """``text`` as a file name.

    What it cannot say (other scripts, punctuation, the end of a long prompt) is told apart by eight digits made of
    ``about``; without that, jobs of one name are the user's mistake.
    """
    name = slug(text, 120)
    unsaid = any(char.isalnum() and slug(f"{char}0") == "0" for char in text)
    if unsaid or (about and taken.get(name.casefold(), about) != about):
        return f"{name}-{zlib.crc32((about or text).encode()):08x}"[:130]
    return name


def _word(name: str, value: Any) -> str:
    return str(value) if isinstance(value, str) else f"{value}-{name}" if name == "shapes" else f"{name}-{value}"


def repeated(entries: Sequence[Entry], count: int) -> list[Entry]:
    """``count`` more entries of one group, with seeds that none of ``entries`` has."""
    first = entries[0]
    taken, made = {entry.job.seed for entry in entries}, []
    seed = max(seed or 0 for seed in taken) + 1
    while len(made) < count:
        if seed not in taken:
            job = Job.from_dict(first.job.to_dict() | {"seed": seed % 2**32})
            made.append(dataclasses.replace(first, name=f"{first.group}-s{seed}", job=job))
        seed += 1
    return made
