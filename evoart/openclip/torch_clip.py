"""CLIP by open_clip and torch: for architectures that this package does not compute itself, and to check it against.

torch works outside the JAX program that draws, so pictures go to it and back through the host. Both directions are
there, so a search that asks where pictures should change works as well.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError, MissingExtra
from evoart.openclip.config import MEAN, STD
from evoart.types import Array

_library: Any = None
# What files hold besides weights: constants of OpenAI's, buffers of old versions of transformers.
_BUFFERS = ("input_resolution", "context_length", "vocab_size", ".position_ids")


def import_open_clip() -> Any:
    """The package ``open_clip``.

    Raises:
        MissingExtra: it or torch is not installed. EvoartError: they do not fit each other.
    """
    global _library
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("clip", "A model outside evoart's own list") from error
    if _library is None:
        # Where torch is a CPU build and torchvision is not, its import fails over two operators that CLIP does not use.
        _library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            with contextlib.suppress(RuntimeError):
                _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import open_clip
            import open_clip.pretrained
    except ImportError as error:
        raise MissingExtra("clip", "A model outside evoart's own list") from error
    except (RuntimeError, AttributeError) as error:
        raise EvoartError(
            f"torch and torchvision do not fit each other ({str(error).splitlines()[0]})",
            "Install them together: pip install --force-reinstall torch torchvision open-clip-torch",
        ) from error
    return open_clip


def read_torch_file(path: Path) -> dict[str, np.ndarray]:
    """The weights in a file of torch (``.bin``, ``.pt``, ``.pth``), read so that nothing in it can run.

    Raises:
        MissingExtra: torch is not installed. EvoartError: a file that holds more than weights, or is damaged.
    """
    if _holds_program(path):
        raise EvoartError(
            f"'{path}' holds a program (TorchScript, as OpenAI published its models), which evoart does not run",
            "Use the same weights as numbers, such as --model ViT-B-32/openai",
        )
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("clip", f"Reading '{path.name}', a file of torch,") from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise EvoartError(
            f"the weights '{path}' are damaged, or hold more than numbers", "Use a .safetensors file of the model"
        ) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else {}
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise EvoartError(f"'{path}' holds no weights of a model", "Use a .safetensors file of the model")
    return {str(name): value.float().numpy() for name, value in state.items()}


def _holds_program(path: Path) -> bool:
    """Whether a file is an archive of TorchScript."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") or "/code/" in name for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


