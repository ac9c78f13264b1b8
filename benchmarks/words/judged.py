"""Pictures that the judge of the words model learns from: of artists from whom the model inside has nothing.

Fetches the sets by npm and PyPI and renders ``--data``/judged.npz: ``python benchmarks/words/judged.py``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from captions import Captions
from PIL import Image, ImageDraw, ImageFont
from render import picture
from scipy.ndimage import binary_fill_holes
from sets import EMOJI, bodies, things

COLOURED = ("openmoji", "emojione-v1")  # both CC BY-SA 4.0
# Icons of one colour, by name: what they show is what they are called. Game icons, Tabler and Phosphor are the guide's.
ICONS = (
    "mdi", "fa7-solid", "hugeicons", "mingcute", "lucide", "lucide-lab", "la", "ri",
    "bi", "iconoir", "maki", "healthicons", "icons8", "pixelarticons", "solar", "uil",
)  # fmt: skip
SYMBOLA = "rinoh-typeface-symbola"  # the wheel holds Symbola.ttf
FONTS = {
    "symbola": "Symbola.ttf",
    "unifontex": "node_modules/@fontsource/unifontex/files/unifontex-latin-400-normal.woff",
}
STYLES = {
    "fill", "filled", "bold", "duotone", "thin", "light", "outline", "outlined", "rounded", "round", "sharp", "linear",
    "broken", "line", "regular", "solid", "variant", "alt", "twotone", "block", "stroke", "icon",
}  # fmt: skip
SIZE = 64
MOST = 2  # pictures of a thing by one set


def fetch(data: Path) -> None:
    """Install what is missing into ``data``."""
    wanted = [f"@iconify-json/{name}" for name in (*COLOURED, *ICONS)] + ["@fontsource/unifontex"]
    missing = [name for name in wanted if not (data / "node_modules" / name).exists()]
    if missing:
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *missing]
        subprocess.run(command, cwd=data, check=True)
    if not (data / FONTS["symbola"]).exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(data), SYMBOLA]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(data.glob("rinoh_typeface_symbola-*.whl"))) as wheel:
            (data / FONTS["symbola"]).write_bytes(wheel.read("rinoh_typeface_symbola/Symbola.ttf"))


def _base(icon: str) -> str:
    """``hot dog`` of "hot-dog-2-fill"."""
    words = [re.sub(r"\d+$", "", word) for word in icon.split("-")]
    while len(words) > 1 and (words[-1] in STYLES or not words[-1]):
        words.pop()
    return " ".join(word for word in words if word)


def _ink(image: np.ndarray) -> np.ndarray:
    """A picture of one colour as two planes in the same bytes: what its outlines enclose, and its opacity."""
    alpha = image[..., 3]
    inside = np.asarray(binary_fill_holes(alpha > 96)) & (alpha <= 160)
    return np.stack([255 * inside.astype(np.uint8)] * 3 + [alpha], -1)


def _glyph(font: ImageFont.FreeTypeFont, text: str) -> np.ndarray | None:
    """A character, as wide or high as the picture; None where the font has none."""
    box = font.getbbox(text)
    w, h = box[2] - box[0], box[3] - box[1]
    if min(w, h) < 1:
        return None
    side = int(max(w, h))
    page = Image.new("L", (side, side), 0)
    ImageDraw.Draw(page).text(((side - w) / 2 - box[0], (side - h) / 2 - box[1]), text, fill=255, font=font)
    seen = np.asarray(page.resize((SIZE, SIZE), Image.Resampling.BOX if side > SIZE else Image.Resampling.BILINEAR))
    return np.stack([np.zeros_like(seen)] * 3 + [seen], -1)


def _characters(path: Path) -> set[int]:
    """The code points that a font shows."""
    from fontTools.ttLib import TTFont

    return set(TTFont(path).getBestCmap())


def pictures(data: Path) -> Iterator[tuple[str, int, bool, np.ndarray]]:
    """Set, thing, whether it has but one colour, and picture ``(SIZE, SIZE, 4)`` of all that there is."""
    found = things(data)
    for name in COLOURED:
        collection = bodies(data, name)
        for i, thing in enumerate(found):
            if name not in thing.icons:
                continue
            icon = thing.icons[name]
            yield name, i, False, picture(collection, icon, SIZE)
            each = collection["icons"].get(icon)
            if each and 'stroke="#000"' in each["body"]:  # the same without its black outlines
                bare = {"icons": {icon: {**each, "body": each["body"].replace('stroke="#000"', 'stroke="none"')}}}
                sizes = {key: collection[key] for key in ("width", "height") if key in collection}
                yield f"{name}-bare", i, False, picture(sizes | bare, icon, SIZE)
    for name, path in FONTS.items():
        known = _characters(data / path)
        font = ImageFont.truetype(str(data / path), 16 * 8)
        for i, thing in enumerate(found):
            text = thing.emoji.replace("\ufe0f", "")
            if len(text) == 1 and ord(text) in known and (seen := _glyph(font, text)) is not None:
                yield name, i, True, _ink(seen)
    captions, called = Captions(data), {}
    for i, names in enumerate(zip(captions.names, captions.short, strict=True)):
        for word in {each.replace(" ", gap) for each in names for gap in (" ", "")}:
            called.setdefault(word, []).append(i)
    for name in ICONS:
        collection, count = bodies(data, name), {}
        for icon in sorted(collection["icons"], key=lambda icon: ("fill" not in icon, len(icon))):
            for i in called.get(_base(icon), ()):
                count[i] = count.get(i, 0) + 1
                if count[i] <= MOST:
                    yield name, i, True, _ink(picture(collection, icon, SIZE))


def render(data: Path) -> None:
    """Write ``judged.npz``: pictures, the set and thing of each, whether it has one colour; and the things' names."""
    if set(COLOURED) & set(EMOJI) or set(ICONS) & set(EMOJI):
        raise SystemExit("a set of the guide's is among the judge's")
    rows = []
    for row in pictures(data):
        if row[3][..., 3].max() > 0:
            rows.append(row)
    sets = sorted({row[0] for row in rows})
    np.savez_compressed(
        data / "judged.npz", pictures=np.array([row[3] for row in rows]),
        sets=np.array([sets.index(row[0]) for row in rows]), things=np.array([row[1] for row in rows]),
        plain=np.array([row[2] for row in rows]), names=np.array(Captions(data).names), of=np.array(sets),
    )  # fmt: skip
    count = {name: sum(row[0] == name for row in rows) for name in sets}
    print(f"{len(rows):,} pictures of {len({row[1] for row in rows}):,} things: {count}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    args = parser.parse_args()
    fetch(args.data)
    if not (args.data / "judged.npz").exists():
        render(args.data)
