"""Drawings and weights from one format to another, and a drawing to its latent vector."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evoart.draw.pen import PenDrawing
from evoart.errors import UsageError
from evoart.output.files import check_writable, write
from evoart.sketch.arrays import write_npz
from evoart.sketch.drawings import Drawings, read_drawings
from evoart.sketch.model import Model
from evoart.sketch.quickdraw import write_records
from evoart.sketch.simplify import simplify, simplify_to
from evoart.sketch.strokes import Polylines, fitted, to_stroke3

_WEIGHTS = (".npz", ".json", ".js")
SIDE = 512  # pixels of a drawing in an SVG of its own
MAX_ON_A_SHEET = 2500


def encode_file(drawing: str, model: str | None) -> dict[str, Any]:
    """z and sigma of a drawing by a model, as plain values.

    Raises:
        UsageError: a decoder only, or a name that is not known. EvoartError: files that cannot be read.
    """
    from evoart.engine.jax_setup import setup
    from evoart.run.sketch.problem import find_model, in_units
    from evoart.sketch.catalogue import DEFAULT_VAE
    from evoart.sketch.latent import encode

    setup()
    found = find_model(model or DEFAULT_VAE)
    found.need_latent("encode a drawing")
    strokes = read_drawings([Path(drawing).expanduser()]).strokes[0]
    mu, sigma = encode(found, [in_units(found, strokes, 1.0)])
    numbers = {"z": mu[0], "sigma": sigma[0]}
    return {
        "model": found.config.name,
        **{name: [round(float(v), 6) for v in those] for name, those in numbers.items()},
    }


def convert_files(
    sources: Sequence[Path], out: Path, *, overwrite: bool, tolerance: float, points: int | None, count: int | None
) -> tuple[str, Path]:
    """Convert drawings, or a model's weights; what was done, for people, and where it is.

    Raises:
        UsageError: formats that do not go together, an output that exists. EvoartError: files that cannot be read.
    """
    model = _model(sources)
    folder = model is None and (out.is_dir() or not out.suffix)
    if not folder:
        check_output(out, overwrite, sources)
    if model is not None:
        return f"the weights of '{model.config.name}', {model.size:,} numbers", write(
            out, _weights(model, out), overwrite=overwrite
        )
    found = read_drawings(list(sources))
    drawings = [_simplified(strokes, tolerance, points) for strokes in found.strokes[:count]]
    number = sum(len(line) for strokes in drawings for line in strokes)
    note = f"{len(drawings):,} drawings, {number:,} points"
    if found.dropped:
        note += f"; {found.dropped:,} empty or not finite ones left out"
    if folder:
        return note, _folder(drawings, found.words, out, overwrite)
    return note, write(out, _file(drawings, found, out), overwrite=overwrite)


def _model(sources: Sequence[Path]) -> Model | None:
    """The model, where the one source is weights."""
    if len(sources) != 1 or sources[0].suffix not in _WEIGHTS or not sources[0].is_file():
        return None
    from evoart.sketch.weights import is_weights, read

    return read(sources[0]) if is_weights(sources[0]) else None


def _weights(model: Model, out: Path) -> bytes:
    from evoart.sketch.weights import to_js, to_npz

    if out.suffix == ".npz":
        return to_npz(model)
    if out.suffix not in (".json", ".js"):
        raise UsageError(f"'{out.suffix}' is not a format of weights", "Use .npz, .json or .js")
    return to_js(model, script=out.suffix == ".js")


def _file(drawings: list[Polylines], found: Drawings, out: Path) -> bytes:
    words = found.words[: len(drawings)]
    if out.suffix == ".ndjson":
        return write_records(drawings, words)
    if out.suffix == ".svg":
        return _sheet(drawings)
    if out.suffix != ".npz":
        raise UsageError(f"'{out.suffix}' is not a format of drawings", "Use .npz, .ndjson, .svg or a folder")
    parts: dict[str, list[np.ndarray]] = {}
    for strokes, part in zip(drawings, found.parts, strict=False):
        parts.setdefault(part or "train", []).append(to_stroke3(strokes).astype(np.float32))
    # Readers of stroke sets expect all three.
    return write_npz({part: parts.get(part, []) for part in ("train", "valid", "test")})


def _sheet(drawings: list[Polylines]) -> bytes:
    if len(drawings) > MAX_ON_A_SHEET:
        raise UsageError(
            f"{len(drawings):,} drawings are too many for a sheet", f"Add -n {MAX_ON_A_SHEET}, or name a folder"
        )
    columns = math.ceil(math.sqrt(len(drawings)))
    rows = math.ceil(len(drawings) / columns)
    cell = 1 / columns
    strokes, groups = [], []
    for k, drawing in enumerate(drawings):
        row, column = divmod(k, columns)
        strokes += fitted(drawing, ((column + 0.1) * cell, (row + 0.1) * cell, 0.8 * cell, 0.8 * cell))
        groups.append(len(drawing))
    sheet = PenDrawing(
        tuple(strokes), np.zeros((len(strokes), 3)), 0.012 * cell, 1.0, rows * cell, groups=tuple(groups)
    )
    side = min(4096, 128 * columns)
    return sheet.svg((side, round(side * rows * cell)), "drawings").encode()


def _folder(drawings: list[Polylines], words: list[str], out: Path, overwrite: bool) -> Path:
    if out.exists() and not out.is_dir():
        raise UsageError(f"'{out}' exists already and is not a folder", "Choose another name")
    check_writable(out if out.is_dir() else out.absolute().parent)
    if out.is_dir() and any(out.glob("*.svg")) and not overwrite:
        raise UsageError(f"there are SVG files in '{out}' already", "Use --overwrite or another folder")
    out.mkdir(exist_ok=True)
    digits = len(str(len(drawings)))
    for k, (drawing, word) in enumerate(zip(drawings, words, strict=False), 1):
        strokes = tuple(fitted(drawing, (0.05, 0.05, 0.9, 0.9)))
        pen = PenDrawing(strokes, np.zeros((len(strokes), 3)), 0.01, 1.0, 1.0)
        name = "".join(c for c in word if c.isalnum() or c in "-_ ")[:60].strip() or "drawing"
        write(out / f"{name}-{k:0{digits}d}.svg", pen.svg((SIDE, SIDE), word).encode(), overwrite=overwrite)
    return out


def _simplified(strokes: Polylines, tolerance: float, points: int | None) -> Polylines:
    strokes = simplify(strokes, tolerance) if tolerance > 0 else strokes
    return simplify_to(strokes, points) if points is not None else strokes


def check_not_input(out: Path, sources: Sequence[Path]) -> None:
    """Raises: UsageError: the output is one of the files that are read."""
    if any(source.exists() and out.exists() and os.path.samefile(source, out) for source in sources):
        raise UsageError(f"the output '{out}' is the input", "Choose another name")


def check_output(out: Path, overwrite: bool, sources: Sequence[Path]) -> None:
    """Raises: UsageError: an output that is an input, exists already, or lies in a folder that takes no files."""
    check_not_input(out, sources)
    if out.exists() and not overwrite:
        raise UsageError(f"'{out}' exists already", "Use another name, or --overwrite (overwrite=True in Python)")
    check_writable(out.absolute().parent)
