"""From a model's name to a model that is ready: found in the package, in a cache, in a file, or on the network."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evoart.cache import cache_dir
from evoart.download import Remote, obtain, verify
from evoart.errors import EvoartError, UsageError
from evoart.openclip import catalogue, safetensors, weights
from evoart.openclip.catalogue import Entry
from evoart.openclip.config import VOCABULARY, ClipConfig, parse
from evoart.openclip.foreign import check_tokenizer
from evoart.openclip.tokens import BytePairs, Tokenizer, Words, cut, tokens
from evoart.openclip.untrained import untrained
from evoart.types import Array

HUB = "https://huggingface.co"
WEIGHTS = ("open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin")
MERGES = "merges.txt"
MOST = 12 << 30  # bytes of a weights file

Say = Callable[[str], None]
Tell = Callable[[int, "int | None"], None]


@dataclass(frozen=True, eq=False)
class Clip:
    """A CLIP model computed in JAX.

    Attributes:
        name: as it was asked for.
        config: of both towers.
        params: see ``weights.parameters``; of the precision asked for.
        tokenizer: turns texts into ids.
        scale: factor of similarities before a softmax, learned with the model.
        licence: of the weights, where known.
    """

    name: str
    config: ClipConfig
    params: dict[str, Any]
    tokenizer: Tokenizer
    scale: float = 100.0
    licence: str = ""

    @property
    def size(self) -> int:
        """Pixels along the sides of the pictures it reads."""
        return self.config.vision.size

    @property
    def interpolation(self) -> str:
        """How pictures are brought to that size: ``bicubic`` or ``bilinear``."""
        return self.config.interpolation

    @property
    def work(self) -> float:
        """Operations to look at one picture, about."""
        vision = self.config.vision
        tokens, d = (vision.size // vision.patch) ** 2 + 1, vision.tower.width
        return 2.0 * tokens * vision.tower.layers * (4 * d * d + 2 * d * vision.tower.hidden + 2 * tokens * d)

    @property
    def room(self) -> int:
        """Bytes of memory to look at one picture, about: what one block of the tower has in hand, and the crop."""
        vision = self.config.vision
        tokens, d = (vision.size // vision.patch) ** 2 + 1, vision.tower.width
        return 4 * (tokens * (6 * d + vision.tower.hidden + vision.tower.heads * tokens) + 6 * vision.size**2)

    def texts(self, texts: list[str]) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of texts."""
        return np.asarray(_read(self.config)(self.params, tokens(self.tokenizer, texts)))

    def cut(self, text: str) -> str:
        """What does not fit of a text, at its end."""
        return cut(self.tokenizer, text)

    def images(self, images: np.ndarray) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of pictures ``(n, size, size, 3)`` in [0, 1]."""
        return np.asarray(_look(self.config)(self.params, np.asarray(images, np.float32)))

    def embed_traced(self, params: Any, images: Array) -> Array:
        """``images`` for use inside a JAX program; ``params`` come in as an argument of that program."""
        from evoart.openclip.model import encode_image

        return encode_image(params, self.config, images)


@functools.cache
def _read(config: ClipConfig) -> Any:
    import jax

    from evoart.openclip.model import encode_text

    return jax.jit(lambda params, tokens: encode_text(params, config, tokens))


@functools.cache
def _look(config: ClipConfig) -> Any:
    import jax

    from evoart.openclip.model import encode_image

    return jax.jit(lambda params, images: encode_image(params, config, images))


def load(
    model: str = catalogue.DEFAULT,
    pretrained: str | None = None,
    *,
    file: str | Path | None = None,
    precision: str = "float32",
    torch: bool = False,
    download: bool = True,
    say: Say = lambda line: None,
    progress: Tell = lambda done, total: None,
) -> Any:
    """The model ``NAME/TAG`` (see ``catalogue``), ready.

    Args:
        model, pretrained: see ``catalogue.entry``.
        file: weights to use instead of those of the tag; open_clip's names, ``.safetensors`` or a file of torch.
        precision: ``float32`` or ``bfloat16``, of weights and activations.
        torch: let open_clip compute it, also where this package can.
        download: whether the network may be asked for what is nowhere here.
        say, progress: told about downloads, see ``download.obtain``.

    Raises:
        UsageError: unknown model or tag. MissingExtra: a model that needs open_clip.
        EvoartError: weights that are not here, damaged, or of another model; no network.
    """
    check_needs(model)
    found = catalogue.entry(model, pretrained) if file is None else _named(model, pretrained)
    plain = catalogue.architecture(found.name)
    if found.quick_gelu:
        plain = plain | {"quick_gelu": True}
    try:
        config = parse(plain, found.preprocess or None)
    except ValueError as error:
        config, torch, reason = None, True, str(error)
        say(f"{found.full} is computed by torch: {reason}")
    if not file and found.tag == catalogue.RANDOM:
        state = None if config is None else untrained(config)
    else:
        path = Path(file) if file else weights_file(found, download=download, say=say, progress=progress)
        state = read_state(path)
    if torch:
        from evoart.openclip.torch_clip import TorchClip

        name = f"{found.name}-quickgelu" if found.quick_gelu and not found.name.endswith("quickgelu") else found.name
        return TorchClip(found.full, name, state, dict(found.preprocess), precision)
    kind = np.float32
    if precision == "bfloat16":
        import ml_dtypes

        kind = ml_dtypes.bfloat16
    import jax

    scale = float(np.exp(np.float32(state["logit_scale"]))) if "logit_scale" in state else 100.0
    return Clip(
        name=found.full,
        config=config,
        params=jax.device_put(weights.parameters(state, config, kind)),  # once, and not for every program's call
        tokenizer=tokenizer(found, plain, config, download=download, say=say),
        scale=scale,
        licence=found.licence,
    )


def check_needs(model: str) -> None:
    """Raise EvoartError where a model needs what is neither here nor to be had; see ``foreign``."""
    check_tokenizer(model, _hub(), _hubs_own())


def _named(model: str, pretrained: str | None) -> Entry:
    """The entry whose weights come from a file: a tag says how they were trained, without one nothing is assumed."""
    name, _, tag = model.partition("/")
    if tag or pretrained:
        return catalogue.entry(model, pretrained)
    catalogue.architecture(name)
    return Entry(name, "", "", quick_gelu=name.endswith("-quickgelu"))


def read_state(path: Path) -> dict[str, np.ndarray]:
    """Weights by open_clip's names from a file.

    Raises:
        EvoartError: it cannot be read, or is damaged.
    """
    if path.suffix in (".bin", ".pt", ".pth"):
        if not path.is_file():
            raise EvoartError(f"there is no file '{path}'", "Check the path")
        from evoart.openclip.torch_clip import state_of

        return state_of(path)
    return safetensors.read(path)[0]


def weights_file(
    found: Entry, *, download: bool = True, say: Say = lambda line: None, progress: Tell = lambda done, total: None
) -> Path:
    """Where a model's weights lie; fetched where they are nowhere here."""
    if (path := here(found)) is not None:
        return path
    if not found.repository:
        raise EvoartError(
            f"nobody publishes the weights of {found.full} in a form that is safe to read", "Use --clip-weights FILE"
        )
    name = WEIGHTS[0]
    if not download or os.environ.get("HF_HUB_OFFLINE") == "1":
        raise EvoartError(
            f"the weights of {found.full} are not here, and the network may not be asked for them",
            f"Put {address(found, name)} at {folder(found) / name}, use --clip-weights FILE, or --model tiny",
        )
    return _fetch(found, name, say, progress)


