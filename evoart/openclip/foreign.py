"""Tokenizers that are not OpenAI's come from the hub by the package transformers: said before anything is fetched."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from evoart.cache import cache_dir
from evoart.download import Remote, obtain
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.openclip import catalogue

_FILE = "tokenizer_config.json"  # small, and every such tokenizer has one


def check_tokenizer(model: str, hub: str, caches: Path) -> None:
    """See to it that the tokenizer of ``NAME`` or ``NAME/TAG`` can be had, where it is not one of open_clip's own.

    Args:
        hub: the address of the hub.
        caches: the folder in which the hub's own client keeps what it has fetched.

    Raises:
        EvoartError: it cannot, and why. transformers itself would try for a minute.
    """
    name = model.partition("/")[0]
    try:
        plain = catalogue.architecture(name)
    except (UsageError, MissingExtra):
        return  # whoever loads the model says so
    text = plain.get("text_cfg", {})
    repository = text.get("hf_tokenizer_name") or text.get("hf_model_name")
    if not repository:
        return
    other = "Choose another --model; see: evoart models"
    if importlib.util.find_spec("transformers") is None:
        what = f"the tokenizer of {name} needs the package transformers"
        raise EvoartError(what, f"Install it with: pip install transformers sentencepiece. {other}")
    if any(caches.glob(f"models--{repository.replace('/', '--')}/snapshots/*/tokenizer*")):
        return
    what = f"the tokenizer of {name} ({hub}/{repository}) is not here, and "
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        raise EvoartError(f"{what}the network may not be asked for it", other)
    path = cache_dir() / "clip" / repository.replace("/", "--") / _FILE
    try:
        obtain(Remote(f"{hub}/{repository}/resolve/main/{_FILE}", f"the tokenizer of {name}", most=1 << 20), path)
    except EvoartError as error:
        raise EvoartError(f"{what}the hub does not give it", other) from error
