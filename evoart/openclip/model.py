"""CLIP's two towers in JAX (A. Radford et al., "Learning Transferable Visual Models From Natural Language
Supervision", 2021), as open_clip computes them for its ViT family.

Parameters are pytrees of arrays, the blocks of a tower stacked on a leading axis so that one ``lax.scan`` runs them:
compiling costs one block. A list of blocks works as well and runs faster where they are large: a scan copies the
weights of each block before it uses them. Weights and activations may be bfloat16; layer norms and softmax are float32
throughout.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from evoart.openclip.config import ClipConfig, Tower
from evoart.types import Array

Params = dict[str, Any]


def encode_image(params: Params, config: ClipConfig, images: Array) -> Array:
    """Unit embeddings ``(n, embed)`` float32 of pictures ``(n, size, size, 3)`` sRGB in [0, 1].

    Args:
        params: of ``weights.to_params``; the type of its arrays is what is computed in.
        config: the model's.
        images: of the model's size; normalised here.
    """
    return unit(image_features(params, config, images))


def encode_text(params: Params, config: ClipConfig, tokens: Array) -> Array:
    """Unit embeddings ``(n, embed)`` float32 of token ids ``(n, context)`` int32."""
    return unit(text_features(params, config, tokens))


def image_features(params: Params, config: ClipConfig, images: Array) -> Array:
    """As ``encode_image``, before it is scaled to length 1."""
    vision, weights = config.vision, params["vision"]
    grid, patch = vision.size // vision.patch, vision.patch
    kind = weights["patch"].dtype
    mean, std = jnp.asarray(config.mean, jnp.float32), jnp.asarray(config.std, jnp.float32)
    x = ((images.astype(jnp.float32) - mean) / std).astype(kind)
    # A convolution whose stride is its width is a matrix product of patches. What does not fill a patch is cut.
    x = x[:, : grid * patch, : grid * patch].reshape(-1, grid, patch, grid, patch, 3).transpose(0, 1, 3, 2, 4, 5)
    x = x.reshape(-1, grid * grid, patch * patch * 3) @ weights["patch"]
    first = jnp.broadcast_to(weights["class"], (x.shape[0], 1, x.shape[2]))
    x = jnp.concatenate([first, x], 1) + weights["position"]
    if "norm_pre" in weights:
        x = _norm(x, weights["norm_pre"], vision.tower.eps)
    needed = 1 if vision.pool == "tok" else None  # what follows works on each token by itself
    x = _blocks(weights["blocks"], vision.tower, x, None, needed)
    if not vision.norm_after_pool:
        x = _norm(x, weights["norm_post"], vision.tower.eps)
    x = x[:, 0] if vision.pool == "tok" else x[:, 1:].mean(1)
    if vision.norm_after_pool:
        x = _norm(x, weights["norm_post"], vision.tower.eps)
    return (x @ weights["projection"]).astype(jnp.float32)


def text_features(params: Params, config: ClipConfig, tokens: Array) -> Array:
    """As ``encode_text``, before it is scaled to length 1."""
    text, weights = config.text, params["text"]
    tokens = jnp.asarray(tokens)
    x = weights["token"][tokens] + weights["position"][: tokens.shape[1]]
    causal = jnp.tril(jnp.ones((tokens.shape[1], tokens.shape[1]), bool))
    x = _blocks(weights["blocks"], text.tower, x, causal)
    # The end of a text is the highest token id there is.
    x = x[jnp.arange(x.shape[0]), tokens.argmax(1)]
    x = _norm(x, weights["norm_final"], text.tower.eps)
    return (x @ weights["projection"]).astype(jnp.float32)


def unit(features: Array) -> Array:
    """Vectors ``(..., d)`` scaled to length 1; a vector of zeros stays one, and has a gradient."""
    return features * jax.lax.rsqrt(jnp.maximum((features * features).sum(-1, keepdims=True), 1e-24))


def split_blocks(blocks: Params) -> list[Params]:
    """The list of a tower's blocks, of which ``blocks`` is the stack."""
    return [jax.tree.map(operator.itemgetter(i), blocks) for i in range(len(blocks["qkv"]))]


def _blocks(
    blocks: Params | Sequence[Params], tower: Tower, x: Array, mask: Array | None, needed: int | None = None
) -> Array:
    """Residual attention blocks one after the other: the first ``needed`` tokens of what the last one gives."""
    if isinstance(blocks, dict):
        return jax.lax.scan(lambda x, weights: (_block(weights, tower, x, mask), None), x, blocks)[0][:, :needed]
    for weights in blocks[:-1]:
        x = _block(weights, tower, x, mask)
    return _block(blocks[-1], tower, x, mask, needed)


def _block(weights: Params, tower: Tower, x: Array, mask: Array | None, needed: int | None = None) -> Array:
    """A pre-norm block, of whose result only the first ``needed`` tokens (None: all) are computed."""
    seen = _attention(weights, tower, _norm(x, weights["norm_1"], tower.eps), mask, needed)
    x = x[:, :needed] + (seen * weights["scale_1"] if "scale_1" in weights else seen)
    hidden = _norm(x, weights["norm_2"], tower.eps) @ weights["up"] + weights["up_bias"]
    thought = _activation(hidden, tower.quick_gelu) @ weights["down"] + weights["down_bias"]
    return x + (thought * weights["scale_2"] if "scale_2" in weights else thought)


def _attention(weights: Params, tower: Tower, x: Array, mask: Array | None, needed: int | None) -> Array:
    n, length, width = x.shape
    qkv = (x @ weights["qkv"] + weights["qkv_bias"]).reshape(n, length, 3, tower.heads, width // tower.heads)
    q, k, v = qkv[:, :needed, 0], qkv[:, :, 1], qkv[:, :, 2]
    likeness = jnp.einsum("nqhd,nkhd->nhqk", q, k, preferred_element_type=jnp.float32)
    likeness = likeness * jnp.float32((width // tower.heads) ** -0.5)
    if mask is not None:
        likeness = jnp.where(mask, likeness, -jnp.inf)
    share = jax.nn.softmax(likeness, -1).astype(x.dtype)
    seen = jnp.einsum("nhqk,nkhd->nqhd", share, v).reshape(n, -1, width)
    return seen @ weights["out"] + weights["out_bias"]


def _norm(x: Array, weights: Params, eps: float) -> Array:
    exact = x.astype(jnp.float32)
    mean = exact.mean(-1, keepdims=True)
    centred = exact - mean
    exact = centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + jnp.float32(eps))
    return (exact * weights["scale"].astype(jnp.float32) + weights["bias"].astype(jnp.float32)).astype(x.dtype)


def _activation(x: Array, quick: bool) -> Array:
    """GELU, or its quick form x sigmoid(1.702 x) that OpenAI trained with: 1 % apart, which ruins a model."""
    return x * jax.nn.sigmoid(1.702 * x) if quick else jax.nn.gelu(x, approximate=False)
