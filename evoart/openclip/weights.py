"""From open_clip's names of weights to the parameters of ``model``, and back.

The files on disk are always open_clip's: what this package writes, open_clip can load, and the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.openclip.config import ClipConfig, Tower
from evoart.openclip.model import Params

# Ours, theirs, and whether the matrix is transposed (torch keeps (out, in)).
_BLOCK = (
    ("norm_1/scale", "ln_1.weight", False),
    ("norm_1/bias", "ln_1.bias", False),
    ("qkv", "attn.in_proj_weight", True),
    ("qkv_bias", "attn.in_proj_bias", False),
    ("out", "attn.out_proj.weight", True),
    ("out_bias", "attn.out_proj.bias", False),
    ("norm_2/scale", "ln_2.weight", False),
    ("norm_2/bias", "ln_2.bias", False),
    ("up", "mlp.c_fc.weight", True),
    ("up_bias", "mlp.c_fc.bias", False),
    ("down", "mlp.c_proj.weight", True),
    ("down_bias", "mlp.c_proj.bias", False),
    ("scale_1", "ls_1.gamma", False),
    ("scale_2", "ls_2.gamma", False),
)
_ALONE = (
    ("vision/class", "visual.class_embedding"),
    ("vision/position", "visual.positional_embedding"),
    ("vision/norm_pre/scale", "visual.ln_pre.weight"),
    ("vision/norm_pre/bias", "visual.ln_pre.bias"),
    ("vision/norm_post/scale", "visual.ln_post.weight"),
    ("vision/norm_post/bias", "visual.ln_post.bias"),
    ("vision/projection", "visual.proj"),
    ("text/token", "token_embedding.weight"),
    ("text/position", "positional_embedding"),
    ("text/norm_final/scale", "ln_final.weight"),
    ("text/norm_final/bias", "ln_final.bias"),
    ("text/projection", "text_projection"),
)
_OPTIONAL = ("norm_pre", "scale_1", "scale_2")  # parts that not every model has
_PATCH, _VISION, _TEXT = "visual.conv1.weight", "visual.transformer.resblocks.", "transformer.resblocks."


def to_params(state: Mapping[str, np.ndarray], config: ClipConfig, kind: Any = np.float32) -> Params:
    """The parameters of a model from open_clip's ``state`` (name to array), as arrays of type ``kind``.

    Raises:
        EvoartError: weights that are not of this model: one is missing, or has another shape.
    """
    patch = _get(state, _PATCH)
    side = config.vision.patch
    _fits(_PATCH, patch, (config.vision.tower.width, 3, side, side))
    params: Params = {}
    _put(params, "vision/patch", patch.transpose(2, 3, 1, 0).reshape(side * side * 3, -1).astype(kind))
    for ours, theirs in _ALONE:
        if theirs in state or not any(part in ours for part in _OPTIONAL):
            _put(params, ours, _get(state, theirs).astype(kind))
    for name, prefix, tower in (("vision", _VISION, config.vision.tower), ("text", _TEXT, config.text.tower)):
        _put(params, f"{name}/blocks", _stack(state, prefix, tower, kind))
    _check(params, config)
    return params


def to_state(params: Params, config: ClipConfig) -> dict[str, np.ndarray]:
    """Open_clip's names and arrays of a model's parameters: the inverse of ``to_params``."""
    side = config.vision.patch
    flat = np.asarray(params["vision"]["patch"]).reshape(side, side, 3, -1)
    state = {_PATCH: np.ascontiguousarray(flat.transpose(3, 2, 0, 1))}
    for ours, theirs in _ALONE:
        if (array := _find(params, ours)) is not None:
            state[theirs] = np.asarray(array)
    for name, prefix in (("vision", _VISION), ("text", _TEXT)):
        for ours, theirs, turned in _BLOCK:
            if (stacked := _find(params[name]["blocks"], ours)) is not None:
                for i, array in enumerate(np.asarray(stacked)):
                    state[f"{prefix}{i}.{theirs}"] = np.ascontiguousarray(array.T if turned else array)
    return state


def _stack(state: Mapping[str, np.ndarray], prefix: str, tower: Tower, kind: Any) -> Params:
    if f"{prefix}{tower.layers}.{_BLOCK[0][1]}" in state:
        raise _foreign(f"there are more than {tower.layers} blocks at {prefix}*")
    blocks: Params = {}
    for ours, theirs, turned in _BLOCK:
        if ours in _OPTIONAL and f"{prefix}0.{theirs}" not in state:
            continue
        first = _get(state, f"{prefix}0.{theirs}")
        stacked = np.empty((tower.layers, *(first.T if turned else first).shape), kind)
        for i in range(tower.layers):
            array = _get(state, f"{prefix}{i}.{theirs}")
            _fits(f"{prefix}{i}.{theirs}", array, first.shape)
            stacked[i] = array.T if turned else array
        _put(blocks, ours, stacked)
    return blocks


def _check(params: Params, config: ClipConfig) -> None:
    """Check the shapes that say which model the weights are of against the configuration."""
    vision, text = config.vision, config.text
    for ours, shape in (
        ("vision/position", ((vision.size // vision.patch) ** 2 + 1, vision.tower.width)),
        ("vision/projection", (vision.tower.width, config.embed)),
        ("vision/blocks/up", (vision.tower.layers, vision.tower.width, vision.tower.hidden)),
        ("text/token", (text.vocabulary, text.tower.width)),
        ("text/position", (text.context, text.tower.width)),
        ("text/projection", (text.tower.width, config.embed)),
        ("text/blocks/up", (text.tower.layers, text.tower.width, text.tower.hidden)),
    ):
        _fits(ours, _find(params, ours), shape)


def _get(state: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in state:
        raise _foreign(f"'{name}' is missing")
    return state[name]


def _fits(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise _foreign(f"'{name}' is {array.shape} instead of {shape}")


def _foreign(reason: str) -> EvoartError:
    return EvoartError(
        f"the weights are not those of this model ({reason})", "Check --model, or fetch the weights again"
    )


def _put(tree: Params, path: str, value: Any) -> None:
    *parents, last = path.split("/")
    for name in parents:
        tree = tree.setdefault(name, {})
    tree[last] = value


def _find(tree: Params, path: str) -> Any:
    found: Any = tree
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found
