"""Networks that draw latent vectors: the pictures that ``faces`` learned from, and figures of training and drawing.

``python benchmarks/latent.py pictures FOLDER`` fetches two sets of emoji by npm and writes their faces as PNG;
``train FOLDER`` instead trains what comes with evoart on them, ``figures FOLDER`` measures it and writes
``results/latent.md``, ``print`` draws one face as large as prints are, seven CPU minutes, and writes
``results/latent-print.md``.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import common
import numpy as np
from PIL import Image

MODEL = common.ROOT / "evoart" / "cppn" / "latent" / "models" / "faces.safetensors"
OPTIONS = (
    "--name faces --mirror --validation 0 --latent 16 --batch 64 --share 0.125 --learning-rate 0.003 --steps 8000 "
    "--check 500 -s 1"
)
LICENCE = "Apache-2.0; learned from Fluent Emoji (MIT) and Noto Emoji (Apache-2.0), see faces.LICENCE.txt"
UNSEEN = {"twemoji": "1.2.5"}  # another artist's: never trained on
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


def write_pictures(folder: Path, sets: dict[str, str]) -> None:
    """Write the faces of all sets as PNG of ``SIDE`` pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, version in sets.items():
        found = fetch(name, version)
        for icon in faces(found["metadata"]["categories"]):
            small = render(found["icons"], icon).resize((SIDE, SIDE), Image.Resampling.BOX)
            small.save(folder / f"{name}-{icon}.png")


def train(folder: Path, options: str, out: Path) -> tuple[float, float]:
    """Train on the pictures in a folder; CPU and wall seconds."""
    command = [sys.executable, "-m", "evoart", "cppn", "train", folder, *options.split(), "--licence", LICENCE]
    return common.run([*command, "--no-checkpoint", "--overwrite", "-o", out])[:2]


def likeness(folder: Path) -> tuple[float, float, int]:
    """Of the pictures in a folder: their mean PSNR in dB as ``faces`` draws them, seconds to find z, how many."""
    from evoart.run.latent.encoding import encode
    from evoart.run.latent.models import FILES, form_of

    model = FILES.read(MODEL)
    form, found = form_of(model), []
    images = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]
    encode(model, images[0])  # compiled
    start = time.perf_counter()
    latents = [encode(model, image) for image in images]
    seconds = (time.perf_counter() - start) / len(images)
    for image, z in zip(images, latents, strict=True):
        found.append(common.db(common.mse(form.drawing(z).paint((SIDE, SIDE))[..., :3], image / 255)))
    return float(np.mean(found)), seconds, len(images)


def drawing(side: int) -> float:
    """Seconds to draw one picture of ``side`` pixels by all threads."""
    from evoart.run.latent.models import FILES, form_of

    form = form_of(FILES.read(MODEL))
    z = np.random.default_rng(0).standard_normal((4, form.dim))
    form.drawing(z[0]).paint((64, 64))
    start = time.perf_counter()
    for k in range(1, 4):
        form.drawing(z[k]).paint((side, side))
    return (time.perf_counter() - start) / 3


def figures(folder: Path) -> None:
    """Measure, and write ``results/latent.md``."""
    rows = []

    def tell(what: str, value: str) -> None:
        rows.append({"what": what, "value": value})

    with tempfile.TemporaryDirectory() as place:
        out, few = Path(place) / "x.safetensors", OPTIONS.replace("8000", "{}")
        short, long = (train(folder, few.format(steps), out)[0] for steps in (50, 150))
        tell("training, CPU ms a step of 64 pictures", f"{1000 * (long - short) / 100:.0f}")
        other = Path(place) / "other"
        write_pictures(other, UNSEEN)
        for name, where in (("pictures it learned from", folder), ("another artist's faces", other)):
            psnr, seconds, count = likeness(where)
            tell(f"likeness of {count} {name}, PSNR in dB at {SIDE} px", f"{psnr:.1f}")
        tell("finding z of a picture, s", f"{seconds:.2f}")
    for side in (256, 1024):
        tell(f"pictures of {side} px a second", f"{1 / drawing(side):.2f}")
    tell("the model's file, kB", f"{MODEL.stat().st_size / 1000:.0f}")
    common.table(rows, "latent")


def prints() -> None:
    """Draw one face at sizes up to 16,384 px by the command line, compare each with the smallest, and write
    ``results/latent-print.md``."""
    Image.MAX_IMAGE_PIXELS = None
    evoart, rows = [sys.executable, "-m", "evoart"], []
    with tempfile.TemporaryDirectory() as place:
        face, least = Path(place) / "face-07.png", np.zeros(0)
        common.run([*evoart, "cppn", "sample", "-s", 7, "-n", 12, "--size", 128, "-o", Path(place) / "face.png", "-q"])
        for side in (1024, 4096, 16_384):
            out = Path(place) / f"{side}.png"
            cpu, _, peak, _ = common.run([*evoart, "render", face, "-o", out, "--size", side, "-q"])
            small = np.asarray(Image.open(out).convert("RGB").reduce(side // 1024), np.int16)
            least = least if len(least) else small
            rows.append(
                {
                    "px": side, "CPU s": f"{cpu:.0f}", "peak MB": f"{peak:.0f}",
                    "file MB": f"{out.stat().st_size / 1e6:.1f}",
                    "at 1,024 px, most levels from the first": int(np.abs(small - least).max()),
                }
            )  # fmt: skip
    common.table(rows, "latent-print")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("pictures", "train", "figures", "print"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/faces"))
    given = parser.parse_args()
    if given.what == "pictures":
        write_pictures(given.folder, SETS)
    elif given.what == "train":
        print("{:.0f} CPU s, {:.0f} s".format(*train(given.folder, OPTIONS, Path("faces.safetensors"))))
    elif given.what == "print":
        prints()
    else:
        figures(given.folder)


if __name__ == "__main__":
    main()
