"""Files of models of letters."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from evoart.glyph.model import Config, Model
from evoart.run.glyph.job import NAMES
from evoart.run.model_files import ModelFiles, check_sizes

SIZES = ("latent", "units", "grid", "channels", "head", "encoder")


def _of_plain(plain: dict[str, Any]) -> Config:
    check_sizes([plain[name] for name in SIZES])
    return Config(str(plain["name"]), licence=str(plain["licence"]), **{name: plain[name] for name in SIZES})


FILES = ModelFiles(NAMES, Path(__file__).parents[2] / "glyph" / "models", "evoart.glyph", Model, asdict, _of_plain)
