"""How well the model inside draws: ``python benchmarks/words/check.py sheet|rank|colours|counts|strip``.

``sheet`` draws 24 things by default settings and one seed, shuffled and numbered: a reader who sees the sheet and the
list of words beside it, and nothing else, matches them. ``rank`` draws a hundred others and asks the judge where each
stands among 200 things (``benchmarks/results/words-rank.md``); what is drawn already is not drawn again. ``colours``
looks at the pixels of "a blue car"; ``counts`` counts connected figures of "three apples".
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from captions import spelled
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from sets import EMOJI

import evoart
from evoart.openclip import compose, icons, judge
from evoart.openclip.compose import COLOURS, main_part, shaded

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import common

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
# A hundred everyday things, chosen before any of them was drawn; none is among the above. After a colon the names that
# the judge may give where they are not the word itself.
RANKED = (
    "banana", "lemon", "grapes", "watermelon", "cherries", "coconut", "avocado", "broccoli", "garlic", "bread",
    "croissant", "cheese: cheese wedge", "egg", "hamburger", "hot dog", "sandwich", "taco", "popcorn", "doughnut",
    "cookie", "lollipop", "wine glass", "beer mug", "teapot", "spoon", "monkey: monkey face, monkey", "fox", "lion",
    "zebra", "giraffe", "camel", "cow: cow face, cow", "pig: pig face, pig", "sheep: ewe, ram", "hedgehog", "bat",
    "bear", "koala", "panda", "kangaroo", "chicken", "duck", "swan", "peacock", "parrot", "eagle", "snake",
    "crocodile", "dolphin", "whale: whale, spouting whale", "crab", "lobster", "snail", "ant", "scorpion", "rose",
    "palm tree", "moon: crescent moon, full moon", "rainbow", "snowflake", "fire", "bus", "tractor", "ambulance",
    "motorcycle", "ship", "anchor", "parachute", "alarm clock", "hourglass: hourglass done, hourglass not done",
    "camera", "television", "laptop", "light bulb",
    "book: books, open book, closed book, blue book, green book, orange book", "pencil", "paintbrush", "lock: locked",
    "axe", "magnet", "ladder", "microscope", "telescope", "door", "bed", "broom", "balloon", "gift: wrapped gift",
    "teddy bear", "drum", "trumpet", "saxophone", "dress", "jeans", "sock: socks", "backpack", "glasses", "robot",
    "skull", "unicorn",
)  # fmt: skip
CONTROLS = ("nothing", "shapes", "another")
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


def _drawn(prompt: str, args: argparse.Namespace, quality: str) -> tuple[np.ndarray, float]:
    """A picture in bytes ``(256, 256, 3)`` and the CPU seconds that it took, drawn once and then kept."""
    path = args.data / "ranked" / f"{quality}-{args.seed}" / f"{prompt.replace(' ', '-')}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        began = time.process_time()
        seen = (255 * np.clip(picture(prompt, args.seed, quality, 256), 0, 1) + 0.5).astype(np.uint8)
        notes = PngInfo()
        notes.add_text("seconds", f"{time.process_time() - began:.2f}")
        Image.fromarray(seen).save(path, pnginfo=notes)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")), float(image.info["seconds"])


def _draw_all(jobs: list[tuple[str, argparse.Namespace, str]]) -> None:
    for job in jobs:
        _drawn(*job)


def rank(world: icons.Icons, args: argparse.Namespace) -> None:
    """Tell where the judge ranks each of a hundred prompts among 200 things, and what it makes of controls and of true
    icons in styles that it has not seen."""
    import multiprocessing

    critic = judge.load()
    listed = [(p.partition(":")[0], [w.strip() for w in (p.partition(":")[2] or p).split(",")]) for p in RANKED]
    drawn = [(prompt, names) for prompt, names in listed if set(names) & set(critic.names)]
    for prompt in {p for p, _ in listed} - {p for p, _ in drawn}:
        print(f"the judge does not know {prompt}")
    jobs = [(prompt, args, quality) for quality in args.qualities for prompt, _ in drawn]
    if args.processes > 1:
        with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
            pool.map(_draw_all, [jobs[i :: args.processes] for i in range(args.processes)], 1)
    lists = _lists(critic, [names for _, names in drawn])
    rows, summary = [], []
    for quality in args.qualities:
        seconds, ranks = [], []
        for (prompt, names), among in zip(drawn, lists, strict=True):
            image, took = _drawn(prompt, args, quality)
            seconds.append(took)
            ranks.append(_place(critic, image, names, among))
            rows.append({"drawn": quality, "prompt": prompt, **ranks[-1]})
        summary.append({"pictures": f"drawn as {quality}", **_summary(ranks), "CPU s each": f"{np.mean(seconds):.1f}"})
    for kind in CONTROLS:
        rng, ranks = np.random.default_rng(5), []
        for i, ((_, names), among) in enumerate(zip(drawn, lists, strict=True)):
            other = _drawn(drawn[(i + 37) % len(drawn)][0], args, args.qualities[0])[0]
            image = {"nothing": np.full_like(other, 255), "shapes": _shapes(other, rng), "another": other}[kind]
            ranks.append(_place(critic, image, names, among))
            rows.append({"drawn": f"control: {kind}", "prompt": drawn[i][0], **ranks[-1]})
        says = {"nothing": "empty", "shapes": "random shapes in the picture's colours", "another": "another thing"}
        summary.append({"pictures": f"control: {says[kind]}", **_summary(ranks)})
    if (args.data / "pictures.npz").exists():
        summary += _true_icons(critic, drawn, lists, args.data)
    common.table(rows, "words-rank-each")
    common.table(summary, "words-rank")


def _lists(critic: judge.Judge, wanted: list[list[str]]) -> list[list[str]]:
    """For each prompt 199 other things, always the same."""
    rng, found = np.random.default_rng(2), []
    for names in wanted:
        others = sorted(set(critic.names) - set(names))
        found.append([others[i] for i in rng.choice(len(others), 199, replace=False)])
    return found


def _place(critic: judge.Judge, image: np.ndarray, names: list[str], among: list[str]) -> dict:
    shares = critic.probabilities(np.asarray(image, np.float32) / 255)
    here, everywhere = critic.rank(shares, names, among), critic.rank(shares, names)
    return {"of 200": here.rank, f"of {everywhere.names:,}": everywhere.rank, "taken for": everywhere.first}


def _summary(ranks: list[dict]) -> dict[str, str]:
    """Shares of ranks."""
    first, every = np.array([r["of 200"] for r in ranks]), np.array([list(r.values())[1] for r in ranks])
    return {
        "first of 200": f"{(first == 1).mean():.0%}", "among five of 200": f"{(first <= 5).mean():.0%}",
        "first of all": f"{(every == 1).mean():.0%}", "median rank of all": f"{np.median(every):.0f}",
    }  # fmt: skip


def _shapes(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Forty ellipses and boxes anywhere, in colours of a picture."""
    page = Image.new("RGB", (256, 256), "white")
    pen, colours = ImageDraw.Draw(page), image.reshape(-1, 3)
    colours = colours[(colours < 250).any(1)]
    for _ in range(40):
        x, y, w, h = *rng.uniform(20, 236, 2), *rng.uniform(8, 60, 2)
        paint = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        paint((x - w, y - h, x + w, y + h), fill=tuple(colours[rng.integers(len(colours))].tolist()))
    return np.asarray(page)


