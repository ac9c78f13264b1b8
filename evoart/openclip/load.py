"""From a model's name to a model that is ready, in three steps: ``resolve`` finds its files, ``read_state`` reads its
weights, ``build`` computes with them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evoart.download import Progress, Report, ignore_progress, print_line
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.openclip import catalogue, layouts, safetensors, store, weights
from evoart.openclip.catalogue import Entry
from evoart.openclip.config import VOCABULARY, ClipConfig, parse
from evoart.openclip.foreign import check_tokenizer
from evoart.openclip.layouts import State
from evoart.openclip.tokens import Tokenizer, Words, find_overflow, tokenize
from evoart.openclip.untrained import untrained
from evoart.types import Array

if TYPE_CHECKING:
    from evoart.openclip.torch_clip import TorchClip


LARGE = 1_000_000  # weights of a block that is not to be copied before every use


@dataclass(frozen=True, eq=False)
class Clip:
    """A CLIP model computed in JAX.

    Attributes:
        name: as it was asked for.
        config: of both towers.
        params: see ``weights.to_params``; of the precision asked for.
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
    def resize_mode(self) -> str:
        """What it reads of a picture that is not square: ``shortest`` (the middle) or ``squash`` (all, distorted)."""
        return self.config.resize_mode

    @property
    def work(self) -> float:
        """Operations to embed one picture, about."""
        vision = self.config.vision
        tokens, d = (vision.size // vision.patch) ** 2 + 1, vision.tower.width
        return 2.0 * tokens * vision.tower.layers * (4 * d * d + 2 * d * vision.tower.hidden + 2 * tokens * d)

    @property
    def memory(self) -> int:
        """Bytes to embed one picture, about: what one block of the tower has in hand, and the crop."""
        vision = self.config.vision
        tokens, d = (vision.size // vision.patch) ** 2 + 1, vision.tower.width
        return 4 * (tokens * (6 * d + vision.tower.hidden + vision.tower.heads * tokens) + 6 * vision.size**2)

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of texts."""
        return np.asarray(_compile_texts(self.config)(self.params, tokenize(self.tokenizer, texts)))

    def find_overflow(self, text: str) -> str:
        """The end of a text that the model does not read, as it does not fit; empty where all does."""
        return find_overflow(self.tokenizer, text)

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of pictures ``(n, size, size, 3)`` sRGB in [0, 1]."""
        return np.asarray(_compile_images(self.config)(self.params, np.asarray(images, np.float32)))

    def embed_traced(self, params: Any, images: Array) -> Array:
        """``embed_images`` inside a JAX program; ``params`` come in as an argument of that program."""
        from evoart.openclip.model import encode_image

        return encode_image(params, self.config, images)


@functools.cache
def _compile_texts(config: ClipConfig) -> Callable[..., Array]:
    import jax

    from evoart.openclip.model import encode_text

    return jax.jit(lambda params, tokens: encode_text(params, config, tokens))


@functools.cache
def _compile_images(config: ClipConfig) -> Callable[..., Array]:
    import jax

    from evoart.openclip.model import encode_image

    return jax.jit(lambda params, images: encode_image(params, config, images))


@dataclass(frozen=True, eq=False)
class Resolved:
    """A model whose files are known, before any of them is read.

    Attributes:
        entry: what it is called and where it comes from.
        plain: open_clip's configuration of its architecture.
        config: the same, parsed; None where only torch computes it.
        weights: the file of its weights; None for a model without training.
        torch: whether torch computes it.
    """

    entry: Entry
    plain: Mapping[str, Any]
    config: ClipConfig | None
    weights: Path | None
    torch: bool


def load(
    model: str = catalogue.DEFAULT,
    pretrained: str | None = None,
    *,
    file: str | Path | None = None,
    precision: str = "float32",
    torch: bool = False,
    report: Report = print_line,
    progress: Progress = ignore_progress,
) -> Clip | TorchClip:
    """The model ``NAME/TAG`` (see ``catalogue``), ready.

    Args:
        model, pretrained: see ``catalogue.find_entry``.
        file: weights to use instead of those of the tag: ``.safetensors``, or a file of torch.
        precision: ``float32`` or ``bfloat16``, of weights and activations.
        torch: let open_clip compute it, also where JAX can.
        report, progress: told about downloads, see ``download.obtain``.

    Raises:
        UsageError: unknown model or tag. MissingExtra: a model that needs open_clip.
        EvoartError: weights that are not here, damaged, or of another model; no network.
    """
    resolved = resolve(model, pretrained, file=file, torch=torch, report=report, progress=progress)
    if resolved.entry.torch_reason:
        report(f"{resolved.entry.full_name} is computed by torch: {resolved.entry.torch_reason}")
    state = read_state(resolved.weights) if resolved.weights else None
    return build(resolved, state, precision, report=report)


def resolve(
    model: str,
    pretrained: str | None = None,
    *,
    file: str | Path | None = None,
    torch: bool = False,
    report: Report = print_line,
    progress: Progress = ignore_progress,
) -> Resolved:
    """Find a model's configuration and weights; they are downloaded where they are nowhere here. See ``load``."""
    entry = catalogue.find_architecture(model, pretrained) if file else catalogue.find_entry(model, pretrained)
    check_extra(entry, torch)
    check_tokenizer(entry, report=report)
    plain = catalogue.config_of(entry.name)
    if entry.quick_gelu:
        plain = {**plain, "quick_gelu": True}
    config = None if entry.torch_reason else parse(plain, entry.preprocess or None)
    if file:
        path = Path(file)
    elif entry.tag == catalogue.RANDOM:
        path = None
    else:
        path = store.fetch_weights(entry, report=report, progress=progress)
    return Resolved(entry, plain, config, path, torch or config is None)


def check_extra(entry: Entry, torch: bool = False) -> None:
    """Raise MissingExtra where torch or open_clip has to compute a model and is not installed."""
    if not (torch or entry.torch_reason) or (catalogue.package_folder() and catalogue.has_torch()):
        return
    what = f"The model {entry.full_name} is computed by torch"
    raise MissingExtra("clip", f"{what}, as {entry.torch_reason}, and" if entry.torch_reason else f"{what} and")


def read_state(path: Path) -> State:
    """Weights by open_clip's names from a file in any of the published layouts, see ``layouts``.

    Raises:
        MissingExtra: a file of torch, and torch is not installed.
        EvoartError: it cannot be read, is damaged, or holds no CLIP model.
    """
    if path.suffix in (".bin", ".pt", ".pth"):
        if not path.is_file():
            raise EvoartError(f"there is no file '{path}'", "Check the path")
        from evoart.openclip.torch_clip import read_torch_file

        return layouts.to_open_clip(read_torch_file(path))
    return layouts.to_open_clip(safetensors.read(path)[0])


def build(
    resolved: Resolved, state: State | None, precision: str = "float32", *, report: Report = print_line
) -> Clip | TorchClip:
    """The model of these weights; untrained ones where ``state`` is None. See ``load``."""
    entry, config = resolved.entry, resolved.config
    if config is not None and state is None:
        state = untrained(config)
    if resolved.torch or config is None or state is None:
        from evoart.openclip.torch_clip import TorchClip

        quick = "-quickgelu" if entry.quick_gelu and not entry.name.endswith("-quickgelu") else ""
        return TorchClip(entry.full_name, f"{entry.name}{quick}", state, entry.preprocess, precision)
    kind = np.float32
    if precision == "bfloat16":
        import ml_dtypes

        kind = ml_dtypes.bfloat16
    import jax

    from evoart.openclip.model import split_blocks

    scale, params = state.get("logit_scale"), weights.to_params(state, config, kind)
    tower = config.vision.tower
    if tower.parameters > LARGE * tower.layers:
        params["vision"]["blocks"] = split_blocks(params["vision"]["blocks"])
    return Clip(
        name=entry.full_name,
        config=config,
        params=jax.device_put(params),  # once, and not for every program's call
        tokenizer=load_tokenizer(entry, resolved.plain, config, report=report),
        scale=100.0 if scale is None else float(np.exp(np.asarray(scale, np.float32)).reshape(-1)[0]),
        licence=entry.licence,
    )


def load_tokenizer(
    entry: Entry, plain: Mapping[str, Any], config: ClipConfig, *, report: Report = print_line
) -> Tokenizer:
    """The tokenizer of a model: its own words, or OpenAI's byte pairs.

    Raises:
        UsageError: a vocabulary that only torch has. EvoartError: see ``store.load_byte_pairs``.
    """
    if "words" in plain:
        return Words(tuple(plain["words"]), config.text.context, entry.name)
    if config.text.vocabulary != VOCABULARY:
        raise UsageError(f"the vocabulary of {entry.name} is not OpenAI's", "Use --scorer torch")
    return store.load_byte_pairs(entry, config.text.context, report=report)
