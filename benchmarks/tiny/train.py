"""Train the tiny CLIP model that comes with evoart, or its judge: ``python benchmarks/tiny/train.py tiny``.

Both towers are open_clip's architecture at toy size, so what is written here loads like any other CLIP model. A batch
holds captioned pictures of a small world, some clean, some behind clutter, some made of many translucent triangles;
pictures that show nothing; and pictures that were evolved against the model (see ``evolved``), which compete with the
true ones for their captions. Every batch is learned twice, the second time pushed along its own gradient ("free"
adversarial training: A. Shafahi et al., 2019), because a model that such pushes cannot fool has gradients one can see.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import world
from evolved import Evolved
from optax.contrib import MuonDimensionNumbers, muon

from evoart.openclip.config import ClipConfig, parse
from evoart.openclip.model import encode_image, encode_text
from evoart.openclip.safetensors import read, write
from evoart.openclip.tokens import Words, tokenize
from evoart.openclip.weights import to_params, to_state
from evoart.score.crops import resample

CONTEXT = 16
CANVAS = 64  # pixels of a picture, of which the model sees a crop, as in a search
VISION = {
    "tiny": {"image_size": 50, "patch_size": 10, "width": 128, "layers": 4, "head_width": 32, "mlp_ratio": 3.0},
    "judge": {"image_size": 40, "patch_size": 8, "width": 144, "layers": 4, "head_width": 36, "mlp_ratio": 3.0},
}
SEEDS = {"tiny": 1, "judge": 1001}
STEPS, CALM = {"tiny": 9000, "judge": 5000}, {"tiny": 1500, "judge": 1200}
LIVE, POOL, SHOWN, SPOILED, ABSTRACT, KEPT = 14, 56, 6, 8, 4, 2000
CONTEXTS, ALIKE, OTHERS = 5, 8, 24  # pictures that differ in their thing alone, and any others
RATE = 2e-3
EASY = 1200  # steps over which things get smaller and pictures harder


HEADS = {"shape": 0, "ink": 1, "count": 2, "ground": 6}


def configuration(name: str) -> dict:
    """open_clip's JSON configuration of a tiny model, with its words."""
    words = world.vocabulary()
    return {
        "embed_dim": 96,
        "vision_cfg": VISION[name],
        "text_cfg": {"context_length": CONTEXT, "vocab_size": len(words) + 3, "width": 96, "heads": 3, "layers": 2},
        "quick_gelu": True,
        "words": words,
    }


