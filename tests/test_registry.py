"""Registries and what other packages add to them."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import evoart
from evoart.cli import app
from evoart.cli.app import COMMANDS, run
from evoart.errors import EvoartError, UsageError
from evoart.registry import Registry
from evoart.run.job import JOBS
from evoart.run.problem import PROBLEMS, Problem


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that adds a shape, a broken one, and one that would replace a built-in name."""
    info = tmp_path / "stars-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stars\nVersion: 1.0\n")
    points = "[evoart.shapes]\nFive_star = stars:STAR\nbroken = stars:MISSING\ntriangle = stars:STAR\n"
    points += "[evoart.commands]\nshine = stars:MISSING\ndim = stars:STAR\nglow = stars:GLOW\nfit = stars:STAR\n"
    (info / "entry_points.txt").write_text(points)
    glow = "@click.command()\ndef GLOW():\n    'Glow a little.'\n    click.echo('glowing')\n"
    (tmp_path / "stars.py").write_text(f"import click\nSTAR = 'a star'\n{glow}")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("stars", None)


def registries() -> list[Registry]:
    """Every registry that the package holds."""
    found = {}
    for info in pkgutil.walk_packages(evoart.__path__, "evoart."):
        if info.name == "evoart.__main__":
            continue
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Registry):
                found[id(value)] = value
    return list(found.values())


def test_every_entry_of_every_registry_is_there():
    found = registries()
    assert {each.group for each in found} >= {"evoart.shapes", "evoart.jobs", "evoart.problems", "evoart.forms"}
    for registry in found:
        for name in registry._builtin:
            assert registry[name] is not None, f"{registry.group}: {name}"


def test_jobs_and_problems_name_the_same_commands():
    assert set(JOBS) == set(PROBLEMS)
    for command in JOBS:
        assert JOBS[command].command == command
        assert issubclass(PROBLEMS[command], Problem)


def test_another_package_adds_names_and_replaces_none(package):
    registry = Registry("shape", "evoart.shapes", {"triangle": 3})
    assert registry["triangle"] == 3
    assert set(registry) == {"five-star", "broken", "triangle"}


def test_a_name_is_found_however_it_is_spelled(package):
    registry = Registry("shape", "evoart.shapes", {})
    for name in ("five-star", "five_star", "Five_star", "five-star"):  # the first one again, now that it is loaded
        assert name in registry
        assert registry[name] == "a star"


def test_an_object_with_a_load_of_its_own_is_left_alone():
    class Loads:
        def load(self):
            raise AssertionError("not ours to call")

    thing = Loads()
    assert Registry("thing", "evoart.things", {"a": thing})["a"] is thing


def test_a_broken_shape_is_listed_as_broken(package, monkeypatch, capsys):
    from evoart.draw import shapes

    monkeypatch.setattr(shapes, "SHAPES", Registry("shape", "evoart.shapes", {"triangle": shapes.Triangle()}))
    assert run(["shapes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(re.match(r"triangle +x0 y0", line) for line in lines)
    assert any(re.match(r"broken +broken: .*stars.*MISSING", line) for line in lines)
    assert any(re.match(r"five-star +broken: .* not a shape", line) for line in lines)
    assert run(["shapes", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["shapes"]) == {"triangle"}
    assert set(facts["broken"]) == {"broken", "five-star"}


def test_a_broken_command_explains_itself(package, monkeypatch, capsys):
    monkeypatch.setattr(app, "LOADED", Registry("command", "evoart.commands", {n: p for n, (p, _) in COMMANDS.items()}))
    assert run(["--help"]) == 0
    listed = " ".join(capsys.readouterr().out.split())
    assert "shine Broken: the command 'shine' comes from a plugin that does not load" in listed
    assert "dim Broken: the command 'dim' comes from a plugin and is not a click command" in listed
    assert "glow Glow a little." in listed
    for words in (["shine"], ["shine", "--help"], ["shine", "-x", "y"], ["dim"]):
        assert run(words) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith(f"Error: the command '{words[0]}' comes from a plugin")
        assert err.count("\n") == 1
    assert run(["glow"]) == 0
    assert capsys.readouterr().out == "glowing\n"
    assert app.cli.get_command(None, "fit").name == "fit"


def test_a_broken_plugin_says_what_it_is(package):
    with pytest.raises(EvoartError, match=r"'broken' comes from a plugin that does not load.*stars:MISSING"):
        Registry("shape", "evoart.shapes", {})["broken"]


def test_other_groups_do_not_see_it(package):
    assert list(Registry("score", "evoart.scores", {"mse": 1})) == ["mse"]


def test_unknown_names_get_a_suggestion():
    with pytest.raises(UsageError, match="Did you mean mse"):
        Registry("score", "evoart.scores", {"mse": 1, "mae": 2})["mes"]


def test_names_are_imported_on_first_use():
    assert Registry("thing", "evoart.things", {"tau": "math:tau"})["tau"] == pytest.approx(6.2831853)


def test_threads_that_come_together_all_find_the_object():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as executor:
            for _ in range(10):
                table = Registry("thing", "evoart.nothing", {f"n{k}": "math:pi" for k in range(20_000)})
                assert set(executor.map(table.__getitem__, ["n1", "n2"] * 4)) == {math.pi}
    finally:
        sys.setswitchinterval(interval)
