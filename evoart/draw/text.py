"""Lines of text as pixels, in the typeface that comes with Pillow."""

from __future__ import annotations

import numpy as np

LEAST = 7  # pixels: smaller letters are no letters


def text_mask(text: str, height: int, longest: int) -> np.ndarray:
    """Opacity ``(height, w)`` float32 in [0, 1] of one line of text; ``w`` is at most ``longest``.

    A text that is too long loses its end; a line too low to be read is empty, ``w`` = 0.
    """
    from PIL import Image, ImageDraw, ImageFont

    if height < LEAST or longest < 1:
        return np.zeros((max(height, 0), 0), np.float32)
    font = ImageFont.load_default(0.62 * height)
    shown = text
    while shown and font.getlength(shown) > longest:
        text = text[:-1]
        shown = f"{text}..." if text else ""
    image = Image.new("L", (min(longest, int(np.ceil(font.getlength(shown)))), height))
    ImageDraw.Draw(image).text((image.width / 2, height / 2), shown, fill=255, font=font, anchor="mm")
    return np.asarray(image, np.float32) / np.float32(255)
