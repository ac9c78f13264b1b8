"""``evoart glyph``: a model that has learned letters from fonts draws them in styles of its own."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli import trained
from evoart.cli.failure import EPILOG
from evoart.cli.sheets import make_sheet, run, run_options, sheet_options

NETWORK, STYLE = "Network", "Style"

_model_option = o.option(
    STYLE,
    "-m",
    "--model",
    type=o.path(),
    metavar="NAME|FILE",
    help="Which model: letters, or a .safetensors of train. [default: letters]",
)
_drawn_options = o.together(
    _model_option,
    trained.sigma_option(STYLE, "0.7"),
    o.option(STYLE, "--ink", metavar="COLOUR", help="Of the letters: #rrggbb or a name. [default: black]"),
    o.option(STYLE, "--background", metavar="COLOUR", help="Likewise, or transparent. [default: white]"),
)


def _letters_option(default: str) -> o.Decorator:
    return o.option(STYLE, "--letters", metavar="TEXT", help=f"What to draw: A-Z, a-z, 0-9. [default: {default}]")


_letter_option = o.option(
    STYLE, "--letter", metavar="LETTER", help="Which letter a picture shows. [default: the one that it is most like]"
)


@click.group(cls=o.Family, short_help="Invent letters: styles, films between them, fonts.", epilog=EPILOG)
def glyph() -> None:
    """Letters in styles that no font has, from a model that learned them from fonts: as SVG, as film, as a font."""


@glyph.command(cls=o.Command, short_help="Train a model on fonts.", epilog=EPILOG)
@click.argument("data", nargs=-1, required=True, type=o.path("FONTS"))
@o.output_options("NAME-letters.safetensors and NAME-letters.png in the current folder", "about 960", "safetensors")
@o.option(NETWORK, "--latent", metavar="N", help="Length of the style vector, 2 to 64. [default: 24]")
@o.option(NETWORK, "--units", metavar="N", help="Units of the decoder's layers, 8 to 1,024. [default: 256]")
@o.option(NETWORK, "--grid", metavar="N", help="Cells a side of its grid of features, 4 to 24. [default: 10]")
@o.option(NETWORK, "--channels", metavar="N", help="Features of each, 1 to 32. [default: 10]")
@o.option(NETWORK, "--encoder", metavar="N", help="Units of the encoder's layers, 8 to 1,024. [default: 128]")
@o.option(NETWORK, "--name", metavar="NAME", help="What the letters are like. [default: the data's name]")
@o.option(NETWORK, "--licence", metavar="TEXT", help="One line kept in the file: what applies to it, whose fonts.")
@trained.learning_options("8,000", "families held out to judge by; 0: none.")
@o.option(trained.LEARNING, "--fonts", metavar="N", help="Fonts a step, 8 letters of each, 1 to 512. [default: 16]")
@o.option(trained.LEARNING, "--points", metavar="N", help="Pixels of a letter that a step looks at. [default: 400]")
@o.option(
    trained.LEARNING,
    "--kl-weight",
    metavar="W",
    help="More makes random styles better, and likenesses worse. [default: 0.03]",
)
@o.seed_option
@run_options
def train(data: tuple[str, ...], **given: Any) -> int:
    """Learn letters from FONTS: font files (.ttf, .otf, .ttc, .woff), folders of them, and packages that npm has
    installed, such as @fontsource/lora.

    One style vector stands for all letters of a font, and whole families are held out to judge by. Mind the licences
    of the fonts: say with --licence what applies to the model.
    """
    from evoart.run.glyph.job import GlyphTrainJob

    return trained.train(GlyphTrainJob, given, data)


@glyph.command(cls=o.Command, short_help="Letters in random styles.", epilog=EPILOG)
@click.argument("letters", required=False, metavar="LETTERS")
@o.output_options("letters-A-sheet.png and letters-A-sheet-01.png, ... in the current folder", "1024 for each", "png")
@sheet_options(12)
@_drawn_options
@o.seed_option
@run_options
def sample(letters: str | None, **given: Any) -> int:
    """Draw LETTERS, A where nothing is said, in random styles: a sheet of them, and each as a picture of its own.

    --pick 7 -o a.svg draws the seventh alone; evoart glyph style a.svg draws all letters in its style.
    """
    from evoart.run.glyph.job import GlyphSampleJob

    return make_sheet(GlyphSampleJob, given, letters=letters)


@glyph.command(cls=o.Command, short_help="A film from letter to letter, from style to style.", epilog=EPILOG)
@click.argument("stops", nargs=-1, type=o.path("PICTURE"))
@o.output_options("NAME-letters.anim.webp in the current folder", "1024", "animated-webp")
@o.loop_options
@_letters_option("what the pictures show")
@_letter_option
@o.option(STYLE, "-n", "--styles", "count", metavar="N", help="Go on through random ones up to N. [default: 4]")
@_drawn_options
@o.seed_option
@run_options
def interpolate(stops: tuple[str, ...], **given: Any) -> int:
    """A seamless loop from one PICTURE of a letter to the next and back to the first; of random styles without any.

    A picture is what evoart glyph drew, a font, or a letter as SVG or picture, whose style is inferred; a whole number
    is the random style of that seed.
    """
    from evoart.run.glyph.job import GlyphInterpolateJob

    return run(GlyphInterpolateJob, given, stops=stops)


@glyph.command(cls=o.Command, short_help="Letters in the style of one that you give.", epilog=EPILOG)
@click.argument("like", required=False, type=o.path("LIKE"))
@o.output_options("NAME-glyphs.svg and NAME-glyphs.png in the current folder", "160 a cap height", "svg")
@_letters_option("all 62")
@_letter_option
@_drawn_options
@o.seed_option
@run_options
def style(like: str | None, **given: Any) -> int:
    """Draw letters in the style of LIKE: one letter as SVG or picture, a font, or what evoart glyph drew.

    A whole number is the random style of that seed, as without LIKE.
    """
    from evoart.run.glyph.job import GlyphStyleJob

    return run(GlyphStyleJob, given, like=like or "")


@glyph.command(cls=o.Command, short_help="A font in one style, to be installed.", epilog=EPILOG)
@click.argument("like", required=False, type=o.path("LIKE"))
@o.output_options("NAME-glyphs.ttf and NAME-glyphs.png in the current folder", "160 a cap height", "ttf")
@_letters_option("all 62")
@_letter_option
@_drawn_options
@o.seed_option
@run_options
def font(like: str | None, **given: Any) -> int:
    """A TrueType font of all 62 letters in the style of LIKE, as of evoart glyph style, and a page that shows them.

    Its name is evoart-NAME. Letters keep the distances that the model learned; there is no kerning.
    """
    from evoart.run.glyph.job import GlyphFontJob

    return run(GlyphFontJob, given, like=like or "")
