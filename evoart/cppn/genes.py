"""What evolution does to a graph: the operators of NEAT, each from genes to new genes.

Innovation numbers need no counter here: a link is known by the nodes it joins, and a node that splits a link gets a
number made from that link's ends. The same mutation has the same number whenever and wherever it happens, so networks
of different runs can be crossed.
"""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass

import numpy as np

from evoart.cppn.graph import Graph, Link
from evoart.cppn.layers import HUE
from evoart.cppn.plane import SPATIAL
from evoart.errors import EvoartError
from evoart.types import Genome

HEAVIEST = 30.0  # of a weight or bias
# Random weights from coordinates, from latent numbers, from other nodes, and into outputs of a new network.
FOLDING, LATENT, INNER, OUTER = 3.0, 0.5, 2.0, 0.8


@dataclass(frozen=True)
class Rates:
    """How often things happen to a child.

    Attributes:
        weights: weights and biases are nudged at all; ``fresh`` of them are replaced by random ones.
        node, link, activation, toggle: a node or link is added, an activation changed, a link switched on or off.
        step: standard deviation of a nudge.
        functions: the activations that nodes may have.
    """

    weights: float = 0.8
    fresh: float = 0.05
    node: float = 0.15
    link: float = 0.3
    activation: float = 0.15
    toggle: float = 0.03
    step: float = 0.5
    functions: tuple[str, ...] = ("sine", "gaussian", "tanh", "sigmoid", "cosine", "absolute", "identity", "sinc")


@dataclass
class Genes:
    """A graph and its genome, by innovation number.

    Attributes:
        nodes: number -> (activation, bias).
        links: (source, target), its innovation number -> (weight, enabled).
        latent: ``(latent,)``.
        weight: the one weight where the graph shares one.
        net: the graph without nodes and links.
    """

    nodes: dict[int, tuple[str, float]]
    links: dict[tuple[int, int], tuple[float, bool]]
    latent: np.ndarray
    net: Graph
    weight: float = 1.0

    @classmethod
    def of(cls, graph: Graph, genome: Genome) -> Genes:
        """The genes of a graph and its genome ``(dim,)``."""
        values = [float(v) for v in genome]
        bias = [0.0 if (at := graph.bias_at(i)) is None else values[at] for i in range(len(graph.nodes))]
        return cls(
            {number: (name, b) for (number, name), b in zip(graph.nodes, bias, strict=True)},
            {(k.source, k.target): (values[graph.link_at(i)], k.enabled) for i, k in enumerate(graph.links)},
            np.array(genome[: graph.latent], np.float32),
            dataclasses.replace(graph, nodes=tuple((n, a) for n, a in graph.nodes if n in graph.outputs), links=()),
            values[graph.latent] if graph.shared else 1.0,
        )

    def express(self) -> tuple[Graph, Genome]:
        """The graph and its genome ``(dim,)``."""
        nodes, links = sorted(self.nodes.items()), sorted(self.links.items())
        graph = dataclasses.replace(
            self.net,
            nodes=tuple((number, name) for number, (name, _) in nodes),
            links=tuple(Link(*ends, on) for ends, (_, on) in links),
        )
        if graph.shared:
            return graph, np.append(self.latent, np.float32(self.weight)).astype(np.float32)
        rest = [weight for _, (weight, _) in links] + [bias for _, (_, bias) in nodes]
        return graph, np.concatenate([self.latent, rest]).astype(np.float32)

    def copy(self) -> Genes:
        """Genes that change without these."""
        return Genes(dict(self.nodes), dict(self.links), self.latent.copy(), self.net, self.weight)

    def distance(self, other: Genes) -> float:
        """How different two networks are: links that only one has, per link of the larger, and what the weights and
        activations of the others differ by (Stanley and Miikkulainen, eq. 1, with excess and disjoint as one)."""
        both = self.links.keys() & other.links.keys()
        larger = max(len(self.links), len(other.links), 1)
        alone = (len(self.links) + len(other.links) - 2 * len(both)) / larger
        apart = sum(abs(self.links[k][0] - other.links[k][0]) for k in both) / max(len(both), 1)
        common = self.nodes.keys() & other.nodes.keys()
        turned = sum(self.nodes[k][0] != other.nodes[k][0] for k in common) / max(len(common), 1)
        return alone + 0.2 * min(apart, 5.0) + turned


def split_number(source: int, target: int, taken: dict[int, tuple[str, float]]) -> int:
    """The number of a node that splits the link ``source`` -> ``target``; another where that one is there already."""
    for again in range(len(taken) + 1):
        number = zlib.crc32(f"{source}>{target}#{again}".encode()) | 1 << 16  # above all inputs and outputs
        if number not in taken:
            return number
    raise AssertionError("there are more numbers than nodes")


