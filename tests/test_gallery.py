"""Galleries: what is asked for, the journal, processes that die, pages."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import scenery
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import evoart
from evoart.cli.app import run as evoart_command
from evoart.errors import EvoartError, UsageError
from evoart.gallery import diversity, journal, pages, plan, pool, run, sheet, worker
from evoart.gallery.command import command_of
from evoart.gallery.journal import Journal, Line
from evoart.run import loop
from evoart.run.fit.job import FitJob
from evoart.run.stop import Stop

SMALL = 'pixels = 24\nshapes = 4\nquality = "draft"\n'
PROMPTS = Path(__file__).parents[1] / "prompts"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with two photographs and a file of jobs."""
    monkeypatch.chdir(tmp_path)
    for name, side in (("sea", 48), ("hill", 40)):
        Image.fromarray((scenery(32, side) * 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "jobs.toml").write_text(f'[defaults]\n{SMALL}\n[[job]]\npicture = "*.png"\nseeds = 2\n')
    return tmp_path


def toml(folder: Path, text: str, name: str = "other.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


# What is asked for


def test_jobs_of_a_matrix(folder):
    path = toml(folder, f'[defaults]\n{SMALL}[[job]]\npicture="sea.png"\nmatrix.shapes=[5,6]\nmatrix.seed=[1,2]\n')
    entries = plan.read([path])
    assert [entry.name for entry in entries] == [
        "sea-5-shapes-s1", "sea-5-shapes-s2", "sea-6-shapes-s1", "sea-6-shapes-s2"
    ]  # fmt: skip
    assert {(entry.job.shapes, entry.job.seed) for entry in entries} == {(5, 1), (5, 2), (6, 1), (6, 2)}
    assert len({entry.group for entry in entries}) == 2
    assert entries[0].source == f"{path}:5"


def test_pictures_folders_and_patterns(folder):
    assert [entry.name for entry in plan.read([folder / "jobs.toml"])] == ["hill-s1", "hill-s2", "sea-s1", "sea-s2"]
    (folder / "jobs.toml").unlink()
    entries = plan.read([folder], {"shapes": "7", "seeds": 1})
    assert [(entry.name, entry.job.shapes) for entry in entries] == [("hill", 7), ("sea", 7)]
    assert plan.read([folder])[0].job.seed == plan.read([folder])[0].job.seed  # drawn from the name


def test_files_are_found_beside_the_jobs_that_name_them(folder, monkeypatch):
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    for entry in plan.read(["../jobs.toml"]):
        assert os.path.exists(entry.job.picture)


def test_models_that_are_files_are_found_beside_the_plan(folder, monkeypatch):
    text = """
        [defaults]
        command = "sketch"
        [[job]]
        model = "mine.npz"
        then = "nets/other.npz"
        [[job]]
        model = "kanji"
        [[job]]
        command = "cppn-sample"
        model = "faces"
        [[job]]
        command = "cppn-morph"
        matrix.model = ["mine.safetensors", "/there/mine.safetensors"]
        [[job]]
        command = "glyph-sample"
        model = "~/letters.safetensors"
    """
    toml(folder, text)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("HOME", "/home/someone")
    jobs = [entry.job for entry in plan.read(["../other.toml"])]
    beside = os.path.join("..", "mine.safetensors")
    models = [os.path.join("..", "mine.npz"), "kanji", "faces", beside, "/there/mine.safetensors"]
    assert [job.model for job in jobs] == [*models, "/home/someone/letters.safetensors"]
    assert jobs[0].then == os.path.join("..", "nets", "other.npz")
    assert jobs[0].inputs == (jobs[0].model, jobs[0].then)
    assert jobs[3].inputs == (beside,)
    assert jobs[1].inputs == ()


def test_words_and_numbers_are_no_files_in_another_folder(folder, monkeypatch):
    text = """
        [[job]]
        command = "sketch"
        task = "interpolate"
        drawing = "apple"
        other = "sea.png"
        [[job]]
        command = "cppn-morph"
        stops = ["7", "hill.png:1"]
        [[job]]
        command = "cppn-grid"
        around = "7"
        [[job]]
        command = "glyph-style"
        like = "7"
    """
    toml(folder, text)
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    (folder / "elsewhere" / "apple").touch()  # as seen from here, and not from the plan
    sketch, morph, grid, style = (entry.job for entry in plan.read(["../other.toml"]))
    assert (sketch.drawing, sketch.other) == ("apple", os.path.join("..", "sea.png"))
    assert morph.stops == ("7", os.path.join("..", "hill.png:1"))
    assert (grid.around, style.like) == ("7", "7")
    (folder / "apple").touch()
    assert plan.read(["../other.toml"])[0].job.drawing == os.path.join("..", "apple")


def test_prompts_that_file_names_cannot_tell_apart():
    names: dict[str, str] = {}
    for kinds in (["日本", "東京"], ["a cat", "a cat!"], ["È", "E"]):
        for about in kinds:
            names[about] = plan._name(about, about, dict.fromkeys([n.casefold() for n in names.values()], "?"))
    assert len(set(names.values())) == 6
    assert names["a cat"] == "a-cat"
    assert plan._name("x", "", {"x": "?"}) == "x"


def test_overrides_fall_on_the_jobs_that_they_concern(folder):
    text = """
        [[job]]
        command = "sketch"
        model = "kanji"
        count = 3
        [[job]]
        command = "clip"
        prompts = ["a cat"]
        model = "ViT-B-32"
        pretrained = "laion2b_s34b_b79k"
        time = "50s"
        [[job]]
        picture = "sea.png"
        [[job]]
        command = "cppn"
    """
    overrides = {"model": "tiny", "form": "cppn", "shapes": "7", "kind": "circle", "seconds": "9", "size": "99"}
    sketch, clip, fit, cppn = (entry.job for entry in plan.read([toml(folder, text)], overrides))
    assert (sketch.model, sketch.seconds, sketch.size) == ("kanji", 9, 99)
    assert (clip.model, clip.pretrained, clip.form, clip.seconds) == ("tiny", None, "cppn", 9)
    assert (fit.shapes, fit.kind, fit.size) == (7, "circle", 99)
    assert cppn.size == 99
    (drawn,) = plan.read([toml(folder, '[[job]]\nprompt="a cat"\n')], {"shapes": "7", "kind": "circle"})
    assert (drawn.job.shapes, drawn.job.kind) == (7, "circle")


def test_a_seed_that_is_text_counts_like_a_number(folder):
    entries = plan.read([toml(folder, '[[job]]\npicture="sea.png"\nseed="3"\nseeds=2\n')])
    assert [(entry.name, entry.job.seed) for entry in entries] == [("sea-s3", 3), ("sea-s4", 4)]


def test_what_is_asked_for_twice_is_done_once(folder):
    (folder / "a.txt").write_text("a cat\na dog\na cat\n")
    said = []
    entries = plan.read(["a.txt", "a.txt", "sea.png", "sea.png"], report=said.append)
    assert [entry.name for entry in entries] == ["a-cat", "a-dog", "sea"]
    assert said == ["5 jobs are asked for twice and done once"]


def test_a_name_is_the_heading(folder):
    text = '[[job]]\ncommand="cppn"\nname="Calm Seas"\nseeds=2\nmatrix.topology=["layers","graph"]\n[[job]]\n'
    entries = plan.read([toml(folder, text)])
    assert [entry.heading for entry in entries[1:]] == ["Calm Seas, layers", "Calm Seas, graph", "Calm Seas, graph", ""]
    line = a_line(heading="Calm Seas", job={"prompts": ["a cat"]})
    assert pages.name_of(line) == "Calm Seas"
    assert pages.name_of(dataclasses.replace(line, heading="")) == "a cat"


def test_includes(folder):
    toml(folder, 'include = ["jobs.toml"]\n[[job]]\npicture="sea.png"\nname="the sea"\n')
    assert [entry.name for entry in plan.read(["other.toml"])][-1] == "the-sea"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[job]]\nshapes = 5\nshape = 6\n", r"other.toml:3: unknown key 'shape'. Did you mean shapes"),
        ("[[job]]\nkind = 'circle'\n\n[[job]]\nshapes = 10_000_000\n", r"other.toml:4: --shapes is 10,000,000"),
        ("jobs = 3\n", r"other.toml:1: unknown key 'jobs'. Did you mean job"),
        ("[[job]]\ncommand = 'fitt'\n", r"unknown command 'fitt'. Did you mean fit"),
        ("[[job]]\nmatrix = 5\n", r"other.toml:2: 'matrix' is not a table of lists"),
        ("[[job]]\nseeds = 0\n", r"other.toml:2: 'seeds' is 0"),
        (
            "[[job]]\nmatrix.seed = [" + "1," * 2000 + "]\nmatrix.shapes = [" + "1," * 2000 + "]",
            "a million combinations",
        ),
        ("include = ['other.toml']\n", "includes itself"),
        ("include = ['nothing.toml']\n", "there is no file or folder '.*nothing.toml'"),
        ("[[job]\n", "not valid TOML"),
        ("[[job]]\npicture = 'no*.png'\n", "no picture is called 'no"),
        (
            "[[job]]\npicture='sea.png'\n[[job]]\npicture='sea.png'\nshapes=7\n",
            r"two jobs are called 'sea' \(.*:1 and .*:3\)",
        ),
        ("[[job]]\ncommand = 'cppn'\neach = 360\n", r"other.toml:3: unknown key 'each'. It is called image_size now"),
        ("[[job]]\nseed = 'x'\nseeds = 2\n", r"other.toml:2: --seed is 'x'"),
        ("", "there are no prompts, pictures or jobs"),
    ],
)
def test_what_is_wrong_with_a_file_of_jobs(folder, text, said):
    with pytest.raises(UsageError, match=said):
        plan.read([toml(folder, text)])


