"""What README.md says to type. ``python tests/readme.py test`` prints the command that passes the tests."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str, page: Path = README) -> list[str]:
    """The fenced code blocks of one language in a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """The lines of a shell block that are typed, without comments."""
    lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def first_block() -> dict[str, str]:
    """The README's first two commands: ``fit`` evolves the bundled picture, ``test`` passes the tests."""
    fit, test = commands(blocks("sh")[0])
    return {"fit": fit, "test": test}


def parse(line: str) -> click.Context:
    """Have click read an ``evoart ...`` line without running it."""
    import click

    from evoart.cli.app import cli

    words = shlex.split(line)[1:]
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, line
    while isinstance(command, click.Group) and len(words) > 1 and not words[1].startswith("-"):
        if words[1] not in command.list_commands(click.Context(command)):  # what is meant where no command is named
            words.insert(1, command.default)
        words = words[1:]
        command = command.get_command(click.Context(command), words[0])
        assert command is not None, line
    return command.make_context(words[0], words[1:])


if __name__ == "__main__":
    print(first_block()[sys.argv[1]])
