"""What a sketch-rnn is made of: its sizes, and its numbers by name.

Parameters are a flat dict of float32 arrays, ``(inputs, outputs)`` as in ``x @ W``:

``cell/...``        the decoder's recurrent cell (see ``cells``)
``out/w, out/b``    hidden state to the mixture's 3 + 6 M numbers (see ``mixture``)
``start/w, start/b`` a latent vector to the decoder's first state (VAE)
``forward/...``, ``backward/...``  the encoder's two LSTMs; ``mu/w, mu/b, sigma/w, sigma/b`` behind them (VAE)
``words/z, words/sigma``  places of each word's drawings in the latent space, the best one first, and how far what is
                    nearly the same spreads around them (VAE)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from evoart.errors import EvoartError, UsageError, unknown
from evoart.sketch.cells import CELLS, orthogonal
from evoart.types import Array

Parameters = dict[str, Array]


@dataclass(frozen=True)
class Config:
    """The shape of a model, and what must be known to use it.

    Attributes:
        name: what it draws, for people and file names.
        cell: ``lstm``, ``layer_norm`` or ``hyper``.
        hidden: units of the decoder, 4 to 4,096.
        mixtures: Gaussians per offset.
        latent: length of z; 0 for a decoder that draws by itself only.
        encoder: units of each of the encoder's two LSTMs (VAE).
        classes: names of what it can be told to draw; empty where it is told nothing.
        scale: what offsets are divided by, in the units of its training data.
        max_points: points of a drawing at most.
        extent: the usual longer side of a whole drawing, in the same units as ``scale``; 0 where it is not known.
        inputs: 5 for stroke-5; 3 for the handwriting model's ``dx, dy, lift``.
        words: what has places of its own in the latent space; the decoder is not told them, unlike classes (VAE).
        places: of each word.
        ordered: whether it learned from drawings whose strokes ``order.order`` had put in order.
        tolerance: by which they were simplified, as a share of ``extent``; 0 where it is not known.
        licence: what applies to the weights; one line.
    """

    name: str = "sketch"
    cell: str = "lstm"
    hidden: int = 512
    mixtures: int = 20
    latent: int = 0
    encoder: int = 256
    classes: tuple[str, ...] = ()
    scale: float = 1.0
    max_points: int = 250
    extent: float = 0.0
    inputs: int = 5
    words: tuple[str, ...] = ()
    places: int = 1
    ordered: bool = False
    tolerance: float = 0.0
    licence: str = ""

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise UsageError(f"unknown cell '{self.cell}'", f"Choose one of: {', '.join(CELLS)}")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise UsageError(f"{name} {value} of a sketch model is out of range", f"Use {low:,} to {high:,}")
        if not (np.isfinite(self.scale) and 1e-9 < self.scale < 1e9):
            raise UsageError(f"a scale factor of {self.scale} is out of range", "It is about the length of one offset")

    @property
    def conditioning(self) -> int:
        """How many numbers apart from the pen's the decoder gets at each step: z and the class."""
        return self.latent + len(self.classes)

    @property
    def usual_extent(self) -> float:
        """``extent``, or what it usually is for Quick, Draw! models."""
        return self.extent or 12 * self.scale

    @property
    def usual_tolerance(self) -> float:
        """``tolerance`` in the units of ``extent``, or what Quick, Draw! drawings were simplified by."""
        return (self.tolerance or 2 / 255) * self.usual_extent

    @property
    def outputs(self) -> int:
        """Numbers that the decoder puts out at each step."""
        return (3 if self.inputs == 5 else 1) + 6 * self.mixtures


_RANGES = (
    ("hidden", 4, 4096),
    ("mixtures", 1, 100),
    ("latent", 0, 1024),
    ("encoder", 4, 4096),
    ("max_points", 2, 5000),
    ("inputs", 3, 5),
    ("places", 1, 100),
)


