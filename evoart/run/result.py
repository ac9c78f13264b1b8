"""What a run comes to: a picture, its figures, and ways to see and keep it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.errors import UsageError
from evoart.output.formats import Artwork, Options, encode
from evoart.run import recipe as recipes
from evoart.run.job import SIZE, Job, output_size
from evoart.types import Drawing, Form, Genome, Image

if TYPE_CHECKING:
    from evoart.output.formats import Sound


@dataclass(frozen=True, eq=False)
class Result:
    """A finished (or interrupted) picture.

    Attributes:
        job: what was run, seed included.
        form, genome: the picture as numbers, ``genome`` ``(dim,)`` float32.
        size: ``(w, h)`` in pixels it is written at.
        figures: what it comes to, drawn as it is written: ``loss`` (lower is better) and whatever else the command
            measures, such as ``psnr`` in dB.
        generations, evaluations, seconds: what it took; seconds are 0 where the result was read from a file.
        mask: ``(H, W)`` uint8 transparency laid over the drawing, or None.
        frames: its evolution (or growth), first to last, as drawings that are made when asked for; may be empty.
        loop: the frames are a loop and no evolution: after the last comes the first.
        rate: frames a second, where all of them are shown; None: as fast as the film is to be long.
        sound: that goes with the frames, or None.
        photograph: gives the photograph that it was made from, for films; see ``Artwork``. None where there is none.
        members: gives (number, picture) of the pictures that it consists of, each with a recipe of its own.
    """

    job: Job = field(repr=False)
    form: Form = field(repr=False)
    genome: Genome = field(repr=False)
    size: tuple[int, int]
    figures: dict[str, float]
    generations: int
    evaluations: int
    seconds: float
    mask: np.ndarray | None = field(default=None, repr=False)
    frames: Sequence[Drawing] = field(default=(), repr=False)
    loop: bool = False
    rate: float | None = None
    sound: Sound | None = field(default=None, repr=False)
    photograph: Callable[[], Image] | None = field(default=None, repr=False)
    members: Callable[[], list[tuple[int, Result]]] = field(default=list, repr=False)
    kept: dict[str, Any] | None = field(default=None, repr=False)  # the recipe, where this was read from a file

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the photograph, which the picture is not made of."""
        return self.__dict__ | {"photograph": None}

    @property
    def seed(self) -> int:
        """The seed that makes this picture again."""
        return self.job.seed or 0

    @property
    def loss(self) -> float:
        """What the search made small; NaN where it is not known."""
        return self.figures.get("loss", float("nan"))

    @property
    def psnr(self) -> float:
        """Likeness to the photograph in dB, whatever the loss is; NaN where there is no photograph."""
        return self.figures.get("psnr", float("nan"))

    @cached_property
    def drawing(self) -> Drawing:
        """The picture, decoded."""
        return self.form.drawing(self.genome)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Job and drawing as one JSON object; it goes into every file that is saved."""
        if self.kept is not None:
            return self.kept
        counts = {"generations": self.generations, "evaluations": self.evaluations}
        # No wall time: the same seed gives the same bytes.
        return recipes.write(self.job, self.form, self.genome, self.size, self.figures | counts)

    def artwork(self, size: int | None = None) -> Artwork:
        """The picture as output formats take it, with a long side of ``size`` pixels (None: ``self.size``).

        Raises:
            UsageError: ``size`` is not a number from 1 to 32,768.
        """
        size = None if size is None else int(SIZE("size", size))
        return Artwork(
            drawing=self.drawing,
            size=self.size if size is None else output_size(self.form.width, self.form.height, size),
            recipe=self.recipe,
            title=self.title,
            frames=self.frames,
            loop=self.loop,
            rate=self.rate,
            sound=self.sound,
            alpha=self.mask,
            photograph=self.photograph,
        )

    @property
    def title(self) -> str:
        """For viewers and screen readers: ``photo, drawn with 100 triangles``."""
        return self.job.title(self.form.label)

    def supersampled(self, samples: int) -> Result:
        """The same, every pixel the mean of ``samples x samples`` points.

        Raises:
            UsageError: it is not a picture of a network.
        """
        from evoart.forms.cppn import NetworkForm
        from evoart.forms.latent import LatentForm

        if not isinstance(self.form, NetworkForm | LatentForm):
            raise UsageError("only pictures of networks are supersampled", "Leave it out: shapes are drawn exactly")
        return dataclasses.replace(self, form=dataclasses.replace(self.form, samples=samples))

    def aged(self, steps: int) -> Result:
        """The same after so many steps of growth, 0 to 100,000.

        Raises:
            UsageError: it is not a picture that grows.
        """
        from evoart.forms.automaton import AutomatonForm

        if not isinstance(self.form, AutomatonForm):
            raise UsageError("only what evoart grow has made grows in steps", "Leave them out")
        return dataclasses.replace(self, form=dataclasses.replace(self.form, age=steps), kept=None)

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

        outputs = resolve([str(path) for path in paths], stem="picture", form=self.form.name, overwrite=overwrite)
        artwork = self.artwork(size)
        return [path for output in outputs if (path := save(artwork, output, options)) is not None]

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_png_(self) -> bytes:
        return encode("png", self.artwork(min(512, max(self.size))))


def from_record(record: recipes.Record) -> Result:
    """The result that a recipe holds."""
    from evoart.forms.automaton import AutomatonForm
    from evoart.forms.film import FilmForm, Frames
    from evoart.run.sketch.film import frames_of
    from evoart.run.sketch.job import SketchJob

    figures, form = dict(record.figures), record.form
    job = Job.from_dict(record.job, "the recipe's job")
    moving: dict[str, Any] = {}
    if isinstance(form, FilmForm):
        moving = {"frames": Frames(form, record.genome), "rate": form.rate}
    if isinstance(form, AutomatonForm):
        moving = {"frames": form.frames(record.genome)}
    if isinstance(job, SketchJob):
        moving = {"frames": frames_of(job, form, record.genome), "loop": job.bends}
    generations, evaluations = (int(figures.pop(name, 0)) for name in ("generations", "evaluations"))
    return Result(
        job=job,
        form=form,
        genome=record.genome,
        size=record.size,
        figures=figures,
        generations=generations,
        evaluations=evaluations,
        seconds=0.0,
        kept=record.recipe,
        **moving,
    )
