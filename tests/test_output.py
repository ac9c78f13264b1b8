"""Outputs: every registered format, names, whole files, films of fixed length."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fakes import SHOWN
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evoart.draw.scene import Scene, draw
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.output import files, video
from evoart.output.claims import Claims
from evoart.output.film import durations, film_frames, film_size, spread, to_palette
from evoart.output.formats import OUTPUTS, Artwork, Options, encode, extensions, format_of
from evoart.output.names import DEFAULT_FORMATS, Output, default_paths, resolve, slug
from evoart.output.raster import flatten, pixels
from evoart.output.save import save
from evoart.run.recorder import FilmRecorder

STILLS = ("png", "jpeg", "webp")
FILMS = ("gif", "apng", "animated-webp")


def artwork(count: int = 12, size=(48, 36), frames: int = 0, background=(0.5, 0.4, 0.3), alpha=None) -> Artwork:
    """A drawing of triangles, and its evolution by adding one after another."""
    form = ShapesForm(("triangle",) * count, 1.0, size[1] / size[0], background)
    rows = form.random(np.random.default_rng(0)).reshape(count, -1)
    steps = [round(1 + i * (count - 1) / max(frames - 1, 1)) for i in range(frames)]
    scenes = [form.with_kinds(("triangle",) * n).drawing(rows[:n].ravel()) for n in steps]
    return Artwork(form.drawing(rows.ravel()), size, frames=scenes, alpha=alpha)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def disc(h: int, w: int) -> np.ndarray:
    y, x = np.mgrid[:h, :w]
    return np.clip((0.4 * h - np.hypot(y - h / 2, x - w / 2)), 0, 1).astype(np.float32)


@pytest.mark.parametrize("format", list(OUTPUTS))
def test_every_format_is_deterministic(format):
    try:
        OUTPUTS[format].check()
    except MissingExtra as error:
        pytest.skip(str(error))
    art = artwork(frames=3)
    drawing, forms = art.drawing, OUTPUTS[format].forms
    if forms is not None:
        form = SHOWN[forms[0]]()
        drawing = form.drawing(form.random(np.random.default_rng(0)))
    art = Artwork(drawing, art.size, {"evoart": "1", "format": 1}, "t", art.frames)
    assert encode(format, art) == encode(format, art)


@pytest.mark.parametrize("format", STILLS)
def test_stills_show_the_drawing(format):
    art = artwork(size=(200, 150))
    image = opened(encode(format, art))
    assert image.size == (200, 150)
    assert image.mode == "RGB"
    error = np.asarray(image, float) - 255 * draw(art.drawing, art.size)[..., :3]
    assert np.sqrt((error**2).mean()) < (0.5 if format == "png" else 5)


@pytest.mark.parametrize("format", FILMS)
def test_films_last_as_long_whatever_the_number_of_frames(format):
    for frames in (0, 1, 2, 40, 300):
        film = opened(encode(format, artwork(300, frames=frames), Options(film_seconds=2, film_hold=1)))
        times = []
        for i in range(getattr(film, "n_frames", 1)):
            film.seek(i)
            film.load()
            times.append(film.info.get("duration", 0))
        if frames < 2:
            continue
        assert sum(times) == pytest.approx(3000, abs=20)
        assert times[-1] >= 1000
        assert len(times) <= 30


@pytest.mark.parametrize("format", [*FILMS, "mp4"])
def test_films_end_with_the_picture(format, tmp_path):
    art = artwork(frames=10, size=(96, 72))
    if format == "mp4":
        image = mp4_frames(encode("mp4", art), tmp_path)[-1]
    else:
        film = opened(encode(format, art))
        film.seek(film.n_frames - 1)
        image = np.asarray(film.convert("RGB"), float)
    error = image - pixels(art)
    assert np.sqrt((error**2).mean()) < 7


def test_a_film_may_begin_with_an_empty_ground():
    art = artwork(frames=3)
    empty = Scene(
        (), art.drawing.geometry[:0], art.drawing.rgba[:0], (1.0, 0.0, 0.0), art.drawing.width, art.drawing.height
    )
    art = Artwork(art.drawing, art.size, frames=[empty, *art.frames])
    np.testing.assert_array_equal(np.unique(film_frames(art, Options(), 12)[0].reshape(-1, 3), axis=0), [[255, 0, 0]])


@pytest.mark.parametrize("format", FILMS)
@pytest.mark.parametrize(("asked", "long"), [(None, 48), (20, 20), (96, 96)])
def test_a_film_has_the_size_that_was_asked_for(format, asked, long):
    film = opened(encode(format, artwork(frames=3), Options(film_side=asked)))
    assert film.size == (long, long * 3 // 4)
    assert opened(encode(format, artwork(size=(960, 720)), Options())).size == (480, 360)


def test_a_strip_is_not_filmed_as_a_line():
    for size, expected in (((2048, 256), (1280, 160)), ((100, 1000), (100, 1000)), ((9000, 90), (1920, 19))):
        assert film_size(artwork(size=size), None) == expected


def test_a_gif_keeps_white_paper_white():
    """The mean of white and of the gray around lines, of which there are many shades, would be a palette's."""
    y, x = np.mgrid[:120, :120]
    frames = []
    for k in range(6):
        gray = np.clip(np.hypot(x - 50 - k, y - 60) % 23 * 20, 0, 255)
        frames.append(np.repeat(gray[..., None], 3, -1).astype(np.uint8))
        frames[-1][:40, :, 1:] = 250 - (x[:40, :, None] + np.array([0, k])) % 90
    images, _ = to_palette(frames)
    for image, frame in zip(images, frames, strict=True):
        white = (frame == 255).all(-1)
        assert (np.asarray(image.convert("RGB"))[white] == 255).all()
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - frame).mean() < 4


