"""The room Picture: a photograph becomes shapes, which are watched, steered and edited.

A step's ``state`` has the ``photograph`` (see ``Studio.add_photograph``), the ``strokes`` of the brush, and the numbers
of ``locked`` shapes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.errors import UsageError
from evoart.output.files import write
from evoart.picture import bundled
from evoart.run.fit.brush import paint_weights
from evoart.run.fit.job import FitJob
from evoart.studio.history import Step
from evoart.studio.room import Room
from evoart.studio.studio import PHOTOGRAPHS, Studio

if TYPE_CHECKING:
    from evoart.run.result import Result

NAME = "picture"
# Fields of a job that the page may set.
FIELDS = ("shapes", "kind", "palette", "background", "opacity", "quality", "seconds", "seed", "loss")
MAP = 512  # pixels of the long side of importance maps and error maps


def open_photograph(studio: Studio, data: bytes, name: str = "") -> None:
    """Show a photograph to be drawn.

    Raises:
        UsageError, EvoartError: not a picture, or one that cannot be used.
    """
    photograph = studio.add_photograph(data, name)
    studio.add_step(NAME, photograph["title"], state={"photograph": photograph}, parent=None)


def open_result(studio: Studio, data: bytes, name: str = "", folder: Path = Path()) -> None:
    """Show a picture that evoart drew from a photograph, to be edited.

    Args:
        folder: where its photograph may lie too, under the name that its recipe has.

    Raises:
        UsageError, EvoartError: another kind of picture, one that is damaged, or one whose photograph is not here.
    """
    from evoart.picture import load as load_picture
    from evoart.run.api import load

    result = load(data)
    if not isinstance(result.job, FitJob):
        raise UsageError("that picture was not drawn from a photograph", "Choose one that evoart fit has drawn")
    named = result.job.picture
    kept = studio.folder / PHOTOGRAPHS
    places = [Path(named), folder / Path(named).name] if named else [bundled()]
    places += [path for path in kept.iterdir() if f"-{result.job.sha256[:12]}." in path.name]
    for place in places:
        if place.is_file() and load_picture(place, needed=16).sha256 == result.job.sha256:
            break
    else:
        raise UsageError(f"its photograph '{named}' is not here", "Open the photograph once, then this picture again")
    photograph = studio.add_photograph(place.read_bytes(), place.stem)
    job = dataclasses.replace(result.job, picture=str(Path(PHOTOGRAPHS) / photograph["name"]))
    # Its own words are taken, never its file: what the page shows was written here.
    picture = studio.keep_picture(dataclasses.replace(result, job=job, kept=None))
    studio.add_step(NAME, name or photograph["title"], [picture], _state(photograph, result), parent=None)


def _state(photograph: dict[str, Any], result: Result) -> dict[str, Any]:
    return {"photograph": photograph, "figures": [result.figures], "labels": [result.form.label]}


def _open(studio: Studio, given: dict[str, Any]) -> None:
    """The photograph that was sent before, or the bundled one; or the picture of another room's step."""
    if given.get("bundled"):
        return open_photograph(studio, bundled().read_bytes(), "Chelsea the cat")
    if "picture" in given:
        path = studio.folder / studio.picture(given["picture"])
        return open_result(studio, path.read_bytes(), str(given.get("title", ""))[:80], studio.folder / PHOTOGRAPHS)
    path = studio.folder / studio.photograph(given.get("name"))
    open_photograph(studio, path.read_bytes(), str(given.get("title", "")))


def _here(studio: Studio) -> Step:
    step = studio.history.current(NAME)
    if step is None:
        raise UsageError("there is no photograph", "Drop one on the page")
    return step


def _drawing(studio: Studio) -> tuple[Step, Result]:
    """The step that is shown, and its drawing, which needs to be one."""
    step = _here(studio)
    if not step.pictures:
        raise UsageError("nothing is drawn yet", "Draw first")
    return step, studio.result(step.pictures[0])


def _kept(step: Step) -> dict[str, Any]:
    """What the next step takes over."""
    return {name: step.state[name] for name in ("photograph", "strokes") if name in step.state}


def _draw(studio: Studio, given: dict[str, Any]) -> None:
    """Draw the photograph from the beginning, as the controls say."""
    step = _here(studio)
    fields = {name: given[name] for name in FIELDS if given.get(name) is not None} | _weights(studio, step)
    job = FitJob.make(picture=str(studio.photograph(step.state["photograph"]["name"])), **fields)
    studio.start(NAME, [job], f"{job.shapes or 100} shapes", _kept(step), fresh=True)


def _evolve(studio: Studio, given: dict[str, Any]) -> None:
    """Go on from the drawing: improve all of it, add ``more`` shapes, or work on an ``area`` again."""
    step, result = _drawing(studio)
    more = _number(given.get("more", 0), 2000)
    changes = {"shapes": result.form.groups + more} if more else {}  # type: ignore[attr-defined]
    if given.get("area") is not None:
        changes["area"] = given["area"]
    label = f"{more} more shapes" if more else "an area again" if "area" in changes else "improved"
    quality = {"quality": given["quality"]} if given.get("quality") else {}
    job = _following(studio, step, result, **changes, **quality, **_weights(studio, step))
    studio.start(NAME, [job], label, _kept(step))


def _edit(studio: Studio, given: dict[str, Any]) -> None:
    """Change shapes without a search; see ``evoart.edit``."""
    from evoart.run.fit.editing import STILL

    step, result = _drawing(studio)
    texts = given.get("edits")
    if not isinstance(texts, list) or not texts:
        raise UsageError("there is nothing to change", "Choose a shape")
    job = _following(studio, step, result, edits=texts, options=STILL, lock="")
    studio.start(NAME, [job], "; ".join(job.edits), _kept(step))


