"""CLIP in JAX against open_clip in torch, weights scaled up so that a wrong activation shows."""

from __future__ import annotations

import json
import time

import jax
import ml_dtypes
import numpy as np
import pytest
from clips import SMALL, open_clip

from evoart.errors import EvoartError, UsageError
from evoart.openclip import catalogue, foreign, model, safetensors, weights
from evoart.openclip import load as loading
from evoart.openclip.config import MEAN, parse
from evoart.openclip.foreign import check_tokenizer
from evoart.openclip.load import load
from evoart.openclip.untrained import untrained

VARIANTS = {
    "gelu": {},
    "quick gelu": {"quick_gelu": True},
    "mean of tokens": {"vision_cfg": {"pool_type": "avg"}},
    "norm after pool": {"vision_cfg": {"final_ln_after_pool": True, "pool_type": "avg"}},
    "no first norm": {"vision_cfg": {"no_ln_pre": True}},
    "layer scale": {"vision_cfg": {"ls_init_value": 0.5}, "text_cfg": {"ls_init_value": 0.3}},
    "narrow mlp": {"vision_cfg": {"mlp_ratio": 2.5}, "text_cfg": {"mlp_ratio": 3.0}},
    "patches that do not fill": {"vision_cfg": {"image_size": 40}},
}


def variant(name):
    changes = VARIANTS[name]
    return {key: value | changes.get(key, {}) if isinstance(value, dict) else value for key, value in SMALL.items()} | {
        key: value for key, value in changes.items() if not isinstance(value, dict)
    }


def tokens(seed=0):
    rng = np.random.default_rng(seed)
    out = np.zeros((4, 77), np.int32)
    for row, length in zip(out, (1, 5, 40, 75), strict=True):
        row[0], row[1 : length + 1], row[length + 1] = 49406, rng.integers(0, 49406, length), 49407
    return out


def scaled(module):
    """Random weights three times as large, biases that are not zero."""
    import torch

    torch.manual_seed(1)
    with torch.no_grad():
        for name, value in module.named_parameters():
            if value.ndim > 1:
                value.mul_(3)
            elif "bias" in name:
                value.normal_(0, 0.2)
    return module.eval()


def both(plain, module):
    """Features of random pictures and texts: ours, theirs."""
    import torch

    config = parse(plain)
    params = weights.to_params({name: value.numpy() for name, value in module.state_dict().items()}, config)
    images = np.random.default_rng(0).random((3, config.vision.size, config.vision.size, 3), np.float32)
    normal = (images - np.array(config.mean, np.float32)) / np.array(config.std, np.float32)
    ours = [jax.jit(model.image_features, static_argnums=1)(params, config, images)]
    ours.append(jax.jit(model.text_features, static_argnums=1)(params, config, tokens()))
    with torch.inference_mode():
        theirs = [module.encode_image(torch.from_numpy(normal).permute(0, 3, 1, 2)).numpy()]
        theirs.append(module.encode_text(torch.from_numpy(tokens()).long()).numpy())
    return [np.asarray(each) for each in ours], theirs


def unit(features):
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_both_towers_agree_with_open_clip(name):
    plain = variant(name)
    module = scaled(open_clip().CLIP(**plain))
    for mine, reference in zip(*both(plain, module), strict=True):
        assert np.abs(mine - reference).max() <= 1e-4 * max(1.0, np.abs(reference).max())
        assert np.abs(unit(mine) - unit(reference)).max() <= 1e-5


def test_the_wrong_activation_would_be_seen():
    module = scaled(open_clip().CLIP(**variant("gelu")))
    mine, reference = both(variant("quick gelu"), module)
    assert np.abs(unit(mine[0]) - unit(reference[0])).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ViT-B-32-quickgelu", "ViT-B-16"])
def test_real_architectures_agree_with_open_clip(name):
    library = open_clip()
    plain = library.get_model_config(name)
    module = scaled(library.CLIP(**plain))
    for mine, reference in zip(*both(plain, module), strict=True):
        assert np.abs(unit(mine) - unit(reference)).max() <= 1e-4