def _true_icons(critic: judge.Judge, drawn: list, lists: list, data: Path) -> list[dict]:
    """The same for artists' own pictures of the same things, set by set: what a drawing could reach."""
    store, said = dict(np.load(data / "pictures.npz")), json.loads((data / "things.json").read_text())
    names = [spelled(row["name"]) for row in said["things"]]
    found = []
    for k, name in enumerate(said["sets"]):
        if name not in EMOJI:
            continue
        ranks = []
        for (_, wanted), among in zip(drawn, lists, strict=True):
            rows = np.flatnonzero(
                (store["sets"] == k) & np.isin(store["things"], [names.index(w) for w in wanted if w in names])
            )
            if len(rows):
                image = compose.flattened(store["pictures"][rows[0]] / np.float32(255))
                ranks.append(_place(critic, 255 * image, wanted, among))
        found.append({"pictures": f"true icons: {name} ({len(ranks)})", **_summary(ranks)})
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sheet", "rank", "colours", "counts", "strip"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--validation", action="store_true", help="the prompts it was tuned on")
    parser.add_argument("--out", type=Path, default=Path("words-sheet"))
    parser.add_argument("--data", type=Path, default=Path("build/words"), help="folder of what rank draws")
    parser.add_argument("--qualities", nargs="*", default=["draft", "normal"])
    parser.add_argument("--processes", type=int, default=1, help="that draw, for rank")
    args = parser.parse_args()
    {"sheet": sheet, "rank": rank, "colours": colours, "counts": counts, "strip": strip}[args.what](icons.load(), args)
