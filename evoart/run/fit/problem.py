"""What a job means for one photograph: read once, judged by its pixels."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.draw.shapes import MIXED, shape
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm, pack_kinds, unpack_kinds
from evoart.output.recipe import extract
from evoart.picture import MAX_PIXELS, Picture, Sources, bundled, digest_of, load, load_weights, read_source
from evoart.run import engines, fields
from evoart.run.fit import palette
from evoart.run.fit.job import DEFAULT_SHAPES, FitJob
from evoart.run.problem import Problem, output_size
from evoart.run.recipe import record
from evoart.score.pixel import Target, loss_map, mean_squared_error, psnr
from evoart.types import Drawing, Genome, Image, Search

if TYPE_CHECKING:
    from evoart.run.events import Reason

# Evaluations of a search that does not know by itself when it is done, where nothing else was asked for.
EVALUATIONS = {"draft": 16_384, "normal": 65_536, "best": 262_144}
MIN_WIDTH = 1.0  # percent of the long side: three millimetres on a sheet of A4, where shapes are of flat colours
PATIENCE = 2_000  # generations, where only a PSNR was asked for, which may never come


@dataclass(frozen=True, eq=False, kw_only=True)
class FitProblem(Problem):
    """A photograph to be drawn.

    Attributes:
        form: what genomes stand for; ``form.kinds`` are the shapes a search starts with that does not choose them.
        choices: the kinds a search may choose from.
        target: what pictures are compared with.
        start: kinds and genome rows ``(k, dim_per_group)`` to go on from, or None.
    """

    job: FitJob
    form: ShapesForm
    choices: tuple[str, ...]
    target: Target
    start: tuple[tuple[str, ...], np.ndarray] | None = None

    @property
    def canvas(self) -> tuple[int, int]:
        h, w = self.target.weight.shape
        return w, h

    @property
    def engine(self) -> engines.Choice:
        return engines.choose(self.job)

    def search(self) -> Search:
        from evoart.run.fit.build import build_search

        return build_search(self)

    def judge(self, form: ShapesForm, genome: Genome) -> dict[str, float]:
        loss, decibels = judged(form.drawing(genome), self.target)
        return {"loss": loss, "psnr": decibels}

    def figures(self, search: Search) -> dict[str, float]:
        """PSNR of the best so far in dB; drawn anew only where neither the loss nor the search tells it."""
        if self.job.loss == "mse":
            return {"psnr": psnr(float(search.loss))}
        if search.psnr is not None:
            return {"psnr": float(search.psnr)}
        form = self.form if search.structure is None else self.form.with_structure(search.structure)
        return {"psnr": self.judge(form, search.genome)["psnr"]}

    def reached(self, figures: Callable[[], dict[str, float]]) -> Reason | None:
        goal = self.job.until_psnr
        return "psnr" if goal is not None and figures()["psnr"] >= goal else None

    def facts(self) -> dict[str, Any]:
        return {
            "picture": self.job.picture or "the bundled photograph",
            "shapes": self.form.groups,
            "kind": self.job.kind,
            "search": self.job.search,
        }

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        plain = {"choices": self.choices, "start": pack_kinds(self.start[0]) if self.start else None}
        arrays = {"image": self.target.image, "weight": self.target.weight}
        return plain, arrays | ({"start": self.start[1]} if self.start else {})


def restore(job: FitJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> FitProblem:
    """The problem that ``FitProblem.pack`` took apart; ``common`` is what all problems have.

    Raises:
        ValueError, KeyError, TypeError: parts that do not belong together.
    """
    kinds = unpack_kinds(plain["start"]) if plain["start"] is not None else ()
    problem = FitProblem(
        job=job,
        choices=tuple(plain["choices"]),
        target=Target(arrays["image"], arrays["weight"], job.loss),
        start=(kinds, arrays["start"]) if kinds else None,
        **common,
    )
    image, weight, form = problem.target.image, problem.target.weight, problem.form
    sound = (
        image.ndim == 3 and image.shape == (*weight.shape, 3) and image.dtype == weight.dtype == np.float32
        and min(weight.shape) > 0 and np.isfinite(image).all() and np.isfinite(weight).all() and weight.min() >= 0
        and (problem.start is None or problem.start[1].shape == (len(kinds), form.dim_per_group))
    )  # fmt: skip
    if not sound:
        raise ValueError("parts that do not belong together")
    return problem


def judged(drawing: Drawing, target: Target) -> tuple[float, float]:
    """Loss and PSNR in dB of a drawing, anti-aliased as it will be written."""
    image = canvas_image(drawing, target)
    loss = float(loss_map(np, image, target).sum(dtype=np.float64))
    return loss, psnr(mean_squared_error(image, target))


def canvas_image(drawing: Drawing, target: Target) -> Image:
    """The drawing ``(h, w, 3)`` as it is judged: anti-aliased, on the target's canvas, a transparent ground white."""
    h, w = target.weight.shape
    rgba = drawing.paint((w, h))
    return rgba[..., :3] * rgba[..., 3:] + (1 - rgba[..., 3:]) if drawing.background is None else rgba[..., :3]


