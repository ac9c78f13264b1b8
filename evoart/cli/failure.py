"""Failures: one line, an exit code, and a log file where the fault is ours."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

import click

from evoart.cli.text import visible
from evoart.errors import EvoartError, UsageError, out_of_memory

INTERRUPTED = 130
EXIT_CODES = "0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C) but saved, 143 terminated but saved"
EPILOG = f"Exit codes: {EXIT_CODES}. Ctrl-C once stops and saves, twice stops at once."

_SMALLER = {  # what to do where memory runs out, by command
    "fit": "Use fewer shapes, fewer --pixels, a smaller --size or --device cpu",
    "clip": "Use a smaller --model, fewer --crops, a smaller --population, --precision bfloat16 or --device cpu",
}


def explain(error: BaseException, words: Sequence[str]) -> int:
    """Say on stderr what went wrong, as an object on stdout too where ``--json`` is among ``words``; returns the exit
    code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException) and not error.format_message():
        return error.exit_code  # click shows help instead
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("Interrupted. Nothing was written.")
        _tell_json(words, facts_of(EvoartError("interrupted", "Nothing was written")) | {"exit_code": INTERRUPTED})
        return INTERRUPTED
    told = describe(error, words)
    complain(str(told))
    if isinstance(error, EvoartError) and wants_traceback(words):
        _traceback(error)
    _tell_json(words, facts_of(told))
    return told.exit_code


def describe(error: BaseException, words: Sequence[str]) -> EvoartError:
    """Any error as an ``EvoartError``, for the user who typed ``words``; a bug leaves a log."""
    if isinstance(error, EvoartError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error, words)
    if out_of_memory(error):
        device = not isinstance(error, MemoryError)
        what = "the device ran out of memory" if device else "there is not enough memory"
        return EvoartError(what, _SMALLER.get(next(iter(words), ""), _SMALLER["fit"]))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EvoartError("the disk is full", "Free some space or choose another folder")
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return EvoartError("the current folder was removed", "Change to another: cd ~")
    return _bug(error, words)


def facts_of(error: EvoartError) -> dict[str, Any]:
    """What ``--json`` tells of a failure."""
    return {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}


def _tell_json(words: Sequence[str], facts: dict[str, Any]) -> None:
    if "--json" in words[: words.index("--") if "--" in words else None] and sys.stdout is not None:
        from evoart.cli.console import tell_json

        with contextlib.suppress(OSError, ValueError):
            tell_json(facts)


def _folder_is_gone() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def complain(message: str) -> None:
    """One line, ``Error: ...``, red where colours are wanted."""
    from evoart.cli.console import colours

    one = " ".join(str(message).split())
    say(one, "\x1b[31mError:\x1b[0m " if colours(sys.stderr) else "Error: ")


def say(message: str, label: str = "") -> None:
    """A line on stderr, whether or not anyone can read it; nothing in ``message`` steers the terminal."""
    line = label + visible(message)
    try:
        print(line, file=sys.stderr, flush=True)
    except UnicodeEncodeError:
        print(line.encode("ascii", "replace").decode(), file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def _usage(error: click.ClickException, words: Sequence[str]) -> EvoartError:
    """What click has to say, in our form: a suggestion, or where the help is."""
    message = error.format_message().strip().rstrip(".")
    kind = UsageError if isinstance(error, click.UsageError) else EvoartError
    if near := re.fullmatch(r"(.*?)\.? \(?(Did you mean .*?\?)\)?", message):
        return kind(near[1], near[2])
    context = getattr(error, "ctx", None)
    command = next((word for word in words if not word.startswith("-")), "")
    place = context.command_path if context else f"evoart {command}".strip()
    return kind(message, f"See: {place} --help" if kind is UsageError else "")


def _bug(error: BaseException, words: Sequence[str]) -> EvoartError:
    if wants_traceback(words):
        _traceback(error)
    path = _log(error, words)
    where = f"The log is '{path}'" if path else "Run it again with -vv to see where"
    said = " ".join(str(error).split())[:200]
    return EvoartError(f"this is a bug in evoart ({type(error).__name__}: {said})", f"{where}; please report it")


def _log(error: BaseException, words: Sequence[str]) -> str | None:
    import platform
    import tempfile
    import traceback

    from evoart.version import __version__

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="evoart-", suffix=".log", delete=False, encoding="utf-8", errors="replace"
        ) as file:
            file.write(f"evoart {__version__}, Python {platform.python_version()}, {platform.platform()}\n")
            file.write(f"evoart {' '.join(words)}\n\n")
            file.writelines(traceback.format_exception(error))
            return file.name
    except OSError:
        return None


def _traceback(error: BaseException) -> None:
    import traceback

    for line in "".join(traceback.format_exception(error)).rstrip().split("\n"):
        say(line)


def wants_traceback(words: Sequence[str]) -> bool:
    """Whether ``-vv`` or the environment asks where errors come from."""
    count = sum(len(w) - 1 for w in words if w.startswith("-v") and set(w[1:]) == {"v"}) + words.count("--verbose")
    return count >= 2 or os.environ.get("EVOART_DEBUG", "") not in ("", "0")
