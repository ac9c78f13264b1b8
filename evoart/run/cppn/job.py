"""Jobs of ``evoart cppn`` and its subcommands: which networks they are about, and what is done with them."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from evoart.errors import UsageError, unknown
from evoart.run import fields
from evoart.run.job import SIZE, Job, PhotographJob

if TYPE_CHECKING:
    from evoart.cppn.graph import Graph
    from evoart.cppn.layers import Layers
    from evoart.score.pixel import Loss

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


@dataclass(frozen=True)
class BreedJob(SheetJob):
    """``evoart breed``: children of pictures that somebody has chosen, of any form. The parents follow them on the
    sheet, in rows of their own.

    Attributes:
        n: children, 1 to 400.
        parents, parents_sha256: paths of the parents, ``sheet.png:7`` for one of a sheet, and the hashes of the files.
        mutation_scale: how much children differ, 0.05 to 10.
        vary: what changes: ``colour``, ``structure`` or ``all``.
        candidates: children of which one is kept, 1 to 64.
        lineage: the ancestors, nearest first: how many generations back, file, job and picture.
        form: of the first parent, ``""`` until it was read.
    """

    command: ClassVar[str] = "breed"
    files: ClassVar = SheetJob.files | {"parents": "parent"}
    checks: ClassVar = SheetJob.checks | {
        "parents": fields.texts,
        "parents_sha256": fields.texts,
        "mutation_scale": fields.Number(0.05, 10.0, kind=float),
        "vary": lambda name, value: fields.Choice(("all", "colour", "structure"))(name, _british(value)),
        "candidates": fields.Number(1, 64, "children"),
        "lineage": fields.texts,
        "form": fields.text,
        "aspect": fields.Aspect(math.inf),  # the parents', which nobody chose
        "engine": fields.Choice(("auto", "networks")),
    }

    parents: tuple[str, ...] = ()
    parents_sha256: tuple[str, ...] = ()
    mutation_scale: float = 1.0
    vary: str = "all"
    candidates: int = 3
    lineage: tuple[str, ...] = ()
    form: str = ""
    n: int = 16

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.parents:
            what = f"evoart {self.command.replace('-', ' ')} a.png"
            raise UsageError("there are no parents", f"Name one picture or more: {what}")
        super().check_together()
        if self.pick is not None and self.n < self.pick <= self.first_parent:
            raise UsageError(f"there is no picture {self.pick} on a sheet of {self.n} children", f"Use 1 to {self.n}")

    @property
    def first_parent(self) -> int:
        """Cell of the first parent, from 0: at the beginning of a row."""
        return -(-self.n // self.columns) * self.columns

    @property
    def cells(self) -> int:
        """See ``SheetJob.cells``; those between the last child and the first parent stay empty."""
        return self.first_parent + len(self.parents)

    @property
    def pool(self) -> int:
        """See ``SheetJob.pool``."""
        return self.candidates

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``; ``sheet`` until the parents were read."""
        return self.form if self.pick is not None and self.form else "sheet"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "bred"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.parents)
        return f"{self.n} children of {count} picture{'s' if count > 1 else ''}"


@dataclass(frozen=True)
class CppnBreedJob(BreedJob, NetworkJob):
    """``evoart cppn breed``: children of networks. ``form`` is not set: the network's own fields say it."""

    command: ClassVar[str] = "cppn-breed"
    checks: ClassVar = NetworkJob.checks | BreedJob.checks

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return NetworkJob.form_name.__get__(self) if self.pick is not None else "sheet"

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "cppn-bred"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.parents)
        return f"{self.n} children of {count} network{'s' if count > 1 else ''}"


def _british(value: Any) -> Any:
    """``color`` as the fields spell it."""
    return "colour" if value == "color" else value


