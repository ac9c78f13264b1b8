"""From a network's outputs to sRGB in [0, 1]."""

from __future__ import annotations

import numpy as np

from evoart.types import Array

COLOURS = ("rgb", "hsv", "gray")


def outputs(colour: str) -> int:
    """How many outputs a network has: 3, or 1 for gray."""
    return 1 if colour == "gray" else 3


def to_rgb(values: Array, colour: str) -> Array:
    """``(3, p)`` float32 sRGB of a network's outputs ``(outputs, p)``.

    rgb and gray go through a sigmoid. In hsv so do saturation and value; a hue of 1 is once around the circle, from
    anywhere, so that no value of it is an edge.
    """
    import jax
    import jax.numpy as jnp

    if colour == "gray":
        return jnp.broadcast_to(jax.nn.sigmoid(values), (3, values.shape[1]))
    if colour == "rgb":
        return jax.nn.sigmoid(values)
    saturation, value = jax.nn.sigmoid(values[1]), jax.nn.sigmoid(values[2])
    return jnp.stack([_channel(values[0], offset, saturation, value) for offset in (0.0, 2 / 3, 1 / 3)])


def _channel(hue: Array, offset: float, saturation: Array, value: Array) -> Array:
    """One of red, green, blue: a trapezium over the hue."""
    import jax.numpy as jnp

    turn = hue + np.float32(offset)
    away = jnp.abs(6 * (turn - jnp.floor(turn)) - 3) - 1
    return value * (1 - saturation * (1 - jnp.clip(away, 0, 1)))
