"""Icons of things as pen drawings: ``python benchmarks/strokes/drawings.py`` fetches them by npm and writes a stroke
set for each thing into ``--data``/strokes, whose drawings are bent a little, each time otherwise.

``valid`` is what the sets drew that are held out. Nothing that this fetches is committed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path

import numpy as np
from things import HELD_OUT, SETS, STYLES, THINGS

from evoart.errors import EvoartError
from evoart.sketch.arrays import write_npz
from evoart.sketch.order import order
from evoart.sketch.simplify import simplify
from evoart.sketch.strokes import bounds, fitted, to_stroke3
from evoart.sketch.svgfile import read_svg

BOX = 255  # a drawing's longer side
FINE, TOLERANCE = 0.7, 4.0  # of simplification, before and after drawings are bent
LONGEST = 48  # points
DOT = 9.0  # what a dot becomes: a dash of this length
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 {} {}">{}</svg>'


def fetch(data: Path) -> None:
    """Install the packages into ``data``/node_modules; packages that are there already stay."""
    data.mkdir(parents=True, exist_ok=True)
    folder = data / "node_modules/@iconify-json"
    missing = [f"@iconify-json/{name}@{version}" for name, version in SETS.items() if not (folder / name).exists()]
    if missing:
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *missing]
        subprocess.run(command, cwd=data, check=True)


def icons(data: Path) -> dict[str, list[tuple[str, str, list[np.ndarray]]]]:
    """Set, name and strokes of every icon of each thing, strokes as they are in the file on a box of ``BOX``; without
    those that another icon of the same set and thing repeats."""
    patterns = {thing: re.compile(rf"(?:{names})(?:-(?:{STYLES}))*") for thing, names in THINGS.items()}
    found: dict[str, list[tuple[str, str, list[np.ndarray]]]] = {thing: [] for thing in THINGS}
    for prefix in SETS:
        content = json.loads((data / "node_modules/@iconify-json" / prefix / "icons.json").read_text("utf-8"))
        for name, icon in content["icons"].items():
            thing = next((thing for thing, pattern in patterns.items() if pattern.fullmatch(name)), None)
            body = icon["body"]
            if thing is None or 'stroke="' not in body or 'fill="currentColor"' in body or "<animate" in body:
                continue
            width, height = (icon.get(side, content.get(side, 16)) for side in ("width", "height"))
            try:
                strokes = read_svg(SVG.format(width, height, body).encode(), name).strokes
            except EvoartError:
                continue
            strokes = fitted([line for line in strokes if len(line)], (0, 0, BOX, BOX))
            strokes = simplify(order([_dash(line) for line in strokes]), FINE)
            if len(to_stroke3(simplify(strokes, TOLERANCE))) <= LONGEST and not any(
                prefix == other and _alike(strokes, those) for other, _, those in found[thing]
            ):
                found[thing].append((prefix, name, strokes))
    return found


def _dash(line: np.ndarray) -> np.ndarray:
    low, high = bounds([line])
    return line if np.max(high - low) > DOT / 2 else (low + high) / 2 + np.array([[0, -DOT / 2], [0, DOT / 2]])


def _alike(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    one, two = (np.concatenate(those) for those in (a, b))
    return one.shape == two.shape and bool(np.abs(one - two).max() < 2)


def bend(strokes: list[np.ndarray], rng: np.random.Generator) -> list[np.ndarray]:
    """The drawing as another hand would draw it: stretched, turned, slanted and bent a little, sometimes mirrored."""
    turn, slant = rng.normal(0, np.radians(4)), rng.normal(0, 0.06)
    stretch = np.exp(rng.normal(0, 0.1, 2))
    if rng.random() < 0.25:
        stretch[0] *= -1
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1, slant], [0, 1]]
    matrix = matrix * stretch
    waves = rng.normal(0, 1, (2, 3, 2)) / (BOX / 1.6)
    phases, heights = rng.uniform(0, 2 * np.pi, (2, 3)), rng.normal(0, 0.022 * BOX, (2, 3))
    out = []
    for line in strokes:
        p = (line - BOX / 2) @ matrix.T
        p = p + np.stack([np.sum(heights[a] * np.sin(p @ waves[a].T * 2 + phases[a]), -1) for a in (0, 1)], -1)
        out.append(p)
    return fitted(out, (0, 0, BOX, BOX))


def sketch(strokes: list[np.ndarray], rng: np.random.Generator | None = None) -> np.ndarray:
    """stroke-3 of a drawing, its strokes in order; the points tremble a little where there is an ``rng``."""
    lines = simplify(order(strokes), TOLERANCE if rng is None else rng.uniform(0.8, 1.3) * TOLERANCE)
    if rng is not None:
        lines = [line + rng.normal(0, 0.9, line.shape) for line in lines]
    return to_stroke3(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/strokes"))
    parser.add_argument("--each", type=int, default=500, help="drawings of each thing")
    given = parser.parse_args()
    fetch(given.data)
    folder = given.data / "strokes"
    folder.mkdir(exist_ok=True)
    for number, (thing, those) in enumerate(icons(given.data).items()):
        rng = np.random.default_rng([1, number])
        seen = [strokes for prefix, _, strokes in those if prefix not in HELD_OUT]
        held = [sketch(strokes) for prefix, _, strokes in those if prefix in HELD_OUT]
        train = [sketch(bend(seen[k % len(seen)], rng), rng) for k in range(given.each)] if seen else []
        train = [drawing for drawing in train if len(drawing) <= LONGEST]
        sets = {"train": train, "valid": held, "test": []}
        (folder / f"{thing}.npz").write_bytes(
            write_npz({k: [d.astype(np.float32) for d in v] for k, v in sets.items()})
        )
        points = np.mean([len(drawing) for drawing in train]) if train else 0
        print(f"{thing:10} {len(seen):3} icons, {len(held):2} held out, {points:.0f} points", flush=True)


if __name__ == "__main__":
    main()