def test_jobs_of_one_name_from_two_files_are_told_apart_by_their_files(folder):
    (folder / "a.txt").write_text("a red circle\n")
    for name in ("b.toml", "c.toml"):
        job = "[[job]]\ncommand = 'clip'\nprompts = ['a red circle']\nmodel = 'tiny'\nsize = "
        (folder / name).write_text(job + f"{ord(name[0])}\n")
    entries = plan.read([folder / name for name in ("a.txt", "b.toml", "c.toml")])
    assert [entry.name for entry in entries] == ["a-red-circle", "a-red-circle-b", "a-red-circle-c"]
    assert len({entry.group for entry in entries}) == 3


def test_the_prompts_of_the_project_are_one_gallery():
    assert len(plan.read([Path(__file__).parent.parent / "prompts"])) > 70


def test_a_circle_of_includes(folder):
    toml(folder, "include = ['b.toml']\n", "a.toml")
    toml(folder, "include = ['a.toml']\n", "b.toml")
    with pytest.raises(UsageError, match=r"a\.toml' includes itself, by way of 2 files"):
        plan.read([folder / "a.toml"])


@pytest.mark.parametrize("data", [b"\xff\xfe\x00bad", b"x" * 2_000_000])
def test_files_that_are_no_text(folder, data):
    (folder / "bad.txt").write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read|larger than 1 MB"):
        plan.read([folder / "bad.txt"])