def random_genes(net: Graph, rng: np.random.Generator, rates: Rates, rounds: int = 16) -> Genes:
    """A random network: inputs joined to outputs, then grown by ``rounds`` of structural mutation, so that it is more
    than a plain gradient from the start. ``net`` says what is fixed; its nodes and links do not matter.

    A node is added with further links at once: as a bare split it would only bend what is there.
    """
    outputs = {number: ("identity", float(rng.normal(0, 0.5))) for number in net.outputs}
    net = dataclasses.replace(net, nodes=tuple((n, "identity") for n in net.outputs), links=())
    genes = Genes(outputs, {}, rng.normal(0, 1, net.latent).astype(np.float32), net, 1.5)
    for index, target in enumerate(net.outputs):
        for source in {int(rng.integers(0, 3)), index % 3}:
            genes.links[source, target] = (random_weight(genes, source, target, rng), True)
    for _ in range(rounds):
        number = add_node(genes, rng, rates)
        if number is not None:
            for _ in range(2):
                add_link(genes, rng, target=number)
            _to_outputs(genes, number, rng)
    return genes


def _to_outputs(genes: Genes, number: int, rng: np.random.Generator) -> None:
    """Links from a node to one output or, every second time, to all alike: light and shade, and not bare colours."""
    outputs = list(genes.net.outputs)
    if genes.net.colour == "hsv":
        outputs = outputs[1:] if rng.random() < 0.7 else outputs[:1]
    if rng.random() < 0.5:
        outputs = [outputs[rng.integers(len(outputs))]]
    weight = rng.normal(0, OUTER)
    for target in outputs:
        scale = HUE if genes.net.colour == "hsv" and target == genes.net.outputs[0] else 1.0
        genes.links[number, target] = (float(scale * (weight + rng.normal(0, OUTER / 3))), True)


def mutate(genes: Genes, rng: np.random.Generator, rates: Rates) -> Genes:
    """A changed copy: at least one thing differs."""
    child = genes.copy()
    acts = [
        (rates.weights, lambda: nudge(child, rng, rates)),
        (rates.node, lambda: add_node(child, rng, rates)),
        (rates.link, lambda: add_link(child, rng)),
        (rates.activation, lambda: change_activation(child, rng, rates)),
        (rates.toggle, lambda: toggle(child, rng)),
    ]
    happens = rng.random(len(acts)) < [rate for rate, _ in acts]
    if not happens.any():
        happens[0] = True
    for now, (_, act) in zip(happens, acts, strict=True):
        if now:
            act()
    return child


def nudge(genes: Genes, rng: np.random.Generator, rates: Rates) -> None:
    """Every weight, bias and latent number moves a little with probability 1/2, a few become random ones."""

    def moved(value: float, scale: float) -> float:
        kind = rng.random()
        if kind < rates.fresh:
            return float(rng.normal(0, 2 * scale))
        if kind > 0.5:
            return min(max(value + rng.normal(0, rates.step * scale), -HEAVIEST), HEAVIEST)
        return value

    if genes.net.shared:
        genes.weight = moved(genes.weight, 1.0)
    else:
        genes.links = {k: (moved(weight, 1.0), on) for k, (weight, on) in genes.links.items()}
        genes.nodes = {k: (name, moved(bias, 0.5)) for k, (name, bias) in genes.nodes.items()}
    genes.latent = (genes.latent + rng.normal(0, 0.3 * rates.step, genes.latent.shape)).astype(np.float32)


def add_node(genes: Genes, rng: np.random.Generator, rates: Rates) -> int | None:
    """An enabled link is switched off; a node comes in its place, with a link of weight 1 into it and one of the old
    weight out of it (Stanley and Miikkulainen, 2002, fig. 3). The node's number, None where no link is enabled."""
    enabled = [key for key, (_, on) in sorted(genes.links.items()) if on]
    if not enabled:
        return None
    source, target = enabled[rng.integers(len(enabled))]
    number = split_number(source, target, genes.nodes)
    weight = genes.links[source, target][0]
    genes.links[source, target] = (weight, False)
    genes.nodes[number] = (rates.functions[rng.integers(len(rates.functions))], float(rng.normal(0, 0.5)))
    genes.links[source, number] = (
        random_weight(genes, source, number, rng) if source < genes.net.inputs else 1.0,
        True,
    )
    genes.links[number, target] = (weight, True)
    return number


