"""``evoart completion``: completion scripts for shells."""

from __future__ import annotations

import os

import click

from evoart.cli import options as o

WHERE = {
    "bash": 'eval "$(evoart completion bash)"    in ~/.bashrc',
    "zsh": 'eval "$(evoart completion zsh)"    in ~/.zshrc',
    "fish": "evoart completion fish | source    in ~/.config/fish/config.fish",
}


@click.command(cls=o.Command, short_help="Print the completion script of a shell.")
@click.argument("shell", required=False, type=o.Words(*WHERE, metavar="SHELL"))
def completion(shell: str | None) -> int:
    """Print the script that makes SHELL (bash, zsh or fish; default: yours) complete evoart's words.

    Put  eval "$(evoart completion bash)"  into ~/.bashrc, the same with zsh into ~/.zshrc (after compinit), or
    evoart completion fish | source  into ~/.config/fish/config.fish.
    """
    from click.shell_completion import get_completion_class

    from evoart.cli.app import cli
    from evoart.errors import unknown

    name = shell or os.path.basename(os.environ.get("SHELL", "bash"))
    kind = get_completion_class(name)
    if kind is None or name not in WHERE:
        raise unknown("shell", name, WHERE)
    # Not .source(): it starts the shell to ask its version, and prints where the script alone is wanted.
    script = kind(cli, {}, "evoart", "_EVOART_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
