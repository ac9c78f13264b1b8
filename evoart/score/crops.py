"""Pictures brought to a model's size, whole or cropped at random: resampling as two thin matrix products.

The weights are those of Pillow and of torch's antialiased resizing (triangle or cubic kernel, widened where a picture
shrinks), so a picture is seen here as open_clip's own transforms would show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from evoart.types import Array


@dataclass(frozen=True)
class Crops:
    """Random resized crops, as torchvision's RandomResizedCrop draws them.

    Attributes:
        number: crops per picture; all pictures of one generation get the same ones, so that ranks compare.
        area: least and largest share of the picture's area.
        aspect: widest over highest, and so narrowest: 4/3 means 3/4 to 4/3.
    """

    number: int = 4
    area: tuple[float, float] = (0.7, 0.9)
    aspect: float = 4 / 3

    def boxes(self, key: Array, height: int, width: int) -> Array:
        """Crops ``(number, 4)``: top, left, height, width in pixels of a picture of this size."""
        a, b, c, d = jax.random.split(key, 4)
        area = jax.random.uniform(a, (self.number,), minval=self.area[0], maxval=self.area[1]) * (height * width)
        log = jnp.log(jnp.float32(self.aspect))
        ratio = jnp.exp(jax.random.uniform(b, (self.number,), minval=-log, maxval=log))
        w = jnp.minimum(jnp.sqrt(area * ratio), width)
        h = jnp.minimum(jnp.sqrt(area / ratio), height)
        top = jax.random.uniform(c, (self.number,)) * (height - h)
        left = jax.random.uniform(d, (self.number,)) * (width - w)
        return jnp.stack([top, left, h, w], 1)


def whole(height: int, width: int) -> Array:
    """The largest square in the middle, as one box ``(1, 4)``: what open_clip's transform shows of a picture."""
    side = min(height, width)
    return jnp.array([[(height - side) / 2, (width - side) / 2, side, side]], jnp.float32)


def resample(images: Array, box: Array, size: int, interpolation: str) -> Array:
    """The part ``box`` (top, left, height, width) of pictures ``(n, h, w, 3)`` as ``(n, size, size, 3)`` in [0, 1]."""
    rows = weights(box[0], box[2], images.shape[1], size, interpolation)
    columns = weights(box[1], box[3], images.shape[2], size, interpolation)
    seen = jnp.einsum("yh,nhwc->nywc", rows, images, precision="highest")
    seen = jnp.einsum("xw,nywc->nyxc", columns, seen, precision="highest")
    return jnp.clip(seen, 0, 1)


def weights(start: Array, length: Array, pixels: int, size: int, interpolation: str) -> Array:
    """Weights ``(size, pixels)``, each row's sum 1, that show ``length`` pixels from ``start`` on in ``size``."""
    step = length / size
    wide = jnp.maximum(step, 1.0)
    centre = start + (jnp.arange(size) + 0.5) * step
    x = jnp.abs((jnp.arange(pixels) + 0.5 - centre[:, None]) / wide)
    if interpolation == "bilinear":
        weight = jnp.maximum(1 - x, 0)
    else:  # R. Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -1/2
        near = (1.5 * x - 2.5) * x * x + 1
        far = ((-0.5 * x + 2.5) * x - 4) * x + 2
        weight = jnp.where(x < 1, near, jnp.where(x < 2, far, 0.0))
    return weight / weight.sum(1, keepdims=True)
