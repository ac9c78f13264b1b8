"""Pictures of networks in JAX, for searches on an accelerator and for training. (Files are drawn by ``kernel``.)

Everything is cut into strips of points that stay in a CPU's cache (on a GPU: large ones) and candidates come one after
another (there: several at once), so memory does not grow with the population or the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.cppn import plane
from evoart.cppn.evaluate import graph_colours
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.types import Array

_STRIP = {"cpu": 1024, "other": 1 << 16}  # points of one strip
_AT_ONCE = {"cpu": None, "other": 16}  # candidates

Candidate = Any  # what a picture is drawn from: a genome (dim,), or (Slots, genome)


def at_once() -> int | None:
    """Candidates that are drawn at the same time, as ``lax.map`` wants it."""
    return _AT_ONCE.get(jax.default_backend(), _AT_ONCE["other"])


def colours(net: Layers | Graph) -> Callable[[Candidate, Array, Array], Array]:
    """The function that gives sRGB ``(3, p)`` of a candidate at points ``x``, ``y`` ``(p,)``."""
    if isinstance(net, Layers):
        return net.evaluate
    return lambda candidate, x, y: graph_colours(candidate[0], candidate[1], x, y, net)


def picture(net: Layers | Graph, candidate: Candidate, size: tuple[int, int]) -> Array:
    """The picture ``(h, w, 3)`` of one candidate, for use inside a JAX program; differentiable by genomes."""
    w, h = size
    strip = min(_STRIP.get(jax.default_backend(), _STRIP["other"]), w * h)
    paint = colours(net)

    @jax.checkpoint
    def one(first: Array) -> Array:
        x, y = plane.positions(first + jnp.arange(strip, dtype=jnp.int32), size)
        return paint(candidate, x, y)

    starts = np.arange(0, w * h, strip, dtype=np.int32)
    flat = jax.lax.map(one, starts)  # (strips, 3, strip)
    return flat.transpose(0, 2, 1).reshape(-1, 3)[: w * h].reshape(h, w, 3)


def pictures(net: Layers | Graph, candidates: Candidate, size: tuple[int, int]) -> Array:
    """Pictures ``(n, h, w, 3)`` of candidates with a leading ``n``, for use inside a JAX program."""
    return each(lambda candidate: picture(net, candidate, size), candidates)


def each(function: Callable[[Candidate], Any], candidates: Candidate) -> Any:
    """``function`` of every candidate; a bounded number at the same time."""
    return jax.lax.map(function, candidates, batch_size=at_once())


def outline(net: Layers | Graph) -> Layers | Graph:
    """What of a network must be known to compile: of a graph, neither nodes nor links. Networks with one outline can
    be drawn by one program."""
    if isinstance(net, Layers):
        return net
    return Graph(tuple((n, "identity") for n in net.outputs), (), net.latent, net.colour, net.symmetry, net.shared)
