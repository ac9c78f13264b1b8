"""A training from beginning to end: steps, validation, early stop, the best model kept, checkpoints, exact resume."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.output.files import write
from evoart.run.sketch.dataset import Dataset
from evoart.run.stop import Stop
from evoart.sketch.model import Config, Model
from evoart.sketch.training import Figures, TrainingConfig, Training
from evoart.sketch.weights import to_npz

SAVE = 30.0  # seconds between checkpoints
FORMAT = 1
Reason = Literal["steps", "time", "patience", "interrupted", "terminated"]


@dataclass(frozen=True)
class Plan:
    """How long a training goes on.

    Attributes:
        steps: most steps; ``seconds``: most wall time, or None.
        check: steps between validations; ``patience``: validations without a better one after which it ends.
    """

    steps: int = 5000
    seconds: float | None = None
    check: int = 200
    patience: int = 15


@dataclass(frozen=True)
class Report:
    """Where a training is.

    Attributes:
        learned: mean losses since the last validation; ``valid``: those of the validation set, where it was looked at.
        best: whether it is the best so far.
        seconds: wall time in all; ``left``: what is still to come, about.
        ended: why it is over, or None.
    """

    step: int
    learned: Figures
    valid: Figures | None
    best: bool
    seconds: float
    left: float
    ended: Reason | None
    model: Model | None = None


class Course:
    """One training and all that decides how it goes on; ``save`` and ``load`` carry the whole of it."""

    def __init__(self, config: Config, recipe: TrainingConfig, plan: Plan, dataset: Dataset, start: Model | None = None) -> None:
        from evoart.engine.jax_setup import setup

        setup()
        self.config, self.recipe, self.plan, self.dataset = config, recipe, plan, dataset
        self.training = Training(config, recipe, dataset.train, dataset.valid, start)
        self.best = self.training.model
        self.best_total, self.best_step, self.seconds = float("inf"), 0, 0.0
        self.losses: list[Figures] = []  # of the steps since the last validation
        self.history: list[list[float]] = []  # step, L_R and L_KL learned, L_R and L_KL of the validation set

    def run(self, checkpoint: Path | None, stop: Stop) -> Iterator[Report]:
        """Train until it is over; a report about every two seconds and at every validation.

        Raises:
            EvoartError: no finite gradient any more; the checkpoint holds the last good state.
        """
        began, before = time.monotonic(), self.seconds
        told = saved = began
        first = self.training.step
        ended: Reason | None = None
        while ended is None:
            self.losses.append(self.training.advance())
            step, now = self.training.step, time.monotonic()
            self.seconds = before + now - began
            valid, best = None, False
            if step % self.plan.check == 0 or step >= self.plan.steps:
                valid = self.training.validate()
                best = self._judge(valid, _mean(self.losses))
            ended = self._over(stop)
            if valid is not None or ended or now - told > 2:
                left = (now - began) / (step - first) * (self.plan.steps - step)
                model = self.training.model if valid is not None else None
                yield Report(step, _mean(self.losses), valid, best, self.seconds, left, ended, model)
                told = now
            if valid is not None:
                self.losses = []
            if checkpoint is not None and (ended or now - saved > SAVE):
                write(checkpoint, self.save(), overwrite=True)
                saved = now

    def _judge(self, valid: Figures, learned: Figures) -> bool:
        self.history.append([self.training.step, learned.reconstruction, learned.kl, valid.reconstruction, valid.kl])
        if not valid.total < self.best_total:
            return False
        self.best, self.best_total, self.best_step = self.training.model, valid.total, self.training.step
        return True

    def _over(self, stop: Stop) -> Reason | None:
        if stop.why is not None:
            return stop.why
        if self.training.step >= self.plan.steps:
            return "steps"
        if self.plan.seconds is not None and self.seconds >= self.plan.seconds:
            return "time"
        if self.training.step - self.best_step >= self.plan.patience * self.plan.check:
            return "patience"
        return None

    def model_file(self, notes: str = "") -> bytes:
        """The best model so far as a file."""
        return to_npz(self.best, notes=notes)

    def save(self) -> bytes:
        """The whole state, no pickle in it."""
        plain = {
            "format": FORMAT,
            "sketch_training": True,
            "config": asdict(self.config),
            "recipe": asdict(self.recipe),
            "data": self.dataset.sha256,
            "best_total": self.best_total,
            "best_step": self.best_step,
            "seconds": self.seconds,
            "history": self.history,
            "losses": [[each.reconstruction, each.kl, each.total] for each in self.losses],
        }
        arrays = {f"training/{name}": value for name, value in self.training.arrays().items()}
        arrays |= {f"best/{name}": np.asarray(value) for name, value in self.best.params.items()}
        file = io.BytesIO()
        np.savez(file, plain=np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays)
        return file.getvalue()


def resume(path: Path, plan: Plan, dataset: Dataset) -> Course:
    """The course that ``Course.save`` wrote.

    Raises:
        UsageError: other data. EvoartError: no such checkpoint, or a damaged one.
    """
    damaged = EvoartError(
        f"'{path}' is no checkpoint of a sketch training, or is damaged", "Train again without --resume"
    )
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            plain = json.loads(bytes(file["plain"]))
            arrays = {name: file[name] for name in file.files if name != "plain"}
        if plain.get("sketch_training") is not True or plain["format"] != FORMAT:
            raise damaged
        config, recipe = _made(Config, plain["config"]), _made(TrainingConfig, plain["recipe"])
        if plain["data"] != dataset.sha256:
            raise UsageError(f"'{path}' was learning from other drawings", "Give the same files and the same options")
        course = Course(config, recipe, plan, dataset)
        course.training.load({name[9:]: value for name, value in arrays.items() if name.startswith("training/")})
        course.best = Model(config, {name[5:]: value for name, value in arrays.items() if name.startswith("best/")})
        course.best_total, course.best_step = float(plain["best_total"]), int(plain["best_step"])
        course.seconds, course.history = float(plain["seconds"]), list(plain["history"])
        course.losses = [Figures(*(float(v) for v in each)) for each in plain["losses"]]
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except (OSError, KeyError, TypeError, ValueError, AttributeError, zipfile.BadZipFile):
        raise damaged from None
    return course


def _made(kind: Any, plain: dict[str, Any]) -> Any:
    known = {field.name for field in fields(kind)}
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in plain.items() if name in known})


def _mean(losses: list[Figures]) -> Figures:
    rows = np.array([[each.reconstruction, each.kl, each.total] for each in losses])
    fine = rows[np.isfinite(rows).all(1)]
    return Figures(*(float(v) for v in (fine.mean(0) if len(fine) else [np.nan] * 3)))


def seed_of(path: Path) -> int:
    """The seed of the training that a checkpoint holds.

    Raises:
        UsageError: no such file. EvoartError: something else, or damaged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            return int(json.loads(bytes(file["plain"]))["recipe"]["seed"])
    except FileNotFoundError:
        raise UsageError(f"there is no file '{path}'", "Check the spelling") from None
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        raise EvoartError(f"'{path}' is no checkpoint of a sketch training", "Train again without --resume") from None
