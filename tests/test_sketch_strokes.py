"""Strokes between their forms and in files: property tests, independent readers, and what hostile files come to."""

from __future__ import annotations

import io
import json
import pickle
import re
import time
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evoart.draw.pen import PenDrawing
from evoart.errors import EvoartError, UsageError
from evoart.sketch.arrays import read_npz, write_npz
from evoart.sketch.drawings import read_drawings
from evoart.sketch.quickdraw import read_records, write_records
from evoart.sketch.simplify import significance, simplify, simplify_to
from evoart.sketch.strokes import bounds, fitted, from_stroke5, length, to_polylines, to_stroke3, to_stroke5
from evoart.sketch.svgfile import _least_in, _least_points, read_svg

whole = st.integers(-1000, 1000).map(float)
line = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=whole))
drawings = st.lists(line, min_size=1, max_size=6)


def distinct(polylines):
    """Strokes without points that repeat the one before."""
    return [p[np.r_[True, np.any(np.diff(p, axis=0) != 0, 1)]] for p in polylines]


@given(drawings)
def test_polylines_to_stroke_3_and_back(polylines):
    back = to_polylines(to_stroke3(polylines))
    wanted = distinct(polylines)
    assert [len(p) for p in back] == [len(p) for p in wanted]
    for a, b in zip(back, wanted, strict=True):
        np.testing.assert_allclose(a, b - polylines[0][0], atol=1e-9)


@given(drawings)
def test_stroke_3_to_stroke_5_and_back(polylines):
    rows = to_stroke3(polylines)
    five = to_stroke5(rows)
    assert (five[:, 2:].sum(1) == 1).all()
    back, ended = from_stroke5(five)
    assert ended
    np.testing.assert_allclose(back, rows)
    assert not from_stroke5(to_stroke5(rows, end=False))[1]


def test_the_pen_starts_on_the_paper():
    """As in sketch-rnn-js, where the first offset already leaves ink."""
    (one, two) = to_polylines([[3, 0, 0], [0, 4, 1], [10, 0, 0], [0, 1, 1]])
    np.testing.assert_allclose(one, [[0, 0], [3, 0], [3, 4]])
    np.testing.assert_allclose(two, [[13, 4], [13, 5]])
    assert length([one, two]) == 8


@given(drawings, st.floats(10, 500))
def test_a_drawing_is_fitted_into_a_box(polylines, side):
    placed = fitted(polylines, (7, 9, side, 2 * side))
    low, high = bounds(placed)
    assert (low >= np.array([7, 9]) - 1e-6).all()
    assert (high <= np.array([7 + side, 9 + 2 * side]) + 1e-6).all()
    own = np.subtract(*bounds(polylines)[::-1])
    if own.max() > 0:
        assert ((high - low) / (side, 2 * side)).max() == pytest.approx(1)
        np.testing.assert_allclose(
            (high - low) * own[::-1], ((high - low) * own[::-1])[::-1], atol=1e-4 * side * own.max()
        )


def peucker(points, tolerance):
    """Ramer-Douglas-Peucker as it is told everywhere."""
    if len(points) < 3:
        return list(map(tuple, points))
    a, b = points[0], points[-1]
    away = []
    for p in points[1:-1]:
        along = b - a
        t = np.clip((p - a) @ along / (along @ along), 0, 1) if along.any() else 0
        away.append(np.hypot(*(p - a - t * along)))
    k = int(np.argmax(away)) + 1
    if away[k - 1] <= tolerance:
        return [tuple(a), tuple(b)]
    return peucker(points[: k + 1], tolerance)[:-1] + peucker(points[k:], tolerance)


@given(line, st.floats(0, 500))
def test_simplification_is_the_textbooks(points, tolerance):
    found = simplify([points], tolerance)[0]
    assert [tuple(p) for p in found] == peucker(points, tolerance)
    assert np.isinf(significance(points)[[0, -1]]).all()


