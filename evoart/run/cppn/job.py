"""What all jobs with coordinate networks share: which networks they are about."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evoart.errors import UsageError
from evoart.run import fields
from evoart.run.job import SIZE, Job

if TYPE_CHECKING:
    from evoart.cppn.graph import Graph
    from evoart.cppn.layers import Layers
    from evoart.forms.cppn import NetworkForm

TOPOLOGIES = ("layers", "graph", "agnostic")
MEASURES = ("contrast", "entropy", "edges", "colourfulness", "symmetry")
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
class NetworkJob(Job):
    """A job with coordinate networks.

    Attributes:
        topology: ``layers`` of a fixed size, a ``graph`` that evolves, or ``agnostic``: such a graph whose links share
            one weight.
        layers: units of each hidden layer, ``24x8`` or ``32,16,8``.
        activations: names joined by commas: of the layers' units, or those that nodes of a graph may have.
        color: ``rgb``, ``hsv`` or ``gray``.
        symmetry: ``none``, ``x``, ``y``, ``xy`` or ``kaleidoscope:N``.
        latent: latent numbers, 0 to 64: inputs beside x, y and r that a film can walk through.
        aspect: width to height of the pictures, ``16:9``.
    """

    checks: ClassVar = Job.checks | {
        "topology": fields.Choice(TOPOLOGIES),
        "layers": layers,
        "activations": names,
        "color": fields.Choice(("rgb", "hsv", "gray")),
        "symmetry": fields.named,
        "latent": fields.Number(0, 64, "latent numbers"),
        "aspect": fields.Aspect(),
        "engine": fields.Choice(("auto", "networks")),
    }

    topology: str = "layers"
    layers: str = "24x8"
    activations: str | None = None
    color: str = "rgb"
    symmetry: str = "none"
    latent: int = 4
    aspect: str = "1:1"

    @property
    def form_name(self) -> str:
        return "cppn" if self.topology == "layers" else "cppn-graph"

    @property
    def formats(self) -> tuple[str, ...]:
        return ("png",)

    def extent(self) -> tuple[float, float]:
        """Width and height of a picture in units; the longer one is 1."""
        return fields.extent(self.aspect)

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
        from evoart.cppn.activations import named

        return named(self.activations.split(",")) if self.activations else None

    def blank(self) -> NetworkForm:
        """The form of its pictures; of graphs, the bare one."""
        from evoart.forms.cppn import CppnForm, GraphForm

        kind = CppnForm if self.topology == "layers" else GraphForm
        return kind(*self.extent(), self.architecture())

    def title(self, label: str) -> str:
        return f"{self.stem}, {label}"


@dataclass(frozen=True)
class SheetJob(NetworkJob):
    """A job whose pictures come on a contact sheet; with ``pick`` it makes one of them alone.

    Attributes:
        n: pictures on the sheet, 1 to 400.
        pick: number of the picture to make alone, from 1.
        image_size: long side of a picture alone, 1 to 32,768 pixels.
    """

    checks: ClassVar = NetworkJob.checks | {
        "n": fields.Number(1, 400, "pictures", flag="-n"),
        "pick": fields.Number(1, 10_000, "pictures"),
        "image_size": SIZE,
    }

    n: int = 12
    pick: int | None = None
    image_size: int = 1024

    def check_together(self) -> None:
        super().check_together()
        if self.pick is not None and self.pick > self.cells:
            raise UsageError(f"there is no picture {self.pick} on a sheet of {self.cells}", f"Use 1 to {self.cells}")

    @property
    def cells(self) -> int:
        """Places on the sheet."""
        return self.n

    @property
    def pool(self) -> int:
        """Networks of which one picture is chosen."""
        return 1

    @property
    def columns(self) -> int:
        """Pictures in a row: as many as make the sheet about 4:3."""
        width, height = self.extent()
        return max(1, min(self.cells, round(math.sqrt(self.cells * 4 / 3 * height / width))))

    @property
    def form_name(self) -> str:
        return super().form_name if self.pick is not None else "sheet"

    def title(self, label: str) -> str:
        return f"{self.command.replace('-', ' ')}: {label}"


@dataclass(frozen=True)
class CppnJob(SheetJob):
    """``evoart cppn``: random networks, the lively ones among them."""

    command: ClassVar[str] = "cppn"
    checks: ClassVar = SheetJob.checks | {"candidates": fields.Number(1, 256, "networks")}

    candidates: int | None = None  # random networks of which one picture is the liveliest

    @property
    def pool(self) -> int:
        return self.candidates or (8 if self.topology == "layers" else 32)  # small graphs are duller, and cheaper

    @property
    def stem(self) -> str:
        return self.command if self.pick is None else f"network-{self.pick}"

    @property
    def summary(self) -> str:
        return f"{self.n} random networks" if self.pick is None else f"random network {self.pick}"


@dataclass(frozen=True)
class BreedJob(SheetJob):
    """``evoart cppn breed``: children of pictures that somebody has chosen.

    Attributes:
        parents, parents_sha256: paths of the parents, ``sheet.png:7`` for one of a sheet, and the hashes of the files.
        mutation_scale: how much children differ, 0.05 to 10.
        lineage: the ancestors, nearest first: how many generations back, file, job and picture.
    """

    command: ClassVar[str] = "cppn-breed"
    files: ClassVar = SheetJob.files | {"parents": "parent"}
    checks: ClassVar = SheetJob.checks | {
        "parents": fields.texts,
        "parents_sha256": fields.texts,
        "mutation_scale": fields.Number(0.05, 10.0, kind=float),
        "lineage": fields.texts,
    }

    parents: tuple[str, ...] = ()
    parents_sha256: tuple[str, ...] = ()
    mutation_scale: float = 1.0
    lineage: tuple[str, ...] = ()
    n: int = 16

    def check_together(self) -> None:
        super().check_together()
        if not self.parents:
            raise UsageError("there are no parents", "Name one picture of a network or more: evoart cppn breed a.png")

    @property
    def pool(self) -> int:
        return 3

    @property
    def stem(self) -> str:
        return "cppn-bred"

    @property
    def summary(self) -> str:
        count = len(self.parents)
        return f"{self.n} children of {count} network{'s' if count > 1 else ''}"


@dataclass(frozen=True)
class ExploreJob(SheetJob):
    """``evoart cppn explore``: MAP-Elites, the best network for every combination of measures.

    Attributes:
        grid: cells along the two measures, ``12x12``.
        measures: two of ``MEASURES``; the first runs from left to right, the second from bottom to top.
        objective: what decides within a cell: a measure, or ``liveliness``.
        batch: children per generation.
        resolution: long side in pixels at which pictures are measured.
    """

    command: ClassVar[str] = "cppn-explore"
    checks: ClassVar = SheetJob.checks | {
        "grid": names,
        "measures": names,
        "objective": fields.Choice((*MEASURES, "liveliness")),
        "batch": fields.Number(1, 4096, "networks"),
        "resolution": fields.Number(16, 256, "pixels"),
    }

    layers: str = "16x6"
    grid: str = "12x12"
    measures: str = "edges,colourfulness"
    objective: str = "liveliness"
    batch: int = 64
    resolution: int = 48

    def check_together(self) -> None:
        match = _REPEATED.fullmatch(self.grid)
        if not match or not all(2 <= int(side) <= 100 for side in match.groups()):
            raise UsageError(f"--grid is '{self.grid}'", "Write columns x rows, 2 to 100 each: 12x12")
        chosen = self.measures.split(",")
        if len(set(chosen)) != 2 or not set(chosen) <= set(MEASURES):
            raise UsageError(f"--measures is '{self.measures}'", f"Name two of: {', '.join(MEASURES)}")
        super().check_together()

    @property
    def columns(self) -> int:
        return int(self.grid.partition("x")[0])

    @property
    def cells(self) -> int:
        return self.columns * int(self.grid.partition("x")[2])

    @property
    def stem(self) -> str:
        return "cppn-explored"

    @property
    def summary(self) -> str:
        return f"exploring {self.measures.replace(',', ' and ')} on a grid of {self.grid}"