def prepare(job: FitJob, source: Any = None) -> FitProblem:
    """Read the photograph (``source`` where given, else ``job.picture``) and settle the job.

    Raises:
        UsageError, EvoartError: a picture, importance map or start file that cannot be used.
    """
    source, map_source = (source.picture, source.weights) if isinstance(source, Sources) else (source, None)
    picture = read_picture(job, source)
    same("picture", job.picture or picture.name, picture.sha256, job.sha256)
    image, alpha = picture.at(job.pixels)
    if job.background == "transparent" and alpha is not None:
        # A transparent ground is judged on white, and what the photograph leaves free must stay so: it counts too.
        image, alpha = image * alpha[..., None] + (1 - alpha[..., None]), None
    weight, weights_hash = _weight(job, image.shape[:2], alpha, map_source)
    colours = _palette(job, image, weight)
    background = _background(job, image, weight, colours)
    longest = max(picture.width, picture.height)
    start, start_hash = _start(job)
    hashes = {"sha256": picture.sha256, "weights_sha256": weights_hash, "start_sha256": start_hash}
    job = settle(dataclasses.replace(job, **hashes), len(start[0]) if start else None)
    choices = expand(job.kind)
    form = ShapesForm(
        _kinds(job.shapes, choices, start),
        picture.width / longest,
        picture.height / longest,
        background,
        job.opacity,
        colours,
        columns=max(len(shape(kind).parameters) for kind in choices),
        min_width=(job.min_width or 0.0) / 100,
    )
    return FitProblem(
        job=job,
        form=form,
        choices=choices,
        target=Target(np.ascontiguousarray(image, np.float32), weight, job.loss),
        size=output_size(picture.width, picture.height, job.size),
        mask=picture.mask if job.keep_alpha else None,
        name=picture.name,
        notes=picture.notes,
        start=_widened(start, form) if start else None,
    )


def settle(job: FitJob, started: int | None = None) -> FitJob:
    """The job with a seed, a number of shapes and, where its search needs one, a budget; ``started`` shapes exist."""
    shapes = job.shapes or started or DEFAULT_SHAPES
    if started and shapes < started:
        raise UsageError(
            f"the start has {started} shapes, more than the {shapes} asked for", f"Use --shapes {started} or more"
        )
    changes: dict[str, Any] = {"shapes": shapes}
    if job.min_width is None and job.palette is not None and job.opacity[0] == 1:
        changes["min_width"] = MIN_WIDTH
    endless = job.search != "evolve" or job.finish == "none"
    if endless and not (job.generations or job.evaluations or job.seconds):
        if job.until_psnr is None and job.patience is None:
            changes["evaluations"] = EVALUATIONS[job.quality]
        elif job.patience is None:
            changes["patience"] = PATIENCE
    return dataclasses.replace(job.with_seed(), **changes)


def expand(kind: str) -> tuple[str, ...]:
    """The shape names that a job's ``kind`` allows."""
    return tuple(dict.fromkeys(name for word in kind.split(",") for name in (MIXED if word == "mixed" else (word,))))


def read_picture(job: FitJob, source: Any = None) -> Picture:
    """The photograph of a job: whatever ``picture.load`` takes; None is the one that the job names.

    Raises:
        UsageError, EvoartError: none of these, or one that cannot be used.
    """
    source = job.picture or bundled() if source is None else source
    return load(source, needed=job.pixels, max_pixels=job.max_pixels or MAX_PIXELS)


