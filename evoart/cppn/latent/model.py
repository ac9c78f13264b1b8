"""The autoencoder: an encoder of small pictures, and a network of coordinates that draws what it encodes.

Arrays in JAX. The decoder's weights are one vector in the order of ``Layers``, without the latent numbers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from evoart.cppn import activations, plane
from evoart.cppn.layers import Layers
from evoart.trained import TrainedModel
from evoart.types import Array

Parameters: TypeAlias = dict[str, Any]  # by name: (n,) or (units, inputs) float32

SPATIAL = len(plane.SPATIAL)
SEEN = 16  # pixels of the encoder's view of a picture, at most
STEEP = 5.0  # of the first layer's weights of coordinates: how much detail there is at the beginning
_SOME, _MOST = 256, 8192  # pictures that are encoded at a time; from which the distribution of z is estimated
_FLAT = 1e-4  # variance of a direction in which nothing was learned


@dataclass(frozen=True)
class Config:
    """The shape of an autoencoder.

    Attributes:
        name: what its pictures show, for people.
        decoder: the network that draws, ``rgb`` or ``gray``; its latent numbers are z.
        side: pixels of the square pictures that it learns from.
        encoder: units of each of the encoder's two hidden layers.
        licence: one line on what applies to the weights.
    """

    name: str
    decoder: Layers
    side: int
    encoder: int = 256
    licence: str = ""

    @property
    def channels(self) -> int:
        """1 for gray, 3 for colour."""
        return 1 if self.decoder.colour == "gray" else 3

    @property
    def seen(self) -> int:
        """Pixels a side that the encoder sees."""
        return min(SEEN, self.side)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters, by name."""
        units, inputs = self.encoder, self.seen**2 * self.channels
        return {
            "decoder": (self.decoder.weights,),
            "encoder.0.weight": (units, inputs),
            "encoder.0.bias": (units,),
            "encoder.1.weight": (units, units),
            "encoder.1.bias": (units,),
            "encoder.2.weight": (2 * self.decoder.latent, units),
            "encoder.2.bias": (2 * self.decoder.latent,),
        }


@dataclass(frozen=True, eq=False)
class Model(TrainedModel):
    """An autoencoder with its weights; see ``Config.shapes``."""

    config: Config


def create_model(config: Config, rng: np.random.Generator) -> Model:
    """A model before it has learned anything."""
    net, params = config.decoder, {}
    parts = []
    for index, (before, after) in enumerate(net.sizes):
        weight = rng.normal(0, 1, (after, before))
        if index == 0:
            weight[:, :SPATIAL] *= STEEP
            weight[:, SPATIAL:] *= (1 / max(net.latent, 1)) ** 0.5
        else:
            weight *= (1.0 if index < len(net.layers) else 0.5) / np.sqrt(before)
        parts += [weight.ravel(), rng.normal(0, 0.5 if index == 0 else 0.1, after)]
    params["decoder"] = np.concatenate(parts)
    for name, shape in config.shapes.items():
        if name.endswith("weight"):
            gain = 0.1 if name.startswith("encoder.2") else 2**0.5
            params[name] = rng.normal(0, gain / np.sqrt(shape[1]), shape)
        elif name.endswith("bias"):
            params[name] = np.zeros(shape)
    return Model(config, {name: value.astype(np.float32) for name, value in params.items()})


def positions(side: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y ``(side * side,)`` float32 of a square picture's pixels, row by row; see ``plane``."""
    at = (np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)) * np.float32(2 / side)
    return np.tile(at, side), np.repeat(at, side)


