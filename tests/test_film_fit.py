"""Films as input: read whatever they are, drawn frame after frame by shapes that keep their identities."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import subprocess
from collections import namedtuple
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageSequence

import evoart
from evoart.cli.app import run
from evoart.errors import EvoartError, UsageError
from evoart.forms.film import Frames
from evoart.output.formats import Options, encode
from evoart.run import checkpoint as checkpoints
from evoart.run.events import Finished, Interrupted, Progress
from evoart.run.film.footage import Part, find_cuts, moves, read_footage
from evoart.run.film.job import FilmFitJob
from evoart.run.film.search import Motion, find_motion
from evoart.run.fit.job import FitJob
from evoart.run.loop import Keep, drive, resume
from evoart.run.problem import prepare
from evoart.run.stop import Stop

SIZE = (48, 32)
HOW = {"shapes": 8, "pixels": 48, "quality": "draft", "seed": 3}


def scene(name: str) -> np.ndarray:
    """A photograph's place ``(40, 96, 3)`` uint8 to move over."""
    from evoart.picture import bundled

    turned = Image.open(bundled()).convert("RGB").resize((96, 64))
    return np.asarray(turned if name == "cat" else turned.rotate(180).transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def frames(count: int = 4) -> list[np.ndarray]:
    """A red square that moves over a still cat, then a cut to a camera that pans."""
    cat, other = scene("cat"), 255 - scene("other")
    first = []
    for i in range(count):
        frame = cat[16:48, 20:68].copy()
        frame[8:18, 4 + 5 * i : 14 + 5 * i] = (220, 30, 30)
        first.append(frame)
    return first + [other[8:40, 3 * i : 48 + 3 * i] for i in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The frames as files."""
    place = tmp_path_factory.mktemp("film") / "clip"
    place.mkdir()
    for i, frame in enumerate(frames(), 1):
        Image.fromarray(frame).save(place / f"f{i}.png")
    return place


@pytest.fixture(scope="module")
def drawn(folder):
    """The film drawn once, with two threads."""
    return evoart.make("fit-film", picture=str(folder), threads=2, **HOW)


def job(folder, **more) -> FilmFitJob:
    return FilmFitJob.make(picture=str(folder), **HOW | more)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(((a - b) ** 2).mean()))


def pictures(result) -> np.ndarray:
    return np.stack([each.paint(SIZE)[..., :3] for each in result.frames])


def test_every_frame_is_drawn(drawn):
    seen, wanted = pictures(drawn), np.stack(frames()) / 255
    assert seen.shape == wanted.shape
    alone = [psnr(image, wanted[0 if i < 4 else 4]) for i, image in enumerate(seen)]
    own = [psnr(image, frame) for image, frame in zip(seen, wanted, strict=True)]
    assert min(own) > 15
    assert np.mean(own) > np.mean(alone) + 1  # it is not the first frame all along
    assert drawn.psnr == pytest.approx(np.mean(own), abs=0.05)


def test_a_cut_starts_afresh(drawn):
    assert [shot.frames for shot in drawn.form.shots] == [4, 4]
    one, two = (shot.shapes.background for shot in drawn.form.shots)
    assert np.abs(np.subtract(one, two)).max() > 0.1


def test_cuts_are_told_from_motion():
    whole = np.stack(frames())
    assert find_cuts(whole) == [0, 4]
    assert find_cuts(whole[:4]) == [0]
    assert find_cuts(whole[3:5]) == [0, 1]
    assert find_cuts(whole[:1]) == [0]


def test_shapes_keep_their_identities(drawn):
    for shot in drawn.form.shots:
        assert all(len(shot.alive(i)) == HOW["shapes"] for i in range(shot.frames))
        through = [life for life in shot.lives if life == (0, shot.frames)]
        assert len(through) >= HOW["shapes"] // 2
    shot = drawn.form.shots[0]
    rows = drawn.genome[: shot.rows.dim].reshape(-1, shot.rows.dim_per_group)
    for i, (first, last) in enumerate(shot.lives):
        corners = rows[shot.starts[i] : shot.starts[i] + last - first, :6]
        steps = np.abs(np.diff(corners.reshape(-1, 3, 2).mean(1), axis=0))
        assert steps.max(initial=0) < 0.25  # it glides: no leap across the picture


def test_the_same_seed_gives_the_same_bytes_with_any_threads(folder, drawn):
    again = evoart.make("fit-film", picture=str(folder), threads=1, **HOW)
    np.testing.assert_array_equal(again.genome, drawn.genome)
    assert again.form == drawn.form
    assert again.evaluations == drawn.evaluations


@pytest.mark.parametrize("at", [1, 40, 76])
def test_a_resumed_run_ends_where_the_unbroken_one_does(folder, drawn, tmp_path, monkeypatch, at):
    monkeypatch.setattr("evoart.run.film.search.BLOCK", 0.0)
    problem = prepare(job(folder, threads=2))  # which of the shots is begun depends on it, the end does not
    search, stop, path = problem.search(), Stop(), tmp_path / "film.npz"
    search.step = _stopping(search.step, stop, at)
    last = list(drive(problem, search, keep=Keep(path), stop=stop))[-1]
    assert isinstance(last, Interrupted)
    assert 2 <= last.result.form.frames <= drawn.form.frames
    whole = list(resume(checkpoints.load(path)))[-1]
    assert isinstance(whole, Finished)
    np.testing.assert_array_equal(whole.result.genome, drawn.genome)
    assert whole.result.recipe["result"] == drawn.recipe["result"]


def _stopping(step, stop, at):
    counted = []

    def stepping():
        step()
        counted.append(1)
        if len(counted) == at:
            stop.ask()

    return stepping


def test_what_is_still_stays_still(folder, drawn):
    wanted, seen = np.stack(frames()[:4]) / 255, pictures(drawn)[:4]
    alone = np.stack([evoart.fit(frame, **HOW).image() for frame in frames()[:4]])

    def flicker(images):
        still = (np.abs(np.diff(wanted, axis=0)).max(-1) == 0)[..., None]
        return (np.abs(np.diff(images, axis=0)) * still).mean()

    assert flicker(seen) < 0.6 * flicker(alone)  # a tenth to a half, by seed


def test_steady_is_a_cost_on_change(folder, drawn):
    still = read_footage(str(folder), 48, Part(end=0.16)).frames
    assert len(still) == 4
    held = evoart.make("fit-film", picture=str(folder), end_at=0.16, **HOW | {"steady": 1.0})
    free = evoart.make("fit-film", picture=str(folder), end_at=0.16, **HOW | {"steady": 0.0})
    same = (np.diff(still.astype(int), axis=0) == 0).all(-1)[..., None]
    change = [(np.abs(np.diff(pictures(film), axis=0)) * same).mean() for film in (held, free)]
    assert change[0] < 0.7 * change[1]


def test_motion_of_the_whole_frame():
    whole = np.asarray(scene("cat"), np.float32) / 255
    moved = find_motion(whole[10:42, 10:58], whole[12:44, 5:53])
    assert moved == Motion(5, -2)
    assert find_motion(whole[:32, :48], whole[:32, :48]) == Motion(0, 0)
    np.testing.assert_array_equal(moved.moved(whole[10:42, 10:58])[:-2, 5:], whole[12:44, 5:53][:-2, 5:])
    assert moved.inside((32, 48)).sum() == 30 * 43


def test_a_broken_frame_costs_no_other(folder, tmp_path):
    copy = tmp_path / "clip"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes()[:60] if path.name == "f3.png" else path.read_bytes())
    whole, broken = (read_footage(str(place), 48, Part()) for place in (folder, copy))
    assert re.search("f3.png.*the frame before stands in", broken.notes[0])
    np.testing.assert_array_equal(broken.frames[2], whole.frames[1])
    kept = [0, 1, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(broken.frames[kept], whole.frames[kept])


def test_a_film_may_begin_with_one_colour(tmp_path):
    later = frames(2)[1]
    for i, frame in enumerate((np.full_like(later, 200), later)):
        Image.fromarray(frame).save(tmp_path / f"{i}.png")
    result = evoart.make("fit-film", picture=str(tmp_path), **HOW)
    first, last = pictures(result)
    assert np.abs(first - 200 / 255).max() < 0.02
    assert psnr(last, later / 255) > 15


def test_frames_are_chosen(folder):
    every = read_footage(str(folder), 48, Part())
    assert every.rate == 25
    half = read_footage(str(folder), 48, Part(fps=10, every=2, start=0.2, end=0.7))
    assert half.rate == 5
    np.testing.assert_array_equal(half.frames, every.frames[2:7:2])


def test_a_folder_is_read_in_the_order_of_its_numbers(tmp_path):
    for i in (10, 9, 1):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / f"frame{i}.png")
    assert [int(frame[0, 0, 0]) for frame in read_footage(str(tmp_path), 8, Part()).frames] == [1, 9, 10]


def test_a_gif_keeps_its_times(tmp_path):
    images = [Image.new("RGB", (8, 8), (60 * i, 0, 0)) for i in range(4)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:], duration=[100, 100, 300, 100])
    found = read_footage(str(tmp_path / "a.gif"), 8, Part(fps=10))
    assert [int(frame[0, 0, 0]) // 58 for frame in found.frames] == [0, 1, 2, 2, 2, 3]
    assert moves(str(tmp_path / "a.gif"))


def test_a_film_is_written_and_read_back(drawn, tmp_path):
    names = [tmp_path / name for name in ("a.json", "a.gif", "a.apng", "a.anim.webp", "a.anim.svg")]
    drawn.save(*names)
    for name in names:
        again = evoart.load(name)
        np.testing.assert_array_equal(pictures(again), pictures(drawn))
    for name in names[1:4]:
        with Image.open(name) as film:
            assert film.n_frames == 8
            film.seek(1)
            film.load()
            assert film.info["duration"] == 40
    root = ElementTree.fromstring(names[4].read_text())
    shapes = [each for each in root.iter() if each.tag.endswith("polygon")]
    assert len(shapes) == sum(shot.shapes.groups for shot in drawn.form.shots)
    assert "<script" not in names[4].read_text()
    assert {each.get("dur") for each in root.iter() if each.tag.endswith("animate")} == {".32s"}
    assert run(["render", str(names[0]), "-o", str(tmp_path / "big.gif"), "--size", "96", "-q"]) == 0
    with Image.open(tmp_path / "big.gif") as film:
        assert (film.n_frames, film.size) == (8, (96, 64))


def test_each_frame_is_shown_next_to_what_it_was_made_from(folder, drawn, tmp_path):
    def shown(result, count):
        path = tmp_path / "pair.apng"
        path.write_bytes(encode("apng", result.artwork(), Options(side_by_side=True)))
        with Image.open(path) as film:
            assert film.n_frames == count
            return [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(film)]

    w = SIZE[0]
    for pair, frame, picture in zip(shown(drawn, 8), frames(), pictures(drawn), strict=True):
        np.testing.assert_array_equal(pair[:, :w], frame)
        assert np.abs(pair[:, -w:] / 255 - picture).max() < 0.01
    # Of a run that was interrupted there are parts of both shots.
    shots = [dataclasses.replace(shot, frames=2, lives=((0, 2),)) for shot in drawn.form.shots]
    shots = [dataclasses.replace(shot, shapes=shot.shapes.with_kinds(shot.shapes.kinds[:1])) for shot in shots]
    form = dataclasses.replace(drawn.form, shots=tuple(shots))
    found = prepare(job(folder)).film.photographs(form)
    np.testing.assert_array_equal(found, np.stack(frames())[[0, 1, 4, 5]])


def test_each_frame_is_a_picture_of_its_own(drawn):
    members = drawn.members()
    assert [number for number, _ in members] == list(range(1, 9))
    np.testing.assert_allclose(members[5][1].image(48), pictures(drawn)[5], atol=0.005)
    again = dataclasses.replace(members[5][1])
    assert again.recipe["job"]["command"] == "fit"


def test_the_command_line(folder, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    words = ["fit", str(folder), "-n", "4", "--pixels", "24", "--quality", "draft", "--to", "0.12", "-s", "1", "-q"]
    assert run([*words, "-o", str(out / "a.webp"), "-o", str(out / "a.svg"), "--each"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a-01.png", "a-02.png", "a-03.png", "a.svg", "a.webp"]
    assert "<animate" in (out / "a.svg").read_text()
    assert run([*words, "-o", str(out / "b.png")]) == 2
    assert "shows one picture" in capsys.readouterr().err
    assert run([*words, "-o", str(out / "b.gif"), "--time", "5s"]) == 2
    assert "--time does not go with a film" in capsys.readouterr().err
    assert run([*words, "--film-style", "glide"]) == 2
    assert "whose shapes move as it does. Leave it out" in capsys.readouterr().err
    assert run(["fit", str(folder / "f1.png"), "--fps", "3", "-o", str(out / "b.gif")]) == 2
    assert "the input does not move" in capsys.readouterr().err
    assert run([*words, "--dry-run"]) == 0
    assert re.search(r"cost +3 frames in 1 shot take about", capsys.readouterr().out)


def test_of_a_film_that_is_asked_for_as_a_picture_the_first_frame_is_used(tmp_path, capsys):
    images = [Image.fromarray(frame) for frame in frames(2)]
    images[0].save(tmp_path / "a.gif", save_all=True, append_images=images[1:])
    words = ["fit", str(tmp_path / "a.gif"), "-n", "3", "--pixels", "24", "--quality", "draft", "-s", "1"]
    assert run([*words, "-o", str(tmp_path / "a.png")]) == 0
    assert "has 4 frames; only the first is used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"end_at": 1.0, "start_at": 2.0}, "does not lie after"),
        ({"until_psnr": 20.0}, "--until-psnr does not go with a film"),
        ({"picture": "-"}, "a film is read from a file or a folder"),
        ({"steady": 1.5}, "out of range"),
        ({"every": 0}, "out of range"),
        ({"fps": "many"}, "not a number"),
    ],
)
def test_jobs_that_make_no_sense(given, said):
    with pytest.raises(UsageError, match=said):
        FilmFitJob.make(**{"picture": "clip.mp4"} | given)


@contextlib.contextmanager
def short_of_space(size: int = 3000):
    """No file may be larger than ``size`` bytes, as on a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_films_that_cannot_be_read(folder, tmp_path, monkeypatch):
    def refused(path, part=None):
        with pytest.raises(EvoartError) as caught:
            read_footage(str(path), 24, part or Part())
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "there is no film" in refused(tmp_path / "none.mp4")
    (tmp_path / "empty").mkdir()
    assert "there are no pictures in" in refused(tmp_path / "empty")
    (tmp_path / "empty" / "a.png").write_bytes(b"no picture")
    assert "none of the 1 pictures" in refused(tmp_path / "empty")
    assert "no frame lies between 9 s and its end" in refused(folder, part=Part(start=9))
    Image.new("RGB", (8, 8)).save(tmp_path / "still.gif")
    assert "does not move" in refused(tmp_path / "still.gif")
    images = [Image.fromarray(frame) for frame in frames()]
    images[0].save(tmp_path / "cut.gif", save_all=True, append_images=images[1:])
    whole = (tmp_path / "cut.gif").read_bytes()
    (tmp_path / "cut.gif").write_bytes(whole[: len(whole) // 2])
    found = read_footage(str(tmp_path / "cut.gif"), 24, Part())
    assert 1 <= len(found.frames) < 8
    assert "frames before that are used" in found.notes[0]
    with short_of_space():
        assert "find no room" in refused(folder)  # of which nothing is heard before they are flushed
    assert re.search("8 frames, about 0 hours of work, and 5 of", refused(folder, part=Part(most=5)))
    disk = namedtuple("disk", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: disk(1000))
    assert "free" in refused(folder)


def made(path, *words: str):
    """A film that ffmpeg makes of its own test pattern."""
    from evoart.output.video import ffmpeg

    base = [ffmpeg(), "-v", "error", "-y"]
    subprocess.run([*base, *words, str(path)], check=True)
    return path


PATTERN = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    return made(path, *PATTERN, "-f", "lavfi", "-i", "sine=duration=1", "-pix_fmt", "yuv420p", "-c:a", "aac")


def test_videos_of_all_kinds(clip, tmp_path):
    plain = read_footage(str(clip), 32, Part())
    assert (plain.frames.shape, plain.rate, (plain.width, plain.height)) == ((10, 24, 32, 3), 10, (64, 48))
    turned = made(tmp_path / "turned.mp4", "-display_rotation", "90", "-i", str(clip), "-c", "copy")
    assert read_footage(str(turned), 32, Part()).frames.shape == (10, 32, 24, 3)
    odd = made(tmp_path / "odd.mkv", *PATTERN, "-vf", "scale=63:47", "-pix_fmt", "yuv444p10le", "-c:v", "ffv1")
    found = read_footage(str(odd), 4096, Part())
    assert (found.width, found.height) == (63, 47)
    assert np.abs(found.frames[0].astype(float)[::8, ::8].mean() - plain.frames[0].mean()) < 25
    varied = made(tmp_path / "varied.mkv", *PATTERN, "-vf", "select='not(between(n,3,7))'", "-fps_mode", "passthrough")
    found = read_footage(str(varied), 32, Part(fps=10))
    assert 9 <= len(found.frames) <= 11
    np.testing.assert_array_equal(found.frames[3], found.frames[6])
    wide = made(tmp_path / "wide.mp4", *PATTERN, "-vf", "setsar=2", "-pix_fmt", "yuv420p")
    assert read_footage(str(wide), 32, Part()).frames.shape == (10, 12, 32, 3)
    assert len(read_footage(str(clip), 32, Part(start=0.5, every=2)).frames) in (2, 3)


def test_videos_that_cannot_be_read(clip, tmp_path):
    def refused(path, **part):
        with pytest.raises(EvoartError) as caught:
            read_footage(str(path), 24, Part(**part))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    sound = made(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=duration=0.2", "-c:a", "aac")
    assert "no moving pictures" in refused(sound)
    (tmp_path / "text.mp4").write_text("no film")
    assert "none at all" in refused(tmp_path / "text.mp4")
    data = clip.read_bytes()
    (tmp_path / "half.mp4").write_bytes(data[: len(data) // 2])
    assert "moov atom not found" in refused(tmp_path / "half.mp4")
    assert "no frame lies between 5 s" in refused(clip, start=5.0)
    assert "are the most that fit" in refused(clip, most=5)
    fast = made(tmp_path / "fast.mp4", "-i", str(clip), "-c", "copy", "-movflags", "+faststart").read_bytes()
    (tmp_path / "short.mp4").write_bytes(fast[: int(len(fast) * 0.6)])
    found = read_footage(str(tmp_path / "short.mp4"), 24, Part())
    assert 1 <= len(found.frames) <= 10
    assert found.notes


@pytest.mark.parametrize("extension", ["mp4", "webm"])
def test_sound_is_carried_over(clip, tmp_path, extension):
    from evoart.output.video import ffmpeg

    out = tmp_path / f"out.{extension}"
    words = ["-n", "2", "--pixels", "16", "--quality", "draft", "--fps", "3", "-s", "1", "-q"]
    assert run(["fit", str(clip), "-o", str(out), *words]) == 0
    told = subprocess.run([ffmpeg(), "-i", str(out)], capture_output=True, text=True).stderr
    assert "Audio:" in told
    assert "3 fps" in told
    assert evoart.load(out).form.frames == 3


def test_progress_is_told_frame_by_frame(folder):
    problem = prepare(job(folder, end_at=0.12))
    stages = [event.stage for event in drive(problem, problem.search()) if isinstance(event, Progress)]
    assert stages[-1] in ("frame 3 of 3", "done")


def test_a_recipe_is_redone(folder, tmp_path):
    words = ["-n", "3", "--pixels", "24", "--quality", "draft", "--to", "0.08", "-s", "1", "-q"]
    assert run(["fit", str(folder), "-o", str(tmp_path / "a.json"), *words]) == 0
    assert run(["redo", str(tmp_path / "a.json"), "-o", str(tmp_path / "b.json"), "-q"]) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    Image.fromarray(frames()[0]).save(folder / "more.png")
    try:
        assert run(["redo", str(tmp_path / "a.json"), "-o", str(tmp_path / "c.json"), "-q"]) == 2
    finally:
        (folder / "more.png").unlink()


def test_each_frame_has_its_own_drawing(drawn):
    film = Frames(drawn.form, drawn.genome)
    assert len(film[2:5]) == 3
    np.testing.assert_array_equal(film[-1].paint(SIZE), film[7].paint(SIZE))
    with pytest.raises(IndexError):
        film[8]
    assert FitJob.command == "fit"
