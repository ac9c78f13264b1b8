"""Networks in files, and what the commands for networks share."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np

from evoart.cppn.genes import Rates
from evoart.errors import UsageError
from evoart.forms.cppn import NetworkForm, layout_key
from evoart.forms.sheet import SheetForm
from evoart.output.recipe import extract
from evoart.run import device
from evoart.run.cppn.job import NetworkJob
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
        raise UsageError(f"{label} is no sheet", f"Leave out ':{pick}'")
    if not isinstance(form, NetworkForm):
        raise UsageError(f"{label} is no picture of a network", "Use pictures that evoart cppn has made")
    return found, form, genome, digest


def split_pick(path: str) -> tuple[str, int | None]:
    """File and number of ``sheet.png:7``; a file that has such a name is meant itself."""
    place, colon, number = path.rpartition(":")
    if colon and number.isascii() and number.isdigit() and len(number) < 6 and not os.path.exists(path):
        return place, int(number)
    return path, None


def same_kind(first: str, one: NetworkForm, path: str, other: NetworkForm) -> None:
    """Refuse networks that cannot be crossed.

    Raises:
        UsageError: another layout.
    """
    if type(one) is not type(other) or layout_key(one.net) != layout_key(other.net):
        raise UsageError(
            f"'{first}' and '{path}' are networks of different layouts ({one.description}; {other.description})",
            "Choose pictures of one sheet, or of sheets made with the same options",
        )


def network_fields(form: NetworkForm) -> dict[str, Any]:
    """The fields of a job about networks such as this one."""
    net = form.net
    wide, tall = form.width, form.height
    known = {"color": net.colour, "symmetry": net.symmetry, "latent": net.latent, "aspect": f"{wide:.6g}:{tall:.6g}"}
    if form.name == "cppn":
        shape = ",".join(str(units) for units in net.layers)
        return known | {"topology": "layers", "layers": shape, "activations": ",".join(net.activations)}
    return known | {"topology": "agnostic" if net.shared else "graph"}


def networks_engine(job: NetworkJob) -> device.Choice:
    """What draws the pictures of a job: JAX, on whatever device it has.

    Raises:
        EvoartError: a GPU was asked for and JAX sees none, or the CPU and JAX has settled on a GPU.
    """
    return dataclasses.replace(device.choose_jax(job.device), engine="networks")


def rates(job: NetworkJob) -> Rates:
    """How graphs of a job mutate."""
    functions = job.functions()
    return Rates(functions=functions) if functions else Rates()
