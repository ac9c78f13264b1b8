"""The decoder's output: where the pen goes next as a mixture of bivariate Gaussians, and what it does there.

The 3 + 6 M outputs are 3 logits of the pen (down, up, end), then M each of: logits of the mixture pi, mean x, mean y,
log sigma x, log sigma y, atanh rho (Graves, "Generating Sequences With Recurrent Neural Networks", 2013, equations
15 to 25; Ha and Eck, 2017, equation 3).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from evoart.sketch.numerics import namespace
from evoart.types import Array

# Sharper Gaussians than these would let one straight stroke decide the whole loss: e^-9 of an average offset is below
# every pen's precision. The gradient vanishes outside, so that a number that ran away does no more harm.
_LOG_SIGMA = (-9.0, 9.0)
_ATANH_RHO = 7.0


class Mixture(NamedTuple):
    """Pen logits ``(..., 3)``; the rest ``(..., M)`` each."""

    pen: Array
    pi: Array
    mu_x: Array
    mu_y: Array
    log_sx: Array
    log_sy: Array
    atanh_rho: Array


def split(outputs: Array) -> Mixture:
    """The parts of outputs ``(..., 3 + 6 M)``."""
    pen = outputs.shape[-1] % 6
    xp = namespace(outputs)
    pi, mu_x, mu_y, log_sx, log_sy, rho = xp.split(outputs[..., pen:], 6, -1)
    log_sx, log_sy = xp.clip(log_sx, *_LOG_SIGMA), xp.clip(log_sy, *_LOG_SIGMA)
    return Mixture(outputs[..., :pen], pi, mu_x, mu_y, log_sx, log_sy, xp.clip(rho, -_ATANH_RHO, _ATANH_RHO))


def log_density(mixture: Mixture, offset: Array) -> Array:
    """Log of the density of offsets ``(..., 2)``, ``(...)``; by log-sum-exp throughout, so that it is never log(0)."""
    import jax
    import jax.numpy as jnp

    zx = (offset[..., :1] - mixture.mu_x) * jnp.exp(-mixture.log_sx)
    zy = (offset[..., 1:] - mixture.mu_y) * jnp.exp(-mixture.log_sy)
    rho = jnp.tanh(mixture.atanh_rho)
    log_rest = -2 * _log_cosh(mixture.atanh_rho)  # log(1 - rho^2), exact where rho rounds to 1
    exponent = (zx * zx + zy * zy - 2 * rho * zx * zy) * jnp.exp(-log_rest)
    each = -math.log(2 * math.pi) - mixture.log_sx - mixture.log_sy - 0.5 * (log_rest + exponent)
    return jax.nn.logsumexp(jax.nn.log_softmax(mixture.pi, -1) + each, -1)


def _log_cosh(x: Array) -> Array:
    import jax.numpy as jnp

    x = jnp.abs(x)
    return x + jnp.log1p(jnp.exp(-2 * x)) - math.log(2)


def log_pen(mixture: Mixture, pen: Array) -> Array:
    """Log-probability of one-hot pen states ``(..., 3)``, ``(...)``."""
    import jax
    import jax.numpy as jnp

    return jnp.sum(jax.nn.log_softmax(mixture.pen, -1) * pen, -1)
