"""What an output is called and in which format it is."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evoart.errors import UsageError
from evoart.output.claims import Claims
from evoart.output.files import check_writable, is_special, numbered
from evoart.output.formats import OUTPUTS, extensions, format_of
from evoart.registry import spelled

DEFAULT_FORMATS = ("svg", "png")
_STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")  # written like "-", so that nothing is printed among it
_LONGEST_NAME = 240  # bytes; file systems hold 255, and a taken name may still get a number


@dataclass(frozen=True)
class Output:
    """One file to write: ``path`` (None: standard output) in the format called ``format``."""

    path: Path | None
    format: str
    overwrite: bool = False


def slug(text: str, longest: int = 60) -> str:
    """``text`` as a name of words with hyphens, cut at a word where possible: ``"A cat, è?"`` is ``"a-cat-e"``.

    Letters of other scripts stay as they are, and symbols are named: a cat's face is ``cat-face``. At most ``longest``
    bytes in UTF-8; never empty.
    """
    kept = ""
    for char in unicodedata.normalize("NFC", text):
        plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
        kind = unicodedata.category(char)
        if re.search("[A-Za-z0-9]", plain):
            kept += plain
        elif kind[0] in "LN" or (kind[0] == "M" and kept and kept[-1] > "\x7f"):
            kept += char
        elif kind == "So":
            name = unicodedata.name(char, "").removeprefix("REGIONAL INDICATOR SYMBOL LETTER ")
            kept += f" {name} "
        elif kind != "Cf":  # joins letters, and is not a space
            kept += " "
    words = re.sub(r"[\x00-/:-`{-\x7f]+", "-", kept.lower()).strip("-")
    if len(words.encode()) > longest:
        start = words.encode()[: longest + 1].decode(errors="ignore")
        cut = start.rpartition("-")[0]
        words = (cut or words.encode()[:longest].decode(errors="ignore")).strip("-")
    return words or "picture"


def default_paths(
    stem: str, form: str, formats: Sequence[str], folder: Path = Path(), claims: Claims | None = None
) -> list[Path]:
    """``<stem>-<form>.<extension>`` in ``folder``, one per format, all numbered ``-2``, ``-3``, ... until no file has
    and no other run has taken one of them; from then on ``claims`` holds them."""
    clean = re.sub(r"[\x00-\x1f\x7f/\\]", "", stem).lstrip("-.").strip() or "picture"
    clean = clean.encode(errors="ignore")[:120].decode(errors="ignore")
    paths = [folder / f"{clean}-{form}{extensions()[name][0]}" for name in formats]
    number, chosen = 1, paths
    while any(os.path.lexists(path) for path in chosen) or not (claims is None or claims.take(chosen)):
        number += 1
        chosen = [numbered(path, number) for path in paths]
    return chosen


def resolve(
    values: Sequence[str],
    *,
    stem: str,
    form: str,
    format: str | None = None,
    overwrite: bool = False,
    inputs: Iterable[Path] = (),
    formats: Sequence[str] = DEFAULT_FORMATS,
    claims: Claims | None = None,
) -> list[Output]:
    """The outputs that ``-o`` values ask for, each checked so that nothing can fail later for a reason known now.

    Args:
        values: ``"-"`` (or ``/dev/stdout``) is standard output, an existing folder gets the default name, anything else
            is a file whose extension is its format. None at all: ``formats`` with default names in the current folder.
        stem, form: for default names.
        format: the format for ``"-"`` and folders (default the first of ``formats``; folders all of them).
        overwrite: allow files that exist, but never one of ``inputs``.
        claims: takes the names, so that no other run on this machine writes to them; None: they are not taken.

    Raises:
        UsageError: unknown or missing extension, existing file, folder missing or not writable, the same name twice,
            a name that another run has taken.
    """
    if format is not None:
        format = spelled(format)
        OUTPUTS[format]
    outputs: list[Output] = []
    for value in values or ["."]:
        outputs += _resolve_one(value, stem, form, format, formats, overwrite, claims)
    _check_distinct(outputs)
    for output in outputs:
        OUTPUTS[output.format].check()
        if output.path is not None:
            check_path(output.path, overwrite, inputs)
    if claims is not None:
        take(outputs, claims)
    return outputs


def take(outputs: Iterable[Output], claims: Claims) -> None:
    """Take the names of ``outputs``.

    Raises:
        UsageError: another run has one of them.
    """
    for output in outputs:
        if output.path is not None and not is_special(output.path) and not claims.take([output.path]):
            raise UsageError(f"another run is about to write '{output.path}'", "Wait for it, or choose another name")


def _resolve_one(
    value: str,
    stem: str,
    form: str,
    format: str | None,
    usual: Sequence[str],
    overwrite: bool,
    claims: Claims | None,
) -> list[Output]:
    formats = (format,) if format else tuple(usual)
    if value == "-" or value in _STDOUT:
        return [Output(None, formats[0])]
    path = _path(value)
    if is_special(path):
        return [Output(path, formats[0], True)]
    if os.path.isdir(path):  # unlike Path.is_dir, False and no error below a folder that may not be entered
        paths = default_paths(stem, form, formats, path, claims)
        return [Output(p, name) for p, name in zip(paths, formats, strict=True)]
    if value.endswith(("/", os.sep)):
        raise UsageError(f"there is no folder '{value}'", f"Make it first: mkdir -p '{value}'")
    return [Output(path, _format_for(path, format), overwrite)]


def _path(value: str) -> Path:
    if not value or "\0" in value:
        raise UsageError("an output has an empty or impossible name", "Give a file name such as picture.svg")
    path = Path(os.path.expanduser(value))
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise UsageError(f"the name '{path.name[:40]}...' is too long for a file", "Choose a shorter one")
    return path


def _format_for(path: Path, format: str | None) -> str:
    """The extension decides; ``format`` helps out where there is no known one, and must not contradict it."""
    if format is None:
        return format_of(path)
    try:
        named = format_of(path)
    except UsageError:
        return format
    same = path.suffix.lower() == extensions()[format][0][-len(path.suffix) :]  # x.webp may be an animated one
    if named != format and not same:
        raise UsageError(f"'{path}' is {named} by its extension, not {format}", "Change the name or --format")
    return format


def _check_distinct(outputs: list[Output]) -> None:
    names = [os.path.realpath(o.path) if o.path else "-" for o in outputs if not (o.path and is_special(o.path))]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the output '{name}' is given twice", "Give every output its own name")


def check_path(path: Path, overwrite: bool, inputs: Iterable[Path]) -> None:
    """Refuse a file that cannot be written.

    Raises:
        UsageError: it is one of ``inputs``, it exists and may not be replaced, its folder is missing or not writable.
    """
    if is_special(path):
        return
    for source in inputs:
        if os.path.exists(path) and os.path.exists(source) and os.path.samefile(path, source):
            raise UsageError(f"the output '{path}' is the input", "Choose another name")
    if os.path.lexists(path) and not overwrite:
        raise UsageError(f"'{path}' exists already", "Use another name, or --overwrite (overwrite=True in Python)")
    check_writable(Path(os.path.realpath(path)).parent)
