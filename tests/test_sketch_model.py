"""The nets of sketch-rnn against plain NumPy and SciPy: likelihood, cells, sampling, weights, latent vectors."""

from __future__ import annotations

import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sketches import sampled, small, stepper

from evoart.errors import EvoartError, UsageError
from evoart.sketch import latent, mixture
from evoart.sketch.cells import CELLS
from evoart.sketch.latent import encode
from evoart.sketch.loss import Batch, Noise, losses, noise
from evoart.sketch.model import Config, Model, part, shapes
from evoart.sketch.numerics import ExactWeights
from evoart.sketch.sampling import draw, draw_noise
from evoart.sketch.strokes import to_stroke5
from evoart.sketch.unroll import scaled, unroll
from evoart.sketch.weights import decode, read, to_js, to_npz


def test_likelihood_is_scipys():
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(40, 3 + 6 * 5)).astype(np.float32) * 1.5
    offsets = rng.normal(size=(40, 2)).astype(np.float32) * 2
    found = mixture.log_density(mixture.split(jnp.asarray(outputs)), jnp.asarray(offsets))
    for row, offset, value in zip(outputs.astype(float), offsets.astype(float), np.asarray(found), strict=True):
        pi, mx, my, sx, sy, r = row[3:].reshape(6, 5)
        each = []
        for k in range(5):
            a, b, rho = np.exp(sx[k]), np.exp(sy[k]), np.tanh(r[k])
            each.append(
                multivariate_normal([mx[k], my[k]], [[a * a, rho * a * b], [rho * a * b, b * b]]).logpdf(offset)
            )
        wanted = logsumexp(np.array(each) + pi - logsumexp(pi))
        assert value == pytest.approx(wanted, rel=1e-5, abs=1e-5)


@jax.jit
@jax.value_and_grad
def _likelihood(outputs, offset):
    parts = mixture.split(outputs)
    return jnp.sum(mixture.log_density(parts, offset) + mixture.log_pen(parts, jnp.array([[1.0, 0, 0]])))


@given(st.floats(-300, 300, width=32), st.floats(-60, 60, width=32))
def test_likelihood_and_its_gradient_stay_finite(place, weight):
    outputs, offset = np.full((1, 15), weight, np.float32), np.full((1, 2), place, np.float32)
    value, slope = _likelihood(outputs, offset)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(("cell", "latent"), [("lstm", False), ("lstm", True), ("layer_norm", False), ("hyper", True)])
