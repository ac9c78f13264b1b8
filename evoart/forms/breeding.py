"""Children of pictures, of whatever form: mutated and crossed, all of them, or their colour or structure alone.

A picture is ``(form, genome)``. A child may have another form than its parents: networks grow, strokes come and go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from evoart.cppn.breeder import VARIATIONS, breeder
from evoart.cppn.genes import Rates
from evoart.draw.shapes import shape
from evoart.errors import UsageError, unknown
from evoart.forms.cppn import NetworkForm, layout_key
from evoart.forms.shapes import ShapesForm
from evoart.forms.sheet import SheetForm
from evoart.forms.sketch import PLACE, SketchForm
from evoart.forms.strokes import StrokesForm
from evoart.types import Form, Genome

Picture: TypeAlias = tuple[Form, Genome]
Rng: TypeAlias = np.random.Generator

SMALLEST, LARGEST = 0.05, 10.0  # of mutations


def mutate(picture: Picture, rng: Rng, scale: float = 1.0, vary: str = "all", rates: Rates | None = None) -> Picture:
    """A child of one picture.

    Args:
        picture: form and genome ``(dim,)``.
        scale: how large the mutation is, 0.05 to 10; 1 shows, and leaves the family likeness.
        vary: what may change: ``colour``, ``structure`` (all but colour), or ``all``.
        rates: how graphs mutate.

    Raises:
        UsageError: a scale out of range, an unknown variation, or a sheet: only its pictures have children.
    """
    check(scale, vary)
    form, genome = picture
    if isinstance(form, NetworkForm):
        net, child = breeder(form.net, rates).mutated((form.net, genome), rng, scale, vary)
        return form.with_structure(net), child
    return _operator(_MUTATIONS, form, _mutate_any)(form, np.asarray(genome, np.float32), rng, scale, vary)


def cross(better: Picture, other: Picture, rng: Rng, vary: str = "all") -> Picture:
    """A child of two pictures; what may not vary is that of ``better``, and so is the page.

    Raises:
        UsageError: pictures that cannot be crossed (see ``matches``), an unknown variation, or a sheet.
    """
    check(1.0, vary)
    form, genome = better
    if not matches(form, other[0]):
        raise UsageError(
            f"{form.label} and {other[0].label} cannot be crossed", "Choose pictures of one kind, or mutate one alone"
        )
    if isinstance(form, NetworkForm) and isinstance(other[0], NetworkForm):
        net, child = breeder(form.net).crossed((form.net, genome), (other[0].net, other[1]), rng, vary)
        return form.with_structure(net), child
    return _operator(_CROSSINGS, form, _cross_any)(form, np.asarray(genome, np.float32), other, rng, vary)


def matches(form: Form, other: Form) -> bool:
    """Whether pictures of the two forms can be crossed."""
    if isinstance(form, NetworkForm) and isinstance(other, NetworkForm):
        return layout_key(form.net) == layout_key(other.net)
    if isinstance(form, SketchForm) and isinstance(other, SketchForm):
        return (form.sha256, form.own, form.evolve, form.count) == (other.sha256, other.own, other.evolve, other.count)
    if isinstance(form, ShapesForm | StrokesForm):
        return type(form) is type(other)
    return form == other


def check(scale: float, vary: str) -> None:
    """Raises: UsageError: a mutation scale out of range, or an unknown variation."""
    if not SMALLEST <= scale <= LARGEST:  # NaN too
        raise UsageError(f"a mutation scale of {scale:g} is out of range", f"Use {SMALLEST:g} to {LARGEST:g}")
    if vary not in VARIATIONS:
        raise unknown("variation", vary, VARIATIONS)


def _operator(table: dict[type, Callable[..., Picture]], form: Form, usual: Callable[..., Picture]) -> Any:
    if isinstance(form, SheetForm):
        raise UsageError("a sheet of pictures has no children", "Choose one of its pictures: sheet.png:7")
    return next((act for kind, act in table.items() if isinstance(form, kind)), usual)


def _some(rng: Rng, count: int) -> tuple[np.ndarray, float]:
    """Which of ``count`` things change, one at least, and how much: few of them by much, or all by a little."""
    share = float(rng.choice([0.05, 0.3, 1.0]))
    chosen = rng.random(count) < share
    if count and not chosen.any():
        chosen[rng.integers(count)] = True
    return chosen, 0.25 / float(np.sqrt(share))


def _tinted(colours: np.ndarray, rng: Rng, scale: float) -> np.ndarray:
    """Colours ``(n, 3)``, all turned and shifted together, in [0, 1]: what was alike stays alike."""
    mix = np.eye(3) + rng.normal(0, 0.25 * scale, (3, 3))
    return np.clip((colours - 0.5) @ mix.T + 0.5 + rng.normal(0, 0.1 * scale, 3), 0, 1)


# Any form: numbers on the scale of its steps. It does not say which of them are colours.


def _mutate_any(form: Form, genome: Genome, rng: Rng, scale: float, vary: str) -> Picture:
    chosen, size = _some(rng, form.dim)
    return form, (genome + chosen * rng.normal(0, size * scale, form.dim) * form.steps()).astype(np.float32)


def _cross_any(form: Form, genome: Genome, other: Picture, rng: Rng, vary: str) -> Picture:
    share = np.float32(rng.uniform(0.1, 0.9))
    return form, (genome + share * (other[1] - genome)).astype(np.float32)


# Shapes.


def _mutate_shapes(form: ShapesForm, genome: Genome, rng: Rng, scale: float, vary: str) -> Picture:
    """Shapes move and change their colours; some change places in the paint order, or are replaced by random ones."""
    if not form.groups:
        return form, genome
    geometry, rgba = (np.array(part) for part in form.decode(np, genome))
    steps = form.steps().reshape(form.groups, -1)
    chosen, size = _some(rng, form.groups)
    noise = chosen[:, None] * rng.normal(0, size * scale, steps.shape) * steps
    fresh = form.random(rng).reshape(form.groups, -1)
    if vary != "colour":
        geometry = geometry + noise[:, : form.geometry]
        replaced = rng.random(form.groups) < min(0.5, 0.5 * scale / form.groups)
        geometry = np.where(replaced[:, None], fresh[:, : form.geometry], geometry)
    if vary != "structure":
        rgba = rgba + noise[:, form.geometry :]
        if vary == "colour" or rng.random() < 0.3:
            rgba[:, :3] = _tinted(rgba[:, :3], rng, scale)
    kinds = form.kinds
    if vary != "colour" and form.groups > 1 and rng.random() < min(0.9, 0.3 * scale):
        order = np.arange(form.groups)
        source, target = rng.integers(form.groups, size=2)
        order = np.insert(np.delete(order, source), target, source)
        geometry, rgba, kinds = geometry[order], rgba[order], tuple(kinds[k] for k in order)
    if form.background is not None and vary != "structure" and rng.random() < 0.5:
        form = replace(form, background=_rgb(_tinted(np.array([form.background]), rng, scale)[0]))
    low, high = form.opacity
    rgba = np.concatenate([np.clip(rgba[:, :3], 0, 1), np.clip(rgba[:, 3:], low, high)], 1)
    form = replace(form, kinds=kinds)
    return form, form.encode(geometry, rgba)


def _cross_shapes(form: ShapesForm, genome: Genome, other: Picture, rng: Rng, vary: str) -> Picture:
    """Shape by shape where both have the same kinds; else the lower ones of one picture and the upper ones of the
    other: large shapes are painted first, so each gives what belongs together."""
    second = other[0]
    if not isinstance(second, ShapesForm):
        raise TypeError("no shapes")
    one, two = (list(zip(f.kinds, *f.decode(np, g), strict=True)) for f, g in ((form, genome), (second, other[1])))
    if form.kinds == second.kinds and rng.random() < 0.5:
        rows = [b if takes else a for a, b, takes in zip(one, two, rng.random(len(one)) < 0.5, strict=True)]
    else:
        share = rng.uniform(0.2, 0.8)
        cuts = round(share * len(one)), round(share * len(two))
        rows = one[: cuts[0]] + two[cuts[1] :] if rng.random() < 0.5 else two[: cuts[1]] + one[cuts[0] :]
    if vary == "structure":  # colours as the better one has them at that height of the pile
        rows = [(kind, at, _at(one, k, len(rows))[2]) for k, (kind, at, _) in enumerate(rows)]
    elif vary == "colour":
        rows = [(kind, at, _at(rows, k, len(one))[2]) for k, (kind, at, _) in enumerate(one)]
    kinds = tuple(kind for kind, _, _ in rows)
    opacity = min(form.opacity[0], second.opacity[0]), max(form.opacity[1], second.opacity[1])
    form = replace(form, kinds=kinds, columns=0, opacity=opacity)
    geometry, rgba = np.zeros((len(rows), form.geometry), np.float32), np.zeros((len(rows), 4), np.float32)
    for k, (kind, at, colour) in enumerate(rows):
        count = len(shape(kind).parameters)
        geometry[k, :count], rgba[k] = at[:count], colour
    return form, form.encode(geometry, rgba)


def _at(rows: list[Any], index: int, count: int) -> Any:
    """The one of ``rows`` at the place that ``index`` has among ``count``."""
    return rows[min(index * len(rows) // max(count, 1), len(rows) - 1)]


# Strokes of a pen.


def _mutate_strokes(form: StrokesForm, genome: Genome, rng: Rng, scale: float, vary: str) -> Picture:
    """Strokes are moved, turned, stretched and bent; one may go, another come twice. In colour, the inks change."""
    strokes = list(zip(form.split(genome), _inks(form), _sketches(form), strict=True))
    if vary != "colour" and strokes:
        chosen, size = _some(rng, len(strokes))
        strokes = [
            (_bent(points, rng, 2 * size * scale) if moves else points, ink, sketch)
            for (points, ink, sketch), moves in zip(strokes, chosen, strict=True)
        ]
        if rng.random() < min(0.9, 0.25 * scale):
            k = int(rng.integers(len(strokes)))
            counts = [sketch for _, _, sketch in strokes]
            if rng.random() < 0.5 and counts.count(strokes[k][2]) > 1:
                del strokes[k]
            elif len(strokes) < 100_000:
                points, ink, sketch = strokes[k]
                strokes.insert(k + 1, (_bent(points + rng.normal(0, 0.05, 2), rng, scale), ink, sketch))
        form = replace(form, line=float(np.clip(form.line * np.exp(rng.normal(0, 0.1 * scale)), 1e-3, 0.1)))
    if vary != "structure" and (vary == "colour" or rng.random() < 0.5):
        form = replace(form, palette=tuple(map(_rgb, _tinted(np.array(form.palette), rng, scale))))
        if vary == "colour" and form.background is not None and rng.random() < 0.5:
            form = replace(form, background=_rgb(_tinted(np.array([form.background]), rng, 0.5 * scale)[0]))
    return _strokes(form, strokes)


def _bent(points: np.ndarray, rng: Rng, size: float) -> np.ndarray:
    """A stroke ``(k, 2)`` moved, turned, stretched and bent; ``size`` 1 moves it by about 0.02 units."""
    middle = points.mean(0)
    turn, stretch = rng.normal(0, 0.12 * size), np.exp(rng.normal(0, 0.1 * size, 2))
    cos, sin = np.cos(turn), np.sin(turn)
    moved = (points - middle) * stretch @ np.array([[cos, sin], [-sin, cos]]) + middle + rng.normal(0, 0.02 * size, 2)
    along = np.linspace(0, np.pi, len(points))[:, None]
    waves = rng.normal(0, 0.015 * size, (2, 2)) / [[1], [2]]
    return moved + np.sin(along) * waves[0] + np.sin(2 * along) * waves[1]


def _cross_strokes(form: StrokesForm, genome: Genome, other: Picture, rng: Rng, vary: str) -> Picture:
    """The first strokes of one drawing and the last ones of the other; sketch by sketch where both have as many."""
    second = other[0]
    if not isinstance(second, StrokesForm):
        raise TypeError("no strokes")
    if vary == "colour":
        palette = tuple(
            _rgb(np.array(_at(list(second.palette), k, len(form.palette)))) for k in range(len(form.palette))
        )
        background = second.background if form.background and second.background else form.background
        return replace(form, palette=palette, background=background), genome
    inks = tuple(len(form.palette) + ink for ink in _inks(second)) if vary == "all" else (0,) * len(second.lengths)
    one = list(zip(form.split(genome), _inks(form), _sketches(form), strict=True))
    two = list(zip(second.split(other[1]), inks, _sketches(second), strict=True))
    if len(form.sketches) > 1 and len(form.sketches) == len(second.sketches):
        takes = rng.random(len(form.sketches)) < 0.5
        mixed = [s for s in one if not takes[s[2]]] + [s for s in two if takes[s[2]]]
        strokes = sorted(mixed, key=lambda stroke: stroke[2])
    else:
        share = rng.uniform(0.25, 0.75)
        cuts = round(share * len(one)), round(share * len(two))
        strokes = one[: cuts[0]] + two[cuts[1] :] if rng.random() < 0.5 else two[: cuts[1]] + one[cuts[0] :]
        strokes = [(points, ink, 0) for points, ink, _ in strokes] or one
        form = replace(form, sketches=(len(strokes),) if form.sketches else ())
    return _strokes(replace(form, palette=form.palette + second.palette), strokes)


def _inks(form: StrokesForm) -> tuple[int, ...]:
    return form.inks or (0,) * len(form.lengths)


def _sketches(form: StrokesForm) -> list[int]:
    """Index of the sketch that each stroke belongs to."""
    return [k for k, count in enumerate(form.sketches) for _ in range(count)] or [0] * len(form.lengths)


def _strokes(form: StrokesForm, strokes: list[Any]) -> Picture:
    """The form of these ``(points, ink, sketch)``, with the colours that are in use."""
    used = sorted({form.palette[ink] for _, ink, _ in strokes}) or [form.palette[0]]
    inks = tuple(used.index(form.palette[ink]) for _, ink, _ in strokes)
    owners = [sketch for _, _, sketch in strokes]
    form = replace(
        form,
        lengths=tuple(len(points) for points, _, _ in strokes),
        palette=tuple(used),
        inks=inks if len(used) > 1 else (),
        sketches=tuple(owners.count(k) for k in range(len(form.sketches))),
    )
    points = [np.zeros((0, 2)), *(points for points, _, _ in strokes)]
    return form, np.concatenate(points).ravel().astype(np.float32)


# Sketches that a model draws: the noise that it draws from.


def _mutate_sketch(form: SketchForm, genome: Genome, rng: Rng, scale: float, vary: str) -> Picture:
    """The noise turns a little way towards other noise, or is new from some point on: then the drawing begins as its
    parent's does. Places move."""
    if vary != "structure" and (vary == "colour" or rng.random() < 0.3):
        form = replace(form, ink=_rgb(_tinted(np.array([form.ink]), rng, 1.5 * scale)[0]))
        if form.background is not None and vary == "colour":
            form = replace(form, background=_rgb(_tinted(np.array([form.background]), rng, 0.5 * scale)[0]))
    if vary == "colour":
        return form, genome
    rows = genome.reshape(form.count, form.own).copy()
    fresh = rng.standard_normal(rows.shape)
    noise, other = rows[:, PLACE:], fresh[:, PLACE:]
    if form.evolve == "noise" and rng.random() < 0.5:
        start = 4 * round(form.points * float(np.clip(1 - rng.uniform(0.2, 0.6) * scale, 0, 0.95)))
        noise[:, start:] = other[:, start:]
    else:
        angle = min(np.pi / 2, 0.3 * scale * rng.uniform(0.5, 1.5))
        noise[:] = np.cos(angle) * noise + np.sin(angle) * other
    rows[:, :PLACE] += 0.2 * scale * fresh[:, :PLACE] * form.steps()[:PLACE]
    return form, rows.ravel().astype(np.float32)


