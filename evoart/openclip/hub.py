"""The Hugging Face hub: its addresses, its environment variables as its own client reads them, and its cache.

Read as ``constants.py`` of huggingface_hub 2.4 reads them. That package itself is not a dependency: it brings thirteen
others and 34 MB, keeps a file whose SHA-256 is not the published one, waits 10 seconds for every dead address before it
tries the next, and asks the network each time it is used. Sketch models lie on another server in any case.
"""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from evoart.download import Remote

HOME = "https://huggingface.co"
MAX_BYTES = 12 << 30  # of a file
_TRUE = ("1", "ON", "YES", "TRUE")


def endpoint() -> str:
    """The hub's address: ``HF_ENDPOINT``, or huggingface.co."""
    return (os.environ.get("HF_ENDPOINT") or HOME).rstrip("/")


def is_offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` or ``TRANSFORMERS_OFFLINE`` forbids to ask the hub."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in _TRUE


def home_folder() -> Path:
    """``HF_HOME``, or ``huggingface`` in the user's cache folder; ``~`` and ``$NAME`` are resolved."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return _expand(os.environ.get("HF_HOME") or os.path.join(caches, "huggingface"))


def cache_folder() -> Path:
    """Where the hub's own client keeps files: ``HF_HUB_CACHE``, ``HUGGINGFACE_HUB_CACHE`` or ``hub`` in its home."""
    chosen = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return _expand(chosen) if chosen else home_folder() / "hub"


def token() -> str:
    """The user's token: ``HF_TOKEN``, or what ``hf auth login`` has left; ``""`` where there is none."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        if value := _single_line(os.environ.get(name, "")):
            return value
    if os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").upper() in _TRUE:
        return ""
    place = os.environ.get("HF_TOKEN_PATH")
    try:
        return _single_line((_expand(place) if place else home_folder() / "token").read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""


def find_cached(repository: str, name: str) -> list[Path]:
    """Copies of a repository's file in the cache of the hub's own client, the newest first."""
    snapshots = cache_folder() / f"models--{repository.replace('/', '--')}" / "snapshots"
    found = [path for path in snapshots.glob(f"*/{name}") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def address(repository: str, name: str) -> str:
    """Where on the network a file of a repository lies."""
    return f"{endpoint()}/{repository}/resolve/main/{urllib.parse.quote(name)}"


def remote(
    repository: str,
    name: str,
    what: str,
    *,
    max_bytes: int = MAX_BYTES,
    is_large: bool = False,
    check: Callable[[Path], object] | None = None,
) -> Remote:
    """A file of a repository, to be downloaded; the token goes to the hub alone.

    Args:
        what: for messages, e.g. ``the weights of ViT-B-32/openai``.
        max_bytes, check: see ``Remote``.
        is_large: kept by Git LFS, whose pointer states the hash where the answer does not.
    """
    pointer = f"{endpoint()}/{repository}/raw/main/{urllib.parse.quote(name)}" if is_large else ""
    return Remote(address(repository, name), what, max_bytes=max_bytes, pointer=pointer, token=token(), check=check)


def _single_line(text: str) -> str:
    return text.replace("\r", "").replace("\n", "").strip()


def _expand(path: str) -> Path:
    return Path(os.path.expandvars(os.path.expanduser(path)))
