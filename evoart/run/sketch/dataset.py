"""Drawings from files as training data: simplified, short enough, divided into training and validation."""

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

VALIDATION = 0.05  # fraction kept for validation where the data does not say
MAX_VALIDATION = 1000
_SVG_TOLERANCE = 2.0  # of simplification where nothing is said; stroke sets and records are simplified already


@dataclass(frozen=True)
class Dataset:
    """What a training learns from.

    Attributes:
        train, valid: drawings as stroke-3.
        classes: their names; empty where the model is told none.
        scale, extent, max_points: see ``sketch.model.Config``.
        notes: what was done to the data, for people.
        sha256: of everything, so that a resumed training recognises it.
    """

    train: StrokeSet
    valid: StrokeSet
    classes: tuple[str, ...]
    scale: float
    extent: float
    max_points: int
    notes: tuple[str, ...]
    sha256: str


def read_dataset(
    paths: Sequence[Path], *, tolerance: float | None, max_points: int, by_class: bool, seed: int
) -> Dataset:
    """The drawings of files and folders as training data.

    Args:
        tolerance: of simplification, in the drawings' units; None: 2 where there are SVG files, else 0.
        max_points: drawings with more points are simplified to that, 2 to 5,000.
        by_class: whether the model is told what each drawing shows (its word, its file's or its folder's name).
        seed: decides what is kept for validation.

    Raises:
        UsageError: too few drawings, or classes where there is one. EvoartError: files that cannot be read.
    """
    found = read_drawings(list(paths))
    if tolerance is None:
        plain = all(path.suffix.lower() in (".npz", ".ndjson", ".json") for path in paths)
        tolerance = 0.0 if plain else _SVG_TOLERANCE
    simple = [simplify(strokes, tolerance) if tolerance > 0 else strokes for strokes in found.strokes]
    sketches = [to_stroke3(simplify_to(strokes, max_points))[:max_points].astype(np.float32) for strokes in simple]
    classes: tuple[str, ...] = tuple(sorted(set(found.words))) if by_class else ()
    if by_class and len(classes) < 2:
        raise UsageError(
            f"all drawings are of one class, '{found.words[0]}'", "Leave out --classes, or give more files"
        )
    parts = _parts(found, seed)
    index = np.array([classes.index(word) if classes else 0 for word in found.words])
    train, valid = (_select(sketches, index, parts == part) for part in ("train", "valid"))
    if not len(train) or not len(valid):
        raise UsageError(f"{len(found)} drawings are too few to learn from", "Give two at least, better a thousand")
    notes = [f"{len(train):,} drawings to learn from, {len(valid):,} to validate with"]
    if found.dropped:
        notes.append(f"{found.dropped:,} were empty or not finite and are left out")
    if long := sum(sum(len(line) for line in strokes) > max_points + 1 for strokes in simple):
        notes.append(f"{long:,} had more than {max_points} points and were simplified to that")
    return Dataset(
        train,
        valid,
        classes,
        scale=scale_of(train),
        extent=float(np.median([_side(to_polylines(sketch)) for sketch in train.sketches[:2000]])),
        max_points=max(int(train.lengths.max()), int(valid.lengths.max()), 2),
        notes=tuple(notes),
        sha256=_digest(train, valid),
    )


def _parts(found: Drawings, seed: int) -> np.ndarray:
    """``train``, ``valid`` or ``test`` of every drawing."""
    parts = np.array([part or "train" for part in found.parts], dtype="U5")
    if "valid" not in parts:
        free = np.random.default_rng([seed, 3]).permutation(np.flatnonzero(parts == "train"))
        fewest = max(1, min(10, len(free) // 5))  # a figure from a drawing or two means little
        parts[free[: min(max(fewest, round(VALIDATION * len(free))), MAX_VALIDATION)]] = "valid"
    return parts


def _select(sketches: list[np.ndarray], classes: np.ndarray, chosen: np.ndarray) -> StrokeSet:
    members = np.array([k for k in np.flatnonzero(chosen) if len(sketches[k])], int)
    return StrokeSet(tuple(sketches[k] for k in members), classes[members])


def _side(strokes: Polylines) -> float:
    low, high = bounds(strokes)
    return float(np.max(high - low))


def _digest(*sets: StrokeSet) -> str:
    digest = hashlib.sha256()
    for part in sets:
        digest.update(part.lengths.tobytes() + np.ascontiguousarray(part.classes, np.int64).tobytes())
        for sketch in part.sketches:
            digest.update(np.ascontiguousarray(sketch, np.float32).tobytes())
    return digest.hexdigest()
