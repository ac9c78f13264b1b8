"""Which CLIP models there are: two small ones inside this package, and all that open_clip publishes.

A model is called ``NAME/TAG``, open_clip's architecture and pretrained tag, e.g. ``ViT-B-32/laion2b_s34b_b79k``.
``published.json`` lists open_clip's (``tests/published.py`` writes it), with the configurations of those that this
package computes itself; so they need no open_clip. Where a newer open_clip is installed, its list counts as well.
"""

from __future__ import annotations

import difflib
import functools
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoart.errors import MissingExtra, UsageError, unknown
from evoart.openclip.config import parse

DEFAULT = "ViT-B-32/laion2b_s34b_b79k"
RANDOM = "random"  # the tag of a model without training, for tests and timing
INSIDE = Path(__file__).parent / "models"  # tiny and judge
BUILT_IN = ("tiny", "judge")
_QUICK = "-quickgelu"  # the end of names whose activation is the quick form


@dataclass(frozen=True)
class Entry:
    """A model with trained weights.

    Attributes:
        name, tag: as open_clip calls them; no tag where the model is built in or its weights come from a user's file.
        repository: on the Hugging Face hub; ``""`` where there is none.
        licence: of the weights, as published; ``""`` where this package does not know.
        size: bytes to download; 0 where unknown, see ``size_of``.
        preprocess: mean, std, interpolation, resize_mode where they are not open_clip's defaults.
        quick_gelu: the weights were trained with the quick form of the activation.
        file: name of the weights in ``repository``, where it is not open_clip's usual one.
        torch_reason: why only torch computes it, such as ``its vision tower is a ResNet``; ``""`` where JAX does.
        note: why one would choose it.
    """

    name: str
    tag: str
    repository: str = ""
    licence: str = ""
    size: int = 0
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False
    file: str = ""
    torch_reason: str = ""
    note: str = ""

    @property
    def full_name(self) -> str:
        """``NAME/TAG``, or ``NAME`` where there is no tag."""
        return f"{self.name}/{self.tag}" if self.tag else self.name

    @property
    def is_on_disk(self) -> bool:
        """Whether it is there without a download: built in, or without training."""
        return self.name in BUILT_IN or self.tag == RANDOM


KNOWN = (
    Entry("tiny", "", "", "MIT", note="inside evoart, works at once, offline: colours right, outlines rough"),
    Entry("judge", "", "", "MIT", note="inside evoart: evaluates what tiny has drawn"),
    Entry("ViT-B-32", "laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "MIT", 605_143_316,
          note="the default CLIP"),
    Entry("ViT-B-32", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "MIT", 605_143_316,
          note="as fast, better with drawings"),
    Entry("ViT-B-32-256", "datacomp_s34b_b86k", "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", "MIT", 605_189_652,
          note="better, 1.3 times the work"),
    Entry("ViT-B-16", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "MIT", 598_516_980,
          note="much better, 4 times the work"),
    Entry("ViT-L-14", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K", "MIT", 1_710_517_724,
          note="best, 19 times the work"),
)  # fmt: skip


def find_entry(model: str, pretrained: str | None = None) -> Entry:
    """The model called ``NAME``, ``NAME/TAG``, or NAME with its tag given apart; upper and lower case count as one,
    and so do ``ViT-B/32`` and ``ViT-B-32``.

    Raises:
        UsageError: an unknown name, or a name without that tag; with the nearest ones.
    """
    name, tag = split_name(model)
    if tag and pretrained and tag != pretrained:
        raise UsageError(f"--model {model} and --pretrained {pretrained} name two tags", "Leave one of them out")
    tag = (tag or pretrained or "").strip().lower().replace("-", "_")
    if name in BUILT_IN:
        if tag:
            raise UsageError(f"the model {name} has no tag '{tag}'", f"Use --model {name}")
        return next(each for each in KNOWN if each.name == name)
    if tag == RANDOM:
        return Entry(
            name,
            tag,
            licence="none",
            quick_gelu=name.endswith(_QUICK),
            torch_reason=torch_reason(name),
            note="untrained",
        )
    # The quick activation belongs to the weights: the tag decides, whatever ending the name has.
    name = name.removesuffix(_QUICK)
    for each in KNOWN:
        if each.name == name and tag in ("", each.tag):
            return each
    tags = _tags_of(name)
    if not tag and len(tags) == 1:
        (tag,) = tags
    if not tag:
        choices = f"Use --pretrained with one of: {', '.join(tags)}" if tags else "Use --clip-weights FILE"
        raise UsageError(f"the model {name} needs {'a tag' if tags else 'weights: none are published'}", choices)
    if tag not in tags:
        raise unknown(f"pretrained tag of {name}", tag, tags)
    return _published_entry(name, tag, tags[tag])


