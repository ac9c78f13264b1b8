"""Jobs of ``evoart fit``: a photograph drawn with a few shapes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.fit import edits
from evoart.run.job import Job, PhotographJob
from evoart.search.options import check_growing, read_independent_sets

if TYPE_CHECKING:
    import numpy as np

    from evoart.score.pixel import Loss


PAINTS = ("flat", "linear", "radial", "auto")
SEARCHES = ("evolve", "waves", "sets", "regional", "classical")
DEFAULT_SHAPES = 100
# What each preset sets; anything given as well wins.
PRESETS: dict[str, dict[str, Any]] = {
    # Tian and Ha, "Modern Evolution Strategies for Creativity" (2021): their program's defaults.
    "es-clip": {
        "search": "classical",
        "strategy": "pgpe",
        "shapes": 50,
        "kind": "triangle",
        "pixels": 200,
        "population": 256,
        "generations": 10_000,
        "opacity": (0.0, 0.5),
        "finish": "none",
    },
}


@dataclass(frozen=True)
class FitJob(PhotographJob, Job):
    """A job of ``evoart fit``. What all jobs have is said there.

    Attributes:
        picture: path of the photograph; ``""`` is the bundled one, ``"-"`` standard input.
        sha256: of the photograph's bytes, hexadecimal; ``""`` until it was read.
        shapes: how many, 1 to 20,000 (100, or as many as ``start`` has).
        kind: a shape, ``mixed``, or several joined by commas, e.g. ``triangle``, ``polygon:5``, ``ellipse,line``.
            ``stamp:FILE`` is an outline from an SVG, a picture or a folder, ``letters:TEXT`` those of a font.
        font: path of the font of ``letters:`` among the kinds; None: one that the system has.
        paint: ``flat`` (a shape has one colour), ``linear`` or ``radial`` (it runs into a second one), or ``auto``
            (whichever of the three a shape gains by).
        opacity: lowest and highest opacity in [0, 1]; equal ones fix it.
        min_width: smallest width of strokes, ellipses and rectangles in percent of the picture's long side, 0 to 20;
            None: 1 where a palette is opaque, since thinner lines of it look like grays that it lacks, else 0.
        stroke: width of strokes, fixed or a range, in percent of the long side (``2``, ``0.5-3``) or in pixels
            of the output (``2-6px``); None: as wide as they like.
        background: ``mean`` (the mean colour), ``transparent``, or ``#rrggbb``.
        inside: shapes stay where a photograph with transparency is opaque, and the background is transparent; None: so
            it is where the photograph has transparency, ``background`` is ``mean`` and ``keep_alpha`` is not asked for.
        focus: rectangles that count more: ``(x, y, width, height, factor)`` each, in shares of the picture's sides.
        keep_alpha: the output is transparent where the photograph is.
        palette: number of colours (2 to 256) chosen from the photograph, or the colours as ``#rrggbb``.
        pixels: long side of the canvas the search works on, 16 to 2,048 pixels.
        search: ``evolve`` (grow, then refine jointly), ``waves`` (the same as programs of a GPU), ``sets``,
            ``regional`` or ``classical``.
        strategy: evosax strategy of ``regional`` and ``classical``; see ``evoart strategies``. Alone it asks for the
            classical search.
        preset: name of the preset the other fields came from.
        population: candidates per generation, 2 to 65,536.
        step: initial step size, 1e-5 to 2, relative to the natural step of each number.
        options: further settings of the strategy, or of the default search's plan (``search.options``), by name.
        until_psnr: stop at this PSNR in dB, 1 to 100.
        loss: ``mse``, ``mae`` or ``oklab``.
        weights, weights_sha256: path of an importance map (white counts, black does not), and its hash as for
            ``sha256``.
        engine: ``auto``, ``scanline``, ``dense`` or ``pallas``.
        edits: changes to the shapes of ``start`` before the search, such as ``remove 3,5-8``; see ``run.fit.edits``.
        lock: numbers of shapes of ``start``, after the edits, that stay as they are: ``3,5-8``.
        area: only what lies in this rectangle is worked on: ``(left, top, right, bottom)`` in shares of the sides.
        max_bytes: most bytes of the SVG, recipe included, 500 and more: the shapes that are missed least go; None: any.
        finish: ``gradient`` (polish with gradient steps) or ``none``.
        max_pixels: photographs with more pixels are refused.
    """

    command: ClassVar[str] = "fit"
    files: ClassVar = Job.files | {"picture": "photograph", "weights": "importance map"}
    presets: ClassVar = PRESETS
    checks: ClassVar = Job.checks | {
        "picture": fields.text,
        "sha256": fields.text,
        "shapes": fields.Number(1, 20_000, "shapes"),
        "kind": fields.kinds,
        "font": fields.named,
        "paint": fields.Choice(PAINTS),
        "opacity": fields.opacity,
        "min_width": fields.Number(0.0, 20.0, "percent", kind=float, flag="--min-width"),
        "stroke": fields.stroke,
        "background": fields.background,
        "inside": fields.flag,
        "focus": fields.focus,
        "keep_alpha": fields.flag,
        "palette": fields.palette,
        "pixels": fields.Number(16, 2048, "pixels"),
        "search": fields.Choice(SEARCHES),
        "strategy": fields.named,
        "preset": fields.Choice(tuple(PRESETS)),
        "population": fields.Number(2, 65_536, "candidates"),
        "step": fields.Number(1e-5, 2.0, kind=float),
        "until_psnr": fields.Number(1.0, 100.0, "dB", kind=float),
        "loss": fields.Choice(("mse", "mae", "oklab")),
        "weights": fields.named,
        "weights_sha256": fields.text,
        "edits": edits.edits,
        "lock": edits.numbers_written,
        "area": edits.area,
        "max_bytes": fields.count_bytes,
        "finish": fields.Choice(("gradient", "none")),
        "max_pixels": fields.Number(4, 10**10, "pixels"),
    }

    picture: str = ""
    sha256: str = ""
    shapes: int | None = None
    kind: str = "triangle"
    font: str | None = None
    paint: str = "flat"
    opacity: tuple[float, float] = (0.1, 1.0)
    min_width: float | None = None
    stroke: str | None = None
    background: str = "mean"
    inside: bool | None = None
    focus: tuple[tuple[float, float, float, float, float], ...] = ()
    keep_alpha: bool = False
    palette: int | tuple[str, ...] | None = None
    pixels: int = 256
    search: str = "evolve"
    strategy: str | None = None
    preset: str | None = None
    population: int | None = None
    step: float | None = None
    until_psnr: float | None = None
    loss: Loss = "mse"
    weights: str | None = None
    weights_sha256: str = ""
    edits: tuple[str, ...] = ()
    lock: str = ""
    area: tuple[float, float, float, float] | None = None
    max_bytes: int | None = None
    finish: str = "gradient"
    max_pixels: int | None = None

    @property
    def paints(self) -> tuple[str, ...]:
        """How the colour of a shape may run into a second one; none where it has one colour."""
        return {"flat": (), "auto": ("linear", "radial")}.get(self.paint, (self.paint,))

    @property
    def plans(self) -> bool:
        """Whether its search plans its work and ends by itself: the default search, and waves."""
        return self.search == "waves" or self.is_default

    @property
    def is_default(self) -> bool:
        """Whether it asks for the default search."""
        return self.search == "evolve" and self.finish == "gradient"

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.strategy is not None and self.search in ("evolve", "waves", "sets"):
            raise UsageError(
                f"the search '{self.search}' has no strategy to choose",
                f"Use --search classical --strategy {self.strategy}, or --search regional",
            )
        if self.plans:
            self._check_growing()
        elif self.search in ("evolve", "sets"):
            read_independent_sets(self.search_options())
        if self.preset == "es-clip" and (self.search != "classical" or self.start is not None):
            what = "--start" if self.start is not None else f"--search {self.search}"
            raise UsageError(
                f"ES-CLIP's parametrisation does not go with {what}", "Leave out --preset es-clip, or the other"
            )
        if self.paint != "flat":
            if not self.is_default:
                raise UsageError("only the default search knows --paint", "Leave out --search and --finish")
            if self.palette is not None:
                raise UsageError(
                    f"--paint {self.paint} mixes colours, which no --palette of a few has", "Leave one of them out"
                )
        if self.inside and (self.keep_alpha or self.background not in ("mean", "transparent")):
            other = "--keep-alpha" if self.keep_alpha else "--background"
            raise UsageError(f"--inside and {other} exclude each other", "Leave one of them out")
        if (self.edits or self.lock) and self.start is None:
            raise UsageError(
                f"there is nothing to {'edit' if self.edits else 'lock'} yet", "Name a result with --start"
            )
        if (self.lock or self.area) and not self.is_default:
            raise UsageError("only the default search knows --lock and --area", "Leave out --search and --finish")
        if self.keep_alpha and self.background == "transparent":
            raise UsageError("--keep-alpha and --background transparent exclude each other", "Leave one of them out")

    def _check_growing(self) -> None:
        search = "default search" if self.is_default else f"search '{self.search}'"
        if self.engine == "pallas" or (self.engine == "scanline" and not self.is_default):
            raise UsageError(
                f"the {search} has no use for the {self.engine} engine", "Use --engine dense or --search sets"
            )
        for name, value in (("population", self.population), ("step", self.step)):
            if value is not None:
                raise UsageError(f"the {search} has no {name} to set", f"Use --search sets --{name} {value}")
        check_growing(self.options)

    def search_options(self) -> dict[str, float | str]:
        """Options of a strategy beyond its name, population and seed."""
        return dict(self.options) | ({"step": self.step} if self.step is not None else {})

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "shapes"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        number = self.shapes or (None if self.start else DEFAULT_SHAPES)
        if not number:
            return f"{self.subject}, continuing from {self.start}"
        return f"{self.subject}, {number:,} shape{'s' if number != 1 else ''} ({self.kind})"

    def mask(self, data: bytes, path: Path) -> np.ndarray | None:
        """See ``Job.mask``."""
        from evoart.run.fit.mask import mask_of

        return mask_of(data, path, self.picture, self.sha256) if self.keep_alpha else None

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """See ``Job.implied``: a strategy alone asks for the classical search."""
        return {"search": "classical"} | given if "strategy" in given else given
