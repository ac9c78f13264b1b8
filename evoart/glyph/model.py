"""The model: a style vector z for all letters of a font, a decoder of signed distance fields, an encoder of letters.

Why distance fields: whatever the order, the start or the number of a letter's contours, its field is one smooth
picture, so a few hundred thousand weights learn readable letters in minutes on one core, where a sequence of drawing
commands takes days (Lopes et al., 2019). Between two letters of one kind every mean is a letter again. The decoder
makes a coarse grid of features from z and the letter, interpolates it by cubic B-splines and lets a small network turn
the features of a point into a distance (as in LIIF, Chen et al., 2021): it can be asked at any point, so that outlines
are traced as finely as one likes.

Functions of ``xp``: NumPy, or JAX inside a program. Lengths as in ``letters``; distances in its pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from evoart.glyph.letters import DEEP, LETTERS, SIDE
from evoart.trained import TrainedModel
from evoart.types import Array

Parameters: TypeAlias = dict[str, Any]  # by name: float32 arrays
SEEN = 16  # pixels a side that the encoder sees
SURE = 2.0  # a pixel's odds to be covered are exp(SURE * distance)
_FLAT = 1e-4  # variance of a direction in which nothing was learned


@dataclass(frozen=True)
class Config:
    """The shape of a model.

    Attributes:
        name: what its letters are like, for people.
        latent: length of z.
        units: of the decoder's hidden layers.
        grid, channels: cells a side of the grid of features, and features of each.
        head: units of the layers that turn features into a distance.
        encoder: units of the encoder's hidden layers.
        licence: one line on what applies to the weights.
    """

    name: str
    latent: int = 24
    units: int = 256
    grid: int = 10
    channels: int = 10
    head: int = 24
    encoder: int = 128
    licence: str = ""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters, by name."""
        kinds, z, u, e, head = len(LETTERS), self.latent, self.units, self.encoder, self.head
        return {
            "letters": (kinds, u), "gates": (kinds, u),
            "style": (u, z),
            "hidden.0.weight": (u, u), "hidden.0.bias": (u,),
            "hidden.1.weight": (u, u), "hidden.1.bias": (u,),
            "features.weight": (self.grid**2 * self.channels, u), "features.bias": (self.grid**2 * self.channels,),
            "head.0.weight": (head, self.channels), "head.0.bias": (head,),
            "head.1.weight": (head, head), "head.1.bias": (head,),
            "head.2.weight": (1, head), "head.2.bias": (1,),
            "space.weight": (2, u), "space.bias": (2,),
            "encoder.letters": (kinds, e),
            "encoder.0.weight": (e, SEEN**2),
            "encoder.1.weight": (e, e), "encoder.1.bias": (e,),
            "encoder.2.weight": (2 * z, e), "encoder.2.bias": (2 * z,),
            "prior.mean": (z,), "prior.scale": (z, z),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Model(TrainedModel):
    """A model with its weights; see ``Config.shapes``."""

    config: Config


def create_model(config: Config, rng: np.random.Generator) -> Model:
    """A model before it has learned anything."""
    params = {}
    for name, shape in config.shapes.items():
        if name.endswith("bias"):
            params[name] = np.zeros(shape)
        elif name in ("letters", "encoder.letters"):
            params[name] = rng.normal(0, 1, shape)
        elif name == "gates":
            params[name] = rng.normal(0, 0.3, shape)
        elif name.startswith("prior"):
            params[name] = np.eye(config.latent) if name == "prior.scale" else np.zeros(shape)
        else:
            gain = {"encoder.2.weight": 0.3, "head.2.weight": 1.0, "space.weight": 0.1}.get(name, 2**0.5)
            params[name] = rng.normal(0, gain / np.sqrt(shape[1]), shape)
    params["head.2.bias"] -= 1.0  # most points lie outside
    return Model(config, {name: value.astype(np.float32) for name, value in params.items()})


def splines(at: np.ndarray, grid: int) -> np.ndarray:
    """Weights ``(n, grid)`` of the features of a row of cells at places ``at`` ``(n,)`` in [0, 1]: a cubic B-spline
    whose first and last knots stand for those beyond."""
    place = at * (grid - 1)
    out = np.zeros((len(at), grid))
    first = np.floor(place).astype(int)
    t = place - first
    pieces = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    for offset, piece in enumerate(pieces, -1):
        np.add.at(out, (np.arange(len(at)), np.clip(first + offset, 0, grid - 1)), piece / 6)
    return out


def places(side: int) -> np.ndarray:
    """Places in [0, 1] of the middles of ``side`` rows or columns."""
    return (np.arange(side) + 0.5) / side


def swish(x: Array, xp: Any) -> Array:
    """x times its logistic function."""
    return 0.5 * x * (1 + xp.tanh(0.5 * x))


def features(params: Parameters, z: Array, letters: Array, xp: Any = np) -> tuple[Array, Array]:
    """Features ``(n, grid * grid * channels)`` of letters in styles ``z`` ``(n, latent)``, and the space before and
    after each, ``(n, 2)``; ``letters`` ``(n, 62)`` are weights of the letters, 1 for one of them."""
    gates = 1 + letters @ params["gates"]  # what a style does differs from letter to letter
    h = swish((z @ params["style"].T) * gates + letters @ params["letters"], xp)
    for k in range(2):
        h = h + swish(h @ params[f"hidden.{k}.weight"].T + params[f"hidden.{k}.bias"], xp)
    return (
        h @ params["features.weight"].T + params["features.bias"],
        h @ params["space.weight"].T + params["space.bias"],
    )


def distances_at(params: Parameters, interpolated: Array, xp: Any = np) -> Array:
    """Distances ``(...)`` of points with features ``(..., channels)``."""
    h = swish(interpolated @ params["head.0.weight"].T + params["head.0.bias"], xp)
    h = h + swish(h @ params["head.1.weight"].T + params["head.1.bias"], xp)
    return (h @ params["head.2.weight"].T + params["head.2.bias"])[..., 0]


def encode(params: Parameters, seen: Array, letters: Array, xp: Any = np) -> tuple[Array, Array]:
    """What letters say of the style: mean and precision ``(n, latent)``; ``seen`` ``(n, SEEN * SEEN)`` as ``see``
    gives it, ``letters`` ``(n, 62)``."""
    h = swish(seen @ params["encoder.0.weight"].T + letters @ params["encoder.letters"], xp)
    h = swish(h @ params["encoder.1.weight"].T + params["encoder.1.bias"], xp)
    mean, log_precision = xp.split(h @ params["encoder.2.weight"].T + params["encoder.2.bias"], 2, axis=-1)
    return mean, xp.exp(xp.clip(log_precision, -6.0, 6.0))


def combine(mean: Array, precision: Array, weights: Array, xp: Any = np) -> tuple[Array, Array]:
    """Mean and variance ``(..., latent)`` of the style that letters ``(..., k, latent)`` of one font have: a product
    of Gaussians and of the prior N(0, 1) (Wu and Goodman, 2018); ``weights`` ``(..., k)``, 0 for those that are
    not there."""
    share = precision * weights[..., None]
    total = 1 + xp.sum(share, -2)
    return xp.sum(mean * share, -2) / total, 1 / total


def read_style(model: Model, fields: np.ndarray, letters: Sequence[int] | np.ndarray) -> np.ndarray:
    """The style ``(latent,)`` of letters of one font: fields ``(n, SIDE, SIDE)`` of distances, and which they are."""
    params = {name: np.asarray(value, np.float64) for name, value in model.params.items()}
    mean, precision = encode(params, see(np.asarray(fields, np.float64)), one_hot(letters))
    found, _ = combine(mean, precision, np.ones(len(mean)))
    return np.linalg.solve(params["prior.scale"], found - params["prior.mean"])


def see(fields: Array) -> Array:
    """What the encoder sees ``(n, SEEN * SEEN)`` of fields ``(n, SIDE, SIDE)``: means over squares, in [-1, 1]."""
    step = SIDE // SEEN
    return fields.reshape(len(fields), SEEN, step, SEEN, step).mean((2, 4)).reshape(len(fields), -1) / DEEP


def one_hot(letters: Sequence[int] | np.ndarray) -> np.ndarray:
    """Weights ``(n, 62)`` of letters by number."""
    return np.eye(len(LETTERS), dtype=np.float32)[np.asarray(letters, int)]


def whiten(model: Model, styles: np.ndarray) -> Model:
    """The same model in other coordinates: ``styles`` ``(n, latent)`` of fonts have mean 0 and covariance 1 in them, so
    that random z look like what it learned from.

    As ``cppn.latent.model.whiten``: a Gaussian fitted to the encoded data. The decoder takes the new coordinates; the
    encoder keeps the old ones, in which its precisions are diagonal, and ``read_style`` brings them over.
    """
    size = model.config.latent
    params = {name: np.array(value, np.float64) for name, value in model.params.items()}
    centre = styles.mean(0)
    values, vectors = np.linalg.eigh(np.cov(styles - centre, rowvar=False).reshape(size, size))
    scale = (vectors * np.sqrt(np.maximum(values, _FLAT))) @ vectors.T
    shift = params["style"] @ centre
    params["letters"] += shift * (1 + params["gates"])
    params["style"] = params["style"] @ scale
    params["prior.mean"] += params["prior.scale"] @ centre
    params["prior.scale"] = params["prior.scale"] @ scale
    return Model(model.config, {name: value.astype(np.float32) for name, value in params.items()})


def decode(model: Model, z: np.ndarray, letters: np.ndarray, side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """Distances ``(n, side, side)`` of letters ``(n, 62)`` in styles ``z`` ``(n, latent)``, and the spaces ``(n, 2)``;
    float64, so that the last bits of a sum, which threads may change, do not show."""
    config = model.config
    params = {name: np.asarray(value, np.float64) for name, value in model.params.items()}
    found, spaces = features(params, np.asarray(z, np.float64), np.asarray(letters, np.float64))
    matrix = splines(places(side), config.grid)
    grids = found.reshape(len(found), config.grid, config.grid, config.channels)
    fields = []
    for grid in grids:
        rows = np.tensordot(matrix, grid, (1, 0))  # (side, grid, channels)
        fields.append(distances_at(params, np.einsum("bj,ajc->abc", matrix, rows)))
    return np.array(fields).reshape(len(grids), side, side), spaces
