"""Layers: imports run one way. An arrow means "may import"."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "evoart"
GROUND = {
    "types",
    "errors",
    "cache",
    "compiled",
    "download",
    "plugins",
    "registry",
    "threads",
    "",
}  # "" is the package itself: its version

# What each layer may import beside itself and the ground.
MAY = {
    "types": set(),
    "errors": set(),
    "cache": set(),
    "compiled": set(),
    "download": set(),
    "plugins": set(),
    "threads": set(),
    "registry": {"errors", "plugins"},
    "colour": set(),
    "picture": {"colour"},
    "draw": set(),
    "cppn": set(),
    "forms": {"draw", "cppn", "sketch"},
    "openclip": {"download"},
    "score": set(),
    "sketch": set(),
    "engine": {"draw", "score", "forms", "cppn"},
    "search": set(),
    "output": {"draw", "cppn", "picture"},
    "run": {"sketch", "openclip", "draw", "cppn", "forms", "score", "engine", "search", "output", "picture"},
    "gallery": {"run", "output"},
    "cli": {"run", "sketch", "openclip", "gallery", "output", "picture", "draw", "engine", "search"},
    "__main__": {"cli"},
    "__init__": {"run", "errors"},
}


def layer_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path):
    """evoart's own modules that a file imports, wherever in it, and the line."""
    package = ["evoart", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "evoart" else [module]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "evoart":
                yield name, node.lineno


def wrong_arrows(path: Path) -> list[str]:
    layer = layer_of(path)
    found = []
    for name, line in imports(path):
        parts = name.split(".")
        other = parts[1] if len(parts) > 1 else ""
        if other.startswith("__"):  # the version
            other = ""
        if other not in MAY[layer] | GROUND | {layer}:
            found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    assert wrong_arrows(path) == []


def test_every_layer_is_known():
    assert {layer_of(path) for path in ROOT.rglob("*.py")} <= set(MAY)


def test_the_layers_have_no_cycle():
    reached = {layer: set(MAY[layer]) for layer in MAY}
    for _ in MAY:
        for layer in MAY:
            reached[layer] |= {far for near in reached[layer] for far in reached[near]}
    assert not [layer for layer in MAY if layer in reached[layer]]


def test_a_wrong_arrow_is_found(monkeypatch, tmp_path):
    (tmp_path / "search").mkdir()
    bad = tmp_path / "search" / "bad.py"
    bad.write_text(
        "def f():\n    from evoart.draw.scene import Scene\n    from ..run import loop\n    return Scene, loop\n"
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert len(wrong_arrows(bad)) == 2