class TorchClip:
    """A model of open_clip with the methods of ``load.Clip``.

    Args:
        name: as it was asked for.
        architecture: open_clip's name.
        state: weights by open_clip's names; None for those before training.
        preprocess: mean, std, interpolation, resize_mode where they are not those of the architecture.
        precision: ``float32`` or ``bfloat16``.

    Attributes:
        params: none: torch keeps them.
        size: pixels along the sides of the pictures it reads.
        scale: factor of similarities before a softmax.
        interpolation, resize_mode: how pictures are brought to that size, see ``ClipConfig``.

    Raises:
        EvoartError: open_clip cannot make the model, or the weights are not its own.
    """

    params: dict[str, Any] = {}

    def __init__(
        self,
        name: str,
        architecture: str,
        state: Mapping[str, np.ndarray] | None,
        preprocess: Mapping[str, Any],
        precision: str = "float32",
    ) -> None:
        import torch

        open_clip = import_open_clip()
        quiet = logging.getLogger()
        level, _ = quiet.level, quiet.setLevel(logging.ERROR)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                torch.manual_seed(0)
                self._model = open_clip.create_model(architecture, pretrained=None).eval()
                self._tokens = open_clip.get_tokenizer(architecture)
        except Exception as error:  # timm and transformers fail in ways of their own
            raise EvoartError(
                f"open_clip cannot make the model {architecture} ({str(error).splitlines()[0]})",
                "Choose another --model; see: evoart models",
            ) from error
        finally:
            quiet.setLevel(level)
        if state is not None:
            try:
                self._model.load_state_dict(_fit_state(state, self._model))
            except RuntimeError as error:
                raise EvoartError(
                    f"the weights are not those of {architecture} ({str(error).splitlines()[-1].strip()})",
                    "Check --model, or fetch the weights again",
                ) from error
        # SigLIP adds a bias to its logits as well, which a softmax takes away again.
        self.scale = float(self._model.logit_scale.detach().exp().reshape(-1)[0])
        self._model.requires_grad_(False).to(getattr(torch, precision))
        self.name, self.licence = name, ""
        size = self._model.visual.image_size
        self.size = size if isinstance(size, int) else size[0]
        preprocess = {**getattr(self._model.visual, "preprocess_cfg", {}), **preprocess}  # what open_clip knows of it
        self.interpolation = str(preprocess.get("interpolation", "bicubic"))
        self.resize_mode = str(preprocess.get("resize_mode", "shortest"))
        self._mean = torch.tensor(preprocess.get("mean", MEAN)).view(3, 1, 1)
        self._std = torch.tensor(preprocess.get("std", STD)).view(3, 1, 1)

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32."""
        import torch

        with torch.inference_mode():
            return _unit(self._model.encode_text(self._tokens(texts))).numpy()

    def find_overflow(self, text: str) -> str:
        """Nothing: its tokenizers do not say what they leave out."""
        return ""

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Unit embeddings ``(n, embed)`` float32 of pictures ``(n, size, size, 3)`` in [0, 1]."""
        import torch

        with torch.inference_mode():
            return self._embed(torch.from_numpy(np.array(images))).numpy()

    def vjp(self, images: np.ndarray, by_embedding: np.ndarray) -> np.ndarray:
        """d loss / d images from d loss / d embeddings."""
        import torch

        pixels = torch.from_numpy(np.array(images)).requires_grad_()
        (slope,) = torch.autograd.grad(self._embed(pixels), pixels, torch.from_numpy(np.array(by_embedding)))
        return slope.numpy()

    def embed_traced(self, params: Any, images: Array) -> Array:
        """``embed_images`` inside a JAX program, with a derivative; torch is called from it."""
        import jax
        import jax.numpy as jnp

        embed = int(self.embed_texts(["a"]).shape[1])

        @jax.custom_vjp
        def forward(images: Array) -> Array:
            shape = jax.ShapeDtypeStruct((images.shape[0], embed), jnp.float32)
            return jax.pure_callback(lambda x: self.embed_images(np.asarray(x)), shape, images)

        def backward(images: Array, slope: Array) -> tuple[Array]:
            shape = jax.ShapeDtypeStruct(images.shape, jnp.float32)
            return (jax.pure_callback(lambda x, g: self.vjp(np.asarray(x), np.asarray(g)), shape, images, slope),)

        forward.defvjp(lambda images: (forward(images), images), backward)
        return forward(images)

    def _embed(self, images: Any) -> Any:
        pixels = (images.permute(0, 3, 1, 2) - self._mean) / self._std
        return _unit(self._model.encode_image(pixels.to(self._model.logit_scale.dtype)))


def _fit_state(state: Mapping[str, np.ndarray], model: Any) -> dict[str, Any]:
    """Weights as a model of open_clip names and shapes them: its text tower at the top or below ``text.``."""
    import torch
    from open_clip.model import convert_to_custom_text_state_dict

    tensors = {
        name: torch.from_numpy(np.array(value, np.float32 if value.dtype.kind not in "fiub" else value.dtype))
        for name, value in state.items()
    }
    if not hasattr(model, "positional_embedding"):
        tensors = convert_to_custom_text_state_dict(tensors)
    expected = model.state_dict()
    for name in ("logit_scale", "logit_bias"):
        if name in tensors and name in expected:
            tensors[name] = tensors[name].reshape(expected[name].shape)
    return {name: value for name, value in tensors.items() if name in expected or not name.endswith(_BUFFERS)}


def _unit(features: Any) -> Any:
    return features.float() / features.float().norm(dim=-1, keepdim=True).clamp_min(1e-12)
