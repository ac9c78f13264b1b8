"""Trained models of letters in files, by name or path: safetensors of float16, with what they are in the notes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError, UsageError, unknown
from evoart.glyph.model import Config, Model
from evoart.openclip import safetensors
from evoart.run.inputs import check_hash
from evoart.run.latent.job import is_file

BUILTIN = {"letters": "Latin letters and digits, learned from open fonts (SIL OFL, Apache-2.0, Ubuntu Font Licence)"}
FOLDER = Path(__file__).parents[2] / "glyph" / "models"
NOTE = "evoart.glyph"  # in a file's notes: the configuration, as JSON
FORMAT = 1
INSTEAD = "Use one that evoart glyph train wrote"


def find_model(name: str) -> Model:
    """The model of a name, or in a file.

    Raises:
        UsageError: no such name or file. EvoartError: the file holds something else.
    """
    if is_file(name):
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no file '{name}'", "Check the spelling")
        return read_model(path)
    if name not in BUILTIN and Path(name).exists():
        raise UsageError(f"'{name}' is no model of letters", "Use a .safetensors that evoart glyph train wrote")
    if name not in BUILTIN:
        raise unknown("model of letters", name, BUILTIN)
    return read_model(FOLDER / f"{name}.safetensors")


def read_model(path: Path) -> Model:
    """The model in a file.

    Raises:
        EvoartError: another kind of file, or a damaged one.
    """
    arrays, notes = safetensors.read(path)
    if NOTE not in notes:
        raise EvoartError(f"'{path}' holds no model of letters", INSTEAD)
    try:
        config = config_of(json.loads(notes[NOTE]))
        params = {name: np.asarray(arrays[name]) for name in config.shapes}
        if any(params[name].shape != shape for name, shape in config.shapes.items()):
            raise ValueError("an array has another shape than the model says")
        params = {name: value.astype(np.float32) for name, value in params.items()}
        if not all(np.isfinite(value).all() for value in params.values()):
            raise ValueError("a weight is not finite")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise EvoartError(f"the model in '{path}' is damaged ({error})", INSTEAD) from error
    return Model(config, params)


def encode_model(model: Model, recipe: str = "") -> bytes:
    """A model as the bytes of a file; ``recipe`` is kept in its notes."""
    arrays = {name: np.asarray(value, np.float16) for name, value in model.params.items()}
    notes = {NOTE: json.dumps(config_to_plain(model.config))} | ({"evoart": recipe} if recipe else {})
    return safetensors.encode(arrays, notes)


def config_to_plain(config: Config) -> dict[str, Any]:
    """A configuration as JSON values."""
    return {"format": FORMAT} | asdict(config)


def config_of(plain: Any) -> Config:
    """The configuration that ``config_to_plain`` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is not whole, or out of range.
    """
    if plain["format"] != FORMAT:
        raise ValueError(f"format {plain['format']!r}; a newer evoart may read it")
    sizes = {name: plain[name] for name in ("latent", "units", "grid", "channels", "head", "encoder")}
    if not all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 4096 for n in sizes.values()):
        raise ValueError("a size is out of range")
    return Config(str(plain["name"]), licence=str(plain["licence"]), **sizes)


def with_model(job: Any, source: Any = None) -> tuple[Any, Model]:
    """The job with the hash of its model, and the model; ``source``: a ``Model`` instead of the one that it names.

    Raises:
        UsageError, EvoartError: a model that cannot be read, or not the one that the job was made for.
    """
    import dataclasses

    model = source if isinstance(source, Model) else find_model(job.model)
    check_hash("model", job.model, model.digest, job.model_sha256)
    return dataclasses.replace(job, model_sha256=model.digest), model