def same(what: str, name: str, found: str, expected: str) -> None:
    """Refuse a file that is not the one a job was made for, where the job knows."""
    if expected and found != expected:
        raise UsageError(
            f"'{name}' is not the {what} this job was made for (its contents differ)",
            "Put the right file there (redo: --picture FILE), or begin anew with evoart fit",
        )


def _weight(
    job: FitJob, shape: tuple[int, int], alpha: np.ndarray | None, source: Any = None
) -> tuple[np.ndarray, str]:
    """Weights ``(h, w)`` with mean 1, and the hash of the importance map: ``source``, or the job's file."""
    weight, digest = np.ones(shape, np.float32) if alpha is None else alpha.astype(np.float32), ""
    if source is not None:
        digest = digest_of(source)
        same("importance map", "weights", digest, job.weights_sha256)
        weight = weight * load_weights(source, shape, max_pixels=job.max_pixels or MAX_PIXELS)
    elif job.weights_sha256 and not job.weights:
        raise UsageError(
            "this picture was made with an importance map that no file holds",
            "Give it in Python: evoart.fit(..., weights=array); or save it as PNG and use --weights FILE",
        )
    elif job.weights:
        data, _, label = read_source(job.weights)
        digest = hashlib.sha256(data).hexdigest()
        same("importance map", job.weights, digest, job.weights_sha256)
        weight = weight * load_weights(data, shape, max_pixels=job.max_pixels or MAX_PIXELS, label=label)
    mean = float(weight.mean(dtype=np.float64))
    if not mean > 0:
        raise UsageError("no pixel counts: the importance map is black wherever the picture is visible", "Mend the map")
    return (weight / np.float32(mean)).astype(np.float32), digest


def _palette(job: FitJob, image: np.ndarray, weight: np.ndarray) -> tuple[tuple[float, float, float], ...] | None:
    if job.palette is None:
        return None
    if isinstance(job.palette, int):
        return palette.choose(image, weight, job.palette)
    return tuple(fields.rgb(colour) for colour in job.palette)


def _background(
    job: FitJob, image: np.ndarray, weight: np.ndarray, colours: tuple[tuple[float, float, float], ...] | None
) -> tuple[float, float, float] | None:
    if job.background == "transparent":
        return None
    if job.background != "mean":
        return fields.rgb(job.background)
    mean = np.einsum("hwc,hw->c", image, weight, dtype=np.float64) / weight.size
    if colours is not None:
        return min(colours, key=lambda colour: sum((a - b) ** 2 for a, b in zip(colour, mean, strict=True)))
    r, g, b = (float(round(255 * value) / 255) for value in np.clip(mean, 0, 1))  # what PNG and SVG can both say
    return r, g, b


def _start(job: FitJob) -> tuple[tuple[tuple[str, ...], np.ndarray] | None, str]:
    """Kinds and rows of the result to go on from, as it was saved, and the hash of its file."""
    if not job.start:
        return None, ""
    data, _, label = read_source(job.start)
    digest = hashlib.sha256(data).hexdigest()
    same("start", job.start, digest, job.start_sha256)
    begun = record(extract(data, label), label)
    if not isinstance(begun.form, ShapesForm):
        raise UsageError(f"{label} is no drawing of shapes", "Start from a picture that evoart fit or clip has drawn")
    return (begun.form.kinds, begun.genome.reshape(begun.form.groups, -1)), digest


def _kinds(shapes: int, choices: tuple[str, ...], start: tuple[tuple[str, ...], np.ndarray] | None) -> tuple[str, ...]:
    have = start[0] if start else ()
    return have + tuple(choices[i % len(choices)] for i in range(shapes - len(have)))


def _widened(start: tuple[tuple[str, ...], np.ndarray], form: ShapesForm) -> tuple[tuple[str, ...], np.ndarray]:
    """The start's rows with as much geometry per row as the form has."""
    names, old = start
    rows = np.zeros((len(names), form.dim_per_group), np.float32)
    rows[:, : old.shape[1] - 4], rows[:, -4:] = old[:, :-4], old[:, -4:]
    return names, rows
