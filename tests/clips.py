"""CLIP models small enough to test with, and open_clip to compare them with."""

from __future__ import annotations

import importlib.util

import pytest

# open_clip's architecture at toy size, with every part that real models have.
SMALL = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 3, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 4, "layers": 2},
}


def open_clip():
    """The package, or the reason why a test is skipped."""
    for package in ("torch", "open_clip"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: the extra 'clip'")
    from evoart.openclip.torch_clip import import_open_clip

    return import_open_clip()
