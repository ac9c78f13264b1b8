"""What a job means for one photograph: read once, judged by its pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from evoart.draw.shapes import shape
from evoart.draw.shapes.ramp import MARK
from evoart.draw.shapes.stamp import pack, unpack
from evoart.errors import UsageError
from evoart.forms.shapes import ShapesForm, pack_kinds, unpack_kinds
from evoart.output.recipe import extract
from evoart.picture import MAX_PIXELS, Sources, bundled, digest_of, load_weights
from evoart.run import fields
from evoart.run.device import Choice
from evoart.run.fit import edits, palette
from evoart.run.fit.engine import choose
from evoart.run.fit.job import DEFAULT_SHAPES, FitJob
from evoart.run.fit.search import SearchBuilder, scale_of
from evoart.run.inputs import check_hash, read_hashed, read_picture
from evoart.run.job import output_size
from evoart.run.photograph import PhotographProblem, unpack_target
from evoart.run.recipe import record
from evoart.run.shapes import expand, fill_kinds, resolve, widen
from evoart.score.pixel import Target
from evoart.types import Form, Genome, Search

# Evaluations of a search that has no plan of its own, where no budget is given.
EVALUATIONS = {"draft": 16_384, "normal": 65_536, "best": 262_144}
MIN_WIDTH = 1.0  # percent of the long side: three millimetres on a sheet of A4, where shapes are of flat colours
BEYOND = 0.05  # of the range of sRGB: farther out, a large faint shape is a trap for the search
PATIENCE = 2_000  # generations, where only a PSNR was asked for, which may never come


@dataclass(frozen=True, eq=False, kw_only=True)
class FitProblem(PhotographProblem):
    """A photograph to be drawn.

    Attributes:
        form: what genomes stand for; ``form.kinds`` are the shapes a search starts with that does not choose them.
        choices: the kinds a search may choose from.
        start: kinds and genome rows ``(k, dim_per_group)`` to continue from, or None.
    """

    job: FitJob
    form: ShapesForm
    choices: tuple[str, ...]
    start: tuple[tuple[str, ...], np.ndarray] | None = None

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        return choose(self.job)

    def search(self) -> Search:
        """See ``Problem.search``."""
        return self.builder().build()

    def builder(self) -> SearchBuilder:
        """What builds the search: over the matte, where the background is transparent."""
        form = self.form
        if form.background is None:
            form = dataclasses.replace(form, background=self.target.matte)
        return SearchBuilder(self.job, form, self.target, self.choices, self.start)

    def finalise(self, form: Form, genome: Genome) -> tuple[Form, Genome]:
        """See ``Problem.finalise``: within ``max_bytes``, where those are asked for."""
        if self.job.max_bytes is None or not isinstance(form, ShapesForm):
            return super().finalise(form, genome)
        from evoart.run.fit.shorten import RATE, shorten
        from evoart.search.polishing import learning_rates

        rows = np.asarray(genome, np.float32).reshape(len(form.kinds), -1)
        scales = {kind: scale_of(form, kind) for kind in form.kinds}
        rates = learning_rates(form.kinds, rows, scales, RATE, form.palette is None)
        builder = self.builder()
        canvas, bounds = builder.canvas(self.target), builder.bounds
        limit, measure = self.job.max_bytes, self._measure
        kinds, rows = shorten(form.kinds, rows, canvas, rates, bounds, measure, limit, max(self.size))
        return form.with_kinds(kinds), rows.ravel()

    def _measure(self, kinds: tuple[str, ...], rows: np.ndarray) -> int:
        """Bytes of the SVG of some shapes, but for what is known at the end."""
        from evoart.run import recipe
        from evoart.run.fit.shorten import bytes_of

        form = self.form.with_kinds(kinds)
        plain = recipe.write(self.job, form, rows.ravel(), self.size, {})
        return bytes_of(lambda text: form.drawing(rows.ravel()).svg(self.size, form.label, text, self.mask), plain)

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {
            "picture": self.job.picture or "the bundled photograph",
            "shapes": self.form.groups,
            "kind": self.job.kind,
            "search": self.job.search,
        }

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """See ``Problem.pack``."""
        plain, arrays = super().pack()
        start = pack_kinds(self.start[0]) if self.start else None
        plain |= {"choices": self.choices, "start": start, "stamps": pack(self.choices)}
        return plain, arrays | ({"start": self.start[1]} if self.start else {})

    @classmethod
    def prepare(cls, job: FitJob, source: Any = None) -> Self:
        """Read the photograph (``source`` where given, else ``job.picture``) and complete the job.

        Raises:
            UsageError, EvoartError: a picture, importance map or start file that cannot be used.
        """
        source, map_source = (source.picture, source.weights) if isinstance(source, Sources) else (source, None)
        picture = read_picture(job.picture or bundled() if source is None else source, job.pixels, job.max_pixels)
        check_hash("photograph", job.picture or picture.name, picture.sha256, job.sha256)
        image, alpha = picture.at(job.pixels)
        job, notes = _settle_background(job, alpha), picture.notes
        matte, visible = (1.0, 1.0, 1.0), None
        if job.background == "transparent" and alpha is not None:
            # What the photograph leaves free must stay so: it counts, over a colour that no shape can have.
            matte, visible = _unlike(image, alpha, job.loss), alpha
            image, alpha = image * alpha[..., None] + np.array(matte, np.float32) * (1 - alpha[..., None]), None
            if job.inside:
                notes = (*notes, "Shapes stay where the picture is opaque; --no-inside paints a background")
        weight, weights_hash = _weight(job, image.shape[:2], alpha, map_source, visible)
        colours = _palette(job, image, weight)
        target = Target(np.ascontiguousarray(image, np.float32), weight, job.loss, matte)
        background = _background(job, image, weight, colours)
        longest = max(picture.width, picture.height)
        start, start_hash = _start(job, target, (picture.width / longest, picture.height / longest), background)
        hashes = {"sha256": picture.sha256, "weights_sha256": weights_hash, "start_sha256": start_hash}
        job, shapes = complete(dataclasses.replace(job, **hashes), len(start[0]) if start else 0)
        choices = expand(job.kind, job.font)
        job = dataclasses.replace(job, kind=resolve(job.kind, choices), font=None)
        filled = [kind for kind in choices if shape(kind).filled]
        if job.paints and not filled:
            raise UsageError(
                f"strokes have one colour, whatever --paint {job.paint} says", "Add a filled shape: -k line,triangle"
            )
        if job.stroke and len(filled) == len(choices):
            raise UsageError(f"none of {job.kind} is a stroke, so --stroke has nothing to say", "Use -k line, for one")
        output = output_size(picture.width, picture.height, job.size)
        painted = [*choices, *(kind + MARK + paint for kind in filled for paint in job.paints)]
        form = ShapesForm(
            fill_kinds(shapes, choices, start[0] if start else ()),
            picture.width / longest,
            picture.height / longest,
            background,
            job.opacity,
            colours,
            columns=max(len(shape(kind).parameters) for kind in painted),
            min_width=(job.min_width or 0.0) / 100,
            stroke=fields.stroke_range(job.stroke, max(output)) if job.stroke else None,
        )
        problem = cls(
            job=job,
            form=form,
            choices=choices,
            target=target,
            size=output,
            mask=picture.mask if job.keep_alpha else None,
            name=picture.name,
            notes=notes,
            start=(start[0], widen(start[1], form)) if start else None,
        )
        if job.max_bytes is not None:
            from evoart.run.fit.shorten import check

            check(problem._measure(form.kinds[:1], np.zeros((1, form.dim_per_group), np.float32)), job.max_bytes)
        return problem

    @classmethod
    def restore(cls, job: FitJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """The problem that ``pack`` took apart; ``common`` is what all problems have.

        Raises:
            ValueError, KeyError, TypeError: parts that do not belong together.
        """
        unpack(plain["stamps"])
        kinds = unpack_kinds(plain["start"]) if plain["start"] is not None else ()
        start = (kinds, arrays["start"]) if kinds else None
        if start is not None and start[1].shape != (len(kinds), common["form"].dim_per_group):
            raise ValueError("the start does not fit the form")
        target = unpack_target(arrays, job.loss, plain["matte"])
        return cls(job=job, choices=tuple(plain["choices"]), target=target, start=start, **common)


def complete(job: FitJob, started: int = 0) -> tuple[FitJob, int]:
    """The job with a seed, a number of shapes and, where its search needs one, a budget; and the number of shapes.

    Args:
        started: shapes that exist already.

    Raises:
        UsageError: fewer shapes than exist.
    """
    shapes = job.shapes or started or DEFAULT_SHAPES
    if shapes < started:
        raise UsageError(
            f"the start has {started} shapes, more than the {shapes} asked for", f"Use --shapes {started} or more"
        )
    changes: dict[str, Any] = {"shapes": shapes}
    if job.min_width is None and job.stroke is None and job.palette is not None and job.opacity[0] == 1:
        changes["min_width"] = MIN_WIDTH
    if not (job.plans or job.generations or job.evaluations or job.seconds):
        if job.until_psnr is None and job.patience is None:
            changes["evaluations"] = EVALUATIONS[job.quality]
        elif job.patience is None:
            changes["patience"] = PATIENCE
    return dataclasses.replace(job.with_seed(), **changes), shapes


def _settle_background(job: FitJob, alpha: np.ndarray | None) -> FitJob:
    """The job with its background decided: transparent, for shapes that stay inside a transparent photograph.

    Raises:
        UsageError: shapes asked to stay inside a photograph that is opaque everywhere.
    """
    if job.inside and alpha is None:
        raise UsageError("the picture is opaque everywhere: there is nothing to stay inside of", "Leave out --inside")
    free = job.background == "mean" and not job.keep_alpha
    if job.inside or (job.inside is None and alpha is not None and free):
        return dataclasses.replace(job, inside=True, background="transparent")
    return dataclasses.replace(job, inside=job.inside or None)


def _unlike(image: np.ndarray, alpha: np.ndarray, loss: str) -> tuple[float, float, float]:
    """A colour beyond the corner of the sRGB cube that is farthest from the colours of what is visible: a shape of the
    corner's own colour, where nothing should be, is seen too. Oklab has no colours beyond; there it is the corner."""
    shown = image[alpha > 0.5] if (alpha > 0.5).any() else image[alpha > 0]
    corners = np.array([(r, g, b) for r in (1.0, 0.0) for g in (1.0, 0.0) for b in (1.0, 0.0)], np.float32)
    distance = np.percentile(((shown[:, None] - corners) ** 2).sum(-1), 2, axis=0)
    chosen = corners[int(distance.argmax())]
    red, green, blue = (chosen if loss == "oklab" else chosen + BEYOND * (2 * chosen - 1)).tolist()
    return red, green, blue