def test_the_palette_of_a_large_film_is_chosen_from_some_of_its_pixels(monkeypatch):
    seen = []
    quantize = Image.Image.quantize
    monkeypatch.setattr(
        Image.Image, "quantize", lambda image, *a, **k: seen.append(image.size) or quantize(image, *a, **k)
    )
    art = artwork(frames=8, size=(960, 720))
    film = opened(encode("gif", art, Options(film_side=960)))
    assert seen[0][0] * seen[0][1] < 100_000
    film.seek(film.n_frames - 1)
    error = np.asarray(film.convert("RGB"), float) - pixels(art)
    assert np.sqrt((error**2).mean()) < 5


def mp4_frames(data: bytes, folder: Path) -> np.ndarray:
    (folder / "film.mp4").write_bytes(data)
    command = [video.ffmpeg(), "-v", "error", "-i", str(folder / "film.mp4"), "-vf", "scale=in_color_matrix=bt709"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    return np.frombuffer(raw.stdout, np.uint8).reshape(-1, 72, 96, 3).astype(float)


@pytest.fixture(autouse=True)
def _skip_mp4_without_its_extra(request):
    if "mp4" in request.node.name:
        try:
            video.ffmpeg()
        except MissingExtra as error:
            pytest.skip(str(error))


def test_mp4_lasts_as_long_as_asked(tmp_path):
    film = mp4_frames(encode("mp4", artwork(frames=7, size=(96, 72)), Options(film_seconds=1, film_hold=0.5)), tmp_path)
    assert len(film) == 45


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("#!/bin/sh\necho out of luck >&2; exit 3", "out of luck"),
        ("#!/bin/sh\nexit 0", "no message"),
        ("#!/bin/sh\necho 'film.mp4: No space left on device' >&2; exit 1", "set TMPDIR"),
        ("", "not start"),
    ],
)
def test_a_film_program_that_ends_at_once_says_why(program, said, tmp_path, monkeypatch):
    fake = tmp_path / "ffmpeg"
    fake.write_text(program)
    fake.chmod(0o700 if program else 0o600)
    monkeypatch.setattr(video, "ffmpeg", lambda: str(fake))
    for size in ((16, 12), (96, 72), (960, 720)):  # frames far smaller than a buffer, and larger
        with pytest.raises(EvoartError, match=said):
            encode("mp4", artwork(frames=7, size=size))


