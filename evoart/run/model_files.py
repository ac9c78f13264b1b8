"""Trained models in files, by name or path: safetensors of float16, with what they are in the notes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.openclip import safetensors
from evoart.run.inputs import check_hash
from evoart.run.model_jobs import ModelNames, is_file
from evoart.trained import TrainedModel

FORMAT = 1


@dataclass(frozen=True)
class ModelFiles:
    """Files of one kind of model.

    Attributes:
        names: of those that come with evoart, and what one is called.
        folder: where those are.
        note: the entry of a file's notes that has the configuration, as JSON.
        model: the class of the models.
        to_plain: a configuration as JSON values.
        of_plain: the configuration of such values; raises KeyError, TypeError, ValueError or UsageError where it is not
            whole or out of range.
    """

    names: ModelNames
    folder: Path
    note: str
    model: type[TrainedModel]
    to_plain: Callable[[Any], dict[str, Any]]
    of_plain: Callable[[dict[str, Any]], Any]

    def find(self, name: str) -> Any:
        """The model of a name, or in a file.

        Raises:
            UsageError: no such name or file. EvoartError: the file holds something else.
        """
        self.names.check(name)
        return self.read(Path(name).expanduser() if is_file(name) else self.folder / f"{name}.safetensors")

    def read(self, path: Path) -> Any:
        """The model in a file.

        Raises:
            EvoartError: another kind of file, or a damaged one.
        """
        arrays, notes = safetensors.read(path)
        instead = f"Use one that {self.names.command} wrote"
        if self.note not in notes:
            raise EvoartError(f"'{path}' holds no {self.names.what}", instead)
        try:
            config = self.config_of(json.loads(notes[self.note]))
            params = {name: np.asarray(arrays[name]) for name in config.shapes}
            if any(params[name].shape != shape for name, shape in config.shapes.items()):
                raise ValueError("an array has another shape than the configuration says")
            params = {name: value.astype(np.float32) for name, value in params.items()}
            if not all(np.isfinite(value).all() for value in params.values()):
                raise ValueError("a weight is not finite")
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError, UsageError) as error:
            raise EvoartError(f"the {self.names.what} in '{path}' is damaged ({error})", instead) from error
        return self.model(config, params)

    def encode(self, model: TrainedModel, recipe: str = "") -> bytes:
        """A model as the bytes of a file; ``recipe`` is kept in its notes."""
        arrays = {name: np.asarray(value, np.float16) for name, value in model.params.items()}
        notes = {self.note: json.dumps(self.config_to_plain(model.config))} | ({"evoart": recipe} if recipe else {})
        return safetensors.encode(arrays, notes)

    def config_to_plain(self, config: Any) -> dict[str, Any]:
        """A configuration as JSON values."""
        return {"format": FORMAT} | self.to_plain(config)

    def config_of(self, plain: Any) -> Any:
        """The configuration that ``config_to_plain`` wrote.

        Raises:
            KeyError, TypeError, ValueError, UsageError: it is not whole, or out of range.
        """
        if plain["format"] != FORMAT:
            raise ValueError(f"format {plain['format']!r}; a newer evoart may read it")
        return self.of_plain(plain)

    def with_model(self, job: Any, source: Any = None) -> tuple[Any, Any]:
        """The job with the hash of its model, and the model; ``source``: a model instead of the one that it names.

        Raises:
            UsageError, EvoartError: a model that cannot be read, or not the one that the job was made for.
        """
        model = source if isinstance(source, self.model) else self.find(job.model)
        check_hash("model", job.model, model.digest, job.model_sha256)
        return dataclasses.replace(job, model_sha256=model.digest), model


def check_sizes(sizes: list[Any]) -> None:
    """Raises: ValueError: a size of a layer that is no whole number from 1 to 4096."""
    if not all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 4096 for n in sizes):
        raise ValueError("a size is out of range")