def add_link(genes: Genes, rng: np.random.Generator, source: int | None = None, target: int | None = None) -> None:
    """Join two nodes that were not, so that no cycle arises; a link that was switched off is switched on again.

    Args:
        source, target: the link's ends, drawn where None.
    """
    outputs = set(genes.net.outputs)
    hidden = sorted(genes.nodes.keys() - outputs)
    sources, targets = [*range(genes.net.inputs), *hidden], [*genes.net.outputs, *hidden]
    for _ in range(20):
        start = sources[rng.integers(len(sources))] if source is None else source
        end = targets[rng.integers(len(targets))] if target is None else target
        weight, on = genes.links.get((start, end), (None, False))
        if on or (weight is None and reaches(genes, end, start)):
            continue
        genes.links[start, end] = (random_weight(genes, start, end, rng) if weight is None else weight, True)
        return


def change_activation(genes: Genes, rng: np.random.Generator, rates: Rates) -> None:
    """A hidden node gets another activation."""
    hidden = sorted(genes.nodes.keys() - set(genes.net.outputs))
    if hidden:
        number = hidden[rng.integers(len(hidden))]
        genes.nodes[number] = (rates.functions[rng.integers(len(rates.functions))], genes.nodes[number][1])


def toggle(genes: Genes, rng: np.random.Generator) -> None:
    """A link is switched on or off."""
    keys = sorted(genes.links)
    if keys:
        key = keys[rng.integers(len(keys))]
        weight, on = genes.links[key]
        genes.links[key] = (weight, not on)


def cross(better: Genes, other: Genes, rng: np.random.Generator) -> Genes:
    """A child: genes that both have come from either, those that one has from ``better``.

    A gene switched off in either parent is off in three of four children. The child has the better one's topology,
    so it cannot have a cycle.
    """
    child = better.copy()
    for key, (weight, on) in better.links.items():
        if key in other.links:
            theirs, also = other.links[key]
            chosen = theirs if rng.random() < 0.5 else weight
            child.links[key] = (chosen, on if on == also else bool(rng.random() < 0.25))
    for key, gene in better.nodes.items():
        if key in other.nodes and rng.random() < 0.5:
            child.nodes[key] = other.nodes[key]
        else:
            child.nodes[key] = gene
    mask = rng.random(better.latent.shape) < 0.5
    child.latent = np.where(mask, better.latent, other.latent).astype(np.float32)
    child.weight = other.weight if rng.random() < 0.5 else better.weight
    return child


def blend(one: Genes, other: Genes, share: float) -> Genes | None:
    """The network at ``share`` (0 to 1) of the way from ``one`` to ``other``, None where a cycle would arise.

    What both have moves; what one has alone comes or goes with its weight. An activation changes halfway.
    """
    net = one.net if share < 0.5 else other.net

    def at(a: float, b: float) -> float:
        return a + share * (b - a)

    links = {}
    for key in one.links.keys() | other.links.keys():
        (mine, on), (theirs, also) = one.links.get(key, (0.0, False)), other.links.get(key, (0.0, False))
        if on != also:  # it comes or goes
            mine, theirs = mine * on, theirs * also
        links[key] = (at(mine, theirs), on or also)
    nodes = {}
    for key in one.nodes.keys() | other.nodes.keys():
        (name, bias), (last, end) = (one.nodes.get(key) or other.nodes[key]), (other.nodes.get(key) or one.nodes[key])
        nodes[key] = (name if share < 0.5 else last, at(bias, end))
    latent = ((1 - share) * one.latent + share * other.latent).astype(np.float32)
    found = Genes(nodes, links, latent, net, at(one.weight, other.weight))
    try:
        found.express()
    except EvoartError:
        return None
    return found


def reaches(genes: Genes, start: int, end: int) -> bool:
    """Whether links, enabled or not, lead from ``start`` to ``end``."""
    if start == end:
        return True
    inputs, outputs = genes.net.inputs, genes.net.outputs
    if end < inputs or start in outputs:
        return False
    following: dict[int, list[int]] = {}
    for source, target in genes.links:
        if source >= inputs and (target == end or target not in outputs):
            following.setdefault(source, []).append(target)
    found, waiting = {start}, [start]
    while waiting:
        for target in following.get(waiting.pop(), ()):
            if target == end:
                return True
            if target not in found:
                found.add(target)
                waiting.append(target)
    return False


def random_weight(genes: Genes, source: int, target: int, rng: np.random.Generator) -> float:
    """A random weight. Coordinates are at most 1: a strong link from one folds the plane several times, which is where
    structure comes from; latent numbers should not drown them, nor a hue go round and round."""
    scale = FOLDING if source < len(SPATIAL) else LATENT if source < genes.net.inputs else INNER
    if target in genes.net.outputs:
        scale *= HUE if genes.net.colour == "hsv" and target == genes.net.outputs[0] else OUTER
    return float(rng.normal(0, scale))
