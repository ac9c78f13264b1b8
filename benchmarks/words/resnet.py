"""CLIP's residual nets in JAX (open_clip's ``ModifiedResNet``): three convolutions, four stages, attention at the end.

Batch norms are those of a model that has learned: one factor and one offset a channel. Parameters are pytrees; a stage
is a list of blocks, since the blocks of a stage differ in shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.types import Array

EPS = 1e-5  # of torch's batch norm
Params = dict[str, Any]


def features(params: Params, heads: int, images: Array) -> Array:
    """Features ``(n, embed)`` float32 of normalised pictures ``(n, size, size, 3)``."""
    return pooled(params["pool"], heads, trunk(params, images)[-1])


def trunk(params: Params, images: Array) -> list[Array]:
    """What the stem and every stage see, each ``(n, side, side, channels)``."""
    x = images
    for i, part in enumerate(params["stem"]):
        x = jax.nn.relu(_convolved(x, part, 2 if i == 0 else 1))
    seen = [_halved(x)]
    for i, blocks in enumerate(params["stages"]):
        x = seen[-1]
        for j, block in enumerate(blocks):
            x = _block(x, block, 2 if i > 0 and j == 0 else 1)
        seen.append(x)
    return seen


def pooled(weights: Params, heads: int, x: Array) -> Array:
    """Attention of the mean over all places ``x`` ``(n, h, w, d)``: features ``(n, embed)``."""
    n, h, w, d = x.shape
    x = x.reshape(n, h * w, d)
    x = jnp.concatenate([x.mean(1, keepdims=True), x], 1) + weights["position"]
    q = (x[:, 0] @ weights["q"] + weights["q_bias"]).reshape(n, heads, d // heads)
    k = (x @ weights["k"] + weights["k_bias"]).reshape(n, -1, heads, d // heads)
    v = (x @ weights["v"] + weights["v_bias"]).reshape(n, -1, heads, d // heads)
    likeness = jnp.einsum("nhd,nkhd->nhk", q, k) * (d // heads) ** -0.5
    seen = jnp.einsum("nhk,nkhd->nhd", jax.nn.softmax(likeness.astype(jnp.float32), -1).astype(v.dtype), v)
    return (seen.reshape(n, d) @ weights["c"] + weights["c_bias"]).astype(jnp.float32)


def _block(x: Array, block: Params, stride: int) -> Array:
    y = jax.nn.relu(_convolved(x, block["one"]))
    y = jax.nn.relu(_convolved(y, block["two"]))
    y = _convolved(_halved(y) if stride == 2 else y, block["three"])
    if "past" in block:
        x = _convolved(_halved(x) if stride == 2 else x, block["past"])
    return jax.nn.relu(y + x)


def _convolved(x: Array, part: Params, stride: int = 1) -> Array:
    """A convolution ``(h, w, in, out)`` with zeros around, then a factor and an offset a channel."""
    kernel = part["kernel"]
    if kernel.shape[0] == 1:
        y = x @ kernel[0, 0]
    elif stride == 2:  # as a product of patches: XLA's backward pass of a stride is slow on a CPU
        n, h, w, c = x.shape
        wide = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        patches = [wide[:, i : i + h : 2, j : j + w : 2] for i in range(3) for j in range(3)]
        y = jnp.concatenate(patches, -1) @ kernel.reshape(9 * c, -1)
    else:
        y = jax.lax.conv_general_dilated(
            x, kernel, (stride, stride), [(1, 1), (1, 1)], dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    return y * part["factor"] + part["offset"]


def _halved(x: Array) -> Array:
    n, h, w, c = x.shape
    return x[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))


def parameters(state: Mapping[str, np.ndarray], layers: Sequence[int], kind: Any = np.float32) -> Params:
    """Parameters from open_clip's ``state`` (names that begin with ``visual.``), batch norms folded."""

    def part(convolution: str, norm: str) -> Params:
        factor = _exact(state, f"{norm}.weight") / np.sqrt(_exact(state, f"{norm}.running_var") + EPS)
        offset = _exact(state, f"{norm}.bias") - factor * _exact(state, f"{norm}.running_mean")
        kernel = np.asarray(state[f"{convolution}.weight"]).transpose(2, 3, 1, 0)
        return {"kernel": kernel.astype(kind), "factor": factor.astype(kind), "offset": offset.astype(kind)}

    stages = []
    for i, blocks in enumerate(layers):
        stage = []
        for j in range(blocks):
            name = f"visual.layer{i + 1}.{j}"
            block = {k: part(f"{name}.conv{n}", f"{name}.bn{n}") for n, k in ((1, "one"), (2, "two"), (3, "three"))}
            if f"{name}.downsample.0.weight" in state:
                block["past"] = part(f"{name}.downsample.0", f"{name}.downsample.1")
            stage.append(block)
        stages.append(stage)
    pool: Params = {"position": np.asarray(state["visual.attnpool.positional_embedding"]).astype(kind)}
    for name in "qkvc":
        pool[name] = np.asarray(state[f"visual.attnpool.{name}_proj.weight"]).T.astype(kind)
        pool[f"{name}_bias"] = np.asarray(state[f"visual.attnpool.{name}_proj.bias"]).astype(kind)
    stem = [part(f"visual.conv{n}", f"visual.bn{n}") for n in (1, 2, 3)]
    return {"stem": stem, "stages": stages, "pool": pool}


def state_of(params: Params) -> dict[str, np.ndarray]:
    """Open_clip's names and arrays: the inverse of ``parameters``, with batch norms of mean 0 and variance 1."""
    state: dict[str, np.ndarray] = {}

    def put(part: Params, convolution: str, norm: str) -> None:
        kernel = np.asarray(part["kernel"])
        state[f"{convolution}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        factor = np.asarray(part["factor"])
        state[f"{norm}.weight"], state[f"{norm}.bias"] = factor, np.asarray(part["offset"])
        state[f"{norm}.running_mean"] = np.zeros_like(factor)
        state[f"{norm}.running_var"] = np.full_like(factor, 1 - EPS)

    for n, part in enumerate(params["stem"], 1):
        put(part, f"visual.conv{n}", f"visual.bn{n}")
    for i, stage in enumerate(params["stages"], 1):
        for j, block in enumerate(stage):
            for n, name in ((1, "one"), (2, "two"), (3, "three")):
                put(block[name], f"visual.layer{i}.{j}.conv{n}", f"visual.layer{i}.{j}.bn{n}")
            if "past" in block:
                put(block["past"], f"visual.layer{i}.{j}.downsample.0", f"visual.layer{i}.{j}.downsample.1")
    state["visual.attnpool.positional_embedding"] = np.asarray(params["pool"]["position"])
    for name in "qkvc":
        state[f"visual.attnpool.{name}_proj.weight"] = np.ascontiguousarray(np.asarray(params["pool"][name]).T)
        state[f"visual.attnpool.{name}_proj.bias"] = np.asarray(params["pool"][f"{name}_bias"])
    return state


def _exact(state: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    return np.asarray(state[name], np.float32)
