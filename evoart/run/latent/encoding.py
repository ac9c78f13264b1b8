"""Latent vectors of what a user names: a picture, one that evoart drew from a latent vector, or a number."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from evoart.cppn.latent.model import Config, Model
from evoart.errors import EvoartError, UsageError
from evoart.forms.latent import LatentForm
from evoart.output.recipe import extract
from evoart.run.cppn.job import split_pick
from evoart.run.cppn.networks import read_picture
from evoart.run.inputs import read_hashed
from evoart.run.latent.dataset import as_square, on_white
from evoart.run.latent.models import form_of
from evoart.run.model_jobs import is_seed

STEPS, RATE = 150, 0.1  # of the gradient that brings z closer to a picture than the encoder did


def read_latent(model: Model, name: str, expected: str = "", sigma: float = 1.0) -> tuple[np.ndarray, str]:
    """The latent vector ``(latent,)`` that ``name`` stands for, and the SHA-256 of the file that it is.

    A whole number is the random vector of that seed, with the standard deviation ``sigma``; a picture that evoart drew
    from a latent vector (``sheet.png:7`` for one of a sheet) has its own; any other picture is encoded.

    Raises:
        UsageError: no such file, a picture of another network or with a latent vector of another length.
        EvoartError: a file that cannot be read.
    """
    size = model.config.decoder.latent
    if is_seed(name):
        return sigma * np.random.default_rng([int(name)]).standard_normal(size), ""
    place, pick = split_pick(name)
    data, label, digest = read_hashed("picture", place, expected)
    try:
        extract(data, label)
    except EvoartError:  # a picture of somebody else's
        if pick is not None:
            raise UsageError(f"{label} is no sheet of evoart's", f"Leave out ':{pick}'") from None
        return encode(model, on_white(data, 64, label)), digest
    _, form, genome, _ = read_picture(name, expected)
    if not isinstance(form, LatentForm):
        drawn = form.drawing(genome).paint((64, round(64 * form.height / form.width)))
        rgb = drawn[..., :3] * drawn[..., 3:] + 1 - drawn[..., 3:]
        return encode(model, np.rint(255 * rgb).astype(np.uint8)), digest
    if form.dim != size:
        raise UsageError(
            f"{label} has a latent vector of {form.dim} numbers, and '{model.config.name}' takes {size}",
            "Use the model that drew it: -m FILE",
        )
    if form != form_of(model):
        raise UsageError(f"{label} was drawn by another network than '{model.config.name}'", "Name it: -m FILE")
    return genome, digest


def encode(model: Model, image: np.ndarray) -> np.ndarray:
    """The latent vector ``(latent,)`` of a picture ``(h, w, 3)`` uint8: what the encoder says, brought closer by the
    gradient of likelihood and prior."""
    import jax.numpy as jnp

    from evoart.engine.jax_setup import setup

    setup()
    config = model.config
    square = as_square(image, config.side, config.channels)
    params = {name: jnp.asarray(value) for name, value in model.params.items()}
    return np.asarray(_encoder(config)(params, square[None].astype(np.float32) / 255), np.float64)


@functools.lru_cache(maxsize=4)
def _encoder(config: Config) -> Any:
    import jax
    import jax.numpy as jnp
    import optax

    from evoart.cppn.latent.model import encode_traced, logits, positions

    x, y = positions(config.side)

    @jax.jit
    def run(params: Any, images: Any) -> Any:
        target = jnp.moveaxis(images.reshape(1, -1, config.channels), 2, 0)

        def loss(z: Any) -> Any:
            values = logits(config.decoder, params["decoder"], z[None], x, y)
            return jnp.sum(optax.sigmoid_binary_cross_entropy(values, target)) + 0.5 * jnp.sum(z**2)

        adam = optax.adam(optax.cosine_decay_schedule(RATE, STEPS))

        def step(state: Any, _: Any) -> Any:
            z, moments, best, least = state
            value, gradient = jax.value_and_grad(loss)(z)
            best, least = jnp.where(value < least, z, best), jnp.minimum(value, least)
            moves, moments = adam.update(gradient, moments)
            return (z + moves, moments, best, least), None

        z = encode_traced(config, params, images)[0][0]
        start = (z, adam.init(z), z, jnp.inf)
        return jax.lax.scan(step, start, None, length=STEPS)[0][2]

    return run
