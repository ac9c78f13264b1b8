"""A graph as a list of slots of one shape, so that one program draws any of them, and many side by side.

A slot sums at most ``FAN`` weighted values, adds a bias and applies its activation. A node with more links than that
becomes several slots: partial sums first. Slots lie in topological order, the outputs' at the end; padding in between
is never computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evoart.cppn import activations
from evoart.cppn.graph import Graph
from evoart.types import Array

FAN = 4
SMALLEST = 16  # slots of the smallest program; each further one is twice as large


class Slots(NamedTuple):
    """One graph, or with a leading ``n`` on every array several.

    Attributes:
        source: ``(s, FAN)`` int32 rows of the values: first the inputs, then the slots.
        weight: ``(s, FAN)`` int32 places of the weights in the genome; the two places past its end hold 0 and 1.
        bias: ``(s,)`` int32, likewise.
        activation: ``(s,)`` int32 numbers in ``activations.TABLE``.
        used: ``()`` int32 slots before the padding; outputs are computed as well.
    """

    source: Array
    weight: Array
    bias: Array
    activation: Array
    used: Array


def size_for(graphs: Sequence[Graph]) -> tuple[int, int]:
    """Slots and genome length, each a power of two, that hold any of ``graphs``: few sizes mean few programs."""
    slots = max(len(of(graph)[0]) + len(graph.outputs) for graph in graphs)
    return _rounded(slots), _rounded(max(graph.dim for graph in graphs))


def _rounded(number: int) -> int:
    return max(SMALLEST, 1 << (number - 1).bit_length())


def lower(graph: Graph, slots: int, dim: int) -> Slots:
    """The graph in ``slots`` slots, for genomes padded to ``dim`` numbers."""
    hidden, outputs = of(graph)
    count = len(outputs)
    if len(hidden) + count > slots or graph.dim > dim:
        raise ValueError("the graph does not fit")
    zero = dim
    out = Slots(
        np.zeros((slots, FAN), np.int32),
        np.full((slots, FAN), zero, np.int32),
        np.full(slots, zero, np.int32),
        np.zeros(slots, np.int32),
        np.int32(len(hidden)),
    )
    for row, (links, bias, name) in [*enumerate(hidden), *enumerate(outputs, slots - count)]:
        for column, (source, place) in enumerate(links):
            out.source[row, column] = source
            out.weight[row, column] = dim + 1 if place < 0 else place
        out.bias[row] = zero if bias is None else bias
        out.activation[row] = activations.INDEX[name]
    return out


def stack(graphs: Sequence[Graph], genomes: Sequence[np.ndarray]) -> tuple[Slots, np.ndarray]:
    """Slots ``(n, ...)`` and genomes ``(n, dim)`` of graphs that may all differ, padded to one size."""
    slots, dim = size_for(graphs)
    rows = np.zeros((len(graphs), dim), np.float32)
    for row, genome in zip(rows, genomes, strict=True):
        row[: len(genome)] = genome
    parts = [lower(graph, slots, dim) for graph in graphs]
    return Slots(*(np.stack(part) for part in zip(*parts, strict=True))), rows


_Slot = tuple[list[tuple[int, int]], int | None, str]  # (row, place of the weight, -1 for 1), bias, activation


def of(graph: Graph) -> tuple[list[_Slot], list[_Slot]]:
    """The slots of hidden nodes and of partial sums in order, and those of the outputs."""
    into: dict[int, list[tuple[int, int]]] = {}
    for index, link in enumerate(graph.links):
        if link.enabled:
            into.setdefault(link.target, []).append((link.source, graph.link_at(index)))
    position = {number: index for index, (number, _) in enumerate(graph.nodes)}
    row = {number: number for number in range(graph.inputs)}
    outputs, hidden, last = set(graph.outputs), [], {}
    for number in graph.order:
        if number not in graph.alive:
            continue
        links = [(row[source], place) for source, place in into.get(number, ()) if source in graph.alive]
        while len(links) > FAN:  # partial sums take the links' place
            hidden.append((links[:FAN], None, "identity"))
            links = [*links[FAN:], (graph.inputs + len(hidden) - 1, -1)]
        index = position[number]
        slot = (links, graph.bias_at(index), graph.nodes[index][1])
        if number in outputs:
            last[number] = slot
        else:
            hidden.append(slot)
            row[number] = graph.inputs + len(hidden) - 1
    return hidden, [last[number] for number in graph.outputs]
