"""The README tells the truth: its commands parse, its options exist, its pictures are there, its Python runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from readme import README, blocks, commands, first_block, parse

from evoart.cli.app import COMMANDS, cli
from evoart.cli.options import RENAMED

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")
GALLERY = (ROOT / "gallery" / "README.md").read_text(encoding="utf-8")
SHELL = [line for block in blocks("sh") for line in commands(block)]
GALLERY_SHELL = [line for line in GALLERY.splitlines() if line.startswith("evoart ")]


def test_it_is_read_to_the_end():
    assert len(TEXT.splitlines()) <= 150


def test_the_first_block_is_two_commands_that_set_themselves_up():
    fit, test = first_block().values()
    for line in (fit, test):
        assert line.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert fit.endswith("&& .venv/bin/evoart fit")
    assert test.endswith('&& .venv/bin/python -m pytest -q -n auto -m "not slow"')


def test_ci_runs_the_test_command_word_for_word():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert 'command=$(python3 tests/readme.py test)\necho "== $command"\nbash -euo pipefail -c "$command"\n' in (
        script.read_text(encoding="utf-8")
    )
    said = subprocess.run([sys.executable, "tests/readme.py", "test"], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == first_block()["test"]
    assert first_block()["test"] in TEXT


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("evoart ")] + GALLERY_SHELL)
def test_commands_parse_and_their_values_are_accepted(line):
    from evoart.cli.fit import _make_job
    from evoart.cli.options import RunOptions

    given = parse(line).params
    if line.startswith("evoart fit "):
        RunOptions.take(given)
        settings, _, _ = (given.pop(name) for name in ("settings", "config", "print_config"))
        for picture in given.pop("pictures") or (None,):
            _make_job(given | {"picture": picture}, None, settings)


def test_a_wrong_option_would_be_noticed():
    with pytest.raises(click.UsageError):
        parse("evoart fit photo.jpg --no-such-option")


def test_every_command_that_is_named_exists():
    typed = [line for line in SHELL + GALLERY_SHELL if line.startswith("evoart ")]
    named = set(re.findall(r"`evoart ([a-z]+)", TEXT + GALLERY)) | {line.split()[1] for line in typed}
    assert named <= set(COMMANDS)
    assert named >= {"fit", "resume", "render", "redo", "info", "doctor", "shapes", "strategies", "completion"}


def test_every_option_that_is_named_exists():
    known = {name for command in COMMANDS for name in option_names(command)}
    lines = [line for line in SHELL if line.startswith("evoart ")]
    named = {word for line in lines for word in shlex.split(line) if word.startswith("-")}
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    named |= set(re.findall(r"`(--[a-z-]+)`", prose)) | set(re.findall(r"evoart \w+ (--[a-z-]+)`", prose))
    assert named <= known
    assert len(named) > 8


def test_environment_variables_are_explained():
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "pages").rglob("*.md"))
    helped = cli.get_command(click.Context(cli), "models").help
    for name in (
        "EVOART_CACHE",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HF_TOKEN",
        "HF_ENDPOINT",
    ):
        assert name in helped
        assert f"`{name}" in pages


def test_the_changelog_lists_every_renamed_option():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {*RENAMED, *RENAMED.values()} <= set(re.findall(r"--[a-z-]+", changes))


def option_names(command: str) -> set[str]:
    loaded = cli.get_command(click.Context(cli), command)
    return {"--help", "-h"} | options_of(loaded)


def options_of(command: click.Command) -> set[str]:
    context = click.Context(command)
    names = command.list_commands(context) if isinstance(command, click.Group) else ()
    under = [command.get_command(context, name) for name in names]  # some are loaded when they are asked for
    own = {name for parameter in command.params for name in parameter.opts if name.startswith("-")}
    return own.union(*(options_of(each) for each in under))


@pytest.mark.parametrize("name", ["README.md", "gallery/README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(name):
    page = ROOT / name
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" in link or (page.parent / link).exists(), link


def test_the_source_distribution_holds_what_these_tests_read():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link}
    assert {link.split("/")[0] for link in links} | {"tests", ".ci"} <= set(build["sdist"]["include"])
    assert build["wheel"]["packages"] == ["evoart"]


def test_the_gallery_is_small_and_all_of_it_is_there():
    from evoart.gallery import journal, plan

    folder = ROOT / "gallery"
    lines, damaged = journal.read(folder)
    assert not damaged
    assert set(lines) == {entry.name for entry in plan.read([ROOT / "prompts" / "small.toml"])}
    assert {line.status for line in lines.values()} == {"done"}
    assert {line.form for line in lines.values()} >= {"shapes", "cppn", "cppn-graph", "strokes"}
    assert {line.job["command"] for line in lines.values()} >= {"fit", "clip", "cppn", "sketch"}
    known = {name for line in lines.values() for name in line.files.values()}
    known |= {f"pages/{name}.html" for name in lines} | {
        "pages/style.css",
        "pages/gallery.js",
        "index.html",
        "sheet.png",
    }
    known |= {"README.md", "journal.jsonl", "words.webp", "studio.webp", "heart.svg", "logo.png"} | set(
        re.findall(r"-o (\S+)", GALLERY.partition("Next to them")[2])
    )
    files = [file for file in folder.rglob("*") if file.is_file() and ".work" not in file.parts]
    assert {str(file.relative_to(folder)) for file in files} == known
    assert sum(file.stat().st_size for file in files) < 5_000_000  # films are a third of it


@pytest.mark.slow
def test_a_picture_of_the_gallery_is_made_again_from_its_recipe():
    import evoart

    kept = evoart.load(ROOT / "gallery" / "cat.svg")
    *_, last = evoart.events(kept.job)
    assert last.result.form.label == kept.form.label
    assert abs(last.result.psnr - kept.psnr) < 0.4  # another machine finds another picture as good


@pytest.mark.slow
def test_the_python_example_runs(tmp_path, monkeypatch, photo, capsys):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    Image.fromarray((photo * 255).astype("uint8")).save("photo.jpg")
    (example,) = blocks("python")
    exec(compile(example.replace("shapes=50", 'shapes=5, quality="draft", pixels=48'), str(README), "exec"), {})
    assert Path("photo.svg").exists()
    assert Path("photo.png").exists()
    assert "Finished(" in capsys.readouterr().out
