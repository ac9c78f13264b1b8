"""The files of models: where they lie on this machine, what is missing, and how it comes from the hub.

A model's files are looked for in evoart's own cache and in that of the hub's client, which is only read. What a file
is called says little (``model.safetensors`` may be open_clip's, transformers' or timm's), so its header decides. What
is damaged in evoart's own cache is deleted and fetched again; elsewhere it is passed over.
"""

from __future__ import annotations

from pathlib import Path

from evoart.cache import cache_dir
from evoart.download import (
    MissingFile,
    NotFound,
    Progress,
    Report,
    Unreachable,
    ignore_progress,
    obtain,
    print_line,
    remove,
    verify,
)
from evoart.errors import EvoartError, MissingExtra, UsageError
from evoart.openclip import catalogue, hub, safetensors
from evoart.openclip.catalogue import Entry
from evoart.openclip.config import VOCABULARY, parse
from evoart.openclip.layouts import find_layout
from evoart.openclip.tokens import BytePairs

MERGES = "merges.txt"  # OpenAI's byte pairs
MERGES_BYTES = 524_619  # of that file, about
# Where they are published: with the model, with the default model, by OpenAI.
_MERGES_REPOSITORIES = (catalogue.KNOWN[2].repository, "openai/clip-vit-base-patch32")
_USUAL = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # what open_clip looks for, the better first
_OTHERS = ("open_clip_pytorch_model.safetensors", "model.safetensors")  # what may hold the same where it lies here


def folder(entry: Entry) -> Path:
    """Where evoart keeps a model's files; it need not exist."""
    return _root() / f"{entry.name}--{entry.tag}"


def _root() -> Path:
    return cache_dir() / "clip"


def weight_names(entry: Entry) -> tuple[str, ...]:
    """Names of a model's weights on the hub, as open_clip tries them: the safe format first."""
    return (f"{entry.file.rpartition('.')[0]}.safetensors", entry.file) if entry.file else _USUAL


def find_weights(entry: Entry, *, report: Report = print_line, tidy: bool = False) -> Path | None:
    """A model's weights where they lie on this machine in a form that can be read, or None.

    Args:
        report: told of every file that is passed over, and why.
        tidy: delete what is damaged in evoart's own cache.
    """
    if entry.name in catalogue.BUILT_IN:
        return catalogue.INSIDE / f"{entry.name}.safetensors"
    names = [*weight_names(entry), *_OTHERS]
    # What can be read by anybody comes before what needs torch.
    for name in sorted(names, key=lambda name: not name.endswith(".safetensors")):
        for path in _copies(entry, name):
            if reason := _why_unusable(path, entry):
                is_own = folder(entry) in path.parents
                if is_own and tidy:
                    remove(path)
                if is_own or name != "model.safetensors":  # the name of so many other things
                    report(f"'{path}' is {'deleted' if is_own and tidy else 'not used'}: {reason}")
            else:
                return path
    return None


def _copies(entry: Entry, name: str) -> list[Path]:
    own = folder(entry) / name
    return [*([own] if own.is_file() else []), *(hub.find_cached(entry.repository, name) if entry.repository else [])]


def _why_unusable(path: Path, entry: Entry) -> str:
    """Why a file cannot be a model's weights; ``""`` where it can."""
    try:
        check_weights(path, entry)
    except EvoartError as error:
        return error.message
    return ""


def check_weights(path: Path, entry: Entry) -> None:
    """Check the format of a file, not its numbers, against that of a model's weights.

    Raises:
        EvoartError: damaged, cut short, of another layout, or a file of torch where there is no torch.
    """
    if _is_torch_file(path):
        with path.open("rb") as file:
            if file.read(2) not in (b"PK", b"\x80\x02"):
                raise EvoartError("it is not a file of torch", "Fetch it again")
        if not catalogue.has_torch():
            raise EvoartError("it is a file of torch, which is not installed", "Use a .safetensors file")
        return
    layout = find_layout(safetensors.read_names(path))
    if not layout or (layout == "transformers" and entry.torch_reason):
        raise EvoartError("it holds other weights than open_clip's", "Use open_clip's file of the model")


def _is_torch_file(path: Path) -> bool:
    return path.name.removesuffix(".part").endswith((".bin", ".pt", ".pth"))


def fetch_weights(entry: Entry, *, report: Report = print_line, progress: Progress = ignore_progress) -> Path:
    """Where a model's weights lie; downloaded where they are nowhere here.

    Raises:
        MissingExtra: they are published for torch alone, and it is not installed.
        EvoartError: not published, the hub may not be asked, or see ``download.obtain``.
    """
    if (path := find_weights(entry, report=report, tidy=True)) is not None:
        return path
    if not entry.repository:
        raise EvoartError(f"no weights of {entry.full_name} are published", "Use --clip-weights FILE")
    names = [name for name in weight_names(entry) if catalogue.has_torch() or name.endswith(".safetensors")]
    _check_online(f"the weights of {entry.full_name} are", hub.address(entry.repository, names[0]), folder(entry))
    failure = None
    for name in names:
        remote = hub.remote(
            entry.repository,
            name,
            f"the weights of {entry.full_name}",
            is_large=True,
            check=lambda part: check_weights(part, entry),
        )
        try:
            return obtain(remote, folder(entry) / name, report=report, progress=progress)
        except NotFound as error:
            failure = failure or error
        except Unreachable as error:
            raise Unreachable(error.message, f"{error.hint}; or use --clip-weights FILE, or --model tiny") from error
    if not catalogue.has_torch():
        raise MissingExtra("clip", f"The model {entry.full_name}, whose weights are not published as .safetensors,")
    assert failure is not None
    raise failure