@dataclass(frozen=True)
class ExploreJob(NetworkSheetJob):
    """``evoart cppn explore``: MAP-Elites, the best network for every combination of measures.

    Attributes:
        grid: cells along the two measures, ``12x12``.
        measures: two of ``MEASURES``; the first runs from left to right, the second from bottom to top.
        objective: what decides within a cell: a measure, or ``liveliness``.
        batch: children per generation.
        resolution: long side in pixels at which pictures are measured.
    """

    command: ClassVar[str] = "cppn-explore"
    checks: ClassVar = NetworkSheetJob.checks | {
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
        """See ``Job.check_together``."""
        match = _REPEATED.fullmatch(self.grid)
        if not match or not all(2 <= int(side) <= 100 for side in match.groups()):
            raise UsageError(f"--grid is '{self.grid}'", "Write columns x rows, 2 to 100 each: 12x12")
        chosen = self.measures.split(",")
        if len(set(chosen)) != 2 or not set(chosen) <= set(MEASURES):
            raise UsageError(f"--measures is '{self.measures}'", f"Name two of: {', '.join(MEASURES)}")
        super().check_together()

    @property
    def columns(self) -> int:
        """See ``SheetJob.columns``."""
        return int(self.grid.partition("x")[0])

    @property
    def axes(self) -> tuple[tuple[str, ...], ...]:
        """See ``SheetJob.axes``: the measures and their ranges."""
        from evoart.cppn.measures import RANGES

        return tuple(
            (f"{low:g}", name, f"{high:g}") for name in self.measures.split(",") for low, high in [RANGES[name]]
        )

    @property
    def cells(self) -> int:
        """See ``SheetJob.cells``."""
        return self.columns * int(self.grid.partition("x")[2])

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        return "cppn-explored"

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        return f"exploring {self.measures.replace(',', ' and ')} on a grid of {self.grid}"


GRADIENT = {"rate": 0.02, "steps": 4_000.0}  # the settings of training a fixed network; the rate falls over the steps
NEAT = {  # those of NEAT: of training, of the population, and how often each mutation happens
    "steps": 100.0, "rate": 0.05, "species": 6.0, "survivors": 0.3, "crossing": 0.5,
    "node": 0.4, "link": 0.6, "activation": 0.15, "toggle": 0.03,
}  # fmt: skip


@dataclass(frozen=True)
class CppnFitJob(PhotographJob, NetworkJob):
    """``evoart cppn fit``: a photograph drawn by a network.

    Attributes:
        picture, sha256: path of the photograph (``""``: the bundled one, ``"-"``: standard input) and its hash.
        weights: how they are found: ``gradient``, or ``evolve``.
        strategy: evosax strategy that evolves the weights of layers.
        population: candidates per generation, 4 to 65,536.
        step: initial step size of a strategy.
        pixels: long side of the canvas, 16 to 1,024 pixels; None: 128, of graphs 64.
        loss: ``mse``, ``mae`` or ``oklab``.
        until_psnr: stop at this PSNR in dB, 1 to 100.
        max_pixels: photographs with more pixels are refused.
    """

    command: ClassVar[str] = "cppn-fit"
    files: ClassVar = NetworkJob.files | {"picture": "photograph"}
    checks: ClassVar = NetworkJob.checks | {
        "picture": fields.text,
        "sha256": fields.text,
        "weights": fields.Choice(("gradient", "evolve")),
        "strategy": fields.named,
        "population": fields.Number(4, 65_536, "candidates"),
        "step": fields.Number(1e-5, 2.0, kind=float),
        "pixels": fields.Number(16, 1024, "pixels"),
        "loss": fields.Choice(("mse", "mae", "oklab")),
        "until_psnr": fields.Number(1.0, 100.0, "dB", kind=float),
        "max_pixels": fields.Number(4, 10**10, "pixels"),
        "aspect": fields.Aspect(math.inf),  # the photograph's, which nobody chose
    }

    picture: str = ""
    sha256: str = ""
    weights: str = "gradient"
    strategy: str | None = None
    population: int | None = None
    step: float | None = None
    pixels: int | None = None
    loss: Loss = "mse"
    until_psnr: float | None = None
    max_pixels: int | None = None
    layers: str = "32x4"
    latent: int = 0

    @property
    def trains_layers(self) -> bool:
        """Whether the weights of fixed layers are found by gradient."""
        return self.topology == "layers" and self.weights == "gradient"

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if self.strategy is not None and (self.topology != "layers" or self.weights != "evolve"):
            raise UsageError(
                f"--strategy {self.strategy} is for layers whose weights evolve",
                f"Use --topology layers --weights evolve --strategy {self.strategy}",
            )
        if self.topology == "agnostic" and self.weights == "gradient":
            raise UsageError("a weight-agnostic network has no weights to train", "Add --weights evolve")
        if self.trains_layers and self.population is not None:
            raise UsageError("training layers has no population", "Leave out --population, or use --weights evolve")
        known = GRADIENT if self.topology == "layers" else NEAT
        if self.topology == "layers" and self.weights == "evolve":
            return  # options are the strategy's
        for name, value in self.options.items():
            if name not in known:
                raise unknown("setting", name, known)
            if isinstance(value, str) or not 0 <= value <= 1e6 or (name == "steps" and value < 1):
                raise UsageError(f"{name}={value} is out of range", "Use a number from 0 to 1,000,000, 1 step at least")

    def architecture(self) -> Layers | Graph:
        """As of any job, but that layers are sines where nobody says: with them a photograph is fitted best."""
        if self.topology == "layers" and self.activations is None:
            return dataclasses.replace(self, activations="sine").architecture()
        return super().architecture()

    def setting(self, name: str) -> float:
        """One of ``GRADIENT`` or ``NEAT``: as given, or as usual."""
        usual = (GRADIENT if self.topology == "layers" else NEAT)[name]
        return float(self.options.get(name, usual))

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        kind = {"layers": f"layers of {self.layers}", "graph": "evolved topologies"}
        how = "by gradient" if self.weights == "gradient" else "by evolution"
        return f"{self.subject}, {kind.get(self.topology, 'one weight for all links')}, {how}"

    def title(self, label: str) -> str:
        """See ``Job.title``."""
        return f"{self.stem}, drawn by {label}"


@dataclass(frozen=True)
class CppnFilmJob(Job):
    """``evoart cppn film``.

    Attributes:
        networks, networks_sha256: paths of pictures of networks (``sheet.png:7`` for one of a sheet) and file hashes.
        through: what moves where there is one network: ``latent`` numbers, ``weights``, or ``auto``.
        amount: how far, 0.01 to 20; 1 shows, and stays with the picture.
    """

    command: ClassVar[str] = "cppn-film"
    files: ClassVar = Job.files | {"networks": "network"}
    checks: ClassVar = Job.checks | {
        "networks": fields.texts,
        "networks_sha256": fields.texts,
        "through": fields.Choice(("auto", "latent", "weights")),
        "amount": fields.Number(0.01, 20.0, kind=float),
        "engine": fields.Choice(("auto", "networks")),
    }

    networks: tuple[str, ...] = ()
    networks_sha256: tuple[str, ...] = ()
    through: str = "auto"
    amount: float = 1.0

    def check_together(self) -> None:
        """See ``Job.check_together``."""
        if not self.networks:
            raise UsageError("there is no network", "Name one picture of a network or more: evoart cppn film a.png")

    @property
    def form_name(self) -> str:
        """See ``Job.form_name``."""
        return "film"

    @property
    def formats(self) -> tuple[str, ...]:
        """See ``Job.formats``."""
        return ("animated-webp",)  # the 255 colours of a GIF make steps of what is smooth

    @property
    def film_only(self) -> bool:
        """See ``Job.film_only``."""
        return True

    @property
    def stem(self) -> str:
        """See ``Job.stem``."""
        place, pick = split_pick(self.networks[0])
        return Path(place).stem + (f"-{pick}" if pick else "")

    @property
    def summary(self) -> str:
        """See ``Job.summary``."""
        count = len(self.networks)
        return f"a loop through {count} networks" if count > 1 else f"a loop around {self.networks[0]}"


def split_pick(path: str) -> tuple[str, int | None]:
    """File and number of ``sheet.png:7``; a file that has such a name is meant itself."""
    place, colon, number = path.rpartition(":")
    if colon and number.isascii() and number.isdigit() and len(number) < 6 and not os.path.exists(path):
        return place, int(number)
    return path, None
