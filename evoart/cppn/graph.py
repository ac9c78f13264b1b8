"""Networks of any acyclic topology: nodes with an activation each, and weighted links (K. O. Stanley and
R. Miikkulainen, "Evolving Neural Networks through Augmenting Topologies", 2002).

Nodes are numbered: first the inputs x, y, r and the latent numbers, then the outputs, then whatever evolution added. A
genome is the latent numbers, one weight per link and one bias per node, in the order in which the graph lists them;
or, where all links share one weight (A. Gaier and D. Ha, "Weight Agnostic Neural Networks", 2019), the latent numbers
and that weight.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evoart.cppn import activations, colour, plane
from evoart.cppn.layers import check_architecture
from evoart.errors import EvoartError

MOST_NODES, MOST_LINKS = 2000, 20_000
_FIXES = "Use another copy of the file, or fix it"


@dataclass(frozen=True)
class Link:
    """A link from node ``source`` to node ``target``; one that is not ``enabled`` carries nothing, but may again."""

    source: int
    target: int
    enabled: bool = True


@dataclass(frozen=True)
class Graph:
    """A topology.

    Attributes:
        nodes: (number, activation) of outputs and hidden nodes, sorted by number.
        links: sorted by source and target.
        latent, colour, symmetry: as of ``Layers``.
        shared: whether all links have one weight, and no node a bias.

    Raises:
        EvoartError: not a network that can be drawn: a cycle, a link from or to a node that is not there, a missing
            output, the same twice.
        UsageError: an unknown activation, colour or symmetry.
    """

    nodes: tuple[tuple[int, str], ...]
    links: tuple[Link, ...]
    latent: int = 4
    colour: str = "rgb"
    symmetry: str = "none"
    shared: bool = False

    def __post_init__(self) -> None:
        check_architecture(self.latent, self.colour, self.symmetry)
        activations.check_names([activation for _, activation in self.nodes])
        if len(self.nodes) > MOST_NODES or len(self.links) > MOST_LINKS:
            raise EvoartError(
                f"a network of {len(self.nodes):,} nodes and {len(self.links):,} links",
                f"At most {MOST_NODES:,} and {MOST_LINKS:,} are drawn",
            )
        self._check_links()
        _ = self.order  # finds cycles

    def _check_links(self) -> None:
        numbers = [number for number, _ in self.nodes]
        known = set(numbers)
        if len(known) < len(numbers):
            raise EvoartError("the network has a node twice", _FIXES)
        if not known >= set(self.outputs):
            raise EvoartError("the network lacks an output", _FIXES)
        if numbers and min(numbers) < self.inputs:
            raise EvoartError(f"the network's node {min(numbers)} has the number of an input", _FIXES)
        pairs = [(link.source, link.target) for link in self.links]
        if len(set(pairs)) < len(pairs):
            raise EvoartError("the network has a link twice", _FIXES)
        sources = known - set(self.outputs) | set(range(self.inputs))
        for source, target in pairs:
            if source not in sources or target not in known:
                raise EvoartError(
                    f"the network has a link {source} -> {target} between nodes that cannot have it", _FIXES
                )

    @cached_property
    def inputs(self) -> int:
        """How many inputs: x, y, r and the latent numbers."""
        return len(plane.SPATIAL) + self.latent

    @cached_property
    def outputs(self) -> range:
        """The outputs' numbers."""
        return range(self.inputs, self.inputs + colour.outputs(self.colour))

    @property
    def dim(self) -> int:
        """Length of a genome."""
        return self.latent + (1 if self.shared else len(self.links) + len(self.nodes))

    @property
    def enabled(self) -> list[Link]:
        """The links that carry something."""
        return [link for link in self.links if link.enabled]

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The nodes' numbers in an order in which every node follows those it depends on, outputs last.

        Links that are not enabled count too: one of them may be again.

        Raises:
            EvoartError: there is a cycle.
        """
        waiting = {number: 0 for number, _ in self.nodes}
        following: dict[int, list[int]] = {}
        for link in self.links:
            if link.source in waiting:
                waiting[link.target] += 1
                following.setdefault(link.source, []).append(link.target)
        outputs = set(self.outputs)
        ready = [(number in outputs, number) for number, count in waiting.items() if not count]
        heapq.heapify(ready)  # by number, so that a graph has one order
        order = []
        while ready:
            number = heapq.heappop(ready)[1]
            order.append(number)
            for target in following.get(number, ()):
                waiting[target] -= 1
                if not waiting[target]:
                    heapq.heappush(ready, (target in outputs, target))
        if len(order) < len(waiting):
            stuck = sorted(number for number, count in waiting.items() if count)
            raise EvoartError(f"the network has a cycle through node {stuck[0]}", _FIXES)
        return tuple(order)

    @cached_property
    def alive(self) -> frozenset[int]:
        """The nodes, inputs among them, on which an output depends through enabled links; outputs always."""
        before: dict[int, list[int]] = {}
        for link in self.enabled:
            before.setdefault(link.target, []).append(link.source)
        found, waiting = set(self.outputs), list(self.outputs)
        while waiting:
            for source in before.get(waiting.pop(), ()):
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return frozenset(found)

    def link_at(self, index: int) -> int:
        """Where in a genome the weight of link ``index`` is."""
        return self.latent + (0 if self.shared else index)

    def bias_at(self, index: int) -> int | None:
        """Where in a genome the bias of node ``index`` is; None where there are none."""
        return None if self.shared else self.latent + len(self.links) + index

    def steps(self) -> np.ndarray:
        """Relative step size of every number ``(dim,)``."""
        rest = [0.3] if self.shared else [0.3] * len(self.links) + [0.15] * len(self.nodes)
        return np.array([0.3] * self.latent + rest, np.float32)