def test_the_loss_is_that_of_plain_numpy(cell, latent):
    settings = {"latent": 4, "classes": ("a", "b")} if latent else {}
    model = small(cell, **settings)
    rng = np.random.default_rng(1)
    sketches = [np.column_stack([rng.normal(size=(n, 2)) * 5, rng.random(n) < 0.3]) for n in (3, 9)]
    z, classes = rng.normal(size=(2, 4)), np.array([1, 0])
    rows = np.zeros((12, 2, 5), np.float32)
    for k, sketch in enumerate(sketches):
        rows[: len(sketch) + 1, k] = to_stroke5(sketch / (5, 5, 1))
    batch = Batch(rows, np.array([3, 9]), classes)
    if settings:  # the draw that makes z what we want it to be
        mu, sigma = encode(model, sketches)
        draws = Noise(jnp.asarray((z - mu) / sigma, jnp.float32), None)
    else:
        draws = Noise(jnp.zeros((2, 0)), None)
    found = float(jax.jit(losses, static_argnums=0)(model.config, model.params, batch, draws)[0])
    total, m = 0.0, model.config.mixtures
    for k, sketch in enumerate(sketches):
        step = stepper(model, z[k], classes[k])
        row = np.array([0, 0, 1, 0, 0.0])
        for target in rows[: len(sketch) + 1, k].astype(float):
            out = step(row)
            total -= out[:3] @ target[2:] - logsumexp(out[:3])
            if not target[4]:
                pi, mx, my, sx, sy, r = out[3:].reshape(6, m)
                rho = np.tanh(r)
                zx, zy = (target[0] - mx) / np.exp(sx), (target[1] - my) / np.exp(sy)
                exponent = -(zx**2 + zy**2 - 2 * rho * zx * zy) / (2 * (1 - rho**2))
                each = exponent - np.log(2 * np.pi) - sx - sy - 0.5 * np.log(1 - rho**2)
                total -= logsumexp(each + pi - logsumexp(pi))
            row = target
    assert found == pytest.approx(total / (3 + 9 + 2), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_the_written_gradient_of_the_lstm_is_autodiffs(masked):
    cell, rng = CELLS["lstm"], np.random.default_rng(2)
    params = {n: jnp.asarray(rng.normal(size=s) * 0.4, jnp.float32) for n, s in cell.shapes(7, 6).items()}
    xs, given_ = rng.normal(size=(9, 3, 5)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)
    state = jnp.asarray(rng.normal(size=(3, 12)), jnp.float32)
    keep = jnp.asarray(rng.integers(0, 2, (9, 3, 6)) * 128, jnp.uint8) if masked else None
    weight = rng.normal(size=(9, 3, 6)).astype(np.float32)

    def fast(params, given_, state):
        return jnp.sum(unroll("lstm", params, cell.base(params, given_), state, jnp.asarray(xs), keep) * weight)

    def plain(params, given_, state):
        base, total = cell.base(params, given_), 0.0
        for t in range(9):
            state = cell.step(params, base, state, xs[t], None if keep is None else scaled(keep[t]))
            total += jnp.sum(cell.output(state, 6) * weight[t])
        return total

    found, wanted = (jax.jit(jax.grad(f, (0, 1, 2)))(params, given_, state) for f in (fast, plain))
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("js", {}),
        ("tf", {"latent": 3, "classes": ("a", "b")}),
        ("handwriting", {"cell": "layer_norm"}),
        ("js", {"cell": "hyper"}),
    ],
)
def test_sampling_is_that_of_plain_numpy(rule, settings):
    model = small(**settings)
    noise, rng = draw_noise(5, 20, 3), np.random.default_rng(4)
    z, classes = rng.normal(size=(5, 3)), np.array([0, 1, 1, 0, 1])
    prefix = [np.column_stack([rng.normal(size=(k, 2)) * 5, rng.random(k) < 0.4]) for k in range(5)]
    drawn = draw(model, noise, temperature=0.6, rule=rule, z=z, classes=classes, prefix=prefix)
    for k, each in enumerate(drawn):
        forced = to_stroke5(prefix[k] / (5, 5, 1), end=False)
        rows = sampled(model, noise[k], 0.6, rule, z[k], classes[k], forced)
        ended = rows[-1, 4] == 1
        assert each.finished == ended
        rows = rows[: len(rows) - ended]
        np.testing.assert_allclose(each.strokes[:, :2], rows[:, :2] * 5, rtol=2e-3, atol=2e-3)
        np.testing.assert_array_equal(each.strokes[:, 2], rows[:, 3])


@pytest.mark.parametrize("cell", CELLS)
def test_a_drawing_does_not_depend_on_its_neighbours(cell):
    model = small(cell)
    many, few = draw(model, draw_noise(70, 24, 5)), draw(model, draw_noise(3, 24, 5, offset=40))
    for a, b in zip(many[40:43], few, strict=True):
        np.testing.assert_array_equal(a.strokes, b.strokes)
    np.testing.assert_array_equal(draw_noise(1, 30, 5)[:, :24], draw_noise(1, 24, 5))


