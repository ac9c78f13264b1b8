"""The commands ``clip``, ``score`` and ``models``; for weights from a hub see ``test_models``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from clips import open_clip
from PIL import Image

from evoart.cli.app import run
from evoart.openclip import catalogue
from evoart.run.clip import models


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """No network: a port where nobody listens."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("EVOART_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_no_network_is_said_at_once(alone, capsys):
    began = time.monotonic()
    assert run(["clip", "a cat", "--model", "ViT-B-32"]) == 1
    assert time.monotonic() - began < 15  # at once on an idle machine
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "not reachable" in told
    assert "--clip-weights FILE" in told
    assert "--model tiny" in told


def test_offline_by_request_asks_nobody(alone, monkeypatch, capsys):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run(["clip", "a cat", "--model", "ViT-B-32"]) == 1
    assert "may not be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["clip"], 2, "nothing to draw"),
        (["clip", "--model", "tiny"], 2, "no prompt"),
        (["clip", "a cat", "--crops", "4"], 2, "--crops needs a CLIP model"),
        (["clip", "a cat", "--image-prompt", "a.jpg"], 2, "--image-prompt needs a CLIP model"),
        (["clip", ""], 2, "is empty"),
        (["clip", "a cat", "--model", "ViT-B-32/laion2b"], 2, "Did you mean"),
        (["clip", "a cat", "--model", "tiny", "--count", "0"], 2, "--count"),
        (["clip", "a cat", "--prompts", "none.txt"], 2, "Leave one of them out"),
        (["clip", "--prompts", "none.txt"], 2, "no file"),
        (["clip", "a cat", "--clip-weights", "none.safetensors", "--model", "tiny"], 1, "cannot be read"),
        (["clip", "a cat", "--set", "x"], 2, "NAME=NUMBER"),
        (["clip", "a cat", "--until-psnr", "20"], 2, "o such option"),  # there is no photograph to come near
        (["clip", "--image-prompt", "none.jpg:0.3", "--model", "tiny"], 2, "'none.jpg'"),
        (["clip", "--image-prompt", "none.jpg:-1", "--model", "tiny"], 2, "above 0"),
        (["clip", "a red circle", "--image-prompt", "", "--model", "tiny"], 2, "is empty"),
        (["score", "none.png", "a cat", "--model", "tiny"], 2, "none.png"),
    ],
)
def test_wrong_words_get_one_line(alone, capsys, monkeypatch, words, code, told):
    monkeypatch.setattr("evoart.cli.console.PATIENT", 60.0)  # on a busy machine a line says what takes so long
    assert run(words) == code
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1


def test_pictures_to_be_like_survive_a_file_of_options(alone, capsys):
    assert (
        run(["clip", "--model", "tiny", "--image-prompt", "a.jpg:0.3", "--image-prompt", "b.jpg", "--print-config"])
        == 0
    )
    text = capsys.readouterr().out
    assert 'image_prompts = ["a.jpg", "b.jpg"]' in text
    assert "image_prompts_weight = [0.3, 1.0]" in text
    Path("job.toml").write_text(text)
    assert run(["clip", "--config", "job.toml", "--print-config"]) == 0
    assert capsys.readouterr().out == text
    assert run(["clip", "--config", "job.toml", "--image-prompt", "c.jpg:-0.5", "red", "--print-config"]) == 0
    assert "image_prompts_weight = [-0.5]" in capsys.readouterr().out
    Path("own.toml").write_text('command = "clip"\nmodel = "tiny"\nimage_prompts = ["a.jpg:2", "b.jpg"]\n')
    assert run(["clip", "--config", "own.toml", "--print-config"]) == 0
    assert "image_prompts_weight = [2.0, 1.0]" in capsys.readouterr().out


def test_prompts_that_look_like_options(alone, capsys):
    assert run(["clip", "--model", "tiny", "--print-config", "--", "--help me"]) == 0
    assert 'prompts = ["--help me"]' in capsys.readouterr().out


