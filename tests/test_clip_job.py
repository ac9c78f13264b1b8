"""Prompts, jobs and problems of ``evoart clip``."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evoart.cli.app import run as main
from evoart.errors import EvoartError, UsageError
from evoart.run import checkpoint
from evoart.run.clip import models
from evoart.run.clip.job import ClipJob
from evoart.run.clip.prompts import read, split
from evoart.run.config import to_toml
from evoart.run.job import Job
from evoart.run.loop import Keep, resume, run
from evoart.run.problem import prepare, restore
from evoart.run.result import Result
from evoart.run.stop import Stop


@pytest.mark.parametrize(
    ("written", "text", "weight"),
    [
        ("a cat", "a cat", 1.0),
        ("a hat:0.5", "a hat", 0.5),
        ("a hat : -2", "a hat", -2.0),
        ("time: noon", "time: noon", 1.0),
        ("at 12:30", "at 12:30", 1.0),
        ("a wide photo, 16:9", "a wide photo, 16:9", 1.0),
        ("16:9", "16:9", 1.0),
        ("time:10:30", "time:10:30", 1.0),
        ("John 3:16", "John 3:16", 1.0),
        ("a clock at 9:05", "a clock at 9:05", 1.0),
        ("a film still (2.35:1", "a film still (2.35:1", 1.0),
        ("a film still, 1:1.85", "a film still, 1:1.85", 1.0),
        ("finished at 12:30:45", "finished at 12:30:45", 1.0),
        ("a wide photo, 16:9:2", "a wide photo, 16:9", 2.0),
        ("a wide photo, 16:9 :2", "a wide photo, 16:9", 2.0),
        ("route 66:0.5", "route 66", 0.5),
        ("route 66 : 2", "route 66", 2.0),
        ("blade runner 2049:.5", "blade runner 2049", 0.5),
        ("route 66:-1", "route 66", -1.0),
        ("R2D2:2", "R2D2", 2.0),
        ("a cat\n in\ta hat ", "a cat in a hat", 1.0),
        ("日本の猫:1.5", "日本の猫", 1.5),
        ("a\x1b[31m cat", "a [31m cat", 1.0),
        ("--help", "--help", 1.0),
    ],
)
def test_prompts_are_read_as_people_write_them(written, text, weight):
    assert split(written) == (text, weight)


@given(st.text(max_size=200))
def test_any_text_is_a_prompt_or_a_plain_error(text):
    try:
        words, weight = split(text)
    except UsageError:
        return
    assert words
    assert words.isprintable()
    assert -100 <= weight <= 100


@pytest.mark.parametrize("text", ["", "   ", "\n", ":", ":0.5", "a cat:1e9", "a" * 3000])
def test_useless_prompts_are_refused(text):
    with pytest.raises(UsageError):
        ClipJob.make(prompts=text)


@pytest.mark.parametrize("search", ["gradient", "surrogate"])
@pytest.mark.parametrize(
    "options", [{"step": "fast"}, {"nonsense": 2.0}, {"planned": "fast"}, {"planned": 0.0}], ids=str
)
def test_options_that_no_search_has_are_refused_before_any_work(search, options):
    with pytest.raises(UsageError, match=f"has no option|{next(iter(options))}="):
        ClipJob.make(prompts="a cat", search=search, options=options)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "no prompt"),
        ({"negative_prompts": "text"}, "only --negative-prompt"),
        ({"prompts": "a cat:0"}, "above 0"),
        ({"prompts": ["a cat:-1", "a dog:-2"]}, "above 0"),
        ({"prompts": "a cat", "negative_prompts": "a dog:-1"}, "weight of 0 or less"),
        ({"prompts": "a cat", "softmax": True}, "tell the prompt from"),
        ({"prompts": "a cat", "background": "mean"}, "no photograph"),
        ({"prompts": "a cat", "palette": 5}, "no photograph"),
        ({"prompts": "a cat", "aspect": "wide"}, "16:9"),
        ({"prompts": "a cat", "aspect": "100:1"}, "strip"),
        ({"prompts": "a cat", "crop_area": "0.9-0.5"}, "runs from"),
        ({"prompts": "a cat", "form": "oil"}, "unknown form"),
        ({"prompts": "a cat", "search": "gradient", "strategy": "snes"}, "no strategy"),
        ({"prompts": "a cat", "population": 16}, "no population"),
        ({"prompts": "a cat", "engine": "scanline"}, "drawn by JAX"),
        ({"prompts": "a cat", "clip_weights": "x", "model": "tiny+judge"}, "names several"),
        ({"prompts": "a cat", "pixles": 3}, "Did you mean pixels"),
        ({"image_prompts": "a.jpg:0"}, "above 0"),
        ({"image_prompts": ["a.jpg:-1", "b.jpg:-2"]}, "above 0"),
        ({"image_prompts": ["a.jpg", ""]}, "is empty"),
        ({"image_prompts": "a.jpg:1000"}, "out of range"),
        ({"image_prompts": ["a.jpg", "b.jpg"], "image_prompts_weight": 0.3}, "1 weights of 2 pictures"),
        ({"image_prompts": "a.jpg", "softmax": True}, "tell the prompt from"),
    ],
)
def test_what_does_not_go_together_is_said(given, reason):
    with pytest.raises(UsageError, match=reason):
        ClipJob.make(**given)


def test_jobs_survive_their_files(tmp_path):
    job = ClipJob.make(
        prompts=["a cat", "a hat:0.5"],
        negative_prompts="text, blurry",
        palette="black,orange,red",
        seed=3,
        aspect="3:2",
    )
    assert Job.from_dict(job.to_dict()) == job
    (tmp_path / "job.toml").write_text(to_toml(job))
    from evoart.run.config import read_config

    assert Job.make(**read_config(tmp_path / "job.toml")) == job
    assert job.stem == "a-cat-a-hat"
    assert job.summary == '"a cat", "a hat:0.5", not "text, blurry" by ViT-B-32/laion2b_s34b_b79k'
    assert job.title("9 triangles") == "a cat, a hat, drawn with 9 triangles"


def test_es_clips_preset_is_theirs():
    job = ClipJob.make(prompts="a cat", preset="es-clip")
    assert (job.strategy, job.population, job.generations, job.shapes, job.crops) == ("pgpe", 256, 2000, 50, 4)
    assert ClipJob.make(prompts="a cat", preset="es-clip", shapes=9).shapes == 9


def test_files_of_prompts(tmp_path):
    path = tmp_path / "p.txt"
    path.write_text("\ufeff# animals\n\n a cat \n  # no\na dog:0.5\n", "utf-8")
    assert read(path) == ["a cat", "a dog:0.5"]
    path.write_text("# nothing\n")
    with pytest.raises(UsageError, match="no prompt in"):
        read(path)
    path.write_text("a cat\n:3\n")
    with pytest.raises(UsageError, match="line 2"):
        read(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        read(path)
    with pytest.raises(UsageError, match="no file"):
        read(tmp_path / "none.txt")


# With two crops and one prompt, or three, as in other files: what JAX has compiled is found again.
SMALL = {"model": "tiny", "shapes": 8, "seed": 1, "generations": 6, "crops": 2}


def last(events):
    return list(events)[-1]


@pytest.mark.slow
def test_an_interrupted_run_ends_where_the_unbroken_one_does(tmp_path):
    job = ClipJob.make(
        prompts=["a red circle", "yellow:0.3"],
        negative_prompts="a blue square",
        **SMALL | {"generations": 120},
    )
    whole = last(run(job)).result
    stop, keep = Stop(), Keep(tmp_path / "c.npz", every=1e9)
    for event in run(job, keep=keep, stop=stop):
        if type(event).__name__ == "Progress":
            stop.ask()
    assert event.generation < 120
    again = last(resume(checkpoint.load(tmp_path / "c.npz"))).result
    assert np.array_equal(whole.genome, again.genome)
    assert whole.figures == again.figures
    assert set(whole.figures) == {"loss", '"a red circle"', '"yellow"', '"a blue square"', "judge"}


def test_info_of_a_checkpoint_loads_no_model(tmp_path, monkeypatch, capsys):
    job = ClipJob.make(prompts="a red circle", **SMALL | {"generations": 50})
    stop = Stop()
    for _ in run(job, keep=Keep(tmp_path / "c.npz", every=1e9), stop=stop):
        stop.ask()

    def fail(*given, **how):
        raise AssertionError("a checkpoint was only read")

    for name in ("load_guidance", "load_evaluator"):
        monkeypatch.setattr(models, name, fail)
    assert main(["info", str(tmp_path / "c.npz")]) == 0
    out = capsys.readouterr().out
    assert "unfinished" in out
    assert "a red circle" in out
    assert "2 circles, 2 ellipses" in out
    damaged = bytearray((tmp_path / "c.npz").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "d.npz").write_bytes(damaged)
    assert main(["info", str(tmp_path / "d.npz")]) == 1


def test_prompts_of_other_scripts_have_names_of_their_own():
    stems = [ClipJob.make(prompts=each, model="tiny").stem for each in ("🐱", "🐶", "猫", "犬", "кот")]
    assert stems == ["cat-face", "dog-face", "猫", "犬", "кот"]


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"search": "surrogate"}, {"preset": "es-clip", "population": 8}])
def test_every_search_makes_the_same_picture_again(more):
    a = last(run(ClipJob.make(prompts="a red circle", **more | SMALL))).result
    assert a.generations == 6
    assert 0 < a.figures["loss"] < 2
    assert a.figures["similarity"] == pytest.approx(1 - a.figures["loss"], abs=1e-6)
    assert -1 < a.figures["judge"] < 1
    assert np.array_equal(last(run(Job.from_dict(a.recipe["job"]))).result.genome, a.genome)


@pytest.mark.slow
def test_a_network_of_coordinates_learns_words_too():
    result = last(run(ClipJob.make(prompts="red", form="cppn", **SMALL | {"shapes": None}))).result
    assert result.form.name == "cppn"
    assert result.image(32).shape == (32, 32, 3)


def test_pictures_to_be_like_and_starts(tmp_path, photo):
    Image.fromarray((photo * 255).astype(np.uint8)).save(tmp_path / "p.png")
    alike = prepare(ClipJob.make(image_prompts=str(tmp_path / "p.png"), **SMALL))
    genome = alike.form.random(np.random.default_rng(0))
    made = {"figures": {}, "generations": 0, "evaluations": 0, "seconds": 0.0}
    first = Result(job=alike.job, form=alike.form, genome=genome, size=alike.size, **made)
    first.save(tmp_path / "a.svg")
    job = ClipJob.make(prompts="a cat", start=str(tmp_path / "a.svg"), **SMALL | {"shapes": 10})
    problem = prepare(job)
    rows = problem.start.reshape(10, -1)
    assert rows[:8] == pytest.approx(first.genome.reshape(8, -1), abs=1e-5)
    assert problem.job.start_sha256
    with pytest.raises(UsageError, match="more than the 3"):
        prepare(ClipJob.make(prompts="a cat", start=str(tmp_path / "a.svg"), **SMALL | {"shapes": 3}))
    with pytest.raises(UsageError, match="picture of shapes"):
        prepare(ClipJob.make(prompts="a cat", form="cppn", start=str(tmp_path / "a.svg"), model="tiny"))
    other = ClipJob.make(image_prompts=str(tmp_path / "p.png"), image_prompts_sha256="0" * 64, **SMALL)
    with pytest.raises(UsageError, match="contents differ"):
        prepare(other)


def test_several_pictures_to_be_like(tmp_path, photo):
    paths = [str(tmp_path / name) for name in ("a.png", "b:2.png", "c.png")]
    for path, image in zip(paths, (photo, photo[::-1], photo[:, :20]), strict=True):
        Image.fromarray((image * 255).astype(np.uint8)).save(path)
    job = ClipJob.make(image_prompts=[f"{paths[0]}:0.3", paths[1], f"{paths[2]}:-2"], **SMALL)
    assert job.image_prompts == tuple(paths)
    assert job.image_prompts_weight == (0.3, 1.0, -2.0)
    assert job.stem == "a-b-2"
    assert Job.from_dict(job.to_dict()) == job
    problem = prepare(job)
    assert [each.weight for each in problem.score.prompts] == pytest.approx([0.3, 1.0, -2.0])
    assert len(set(problem.job.image_prompts_sha256)) == 3
    common = {"form": problem.form, "size": problem.size, "name": problem.name, "mask": None}
    restored = restore(problem.job, *problem.pack(), **common)
    assert np.array_equal(restored.score.inputs[1][0], problem.score.inputs[1][0])
    Image.fromarray((photo * 0).astype(np.uint8)).save(paths[2])
    with pytest.raises(UsageError, match=r"c\.png' is not the image prompt .* contents differ"):
        prepare(problem.job)


def test_what_a_run_costs_is_said_where_it_is_long():
    problem = prepare(ClipJob.make(prompts="a red circle", model="tiny", threads=2))
    assert problem.estimate(5.0, 1200) is None
    text = problem.estimate(1500.0, 1234)
    assert text.startswith("About 1,200 looks at 4 crops by tiny: some 25 minutes on this machine (2 cores), ")
    assert text.endswith(" GB; --quality draft would take 6.2 minutes")
    draft = prepare(ClipJob.make(prompts="a red circle", model="tiny", quality="draft", crops=1, threads=1))
    text = draft.estimate(45.0, 300)
    assert text.startswith("About 300 looks at one crop by tiny: some 45 seconds on this machine (1 core)")
    assert "draft" not in text


def test_recipes_with_one_picture_to_be_like_still_count(tmp_path, photo):
    path = tmp_path / "a.png"
    Image.fromarray((photo * 255).astype(np.uint8)).save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    old = {
        "format": 1,
        "command": "clip",
        "like": str(path),
        "like_weight": 0.5,
        "like_sha256": digest,
        "canvas": "shapes",
    }
    job = Job.from_dict(old | SMALL)
    assert (job.image_prompts, job.image_prompts_weight, job.image_prompts_sha256) == ((str(path),), (0.5,), (digest,))
    assert job.form == "shapes"
    # Without a picture they had a weight all the same.
    job = Job.from_dict({"format": 1, "command": "clip", "prompts": ["a cat"], "like_weight": 1.0})
    assert (job.command, job.image_prompts) == ("clip", ())
    with pytest.raises(UsageError, match="unknown option 'like'. It is called image_prompts now"):
        Job.make(command="clip", prompts="a cat", like="a.png")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes.")]
)
def test_a_model_too_large_for_the_memory_is_one_line(monkeypatch, error):
    def load(*given, **how):
        raise error

    monkeypatch.setattr(models, "load", load)
    models._load.cache_clear()
    with pytest.raises(EvoartError, match="not enough memory for the model judge. Use a smaller --model"):
        prepare(ClipJob.make(prompts="a cat", model="judge"))


def test_models_that_cannot_be_had():
    with pytest.raises(UsageError, match="leaves a name empty"):
        prepare(ClipJob.make(prompts="a cat", model="tiny+"))
    with pytest.raises(UsageError, match="one model"):
        prepare(ClipJob.make(prompts="a cat", model="tiny+judge", pretrained="x"))
    with pytest.raises(EvoartError, match="cannot be read"):
        prepare(ClipJob.make(prompts="a cat", model="tiny", clip_weights="/nowhere/w.safetensors"))
    with pytest.raises(UsageError, match="tiny does not know 'fluffy'"):
        prepare(ClipJob.make(prompts="a fluffy cat", model="tiny"))


@pytest.mark.slow
def test_shapes_that_do_not_matter_are_left_out():
    job = ClipJob.make(**SMALL | {"generations": 40, "prompts": "a red circle", "prune": 0})
    whole, pruned = (last(run(dataclasses.replace(job, prune=prune))).result for prune in (0.0, 0.1))
    assert whole.form.groups == 8
    assert pruned.form.groups < 8
    rows = {tuple(row) for row in whole.genome.reshape(8, -1)}
    assert {tuple(row) for row in pruned.genome.reshape(pruned.form.groups, -1)} <= rows
    assert pruned.figures["similarity"] > whole.figures["similarity"] - 0.15  # other crops than those that decided
    with pytest.raises(UsageError, match="no shapes to leave out"):
        ClipJob.make(prompts="a cat", form="cppn", prune=0.1)
