"""A network as a fragment shader, GLSL ES 3.00: the same arithmetic as ``paint``, one statement per node or four units.

Literals keep a decimal point, every sum is clipped, and rows count downwards, all as in the pictures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evoart.cppn import activations, plane
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.types import Genome

HEAD = """#version 300 es
// {title}
// A network that evoart grew: coordinates in, colour out. Needs u_resolution in pixels; zooms where u_zoom is set.
precision highp float;
precision highp int;
uniform vec2 u_resolution;
uniform vec2 u_centre;  // of the view; the picture's long side runs from -1 to 1, y down
uniform float u_zoom;   // 0 or 1: the whole picture
out vec4 fragment;
"""

# Layers only: a graph whose latent numbers stand in many places is shorter with literals.
LATENT = "uniform float u_latent[{}];  // is added to the latent numbers: set it to walk away from this picture\n"

# The sine of ``activations``: a GPU's own may be off by 1/2048, which a folded plane makes visible.
SINE = """float sine_(float v) {
  float turns = floor(v * 0.31830987 + 0.5);
  float rest = (v - turns * 3.140625) - turns * 0.0009676536;
  float square = rest * rest;
  float series = ((2.60831598e-6 * square - 1.98106907e-4) * square + 8.33307858e-3) * square - 1.66666597e-1;
  float value = rest + rest * square * series;
  return fract(0.5 * turns) < 0.25 ? value : -value;
}
"""

MAIN = """
void main() {
  float zoom = u_zoom > 0.0 ? u_zoom : 1.0;
  vec2 q = (gl_FragCoord.xy - 0.5 * u_resolution) * (2.0 / (max(u_resolution.x, u_resolution.y) * zoom));
  fragment = vec4(picture(u_centre + vec2(q.x, -q.y)), 1.0);
}
"""

_COLOURS = {
    "rgb": "return vec3(f_sigmoid({0}), f_sigmoid({1}), f_sigmoid({2}));",
    "gray": "return vec3(f_sigmoid({0}));",
    "hsv": """float s = f_sigmoid({1}), v = f_sigmoid({2});
  vec3 away = abs(6.0 * fract(clip({0}) + vec3(0.0, 2.0 / 3.0, 1.0 / 3.0)) - 3.0) - 1.0;
  return v * (1.0 - s * (1.0 - clamp(away, 0.0, 1.0)));""",
}


def shader(net: Layers | Graph, genome: Genome, title: str = "", recipe: str = "") -> str:
    """The source of the shader. It compiles by itself and shows the picture given ``u_resolution``.

    ``recipe``, text on one line, is kept in a comment.
    """
    body = list(_layers(net, genome) if isinstance(net, Layers) else _graph(net, genome))
    body, last = body[:-1], body[-1]
    return "".join(
        [
            HEAD.format(title=" ".join(title.split()).replace("\\", "/")),
            LATENT.format(net.latent) if isinstance(net, Layers) and net.latent else "",
            *_functions(net),
            "\nvec3 picture(vec2 p) {\n",
            *(f"  {line}\n" for line in [*_fold(net.symmetry), *body, _COLOURS[net.colour].format(*last.split())]),
            "}\n",
            MAIN,
            f"//{recipe}\n" if recipe else "",
        ]
    )


def number(value: float) -> str:
    """The shortest literal that is this float32."""
    text = str(np.float32(value))
    return text if any(c in text for c in ".e") else f"{text}.0"


def _functions(net: Layers | Graph) -> Iterator[str]:
    used = set(net.activations) if isinstance(net, Layers) else {name for _, name in net.nodes}
    limit = f"{activations.LIMIT:.1f}"
    yield f"\nfloat clip(float v) {{ return clamp(v, -{limit}, {limit}); }}\n"
    yield SINE
    for activation in activations.TABLE:
        if activation.name in used | {"sigmoid"}:
            name = f"f_{activation.name}"
            yield f"float {name}(float v) {{ v = clip(v); return {activation.glsl}; }}\n"
            if isinstance(net, Layers):
                yield f"vec4 {name}(vec4 v) {{ return vec4({name}(v.x), {name}(v.y), {name}(v.z), {name}(v.w)); }}\n"


def _fold(symmetry: str) -> Iterator[str]:
    if count := plane.wedges(symmetry):
        turn = number(count / (2 * np.pi))
        yield f"float turn = (p.x == 0.0 && p.y == 0.0 ? 0.0 : atan(p.y, p.x)) * {turn};"
        yield f"float angle = abs(turn - floor(turn + 0.5)) * {number(2 * np.pi / count)};"
        yield "p = length(p) * vec2(cos(angle), sin(angle));"
    if symmetry in ("x", "xy"):
        yield "p.x = abs(p.x);"
    if symmetry in ("y", "xy"):
        yield "p.y = abs(p.y);"


def _graph(graph: Graph, genome: Genome) -> Iterator[str]:
    """One statement per node that matters; finally the names of the outputs."""
    name = dict(enumerate(["p.x", "p.y", "length(p)", *(number(z) for z in genome[: graph.latent])]))
    into: dict[int, list[tuple[int, float]]] = {}
    for index, link in enumerate(graph.links):
        if link.enabled and link.source in graph.alive:
            into.setdefault(link.target, []).append((link.source, genome[graph.link_at(index)]))
    position = {node: index for index, (node, _) in enumerate(graph.nodes)}
    for count, node in enumerate(node for node in graph.order if node in graph.alive):
        index = position[node]
        at = graph.bias_at(index)
        terms = [number(genome[at])] if at is not None else []
        terms += [f"{number(weight)} * {name[source]}" for source, weight in into.get(node, ())]
        name[node] = f"n{count}"
        yield f"float n{count} = f_{graph.nodes[index][1]}({' + '.join(terms) or '0.0'});"
    yield " ".join(name[node] for node in graph.outputs)


def _layers(net: Layers, genome: Genome) -> Iterator[str]:
    """Layers in fours of units, each a sum of 4 x 4 matrices times fours of the layer before."""
    latent = (f"{number(z)} + u_latent[{i}]" for i, z in enumerate(genome[: net.latent]))
    values = ["p.x", "p.y", "length(p)", *latent]
    before = []
    for i in range(0, len(values), 4):
        four = values[i : i + 4] + ["0.0"] * (4 - len(values[i : i + 4]))
        yield f"vec4 a{i // 4} = vec4({', '.join(four)});"
        before.append(f"a{i // 4}")
    for layer, (weight, bias) in enumerate(net.parts(genome)):
        rows, columns = -(-len(bias) // 4), len(before)
        padded = np.zeros((4 * rows, 4 * columns), np.float32)
        padded[: len(bias), : weight.shape[1]] = weight
        offset = np.zeros(4 * rows, np.float32)
        offset[: len(bias)] = bias
        owner = None if layer == len(net.layers) else _owners(net, len(bias))
        after = []
        for r in range(rows):
            terms = [_vector(offset[4 * r : 4 * r + 4])]
            for c, name in enumerate(before):
                block = padded[4 * r : 4 * r + 4, 4 * c : 4 * c + 4]
                if block.any():
                    terms.append(
                        f"mat4({', '.join(number(float(v)) for v in block.T.ravel())}) * {name}"
                    )  # column by column
            new = f"{'abcdefghijklmnopqrstuvwxyz'[(layer + 1) % 26]}{(layer + 1) // 26 or ''}_{r}"
            yield f"vec4 {new} = {' + '.join(terms)};"
            if owner is not None:
                yield from _activated(new, owner[4 * r : 4 * r + 4])
            after.append(new)
        before = after
    yield " ".join(f"{before[0]}.{component}" for component in "xyz")


def _owners(net: Layers, units: int) -> list[str]:
    return [name for name, first, last in net.blocks(units) for _ in range(last - first)]


def _activated(name: str, owners: list[str]) -> Iterator[str]:
    if len(set(owners)) == 1:
        yield f"{name} = f_{owners[0]}({name});"
    else:
        for component, owner in zip("xyzw", owners, strict=False):
            yield f"{name}.{component} = f_{owner}({name}.{component});"


def _vector(values: np.ndarray) -> str:
    return f"vec4({', '.join(number(value) for value in values)})"
