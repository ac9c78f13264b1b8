"""The form of films: shapes that live for some frames of a shot and move from frame to frame.

A genome is, shot by shot and shape by shape in paint order, one row of numbers for each frame that the shape lives in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, overload

import numpy as np

from evoart.draw.film import FilmDrawing
from evoart.draw.scene import Scene
from evoart.forms.plain import numbers
from evoart.forms.shapes import ShapesForm
from evoart.types import Genome

MOST_FRAMES = 1_000_000


@dataclass(frozen=True)
class Shot:
    """The frames between two cuts.

    Attributes:
        shapes: every shape that lives in one of them, in paint order.
        lives: ``(first, past-last)`` frame of each, counted from the shot's first.
        frames: how many.
    """

    shapes: ShapesForm
    lives: tuple[tuple[int, int], ...]
    frames: int

    @cached_property
    def starts(self) -> np.ndarray:
        """Number of the first row of every shape, and of all rows, ``(k + 1,)``."""
        return np.cumsum([0, *(last - first for first, last in self.lives)])

    @cached_property
    def rows(self) -> ShapesForm:
        """The form of all rows, as if every one were a shape."""
        kinds = [kind for kind, (a, b) in zip(self.shapes.kinds, self.lives, strict=True) for _ in range(b - a)]
        return replace(self.shapes, kinds=tuple(kinds), columns=self.shapes.geometry)

    def alive(self, frame: int) -> list[int]:
        """Which shapes live in a frame, in paint order."""
        return [i for i, (first, last) in enumerate(self.lives) if first <= frame < last]


@dataclass(frozen=True)
class FilmForm:
    """What a genome of a film stands for.

    Attributes:
        shots: what happens between cuts, in order.
        rate: frames a second.
    """

    name: ClassVar[str] = "film"

    shots: tuple[Shot, ...]
    rate: float

    @property
    def width(self) -> float:
        """See ``Form.width``."""
        return self.shots[0].shapes.width

    @property
    def height(self) -> float:
        """See ``Form.width``."""
        return self.shots[0].shapes.height

    @property
    def frames(self) -> int:
        """Frames of all shots."""
        return sum(shot.frames for shot in self.shots)

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return sum(shot.rows.dim for shot in self.shots)

    @property
    def label(self) -> str:
        """``100 triangles in 48 frames``."""
        first = self.shots[0]
        kinds = tuple(first.shapes.kinds[i] for i in first.alive(0))
        frames = self.frames
        return f"{first.shapes.with_kinds(kinds).label} in {frames:,} frame{'s' if frames != 1 else ''}"

    @property
    def description(self) -> str:
        """The same with the number of shots and the rate."""
        shots = len(self.shots)
        return f"{self.label}, {shots} shot{'s' if shots != 1 else ''}, {self.rate:g} a second"

    def drawing(self, genome: Genome) -> FilmDrawing:
        """The film a genome ``(dim,)`` stands for; as a picture it is its first frame."""
        parts = []
        for shot, part in zip(self.shots, self._parts(genome), strict=True):
            geometry, rgba = shot.rows.decode(np, part)
            parts.append(
                (Scene(shot.rows.kinds, geometry, rgba, shot.shapes.background, self.width, self.height), shot)
            )
        return FilmDrawing(tuple((scene, shot.lives, shot.frames) for scene, shot in parts), self.rate)

    def frame(self, genome: Genome, index: int) -> tuple[ShapesForm, Genome]:
        """The picture that one frame is, with its own form and genome."""
        for shot, part in zip(self.shots, self._parts(genome), strict=True):
            if index < shot.frames:
                alive = shot.alive(index)
                rows = part.reshape(-1, shot.rows.dim_per_group)
                at = [shot.starts[i] + index - shot.lives[i][0] for i in alive]
                return shot.rows.with_kinds(tuple(shot.shapes.kinds[i] for i in alive)), rows[at].ravel()
            index -= shot.frames
        raise IndexError("the film has fewer frames")

    def _parts(self, genome: Genome) -> list[np.ndarray]:
        ends = np.cumsum([shot.rows.dim for shot in self.shots])
        return np.split(np.asarray(genome, np.float32), ends[:-1])

    def random(self, rng: np.random.Generator, image: np.ndarray | None = None) -> Genome:
        """See ``Form.random``."""
        return np.concatenate([shot.rows.random(rng, image) for shot in self.shots])

    def steps(self) -> np.ndarray:
        """See ``Form.steps``."""
        return np.concatenate([shot.rows.steps() for shot in self.shots])

    def finalised(self, genome: Genome) -> tuple[FilmForm, Genome]:
        """See ``Form.finalised``."""
        found = [shot.rows.finalised(part) for shot, part in zip(self.shots, self._parts(genome), strict=True)]
        shots = tuple(
            replace(shot, shapes=replace(form, kinds=shot.shapes.kinds, columns=0))
            for shot, (form, _) in zip(self.shots, found, strict=True)
        )
        return replace(self, shots=shots), np.concatenate([part for _, part in found])

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        shots = [
            {"shapes": shot.shapes.to_plain(), "lives": [list(life) for life in shot.lives], "frames": shot.frames}
            for shot in self.shots
        ]
        return {"shots": shots, "rate": self.rate}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> FilmForm:
        """See ``Form.from_plain``."""
        (rate,) = numbers(plain["rate"], low=0.001, high=1000)
        if not isinstance(plain["shots"], list) or not plain["shots"]:
            raise ValueError("no shots")
        shots = tuple(map(_shot, plain["shots"]))
        if len({(shot.shapes.width, shot.shapes.height) for shot in shots}) > 1:
            raise ValueError("shots of several sizes")
        return cls(shots, rate)

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        for shot, part in zip(self.shots, self._parts(genome), strict=True):
            shot.rows.check(part)

    def with_structure(self, structure: tuple[Shot, ...]) -> FilmForm:
        """See ``Form.with_structure``; the structure is the shots."""
        return replace(self, shots=structure)

    def between(self, genome: Genome, other: FilmForm, after: Genome, share: float) -> None:
        """See ``Form.between``: nothing lies between two films."""
        return None


def _shot(plain: Any) -> Shot:
    shapes = ShapesForm.from_plain(plain["shapes"])
    (frames,) = numbers(plain["frames"], low=1, high=MOST_FRAMES)
    lives = []
    for life in plain["lives"]:
        first, last = (int(value) for value in numbers(*life, low=0, high=frames))
        if not first < last:
            raise ValueError("a shape that lives for no frame")
        lives.append((first, last))
    if len(lives) != shapes.groups or frames != int(frames):
        raise ValueError("shapes and their lives do not belong together")
    if not any(first == 0 for first, _ in lives):
        raise ValueError("a shot that begins without shapes")
    return Shot(shapes, tuple(lives), int(frames))


class Frames(Sequence[Scene]):
    """The frames of a film as drawings, each made when it is asked for."""

    def __init__(self, form: FilmForm, genome: Genome) -> None:
        self.form, self.genome = form, genome

    def __len__(self) -> int:
        return self.form.frames

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> list[Scene]: ...
    def __getitem__(self, index: int | slice) -> Scene | list[Scene]:
        """The drawing of a frame, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError("the film has fewer frames")
        form, genome = self.form.frame(self.genome, index % len(self))
        return form.drawing(genome)