def _cross_sketch(form: SketchForm, genome: Genome, other: Picture, rng: Rng, vary: str) -> Picture:
    """The noise of one up to some point and then that of the other; latent vectors meet on the way between them."""
    second = other[0]
    if not isinstance(second, SketchForm):
        raise TypeError("no sketch")
    if vary == "colour":
        return replace(form, ink=second.ink, background=second.background), genome
    one, two = (np.asarray(g, np.float32).reshape(form.count, form.own) for g in (genome, other[1]))
    child = one.copy()
    if form.evolve == "noise":
        start = PLACE + 4 * int(rng.integers(1, max(form.points // 2, 2)))
        child[:, start:] = two[:, start:]
    else:
        angle = rng.uniform(0.2, 0.8) * np.pi / 2
        child[:, PLACE:] = np.cos(angle) * one[:, PLACE:] + np.sin(angle) * two[:, PLACE:]
    return form, child.ravel().astype(np.float32)


def _rgb(values: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(round(float(value), 6)) for value in values)
    return red, green, blue


_MUTATIONS: dict[type, Callable[..., Picture]] = {
    ShapesForm: _mutate_shapes, StrokesForm: _mutate_strokes, SketchForm: _mutate_sketch,
}  # fmt: skip
_CROSSINGS: dict[type, Callable[..., Picture]] = {
    ShapesForm: _cross_shapes, StrokesForm: _cross_strokes, SketchForm: _cross_sketch,
}  # fmt: skip
