"""Pictures of networks: whole populations for a search, and rows of pictures of any size for a file.

Everything is cut into strips of points that stay in a CPU's cache (on a GPU: large ones) and candidates come one after
another (there: several at once), so memory does not grow with the population or the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evoart.cppn import plane
from evoart.cppn.evaluate import graph_colours
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.cppn.slots import lower, size_for
from evoart.types import Array, Genome

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


def candidate(net: Layers | Graph, genome: Genome) -> Candidate:
    """What ``colours`` takes, of one network."""
    genome = np.asarray(genome, np.float32)
    if isinstance(net, Layers):
        return genome
    slots, dim = size_for([net])
    return lower(net, slots, dim), np.pad(genome, (0, dim - len(genome)))


def rows(net: Layers | Graph, genome: Genome, size: tuple[int, int], first: int, last: int) -> np.ndarray:
    """Rows ``first`` to ``last - 1`` of a picture of ``size`` (w, h), ``(last - first, w, 3)`` float32 sRGB."""
    w, _ = size
    run = _rows_program(outline(net), w, -(-(last - first) * w // POINTS))
    flat = run(candidate(net, genome), np.int32(first), np.asarray(size, np.int32))
    return np.asarray(flat).reshape(-1, 3)[: (last - first) * w].reshape(last - first, w, 3)


POINTS = 1024


def outline(net: Layers | Graph) -> Layers | Graph:
    """What of a network must be known to compile: of a graph, neither nodes nor links. Networks with one outline can
    be drawn by one program."""
    if isinstance(net, Layers):
        return net
    return Graph(tuple((n, "identity") for n in net.outputs), (), net.latent, net.colour, net.symmetry, net.shared)


@lru_cache(maxsize=64)
def _rows_program(net: Layers | Graph, width: int, strips: int) -> Callable[..., Array]:
    """A compiled program for rows of pictures of one width: ``(strips, POINTS, 3)`` from the first row on.

    Points are counted within the rows, so that no number grows too large for float32 or int32.
    """
    paint = colours(net)

    @jax.jit
    def run(candidate: Candidate, first: Array, size: Array) -> Array:
        step = jnp.float32(2) / size.max().astype(jnp.float32)

        def one(start: Array) -> Array:
            index = start + jnp.arange(POINTS, dtype=jnp.int32)
            x = (index % width).astype(jnp.float32) - (size[0] - 1).astype(jnp.float32) / 2
            y = (first + index // width).astype(jnp.float32) - (size[1] - 1).astype(jnp.float32) / 2
            return paint(candidate, x * step, y * step).T

        return jax.lax.map(one, jnp.arange(strips, dtype=jnp.int32) * POINTS)

    return run
