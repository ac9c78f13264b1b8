"""How failures look: one line, an exit code, and a log file where it is our own fault."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence

import click

from evoart.cli.text import visible
from evoart.errors import EvoartError, out_of_memory

INTERRUPTED = 130
EXIT_CODES = "0 done, 1 failed, 2 wrong usage, 130 interrupted (Ctrl-C) but saved, 143 terminated but saved"

_SMALLER = {  # what to do where memory does not suffice, by command
    "fit": "Use fewer shapes, fewer --pixels, a smaller --size or --device cpu",
    "clip": "Use a smaller --model, fewer --crops, a smaller --population, --precision bfloat16 or --device cpu",
}


def explain(error: BaseException, words: Sequence[str]) -> int:
    """Say on stderr what went wrong and return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("Interrupted. Nothing was written.")
        return INTERRUPTED
    if isinstance(error, EvoartError):
        complain(str(error))
        if _wants_traceback(words):
            _traceback(error)
        return error.exit_code
    if isinstance(error, click.ClickException):
        return _click(error, words)
    if out_of_memory(error):
        where = (
            "there is not enough memory" if isinstance(error, MemoryError) else "the device's memory does not suffice"
        )
        complain(f"{where}. {_SMALLER.get(next(iter(words), ''), _SMALLER['fit'])}.")
        return 1
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        complain("the disk is full. Free some space or choose another folder.")
        return 1
    return _bug(error, words)


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


def _click(error: click.ClickException, words: Sequence[str]) -> int:
    message = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    if not message:  # click shows help instead
        return error.exit_code
    message = re.sub(r"\.? \((Did you mean .*\?)\)$", r". \1", message)
    if "Did you mean" not in message and isinstance(error, click.UsageError):
        command = next((word for word in words if not word.startswith("-")), "")
        message += f". See: {context.command_path if context else f'evoart {command}'.strip()} --help"
    complain(message if message.endswith("?") else message + ".")
    return 2 if isinstance(error, click.UsageError) else error.exit_code


def _bug(error: BaseException, words: Sequence[str]) -> int:
    if _wants_traceback(words):
        _traceback(error)
    path = _log(error, words)
    where = f"The log is '{path}'" if path else "Run it again with -vv to see where"
    said = " ".join(str(error).split())[:200]
    complain(f"this is a bug in evoart ({type(error).__name__}: {said}). {where}; please report it.")
    return 1


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


def _wants_traceback(words: Sequence[str]) -> bool:
    count = sum(len(w) - 1 for w in words if w.startswith("-v") and set(w[1:]) == {"v"}) + words.count("--verbose")
    return count >= 2 or os.environ.get("EVOART_DEBUG", "") not in ("", "0")
