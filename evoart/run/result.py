"""What a run comes to: a drawing, its figures, and ways to see and keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.draw.scene import Scene
from evoart.forms.shapes import ShapesForm
from evoart.output.formats import Artwork, Options, encode
from evoart.output.recorder import FilmRecorder
from evoart.run import recipe as recipes
from evoart.run.job import SIZE, Job
from evoart.run.problem import output_size
from evoart.score.pixel import Target, loss_map, mean_squared_error, psnr
from evoart.types import Genome, Image

if TYPE_CHECKING:
    from evoart.run.problem import Problem

FRAMES = 120  # moments of a film that are handed on; each format thins them to its own rate


@dataclass(frozen=True, eq=False)
class Result:
    """A finished (or interrupted) picture.

    Attributes:
        job: what was run, seed included.
        form, genome: the drawing as numbers, ``genome`` ``(dim,)`` float32.
        size: ``(w, h)`` in pixels it is written at.
        loss: of the anti-aliased drawing on the search's canvas; lower is better.
        psnr: in dB, from the mean squared error in sRGB, whatever the loss is.
        generations, evaluations, seconds: what it took; seconds are 0 where the result was read from a file.
        mask: ``(H, W)`` uint8 transparency laid over the drawing, or None.
        frames: its evolution, first to last, as drawings; may be empty.
    """

    job: Job = field(repr=False)
    form: ShapesForm = field(repr=False)
    genome: Genome = field(repr=False)
    size: tuple[int, int]
    loss: float
    psnr: float
    generations: int
    evaluations: int
    seconds: float
    mask: np.ndarray | None = field(default=None, repr=False)
    frames: tuple[Scene, ...] = field(default=(), repr=False)
    kept: dict[str, Any] | None = field(default=None, repr=False)  # the recipe, where this was read from a file

    @property
    def seed(self) -> int:
        """The seed that makes this picture again."""
        return self.job.seed or 0

    @cached_property
    def scene(self) -> Scene:
        """The drawing in unit coordinates."""
        return self.form.scene(self.genome)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Job and drawing as one JSON object; it goes into every file that is saved."""
        if self.kept is not None:
            return self.kept
        facts = {
            "loss": self.loss,
            "psnr": self.psnr,
            "generations": self.generations,
            "evaluations": self.evaluations,
        }  # no wall time: the same seed gives the same bytes
        return recipes.write(self.job, self.form, self.genome, self.size, facts)

    def artwork(self, size: int | None = None) -> Artwork:
        """The picture as output formats take it, with a long side of ``size`` pixels (None: ``self.size``).

        Raises:
            UsageError: ``size`` is no number from 1 to 32,768.
        """
        from evoart.draw.scanline import draw

        size = None if size is None else SIZE("size", size)
        return Artwork(
            scene=self.scene,
            size=self.size if size is None else output_size(self.form.width, self.form.height, size),
            draw=draw,
            recipe=self.recipe,
            title=self.title,
            frames=self.frames,
            alpha=self.mask,
        )

    @property
    def title(self) -> str:
        """For viewers and screen readers: ``photo, drawn with 100 triangles``."""
        stem = Path(self.job.picture).stem if self.job.picture not in ("", "-") else "picture"
        kinds = set(self.form.kinds)
        noun = kinds.pop().replace("-", " ").replace(":", " of ") if len(kinds) == 1 else "shape"
        plural = f"{len(self.form.kinds)} {noun}{'s' if len(self.form.kinds) != 1 and ' of ' not in noun else ''}"
        return f"{stem}, drawn with {plural}"

    def image(self, size: int | None = None) -> Image:
        """The picture ``(h, w, 3)`` float32 sRGB in [0, 1], anti-aliased, with a long side of ``size`` pixels.

        ``(h, w, 4)`` with straight alpha where it is transparent anywhere.
        """
        from evoart.output.raster import pixels

        return pixels(self.artwork(size)).astype(np.float32) / np.float32(255)

    def svg(self) -> str:
        """The picture as one SVG document, its recipe inside."""
        return encode("svg", self.artwork()).decode()

    def save(
        self, *paths: str | Path, size: int | None = None, overwrite: bool = False, options: Options | None = None
    ) -> list[Path]:
        """Write the picture to ``paths``; each one's extension is its format. Returns where the files are.

        Args:
            size: long side in pixels (None: ``self.size``).
            overwrite: replace files that exist; else they are an error.
            options: quality, film length and the like.

        Raises:
            UsageError: unknown extension, existing file.
            EvoartError: a file that cannot be written.
        """
        from evoart.output.names import resolve
        from evoart.output.save import save

        outputs = resolve([str(path) for path in paths], stem="picture", form="shapes", overwrite=overwrite)
        artwork = self.artwork(size)
        return [path for output in outputs if (path := save(artwork, output, options)) is not None]

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_png_(self) -> bytes:
        return encode("png", self.artwork(min(512, max(self.size))))


def canvas_image(scene: Scene, target: Target) -> Image:
    """The drawing ``(h, w, 3)`` as it is judged: anti-aliased, on the target's canvas, a transparent ground white."""
    from evoart.draw.scanline import draw

    h, w = target.weight.shape
    rgba = draw(scene, (w, h))
    return rgba[..., :3] * rgba[..., 3:] + (1 - rgba[..., 3:]) if scene.background is None else rgba[..., :3]


def judged(scene: Scene, target: Target) -> tuple[float, float]:
    """Loss and PSNR in dB of a drawing, anti-aliased as it will be written."""
    image = canvas_image(scene, target)
    loss = float(loss_map(np, image, target).sum(dtype=np.float64))
    return loss, psnr(mean_squared_error(image, target))


def finish(
    problem: Problem,
    kinds: tuple[str, ...],
    genome: Genome,
    film: FilmRecorder,
    *,
    generations: int,
    evaluations: int,
    seconds: float,
) -> Result:
    """The result of a run whose best genome is ``genome`` of ``kinds``."""
    form = problem.form.with_kinds(kinds)
    loss, decibels = judged(form.scene(genome), problem.target)
    frames = tuple(problem.form.with_kinds(k).scene(g) for k, g in film.select(FRAMES))
    return Result(
        job=problem.job,
        form=form,
        genome=np.array(genome, np.float32),
        size=problem.size,
        loss=loss,
        psnr=decibels,
        generations=generations,
        evaluations=evaluations,
        seconds=seconds,
        mask=problem.mask,
        frames=frames,
    )


def from_drawing(drawing: recipes.Drawing) -> Result:
    """The result that a recipe holds."""
    facts = drawing.facts
    return Result(
        job=Job.from_dict(drawing.job, "the recipe's job"),
        form=drawing.form,
        genome=drawing.genome,
        size=drawing.size,
        loss=float(facts.get("loss", float("nan"))),
        psnr=float(facts.get("psnr", float("nan"))),
        generations=int(facts.get("generations", 0)),
        evaluations=int(facts.get("evaluations", 0)),
        seconds=float(facts.get("seconds", 0.0)),
        kept=drawing.recipe,
    )
