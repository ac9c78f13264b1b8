"""The residual net in JAX against open_clip's own in torch, and the way there and back."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from clips import open_clip

sys.path.append(str(Path(__file__).parents[1] / "benchmarks" / "words"))

import resnet


def test_the_residual_net_is_open_clips() -> None:
    torch = pytest.importorskip("torch")
    open_clip()
    from open_clip.modified_resnet import ModifiedResNet

    torch.manual_seed(0)
    net = ModifiedResNet(layers=[1, 2, 1, 1], output_dim=24, heads=4, image_size=64, width=8).eval()
    for module in net.modules():  # norms that do something
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.3, 0.3)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.2, 0.2)
    state = {f"visual.{name}": value.numpy() for name, value in net.state_dict().items()}
    images = np.random.default_rng(0).normal(size=(3, 64, 64, 3)).astype(np.float32)
    with torch.no_grad():
        theirs = net(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    params = resnet.parameters(state, (1, 2, 1, 1))
    ours = np.asarray(resnet.features(params, 4, images))
    assert np.abs(theirs).max() > 0.05
    np.testing.assert_allclose(ours, theirs, atol=2e-5, rtol=1e-4)

    again = resnet.parameters(resnet.state_of(params), (1, 2, 1, 1))
    np.testing.assert_allclose(np.asarray(resnet.features(again, 4, images)), ours, atol=1e-6)


def test_a_pixel_has_a_gradient() -> None:
    state = _state()
    params = resnet.parameters(state, (1, 1, 1, 1))
    image = np.full((1, 32, 32, 3), 0.4, np.float32)
    slope = np.asarray(jax.grad(lambda x: resnet.features(params, 2, x).sum())(image))
    assert np.isfinite(slope).all()
    assert np.abs(slope).max() > 0


def _state() -> dict[str, np.ndarray]:
    rng, w, state = np.random.default_rng(1), 4, {}

    def part(convolution: str, norm: str, k: int, inside: int, outside: int) -> None:
        state[f"{convolution}.weight"] = rng.normal(size=(outside, inside, k, k)).astype(np.float32) * 0.2
        for name, value in (("weight", 1.0), ("bias", 0.1), ("running_mean", 0.0), ("running_var", 1.0)):
            state[f"{norm}.{name}"] = np.full(outside, value, np.float32)

    for n, (a, b) in enumerate(((3, w // 2), (w // 2, w // 2), (w // 2, w)), 1):
        part(f"visual.conv{n}", f"visual.bn{n}", 3, a, b)
    inside = w
    for i in range(4):
        name, planes = f"visual.layer{i + 1}.0", w * 2**i
        part(f"{name}.conv1", f"{name}.bn1", 1, inside, planes)
        part(f"{name}.conv2", f"{name}.bn2", 3, planes, planes)
        part(f"{name}.conv3", f"{name}.bn3", 1, planes, 4 * planes)
        part(f"{name}.downsample.0", f"{name}.downsample.1", 1, inside, 4 * planes)
        inside = 4 * planes
    state["visual.attnpool.positional_embedding"] = rng.normal(size=(2, inside)).astype(np.float32)
    for each in "qkvc":
        state[f"visual.attnpool.{each}_proj.weight"] = rng.normal(size=(inside, inside)).astype(np.float32) * 0.05
        state[f"visual.attnpool.{each}_proj.bias"] = np.zeros(inside, np.float32)
    return state
