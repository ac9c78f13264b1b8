"""Models by name: those that come with evoart, those that are published, those in a file."""

from __future__ import annotations

import os
from pathlib import Path

from evoart.cache import cache_dir
from evoart.download import MissingFile, Progress, Remote, Report, ignore_progress, obtain, print_line, remove, verify
from evoart.errors import EvoartError, UsageError, unknown
from evoart.sketch.model import Model
from evoart.sketch.weights import decode, read

BUILTIN = {
    "kanji": "invented kanji, learned from KanjiVG (c) Ulrich Apel; weights CC BY-SA 3.0",
    "things": "a VAE of eighteen things, learned from icons of twenty artists; weights Apache-2.0",
}
DEFAULT = "kanji"
DEFAULT_VAE = "things"  # where drawings are encoded
FOLDER = Path(__file__).parent / "data"
ENDINGS = (".npz", ".json", ".js")

# Weights that Google released with sketch-rnn-js, trained on Quick, Draw!; about 3 MB each, no licence is stated.
ADDRESS = "https://storage.googleapis.com/quickdraw-models/sketchRNN/models/"
MAX_BYTES = 64 << 20
DECODER_BYTES, VAE_BYTES = 3_000_000, 9_000_000  # about
_NAMES = """
alarm_clock ambulance angel ant antyoga backpack barn basket bear bee beeflower bicycle bird book brain bridge
bulldozer bus butterfly cactus calendar castle cat catbus catpig chair couch crab crabchair crabrabbitfacepig
cruise_ship diving_board dog dogbunny dolphin duck elephant elephantpig everything eye face fan fire_hydrant
firetruck flamingo flower floweryoga frog frogsofa garden hand hedgeberry hedgehog helicopter kangaroo key
lantern lighthouse lion lionsheep lobster map mermaid monapassport monkey mosquito octopus owl paintbrush
palm_tree parrot passport peas penguin pig pigsheep pineapple pool postcard power_outlet rabbit rabbitturtle
radio radioface rain rhinoceros rifle roller_coaster sandwich scorpion sea_turtle sheep skull snail snowflake
speedboat spider squirrel steak stove strawberry swan swing_set the_mona_lisa tiger toothbrush toothpaste
tractor trombone truck whale windmill yoga yogabicycle
"""
PUBLISHED = tuple(_NAMES.split())
# Models that lie elsewhere: address, SHA-256, and a line about them.
OTHERS = {
    "handwriting": (
        "https://raw.githubusercontent.com/hardmaru/rnn-tutorial/master/weights.js",
        "4f70f3b8923bc216141f492a862ee750dd8a0228bb86315510c3e0034c3520ce",
        "lines of handwriting that mean nothing; MIT; 1.4 MB",
    ),
    "flowchart": (
        "https://raw.githubusercontent.com/hardmaru/sketch-rnn-flowchart/master/json/flowchart.gen.js",
        "1a8525e878bac3dc1c61d312a7eba5a963bc8116bb2657c5a77477005424c7aa",
        "boxes and arrows, learned from the DIDI dataset; 3 MB; no licence is stated for the weights",
    ),
}


def find(
    name: str, *, download: bool = True, report: Report = print_line, progress: Progress = ignore_progress
) -> Model:
    """The model called ``name``: a built-in, a weight file, or a published one (``bird``; ``bird.vae`` with encoder),
    which is downloaded on first use and kept.

    Args:
        download: whether the network may be asked for what is not here.
        report, progress: see ``download.obtain``.

    Raises:
        UsageError: no model of that name, with suggestions. EvoartError: it cannot be read or downloaded.
    """
    if is_file(name):
        path = Path(os.path.expanduser(name))
        if not path.is_file():
            raise UsageError(f"there is no file '{name}'", "Check the spelling")
        return read(path)
    if name in BUILTIN:
        return read(FOLDER / f"{name}.npz")
    path = place(name)
    if not path.is_file() and not download:
        raise EvoartError(f"the sketch-rnn model '{name}' is not here", f"Fetch it with: evoart sketch {name}")
    if path.is_file():
        try:
            return _decode(path)
        except EvoartError as error:
            if not download:
                raise EvoartError(error.message, f"Delete '{path}' and try again") from None
            remove(path)
            report(f"'{path}' is deleted: {error.message}")
    obtain(_remote(name), path, report=report, progress=progress)
    return _decode(path)


def missing_file(name: str) -> MissingFile | None:
    """What a model would have to download; None where it is here. Asks nothing and changes nothing.

    Raises:
        UsageError: see ``find``.
    """
    if is_file(name) or name in BUILTIN or place(name).is_file():
        return None
    remote, path = _remote(name), place(name)
    return MissingFile(remote.name, remote.url, path, VAE_BYTES if ".vae." in path.name else DECODER_BYTES)


def _remote(name: str) -> Remote:
    path = place(name)
    url, sha256, _ = OTHERS.get(_plain(name), (f"{ADDRESS}{path.name}", None, ""))
    return Remote(url, f"the sketch-rnn model '{name}'", sha256, max_bytes=MAX_BYTES, check=_decode)


def _decode(path: Path) -> Model:
    verify(path)
    return decode(path.read_bytes(), str(path))


def is_file(name: str) -> bool:
    """Whether a model's name is that of a file."""
    return name.endswith(ENDINGS) or os.sep in name


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def place(name: str) -> Path:
    """Where a published model is kept.

    Raises:
        UsageError: no published model has that name, with suggestions.
    """
    plain = _plain(name)
    stem, dot, kind = plain.partition(".")
    if plain in OTHERS:
        return cache_dir() / "sketch" / f"{plain}.js"
    if stem not in PUBLISHED or (dot and kind not in ("gen", "vae")):
        raise unknown("sketch model", name, [*BUILTIN, *OTHERS, *PUBLISHED])
    return cache_dir() / "sketch" / f"{stem}.{kind or 'gen'}.json"