@given(st.integers(1, 40), st.integers(1, 12))
def test_parts_are_disjoint_and_whole(jobs, parts):
    entries = [plan.Entry(str(i), FitJob(seed=i), "", "") for i in range(jobs)]
    names = [entry.name for number in range(1, parts + 1) for entry in plan.shard(entries, number, parts)]
    assert sorted(names) == sorted(entry.name for entry in entries)


# The journal


def a_line(name: str = "a", **changes) -> Line:
    line = Line(name, "k", "g", "done", job={"seed": 1}, form="shapes", drawing="3 lines", title="t", size=(4, 3))
    return dataclasses.replace(line, **changes)


def test_the_journal_comes_back(tmp_path):
    lines = [a_line("a", figures={"psnr": 2.5}), a_line("b", status="failed", reason="no"), a_line("a", seconds=3.0)]
    with Journal(tmp_path) as log:
        for line in lines:
            log.write(line)
    found, damaged = journal.read(tmp_path)
    assert damaged == 0
    assert found == {"a": lines[2], "b": lines[1]}


@given(st.integers(0, 400), st.binary(max_size=30))
def test_a_journal_that_was_cut_or_spoiled_loses_one_line_at_most(tmp_path_factory, cut, noise):
    folder = tmp_path_factory.mktemp("journal")
    with Journal(folder) as log:
        for name in "abc":
            log.write(a_line(name))
    path = folder / journal.NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - min(cut, len(whole) // 3 - 1)] + noise.replace(b"\n", b""))
    with Journal(folder) as log:
        log.write(a_line("d"))
    found, damaged = journal.read(folder)
    assert {"a", "b", "d"} <= set(found) <= set("abcd")
    assert damaged - (3 - len(found.keys() - {"d"})) in (0, 1)  # noise after a whole line is a line of its own


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"svg": "../../x"}},
        {"files": {"svg": "/etc/x"}},
        {"figures": {"psnr": "x"}},
        {"job": 3},
        {"size": [1]},
    ],
)
def test_lines_that_mean_harm_are_passed_over(tmp_path, change):
    (tmp_path / journal.NAME).write_text(json.dumps({**a_line().__dict__, **change}) + "\n")
    assert journal.read(tmp_path) == ({}, 1)


