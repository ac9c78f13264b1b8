"""A picture in letters, 60 to a line: the darker, the denser."""

from __future__ import annotations

from evoart.output.formats import Artwork, Format, Options

LETTERS = "@%#*+=-:. "  # from dark to light
COLUMNS = 60


def encode(artwork: Artwork, options: Options) -> bytes:
    """The artwork as text; a letter is twice as high as wide."""
    w, h = artwork.size
    rows = max(1, round(COLUMNS * h / w / 2))
    painted = artwork.drawing.paint((COLUMNS, rows))  # straight colour and opacity
    opacity = painted[..., 3]
    light = painted[..., :3].mean(-1) * opacity + (1 - opacity)  # on white
    shades = (light * (len(LETTERS) - 1)).round().astype(int)
    return "".join("".join(LETTERS[shade] for shade in row) + "\n" for row in shades).encode()


TEXT = Format((".txt",), encode)
