"""The form of latent vectors: a network that has learned to draw, and a few numbers that say what."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from evoart.cppn.latent.space import slerp
from evoart.cppn.layers import Layers
from evoart.errors import EvoartError
from evoart.forms.network import NetworkDrawing
from evoart.types import Genome, Image

FARTHEST = 1000.0  # no latent number is read as more; those of pictures lie within 5 or so


@dataclass(frozen=True)
class LatentForm:
    """Square pictures that one decoder draws; a genome is a latent vector z.

    Attributes:
        net: the decoder's layers; its latent numbers are z.
        weights: its numbers without z, ``net.weights`` of them, little-endian float16.
        samples: points a pixel is the mean of, along each side; None: one, for its pictures are smooth.
    """

    name: ClassVar[str] = "cppn-latent"
    net: Layers
    weights: bytes
    samples: int | None = None

    def __post_init__(self) -> None:
        if len(self.weights) != 2 * self.net.weights or not np.isfinite(self.numbers).all():
            raise ValueError("weights that do not fit the network")

    @property
    def width(self) -> float:
        """See ``Form.width``: pictures are square."""
        return 1.0

    @property
    def height(self) -> float:
        """See ``Form.height``."""
        return 1.0

    @property
    def numbers(self) -> np.ndarray:
        """The decoder's weights ``(net.weights,)`` float32."""
        return np.frombuffer(self.weights, "<f2").astype(np.float32)

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return self.net.latent

    @property
    def label(self) -> str:
        """See ``Form.label``."""
        return f"a latent vector of {self.dim} numbers"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        shape = "-".join(str(units) for units in self.net.layers)
        return f"{self.label}, drawn by layers of {shape} units ({','.join(self.net.activations)})"

    def drawing(self, genome: Genome) -> NetworkDrawing:
        """See ``Form.drawing``: the decoder, given this z."""
        numbers = np.concatenate([self.finalised(genome)[1], self.numbers])
        return NetworkDrawing(self.net, numbers, self.width, self.height, self.samples or 1)

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """A latent vector of the prior, N(0, 1)."""
        return rng.standard_normal(self.dim).astype(np.float32)

    def steps(self) -> np.ndarray:
        """See ``Form.steps``."""
        return np.full(self.dim, 0.5, np.float32)

    def finalised(self, genome: Genome) -> tuple[Self, Genome]:
        """See ``Form.finalised``."""
        finite = np.nan_to_num(np.asarray(genome, np.float32), nan=0.0, posinf=FARTHEST, neginf=-FARTHEST)
        return self, np.clip(finite, -FARTHEST, FARTHEST)

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        return {
            "latent": self.net.latent,
            "layers": list(self.net.layers),
            "activations": list(self.net.activations),
            "colour": self.net.colour,
            "decoder": base64.b64encode(self.weights).decode(),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """See ``Form.from_plain``."""
        layers, activations, latent = plain["layers"], plain["activations"], plain["latent"]
        if not isinstance(layers, list) or not isinstance(activations, list) or not isinstance(plain["decoder"], str):
            raise TypeError("a list or text was expected")
        if not all(isinstance(number, int) and not isinstance(number, bool) for number in (*layers, latent)):
            raise TypeError("a whole number was expected")
        if not all(isinstance(name, str) for name in (*activations, plain["colour"])) or latent < 1:
            raise ValueError("a latent vector without numbers, or names that are none")
        net = Layers(tuple(layers), tuple(activations), latent, plain["colour"])
        return cls(net, base64.b64decode(plain["decoder"], validate=True))

    def check(self, genome: Genome) -> None:
        """See ``Form.check``."""
        if (np.abs(genome) > FARTHEST).any():
            raise ValueError("a latent number is out of range")

    def with_structure(self, structure: Any) -> Self:
        """See ``Form.with_structure``: a form of its own."""
        return structure

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> tuple[Self, Genome] | None:
        """Along a great circle; see ``Form.between``."""
        if other != self:
            return None
        return self, slerp(genome, after, share).astype(np.float32)

    def readable(self, genome: Genome) -> dict[str, Any]:
        """The latent numbers as JSON values; ``numbers_of`` reads them again."""
        return {"latent": [float(str(value)) for value in np.asarray(genome, np.float32)]}

    def numbers_of(self, plain: Any) -> Genome:
        """The genome that ``readable`` wrote.

        Raises:
            KeyError, TypeError, ValueError: it does not fit.
            EvoartError: a latent vector of another length, or with numbers that are none.
        """
        values = plain["latent"]
        if len(values) != self.dim:
            raise EvoartError(f"the latent vector has {len(values)} numbers and not {self.dim}", "Fix the file")
        if not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= FARTHEST for v in values):
            raise EvoartError(f"a latent number is none from -{FARTHEST:g} to {FARTHEST:g}", "Fix the file")
        return np.array(values, np.float32)
