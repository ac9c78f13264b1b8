"""What all rooms share: a folder, one history, one run at a time, and the events that pages hear."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evoart.errors import EvoartError, UsageError
from evoart.locks import try_lock
from evoart.output.files import check_writable, write
from evoart.run.job import Job
from evoart.studio import keeping
from evoart.studio.bus import Bus
from evoart.studio.history import NAME, History, Step
from evoart.studio.room import Room
from evoart.studio.rooms import ROOMS
from evoart.studio.runner import Runner
from evoart.types import Drawing

if TYPE_CHECKING:
    from evoart.run.result import Result

PHOTOGRAPHS, PICTURES, THUMBS, EXPORTS = "photographs", keeping.PICTURES, keeping.THUMBS, "exports"
FOLDERS = (PHOTOGRAPHS, PICTURES, THUMBS, keeping.FILMS, EXPORTS)
SETTINGS = "studio.json"
MOST_RECIPE = 20 << 20  # bytes of a file in which a recipe is looked for
PATIENCE = 10.0  # seconds that a folder may stay locked by a server that has just ended


class Studio:
    """A folder with everything that was made in it, and what works on it.

    Args:
        folder: made where it is missing. Its photographs and pictures have names that the studio gives.

    Raises:
        UsageError: a folder that cannot be used, or that another studio has open.
        EvoartError: a damaged history.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the folder '{folder}' cannot be made ({error.strerror})"
            raise UsageError(what, "Choose another with --folder") from None
        check_writable(folder)
        self._lock_file = _lock(folder)
        for name in FOLDERS:
            (folder / name).mkdir(exist_ok=True)
        self.settings = _settings(folder / SETTINGS)
        self.history = History(folder / NAME)
        self.bus = Bus(self.snapshot)
        self._count = threading.Lock()
        self._last = max((_number(path.name) for path in (folder / PICTURES).iterdir()), default=0)
        self.runner = Runner(folder, self.bus.publish, self._done, self.next_number)
        self.rooms: dict[str, Room] = {}
        for name in sorted(ROOMS, key=lambda name: ROOMS[name].order):
            self.rooms[name] = ROOMS[name]

    def open(self) -> None:
        """Start what draws, and continue what was being made."""
        self.runner.open()

    def close(self) -> None:
        """Save what is being made, and end everything."""
        self.bus.close()
        self.runner.close()
        self.history.close()
        self._lock_file.close()

    def save_settings(self, **changes: Any) -> None:
        """Change settings and keep them; nobody else may read them, for they hold the secret of the cookie."""
        self.settings |= changes
        path = self.folder / SETTINGS
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        write(path, json.dumps(self.settings).encode(), overwrite=True)

    def snapshot(self) -> dict[str, Any]:
        """Everything that a page has to know at first."""
        rooms = [{"name": r.name, "title": r.title, "view": self.history.view(r.name)} for r in self.rooms.values()]
        return {"rooms": rooms, "run": self.runner.status(), "boot": self.bus.boot}

    def command(self, room: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """What a page asks for; called from a thread of its own.

        Raises:
            UsageError: no such room or command. EvoartError: whatever the command cannot do.
        """
        if room == "studio":
            commands = SHARED
        elif room in self.rooms:
            commands = self.rooms[room].commands
        else:
            raise UsageError(f"there is no room '{room}'", "Load the page again")
        if name not in commands:
            raise UsageError(f"the room '{room}' has no command '{name}'", "Load the page again")
        return commands[name](self, given) or {}

    # -- what rooms use -----------------------------------------------------------------------------------------

    def start(
        self, room: str, jobs: Sequence[Job], label: str, state: dict[str, Any] | None = None, fresh: bool = False
    ) -> None:
        """Make the pictures of jobs, one after the other; when they are done, a step of the room has them.

        Files that a job names are relative to the studio's folder. ``state`` goes into the step, with ``jobs`` and
        ``figures`` of every picture added; ``fresh`` see ``Step``.

        Raises:
            UsageError: something is being made already.
        """
        self.runner.start(room, jobs, label, state=state or {}, parent=self.history.at.get(room), fresh=fresh)

    def add_step(
        self, room: str, label: str, pictures: Sequence[str] = (), state: dict[str, Any] | None = None, **more: Any
    ) -> Step:
        """A new step of a room, which all pages then show; see ``History.add``."""
        step = self.history.add(room, label, pictures, state, **more)
        self.tell(room)
        return step

    def tell(self, room: str) -> None:
        """Let all pages know where a room stands."""
        self.bus.publish("room", self.history.view(room))

    def next_number(self) -> int:
        """A number that no picture has yet."""
        with self._count:
            self._last += 1
            return self._last

    def keep_picture(self, result: Result) -> str:
        """Write a result and its thumbnail into the folder; returns the name of its file, for ``add_step``.

        Raises:
            EvoartError: the system refuses the file.
        """
        return keeping.keep_picture(result, f"{self.next_number():06d}", self.folder)

    def add_photograph(self, data: bytes, name: str = "") -> dict[str, Any]:
        """Keep a photograph under a name of our own.

        Args:
            data: the file.
            name: what it is called, for people.

        Returns:
            ``name`` of the file, ``width`` and ``height`` in pixels, ``title``.

        Raises:
            UsageError, EvoartError: not a picture, or one that cannot be used.
        """
        from evoart.picture import load

        picture = load(data, needed=64, label="the file")
        kind = _kind(data)
        title = " ".join(name.split())[:80] or "photograph"
        words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "photograph"
        file = f"{words}-{picture.sha256[:12]}.{kind}"
        write(self.folder / PHOTOGRAPHS / file, data, overwrite=True)
        return {"name": file, "width": picture.width, "height": picture.height, "title": title}

    def add_file(self, data: bytes, name: str = "") -> dict[str, Any]:
        """Keep what was dropped on the page: a photograph, see ``add_photograph``; or a picture that evoart made,
        of which ``picture`` is the name then.

        Raises:
            UsageError, EvoartError: neither.
        """
        from evoart.output.recipe import extract
        from evoart.run.api import load

        if len(data) > MOST_RECIPE or not data:
            return self.add_photograph(data, name)
        try:
            extract(data, "the file")
        except EvoartError:
            return self.add_photograph(data, name)
        return {"picture": self.keep_picture(load(data)), "title": " ".join(name.split())[:80]}

    def photograph(self, name: Any) -> Path:
        """The path of a photograph, relative to the folder.

        Raises:
            UsageError: there is none of that name.
        """
        if not isinstance(name, str) or not _FILE.fullmatch(name) or not (self.folder / PHOTOGRAPHS / name).is_file():
            raise UsageError("that photograph is not here", "Choose it again")
        return Path(PHOTOGRAPHS) / name

    def picture(self, name: Any) -> Path:
        """The path of a picture that was made, relative to the folder.

        Raises:
            UsageError: there is none of that name.
        """
        if not isinstance(name, str) or not _FILE.fullmatch(name) or not (self.folder / PICTURES / name).is_file():
            raise UsageError("that picture is not here", "Choose another")
        return Path(PICTURES) / name

    def result(self, name: Any) -> Result:
        """The result in a picture that was made.

        Raises:
            UsageError, EvoartError: there is none, or it is damaged.
        """
        from evoart.run.api import load

        return load(self.folder / self.picture(name))

    def frames(self, name: str) -> Sequence[Drawing]:
        """How a picture came about, as drawings for a film.

        Raises:
            EvoartError: there is no record of it.
        """
        from evoart.run import checkpoint as checkpoints
        from evoart.run.recorder import FilmRecorder
        from evoart.run.state import FRAMES

        path = self.folder / keeping.FILMS / f"{name}.npz"
        if not path.is_file():
            raise EvoartError("there is no record of how this came about", "Save it as a picture")
        recorder = FilmRecorder()
        recorder.load(checkpoints.load(path).film)
        return recorder.frames(FRAMES)

    def export(self, name: str, put: Callable[[Path], Any]) -> dict[str, Any]:
        """Let ``put`` write a file that the page can then save; returns its ``url`` and ``name``.

        Args:
            name: what it is called; the studio's own words only.
        """
        made = time.monotonic()
        folder = self.folder / EXPORTS
        for old in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-20]:
            with contextlib.suppress(OSError):
                old.unlink()
        token = f"{int(made * 1000):x}{secrets.token_hex(4)}"
        put(folder / f"{token}-{name}")
        return {"url": f"/exports/{token}-{name}", "name": name}

    def file(self, kind: str, name: str) -> Path | None:
        """The path of a file that may be sent, or None: only names that the studio gives itself."""
        if kind not in (PHOTOGRAPHS, PICTURES, THUMBS, EXPORTS) or not _FILE.fullmatch(name):
            return None
        path = self.folder / kind / name
        return path if path.is_file() else None

    def _done(self, plan: dict[str, Any]) -> None:
        """A run is over: its pictures become a step."""
        results = plan["results"]
        run = {"number": plan["number"]}
        if any(step.state.get("run") == run for step in self.history.steps.values()):
            return  # the process ended between this and forgetting the plan
        figures = [each["figures"] for each in results]
        facts = {"figures": figures, "labels": [each["label"] for each in results], "run": run}
        facts |= {"jobs": plan["jobs"][: len(results)], "seconds": [each["seconds"] for each in results]}
        facts |= self.rooms[plan["room"]].finished(self, plan)
        pictures = [each["picture"] for each in results]
        self.add_step(
            plan["room"], plan["label"], pictures, plan["state"] | facts, parent=plan["parent"], fresh=plan["fresh"]
        )


