"""Fetch the picture sets and the names of emoji by npm into ``--data``: ``python benchmarks/words/fetch.py``.

Nothing that this fetches is committed; what is trained on it names its authors in NOTICE.md.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from sets import EMOJI, JUDGED, SILHOUETTES

WORDS = ("emojibase-data", "emojilib")


def fetch(data: Path) -> None:
    """Install the packages into ``data``/node_modules; packages that are there already stay."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "package.json").write_text('{"name": "words", "private": true}\n')
    packages = [f"@iconify-json/{name}" for name in (*EMOJI, *JUDGED, *SILHOUETTES)] + list(WORDS)
    missing = [name for name in packages if not (data / "node_modules" / name).exists()]
    if missing:
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *missing]
        subprocess.run(command, cwd=data, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    fetch(parser.parse_args().data)
