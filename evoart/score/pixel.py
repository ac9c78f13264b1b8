"""Pixel losses: squared (default), absolute, and squared in Oklab, weighted by an importance map.

Oklab: B. Ottosson, "A perceptual color space for image processing" (2020).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from evoart.types import Array, Drawing, Image

Loss = Literal["mse", "mae", "oklab"]
LOSSES: tuple[Loss, ...] = ("mse", "mae", "oklab")

_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


NEAR = 0.5  # squared distance from the matte below which a pixel may be half transparent


@dataclass(frozen=True)
class Target:
    """What a picture is compared with.

    Attributes:
        image: ``(h, w, 3)`` float32 sRGB in [0, 1].
        weight: ``(h, w)`` float32 >= 0 with mean 1; pixels of weight 0 do not count.
        loss: ``mse``, ``mae`` or ``oklab``.
        matte: colour behind a drawing without a background while it is compared; may lie beyond [0, 1]. ``image`` has
            it, too.
    """

    image: Image
    weight: np.ndarray
    loss: Loss = "mse"
    matte: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def share(self) -> np.ndarray:
        """``(h, w)`` weight over the number of values, so that a sum over pixels and channels is a weighted mean."""
        h, w = self.weight.shape
        return self.weight / np.float32(h * w * 3)

    @property
    def beyond(self) -> bool:
        """Whether the matte is a colour that no shape can have: what is transparent is to stay so."""
        return min(self.matte) < 0 or max(self.matte) > 1

    @property
    def colours(self) -> np.ndarray:
        """Lowest and highest red, green and blue of shapes, ``(2, 3)`` float32: [0, 1], but where the matte lies beyond
        no farther towards it than what is visible, so that no
        shape hides in the transparency what should not be there."""
        limits, matte = np.array([[0, 0, 0], [1, 1, 1]], np.float32), np.array(self.matte, np.float32)
        if self.beyond:
            visible = self.image[((self.image - matte) ** 2).sum(-1) > NEAR]
            for c in range(3):
                if len(visible) and matte[c] < 0:
                    limits[0, c] = np.clip(visible[:, c].min(), 0, 1)
                elif len(visible) and matte[c] > 1:
                    limits[1, c] = np.clip(visible[:, c].max(), 0, 1)
        return limits

    def rows(self, first: int, last: int) -> Target:
        """The rows ``first`` to ``last - 1``; every pixel keeps its share in the loss of the whole."""
        h = self.weight.shape[0]
        part = self.weight[first:last] * np.float32((last - first) / h)
        return replace(self, image=self.image[first:last], weight=part)


class PixelScore:
    """The loss of ``target`` as a score of images ``(n, h, w, 3)``; see ``types.Score``."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.inputs = (target.image, target.weight)

    def losses_traced(self, images: Array, inputs: tuple[Array, ...]) -> Array:
        """Losses ``(n,)`` of pictures ``(n, h, w, 3)`` inside a JAX program; ``inputs`` are the target's arrays."""
        import jax.numpy as jnp

        target = replace(self.target, image=inputs[0], weight=inputs[1])
        return loss_map(jnp, images, target).sum((-2, -1))


def loss_map(xp: Any, images: Array, target: Target) -> Array:
    """Loss of every pixel ``(..., h, w)`` of images ``(..., h, w, 3)``; their sum is the loss. NumPy or JAX."""
    if target.loss == "mse":
        each = ((images - target.image) ** 2).sum(-1)
    elif target.loss == "mae":
        each = xp.abs(images - target.image).sum(-1)
    else:
        each = ((oklab(xp, images) - oklab(xp, target.image)) ** 2).sum(-1)
    return each * target.share


def value_and_gradient(image: Image, target: Target) -> tuple[float, np.ndarray]:
    """Loss of one image ``(h, w, 3)`` and its derivative by every value, ``(h, w, 3)`` float32."""
    share = target.share[..., None]
    difference = image - target.image
    if target.loss == "mse":
        return float((difference**2 * share).sum(dtype=np.float64)), 2 * difference * share
    if target.loss == "mae":
        return float((np.abs(difference) * share).sum(dtype=np.float64)), np.sign(difference) * share
    root = np.cbrt(np.maximum(_linear(np, image) @ _LMS.T, 1e-6))
    difference = root @ _LAB.T - oklab(np, target.image)
    by_root = (2 * difference * share) @ _LAB
    by_linear = (by_root / (3 * root**2)) @ _LMS
    high = (np.maximum(image, 0.04) + 0.055) / 1.055
    slope = np.where(image <= 0.04045, 1 / 12.92, 2.4 / 1.055 * high**1.4)
    return float((difference**2 * share).sum(dtype=np.float64)), (by_linear * slope).astype(np.float32)


def mean_squared_error(image: Image, target: Target) -> float:
    """Weighted mean squared error over pixels and channels, sRGB in [0, 1], whatever the target's loss is."""
    return float((((image - target.image) ** 2) * target.share[..., None]).sum(dtype=np.float64))


def psnr(mse: float) -> float:
    """Peak signal-to-noise ratio in dB of a mean squared error on [0, 1]; at most 100."""
    return float(-10 * np.log10(max(mse, 1e-10)))


def _linear(xp: Any, image: Array) -> Array:
    high = (xp.maximum(image, 0.04) + 0.055) / 1.055
    return xp.where(image <= 0.04045, image / 12.92, high**2.4)


def oklab(xp: Any, image: Array) -> Array:
    """Oklab ``(..., 3)`` of sRGB ``(..., 3)`` in [0, 1]; L in [0, 1], a and b about +-0.4."""
    # The floor keeps the cube root's slope finite at black.
    return xp.cbrt(xp.maximum(_linear(xp, image) @ _LMS.T, 1e-6)) @ _LAB.T


def plane_losses(
    xp: Any, planes: tuple[Array, Array, Array], reference: tuple[Array, Array, Array], loss: Loss
) -> Array:
    """Unweighted loss of every pixel from three planes, red, green and blue, of any one shape.

    ``reference`` are the planes of the target, in Oklab where that is the ``loss``. The same numbers as ``loss_map``
    without its weights, with nothing but elementwise arithmetic: for programs that hold a pixel in registers.
    """
    if loss == "oklab":
        linear = [_linear(xp, plane) for plane in planes]
        roots = [xp.cbrt(xp.maximum(mixed, 1e-6)) for mixed in _mixed(linear, _LMS)]
        planes = tuple(_mixed(roots, _LAB))
    differences = [plane - other for plane, other in zip(planes, reference, strict=True)]
    each = [xp.abs(d) if loss == "mae" else d * d for d in differences]
    return each[0] + each[1] + each[2]


def _mixed(planes: list[Array], matrix: np.ndarray) -> list[Array]:
    return [sum(float(share) * plane for share, plane in zip(row, planes, strict=True)) for row in matrix]


def evaluate_drawing(drawing: Drawing, target: Target) -> tuple[float, float]:
    """Loss and PSNR in dB of a drawing, anti-aliased as it will be written."""
    image = paint_on_target(drawing, target)
    loss = float(loss_map(np, image, target).sum(dtype=np.float64))
    return loss, psnr(mean_squared_error(image, target))


def paint_on_target(drawing: Drawing, target: Target) -> Image:
    """The drawing ``(h, w, 3)`` as it is evaluated: anti-aliased, of the target's size, the matte where it is
    transparent."""
    h, w = target.weight.shape
    rgba = drawing.paint((w, h))
    if drawing.background is not None:
        return rgba[..., :3]
    return rgba[..., :3] * rgba[..., 3:] + np.asarray(target.matte, np.float32) * (1 - rgba[..., 3:])
