"""What a job means for one film: its frames, in shots."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.forms.film import FilmForm, Frames, Shot
from evoart.forms.shapes import ShapesForm
from evoart.output.formats import FILM_LONGEST, Sound
from evoart.run import device
from evoart.run.film.footage import Footage, Part, find_cuts, read_footage
from evoart.run.film.job import FilmFitJob
from evoart.run.film.search import FilmSearch, ShotSearch
from evoart.run.fit import palette
from evoart.run.fit.job import DEFAULT_SHAPES
from evoart.run.fit.problem import FitProblem
from evoart.run.inputs import check_hash
from evoart.run.job import output_size
from evoart.run.photograph import SHOWN
from evoart.run.problem import Film, Problem
from evoart.run.recipe import MOST
from evoart.run.result import Result
from evoart.score.pixel import evaluate_drawing, psnr
from evoart.types import Form, Genome, Search

WIDEST = 12  # numbers of a shape, about: how many frames a recipe holds is decided before kinds are read


@dataclass(frozen=True, eq=False, kw_only=True)
class FilmFitProblem(Problem):
    """A film to be drawn.

    Attributes:
        footage: its frames.
        stills: the problem of the first frame of every shot, as of a photograph.
        cuts: the numbers of these frames.
    """

    job: FilmFitJob
    form: FilmForm
    footage: Footage
    stills: tuple[FitProblem, ...]
    cuts: tuple[int, ...]

    @property
    def resolution(self) -> tuple[int, int]:
        """``(w, h)`` in pixels of the frames that the search sees."""
        h, w = self.footage.frames.shape[1:3]
        return w, h

    @property
    def engine(self) -> device.Choice:
        """See ``Problem.engine``."""
        return device.Choice("scanline", "cpu", "the one that follows films")

    def search(self) -> Search:
        """See ``Problem.search``."""
        device.limit_threads(self.job.threads)
        ends = (*self.cuts[1:], len(self.footage.frames))
        return FilmSearch(
            [
                ShotSearch(still, self.footage.frames[first:end], self.job.steady, [self.job.seeded, first])
                for still, first, end in zip(self.stills, self.cuts, ends, strict=True)
            ]
        )

    def evaluate(self, form: Form, genome: Genome) -> dict[str, float]:
        """``loss`` and ``psnr`` in dB, means over the frames that there are."""
        assert isinstance(form, FilmForm)  # the only one that its search makes
        if not form.dim:
            return {"loss": 1.0, "psnr": 0.0}
        figures, index = [], 0
        for shot, still, start in zip(form.shots, self.stills, self.cuts, strict=False):
            for i in range(shot.frames):
                image = np.asarray(self.footage.frames[start + i], np.float32) / 255
                drawing, target = Frames(form, genome)[index + i], replace(still.target, image=image)
                figures.append(evaluate_drawing(drawing, target))
            index += shot.frames
        losses, decibels = zip(*figures, strict=True)
        return {"loss": float(np.mean(losses)), "psnr": float(np.mean(decibels))}

    def figures(self, search: Search) -> dict[str, float]:
        """``psnr`` in dB of the frames so far."""
        return {"psnr": float(search.psnr or psnr(search.loss))}

    def estimate(self, seconds: float, evaluations: float) -> str | None:
        """One line on what the film costs."""
        from evoart.run.fields import duration_text

        (w, h), frames, shots = self.size, len(self.footage.frames), len(self.cuts)
        megabytes = frames * w * h * 0.05 / 8e6 + self.form.dim * 2.4e-6
        return (
            f"{frames:,} frames in {shots} shot{'s' if shots != 1 else ''} take about "
            f"{duration_text(round(seconds))}, and about {max(megabytes, 0.1):.1f} MB as MP4"
        )

    @property
    def film(self) -> Film:
        """See ``Problem.film``."""
        footage, job = self.footage, self.job
        seconds = len(footage.frames) / footage.rate
        sound = Sound(Path(job.picture), job.start_at or 0.0, seconds) if footage.video else None
        return Film(_frames, rate=footage.rate, sound=sound, photographs=self._photographs)

    def _photographs(self, form: Form) -> np.ndarray:
        """What each frame of ``form`` was made from ``(n, h, w, 3)`` uint8: from the film's file where that is still
        there, else as it was judged, at the search's own size."""
        assert isinstance(form, FilmForm)
        frames = self.footage.frames
        with contextlib.suppress(EvoartError):
            footage = read_footage(self.job.picture, min(max(self.size), SHOWN), _part(self.job))
            frames = footage.frames if footage.sha256 == self.job.sha256 else frames
        parts = zip(self.cuts, form.shots, strict=False)  # of a run that was interrupted, not all of each shot
        drawn = np.concatenate([np.arange(first, first + shot.frames) for first, shot in parts])
        return frames if len(drawn) == len(frames) else frames[drawn]

    def members(self, form: Form, genome: Genome) -> list[tuple[int, Result]]:
        """Every frame as a picture of its own."""
        assert isinstance(form, FilmForm)
        found = []
        for index in range(form.frames):
            own, rows = form.frame(genome, index)
            still = self.job.still()
            found.append((index + 1, Result(still, own, rows, self.size, {}, 0, 0, 0.0)))
        return found

    def details(self) -> dict[str, Any]:
        """See ``Problem.details``."""
        return {
            "picture": self.job.picture,
            "frames": len(self.footage.frames),
            "rate": self.footage.rate,
            "shots": len(self.cuts),
            "kind": self.job.kind,
            "steady": self.job.steady,
        }

    @classmethod
    def prepare(cls, job: FilmFitJob, source: Any = None) -> Self:
        """Read the film, find its cuts, and prepare the first frame of every shot.

        Raises:
            UsageError, EvoartError: a film that cannot be used; see ``read_footage``.
        """
        if source is not None:
            raise UsageError("a film is read from a file or a folder", "Name it: picture='clip.mp4'")
        job = job.with_seed()
        shapes = job.shapes or DEFAULT_SHAPES
        footage = read_footage(job.picture, job.pixels, _part(job))
        check_hash("film", job.picture, footage.sha256, job.sha256)
        cuts = find_cuts(footage.frames)
        firsts = [np.array(footage.frames[cut]) for cut in cuts]
        still = job.still()
        if isinstance(job.palette, int):
            montage = np.concatenate([first.reshape(-1, 3) for first in firsts])[None].astype(np.float32) / 255
            chosen = palette.choose(montage, np.ones(montage.shape[:2], np.float32), job.palette)
            colours = tuple("#{:02x}{:02x}{:02x}".format(*(round(255 * v) for v in colour)) for colour in chosen)
            still = replace(still, palette=colours)
        prepare = partial(FitProblem.prepare, replace(still, seed=job.seed, shapes=shapes))
        stills = tuple(prepare(source=first) for first in firsts)
        ends = (*cuts[1:], len(footage.frames))
        shots = tuple(_planned(each.form, end - first) for each, first, end in zip(stills, cuts, ends, strict=True))
        settled = stills[0].job
        changes = {"sha256": footage.sha256, "shapes": shapes, "kind": settled.kind, "font": None,
                   "min_width": settled.min_width, "weights_sha256": settled.weights_sha256}  # fmt: skip
        job = replace(job, **changes)
        longest = max(footage.width, footage.height)
        return cls(
            job=job,
            form=FilmForm(shots, footage.rate),
            size=output_size(footage.width, footage.height, job.size or min(longest, FILM_LONGEST)),
            name=job.stem,
            notes=footage.notes,
            footage=footage,
            stills=stills,
            cuts=tuple(cuts),
        )


def _part(job: FilmFitJob) -> Part:
    most = MOST // ((job.shapes or DEFAULT_SHAPES) * WIDEST)
    return Part(job.fps, job.start_at, job.end_at, job.every, most)


def _planned(form: ShapesForm, frames: int) -> Shot:
    """A shot as far as it is known before any work: so many shapes in so many frames."""
    return Shot(form, ((0, frames),) * form.groups, frames)


def _frames(form: Form, genome: Genome) -> Frames:
    assert isinstance(form, FilmForm)
    return Frames(form, genome)
