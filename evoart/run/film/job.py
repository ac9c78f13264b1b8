"""Jobs of ``evoart fit`` that draw films."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.fit.job import DEFAULT_SHAPES, FitJob

STEADY = 0.2
_LONGEST = 1_000_000.0  # seconds into a film

# Fields of ``FitJob`` that say nothing of a film, and what they are called on the command line.
_STILL = {
    "start": "--start", "until_psnr": "--until-psnr", "generations": "--generations", "evaluations": "--evaluations",
    "seconds": "--time", "patience": "--patience", "keep_alpha": "--keep-alpha", "inside": "--inside",
    "area": "--area", "strategy": "--strategy", "preset": "--preset", "options": "--set",
}  # fmt: skip


@dataclass(frozen=True)
class FilmFitJob(FitJob):
    """A job of ``evoart fit`` with a film: what is said of photographs holds for its frames.

    Attributes:
        picture: path of a video, of an animated GIF, PNG or WebP, or of a folder of frames.
        fps: frames a second that are drawn, 0.1 to 100; None: as many as the film has.
        start_at, end_at: seconds of the film's part that is drawn; None: the whole film.
        every: of these, every so-manieth frame is drawn, and shown as much longer.
        steady: 0 to 1, the cost of change where the film is still: 0 draws each frame as well as can be, 1 holds what
            is there.
    """

    command: ClassVar[str] = "fit-film"
    film_only: ClassVar[bool] = True
    presets: ClassVar = {}
    checks: ClassVar = FitJob.checks | {
        "fps": fields.Number(0.1, 100.0, "frames a second", kind=float),
        "start_at": fields.Number(0.0, _LONGEST, kind=fields.duration, flag="--from"),
        "end_at": fields.Number(0.001, _LONGEST, kind=fields.duration, flag="--to"),
        "every": fields.Number(1, 10_000, "frames"),
        "steady": fields.Number(0.0, 1.0, kind=float),
        "search": fields.Choice(("evolve",)),
        "finish": fields.Choice(("gradient",)),
        "engine": fields.Choice(("auto", "scanline")),
    }

    fps: float | None = None
    start_at: float | None = None
    end_at: float | None = None
    every: int = 1
    steady: float = STEADY

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        for name, flag in _STILL.items():
            if getattr(self, name):
                raise UsageError(
                    f"{flag} does not go with a film",
                    "Leave it out; --quality, --every and --fps say how long it takes",
                )
        if self.end_at is not None and self.end_at <= (self.start_at or 0.0):
            raise UsageError(f"--to {self.end_at:g}s does not lie after --from {self.start_at:g}s", "Exchange them")
        if not self.picture or self.picture == "-":
            raise UsageError("a film is read from a file or a folder", "Name it")
        super().check_together()

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "film"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("mp4",)

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        number = self.shapes or DEFAULT_SHAPES
        return f"{self.picture}, {number:,} shape{'s' if number != 1 else ''} ({self.kind}) in every frame"

    def still(self) -> FitJob:
        """The job by which the first frame of a shot is drawn."""
        extra = ("fps", "start_at", "end_at", "every", "steady")
        given: dict[str, Any] = {name: v for name, v in self.to_dict().items() if name not in extra}
        return FitJob.make(**{k: v for k, v in given.items() if k not in ("format", "command", "picture", "sha256")})
