"""The judge of icons: how it sees, what it says of pictures that are none, and what it makes of drafts."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw

import evoart
from evoart.cli.app import run
from evoart.openclip import compose, icons, judge
from evoart.run.clip import job as clip_jobs

# None of them is among the prompts by which anything was chosen.
DRAFTS = (
    "a banana", "a star", "a mouse", "a cloud", "a pear", "a bus", "a tulip", "a sock", "a cup with straw", "a snail",
    "a pizza", "a whale",
)  # fmt: skip


@pytest.fixture(scope="module")
def critic() -> judge.Judge:
    return judge.load()


def shown(prompt: str, seed: int = 1) -> np.ndarray:
    """What the model inside has in mind ``(128, 128, 3)``."""
    known = icons.load()
    return known.target(known.read(prompt), seed)


def test_it_knows_what_can_be_drawn_and_needs_neither_torch_nor_jax(critic):
    known = icons.load()
    drawn = {known.things[int(i)]["name"] for i in known.of}
    assert len(drawn & set(critic.names)) > 1000
    assert judge.FILE.stat().st_size < 3_000_000
    code = (
        "import sys; from evoart.openclip import judge; judge.load().logits(__import__('numpy').ones((1, 48, 48, 3)))"
    )
    code += "; assert not {'torch', 'jax'} & set(sys.modules)"
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True)


def test_edges_are_described_by_direction_and_place():
    page = np.ones((3, judge.SIDE, judge.SIDE, 3), np.float32)
    page[0, :, 24:] = 0  # one vertical edge
    page[1, 24:] = 0  # one horizontal edge
    page[2, :, :24] = 0  # the first, the other way round: a silhouette may be light or dark
    cells = judge.SIDE // judge.CELLS[0][0]
    one, two, three = judge.describe(page)[:, : cells * cells * judge.ANGLES].reshape(3, cells, cells, judge.ANGLES)
    assert one.sum((0, 1)).argmax() == 0  # its gradient lies across
    assert two.sum((0, 1)).argmax() == judge.ANGLES // 2  # and the other's down
    np.testing.assert_allclose(one, three, atol=1e-6)
    assert set(np.flatnonzero(one.sum((0, 2)) > 0.1)) == {cells // 2 - 1, cells // 2}


def test_where_a_figure_lies_does_not_matter(critic):
    image = shown("a key")
    page = np.ones((256, 256, 3), np.float32)
    page[8:136, 120:248] = image
    one, two = critic.probabilities(image), critic.probabilities(page)
    assert one.argmax() == two.argmax()
    assert abs(one - two).max() < 0.15


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (300, 20)])
def test_any_size_of_picture_is_judged(critic, size):
    shares = critic.probabilities(np.random.default_rng(1).random((*size, 3)).astype(np.float32))
    assert shares.sum() == pytest.approx(1, abs=1e-4)
    assert np.isfinite(shares).all()


def test_pictures_of_nothing_are_often_called_nothing_and_things_never(critic):
    rng, nothing = np.random.default_rng(3), 0
    for _ in range(20):
        page = Image.new("RGB", (128, 128), "white")
        pen = ImageDraw.Draw(page)
        for _ in range(25):
            x, y, w, h = *rng.uniform(0, 128, 2), *rng.uniform(4, 30, 2)
            paint = pen.ellipse if rng.random() < 0.5 else pen.rectangle
            paint((x - w, y - h, x + w, y + h), fill=tuple(int(c) for c in rng.integers(256, size=3)))
        nothing += critic.verdict(np.asarray(page, np.float32) / 255, ["cat face"]).first == judge.NOTHING
    assert nothing >= 6  # the others look like something to it
    assert critic.verdict(np.ones((9, 9, 3), np.float32), ["cat face"]).first == judge.NOTHING
    for prompt in ("a key", "a star", "a bus", "a tulip", "a fish"):
        assert critic.verdict(shown(prompt), ["cat face"]).first != judge.NOTHING


def test_a_word_of_two_things_is_right_as_either(critic):
    known = icons.load()
    scene = known.read("a cat")
    wanted = judge.things_meant(known, scene)
    assert wanted[0] == "cat face"
    image = shown("a cat")
    all_, alone = critic.verdict(image, [*wanted, "cat"]), critic.verdict(image, ["cat"])
    assert all_.rank <= alone.rank
    assert all_.names < alone.names
    assert critic.verdict(image, ["a thing that nobody has named"]) is None
    few = critic.verdict(image, ["cat face"], among=["rocket", "key", "tent"])
    assert (few.names, few.rank) == (4, 1)


def test_drafts_are_recognised_among_two_hundred(critic):
    known = icons.load()
    rng, found = np.random.default_rng(4), {}
    for prompt in DRAFTS:
        wanted = judge.things_meant(known, known.read(prompt))
        others = sorted(set(critic.names) - set(wanted))
        among = [others[i] for i in rng.choice(len(others), 199, replace=False)]
        image = evoart.make("icons", prompts=[prompt], seed=1, quality="draft").image(256)
        found[prompt] = critic.verdict(image, wanted, among=among).rank
    assert sum(rank <= 5 for rank in found.values()) >= 9, found


def test_the_verdict_is_told_written_and_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(clip_jobs, "find_default", lambda: None)
    options = ["-s", "1", "--quality", "draft", "--set", "cycles=0"]
    assert run(["clip", "a fish", *options, "-o", "fish.png"]) == 0
    assert "judge: rank " in capsys.readouterr().err
    kept = evoart.load("fish.png").figures
    assert 1 <= kept["rank"] <= kept["names"]
    assert kept["names"] > 1000
    assert run(["clip", "a fish", *options, "--json", "-o", "again.png"]) == 0
    assert json.loads(capsys.readouterr().out)["rank"] == kept["rank"]
    # Of scenes and plain shapes it has nothing to say, and says nothing.
    assert run(["clip", "a red square", *options, "-o", "square.png"]) == 0
    assert "judge" not in capsys.readouterr().err
    assert "rank" not in evoart.load("square.png").figures


def test_scores_by_the_judge(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Image.fromarray((255 * shown("a key") + 0.5).astype(np.uint8)).save("key.png")
    assert run(["score", "key.png", "a cat", "a key", "--model", "icons"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("a key")
    assert lines[1].endswith("a cat")
    assert run(["score", "key.png", "a key", "--model", "icons", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["scores"][0]
    assert row["text"] == "a key"
    assert 1 <= row["rank"] <= 20 < row["names"]
    assert run(["score", "key.png", "a cat and a dog", "--model", "icons"]) == 2
    assert "names one thing at a time" in capsys.readouterr().err
    assert run(["score", "key.png", "a key", "--model", "icons", "--scorer", "torch"]) == 2
    assert "--scorer needs a CLIP model" in capsys.readouterr().err


def test_several_of_a_thing_are_judged_one_by_one(critic):
    many = shown("three stars")
    assert len(judge._looks(many, 3)) == 3 * len(judge._looks(many, 1))
    one, all_ = critic.verdict(shown("a star"), ["star"]), critic.verdict(many, ["star"], 3)
    assert all_.rank <= max(5, 2 * one.rank)
    assert len(compose.spots(3)) == 3
