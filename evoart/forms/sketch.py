"""The sketch form: a genome is what a sketch-rnn needs to draw, its noise or its latent vector, and a place."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.forms.plain import numbers
from evoart.forms.strokes import RGB, StrokesForm, coverage_traced, strokes_form
from evoart.sketch.model import Model
from evoart.types import Array, Genome, Image

PLACE = 4  # numbers of a place: x and y of the middle, log2 of the size, turn in radians
MAX_SKETCHES = 400  # in a picture
_MIN_SIDE = 1e-3  # of a sketch in the model's units: a dot is not blown up forever


@dataclass(frozen=True)
class SketchForm:
    """Sketches of one model on one page. The model is loaded when something is drawn; ``sketch_form`` makes the form of
    a model that is there.

    Attributes:
        model: name or file of a sketch-rnn.
        evolve: ``noise`` (of sampling) or ``z`` (a VAE's latent vector).
        count: sketches on the page, 1 to 400.
        points: maximal number of points of a sketch.
        latent: length of z; 0 where noise evolves.
        temperature, rule: of sampling.
        seed: of the noise where ``evolve`` is ``z``.
        class_index: what a model of several classes is told to draw.
        width, height: extent of the picture in units; the longer one is 1.
        line: width of the lines in units.
        ink: their colour; ``background``: sRGB in [0, 1], or None for a transparent background.
        sha256: of the weights; ``""`` for any.
    """

    name: ClassVar[str] = "sketch"

    model: str = "kanji"
    evolve: str = "noise"
    count: int = 1
    points: int = 64
    latent: int = 0
    temperature: float = 0.35
    rule: str = "js"
    seed: int = 0
    class_index: int = 0
    width: float = 1.0
    height: float = 1.0
    line: float = 0.012
    ink: RGB = (0.0, 0.0, 0.0)
    background: RGB | None = (1.0, 1.0, 1.0)
    sha256: str = ""

    def load(self) -> Model:
        """The model.

        Raises:
            UsageError, EvoartError: it is not there, or another one than the form was made with.
        """
        model, digest = _load(self.model)
        if self.sha256 not in ("", digest) or self.latent not in (0, model.config.latent):
            raise EvoartError(f"'{self.model}' is not the model that this was made with", "Put the earlier file back")
        return model

    @property
    def own(self) -> int:
        """Numbers of one sketch."""
        return PLACE + (self.latent or 4 * self.points)

    @property
    def dim(self) -> int:
        """See ``Form.dim``."""
        return self.count * self.own

    @property
    def label(self) -> str:
        """``24 sketches``."""
        return "one sketch" if self.count == 1 else f"{self.count} sketches"

    @property
    def description(self) -> str:
        """See ``Form.description``."""
        return f"{self.label} of '{self.model}', by {'noise' if self.evolve == 'noise' else 'latent vector'}"

    def work(self, pixels: int) -> float:
        """See ``StrokesForm.work``; a step of the model is a product with its weights."""
        return self.count * self.points * (pixels / 2 + self.load().config.hidden ** 2 / 16)

    @property
    def _usual_side(self) -> float:
        """Of a sketch in units, before it evolves."""
        return 0.8 * min(self.width, self.height) / np.sqrt(self.count)

    def random(self, rng: np.random.Generator, image: Image | None = None) -> Genome:
        """Noise as sampling would have it, evenly over the page."""
        rows = rng.standard_normal((self.count, self.own)).astype(np.float32)
        columns = int(np.ceil(np.sqrt(self.count * self.width / self.height)))
        cells = np.stack(np.divmod(np.arange(self.count), columns)[::-1], -1) + 0.5
        lines = -(-self.count // columns)
        rows[:, :2] = cells / (columns, lines) * (self.width, self.height)
        rows[:, 2:PLACE] = 0
        return rows.ravel()

    def steps(self) -> np.ndarray:
        """A step of 1 moves a sketch by 0.1 units, its size by a factor of 1.2, its turn by 0.1, its noise by 0.5."""
        row = np.full(self.own, 0.5, np.float32)
        row[:PLACE] = (0.1, 0.1, 0.26, 0.1)
        return np.tile(row, self.count)

    def drawing(self, genome: Genome) -> Any:
        """See ``Form.drawing``."""
        form, points = self.finalised(genome)
        return form.drawing(points)

    def finalised(self, genome: Genome) -> tuple[StrokesForm, Genome]:
        """The strokes that come of it: from then on no model is needed."""
        points, down, drawn = self._segments(np.asarray(genome, np.float32)[None])
        strokes: list[np.ndarray] = []
        groups = []
        for own, lines, there in zip(points[0], down[0], drawn[0], strict=True):
            before = len(strokes)
            strokes += _split(own.astype(np.float64), lines, there)
            groups.append(len(strokes) - before)
        settings = {"width": self.width, "height": self.height, "line": self.line, "background": self.background}
        return strokes_form(strokes, palette=(self.ink,), sketches=tuple(groups), **settings)

    def check(self, genome: Genome) -> None:
        """Refuse every genome: a file that is read holds strokes (see ``finalised``), so no model is asked for."""
        raise ValueError("a sketch that still needs its model")

    def with_structure(self, structure: Any) -> SketchForm:
        """See ``Form.with_structure``: the searches of sketches choose none."""
        return self

    def between(self, genome: Genome, other: Any, after: Genome, share: float) -> None:
        """None: a little more noise is another sketch."""
        return None

    def to_plain(self) -> dict[str, Any]:
        """See ``Form.to_plain``."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "name"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> SketchForm:
        """See ``Form.from_plain``."""
        from evoart.sketch.sampling import RULES

        whole = {
            "count": (1, MAX_SKETCHES),
            "points": (2, 5000),
            "latent": (0, 1024),
            "seed": (0, 2**32 - 1),
            "class_index": (0, 10_000),
        }
        real = {"temperature": (0, 2), "width": (1e-4, 1), "height": (1e-4, 1), "line": (1e-5, 1)}
        values: dict[str, Any] = {}
        for name, (low, high) in whole.items():
            if isinstance(plain[name], bool) or not isinstance(plain[name], int) or not low <= plain[name] <= high:
                raise ValueError(name)
            values[name] = plain[name]
        for name, (low, high) in real.items():
            (values[name],) = numbers(plain[name], low=low, high=high)
        for name in ("model", "evolve", "rule", "sha256"):
            if not isinstance(plain[name], str):
                raise TypeError(name)
            values[name] = plain[name]
        if values["rule"] not in RULES or values["evolve"] != ("z" if values["latent"] else "noise"):
            raise ValueError("rule")
        for name in ("ink", "background"):
            red_green_blue = None if name == "background" and plain[name] is None else plain[name]
            values[name] = None if red_green_blue is None else _rgb(red_green_blue)
        return cls(**values)

    def images_traced(self, genomes: Array, height: int, width: int) -> Array:
        """Pictures ``(n, height, width, 3)`` of genomes ``(n, dim)`` inside a JAX program; transparency is white."""
        import jax.numpy as jnp

        points, down, _ = self.segments_traced(genomes)
        n = genomes.shape[0]
        a, b = (part.reshape(n, -1, 2) for part in (points[:, :, :-1], points[:, :, 1:]))
        extent = (self.width, self.height)
        cover = coverage_traced(a, b, down.reshape(n, -1), self.line, extent, (height, width))[..., None]
        background = jnp.asarray(self.background or (1.0, 1.0, 1.0), jnp.float32)
        return background + cover * (jnp.asarray(self.ink, jnp.float32) - background)

    def segments_traced(self, genomes: Array) -> tuple[Array, Array, Array]:
        """Where the pens go, inside a JAX program.

        Returns:
            Points ``(n, count, points + 1, 2)`` in units, the first where the pen is set down; ``(n, count, points)``
            bool, whether the way to the next point is drawn; and the same, whether there is a next point at all.
        """
        import jax.numpy as jnp

        from evoart.sketch.sampling import trace

        model = self.load()
        config, params = model.config, {name: jnp.asarray(value) for name, value in model.params.items()}
        n = genomes.shape[0]
        own = genomes.reshape(n * self.count, self.own)
        place, numbers_ = own[:, :PLACE], own[:, PLACE:]
        condition, state = self._condition(model, params, numbers_)
        if self.evolve == "z":
            fixed = np.random.default_rng([self.seed, 5]).standard_normal((self.count, self.points, 4), np.float32)
            noise = jnp.tile(fixed, (n, 1, 1))
        else:
            noise = numbers_.reshape(n * self.count, self.points, 4)
        start = jnp.tile(jnp.array([[0, 0, 1, 0, 0]], jnp.float32), (n * self.count, 1))
        tau = jnp.float32(self.temperature)
        _, rows = trace(config, self.rule, params, state, start, condition, jnp.moveaxis(noise, 1, 0), tau)
        rows = jnp.moveaxis(rows, 0, 1)
        there = rows[..., 4] < 0.5
        down = there & jnp.concatenate([jnp.ones_like(there[:, :1]), rows[:, :-1, 3] < 0.5], 1)
        points = jnp.concatenate([jnp.zeros((n * self.count, 1, 2)), jnp.cumsum(rows[..., :2], 1)], 1)
        points = self._placed(points, jnp.concatenate([jnp.ones_like(there[:, :1]), there], 1), place)
        shape = (n, self.count, self.points)
        return points.reshape(n, self.count, -1, 2), down.reshape(shape), there.reshape(shape)

    def _placed(self, points: Array, there: Array, place: Array) -> Array:
        """Points in units: the sketch's box around its middle, turned, as large as its place says."""
        import jax.numpy as jnp

        low = jnp.min(jnp.where(there[..., None], points, jnp.inf), 1, keepdims=True)
        high = jnp.max(jnp.where(there[..., None], points, -jnp.inf), 1, keepdims=True)
        side = jnp.maximum(jnp.max(high - low, -1, keepdims=True), _MIN_SIDE)
        size = self._usual_side * 2 ** jnp.clip(place[:, 2], -6, 4)
        cos, sin = jnp.cos(place[:, 3]), jnp.sin(place[:, 3])
        x, y = jnp.moveaxis((points - (low + high) / 2) / side, -1, 0)
        turned = jnp.stack([x * cos[:, None] - y * sin[:, None], x * sin[:, None] + y * cos[:, None]], -1)
        return turned * size[:, None, None] + jnp.clip(place[:, None, :2], -4, 4)

    def _condition(self, model: Model, params: Any, values: Array) -> tuple[Array, Array]:
        import jax.numpy as jnp

        from evoart.sketch.cells import CELLS
        from evoart.sketch.encoder import first_state

        config = model.config
        condition = jnp.zeros((values.shape[0], config.conditioning))
        state = jnp.zeros((values.shape[0], CELLS[config.cell].state_size(config.hidden)))
        if config.latent:
            z = values if self.evolve == "z" else jnp.zeros((values.shape[0], config.latent))
            condition = condition.at[:, : config.latent].set(z)
            state = first_state(config, params, z)
        if config.classes:
            condition = condition.at[:, config.latent + self.class_index % len(config.classes)].set(1.0)
        return condition, state

    def _segments(self, genomes: np.ndarray) -> tuple[np.ndarray, ...]:
        bare = replace(
            self, ink=(0.0, 0.0, 0.0), background=None, line=0.01
        )  # what moves no pen needs no other program
        return tuple(np.asarray(part) for part in _compiled(bare)(genomes))


def sketch_form(model: str, evolve: str = "noise", count: int = 1, points: int = 64, **settings: Any) -> SketchForm:
    """The form of sketches of a model, which is loaded to learn what it can do.

    Args:
        settings: further fields of the form.

    Raises:
        UsageError: no such model, or one that cannot do what is asked. EvoartError: it cannot be read or downloaded.
    """
    found, digest = _load(model)
    config = found.config
    if evolve not in ("noise", "z"):
        raise UsageError(f"'{evolve}' of a sketch cannot evolve", "Use noise or z")
    if evolve == "z":
        found.need_latent("evolve z")
    if config.inputs != 5:
        raise UsageError(f"'{config.name}' cannot evolve", "Use another model")
    latent = config.latent if evolve == "z" else 0
    return SketchForm(model, evolve, count, min(points, config.max_points), latent, sha256=digest, **settings)


@functools.lru_cache(maxsize=8)
def _compiled(form: SketchForm) -> Any:
    import jax

    return jax.jit(form.segments_traced)


@functools.lru_cache(maxsize=4)
def _load(name: str) -> tuple[Model, str]:
    """A model and the hash of its weights."""
    from evoart.sketch.catalogue import find

    model = find(name)
    return model, model.digest


def _split(points: np.ndarray, down: np.ndarray, there: np.ndarray) -> list[np.ndarray]:
    """Strokes of a way: cut where the pen travels, ended where the sketch ends."""
    last = int(np.count_nonzero(there))
    cuts = np.flatnonzero(~down[:last]) + 1
    return [part for part in np.split(points[: last + 1], cuts) if len(part)]


def _rgb(value: Any) -> RGB:
    red, green, blue = numbers(*value, low=0, high=1)
    return red, green, blue
