"""Layers: imports run one way. An arrow means "may import"."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "evoart"
BASE = {
    "types",
    "errors",
    "cache",
    "compiled",
    "connect",
    "download",
    "locks",
    "pixels",
    "plugins",
    "registry",
    "sources",
    "threads",
    "train_state",
    "trained",
    "units",
    "version",
}

# What each layer may import in addition to itself and the base.
MAY = {
    "types": set(),
    "errors": set(),
    "cache": set(),
    "compiled": set(),
    "connect": set(),
    "download": {"connect"},
    "locks": set(),
    "plugins": set(),
    "threads": set(),
    "train_state": {"errors"},
    "trained": set(),
    "units": {"errors"},
    "version": set(),
    "registry": {"errors", "plugins"},
    "colour": set(),
    "pixels": {"errors"},
    "sources": {"errors"},
    "picture": {"colour"},
    "draw": set(),
    "automaton": set(),
    "cppn": set(),
    "glyph": set(),
    "forms": {"draw", "cppn", "sketch", "automaton", "glyph"},
    "openclip": {"download"},
    "score": set(),
    "sketch": set(),
    "stamps": {"draw", "sketch", "picture", "glyph", "sources"},
    "engine": {"draw", "score", "forms", "cppn"},
    "search": set(),
    "machine": {"draw", "score", "sketch"},
    "output": {"draw", "cppn", "picture"},
    "run": {
        "automaton",
        "glyph",
        "stamps",
        "sketch",
        "openclip",
        "draw",
        "cppn",
        "forms",
        "score",
        "engine",
        "search",
        "output",
        "picture",
    },
    "gallery": {"run", "output"},
    "studio": {
        "run",
        "gallery",
        "output",
        "picture",
        "forms",
        "draw",
        "cppn",
        "sketch",
        "engine",
        "openclip",
        "automaton",
    },
    "cli": {
        "machine",
        "run",
        "sketch",
        "openclip",
        "gallery",
        "studio",
        "output",
        "picture",
        "draw",
        "engine",
        "search",
    },
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
        if other not in MAY[layer] | BASE | {layer}:
            found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_one_way(path):
    assert wrong_arrows(path) == []


def arrows() -> dict[str, set[str]]:
    """Which files a file imports, with all kinds of imports: at the top, inside functions, for types alone."""
    files = {
        ".".join(("evoart", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): p
        for p in ROOT.rglob("*.py")
    }
    found = {}
    for name, path in files.items():
        package = ["evoart", *path.relative_to(ROOT).parts[:-1]]
        targets: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    targets.add(f"{module}.{alias.name}" if f"{module}.{alias.name}" in files else module)
        found[name] = targets & set(files) - {name}
    return found


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """The nodes of which none can come first; empty where there is no cycle."""
    left = dict(graph)
    while free := [name for name, targets in left.items() if not targets & set(left)]:
        for name in free:
            del left[name]
    return sorted(left)


def test_no_file_imports_itself_through_others():
    assert cycle(arrows()) == []
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


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
