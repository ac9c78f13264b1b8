"""Which CLIP models there are: two small ones inside this package, a few known ones, and all that open_clip knows.

A model is called ``NAME/TAG``, open_clip's architecture and pretrained tag, e.g. ``ViT-B-32/laion2b_s34b_b79k``.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoart.errors import MissingExtra, UsageError, unknown

DEFAULT = "ViT-B-32/laion2b_s34b_b79k"
RANDOM = "random"  # the tag of a model without training, for tests and timing
INSIDE = Path(__file__).parent / "models"  # tiny and judge
BUILT_IN = ("tiny", "judge")


@dataclass(frozen=True)
class Entry:
    """A model with trained weights.

    Attributes:
        name, tag: as open_clip calls them.
        repository: on the Hugging Face hub; ``""`` for those inside this package.
        licence: of the weights, as published; ``""`` where this package does not know.
        size: bytes to download; 0 where unknown.
        preprocess: mean, std, interpolation where they are not open_clip's defaults.
        quick_gelu: the weights were trained with the quick form of the activation.
        note: why one would choose it.
    """

    name: str
    tag: str
    repository: str
    licence: str = ""
    size: int = 0
    preprocess: Mapping[str, Any] = field(default_factory=dict)
    quick_gelu: bool = False
    note: str = ""

    @property
    def full(self) -> str:
        return f"{self.name}/{self.tag}" if self.tag else self.name


# Architectures of the known ones, so that they run without the extra. Shapes are held to the weights when they load.
_TEXT_B = {"context_length": 77, "vocab_size": 49408, "width": 512, "heads": 8, "layers": 12}
_B32 = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
    "text_cfg": _TEXT_B,
}
_ARCHITECTURES: dict[str, dict[str, Any]] = {
    "ViT-B-32": _B32,
    "ViT-B-32-256": _B32 | {"vision_cfg": _B32["vision_cfg"] | {"image_size": 256}},
    "ViT-B-16": _B32 | {"vision_cfg": _B32["vision_cfg"] | {"patch_size": 16}},
    "ViT-L-14": {
        "embed_dim": 768,
        "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14},
        "text_cfg": _TEXT_B | {"width": 768, "heads": 12},
    },
}
KNOWN = (
    Entry("tiny", "", "", "MIT", note="inside evoart, works at once, offline: colours right, outlines rough"),
    Entry("judge", "", "", "MIT", note="inside evoart: judges what tiny has drawn"),
    Entry("ViT-B-32", "laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "MIT", 605_143_316,
          note="the default"),
    Entry("ViT-B-32", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K", "MIT", 605_143_316,
          note="as fast, better with drawings"),
    Entry("ViT-B-32-256", "datacomp_s34b_b86k", "laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", "MIT", 605_189_652,
          note="better, 1.3 times the work"),
    Entry("ViT-B-16", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K", "MIT", 598_516_980,
          note="much better, 4 times the work"),
    Entry("ViT-L-14", "datacomp_xl_s13b_b90k", "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K", "MIT", 1_710_517_724,
          note="best, 19 times the work"),
)  # fmt: skip


def entry(model: str, pretrained: str | None = None) -> Entry:
    """The model called ``NAME``, ``NAME/TAG``, or NAME with its tag given apart.

    Raises:
        UsageError: an unknown name, or a name without that tag; with the nearest ones.
        MissingExtra: a name that only open_clip might know, and it is not installed.
    """
    name, _, tag = model.strip().partition("/")
    if tag and pretrained and tag != pretrained:
        raise UsageError(f"--model {model} and --pretrained {pretrained} name two tags", "Leave one of them out")
    tag = tag or pretrained or ""
    if name.lower() in BUILT_IN:
        if tag:
            raise UsageError(f"the model {name} has no tag '{tag}'", f"Use --model {name}")
        return next(each for each in KNOWN if each.name == name.lower())
    if tag == RANDOM:
        architecture(name)
        return Entry(name, RANDOM, "", "none", quick_gelu=name.endswith("-quickgelu"), note="untrained")
    # The quick activation belongs to the weights: the tag decides, whatever ending the name has.
    plain = name.removesuffix("-quickgelu")
    known = [each for each in KNOWN if each.name == plain]
    for each in known:
        if each.tag == tag or not tag:
            return each
    theirs = _published()
    if theirs is None:
        names = {each.name for each in KNOWN}
        if plain not in names:
            near = unknown("model", name, names)
            if "Did you mean" in near.hint and "vit" not in name.lower():
                raise near
            raise MissingExtra("clip", f"The model {model}")
        raise unknown(f"pretrained tag of {name}", tag, [each.tag for each in known])
    if plain not in theirs:
        raise unknown("model", name, [*theirs, *BUILT_IN])
    if not tag:
        raise UsageError(f"the model {name} needs a tag", f"Use --pretrained with one of: {', '.join(theirs[plain])}")
    if tag not in theirs[plain]:
        raise unknown(f"pretrained tag of {name}", tag, theirs[plain])
    return _theirs(plain, tag, theirs[plain][tag])


def architecture(name: str) -> dict[str, Any]:
    """open_clip's JSON configuration of a model.

    Raises:
        UsageError: an unknown name. MissingExtra: one that only open_clip might know, and it is not installed.
    """
    if name in BUILT_IN:
        return json.loads((INSIDE / f"{name}.json").read_text("utf-8"))
    if name in _ARCHITECTURES:
        return _ARCHITECTURES[name]
    folder = package_folder()
    if folder is None:
        quick = name.removesuffix("-quickgelu")
        if quick in _ARCHITECTURES:
            return _ARCHITECTURES[quick] | {"quick_gelu": True}
        raise MissingExtra("clip", f"The model {name}")
    path = folder / "model_configs" / f"{name}.json"
    if "/" in name or not path.is_file():
        raise unknown("model", name, [*BUILT_IN, *(each.stem for each in path.parent.glob("*.json"))])
    return json.loads(path.read_text("utf-8"))


def package_folder() -> Path | None:
    """Where open_clip is installed, without importing it (which imports torch); None where it is not."""
    spec = importlib.util.find_spec("open_clip")
    return Path(spec.origin).parent if spec and spec.origin else None


def _theirs(name: str, tag: str, plain: Mapping[str, Any]) -> Entry:
    repository = str(plain.get("hf_hub", "")).rstrip("/")
    names = ("mean", "std", "interpolation")
    return Entry(
        name,
        tag,
        repository,
        preprocess={key: plain[key] for key in names if key in plain},
        quick_gelu=bool(plain.get("quick_gelu", False)),
        note=str(plain.get("url", "")),
    )


@functools.cache
def _published() -> Mapping[str, Mapping[str, Any]] | None:
    """open_clip's table of tags by model, or None where it is not installed."""
    if package_folder() is None:
        return None
    from evoart.openclip.torch_clip import import_open_clip

    return import_open_clip().pretrained._PRETRAINED


def everything() -> list[Entry]:
    """All models and tags that can be named here, without those of other packages' formats.

    Raises:
        MissingExtra: open_clip is not installed.
    """
    theirs = _published()
    if theirs is None:
        raise MissingExtra("clip", "The list of all models")
    mine = {each.full for each in KNOWN}
    more = [_theirs(name, tag, plain) for name, tags in theirs.items() for tag, plain in tags.items()]
    return [*KNOWN, *(each for each in more if each.full not in mine)]
