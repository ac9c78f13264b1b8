"""The room Picture: a photograph becomes shapes, which are watched, steered and edited."""

from __future__ import annotations

from typing import Any

from evoart.errors import UsageError
from evoart.picture import bundled
from evoart.run.fit.job import FitJob
from evoart.studio.room import Room
from evoart.studio.studio import Studio

NAME = "picture"
# Fields of a job that the page may set.
FIELDS = ("shapes", "kind", "palette", "background", "opacity", "quality", "seconds", "seed", "loss")


def open_photograph(studio: Studio, data: bytes, name: str = "") -> None:
    """Show a photograph to be drawn.

    Raises:
        UsageError, EvoartError: not a picture, or one that cannot be used.
    """
    photograph = studio.add_photograph(data, name)
    studio.add_step(NAME, photograph["title"], state={"photograph": photograph})


def open_result(studio: Studio, data: bytes, name: str = "") -> None:
    """Show a picture that evoart drew from a photograph, to be edited.

    Raises:
        UsageError, EvoartError: another kind of picture, or one that is damaged.
    """
    raise UsageError("only photographs are opened so far", "Give a photograph")


def _open(studio: Studio, given: dict[str, Any]) -> None:
    """The photograph that was sent before, or the bundled one."""
    if given.get("bundled"):
        return open_photograph(studio, bundled().read_bytes(), "Chelsea the cat")
    path = studio.photograph(given.get("name"))
    open_photograph(studio, (studio.folder / path).read_bytes(), str(given.get("title", "")))


def job_of(studio: Studio, given: dict[str, Any]) -> FitJob:
    """The job of what the page's controls say, about the photograph that the room shows.

    Raises:
        UsageError: no photograph, or a value out of range.
    """
    step = studio.history.current(NAME)
    if step is None:
        raise UsageError("there is no photograph", "Drop one on the page")
    fields = {name: given[name] for name in FIELDS if given.get(name) is not None}
    path = studio.photograph(step.state["photograph"]["name"])
    return FitJob.make(picture=str(path), **fields)


def _draw(studio: Studio, given: dict[str, Any]) -> None:
    job = job_of(studio, given)
    step = studio.history.current(NAME)
    assert step is not None
    studio.start(NAME, [job], f"{job.shapes or 100} shapes", {"photograph": step.state["photograph"]})


ROOM = Room(NAME, "Picture", 1, {"open": _open, "draw": _draw})
