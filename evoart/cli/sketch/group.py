"""``evoart sketch``: a group of commands, of which ``sample`` is meant where none is named."""

from __future__ import annotations

import importlib
import os

import click

from evoart.errors import UsageError, unknown

# Name -> module:attribute and the line that lists it.
COMMANDS: dict[str, tuple[str, str]] = {
    "sample": ("evoart.cli.sketch.draw:sample", "Draw sketches from nothing; what is meant where no command is named."),
    "complete": ("evoart.cli.sketch.draw:complete", "Continue a drawing, in several ways."),
    "encode": ("evoart.cli.sketch.data:encode", "Print the latent vector of a drawing."),
    "decode": ("evoart.cli.sketch.draw:decode", "Draw a latent vector, or a drawing as a model sees it."),
    "interpolate": ("evoart.cli.sketch.draw:interpolate", "Draw the way from one drawing to another."),
    "grid": ("evoart.cli.sketch.draw:grid", "Draw a slice of the latent space."),
    "combine": ("evoart.cli.sketch.draw:combine", "Add and take away drawings in the latent space."),
    "train": ("evoart.cli.sketch.train:train", "Train a model on drawings of your own."),
    "convert": ("evoart.cli.sketch.data:convert", "Convert drawings and weights between formats."),
    "models": ("evoart.cli.sketch.data:models", "List the models that have a name."),
}


class SketchGroup(click.Group):
    """Its commands are imported when they are called; a first word that is none of them is the name of a model."""

    default = "sample"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See ``click.Group``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """See ``click.Group``; the command is imported now."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Group``; the default command is put in where none is named."""
        if not args or args[0] not in (*COMMANDS, "-h", "--help"):
            if args and not args[0].startswith("-"):
                check_model(args[0])
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See ``click.Group``; the options are those of the default command."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])
        if (default := self.get_command(ctx, self.default)) is not None:
            default.format_options(click.Context(default, parent=ctx), formatter)
        self.format_epilog(ctx, formatter)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """See ``click.Group``."""
        return ["[MODEL] [OPTIONS]  |  COMMAND ..."]


@click.group(
    cls=SketchGroup,
    short_help="Let a neural network draw: sketches, fake kanji, handwriting.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command explains itself: evoart sketch train --help",
)
def sketch() -> None:
    """Let a neural network draw, stroke by stroke (sketch-rnn, Ha and Eck 2017).

    \b
      evoart sketch                                    invented kanji: comes with evoart, needs no network
      evoart sketch interpolate apple star             the way from one to the other: needs no network either
      evoart sketch bird -n 25 -o birds.svg            a published Quick, Draw! model, downloaded once (3 MB)
      evoart sketch complete wheel.svg --model bicycle --film ride.gif
      evoart sketch train drawings/ --out mine.npz     learn from SVG, .ndjson or .npz, then: evoart sketch mine.npz

    SVG has the strokes in the order drawn, ready for a plotter; .anim.svg draws itself, --film shows the pen.

    The kanji model is learned from KanjiVG (c) Ulrich Apel; its weights are under CC BY-SA 3.0, unlike evoart's code.
    The things, from icons of twenty-three sets; its weights are under Apache-2.0.
    """


def check_model(name: str) -> str:
    """A first word that is neither a command nor the name of a model may be either, misspelled.

    Raises:
        UsageError: with the nearest names of both.
    """
    from evoart.sketch.catalogue import BUILTIN, OTHERS, PUBLISHED, is_file

    plain = name.lower().replace("-", "_").partition(".")[0]
    if is_file(name) or name in BUILTIN or plain in (*OTHERS, *PUBLISHED):
        return name
    if os.path.exists(name):
        raise UsageError(f"'{name}' is not a model", f"Did you mean: evoart sketch complete {name}?")
    raise unknown("sketch model or command", name, [*BUILTIN, *OTHERS, *PUBLISHED, *COMMANDS])