_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}(\.[a-z0-9]{1,8}){1,2}")


def _number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else 0


def _kind(data: bytes) -> str:
    """The extension of a photograph that was read: what it is, whatever it was called."""
    import io

    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        kind = (image.format or "png").lower()
    return {"jpeg": "jpg", "mpo": "jpg", "jpeg2000": "jp2"}.get(kind, kind)


def _settings(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _lock(folder: Path) -> BinaryIO:
    """The file that says who works on the folder, locked.

    Raises:
        UsageError: somebody else does.
    """
    file = (folder / "studio.lock").open("ab")
    until = time.monotonic() + PATIENCE
    try:
        while not try_lock(file.fileno()):
            if time.monotonic() > until:
                file.close()
                where = f"the folder '{folder}' is open in another studio"
                raise UsageError(where, "Use its page, or another --folder")
            time.sleep(0.1)
    except OSError:
        pass  # a file system without locks
    return file


# Commands of no room in particular.


def _undo(studio: Studio, given: dict[str, Any]) -> None:
    studio.history.undo(_room(studio, given))
    studio.tell(given["room"])


def _redo(studio: Studio, given: dict[str, Any]) -> None:
    studio.history.redo(_room(studio, given))
    studio.tell(given["room"])


def _go(studio: Studio, given: dict[str, Any]) -> None:
    to = given.get("to")
    if to is not None and not isinstance(to, int):
        raise UsageError("a step is a number", "Load the page again")
    studio.history.go(_room(studio, given), to)
    studio.tell(given["room"])


def _mark(studio: Studio, given: dict[str, Any]) -> None:
    marks = {name: bool(given[name]) for name in ("kept", "hidden") if name in given}
    step = studio.history.mark(int(given.get("id", 0)), **marks)
    studio.tell(step.room)


def _room(studio: Studio, given: dict[str, Any]) -> str:
    if given.get("room") not in studio.rooms:
        raise UsageError("that room is not here", "Load the page again")
    return given["room"]


def _live(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    index = given.get("index", 0)
    return {"svg": studio.runner.picture(index if isinstance(index, int) else 0)}


def _command(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The command line that makes a picture."""
    from evoart.gallery.command import command_of, quoted

    path = studio.picture(given.get("picture"))
    where = os.path.relpath(studio.folder)
    command = command_of(studio.result(path.name).job.to_dict(), str(path))
    return {"command": command if where == "." else f"cd {quoted(where)} && {command}"}


def _export(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A file of a picture in another format; films are made from the run's last checkpoint."""
    from evoart.output.formats import OUTPUTS, encode

    path, name = studio.picture(given.get("picture")), str(given.get("format", "svg"))
    if name not in OUTPUTS:
        raise UsageError(f"there is no format '{name[:20]}'", "Choose another")
    kind = OUTPUTS[name]
    kind.check()
    result = studio.result(path.name)
    if kind.film and not result.frames:
        result = dataclasses.replace(result, frames=studio.frames(path.stem))
    artwork = result.artwork(None if kind.film else given.get("size"))
    if kind.forms is not None and result.form.name not in kind.forms:
        raise UsageError(f"this picture cannot be saved as {name}", "Choose another format")
    data = encode(name, artwork)
    return studio.export(f"{path.stem}{kind.extensions[0]}", lambda file: write(file, data))


SHARED: dict[str, Callable[[Studio, dict[str, Any]], dict[str, Any] | None]] = {
    "pause": lambda studio, given: studio.runner.pause(),
    "go-on": lambda studio, given: studio.runner.go_on(),
    "stop": lambda studio, given: studio.runner.stop(),
    "undo": _undo,
    "redo": _redo,
    "go": _go,
    "mark": _mark,
    "live": _live,
    "command": _command,
    "export": _export,
}