@given(drawings, st.integers(2, 40))
def test_simplification_to_a_number_of_points(polylines, most):
    found = simplify_to(polylines, most)
    ends = sum(min(2, len(p)) for p in polylines)
    assert sum(map(len, found)) <= max(most, ends)
    assert len(found) == len(polylines)
    for a, b in zip(found, polylines, strict=True):
        np.testing.assert_array_equal(a[[0, -1]], b[[0, -1]])


@given(drawings)
def test_drawings_to_svg_and_back(polylines):
    placed = fitted(polylines, (0.1, 0.1, 0.8, 0.8))
    pen = PenDrawing(tuple(placed), np.zeros((len(placed), 3)), 0.01, 1.0, 1.0, groups=(1, len(placed) - 1))
    page = read_svg(pen.svg((1000, 1000)).encode(), "x")
    assert page.box == (0, 0, 1000, 1000)
    assert len(page.strokes) == len(polylines)
    for a, b in zip(page.strokes, placed, strict=True):
        np.testing.assert_allclose(a[[0, -1]], b[[0, -1]] * 1000, atol=0.011)
        assert length([a]) == pytest.approx(1000 * length([b]), abs=0.03 * len(b))


@given(st.lists(drawings, min_size=1, max_size=3))
def test_drawings_to_quickdraw_and_back(several):
    several = [d for d in several if np.subtract(*bounds(d)).any()]
    for d, (strokes, word) in zip(
        several, read_records(write_records(several, ["cat"] * len(several)), "x"), strict=True
    ):
        assert word == "cat"
        low, high = bounds(strokes)
        np.testing.assert_array_equal(low, 0)
        assert high.max() == 255
        factor = 255 / np.subtract(*bounds(d)[::-1]).max()
        for a, b in zip(strokes, d, strict=True):
            np.testing.assert_allclose(a, (b - bounds(d)[0]) * factor, atol=1.01)


def test_stroke_sets_to_npz_and_back(tmp_path):
    rng = np.random.default_rng(0)
    sets = {part: [rng.normal(size=(n, 3)).astype(np.float32) for n in (1, 5, 3)] for part in ("train", "valid")}
    (tmp_path / "a.npz").write_bytes(write_npz(sets | {"test": []}))
    for found in (read_npz(tmp_path / "a.npz"), np.load(tmp_path / "a.npz", allow_pickle=True)):
        for part, those in sets.items():
            assert all((a == b).all() for a, b in zip(found[part], those, strict=True))


@pytest.mark.parametrize("name", ["kanji.rdp200", "omniglot", "aaron_sheep"])
def test_published_stroke_sets_are_numpys(shared, name):
    path = shared / "sketch" / "strokes" / f"{name}.npz"
    found = read_npz(path, ("test",))["test"]
    wanted = np.load(path, allow_pickle=True, encoding="latin1")["test"]
    assert len(found) == len(wanted)
    assert all((a == b).all() for a, b in zip(found, wanted, strict=True))


class Evil:
    def __init__(self, call):
        self.call = call

    def __reduce__(self):
        return self.call