def test_journals_of_before_are_read(tmp_path):
    old = {
        name: value for name, value in a_line(status="spare").__dict__.items() if name not in ("thumbnail", "heading")
    }
    (tmp_path / journal.NAME).write_text(json.dumps(old | {"look": "ff00"}) + "\n3\n")
    lines, damaged = journal.read(tmp_path)
    assert (lines["a"].status, lines["a"].thumbnail, lines["a"].heading, damaged) == ("surplus", "ff00", "", 1)
    kept, damaged = journal.read(Path(__file__).parents[1] / "gallery")
    assert damaged == 0
    assert len(kept) > 10
    assert all(len(line.thumbnail) == 2 * 192 for line in kept.values())


def test_a_job_done_in_another_part_stays_done(tmp_path):
    for part, status in (("1-of-2", "done"), ("2-of-2", "failed")):
        with Journal(tmp_path, part) as log:
            log.write(a_line("a", status=status))
    assert journal.read(tmp_path)[0]["a"].status == "done"


# Runs


def gallery(*words: str, check: int = 0) -> None:
    assert evoart_command(["gallery", *map(str, words)]) == check


def test_a_gallery_is_made_once(folder, capfd):
    gallery("jobs.toml", "--film")
    lines, _ = journal.read(folder / "gallery")
    assert set(lines) == {"hill-s1", "hill-s2", "sea-s1", "sea-s2"}
    for line in lines.values():
        assert set(line.files) == {"svg", "png", "thumb", "film"}
        assert all((folder / "gallery" / name).stat().st_size for name in line.files.values())
        assert evoart.load(folder / "gallery" / line.files["svg"]).seed == line.job["seed"]
    assert not list((folder / "gallery" / worker.WORK).glob("*.npz"))
    before = {path: path.stat().st_mtime_ns for path in (folder / "gallery").glob("*.svg")}
    capfd.readouterr()
    gallery("jobs.toml", "--film")
    assert "4 of 4 jobs are done already" in capfd.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "gallery").glob("*.svg")}
    (folder / "gallery" / "sea-s1.png").unlink()
    gallery("jobs.toml", "--json", "--shapes", "4")
    assert json.loads(capfd.readouterr().out)["made"] == 1


def test_a_failing_job_costs_no_other(folder, capfd):
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    gallery("jobs.toml", "--seeds", "1", check=1)
    out, err = capfd.readouterr()
    assert out.count(".svg\n") == 2
    assert "failed: broken:" in err
    assert "2 pictures made" in err
    assert "1 failed" in err
    assert "broken" in (folder / "gallery" / "index.html").read_text()
    Image.new("RGB", (20, 20)).save(folder / "broken.png")
    gallery("jobs.toml", "--seeds", "1")  # what failed is tried again


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--processes", "2")])
def test_a_folder_that_cannot_be_made_costs_the_job_only(folder, capfd, words):
    (folder / "gallery").mkdir()
    (folder / "gallery" / "thumbs").write_text("mine")
    gallery("jobs.toml", "--seeds", "1", *words, check=1)
    err = capfd.readouterr().err
    assert err.count("failed: ") == 2
    assert "thumbs' cannot be made" in err
    assert "bug" not in err
    lines, _ = journal.read(folder / "gallery")
    assert [line.status for line in lines.values()] == ["failed", "failed"]
    (folder / "gallery" / "thumbs").unlink()
    gallery("jobs.toml", "--seeds", "1", *words)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("oh"), OSError(5, "Input/output error")])
