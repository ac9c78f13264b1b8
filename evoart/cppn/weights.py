"""A network's numbers as JSON values that a person can read and fix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.errors import EvoartError
from evoart.types import Genome

_FIXES = "Use another copy of the file, or fix it"


def readable(net: Layers | Graph, genome: Genome) -> dict[str, Any]:
    """Weights and biases by layer (weights as rows, one per unit), or by link and node in the graph's order."""
    values = {"latent": _numbers(genome[: net.latent])}
    if isinstance(net, Layers):
        parts = [
            {"weight": [_numbers(row) for row in weight], "bias": _numbers(bias)} for weight, bias in net.parts(genome)
        ]
        return values | {"layers": parts}
    if net.shared:
        return values | {"weight": _number(genome[net.latent])}
    middle = net.latent + len(net.links)
    links = [
        {"from": link.source, "to": link.target, "weight": _number(weight)}
        for link, weight in zip(net.links, genome[net.latent : middle], strict=True)
    ]
    nodes = [
        {"node": number, "activation": name, "bias": _number(bias)}
        for (number, name), bias in zip(net.nodes, genome[middle:], strict=True)
    ]
    return values | {"links": links, "nodes": nodes}


def numbers_of(net: Layers | Graph, plain: Any) -> Genome:
    """The genome ``(dim,)`` that ``readable`` wrote.

    Raises:
        KeyError, TypeError, ValueError: parts that do not belong together.
        EvoartError: a number that is none, or not finite; a link that is missing.
    """
    values = [*plain["latent"]]
    if isinstance(net, Layers):
        for (before, after), part in zip(net.sizes, plain["layers"], strict=True):
            rows, bias = part["weight"], part["bias"]
            if len(rows) != after or len(bias) != after or any(len(row) != before for row in rows):
                raise ValueError("a layer has another size than the layout says")
            values += [number for row in rows for number in row] + [*bias]
    elif net.shared:
        values.append(plain["weight"])
    else:
        weight = {(link["from"], link["to"]): link["weight"] for link in plain["links"]}
        bias = {node["node"]: node["bias"] for node in plain["nodes"]}
        for link in net.links:
            if (link.source, link.target) not in weight:
                raise EvoartError(f"the network lacks the weight of the link {link.source} -> {link.target}", _FIXES)
        values += [weight[link.source, link.target] for link in net.links] + [bias[number] for number, _ in net.nodes]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise EvoartError(f"the network has a weight that is not a finite number ({str(value)[:40]})", _FIXES)
    if len(values) != net.dim:
        raise ValueError("another number of weights than the network has")
    return np.array(values, np.float64).astype(np.float32)


def _number(value: Any) -> float:
    """The shortest decimal that is this float32 again."""
    return float(str(np.float32(value)))


def _numbers(values: Any) -> list[float]:
    return [_number(value) for value in values]
