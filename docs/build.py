"""Build the site: ``python docs/build.py`` stages its pages in ``build/docs`` and writes ``build/docs/site``.

Pages are in ``docs/pages``; the reference of commands is written from their help, and pictures come from ``gallery``.
A warning, such as a link that leads nowhere, fails the build. Needs ``pip install -e ".[docs]"``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
STAGE = ROOT / "build" / "docs"


def commands(group: click.Group, path: str = "evoart") -> list[tuple[str, str]]:
    """Each command below ``group``, by its whole name, with its help as the terminal shows it."""
    context = click.Context(group, info_name=path)
    found = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        whole = f"{path} {name}"
        found.append((whole, command.get_help(click.Context(command, info_name=whole, terminal_width=78))))
        if isinstance(command, click.Group):
            found.extend(commands(command, whole))
    return found


def write_commands() -> str:
    """The reference of commands, in Markdown."""
    from evoart.cli.app import cli

    sections = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in commands(cli)]
    return "# Commands\n\nEvery command, as `evoart COMMAND --help` explains it.\n\n" + "\n".join(sections)


def stage() -> None:
    """Copy pages and pictures to ``build/docs`` and write there what is generated."""
    shutil.rmtree(STAGE, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "pages", STAGE / "pages")
    shutil.copy(ROOT / "docs" / "zensical.toml", STAGE)
    hidden = shutil.ignore_patterns("*.html", "README.md", "pages", "thumbs", ".work", "journal.jsonl")
    shutil.copytree(ROOT / "gallery", STAGE / "pages" / "gallery", ignore=hidden)
    (STAGE / "pages" / "reference" / "commands.md").write_text(write_commands(), encoding="utf-8")


def main() -> int:
    """Stage and build; the exit code of the builder."""
    stage()
    zensical = Path(sys.executable).with_name("zensical")
    return subprocess.call([zensical, "build", "--strict", "--clean"], cwd=STAGE)


if __name__ == "__main__":
    sys.exit(main())