def _fetch(found: Entry, name: str, say: Say, progress: Tell) -> Path:
    path = folder(found) / name
    remote = Remote(address(found, name), f"the weights of {found.full}", _published_hash(found, name), MOST)
    try:
        return obtain(remote, path, say=say, progress=progress)
    except EvoartError as error:
        if "not reachable" in error.message:
            raise EvoartError(error.message, f"{error.hint}; or use --clip-weights FILE, or --model tiny") from error
        raise


def _published_hash(found: Entry, name: str) -> str | None:
    """The SHA-256 that the hub states for a large file, from the small one that stands for it in the repository."""
    pointer = folder(found) / f"{name}.pointer"
    try:
        obtain(Remote(f"{_hub()}/{found.repository}/raw/main/{name}", f"the hash of {found.full}", most=4096), pointer)
        lines = dict(line.split(" ", 1) for line in pointer.read_text("ascii").splitlines() if " " in line)
        return lines["oid"].removeprefix("sha256:")
    except EvoartError as error:
        if "not reachable" in error.message:
            raise EvoartError(
                error.message.replace("the hash", "the weights"),
                f"It needs a network once: put {address(found, name)} at {folder(found) / name}, use "
                "--clip-weights FILE, or --model tiny",
            ) from error
        return None
    except (KeyError, ValueError, OSError):
        return None


def tokenizer(
    found: Entry, plain: Mapping[str, Any], config: ClipConfig, *, download: bool = True, say: Say = lambda line: None
) -> Tokenizer:
    """The tokenizer of a model: its own words, or OpenAI's merges from open_clip, from a cache or from the hub."""
    if "words" in plain:
        return Words(tuple(plain["words"]), config.text.context, found.name)
    if config.text.vocabulary != VOCABULARY:
        raise UsageError(f"the vocabulary of {found.name} is not OpenAI's", "Use --scorer torch")
    package = catalogue.package_folder()
    path = package / "bpe_simple_vocab_16e6.txt.gz" if package else cached(found, MERGES)
    if path is None or not path.is_file():
        repository = found.repository or catalogue.entry(catalogue.DEFAULT).repository
        if not download:
            raise EvoartError("the vocabulary of CLIP is not here", 'Install it with: pip install "evoart[clip]"')
        url = f"{_hub()}/{repository}/resolve/main/{MERGES}"
        path = obtain(Remote(url, "the vocabulary of CLIP", most=4 << 20), folder(found) / MERGES, say=say)
    return BytePairs.read(path, config.text.context)


def here(found: Entry) -> Path | None:
    """A model's weights where they lie on this machine already, or None."""
    if found.name in catalogue.BUILT_IN:
        return catalogue.INSIDE / f"{found.name}.safetensors"
    return next((path for name in WEIGHTS if (path := cached(found, name)) is not None), None)


def cached(found: Entry, name: str) -> Path | None:
    """A file of a model in evoart's cache or in that of the hub's own client."""
    mine = folder(found) / name
    if mine.is_file():
        return mine
    if found.repository:
        snapshots = _hubs_own() / f"models--{found.repository.replace('/', '--')}" / "snapshots"
        for path in sorted(snapshots.glob(f"*/{name}"), key=lambda path: path.stat().st_mtime, reverse=True):
            return path
    return None


def folder(found: Entry) -> Path:
    """Where evoart keeps a model's files."""
    return cache_dir() / "clip" / f"{found.name}--{found.tag}"


def address(found: Entry, name: str) -> str:
    """Where on the network a file of a model lies."""
    return f"{_hub()}/{found.repository}/resolve/main/{name}"


def _hubs_own() -> Path:
    """Where the hub's own client keeps its files."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache/huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def _hub() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def check(found: Entry) -> str | None:
    """The SHA-256 of a model's weights where they are in evoart's cache, held to what was downloaded."""
    path = folder(found) / WEIGHTS[0]
    return verify(path) if path.is_file() else None
