"""Trained networks in files, by name or path: safetensors of float16, with what they are in the notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from evoart.cppn.latent.model import Config, Model
from evoart.cppn.layers import Layers
from evoart.errors import EvoartError, UsageError
from evoart.forms.latent import LatentForm
from evoart.openclip import safetensors
from evoart.run.latent.job import check_model, is_file

FOLDER = Path(__file__).parents[2] / "cppn" / "latent" / "models"
NOTE = "evoart.latent"  # in a file's notes: the configuration, as JSON
FORMAT = 1


def find_model(name: str) -> Model:
    """The model of a name, or in a file.

    Raises:
        UsageError: no such name or file. EvoartError: the file holds something else.
    """
    check_model(name)
    return read_model(Path(name).expanduser() if is_file(name) else FOLDER / f"{name}.safetensors")


def read_model(path: Path) -> Model:
    """The model in a file.

    Raises:
        EvoartError: another kind of file, or a damaged one.
    """
    arrays, notes = safetensors.read(path)
    instead = "Use one that evoart cppn train wrote"
    if NOTE not in notes:
        raise EvoartError(f"'{path}' holds no network that draws latent vectors", instead)
    try:
        config = config_of(json.loads(notes[NOTE]))
        params = {name: np.asarray(arrays[name]) for name in config.shapes}
        if any(params[name].shape != shape for name, shape in config.shapes.items()):
            raise ValueError("an array has another shape than the network says")
        params = {name: value.astype(np.float32) for name, value in params.items()}
        if not all(np.isfinite(value).all() for value in params.values()):
            raise ValueError("a weight is not finite")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, UsageError) as error:
        raise EvoartError(f"the network in '{path}' is damaged ({error})", instead) from error
    return Model(config, params)


def encode_model(model: Model, recipe: str = "") -> bytes:
    """A model as the bytes of a file; ``recipe`` is kept in its notes."""
    arrays = {name: np.asarray(value, np.float16) for name, value in model.params.items()}
    notes = {NOTE: json.dumps(config_to_plain(model.config))} | ({"evoart": recipe} if recipe else {})
    return safetensors.encode(arrays, notes)


def config_to_plain(config: Config) -> dict[str, Any]:
    """A configuration as JSON values."""
    net = config.decoder
    return {
        "format": FORMAT, "name": config.name, "side": config.side, "encoder": config.encoder,
        "licence": config.licence, "latent": net.latent, "layers": list(net.layers),
        "activations": list(net.activations), "colour": net.colour,
    }  # fmt: skip


def config_of(plain: Any) -> Config:
    """The configuration that ``config_to_plain`` wrote.

    Raises:
        KeyError, TypeError, ValueError, UsageError: it is not whole, or out of range.
    """
    if plain["format"] != FORMAT:
        raise ValueError(f"format {plain['format']!r}; a newer evoart may read it")
    whole = [plain["side"], plain["encoder"], plain["latent"], *plain["layers"]]
    if not all(isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= 4096 for n in whole):
        raise ValueError("a size is out of range")
    net = Layers(tuple(plain["layers"]), tuple(plain["activations"]), plain["latent"], plain["colour"])
    return Config(str(plain["name"]), net, plain["side"], plain["encoder"], str(plain["licence"]))


def form_of(model: Model) -> LatentForm:
    """The form of the pictures that a model draws."""
    return LatentForm(model.config.decoder, np.asarray(model.params["decoder"], "<f2").tobytes())