def test_whatever_goes_wrong_with_a_job_costs_no_other(folder, monkeypatch, capfd, error):
    real = worker.write

    def write(path, data, **how):
        if path.name == "hill-s1.svg":
            raise error
        return real(path, data, **how)

    monkeypatch.setattr(worker, "write", write)
    gallery("jobs.toml", "--json", check=1)
    facts = json.loads(capfd.readouterr().out)
    assert (facts["made"], list(facts["failed"])) == (3, ["hill-s1"])


@pytest.mark.parametrize("name", [".work", "pages"])
def test_a_file_in_place_of_a_folder_is_one_line(folder, capfd, name):
    (folder / "gallery").mkdir()
    (folder / "gallery" / name).write_text("mine")
    gallery("--pages-only", check=1)
    assert f"{name}' cannot be made" in capfd.readouterr().err


def test_a_process_that_always_dies_costs_its_job_only():
    """A scheduler with workers that are made up: the first job kills whoever does it."""
    entries = [plan.Entry(name, FitJob(seed=1), "", "") for name in ("deadly", "good")]

    class Worker:
        def __init__(self):
            self.entry, self.renewed = None, 0
            self.pipe, self.theirs = multiprocessing.Pipe()

        def give(self, entry):
            self.entry = entry
            if entry.name == "good":
                self.theirs.send((a_line("good"), None))
            else:
                self.theirs.close()

        def renew(self):
            self.entry, self.renewed = None, self.renewed + 1
            self.pipe, self.theirs = multiprocessing.Pipe()

    only = Worker()
    lines = [line for _, line in pool._Scheduler(entries, [only], Stop()).run()]
    assert [(line.name, line.status) for line in lines] == [("deadly", "failed"), ("good", "done")]
    assert "killed, twice" in lines[0].reason
    assert only.renewed == pool.TRIES


def test_a_job_that_a_cluster_stopped_is_a_line_too(folder, monkeypatch):
    from evoart.gallery import cluster

    (entry, *_) = plan.read([folder / "jobs.toml"])
    monkeypatch.setattr(worker, "perform", lambda *_, **__: None)
    run.prepare_folder(folder / "out")
    for shared in (True, False):
        monkeypatch.setattr(cluster, "_shares", lambda *_, shared=shared: shared)
        line, rest = cluster._task(entry, str(folder / "out"), "token", worker.Settings(), 1)
        assert (line.status, bool(rest)) == ("failed", False)


