"""A graph's slots computed at many points at once, forwards and backwards, in JAX.

The loop over slots is a real loop, so one compiled program serves every topology, and a slot costs what its own
activation costs. (Mapped over candidates one by one; batched with ``vmap``, as suits a GPU, all activations are
computed and one is chosen.)
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from evoart.cppn import activations, colour, plane
from evoart.cppn.graph import Graph
from evoart.cppn.slots import FAN, Slots
from evoart.types import Array


def graph_colours(slots: Slots, genome: Array, x: Array, y: Array, net: Graph) -> Array:
    """sRGB ``(3, p)`` of one graph at the points ``x``, ``y`` ``(p,)``.

    Args:
        slots: the graph.
        genome: ``(dim,)``, padded as ``slots`` expects.
        net: a graph with the same latent numbers, colour and symmetry, which must be known when compiling.
    """
    slots = Slots(*(jnp.asarray(part) for part in slots))
    padded = jnp.concatenate([genome, jnp.asarray([0.0, 1.0], genome.dtype)])
    values = plane.inputs(x, y, genome[: net.latent], net.symmetry)
    sums = _run(slots, padded[slots.weight], padded[slots.bias], values, len(net.outputs))
    return colour.to_rgb(activations.clip(sums), net.colour)


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def _run(slots: Slots, weight: Array, bias: Array, inputs: Array, outputs: int) -> Array:
    """Values ``(outputs, p)`` of the last slots, given weights ``(s, FAN)``, biases ``(s,)`` and inputs ``(i, p)``."""
    return _forward(slots, weight, bias, inputs, outputs)[0][-outputs:]


def _run_forward(slots: Slots, weight: Array, bias: Array, inputs: Array, outputs: int) -> tuple[Array, Any]:
    values, sums = _forward(slots, weight, bias, inputs, outputs)
    return values[-outputs:], (slots, weight, values, sums)


def _run_backward(outputs: int, kept: Any, gradient: Array) -> tuple[None, Array, Array, Array]:
    slots, weight, values, sums = kept
    return None, *_backward(slots, weight, values, sums, gradient)


_run.defvjp(_run_forward, _run_backward)


def _loop(slots: Slots, outputs: int, one: Any, carry: Any, back: bool = False) -> Any:
    """``one(slot, carry)`` for every slot in use, in order or from the last to the first."""
    count = slots.source.shape[-2]

    def step(i: Array, carry: Any) -> Any:
        i = slots.used + outputs - 1 - i if back else i
        return one(jnp.where(i < slots.used, i, i - slots.used + count - outputs), carry)

    return jax.lax.fori_loop(0, slots.used + outputs, step, carry)


def _forward(slots: Slots, weight: Array, bias: Array, inputs: Array, outputs: int) -> tuple[Array, Array]:
    """Values ``(i + s, p)`` of inputs and slots, and the sums ``(s, p)``."""
    first, points = inputs.shape
    count = slots.source.shape[0]
    values = jnp.concatenate([inputs, jnp.zeros((count, points), inputs.dtype)])

    def one(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        values, sums = carry
        total = jnp.broadcast_to(bias[i], (points,))
        for f in range(FAN):
            total = total + weight[i, f] * values[slots.source[i, f]]
        values = values.at[first + i].set(activations.switch(slots.activation[i], total))
        return values, sums.at[i].set(total)

    return _loop(slots, outputs, one, (values, jnp.zeros((count, points), inputs.dtype)))


def _backward(slots: Slots, weight: Array, values: Array, sums: Array, gradient: Array) -> tuple[Array, Array, Array]:
    """Derivatives by weights, biases and inputs, given that by the outputs ``(outputs, p)``."""
    count, outputs = len(sums), len(gradient)
    first = len(values) - count
    by_values = jnp.zeros_like(values).at[-outputs:].set(gradient)

    def one(i: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        by_values, by_weight, by_bias = carry
        by_sum = activations.pull(slots.activation[i], sums[i], by_values[first + i])
        by_bias = by_bias.at[i].set(by_sum.sum())
        for f in range(FAN):
            row = slots.source[i, f]
            by_weight = by_weight.at[i, f].set(jnp.vdot(by_sum, values[row]))
            by_values = by_values.at[row].add(weight[i, f] * by_sum)
        return by_values, by_weight, by_bias

    start = (by_values, jnp.zeros_like(weight), jnp.zeros(count, weight.dtype))
    by_values, by_weight, by_bias = _loop(slots, outputs, one, start, back=True)
    return by_weight, by_bias, by_values[:first]
