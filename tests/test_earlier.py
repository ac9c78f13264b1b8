"""Pictures that earlier versions wrote: each form of format 1 still shows what it showed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.cli.app import run
from evoart.run.job import JOBS, Job

FOLDER = Path(__file__).parent / "recipes"
FILES = sorted(path for path in FOLDER.iterdir() if path.name != "expected.png")  # tiles of 48 px, in this order
SIDE = 48


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_shows_what_it_showed(path):
    image = evoart.load(path).image(SIDE)
    if image.shape[2] == 4:
        image = image[..., :3] * image[..., 3:] + 1 - image[..., 3:]
    first = SIDE * FILES.index(path)
    with Image.open(FOLDER / "expected.png") as sheet:
        expected = np.asarray(sheet, np.float32)[: image.shape[0], first : first + image.shape[1]] / 255
    assert np.abs(image - expected).mean() < 0.002
    assert np.abs(image - expected).max() < 0.1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_its_job_is_read_under_the_new_names(path):
    plain = evoart.load(path).recipe["job"]
    assert plain["format"] in (1, 2)
    job = Job.from_dict(plain)
    assert Job.from_dict(job.to_dict()) == job
    assert job.seed == plain["seed"]


def test_every_command_has_a_recipe_here():
    without = {"cppn-film", "cppn-morph", "cppn-train", "sketch-train", "icons", "breed", "morph", "fit-film"}
    without |= {"glyph-train", "glyph-interpolate"}
    assert {evoart.load(path).job.command for path in FILES} | without == set(JOBS)


@pytest.mark.parametrize("name", ["sketch.json", "cppn-sheet.json"])
def test_it_is_made_again(name, tmp_path):
    assert run(["redo", str(FOLDER / name), "-o", str(tmp_path / "again.json"), "-q"]) == 0
    again, before = evoart.load(tmp_path / "again.json"), evoart.load(FOLDER / name)
    np.testing.assert_allclose(again.genome, before.genome, atol=1e-6)  # JAX drew it, whose sums are rounded otherwise
    assert again.recipe["job"]["format"] == 2
