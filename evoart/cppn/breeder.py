"""Making networks and their children, one face for both kinds. An individual is ``(net, genome)``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from evoart.cppn import activations, genes
from evoart.cppn.graph import Graph, Link
from evoart.cppn.layers import Layers
from evoart.types import Genome

Individual: TypeAlias = tuple[Layers | Graph, Genome]


class Breeder(Protocol):
    """Makes individuals of one kind."""

    def fresh(self, rng: np.random.Generator) -> Individual:
        """A random network."""
        ...

    def mutated(self, one: Individual, rng: np.random.Generator, strength: float = 1.0) -> Individual:
        """A child of one parent; a ``strength`` of 1 shows, and leaves the family likeness."""
        ...

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator) -> Individual:
        """A child of two."""
        ...

    def distance(self, one: Individual, other: Individual) -> float:
        """How different two are, about 0 to 3."""
        ...


class LayersBreeder:
    """Of networks with fixed layers: vectors are moved and mixed."""

    def __init__(self, net: Layers) -> None:
        self.net = net
        self._steps = net.steps()
        # All numbers of a unit, its weights and its bias: what belongs together is inherited together.
        owner, at = [np.arange(net.latent)], net.latent
        for before, after in net.sizes:
            units = at + np.arange(after)
            owner += [np.repeat(units, before), units]
            at += after
        self._owner = np.concatenate(owner)

    def fresh(self, rng: np.random.Generator) -> Individual:
        """See ``Breeder.fresh``."""
        return self.net, self.net.random(rng)

    def mutated(self, one: Individual, rng: np.random.Generator, strength: float = 1.0) -> Individual:
        """See ``Breeder.mutated``."""
        genome = one[1]
        # Sometimes few numbers by much, sometimes all by a little: both show, differently.
        share = rng.choice([0.05, 0.3, 1.0])
        mask = rng.random(len(genome)) < share
        noise = rng.normal(0, 0.25 * strength / np.sqrt(share), len(genome))
        return one[0], (genome + mask * noise * self._steps).astype(np.float32)

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator) -> Individual:
        """See ``Breeder.crossed``."""
        if rng.random() < 0.5:  # between the two, or a little beyond
            share = np.float32(rng.uniform(-0.1, 1.1))
            return better[0], better[1] + share * (other[1] - better[1])
        takes = rng.random(self._owner.max(initial=0) + 1) < rng.uniform(0.1, 0.5)
        return better[0], np.where(takes[self._owner], other[1], better[1])

    def distance(self, one: Individual, other: Individual) -> float:
        """See ``Breeder.distance``."""
        scale = np.maximum(self._steps, 1e-6)
        return float(np.sqrt((((one[1] - other[1]) / scale) ** 2).mean()) / 5)


class GraphBreeder:
    """Of graphs: NEAT's operators."""

    def __init__(self, net: Graph, rates: genes.Rates | None = None, rounds: int = 16) -> None:
        self.net, self.rates, self.rounds = net, rates or genes.Rates(), rounds

    def fresh(self, rng: np.random.Generator) -> Individual:
        """See ``Breeder.fresh``."""
        return genes.random_genes(self.net, rng, self.rates, self.rounds).express()

    def mutated(self, one: Individual, rng: np.random.Generator, strength: float = 1.0) -> Individual:
        """See ``Breeder.mutated``."""
        found = _genes(one)
        for _ in range(max(1, round(strength))):
            found = genes.mutate(found, rng, self.rates)
        return found.express()

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator) -> Individual:
        """See ``Breeder.crossed``."""
        return genes.cross(_genes(better), _genes(other), rng).express()

    def distance(self, one: Individual, other: Individual) -> float:
        """See ``Breeder.distance``."""
        return _genes(one).distance(_genes(other))


def _genes(one: Individual) -> genes.Genes:
    graph, genome = one
    if not isinstance(graph, Graph):
        raise TypeError("layers are no graph")
    return genes.Genes.of(graph, genome)


def breeder(net: Layers | Graph, rates: genes.Rates | None = None) -> Breeder:
    """What makes networks of the kind ``net`` is of."""
    return LayersBreeder(net) if isinstance(net, Layers) else GraphBreeder(net, rates)


def pack(individuals: Sequence[Individual]) -> dict[str, np.ndarray]:
    """Individuals as plain arrays, for checkpoints."""
    genomes = [genome for _, genome in individuals]
    arrays = {
        "genomes": np.concatenate([np.zeros(0, np.float32), *genomes]).astype(np.float32),
        "lengths": np.array([len(genome) for genome in genomes], np.int64),
    }
    graphs = [net for net, _ in individuals if isinstance(net, Graph)]
    if not graphs:
        return arrays
    numbers = activations.INDEX
    nodes = [(number, numbers[name]) for graph in graphs for number, name in graph.nodes]
    links = [(link.source, link.target, link.enabled) for graph in graphs for link in graph.links]
    return arrays | {
        "nodes": np.array(nodes, np.int64).reshape(-1, 2),
        "links": np.array(links, np.int64).reshape(-1, 3),
        "counts": np.array([[len(graph.nodes), len(graph.links)] for graph in graphs], np.int64),
    }


def unpack(arrays: Mapping[str, np.ndarray], layouts: Iterable[Layers | Graph]) -> list[Individual]:
    """The individuals ``pack`` took apart.

    Args:
        layouts: what is known of each: its layers, or a graph with the same inputs and outputs.

    Raises:
        KeyError, ValueError, EvoartError: arrays that do not belong together.
    """
    lengths = [int(length) for length in arrays["lengths"]]
    genomes = [part.copy() for part in np.split(arrays["genomes"], np.cumsum(lengths)[:-1])] if lengths else []
    graphs = _graphs(arrays)
    individuals: list[Individual] = []
    for genome, layout in zip(genomes, layouts, strict=False):
        if isinstance(layout, Graph):
            nodes, links = next(graphs)
            layout = dataclasses.replace(layout, nodes=nodes, links=links)
        individuals.append((layout, genome))
    if len(individuals) < len(lengths) or any(len(genome) != net.dim for net, genome in individuals):
        raise ValueError("a genome does not fit its network")
    return individuals


def _graphs(arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[tuple[tuple[int, str], ...], tuple[Link, ...]]]:
    """Nodes and links of every graph."""
    node, link = 0, 0
    for nodes, links in arrays["counts"].tolist() if "counts" in arrays else ():
        yield (
            tuple((int(n), activations.NAMES[int(a)]) for n, a in arrays["nodes"][node : node + nodes]),
            tuple(Link(int(s), int(t), bool(on)) for s, t, on in arrays["links"][link : link + links]),
        )
        node, link = node + nodes, link + links
    raise ValueError("a graph is missing")