@pytest.mark.slow
def test_the_same_bytes_alone_and_side_by_side(folder):
    gallery("jobs.toml", "-o", "one")
    gallery("jobs.toml", "-o", "two", "--processes", "2")
    for name in ("sea-s1.svg", "hill-s2.png", "thumbs/sea-s2.webp"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


@pytest.mark.parametrize(("clock", "together"), [("", 2), ("seconds = 9", 1)])
def test_fits_of_one_process_are_done_two_at_a_time_unless_the_clock_ends_them(folder, monkeypatch, clock, together):
    monkeypatch.setattr(pool, "cores", lambda: 2)
    complete, present, most = worker.complete, [], []
    all_there = threading.Barrier(together, timeout=300)

    def watched(entry, *given):
        all_there.wait()
        present.append(entry.name)
        most.append(len(present))
        try:
            return complete(entry, *given)
        finally:
            present.remove(entry.name)

    monkeypatch.setattr(worker, "complete", watched)
    toml(folder, f'[defaults]\n{SMALL}{clock}\n[[job]]\npicture = "*.png"\n', "two.toml")
    gallery("two.toml", "-o", "wall")
    assert max(most) == together
    assert len(journal.read(folder / "wall")[0]) == 2
    assert pool.THREADS not in os.environ


def test_a_short_run_leaves_its_end_unsaved_and_a_long_one_does_not(tmp_path, photo):
    job = FitJob(pixels=16, shapes=2, evaluations=50, seed=1)
    for least, kept in ((0.0, True), (3600.0, False)):
        path = tmp_path / f"{kept}.npz"
        list(loop.run(job, photo, keep=loop.Keep(path, least=least)))
        assert path.exists() == kept


@pytest.mark.slow
def test_a_device_works_on_several_photographs_at_once(folder, monkeypatch):
    """Where a program draws; here on the CPU."""
    from evoart.run.fit import batch

    asked = []
    real = batch.prepare_all
    monkeypatch.setattr(batch, "prepare_all", lambda jobs: asked.append(len(jobs)) or real(jobs))
    text = f'[defaults]\n{SMALL}search="sets"\nengine="dense"\nevaluations=600\n'
    Image.fromarray((scenery(32, 48) * 200).astype(np.uint8)).save(folder / "sun.png")
    jobs = toml(folder, text + '[[job]]\npicture="s*.png"\n[[job]]\npicture="hill.png"\nshapes=3\n')
    gallery(jobs)
    assert asked == [2, 1]
    together = {name: line.figures["psnr"] for name, line in journal.read(folder / "gallery")[0].items()}
    assert len(together) == 3
    for name, value in together.items():
        job = evoart.load(f"gallery/{name}.svg").job
        *_, last = evoart.events(job)
        alone = last.result
        assert alone.psnr == pytest.approx(value, abs=1.0)


def test_parts_make_the_whole(folder, capfd):
    for number in (1, 2, 3):
        gallery("jobs.toml", "--shard", f"{number}/3")
    assert not (folder / "gallery" / "index.html").exists()
    gallery("jobs.toml")
    assert "4 of 4 jobs are done already" in capfd.readouterr().err


def start(folder: Path, *words: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "evoart", "gallery", *words]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def endless(folder: Path) -> Path:
    text = '[[job]]\npicture="sea.png"\nseconds=60\nname="long"\nsearch="classical"\npixels=24\nshapes=4\n'
    return toml(folder, text)


def saved(folder: Path) -> Path:
    """The checkpoint of the long job, once it is there."""
    path = folder / "gallery" / worker.WORK / "long.npz"
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return path


@pytest.mark.slow
def test_killed_it_goes_on_where_it_was(folder):
    process = start(folder, "jobs.toml", "--seeds", "6")
    while len(list((folder / "gallery").glob("*.svg"))) < 3:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    done = journal.read(folder / "gallery")[0]
    times = {name: (folder / "gallery" / f"{name}.svg").stat().st_mtime_ns for name in done}
    assert len(times) >= 2
    gallery("jobs.toml", "--seeds", "6")
    assert len(journal.read(folder / "gallery")[0]) == 12
    raw = (folder / "gallery" / journal.NAME).read_text().splitlines()
    assert len(raw) == 12  # nothing twice
    assert times == {name: (folder / "gallery" / f"{name}.svg").stat().st_mtime_ns for name in times}


@pytest.mark.slow
def test_ctrl_c_saves_and_a_second_gallery_says_who_is_there(folder, capfd):
    endless(folder)
    for words in ((), ("--processes", "2")):
        (folder / "gallery" / worker.WORK / "long.npz").unlink(missing_ok=True)
        process = start(folder, "other.toml", "-v", *words)
        saved(folder).unlink()
        gallery("jobs.toml", check=2)
        assert f"another evoart gallery (process {process.pid}) is writing to" in capfd.readouterr().err
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 130, err
        assert "1 left; the same command continues" in err
        assert saved(folder).exists()


@pytest.mark.slow
def test_a_process_that_dies_is_replaced(folder, monkeypatch):
    entries = plan.read([folder / "jobs.toml"])
    seen = 0
    lines = []
    run.prepare_folder(folder / "out")
    for report in pool.side_by_side(entries, folder / "out", worker.Settings(), Stop(), 2):
        if isinstance(report, pool.Step):
            seen += 1
            if seen == 1:
                children = subprocess.run(
                    ["pgrep", "-P", str(os.getpid()), "-f", "spawn_main"], capture_output=True, text=True, check=True
                )
                os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
        else:
            lines.append(report[1])
    assert sorted(line.name for line in lines) == sorted(entry.name for entry in entries)
    assert {line.status for line in lines} == {"done"}


def test_a_full_disk_ends_the_gallery_and_nothing_is_lost(folder, monkeypatch, capfd):
    gallery("jobs.toml", "--seeds", "1")
    real = worker.write

    def full(path, data, **how):
        if path.name == "sea-s1.png":
            error = EvoartError("the disk is full: it was not written", "Free some space")
            error.__cause__ = OSError(28, "No space left on device")
            raise error
        return real(path, data, **how)

    monkeypatch.setattr(worker, "write", full)
    gallery("jobs.toml", "-o", "again", check=1)
    assert "the disk is full" in capfd.readouterr().err
    monkeypatch.setattr(worker, "write", real)
    gallery("jobs.toml", "-o", "again")
    assert len(journal.read(folder / "again")[0]) == 4


def test_a_dry_run_counts_and_writes_nothing(folder, capfd):
    gallery("jobs.toml", "--dry-run", "--json")
    facts = json.loads(capfd.readouterr().out)
    assert (facts["jobs"], facts["to do"], facts["commands"]) == (4, 4, {"fit": 4})
    assert facts["evaluations"] > 100
    assert not (folder / "gallery").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is nothing to make"),
        (("nothing/",), "there is no file or folder 'nothing'"),
        (("jobs.toml", "--shard", "4/3"), "--shard is '4/3'"),
        (("jobs.toml", "--processes", "0"), "--processes is 0"),
        (("jobs.toml", "-o", "sea.png"), "'sea.png'"),
        (("jobs.toml", "--format", "gif"), "unknown format 'gif'"),
        (("jobs.toml", "--shapes", "x"), "--shapes is 'x'"),
    ],
)
def test_wrong_words(folder, capfd, words, said):
    gallery(*words, check=2)
    err = capfd.readouterr().err
    assert said in err
    assert err.count("\n") == 1


