"""The ``evoart`` group: its commands, loaded when called, and what happens when one fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from evoart.cli import failure
from evoart.cli.failure import EXIT_CODES
from evoart.errors import EvoartError, UsageError, unknown
from evoart.registry import Registry
from evoart.version import __version__

# Name -> module:attribute and the line that lists it, so that listing imports nothing.
COMMANDS: dict[str, tuple[str, str]] = {
    "fit": ("evoart.cli.fit:fit", "Draw a photograph with a few shapes."),
    "clip": ("evoart.cli.clip:clip", "Draw what words say: offline, or by CLIP."),
    "score": ("evoart.cli.score:score", "Say how well a picture agrees with words."),
    "models": ("evoart.cli.models:models", "List CLIP models: what is here, sizes, licences."),
    "cppn": ("evoart.cli.cppn:cppn", "Pictures from networks of coordinates, at any size."),
    "grow": ("evoart.cli.grow:grow", "Grow a picture from one cell; it heals."),
    "glyph": ("evoart.cli.glyph:glyph", "Invent letters: styles, films between them, fonts."),
    "sketch": ("evoart.cli.sketch.group:sketch", "Let a neural network draw: sketches, fake kanji, handwriting."),
    "breed": ("evoart.cli.breed:breed", "Children of the pictures you choose, of any form."),
    "studio": ("evoart.cli.studio:studio", "Watch, steer and edit in the browser, on this machine."),
    "gallery": ("evoart.cli.gallery:gallery", "Make pictures by the hundred, and web pages of them."),
    "resume": ("evoart.cli.resume:resume", "Continue an interrupted run."),
    "redo": ("evoart.cli.redo:redo", "Make a picture again from the recipe inside it."),
    "render": ("evoart.cli.render:render", "Draw a finished picture at another size or in another format."),
    "morph": ("evoart.cli.morph:morph", "A film in which one picture's shapes become another's."),
    "plot": ("evoart.cli.plot:plot", "Draw a picture with the pens of a plotter: SVG, HPGL, G-code."),
    "cut": ("evoart.cli.cut:cut", "Cut a picture out of coloured sheets: vinyl, paper, laser, screen print."),
    "info": ("evoart.cli.info:info", "Show what a picture, recipe or checkpoint holds."),
    "shapes": ("evoart.cli.shapes:shapes", "List the shapes."),
    "strategies": ("evoart.cli.strategies:strategies", "List the evolution strategies, with advice; film them."),
    "doctor": ("evoart.cli.doctor:doctor", "Show versions, devices, engines and what is missing."),
    "completion": ("evoart.cli.completion:completion", "Print the completion script of a shell."),
}

LOADED = Registry("command", "evoart.commands", {name: place for name, (place, _) in COMMANDS.items()})

EXAMPLES = (
    ("evoart fit photo.jpg", "100 triangles, as SVG and PNG"),
    ('evoart clip "a cat"', "what words say: offline, or judged by CLIP"),
    ("evoart cppn", "a sheet of pictures by random networks"),
    ("evoart sketch", "a sheet of invented kanji, as a pen draws them"),
)


class Group(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands in the order of the help, those of plugins last."""
        return [*COMMANDS, *_plugins()]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click would take an EOFError for Ctrl-D and call it an interruption."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise RuntimeError(f"EOFError: {error}") from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, one that says what is wrong where a plugin is broken, or None."""
        name = cmd_name
        if name not in LOADED:
            return None
        try:
            command = LOADED[name]
        except EvoartError as error:
            return _placeholder(name, error)
        if isinstance(command, click.Command):
            return command
        what = f"the command '{name}' comes from a plugin and is not a click command"
        return _placeholder(name, EvoartError(what, "Update or remove the package that provides it"))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first of ``args`` names.

        Raises:
            UsageError: there is none; with a suggestion.
        """
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None:
            if name.startswith("-"):
                return super().resolve_command(ctx, args)
            if os.path.exists(name) or "." in name:
                raise UsageError(f"'{name}' is not a command", f"Did you mean: evoart fit {name}?")
            raise unknown("command", name, self.list_commands(ctx))
        return name, command, args[1:]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, the commands, options and exit codes."""
        formatter.write("Evolve pictures: from photographs, words, coordinates and pen strokes.\n\n")
        width = max(len(line) for line, _ in EXAMPLES)
        for line, meaning in EXAMPLES:
            formatter.write(f"  {line:<{width}}   {meaning}\n")
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
            if plugins := _plugins():
                found = {name: self.get_command(ctx, name) for name in plugins}
                formatter.write_dl([(name, each.get_short_help_str(200)) for name, each in found.items() if each])
        self.format_options(ctx, formatter)
        formatter.write("\nEvery command explains itself: evoart fit --help\n")
        formatter.write(f"Exit codes: {EXIT_CODES}.\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options that stand before any command."""
        records = [record for parameter in self.get_params(ctx) if (record := parameter.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(records)


def _plugins() -> list[str]:
    """Commands that other packages add."""
    return [name for name in LOADED if name not in COMMANDS]


def _placeholder(name: str, error: EvoartError) -> click.Command:
    """A command in place of one that is broken: it says so when it is listed and when it is called."""

    def explain(words: tuple[str, ...]) -> None:
        raise error

    words = click.Argument(["words"], nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True}
    short = f"Broken: {error.message}."
    return click.Command(name, settings, explain, [words], short_help=short, add_help_option=False)


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", message="evoart %(version)s", help="Show the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Evolve pictures."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; nothing that goes wrong gets past here."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        try:
            result = cli.main(words, prog_name="evoart", standalone_mode=False)
            code = result if isinstance(result, int) else 0
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
        return 1
    except BaseException as error:
        if isinstance(error, OSError):
            _silence_stdout()
        return failure.explain(error, words)
    return code


def _silence_stdout() -> None:
    """Nobody reads, or nothing more fits; keep the interpreter from complaining when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = None  # type: ignore[assignment]