def npz(payload: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("train.npy", b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header + payload)
    return file.getvalue()


PICKLES = {
    "a command": pickle.dumps(Evil((__import__("os").system, ("touch {}",)))),
    "code": pickle.dumps(Evil((eval, ("1",)))),
    "an import": pickle.dumps(Evil((__import__, ("os",)))),
    "a codec": b"c_codecs\nencode\n(Vx\nVrot13\ntR.",
    "another array class": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nmatrix\n(I0\ntVb\ntR.",
    "a huge array": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L100000000000L\ntVb\ntR.",
    "a persistent object": b"Pevil\n.",
    "a deep attribute": b"cnumpy\nload\n(Vx\ntR.",
    "no array": pickle.dumps("hello"),
    "cut short": pickle.dumps([1, 2, 3])[:-3],
    "nothing": b"",
}


@pytest.mark.parametrize("name", PICKLES)
def test_hostile_pickles_are_not_run(tmp_path, name):
    mark = tmp_path / "was-run"
    (tmp_path / "x.npz").write_bytes(npz(PICKLES[name].replace(b"{}", str(mark).encode())))
    with pytest.raises(EvoartError) as caught:
        read_npz(tmp_path / "x.npz")
    assert "\n" not in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rubbish", b"no zip at all"])
def test_what_is_no_archive(tmp_path, data):
    (tmp_path / "x.npz").write_bytes(data)
    with pytest.raises(EvoartError, match="is damaged, or no stroke set at all"):
        read_npz(tmp_path / "x.npz")


def svg(inner: str, more: str = 'viewBox="0 0 100 100"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {more}>{inner}</svg>'.encode()


def test_an_svg_of_every_kind_of_element():
    page = read_svg(
        svg(
            '<defs><path id="p" d="M0 0h10"/><g id="g"><use href="#p"/></g></defs>'
            '<rect width="100" height="100" fill="white"/>'
            '<g transform="translate(10 0)"><g transform="scale(2)"><path d="M1 1 3 1z"/></g></g>'
            '<line x1="1" y1="2" x2="3" y2="4"/><polyline points="0,0 5,0 5,5"/><polygon points="0,0 5,0 5,5"/>'
            '<rect x="1" y="1" width="2" height="3"/><circle cx="50" cy="50" r="10"/>'
            '<use href="#g" x="7" y="8"/><path d="M0 0h9" display="none"/><path d="M0 0h9" style="visibility:hidden"/>'
            "<text>not drawn</text>"
        ),
        "x",
    )
    path, one, poly, closed, rect, circle, used = page.strokes
    np.testing.assert_allclose(path, [[12, 2], [16, 2], [12, 2]])
    np.testing.assert_allclose(one, [[1, 2], [3, 4]])
    assert len(poly) == 3
    np.testing.assert_allclose(closed[-1], closed[0])
    np.testing.assert_allclose(bounds([rect]), [[1, 1], [3, 4]])
    np.testing.assert_allclose(np.hypot(*(circle - 50).T), 10, rtol=1e-3)
    np.testing.assert_allclose(used, [[7, 8], [17, 8]])


def test_curves_are_followed():
    (curve,) = read_svg(svg('<path d="M0 0C0 55 100 55 100 0"/>'), "x").strokes
    t = np.linspace(0, 1, 2001)[:, None]
    true = 3 * t * (1 - t) ** 2 * [0, 55] + 3 * t**2 * (1 - t) * [100, 55] + t**3 * [100, 0]
    away = [np.hypot(*(true - p).T).min() for p in curve]
    assert max(away) < 0.05
    assert length([curve]) == pytest.approx(np.hypot(*np.diff(true, axis=0).T).sum(), rel=2e-3)


def test_kanjivg_files_have_their_strokes(shared):
    for path in sorted((shared / "sketch" / "kanjivg").glob("*.svg")):
        data = path.read_bytes()
        page = read_svg(data, path.name)
        assert len(page.strokes) == len(re.findall(rb"<path ", data))
        assert page.box == (0, 0, 109, 109)
        low, high = bounds(page.strokes)
        assert low.min() > 0
        assert high.max() < 109


BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'
USES = "".join(f'<g id="u{k}">' + f'<use href="#u{k - 1}"/>' * 20 + "</g>" for k in range(1, 9))
BAD_SVG = {
    "nothing": (b"", "not an SVG"),
    "no XML": (b"hello", "not an SVG"),
    "cut short": (svg("<path d='M0 0h9'/>")[:-5], "not an SVG"),
    "another XML": (b"<html/>", "no SVG"),
    "no paths": (svg("<text>hi</text>"), "no paths"),
    "entities": (BOMB, "XML entities"),
    "an external entity": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', "XML entities"),
    "too deep": (svg("<g>" * 300 + "</g>" * 300), "lie more than 200 deep"),
    "millions of paths": (svg("<path d='M0 0h9'/>" * 200_001), "more than 200,000 elements"),
    "millions of points": (svg(f"<path d='M0 0{'h1v1' * 600_000}'/>"), "1,000,000 points|MiB"),
    "uses of uses": (svg(f'<path id="u0" d="M0 0{"h1v1" * 500}"/>{USES}<use href="#u8"/>'), "1,000,000 points"),
    "broken path": (svg("<path d='M0 0 L x'/>"), "broken path"),
    "nan": (svg("<path d='M0 0 L nan nan'/>"), "broken path|no paths"),
}


@pytest.mark.parametrize("name", [n for n in BAD_SVG if "points" not in n and "uses" not in n])
def test_hostile_svg_is_refused_in_one_line(name):
    data, message = BAD_SVG[name]
    with pytest.raises(EvoartError, match=message) as caught:
        read_svg(data, "x.svg")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["millions of points", "uses of uses"])
def test_svg_beyond_all_bounds(name, monkeypatch):
    monkeypatch.setattr("evoart.sketch.svgfile.POINTS", 20_000)
    data, _ = BAD_SVG[name]
    with pytest.raises(EvoartError, match="more than 20,000 points"):
        read_svg(data if "uses" in name else svg(f"<path d='M0 0{'h1v1' * 11_000}'/>"), "x.svg")


def test_a_use_in_a_circle_ends():
    page = read_svg(svg('<g id="a"><path d="M0 0h1"/><use href="#a"/></g>'), "x")
    assert 1 <= len(page.strokes) < 20


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"word": "cat"}', "line 1"),
        ('{"drawing": [[[1, 2], [3]]]}', "line 1"),
        ('{"drawing": [[[0,1],[0,1]]]}\n{"drawing": 7}', "line 2"),
        ('{"drawing": [[[0, NaN], [0, 1]]]}', "line 1"),
        ("[" * 50_000, "line 1"),
    ],
)
def test_hostile_records_are_refused_with_their_line(text, message):
    with pytest.raises(EvoartError, match=message):
        list(read_records(text.encode(), "x.ndjson"))