@dataclass(frozen=True)
class Model:
    """A sketch-rnn that can draw.

    Raises:
        EvoartError: parameters missing, of the wrong shape, or not finite.
    """

    config: Config
    params: Parameters = field(repr=False)

    def __post_init__(self) -> None:
        wanted = shapes(self.config)
        for name, shape in wanted.items():
            if name not in self.params:
                raise EvoartError(f"the weights of '{self.config.name}' lack {name}", "Use another file")
            if tuple(self.params[name].shape) != shape:
                raise EvoartError(
                    f"{name} of '{self.config.name}' has the shape {tuple(self.params[name].shape)}, not {shape}",
                    "Use another file",
                )
            if not np.isfinite(np.asarray(self.params[name])).all():
                raise EvoartError(
                    f"{name} of '{self.config.name}' holds numbers that are not finite", "Use another file"
                )

    @property
    def size(self) -> int:
        """How many parameters."""
        return sum(int(np.prod(value.shape)) for value in self.params.values())

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal, of the weights and their names, however they were stored."""
        digest = hashlib.sha256()
        for name in sorted(self.params):
            digest.update(name.encode() + np.ascontiguousarray(self.params[name], np.float32).tobytes())
        return digest.hexdigest()

    def need_latent(self, what: str) -> None:
        """Raises: UsageError: the model has no encoder and no latent space."""
        if not self.config.latent:
            raise UsageError(
                f"'{self.config.name}' is a decoder only, it cannot {what}",
                "Use a VAE: evoart sketch train DATA --latent 128 makes one",
            )

    def class_index(self, name: str) -> int:
        """Raises: UsageError: the model knows no classes, or none of that name."""
        if not self.config.classes:
            raise UsageError(f"'{self.config.name}' knows no classes", "Leave out --class, or train with several files")
        if name not in self.config.classes:
            raise unknown("class", name, self.config.classes)
        return self.config.classes.index(name)

    def word_index(self, name: str) -> int:
        """Raises: UsageError: the model has no place for that word."""
        if name not in self.config.words:
            raise unknown("thing", name, self.config.words)
        return self.config.words.index(name)


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """The shape of every parameter, by name."""
    inputs = config.inputs + config.conditioning
    found = {f"cell/{name}": shape for name, shape in CELLS[config.cell].shapes(inputs, config.hidden).items()}
    found |= {"out/w": (config.hidden, config.outputs), "out/b": (config.outputs,)}
    if config.latent:
        lstm = CELLS["lstm"].shapes(config.inputs, config.encoder)
        found |= {f"{way}/{name}": shape for way in ("forward", "backward") for name, shape in lstm.items()}
        for name in ("mu", "sigma"):
            found |= {f"{name}/w": (2 * config.encoder, config.latent), f"{name}/b": (config.latent,)}
        state = CELLS[config.cell].state_size(config.hidden)
        found |= {"start/w": (config.latent, state), "start/b": (state,)}
        if config.words:
            found |= {f"words/{name}": (len(config.words), config.places, config.latent) for name in ("z", "sigma")}
    return found


def create_model(config: Config, rng: np.random.Generator) -> Model:
    """An untrained model: orthogonal recurrence, zero biases, small dense layers."""
    params: Parameters = {}
    for name, shape in shapes(config).items():
        part, _, own = name.partition("/")
        if part in ("cell", "forward", "backward"):
            cell = CELLS[config.cell if part == "cell" else "lstm"]
            params[name] = cell.initialise(own, shape, rng)
        elif len(shape) == 1 or part == "words":
            params[name] = np.zeros(shape, np.float32)
        elif part in ("mu", "sigma", "start"):
            params[name] = rng.normal(0, 0.001, shape).astype(np.float32)
        else:
            params[name] = orthogonal(shape, rng) * np.float32(0.5)
    return Model(config, params)


def part(params: Parameters, name: str) -> Parameters:
    """The parameters whose names begin with ``name/``, without it."""
    return {key[len(name) + 1 :]: value for key, value in params.items() if key.startswith(name + "/")}
