"""What tests of trainings of all kinds ask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import evoart
from evoart.errors import EvoartError, UsageError
from evoart.openclip import safetensors
from evoart.output.formats import encode
from evoart.run import checkpoint
from evoart.run.loop import Keep, drive, resume
from evoart.run.model_files import ModelFiles
from evoart.run.stop import Stop


def check_resumed(problem, steps: int, folder: Path) -> None:
    """A training that is interrupted after ``steps`` and resumed ends where the unbroken one does, bit for bit."""
    whole = problem.search()
    *_, last = drive(problem, whole)
    assert [row[0] for row in whole.history] == [*range(0, problem.job.generations + 1, problem.job.interval)]
    half, stop, keep = problem.search(), Stop(), Keep(folder / "x.npz")
    for _ in range(steps):
        half.step()
    stop.ask()
    *_, broken = drive(problem, half, keep=keep, stop=stop)
    assert (broken.reason, broken.generation) == ("interrupted", steps)
    saved = checkpoint.load(keep.path)
    again = saved.problem.search()
    *_, end = resume(saved, make=lambda _: again)
    assert again.training.model.digest == whole.training.model.digest
    assert (again.best.digest, again.loss, again.best_step) == (whole.best.digest, whole.loss, whole.best_step)
    np.testing.assert_array_equal(again.history, whole.history)
    assert encode("safetensors", end.result.artwork()) == encode("safetensors", last.result.artwork())


def check_files(files: ModelFiles, path: Path, folder: Path, latent: int, misspelt: str) -> None:
    """A model comes back from its file; broken files, other files and names that are none are refused in one line.

    Args:
        latent: length of its latent vector.
        misspelt: a name much like the one of the model that comes along.
    """
    model, good = files.read(path), path.read_bytes()
    (folder / "again.safetensors").write_bytes(files.encode(model))
    assert files.read(folder / "again.safetensors").digest == model.digest
    assert evoart.load(path).recipe["job"]["name"] == model.config.name
    wrong = {
        "cut": good[:-100],
        "empty": b"",
        "text": b"hello, this is no network",
        "other": safetensors.encode({"a": np.zeros(3, np.float32)}, {"x": "y"}),
        "shape": good.replace(f'\\"latent\\": {latent}'.encode(), f'\\"latent\\": {latent + 1}'.encode()),
        "format": good.replace(b'\\"format\\": 1', b'\\"format\\": 9'),
    }
    for name, damaged in wrong.items():
        assert damaged != good
        (folder / f"{name}.safetensors").write_bytes(damaged)
        with pytest.raises(EvoartError):
            files.find(str(folder / f"{name}.safetensors"))
    with pytest.raises(UsageError, match="there is no file"):
        files.find("nothing.safetensors")
    with pytest.raises(UsageError, match=next(iter(files.names.builtin))):
        files.find(misspelt)
