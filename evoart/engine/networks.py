"""The engine of coordinate networks: pictures, losses and training of whole populations, whatever their topologies.

Candidates are drawn and scored one at a time, so that one picture is in memory per thread.
On an accelerator they come in batches instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from evoart.cppn import paint, slots
from evoart.cppn.breeder import Individual
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.engine.jax_setup import setup
from evoart.forms.cppn import NetworkForm
from evoart.threads import spread, threads
from evoart.types import Array, Score

_CHUNK = 16  # candidates of one unit of work


class Painter:
    """Draws individuals of one architecture; ``canvas`` is ``(w, h)`` in pixels."""

    def __init__(self, net: Layers | Graph, canvas: tuple[int, int]) -> None:
        setup()
        self.net, self.canvas = net, canvas
        self._images = jax.jit(partial(paint.pictures, net, size=canvas))

    def images(self, individuals: Sequence[Individual]) -> np.ndarray:
        """Pictures ``(n, h, w, 3)`` float32 sRGB."""
        return np.concatenate(in_chunks(self.net, individuals, self._images))


class NetworkEngine:
    """Evaluates networks by a score that JAX can follow.

    Args:
        form: what genomes stand for, where only genomes are given; its net is what all individuals have in common.
        score: evaluates pictures.
        canvas: ``(w, h)`` in pixels at which they are scored.

    Attributes:
        traceable: whether a search should put this engine into its own program. On a CPU it should not: threads then
            work at a time.
        inputs: the score's, for the methods named ``*_traced``.
        target: the score's, where it has one.
        work: what a candidate costs, in pixels times shapes of the dense engine.
    """

    name = "networks"

    def __init__(self, form: NetworkForm, score: Score, canvas: tuple[int, int]) -> None:
        setup()
        self.form, self.net, self.score, self.canvas = form, form.net, score, canvas
        self.inputs, self.target = score.inputs, getattr(score, "target", None)
        self.traceable = jax.default_backend() != "cpu"
        self.work = form.work(canvas[0] * canvas[1])
        self._losses = jax.jit(lambda candidates: paint.each(lambda c: self._loss(c, self.inputs), candidates))
        self._train = jax.jit(self._trained)

    # Genomes of the form.

    def losses(self, genomes: np.ndarray) -> np.ndarray:
        """Losses ``(n,)`` float32 of genomes ``(n, dim)``."""
        return self.judge([(self.net, genome) for genome in np.asarray(genomes, np.float32)])

    def losses_traced(self, genomes: Array, inputs: tuple[Any, ...]) -> Array:
        """``losses`` for use inside a JAX program."""
        return paint.each(lambda c: self._loss(c, inputs), self._candidates(genomes))

    def loss_and_gradient_traced(self, genome: Array, inputs: tuple[Any, ...]) -> tuple[Array, Array]:
        """Loss of one genome ``(dim,)`` and its gradient ``(dim,)``, for use inside a JAX program."""

        def loss(genome: Array) -> Array:
            candidate = jax.tree.map(lambda part: part[0], self._candidates(genome[None]))
            return self._loss(candidate, inputs)

        return jax.value_and_grad(loss)(genome)

    def _candidates(self, genomes: Array) -> paint.Candidate:
        if isinstance(self.net, Layers):
            return genomes
        size, dim = slots.size_for([self.net])
        lowered = slots.lower(self.net, size, dim)
        n = genomes.shape[0]
        repeated = slots.Slots(*(jnp.broadcast_to(part, (n, *np.shape(part))) for part in lowered))
        return repeated, jnp.pad(genomes, ((0, 0), (0, dim - self.net.dim)))

    # Individuals, each with a topology of its own.

    def judge(self, individuals: Sequence[Individual]) -> np.ndarray:
        """Losses ``(n,)`` float32."""
        return np.concatenate(in_chunks(self.net, individuals, self._losses))

    def train(self, individuals: Sequence[Individual], steps: int, rate: float) -> tuple[list[Individual], np.ndarray]:
        """Every individual after ``steps`` of Adam from where it is, at its best, and the losses ``(n,)``."""
        parts = in_chunks(self.net, individuals, lambda c: self._train(c, np.int32(steps), np.float32(rate)))
        genomes, losses = (np.concatenate(part) for part in zip(*parts, strict=True))
        trained = [(net, row[: net.dim]) for (net, _), row in zip(individuals, genomes, strict=True)]
        return trained, losses

    def _trained(self, candidates: paint.Candidate, steps: Array, rate: Array) -> tuple[Array, Array]:
        return paint.each(lambda c: self._train_one(c, steps, rate), candidates)

    def _train_one(self, candidate: paint.Candidate, steps: Array, rate: Array) -> tuple[Array, Array]:
        graph = not isinstance(self.net, Layers)
        genome = candidate[1] if graph else candidate
        adam = optax.scale_by_adam(b2=0.99)
        value = jax.value_and_grad(lambda g: self._loss((candidate[0], g) if graph else g, self.inputs))

        def step(i: Array, carry: Any) -> Any:
            genome, state, best, least = carry
            loss, slope = value(genome)
            better = loss < least
            best, least = jnp.where(better, genome, best), jnp.where(better, loss, least)
            update, state = adam.update(jnp.nan_to_num(slope), state)
            falling = rate * (1 - 0.9 * i / jnp.maximum(steps, 1))
            return genome - falling * update, state, best, least

        start = (genome, adam.init(genome), genome, jnp.float32(jnp.inf))
        genome, _, best, least = jax.lax.fori_loop(0, steps, step, start)
        loss = self._loss((candidate[0], genome) if graph else genome, self.inputs)
        return jnp.where(loss < least, genome, best), jnp.minimum(loss, least)

    def _loss(self, candidate: paint.Candidate, inputs: tuple[Any, ...]) -> Array:
        image = paint.picture(self.net, candidate, self.canvas)
        return self.score.losses_traced(image[None], inputs)[0]


def in_chunks(net: Layers | Graph, individuals: Sequence[Individual], program: Callable[..., Any]) -> list[Any]:
    """``program`` over chunks of candidates of one size, each by a thread; what pads the last one is cut off."""
    if isinstance(net, Layers):
        candidates: Any = np.stack([genome for _, genome in individuals])
    else:
        graphs: list[Any] = [graph for graph, _ in individuals]
        candidates = slots.stack(graphs, [genome for _, genome in individuals])
    n = len(individuals)
    most = _CHUNK if jax.default_backend() == "cpu" else 4096
    size = min(most, _power(-(-n // threads())))

    def work(i: int) -> Any:
        chosen = np.minimum(np.arange(i * size, (i + 1) * size), n - 1)
        out = program(jax.tree.map(lambda part: part[chosen], candidates))
        return jax.tree.map(lambda part: np.asarray(part)[: n - i * size], out)

    return spread(work, -(-n // size))


def _power(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()