def test_models_says_what_draws_by_default_and_what_is_to_download(alone, capsys):
    assert run(["models"]) == 0
    out = capsys.readouterr().out
    assert "605 MB  to download" in out
    assert "evoart clip draws what the model 'icons' knows" in out
    assert "evoart models fetch ViT-B-32/laion2b_s34b_b79k" in out
    assert run(["models", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)["models"]
    assert {row["model"] for row in table} >= {"icons", "tiny", "judge", catalogue.DEFAULT}
    assert all(row["licence"] for row in table)


def test_score_tells_colours_apart(alone, capsys):
    image = np.ones((60, 80, 3), np.uint8) * 255
    y, x = np.mgrid[:60, :80]
    image[np.hypot(x - 40, y - 30) < 22] = (230, 20, 20)
    Image.fromarray(image).save("red.png")
    assert run(["score", "red.png", "a blue circle", "a red circle", "--model", "tiny", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["scores"]
    by = {row["text"]: row for row in rows}
    assert by["a red circle"]["similarity"] > by["a blue circle"]["similarity"] + 0.3
    assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-4)
    assert run(["score", "red.png", "a red circle", "a red square", "--model", "tiny"]) == 0
    assert "a red circle" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.slow
def test_several_pictures_are_one_object_and_one_that_fails_costs_no_other(alone, capsys, monkeypatch):
    from evoart.run.clip.problem import ClipProblem

    real = ClipProblem.search

    def search(self):
        if self.job.seed == 2:
            raise MemoryError
        return real(self)

    monkeypatch.setattr(ClipProblem, "search", search)
    words = ["clip", "a red circle", "--model", "tiny", "--count", "3", "--seed", "1", "--generations", "1", "-n", "3"]
    assert run([*words, "--size", "32", "-o", "new/", "--json"]) == 1
    first, failed, last = json.loads(capsys.readouterr().out)["pictures"]
    assert failed["error"] == "there is not enough memory"
    assert (first["seed"], last["seed"]) == (1, 3)
    assert all(Path(name).parent == Path("new") and Path(name).exists() for name in first["outputs"] + last["outputs"])


@pytest.mark.slow
def test_a_short_run_has_the_colour_that_was_asked_for(alone, capsys):
    words = ["clip", "a blue square", "--model", "tiny", "-n", "30", "--seed", "1", "--generations", "150"]
    assert run([*words, "-o", "a.png", "-o", "a.svg", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["similarity"] > 0.6
    assert "judge" in told
    assert "<svg" in Path("a.svg").read_text()
    image = np.asarray(Image.open("a.png").convert("RGB"), np.float32) / 255
    r, g, b = np.moveaxis(image, -1, 0)
    strong = image.max(-1) - image.min(-1) > 0.5
    assert strong.mean() > 0.03
    assert (b > np.maximum(r, g))[strong].mean() > 0.8


@pytest.mark.slow
def test_models_of_torch_draw_too(alone, capsys):
    open_clip()
    models._load.cache_clear()
    words = ["clip", "a cat", "--model", "RN50/random", "-n", "6", "--seed", "1", "--generations", "2", "--crops", "1"]
    for search in (["gradient"], ["classical", "--population", "4"]):
        assert run([*words, "--search", *search, "-o", f"{search[0]}.svg", "--json"]) == 0
        told = capsys.readouterr()
        heard = "RN50/random is computed by torch: its vision tower is a ResNet" in told.err
        assert heard == (search == ["gradient"])  # the model is loaded once
        assert -1 < json.loads(told.out)["similarity"] < 1
        assert Path(f"{search[0]}.svg").read_text().count("<p") >= 6


@pytest.mark.slow
def test_prompts_that_compete_keep_what_they_share(alone, capsys):
    words = [
        "clip",
        "a red circle",
        "--negative-prompt",
        "a red square",
        "--softmax",
        "--model",
        "tiny",
        "--quality",
        "draft",
    ]
    assert run([*words, "--seed", "1", "-o", "a.png", "-q"]) == 0
    r, g, b = np.moveaxis(np.asarray(Image.open("a.png").convert("RGB"), np.float32) / 255, -1, 0)
    drawn = np.minimum(g, b) < 0.6
    assert drawn.mean() > 0.05
    assert r[drawn].mean() > np.maximum(g, b)[drawn].mean() + 0.5  # it was mauve
