"""Recurrent cells: LSTM, LSTM with layer normalisation, HyperLSTM. Gates in the order i, g, f, o; forget bias +1.

A cell's parameters are a dict; ``base`` is what its inputs that stay the same for a whole drawing (z, class) and its
bias add to the gates, worked out once. Sequences are ``(steps, batch, ...)``.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from evoart.sketch.numerics import namespace, rsqrt, sigmoid, tanh
from evoart.types import Array

FORGET = 1.0  # Jozefowicz et al., "An Empirical Exploration of Recurrent Network Architectures" (2015)
HYPER, EMBEDDING = 256, 32  # units of the hyper cell, and numbers it says about each gate


class Cell(Protocol):
    """One step of a recurrent network."""

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """The shape of every parameter, by name."""
        ...

    def initialise(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """The first value of a parameter, float32."""
        ...

    def state_size(self, hidden: int) -> int:
        """Length of a state: cell, hidden, and whatever else a cell remembers."""
        ...

    def base(self, params: dict[str, Array], condition: Array) -> Any:
        """From ``condition (batch, extra)``, whose rows of the input weights lie below the pen's."""
        ...

    def step(self, params: dict[str, Array], base: Any, state: Array, x: Array, keep: Array | None = None) -> Array:
        """The next state ``(batch, state_size)``; ``keep (batch, hidden)`` is recurrent dropout's mask on tanh(g)."""
        ...

    def output(self, state: Array, hidden: int) -> Array:
        """The hidden part of a state, ``(batch, hidden)``."""
        ...


def orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Rows or columns, whichever are fewer, orthonormal (Saxe et al., 2014)."""
    tall = rng.normal(size=(max(shape), min(shape)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T, np.float32)


def _gates(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Four gates side by side, each orthogonal of its own."""
    rows, columns = shape
    return np.concatenate([orthogonal((rows, columns // 4), rng) for _ in range(4)], 1)


class Lstm:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), as sketch-rnn-js stores it."""

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """See ``Cell``."""
        return {"wx": (inputs, 4 * hidden), "wh": (hidden, 4 * hidden), "b": (4 * hidden,)}

    def initialise(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """See ``Cell``."""
        return np.zeros(shape, np.float32) if name == "b" else _gates(shape, rng)

    def state_size(self, hidden: int) -> int:
        """See ``Cell``."""
        return 2 * hidden

    def base(self, params: dict[str, Array], condition: Array) -> Array:
        """See ``Cell``."""
        extra = condition.shape[-1]
        wx = params["wx"]
        return condition @ wx[wx.shape[0] - extra :] + params["b"]

    def step(self, params: dict[str, Array], base: Array, state: Array, x: Array, keep: Array | None = None) -> Array:
        """See ``Cell``."""
        xp = namespace(state)
        c, h = xp.split(state, 2, -1)
        a = base + x @ params["wx"][: x.shape[-1]] + h @ params["wh"]
        return _lstm_update(xp.split(a, 4, -1), c, keep)

    def output(self, state: Array, hidden: int) -> Array:
        """See ``Cell``."""
        return state[..., hidden : 2 * hidden]


def _lstm_update(gates: list[Array], c: Array, keep: Array | None, squash: Any = None) -> Array:
    i, g, f, o = gates
    g = tanh(g) if keep is None else tanh(g) * keep
    c = c * sigmoid(f + FORGET) + sigmoid(i) * g
    return namespace(c).concatenate([c, sigmoid(o) * tanh(c if squash is None else squash(c))], -1)


class LayerNorm(Lstm):
    """LSTM whose gates and cell are normalised over the layer (Ba, Kiros and Hinton, 2016)."""

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """See ``Cell``."""
        # The normalisation has a shift of its own, so the gates need no bias.
        return {
            "wx": (inputs, 4 * hidden),
            "wh": (hidden, 4 * hidden),
            "gamma": (5, hidden),
            "beta": (5, hidden),
        }

    def initialise(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """See ``Cell``."""
        if name in ("gamma", "beta"):
            return np.full(shape, name == "gamma", np.float32)
        return _gates(shape, rng)

    def base(self, params: dict[str, Array], condition: Array) -> Array:
        """See ``Cell``."""
        wx = params["wx"]
        return condition @ wx[wx.shape[0] - condition.shape[-1] :]

    def step(self, params: dict[str, Array], base: Array, state: Array, x: Array, keep: Array | None = None) -> Array:
        """See ``Cell``."""
        xp = namespace(state)
        c, h = xp.split(state, 2, -1)
        a = base + x @ params["wx"][: x.shape[-1]] + h @ params["wh"]
        gates = [_normed(part, params, k) for k, part in enumerate(xp.split(a, 4, -1))]
        return _lstm_update(gates, c, keep, lambda c: _normed(c, params, 4))


def _normed(x: Array, params: dict[str, Array], which: int) -> Array:
    xp = namespace(x)
    centred = x - xp.mean(x, -1, keepdims=True)
    variance = xp.mean(centred * centred, -1, keepdims=True)
    return centred * rsqrt(variance + 1e-3) * params["gamma"][which] + params["beta"][which]


class Hyper:
    """HyperLSTM (Ha, Dai and Le, "HyperNetworks", 2016, section 4.3): a small layer-normed LSTM sees input and state,
    and at every step scales the large one's eight gate parts and shifts its four recurrent ones."""

    small = LayerNorm()

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """See ``Cell``."""
        own = {
            "wx": (inputs, 4 * hidden),
            "wh": (hidden, 4 * hidden),
            "b": (4 * hidden,),
            "gamma": (5, hidden),
            "beta": (5, hidden),
            "scale/z": (HYPER, 8 * EMBEDDING),
            "scale/zb": (8 * EMBEDDING,),
            "scale/w": (8, EMBEDDING, hidden),
            "shift/z": (HYPER, 4 * EMBEDDING),
            "shift/w": (4, EMBEDDING, hidden),
        }
        small = self.small.shapes(inputs + hidden, HYPER)
        return own | {f"small/{name}": shape for name, shape in small.items()}

    def initialise(self, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """See ``Cell``."""
        if name.startswith("small/"):
            return self.small.initialise(name[6:], shape, rng)
        if name in ("wx", "wh"):
            return _gates(shape, rng)
        if name == "shift/z":
            return rng.normal(0, 0.01, shape).astype(np.float32)
        # The hyper cell begins by saying 0.1 to every gate, and nothing else (section 4.3.1 of the paper's appendix).
        start = {"gamma": 1.0, "scale/zb": 1.0, "scale/w": 0.1 / EMBEDDING}
        return np.full(shape, start.get(name, 0.0), np.float32)

    def state_size(self, hidden: int) -> int:
        """See ``Cell``."""
        return 2 * hidden + 2 * HYPER

    def base(self, params: dict[str, Array], condition: Array) -> tuple[Array, Array]:
        """See ``Cell``."""
        wx, small = params["wx"], params["small/wx"]
        extra, hidden = condition.shape[-1], params["wh"].shape[0]
        pen = wx.shape[0] - extra
        return condition @ wx[pen:], condition @ small[pen : small.shape[0] - hidden]

    def step(self, params: dict[str, Array], base: Any, state: Array, x: Array, keep: Array | None = None) -> Array:
        """See ``Cell``."""
        xp = namespace(state)
        hidden, pen = params["wh"].shape[0], x.shape[-1]
        c, h, rest = state[..., :hidden], state[..., hidden : 2 * hidden], state[..., 2 * hidden :]
        small = {name[6:]: value for name, value in params.items() if name.startswith("small/")}
        told = xp.zeros((len(x), small["wx"].shape[0] - pen - hidden), x.dtype)  # that is in the base
        rest = self.small.step(small, base[1], rest, xp.concatenate([x, told, h], -1))
        said = rest[..., HYPER:]
        scale = _per_gate(said @ params["scale/z"] + params["scale/zb"], params["scale/w"])
        shift = _per_gate(said @ params["shift/z"], params["shift/w"])
        by_x = xp.split(base[0] + x @ params["wx"][:pen], 4, -1)
        by_h = xp.split(h @ params["wh"], 4, -1)
        bias = xp.split(params["b"], 4)
        gates = [_normed(scale[k] * by_x[k] + scale[4 + k] * by_h[k] + shift[k] + bias[k], params, k) for k in range(4)]
        return xp.concatenate([_lstm_update(gates, c, keep, lambda c: _normed(c, params, 4)), rest], -1)

    def output(self, state: Array, hidden: int) -> Array:
        """See ``Cell``."""
        return state[..., hidden : 2 * hidden]


def _per_gate(z: Array, w: Array) -> list[Array]:
    """``z (batch, gates * embedding)`` through each gate's own ``w (gates, embedding, hidden)``."""
    embedding = w.shape[1]
    return [z[..., k * embedding : (k + 1) * embedding] @ w[k] for k in range(w.shape[0])]


CELLS: dict[str, Cell] = {"lstm": Lstm(), "layer_norm": LayerNorm(), "hyper": Hyper()}
