"""Jobs about networks of coordinates: which networks, and how they come on a sheet; that of ``evoart cppn``."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.job import SIZE, Job

if TYPE_CHECKING:
    from evoart.cppn.graph import Graph
    from evoart.cppn.layers import Layers

TOPOLOGIES = ("layers", "graph", "agnostic")
_REPEATED = re.compile(r"(\d{1,5})x(\d{1,5})")


def layers(name: str, value: Any) -> str:
    """Units of each hidden layer: ``24x8`` (eight of 24), ``32,16,8``, or a list; as text."""
    if isinstance(value, list | tuple):
        value = ",".join(str(part) for part in value)
    words = [word.strip() for word in str(value).split(",") if word.strip()]
    for word in words:
        if not (_REPEATED.fullmatch(word) or re.fullmatch(r"\d{1,5}", word)):
            raise UsageError(f"--layers is '{fields.shortened(value)}'", "Write 24x4 for four layers of 24, or 32,16,8")
    if not widths(",".join(words)):
        raise UsageError("--layers makes a network without layers", "Use 1 to 32 layers, e.g. --layers 24x4")
    return ",".join(words)


def widths(text: str) -> tuple[int, ...]:
    """The units of each layer that ``layers`` wrote down."""
    units: list[int] = []
    for word in text.split(","):
        match = _REPEATED.fullmatch(word)
        units += [int(match[1])] * min(int(match[2]), 1000) if match else [int(word)] if word else []
    return tuple(units)


def names(name: str, value: Any) -> str:
    """Words joined by commas."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    words = [str(part).strip().lower() for part in parts if str(part).strip()]
    if not words:
        raise UsageError(f"--{name} is empty", "Leave it out, or name some")
    return ",".join(words)


@dataclass(frozen=True)
class AspectJob(Job):
    """A job whose pictures have proportions that are told.

    Attributes:
        aspect: width to height of the pictures, ``16:9``.
    """

    checks: ClassVar = Job.checks | {"aspect": fields.Aspect()}

    aspect: str = "1:1"

    def extent(self) -> tuple[float, float]:
        """Width and height of a picture in units; the longer one is 1."""
        return fields.extent(self.aspect)


@dataclass(frozen=True)
class NetworkJob(AspectJob):
    """A job with coordinate networks.

    Attributes:
        topology: ``layers`` of a fixed size, a ``graph`` that evolves, or ``agnostic``: such a graph whose links share
            one weight.
        layers: units of each hidden layer, ``24x8`` or ``32,16,8``.
        activations: names joined by commas: of the layers' units, or those that nodes of a graph may have.
        color: ``rgb``, ``hsv`` or ``gray``.
        symmetry: ``none``, ``x``, ``y``, ``xy`` or ``kaleidoscope:N``.
        latent: latent numbers, 0 to 64: inputs next to x, y and r that a film can walk through.
    """

    checks: ClassVar = AspectJob.checks | {
        "topology": fields.Choice(TOPOLOGIES),
        "layers": layers,
        "activations": names,
        "color": fields.Choice(("rgb", "hsv", "gray")),
        "symmetry": fields.named,
        "latent": fields.Number(0, 64, "latent numbers"),
        "engine": fields.Choice(("auto", "networks")),
    }

    topology: str = "layers"
    layers: str = "24x8"
    activations: str | None = None
    color: str = "rgb"
    symmetry: str = "none"
    latent: int = 4

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "cppn" if self.topology == "layers" else "cppn-graph"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("png",)

    def architecture(self) -> Layers | Graph:
        """The networks' layout; of graphs, what all of them have in common.

        Raises:
            UsageError: one that makes no sense.
        """
        from evoart.cppn.layers import Layers
        from evoart.forms.cppn import bare

        self.functions()
        if self.topology != "layers":
            return bare(self.latent, self.color, self.symmetry, self.topology == "agnostic")
        chosen = tuple((self.activations or "tanh").split(","))
        return Layers(widths(self.layers), chosen, self.latent, self.color, self.symmetry)

    def functions(self) -> tuple[str, ...] | None:
        """The activations that nodes of a graph may have; None: the usual ones.

        Raises:
            UsageError: an unknown one.
        """
        from evoart.cppn.activations import check_names

        return check_names(self.activations.split(",")) if self.activations else None

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.stem}, {label}"


