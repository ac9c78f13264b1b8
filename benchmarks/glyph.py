"""Letters: the fonts that ``letters`` learned from, figures of training and drawing, and a sheet to be read blind.

``python benchmarks/glyph.py fonts FOLDER`` fetches the packages of ``letters-families.txt`` by npm; ``train FOLDER``
trains a model on them, and ``tail FOLDER`` gives its Q a tail: that is the one that comes with evoart. ``figures
FOLDER`` measures it and writes ``results/glyph.md``, ``sheet`` draws every capital in a style of its own, shuffled, and
the key.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import common
import numpy as np
from PIL import Image

MODEL = common.ROOT / "evoart" / "glyph" / "models" / "letters.safetensors"
FAMILIES = Path(__file__).with_name("letters-families.txt")  # of them, one or another licence: letters.LICENCE.txt
TAIL_STEPS = 250
CUTS = ("200-normal", "400-normal", "700-normal", "900-normal", "400-italic")
OPTIONS = "--name letters --steps 7000 --check 500 --seed 1"
LICENCE = (
    "Learned from 160 font families under SIL OFL 1.1, Apache-2.0 and the Ubuntu Font Licence 1.0; "
    "see letters.LICENCE.txt"
)


def fetch(folder: Path) -> None:
    """The fonts of all families as .woff files in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [line.rpartition("@") for line in FAMILIES.read_text().split()]
    with tempfile.TemporaryDirectory() as place:
        packages = {"private": True, "dependencies": {f"@fontsource/{name}": version for name, _, version in names}}
        (Path(place) / "package.json").write_text(json.dumps(packages))
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True)
        for name, _, _ in names:
            for cut in CUTS:
                file = Path(place) / "node_modules" / "@fontsource" / name / "files" / f"{name}-latin-{cut}.woff"
                if file.is_file():
                    shutil.copy(file, folder)


def train(folder: Path, options: str, out: Path) -> tuple[float, float]:
    """Train on the fonts in a folder; CPU and wall seconds."""
    command = [sys.executable, "-m", "evoart", "glyph", "train", folder, *options.split(), "--licence", LICENCE]
    return common.run([*command, "--no-checkpoint", "--overwrite", "-o", out])[:2]


def read_split(folder: Path) -> Any:
    """The fonts, split into families that were learned from and families held out as in ``train``."""
    from evoart.run.glyph.dataset import read_dataset

    return read_dataset([str(folder)], validation=0.05, seed=1)