def find_architecture(model: str, pretrained: str | None = None) -> Entry:
    """As ``find_entry``, for weights that come from a user's file: a tag says how they were trained, without one
    nothing is assumed.

    Raises:
        UsageError: see ``find_entry``.
    """
    name, tag = split_name(model)
    if tag or pretrained or name in BUILT_IN:
        return find_entry(model, pretrained)
    return Entry(name, "", quick_gelu=name.endswith(_QUICK), torch_reason=torch_reason(name))


def split_name(model: str) -> tuple[str, str]:
    """Name and tag of ``NAME/TAG`` as it was typed; the name as open_clip spells it.

    Raises:
        UsageError: no name, or an unknown one; with the nearest ones.
    """
    text = model.strip().rstrip("/")
    if not text:
        raise UsageError("the name of a model is empty", "See: evoart models")
    names = _names()
    cuts = [len(text), *(i for i in range(len(text) - 1, 0, -1) if text[i] == "/")]
    for cut in cuts:
        if name := names.get(_normalise(text[:cut])):
            return name, text[cut + 1 :]
    name = text.partition("/")[0]
    near = difflib.get_close_matches(_normalise(text), names, n=3, cutoff=0.7)
    near = near or difflib.get_close_matches(_normalise(name), names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(names[each] for each in near)}?" if near else "See: evoart models --all"
    raise UsageError(f"unknown model '{name}'", hint)


def config_of(name: str) -> Mapping[str, Any]:
    """open_clip's JSON configuration of an architecture.

    Raises:
        UsageError: an unknown name. MissingExtra: one that only open_clip knows, and it is not installed.
    """
    if name in BUILT_IN:
        return json.loads((INSIDE / f"{name}.json").read_text("utf-8"))
    plain = name.removesuffix(_QUICK)
    if "config" in (row := _published().get(plain, {})):
        return row["config"] | ({"quick_gelu": True} if name.endswith(_QUICK) else {})
    folder = package_folder()
    path = folder / "model_configs" / f"{name}.json" if folder else None
    if path is not None and "/" not in name and path.is_file():
        return json.loads(path.read_text("utf-8"))
    split_name(name)
    raise MissingExtra("clip", f"The model {name}")


def torch_reason(name: str) -> str:
    """Why only torch computes an architecture; ``""`` where JAX does."""
    plain = name.removesuffix(_QUICK)
    if plain in _published():
        return _published()[plain].get("reason", "")
    try:
        parse(config_of(name))
    except ValueError as error:
        return str(error)
    return ""


def size_of(entry: Entry) -> int:
    """Bytes of a model's weights, about: as published, or four for every number of its architecture; 0: unknown."""
    if entry.size or entry.torch_reason:
        return entry.size
    return 4 * parse(config_of(entry.name)).parameters


def package_folder() -> Path | None:
    """Where open_clip is installed, without importing it (which imports torch); None where it is not."""
    spec = importlib.util.find_spec("open_clip")
    return Path(spec.origin).parent if spec and spec.origin else None


def has_torch() -> bool:
    """Whether torch is installed, without importing it."""
    return importlib.util.find_spec("torch") is not None


def all_entries() -> list[Entry]:
    """All models and tags that can be named, those of ``KNOWN`` first."""
    mine = {each.full_name for each in KNOWN}
    more = [_published_entry(name, tag, row["tags"][tag]) for name, row in _published().items() for tag in row["tags"]]
    return [*KNOWN, *(each for each in more if each.full_name not in mine)]


@functools.cache
def _published() -> Mapping[str, Mapping[str, Any]]:
    return json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))


def _published_entry(name: str, tag: str, plain: Mapping[str, Any]) -> Entry:
    owner, _, rest = str(plain["hub"]).strip("/").partition("/")
    repository, _, file = rest.partition("/")
    return Entry(
        name,
        tag,
        f"{owner}/{repository}",
        preprocess={key: plain[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in plain},
        quick_gelu=bool(plain.get("quick_gelu", False)),
        file=file,
        torch_reason=torch_reason(name),
    )


def _tags_of(name: str) -> Mapping[str, Mapping[str, Any]]:
    """The pretrained tags of a model; of one that is newer than ``published.json`` from open_clip itself."""
    if name in _published():
        return _published()[name]["tags"]
    from evoart.openclip.torch_clip import import_open_clip

    tags = import_open_clip().pretrained._PRETRAINED.get(name, {})
    return {tag: plain | {"hub": plain.get("hf_hub", "")} for tag, plain in tags.items()}


def _names() -> dict[str, str]:
    """Every name that can be meant, by its normalised form."""
    folder = package_folder()
    installed = [path.stem for path in (folder / "model_configs").glob("*.json")] if folder else []
    quick = [f"{name}{_QUICK}" for name in _published()]
    return {_normalise(name): name for name in [*installed, *quick, *_published(), *BUILT_IN]}


def _normalise(name: str) -> str:
    """A name without what people spell differently: ``ViT-L/14@336px`` is ``vit-l-14-336``."""
    plain = name.strip().lower()
    for mark in "/_@ ":
        plain = plain.replace(mark, "-")
    return plain.removesuffix("px")
