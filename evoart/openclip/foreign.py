"""Tokenizers that are not OpenAI's come from the hub by the package transformers; what is missing is said first."""

from __future__ import annotations

import importlib.util

from evoart.download import Report, print_line, read_text
from evoart.errors import EvoartError
from evoart.openclip import catalogue, hub
from evoart.openclip.catalogue import Entry

_FILE = "tokenizer_config.json"  # small, and every such tokenizer has one


def check_tokenizer(entry: Entry, *, report: Report = print_line) -> None:
    """Make sure that a model's tokenizer can be had, where it is not one of open_clip's own.

    Raises:
        EvoartError: it cannot, and why. transformers itself would try for a minute.
    """
    if not entry.torch_reason or catalogue.package_folder() is None:
        return  # JAX needs none, and without open_clip there is no model either
    text = catalogue.config_of(entry.name).get("text_cfg", {})
    repository = text.get("hf_tokenizer_name") or text.get("hf_model_name")
    if not repository:
        return
    other = "Choose another --model; see: evoart models"
    if importlib.util.find_spec("transformers") is None:
        what = f"the tokenizer of {entry.name} needs the package transformers"
        raise EvoartError(what, f"Install it with: pip install transformers sentencepiece. {other}")
    if hub.find_cached(repository, "tokenizer*"):
        return
    what = f"the tokenizer of {entry.name} ({hub.endpoint()}/{repository}) is not here, and "
    if hub.is_offline():
        raise EvoartError(f"{what}HF_HUB_OFFLINE says that the network may not be asked", other)
    try:
        read_text(hub.remote(repository, _FILE, f"the tokenizer of {entry.name}", max_bytes=1 << 20), report=report)
    except EvoartError as error:
        raise EvoartError(f"{what}cannot be fetched: {error.message}", error.hint or other) from error