def test_known_models_are_those_of_open_clip():
    library = open_clip()
    for entry in catalogue.KNOWN:
        if entry.tag:
            theirs = library.get_pretrained_cfg(entry.name, entry.tag)
            assert theirs["hf_hub"] == f"{entry.repository}/"
            assert tuple(theirs["mean"]) == MEAN
            assert theirs["interpolation"] == "bicubic"
            assert theirs["resize_mode"] == "shortest"
            assert bool(theirs.get("quick_gelu")) == entry.quick_gelu


def test_the_tag_decides_the_activation():
    for name in ("ViT-B-32", "ViT-B-32-quickgelu"):
        assert catalogue.find_entry(name, "openai").quick_gelu
        assert not catalogue.find_entry(f"{name}/laion2b_s34b_b79k").quick_gelu


def test_normalisation_follows_the_tag():
    found = catalogue.find_entry("ViT-L-14-CLIPA/datacomp1b")
    assert found.preprocess["mean"] != MEAN
    assert found.preprocess["interpolation"] == "bilinear"


def test_bfloat16_is_near():
    config = parse(SMALL)
    state = untrained(config)
    images = np.random.default_rng(0).random((4, 32, 32, 3), np.float32)
    encode = jax.jit(model.encode_image, static_argnums=1)
    exact, coarse = (
        np.asarray(encode(weights.to_params(state, config, kind), config, images))
        for kind in (np.float32, ml_dtypes.bfloat16)
    )
    assert coarse.dtype == np.float32
    assert ((exact * coarse).sum(1) > 0.998).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gelu", "mean of tokens", "layer scale"])
def test_blocks_in_a_list_give_the_same(name):
    config = parse(variant(name))
    params = weights.to_params(untrained(config), config)
    vision = params["vision"] | {"blocks": model.split_blocks(params["vision"]["blocks"])}
    images = np.random.default_rng(0).random((2, config.vision.size, config.vision.size, 3), np.float32)

    def slope(params):
        return jax.jit(jax.grad(lambda x: model.encode_image(params, config, x)[:, :3].sum()))(images)

    for compute in (lambda params: jax.jit(model.encode_image, static_argnums=1)(params, config, images), slope):
        stacked, split = (np.asarray(compute(each)) for each in (params, params | {"vision": vision}))
        assert np.abs(stacked - split).max() <= 1e-5 * np.abs(stacked).max()


def test_large_blocks_are_kept_apart(monkeypatch):
    monkeypatch.setattr(loading, "LARGE", 1)
    assert len(load("tiny").params["vision"]["blocks"]) == 4


def test_weights_go_there_and_back(tmp_path):
    config = parse(SMALL)
    state = untrained(config)
    back = weights.to_state(weights.to_params(state, config), config)
    assert back.keys() | {"logit_scale"} == state.keys()
    assert all((back[name] == state[name]).all() for name in back)
    safetensors.write(tmp_path / "a.safetensors", back, {"by": "test"})
    read, notes = safetensors.read(tmp_path / "a.safetensors")
    assert notes == {"by": "test"}
    assert all((read[name] == back[name]).all() for name in back)


def test_safetensors_are_those_of_the_library(tmp_path):
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    arrays = {
        "b": np.arange(6, dtype=np.float16).reshape(2, 3),
        "a": np.array(3, np.int64),
        "c": np.zeros((0, 2), np.float32),
    }
    safetensors.write(tmp_path / "mine", arrays)
    library.save_file(arrays, tmp_path / "theirs")
    for name, value in library.load_file(tmp_path / "mine").items():
        assert value.dtype == arrays[name].dtype
        assert np.array_equal(value, arrays[name])
    for name, value in safetensors.read(tmp_path / "theirs")[0].items():
        assert np.array_equal(value, arrays[name])


