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
VARIATIONS = ("all", "colour", "structure")  # what of a picture a child may change


class Breeder(Protocol):
    """Makes individuals of one kind."""

    def fresh(self, rng: np.random.Generator) -> Individual:
        """A random network."""
        ...

    def mutated(
        self, one: Individual, rng: np.random.Generator, strength: float = 1.0, vary: str = "all"
    ) -> Individual:
        """A child of one parent; a ``strength`` of 1 shows, and leaves the family likeness.

        ``vary``, one of ``VARIATIONS``: ``colour`` changes how the outputs are mixed and nothing before them,
        ``structure`` all that comes before the outputs.
        """
        ...

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator, vary: str = "all") -> Individual:
        """A child of two; what may not vary is that of ``better``."""
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
        self._colour = np.arange(net.dim) >= net.dim - (net.sizes[-1][0] + 1) * net.sizes[-1][1]  # of the output layer

    def fresh(self, rng: np.random.Generator) -> Individual:
        """See ``Breeder.fresh``."""
        return self.net, self.net.random(rng)

    def mutated(
        self, one: Individual, rng: np.random.Generator, strength: float = 1.0, vary: str = "all"
    ) -> Individual:
        """See ``Breeder.mutated``."""
        genome = one[1]
        if vary == "colour":
            (before, after), child = self.net.sizes[-1], genome.copy()
            mix, shift = _mixture(self.net.colour, rng, strength)
            outputs = child[self._colour]
            weight, bias = outputs[: before * after].reshape(after, before), outputs[before * after :]
            child[self._colour] = np.concatenate([(mix @ weight).ravel(), mix @ bias + shift])
            return one[0], child
        # Sometimes few numbers by much, sometimes all by a little: both show, differently.
        share = rng.choice([0.05, 0.3, 1.0])
        mask = rng.random(len(genome)) < share
        noise = rng.normal(0, 0.25 * strength / np.sqrt(share), len(genome))
        return self._varied(one, (genome + mask * noise * self._steps).astype(np.float32), vary)

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator, vary: str = "all") -> Individual:
        """See ``Breeder.crossed``."""
        if rng.random() < 0.5:  # between the two, or a little beyond
            share = np.float32(rng.uniform(-0.1, 1.1))
            return self._varied(better, better[1] + share * (other[1] - better[1]), vary)
        takes = rng.random(self._owner.max(initial=0) + 1) < rng.uniform(0.1, 0.5)
        return self._varied(better, np.where(takes[self._owner], other[1], better[1]), vary)

    def _varied(self, parent: Individual, genome: Genome, vary: str) -> Individual:
        """The child ``genome`` with what may not vary as the parent has it."""
        if vary == "all":
            return parent[0], genome
        return parent[0], np.where(self._colour == (vary == "colour"), genome, parent[1])

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

    def mutated(
        self, one: Individual, rng: np.random.Generator, strength: float = 1.0, vary: str = "all"
    ) -> Individual:
        """See ``Breeder.mutated``."""
        parent = found = _genes(one)
        if vary == "colour":
            return self._recoloured(found, rng, strength).express()
        rates = _calmer(self.rates, 2 * strength) if strength < 0.5 else self.rates
        for _ in range(max(1, round(strength))):
            found = genes.mutate(found, rng, rates)
        return (found if vary == "all" else _with_outputs(found, parent)).express()

    def crossed(self, better: Individual, other: Individual, rng: np.random.Generator, vary: str = "all") -> Individual:
        """See ``Breeder.crossed``."""
        one = _genes(better)
        child = genes.cross(one, _genes(other), rng)
        if vary != "all":
            child = _with_outputs(child, one) if vary == "structure" else _with_outputs(one, child)
        return child.express()

    def _recoloured(self, parent: genes.Genes, rng: np.random.Generator, strength: float) -> genes.Genes:
        """Other links into the outputs, and other biases there; the nodes before them stay."""
        child, outputs = parent.copy(), list(parent.net.outputs)
        if parent.net.shared:  # no weight is a link's own: links come and go
            before = child.links
            while child.links == before:
                genes.add_link(child, rng, target=int(rng.choice(outputs)))
                ends = [key for key in sorted(child.links) if key[1] in outputs]
                key = ends[rng.integers(len(ends))]
                weight, on = child.links[key]
                child.links = child.links | {key: (weight, not on)}
            return child
        mix, shift = _mixture(parent.net.colour, rng, strength)
        if len(outputs) > 1:  # of all mixtures with others the strongest one: each asks for links of its own
            others = mix * (1 - np.eye(len(outputs)))
            mix = np.diag(np.diag(mix)) + np.where(np.abs(others) == np.abs(others).max(), others, 0)
        for source in sorted({source for source, target in parent.links if target in outputs}):
            old = [parent.links.get((source, target), (0.0, False)) for target in outputs]
            new = mix @ [weight * on for weight, on in old]
            for target, (_, on), weight in zip(outputs, old, new, strict=True):
                if on or weight:
                    heaviest = genes.HEAVIEST
                    child.links[source, target] = (float(np.clip(weight, -heaviest, heaviest)), True)
        biases = mix @ [parent.nodes[number][1] for number in outputs] + shift
        for number, bias in zip(outputs, biases, strict=True):
            child.nodes[number] = (parent.nodes[number][0], float(bias))
        return child

    def distance(self, one: Individual, other: Individual) -> float:
        """See ``Breeder.distance``."""
        return _genes(one).distance(_genes(other))


def _genes(one: Individual) -> genes.Genes:
    graph, genome = one
    if not isinstance(graph, Graph):
        raise TypeError("layers are no graph")
    return genes.Genes.of(graph, genome)


def _mixture(colour: str, rng: np.random.Generator, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """How outputs ``(c,)`` become others: by a matrix ``(c, c)`` and a shift ``(c,)``. Every level set of all of them
    together stays where it is, so a picture is recoloured and not redrawn."""
    if colour == "rgb":
        return np.eye(3) + rng.normal(0, 0.35 * strength, (3, 3)), rng.normal(0, 0.6 * strength, 3)
    gain = np.exp(rng.normal(0, 0.35 * strength, 1 if colour == "gray" else 3))
    shift = rng.normal(0, 0.6 * strength, len(gain))
    if colour == "hsv":
        gain[0], shift[0] = 1.0, rng.normal(0, 0.25 * strength)  # a hue of 1 is once around
    return np.diag(gain), shift


def _calmer(rates: genes.Rates, share: float) -> genes.Rates:
    """Rates of a mutation that is ``share`` (0 to 1) of a whole one: smaller nudges, and less that is new."""
    rare = {name: share * getattr(rates, name) for name in ("fresh", "node", "link", "activation", "toggle", "step")}
    return dataclasses.replace(rates, weights=1.0, **rare)


def _with_outputs(one: genes.Genes, other: genes.Genes) -> genes.Genes:
    """``one`` with the weights and biases that ``other`` has at the outputs, where both have them."""
    child = one.copy()
    for key, (_, on) in one.links.items():
        if key[1] in one.net.outputs and key in other.links:
            child.links[key] = (other.links[key][0], on)
    child.nodes |= {number: other.nodes[number] for number in one.net.outputs}
    return child


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
