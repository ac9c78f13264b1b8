"""Render every set's icons by resvg into ``--data``/pictures.npz: ``python benchmarks/words/render.py``.

A picture is ``SIZE`` pixels wide, sRGB and opacity in bytes. What is there already is not rendered again.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image
from scipy.ndimage import binary_fill_holes
from sets import EMOJI, JUDGED, SILHOUETTES, bodies, things

from evoart.openclip.compose import shaded

SIZE = 128


def picture(collection: dict, icon: str, size: int = SIZE) -> np.ndarray:
    """An icon ``(size, size, 4)`` in bytes, of an Iconify collection; colourless parts are black."""
    alias = collection.get("aliases", {}).get(icon)
    each = collection["icons"][alias["parent"] if alias else icon]
    get = lambda key, default: each.get(key, collection.get(key, default))  # noqa: E731
    box = f"{get('left', 0)} {get('top', 0)} {get('width', 16)} {get('height', 16)}"
    body = each["body"].replace("currentColor", "#000")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{size}" '
        f'height="{size}" viewBox="{box}">{body}</svg>'
    )
    image = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA")
    return np.asarray(image.resize((size, size)) if image.size != (size, size) else image)


def coloured(image: np.ndarray, colour: str) -> np.ndarray:
    """A silhouette ``(h, w, 4)`` in bytes in a colour, and what it encloses in a light shade of it."""
    shown = image[..., 3] > 127
    rgb = shaded("dark grey" if colour == "black" else colour)
    inside = np.asarray(binary_fill_holes(shown)) & ~shown
    alpha = np.where(inside, 255, image[..., 3])[..., None]
    light = 0.35 * rgb + 0.65
    share = np.where(inside, image[..., 3] / 255, 1.0)[..., None]
    return np.concatenate([(255 * (light + share * (rgb - light))).astype(np.uint8), alpha], -1).astype(np.uint8)


def render(data: Path) -> None:
    """Write pictures ``(n, SIZE, SIZE, 4)`` with the set and the thing of each, and the things as JSON."""
    found = things(data)
    names = (*EMOJI, *JUDGED, *SILHOUETTES)
    sets = {name: bodies(data, name) for name in names}
    pictures, of_set, of_thing = [], [], []
    for i, thing in enumerate(found):
        for name, icon in thing.icons.items():
            try:
                seen = picture(sets[name], icon)
            except Exception as error:  # a few bodies are not valid SVG
                print(f"{name} {icon}: {error}")
                continue
            if thing.colour:
                seen = coloured(seen, thing.colour)
            if seen[..., 3].max() > 0:
                pictures.append(seen)
                of_set.append(names.index(name))
                of_thing.append(i)
    np.savez_compressed(
        data / "pictures.npz", pictures=np.array(pictures), sets=np.array(of_set), things=np.array(of_thing)
    )
    rows = [{"name": t.name, "words": t.words, "theme": t.theme, "emoji": t.emoji, "colour": t.colour} for t in found]
    (data / "things.json").write_text(json.dumps({"sets": names, "things": rows}, indent=0, ensure_ascii=False))
    print(f"{len(pictures):,} pictures of {len(found):,} things")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    args = parser.parse_args()
    if not (args.data / "pictures.npz").exists():
        render(args.data)
