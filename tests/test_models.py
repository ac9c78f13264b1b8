"""Models from a hub on this machine: every layout that is published, every fault, and ``evoart models``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import hub as hubs
import numpy as np
import pytest
from clips import SMALL, open_clip
from hub import ACCOUNT, Hub

from evoart import download
from evoart.cache import cache_dir
from evoart.cli.app import run
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.openclip import catalogue, hub, layouts, load, safetensors, store
from evoart.openclip.config import parse
from evoart.openclip.tokens import BytePairs
from evoart.sketch import catalogue as sketches

SAFE, BIN = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"
CONFIG = parse(SMALL)
STATE = hubs.small_state(CONFIG)
GOOD = hubs.safetensors_bytes(STATE)
VITAMIN = "jienengchen/ViTamin-S"


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No variables and no caches of the user's; a small architecture that the catalogue knows."""
    for name in (
        "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN_PATH", "XDG_CACHE_HOME", "http_proxy", "https_proxy",
        "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("EVOART_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    tags = {"safe": {"hub": ACCOUNT}, "pickled": {"hub": "some/bin"}, "named": {"hub": f"{VITAMIN}/pytorch_model.bin"}}
    real = catalogue._published()
    monkeypatch.setattr(catalogue, "_published", lambda: {**real, "small": {"config": SMALL, "tags": tags}})
    monkeypatch.setattr(download, "PAUSES", (0.01, 0.01, 0.01))


@pytest.fixture
def server(monkeypatch):
    with Hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.files = {f"{ACCOUNT}/{SAFE}": GOOD, f"{ACCOUNT}/merges.txt": hubs.merges_bytes()}
        yield server


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(catalogue, "has_torch", lambda: False)
    monkeypatch.setattr(catalogue, "package_folder", lambda: None)


def entry(tag="safe"):
    return catalogue.find_entry("small", tag)


def quiet(line):
    """Nobody listens."""


def cached(repository, name, content):
    """A file in the cache of the hub's own client."""
    path = hub.cache_folder() / f"models--{repository.replace('/', '--')}" / "snapshots" / "abc" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Layouts.

LAYOUTS = {
    "open_clip": STATE,
    "custom text": hubs.as_custom_text(STATE),
    "distributed": hubs.as_distributed(STATE),
    "distributed custom text": hubs.as_distributed(hubs.as_custom_text(STATE)),
    "transformers": hubs.as_transformers(STATE),
    "scale as a vector": STATE | {"logit_scale": STATE["logit_scale"].reshape(1)},
    "half": {name: value.astype(np.float16) for name, value in STATE.items()},
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_the_same_model(server, tmp_path, name):
    path = tmp_path / "w.safetensors"
    path.write_bytes(hubs.safetensors_bytes(LAYOUTS[name]))
    found = layouts.to_open_clip(safetensors.read(path)[0])
    assert found.keys() == STATE.keys()
    for key, value in STATE.items():
        assert np.allclose(np.squeeze(found[key]), value, atol=2e-3), key
    model = load.load("small/safe", file=path, report=quiet)
    assert model.scale == pytest.approx(100, rel=2e-3)


def test_transformers_layout_is_that_of_the_library():
    open_clip()
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    import torch

    towers = {
        "vision_config": {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 2,
                          "image_size": 32, "patch_size": 16, "hidden_act": "gelu"},
        "text_config": {"hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
                        "vocab_size": 49408, "max_position_embeddings": 77, "hidden_act": "gelu",
                        "eos_token_id": 49407},
        "projection_dim": 24,
    }  # fmt: skip
    theirs = transformers.CLIPModel(transformers.CLIPConfig(**towers)).eval()
    with torch.no_grad():
        for value in theirs.parameters():
            value.normal_(0, 0.2) if value.ndim else None
    state = layouts.to_open_clip({name: value.numpy() for name, value in theirs.state_dict().items()})
    from evoart.openclip import model, weights

    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    mine = np.asarray(model.image_features(weights.to_params(state, CONFIG), CONFIG, images))
    normal = (images - np.array(CONFIG.mean, np.float32)) / np.array(CONFIG.std, np.float32)
    with torch.inference_mode():
        seen = theirs.get_image_features(torch.from_numpy(normal).permute(0, 3, 1, 2))
        seen = getattr(seen, "pooler_output", seen).numpy()
    assert np.abs(mine - seen).max() < 1e-4 * max(1, np.abs(seen).max())
    tokens = np.zeros((2, 77), np.int32)
    tokens[:, 0], tokens[0, 1:4], tokens[1, 1:9] = 49406, (320, 2368, 49407), (1, 2, 3, 4, 5, 6, 7, 49407)
    mine = np.asarray(model.text_features(weights.to_params(state, CONFIG), CONFIG, tokens))
    with torch.inference_mode():
        read = theirs.get_text_features(torch.from_numpy(tokens).long())
        read = getattr(read, "pooler_output", read).numpy()
    assert np.abs(mine - read).max() < 1e-4 * max(1, np.abs(read).max())


@pytest.mark.parametrize("name", ["custom text", "distributed", "scale as a vector", "half"])
def test_every_layout_goes_to_torch(tmp_path, name, monkeypatch):
    open_clip()
    from evoart.openclip.torch_clip import _fit_state

    library = open_clip()
    path = tmp_path / "w.safetensors"
    path.write_bytes(hubs.safetensors_bytes(LAYOUTS[name]))
    for kind in (library.CLIP, library.CustomTextCLIP):
        module = kind(**SMALL)
        module.load_state_dict(_fit_state(load.read_state(path), module))
        assert np.allclose(module.visual.conv1.weight.detach().numpy(), STATE["visual.conv1.weight"], atol=2e-3)


def test_bfloat16_weights_go_to_torch():
    library = open_clip()
    import ml_dtypes

    from evoart.openclip.torch_clip import _fit_state

    module = library.CLIP(**SMALL)
    module.load_state_dict(
        _fit_state({name: value.astype(ml_dtypes.bfloat16) for name, value in STATE.items()}, module)
    )


@pytest.mark.parametrize("other", [hubs.as_transformers(STATE), hubs.as_timm(STATE)])
def test_a_cached_file_is_known_by_what_it_holds(server, other):
    found = cached(ACCOUNT, "model.safetensors", hubs.safetensors_bytes(other))
    usable = "visual_projection.weight" in other
    lines = []
    assert store.fetch_weights(entry(), report=lines.append) == (found if usable else store.folder(entry()) / SAFE)
    assert not any("not used" in line for line in lines)


def test_the_good_file_next_to_another_is_found():
    cached(ACCOUNT, "model.safetensors", hubs.safetensors_bytes(hubs.as_timm(STATE)))
    good = cached(ACCOUNT, SAFE, GOOD)
    assert store.find_weights(entry(), report=quiet) == good
    good.write_bytes(GOOD[:-1])
    assert store.find_weights(entry(), report=quiet) is None
    assert good.exists()  # it is not ours


def test_a_torch_file_alone_does_not_block_the_safe_one(server, without_torch):
    cached(ACCOUNT, BIN, b"PK\x03\x04")
    assert store.fetch_weights(entry(), report=quiet).name == SAFE


def test_programs_of_openai_are_one_honest_line(tmp_path):
    path = tmp_path / "ViT-B-32.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("ViT-B-32/data.pkl", "ViT-B-32/constants.pkl", "ViT-B-32/code/__torch__.py"):
            archive.writestr(name, "x")
    with pytest.raises(EvoartError, match="holds a program.*ViT-B-32/openai"):
        load.read_state(path)


# Downloads.


def test_weights_are_announced_checked_and_kept(server):
    lines = []
    path = store.fetch_weights(entry(), report=lines.append)
    assert path.read_bytes() == GOOD
    assert len(lines) == 1
    assert str(path) in lines[0]
    assert download.format_bytes(len(GOOD)) in lines[0]
    assert (path.parent / f"{SAFE}.sha256").read_text().startswith(hashlib.sha256(GOOD).hexdigest())
    asked = len(server.asked)
    assert store.fetch_weights(entry(), report=lines.append) == path
    assert len(server.asked) == asked


@pytest.mark.parametrize("states", [True, False])
def test_a_wrong_hash_is_not_kept_and_not_remembered(server, states):
    server.states = states
    server.hashes[f"{ACCOUNT}/{SAFE}"] = "0" * 64
    with pytest.raises(EvoartError, match="SHA-256 differs"):
        store.fetch_weights(entry(), report=quiet)
    assert not any(store.folder(entry()).iterdir())
    server.hashes.clear()
    assert store.fetch_weights(entry(), report=quiet).read_bytes() == GOOD


def test_a_wrong_hash_of_an_earlier_version_does_not_count(server):
    store.folder(entry()).mkdir(parents=True)
    old = store.folder(entry()) / f"{SAFE}.pointer"
    old.write_text(f"oid sha256:{'0' * 64}\n")
    store.fetch_weights(entry(), report=quiet)


@pytest.mark.parametrize("served", [b"<!DOCTYPE html><p>Log in", b"", b"{}", GOOD[:-1], hubs.safetensors_bytes({})])
def test_what_is_not_weights_is_not_kept(server, served):
    server.states = server.pointers = False
    server.files[f"{ACCOUNT}/{SAFE}"] = served
    with pytest.raises(EvoartError, match="web page" if b"html" in served else "cannot be used"):
        store.fetch_weights(entry(), report=quiet)
    assert not any(store.folder(entry()).iterdir())


def test_a_login_page_is_named(server):
    server.web_page = True
    with pytest.raises(EvoartError, match=r"a web page instead of the weights.*log in with a browser"):
        store.fetch_weights(entry(), report=quiet)
    with pytest.raises(EvoartError, match="a web page instead of the vocabulary"):
        store._fetch_merges(entry(), quiet)
    assert not list((store.folder(entry()).parent).rglob("*merges*"))


@pytest.mark.parametrize("content", [b"<html>", GOOD[: len(GOOD) // 2], b""])
def test_what_was_kept_and_is_bad_is_replaced(server, content):
    path, lines = store.folder(entry()) / SAFE, []
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert store.fetch_weights(entry(), report=lines.append).read_bytes() == GOOD
    assert "is deleted" in lines[0]


def test_a_vocabulary_that_is_bad_is_replaced(server, without_torch):
    path, lines = store._root() / "merges.txt", []
    path.parent.mkdir(parents=True)
    path.write_bytes(b"<html>")
    assert isinstance(store.load_byte_pairs(entry(), 77, report=lines.append), BytePairs)
    assert "is deleted" in lines[0]
    assert path.read_bytes() == hubs.merges_bytes()


def test_the_vocabulary_is_sought_where_else_it_is_published(server, without_torch):
    server.files["openai/clip-vit-base-patch32/merges.txt"] = server.files.pop(f"{ACCOUNT}/merges.txt")
    store.load_byte_pairs(entry(), 77, report=quiet)


def test_where_the_safe_file_is_missing_that_of_torch_is_fetched(server):
    open_clip()
    server.files[f"some/bin/{BIN}"] = hubs.torch_bytes(STATE)
    path = store.fetch_weights(entry("pickled"), report=quiet)
    assert path.name == BIN
    assert np.array_equal(load.read_state(path)["visual.proj"], STATE["visual.proj"])


def test_without_torch_that_is_said(server, without_torch):
    server.files[f"some/bin/{BIN}"] = b"PK"
    with pytest.raises(MissingExtra, match="not published as .safetensors"):
        store.fetch_weights(entry("pickled"), report=quiet)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "pytorch_model.safetensors"])
def test_files_that_a_tag_names_are_asked_for_by_that_name(server, name):
    open_clip()
    server.files[f"{VITAMIN}/{name}"] = hubs.torch_bytes(STATE) if name.endswith("bin") else GOOD
    assert store.fetch_weights(entry("named"), report=quiet).name == name
    assert all("//" not in path and path.startswith((VITAMIN, "cdn")) for path, _, _ in server.asked)


def test_every_published_tag_has_an_address():
    for each in catalogue.all_entries():
        if not each.is_on_disk:
            assert each.repository.count("/") == 1, each
            assert "." not in each.file or each.file == "pytorch_model.bin", each


@pytest.mark.parametrize(
    ("codes", "headers", "message"),
    [
        ([401], {}, "only to those who log in, or does not have it.*HF_TOKEN"),
        ([403], {}, "Accept its terms at .*HF_TOKEN"),
        ([404], {}, "does not have"),
        ([429] * 4, {}, "too many requests.*HF_TOKEN"),
        ([429], {"Retry-After": "3600"}, "too many requests.*Try again in 3600 seconds"),
        ([503] * 4, {}, "cannot give out .* now.*Try again later"),
        ([418], {}, "does not give out"),
    ],
)
def test_refusals_have_a_sentence_each(server, without_torch, codes, headers, message):
    server.faults, server.fault_headers = list(codes), headers
    with pytest.raises(EvoartError if codes != [404] else MissingExtra, match=message if codes != [404] else "extra"):
        store.fetch_weights(entry(), report=quiet)
    assert not server.faults


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_a_busy_hub_is_asked_again(server, code):
    server.faults, lines = [code, code], []
    assert store.fetch_weights(entry(), report=lines.append).read_bytes() == GOOD
    assert [line for line in lines if "trying again" in line] == lines[:2]


def test_the_token_goes_to_the_hub_alone(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", " hf_secret\n")
    store.fetch_weights(entry(), report=quiet)
    assert [(token, host) for _, token, host in server.asked] == [
        ("Bearer hf_secret", "127.0.0.1"),
        (None, "localhost"),
    ]
    server.faults = [401]
    with pytest.raises(EvoartError, match="does not accept your token") as caught:
        store.fetch_weights(entry("pickled"), report=quiet)
    assert "secret" not in str(caught.value)


def test_the_token_follows_a_repository_that_has_moved(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server.moved[ACCOUNT] = "new/home"
    server.files[f"new/home/{SAFE}"] = server.files.pop(f"{ACCOUNT}/{SAFE}")
    store.fetch_weights(entry(), report=quiet)
    assert [token for _, token, _ in server.asked] == ["Bearer hf_secret", "Bearer hf_secret", None]


def test_a_token_that_was_left_by_a_login_is_used(monkeypatch):
    assert hub.token() == ""
    hub.home_folder().mkdir()
    (hub.home_folder() / "token").write_text("hf_file\n")
    assert hub.token() == "hf_file"
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    assert hub.token() == ""
    monkeypatch.setenv("HF_TOKEN", "hf_named")
    assert hub.token() == "hf_named"
    assert "hf_named" not in repr(hub.remote("a/b", "c", "d"))


def test_a_login_page_is_no_sketch_model(server, monkeypatch, tmp_path):
    monkeypatch.setattr(sketches, "ADDRESS", f"{server.url}/models/")
    server.web_page = True
    with pytest.raises(EvoartError, match="a web page instead of the sketch-rnn model 'bird'"):
        sketches.find("bird", report=quiet)
    assert not any((tmp_path / "cache" / "sketch").iterdir())


# The environment.


@pytest.mark.parametrize("value", ["1", "true", "True", "YES", "yes", "ON", "on"])
@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_by_request_asks_nobody(server, without_torch, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(EvoartError, match="may not be asked"):
        store.fetch_weights(entry(), report=quiet)
    with pytest.raises(EvoartError, match="may not be asked"):
        store.load_byte_pairs(entry(), 77, report=quiet)
    assert server.asked == []


@pytest.mark.parametrize("value", ["", "0", "no", "off", "false"])
def test_other_words_do_not_forbid_the_network(monkeypatch, value):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert not hub.is_offline()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"XDG_CACHE_HOME": "{home}/xdg"},
        {"HF_HOME": "~/x"},
        {"HF_HOME": "$ELSEWHERE/x"},
        {"XDG_CACHE_HOME": "~/xdg", "HF_HOME": "{home}/y"},
        {"HUGGINGFACE_HUB_CACHE": "{home}/legacy"},
        {"HF_HUB_CACHE": "~/new", "HUGGINGFACE_HUB_CACHE": "{home}/legacy"},
    ],
)
def test_the_cache_is_where_the_hubs_own_client_has_it(monkeypatch, tmp_path, variables):
    import subprocess

    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ELSEWHERE", str(tmp_path / "elsewhere"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    program = "from huggingface_hub import constants as c; print(c.HF_HUB_CACHE, c.HF_TOKEN_PATH, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    cache, token = done.stdout.splitlines()
    assert str(hub.cache_folder()) == cache
    assert str(hub.home_folder() / "token") == token


def test_evoarts_own_cache_follows_the_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("EVOART_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_dir() == tmp_path / ".cache" / "evoart"
    monkeypatch.setenv("XDG_CACHE_HOME", "~/xdg")
    assert cache_dir() == tmp_path / "xdg" / "evoart"


# Names.


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ViT-B-32/openai", "ViT-B-32/openai"),
        ("vit-b-32", catalogue.DEFAULT),
        ("ViT-B/32", catalogue.DEFAULT),
        ("ViT-B/32/openai", "ViT-B-32/openai"),
        ("ViT-B-32-quickgelu/openai", "ViT-B-32/openai"),
        ("vit_b_16/DataComp-XL-s13b-b90k", "ViT-B-16/datacomp_xl_s13b_b90k"),
        ("ViT-L/14@336px", "ViT-L-14-336/openai"),
        (" Tiny ", "tiny"),
        ("JUDGE", "judge"),
        ("rn50/openai", "RN50/openai"),
    ],
)
def test_names_as_people_write_them(without_torch, written, meant):
    assert catalogue.find_entry(written).full_name == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("tyni", "Did you mean tiny"),
        ("ViT-B-33", "Did you mean ViT-B-32"),
        ("ViT-B-32/laion2b_s34b_b79", "Did you mean laion2b_s34b_b79k"),
        ("ViT-B-32/opnai", "Did you mean openai"),
        ("qqqqq", "See: evoart models --all"),
        ("RN50", "needs a tag. Use --pretrained with one of: openai"),
        ("ViT-S-32", "none are published. Use --clip-weights"),
        ("tiny/openai", "no tag"),
        ("", "is empty"),
    ],
)
def test_wrong_names_get_a_true_answer(without_torch, written, message):
    with pytest.raises(UsageError, match=message) as caught:
        catalogue.find_entry(written)
    assert "evoart[clip]" not in str(caught.value)


def test_the_extra_is_named_only_where_it_helps(without_torch, capsys):
    with pytest.raises(
        MissingExtra, match=r"RN50/openai is computed by torch, as its vision tower is a ResNet.*\[clip\]"
    ):
        load.check_extra(catalogue.find_entry("RN50/openai"))
    load.check_extra(catalogue.find_entry("ViT-B-32/openai"))
    assert run(["clip", "a cat", "--model", "tiny+", "--dry-run"]) == 2
    assert "leaves a name empty" in capsys.readouterr().err
    assert run(["clip", "a cat", "--model", "RN50/openai", "--dry-run"]) == 1
    assert "evoart[clip]" in capsys.readouterr().err


def test_the_table_is_that_of_open_clip():
    import published

    library = open_clip()
    assert published.PLACE.read_text("utf-8") == published.text(published.table(library))
    for each in catalogue.all_entries():
        if not each.is_on_disk and each.name != "small":
            theirs = library.get_pretrained_cfg(each.name, each.tag)
            assert theirs["hf_hub"].rstrip("/") == f"{each.repository}/{each.file}".rstrip("/")
            assert bool(theirs.get("quick_gelu")) == each.quick_gelu


def test_models_that_squash_pictures_say_so():
    squashing = [each for each in catalogue.all_entries() if each.preprocess.get("resize_mode") == "squash"]
    assert len(squashing) > 40
    found = catalogue.find_entry("ViT-H-14-378/dfn5b")
    assert parse(catalogue.config_of(found.name), found.preprocess).resize_mode == "squash"


def test_sizes_are_about_those_that_are_published():
    for each in catalogue.KNOWN:
        if each.size:
            assert catalogue.size_of(dataclasses.replace(each, size=0)) == pytest.approx(each.size, rel=1e-3)


# Commands.


def test_a_dry_run_fetches_nothing_and_says_what(server, without_torch, capsys, tmp_path):
    assert run(["clip", "a cat", "--dry-run"]) == 0  # by the model inside
    assert "download" not in capsys.readouterr().out
    assert run(["clip", "a cat", "--model", "ViT-B-32", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "the weights of ViT-B-32/laion2b_s34b_b79k (about 605.1 MB) from" in out
    assert "the vocabulary of CLIP (about 0.5 MB) from" in out
    assert run(["clip", "a cat", "--model", "small/safe+ViT-B-16", "--dry-run", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["downloads"]
    assert [Path(row["url"]).name for row in rows] == [SAFE, "merges.txt", SAFE]
    assert rows[2]["bytes"] == 598_516_980
    assert run(["sketch", "bird", "--then", "cat", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "bird.gen.json" in out
    assert "cat.gen.json" in out
    job = {"command": "clip", "prompts": ["a cat"], "model": "ViT-B-16"}
    (tmp_path / "cat.json").write_text(json.dumps({"evoart": "0", "format": 1, "job": job}))
    assert run(["redo", str(tmp_path / "cat.json"), "--dry-run"]) == 0
    assert "598.5 MB" in capsys.readouterr().out
    assert run(["fit", "--form", "sketch:bird.vae.z", "--dry-run"]) == 0
    assert "'bird.vae' (about 9.0 MB)" in capsys.readouterr().out
    assert run(["clip", "a red circle", "--model", "tiny", "--form", "sketch:bird", "--dry-run"]) == 0
    assert "bird.gen.json" in capsys.readouterr().out
    Path("jobs.toml").write_text('[[job]]\ncommand = "clip"\nprompts = "a cat"\nmodel = "ViT-B-32"\n')
    assert run(["gallery", "jobs.toml", "-o", "wall", "--dry-run"]) == 0
    assert "605.1 MB" in capsys.readouterr().out
    assert server.asked == []
    assert not (tmp_path / "cache" / "clip").exists()


def test_models_are_fetched_checked_and_removed(server, without_torch, capsys):
    assert run(["models", "fetch", "small/safe"]) == 0
    told = capsys.readouterr()
    path = Path(told.out.strip())
    assert path.read_bytes() == GOOD
    assert "Downloading the vocabulary" in told.err
    assert run(["models", "fetch", "tiny"]) == 0
    assert run(["models", "fetch", "RN50/openai"]) == 1
    assert run(["models", "fetch", "smal"]) == 2
    capsys.readouterr()
    assert store.check_files(entry()) == hashlib.sha256(GOOD).hexdigest()
    path.write_bytes(GOOD[:-4])
    with pytest.raises(EvoartError, match="SHA-256 differs"):
        store.check_files(entry())
    (path.parent / f"{SAFE}.sha256").unlink()
    with pytest.raises(EvoartError, match="cut short"):
        store.check_files(entry())
    assert run(["models", "remove", "small/safe"]) == 0
    assert "Deleted small/safe" in capsys.readouterr().err
    assert not path.parent.exists()
    assert run(["models", "remove", "small/safe"]) == 0
    assert "Nothing of small/safe is kept" in capsys.readouterr().err
    assert run(["models", "remove", "tiny"]) == 2


def test_check_notices_a_truncated_file(server, capsys, monkeypatch):
    monkeypatch.setattr(catalogue, "KNOWN", (*catalogue.KNOWN, entry()))
    path = store.fetch_weights(entry(), report=quiet)
    assert run(["models", "--check"]) == 0
    path.write_bytes(GOOD[:-1])
    capsys.readouterr()
    assert run(["models", "--check", "--json"]) == 1
    told = capsys.readouterr()
    row = next(row for row in json.loads(told.out)["models"] if row["model"] == "small/safe")
    assert "SHA-256 differs" in row["damaged"]
    assert path.exists()  # checking changes nothing


def test_check_holds_the_clients_cache_to_its_names(monkeypatch):
    blob = cached(ACCOUNT, SAFE, GOOD).parents[2] / "blobs" / hashlib.sha256(GOOD).hexdigest()
    link = cached(ACCOUNT, SAFE, GOOD)
    link.unlink()
    blob.parent.mkdir()
    blob.write_bytes(GOOD)
    link.symlink_to(blob)
    assert store.check_files(entry()) == hashlib.sha256(GOOD).hexdigest()
    blob.write_bytes(GOOD[:-2] + b"xx")
    with pytest.raises(EvoartError, match="SHA-256 differs"):
        store.check_files(entry())


def test_the_help_names_the_environment(capsys):
    assert run(["models", "--help"]) == 0
    text = capsys.readouterr().out
    for name in ("EVOART_CACHE", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_HUB_OFFLINE",
                 "HF_TOKEN", "HF_ENDPOINT", "SSL_CERT_FILE"):  # fmt: skip
        assert name in text


def test_a_model_from_the_hub_embeds(server, without_torch):
    lines = []
    model = load.load("small/safe", report=lines.append)
    assert model.embed_texts(["a cat"]).shape == (1, 24)
    assert model.embed_images(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 24)
    assert [line.partition(" (")[0] for line in lines] == [
        "Downloading the weights of small/safe", "Downloading the vocabulary of CLIP",
    ]  # fmt: skip
