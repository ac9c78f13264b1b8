"""What README.md says to type. ``python tests/readme.py test`` prints the command that passes the tests."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    """The fenced code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """The lines of a shell block that are typed, without comments."""
    lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def first_block() -> dict[str, str]:
    """The README's first two commands: ``fit`` evolves the bundled picture, ``test`` passes the tests."""
    fit, test = commands(blocks("sh")[0])
    return {"fit": fit, "test": test}


if __name__ == "__main__":
    print(first_block()[sys.argv[1]])
