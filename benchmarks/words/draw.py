"""Draw prompts by the model inside: ``python benchmarks/words/draw.py "a cat" "a red car" --sheet sheet.png``.

The prior says where a thing's parts are and what colours they have; shapes are grown against it one by one, each by a
small evolution, renewed where they help least, moved by the gradient, and taken out again where nobody misses them.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from evoart.engine.studio import Studio, warm
from evoart.run.fit.build import coarser, scale_of
from PIL import Image

from evoart.engine.clip import flat
from evoart.forms.shapes import ShapesForm
from evoart.openclip import icons
from evoart.run.fit.palette import choose
from evoart.score.pixel import Target
from evoart.search.grow import Grow
from evoart.search.plan import plan_for

KINDS = ("ellipse", "triangle", "rectangle", "polygon:5", "line")
MOST, MORE, LIMIT = 40, 6, 60  # shapes of one figure, for each further one, and in all
FINE = 128  # pixels of the canvas


def weighed(image: np.ndarray, detail: float = 4.0) -> np.ndarray:
    """Weights ``(h, w)`` of mean 1: small things that stand out (an eye) and outlines count more than areas."""
    side = len(image)

    def blurred(x: np.ndarray, sigma: float) -> np.ndarray:
        at = np.arange(side)
        k = np.exp(-((at - at[:, None]) ** 2) / (2 * sigma**2))
        k = (k / k.sum(1, keepdims=True)).astype(np.float32)
        return np.einsum("ij,jkc->ikc", k, np.einsum("kj,ijc->ikc", k, x))

    stands_out = np.abs(image - blurred(image, 0.05 * side)).sum(-1, keepdims=True)
    weight = 1 + detail * blurred(stands_out, 0.008 * side)[..., 0]
    return (weight / weight.mean(dtype=np.float64)).astype(np.float32)


def corner_of(image: np.ndarray) -> tuple[float, float, float]:
    """The colour of the background."""
    red, green, blue = image[1, 1]
    return float(red), float(green), float(blue)


def shapes_for(scene: icons.Scene) -> int:
    """How many shapes a prompt gets at most."""
    return min(MOST + MORE * (sum(part.count for part in scene.parts) - 1), LIMIT)


def colours_of(image: np.ndarray, most: int = 12) -> tuple[tuple[float, float, float], ...]:
    """The flat colours of a picture: of pixels whose neighbours look alike."""
    around = [np.roll(image, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    flat = (np.max(around, 0) - np.min(around, 0)).max(-1) < 0.03
    return choose(image, flat.astype(np.float32), most)


def drawn(image: np.ndarray, background: tuple[float, float, float], seed: int, quality: str = "draft",
          most: int = MOST, flatly: bool = True) -> tuple[Any, np.ndarray, float]:  # fmt: skip
    """Form, genome and loss of shapes that show ``image`` ``(h, w, 3)``."""
    warm()
    target = Target(np.ascontiguousarray(image, np.float32), weighed(image))
    palette = colours_of(image) if flatly else None
    form = ShapesForm(tuple(KINDS[i % len(KINDS)] for i in range(most)), 1.0, 1.0, background, (1.0, 1.0), palette)
    studio = Studio(form, target)
    plan = plan_for(quality, most, missing=most, kinds=len(KINDS))
    search = Grow(
        Studio(form, coarser(target, len(image) / 96)), studio, KINDS, most,
        {kind: scale_of(form, kind) for kind in KINDS}, np.array([[0, 0, 0, 1], [1, 1, 1, 1]], np.float32),
        form.geometry, seed, plan=plan, free_colours=palette is None,
    )  # fmt: skip
    while not search.done:
        search.step()
    kinds, rows = search.structure, search.genome.reshape(len(search.structure), -1)
    return spare(studio, form, kinds, rows, target)


def spare(studio: Studio, form: ShapesForm, kinds: tuple[str, ...], rows: np.ndarray, target: Target,
          tolerance: float = 0.002) -> tuple[Any, np.ndarray, float]:  # fmt: skip
    """Without the shapes that hardly matter."""
    empty = float((((target.image - np.array(form.background)) ** 2) * target.weight[..., None]).mean())
    loss = studio.judge(kinds, rows)[0]
    limit = loss + tolerance * empty + 0.04 * loss
    while len(kinds) > 1:
        costs = studio.removal(kinds, rows)
        i = int(np.argmin(costs))
        fewer, left = kinds[:i] + kinds[i + 1 :], np.delete(rows, i, 0)
        if (new := studio.judge(fewer, left)[0]) > limit:
            break
        kinds, rows, loss = fewer, left, new
    return replace(form, kinds=kinds, columns=rows.shape[1] - 4), rows.ravel(), loss


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompts", nargs="+")
    parser.add_argument("--prior", type=Path, default=icons.FILE)
    parser.add_argument("--sheet", type=Path, default=Path("sheet.png"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quality", default="draft")
    parser.add_argument("--most", type=int, help="shapes at most; default: by the number of figures")
    parser.add_argument("--free", action="store_true", help="any colours")
    parser.add_argument("--targets", action="store_true", help="show what was aimed at as well")
    args = parser.parse_args()
    world, shown = icons.load(args.prior), []
    for prompt in args.prompts:
        scene = world.read(prompt)
        image = world.target(scene, args.seed, FINE)
        corner = corner_of(image)
        began, cpu = time.perf_counter(), time.process_time()
        form, genome, loss = drawn(
            image, corner, args.seed, args.quality, args.most or shapes_for(scene), not args.free
        )
        print(f"{prompt}: {form.groups} shapes, loss {loss:.4f}, {time.perf_counter() - began:.1f} s, "
              f"{time.process_time() - cpu:.1f} CPU s  {scene.parts} {scene.background}", flush=True)  # fmt: skip
        picture = flat(form, genome, (192, 192))
        if args.targets:
            aim = np.asarray(Image.fromarray((255 * image).astype(np.uint8)).resize((192, 192)), np.float32) / 255
            picture = np.concatenate([aim, picture], 1)
        shown.append(picture)
    columns = 4 if args.targets else 6
    shown += [np.ones_like(shown[0])] * (-len(shown) % columns)
    rows = [np.concatenate(shown[i : i + columns], 1) for i in range(0, len(shown), columns)]
    Image.fromarray((255 * np.clip(np.concatenate(rows), 0, 1)).astype(np.uint8)).save(args.sheet)
