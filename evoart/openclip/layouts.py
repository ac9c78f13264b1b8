"""Whose names a weights file uses, decided by the names alone; and open_clip's names from those of transformers.

The same weights are published under several names: open_clip's own (with the text tower at the top, or below ``text.``
as in its ``CustomTextCLIP``), those of the ``CLIPModel`` of transformers, and all of them below ``module.`` where
torch's ``DistributedDataParallel`` wrote them. timm's files hold an image tower alone and cannot be a CLIP model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from evoart.errors import EvoartError

State = dict[str, np.ndarray]
_TOWERS = {"vision_model": "visual.", "text_model": ""}
_ALONE = {
    "vision_model.embeddings.class_embedding": ("visual.class_embedding", False),
    "vision_model.embeddings.patch_embedding.weight": ("visual.conv1.weight", False),
    "vision_model.embeddings.position_embedding.weight": ("visual.positional_embedding", False),
    "vision_model.pre_layrnorm.weight": ("visual.ln_pre.weight", False),  # transformers' own spelling
    "vision_model.pre_layrnorm.bias": ("visual.ln_pre.bias", False),
    "vision_model.post_layernorm.weight": ("visual.ln_post.weight", False),
    "vision_model.post_layernorm.bias": ("visual.ln_post.bias", False),
    "visual_projection.weight": ("visual.proj", True),
    "text_model.embeddings.token_embedding.weight": ("token_embedding.weight", False),
    "text_model.embeddings.position_embedding.weight": ("positional_embedding", False),
    "text_model.final_layer_norm.weight": ("ln_final.weight", False),
    "text_model.final_layer_norm.bias": ("ln_final.bias", False),
    "text_projection.weight": ("text_projection", True),
    "logit_scale": ("logit_scale", False),
}
_BLOCK = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_IN_BLOCK = re.compile(r"(vision_model|text_model)\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
_IGNORED = re.compile(r"(vision_model|text_model)\.embeddings\.position_ids")


def find_layout(names: Iterable[str]) -> str:
    """Whose names these are: ``open_clip``, ``transformers``, or ``""`` for what is no CLIP model."""
    firsts = {name.removeprefix("module.").partition(".")[0] for name in names}
    if "visual" in firsts:
        return "open_clip"
    return "transformers" if {"vision_model", "text_model"} <= firsts else ""


def to_open_clip(state: Mapping[str, np.ndarray]) -> State:
    """Weights by open_clip's names, from any of the layouts; the text tower at the top where it is open_clip's own.

    Raises:
        EvoartError: weights of something else than a CLIP model.
    """
    state = {name.removeprefix("module."): array for name, array in state.items()}
    if find_layout(state) == "transformers":
        return _from_transformers(state)
    if "text.token_embedding.weight" in state:  # CustomTextCLIP with a text tower like that of CLIP
        return {name.removeprefix("text."): array for name, array in state.items()}
    return state


def _from_transformers(state: Mapping[str, np.ndarray]) -> State:
    found: State = {}
    for name, array in state.items():
        if name in _ALONE:
            ours, transposed = _ALONE[name]
            found[ours] = np.ascontiguousarray(array.T) if transposed else array
        elif match := _IN_BLOCK.fullmatch(name):
            tower, number, part, kind = match.groups()
            block = f"{_TOWERS[tower]}transformer.resblocks.{number}."
            if part == "self_attn.q_proj":
                parts = [_get(state, name.replace("q_proj", f"{letter}_proj")) for letter in "qkv"]
                found[f"{block}attn.in_proj_{kind}"] = np.concatenate(parts)
            elif part in _BLOCK:
                found[f"{block}{_BLOCK[part]}.{kind}"] = array
            elif part not in ("self_attn.k_proj", "self_attn.v_proj"):
                raise _unknown(name)
        elif not _IGNORED.fullmatch(name):
            raise _unknown(name)
    return found


def _get(state: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if name not in state:
        raise EvoartError(f"the weights are incomplete ('{name}' is missing)", "Fetch them again")
    return state[name]


def _unknown(name: str) -> EvoartError:
    return EvoartError(
        f"the weights are not those of a CLIP model ('{name}' is unknown)", "Use open_clip's file of the model"
    )