def test_drawings_from_files(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.svg").write_bytes(svg('<path d="M0 0h100"/>'))
    (tmp_path / "b.svg").write_bytes(svg('<path d="M0 0h10"/>', 'width="20" height="10"'))
    (tmp_path / "c.ndjson").write_text(
        json.dumps({"word": "cat", "drawing": [[[0, 9], [0, 9]]]}) + "\n" + json.dumps({"word": "dog", "drawing": []})
    )
    found = read_drawings([tmp_path / "set", tmp_path / "b.svg", tmp_path / "c.ndjson"])
    assert found.words == ["set", "b", "cat"]
    assert found.dropped == 1
    np.testing.assert_allclose(found.strokes[0][0][1], [255, 0])
    np.testing.assert_allclose(found.strokes[1][0][1], [127.5, 0])
    (tmp_path / "x.txt").touch()
    for path, message in ((tmp_path / "no.svg", "no file"), (tmp_path / "x.txt", "no strokes that"), (tmp_path, "")):
        if message:
            with pytest.raises(UsageError, match=message):
                read_drawings([path])
    (tmp_path / "empty.npz").write_bytes(write_npz({"train": [np.full((2, 3), np.nan)], "valid": [], "test": []}))
    with pytest.raises(EvoartError, match="empty or has numbers that are not finite"):
        read_drawings([tmp_path / "empty.npz"])
    with pytest.raises(UsageError, match="there is no file or folder"):
        read_drawings([tmp_path / "nowhere"])


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'


def multiplied(levels: int, times: int) -> bytes:
    """Groups of references to groups of references."""
    groups = b"".join(
        b'<g id="a%d">' % level + b'<use href="#a%d"/>' % (level - 1) * times + b"</g>"
        for level in range(1, levels + 1)
    )
    return SVG + b'<defs><path id="a0" d="M0 0L1 1"/>' + groups + b'</defs><use href="#a%d"/></svg>' % levels


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        multiplied(7, 10),
        multiplied(3, 120),
        SVG + b'<path d="M0 0' + b" 1 1" * 1_200_000 + b'"/></svg>',
        SVG + b'<path d="M0 0' + b"c1 1 2 2 3 3" * 300_000 + b'"/></svg>',
        SVG + b'<polyline points="' + b"1,1 " * 1_200_000 + b'"/></svg>',
        SVG + b'<path d="M0 0L1 1L2 2L3 3L4 4L5 5L6 6"/>' * 190_000 + b"</svg>",
    ],
    ids=["uses", "wide", "points", "curves", "polyline", "paths"],
)
def test_what_would_take_a_minute_is_refused_at_once(data):
    before = time.process_time()
    with pytest.raises(EvoartError, match="more than 1,000,000 points"):
        read_svg(data, "x.svg")
    assert time.process_time() - before < 20  # about one, and minutes where it is read first


