"""Checkpoints: a run in one ``.npz`` without pickle, photograph included, so that it continues wherever it is taken."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.forms.registry import FORMS
from evoart.output import files
from evoart.run.job import Job, output_size
from evoart.run.problem import Problem, restore
from evoart.sources import read_source
from evoart.types import Form
from evoart.version import __version__

FORMAT = 2
MAX_BYTES = 1 << 31  # of the arrays, unpacked
_HINT = "Use another copy, or start the run again"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run at rest.

    Attributes:
        problem: job, form, data and output size.
        search, film: the states of the search and of the film recorder.
        state: seconds spent, patience's mark, reason it ended for (or None), and the caller's ``notes``.
    """

    problem: Problem
    search: dict[str, np.ndarray]
    film: dict[str, np.ndarray]
    state: dict[str, Any]

    def at_size(self, size: Any) -> Checkpoint:
        """The same run, its picture to be written with a long side of ``size`` pixels (None: as it was).

        Raises:
            UsageError: not a size.
        """
        if size is None:
            return self
        job = Job.from_dict(self.problem.job.to_dict() | {"size": size})
        form = self.problem.form
        problem = dataclasses.replace(self.problem, job=job, size=output_size(form.width, form.height, job.size))
        return dataclasses.replace(self, problem=problem)


def save(path: Path, checkpoint: Checkpoint, *, overwrite: bool = True) -> Path:
    """Write a checkpoint whole or not at all.

    Raises:
        EvoartError: disk full, folder not writable.
    """
    problem = checkpoint.problem
    plain, data = problem.pack()
    header = {
        "evoart": __version__,
        "format": FORMAT,
        "job": problem.job.to_dict(),
        "form": {"form": problem.form.name, **problem.form.to_plain()},
        "problem": plain,
        "size": problem.size,
        "name": problem.name,
        "state": checkpoint.state,
    }
    arrays = {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        **{f"problem/{name}": np.asarray(value) for name, value in data.items()},
        **{f"search/{name}": np.asarray(value) for name, value in checkpoint.search.items()},
        **{f"film/{name}": np.asarray(value) for name, value in checkpoint.film.items()},
    }
    if problem.mask is not None:
        arrays["mask"] = problem.mask
    arrays["digest"] = _digest(arrays)
    return files.write(path, _pack(arrays), overwrite=overwrite)


@dataclass(frozen=True, eq=False)
class Summary:
    """What a checkpoint says of its run; nothing that the run works with is loaded.

    Attributes:
        job, form: of the run.
        size: ``(w, h)`` in pixels of the picture to be written.
        state: seconds spent, reason it ended for (or None), and more.
    """

    job: Job
    form: Form
    size: tuple[int, int]
    state: dict[str, Any]


def read_summary(data: bytes, label: str) -> Summary:
    """The summary of the checkpoint in a file's bytes; ``label`` is what messages call the file.

    Raises:
        UsageError, EvoartError: see ``load``.
    """
    _, header = _read(data, label)
    try:
        size, state = header["size"], header["state"]
        if len(size) != 2 or not np.isfinite([*size, state["seconds"]]).all() or "reason" not in state:
            raise ValueError("parts that do not belong together")
        job = Job.from_dict(header["job"], "the checkpoint's job")
        return Summary(job, FORMS[header["form"]["form"]].from_plain(header["form"]), tuple(size), state)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(label) from None


def load(path: Path) -> Checkpoint:
    """The checkpoint in a file; every byte is covered by its digest.

    Raises:
        UsageError: no such file.
        EvoartError: not a checkpoint, truncated, tampered with, or of a newer evoart.
    """
    data, _, label = read_source(path)
    arrays, header = _read(data, label)
    try:
        return _restore(arrays, header)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(label) from None


def _damaged(label: str) -> EvoartError:
    return EvoartError(f"{label} is a damaged or truncated checkpoint", _HINT)


