"""Networks of fixed layers, as in "Neural Network Generative Art" (D. Ha, 2015): a unit sees the whole layer before.

A genome is the latent numbers, then each layer's weights (out x in, row by row) and biases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evoart.cppn import activations, colour, plane
from evoart.errors import UsageError
from evoart.types import Array, Genome

MOST_LAYERS, MOST_UNITS, MOST_LATENT = 32, 256, 64


@dataclass(frozen=True)
class Layers:
    """A layout of layers.

    Attributes:
        layers: units of each hidden layer.
        activations: names; a layer's units are split into as many equal blocks, in this order.
        latent: how many latent numbers are inputs next to x, y and r.
        colour: ``rgb``, ``hsv`` or ``gray``.
        symmetry: see ``plane``.

    Raises:
        UsageError: no layers, too many or too wide ones; an unknown activation, colour or symmetry.
    """

    layers: tuple[int, ...] = (24,) * 8
    activations: tuple[str, ...] = ("tanh",)
    latent: int = 4
    colour: str = "rgb"
    symmetry: str = "none"

    def __post_init__(self) -> None:
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise UsageError(f"a network of {len(self.layers)} layers", f"Use 1 to {MOST_LAYERS}, e.g. --layers 24x4")
        for width in self.layers:
            if not 1 <= width <= MOST_UNITS:
                raise UsageError(f"a layer of {width} units", f"Use 1 to {MOST_UNITS}, e.g. --layers 24x4")
        if not self.activations:
            raise UsageError("a network without activations", "Use e.g. --activations tanh,sine")
        activations.check_names(self.activations)
        check_architecture(self.latent, self.colour, self.symmetry)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """(inputs, units) of each layer, the output layer last."""
        widths = [len(plane.SPATIAL) + self.latent, *self.layers, colour.outputs(self.colour)]
        return list(zip(widths, widths[1:], strict=False))

    @property
    def weights(self) -> int:
        """Weights and biases."""
        return sum((before + 1) * after for before, after in self.sizes)

    @property
    def dim(self) -> int:
        """Length of a genome."""
        return self.latent + self.weights

    def blocks(self, units: int) -> list[tuple[str, int, int]]:
        """(activation, first unit, last unit + 1) of a hidden layer's blocks."""
        names = self.activations
        ends = [round(units * i / len(names)) for i in range(len(names) + 1)]
        return [(name, a, b) for name, a, b in zip(names, ends, ends[1:], strict=False) if b > a]

    def parts(self, genome: Array) -> Iterator[tuple[Array, Array]]:
        """Weights ``(units, inputs)`` and biases ``(units,)`` of each layer."""
        at = self.latent
        for before, after in self.sizes:
            middle = at + before * after
            yield genome[at:middle].reshape(after, before), genome[middle : middle + after]
            at = middle + after

    def evaluate(self, genome: Array, x: Array, y: Array) -> Array:
        """sRGB ``(3, p)`` at the points ``x``, ``y`` ``(p,)``, in JAX.

        Features come first, so that a unit's pixels lie together; each block computes its own activation only.
        """
        import jax.numpy as jnp

        h = plane.inputs(x, y, genome[: self.latent], self.symmetry)
        for index, (weight, bias) in enumerate(self.parts(genome)):
            sums = jnp.matmul(weight, h, precision="highest") + bias[:, None]
            if index == len(self.layers):
                return colour.to_rgb(activations.clip(sums), self.colour)
            blocks = self.blocks(len(bias))
            parts = [activations.apply(name, sums[first:last]) for name, first, last in blocks]
            h = parts[0] if len(parts) == 1 else jnp.concatenate(parts)
        raise AssertionError("the output layer returns")

    def random(self, rng: np.random.Generator, calm: bool = False) -> Genome:
        """A genome that makes a lively picture, more often than not: constants found by looking at many sheets.

        A ``calm`` one, to be trained, folds the plane less: training goes badly where everything is steep.
        """
        parts = [rng.normal(0, 1, self.latent)]
        # Few layers must fold the plane more.
        strength = CALM if calm else rng.uniform(0.8, 1.2) * max(1.0, 8 / len(self.layers)) ** 0.5
        for index, (before, after) in enumerate(self.sizes):
            if index == len(self.layers):
                weight = _to_colours(rng, self.colour, after, before)
            else:
                weight = rng.normal(0, 1, (after, before))
                for name, first, last in self.blocks(after):
                    gain = activations.TABLE[activations.INDEX[name]].gain
                    steep = 2 * FIRST if calm else FIRST  # detail that is there from the start need not be found
                    weight[first:last] *= steep if index == 0 else strength * gain / np.sqrt(before)
                if index == 0:
                    weight[:, len(plane.SPATIAL) :] *= LATENT
            parts += [weight.ravel(), rng.normal(0, BIAS, after)]
        return np.concatenate(parts).astype(np.float32)

    def steps(self) -> np.ndarray:
        """Relative step size of every number ``(dim,)``: a tenth of what a random one is like."""
        parts = [np.full(self.latent, 0.3)]
        for index, (before, after) in enumerate(self.sizes):
            parts += [np.full(before * after, 0.2 if index == 0 else 0.8 / np.sqrt(before)), np.full(after, 0.1)]
        return np.concatenate(parts).astype(np.float32)


FIRST, LATENT, BIAS = 2.0, 0.5, 0.5  # of a random network's first weights, those of latent numbers, and all biases
CALM = 1.0
LAST, SHARED, HUE = 2.6, 0.75, 0.2  # of its outputs


def _to_colours(rng: np.random.Generator, colours: str, units: int, before: int) -> np.ndarray:
    """Fresh weights of the output layer ``(units, before)``.

    Red, green and blue share a part, which makes light and shade; alone each would make a picture of bare primaries.
    A hue moves little, or it is a rainbow everywhere.
    """
    own = rng.normal(0, LAST / np.sqrt(before), (units, before))
    if colours == "hsv":
        own[0] *= HUE / LAST
    if colours != "rgb":
        return own
    return SHARED * rng.normal(0, LAST / np.sqrt(before), (1, before)) + np.sqrt(1 - SHARED**2) * own


def check_architecture(latent: int, colours: str, symmetry: str) -> None:
    """What every network has, of whichever kind.

    Raises:
        UsageError: out of range or unknown.
    """
    if not 0 <= latent <= MOST_LATENT:
        raise UsageError(f"{latent} latent numbers", f"Use 0 to {MOST_LATENT}")
    if colours not in colour.COLOURS:
        raise UsageError(f"'{colours}' is not a way to colour", f"Use one of {', '.join(colour.COLOURS)}")
    plane.wedges(symmetry)