def test_mp4_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setattr(video.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    with pytest.raises(MissingExtra, match=r"evoart\[video\]"):
        OUTPUTS["mp4"].check()


@pytest.mark.parametrize("format", ["png", "webp", *FILMS])
def test_transparency_reaches_the_file(format):
    art = artwork(frames=3, alpha=disc(36, 48))
    image = opened(encode(format, art))
    image.seek(getattr(image, "n_frames", 1) - 1)
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    assert alpha[0, 0] == 0
    assert alpha[18, 24] == 255


def test_a_transparent_ground_stays_transparent_and_jpeg_gets_a_matte():
    art = artwork(2, background=None)
    assert pixels(art).shape[-1] == 4
    corner = np.asarray(opened(encode("jpeg", art, Options(matte=(0, 1, 0)))))[0, 0]
    assert np.abs(corner.astype(int) - [0, 255, 0]).max() < 12
    half = np.array([[[200, 100, 0, 128]]], np.uint8)
    np.testing.assert_array_equal(flatten(half, (0, 0, 0)), [[[100, 50, 0]]])


def test_an_alpha_of_another_resolution_is_fitted():
    assert pixels(artwork(alpha=disc(360, 480))).shape == (36, 48, 4)


def test_pictures_too_large_are_refused_before_they_are_drawn():
    big = artwork(size=(30_000, 20_000))
    for format in ("webp", "jpeg", "pdf"):
        room = OUTPUTS[format].room(big.size)
        with pytest.raises(UsageError, match=rf"too many for {format}\. {room} a side"):
            encode(format, big)
        assert OUTPUTS[format].room((room, room * 2 // 3)) >= room
    for format in ("svg", "json", *FILMS, "mp4"):
        assert OUTPUTS[format].room(big.size) is None
    assert max(big.size) < OUTPUTS["png"].room(big.size) < 50_000  # it is written row by row
    with pytest.raises(UsageError, match="16383 a side"):
        encode("webp", artwork(size=(20_000, 2)))


@pytest.mark.parametrize(
    "wrong", [{"quality": 0}, {"quality": 101}, {"film_side": 5}, {"film_seconds": 0}, {"film_hold": -1}]
)
def test_options_out_of_range(wrong):
    with pytest.raises(UsageError, match="out of range"):
        Options(**wrong)


@given(st.integers(1, 200), st.integers(1, 200))
def test_spread_keeps_both_ends(n, count):
    picked = spread(range(n), count)
    assert len(picked) == min(n, count)
    assert picked == sorted(set(picked))
    assert picked[-1] == n - 1
    assert picked[0] == 0 or count == 1 or n == 1


@given(st.integers(1, 150), st.floats(0.5, 20), st.sampled_from([1, 10]))
def test_durations_sum_to_the_length(count, seconds, step):
    times = durations(count, Options(film_seconds=seconds, film_hold=1.5), step)
    assert min(times) >= step
    if seconds * 1000 / count > 2 * step:
        assert sum(times) == pytest.approx(seconds * 1000 + 1500, abs=step)


@pytest.mark.parametrize("alpha", [None, disc(36, 48)])
def test_pdf_objects_are_where_its_table_says(alpha):
    data = encode("pdf", artwork(alpha=alpha))
    table = data[int(data.split(b"startxref\n")[1].split()[0]) :].splitlines()
    assert table[0] == b"xref"
    assert data.startswith(b"%PDF-1.4")
    for number, row in enumerate(table[3 : 2 + int(table[1].split()[1])], 1):
        assert data[int(row.split()[0]) :].startswith(b"%d 0 obj" % number)
    lengths = [int(m) for m in re.findall(rb"/Length (\d+)>>stream", data)]
    assert len(lengths) == (5 if alpha is not None else 2)  # the masked drawing is a form of its own


def test_pdf_looks_as_drawn():
    pdfium = pytest.importorskip("pypdfium2")
    art = artwork(size=(120, 90), alpha=disc(90, 120))
    page = pdfium.PdfDocument(encode("pdf", art))[0].render(scale=96 / 72).to_pil().convert("RGB")
    error = np.asarray(page, float) - flatten(pixels(art), (1, 1, 1))
    assert np.sqrt((error**2).mean()) < 4


# Names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Cat, in Paris!", "a-cat-in-paris"),
        ("Crème brûlée", "creme-brulee"),
        ("猫", "猫"),
        ("日本の猫!", "日本の猫"),
        ("Кот в шляпе", "кот-в-шляпе"),
        ("हिन्दी", "हिन्दी"),
        ("🐱", "cat-face"),
        ("❤️ 🇩🇪", "heavy-black-heart-d-e"),
        ("a 🦊 fox", "a-fox-face-fox"),
        ("!?", "picture"),
        ("犬" * 50, "犬" * 20),
        ("../../etc/passwd", "etc-passwd"),
        ("word " * 30, "word-" * 11 + "word"),
        ("x" * 100, "x" * 60),
    ],
)
def test_slugs(text, expected):
    assert slug(text) == expected


@given(st.text())
def test_any_text_makes_a_slug(text):
    name = slug(text)
    assert 1 <= len(name.encode(errors="surrogatepass")) <= 60
    assert all(char in "abcdefghijklmnopqrstuvwxyz0123456789-" or char > "\x7f" for char in name)
    assert name.isprintable()
    assert not name.startswith("-")
    assert not name.endswith("-")


def test_default_names_are_numbered_together(tmp_path):
    first = default_paths("photo", "triangles", DEFAULT_FORMATS, tmp_path)
    assert [p.name for p in first] == ["photo-triangles.svg", "photo-triangles.png"]
    first[1].touch()
    second = default_paths("photo", "triangles", DEFAULT_FORMATS, tmp_path)
    assert [p.name for p in second] == ["photo-triangles-2.svg", "photo-triangles-2.png"]
    assert default_paths("-rf", "x", ["animated-webp"], tmp_path)[0].name == "rf-x.anim.webp"
    assert default_paths("é" * 300, "x", ["svg"], tmp_path)[0].parent == tmp_path


def ask(*values, **more):
    return resolve(values, stem="photo", form="triangles", **more)


def test_extensions_choose_the_format(tmp_path):
    assert format_of(Path("a.SVG")) == "svg"
    assert format_of(Path("a.jpeg")) == format_of(Path("b.c.jpg")) == "jpeg"
    assert format_of(Path("a.anim.webp")) == "animated-webp"
    for name, those in extensions().items():
        for extension in those:
            assert format_of(Path(f"x{extension}")) == name


@pytest.mark.parametrize("name", ["out", "out.xyz", "out.sgv", ".svg", "out.", "out.pngg"])
def test_unknown_extensions_are_refused_with_a_list(name, tmp_path):
    with pytest.raises(UsageError, match=r"\.svg"):
        ask(str(tmp_path / name))


@pytest.mark.parametrize("name", ["", "a\0b.svg", "x" * 300 + ".svg", "é" * 130 + ".svg"])
def test_impossible_names_are_refused(name):
    with pytest.raises(UsageError, match="name"):
        ask(name)


def test_a_near_extension_is_guessed():
    with pytest.raises(UsageError, match=r"Did you mean \.svg\?"):
        ask("out.sgv")


def test_outputs_are_resolved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ask() == [Output(Path("photo-triangles.svg"), "svg"), Output(Path("photo-triangles.png"), "png")]
    assert ask("-") == [Output(None, "svg")]
    assert ask("-", format="png") == [Output(None, "png")]
    assert ask("a.webp", format="Animated_WebP") == [Output(Path("a.webp"), "animated-webp")]
    assert ask(str(tmp_path), format="gif") == [Output(tmp_path / "photo-triangles.gif", "gif")]
    assert ask("a.svg", "b.png") == [Output(Path("a.svg"), "svg"), Output(Path("b.png"), "png")]
    assert ask("odd", format="png") == [Output(Path("odd"), "png")]
    assert ask("film.webp", format="animated-webp") == [Output(Path("film.webp"), "animated-webp")]
    assert ask("/dev/null") == [Output(Path("/dev/null"), "svg", True)]
    assert list(tmp_path.iterdir()) == []  # checking leaves nothing behind


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    taken, source = tmp_path / "taken.svg", tmp_path / "photo.png"
    taken.touch()
    source.touch()
    with pytest.raises(UsageError, match="--overwrite"):
        ask(str(taken))
    assert ask(str(taken), overwrite=True)[0].overwrite
    with pytest.raises(UsageError, match="is the input"):
        ask(str(source), overwrite=True, inputs=[source])
    with pytest.raises(UsageError, match="no folder"):
        ask(str(tmp_path / "none" / "a.svg"))
    with pytest.raises(UsageError, match="no folder"):
        ask(str(tmp_path / "none") + "/")
    with pytest.raises(UsageError, match="is a file"):
        ask(str(taken / "a.svg"))
    with pytest.raises(UsageError, match="given twice"):
        ask(str(tmp_path / "a.svg"), str(tmp_path / "." / "a.svg"))
    with pytest.raises(UsageError, match="given twice"):
        ask("-", "-")
    with pytest.raises(UsageError, match="unknown output format"):
        ask("-", format="sgv")
    with pytest.raises(UsageError, match="by its extension"):
        ask(str(tmp_path / "a.svg"), format="png")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_refuses(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written"):
        ask(str(tmp_path / "a.svg"))
    tmp_path.chmod(0o700)


def test_runs_take_all_their_names_together_before_they_write(tmp_path):
    one, other = Claims(), Claims()
    mine = ask(str(tmp_path), format="svg", claims=one)
    assert [output.path.name for output in mine] == ["photo-triangles.svg"]
    pair = default_paths("photo", "triangles", DEFAULT_FORMATS, tmp_path, other)
    assert [path.name for path in pair] == ["photo-triangles-2.svg", "photo-triangles-2.png"]
    with pytest.raises(UsageError, match="another run is about to write"):
        ask(str(tmp_path / "photo-triangles.svg"), overwrite=True, claims=other)
    assert ask(str(tmp_path / "photo-triangles.svg"), claims=one)  # which holds it
    assert not other.take([tmp_path / "new.svg", mine[0].path])
    assert one.take([tmp_path / "new.svg"])  # for the other got nothing of what it could not have in full
    one.release()
    assert other.take([mine[0].path])
    other.release()
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_free_again_when_its_process_is_killed(tmp_path):
    path = tmp_path / "a.svg"
    code = "import sys, time; from pathlib import Path; from evoart.output.claims import Claims\n"
    code += "c = Claims(); print(c.take([Path(sys.argv[1])]), flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    claims = Claims()
    try:
        assert process.stdout.readline() == b"True\n"
        assert not claims.take([path])
    finally:
        process.kill()
        process.communicate()
    assert claims.take([path])
    claims.release()


def test_names_are_granted_where_there_is_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVOART_CACHE", str(tmp_path / "file"))
    claims = Claims()
    assert claims.take([tmp_path / "a.svg"])
    claims.release()


# Files


def test_writing_never_overwrites_by_itself(tmp_path):
    path = tmp_path / "a.svg"
    assert files.write(path, b"1") == path
    assert files.write(path, b"2") == tmp_path / "a-2.svg"
    assert files.write(path, b"3", overwrite=True) == path
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.svg": b"3", "a-2.svg": b"2"}


def test_file_modes_and_links_are_respected(tmp_path):
    path, link = tmp_path / "a.svg", tmp_path / "link.svg"
    files.write(path, b"1")
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    path.chmod(0o640)
    link.symlink_to(path)
    files.write(link, b"2", overwrite=True)
    assert link.is_symlink()
    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("code", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not be written"), (errno.EIO, "was not written")],
)
@pytest.mark.parametrize("where", ["fsync", "link"])
def test_failing_systems_leave_no_files_behind(tmp_path, monkeypatch, code, message, where):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    if where == "link":
        monkeypatch.undo()
        monkeypatch.setattr(os, "link", fail)
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(EvoartError, match=message):
        files.write(tmp_path / "a.svg", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", fail)
    for number in ("", "-2"):
        assert files.write(tmp_path / "a.svg", b"1").name == f"a{number}.svg"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_really_full_device():
    with pytest.raises(EvoartError, match="disk is full"):
        files.write(Path("/dev/full"), b"1" * 100)
    assert files.write(Path("/dev/null"), b"1", overwrite=True) == Path("/dev/null")
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_a_pipe_is_written_to_by_any_of_its_names():
    reader, writer = os.pipe()
    path = Path(f"/dev/fd/{writer}")
    assert files.write(path, b"1") == path
    os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read() == b"1"
    assert ask("/dev/stdout", format="png") == [Output(None, "png")]


def test_saving(tmp_path, capfdbinary):
    path = save(artwork(), Output(tmp_path / "a.svg", "svg"))
    assert path.read_bytes().startswith(b"<svg")
    assert save(artwork(), Output(None, "png")) is None
    assert capfdbinary.readouterr().out.startswith(b"\x89PNG")


# The recorder


def of(*kinds: str) -> ShapesForm:
    """A form of these shapes whose rows are ten numbers wide."""
    return ShapesForm(kinds, 1.0, 1.0, None, columns=6)


def run_of(recorder: FilmRecorder, start: int, stop: int) -> FilmRecorder:
    for i in range(start, stop):
        recorder.add(of(*["triangle"] * (i % 7)), np.full(i % 7 * 10, i, np.float32), 1 / (1 + i))
    return recorder


def test_the_recorder_is_bounded_and_keeps_both_ends():
    recorder = run_of(FilmRecorder(50), 0, 20_000)
    assert len(recorder) <= 50
    moments = recorder.select(20)
    assert 10 <= len(moments) <= 20
    assert moments[0][1].size == 0
    assert moments[-1][0].kinds == ("triangle",) * (19_999 % 7)
    assert (moments[-1][1] == 19_999).all()


def test_the_recorder_spaces_by_improvement():
    recorder = FilmRecorder(400)
    for i in range(10_000):
        recorder.add(of(), np.array([i], np.float32), 1 / (1 + i))
    shown = np.array([genome[0] for _, genome in recorder.select(10)])
    steps = np.diff(np.log1p(shown))
    assert steps.max() < 2.5 * steps[1:].min()


def test_shapes_are_added_one_by_one_and_glide():
    recorder, rows = FilmRecorder(), np.linspace(0, 1, 50, dtype=np.float32)
    recorder.add(of(), rows[:0], 1.0)
    recorder.add(of(*["line"] * 2), rows[:20], 0.5)
    recorder.add(of(*["line"] * 5), rows, 0.25)
    recorder.add(of(*["line"] * 5), rows + np.float32(0.1), 0.125)
    shown = recorder.select(301)
    assert len(shown) == 301
    counts = [form.groups for form, _ in shown]
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2, 3, 4, 5}
    for form, genome in shown[:200]:
        np.testing.assert_array_equal(genome, rows[: 10 * form.groups])
    np.testing.assert_allclose(shown[250][1], rows + 0.05, atol=1e-6)


def test_replaced_shapes_do_not_fly_across_the_picture():
    recorder = FilmRecorder()
    recorder.add(of(*["line"] * 4), np.zeros(40, np.float32), 1.0)
    recorder.add(of(*["line"] * 4), np.ones(40, np.float32), 0.5)
    for _, genome in recorder.select(30):
        assert set(genome.tolist()) <= {0.0, 1.0}


def test_small_changes_do_not_fill_the_film():
    recorder = FilmRecorder()
    for i in range(10):
        recorder.add(of(), np.array([i], np.float32), 0.5**i)
    for i in range(200):
        recorder.add(of(), np.array([10 + i], np.float32), 0.5**9 * (1 - i / 10_000))
    shown = recorder.select(60)
    assert 10 <= len(shown) <= 13


def test_the_recorder_goes_on_from_a_checkpoint():
    whole = run_of(FilmRecorder(30), 0, 3000)
    part = FilmRecorder(30)
    part.load(run_of(FilmRecorder(30), 0, 1234).arrays())
    run_of(part, 1234, 3000)
    for a, b in zip(whole.select(12), part.select(12), strict=True):
        assert a[0] == b[0]
        np.testing.assert_array_equal(a[1], b[1])


def test_the_recorder_without_news():
    recorder = FilmRecorder(10)
    assert recorder.select(5) == []
    again = FilmRecorder(10)
    again.load(recorder.arrays())
    assert again.select(5) == []
    for loss in (float("nan"), 0.0, 0.0, float("inf")):
        recorder.add(of(), np.zeros(0, np.float32), loss)
    assert len(recorder.select(5)) == 1


def test_a_damaged_recorder_is_refused():
    arrays = run_of(FilmRecorder(10), 0, 100).arrays()
    for name in arrays:
        for wrong in (np.zeros(3, np.uint8), arrays[name][:-1]):
            with pytest.raises(EvoartError, match="damaged"):
                FilmRecorder(10).load({**arrays, name: wrong})
    with pytest.raises(EvoartError, match="damaged"):
        FilmRecorder(10).load({})
