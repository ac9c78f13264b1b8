"""Random weights of a model: for tests, and to measure speed without a download."""

from __future__ import annotations

import numpy as np

from evoart.openclip.config import ClipConfig, Tower
from evoart.openclip.layouts import State


def untrained(config: ClipConfig, seed: int = 0) -> State:
    """Weights by open_clip's names, the same ones every time, about as large as those of a model before training."""
    rng = np.random.default_rng(seed)
    v, t = config.vision, config.text
    grid = (v.size // v.patch) ** 2 + 1
    state = _blocks(rng, v.tower, "visual.transformer.resblocks.") | _blocks(rng, t.tower, "transformer.resblocks.")
    state["logit_scale"] = np.array(np.log(100), np.float32)
    for name, shape, std in (
        ("visual.conv1.weight", (v.tower.width, 3, v.patch, v.patch), (3 * v.patch**2) ** -0.5),
        ("visual.class_embedding", (v.tower.width,), v.tower.width**-0.5),
        ("visual.positional_embedding", (grid, v.tower.width), v.tower.width**-0.5),
        ("visual.proj", (v.tower.width, config.embed), v.tower.width**-0.5),
        ("token_embedding.weight", (t.vocabulary, t.tower.width), 0.02),
        ("positional_embedding", (t.context, t.tower.width), 0.01),
        ("text_projection", (t.tower.width, config.embed), t.tower.width**-0.5),
    ):
        state[name] = _normal(rng, shape, std)
    widths = {"visual.ln_pre": v.tower.width, "visual.ln_post": v.tower.width, "ln_final": t.tower.width}
    for name, width in widths.items():
        state |= _norm(name, width)
    return state


def _blocks(rng: np.random.Generator, tower: Tower, prefix: str) -> State:
    d, h, state = tower.width, tower.hidden, {}
    shapes = {"attn.in_proj_": (3 * d, d), "attn.out_proj.": (d, d), "mlp.c_fc.": (h, d), "mlp.c_proj.": (d, h)}
    for i in range(tower.layers):
        for name, shape in shapes.items():
            state[f"{prefix}{i}.{name}weight"] = _normal(rng, shape, shape[1] ** -0.5)
            state[f"{prefix}{i}.{name}bias"] = np.zeros(shape[0], np.float32)
        state |= _norm(f"{prefix}{i}.ln_1", d) | _norm(f"{prefix}{i}.ln_2", d)
    return state


def _normal(rng: np.random.Generator, shape: tuple[int, ...], std: float) -> np.ndarray:
    return rng.standard_normal(shape, np.float32) * np.float32(std)


def _norm(name: str, width: int) -> State:
    return {f"{name}.weight": np.ones(width, np.float32), f"{name}.bias": np.zeros(width, np.float32)}
