"""Train the model inside, or its judge: ``python benchmarks/words/train.py icons`` writes ``icons.safetensors``.

The picture tower is open_clip's residual net at small size, the text tower its transformer, over a list of words. A
batch holds captioned pictures and some that show nothing. Captions and pictures find each other (contrastive loss) and
pictures their thing (a table of things that is thrown away). Every batch is learned twice, the second time pushed along
its own gradient ("free" adversarial training: A. Shafahi et al., 2019).
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import resnet
from optax.contrib import MuonDimensionNumbers, muon
from sets import EMOJI, JUDGED
from world import SIZE, World

from evoart.openclip.config import MEAN, STD, Text, Tower
from evoart.openclip.model import text_features, unit
from evoart.openclip.safetensors import write
from evoart.openclip.tokens import Words

CONTEXT = 18
EMBED = 128
BATCH, CLUTTER = 104, 12
LAYERS = {"icons": (1, 1, 1, 1), "icons-judge": (1, 1, 1, 1)}
WIDTH = {"icons": 20, "icons-judge": 16}
TEXT_WIDTH = {"icons": 96, "icons-judge": 64}
SETS = {"icons": EMOJI, "icons-judge": JUDGED}
SEEDS = {"icons": 1, "icons-judge": 1001}
RATE = 2e-3
TURNS = 3  # times a batch is learned, pushed further each time
AT_EACH = 240  # seconds between two checkpoints


def configuration(name: str, words: Sequence[str]) -> dict:
    """open_clip's JSON configuration, with the words."""
    vision = {"image_size": SIZE, "layers": list(LAYERS[name]), "width": WIDTH[name]}
    width = TEXT_WIDTH[name]
    text = {"context_length": CONTEXT, "vocab_size": len(words) + 3, "width": width, "heads": width // 32, "layers": 2}
    return {"embed_dim": EMBED, "vision_cfg": vision, "text_cfg": text, "quick_gelu": True, "words": list(words)}


class Towers:
    """Both towers with parameters as they are trained: kernels are standardised (S. Qiao et al., 2019) when used."""

    def __init__(self, plain: dict) -> None:
        self.plain = plain
        text = plain["text_cfg"]
        self.width, self.layers = plain["vision_cfg"]["width"], plain["vision_cfg"]["layers"]
        self.heads = self.width * 32 // 64
        tower = Tower(text["width"], text["layers"], text["heads"], 4 * text["width"], True)

        class Config:  # what text_features reads
            pass

        self.config = Config()
        self.config.text = Text(tower, text["context_length"], text["vocab_size"])  # type: ignore[attr-defined]

    def start(self, key: jax.Array) -> dict:
        """Random parameters."""
        keys = iter(jax.random.split(key, 200))

        def normal(std: float, *shape: int) -> jax.Array:
            return std * jax.random.normal(next(keys), shape)

        def part(k: int, inside: int, outside: int, factor: float = 1.0) -> dict:
            return {
                "kernel": normal((k * k * inside) ** -0.5, k, k, inside, outside),
                "factor": jnp.full(outside, factor), "offset": jnp.zeros(outside),
            }  # fmt: skip

        w = self.width
        stem = [part(3, 3, w // 2), part(3, w // 2, w // 2), part(3, w // 2, w)]
        stages, inside = [], w
        for i, blocks in enumerate(self.layers):
            planes, stage = w * 2**i, []
            for j in range(blocks):
                block = {"one": part(1, inside, planes), "two": part(3, planes, planes)}
                block["three"] = part(1, planes, 4 * planes, 0.5)
                if j == 0:
                    block["past"] = part(1, inside, 4 * planes, 0.7)
                inside = 4 * planes
                stage.append(block)
            stages.append(stage)
        d = 32 * w
        side = self.plain["vision_cfg"]["image_size"] // 32
        pool = {"position": normal(d**-0.5, side**2 + 1, d)}
        for name in "qkvc":
            out = EMBED if name == "c" else d
            pool |= {name: normal(d**-0.5, d, out), f"{name}_bias": jnp.zeros(out)}
        t = self.config.text  # type: ignore[attr-defined]
        n, d, h = t.tower.layers, t.tower.width, t.tower.hidden

        def norm(*shape: int) -> dict:
            return {"scale": jnp.ones(shape), "bias": jnp.zeros(shape)}

        text = {
            "token": normal(0.02, t.vocabulary, d), "position": normal(0.01, t.context, d), "norm_final": norm(d),
            "projection": normal(d**-0.5, d, EMBED),
            "blocks": {
                "norm_1": norm(n, d), "norm_2": norm(n, d),
                "qkv": normal(d**-0.5, n, d, 3 * d), "qkv_bias": jnp.zeros((n, 3 * d)),
                "out": normal((2 * n * d) ** -0.5, n, d, d), "out_bias": jnp.zeros((n, d)),
                "up": normal((2 * d) ** -0.5, n, d, h), "up_bias": jnp.zeros((n, h)),
                "down": normal((2 * n * d) ** -0.5, n, h, d), "down_bias": jnp.zeros((n, d)),
            },
        }  # fmt: skip
        return {"stem": stem, "stages": stages, "pool": pool, "text": text}

    def plainly(self, params: dict) -> dict:
        """The picture tower's parameters as they are used and written."""

        def one(path: tuple, value: jax.Array) -> jax.Array:
            if getattr(path[-1], "key", "") != "kernel":
                return value
            mean = value.mean((0, 1, 2), keepdims=True)
            centred = value - mean
            fan = value.shape[0] * value.shape[1] * value.shape[2]
            return centred * jax.lax.rsqrt((centred**2).mean((0, 1, 2), keepdims=True) + 1e-8) * (1.7 / fan) ** 0.5

        vision = {name: params[name] for name in ("stem", "stages", "pool")}
        return jax.tree_util.tree_map_with_path(one, vision)

    def images(self, params: dict, images: jax.Array) -> jax.Array:
        """Unit embeddings of pictures ``(n, SIZE, SIZE, 3)``."""
        x = (images - jnp.array(MEAN)) / jnp.array(STD)
        return unit(resnet.features(self.plainly(params), self.heads, x))

    def texts(self, params: dict, tokens: jax.Array) -> jax.Array:
        """Unit embeddings of texts."""
        return unit(text_features(params, self.config, tokens))  # type: ignore[arg-type]

    def state(self, params: dict, scale: float) -> dict[str, np.ndarray]:
        """All weights by open_clip's names, float16."""
        from evoart.openclip.weights import _ALONE, _BLOCK, _TEXT, _find

        state = resnet.state_of(jax.tree.map(np.asarray, self.plainly(params)))
        for ours, theirs in _ALONE:
            if ours.startswith("text/"):
                state[theirs] = np.asarray(_find(params, ours))
        for ours, theirs, turned in _BLOCK:
            if (stacked := _find(params["text"]["blocks"], ours)) is not None:
                for i, array in enumerate(np.asarray(stacked)):
                    state[f"{_TEXT}{i}.{theirs}"] = np.ascontiguousarray(array.T if turned else array)
        state["logit_scale"] = np.array(scale, np.float32)
        return {name: np.asarray(array, np.float16) for name, array in state.items()}


def shown(images: jax.Array, key: jax.Array) -> jax.Array:
    """Pictures cropped, blurred, brightened and under noise, each to its own degree."""
    a, b, c, d, e = jax.random.split(key, 5)
    n, size = len(images), images.shape[1]
    at = jnp.arange(size) + 0.5
    share = jnp.where(jax.random.uniform(d, (n, 1)) < 0.3, 1.0, jax.random.uniform(e, (n, 1), minval=0.8, maxval=1.0))
    side = share * jnp.exp(jax.random.uniform(a, (n, 2), minval=-0.05, maxval=0.05))
    start = jax.random.uniform(b, (n, 2)) * (1 - side) * size
    sigma = jnp.maximum(jax.random.uniform(c, (n, 1, 1), minval=-0.4, maxval=1.0), 0.35)

    def weights(axis: int) -> jax.Array:
        centre = start[:, axis, None] + at * side[:, axis, None]
        spread = jnp.exp(-((at - centre[:, :, None]) ** 2) / (2 * sigma**2))
        return spread / jnp.maximum(spread.sum(2, keepdims=True), 1e-6)

    images = jnp.einsum("nij,njkc->nikc", weights(0), images)
    images = jnp.einsum("nkj,nijc->nikc", weights(1), images)
    noise = jnp.maximum(jax.random.uniform(c, (n, 1, 1, 1), minval=-0.06, maxval=0.08), 0)
    return images + noise * jax.random.normal(e, images.shape)


def loss_of(params: dict, images: jax.Array, batch: dict, towers: Towers) -> tuple[jax.Array, dict]:
    """Contrastive loss and the loss of the table; the last pictures have no caption and belong to no one."""
    v = towers.images(params, images)
    t = towers.texts(params, batch["tokens"])
    n = len(t)
    scale = jnp.exp(jnp.clip(params["scale"], 0, np.log(60.0)))
    logits = scale * v @ t.T
    same = batch["same"] & ~jnp.eye(n, dtype=bool)
    own = jnp.arange(n)
    true = jnp.where(same, -1e9, logits[:n])
    total = (jax.nn.logsumexp(true, 1) - logits[own, own]).mean()
    columns = jnp.concatenate([true, logits[n:]])
    total += (jax.nn.logsumexp(columns, 0) - logits[own, own]).mean()
    table = unit(params["table"])
    guess = jax.nn.log_softmax(16 * v[:n] @ table.T)
    thing = batch["thing"]
    known = thing >= 0
    total -= jnp.where(known, guess[own, thing], 0).sum() / known.sum()
    # A text of one thing is near its row, too: this ties words to pictures from the first step on.
    spoken = jax.nn.log_softmax(16 * t @ table.T)
    total -= 0.5 * jnp.where(known, spoken[own, thing], 0).sum() / known.sum()
    right = (guess.argmax(1) == thing) & known
    return total, {
        "image": (true.argmax(1) == own).mean(), "thing": right.sum() / known.sum(),
        "text": (jnp.where(known, spoken.argmax(1) == thing, False)).sum() / known.sum(),
        "nothing": (logits[n:].max(1) / scale).mean(), "truth": (logits[own, own] / scale).mean(),
    }  # fmt: skip


class Batches:
    """Draws batches."""

    def __init__(self, data: Path, sets: tuple[str, ...], seed: int) -> None:
        self.world = World(data, sets, np.random.default_rng(seed))
        self.tokenizer = Words(tuple(self.world.captions.vocabulary), CONTEXT, "icons")
        self._ids = {word: i + 1 for i, word in enumerate(self.tokenizer.words)}

    def tokens(self, texts: list[str]) -> np.ndarray:
        """Ids ``(n, CONTEXT)``: as ``evoart.openclip.tokens`` has them, faster."""
        out = np.zeros((len(texts), CONTEXT), np.int32)
        for row, text in zip(out, texts, strict=True):
            ids = [self._ids[w] for w in text.split() if w in self._ids][: CONTEXT - 2]
            ids = [self.tokenizer.start, *ids, self.tokenizer.end]
            row[: len(ids)] = ids
        return out

    def draw(self) -> tuple[np.ndarray, dict]:
        """Pictures ``(BATCH + CLUTTER, SIZE, SIZE, 3)`` and what goes with them."""
        items = [self.world.item() for _ in range(BATCH)]
        images = [item[0] for item in items] + [self.world.clutter() for _ in range(CLUTTER)]
        texts, things = [item[1] for item in items], np.array([item[2] for item in items])
        # The same thing and number with no colour told apart is no wrong pair: leave it out.
        same = np.array([[a == b for b in texts] for a in texts])
        return np.array(images, np.float32), {"tokens": self.tokens(texts), "thing": things, "same": same}


def accuracy(towers: Towers, params: dict, batches: Batches, data: Path, sets: tuple[str, ...]) -> dict[str, float]:
    """How often pictures of ``sets`` (never shown) are given their own name, first and among five of all things."""
    held = World(data, sets, np.random.default_rng(7))
    from evoart.openclip.compose import flattened, pasted

    rows = np.random.default_rng(7).permutation(len(held.pictures))[:400]
    images = np.array(
        [flattened(pasted([(held.pictures[i] / np.float32(255), (0.02, 0.02, 0.96, 0.96))], SIZE)) for i in rows]
    )
    v = np.concatenate([np.asarray(_SEE(towers)(params, images[i : i + 100])) for i in range(0, len(images), 100)])
    names = [f"a {name}" for name in batches.world.captions.names]
    t = np.asarray(_READ(towers)(params, batches.tokens(names)))
    order = (v @ t.T).argsort(1)[:, ::-1]
    place = (order == held.things[rows, None]).argmax(1)
    return {"first": float((place == 0).mean()), "five": float((place < 5).mean())}


_MADE: dict = {}


def _SEE(towers: Towers):
    return _MADE.setdefault("see", jax.jit(towers.images))


def _READ(towers: Towers):
    return _MADE.setdefault("read", jax.jit(towers.texts))


def shapes_of(params: dict) -> dict:
    """Which parameters Muon moves: kernels, and matrices of the transformer."""

    def one(path: tuple, value: jax.Array) -> MuonDimensionNumbers | None:
        key = getattr(path[-1], "key", "")
        if key == "kernel":
            return MuonDimensionNumbers((0, 1, 2), 3)
        return MuonDimensionNumbers(1, 2) if value.ndim == 3 else None

    return jax.tree_util.tree_map_with_path(one, params)


def train(args: argparse.Namespace) -> None:
    """Train for ``--minutes`` (in all, over all calls), save as it goes; called again it goes on."""
    name, sets = args.name, SETS[args.name]
    if args.without:
        sets = tuple(each for each in sets if each not in args.without)
    batches = Batches(args.data, sets, SEEDS[name])
    plain = configuration(name, batches.world.captions.vocabulary)
    towers = Towers(plain)
    params = towers.start(jax.random.key(SEEDS[name]))
    params["table"] = 0.1 * jax.random.normal(jax.random.key(3), (len(batches.world.captions.names), EMBED))
    params["scale"] = jnp.log(jnp.float32(14.0))

    def schedule(share: jax.Array) -> jax.Array:
        return jnp.minimum(share * 60, 1.0) * jnp.clip((1 - share) / 0.55, 0.01, 1.0)

    move = muon(
        1.0, weight_decay=0.02, adam_weight_decay=0.02, adam_b2=0.98, consistent_rms=0.2,
        muon_weight_dimension_numbers=shapes_of,  # type: ignore[arg-type]
    )  # fmt: skip
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), move)

    @jax.jit
    def learn(params, state, mean, images, batch, blend, rate):
        (_, seen), (slope, pixels) = jax.value_and_grad(loss_of, (0, 1), has_aux=True)(params, images, batch, towers)
        updates, state = optimizer.update(slope, state, params)
        params = optax.apply_updates(params, jax.tree.map(lambda x: rate * x, updates))
        mean = jax.tree.map(lambda a, b: blend * a + (1 - blend) * b, mean, params)
        return params, state, mean, pixels, seen

    show = jax.jit(shown)
    path = args.out / f"{name}.pickle"
    step, spent = 0, 0.0
    state, mean = optimizer.init(params), params
    if path.exists():
        step, spent, params, state, mean = pickle.loads(path.read_bytes())
    rng = np.random.default_rng(SEEDS[name] + step)
    batches.world.rng = rng
    limit, began, saved, told = 60 * args.minutes, time.perf_counter(), time.perf_counter(), step
    first = step
    shape = args.held or (JUDGED if name == "icons" else EMOJI)
    seen: dict = {}
    while True:
        now = spent + time.perf_counter() - began
        share = min(now / limit, 1.0)
        images, batch = batches.draw()
        push = float(np.clip((share - 0.1) / 0.2, 0, 1)) * args.push
        images = show(images, jax.random.fold_in(jax.random.key(SEEDS[name]), step))
        for turn in range(TURNS):
            blend = min(0.998, step / (step + 20))
            rate = RATE * float(schedule(jnp.float32(share)))
            params, state, mean, pixels, seen = learn(params, state, mean, images, batch, blend, rate)
            step += 1
            if step == first + 1:  # compiling is no learning
                jax.block_until_ready(seen)
                began = saved = time.perf_counter()
            if turn + 1 < TURNS:
                pixels = np.asarray(pixels)
                reach = push * rng.uniform(0.2, 1.8, len(images))[:, None, None, None]
                norm = np.sqrt((pixels**2).sum((1, 2, 3), keepdims=True)) + 1e-12
                images = np.clip(np.asarray(images) + reach * pixels / norm, 0, 1)
        if step >= told + 100:
            told = step
            line = " ".join(f"{key} {float(value):.3f}" for key, value in seen.items())
            print(f"{step:5d} {line} {now:.0f} s", flush=True)
        if time.perf_counter() > saved + AT_EACH or now > limit:
            saved = time.perf_counter()
            plain["accuracy"] = accuracy(towers, mean, batches, args.data, tuple(shape))
            print(f"      {plain['accuracy']} {now:.0f} s", flush=True)
            args.out.mkdir(parents=True, exist_ok=True)
            host = jax.tree.map(np.asarray, (params, state, mean))
            path.with_suffix(".new").write_bytes(pickle.dumps((step, now, *host)))
            path.with_suffix(".new").rename(path)
            write(args.out / f"{name}.safetensors", towers.state(mean, float(mean["scale"])))
            (args.out / f"{name}.json").write_text(json.dumps(plain) + "\n")
        if now > limit:
            break


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(SETS))
    parser.add_argument("--data", type=Path, default=Path("build/words"))
    parser.add_argument("--out", type=Path, default=Path("build/words"), help="folder of checkpoints and weights")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--push", type=float, default=1.0, help="length of the push along the gradient (L2)")
    parser.add_argument("--without", nargs="*", default=[], help="sets to leave out, to measure by them")
    parser.add_argument("--held", nargs="*", default=[], help="sets to measure by")
    train(parser.parse_args())
