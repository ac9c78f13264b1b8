"""Networks for tests, and plain evaluators of them that share no code with the package."""

from __future__ import annotations

import math

import numpy as np

PLAIN = {
    "identity": lambda v: v,
    "tanh": math.tanh,
    "sine": math.sin,
    "cosine": math.cos,
    "gaussian": lambda v: math.exp(-v * v),
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "absolute": abs,
    "square": lambda v: min(v * v, 100.0),
    "relu": lambda v: max(v, 0.0),
    "sinc": lambda v: math.sin(v) / v if v else 1.0,
}


def clipped(v: float) -> float:
    return min(max(v, -100.0), 100.0)


def folded(x: float, y: float, symmetry: str) -> tuple[float, float]:
    if symmetry in ("x", "xy"):
        x = abs(x)
    if symmetry in ("y", "xy"):
        y = abs(y)
    if symmetry.startswith("kaleidoscope"):
        wedge = 2 * math.pi / int(symmetry.partition(":")[2] or 6)
        angle = math.atan2(y, x) % wedge
        angle = min(angle, wedge - angle)
        x, y = math.hypot(x, y) * math.cos(angle), math.hypot(x, y) * math.sin(angle)
    return x, y


def rgb(values: list[float], colour: str) -> list[float]:
    import colorsys

    v = [clipped(value) for value in values]
    soft = [PLAIN["sigmoid"](value) for value in v]
    if colour == "gray":
        return soft * 3
    if colour == "rgb":
        return soft
    return list(colorsys.hsv_to_rgb(v[0] % 1.0, soft[1], soft[2]))


def plain_graph(graph, genome, x: float, y: float) -> list[float]:
    """Colour of one point, by recursion from the outputs."""
    x, y = folded(x, y, graph.symmetry)
    latent = [float(z) for z in genome[: graph.latent]]
    known = dict(enumerate([x, y, math.hypot(x, y), *latent]))
    rest = [float(w) for w in genome[graph.latent :]]
    names = dict(graph.nodes)
    weights = rest[:1] * len(graph.links) if graph.shared else rest[: len(graph.links)]
    bias = [0.0] * len(graph.nodes) if graph.shared else rest[len(graph.links) :]
    bias = {number: b for (number, _), b in zip(graph.nodes, bias, strict=True)}
    into = {}
    for link, weight in zip(graph.links, weights, strict=True):
        if link.enabled:
            into.setdefault(link.target, []).append((link.source, weight))

    def value(number: int) -> float:
        if number not in known:
            total = bias[number] + sum(weight * value(source) for source, weight in into.get(number, ()))
            known[number] = PLAIN[names[number]](clipped(total))
        return known[number]

    return rgb([value(number) for number in graph.outputs], graph.colour)


def plain_layers(net, genome, x: float, y: float) -> list[float]:
    """Colour of one point, layer by layer in double precision."""
    x, y = folded(x, y, net.symmetry)
    genome = np.asarray(genome, np.float64)
    h, at = np.array([x, y, math.hypot(x, y), *genome[: net.latent]]), net.latent
    outputs = 1 if net.colour == "gray" else 3
    for units in [*net.layers, outputs]:
        weight = genome[at : at + units * len(h)].reshape(units, len(h))
        at += units * len(h)
        sums = weight @ h + genome[at : at + units]
        at += units
        k = len(net.activations)
        owner = [next(i for i in range(k) if u < round(units * (i + 1) / k)) for u in range(units)]
        last = at == len(genome)
        h = (
            sums
            if last
            else np.array([PLAIN[net.activations[o]](clipped(s)) for o, s in zip(owner, sums, strict=True)])
        )
    return rgb(list(h), net.colour)


def centres(w: int, h: int) -> list[tuple[float, float]]:
    """The points of the pixels of a picture, row by row."""
    longest = max(w, h)
    return [((2 * i + 1 - w) / longest, (2 * j + 1 - h) / longest) for j in range(h) for i in range(w)]