def test_counting_before_reading_never_counts_too_much():
    for data in (
        "M0 0L1 1",
        "m1e-5.5.5-1h5v6",
        "M0,0C1 2 3 4 5 6S1 2 3 4",
        "M0 0Q1 2 3 4T5 6A1 1 0 0 1 9 9z",
        "M0 0" + "h1" * 3000,
    ):
        strokes = read_svg(SVG + f'<path d="{data}"/></svg>'.encode(), "x").strokes
        element = ElementTree.fromstring(f'<path d="{data}"/>')
        assert _least_points("path", element) <= max(1, sum(map(len, strokes)))
        assert _least_in(data) <= max(1, sum(map(len, strokes)))
    assert _least_in("M0 0" + "h1" * 3000) >= 3000


@pytest.mark.parametrize(
    "use",
    [
        "<use/>",
        '<use href=""/>',
        '<use href="other.svg#a"/>',
        '<use href="#none"/>',
        '<use href="p"/>',
        '<use href="#"/>',
    ],
)
def test_a_use_of_nothing_shows_nothing(use):
    data = SVG + f'{use}<g id=""><path id="p" d="M0 0L1 1"/></g></svg>'.encode()
    assert len(read_svg(data, "x.svg").strokes) == 1


def test_references_through_deep_groups_end():
    deep = b'<g id="a">' + b"<g>" * 150 + b'<path d="M0 0L1 1"/><use href="#b"/>' + b"</g>" * 151
    other = b'<g id="b">' + b"<g>" * 150 + b'<use href="#a"/>' + b"</g>" * 151
    with pytest.raises(EvoartError, match="more than 200 deep"):
        read_svg(SVG + deep + other + b"</svg>", "x.svg")


def test_numbers_too_large_for_their_squares_are_refused():
    for record in ("[[0, 1e308], [1, -1e308]]", "[[0, 1e308], [1, 2], [3, 4]]", "[[0, 1], [NaN, 2]]", "[[true], [1]]"):
        with pytest.raises(EvoartError, match="line 1 of 'x' .* stroke 1 has something that is not a number"):
            list(read_records(f'{{"drawing": [{record}]}}'.encode(), "x"))
    strokes = read_svg(SVG + b'<path d="M0 0L1 1"/><path d="M0 0L1e308 1e308"/></svg>', "x").strokes
    assert len(strokes) == 1


def test_messages_of_bad_drawings_are_no_words_of_python(tmp_path):
    said = []
    for data in (
        b"[]",
        b"5",
        b"{",
        b'{"drawing": 5}',
        b'{"drawing": [[1]]}',
        b'{"drawing": [{}]}',
        b'{"word": "a"}',
        b"\xff",
    ):
        with pytest.raises(EvoartError) as caught:
            list(read_records(data, "x"))
        said.append(str(caught.value))
    for data in (SVG, b"\0", b"<?xml version='1.0' encoding='foo'?>" + SVG, SVG + b'<path d="M0 0 L1 x"/></svg>'):
        with pytest.raises(EvoartError) as caught:
            read_svg(data, "x")
        said.append(str(caught.value))
    for data in (b"", b"PK\3\4", b"hello"):
        (tmp_path / "a.npz").write_bytes(data)
        with pytest.raises(EvoartError) as caught:
            read_npz(tmp_path / "a.npz")
        said.append(str(caught.value))
    wrong = re.compile(
        r"object|attribute|subscript|\bint\b|\bstr\b|tuple|char \d|Expecting|codec|indices|Error|zip file"
    )
    assert not [text for text in said if wrong.search(text)]
