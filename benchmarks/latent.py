"""Networks that draw latent vectors: the pictures that ``faces`` learned from, and figures of training and drawing.

``python benchmarks/latent.py pictures FOLDER`` fetches two sets of emoji by npm and writes their faces as PNG; then

    evoart cppn train FOLDER --name faces --mirror --validation 0 ... (see NOTES)

trains what comes with evoart. ``python benchmarks/latent.py figures`` writes ``results/latent.md``.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from PIL import Image

SETS = {"fluent-emoji-flat": "1.2.6", "noto": "1.2.9"}  # MIT; Apache-2.0
SIDE = 32
OTHERS = ("alien", "ghost", "robot", "pile-of-poo", "goblin", "ogre", "jack-o-lantern")
ANIMALS = (
    "bear", "cat-face", "cow-face", "dog-face", "fox", "frog", "hamster", "horse-face", "koala", "lion", "monkey-face",
    "mouse-face", "panda", "pig-face", "polar-bear", "rabbit-face", "tiger-face", "wolf", "unicorn", "dragon-face",
    "sun-with-face", "full-moon-face", "new-moon-face", "raccoon", "boar",
)  # fmt: skip
# What is no face alone: hands, clouds and the like would be ghosts in every morph.
WITHOUT = (
    "hand", "peeking", "hugging", "clouds", "yawning", "shushing", "salut", "thinking", "kiss", "monkey-", "skull",
    "vomiting", "steam", "exhaling",
)  # fmt: skip


def fetch(name: str, version: str) -> dict[str, dict]:
    """``icons`` and ``metadata`` of one of Iconify's sets, from npm."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"@iconify-json/{name}@{version}"], cwd=folder, check=True, capture_output=True
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as files:
            read = lambda part: json.load(files.extractfile(f"package/{part}.json") or io.BytesIO())  # noqa: E731
            return {part: read(part) for part in ("icons", "metadata")}


def faces(categories: dict[str, list[str]]) -> list[str]:
    """The names of the faces in a set."""
    smileys = [
        name
        for name in categories["Smileys & Emotion"]
        if ("face" in name or "cat" in name or name in OTHERS) and not any(part in name for part in WITHOUT)
    ]
    rest = categories["Animals & Nature"] + categories["Travel & Places"]
    return smileys + [name for name in rest if name in ANIMALS]


def render(icons: dict, name: str, size: int = 8 * SIDE) -> Image.Image:
    """An icon of ``size`` pixels on white."""
    import resvg_py

    each = icons["icons"].get(name) or icons["icons"][icons["aliases"][name]["parent"]]
    left, top, wide, tall = (
        each.get(key, icons.get(key, usual)) for key, usual in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{size}" '
        f'height="{size}" viewBox="{left} {top} {wide} {tall}">{each["body"]}</svg>'
    )
    icon = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA")
    page = Image.new("RGBA", icon.size, "white")
    page.alpha_composite(icon)
    return page.convert("RGB")


def write_pictures(folder: Path) -> None:
    """Write the faces of all sets as PNG of ``SIDE`` pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, version in SETS.items():
        found = fetch(name, version)
        for icon in faces(found["metadata"]["categories"]):
            small = render(found["icons"], icon).resize((SIDE, SIDE), Image.Resampling.BOX)
            small.save(folder / f"{name}-{icon}.png")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pictures", "figures"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/faces"))
    given = parser.parse_args()
    write_pictures(given.folder)


if __name__ == "__main__":
    main()