def test_products_are_the_same_however_they_are_cut():
    rng = np.random.default_rng(2)
    w, x = rng.normal(size=(300, 40)) * 3, rng.normal(size=(9, 300)).astype(np.float32)
    weights = ExactWeights(w)
    whole = x @ weights
    for k in range(9):
        order = rng.permutation(300)
        shuffled = ExactWeights(w[order])
        np.testing.assert_array_equal((x[k : k + 1, order] @ shuffled)[0], whole[k])
    np.testing.assert_allclose(whole, x @ w, rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(np.zeros((1, 300), np.float32) @ weights, np.zeros((1, 40)))


def test_cold_drawings_are_all_alike_and_temperatures_have_a_range():
    model = small()
    cold = draw(model, draw_noise(4, 20, 6), temperature=0, rule="tf")
    for each in cold[1:]:
        np.testing.assert_allclose(each.strokes, cold[0].strokes, atol=0.2)
    draw(model, draw_noise(2, 20, 6), temperature=2)
    for wrong in (5, -0.1, float("nan")):
        with pytest.raises(UsageError, match="out of range"):
            draw(model, draw_noise(1, 20, 6), temperature=wrong)
    with pytest.raises(UsageError, match="Did you mean handwriting"):
        draw(model, draw_noise(1, 20, 6), rule="handwritin")


def test_a_prefix_must_fit():
    model = small()
    with pytest.raises(UsageError, match="24 points are given, and 'sketch' holds 24"):
        draw(model, draw_noise(1, 24, 6), prefix=[np.ones((24, 3))])


@pytest.mark.parametrize("settings", [{}, {"latent": 4}])
@pytest.mark.parametrize("script", [False, True])
def test_weights_go_to_sketch_rnn_js_and_back(settings, script):
    model = small(**settings)
    again = decode(to_js(model, script=script), "x")
    assert again.config.latent == model.config.latent
    assert (again.config.scale, again.config.max_points) == (5.0, 24)
    for name, value in model.params.items():
        np.testing.assert_allclose(again.params[name], value, atol=10 / 32767)


def test_the_blobs_are_those_of_sketch_rnn_js():
    info, sizes, blobs = json.loads(to_js(small(latent=4)))
    assert info["mode"] == 0
    assert len(blobs) == 17
    assert sizes[0] == [5, 24]
    assert sizes[12:] == [[12, 21], [21], [9, 48], [12, 48], [48]]


@pytest.mark.parametrize("cell", CELLS)
def test_weights_go_to_our_own_file_and_back(cell):
    model = small(cell, classes=("cat", "dog"), latent=3, licence="CC0")
    again = decode(to_npz(model, half=False), "x")
    assert again.config == model.config
    assert all((again.params[name] == model.params[name]).all() for name in model.params)
    assert decode(to_npz(model), "x").digest == decode(to_npz(model), "x").digest != model.digest


@pytest.mark.parametrize("cell", ["layer_norm", "hyper"])
def test_what_sketch_rnn_js_cannot_hold(cell):
    with pytest.raises(EvoartError, match="plain LSTMs"):
        to_js(small(cell))
    with pytest.raises(EvoartError, match="beyond what sketch-rnn-js can hold"):
        to_js(small(spread=8.0))


def _js(change):
    content = json.loads(to_js(small()))
    change(content)
    return json.dumps(content).encode()


HOSTILE = {
    "nothing": b"",
    "text": b"hello",
    "an object": b"{}",
    "cut short": to_js(small())[:-300],
    "zip cut short": to_npz(small())[:-300],
    "not utf-8": b"\xff\xfe[",
    "deep": b"[" * 100_000,
    "wrong count": _js(lambda c: c[2].pop()),
    "wrong shape": _js(lambda c: c[1].__setitem__(0, [12, 22])),
    "negative shape": _js(lambda c: c[1].__setitem__(0, [-12, -21])),
    "huge shape": _js(lambda c: c[1].__setitem__(0, [2**40, 2**40])),
    "shapes that do not go together": _js(lambda c: c[1].__setitem__(0, [21, 12])),
    "no base64": _js(lambda c: c[2].__setitem__(0, "?!")),
    "a number for an array": _js(lambda c: c[2].__setitem__(0, 7)),
    "scale zero": _js(lambda c: c[0].__setitem__("scale_factor", 0)),
    "scale not finite": _js(lambda c: c[0].__setitem__("scale_factor", float("nan"))),
    "no points": _js(lambda c: c[0].__setitem__("max_seq_len", 0)),
    "version 1 of a VAE": _js(lambda c: c[0].update(mode=0, version=1)),
    "a program": b"var x='[]'; alert(1)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_weights_are_refused_in_one_line(name):
    with pytest.raises(EvoartError) as caught:
        decode(HOSTILE[name], "model.json")
    assert "model.json" in str(caught.value) or "sketch model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_weights_that_are_not_finite_or_missing():
    model = small()
    with pytest.raises(EvoartError, match="not finite"):
        Model(model.config, model.params | {"out/b": np.full(21, np.nan, np.float32)})
    with pytest.raises(EvoartError, match="lack out/b"):
        Model(model.config, {name: value for name, value in model.params.items() if name != "out/b"})


def test_a_pickle_in_our_own_format_is_not_opened(tmp_path):
    evil = np.array([print], object)
    np.savez(tmp_path / "evil.npz", config=evil)
    with pytest.raises(EvoartError):
        read(tmp_path / "evil.npz")


def test_an_encoder_sees_a_drawing_and_not_its_padding():
    model, rng = small(latent=3), np.random.default_rng(8)
    sketches = [np.column_stack([rng.normal(size=(n, 2)) * 5, np.zeros(n)]) for n in (2, 20, 7)]
    together = latent.encode(model, sketches)
    for k, sketch in enumerate(sketches):
        alone = latent.encode(model, [sketch])
        np.testing.assert_allclose(together[0][k], alone[0][0], atol=1e-5)
        np.testing.assert_allclose(together[1][k], alone[1][0], atol=1e-5)


def test_a_decoder_has_no_encoder():
    with pytest.raises(UsageError, match="decoder only"):
        latent.encode(small(), [np.ones((3, 3))])
    with pytest.raises(UsageError, match="takes 1 to 24|It takes 1 to 24"):
        latent.encode(small(latent=3), [np.ones((25, 3))])


def test_ways_through_the_latent_space():
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(2, 32))
    way = latent.slerp(a, b, 9)
    np.testing.assert_allclose(way[[0, -1]], [a, b])
    lengths = np.linalg.norm(way, axis=1)
    np.testing.assert_allclose(lengths, np.linspace(lengths[0], lengths[-1], 9))
    units = way / lengths[:, None]
    angles = np.arccos((units[1:] * units[:-1]).sum(1))
    np.testing.assert_allclose(angles, angles[0], rtol=1e-6)
    np.testing.assert_allclose(latent.slerp(a, -a, 3)[1], 0, atol=1e-9)
    plane = latent.plane(a, *rng.normal(size=(2, 32)), 3, 5, 2.0)
    np.testing.assert_allclose(plane[7], a)
    np.testing.assert_allclose(np.linalg.norm(plane[[5, 9]] - a, axis=1), 2)
    np.testing.assert_allclose(latent.combined(np.array([a, b]), np.array([a])), b)


def test_dropout_keeps_what_it_says():
    batch = Batch(np.zeros((30, 20, 5), np.float32), np.full(20, 29), np.zeros(20, int))
    config = Config(hidden=64, latent=2)
    draws = noise(config, batch, jax.random.key(0), 0.9)
    assert float(jnp.mean(scaled(draws.keep))) == pytest.approx(1, abs=0.01)
    assert float(jnp.mean(draws.keep == 0)) == pytest.approx(0.1, abs=0.01)
    assert noise(config, batch, jax.random.key(0), 1.0).keep is None


def test_the_size_of_a_published_decoder():
    assert sum(int(np.prod(shape)) for shape in shapes(Config()).values()) == 1_123_963
    hyper = sum(int(np.prod(shape)) for shape in shapes(Config(cell="hyper")).values())
    assert hyper == pytest.approx(2.22e6, rel=0.01)
    assert set(part({"a/b": 1, "ab/c": 2}, "a")) == {"b"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bird.gen.json", "bicycle.gen.json", "sheep.gen.json", "flowchart.gen.js"])
def test_published_decoders_finish_their_drawings(shared, name):
    model = read(shared / "sketch" / "models" / name)
    drawn = draw(model, draw_noise(64, model.config.max_points, 1), temperature=0.35)
    assert np.mean([each.finished for each in drawn]) > (0.3 if "flow" in name else 0.85)
    assert np.median([len(each.strokes) for each in drawn]) > 20


def test_a_published_decoder_draws_as_plain_numpy_does(shared):
    model = read(shared / "sketch" / "models" / "bird.gen.json")
    noise = draw_noise(2, 60, 1)
    for k, each in enumerate(draw(model, noise, temperature=0.35)):
        rows = sampled(model, noise[k], 0.35, "js") * (model.config.scale, model.config.scale, 1, 1, 1)
        n = min(12, len(each.strokes))
        np.testing.assert_allclose(each.strokes[:n, :2], rows[:n, :2], rtol=0.01, atol=0.3)


def test_handwriting_is_written(shared):
    model = read(shared / "sketch" / "handwriting" / "rnn_tutorial_weights.js")
    assert (model.config.hidden, model.config.inputs) == (500, 3)
    start = time.monotonic()
    drawn = draw(model, draw_noise(2, 120, 2), temperature=0.5, rule="handwriting")
    assert time.monotonic() - start < 60
    for each in drawn:
        assert len(each.strokes) == 120
        assert 2 < each.strokes[:, 2].sum() < 40  # letters
        assert each.strokes[:, 0].sum() > 30  # continue to the right