def start(config: ClipConfig, key: jax.Array) -> dict:
    """Random parameters, about as open_clip starts."""
    keys = iter(jax.random.split(key, 40))

    def normal(std: float, *shape: int) -> jax.Array:
        return std * jax.random.normal(next(keys), shape)

    def norm(*shape: int) -> dict:
        return {"scale": jnp.ones(shape), "bias": jnp.zeros(shape)}

    def blocks(tower) -> dict:
        n, d, h = tower.layers, tower.width, tower.hidden
        return {
            "norm_1": norm(n, d), "norm_2": norm(n, d),
            "qkv": normal(d**-0.5, n, d, 3 * d), "qkv_bias": jnp.zeros((n, 3 * d)),
            "out": normal((2 * n * d) ** -0.5, n, d, d), "out_bias": jnp.zeros((n, d)),
            "up": normal((2 * d) ** -0.5, n, d, h), "up_bias": jnp.zeros((n, h)),
            "down": normal((2 * n * d) ** -0.5, n, h, d), "down_bias": jnp.zeros((n, d)),
        }  # fmt: skip

    v, t = config.vision, config.text
    pixels, d = 3 * v.patch**2, v.tower.width
    return {
        "vision": {
            "patch": normal(pixels**-0.5, pixels, d), "class": normal(d**-0.5, d),
            "position": normal(d**-0.5, (v.size // v.patch) ** 2 + 1, d), "norm_pre": norm(d), "norm_post": norm(d),
            "blocks": blocks(v.tower), "projection": normal(d**-0.5, d, config.embed),
        },
        "text": {
            "token": normal(0.02, t.vocabulary, t.tower.width), "position": normal(0.01, t.context, t.tower.width),
            "norm_final": norm(t.tower.width), "blocks": blocks(t.tower),
            "projection": normal(t.tower.width**-0.5, t.tower.width, config.embed),
        },
    }  # fmt: skip


def held_out(facts: np.ndarray) -> bool:
    """Pairs of thing and colour that are never shown in training, one in nineteen: for the measured accuracy."""
    return (3 * facts[0] + 5 * facts[1]) % 19 == 4


def softened(images: jax.Array, key: jax.Array) -> jax.Array:
    """Pictures under noise and blur, each to its own degree."""
    a, b, c = jax.random.split(key, 3)
    n = len(images)
    sigma = jnp.maximum(jax.random.uniform(a, (n, 1, 1), minval=-0.4, maxval=1.1), 1e-3)
    at = jnp.arange(images.shape[1])
    spread = jnp.exp(-((at - at[:, None]) ** 2) / (2 * sigma**2))
    spread = spread / spread.sum(2, keepdims=True)
    images = jnp.einsum("nij,njkc->nikc", spread, images)
    images = jnp.einsum("nkj,nijc->nikc", spread, images)
    noise = jnp.maximum(jax.random.uniform(b, (n, 1, 1, 1), minval=-0.06, maxval=0.1), 0)
    return images + noise * jax.random.normal(c, images.shape)


def loss_of(params: dict, images: jax.Array, batch: dict, key: jax.Array, config: ClipConfig) -> tuple[jax.Array, dict]:
    """Contrastive loss; ``images`` ``(n + m, CANVAS, CANVAS, 3)`` are the true ones and then their rivals."""
    seen = jax.vmap(lambda image, box: resample(image[None], box, config.vision.size, config.interpolation)[0])(
        images, batch["boxes"]
    )
    v = encode_image(params["clip"], config, softened(seen, key))
    t = encode_text(params["clip"], config, batch["tokens"])
    scale = jnp.exp(jnp.clip(params["scale"], 0, np.log(40.0)))
    n = len(t)
    logits = scale * v @ t.T
    true, wrong = logits[:n], logits[n:]
    own = jnp.arange(n)
    free = jnp.where(batch["true"] & ~jnp.eye(n, dtype=bool), -1e9, true)  # other true pairs do not compete
    by_image = jax.nn.logsumexp(free, 1) - true[own, own]
    total = by_image.mean()
    columns = free
    if len(batch["aim"]):
        # A rival competes with the true pictures for the caption it was made for, and for no other: the more it looks
        # like them, the less there is to learn from it.
        aims = batch["aim"]
        rival = wrong[jnp.arange(len(aims)), aims]
        columns = jnp.concatenate([free, jnp.full((len(aims), n), -1e9).at[jnp.arange(len(aims)), aims].set(rival)])
    total += (jax.nn.logsumexp(columns, 0) - true[own, own]).mean()
    # Linear readers of the embedding, which are thrown away: they teach it what words alone would teach it slowly.
    right = {}
    for name, index in HEADS.items():
        guess = jax.nn.log_softmax(4 * v[:n] @ params["heads"][name])
        total -= (2 if name == "shape" else 1) * guess[own, batch["facts"][:, index]].mean()
        right[name] = (guess.argmax(1) == batch["facts"][:, index]).mean()
    evolved = batch["evolved"]
    fooled = (jnp.where(evolved, rival, 0).sum() / jnp.maximum(evolved.sum(), 1)) / scale
    aimed = (jnp.where(evolved, true[aims, aims], 0).sum() / jnp.maximum(evolved.sum(), 1)) / scale
    return total, {
        "image": (free.argmax(1) == own).mean(), "text": (free.argmax(0) == own).mean(),
        "shape": right["shape"], "evolved": fooled, "their truth": aimed,
    }  # fmt: skip


class Batches:
    """Draws batches and keeps the evolved pictures."""

    def __init__(self, rng: np.random.Generator, tokenizer: Words) -> None:
        self.rng, self.tokenizer = rng, tokenizer
        self.pool = [self._new() for _ in range(POOL)]
        self.live: list[int] = []  # of the pool, those in the newest batch
        self.archive: list[tuple[np.ndarray, np.ndarray]] = []  # facts and picture
        self.ease = 0.0  # 1: single things are large and clean

    def _new(self) -> Evolved:
        """A picture to evolve for a caption, mostly a short one."""
        rng = self.rng
        while True:
            facts = world.scene(rng).facts
            if facts[2] == 1 and not held_out(facts):
                break
        said = world.stated(rng, facts)
        if rng.random() < 0.75:
            said[3:7] = world.UNSAID
        return Evolved(rng, said, int(np.exp(rng.uniform(np.log(30), np.log(300)))), CANVAS)

    def _true(self, wanted: np.ndarray | None) -> world.Drawing:
        rng = self.rng
        while True:
            # Most things are large: what a picture of one thing looks like.
            drawing = world.scene(rng, wanted, max(self.ease, 0.55 * (rng.random() < 0.7)))
            if wanted is not None or not held_out(drawing.facts):
                break
        kind = rng.random() + self.ease
        if kind < 0.15:
            drawing = world.retouched(rng, drawing)
        if 0.1 < kind < 0.3:
            drawing = world.cluttered(rng, drawing)
        return drawing

    def boxes(self, n: int) -> np.ndarray:
        """Crops ``(n, 4)`` like those of a search, the whole picture now and then."""
        rng = self.rng
        area = np.where(rng.random(n) < 0.25, 1.0, rng.uniform(0.7, 1.0, n))
        ratio = np.where(area == 1, 1.0, np.exp(rng.uniform(-1, 1, n) * np.log(1.25)))
        w, h = np.minimum(np.sqrt(area * ratio), 1), np.minimum(np.sqrt(area / ratio), 1)
        box = np.stack([rng.random(n) * (1 - h), rng.random(n) * (1 - w), h, w], 1)
        return (CANVAS * box).astype(np.float32)

    def draw(self, attack: bool) -> tuple[np.ndarray, dict]:
        """Pictures ``(n + m, CANVAS, CANVAS, 3)``, true ones and rivals, and what goes with them."""
        rng = self.rng
        self.live = rng.permutation(POOL)[:LIVE].tolist() if attack else []
        shown = [self.archive[i] for i in rng.integers(0, len(self.archive), SHOWN)] if attack and self.archive else []
        rivals = [(self.pool[i].facts, self.pool[i].draw()) for i in self.live] + shown
        said = [facts for facts, _ in rivals]
        drawings = [self._true(each) for each in said]
        # A thing among others of its colours: telling it from them takes its outline.
        for _ in range(2 if attack else CONTEXTS):
            context = world.stated(rng, world.scene(rng, None, self.ease).facts)
            context[[2, 3, 4, 5, 7, 8]] = 1, world.UNSAID, world.UNSAID, world.UNSAID, 0, 0
            for shape in rng.permutation(np.arange(1, len(world.THINGS) + 1))[:ALIKE]:
                one = context.copy()
                one[0] = shape
                if not held_out(one):
                    drawings.append(self._true(one))
                    said.append(one)
        size = CONTEXTS * ALIKE + OTHERS - (LIVE + SHOWN if attack else 0)
        more = [self._true(None) for _ in range(size - len(drawings))]
        said += [world.stated(rng, each.facts) for each in more]
        drawings += more
        # The same things badly drawn, as rivals of the good ones.
        n = len(drawings)
        aims = list(range(len(rivals))) + list(range(n - SPOILED, n))
        bad = [world.render(world.spoiled(rng, world.scene(rng, said[i], 0.5)), CANVAS) for i in range(n - SPOILED, n)]
        nothing = [world.abstract(rng) for _ in range(ABSTRACT)]
        drawings, said = drawings + nothing, said + [each.facts for each in nothing]
        images = [world.render(each, CANVAS) for each in drawings] + [image for _, image in rivals] + bad
        facts = np.array([each.facts for each in drawings])
        captions = [world.words(rng, each) for each in said]
        return np.array(images, np.float32), {
            "tokens": tokenize(self.tokenizer, captions), "true": world.true_of(np.array(said), facts),
            "aim": np.array(aims), "evolved": np.arange(len(aims)) < len(self.live), "facts": facts,
            "boxes": self.boxes(len(images)),
        }  # fmt: skip

    def climb(self, gradient: np.ndarray) -> None:
        """Let the live pictures take a step ``(LIVE, CANVAS, CANVAS, 3)``."""
        for i, slope in zip(self.live, gradient, strict=True):
            self.pool[i].climb(slope)

    def settle(self) -> None:
        """Archive whoever has lived long enough."""
        for i in self.live:
            each = self.pool[i]
            if each.age >= each.life:
                if len(self.archive) == KEPT:
                    self.archive.pop(int(self.rng.integers(KEPT)))
                self.archive.append((each.facts, each.draw()))
                self.pool[i] = self._new()


def accuracy(params: dict, config: ClipConfig, tokenizer: Words, pictures: int = 400) -> dict[str, float]:
    """Zero-shot accuracy on pictures of pairs never shown: the right word among all of its kind."""
    rng = np.random.default_rng(12345)
    drawings = []
    while len(drawings) < pictures:
        drawing = world.scene(rng)
        if held_out(drawing.facts) and drawing.facts[2] == 1 and drawing.facts[7] == 0:
            drawings.append(drawing)
    images = np.array([world.render(each, CANVAS) for each in drawings], np.float32)
    facts = np.array([each.facts for each in drawings])

    def see(params: dict, images: jax.Array) -> jax.Array:
        box = jnp.array([0, 0, CANVAS, CANVAS], jnp.float32)
        return encode_image(params, config, resample(images, box, config.vision.size, config.interpolation))

    v = np.asarray(jax.jit(see)(params, images))
    embed = jax.jit(lambda params, tokens: encode_text(params, config, tokens))

    def share(index: int, words: list[str], texts: list[list[str]]) -> float:
        unique = sorted({text for row in texts for text in row})
        t = dict(zip(unique, np.asarray(embed(params, tokenize(tokenizer, unique))), strict=True))
        chosen = [
            int((np.array([t[text] for text in row]) @ each).argmax()) for row, each in zip(texts, v, strict=True)
        ]
        return float(np.mean([words[i] == table[facts[k, index]] for k, i in enumerate(chosen)]))

    found = {}
    table = world.SHAPES
    names = list(world.THINGS)
    found["shape"] = share(0, names, [[f"a {world.INKS[row[1]]} {name}" for name in names] for row in facts])
    table = world.INKS
    inks = list(world.COLOURS)
    found["colour"] = share(1, inks, [[f"a {ink} {world.SHAPES[row[0]]}" for ink in inks] for row in facts])
    text = "a {} {} on {}"
    found["ground"] = share(
        6, inks, [[text.format(world.INKS[row[1]], world.SHAPES[row[0]], ink) for ink in inks] for row in facts]
    )
    return found


def hidden(params: dict) -> dict:
    """Which parameters Muon moves: the matrices within the blocks, which lie stacked."""
    return jax.tree.map(lambda value: MuonDimensionNumbers(1, 2) if value.ndim == 3 else None, params)


def train(name: str, steps: int, calm: int, out: Path, seed: int, weights: Path | None = None) -> None:
    """Train from ``weights`` (a file) or at random, report, and write ``NAME.safetensors`` and ``NAME.json``."""
    plain = configuration(name)
    config, tokenizer = parse(plain), Words(tuple(plain["words"]), CONTEXT, name)
    rng = np.random.default_rng(seed)
    heads = {name: jnp.zeros((config.embed, len(world.SHAPES))) for name in HEADS}
    params = {"clip": start(config, jax.random.key(seed)), "scale": jnp.log(jnp.float32(10.0)), "heads": heads}
    if weights is not None:
        params["clip"] = jax.tree.map(jnp.asarray, to_params(read(weights)[0], config))
    schedule = optax.warmup_cosine_decay_schedule(0, RATE if weights is None else RATE / 2, 50, steps, 2e-5)
    # Muon needs a third of Adam's steps here.
    move = muon(
        schedule, weight_decay=0.05, adam_weight_decay=0.05, adam_b2=0.98, consistent_rms=0.2,
        muon_weight_dimension_numbers=hidden,
    )  # fmt: skip
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), move)
    state, mean = optimizer.init(params), params

    @jax.jit
    def learn(params, state, mean, images, batch, key, blend):
        (_, seen), (slope, pixels) = jax.value_and_grad(loss_of, (0, 1), has_aux=True)(
            params, images, batch, key, config
        )
        updates, state = optimizer.update(slope, state, params)
        params = optax.apply_updates(params, updates)
        mean = jax.tree.map(lambda a, b: blend * a + (1 - blend) * b, mean, params)
        return params, state, mean, pixels, seen

    batches, began, cpu = Batches(rng, tokenizer), time.perf_counter(), time.process_time()
    step, told, saved = 0, 0, 0
    while step < steps:
        attack = step >= calm
        harm = min(1.0, max(0.0, (step - calm) / 300))
        batches.ease = 0.0 if weights else max(0.0, 1 - step / EASY)
        images, batch = batches.draw(attack)
        n = len(batch["tokens"])
        for _ in range(2 if attack else 1):
            key = jax.random.fold_in(jax.random.key(seed), step)
            blend = min(0.998, step / (step + 20))
            params, state, mean, pixels, seen = learn(params, state, mean, images, batch, key, blend)
            step += 1
            if attack:
                pixels = np.array(pixels)
                batches.climb(pixels[n : n + len(batches.live)])
                for i, each in enumerate(batches.live):
                    images[n + i] = batches.pool[each].draw()
                reach = harm * rng.uniform(0.3, 3.0, n)[:, None, None, None]
                norm = np.sqrt((pixels[:n] ** 2).sum((1, 2, 3), keepdims=True)) + 1e-12
                images[:n] = np.clip(images[:n] + reach * pixels[:n] / norm, 0, 1)
                batch["boxes"] = batches.boxes(len(images))
        batches.settle()
        if step >= told + 100:
            told = step
            line = " ".join(f"{key} {float(value):.3f}" for key, value in seen.items())
            print(
                f"{step:5d} {line} scale {float(jnp.exp(params['scale'])):.1f} {time.process_time() - cpu:.0f} s",
                flush=True,
            )
        if step >= saved + 400 or step >= steps:
            saved = step
            found = accuracy(mean["clip"], config, tokenizer)
            plain["accuracy"] = {key: round(value, 4) for key, value in found.items()}
            print(f"      {plain['accuracy']} {time.perf_counter() - began:.0f} s", flush=True)
            half = jax.tree.map(lambda x: np.asarray(x, np.float16), mean["clip"])
            state_dict = to_state(half, config) | {"logit_scale": np.asarray(mean["scale"], np.float16)}
            write(out / f"{name}.safetensors", state_dict)
            (out / f"{name}.json").write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(VISION))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--calm", type=int, help="steps before pictures are evolved and batches are pushed")
    parser.add_argument("--weights", type=Path, help="a file of weights to continue from")
    parser.add_argument("--out", type=Path, default=Path("evoart/openclip/models"))
    parser.add_argument("--seed", type=int)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    steps, calm = args.steps or STEPS[args.name], CALM[args.name] if args.calm is None else args.calm
    train(args.name, steps, calm, args.out, SEEDS[args.name] if args.seed is None else args.seed, args.weights)
