"""The command line through real processes: what comes out, what is said, and with which exit code it ends."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from evoart.cli import session
from evoart.cli.app import run
from evoart.cli.console import Console
from evoart.cli.preview import _nearest
from evoart.cli.resume import _outputs
from evoart.cli.view import live_line
from evoart.errors import UsageError
from evoart.output.claims import Claims
from evoart.output.names import Output
from evoart.picture import bundled
from evoart.run.api import load
from evoart.run.events import Progress
from evoart.run.job import Job

SMALL = ("-n", "6", "--pixels", "32", "--quality", "draft", "--seed", "7")
LONG = ("-n", "60", "--pixels", "128", "--quality", "best", "--seed", "7")
COMMAND = (sys.executable, "-W", "error", "-m", "evoart")


@pytest.fixture
def folder(tmp_path):
    shutil.copy(bundled(), tmp_path / "photo.jpg")
    return tmp_path


def evoart(*words, cwd, stdin=None, check=None, env=None):
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=300,
        env={**os.environ, **(env or {})},
    )
    done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if check is not None:
        assert done.returncode == check, done.err
    return done


def start(*words, cwd, before="", env=None):
    """A process of ours; ``before`` is Python that it runs first."""
    command = [*COMMAND, *map(str, words)]
    if before:
        command = [sys.executable, "-c", f"{before}\nimport os, sys\nos.execv(sys.argv[1], sys.argv[1:])", *command]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=cwd, text=True, env={**os.environ, **(env or {})}, **pipes)


def wait_for(process, pattern, seconds=60):
    """Read stderr up to a line that matches."""
    seen, until = "", time.monotonic() + seconds
    while time.monotonic() < until:
        line = process.stderr.readline()
        seen += line
        if re.search(pattern, line):
            return seen
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"no {pattern!r} in:\n{seen}")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def one_line(done, code):
    assert done.returncode == code, done.err
    assert "Traceback" not in done.err
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("Error: ")
    assert done.out == ""
    return lines[0]


# A run, and what it leaves


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    shutil.copy(bundled(), folder / "photo.jpg")
    done = evoart("fit", "photo.jpg", *SMALL, cwd=folder, check=0)
    return folder, done


def test_a_run_writes_svg_and_png_and_names_them(finished):
    folder, done = finished
    assert done.out.split() == ["photo-shapes.svg", "photo-shapes.png"]
    assert files(folder) == ["photo-shapes.png", "photo-shapes.svg", "photo.jpg"]
    with Image.open(folder / "photo-shapes.png") as image, Image.open(folder / "photo.jpg") as photo:
        assert image.size == photo.size
    assert "seed 7" in done.err
    assert "\r" not in done.err
    assert "\x1b" not in done.err


def test_a_second_run_takes_the_next_name(folder):
    (folder / "photo-shapes.png").write_text("mine")
    done = evoart("fit", "photo.jpg", *SMALL, cwd=folder, check=0)
    assert done.out.split() == ["photo-shapes-2.svg", "photo-shapes-2.png"]
    assert (folder / "photo-shapes.png").read_text() == "mine"


def test_json_is_one_object(folder):
    done = evoart("fit", "photo.jpg", *SMALL, "-o", "a.svg", "-o", "a.json", "--json", "-q", cwd=folder, check=0)
    facts = json.loads(done.out)
    assert facts["outputs"] == ["a.svg", "a.json"]
    assert facts["seed"] == 7
    assert {"loss", "psnr", "generations", "evaluations", "seconds", "device"} <= facts.keys()
    assert done.err == ""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_redo_too(folder):
    for name in ("a.svg", "b.svg"):
        evoart("fit", "photo.jpg", *SMALL, "-o", name, "-q", cwd=folder, check=0)
    evoart("redo", "a.svg", "-o", "c.svg", "-q", cwd=folder, check=0)
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes() == (folder / "c.svg").read_bytes()


def test_redo_finds_and_checks_the_photograph(finished, tmp_path):
    shutil.copy(finished[0] / "photo-shapes.png", tmp_path)
    assert "--picture" in one_line(evoart("redo", "photo-shapes.png", cwd=tmp_path), 2)
    Image.new("RGB", (64, 48), "teal").save(tmp_path / "photo.jpg")
    assert "contents differ" in evoart("redo", "photo-shapes.png", cwd=tmp_path, check=2).err
    # One of the same name next to the recipe is the one, by its contents.
    (tmp_path / "there").mkdir()
    for name in ("photo.jpg", "photo-shapes.png"):
        shutil.copy(finished[0] / name, tmp_path / "there")
    again = evoart("redo", "there/photo-shapes.png", "-o", "again.png", cwd=tmp_path, check=0)
    assert again.out.split() == ["again.png"]
    assert Image.open(tmp_path / "again.png").tobytes() == Image.open(finished[0] / "photo-shapes.png").tobytes()


@pytest.mark.slow
def test_standard_input_and_output(folder):
    data = (folder / "photo.jpg").read_bytes()
    done = evoart("fit", "-", *SMALL, "-o", "-", "-q", cwd=folder, stdin=data, check=0)
    assert done.out.startswith("<svg")
    png = evoart("fit", "-", *SMALL, "-o", "-", "--format", "png", "-q", cwd=folder, stdin=data, check=0)
    assert png.stdout.startswith(b"\x89PNG")
    assert files(folder) == ["photo.jpg"]


def test_films(folder):
    done = evoart(
        "fit", "photo.jpg", *SMALL, "--film", "f.webp", "-o", "g.gif", "--film", "h.png", "--film-size", "64",
        cwd=folder, check=0,
    )  # fmt: skip
    assert done.out.split() == ["g.gif", "f.webp", "h.png"]
    for name in done.out.split():
        with Image.open(folder / name) as film:
            assert film.n_frames > 2


def test_render_draws_at_any_size(finished, tmp_path):
    done = evoart("render", finished[0] / "photo-shapes.svg", "-o", "big.png", "--size", "700", cwd=tmp_path, check=0)
    assert done.out.split() == ["big.png"]
    with Image.open(tmp_path / "big.png") as image:
        assert max(image.size) == 700
    done = evoart("render", "big.png", "-o", "-", cwd=tmp_path, check=0)
    assert done.out.startswith("<svg")
    assert "redo" in one_line(evoart("render", "big.png", "-o", "f.gif", "--film-style", "evolve", cwd=tmp_path), 2)


def test_info_shows_what_made_it(finished, tmp_path):
    done = evoart("info", finished[0] / "photo-shapes.png", cwd=tmp_path, check=0)
    assert re.search(r"seed\s+7\b", done.out)
    assert re.search(r"^size +\d+ x \d+$", done.out, re.MULTILINE)
    facts = json.loads(evoart("info", finished[0] / "photo-shapes.svg", "--json", cwd=tmp_path, check=0).out)
    assert facts["job"]["shapes"] == 6


NASTY = "a\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\nError: b.jpg"


def test_nothing_in_a_file_steers_the_terminal(tmp_path, capfd):
    recipe = json.loads((Path(__file__).parent / "golden" / "kept.svg").read_text().split("metadata>")[1][:-2])
    recipe["job"]["picture"] = NASTY
    recipe["evoart"] += "\x1b[31m"
    file = tmp_path / "a.json"
    file.write_text(json.dumps(recipe))
    for words in (["info", file], ["redo", file], ["fit", NASTY], ["fit", "--quality", NASTY], [NASTY]):
        run(list(map(str, words)))
        out, err = capfd.readouterr()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err)
        assert "\\x1b[2J" in out + err
        assert "\nError: b.jpg" not in out + err


def test_a_terminal_is_safe_from_the_headline_too(capsys):
    Console(stream=sys.stderr).say(NASTY)
    assert capsys.readouterr().err == r"a\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\nError: b.jpg" + "\n"


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are text there")
def test_a_photograph_whose_name_is_no_text(folder):
    name = os.fsdecode(b"ph\xffoto.jpg")
    (folder / "photo.jpg").rename(folder / name)
    done = evoart("fit", name, *SMALL, cwd=folder, check=0)
    assert done.out.split() == ["photo-shapes.svg", "photo-shapes.png"]
    evoart("info", "photo-shapes.png", cwd=folder, check=0)


@pytest.mark.slow
def test_a_start_is_gone_on_from(finished, tmp_path):
    source = finished[0] / "photo-shapes.svg"
    photo = finished[0] / "photo.jpg"
    words = ("fit", photo, "--start", source, "--pixels", "32", "--quality", "draft", "-o", "more.json", "--json")
    few = evoart(*words, "-n", "3", cwd=tmp_path)
    assert "--shapes 6" in few.err
    more = json.loads(evoart(*words, "-n", "9", "-k", "ellipse", cwd=tmp_path, check=0).out)
    assert more["drawing"] == "9 shapes"


def test_config_and_the_line_that_wins(folder):
    text = evoart("fit", "photo.jpg", *SMALL, "--time", "90s", "--print-config", cwd=folder, check=0).out
    assert 'picture = "photo.jpg"' in text
    (folder / "job.toml").write_text(text)
    again = evoart("fit", "--config", "job.toml", "-n", "9", "--print-config", cwd=folder, check=0).out
    assert again == text.replace("shapes = 6", "shapes = 9")
    assert files(folder) == ["job.toml", "photo.jpg"]


def test_a_dry_run_writes_nothing(folder):
    done = evoart("fit", "photo.jpg", *SMALL, "--dry-run", cwd=folder, check=0)
    for word in ("genome", "evaluations", "time", "photo-shapes.svg", "seed 7"):
        assert word in done.out
    assert files(folder) == ["photo.jpg"]


@pytest.mark.parametrize(
    "command", [["doctor"], ["shapes"], ["strategies"], ["completion", "bash"], ["completion", "zsh"]]
)
def test_commands_that_only_tell(command, capsys):
    assert run(command) == 0
    assert len(capsys.readouterr().out) > 200


def test_completion_completes(tmp_path):
    env = {"_EVOART_COMPLETE": "bash_complete", "COMP_WORDS": "evoart fit --kind rot", "COMP_CWORD": "3"}
    assert "rotated-ellipse" in evoart(cwd=tmp_path, env=env).out


# Interruption


def interrupted(folder, *words):
    process = start("fit", "photo.jpg", *LONG, *words, cwd=folder)
    wait_for(process, r"generation \d")
    return process


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_resume_goes_on(folder, number, code):
    process = interrupted(folder)
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert "evoart resume photo-shapes.checkpoint.npz" in err
    assert out.split() == ["photo-shapes.svg", "photo-shapes.png"]
    assert files(folder) == ["photo-shapes.checkpoint.npz", "photo-shapes.png", "photo-shapes.svg", "photo.jpg"]
    assert "unfinished" in evoart("info", "photo-shapes.checkpoint.npz", cwd=folder, check=0).out
    (folder / "photo.jpg").unlink()  # the checkpoint has all it needs
    done = evoart(
        "resume", "photo-shapes.checkpoint.npz", "--time", "1s", "--size", "99", "--json", cwd=folder, check=0
    )
    assert json.loads(done.out)["outputs"] == ["photo-shapes.svg", "photo-shapes.png"]
    with Image.open(folder / "photo-shapes.png") as image:
        assert max(image.size) == 99
    assert files(folder) == ["photo-shapes.png", "photo-shapes.svg"]


def test_runs_in_one_folder_keep_their_checkpoints_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = [Output(Path("a.svg"), "svg")]
    one, other = Claims(), Claims()

    def name(claims, **how):
        return session.checkpoint_for(None, False, places, "photo", False, {}, claims=claims, **how)[0].path.name

    assert name(one, reserve=False) == name(one) == name(one) == "a.checkpoint.npz"
    assert name(other) == "a.checkpoint-2.npz"
    one.release()
    assert name(other, reserve=False) == "a.checkpoint.npz"
    other.release()
    assert files(tmp_path) == []


@pytest.mark.slow
def test_a_run_that_is_killed_at_once_leaves_nothing_and_takes_no_name(folder):
    """Neither an empty checkpoint nor a second name for the next run."""
    process = interrupted(folder)
    process.kill()
    process.communicate(timeout=300)
    left = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert all(left.values())
    (folder / "photo-shapes.checkpoint.npz").unlink(missing_ok=True)
    done = evoart("fit", "photo.jpg", *SMALL, cwd=folder, check=0)
    assert done.out.split() == ["photo-shapes.svg", "photo-shapes.png"]


def test_a_name_that_is_no_text_reaches_the_shell_byte_for_byte(folder):
    name = os.fsencode(folder) + b"/a\xff\x1b[31m.svg"
    command = [sys.executable, "-m", "evoart", "fit", "photo.jpg", *SMALL, "-q", "-o", name]
    out = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    assert out == b"a\xff\x1b[31m.svg\n"
    assert os.path.exists(name)


def test_resume_lays_what_is_given_over_what_is_remembered(tmp_path):
    first = session.write_options("320", "9s")
    saved = SimpleNamespace(problem=SimpleNamespace(name="photo", job=Job.make(picture=str(tmp_path / "photo.jpg"))))
    notes = session.notes_of([Output(tmp_path / "a.gif", "gif")], first, False)
    given = {"film_size": "64", "film_time": None, "dpi": None, "clip": None}
    given |= {"outputs": (), "films": (), "overwrite": False}
    outputs, options = _outputs(saved, notes, given, tmp_path / "a.npz")
    assert outputs == [Output(tmp_path / "a.gif", "gif")]
    assert (options.film_side, options.film_seconds) == (64, 9.0)
    assert _outputs(saved, notes, given | {"film_size": None}, tmp_path / "a.npz")[1] == first
    (tmp_path / "photo.jpg").touch()
    over = {"outputs": (str(tmp_path / "photo.jpg"),), "overwrite": True, "format": None}
    with pytest.raises(UsageError, match="is the input"):
        _outputs(saved, notes, given | over, tmp_path / "a.npz")


@pytest.mark.slow
def test_two_runs_at_once_lose_nothing_and_cross_nothing(folder):
    runs = [interrupted(folder, "--seed", seed) for seed in "89"]
    try:
        for process in runs:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=300)
            assert process.returncode == 130
    finally:
        for process in runs:
            process.kill()
    ends = ["-2.checkpoint.npz", ".checkpoint.npz"]
    assert [name for name in files(folder) if name.endswith(".npz")] == [f"photo-shapes{end}" for end in ends]
    seeds = [[load(folder / f"photo-shapes{n}.{ending}").seed for ending in ("svg", "png")] for n in ("", "-2")]
    assert seeds == [[8, 8], [9, 9]]


def test_a_run_that_is_ended_at_once_leaves_no_empty_checkpoint(folder):
    process = interrupted(folder, "--size", "6000")
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    process.communicate(timeout=300)
    assert process.returncode == 143
    assert all(path.stat().st_size for path in folder.glob("*.npz"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_there_is_anything_to_save_ends_at_once(folder, number):
    """While it compiles, or waits for a picture that does not come."""
    code = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    os.mkfifo(folder / "pipe.jpg")
    with start("fit", "pipe.jpg", *LONG, cwd=folder) as process:
        wait_for(process, "pipe.jpg")
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode in (code, -number), err  # a shell calls the second 128 + number, which is the first
    empty = {"EVOART_CACHE": str(folder / "empty"), "NUMBA_CACHE_DIR": ""}
    with start("fit", "photo.jpg", *LONG, cwd=folder, env=empty) as process:
        wait_for(process, "preparing")
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode == code, err
    assert "Nothing was written" in err
    assert files(folder) == ["empty", "photo.jpg", "pipe.jpg"]


def test_twice_stops_at_once(folder):
    process = interrupted(folder, "--size", "6000")  # writing this takes a while
    process.send_signal(signal.SIGINT)
    wait_for(process, "Stopping")
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert time.monotonic() - began < 20  # less than one on an idle machine
    assert ("evoart resume" in err) == any(name.endswith(".npz") for name in files(folder))


def test_ctrl_c_reaches_a_run_on_a_terminal(folder):
    code, screen = on_terminal(["fit", "photo.jpg", *LONG], folder, until=r"dB", then=b"\x03")
    assert code == 130
    assert "evoart resume" in screen


# Terminals and pipes


def on_terminal(words, folder, until="$^", then=b"", env=None):
    """Run on a pseudo-terminal; type ``then`` when the screen shows ``until``. Returns exit code and what was shown."""
    leader, follower = pty.openpty()
    take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", take, *COMMAND, *words],
        cwd=folder,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})},
    )
    os.close(follower)
    screen, deadline = b"", time.monotonic() + 90
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.2)[0]:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            screen += part
            if then and re.search(until, screen.decode(errors="replace")):
                os.write(leader, then)
                then = b""
        elif process.poll() is not None:
            break
    process.wait(60)
    os.close(leader)
    return process.returncode, screen.decode(errors="replace")


def test_a_terminal_gets_a_live_line_and_a_preview(folder):
    code, screen = on_terminal(["fit", "photo.jpg", *SMALL, "--preview"], folder)
    assert code == 0
    assert "\r\x1b[J" in screen
    assert re.search(r"\d\d\.\d\d dB", screen)
    assert "▀" in screen
    assert "photo-shapes.svg" in screen


@pytest.mark.slow
def test_no_color_and_dumb_terminals(folder):
    _, screen = on_terminal(["fit", "photo.jpg", *SMALL, "--preview"], folder, env={"NO_COLOR": "1"})
    assert "\x1b[3" not in screen
    assert "no preview" in screen
    _, screen = on_terminal(["fit", "nothing.jpg"], folder, env={"TERM": "dumb"})
    assert "\x1b" not in screen
    assert "\x1b[31m" in evoart("fit", "nothing.jpg", cwd=folder, env={"FORCE_COLOR": "1"}).err


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100, 140])
def test_the_live_line_fits_and_says_what_matters_first(width, monkeypatch):
    monkeypatch.setattr(Console, "width", width)
    done = (123_456, 10**9, 0.001, {"psnr": 24.05}, "4,000 shapes", 1234567.0, 75.0, 0.42, 130.0)
    event = Progress("growing 4,000 of 5,000", *done)
    line = live_line(event, Console(stream=io.StringIO()))
    assert len(line) < width
    wanted = ["42%", "24.05 dB", "2:10 left", "1.2M evals/s", "gen 123,456", "4,000 shapes"]
    shown = [word in line for word in wanted]
    assert shown == sorted(shown, reverse=True)
    assert sum(shown) >= {20: 1, 40: 3, 60: 4, 80: 5, 100: 6, 140: 6}[width]


def test_256_colours_are_the_nearest():
    grays = np.arange(256)[None, :, None].repeat(3, -1)
    levels = [0, 95, 135, 175, 215, 255]
    for (gray, *_), code in zip(grays[0].tolist(), _nearest(grays)[0], strict=True):
        number = int(code.removeprefix("5;"))
        shown = levels[(number - 16) // 36] if number < 232 else 8 + 10 * (number - 232)
        assert abs(shown - gray) <= 5 + (gray > 238) * 4


def test_a_broken_pipe_is_silent(finished, tmp_path):
    with start("info", finished[0] / "photo-shapes.svg", cwd=tmp_path) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_nobody_reading_messages_does_not_end_a_run(folder):
    with start("fit", "photo.jpg", *SMALL, "-v", cwd=folder) as process:
        process.stderr.close()
        assert "photo-shapes.svg" in process.stdout.read()
    assert process.returncode == 0


# Wrong input: one line, the right code, nothing written


def prepared(folder):
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "cut.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:5000])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("L", (450, 300)).save(folder / "black.png")
    (folder / "there.svg").write_text("mine")
    (folder / "newer.json").write_text('{"evoart":"99","format":99,"job":{},"result":{}}')
    (folder / "bad.npz").write_bytes(b"PK\x03\x04" + bytes(100))
    (folder / "odd.toml").write_text("shaeps = 3\n")
    (folder / "full").mkdir()


WRONG = [
    (["fit", "nothing.jpg"], 2, "there is no file"),
    (["fit", "phto.jpg"], 2, "Did you mean 'photo.jpg'"),
    (["fit", "empty.jpg"], 1, "empty"),
    (["fit", "text.jpg"], 1, "not a picture"),
    (["fit", "cut.jpg"], 1, "truncated"),
    (["fit", "full"], 2, "no pictures in"),
    (["fit", "-"], 1, "empty"),
    (["fit", "photo.jpg", "--max-pixels", "1000"], 2, "--max-pixels"),
    (["fit", "photo.jpg", "-o", "a.xyz"], 2, "extension"),
    (["fit", "photo.jpg", "-o", "a.pgn"], 2, "Did you mean .png"),
    (["fit", "photo.jpg", "-o", "a"], 2, "no extension"),
    (["fit", "photo.jpg", "-o", "there.svg"], 2, "--overwrite"),
    (["fit", "photo.jpg", "-o", "no/a.svg"], 2, "mkdir"),
    (["fit", "photo.jpg", "-o", "a.svg", "-o", "a.svg"], 2, "twice"),
    (["fit", "photo.jpg", "-o", "-", "--json"], 2, "standard output"),
    (["fit", "photo.jpg", "--film", "a.pdf"], 2, "film"),
    (["fit", "photo.jpg", "-o", "a.webp", "--size", "20000"], 2, "--size 16383"),
    (["fit", "photo.jpg", "-o", "a.webp", "--size", "32768"], 2, "too many"),
    (["fit", "photo.jpg", "-o", "a.pdf", "--size", "30000"], 2, "--size 19200"),
    (["fit", "photo.jpg", "--size", "0"], 2, "1 to 32,768"),
    (["fit", "photo.jpg", "--film-time", "0"], 2, "--film-time"),
    (["fit", "photo.jpg", "-n", "0"], 2, "1 to 20,000"),
    (["fit", "photo.jpg", "-n", "-4"], 2, "1 to 20,000"),
    (["fit", "photo.jpg", "-n", "99999999"], 2, "1 to 20,000"),
    (["fit", "photo.jpg", "--time", "0"], 2, "--time"),
    (["fit", "photo.jpg", "--kind", "trangle"], 2, "Did you mean triangle"),
    (["fit", "photo.jpg", "--strategy", "cmaes"], 2, "Did you mean"),
    (["fit", "photo.jpg", "--quality", "bset"], 2, "Did you mean best"),
    (["fit", "photo.jpg", "--weights", "black.png"], 2, "black"),
    (["fit", "photo.jpg", "--weights", "dot.png"], 2, "proportions"),
    (["fit", "photo.jpg", "--start", "photo.jpg"], 1, "recipe"),
    (["fit", "photo.jpg", "--start", "newer.json"], 1, "newer evoart"),
    (["fit", "photo.jpg", "--set", "lr"], 2, "NAME=NUMBER"),
    (["fit", "photo.jpg", "--search", "sets", "--device", "gpu", "--engine", "scanline"], 2, "--device cpu"),
    (["fit", "photo.jpg", "--checkpoint", "there.svg"], 2, ".npz"),
    (["fit", "photo.jpg", "--checkpoint", "bad.npz"], 2, "resume"),
    (["fit", "--config", "odd.toml"], 2, "Did you mean shapes"),
    (["fit", "photo.jpg", "--shape", "3"], 2, "--shapes"),
    (["fit", "photo.jpg", "extra"], 2, "extra"),
    (["fit", "photo.jpg", "--form", "strokes", "--device", "gpu", "-n", "2"], 1, "GPU"),
    (["ft", "photo.jpg"], 2, "Did you mean fit"),
    (["photo.jpg"], 2, "evoart fit photo.jpg"),
    (["--version-number"], 2, "--version"),
    (["resume", "bad.npz"], 1, "checkpoint"),
    (["resume", "photo.jpg"], 1, "not an evoart checkpoint"),
    (["resume", "none.npz"], 2, "there is no file"),
    (["redo", "newer.json"], 1, "newer evoart"),
    (["redo", "photo.jpg"], 1, "recipe"),
    (["render", "none.svg"], 2, "there is no file"),
    (["info", "text.jpg"], 1, "recipe"),
    (["completion", "tcsh"], 2, "shell"),
]


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("troubled")
    shutil.copy(bundled(), folder / "photo.jpg")
    prepared(folder)
    return folder


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_wrong_input_is_one_line(troubled, words, code, said, monkeypatch, capfd):
    """In this process, for the sake of time; the entry point is the same."""
    monkeypatch.chdir(troubled)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    before = files(troubled)
    returned = run(words)
    sys.stdin.close()
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert returned == code, err
    assert out == "" or "--json" in words
    assert [line for line in lines if line.startswith("Error: ")] == lines[-1:], err
    assert said in lines[-1]
    assert "Traceback" not in err
    assert files(troubled) == before
    assert (troubled / "there.svg").read_text() == "mine"


@pytest.mark.parametrize(
    "words", [["fit", "text.jpg"], ["fit", "photo.jpg", "--time", "0"], ["ft"], ["resume", "bad.npz"]]
)
def test_wrong_input_is_one_line_in_a_process_too(troubled, words):
    """But for the line of what is begun, which comes first where reading takes long, as on a busy machine."""
    done = evoart(*words, cwd=troubled)
    done.err = "\n".join(line for line in done.err.splitlines() if not line.startswith("evoart "))
    one_line(done, 1 if words[-1] in ("text.jpg", "bad.npz") else 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable(folder):
    (folder / "shut").mkdir(mode=0o500)
    assert "cannot be written" in one_line(evoart("fit", "photo.jpg", *SMALL, "-o", "shut/a.svg", cwd=folder), 2)


@pytest.mark.slow
def test_a_disk_that_fills_up_loses_nothing(folder):
    """A limit on the size of files stands in for a full disk: the checkpoint fits, the big picture does not."""

    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"
    words = ("fit", "photo.jpg", *SMALL, "--size", "3000", "-o", "a.svg", "-o", "a.png")
    process = start(*words, cwd=folder, before=limit)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert "disk is full" in err
    assert "evoart resume" in err
    assert out.split() == ["a.svg"]
    assert not [name for name in files(folder) if name.endswith(".part")]
    (checkpoint,) = folder.glob("*.npz")
    done = evoart("resume", checkpoint.name, "-o", "b.png", cwd=folder, check=0)
    assert done.out.split() == ["b.png"]


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error"), BrokenPipeError(32, "Broken pipe")])
def test_an_output_that_fails_costs_no_other(finished, tmp_path, monkeypatch, capfd, error):
    from evoart.output.formats import OUTPUTS

    def fail(*_):
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(OUTPUTS._table(), "png", dataclasses.replace(OUTPUTS["png"], encode=fail))
    outputs = ["-o", "a.svg", "-o", "a.png", "-o", "a.json"]
    assert run(["render", str(finished[0] / "photo-shapes.svg"), *outputs]) == 1
    out, err = capfd.readouterr()
    assert out.split() == ["a.svg", "a.json"]
    assert err.startswith("Error: ")
    assert "'a.png'" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["info"], ["render", "-o", "-"]])
def test_a_full_standard_output_is_one_line(finished, words, tmp_path):
    with open("/dev/full", "w") as full:
        file = str(finished[0] / "photo-shapes.svg")
        done = subprocess.run([*COMMAND, words[0], file, *words[1:]], stdout=full, stderr=subprocess.PIPE, timeout=300)
    assert done.returncode == 1
    assert done.stderr.decode().startswith("Error: ")
    assert "bug" not in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_bug_says_so_and_leaves_a_log(tmp_path):
    program = (
        "import sys, evoart.cli.app as app, evoart.output.save as save\n"
        "def broken(*_): raise ZeroDivisionError('oh')\n"
        "import evoart.run.api as api; api.load = broken\n"
        "sys.exit(app.run(['render', 'x.svg']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "this is a bug in evoart (ZeroDivisionError: oh)" in done.stderr
    log = Path(re.search(r"The log is '([^']+)'", done.stderr)[1])
    assert "Traceback" in log.read_text()
    log.unlink()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (EOFError("Ran out of input"), 1, "this is a bug in evoart (RuntimeError: EOFError: Ran out of input)"),
        (MemoryError(), 1, "there is not enough memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_failure_is_said_and_is_json(monkeypatch, tmp_path, capfd, error, code, said):
    """What a library raises must not be taken for Ctrl-D, which click calls an interruption."""
    import evoart.run.api as api

    def fail(*_):
        raise error

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(api, "load", fail)
    assert run(["render", "x.svg", "--json"]) == code
    out, err = capfd.readouterr()
    assert said in err.lower() or said in err
    assert json.loads(out) | {"error": said, "exit_code": code} == json.loads(out)


@pytest.mark.parametrize(
    "words", [["fit", "nothing.jpg", "--json"], ["fit", "--json", "--shape", "3"], ["ft", "--json"]]
)
def test_wrong_input_is_json_too(troubled, words, monkeypatch, capfd):
    monkeypatch.chdir(troubled)
    assert run(words) == 2
    out, err = capfd.readouterr()
    facts = json.loads(out)
    assert facts["exit_code"] == 2
    assert err == f"Error: {facts['error']}. {facts['hint']}{'' if facts['hint'].endswith('?') else '.'}\n"
    assert run([*words[:1], "--", *words[1:]]) == 2
    assert capfd.readouterr().out == ""


def test_a_working_folder_that_was_removed_is_no_bug(folder):
    (folder / "gone").mkdir()
    program = "import os, sys; os.rmdir(os.getcwd()); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    words = [sys.executable, "-c", program, "-m", "evoart", "fit", folder / "photo.jpg", *SMALL]
    done = subprocess.run([*map(str, words)], cwd=folder / "gone", capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: the current folder was removed. Change to another: cd ~."


def test_the_first_line_comes_early(folder):
    process = start("fit", "photo.jpg", *SMALL, cwd=folder)
    began = time.monotonic()
    process.stderr.readline()
    took = time.monotonic() - began
    process.communicate(timeout=300)
    assert took < 20  # one second on an idle machine; tests share theirs with others
