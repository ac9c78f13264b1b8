"""The room Wall: what was made, newest first; opened again in its room, saved together as a sheet or as web pages."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoart.errors import EvoartError, UsageError
from evoart.output.files import write
from evoart.output.formats import OUTPUTS, encode
from evoart.studio.history import Step
from evoart.studio.room import Room
from evoart.studio.studio import Studio

if TYPE_CHECKING:
    from evoart.gallery.journal import Line
    from evoart.run.result import Result

NAME = "wall"
SHOWN = 500  # pictures on the wall
MOST = 200  # pictures of a selection


def _list(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The ``pictures``, newest first."""
    # A generation of the room Breed is a step before its sheet is drawn.
    wall = [step for step in studio.history.wall() if studio.file("thumbs", f"{Path(step.pictures[0]).stem}.webp")]
    return {"pictures": [_card(studio, step) for step in wall[:SHOWN]], "more": max(0, len(wall) - SHOWN)}


def _card(studio: Studio, step: Step) -> dict[str, Any]:
    photograph = step.state.get("photograph") or {}
    title = photograph.get("title") or ", ".join(step.state.get("prompts") or ()) or step.label
    labels = step.state.get("labels") or [""]
    return {
        "id": step.id, "room": step.room, "picture": step.pictures[0], "count": len(step.pictures), "title": title,
        "label": step.label, "drawing": labels[0], "made": step.made, "kept": step.kept,
    }  # fmt: skip


def _recipe(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The recipe of a step's picture, as plain values, without the drawing itself."""
    step = _step(studio, given.get("id"))
    result = studio.result(step.pictures[0])
    return {"title": result.title, "job": result.job.to_dict(), "figures": result.figures, "size": result.size}


def _sheet(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A contact sheet of the steps ``ids``; ``url`` is where it is."""
    from evoart.gallery import sheet

    with tempfile.TemporaryDirectory() as folder:
        lines = _write(studio, given, Path(folder))
        place = sheet.sheet(Path(folder), lines)
        data = place.read_bytes() if place else b""
    return studio.export("sheet.png", lambda path: write(path, data))


def _pages(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Gallery pages of the steps ``ids``, as one archive; ``url`` is where it is."""
    from evoart.gallery import pages, sheet

    with tempfile.TemporaryDirectory() as name:
        folder, packed = Path(name), io.BytesIO()
        lines = _write(studio, given, folder)
        sheet.sheet(folder, lines)
        pages.build(folder, lines, "From the studio")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
    return studio.export("gallery.zip", lambda path: write(path, packed.getvalue()))


def _write(studio: Studio, given: dict[str, Any], folder: Path) -> list[Line]:
    """The pictures of the steps ``ids`` in a gallery's folder, and the lines about them."""
    from evoart.gallery.journal import make_folder
    from evoart.gallery.worker import THUMBS

    ids = given.get("ids")
    if not isinstance(ids, list) or not 1 <= len(ids) <= MOST:
        raise UsageError("no pictures are selected", f"Select 1 to {MOST}")
    make_folder(folder / THUMBS)
    lines = []
    for step in [_step(studio, each) for each in ids]:
        for picture in step.pictures:
            lines.append(_line(studio, studio.result(picture), Path(picture), folder))
    return lines


def _line(studio: Studio, result: Result, picture: Path, folder: Path) -> Line:
    from evoart.gallery.journal import Line, key_of
    from evoart.gallery.worker import THUMBS, thumbnail_of

    files = {}
    for kind in result.job.formats:
        if kind in ("svg", "png"):
            files[kind] = f"{picture.stem}{OUTPUTS[kind].extensions[0]}"
            write(folder / files[kind], encode(kind, result.artwork()))
    files["thumb"] = f"{THUMBS}/{picture.stem}.webp"
    thumb = studio.file("thumbs", f"{picture.stem}.webp")
    if thumb is None:
        raise EvoartError(f"the thumbnail of '{picture.name}' is gone", "Leave it out")
    write(folder / files["thumb"], thumb.read_bytes())
    figures = {**result.figures, "generations": result.generations, "evaluations": result.evaluations}
    return Line(
        name=picture.stem, key=key_of(result.job), group=picture.stem, status="done", job=result.job.to_dict(),
        form=result.form.name, drawing=result.form.label, title=result.title, size=result.size, figures=figures,
        files=files, thumbnail=thumbnail_of(result),
    )  # fmt: skip


def _step(studio: Studio, number: Any) -> Step:
    step = studio.history.steps.get(number) if isinstance(number, int) else None
    if step is None or not step.pictures:
        raise UsageError("that picture is not here", "Load the page again")
    return step


ROOM = Room(NAME, "Wall", 6, {"list": _list, "recipe": _recipe, "sheet": _sheet, "pages": _pages})
