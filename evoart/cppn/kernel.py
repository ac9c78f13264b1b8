"""Networks drawn by the CPU: one compiled kernel serves layers and graphs of every shape.

A network is written down as rows: each is a weighted sum of rows before it, a bias and an activation, of a block of
points that stays in the processor's nearest cache. What JAX draws (``paint``, to search and to train) is the same to
six digits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from evoart.compiled import njit
from evoart.cppn import activations, colour, plane, slots
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.types import Genome

BLOCK = 128  # points
_FAN = 4  # summands that are added at once; a row's are padded to a multiple
_SPATIAL = len(plane.SPATIAL)
_CODES = tuple(activations.INDEX[name] for name in (
    "identity", "tanh", "sine", "cosine", "gaussian", "sigmoid", "absolute", "square", "relu", "sinc",
))  # fmt: skip
_IDENTITY, _TANH, _SINE, _COSINE, _GAUSSIAN, _SIGMOID, _ABSOLUTE, _SQUARE, _RELU, _SINC = _CODES
_RGB, _HSV, _GRAY = (colour.COLOURS.index(name) for name in ("rgb", "hsv", "gray"))
_LIMIT = np.float32(activations.LIMIT)
_ZERO, _HALF, _ONE, _TWO = (np.float32(value) for value in (0, 0.5, 1, 2))


class Rows(NamedTuple):
    """A network with its numbers, as the kernel takes it; rows 0 to 2 of its memory are x, y and r.

    Attributes:
        first: ``(rows + 1,)`` int32, where each row's summands begin.
        source, weight: ``(summands,)`` int32 rows of the memory, and float32.
        bias: ``(rows,)`` float32; latent numbers are the same everywhere, so they are part of it.
        activation: ``(rows,)`` int32 numbers in ``activations.TABLE``.
        place: ``(rows,)`` int32 rows of the memory that they go to.
        memory: rows of it.
        outputs: the first of the memory's rows that hold the outputs.
        colour: number in ``colour.COLOURS``.
        mirror: 1 where x is mirrored, 2 where y, 3 where both; else the wedges of a kaleidoscope, negative, or 0.
    """

    first: np.ndarray
    source: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    activation: np.ndarray
    place: np.ndarray
    memory: int
    outputs: int
    colour: int = 0
    mirror: int = 0


def lower(net: Layers | Graph, genome: Genome) -> Rows:
    """The network ``net`` with the numbers ``genome`` ``(dim,)`` as rows."""
    genome = np.asarray(genome, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # wild weights: sums are limited where they are used
        rows = _of_layers(net, genome) if isinstance(net, Layers) else _of_graph(net, genome)
    mirror = -plane.wedges(net.symmetry) or {"x": 1, "y": 2, "xy": 3}.get(net.symmetry, 0)
    return rows._replace(colour=colour.COLOURS.index(net.colour), mirror=mirror)


def _of_layers(net: Layers, genome: Genome) -> Rows:
    """Two halves of the memory take turns: a layer reads one and writes the other."""
    widest = max(*net.layers, colour.outputs(net.colour))
    first, source, weight, bias, activation, place = [0], [], [], [], [], []
    base, target = 0, _SPATIAL
    for index, (weights, biases) in enumerate(net.parts(genome)):
        if index == 0:
            biases = biases + weights[:, _SPATIAL:] @ genome[: net.latent]
            weights = weights[:, :_SPATIAL]
        units, inputs = weights.shape
        width = -(-inputs // _FAN) * _FAN
        padded = np.zeros((units, width), np.float32)
        padded[:, :inputs] = weights
        from_ = np.full(width, base, np.int32)
        from_[:inputs] += np.arange(inputs, dtype=np.int32)
        source.append(np.tile(from_, units))
        weight.append(padded.ravel())
        bias.append(biases)
        first += [first[-1] + width * (unit + 1) for unit in range(units)]
        blocks = [("identity", 0, units)] if index == len(net.layers) else net.blocks(units)
        activation += [activations.INDEX[name] for name, low, high in blocks for _ in range(low, high)]
        place += range(target, target + units)
        base, target = target, _SPATIAL + (widest if target == _SPATIAL else 0)
    return Rows(
        np.array(first, np.int32), np.concatenate(source), np.concatenate(weight), np.concatenate(bias),
        np.array(activation, np.int32), np.array(place, np.int32), _SPATIAL + 2 * widest, base,
    )  # fmt: skip


def _of_graph(net: Graph, genome: Genome) -> Rows:
    """A row for each of the slots, which have their places in the memory after x, y and r."""
    hidden, outputs = slots.of(net)
    first, source, weight, bias, activation = [0], [], [], [], []
    for links, at, name in (*hidden, *outputs):
        total = _ZERO if at is None else genome[at]
        summands = []
        for row, number in links:
            value = _ONE if number < 0 else genome[number]
            if _SPATIAL <= row < net.inputs:
                total = total + value * genome[row - _SPATIAL]
            else:
                summands.append((row if row < _SPATIAL else row - net.latent, value))
        summands += [(0, _ZERO)] * (-len(summands) % _FAN)
        source += [row for row, _ in summands]
        weight += [value for _, value in summands]
        first.append(len(source))
        bias.append(total)
        activation.append(activations.INDEX[name])
    count = len(bias)
    return Rows(
        np.array(first, np.int32), np.array(source, np.int32), np.array(weight, np.float32),
        np.array(bias, np.float32), np.array(activation, np.int32),
        np.arange(_SPATIAL, _SPATIAL + count, dtype=np.int32), _SPATIAL + count, _SPATIAL + len(hidden),
    )  # fmt: skip


def rows(
    net: Layers | Graph, genome: Genome, size: tuple[int, int], first: int, last: int, samples: int = 1
) -> np.ndarray:
    """``draw`` of a network with the numbers ``genome`` ``(dim,)``."""
    return draw(lower(net, genome), size, first, last, samples)


def draw(rows: Rows, size: tuple[int, int], first: int, last: int, samples: int = 1) -> np.ndarray:
    """Rows ``first`` to ``last - 1`` of a picture of ``size`` (w, h), ``(last - first, w, 3)`` float32 sRGB in [0, 1];
    a pixel is the mean of ``samples x samples`` points."""
    out = np.empty((last - first, size[0], 3), np.float32)
    _draw(*rows, out.reshape(-1, 3), size[0], size[1], samples, first)
    return out


_FLAGS = {"cache": True, "nogil": True, "fastmath": {"contract"}, "error_model": "numpy"}


@njit(inline="always")
def _tanh(x):
    """A rational function, as XLA's and Eigen's; error below 3e-7."""
    x = min(max(x, np.float32(-7.9)), np.float32(7.9))
    s = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * s + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * s + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@njit(inline="always")
def _sigmoid(x):
    return _HALF + _HALF * _tanh(_HALF * x)


@njit(inline="always")
def _sine(x):
    """See ``activations.sine``."""
    turns = np.floor(x * np.float32(1 / np.pi) + _HALF)
    rest = (x - turns * np.float32(3.140625)) - turns * np.float32(np.pi - 3.140625)
    square = rest * rest
    series = np.float32(2.60831598e-6)
    series = series * square + np.float32(-1.98106907e-4)
    series = series * square + np.float32(8.33307858e-3)
    series = series * square + np.float32(-1.66666597e-1)
    value = rest + rest * square * series
    half = turns * _HALF
    return value if half == np.floor(half) else -value


@njit(inline="always")
def _activate(code, row, bits, powers):
    """The activation numbered ``code`` of the sums in ``row``, in their place."""
    n = len(row)
    for p in range(n):
        row[p] = min(max(row[p], -_LIMIT), _LIMIT)
    if code == _TANH:
        for p in range(n):
            row[p] = _tanh(row[p])
    elif code == _SINE:
        for p in range(n):
            row[p] = _sine(row[p])
    elif code == _COSINE:
        for p in range(n):
            row[p] = _sine(row[p] + np.float32(np.pi / 2))
    elif code == _GAUSSIAN:
        # exp by a polynomial around the nearest power of two (Cephes), whose bits are written as such.
        for p in range(n):
            bits[p] = np.int32(np.floor(min(row[p] * row[p], np.float32(87)) * np.float32(-1.44269504) + _HALF))
        for p in range(n):
            power = np.float32(bits[p])
            x = (-min(row[p] * row[p], np.float32(87)) - power * np.float32(0.693359375)) - power * np.float32(
                -2.12194440e-4
            )
            s = np.float32(1.9875691500e-4)
            s = s * x + np.float32(1.3981999507e-3)
            s = s * x + np.float32(8.3334519073e-3)
            s = s * x + np.float32(4.1665795894e-2)
            s = s * x + np.float32(1.6666665459e-1)
            s = s * x + np.float32(5.0000001201e-1)
            row[p] = s * x * x + x + _ONE
        for p in range(n):
            bits[p] = (bits[p] + np.int32(127)) << np.int32(23)
        for p in range(n):
            row[p] *= powers[p]
    elif code == _SIGMOID:
        for p in range(n):
            row[p] = _sigmoid(row[p])
    elif code == _ABSOLUTE:
        for p in range(n):
            row[p] = abs(row[p])
    elif code == _SQUARE:
        for p in range(n):
            row[p] = min(row[p] * row[p], _LIMIT)
    elif code == _RELU:
        for p in range(n):
            row[p] = max(row[p], _ZERO)
    elif code == _SINC:
        for p in range(n):
            x = row[p]
            row[p] = _ONE if abs(x) < np.float32(1e-3) else _sine(x) / x


@njit(inline="always")
def _fold(x, y, mirror):
    """See ``plane.fold``."""
    if mirror == 1 or mirror == 3:
        for p in range(len(x)):
            x[p] = abs(x[p])
    if mirror == 2 or mirror == 3:
        for p in range(len(y)):
            y[p] = abs(y[p])
    if mirror < 0:
        per_turn, turn_of = np.float32(-mirror / (2 * np.pi)), np.float32(-2 * np.pi / mirror)
        for p in range(len(x)):
            r = np.sqrt(x[p] * x[p] + y[p] * y[p])
            turn = np.arctan2(y[p], x[p]) * per_turn
            angle = abs(turn - np.floor(turn + _HALF)) * turn_of
            x[p], y[p] = r * np.cos(angle), r * np.sin(angle)


@njit(inline="always")
def _channel(hue, offset, saturation, value):
    """See ``colour.to_rgb``."""
    turn = hue + offset
    away = abs(np.float32(6) * (turn - np.floor(turn)) - np.float32(3)) - _ONE
    return value * (_ONE - saturation * (_ONE - min(max(away, _ZERO), _ONE)))


@njit(inline="always")
def _add_colours(sums, a, b, c, kind):
    """Add the colours of output rows to the planes ``(3, n)``."""
    red, green, blue = sums[0], sums[1], sums[2]
    if kind == _GRAY:
        for p in range(len(a)):
            value = _sigmoid(min(max(a[p], -_LIMIT), _LIMIT))
            red[p] += value
            green[p] += value
            blue[p] += value
    elif kind == _RGB:
        for p in range(len(a)):
            red[p] += _sigmoid(min(max(a[p], -_LIMIT), _LIMIT))
        for p in range(len(a)):
            green[p] += _sigmoid(min(max(b[p], -_LIMIT), _LIMIT))
        for p in range(len(a)):
            blue[p] += _sigmoid(min(max(c[p], -_LIMIT), _LIMIT))
    else:
        for p in range(len(a)):
            hue = min(max(a[p], -_LIMIT), _LIMIT)
            saturation = _sigmoid(min(max(b[p], -_LIMIT), _LIMIT))
            value = _sigmoid(min(max(c[p], -_LIMIT), _LIMIT))
            red[p] += _channel(hue, _ZERO, saturation, value)
            green[p] += _channel(hue, np.float32(2 / 3), saturation, value)
            blue[p] += _channel(hue, np.float32(1 / 3), saturation, value)


@njit(**_FLAGS)
def _draw(first, source, weight, bias, activation, place, memory, outputs, colours, mirror, out, w, h, n, top):
    """Fill ``out`` ``(pixels, 3)``, row by row of a picture ``w`` wide, from row ``top`` on."""
    values = np.zeros((memory, BLOCK), np.float32)
    column, line = np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    sums = np.empty((3, BLOCK), np.float32)
    bits = np.empty(BLOCK, np.int32)
    powers = bits.view(np.float32)
    step = _TWO / np.float32(max(w, h) * n)
    middle_x, middle_y = np.float32(w * n - 1) * _HALF, np.float32(h * n - 1) * _HALF
    share = _ONE / np.float32(n * n)
    x, y, r = values[0], values[1], values[2]
    rgb = colours != _GRAY
    a, b, c = values[outputs], values[outputs + (1 if rgb else 0)], values[outputs + (2 if rgb else 0)]
    at_x, at_y = 0, top
    for start in range(0, len(out), BLOCK):
        for p in range(BLOCK):
            column[p], line[p] = np.float32(at_x * n), np.float32(at_y * n)
            at_x += 1
            if at_x == w:
                at_x, at_y = 0, at_y + 1
        sums[:] = _ZERO
        for sample in range(n * n):
            off_x, off_y = np.float32(sample % n) - middle_x, np.float32(sample // n) - middle_y
            for p in range(BLOCK):
                x[p] = (column[p] + off_x) * step
            for p in range(BLOCK):
                y[p] = (line[p] + off_y) * step
            _fold(x, y, mirror)
            for p in range(BLOCK):
                r[p] = np.sqrt(x[p] * x[p] + y[p] * y[p])
            for k in range(len(bias)):
                row, total = values[place[k]], bias[k]
                for p in range(BLOCK):
                    row[p] = total
                for j in range(first[k], first[k + 1], _FAN):
                    v0, v1, v2, v3 = weight[j], weight[j + 1], weight[j + 2], weight[j + 3]
                    s0, s1 = values[source[j]], values[source[j + 1]]
                    s2, s3 = values[source[j + 2]], values[source[j + 3]]
                    for p in range(BLOCK):
                        row[p] += v0 * s0[p] + v1 * s1[p] + v2 * s2[p] + v3 * s3[p]
                _activate(activation[k], row, bits, powers)
            _add_colours(sums, a, b, c, colours)
        part = out[start : start + BLOCK]
        for i in range(3):
            plane_ = sums[i]
            for p in range(len(part)):
                part[p, i] = plane_[p] * share
