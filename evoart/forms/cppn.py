"""The forms of coordinate networks: layers of a fixed size, and graphs whose topology evolves."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from evoart.cppn import genes, weights
from evoart.cppn.graph import Graph, Link
from evoart.cppn.layers import Layers
from evoart.cppn.slots import lower, size_for
from evoart.forms.network import NetworkDrawing
from evoart.forms.plain import numbers
from evoart.types import Array, Genome, Image

HEAVIEST = 1e6  # no number of a network is read as more: with it float32 still holds every sum


@dataclass(frozen=True)
class NetworkForm(ABC):
    """What both kinds have in common; genomes are the numbers of the network.

    Attributes:
        width, height: extent of the picture in units; the longer one is 1.
        net: the layout of the layers, or the graph.
        samples: points a pixel is the mean of, along each side (see ``NetworkDrawing``); not kept in recipes.
    """

    name: ClassVar[str]
    width: float = 1.0
    height: float = 1.0
    net: Layers | Graph = field(default_factory=Layers)
    samples: int | None = None

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return self.net.dim

    @property
    @abstractmethod
    def label(self) -> str:
        """See ``Form.label``."""

    @property
    @abstractmethod
    def description(self) -> str:
        """See ``Form.description``."""

    @abstractmethod
    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """See ``Form.random``; ``image`` is not looked at."""

    @abstractmethod
    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program."""

    @abstractmethod
    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""

    @classmethod
    @abstractmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``; an EvoartError where it says what is wrong with the network."""

    @abstractmethod
    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[Self, Genome] | None:
        """See ``Form.between``."""

    @property
    def latent(self) -> int:
        """Latent numbers, the first ones of a genome."""
        return self.net.latent

    def drawing(self, genome: Genome) -> NetworkDrawing:
        """The picture of a genome ``(dim,)``."""
        return NetworkDrawing(self.net, _limit(genome), self.width, self.height, self.samples)

    def steps(self) -> np.ndarray:
        """See ``Form.steps``."""
        return self.net.steps()

    def with_structure(self, structure: Any) -> Self:
        """The same form with another network of its kind."""
        return dataclasses.replace(self, net=structure)

    def work(self, pixels: int) -> float:
        """What one picture costs to draw, in pixels times shapes; measured on a CPU."""
        return pixels * max(1.0, self.net.weights / 170 if isinstance(self.net, Layers) else len(self.net.nodes) / 10)

    def finalised(self, genome: Genome) -> tuple[Self, Genome]:
        """See ``Form.finalised``."""
        return self, _limit(genome)

    def check(self, genome: Genome) -> None:
        """Raise ValueError where a genome read from a file holds what ``finalised`` never writes."""
        if (np.abs(genome) > HEAVIEST).any():
            raise ValueError("a weight is out of range")

    def _plain_net(self) -> dict[str, Any]:
        net = self.net
        return {
            "width": self.width, "height": self.height,
            "latent": net.latent, "colour": net.colour, "symmetry": net.symmetry,
        }  # fmt: skip

    def readable(self, genome: Genome) -> dict[str, Any]:
        """The numbers of a genome as JSON values that say what they are; ``numbers_of`` reads them again."""
        return weights.readable(self.net, genome)

    def numbers_of(self, plain: Any) -> Genome:
        """The genome that ``readable`` wrote. Raises KeyError, TypeError or ValueError where it does not fit."""
        return weights.numbers_of(self.net, plain)


@dataclass(frozen=True)
class CppnForm(NetworkForm):
    """Networks of fixed layers."""

    name: ClassVar[str] = "cppn"
    net: Layers = field(default_factory=Layers)

    @property
    def label(self) -> str:
        """See ``Form.label``."""
        return f"a network of {self.net.weights:,} weights"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        net = self.net
        shape = "-".join(str(units) for units in net.layers)
        return f"layers of {shape} units ({','.join(net.activations)}), {self.net.weights:,} weights, {net.colour}"

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """A network that makes a lively picture, more often than not."""
        return self.net.random(rng)

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program."""
        from evoart.cppn import paint

        return paint.pictures(self.net, genomes, (width, height))

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        return self._plain_net() | {"layers": list(self.net.layers), "activations": list(self.net.activations)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``; an EvoartError where it says what is wrong with the network."""
        layers = tuple(_whole(units) for units in _list(plain["layers"]))
        width, height = _extent(plain)
        return cls(width, height, Layers(layers, tuple(_list(plain["activations"], str)), **_common(plain)))

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[Self, Genome] | None:
        """A mean of the weights; see ``Form.between``."""
        if not isinstance(other, CppnForm) or other.net != self.net:
            return None
        return self, (genome + np.float32(share) * (after - genome)).astype(np.float32)


@dataclass(frozen=True)
class GraphForm(NetworkForm):
    """Networks whose topology evolves."""

    name: ClassVar[str] = "cppn-graph"
    net: Graph = field(default_factory=lambda: bare())

    @property
    def label(self) -> str:
        """See ``Form.label``."""
        return f"a network of {len(self.net.nodes)} nodes and {len(self.net.enabled)} links"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        names = sorted(name for number, name in self.net.nodes if number in self.net.alive)
        counts = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        kind = ", one weight for all links" if self.net.shared else ""
        return f"{len(self.net.enabled)} of {len(self.net.links)} links; nodes at work: {counts}{kind}"

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """New weights for this graph."""
        found = genes.Genes.of(self.net, np.zeros(self.dim, np.float32))
        found.links = {ends: (genes.random_weight(found, *ends, rng), on) for ends, (_, on) in found.links.items()}
        found.nodes = {number: (name, float(rng.normal(0, 0.5))) for number, (name, _) in found.nodes.items()}
        found.latent = rng.normal(0, 1, self.net.latent).astype(np.float32)
        found.weight = float(rng.normal(0, 2))
        return found.express()[1]

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program."""
        import jax.numpy as jnp

        from evoart.cppn import paint

        size, dim = size_for([self.net])
        slots = lower(self.net, size, dim)
        padded = jnp.pad(genomes, ((0, 0), (0, dim - self.dim)))
        return paint.each(lambda genome: paint.picture(self.net, (slots, genome), (width, height)), padded)

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        graph = {
            "nodes": [[number, name] for number, name in self.net.nodes],
            "links": [[link.source, link.target, int(link.enabled)] for link in self.net.links],
        }
        return self._plain_net() | graph | ({"shared": True} if self.net.shared else {})

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``; an EvoartError where it says what is wrong with the network."""
        nodes = tuple((_whole(number), _text(name)) for number, name in _list(plain["nodes"], list))
        links = tuple(
            Link(_whole(source), _whole(target), _whole(on) != 0) for source, target, on in _list(plain["links"], list)
        )
        shared = plain.get("shared", False)
        if not isinstance(shared, bool):
            raise TypeError("shared")
        width, height = _extent(plain)
        return cls(width, height, Graph(nodes, links, shared=shared, **_common(plain)))

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[Self, Genome] | None:
        """Graphs of one ancestry: what both have moves, what only one has fades; see ``Form.between``."""
        if not isinstance(other, GraphForm) or layout_key(self.net) != layout_key(other.net):
            return None
        blended = genes.blend(genes.Genes.of(self.net, genome), genes.Genes.of(other.net, after), share)
        if blended is None:
            return None
        graph, numbers_ = blended.express()
        return dataclasses.replace(self, net=graph), numbers_


def bare(latent: int = 4, colour: str = "rgb", symmetry: str = "none", shared: bool = False) -> Graph:
    """A graph of inputs and outputs with nothing between them."""
    first = len(("x", "y", "r")) + latent
    outputs = range(first, first + (1 if colour == "gray" else 3))
    return Graph(tuple((number, "identity") for number in outputs), (), latent, colour, symmetry, shared)


def layout_key(net: Layers | Graph) -> tuple[Any, ...]:
    """What two networks must share to be crossed or blended: all but a graph's nodes and links."""
    common = (net.latent, net.colour, net.symmetry)
    if isinstance(net, Layers):
        return (*common, net.layers, net.activations)
    return (*common, net.shared)


def _limit(genome: Genome) -> Genome:
    finite = np.nan_to_num(np.asarray(genome, np.float32), nan=0.0, posinf=HEAVIEST, neginf=-HEAVIEST)
    return np.clip(finite, -HEAVIEST, HEAVIEST)


# What is read from a file, with the errors that the recipe's reader expects.


def _extent(plain: Mapping[str, Any]) -> tuple[float, float]:
    width, height = numbers(plain["width"], plain["height"], low=1e-9, high=1)
    return width, height


def _common(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "latent": _whole(plain["latent"]), "colour": _text(plain["colour"]), "symmetry": _text(plain["symmetry"]),
    }  # fmt: skip


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 33:
        raise ValueError(f"{value!r} is not a whole number of a network")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 40:
        raise TypeError("text was expected")
    return value


def _list(value: Any, kind: type | None = None) -> list[Any]:
    if not isinstance(value, list) or (kind is not None and not all(isinstance(item, kind) for item in value)):
        raise TypeError("a list was expected")
    return value