# Diversity


def thumbnails_of(values) -> list[Line]:
    return [a_line(str(i), thumbnail=np.full(192, value, np.uint8).tobytes().hex()) for i, value in enumerate(values)]


def test_distances_against_numpy():
    rng = np.random.default_rng(0)
    lines = [a_line(str(i), thumbnail=rng.integers(0, 256, 192).astype(np.uint8).tobytes().hex()) for i in range(30)]
    features = diversity.thumbnails(lines)
    brute = np.sqrt(((features[:, None] - features[None]) ** 2).mean(-1))
    np.testing.assert_allclose(diversity.distances(features, features), brute, atol=1e-3)
    near = diversity.nearest(lines, 5)
    np.fill_diagonal(brute, np.inf)
    assert near == np.argsort(brute, axis=1)[:, :5].tolist()
    assert diversity.nearest(lines[:1], 5) == [[]]


def test_those_apart_are_kept():
    lines = thumbnails_of([10, 11, 12, 250, 251, 120])
    assert diversity.choose_apart(lines, 3) == [0, 4, 5]
    rng = np.random.default_rng(0)
    many = [a_line(str(i), thumbnail=rng.integers(0, 256, 192).astype(np.uint8).tobytes().hex()) for i in range(60)]
    kept = [many[i] for i in diversity.choose_apart(many, 6)]
    assert diversity.spread_of(kept)["g"] > diversity.spread_of(many)["g"] + 0.01
    assert diversity.choose_apart(lines, 10) == [0, 1, 2, 3, 4, 5]
    assert diversity.choose_apart([], 3) == []


