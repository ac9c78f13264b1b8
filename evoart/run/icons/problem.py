"""What a prompt means to the model inside evoart: a small picture to come near, in flat colours, with few shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from evoart.draw.shapes import shape
from evoart.forms.shapes import ShapesForm
from evoart.openclip import icons
from evoart.run import fields
from evoart.run.device import Choice
from evoart.run.fit import palette
from evoart.run.fit.job import FitJob
from evoart.run.fit.search import SearchBuilder
from evoart.run.icons.job import IconsJob
from evoart.run.icons.judging import judge_drawing
from evoart.run.job import output_size
from evoart.run.photograph import PhotographProblem, unpack_target
from evoart.run.shapes import expand, fill_kinds, resolve
from evoart.score.pixel import Target
from evoart.types import Form, Genome, Image, Search

SHAPES, MORE, LIMIT = 32, 6, 60  # of one thing, for each further one, and in all
SIDE = 128  # pixels of the picture to come near
COLOURS = 12
EVEN = 0.006  # mean difference to its mirror image of a picture that counts as symmetric
SIZE = 512  # pixels of the output
FLAT = 0.03  # largest difference to a neighbour of a pixel whose colour counts as one of the picture's
DETAIL = 4.0  # how much more outlines and small things that stand out count than areas
TOLERANCE = 0.002, 0.04  # share of the empty picture's loss, and of the loss, that leaving out a shape may cost


@dataclass(frozen=True, eq=False, kw_only=True)
class IconsProblem(PhotographProblem):
    """A prompt to be drawn; the target is what icons of its things have in common.

    Attributes:
        choices: the kinds of shapes that the search may choose from.
    """

    job: IconsJob
    form: ShapesForm
    choices: tuple[str, ...]

    @classmethod
    def prepare(cls, job: IconsJob, source: Any = None) -> Self:
        """Read the prompt and look its things up.

        Raises:
            UsageError: nothing in the prompt is known.
        """
        job = job.with_seed()
        known = icons.load()
        scene = known.read(job.words)
        if job.background is not None:
            scene = dataclasses.replace(scene, background=(job.background,))
        image = np.ascontiguousarray(known.target(scene, job.seeded, SIDE), np.float32)
        count = job.shapes or min(SHAPES + MORE * (sum(part.count for part in scene.parts) - 1), LIMIT)
        job = dataclasses.replace(job, shapes=count)
        choices = expand(job.kind, job.font)
        job = dataclasses.replace(job, kind=resolve(job.kind, choices), font=None)
        red, green, blue = (float(value) for value in image[1, 1])
        background = fields.rgb(job.background) if job.background else (red, green, blue)
        form = ShapesForm(fill_kinds(count, choices), 1.0, 1.0, background, (1.0, 1.0), choose_colours(image))
        read = f"The model inside evoart knows icons and draws: {known.describe(scene)}"
        notes = [f"{read}. CLIP itself is --model ViT-B-32 (605 MB, once)"]
        if scene.strange:
            notes.append(f"These words did not count: {', '.join(scene.strange)}; see: evoart models words")
        if scene.left_out:
            notes.append(f"This is left out: {', '.join(scene.left_out)}")
        return cls(
            job=job,
            form=form,
            choices=choices,
            target=Target(image, weigh(image)),
            size=output_size(1.0, 1.0, job.size or SIZE),
            name=job.stem,
            notes=tuple(notes),
        )

    @classmethod
    def restore(cls, job: IconsJob, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray], **common: Any) -> Self:
        """See ``Problem.restore``."""
        return cls(job=job, choices=expand(job.kind), target=unpack_target(arrays, "mse"), **common)

    @property
    def engine(self) -> Choice:
        """See ``Problem.engine``."""
        return Choice("scanline", "cpu", "fastest on a CPU")

    @cached_property
    def _builder(self) -> SearchBuilder:
        job = self.job
        how = {name: getattr(job, name) for name in ("quality", "seed", "seconds", "evaluations", "options", "threads")}
        fit = FitJob(shapes=job.shapes, kind=job.kind, opacity=(1.0, 1.0), **how)
        return SearchBuilder(fit, self.form, self.target, self.choices, None, self.mirrored)

    @cached_property
    def mirrored(self) -> bool:
        """Whether the target is its own mirror image: shapes then come in pairs, and eyes match."""
        image = self.target.image
        return self.form.groups > 1 and float(np.abs(image - image[:, ::-1]).mean()) < EVEN

    def search(self) -> Search:
        """See ``Problem.search``: shapes are grown, polished and regrown, as for a photograph."""
        return self._builder.build()

    def finalise(self, form: Form, genome: Genome) -> tuple[Form, Genome]:
        """The picture without the shapes that hardly matter."""
        from evoart.engine.mirrored import MirroredCanvas
        from evoart.engine.placement import PlacementCanvas

        kinds, rows = _kinds(form), np.asarray(genome, np.float32).reshape(len(_kinds(form)), -1)
        whole = PlacementCanvas(self.form, self.target)
        loss, empty = whole.evaluate(kinds, rows)[0], whole.evaluate((), rows[:0])[0]
        limit = loss + TOLERANCE[0] * empty + TOLERANCE[1] * loss
        if not self.mirrored:
            kinds, rows = _pruned(whole, kinds, rows, limit)
            return self.form.with_kinds(kinds), rows.ravel()
        canvas = MirroredCanvas(self.form, self.target)
        kinds, rows = canvas.both(*_pruned(canvas, kinds[::2], rows[::2], limit))
        for i in range(len(kinds) - 1, 0, -2):  # a mirror image that lies on its own shape may go
            fewer, left = kinds[:i] + kinds[i + 1 :], np.delete(rows, i, 0)
            if _crosses(kinds[i], rows[i], self.form.width / 2) and whole.evaluate(fewer, left)[0] <= limit:
                kinds, rows = fewer, left
        return self.form.with_kinds(kinds), rows.ravel()

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """See ``PhotographProblem.evaluate``; and where the picture shows one kind of thing, its ``rank`` among all
        ``names`` of a judge that did not guide and has learned from other artists."""
        figures = super().evaluate(form, genome)
        verdict = judge_drawing(form.drawing(genome), self.job.words)
        return figures | ({"rank": float(verdict.rank), "names": float(verdict.names)} if verdict else {})

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {"prompts": list(self.job.prompts), "model": self.job.model, "shapes": self.form.groups}


def _kinds(form: Form) -> tuple[str, ...]:
    if not isinstance(form, ShapesForm):
        raise TypeError(f"a {form.name} has no shapes")
    return form.kinds


def _pruned(canvas: Any, kinds: tuple[str, ...], rows: np.ndarray, limit: float) -> tuple[tuple[str, ...], np.ndarray]:
    """Shapes without those that hardly matter: as long as the loss stays below ``limit``."""
    while len(kinds) > 1:
        least = int(np.argmin(canvas.removal(kinds, rows)))
        fewer, left = kinds[:least] + kinds[least + 1 :], np.delete(rows, least, 0)
        if canvas.evaluate(fewer, left)[0] > limit:
            break
        kinds, rows = fewer, left
    return kinds, rows


def _crosses(kind: str, row: np.ndarray, x: float) -> bool:
    """Whether a shape lies on both sides of an upright line."""
    points = shape(kind).outline(np, row[: len(shape(kind).parameters)], 16)[..., 0]
    return bool(points.min() < x < points.max())


def choose_colours(image: Image) -> tuple[tuple[float, float, float], ...]:
    """The flat colours of a picture ``(h, w, 3)``: of pixels whose neighbours look alike, small parts not forgotten."""
    around = [np.roll(image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    flat = (np.max(around, 0) - np.min(around, 0)).max(-1) < FLAT
    return palette.choose(image, flat * weigh(image), COLOURS)


def weigh(image: Image) -> np.ndarray:
    """Weights ``(h, w)`` float32 of mean 1 of a square picture: outlines and small things that stand out (an eye) count
    more than areas."""
    side = len(image)

    def blur(planes: np.ndarray, sigma: float) -> np.ndarray:
        at = np.arange(side)
        kernel = np.exp(-((at - at[:, None]) ** 2) / (2 * sigma**2))
        kernel = (kernel / kernel.sum(1, keepdims=True)).astype(np.float32)
        return np.einsum("ij,jkc->ikc", kernel, np.einsum("kj,ijc->ikc", kernel, planes))

    contrast = np.abs(image - blur(image, 0.05 * side)).sum(-1, keepdims=True)
    weight = 1 + DETAIL * blur(contrast, 0.008 * side)[..., 0]
    return (weight / weight.mean(dtype=np.float64)).astype(np.float32)