@dataclass(frozen=True)
class SheetJob(AspectJob):
    """A job whose pictures come on a contact sheet; with ``pick`` it makes one of them alone.

    Attributes:
        n: pictures on the sheet, 1 to 400.
        pick: number of the picture to make alone, from 1.
        image_size: long side of a picture alone, 1 to 32,768 pixels.
    """

    checks: ClassVar = AspectJob.checks | {
        "n": fields.Number(1, 400, "pictures", flag="-n"),
        "pick": fields.Number(1, 10_000, "pictures"),
        "image_size": SIZE,
    }

    n: int = 12
    pick: int | None = None
    image_size: int = 1024

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        super().check_together()
        if self.pick is not None and self.pick > self.cells:
            raise UsageError(f"there is no picture {self.pick} on a sheet of {self.cells}", f"Use 1 to {self.cells}")

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("png",)

    @property
    def cells(self) -> int:
        """Cells of the sheet."""
        return self.n

    @property
    def axes(self) -> tuple[tuple[str, ...], ...]:
        """As of ``SheetForm``."""
        return ()

    @property
    def pool(self) -> int:
        """Networks of which one picture is chosen."""
        return 1

    @property
    def columns(self) -> int:
        """Pictures in a row: as many as make the sheet about 4:3 and leave few cells empty."""
        width, height = self.extent()

        def cost(columns: int) -> float:
            rows = -(-self.n // columns)
            return abs(math.log(columns * width / (rows * height) * 3 / 4)) + 1.5 * (columns * rows / self.n - 1)

        return min(range(1, self.n + 1), key=cost)

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return super().form_name if self.pick is not None else "sheet"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.command.replace('-', ' ')}: {label}"


@dataclass(frozen=True)
class NetworkSheetJob(SheetJob, NetworkJob):
    """A sheet of networks."""

    checks: ClassVar = SheetJob.checks | NetworkJob.checks


# Kinds of networks on a sheet where nobody says which: topology, layers, activations, symmetry. A sheet has them in
# turn, in an order of its own.
MIXTURE = (
    ("layers", "24x8", "tanh", "none"),
    ("layers", "16x3", "sine,gaussian,tanh", "none"),
    ("layers", "16x3", "sine,gaussian,tanh", "x"),
    ("layers", "24x4", "sine", "none"),
    ("graph", "", "", "none"),
    ("graph", "", "", "none"),
    ("graph", "", "", "x"),
    ("graph", "", "", "kaleidoscope:6"),
)
MIXED = "mixed"


@dataclass(frozen=True)
class CppnJob(NetworkSheetJob):
    """``evoart cppn``: random networks, the lively ones among them.

    Attributes:
        topology, symmetry: as of ``NetworkJob``, or ``mixed``: several kinds on one sheet (see ``MIXTURE``). Whoever
            names a topology, layers or activations gets networks of one kind, without symmetry unless that is named.
        candidates: random networks of which one picture is the liveliest, 1 to 256.
    """

    command: ClassVar[str] = "cppn"
    checks: ClassVar = NetworkSheetJob.checks | {
        "topology": fields.Choice((*TOPOLOGIES, MIXED)),
        "candidates": fields.Number(1, 256, "networks"),
    }

    topology: str = MIXED
    symmetry: str = MIXED
    candidates: int | None = None

    @classmethod
    def implied(cls, given: dict[str, Any]) -> dict[str, Any]:
        """See ``Job.implied``."""
        named = given.keys() & {"topology", "layers", "activations"}
        return {"topology": "layers", "symmetry": "none"} | given if named else given

    def of_place(self, place: int) -> CppnJob:
        """The job of the picture at ``place``, from 1, with its own kind of network.

        Raises:
            ValueError: the kinds are mixed, and no seed says how.
        """
        import numpy as np

        if MIXED not in (self.topology, self.symmetry):
            return self
        block, at = divmod(place - 1, len(MIXTURE))
        order = np.random.default_rng([self.seeded, 7, block]).permutation(len(MIXTURE))
        topology, layout, activations, symmetry = MIXTURE[order[at]]
        changes: dict[str, Any] = {"symmetry": symmetry} if self.symmetry == MIXED else {}
        if self.topology == MIXED:
            changes |= {"topology": topology, "layers": layout or self.layers, "activations": activations or None}
        return dataclasses.replace(self, pick=None, **changes)

    @property
    def pool(self) -> int:
        """See ``SheetJob.pool``."""
        return self.candidates or (8 if self.topology == "layers" else 32)  # small graphs are duller, and cheaper

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``; ``cppn`` of a picture whose kind no seed has decided yet."""
        if self.pick is None or self.topology != MIXED:
            return super().form_name
        return "cppn" if self.seed is None else NetworkJob.form_name.__get__(self.of_place(self.pick))

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return self.command if self.pick is None else f"network-{self.pick}"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"{self.n} random networks" if self.pick is None else f"random network {self.pick}"


def split_pick(path: str) -> tuple[str, int | None]:
    """File and number of ``sheet.png:7``; a file that has such a name is meant itself."""
    place, colon, number = path.rpartition(":")
    if colon and number.isascii() and number.isdigit() and len(number) < 6 and not os.path.exists(path):
        return place, int(number)
    return path, None
