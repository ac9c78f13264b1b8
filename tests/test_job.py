"""Jobs: what they accept, what they say about the rest, and that no format loses anything."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoart.errors import EvoartError, UsageError
from evoart.picture import LARGEST_LIMIT
from evoart.run import fields
from evoart.run.config import read_config, to_toml
from evoart.run.fit.job import PRESETS
from evoart.run.job import FORMAT, Job

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
words = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda w: w not in ("nan", "inf", "infinity"))
colours = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)
unit = st.floats(0.01, 1)
jobs = st.fixed_dictionaries(
    {"search": st.sampled_from(["regional", "classical"])},  # the others know all of their options
    optional={
        "picture": texts,
        "shapes": st.integers(1, 20_000),
        "kind": st.sampled_from(["triangle", "mixed", "ellipse,line", "polygon:5", "regular:7,circle"]),
        "opacity": st.tuples(unit, unit).map(lambda pair: tuple(sorted(pair))),
        "background": st.one_of(st.sampled_from(["mean", "transparent"]), colours),
        "palette": st.one_of(st.integers(2, 256), st.lists(colours, min_size=2, max_size=9, unique=True)),
        "pixels": st.integers(16, 2048),
        "size": st.integers(1, 32_768),
        "population": st.integers(2, 65_536),
        "step": st.floats(1e-5, 2),
        "options": st.dictionaries(texts, st.one_of(st.floats(-1e9, 1e9), words), max_size=3),
        "generations": st.integers(1, 10**12),
        "seconds": st.floats(0.1, 1e6),
        "until_psnr": st.floats(1, 100),
        "weights": texts.filter(bool),
        "seed": st.integers(0, 2**32 - 1),
        "loss": st.sampled_from(["mse", "mae", "oklab"]),
    },
)


@given(jobs)
def test_toml_and_json_lose_nothing(options):
    job = Job.make(**options)
    assert Job.from_dict(tomllib.loads(to_toml(job))) == job
    assert Job.from_dict(json.loads(json.dumps(job.to_dict()))) == job
    assert Job.from_dict(tomllib.loads(to_toml(job))) == job


@given(st.floats(0, 1e7))
def test_durations_round_trip(seconds):
    assert fields.duration(fields.duration_text(seconds)) == pytest.approx(
        seconds, abs=5.001e-4
    )  # rounded to the millisecond


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("90", 90),
        ("5m", 300),
        ("1h", 3600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (7, 7),
        ("1h30", 5400),
        ("1h30s", 3630),
        ("1m30", 90),
        ("1h2m3", 3723),
    ],
)
def test_durations(text, seconds):
    assert fields.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "5 minutes", "-3s", "s", "1m1h", "nan", "1e400s"])
def test_what_is_no_duration(text):
    with pytest.raises(UsageError):
        Job.make(time=text)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shapes": 0}, "1 to 20,000"),
        ({"shapes": -3}, "1 to 20,000"),
        ({"shapes": 10**9}, "1 to 20,000"),
        ({"shapes": 2.5}, "whole number"),
        ({"shapes": True}, "not a number"),
        ({"shapes": "many"}, "not a number"),
        ({"shapes": float("inf")}, "not a number"),
        ({"time": 0}, "--time is 0"),
        ({"seconds": float("nan")}, "--time"),
        ({"until_psnr": float("nan")}, "1 to 100 dB"),
        ({"step": "nan"}, "not a number"),
        ({"kind": "trangle"}, "Did you mean triangle"),
        ({"kind": "polygon:99"}, "polygon:3 to polygon:24"),
        ({"kind": ","}, "empty"),
        ({"background": "wite"}, "Did you mean white"),
        ({"background": "#12345"}, "#rrggbb"),
        ({"palette": 1}, "2 to 256"),
        ({"palette": "red,red"}, "two different"),
        ({"opacity": "0.9-0.1"}, "0.1-0.9"),
        ({"opacity": "2"}, "0 to 1"),
        ({"opacity": 0}, "nobody can see"),
        ({"opacity": "0.1-0.2-0.3"}, "range"),
        ({"quality": "drfat"}, "Did you mean draft"),
        ({"preset": "esclip"}, "Did you mean es-clip"),
        ({"seed": -1}, "0 to 4,294,967,295"),
        ({"shape": 5}, "Did you mean shapes"),
        ({"strategy": "pgpe", "search": "sets"}, "--search classical"),
        ({"keep_alpha": True, "background": "transparent"}, "exclude"),
        ({"options": {"lr": float("nan")}}, "not a number"),
        ({"picture": 3}, "not text"),
        ({"weights": ""}, "empty"),
    ],
)
def test_what_is_refused_in_one_line(options, said):
    with pytest.raises(UsageError) as caught:
        Job.make(**options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_as_people_type_them():
    job = Job.make(evaluations="1e6", shapes="1,000", opacity="0.5", palette="black, #fff", kind="Rotated_Ellipse,line")
    assert (job.evaluations, job.shapes, job.opacity) == (1_000_000, 1000, (0.5, 0.5))
    assert (job.palette, job.kind) == (("#000000", "#ffffff"), "rotated-ellipse,line")


def test_a_preset_fills_in_what_is_not_given():
    job = Job.make(preset="es-clip", shapes=25)
    assert job.shapes == 25
    assert job.population == PRESETS["es-clip"]["population"]
    assert Job.from_dict(job.to_dict()) == job


def test_a_strategy_alone_asks_for_the_classical_search():
    assert Job.make(strategy="snes").search == "classical"


def test_the_drawn_seed_is_kept():
    job = Job.make().with_seed()
    assert job.seed is not None
    assert job.with_seed().seed == job.seed


def test_a_newer_format_is_refused():
    with pytest.raises(EvoartError, match="newer evoart"):
        Job.from_dict({"format": FORMAT + 1, "warp": 9})


@pytest.mark.parametrize("values", [[], 3, {"format": "1"}, {"format": True}, {"format": 0}])
def test_what_is_no_job(values):
    with pytest.raises(EvoartError):
        Job.from_dict(values)


def test_config_files(tmp_path):
    path = tmp_path / "job.toml"
    path.write_text('shapes = 50\nseconds = "30s"\n')
    assert Job.make(**read_config(path)).seconds == 30
    path.write_text("shaeps = 50\n")
    with pytest.raises(UsageError, match="Did you mean shapes"):
        read_config(path)
    path.write_text("shapes = = 50\n")
    with pytest.raises(UsageError, match="not valid toml"):
        read_config(path)
    with pytest.raises(UsageError, match="there is no file"):
        read_config(tmp_path / "none.toml")


@pytest.mark.parametrize("value", ["abc", 1.5, -1])
def test_options_of_the_default_search_are_whole_numbers(value):
    with pytest.raises(UsageError, match=f"cycles={value} is not a (whole )?number"):
        Job.make(options={"cycles": value})


def test_the_largest_picture_limit_is_the_one_that_messages_go_by():
    Job.make(max_pixels=LARGEST_LIMIT)
    with pytest.raises(UsageError, match="out of range"):
        Job.make(max_pixels=LARGEST_LIMIT + 1)


def test_a_seed_is_an_int_once_it_was_drawn():
    assert Job.make(command="fit", seed=7).seeded == 7
    with pytest.raises(ValueError, match="no seed"):
        _ = Job.make(command="fit").seeded