def test_bfloat16_files_are_read(tmp_path):
    array = np.linspace(-3, 3, 7).astype(ml_dtypes.bfloat16)
    safetensors.write(tmp_path / "a", {"x": array})
    assert (safetensors.read(tmp_path / "a")[0]["x"] == array).all()


def header(entries, data=b"", length=None):
    text = json.dumps(entries).encode() if not isinstance(entries, bytes) else entries
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        b"PK\x03\x04" + bytes(100),
        header({"x": ENTRY}, bytes(7)),
        header({"x": ENTRY}, bytes(8), 10**12),
        header(b"[1, 2]", bytes(8)),
        header(b"{not json", bytes(8)),
        header(b"[" * 100_000),
        header({"x": ENTRY | {"shape": [3]}}, bytes(8)),
        header({"x": ENTRY | {"shape": [-2]}}, bytes(8)),
        header({"x": ENTRY | {"data_offsets": [-8, 0]}}, bytes(8)),
        header({"x": ENTRY | {"data_offsets": [0, 8, 9]}}, bytes(8)),
        header({"x": ENTRY | {"dtype": "F128"}}, bytes(8)),
        header({"x": 5}, bytes(8)),
    ],
)
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(EvoartError, match="damaged"):
        safetensors.read(tmp_path / "w.safetensors")
    with pytest.raises(EvoartError):
        load("tiny", file=tmp_path / "w.safetensors")


def test_weights_of_another_model_are_refused(tmp_path):
    config = parse(SMALL)
    state = untrained(config)
    safetensors.write(tmp_path / "w.safetensors", state)
    with pytest.raises(EvoartError, match="not those of this model"):
        load("ViT-B-32", file=tmp_path / "w.safetensors")
    for change in ({"visual.proj": None}, {"visual.proj": np.zeros((3, 3), np.float32)}):
        broken = {name: value for name, value in (state | change).items() if value is not None}
        with pytest.raises(EvoartError, match="not those of this model"):
            weights.to_params(broken, config)
    with pytest.raises(EvoartError, match="more than"):
        weights.to_params(state | {"transformer.resblocks.2.ln_1.weight": np.ones(32, np.float32)}, config)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vision_cfg": {"timm_model_name": "vit_base"}}, "timm"),
        ({"vision_cfg": {"layers": [3, 4, 6, 3]}}, "ResNet"),
        ({"vision_cfg": {"attentional_pool": True}}, "attentional_pool"),
        ({"text_cfg": {"hf_model_name": "bert"}}, "hf_model_name"),
        ({"text_cfg": {"no_causal_mask": True}}, "no_causal_mask"),
        ({"multimodal_cfg": {"layers": 3}}, "decoder"),
    ],
)
def test_other_architectures_are_told_apart(changes, reason):
    plain = {key: value | changes.get(key, {}) if isinstance(value, dict) else value for key, value in SMALL.items()}
    with pytest.raises(ValueError, match=reason):
        parse(plain | {key: value for key, value in changes.items() if key not in plain})


def test_two_tags_are_one_too_many():
    with pytest.raises(UsageError, match="two tags"):
        catalogue.find_entry("ViT-B-32/openai", "laion2b_s34b_b79k")
    assert catalogue.find_entry("ViT-B-32/openai", "openai").tag == "openai"
    assert catalogue.config_of("ViT-B-16-quickgelu")["quick_gelu"]


@pytest.fixture(scope="module")
def by_torch():
    open_clip()
    return load("ViT-S-32/random", torch=True)


@pytest.mark.slow
def test_torch_and_jax_scorers_agree(by_torch):
    mine, theirs = load("ViT-S-32/random"), by_torch
    images = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    assert np.abs(mine.embed_images(images) - theirs.embed_images(images)).max() < 1e-4
    texts = ["a cat", "the quick brown fox"]
    assert np.abs(mine.embed_texts(texts) - theirs.embed_texts(texts)).max() < 1e-4
    slope = jax.jit(jax.grad(lambda x, m: (m.embed_traced(m.params, x)[:, 0]).sum()), static_argnums=1)
    a, b = (np.asarray(slope(images[:1], each)) for each in (mine, theirs))
    assert np.abs(a - b).max() < 1e-3 * np.abs(b).max()


