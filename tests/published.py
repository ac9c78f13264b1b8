"""What open_clip publishes, as ``evoart/openclip/published.json`` keeps it: ``python tests/published.py`` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evoart.openclip.config import MEAN, STD, VOCABULARY, parse
from evoart.openclip.torch_clip import import_open_clip

PLACE = Path(__file__).parents[1] / "evoart" / "openclip" / "published.json"
_USUAL = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest", "quick_gelu": False}


def table(library: Any) -> dict[str, dict[str, Any]]:
    """Every architecture of open_clip: its configuration or why only torch computes it, and its pretrained tags."""
    rows = {}
    for name in library.list_models():
        if name.endswith("-quickgelu"):
            continue  # the tag says which activation it was trained with
        config = library.get_model_config(name)
        tags = {tag: _tag(plain) for tag, plain in library.pretrained._PRETRAINED.get(name, {}).items()}
        reason = _reason(config)
        rows[name] = {"reason": reason, "tags": tags} if reason else {"config": config, "tags": tags}
    return rows


def _reason(config: dict[str, Any]) -> str:
    try:
        parsed = parse(config)
    except ValueError as error:
        return str(error)
    return "" if parsed.text.vocabulary == VOCABULARY else "its vocabulary is not OpenAI's"


def _tag(plain: dict[str, Any]) -> dict[str, Any]:
    """Where a tag's weights lie, and what is unusual about how its pictures are prepared."""
    unusual = {key: plain[key] for key, usual in _USUAL.items() if plain.get(key, usual) != usual}
    return json.loads(json.dumps({"hub": plain["hf_hub"].rstrip("/"), **unusual}))


def text(rows: dict[str, dict[str, Any]]) -> str:
    """The table as JSON, a line for every model."""
    lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    PLACE.write_text(text(table(import_open_clip())), "utf-8")
