"""The room Draw: a person and a sketch-rnn draw together.

The drawing, stroke by stroke with its author, is the state of a step; the model's proposals are nobody's yet."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from evoart.draw.pen import PenDrawing
from evoart.errors import EvoartError, UsageError
from evoart.forms.strokes import StrokesForm
from evoart.output.files import write
from evoart.run.result import Result
from evoart.run.sketch.job import SketchJob
from evoart.run.sketch.proposals import load_proposer
from evoart.sketch.catalogue import BUILTIN, OTHERS, PUBLISHED, place
from evoart.sketch.proposals import Proposal, walk
from evoart.sketch.strokes import Polylines
from evoart.studio.room import Room
from evoart.studio.studio import Studio

NAME = "draw"
PERSON, MODEL = "you", "model"
INKS = {PERSON: (0.11, 0.11, 0.10), MODEL: (0.70, 0.25, 0.12)}
LINE = 0.012  # of the page's side
MOST_STROKES, MOST_POINTS = 600, 60_000
ASKED = 16  # proposals of a model, of which the page shows the best
SAME = 0.02  # mean distance, of the page's side, up to which two proposals are one
SIZE = 1024  # pixels of the drawing's thumbnail and PNG


def _models(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The models that are on this machine: the one inside, downloaded ones, and those in the studio's folder."""
    names: list[str] = [*BUILTIN]
    names += [each for each in (*PUBLISHED, *(f"{name}.vae" for name in PUBLISHED)) if place(each).is_file()]
    names += [name for name in OTHERS if place(name).is_file()]
    names += [path.name for path in sorted(studio.folder.glob("*.npz"))]
    found = []
    for name in names:
        try:
            config = load_proposer(_model(studio, {"model": name})).config
        except EvoartError:
            continue  # handwriting only draws from nothing; a damaged file draws nothing
        title = name.removesuffix(".npz").replace("_", " ")
        told = {"classes": list(config.classes), "words": list(config.words), "latent": config.latent > 0}
        found.append({"name": name, "title": title} | told)
    return {"models": found}


def _strokes(given: dict[str, Any], name: str = "strokes") -> list[tuple[str, np.ndarray]]:
    """Author and points ``(k, 2)`` of every stroke that the page sent; units are those of the page, 0 to 1.

    Raises:
        UsageError: anything else, or too much of it.
    """
    wrong = UsageError("the drawing is damaged", "Load the page again")
    value = given.get(name)
    if not isinstance(value, list) or len(value) > MOST_STROKES:
        raise wrong
    strokes: list[tuple[str, np.ndarray]] = []
    for each in value:
        if not isinstance(each, dict) or each.get("by") not in (PERSON, MODEL) or not isinstance(each.get("at"), list):
            raise wrong
        try:
            points = np.array(each["at"], np.float64)
        except (TypeError, ValueError):
            raise wrong from None
        if points.ndim != 2 or points.shape[1] not in (2, 3) or not len(points) or not (np.abs(points) <= 4).all():
            raise wrong
        strokes.append((each["by"], points))
    if sum(len(points) for _, points in strokes) > MOST_POINTS:
        raise UsageError("the drawing has too many points", "Undo some strokes")
    return strokes


def _lines(strokes: list[tuple[str, np.ndarray]]) -> Polylines:
    return [points[:, :2] for _, points in strokes]


