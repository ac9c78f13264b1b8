"""What tells drawings from pictures, so that an autoencoder's drawings become sharp: the GAN of a CPPN-VAE-GAN.

D. Ha, "Generating Large Images from Latent Vectors" (2016): three convolutions that see random crops. The likelihood
makes a decoder draw the mean of all that may be there, which is a blur; a discriminator tells it from a picture. Only
training needs it, and no file keeps it. Arrays in JAX.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.cppn.latent.model import Config, positions
from evoart.types import Array

PREFIX = "discriminator."  # of the names of its parameters
RATE = 0.2  # of its learning rate to the decoder's, as in the paper's 0.001 and 0.005
MARGIN = 2  # pixels that a crop is smaller than a picture
_FILTERS, _SIZE, _STRIDE, _LEAK = (24, 48, 96), 5, 2, 0.2


def create_discriminator(config: Config, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Its parameters before it has learned anything, float32 by name."""
    params, before, side = {}, config.channels, config.side - MARGIN
    for index, filters in enumerate(_FILTERS):
        gain = (2 / (before * _SIZE**2)) ** 0.5
        params[f"{PREFIX}{index}.weight"] = rng.normal(0, gain, (filters, before, _SIZE, _SIZE))
        params[f"{PREFIX}{index}.bias"] = np.zeros(filters)
        before, side = filters, -(-side // _STRIDE)
    params[f"{PREFIX}out.weight"] = rng.normal(0, (before * side**2) ** -0.5, before * side**2)
    params[f"{PREFIX}out.bias"] = np.zeros(())
    return {name: value.astype(np.float32) for name, value in params.items()}


def judge(params: dict[str, Any], images: Array) -> Array:
    """Logits ``(n,)`` that crops ``(n, h, w, channels)`` in [0, 1] are of pictures and no drawings."""
    h = 2 * images - 1
    for index in range(len(_FILTERS)):
        h = jax.lax.conv_general_dilated(
            h, params[f"{PREFIX}{index}.weight"], (_STRIDE, _STRIDE), "SAME", dimension_numbers=("NHWC", "OIHW", "NHWC")
        )
        h = jax.nn.leaky_relu(h + params[f"{PREFIX}{index}.bias"], _LEAK)
    return h.reshape(len(h), -1) @ params[f"{PREFIX}out.weight"] + params[f"{PREFIX}out.bias"]


def crop(config: Config, images: Array, corner: Array) -> tuple[Array, Array, Array]:
    """The part of pictures ``(n, side, side, channels)`` that begins at ``corner`` (row, column), of ``MARGIN`` pixels
    less a side, and x and y ``(p,)`` of its pixels; see ``positions``."""
    edge = config.side - MARGIN
    part = jax.lax.dynamic_slice(images, (0, corner[0], corner[1], 0), (len(images), edge, edge, images.shape[3]))
    grids = (jnp.asarray(at).reshape(config.side, config.side) for at in positions(config.side))
    x, y = (jax.lax.dynamic_slice(grid, (corner[0], corner[1]), (edge, edge)).ravel() for grid in grids)
    return part, x, y


def adversarial_losses(params: dict[str, Any], real: Array, drawn: Array) -> tuple[Array, Array]:
    """Losses of the decoder, whose drawings are to pass for pictures, and of the discriminator, in nats a crop; log 2
    where it can only guess. The gradient of the first leaves the discriminator alone, that of the second the drawings
    (Goodfellow et al., "Generative Adversarial Nets", 2014, with the loss of section 3 that does not saturate)."""
    fixed = {name: jax.lax.stop_gradient(value) for name, value in params.items() if name.startswith(PREFIX)}
    generator = jnp.mean(jax.nn.softplus(-judge(fixed, drawn)))
    wrong = jax.nn.softplus(-judge(params, real)), jax.nn.softplus(judge(params, jax.lax.stop_gradient(drawn)))
    return generator, (jnp.mean(wrong[0]) + jnp.mean(wrong[1])) / 2