def _following(studio: Studio, step: Step, result: Result, **changes: Any) -> FitJob:
    from evoart.run.fit.editing import following_job

    photograph = str(studio.photograph(step.state["photograph"]["name"]))
    lock = {"lock": locked} if (locked := step.state.get("locked")) else {}
    start = studio.picture(step.pictures[0])
    # Drawn again from another seed, so that going on twice is not the same twice.
    changes = {"picture": photograph, "seed": ((result.job.seed or 0) + 1) % 2**32} | lock | changes
    return following_job(result, start, **changes)


def _lock(studio: Studio, given: dict[str, Any]) -> None:
    """Lock ``shapes``, or unlock them where ``on`` is false."""
    from evoart.run.fit.edits import numbers_of

    step, result = _drawing(studio)
    chosen = set(numbers_of("the lock", given.get("shapes")))
    if max(chosen) > result.form.groups:  # type: ignore[attr-defined]
        raise UsageError("that shape is not there", "Choose another")
    before = set(step.state.get("locked", []))
    locked = sorted(before | chosen if given.get("on") else before - chosen)
    label = f"{'locked' if given.get('on') else 'unlocked'} {', '.join(map(str, sorted(chosen)))}"
    studio.add_step(NAME, label, step.pictures, step.state | {"locked": locked})


def _brush(studio: Studio, given: dict[str, Any]) -> None:
    """All ``strokes`` of the brush, see ``evoart.paint_weights``; none: everything counts alike."""
    step, strokes = _here(studio), given.get("strokes")
    if not isinstance(strokes, list):
        raise UsageError("the strokes of the brush are missing", "Load the page again")
    paint_weights((8, 8), strokes)  # which says what is wrong with them
    studio.add_step(NAME, "brush" if strokes else "brushed nothing", step.pictures, step.state | {"strokes": strokes})


def _weights(studio: Studio, step: Step) -> dict[str, Any]:
    """The field of a job that says what the brush has painted, where it has."""
    from PIL import Image

    from evoart.pixels import fit_size

    strokes, photograph = step.state.get("strokes"), step.state["photograph"]
    if not strokes:
        return {}
    scale = MAP / max(photograph["width"], photograph["height"])
    size = fit_size(round(photograph["width"] * scale), round(photograph["height"] * scale), MAP)
    weights = paint_weights(size, strokes)
    file = io.BytesIO()
    Image.fromarray(np.rint(weights * 255).astype(np.uint8)).save(file, "PNG")
    name = f"weights-{hashlib.sha256(file.getvalue()).hexdigest()[:12]}.png"
    write(studio.folder / PHOTOGRAPHS / name, file.getvalue(), overwrite=True)
    return {"weights": str(Path(PHOTOGRAPHS) / name)}


def _errors(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Where the drawing is wrong, as a picture; ``url`` is where it is."""
    from PIL import Image

    from evoart.run.fit.editing import error_map

    step, result = _drawing(studio)
    path = studio.folder / studio.photograph(step.state["photograph"]["name"])
    file = io.BytesIO()
    Image.fromarray(heat(error_map(result, path, MAP))).save(file, "PNG")
    return studio.export("errors.png", lambda place: write(place, file.getvalue()))


def heat(error: np.ndarray) -> np.ndarray:
    """An error ``(h, w)`` in [0, 1] as ``(h, w, 4)`` uint8: from dark and clear to bright and opaque."""
    share = np.clip(error / max(float(np.quantile(error, 0.995)), 1e-3), 0, 1)[..., None]
    stops = np.array([[10, 8, 30], [120, 28, 90], [230, 80, 50], [255, 225, 120]], np.float32)
    at = share[..., 0] * (len(stops) - 1)
    low = np.minimum(at.astype(int), len(stops) - 2)
    part = (at - low)[..., None]
    colour = stops[low] * (1 - part) + stops[low + 1] * part
    return np.rint(np.concatenate([colour, 150 + 105 * share], -1)).astype(np.uint8)


def _number(value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UsageError("that is no number of shapes", f"Use 0 to {most:,}")
    return value


def _finished(studio: Studio, plan: dict[str, Any]) -> dict[str, Any]:
    """Locked shapes of the picture that a run began with have other numbers in the one it ended with."""
    parent = studio.history.steps.get(plan["parent"])
    locked = parent.state.get("locked", []) if parent else []
    if not (parent and parent.pictures and locked and plan["jobs"][0].get("start")):
        return {}
    before, after = (_rows(studio.result(name)) for name in (parent.pictures[0], plan["results"][0]["picture"]))
    edited = plan["jobs"][0].get("edits")
    found = []
    for number in locked:
        row = before[number - 1]
        columns = row.size - 4 if edited else row.size  # a change of colour leaves a shape where it is
        same = np.flatnonzero(np.isclose(after[:, :columns], row[:columns], atol=1e-5).all(1))
        found += [int(same[0]) + 1] if len(same) else []
    return {"locked": sorted(set(found))}


def _rows(result: Result) -> np.ndarray:
    return result.genome.reshape(result.form.groups, -1)  # type: ignore[attr-defined]


ROOM = Room(
    NAME,
    "Picture",
    1,
    {
        "open": _open,
        "draw": _draw,
        "evolve": _evolve,
        "edit": _edit,
        "lock": _lock,
        "brush": _brush,
        "errors": _errors,
    },
    _finished,
)