def _weight(
    job: FitJob,
    shape: tuple[int, int],
    alpha: np.ndarray | None,
    source: Any = None,
    visible: np.ndarray | None = None,
) -> tuple[np.ndarray, str]:
    """Weights ``(h, w)`` with mean 1, and the hash of the importance map: ``source``, or the job's file.

    ``alpha`` weighs them; something of what is ``visible`` must count, whether it does or not.
    """
    weight, digest = np.ones(shape, np.float32) if alpha is None else alpha.astype(np.float32), ""
    if source is not None:
        digest = digest_of(source)
        check_hash("importance map", "weights", digest, job.weights_sha256)
        weight = weight * load_weights(source, shape, max_pixels=job.max_pixels or MAX_PIXELS)
    elif job.weights_sha256 and not job.weights:
        raise UsageError(
            "this picture was made with an importance map that no file holds",
            "Give it in Python: evoart.fit(..., weights=array); or save it as PNG and use --weights FILE",
        )
    elif job.weights:
        data, label, digest = read_hashed("importance map", job.weights, job.weights_sha256)
        weight = weight * load_weights(data, shape, max_pixels=job.max_pixels or MAX_PIXELS, label=label)
    for x, y, width, height, factor in job.focus:
        h, w = shape
        rows, columns = slice(round(y * h), round((y + height) * h)), slice(round(x * w), round((x + width) * w))
        weight[rows, columns] *= factor
    mean = float(weight.mean(dtype=np.float64))
    if not mean > 0 or (visible is not None and not (weight * visible).max() > 0):
        raise UsageError("no pixel counts: the importance map is black wherever the picture is visible", "Fix the map")
    return (weight / np.float32(mean)).astype(np.float32), digest


