"""How well the model inside draws: ``python benchmarks/words/check.py sheet|colours|counts|strip``.

``sheet`` draws 24 things by default settings and one seed, shuffled and numbered: a reader who sees the sheet and the
list of words beside it, and nothing else, matches them. ``colours`` looks at the pixels of "a blue car"; ``counts``
counts connected figures of "three apples".
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import evoart
from evoart.openclip import icons
from evoart.openclip.compose import COLOURS, main_part, shaded

# Tuned on these ...
VALIDATION = (
    "a cat", "a rocket", "a car", "an apple", "a guitar", "an owl", "a tree", "a dog", "a crown", "a bicycle",
    "a turtle", "coffee", "an umbrella", "a sunflower", "a fish", "an airplane", "a mushroom", "a house", "a castle",
    "a sailboat", "a butterfly", "an elephant", "a horse", "a heart",
)  # fmt: skip
# ... and reported on those.
PROMPTS = (
    "a cat", "a penguin", "a lighthouse", "a pineapple", "a snowman", "a key", "a hammer", "a spider", "a cactus",
    "a bell", "a train", "a carrot", "a frog", "a trophy", "a candle", "an octopus", "an ice cream", "a tent",
    "a violin", "a helicopter", "a bee", "a strawberry", "a pair of scissors", "a ghost", "a shark", "a chair",
    "a pizza", "a rabbit",
)  # fmt: skip
STRIP = (
    "a cat", "a red car", "a penguin", "a boat under a yellow sun", "a cactus", "a violin", "a rocket", "three apples",
    "an owl", "a purple umbrella", "a frog", "a birthday cake",
)  # fmt: skip
TINTED = [(c, t) for t in ("car", "umbrella", "fish", "house") for c in ("red", "green", "blue", "yellow", "purple")]
MANY = [(n, t) for t in ("apples", "cats", "stars", "cars") for n in ("two", "three", "four", "five")]


def picture(prompt: str, seed: int, quality: str, size: int = 192) -> np.ndarray:
    """What ``evoart clip`` draws for a prompt ``(size, size, 3)``."""
    return evoart.make("icons", prompts=[prompt], seed=seed, quality=quality).image(size)


def sheet(world: icons.Icons, args: argparse.Namespace) -> None:
    """Write the sheet, the list of words in alphabetical order, and the key apart from both."""
    prompts = VALIDATION if args.validation else PROMPTS
    known = []
    for prompt in prompts:
        try:
            world.read(prompt)
            known.append(prompt)
        except Exception as error:
            print(f"left out: {error}")
    known = known[:24]
    order = np.random.default_rng(args.seed).permutation(len(known))
    side, columns = 192, 6
    rows = -(-len(known) // columns)
    page = Image.new("RGB", (columns * (side + 12) + 12, rows * (side + 30) + 12), "#dddddd")
    pen, began = ImageDraw.Draw(page), time.process_time()
    for place, i in enumerate(order):
        seen = picture(known[i], args.seed, args.quality, side)
        x, y = 12 + place % columns * (side + 12), 12 + place // columns * (side + 30)
        page.paste(Image.fromarray((255 * np.clip(seen, 0, 1) + 0.5).astype(np.uint8)), (x, y + 16))
        pen.text((x + 2, y + 2), str(place + 1), fill="black")
    page.save(args.out.with_suffix(".png"))
    args.out.with_suffix(".txt").write_text("\n".join(sorted(known)) + "\n")
    args.out.with_suffix(".key.json").write_text(json.dumps({p + 1: known[i] for p, i in enumerate(order)}, indent=0))
    print(f"{len(known)} pictures, {(time.process_time() - began) / len(known):.1f} CPU s each")


def strip(world: icons.Icons, args: argparse.Namespace) -> None:
    """Write a dozen pictures side by side, for the README."""
    side, gap = 192, 8
    page = Image.new("RGB", (6 * (side + gap) - gap, 2 * (side + gap) - gap), "white")
    for place, prompt in enumerate(STRIP):
        seen = picture(prompt, args.seed, args.quality, side)
        where = place % 6 * (side + gap), place // 6 * (side + gap)
        page.paste(Image.fromarray((255 * np.clip(seen, 0, 1) + 0.5).astype(np.uint8)), where)
    page.save(args.out.with_suffix(".webp"), quality=85)


def colours(world: icons.Icons, args: argparse.Namespace) -> None:
    """How often the main colour by pixels is the one that was asked for."""
    right = 0
    for word, thing in TINTED:
        seen = picture(f"a {word} {thing}", args.seed, args.quality)
        opaque = (np.abs(seen - 1).max(-1) > 0.04).astype(np.float32)
        image = np.concatenate([seen, opaque[..., None]], -1)
        part = main_part(image) * opaque
        mean = (seen * part[..., None]).sum((0, 1)) / part.sum()
        found = min(COLOURS, key=lambda name: float(((shaded(name) - mean) ** 2).sum()))
        right += found == word
        if found != word:
            print(f"a {word} {thing}: {found}")
    print(f"colour: {right} of {len(TINTED)}")


def counts(world: icons.Icons, args: argparse.Namespace) -> None:
    """How often so many figures stand apart as were asked for."""
    from scipy.ndimage import label

    numbers, right = {"two": 2, "three": 3, "four": 4, "five": 5}, 0
    for word, thing in MANY:
        seen = picture(f"{word} {thing}", args.seed, args.quality)
        patches = np.asarray(label(np.abs(seen - 1).max(-1) > 0.08)[0])  # type: ignore[index]
        sizes = np.bincount(patches.ravel())[1:]
        found = int((sizes > 0.15 * sizes.max()).sum())
        right += found == numbers[word]
        if found != numbers[word]:
            print(f"{word} {thing}: {found}")
    print(f"count: {right} of {len(MANY)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sheet", "colours", "counts", "strip"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--validation", action="store_true", help="the prompts it was tuned on")
    parser.add_argument("--out", type=Path, default=Path("words-sheet"))
    args = parser.parse_args()
    {"sheet": sheet, "colours": colours, "counts": counts, "strip": strip}[args.what](icons.load(), args)