def give_q_a_tail(folder: Path, model: Any) -> Any:
    """A model whose Q is trained again on fonts that have its tail where most of them do.

    The tail lies in another place in every family, so that the mean of all is none. Only the two rows of weights that
    are the letter Q change; families that are held out are not looked at.
    """
    import jax
    import jax.numpy as jnp
    import optax

    from evoart.glyph.letters import LETTERS, SIDE
    from evoart.glyph.model import SURE, Model, distances_at, features, one_hot, places, splines
    from evoart.glyph.training import SCALE, encode_fonts

    data = read_split(folder).train
    q, o = LETTERS.index("Q"), LETTERS.index("O")
    found = [dict(zip(data.letters[a:b].tolist(), range(a, b), strict=True)) for a, b in pairwise(data.starts)]
    fonts = [k for k, letters in enumerate(found) if q in letters and o in letters]
    with_tail, without = (data.fields[[found[k][each] for k in fonts]].astype(np.float32) / SCALE for each in (q, o))
    tails = (with_tail > 0) & (without < -0.5) & (np.arange(SIDE) >= SIDE // 2)[:, None]
    often = tails.mean(0)
    y, x = np.unravel_index(often.argmax(), often.shape)
    usual = tails[:, y - 1 : y + 2, x - 1 : x + 2].sum((1, 2)) >= 5
    print(f"{usual.sum()} of {len(fonts)} fonts have it there")
    styles = np.float32(encode_fonts(model, data)[fonts][usual])
    wanted = jax.nn.sigmoid(SURE * with_tail[usual].reshape(-1, SIDE**2))
    weight = 1 + 3.0 * (often > 0.05).ravel()
    matrix = splines(places(SIDE), model.config.grid).astype(np.float32)
    both = np.einsum("ya,xb->yxab", matrix, matrix).reshape(SIDE**2, -1)
    params = {name: jnp.asarray(value) for name, value in model.params.items()}

    def insert(rows: Any) -> dict[str, Any]:
        return params | {name: params[name].at[q].set(row) for name, row in rows.items()}

    def loss(rows: Any, z: Any, wanted: Any) -> Any:
        grids, _ = features(insert(rows), z, jnp.broadcast_to(one_hot([q]), (len(z), len(LETTERS))), jnp)
        grids = grids.reshape(len(z), -1, model.config.channels)
        distances = distances_at(params, jnp.einsum("pg,ngc->npc", both, grids), jnp)
        return jnp.mean(optax.sigmoid_binary_cross_entropy(SURE * distances, wanted) @ (weight / weight.mean()))

    rows = {name: params[name][q] for name in ("letters", "gates")}
    adam = optax.adam(optax.cosine_decay_schedule(0.03, TAIL_STEPS))
    state, rng = adam.init(rows), np.random.default_rng(0)
    slope = jax.jit(jax.value_and_grad(loss))
    for step in range(TAIL_STEPS):
        some = rng.choice(len(styles), min(24, len(styles)), replace=False)
        noise = 0.1 * rng.standard_normal((len(some), styles.shape[1])).astype(np.float32)
        value, gradient = slope(rows, styles[some] + noise, wanted[some])
        updates, state = adam.update(gradient, state)
        rows = optax.apply_updates(rows, updates)
        if step % 50 == 0:
            print(step, float(value), flush=True)
    return Model(model.config, {name: np.asarray(value) for name, value in insert(rows).items()}).round()


def likeness(folder: Path) -> list[tuple[str, float, float]]:
    """(which fonts, share of the letter's ink that is right, of the square that is wrong) of fonts, as a style read
    from some of their letters draws the others: families that the model learned from, and those held out."""
    from evoart.glyph.letters import LETTERS
    from evoart.glyph.model import decode, one_hot, read_style
    from evoart.glyph.training import SCALE
    from evoart.run.glyph.models import FILES

    model = FILES.read(MODEL)
    data = read_split(folder)
    found = []
    for name, some in (("families it learned from", data.train), ("held-out families", data.valid)):
        for shown in ("a", "Hamburgefonstiv"):
            overlaps, wrong = [], []
            for font in range(0, some.fonts, max(1, some.fonts // 20)):
                rows = np.arange(some.starts[font], some.starts[font + 1])
                known = np.isin(some.letters[rows], [LETTERS.index(letter) for letter in shown])
                if not known.any():
                    continue
                fields = some.fields[rows].astype(np.float32) / SCALE
                z = read_style(model, fields[known], some.letters[rows][known])
                rest = np.flatnonzero(~known)
                drawn, _ = decode(model, np.repeat(z[None], len(rest), 0), one_hot(some.letters[rows][rest]))
                ours, theirs = drawn > 0, fields[rest] > 0
                overlaps.append(((ours & theirs).sum((1, 2)) / (ours | theirs).sum((1, 2))).mean())
                wrong.append((ours != theirs).mean())
            found.append((f"{name}, from '{shown}'", float(np.mean(overlaps)), float(np.mean(wrong))))
    return found


def figures(folder: Path) -> None:
    """Measure, and write ``results/glyph.md``."""
    from evoart.run.glyph.drawing import draw_letters
    from evoart.run.glyph.models import FILES

    rows = []

    def tell(what: str, value: str) -> None:
        rows.append({"what": what, "value": value})

    with tempfile.TemporaryDirectory() as place:
        few, out = Path(place) / "few", Path(place) / "x.safetensors"
        few.mkdir()
        for file in sorted(folder.glob("*.woff"))[:6]:
            shutil.copy(file, few)
        short, long = (train(few, f"--name x --threads 1 -s 1 --steps {steps}", out)[0] for steps in (10, 110))
        tell("training, CPU ms a step of 128 letters", f"{1000 * (long - short) / 100:.0f}")
    for name, overlap, wrong in likeness(folder):
        tell(f"other letters of {name}: intersection over union; wrong", f"{overlap:.2f}; {wrong:.2%}")
    model = FILES.read(MODEL)
    z = np.random.default_rng(0).standard_normal(model.config.latent)
    draw_letters(model, z, ("A",))
    start = time.perf_counter()
    form, genome = draw_letters(model, z, ("ABCDEFGHIJKLM", "abcdefghijklm"))
    tell("letters decoded and traced a second", f"{26 / (time.perf_counter() - start):.0f}")
    tell("quadratic curves of a letter", f"{form.dim / 4 / 26:.0f}")
    tell("a font of 26 letters, kB", f"{len(form.drawing(genome).font('x')) / 1000:.1f}")
    tell("the model's file, kB", f"{MODEL.stat().st_size / 1000:.0f}")
    common.table(rows, "glyph")


def sheet(seed: int, sigma: float, stem: Path) -> None:
    """Every capital once, each in a random style of its own, in random order: ``stem``.png and .key.json."""
    from evoart.run.glyph.drawing import draw_letters, random_style
    from evoart.run.glyph.job import page_of
    from evoart.run.glyph.models import FILES

    model, rng = FILES.read(MODEL), np.random.default_rng(seed)
    order = [chr(65 + k) for k in rng.permutation(26)]
    side, columns = 160, 7
    page = Image.new("RGB", (columns * side, -(-26 // columns) * side), "white")
    for place, letter in enumerate(order):
        form, genome = draw_letters(model, random_style(model, sigma, seed, place), (letter,), page_of(letter))
        pixels = np.rint(255 * form.drawing(genome).paint((side, side))[..., :3]).astype(np.uint8)
        page.paste(Image.fromarray(pixels), (place % columns * side, place // columns * side))
    page.save(stem.with_suffix(".png"))
    stem.with_suffix(".key.json").write_text(json.dumps({"order": "".join(order), "seed": seed, "sigma": sigma}) + "\n")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("fonts", "train", "tail", "figures", "sheet"))
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/fonts"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sigma", type=float, default=0.7)
    given = parser.parse_args()
    if given.what == "fonts":
        fetch(given.folder)
    elif given.what == "train":
        print("{:.0f} CPU s, {:.0f} s".format(*train(given.folder, OPTIONS, Path("letters.safetensors"))))
    elif given.what == "tail":
        from evoart.run.glyph.models import FILES

        MODEL.write_bytes(FILES.encode(give_q_a_tail(given.folder, FILES.read(Path("letters.safetensors")))))
    elif given.what == "sheet":
        sheet(given.seed, given.sigma, Path(__file__).with_name("results") / "glyph-blind")
    else:
        figures(given.folder)


if __name__ == "__main__":
    main()
