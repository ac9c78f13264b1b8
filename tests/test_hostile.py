"""Files from anywhere: whatever is in them, ``evoart.load`` gives a drawing that can be used, or an EvoartError."""

from __future__ import annotations

import base64
import copy
import io
import json
import re

import numpy as np
import pytest
from fakes import SHOWN
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import evoart
from evoart.errors import EvoartError
from evoart.forms.shapes import FARTHEST, ShapesForm
from evoart.output import recipe as recipes
from evoart.output.formats import OUTPUTS, encode
from evoart.run import recipe as results
from evoart.run.job import Job
from evoart.run.result import Result
from evoart.types import Form

FORM = ShapesForm(("triangle", "line", "rotated-ellipse"), 1.0, 0.75, (0.5, 0.4, 0.3))
JOB = {"picture": "photo.jpg", "sha256": "00", "shapes": 3, "kind": "mixed", "seed": 1}
HOLDS_ALPHA = ("svg", "png", "apng", "webp", "animated-webp")


def drawing(mask: np.ndarray | None = None, form: Form = FORM) -> Result:
    genome = form.random(np.random.default_rng(0))
    facts = {"figures": {"loss": 0.01, "psnr": 20.0}, "generations": 5, "evaluations": 60}
    frames = (form.drawing(genome), form.drawing(genome))
    return Result(
        Job.make(keep_alpha=mask is not None, **JOB),
        form,
        genome,
        (16, 12),
        seconds=1.0,
        mask=mask,
        frames=frames,
        **facts,
    )


def mask() -> np.ndarray:
    """A ramp, ``(12, 16)`` uint8."""
    return np.tile(np.linspace(0, 255, 16).astype(np.uint8), (12, 1))


def usable(format: str) -> bool:
    try:
        OUTPUTS[format].check()
    except EvoartError:
        return False
    return True


def shown_by(format: str) -> Form:
    """A form that the format can show."""
    forms = OUTPUTS[format].forms
    return FORM if forms is None else SHOWN[forms[0]]()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """One file of every format, transparent where loading it needs no photograph to be so."""
    made = {name: drawing(mask() if name in HOLDS_ALPHA else None, shown_by(name)) for name in OUTPUTS if usable(name)}
    return {name: encode(name, result.artwork()) for name, result in made.items()}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile") / "file"


def loaded(path, data: bytes) -> Result | None:
    """What the file holds, used in every way there is; None where it is refused."""
    path.write_bytes(data)
    try:
        result = evoart.load(path)
    except EvoartError:
        return None
    image = result.image(24)
    assert image.shape[0] <= 24
    assert np.isfinite(image).all()
    assert result.svg().startswith("<svg")
    for format in ("json", "pdf"):
        assert encode(format, result.artwork(24))
    return result


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_random_damage_is_refused_or_harmless(format, files, place):
    if format not in files:
        pytest.skip("needs an extra")
    rng = np.random.default_rng(2)
    for _ in range(40):
        broken = bytearray(files[format])
        for at in rng.integers(0, len(broken), 6) // rng.integers(1, 500, 6):
            broken[at] = rng.integers(256)
        loaded(place, bytes(broken[: rng.integers(len(broken) // 2, 2 * len(broken))]))


ODD = [None, True, "", "x" * 300, "\0", "nan", -1, 0, 1e-9, 1e300, 10**30, 10**400, 1e400, [], [[]], {}, {"format": 99}]


def places(value, path=()):
    """Every way into a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


WHOLE = json.loads(recipes.dumps(drawing().recipe))
CHANGES = [(path, odd) for path in places(WHOLE) if path for odd in ODD]


def edited(path: tuple, value: object) -> bytes:
    recipe = copy.deepcopy(WHOLE)
    inner = recipe
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    # Python writes Infinity, which is refused as such; 1e400 is JSON, and as large.
    return json.dumps(recipe).replace("Infinity", "1e400").encode()


def test_recipes_edited_by_hand_are_refused_or_harmless(place):
    for path, value in CHANGES:
        try:
            loaded(place, edited(path, value))
        except Exception as error:
            raise AssertionError(f"{'.'.join(map(str, path))} = {str(value)[:40]}") from error


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(CHANGES), min_size=2, max_size=4))
def test_several_edits_too(place, changes):
    recipe = copy.deepcopy(WHOLE)
    for path, value in changes:
        inner = recipe
        try:
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = copy.deepcopy(value)
        except (IndexError, KeyError, TypeError):
            continue  # an earlier edit took this place away
    loaded(place, json.dumps(recipe).replace("Infinity", "1e400").encode())


def with_first_number(value: float) -> bytes:
    genome = recipes.decode_genome(WHOLE["result"]["genome"], FORM.dim).copy()
    genome[0] = value
    return edited(("result", "genome"), recipes.encode_genome(genome))


@pytest.mark.parametrize("value", [1.01 * FARTHEST, -1e30, 3e38])
def test_shapes_far_outside_any_picture_are_damage(place, value):
    for number, kept in ((value, False), (FARTHEST, True)):
        assert (loaded(place, with_first_number(number)) is not None) == kept


def test_a_photograph_whose_name_no_file_can_have(place):
    for name in ("x" * 300, "\0", "/" * 5000 + "x" * 300):
        place.write_bytes(json.dumps({**WHOLE, "job": {**JOB, "keep_alpha": True, "picture": name}}).encode())
        with pytest.raises(EvoartError, match="photograph"):
            evoart.load(place)


def test_facts_that_are_no_numbers_are_damage(place):
    for name in ("loss", "psnr", "generations"):
        figures = {**WHOLE["result"]["figures"], name: float("inf")}
        with pytest.raises(EvoartError, match="damaged"):
            results.record({**WHOLE, "result": {**WHOLE["result"], "figures": figures}})
        with pytest.raises(EvoartError, match="damaged"):
            recipes.loads(edited(("result", "figures", name), 1e400))


@pytest.mark.parametrize("numbers", [("2/1",), ("1/2", "3/2"), ("0/1",), ("1/1", "2/1")])
def test_wrongly_numbered_comments_of_a_jpeg_are_damage(numbers):
    comments = [f"evoart {number} {{}}".encode() for number in numbers]
    segments = b"".join(b"\xff\xfe" + (len(body) + 2).to_bytes(2, "big") + body for body in comments)
    with pytest.raises(EvoartError, match="damaged"):
        recipes.extract(b"\xff\xd8" + segments + b"\xff\xd9\0\0")


@pytest.mark.parametrize("encoding", ["no-such", "rot13", "idna", "shift_jis"])
def test_an_svg_in_an_unknown_encoding_is_damage(encoding):
    with pytest.raises(EvoartError, match="damaged"):
        recipes.extract(f'<?xml version="1.0" encoding="{encoding}"?><svg>é</svg>'.encode())


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "embedded",
    [base64.b64encode(b"no picture"), b"A", b"AAAA", base64.b64encode(png(16, 12)[:-30])]
    + [base64.b64encode(png(5000, 5000))],
)
def test_a_damaged_transparency_in_an_svg_is_refused(embedded, files, place):
    place.write_bytes(re.sub(rb'base64,[^"]+', b"base64," + embedded, files["svg"]))
    with pytest.raises(EvoartError, match="transparency"):
        evoart.load(place)


def test_the_transparency_of_an_svg_comes_back_as_it_was(files, place):
    place.write_bytes(files["svg"])
    np.testing.assert_array_equal(evoart.load(place).mask, mask())
