"""The vocabulary page agrees with the code: whatever is registered or has a protocol is a word of it."""

from __future__ import annotations

import ast
from pathlib import Path

import evoart
from evoart import types

ROOT = Path(evoart.__file__).parent


def words() -> set[str]:
    """The words that ``types`` explains, one a line of its table."""
    table = types.__doc__.split("\n==")[1:-1]
    return {line[:16].strip() for part in table for line in part.splitlines()[1:]} - {""}


def registered() -> set[str]:
    """The nouns of all registries."""
    nouns = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Registry":
                nouns.add(ast.literal_eval(node.args[0]))
    return nouns


def test_every_registered_noun_is_explained():
    nouns = registered()
    assert {"command", "form", "shape"} <= nouns
    assert nouns <= words()


def test_every_protocol_is_explained():
    protocols = {name.lower() for name, value in vars(types).items() if getattr(value, "_is_protocol", False)}
    protocols = {name for name in protocols if not name.startswith(("traced", "gradient"))} - {"protocol"}
    assert protocols <= words()
    assert {"job", "problem", "recipe", "strategy", "score", "search", "result", "checkpoint"} <= words()