def logits(net: Layers, numbers: Array, z: Array, x: Array, y: Array) -> Array:
    """What the outputs are before the sigmoid, ``(channels, n, p)``, of latent vectors ``z`` ``(n, latent)`` at points
    ``x``, ``y`` ``(p,)``; ``numbers`` are the decoder's weights. The arithmetic of ``Layers.evaluate``."""
    n, p = z.shape[0], x.shape[0]
    place = jnp.stack([x, y, jnp.sqrt(x * x + y * y)])
    h = jnp.zeros((0, n * p))
    for index, (weight, bias) in enumerate(net.parts(jnp.concatenate([jnp.zeros(net.latent), numbers]))):
        if index == 0:
            sums = (weight[:, :SPATIAL] @ place)[:, None] + (weight[:, SPATIAL:] @ z.T + bias[:, None])[:, :, None]
            sums = sums.reshape(-1, n * p)
        else:
            sums = weight @ h + bias[:, None]
        if index == len(net.layers):
            return activations.clip(sums).reshape(-1, n, p)
        h = jnp.concatenate([activations.apply(name, sums[a:b]) for name, a, b in net.blocks(len(bias))])
    raise AssertionError("the output layer returns")


def see(config: Config, images: Array) -> Array:
    """What the encoder sees ``(n, seen * seen * channels)`` of pictures ``(n, side, side, channels)`` in [0, 1]: means
    over the parts of a grid."""
    matrix = jnp.asarray(_averages(config.side, config.seen))
    return (2 * jnp.einsum("ai,bj,nijc->nabc", matrix, matrix, images) - 1).reshape(len(images), -1)


@functools.cache
def _averages(side: int, seen: int) -> np.ndarray:
    """``(seen, side)`` float32: each row takes the mean of its share of ``side`` pixels."""
    edges = np.linspace(0, side, seen + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.maximum(overlap, 0) * seen / side).astype(np.float32)


def encode_traced(config: Config, params: Parameters, images: Array) -> tuple[Array, Array]:
    """Mean and log of sigma ``(n, latent)`` of what pictures ``(n, side, side, channels)`` in [0, 1] are encoded as."""
    h = see(config, images)
    for k in range(2):
        h = jax.nn.relu(h @ params[f"encoder.{k}.weight"].T + params[f"encoder.{k}.bias"])
    out = h @ params["encoder.2.weight"].T + params["encoder.2.bias"]
    mean, log_sigma = jnp.split(out, 2, axis=1)
    return mean, jnp.clip(log_sigma, -6.0, 2.0)


def whiten(model: Model, images: np.ndarray) -> Model:
    """The same model in other coordinates: what ``images`` ``(n, side, side, channels)`` uint8 are encoded as has mean
    0 and covariance 1 in them. Likenesses stay as they are; random z then look like what it learned from.

    A Gaussian fitted to the encoded data after training, as in Ghosh et al., "From Variational to Deterministic
    Autoencoders" (2020), but put into the weights. The encoder's sigma, which only training uses, stays as it is.
    """
    config, net = model.config, model.config.decoder
    run = jax.jit(encode_traced, static_argnums=0)
    parts = [images[k : k + _SOME].astype(np.float32) / 255 for k in range(0, min(len(images), _MOST), _SOME)]
    means = np.concatenate([np.asarray(run(config, model.params, part)[0], np.float64) for part in parts])
    centre = means.mean(0)
    values, vectors = np.linalg.eigh(np.cov(means - centre, rowvar=False).reshape(net.latent, net.latent))
    roots = np.sqrt(np.maximum(values, _FLAT))
    forward, back = (
        (vectors * roots) @ vectors.T,
        (vectors / roots) @ vectors.T,
    )  # symmetric: z turns as little as it can
    params = {name: np.array(value, np.float64) for name, value in model.params.items()}
    before, units = net.sizes[0]
    first = params["decoder"][: before * units].reshape(units, before)
    params["decoder"][before * units : before * units + units] += first[:, SPATIAL:] @ centre
    first[:, SPATIAL:] = first[:, SPATIAL:] @ forward
    weight, bias = params["encoder.2.weight"], params["encoder.2.bias"]
    bias[: net.latent] = back @ (bias[: net.latent] - centre)
    weight[: net.latent] = back @ weight[: net.latent]
    return Model(config, {name: value.astype(np.float32) for name, value in params.items()})
