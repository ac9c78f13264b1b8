"""Networks in files, and what the commands for networks share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from evoart.cppn.genes import Rates
from evoart.cppn.graph import Graph
from evoart.cppn.layers import Layers
from evoart.errors import UsageError
from evoart.forms.cppn import CppnForm, GraphForm, NetworkForm, layout_key
from evoart.forms.latent import LatentForm
from evoart.forms.sheet import SheetForm
from evoart.forms.strokes import StrokesForm
from evoart.output.recipe import extract
from evoart.run import device
from evoart.run.cppn.job import NetworkJob, split_pick
from evoart.run.inputs import read_hashed
from evoart.run.recipe import Record, record
from evoart.types import Form


def read_network(path: str, expected: str = "") -> tuple[Record, NetworkForm, np.ndarray, str]:
    """Record, form and genome of the network in a file, and the file's hash. ``sheet.png:7`` is the 7th of a sheet.

    Raises:
        UsageError: no such file or picture, or no network in it. EvoartError: no recipe, or a damaged one.
    """
    found, form, genome, digest, label = _read(path, expected, "network")
    if isinstance(form, LatentForm):
        raise UsageError(f"{label} shows a latent vector", "Use evoart cppn morph for films, evoart breed for children")
    if not isinstance(form, NetworkForm):
        raise UsageError(f"{label} is not a picture of a network", "Use pictures that evoart cppn has made")
    return found, form, genome, digest


def read_picture(path: str, expected: str = "") -> tuple[Record, Form, np.ndarray, str]:
    """Record, form and genome of the picture in a file, and the file's hash. ``sheet.png:7`` is the 7th of a sheet, of
    sketches too.

    Raises:
        UsageError: no such file or picture. EvoartError: no recipe, or a damaged one.
    """
    return _read(path, expected, "picture")[:4]


def _read(path: str, expected: str, what: str) -> tuple[Record, Form, np.ndarray, str, str]:
    place, pick = split_pick(path)
    data, label, digest = read_hashed(what, place, expected)
    found = record(extract(data, label), label)
    form, genome = found.form, found.genome
    if isinstance(form, StrokesForm) and len(form.sketches) > 1 and pick is not None:
        if not 1 <= pick <= len(form.sketches):
            raise UsageError(f"there is no picture {pick} on {label}", f"It has 1 to {len(form.sketches)}")
        form, genome = form.sketch(genome, pick - 1)
    elif isinstance(form, SheetForm):
        cells = {cell + 1: (member, part) for cell, member, part in form.split(genome)}
        if pick is None:
            raise UsageError(f"{label} is a sheet of {len(cells)} pictures", f"Say which one: {place}:1")
        if pick not in cells:
            raise UsageError(f"there is no picture {pick} on {label}", f"It has 1 to {len(form.members)}")
        form, genome = cells[pick]
    elif pick is not None:
        raise UsageError(f"{label} is not a sheet", f"Leave out ':{pick}'")
    return found, form, genome, digest, label


def check_kind(first: str, one: NetworkForm, path: str, other: NetworkForm) -> None:
    """Refuse networks that cannot be crossed.

    Raises:
        UsageError: another layout.
    """
    if type(one) is not type(other) or layout_key(one.net) != layout_key(other.net):
        raise UsageError(
            f"'{first}' and '{path}' are networks of different layouts ({one.description}; {other.description})",
            "Choose pictures of one kind, as sheets made with --topology have",
        )


def read_networks(paths: Sequence[str], hashes: Sequence[str]) -> list[tuple[Record, NetworkForm, np.ndarray, str]]:
    """``read_network`` of several.

    Args:
        hashes: what each file must have, or nothing where the job does not know yet.

    Raises:
        UsageError, EvoartError: as ``read_network``.
    """
    return [read_network(path, digest) for path, digest in _with_hashes(paths, hashes)]


def read_pictures(paths: Sequence[str], hashes: Sequence[str]) -> list[tuple[Record, Form, np.ndarray, str]]:
    """``read_picture`` of several; see ``read_networks``."""
    return [read_picture(path, digest) for path, digest in _with_hashes(paths, hashes)]


def _with_hashes(paths: Sequence[str], hashes: Sequence[str]) -> list[tuple[str, str]]:
    expected = hashes or ("",) * len(paths)
    if len(expected) != len(paths):
        raise UsageError("the job has another number of files than of their hashes", "Leave the hashes out")
    return list(zip(paths, expected, strict=True))


def network_form(net: Layers | Graph, width: float, height: float) -> NetworkForm:
    """The form of pictures of a network, ``width`` and ``height`` in units."""
    return CppnForm(width, height, net) if isinstance(net, Layers) else GraphForm(width, height, net)


def aspect_of(form: Form) -> str:
    """Width to height of a form's pictures, as jobs have it."""
    wide, tall = (np.format_float_positional(float(f"{side:.6g}"), trim="-") for side in (form.width, form.height))
    return f"{wide}:{tall}"


def network_fields(form: NetworkForm) -> dict[str, Any]:
    """The fields of a job about networks such as this one."""
    net = form.net
    known = {"color": net.colour, "symmetry": net.symmetry, "latent": net.latent, "aspect": aspect_of(form)}
    if isinstance(net, Layers):
        layout = ",".join(str(units) for units in net.layers)
        return known | {"topology": "layers", "layers": layout, "activations": ",".join(net.activations)}
    return known | {"topology": "agnostic" if net.shared else "graph"}


def networks_engine(asked: str) -> device.Choice:
    """What draws the pictures of networks: JAX, on the device that is ``asked`` for: ``auto``, ``cpu`` or ``gpu``.

    Raises:
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX runs on a GPU.
    """
    return dataclasses.replace(device.choose_jax(asked), engine="networks")


def drawing_engine(asked: str) -> device.Choice:
    """What draws networks where nothing is trained: compiled code on the CPU, unless a GPU is ``asked`` for.

    Raises:
        EvoartError: as ``networks_engine``.
    """
    return networks_engine(asked) if asked == "gpu" else device.Choice("networks", "cpu", "by all its threads")


def rates(job: NetworkJob) -> Rates:
    """How graphs of a job mutate."""
    functions = job.functions()
    return Rates(functions=functions) if functions else Rates()
