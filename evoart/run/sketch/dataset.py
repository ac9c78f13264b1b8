"""Drawings from files made ready to be learned: simplified, short enough, divided into training and validation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evoart.errors import UsageError
from evoart.sketch.batches import StrokeSet, scale_of
from evoart.sketch.drawings import Drawings, read_drawings
from evoart.sketch.simplify import simplify, simplify_to
from evoart.sketch.strokes import Polylines, bounds, to_polylines, to_stroke3

VALID = 0.05  # share kept for validation where the data does not say
MOST_VALID = 1000


@dataclass(frozen=True)
class Dataset:
    """What a training learns from.

    Attributes:
        train, valid: drawings as stroke-3.
        classes: their names; empty where the model is told none.
        scale, extent, longest: see ``sketch.model.Config``.
        notes: what was done to the data, for people.
        sha256: of everything, so that a resumed training knows it.
    """

    train: StrokeSet
    valid: StrokeSet
    classes: tuple[str, ...]
    scale: float
    extent: float
    longest: int
    notes: tuple[str, ...]
    sha256: str


def read_dataset(
    paths: Sequence[Path], *, tolerance: float | None, points: int | None, longest: int, by_class: bool, seed: int
) -> Dataset:
    """The drawings of files and folders as something to learn.

    Args:
        tolerance: of simplification, in the drawings' units; None: 2 for SVG, nothing for the others.
        points: simplify each to so many points at most; None: to ``longest``, where it has more.
        longest: most points of a drawing.
        by_class: whether the model is told what each drawing shows (its word, its file's or its folder's name).
        seed: decides what is kept for validation.

    Raises:
        UsageError: too few drawings, or classes where there is one. EvoartError: files that cannot be read.
    """
    found = read_drawings(list(paths))
    plain = all(path.suffix.lower() in (".npz", ".ndjson", ".json") for path in paths)
    if tolerance is None:
        tolerance = 0.0 if plain else 2.0
    sketches, shortened = [], 0
    for strokes in found.strokes:
        short = simplify(strokes, tolerance) if tolerance > 0 else strokes
        before = sum(len(line) for line in short)
        short = simplify_to(short, min(points or longest, longest))
        rows = to_stroke3(short)
        shortened += points is None and len(rows) < before - 1
        sketches.append(rows[:longest].astype(np.float32))
    classes = tuple(sorted(set(found.words))) if by_class else ()
    if by_class and len(classes) < 2:
        raise UsageError(f"all drawings are of one class, '{classes[0]}'", "Leave out --classes, or give more files")
    chosen = _parts(found, seed)
    index = np.array([classes.index(word) if classes else 0 for word in found.words])
    train, valid = (_set(sketches, index, np.flatnonzero(chosen == part)) for part in ("train", "valid"))
    if not len(train) or not len(valid):
        raise UsageError(f"{len(found)} drawings are too few to learn from", "Two are the least, a thousand a start")
    notes = [f"{len(train):,} drawings to learn from, {len(valid):,} to check by"]
    if found.dropped:
        notes.append(f"{found.dropped:,} were empty or not finite and are left out")
    if shortened:
        notes.append(f"{shortened:,} had more than {longest} points and were simplified to that")
    sides = [_side(to_polylines(sketch)) for sketch in train.sketches[:2000]]
    reach = max(int(train.lengths.max()), int(valid.lengths.max()))
    extent, digest = float(np.median(sides)), _digest(train, valid)
    return Dataset(train, valid, classes, scale_of(train), extent, max(reach, 2), tuple(notes), digest)


def _parts(found: Drawings, seed: int) -> np.ndarray:
    """``train``, ``valid`` or ``test`` of every drawing."""
    parts = np.array([part or "train" for part in found.parts], dtype="U5")
    if "valid" not in parts:
        free = np.random.default_rng([seed, 3]).permutation(np.flatnonzero(parts == "train"))
        least = max(1, min(10, len(free) // 5))  # a figure from a drawing or two means little
        parts[free[: min(max(least, round(VALID * len(free))), MOST_VALID)]] = "valid"
    return parts


def _set(sketches: list[np.ndarray], classes: np.ndarray, members: np.ndarray) -> StrokeSet:
    members = np.array([k for k in members if len(sketches[k])], int)
    return StrokeSet(tuple(sketches[k] for k in members), classes[members])


def _side(strokes: Polylines) -> float:
    low, high = bounds(strokes)
    return float(np.max(high - low))


def _digest(*sets: StrokeSet) -> str:
    digest = hashlib.sha256()
    for those in sets:
        digest.update(those.lengths.tobytes() + np.ascontiguousarray(those.classes, np.int64).tobytes())
        for sketch in those.sketches:
            digest.update(np.ascontiguousarray(sketch, np.float32).tobytes())
    return digest.hexdigest()
