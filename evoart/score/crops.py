"""Pictures brought to a model's size: cropped at random inside JAX programs, or as open_clip's own transform does it.

Inside programs resampling is two thin matrix products. Their weights are those of Pillow and of torch's antialiased
resizing (triangle or cubic kernel, widened where a picture shrinks).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from evoart.types import Array, Image


@dataclass(frozen=True)
class Crops:
    """Random resized crops: of square pictures as torchvision's RandomResizedCrop draws them.

    Models read squares. A crop of a picture that is not square keeps its share and its aspect by going beyond the
    edges, where there is white paper: nothing is distorted by more than ``aspect``, and long pictures are seen whole.

    Attributes:
        number: crops per picture; all pictures of one generation get the same ones, so that ranks compare.
        area: least and largest share of the picture that a crop shows.
        aspect: widest over highest, and so narrowest: 4/3 means 3/4 to 4/3.
    """

    number: int = 4
    area: tuple[float, float] = (0.7, 0.9)
    aspect: float = 4 / 3

    def boxes(self, key: Array, height: int, width: int) -> Array:
        """Crops ``(number, 4)``: top, left, height, width in pixels of a picture of this size; may go beyond it."""
        a, b, c, d = jax.random.split(key, 4)
        share = jax.random.uniform(a, (self.number,), minval=self.area[0], maxval=self.area[1])
        log = jnp.log(jnp.float32(self.aspect))
        ratio = jnp.exp(jax.random.uniform(b, (self.number,), minval=-log, maxval=log))
        area = share * (height * width)
        w, h = jnp.sqrt(area * ratio), jnp.sqrt(area / ratio)
        if height == width:  # torchvision's: what does not fit is cut
            w, h = jnp.minimum(w, width), jnp.minimum(h, height)
        else:  # what does not fit goes beyond the edges
            w = jnp.where(h > height, share * width, w)
            h = jnp.where(w > width, share * height, w / ratio)
            w = h * ratio
        top = _place(jax.random.uniform(c, (self.number,)), height - h)
        left = _place(jax.random.uniform(d, (self.number,)), width - w)
        return jnp.stack([top, left, h, w], 1)


def _place(chance: Array, room: Array) -> Array:
    """Where a crop begins: anywhere in its room, or centred where it is larger than the picture."""
    return chance * jnp.maximum(room, 0) + jnp.minimum(room, 0) / 2


def resize_picture(image: Image, size: int, interpolation: str, resize_mode: str = "shortest") -> Image:
    """A picture ``(h, w, 3)`` sRGB in [0, 1] as open_clip's transform shows it to a model: ``(size, size, 3)`` float32.

    By Pillow, in eight bits, with the roundings of torchvision's ``Resize`` and ``CenterCrop``.

    Args:
        interpolation: ``bicubic`` or ``bilinear``.
        resize_mode: ``shortest`` shows the middle square; ``squash`` all of the picture, distorted.
    """
    from PIL import Image as Pillow

    kind = Pillow.Resampling.BILINEAR if interpolation == "bilinear" else Pillow.Resampling.BICUBIC
    picture = Pillow.fromarray(np.clip(np.round(np.asarray(image) * 255), 0, 255).astype(np.uint8))
    w, h = picture.size
    if resize_mode == "squash":
        shown = picture.resize((size, size), kind)
    else:
        w, h = (size, int(size * h / w)) if w <= h else (int(size * w / h), size)
        left, top = round((w - size) / 2), round((h - size) / 2)
        shown = picture.resize((w, h), kind).crop((left, top, left + size, top + size))
    return np.asarray(shown, np.float32) / 255


def resample(images: Array, box: Array, size: int, interpolation: str) -> Array:
    """The part ``box`` (top, left, height, width) of pictures ``(n, h, w, 3)`` as ``(n, size, size, 3)`` in [0, 1].

    What lies beyond the pictures is white.
    """
    rows = resampling_weights(box[0], box[2], images.shape[1], size, interpolation)
    columns = resampling_weights(box[1], box[3], images.shape[2], size, interpolation)
    seen = jnp.einsum("yh,nhwc->nywc", rows, images, precision="highest")
    seen = jnp.einsum("xw,nywc->nyxc", columns, seen, precision="highest")
    paper = 1 - rows.any(1)[:, None] * columns.any(1)
    return jnp.clip(seen + paper[..., None], 0, 1)


def resampling_weights(start: Array, length: Array, pixels: int, size: int, interpolation: str) -> Array:
    """Weights ``(size, pixels)`` that show ``length`` pixels from ``start`` on in ``size``: each row's sum is 1, or 0
    beyond the picture."""
    step = length / size
    wide = jnp.maximum(step, 1.0)
    centre = start + (jnp.arange(size) + 0.5) * step
    inside = (centre > 0) & (centre < pixels)
    centre = jnp.where(inside, centre, 0.5)
    x = jnp.abs((jnp.arange(pixels) + 0.5 - centre[:, None]) / wide)
    if interpolation == "bilinear":
        weight = jnp.maximum(1 - x, 0)
    else:  # R. Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2
        near = (1.5 * x - 2.5) * x * x + 1
        far = ((-0.5 * x + 2.5) * x - 4) * x + 2
        weight = jnp.where(x < 1, near, jnp.where(x < 2, far, 0.0))
    return jnp.where(inside[:, None], weight / weight.sum(1, keepdims=True), 0.0)