def _propose(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Proposals for the next stroke, or for all the rest."""
    found = load_proposer(_model(studio, given))
    seed, count = given.get("seed"), _whole(given.get("count", 9), 1, 9)
    told = str(given.get("class") or "") or None
    index = found.model.class_index(told) if told and not found.config.words else 0
    proposals = found.propose(
        _lines(_strokes(given)),
        ASKED,
        temperature=_real(given.get("temperature", 0.35), 0.0, 1.5),
        class_index=index,
        word=told if found.config.words else None,
        whole=bool(given.get("whole")),
        seed=seed if isinstance(seed, int) and 0 <= seed < 2**32 else secrets.randbelow(1_000_000),
    )
    chosen = _distinct([each for each in proposals if each.strokes], count)
    return {"proposals": [{"strokes": _plain(each.strokes), "finished": each.finished} for each in chosen]}


def _distinct(proposals: list[Proposal], count: int) -> list[Proposal]:
    """Up to ``count`` of proposals: those that stay on the page where any do, and none that is hardly another."""
    ways = {id(each): _way(each.strokes) for each in proposals}
    inside = [each for each in proposals if (np.abs(ways[id(each)] - 0.5) <= 0.505).all()]
    chosen: list[Proposal] = []
    for each in inside or proposals:
        if all(np.abs(ways[id(each)] - ways[id(other)]).mean() > SAME for other in chosen):
            chosen.append(each)
    return chosen[:count]


def _way(strokes: Polylines) -> np.ndarray:
    """Points ``(24, 2)``, evenly along all strokes."""
    points = np.concatenate(strokes)
    passed = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T) + 1e-9)])
    even = np.linspace(0, passed[-1], 24)
    return np.stack([np.interp(even, passed, points[:, axis]) for axis in (0, 1)], -1)


def _plain(strokes: Polylines) -> list[list[list[float]]]:
    return [[[round(float(x), 5), round(float(y), 5)] for x, y in line] for line in strokes]


def _model(studio: Studio, given: dict[str, Any]) -> str:
    """The name that ``load_proposer`` takes, of a model that the page chose; of a file, the page knows its name only.

    Raises:
        UsageError: there is no such model here.
    """
    name = given.get("model", "kanji")
    if isinstance(name, str):
        if name in BUILTIN or name in OTHERS or name.removesuffix(".vae") in PUBLISHED:
            return name
        files = {path.name: path for path in studio.folder.glob("*.npz")}
        if name in files:
            return str(files[name])
    raise UsageError("there is no such model here", "Choose another")


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError("a number is out of range", f"Use {low} to {high}")
    return value


def _real(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError("a number is out of range", f"Use {low:g} to {high:g}")
    return float(value)


def _keep(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The drawing as it is now becomes a step, so that it can be undone, and the wall shows it."""
    strokes = _strokes(given)
    if not strokes:
        step = studio.add_step(NAME, "an empty page", (), {"strokes": []}, parent=None)
        return {"id": step.id}
    plain = [{"by": by, "at": [[round(float(v), 5) for v in row] for row in points]} for by, points in strokes]
    _model(studio, given)
    state = {"strokes": plain, "model": given.get("model", "kanji"), "class": str(given.get("class") or "")[:80]}
    at = studio.history.current(NAME)
    picture = studio.keep_picture(result_of(strokes, state["model"]))
    count = len(strokes)
    label = "one stroke" if count == 1 else f"{count} strokes"
    step = studio.add_step(NAME, label, [picture], state, parent=None if at is None else at.id)
    return {"id": step.id}


def result_of(strokes: list[tuple[str, np.ndarray]], model: str) -> Result:
    """The drawing as a picture whose recipe holds its strokes: ``evoart render`` and ``breed`` take it."""
    authors = [by for by in INKS if any(by == each for each, _ in strokes)]
    form = StrokesForm(
        tuple(len(points) for _, points in strokes),
        line=LINE,
        palette=tuple(INKS[by] for by in authors),
        inks=tuple(authors.index(by) for by, _ in strokes) if len(authors) > 1 else (),
        sketches=(len(strokes),),
    )
    genome = np.concatenate(_lines(strokes)).ravel().astype(np.float32)
    job = SketchJob.make(model=model, count=1, seed=0, size=SIZE)
    return Result(job, form, genome, (SIZE, SIZE), {}, 1, 1, 0.0)


def _save(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A file of the drawing: SVG with a layer for each author, SVG that draws itself, PNG."""
    from evoart.output.formats import Options, encode

    strokes, kind = _strokes(given), given.get("format", "svg")
    if not strokes:
        raise UsageError("there is nothing to save", "Draw something first")
    result = result_of(strokes, _model(studio, given))
    if kind == "svg":
        return studio.export("drawing.svg", lambda path: write(path, layered(strokes, result).encode()))
    if kind not in ("animated-svg", "png"):
        raise UsageError("there is no such format", "Choose another")
    seconds = float(np.clip(0.35 * len(strokes), 2, 20))
    data = encode(kind, result.artwork(_whole(given.get("size", 2048), 64, 16_384)), Options(film_seconds=seconds))
    return studio.export(f"drawing{'.anim.svg' if kind == 'animated-svg' else '.png'}", lambda path: write(path, data))


def layered(strokes: list[tuple[str, np.ndarray]], result: Result) -> str:
    """An SVG whose strokes are in the order drawn, in groups that plotters and editors take for layers: one for every
    turn, named by its author. Widths follow the pen's pressure where there is one."""
    from xml.sax.saxutils import escape

    runs: list[tuple[str, list[np.ndarray]]] = []
    for by, points in strokes:
        if not runs or runs[-1][0] != by:
            runs.append((by, []))
        runs[-1][1].append(points)
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
        'viewBox="0 0 1000 1000" width="1000" height="1000" style="background:#fff">',
        f"<title>{escape(result.title)}</title>",
        f"<metadata>{escape(result.artwork().recipe_text())}</metadata>",
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
    ]
    for turn, (by, own) in enumerate(runs, 1):
        ink = "#" + "".join(f"{round(255 * value):02x}" for value in INKS[by])
        layer = f'inkscape:groupmode="layer" inkscape:label="{turn} {by}"'
        lines.append(f'<g id="turn-{turn}-{by}" {layer} class="{by}" stroke="{ink}">')
        for points in own:
            width = 1000 * LINE * (float(points[:, 2].mean()) if points.shape[1] == 3 else 1.0)
            way = " ".join(f"{1000 * x:.1f},{1000 * y:.1f}" for x, y in points[:, :2])
            lines.append(f'<path d="M{way}{"h0" if len(points) == 1 else ""}" stroke-width="{width:.2f}"/>')
        lines.append("</g>")
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _walk(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Drawings between two, through a VAE's latent space."""
    found = load_proposer(_model(studio, given))
    one, other = (_lines(_strokes(given, name)) for name in ("strokes", "other"))
    return {"drawings": [_plain(each) for each in walk(found.model, one, other, _whole(given.get("steps", 7), 3, 15))]}


def _warm(studio: Studio, given: dict[str, Any]) -> None:
    """Compile what proposals of a model need, before anybody waits for one."""
    load_proposer(_model(studio, given)).warm()


def open_result(studio: Studio, data: bytes, name: str = "") -> None:
    """Show a drawing of pen strokes, to be continued.

    Raises:
        UsageError, EvoartError: no drawing of ours.
    """
    from evoart.output.recipe import extract
    from evoart.run.recipe import record

    found = record(extract(data, name or "the file"), name or "the file")
    if not isinstance(found.drawing, PenDrawing):
        raise UsageError("this is no drawing of strokes", "Open it in another room")
    strokes = []
    for points, colour in zip(found.drawing.strokes, found.drawing.colours, strict=True):
        by = MODEL if np.abs(colour - INKS[MODEL]).max() < 0.02 else PERSON
        strokes.append({"by": by, "at": [[round(float(v), 5) for v in row] for row in points]})
    _keep(studio, {"strokes": strokes[:MOST_STROKES]})


def _open(studio: Studio, given: dict[str, Any]) -> None:
    """A drawing that was made here or in another room."""
    path = studio.folder / studio.picture(given.get("picture"))
    open_result(studio, path.read_bytes(), path.name)


ROOM = Room(
    NAME,
    "Draw",
    4,
    {
        "models": _models,
        "warm": _warm,
        "propose": _propose,
        "keep": _keep,
        "save": _save,
        "walk": _walk,
        "open": _open,
    },
)