def test_a_diverse_gallery_is_more_diverse_and_says_so(folder, capfd):
    jobs = toml(folder, f'[[job]]\npicture="sea.png"\nseeds=3\n{SMALL}')
    gallery(jobs, "--diverse")
    lines = journal.read(folder / "gallery")[0].values()
    assert sorted(line.status for line in lines) == ["done"] * 3 + ["surplus"] * 6
    assert len(list((folder / "gallery").glob("*.svg"))) == 3
    err = capfd.readouterr().err
    after, before = (float(part.split()[0]) for part in err.split("prompt are ")[1].split("would have been "))
    assert after >= before
    gallery(jobs, "--diverse", "--json")
    assert json.loads(capfd.readouterr().out)["made"] == 0


@pytest.mark.parametrize(("count", "size"), [(2, (2 * 330 + 10, 170 + 10)), (400, (24 * 160 + 10, 17 * 85 + 10))])
def test_a_contact_sheet_is_as_high_as_its_pictures_and_as_large_as_they_are_few(tmp_path, count, size):
    Image.new("RGB", (320, 160), "red").save(tmp_path / "thumb.png")
    lines = [a_line(str(i), title="", job={}, files={"thumb": "thumb.png"}) for i in range(count)]
    with Image.open(sheet.sheet(tmp_path, lines)) as page:
        assert page.size == size
        assert page.getpixel((20, 20)) == (255, 0, 0)


# Pages


def test_pages_show_text_as_text(tmp_path):
    nasty = '</script><script>alert(1)</script> <b>"x"</b> & \u2028 \ud800'
    lines = [a_line("a", title=nasty, job={"command": "fit", "picture": nasty, "seed": 1}, files={"svg": "a.svg"})]
    lines += [a_line("b", status="failed", reason=nasty)]
    pages.build(tmp_path, lines, nasty)
    for path in (tmp_path / "index.html", tmp_path / "pages" / "a.html"):
        text = path.read_text("utf-8")
        assert "<script>alert" not in text
        assert "<b>&quot;" not in text.replace("<b>b</b>", "")
        assert "&lt;script&gt;" in text
    assert "http" not in (tmp_path / "index.html").read_text().replace("https://pypi.org/project/evoart/", "")


def test_the_sheet(folder):
    gallery("jobs.toml")
    with Image.open(folder / "gallery" / sheet.NAME) as image:
        assert image.width == 3 * 330 + 10
    lines = list(journal.read(folder / "gallery")[0].values())
    assert sheet.sheet(folder, [line for line in lines if line.status == "failed"]) is None


def test_the_command_of_pictures_to_be_like_gives_each_its_weight():
    from evoart.run.clip.job import ClipJob

    words = {"image_prompts": ["a.jpg:0.3", "b.jpg"], "negative_prompts": ["text", "blur:0.5"]}
    said = command_of(ClipJob.make(prompts="a cat", seed=1, **words).to_dict())
    assert said.startswith("evoart clip 'a cat' ")
    assert "--negative-prompt text --negative-prompt blur:0.5 --image-prompt a.jpg:0.3 --image-prompt b.jpg" in said
    assert "weight" not in said


@pytest.mark.parametrize(
    ("job", "command"),
    [
        ({"picture": "a b.jpg", "shapes": 50, "seed": 1}, "evoart fit 'a b.jpg' --seed 1 --shapes 50"),
        ({"opacity": (0.2, 0.5), "palette": ("#000000", "#ffffff")}, "--opacity 0.2-0.5 --palette '#000000,#ffffff'"),
        ({"search": "classical", "options": {"lr": 0.5}, "keep_alpha": True}, "--set lr=0.5"),
    ],
)
def test_the_command_of_a_job_makes_it_again(job, command):
    import shlex

    from evoart.cli.app import cli
    from evoart.cli.fit import _make_job
    from evoart.cli.options import RunOptions

    made = FitJob.make(**job)
    said = command_of(made.to_dict())
    assert command in said
    words = shlex.split(said)[2:]
    given = cli.get_command(None, "fit").make_context("fit", words).params
    RunOptions.take(given)
    (picture,) = given.pop("pictures") or (None,)
    settings = given.pop("settings")
    assert (given.pop("config"), given.pop("print_config")) == (None, False)
    assert _make_job(given | {"picture": picture}, None, settings) == made