def _read(data: bytes, label: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a checkpoint and its header, held to its digest."""
    damaged = _damaged(label)
    other = EvoartError(
        f"{label} is not an evoart checkpoint", "Give the .npz that a run has left, or see: evoart redo"
    )
    if data[:4] != b"PK\x03\x04":
        raise other
    try:
        arrays = _unpack(data)
        if not arrays:
            raise other
        header = json.loads(arrays["header"].tobytes())
        made_by, version = header["evoart"], header["format"]
    except (KeyError, TypeError, ValueError, EOFError, OSError, MemoryError, zipfile.BadZipFile, zlib.error):
        raise damaged from None
    except (NotImplementedError, RuntimeError, OverflowError, SyntaxError, TokenError):  # zip and npy headers gone wild
        raise damaged from None
    if isinstance(version, int) and version < FORMAT:
        raise EvoartError(
            f"{label} was saved by an older evoart ({made_by}), whose searches kept another state",
            "Start the run again, or finish it with that version",
        )
    if not isinstance(version, int) or version > FORMAT:
        raise EvoartError(f"{label} was made by a newer evoart ({made_by})", "Update: pip install -U evoart")
    digest = arrays.pop("digest", np.zeros(0))
    if not np.array_equal(digest, _digest(arrays)):
        raise damaged
    return arrays, header


def _restore(arrays: dict[str, np.ndarray], header: dict[str, Any]) -> Checkpoint:
    def part(prefix: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

    job = Job.from_dict(header["job"], "the checkpoint's job")
    common = {
        "form": FORMS[header["form"]["form"]].from_plain(header["form"]),
        "size": tuple(header["size"]),
        "name": header["name"],
        "mask": arrays.get("mask"),
    }
    problem = restore(job, header["problem"], part("problem/"), **common)
    _check(problem, header["state"])
    return Checkpoint(problem, part("search/"), part("film/"), header["state"])


def _check(problem: Problem, state: dict[str, Any]) -> None:
    """Raise ValueError where the parts of a checkpoint do not belong together, however well its digest fits."""
    mask = problem.mask
    sound = (
        (mask is None or (mask.ndim == 2 and mask.dtype == np.uint8 and mask.size > 0))
        and len(problem.size) == 2 and all(isinstance(side, int) and side > 0 for side in problem.size)
        and max(problem.size) <= 10**6 and isinstance(problem.name, str)
        and isinstance(state.get("notes"), dict) and isinstance(state["reason"], str | None)
        and np.isfinite([state["seconds"], *state["mark"]]).all() and len(state["mark"]) == 2
    )  # fmt: skip
    if not sound:
        raise ValueError("parts that do not belong together")


def with_budget(checkpoint: Checkpoint, **budget: Any) -> Checkpoint:
    """The same run with other limits (``generations``, ``evaluations``, ``seconds``, ``until_psnr``, ``patience``)."""
    changes = {name: value for name, value in budget.items() if value is not None}
    if not changes:
        return checkpoint
    given = checkpoint.problem.job.to_dict() | changes
    problem = dataclasses.replace(checkpoint.problem, job=Job.from_dict(given))
    return dataclasses.replace(checkpoint, problem=problem, state=checkpoint.state | {"reason": None})


def _pack(arrays: dict[str, np.ndarray]) -> bytes:
    """As ``np.savez_compressed``, with fixed dates, so that the same run gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"the search state '{name}' is not plain numbers")
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array) if array.ndim else array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entry.getvalue())
    return buffer.getvalue()


def _unpack(data: bytes) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint; none where the file is another archive."""
    arrays: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise ValueError("too large")
        if "header.npy" not in archive.namelist():  # a model, or drawings
            return arrays
        for entry in entries:
            # Read whole before it is parsed: only then is its checksum compared.
            content = io.BytesIO(archive.read(entry))
            arrays[entry.filename.removesuffix(".npy")] = np.lib.format.read_array(content, allow_pickle=False)
    return arrays


def _digest(arrays: dict[str, np.ndarray]) -> np.ndarray:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
