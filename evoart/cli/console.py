"""The terminal: messages on stderr, one live line, colours where they are wanted."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import click

from evoart.cli.text import span, visible

PATIENT = 0.6  # seconds of silence that nobody minds
FORETELLS = 0.05  # share of a work that says how long the rest takes
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def colours(stream: TextIO | None) -> bool:
    """Whether to colour what goes to ``stream``: NO_COLOR and FORCE_COLOR first, then the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return terminal(stream)


def terminal(stream: TextIO | None) -> bool:
    """Whether ``stream`` is a terminal that can move its cursor."""
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM", "") != "dumb"
    except ValueError:  # closed
        return False


def tell(text: str) -> None:
    """A line of a command's result on stdout; nothing in it steers the terminal."""
    click.echo(visible(text))


def near(path: Path) -> Path:
    """The path as it was meant: relative where it lies below the current folder."""
    with contextlib.suppress(ValueError, OSError):
        return path.relative_to(Path.cwd())
    return path


def tell_path(path: Path) -> None:
    """A file's name on stdout, a line of its own: byte for byte where a program reads it, harmless on a terminal."""
    path = near(path)
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None or terminal(sys.stdout):
        tell(str(path))
        return
    sys.stdout.flush()
    stream.write(os.fsencode(path) + b"\n")
    stream.flush()


def tell_json(facts: dict[str, Any]) -> None:
    """An object on stdout, in one line: the result where ``--json`` asks for it; what is not finite is ``null``."""
    click.echo(json.dumps(_plain(facts), allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


Report = Callable[[dict[str, Any]], None]  # what takes the facts of a run


class Console:
    """Everything a command says other than its result.

    Args:
        verbosity: -1 only errors, 0 normal, 1 and 2 more.
        stream: where it goes; stderr.
    """

    def __init__(self, verbosity: int = 0, stream: TextIO | None = None) -> None:
        self.verbosity = verbosity
        self.stream = stream if stream is not None else sys.stderr
        self.live = verbosity >= 0 and terminal(self.stream)
        self.colour = colours(self.stream)
        encoding = (getattr(self.stream, "encoding", None) or "ascii").lower().replace("-", "")
        self.unicode = encoding.startswith("utf")
        self._status = ""
        self._lines: list[str] = []  # the picture above it
        self._lock = threading.RLock()

    @property
    def width(self) -> int:
        """Columns of the terminal, 20 at least."""
        return max(20, shutil.get_terminal_size((80, 24)).columns)

    @property
    def height(self) -> int:
        """Lines of the terminal."""
        return shutil.get_terminal_size((80, 24)).lines

    def say(self, text: str, level: int = 0) -> None:
        """A lasting line, shown from verbosity ``level`` on; nothing in it steers the terminal."""
        if self.verbosity < level:
            return
        with self._lock:
            self._write(self._wipe() + self._wipe_picture() + visible(text) + "\n" + self._shown())

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Callable[[float], None]]:
        """A function to be told how much of a long piece of work is done, 0 to 1; shown as the live line, or every ten
        seconds where there is none."""
        start = last = time.monotonic()

        def told(share: float) -> None:
            nonlocal last
            now = time.monotonic()
            if now - start < PATIENT or now - last < (0.2 if self.live else 10.0):
                return
            last = now
            # What is prepared first takes its time: the very beginning foretells nothing.
            left = f", {span((now - start) * (1 - share) / share)} left" if share >= FORETELLS else ""
            text = f"{what}: {share:.0%}{left}"
            if self.live:
                self.status(text)
            else:
                self.say(text)

        try:
            yield told
        finally:
            self.end()

    @contextlib.contextmanager
    def unless_quick(self, text: str) -> Iterator[None]:
        """Say a line once the work inside is done, or earlier where that takes long; not if it fails soon."""
        once = threading.Lock()

        def now() -> None:
            if once.acquire(blocking=False):
                self.say(text)

        timer = threading.Timer(PATIENT, now)
        timer.daemon = True
        timer.start()
        try:
            yield
        except BaseException:
            once.acquire(blocking=False)
            raise
        finally:
            timer.cancel()
            now()

    def status(self, text: str) -> None:
        """Replace the live line; nothing where there is no live terminal."""
        if not self.live:
            return
        with self._lock:
            line = text[: self.width - 1] if "\x1b" not in text else text
            self._write(self._wipe() + line)
            self._status = line

    def picture(self, lines: list[str]) -> None:
        """Show a block of lines above the live line, in place of the one before."""
        if not self.live:
            return
        with self._lock:
            gone = self._wipe() + self._wipe_picture()
            self._lines = [f"{line}\x1b[0m" for line in lines]
            self._write(gone + self._shown())

    def end(self) -> None:
        """Take the live line away; a picture stays."""
        with self._lock:
            self._write(self._wipe())
            self._status, self._lines = "", []

    def _shown(self) -> str:
        """What is below the lasting lines: the picture and the live line."""
        return "".join(f"{line}\n" for line in self._lines) + self._status

    def _wipe(self) -> str:
        """Take the live line away."""
        if not (self.live and self._status):
            return ""
        rows = self._rows(self._status) - 1
        return (f"\x1b[{rows}A" if rows else "") + "\r\x1b[J"

    def _wipe_picture(self) -> str:
        """Take the picture away, where the cursor is below it."""
        rows = sum(self._rows(line) for line in self._lines)
        return f"\x1b[{rows}A\x1b[J" if rows else ""

    def _rows(self, line: str) -> int:
        """Rows that a line takes: more than one where the window has become narrower since it was written."""
        return max(1, -(-len(_ESCAPE.sub("", line)) // self.width))

    def _write(self, text: str) -> None:
        """Nobody reading must never end a run."""
        if not text or self.stream is None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except UnicodeEncodeError:
            self.stream.write(text.encode("ascii", "replace").decode())
        except (OSError, ValueError):
            self.stream, self.live = None, False
