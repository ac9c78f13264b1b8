"""A sketch-rnn in plain NumPy, written from the papers' equations, and small models to compare with."""

from __future__ import annotations

from math import erf

import numpy as np

from evoart.sketch.model import Config, Model, create_model

_ndtr = np.vectorize(lambda x: 0.5 * (1 + erf(x / np.sqrt(2))))


def small(cell: str = "lstm", *, spread: float = 0.3, **settings) -> Model:
    """A model of a few units whose weights are large enough to matter."""
    config = Config(cell=cell, hidden=12, mixtures=3, encoder=6, max_points=24, scale=5.0, **settings)
    rng = np.random.default_rng(11)
    params = {name: np.asarray(value) for name, value in create_model(config, rng).params.items()}
    return Model(config, {n: (v + spread * rng.normal(size=v.shape)).astype(np.float32) for n, v in params.items()})


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(p, x, h, c):
    """One step for one drawing."""
    i, g, f, o = np.split(x @ p["wx"] + h @ p["wh"] + p["b"], 4)
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def normed(x, p, k):
    return (x - x.mean()) / np.sqrt(x.var() + 1e-3) * p["gamma"][k] + p["beta"][k]


def layer_norm(p, x, h, c):
    parts = np.split(x @ p["wx"] + h @ p["wh"], 4)
    i, g, f, o = (normed(part, p, k) for k, part in enumerate(parts))
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(normed(c, p, 4)), c


def hyper(p, x, state):
    """HyperNetworks, equations 10 to 12; ``state`` is (h, c, small h, small c)."""
    h, c, hs, cs = state
    small = {name[6:]: value for name, value in p.items() if name.startswith("small/")}
    hs, cs = layer_norm(small, np.concatenate([x, h]), hs, cs)
    zs = np.split(hs @ p["scale/z"] + p["scale/zb"], 8)
    zb = np.split(hs @ p["shift/z"], 4)
    by_x, by_h, bias = (np.split(v, 4) for v in (x @ p["wx"], h @ p["wh"], p["b"]))
    gates = []
    for k in range(4):
        pre = (zs[k] @ p["scale/w"][k]) * by_x[k] + (zs[4 + k] @ p["scale/w"][4 + k]) * by_h[k]
        gates.append(normed(pre + zb[k] @ p["shift/w"][k] + bias[k], p, k))
    i, g, f, o = gates
    c = sigmoid(f + 1) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(normed(c, p, 4)), c, hs, cs


def stepper(model: Model, z=None, class_index=0):
    """A function from one pen row to the output of the decoder, which remembers its state."""
    config = model.config
    params = {name: np.asarray(value, np.float64) for name, value in model.params.items()}
    p = {name[5:]: value for name, value in params.items() if name.startswith("cell/")}
    extra = np.zeros(config.conditioning)
    if config.latent:
        extra[: config.latent] = z
    if config.classes:
        extra[config.latent + class_index] = 1
    n = config.hidden
    state = [np.zeros(n), np.zeros(n), np.zeros(256), np.zeros(256)]
    if config.latent:
        start = np.tanh(np.asarray(z) @ params["start/w"] + params["start/b"])
        state[0], state[1] = start[n : 2 * n], start[:n]
        if config.cell == "hyper":
            state[2], state[3] = start[2 * n + 256 :], start[2 * n : 2 * n + 256]

    def step(row):
        x = np.concatenate([row, extra])
        if config.cell == "hyper":
            state[:] = hyper(p, x, state)
        else:
            state[:2] = (lstm if config.cell == "lstm" else layer_norm)(p, x, state[0], state[1])
        return state[0] @ params["out/w"] + params["out/b"]

    return step


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def sampled(model: Model, tape, tau, rule, z=None, class_index=0, prefix=()):
    """Rows ``(n, 5)`` of stroke-5, the end row included where there is one, in the model's units."""
    step, m = stepper(model, z, class_index), model.config.mixtures
    by_pi, by_pen, by_sigma = {
        "js": (0.5 + 0.5 * tau, 0.5 + 0.5 * tau, np.sqrt(tau)),
        "tf": (tau, tau, tau),
        "handwriting": (tau, 1.0, tau),
    }[rule]
    row, rows = np.array([0, 0, 1, 0, 0.0]), []
    for t, (n0, z1, z2, n3) in enumerate(np.asarray(tape, np.float64)):
        out = step(row)
        pen, (pi, mx, my, sx, sy, r) = out[:3], out[3:].reshape(6, m)
        k = int(np.searchsorted(np.cumsum(softmax(pi / by_pi)), _ndtr(n0)))
        rho = np.tanh(r[k])
        dx = mx[k] + np.exp(sx[k]) * by_sigma * (rho * z2 + np.sqrt(1 - rho**2) * z1)
        dy = my[k] + np.exp(sy[k]) * by_sigma * z2
        what = int(np.searchsorted(np.cumsum(softmax(pen / by_pen)), _ndtr(n3)))
        row = np.zeros(5)
        row[2 + min(what, 2)] = 1
        if row[4] == 0:
            row[:2] = dx, dy
        if t < len(prefix):
            row = np.asarray(prefix[t], np.float64)
        rows.append(row)
        if row[4]:
            break
    return np.array(rows)
