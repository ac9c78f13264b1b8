"""Lengths on the command line, and files of true size."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from evoart.cli.app import run
from evoart.errors import UsageError
from evoart.output import raster
from evoart.units import millimetres, pixels, split


@pytest.mark.parametrize(
    ("text", "mm"),
    [("420mm", 420), ("42 cm", 420), ("1m", 1000), ("16.5in", 419.1), ('2"', 50.8), ("72pt", 25.4), ("1,5cm", 15)],
)
def test_lengths_are_read(text, mm):
    assert millimetres(text, "it") == pytest.approx(mm)


@pytest.mark.parametrize("text", ["", "mm", "nan", "1e999mm", "4 2mm", "5furlong", "5", "--3mm", True])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(UsageError):
        millimetres(text, "it")


def test_pixels_of_a_length():
    assert pixels("1in", 300, "it") == 300
    assert pixels("420mm", 300, "it") == 4961
    assert pixels("300", 300, "it") is None
    assert pixels("300px", 300, "it") is None
    assert split("3.5CM", "it") == (3.5, "cm")


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("units")
    Image.fromarray((np.random.default_rng(0).random((24, 32, 3)) * 255).astype(np.uint8)).save(folder / "a.png")
    assert (
        run(["fit", str(folder / "a.png"), "-n", "3", "-s", "1", "-q", "--quality", "draft", "-o", f"{folder}/a.svg"])
        == 0
    )
    return folder / "a.svg"


def test_files_are_as_large_as_they_should_be(picture, tmp_path):
    names = [str(tmp_path / f"b.{suffix}") for suffix in ("png", "jpg", "svg", "pdf")]
    words = [word for name in names for word in ("-o", name)]
    assert run(["render", str(picture), "--size", "50mm", "--dpi", "254", *words]) == 0
    for name in names[:2]:
        with Image.open(name) as image:
            assert image.size == (500, 375)
            assert image.info["dpi"] == pytest.approx((254, 254), abs=0.6)
    text = (tmp_path / "b.svg").read_text()
    assert '<svg xmlns="http://www.w3.org/2000/svg" width="50mm" height="37.5mm" viewBox="0 0 500 375"' in text
    box = re.search(rb"/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", (tmp_path / "b.pdf").read_bytes())
    assert [float(side) / 72 * 25.4 for side in box.groups()] == pytest.approx([50, 37.5], abs=0.01)


def test_large_pictures_have_their_dpi_too(picture, tmp_path, monkeypatch):
    from evoart.output import formats, save

    for module in (formats, save):
        monkeypatch.setattr(module, "HELD", 10)
    assert run(["render", str(picture), "--size", "20mm", "-o", str(tmp_path / "b.png")]) == 0
    with Image.open(tmp_path / "b.png") as image:
        assert image.size[0] == 236
        assert image.info["dpi"] == pytest.approx((300, 300), abs=1)
    assert raster.PNG.stream is not None


def test_pixels_stay_pixels(picture, tmp_path):
    assert run(["render", str(picture), "--size", "100px", "-o", str(tmp_path / "b.png")]) == 0
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (100, 75)
        assert "dpi" not in image.info


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "420furlong"], "no unit of length"),
        (["--size", "a3"], "or a length: 420mm (the long side of A3)"),
        (["--size", "99m"], "Use 1 to 32,768 pixels"),
        (["--size", "10mm", "--dpi", "0"], "Use 10 to 4,800 pixels an inch"),
    ],
)
def test_wrong_sizes_get_one_line(picture, words, said, capsys):
    assert run(["render", str(picture), *words]) == 2
    err = capsys.readouterr().err.strip()
    assert said in err
    assert len(err.splitlines()) == 1
