"""The network itself as a picture: nodes by their depth, links by weight, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import numpy as np

from evoart.cppn import activations
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.types import Genome

MOST_LINKS = 1500  # that are drawn, the heaviest; more than that is fog
_PALETTE = (
    "#888888",
    "#e4572e",
    "#2e86ab",
    "#6aa84f",
    "#f2a541",
    "#a05195",
    "#17a398",
    "#d45087",
    "#7a5c3e",
    "#5b5bd6",
)
_WIDTH, _MARGIN, _GAP = 1000, 50, 26
_GOLDEN = 0.381966
_LABELLED = 9  # columns up to which there is room for the names of activations at their nodes

_Node = tuple[int, int, str, str]  # depth, number, label, activation
_Join = tuple[int, int, float]


def diagram(net: Layers | Graph, genome: Genome, title: str = "", recipe: str = "") -> str:
    """An SVG document: inputs on the left, outputs on the right, a node's colour its activation; links blue where
    their weight is negative, red where it is positive, as wide as it is heavy."""
    nodes, links = _layers(net, genome) if isinstance(net, Layers) else _graph(net, genome)
    place, height = _places(nodes)
    links = sorted(links, key=lambda link: -abs(link[2]))[:MOST_LINKS]
    heaviest = max((abs(weight) for _, _, weight in links), default=1.0) or 1.0
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
    ]
    lines += [f"<title>{escape(title)}</title>"] if title else []
    lines += [f"<metadata>{escape(recipe)}</metadata>"] if recipe else []
    lines += [f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>', '<g fill="none" stroke-linecap="round">']
    fog = min(1.0, (200 / max(len(links), 1)) ** 0.5)
    lines += [_link(place[a], place[b], weight / heaviest, fog) for a, b, weight in reversed(links)]
    lines += ["</g>", '<g font-family="sans-serif" font-size="11" fill="#333">', *_circles(nodes, place), "</g>"]
    lines += [*_legend(nodes, height), "</svg>", ""]
    return "\n".join(lines)


def _graph(graph: Graph, genome: Genome) -> tuple[list[_Node], list[_Join]]:
    alive = graph.alive
    links = [
        (link.source, link.target, float(genome[graph.link_at(index)]))
        for index, link in enumerate(graph.links)
        if link.enabled and link.target in alive
    ]
    depth = dict.fromkeys(range(graph.inputs), 0)
    for number in graph.order:
        depth[number] = 1 + max((depth.get(source, 0) for source, target, _ in links if target == number), default=0)
    deepest = max(depth.values())
    for number in graph.outputs:
        depth[number] = deepest
    names = _input_names(graph.latent)
    nodes = [(0, number, names[number], "") for number in range(graph.inputs) if number < 3 or number in alive]
    labels = dict(zip(graph.outputs, _output_names(graph.colour), strict=True))
    nodes += [(depth[n], n, labels.get(n, name), name) for n, name in graph.nodes if n in alive]
    there = {number for _, number, _, _ in nodes}
    return nodes, [link for link in links if link[0] in there]


def _layers(net: Layers, genome: Genome) -> tuple[list[_Node], list[_Join]]:
    nodes: list[_Node] = [(0, number, name, "") for number, name in enumerate(_input_names(net.latent))]
    links: list[_Join] = []
    before, first = len(nodes), 0
    for layer, (weight, bias) in enumerate(net.parts(genome)):
        start = first + before
        if layer < len(net.layers):
            owners = [name for name, a, b in net.blocks(len(bias)) for _ in range(b - a)]
            nodes += [(layer + 1, start + unit, "", name) for unit, name in enumerate(owners)]
        else:
            names = _output_names(net.colour)
            nodes += [(layer + 1, start + unit, name, "identity") for unit, name in enumerate(names)]
        links += [(first + b, start + a, float(weight[a, b])) for a, b in np.ndindex(*weight.shape)]
        first, before = start, len(bias)
    return nodes, links


def _input_names(latent: int) -> list[str]:
    return ["x", "y", "r", *(f"z{i + 1}" for i in range(latent))]


def _output_names(colour: str) -> list[str]:
    return {"rgb": ["red", "green", "blue"], "hsv": ["hue", "saturation", "value"], "gray": ["gray"]}[colour]


def _places(nodes: list[_Node]) -> tuple[dict[int, tuple[float, float]], int]:
    """Where each node is, and the picture's height.

    Columns with few nodes are turned, each a golden section further than the last: links then do not run on one line.
    """
    columns: dict[int, list[int]] = {}
    for depth, number, _, _ in nodes:
        columns.setdefault(depth, []).append(number)
    deepest, fullest = max(columns), max(len(column) for column in columns.values())
    height = max(420, 2 * _MARGIN + _GAP * fullest)
    room, place = height - 2 * _MARGIN, {}
    for depth, column in columns.items():
        x = _MARGIN + (_WIDTH - 2 * _MARGIN - 40) * depth / max(deepest, 1)
        turn = depth * _GOLDEN if 0 < depth < deepest and len(column) * _GAP * 2 < room else 0.0
        for i, number in enumerate(column):
            place[number] = (x, _MARGIN - 14 + room * (((i + 0.5) / len(column) + turn) % 1))
    return place, height


def _link(start: tuple[float, float], end: tuple[float, float], weight: float, fog: float) -> str:
    (x, y), (u, v) = start, end
    colour, heavy = ("#c8102e", weight) if weight > 0 else ("#1f5fbf", -weight)
    bend = (u - x) / 2
    path = f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {u - bend:.1f} {v:.1f} {u:.1f} {v:.1f}"
    width, opacity = 0.4 + 2.6 * heavy, fog * (0.25 + 0.6 * heavy)
    return f'<path d="{path}" stroke="{colour}" stroke-width="{width:.2f}" opacity="{opacity:.2f}"/>'


def _circles(nodes: list[_Node], place: dict[int, tuple[float, float]]) -> Iterator[str]:
    crowd = max(depth for depth, _, _, _ in nodes)
    for depth, number, label, name in nodes:
        x, y = place[number]
        fill = _PALETTE[activations.INDEX[name] % len(_PALETTE)] if name else "#fff"
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{fill}" stroke="#333"/>'
        if label and (not name or label != name or crowd <= _LABELLED):
            anchor, dx = ("end", -11) if depth == 0 else ("start", 11)
            yield f'<text x="{x + dx:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{label}</text>'


def _legend(nodes: list[_Node], height: int) -> Iterator[str]:
    used = [name for name in activations.NAMES if any(name == node[3] for node in nodes)]
    yield '<g font-family="sans-serif" font-size="12" fill="#333">'
    for i, name in enumerate(used):
        x = _MARGIN + i * 88
        yield f'<circle cx="{x}" cy="{height - 18}" r="6" fill="{_PALETTE[activations.INDEX[name] % len(_PALETTE)]}"/>'
        yield f'<text x="{x + 11}" y="{height - 14}">{name}</text>'
    yield "</g>"
