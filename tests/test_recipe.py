"""Recipes: they survive every container, and nothing in a hostile file gets further than one line."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import zlib

import numpy as np
import pytest
from fakes import SHOWN
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from evoart.errors import EvoartError
from evoart.forms.shapes import ShapesForm, pack_kinds, unpack_kinds
from evoart.output import recipe as recipes
from evoart.output.formats import OUTPUTS, Artwork, encode
from evoart.output.save import read_recipe

FORM = ShapesForm(("triangle",) * 3, 1.0, 0.75, (0.5, 0.4, 0.3))
GENOME = FORM.random(np.random.default_rng(0))
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def recipe(**more) -> dict:
    return {"evoart": "0.1.0", "format": 1, "job": {"command": "fit"}, **more}


def artwork(made_by: dict, format: str = "svg") -> Artwork:
    """A picture that the format can hold."""
    drawing, forms = FORM.drawing(GENOME), OUTPUTS[format].forms
    if forms is not None:
        form = SHOWN[forms[0]]()
        drawing = form.drawing(form.random(np.random.default_rng(0)))
    return Artwork(drawing, (16, 12), made_by, "A <test> & more")


def usable(format: str) -> bool:
    with contextlib.suppress(EvoartError):
        OUTPUTS[format].check()
        return True
    return False


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """One file of every format; the recipe is too long for one GIF block or JPEG segment."""
    rng = np.random.default_rng(0)
    filler = base64.b64encode(rng.bytes(100_000)).decode()
    return {f: encode(f, artwork(recipe(filler=filler, odd="<]]>&\"'\\ é 猫"), f)) for f in OUTPUTS if usable(f)}


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_every_format_carries_its_recipe(format, files, tmp_path):
    if format not in files:
        pytest.skip("needs an extra")
    path = tmp_path / "out"
    path.write_bytes(files[format])
    found = read_recipe(path)
    assert found["odd"] == "<]]>&\"'\\ é 猫"
    assert len(found["filler"]) > 130_000
    assert list(found)[:2] == ["evoart", "format"]


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_a_file_without_a_recipe_says_so(format):
    if format in ("json", "weights") or not usable(format):
        pytest.skip("always has one, or needs an extra")
    with pytest.raises(EvoartError, match="carries no evoart recipe"):
        recipes.extract(encode(format, artwork({}, format)))


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_truncated_files_are_refused(format, files):
    if format not in files:
        pytest.skip("needs an extra")
    data = files[format]
    for part in (0.0, 0.001, 0.1, 0.5, 0.9):
        with contextlib.suppress(EvoartError):
            whole = recipes.extract(data[: int(len(data) * part)])
            assert len(whole["filler"]) > 130_000  # found whole before the cut, or refused


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_random_damage_never_escapes(format, files):
    if format not in files:
        pytest.skip("needs an extra")
    rng = np.random.default_rng(1)
    for _ in range(60):
        broken = bytearray(files[format])
        for at in rng.integers(0, len(broken), 8) // rng.integers(1, 2000, 8):
            broken[at] = rng.integers(256)
        with contextlib.suppress(EvoartError):
            recipes.extract(bytes(broken))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=4))
@pytest.mark.parametrize("format", ["svg", "png", "webp", "jpeg", "gif", "json"])
def test_any_json_survives(format, more):
    made_by = {**more, "evoart": "0.1.0", "format": 1}
    assert recipes.extract(encode(format, artwork(made_by))) == made_by


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"<svg>", b"{"]))
def test_any_bytes_are_refused_politely(data, head):
    with pytest.raises(EvoartError):
        recipes.extract(head + data)


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(np.float32, st.integers(0, 200), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)))
def test_genomes_are_exact(genome):
    text = recipes.encode_genome(genome)
    np.testing.assert_array_equal(recipes.decode_genome(text, len(genome)), genome)
    for wrong in (len(genome) + 1, max(len(genome) - 1, 0)):
        if wrong != len(genome):
            with pytest.raises(EvoartError, match="damaged"):
                recipes.decode_genome(text, wrong)


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    "text", [None, 3, "", "é", "!!!!", "AAAA", packed(b"123"), packed(bytes(10_000_000)), packed(b"\0\0\xc0\x7f" * 2)]
)
def test_damaged_genomes_are_refused(text):
    with pytest.raises(EvoartError, match="damaged"):
        recipes.decode_genome(text, 2)


@given(st.lists(st.sampled_from(["triangle", "line", "polygon:5"]), max_size=50))
def test_lists_of_shapes_are_exact(kinds):
    assert unpack_kinds(json.loads(json.dumps(pack_kinds(kinds)))) == tuple(kinds)


@pytest.mark.parametrize(
    "runs",
    [None, "x", [["a"]], [["a", -1]], [["a", 0]], [["a", 1.5]], [[1, 1]], [["a", 10**9]], [["a", 600_000]] * 2]
    + [[["x" * 1000, 1]], [["a", True, 2]]],
)
def test_damaged_lists_of_shapes_are_refused(runs):
    with pytest.raises(ValueError, match="shapes"):
        unpack_kinds(runs)


@pytest.mark.parametrize("number", [None, "1", 0, -1, True, 1.0])
def test_a_wrong_format_number(number):
    with pytest.raises(EvoartError, match="damaged"):
        recipes.loads(json.dumps({"evoart": "1", "format": number}))


def test_a_recipe_of_a_newer_evoart_says_update():
    with pytest.raises(EvoartError, match="newer evoart"):
        recipes.loads('{"evoart":"9.0","format":2}')


@pytest.mark.parametrize(
    "text", ['{"evoart":1', '{"evoart":1,"format":1,"x":NaN}', "[" * 100_000, '{"evoart":"1","format":1}x', b"\xff"]
)
def test_damaged_json(text):
    with pytest.raises(EvoartError, match="damaged"):
        recipes.loads(text)


def test_json_that_is_no_recipe():
    with pytest.raises(EvoartError, match="not an evoart recipe"):
        recipes.loads('{"format":1}')


def test_numbers_that_are_not_finite_are_not_written():
    with pytest.raises(ValueError, match="JSON"):
        recipes.dumps(recipe(loss=float("nan")))


LAUGHS = (
    '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<svg><metadata>{"evoart":"1","format":1,"x":"&b;"}</metadata></svg>'
)
OUTSIDE = '<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg><metadata>{"evoart":"1","format":1}</metadata></svg>'


@pytest.mark.parametrize("document", [LAUGHS, OUTSIDE])
def test_xml_entities_are_never_expanded(document):
    with pytest.raises(EvoartError, match="damaged"):
        recipes.extract(document.encode())


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_zip_bomb_in_a_png_is_bounded(monkeypatch):
    monkeypatch.setattr(recipes, "MAX_TEXT", 1000)
    bomb = chunk(b"zTXt", b"evoart\0\0" + zlib.compress(bytes(10_000_000)))
    with pytest.raises(EvoartError, match="damaged"):
        recipes.extract(b"\x89PNG\r\n\x1a\n" + bomb)


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt"])
def test_recipes_that_another_program_rewrote(kind):
    text = recipes.dumps(recipe()).encode()
    body = {
        "tEXt": b"evoart\0" + text,
        "zTXt": b"evoart\0\0" + zlib.compress(text),
        "iTXt": b"evoart\0\1\0en\0\0" + zlib.compress(text),
    }[kind]
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"Comment\0hello") + chunk(kind.encode(), body)
    assert recipes.extract(data) == recipe()
    with pytest.raises(EvoartError, match="damaged"):
        recipes.extract(data[:-1] + b"x")  # checksum


def test_pillow_still_reads_what_carries_a_recipe(files, tmp_path):
    for format in ("png", "jpeg", "webp", "gif", "apng", "animated-webp"):
        path = tmp_path / format
        path.write_bytes(files[format])
        with Image.open(path) as image:
            image.load()
            assert image.size == (16, 12)
