"""``evoart clip "a cat"`` on a machine with no CLIP and no network: drawn by the model inside."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

import evoart
from evoart.cli.app import run
from evoart.errors import UsageError
from evoart.openclip import compose, icons
from evoart.run.clip import job as clip_jobs
from evoart.run.clip.job import ClipJob
from evoart.run.icons.job import IconsJob
from evoart.run.job import Job
from evoart.run.problem import prepare


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No network, an empty cache for models, a folder of its own."""

    def refuse(*given, **how):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(clip_jobs, "find_default", lambda: None)
    monkeypatch.chdir(tmp_path)


def test_a_prompt_alone_is_drawn_by_the_model_inside():
    job = Job.make(command="clip", prompts=["a cat"], seed=1)
    assert isinstance(job, IconsJob)
    assert (job.words, job.stem, job.model) == ("a cat", "a-cat", "icons")
    assert Job.from_dict(job.to_dict()) == job
    assert isinstance(Job.make(command="clip", prompts=["a red circle"], model="tiny"), ClipJob)
    assert isinstance(Job.make(command="clip", prompts=["a cat"], model="ViT-B-32"), ClipJob)


def test_a_clip_that_is_here_is_used(monkeypatch):
    monkeypatch.setattr(clip_jobs, "find_default", lambda: "ViT-B-16/datacomp_xl_s13b_b90k")
    job = Job.make(command="clip", prompts=["a cat"])
    assert isinstance(job, ClipJob)
    assert job.model == "ViT-B-16/datacomp_xl_s13b_b90k"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a cat", "--negative-prompt", "a dog"], "--negative-prompt needs a CLIP model"),
        (["a cat", "--model", "icons", "--search", "classical"], "no use for --search"),
        (["a zorkblatt"], "knows no 'zorkblatt'"),
        (["a bycicle"], "bicycle"),
        (["the of and"], "knows no"),
        (["a cat", "--start", "x.svg"], "starts from nothing"),
        ([], "nothing to draw"),
    ],
)
def test_what_it_cannot_do_is_said_in_one_line(capsys, words, says):
    assert run(["clip", *words]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.splitlines()[-1].startswith("Error: ")


def test_it_draws_offline_again_and_again_the_same(capsys):
    options = ["--quality", "draft", "-s", "3", "--set", "cycles=0", "-q"]
    assert run(["clip", "a cat", *options, "-o", "a.json"]) == 0
    assert run(["clip", "a cat", *options, "--threads", "1", "-o", "b.json"]) == 0
    first, second = evoart.load("a.json"), evoart.load("b.json")
    np.testing.assert_array_equal(first.genome, second.genome)
    assert run(["redo", "a.json", "-o", "c.json", "-q"]) == 0
    np.testing.assert_array_equal(evoart.load("c.json").genome, first.genome)
    assert first.title == f'"a cat", drawn with {first.form.label}'
    assert len(first.form.kinds) <= 40
    assert first.psnr > 20
    assert len(first.svg()) < 20_000


TWELVE = {
    "a red car": "red", "a blue car": "blue", "a green fish": "green", "a yellow umbrella": "yellow",
    "a purple house": "purple", "an orange octopus": "orange", "a pink heart": "pink", "a red apple": "red",
    "a green tree": "green", "a yellow star": "yellow", "a blue whale": "blue", "a red circle": "red",
}  # fmt: skip


def colour_of(image: np.ndarray) -> str:
    """The name of the colour of a picture's largest part."""
    shown = np.concatenate([image, (np.abs(image - 1).max(-1, keepdims=True) > 0.05)], -1)
    part = compose.main_part(shown) * shown[..., 3]
    mean = (image * part[..., None]).sum((0, 1)) / part.sum()
    return min(compose.COLOURS, key=lambda name: float(((compose.shaded(name) - mean) ** 2).sum()))


@pytest.mark.parametrize("prompt", TWELVE)
def test_what_is_drawn_from_has_the_colour_that_was_asked_for(prompt):
    image = prepare(Job.make(command="clip", prompts=[prompt], seed=1)).target.image
    assert (np.abs(image - 1).max(-1) > 0.3).sum() > 1000
    assert colour_of(image) == TWELVE[prompt]


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["a red car", "a yellow umbrella", "a blue whale"])
def test_a_draft_has_it_too(prompt):
    assert colour_of(evoart.clip(prompt, seed=1, quality="draft").image(128)) == TWELVE[prompt]


def test_faces_are_drawn_symmetric():
    result = evoart.clip("a cat face", seed=1, quality="draft")
    image = result.image(128)
    assert np.abs(image - image[:, ::-1]).mean() < 0.01
    assert len(result.svg()) < 12_000


def test_what_is_left_out_is_said():
    notes = prepare(Job.make(command="clip", prompts=["a red blue car, not a bus"], seed=1)).notes
    assert any(note == "This is left out: blue, not a bus" for note in notes)


def test_seeds_give_pictures_that_differ():
    images = [prepare(Job.make(command="clip", prompts=["a fish"], seed=seed)).target.image for seed in range(6)]
    assert len({image.tobytes() for image in images}) >= 2


def test_strange_words_are_named_and_the_rest_is_drawn():
    problem = prepare(Job.make(command="clip", prompts=["a zorkblatt cat"], seed=1))
    assert any("zorkblatt" in note for note in problem.notes)
    assert any("--model ViT-B-32" in note for note in problem.notes)


def test_the_words_it_knows_are_listed(capsys):
    assert run(["models", "words"]) == 0
    text = capsys.readouterr().out
    assert "cat" in text
    assert "\\n" not in text
    assert max(map(len, text.splitlines()[:-2])) <= 100
    assert run(["models", "words", "--json"]) == 0
    themes = json.loads(capsys.readouterr().out)["themes"]
    names = {name for things in themes.values() for name in things}
    assert len(names) >= 1500
    assert len(icons.load().lexicon) >= 5000
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    assert f"knows {len(names):,} things" in readme
    assert f"some {round(len(icons.load().lexicon), -2):,} words" in readme
    assert f"(`icons`, {icons.FILE.stat().st_size / 1e6:.1f} MB)" in readme
    assert run(["models", "words", "nothing-like-this"]) == 2
    assert run(["models", "words", "animal-bug", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["themes"]) == {"animal-bug"}


def test_without_a_clip_the_judge_of_icons_scores(capsys, monkeypatch):
    monkeypatch.setattr("evoart.run.clip.default.find_default", lambda: None)
    assert run(["score", "x.png", "a cat"]) == 2
    err = capsys.readouterr().err
    assert "the judge of icons answers" in err
    assert "--model ViT-B-32" in err
    assert "x.png" in err.splitlines()[-1]


def test_the_python_call():
    with pytest.raises(UsageError, match="knows no 'zorkblatt'"):
        evoart.clip("a zorkblatt")
