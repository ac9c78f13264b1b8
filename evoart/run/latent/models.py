"""Files of trained networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evoart.cppn.latent.model import Config, Model
from evoart.cppn.layers import Layers
from evoart.forms.latent import LatentForm
from evoart.run.latent.job import NAMES
from evoart.run.model_files import ModelFiles, check_sizes


def _to_plain(config: Config) -> dict[str, Any]:
    net = config.decoder
    return {
        "name": config.name, "side": config.side, "encoder": config.encoder,
        "licence": config.licence, "latent": net.latent, "layers": list(net.layers),
        "activations": list(net.activations), "colour": net.colour,
    }  # fmt: skip


def _of_plain(plain: dict[str, Any]) -> Config:
    check_sizes([plain["side"], plain["encoder"], plain["latent"], *plain["layers"]])
    net = Layers(tuple(plain["layers"]), tuple(plain["activations"]), plain["latent"], plain["colour"])
    return Config(str(plain["name"]), net, plain["side"], plain["encoder"], str(plain["licence"]))


FILES = ModelFiles(
    NAMES, Path(__file__).parents[2] / "cppn" / "latent" / "models", "evoart.latent", Model, _to_plain, _of_plain
)


def form_of(model: Model) -> LatentForm:
    """The form of the pictures that a model draws."""
    return LatentForm(model.config.decoder, np.asarray(model.params["decoder"], "<f2").tobytes())
