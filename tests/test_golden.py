"""Golden pictures: what drawings looked like when a person last looked at them. ``--regenerate`` writes them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.draw.scene import Scene, draw, svg
from evoart.draw.shapes import SHAPES, shape

GOLDEN = Path(__file__).parent / "golden"
FAILURES = Path(__file__).parent / "failures"
NEAR, FAR = 1.0, 12  # levels of 255: root mean square, and the largest difference of any pixel


def each_shape(background=(0.96, 0.94, 0.9)) -> Scene:
    """Two of every shape, in columns, the second turned, larger and laid over the first; the numbers are by rule."""
    kinds, rows, rgba = [], [], []
    names = [*SHAPES, "polygon:7", "regular:3"]
    for i, name in enumerate(names):
        for j in range(2):
            x, y = (i + 0.5) / len(names), 0.09 + 0.1 * j
            numbers = []
            for k, parameter in enumerate(shape(name).parameters):
                turn = 2.4 * (k // 2) + 0.8 * j + 0.3 * i
                value = {
                    "x": x + 0.045 * np.cos(turn) * (len(shape(name).parameters) > 5 or name == "line"),
                    "y": y + 0.06 * np.sin(turn) * (len(shape(name).parameters) > 5 or name == "line"),
                    "length": 0.018 + 0.009 * (k % 3) + 0.01 * j,
                    "angle": 0.5 + j,
                }[parameter.role]
                numbers.append(value)
            kinds.append(name)
            rows.append(numbers)
            rgba.append((0.9 - 0.07 * i, 0.15 + 0.3 * j, 0.1 + 0.07 * i, 0.75 - 0.2 * j))
    geometry = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for row, numbers in zip(geometry, rows, strict=True):
        row[: len(numbers)] = numbers
    return Scene(tuple(kinds), geometry, np.array(rgba, np.float32), background, 1.0, 0.28)


def levels(picture: np.ndarray) -> np.ndarray:
    return np.round(255 * picture).astype(np.uint8)


def compare(name: str, picture: np.ndarray, regenerate: bool = False, folder: Path = GOLDEN) -> None:
    """Fail where ``picture`` (uint8) is not the golden one called ``name``, and leave both and their difference."""
    path = folder / f"{name}.png"
    if regenerate:
        folder.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path, optimize=True)
        return
    assert path.exists(), f"there is no golden picture {path.name}; make it with --regenerate"
    with Image.open(path) as opened:
        golden = np.asarray(opened)
    assert golden.shape == picture.shape
    apart = np.abs(golden.astype(float) - picture)
    if picture.shape[2] == 4:  # the colour of what is not seen is what rounding left
        apart[(golden[..., 3] == 0) & (picture[..., 3] == 0)] = 0
    rms, most = np.sqrt((apart**2).mean()), apart.max()
    if rms <= NEAR and most <= FAR:
        return
    FAILURES.mkdir(exist_ok=True)
    shown = np.clip(8 * apart, 0, 255).astype(np.uint8)[..., :3]
    stack = np.concatenate([golden[..., :3], picture[..., :3], shown])
    Image.fromarray(stack).save(FAILURES / f"{name}.png")
    pytest.fail(
        f"{name}: {rms:.2f} apart, {most:.0f} at most; see {FAILURES / name}.png (golden, ours, 8 x difference)"
    )


def test_every_shape(regenerate):
    compare("shapes", levels(draw(each_shape(), (520, 146))[..., :3]), regenerate)


def test_every_shape_on_nothing(regenerate):
    compare("transparent", levels(draw(each_shape(None), (260, 73))), regenerate)


def test_every_shape_as_svg(regenerate):
    path = GOLDEN / "shapes.svg"
    text = svg(each_shape(), (520, 146))
    if regenerate:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_what_an_earlier_version_saved_is_drawn_as_ever(regenerate):
    """From the recipe inside a file of version 0.1.0, which is never made again."""
    compare("kept", levels(evoart.load(GOLDEN / "kept.svg").image(160)), regenerate)


def test_the_comparison_can_fail(tmp_path, monkeypatch):
    monkeypatch.setattr("test_golden.FAILURES", tmp_path / "failures")
    picture = levels(draw(each_shape(), (120, 34))[..., :3])
    compare("a", picture, regenerate=True, folder=tmp_path)
    compare("a", picture, folder=tmp_path)
    brighter = np.clip(picture.astype(int) + 2, 0, 255).astype(np.uint8)
    spot = picture.copy()
    spot[10, 10] = 255 - spot[10, 10]
    fewer = each_shape()
    without_one = Scene(fewer.kinds[1:], fewer.geometry[1:], fewer.rgba[1:], fewer.background, 1.0, 0.28)
    for wrong in (brighter, spot, levels(draw(without_one, (120, 34))[..., :3])):
        with pytest.raises(pytest.fail.Exception, match="difference"):
            compare("a", wrong, folder=tmp_path)
        assert (tmp_path / "failures" / "a.png").exists()
    with pytest.raises(AssertionError, match="regenerate"):
        compare("b", picture, folder=tmp_path)


def test_golden_pictures_are_small():
    assert sum(file.stat().st_size for file in GOLDEN.iterdir()) < 200_000
