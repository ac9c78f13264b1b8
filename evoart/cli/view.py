"""What a person sees of a run: a live line on a terminal, a plain line about every ten seconds elsewhere."""

from __future__ import annotations

import threading
import time

from evoart.cli.console import Console
from evoart.cli.text import clock, figures, short, span
from evoart.run.events import Event, Improved, Noted, Progress, Saved, Started, Unsaved

PLAIN_EVERY = 10.0  # seconds between plain lines
PREVIEW_EVERY = 0.5
PATIENT = 1.5  # seconds of silence after which compiling is announced
_BAR = 16


class View:
    """Reads the events of one run. Use it as a context manager around the run.

    Args:
        preview: show the picture as it grows, where the terminal can.
    """

    def __init__(self, console: Console, preview: bool = False) -> None:
        self.console = console
        self.preview = preview and self._can_preview()
        self._next_line = self._next_picture = 0.0
        self._improved: Improved | None = None
        self._compiling = threading.Timer(PATIENT, self._announce)
        self._compiling.daemon = True

    def __enter__(self) -> View:
        self._compiling.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._compiling.cancel()
        if self.preview and self._improved is not None:
            self._show()
        self.console.end()

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                resumed = f", continuing at generation {event.resumed:,}" if event.resumed else ""
                w, h = event.resolution
                text = f"{event.engine} engine on {event.device} ({event.why}), searching at {w} x {h} pixels{resumed}"
                self.console.say(text, 0 if event.resumed else 1)
            case Improved():
                self._improved = event
                if self.preview and time.monotonic() >= self._next_picture:
                    self._show()
                    self._next_picture = time.monotonic() + PREVIEW_EVERY
            case Progress():
                self._progress(event)
            case Saved():
                self.console.say(f"checkpoint at generation {event.generation:,}: {event.path}", 1)
            case Noted():
                self.console.say(event.text)
            case Unsaved():
                self.console.say(f"Warning: the checkpoint was not written: {event.error}")

    def _progress(self, event: Progress) -> None:
        self._compiling.cancel()
        if self.console.live:
            self.console.status(live_line(event, self.console))
        elif time.monotonic() >= self._next_line:
            self.console.say(plain_line(event))
            self._next_line = time.monotonic() + PLAIN_EVERY

    def _announce(self) -> None:
        text = "preparing; the first run compiles its drawing code, which is kept ..."
        if self.console.live:
            self.console.status(text)
        else:
            self.console.say(text)

    def _can_preview(self) -> bool:
        from evoart.cli import preview

        if self.console.live and self.console.unicode and preview.depth():
            return True
        self.console.say("no preview: it needs a terminal with 256 colours or more")
        return False

    def _show(self) -> None:
        from evoart.cli import preview

        console = self.console
        if self._improved is not None:
            drawing = self._improved.drawing
            console.picture(preview.lines(drawing, console.width - 1, console.height - 4, preview.depth()))


def live_line(event: Progress, console: Console) -> str:
    """The live line: what matters most first, and only as much as fits.

    Stage, share done with a bar in the room that is left, figures, time left, speed, generation, parts.
    """
    wide = console.width >= 72
    line = f"{event.stage[:20]:<18}" if wide else f"{event.stage.split()[0][:10]:<9}"
    done = "" if event.fraction is None else f"{event.fraction:>5.0%}"
    parts = [
        figures(event.figures),
        clock(event.seconds) if event.left is None else f"{clock(event.left)} left",
        f"{short(event.rate)} evals/s" if event.rate else "",
        f"gen {event.generation:,}",
        event.label,
    ]
    room = console.width - 1 - len(line) - len(done)
    rest = ""
    for part in filter(None, parts):
        if len(rest) + 2 + len(part) > room:
            break
        rest += "  " + part
    space = min(_BAR, room - len(rest) - 1)
    bar = "" if event.fraction is None else _bar(event.fraction, space, console.unicode)
    if bar and console.colour:
        bar = f"\x1b[36m{bar}\x1b[0m"
    return line + bar + done + rest


def plain_line(event: Progress) -> str:
    """The same as a sentence for a log."""
    left = f", about {span(event.left)} left" if event.left is not None else ""
    parts = [f"generation {event.generation:,}", figures(event.figures), event.label]
    if event.rate:
        parts.append(f"{short(event.rate)} evaluations/s")
    return f"{span(event.seconds)}: {event.stage}, {', '.join(filter(None, parts))}{left}"


def _bar(fraction: float, width: int, unicode: bool) -> str:
    """A bar of ``width`` characters; none where that is too few to say anything."""
    if width < 4:
        return ""
    full, half, empty = ("━", "╸", "─") if unicode else ("#", "", "-")
    halves = int(fraction * width * 2 + 0.5)
    text = full * (halves // 2) + (half if halves % 2 else "")
    return f"{text:{empty}<{width}}"