@pytest.mark.slow
def test_torch_computes_in_bfloat16_too(by_torch):
    exact, fast = by_torch, load("ViT-S-32/random", torch=True, precision="bfloat16")
    images = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    found = fast.embed_images(images)
    assert found.dtype == np.float32
    assert fast.scale == exact.scale
    assert (found * exact.embed_images(images)).sum(1).min() > 0.9987
    assert np.abs(found - exact.embed_images(images)).max() > 1e-5
    assert fast.vjp(images[:1], np.ones_like(found[:1])).dtype == np.float32


@pytest.mark.slow
def test_a_resnet_by_torch_is_open_clips():
    """Weights scaled up, and the branches that open_clip begins with 0 opened: else all pictures are alike."""
    import torch

    from evoart.openclip.torch_clip import TorchClip

    library = open_clip()
    torch.manual_seed(1)
    model = library.create_model("RN50", pretrained=None).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if ".bn" in name and name.endswith("weight"):
                value.uniform_(0.5, 1.5)
            elif value.ndim > 1:
                value.mul_(1.5)
    mine = TorchClip("RN50", "RN50", {name: value.numpy() for name, value in model.state_dict().items()}, {})
    images = np.random.default_rng(0).random((2, 224, 224, 3), np.float32)
    images[1, :, :112] = (1, 0, 0)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (library.OPENAI_DATASET_MEAN, library.OPENAI_DATASET_STD))
    pixels = torch.from_numpy(images).requires_grad_()
    found = model.encode_image((pixels.permute(0, 3, 1, 2) - mean) / std, normalize=True)
    theirs = found.detach().numpy()
    assert theirs[0] @ theirs[1] < 0.99
    assert np.abs(mine.embed_images(images) - theirs).max() < 1e-5
    by = np.random.default_rng(1).normal(size=theirs.shape).astype(np.float32)
    (slope,) = torch.autograd.grad(found, pixels, torch.from_numpy(by))
    assert np.abs(mine.vjp(images, by) - slope.numpy()).max() < 1e-4 * slope.abs().max()
    words = ["a cat", "a hat"]
    texts = model.encode_text(library.get_tokenizer("RN50")(words), normalize=True).detach().numpy()
    assert np.abs(mine.embed_texts(words) - texts).max() < 1e-5


@pytest.mark.parametrize(
    ("installed", "offline", "reason"),
    [
        (False, "", "needs the package transformers. Install it with: pip install transformers"),
        (True, "1", "the network may not be asked"),
        (True, "", "is not here, and cannot be fetched: .* is not reachable"),
    ],
)
def test_tokenizers_of_the_hub_are_missed_at_once(monkeypatch, tmp_path, installed, offline, reason):
    model = catalogue.find_entry("ViT-B-16-SigLIP/webli")
    plain = {"text_cfg": {"hf_tokenizer_name": "timm/ViT-B-16-SigLIP"}}
    monkeypatch.setattr(catalogue, "config_of", lambda name: plain)
    monkeypatch.setattr(catalogue, "package_folder", lambda: tmp_path)
    monkeypatch.setattr(foreign.importlib.util, "find_spec", lambda name: installed or None)
    monkeypatch.setenv("HF_HUB_OFFLINE", offline)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("EVOART_CACHE", str(tmp_path / "cache"))
    began = time.monotonic()
    with pytest.raises(EvoartError, match=reason):
        check_tokenizer(model)
    assert time.monotonic() - began < 15  # at once on an idle machine
    kept = tmp_path / "hub/models--timm--ViT-B-16-SigLIP/snapshots/abc"
    kept.mkdir(parents=True)
    (kept / "tokenizer.json").write_text("{}")
    if installed:
        check_tokenizer(model)
