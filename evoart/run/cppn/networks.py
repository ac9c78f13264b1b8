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
from evoart.forms.sheet import SheetForm
from evoart.output.recipe import extract
from evoart.run import device
from evoart.run.cppn.job import NetworkJob, split_pick
from evoart.run.inputs import read_hashed
from evoart.run.recipe import Record, record


def read_network(path: str, expected: str = "") -> tuple[Record, NetworkForm, np.ndarray, str]:
    """Record, form and genome of the network in a file, and the file's hash. ``sheet.png:7`` is the 7th of a sheet.

    Raises:
        UsageError: no such file or picture, or no network in it. EvoartError: no recipe, or a damaged one.
    """
    place, pick = split_pick(path)
    data, label, digest = read_hashed("network", place, expected)
    found = record(extract(data, label), label)
    form, genome = found.form, found.genome
    if isinstance(form, SheetForm):
        cells = {cell + 1: (member, part) for cell, member, part in form.split(genome)}
        if pick is None:
            raise UsageError(f"{label} is a sheet of {len(cells)} pictures", f"Say which one: {place}:1")
        if pick not in cells:
            raise UsageError(f"there is no picture {pick} on {label}", f"It has 1 to {len(form.members)}")
        form, genome = cells[pick]
    elif pick is not None:
        raise UsageError(f"{label} is not a sheet", f"Leave out ':{pick}'")
    if not isinstance(form, NetworkForm):
        raise UsageError(f"{label} is not a picture of a network", "Use pictures that evoart cppn has made")
    return found, form, genome, digest


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
    expected = hashes or ("",) * len(paths)
    if len(expected) != len(paths):
        raise UsageError("the job has another number of files than of their hashes", "Leave the hashes out")
    return [read_network(path, digest) for path, digest in zip(paths, expected, strict=True)]


def network_form(net: Layers | Graph, width: float, height: float) -> NetworkForm:
    """The form of pictures of a network, ``width`` and ``height`` in units."""
    return CppnForm(width, height, net) if isinstance(net, Layers) else GraphForm(width, height, net)


def network_fields(form: NetworkForm) -> dict[str, Any]:
    """The fields of a job about networks such as this one."""
    net = form.net
    wide, tall = (np.format_float_positional(float(f"{side:.6g}"), trim="-") for side in (form.width, form.height))
    known = {"color": net.colour, "symmetry": net.symmetry, "latent": net.latent, "aspect": f"{wide}:{tall}"}
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