def load_byte_pairs(entry: Entry, context: int, *, report: Report = print_line) -> BytePairs:
    """OpenAI's tokenizer, from open_clip where it is installed, from a cache, or from the hub.

    Args:
        context: ids per text.

    Raises:
        EvoartError: it is not here and the hub may not be asked, or see ``download.obtain``.
    """
    for path in _vocabularies(entry):
        try:
            return BytePairs.read(path, context)
        except EvoartError as error:
            own = _root() in path.parents
            if own:
                remove(path)
            report(f"'{path}' is {'deleted' if own else 'not used'}: {error.message}")
    return BytePairs.read(_fetch_merges(entry, report), context)


def _fetch_merges(entry: Entry, report: Report) -> Path:
    repositories = _merges_repositories(entry)
    path = _root() / MERGES
    _check_online("the vocabulary of CLIP is", hub.address(repositories[0], MERGES), path.parent)
    failure = None
    for repository in repositories:
        remote = hub.remote(repository, MERGES, "the vocabulary of CLIP", max_bytes=4 << 20, check=BytePairs.read)
        try:
            return obtain(remote, path, report=report)
        except NotFound as error:
            failure = failure or error
        except Unreachable as error:
            hint = f'{error.hint}; or install it with: pip install "evoart[clip]"'
            raise Unreachable(error.message, hint) from error
    assert failure is not None
    raise failure


def _merges_repositories(entry: Entry) -> list[str]:
    return [each for each in dict.fromkeys((entry.repository, *_MERGES_REPOSITORIES)) if each]


def _vocabularies(entry: Entry) -> list[Path]:
    """Copies of OpenAI's byte pairs on this machine."""
    package = catalogue.package_folder()
    places = [package / "bpe_simple_vocab_16e6.txt.gz"] if package else []
    places += [_root() / MERGES, folder(entry) / MERGES]
    places += [path for repository in _merges_repositories(entry) for path in hub.find_cached(repository, MERGES)]
    return [path for path in places if path.is_file()]


def _check_online(what: str, url: str, place: Path) -> None:
    if hub.is_offline():
        raise EvoartError(
            f"{what} not here, and HF_HUB_OFFLINE says that the network may not be asked",
            f"Put {url} into {place}, use --clip-weights FILE, or --model tiny",
        )


def needs_byte_pairs(entry: Entry) -> bool:
    """Whether JAX computes a model with OpenAI's tokenizer."""
    if entry.torch_reason or entry.name in catalogue.BUILT_IN:
        return False
    return parse(catalogue.config_of(entry.name)).text.vocabulary == VOCABULARY


def missing_files(entry: Entry, *, weights: bool = True) -> list[MissingFile]:
    """What a model would have to download; asks nothing and changes nothing.

    Args:
        weights: of the tag; False where they come from a user's file.
    """
    missing = []
    if weights and not entry.is_on_disk and find_weights(entry, report=lambda line: None) is None:
        name = weight_names(entry)[0]
        missing.append(
            MissingFile(
                f"the weights of {entry.full_name}",
                hub.address(entry.repository, name),
                folder(entry) / name,
                catalogue.size_of(entry),
            )
        )
    if needs_byte_pairs(entry) and not _vocabularies(entry):
        url = hub.address(_merges_repositories(entry)[0], MERGES)
        missing.append(MissingFile("the vocabulary of CLIP", url, _root() / MERGES, MERGES_BYTES))
    return missing


def check_files(entry: Entry) -> str | None:
    """The SHA-256 of a model's downloaded weights, checked against what was published; None where there are none.

    Raises:
        EvoartError: they are damaged, cut short, or other ones than those that were downloaded.
    """
    for name in (*weight_names(entry), *_OTHERS):
        for path in _copies(entry, name):
            blob = path.resolve().name  # in the cache of the hub's client it is the hash
            digest = verify(path, blob if len(blob) == 64 else None)  # first, as it is the stricter one
            is_own = folder(entry) in path.parents
            if (reason := _why_unusable(path, entry)) and is_own:
                raise EvoartError(f"'{path}' cannot be used ({reason})", "Delete it and fetch it again")
            if not reason:
                return digest
    return None


def remove_files(entry: Entry) -> int:
    """Delete what evoart's cache holds of a model; the number of bytes that are free now.

    Raises:
        UsageError: it is inside evoart. EvoartError: the folder cannot be written.
    """
    if entry.is_on_disk:
        raise UsageError(f"the model {entry.full_name} is part of evoart", "Leave it there: it is small")
    place = folder(entry)
    freed = sum(remove(path) for path in list(place.glob("*")) if path.is_file())
    if place.is_dir() and not any(place.iterdir()):
        place.rmdir()
    return freed
