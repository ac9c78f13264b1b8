"""Registries and what other packages add to them."""

from __future__ import annotations

import sys

import pytest

from evoart.errors import EvoartError, UsageError
from evoart.registry import Registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that adds a shape, a broken one, and one that would replace a built-in name."""
    info = tmp_path / "stars-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stars\nVersion: 1.0\n")
    points = "[evoart.shapes]\nstar = stars:STAR\nbroken = stars:MISSING\ntriangle = stars:STAR\n"
    (info / "entry_points.txt").write_text(points)
    (tmp_path / "stars.py").write_text("STAR = 'a star'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("stars", None)


def test_another_package_adds_names_and_replaces_none(package):
    registry = Registry("shape", "evoart.shapes", {"triangle": 3})
    assert registry["star"] == "a star"
    assert registry["triangle"] == 3
    assert set(registry) == {"star", "broken", "triangle"}


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