def _palette(job: FitJob, image: np.ndarray, weight: np.ndarray) -> tuple[tuple[float, float, float], ...] | None:
    if job.palette is None:
        return None
    if isinstance(job.palette, int):
        colours = palette.choose(image, weight, job.palette)
    else:
        colours = tuple(fields.rgb(colour) for colour in job.palette)
    edited = (fields.rgb(edit.value) for edit in map(edits.read, job.edits) if edit.verb == "colour")
    return tuple(dict.fromkeys((*colours, *edited)))


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


def _start(
    job: FitJob, target: Target, extent: tuple[float, float], background: tuple[float, float, float] | None
) -> tuple[edits.Shapes | None, str]:
    """Kinds and rows of the result to continue from, as it was saved and then edited, and the hash of its file.

    Args:
        extent: width and height of the picture in units.
    """
    if not job.start:
        return None, ""
    data, label, digest = read_hashed("start", job.start, job.start_sha256)
    found = record(extract(data, label), label)
    if not isinstance(found.form, ShapesForm):
        raise UsageError(
            f"{label} is not a drawing of shapes", "Start from a picture that evoart fit or clip has drawn"
        )
    shapes = found.form.kinds, found.genome.reshape(found.form.groups, -1)

    def costs(shapes: edits.Shapes) -> np.ndarray:
        from evoart.engine.placement import PlacementCanvas

        kinds, rows = shapes
        form = ShapesForm(kinds, *extent, background, (0.0, 1.0), columns=rows.shape[1] - 4)
        return PlacementCanvas(form, target).removal(kinds, rows)

    return edits.apply(shapes, job.edits, costs), digest
