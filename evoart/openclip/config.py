"""What a CLIP model looks like, read from open_clip's JSON configuration, and how its pictures are prepared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Normalisation of OpenAI's data set, open_clip's default (its ``constants.py``).
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
VOCABULARY = 49408  # of OpenAI's byte pair encoding

# Settings of open_clip whose towers are ours, with the only value (or values) under which they are.
_TOWER = {
    "block_type": (None, "default"),
    "qk_norm": (False,),
    "scaled_cosine_attn": (False,),
    "scale_heads": (False,),
    "scale_attn_inner": (False,),
    "scale_attn": (False,),
    "scale_fc": (False,),
    "act_kwargs": (None,),
}
_VISION = _TOWER | {
    "timm_model_name": (None, ""),
    "attentional_pool": (False,),
    "pos_embed_type": ("learnable", "sin_cos_2d"),
    "pool_type": ("tok", "avg"),
}
_TEXT = _TOWER | {
    "hf_model_name": (None, ""),
    "hf_tokenizer_name": (None, ""),
    "tokenizer_kwargs": (None, {}),
    "embed_cls": (False,),
    "no_causal_mask": (False,),
    "pool_type": ("argmax",),
    "proj_bias": (False,),
    "proj_type": ("linear",),
}


@dataclass(frozen=True)
class Tower:
    """A transformer: ``layers`` blocks of ``width`` numbers per token, ``heads`` heads and ``hidden`` units each."""

    width: int
    layers: int
    heads: int
    hidden: int
    quick_gelu: bool
    eps: float = 1e-5

    @property
    def parameters(self) -> int:
        """Numbers in its blocks."""
        d, h = self.width, self.hidden
        return self.layers * (4 * d * d + 2 * d * h + 9 * d + h)


@dataclass(frozen=True)
class Vision:
    """The image tower: pictures of ``size`` pixels in patches of ``patch``; ``pool`` is ``tok`` or ``avg``."""

    tower: Tower
    size: int
    patch: int
    pool: str = "tok"
    norm_after_pool: bool = False


@dataclass(frozen=True)
class Text:
    """The text tower: ``context`` tokens of ``vocabulary``."""

    tower: Tower
    context: int
    vocabulary: int


@dataclass(frozen=True)
class ClipConfig:
    """Both towers, the size of the embedding that they share, and how pictures are prepared.

    Attributes:
        embed: numbers of an embedding.
        vision, text: the towers.
        mean, std: of the training pictures' channels, sRGB in [0, 1].
        interpolation: ``bicubic`` or ``bilinear``.
        resize_mode: how pictures that are not square are brought to size: ``shortest`` shows the middle square,
            ``squash`` all of it, distorted.
    """

    embed: int
    vision: Vision
    text: Text
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        vision, text = self.vision, self.text
        v, t = vision.tower.width, text.tower.width
        patches = (vision.size // vision.patch) ** 2
        images = v * (3 * vision.patch**2 + 1 + patches + 1 + 4 + self.embed) + vision.tower.parameters
        return images + t * (text.vocabulary + text.context + 2 + self.embed) + text.tower.parameters + 1


def parse(plain: Mapping[str, Any], preprocess: Mapping[str, Any] | None = None) -> ClipConfig:
    """The model of an open_clip configuration (a file of its ``model_configs``, or ``open_clip_config.json``).

    Args:
        plain: the configuration's values.
        preprocess: ``mean``, ``std``, ``interpolation``, ``resize_mode``, ``size`` of a pretrained tag.

    Raises:
        ValueError: an architecture that this package does not compute, with the setting that says so.
        KeyError, TypeError: a damaged configuration.
    """
    preprocess = dict(preprocess or plain.get("preprocess_cfg") or {})
    plain = plain.get("model_cfg", plain)
    vision, text = plain["vision_cfg"], plain["text_cfg"]
    _check("vision", vision, _VISION)
    _check("text", text, _TEXT)
    for name in ("custom_text", "multimodal_cfg"):
        if plain.get(name) and name == "multimodal_cfg":
            raise ValueError("it has a text decoder (multimodal_cfg)")
    quick = bool(plain.get("quick_gelu", False))
    size = preprocess.get("size") or vision.get("image_size", 224)
    return ClipConfig(
        embed=int(plain["embed_dim"]),
        vision=Vision(
            tower=_tower(vision, 768, quick, vision.get("width", 768) // vision.get("head_width", 64)),
            size=_square(size),
            patch=_square(vision.get("patch_size", 16)),
            pool=vision.get("pool_type", "tok"),
            norm_after_pool=bool(vision.get("final_ln_after_pool", False)),
        ),
        text=Text(
            tower=_tower(text, 512, quick, text.get("heads", 8)),
            context=int(text.get("context_length", 77)),
            vocabulary=int(text.get("vocab_size", VOCABULARY)),
        ),
        mean=tuple(float(value) for value in preprocess.get("mean", MEAN)),
        std=tuple(float(value) for value in preprocess.get("std", STD)),
        interpolation=str(preprocess.get("interpolation", "bicubic")),
        resize_mode=str(preprocess.get("resize_mode", "shortest")),
    )


def _tower(plain: Mapping[str, Any], width: int, quick_gelu: bool, heads: int) -> Tower:
    width = int(plain.get("width", width))
    return Tower(
        width=width,
        layers=int(plain.get("layers", 12)),
        heads=int(heads),
        hidden=int(width * plain.get("mlp_ratio", 4.0)),
        quick_gelu=quick_gelu,
        eps=float((plain.get("norm_kwargs") or {}).get("eps", 1e-5)),
    )


def _check(tower: str, plain: Mapping[str, Any], known: Mapping[str, tuple[Any, ...]]) -> None:
    for name, allowed in known.items():
        if plain.get(name, allowed[0]) not in allowed:
            raise ValueError(f"its {tower} tower has {name} = {plain[name]}")
    if isinstance(plain.get("layers"), list):
        raise ValueError(f"its {tower} tower is a ResNet")


def _square(size: Any) -> int:
    if isinstance(size, int):
        return size
    if len(set(size)) != 1:
        raise ValueError(f"its pictures are not square ({size})")
    return int(size[0])
