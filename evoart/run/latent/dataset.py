"""Small pictures to learn from: folders of them, arrays, and the files of the MNIST family."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.picture import load, read_source

FASHION = "fashion-mnist"
PLACES = (Path("/usr/share/datasets/fashion-mnist"),)  # where Debian's dataset-fashion-mnist puts its files
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
USUAL, LARGEST = 32, 64  # pixels of pictures of many sizes; largest that are learned from as they are
FEWEST = 4  # pictures
MAX_VALIDATION, JUDGED = 1000, 256  # pictures that are held out, at most; that judge where none are
_GRAY = 2 / 255  # channels that differ by no more are those of a gray picture


@dataclass(frozen=True, eq=False)
class Dataset:
    """What a training learns from.

    Attributes:
        train, valid: pictures ``(n, side, side, channels)`` uint8 sRGB.
        notes: what was done to the data, for people.
        sha256: of everything, so that a resumed training recognises it.
    """

    train: np.ndarray
    valid: np.ndarray
    notes: tuple[str, ...]
    sha256: str


def read_dataset(
    paths: Sequence[str], *, pixels: int | None, color: str | None, mirror: bool, validation: float, seed: int
) -> Dataset:
    """The pictures in files and folders as training data: squares, on white where they are transparent.

    Args:
        pixels: side of the squares; None: the pictures' own where all have one of at most 64, else 32.
        color: ``rgb`` or ``gray``; None: gray where all pictures are.
        mirror: whether to add the mirror image of each picture to be learned from.
        validation: share of the pictures that is held out; 0: none, the first of those it learns from judge.
        seed: decides what is held out.

    Raises:
        UsageError: no such file, no pictures, or too few. EvoartError: files that cannot be read.
    """
    found, notes = _collect(paths)
    if len(found) < FEWEST:
        raise UsageError(
            f"{len(found)} pictures are too few to learn from" if found else f"there are no pictures in {paths[0]!r}",
            f"Give {FEWEST} at least, better hundreds: {', '.join(ENDINGS[:4])} or arrays (n, h, w)",
        )
    shapes = {image.shape[:2] for image in found}
    side = pixels or _common_side(shapes) or USUAL
    if cropped := sum(h != w for h, w in (image.shape[:2] for image in found)):
        notes.append(f"{cropped:,} are not square: their middle is taken")
    if len(shapes) > 1 or shapes != {(side, side)}:
        notes.append(f"all are brought to {side} x {side} pixels")
    images = np.stack([_square(image, side) for image in found])
    gray = color == "gray" or (color is None and _is_gray(images))
    images = _to_gray(images) if gray else np.broadcast_to(images, (*images.shape[:3], 3))
    order = np.random.default_rng([seed, 3]).permutation(len(images))
    kept = min(max(1, round(validation * len(images))), MAX_VALIDATION) if validation else 0
    valid, train = (np.ascontiguousarray(images[np.sort(part)]) for part in (order[:kept], order[kept:]))
    held_out = f"{len(valid):,} held out to judge by"
    if not kept:
        valid, held_out = train[:JUDGED], "none held out: the figures are of what it learned from"
    if mirror:
        train = np.concatenate([train, train[:, :, ::-1]])
    twice = " (with their mirror images)" if mirror else ""
    notes.insert(0, f"{len(train):,} pictures to learn from{twice}, {held_out}")
    digest = hashlib.sha256(repr((train.shape, valid.shape)).encode() + train.tobytes() + valid.tobytes())
    return Dataset(train, valid, tuple(notes), digest.hexdigest())


def as_square(image: np.ndarray, side: int, channels: int) -> np.ndarray:
    """A picture ``(h, w, 1 or 3)`` uint8 as a model of squares sees it: ``(side, side, channels)`` uint8."""
    images = _square(image, side)[None]
    return (_to_gray(images) if channels == 1 else np.broadcast_to(images, (1, side, side, 3)))[0]


def on_white(data: bytes | str, needed: int, label: str = "") -> np.ndarray:
    """A picture file ``(h, w, 3)`` uint8, on white where it is transparent.

    Raises:
        UsageError, EvoartError: see ``picture.load``.
    """
    picture = load(data, needed=needed, label=label)
    rgb = picture.rgb
    if picture.alpha is not None:
        rgb = rgb * picture.alpha[..., None] + 1 - picture.alpha[..., None]
    return np.rint(rgb * 255).astype(np.uint8)


def _collect(paths: Sequence[str]) -> tuple[list[np.ndarray], list[str]]:
    """Pictures ``(h, w, channels)`` uint8 of all paths, and what was left out."""
    images: list[np.ndarray] = []
    notes, broken = [], []
    for given in paths:
        path = _place(given)
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.name.lower().endswith(ENDINGS))
            arrays = sorted(path.glob("*images-idx3-ubyte*")) if not files else []
            if not files and not arrays and not given == FASHION:
                raise UsageError(f"there are no pictures in '{given}'", f"Name a folder of {', '.join(ENDINGS[:4])}")
            for array in arrays:
                images += _arrays(array)
            for file in files:
                try:
                    images.append(on_white(str(file), 2 * LARGEST))
                except (UsageError, EvoartError) as error:
                    broken.append((file, error))
        elif path.name.lower().endswith(ENDINGS):
            images.append(on_white(str(path), 2 * LARGEST))
        else:
            images += _arrays(path)
    if broken:
        file, error = broken[0]
        more = f", the first is '{file.name}'" if len(broken) > 1 else f": '{file.name}'"
        notes.append(
            f"{len(broken):,} cannot be read and {'are' if len(broken) > 1 else 'is'} left out{more} ({error.message})"
        )
    return images, notes


def _place(given: str) -> Path:
    path = Path(given).expanduser()
    if given == FASHION and not path.exists():
        found = next((place for place in PLACES if place.is_dir()), None)
        if found is None:
            raise UsageError(
                "Fashion-MNIST is not on this machine",
                "Install Debian's package dataset-fashion-mnist, or name the folder of its four files "
                "(https://github.com/zalandoresearch/fashion-mnist)",
            )
        return found
    return path


def _arrays(path: Path) -> Iterator[np.ndarray]:
    """The pictures of an .npz, .npy or idx file, ``(h, w, channels)`` uint8.

    Raises:
        UsageError: no such file. EvoartError: something else is in it.
    """
    data, _, label = read_source(path)
    instead = "Give arrays (n, h, w) or (n, h, w, 3) of bytes: .npz, .npy, or the idx files of MNIST"
    try:
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if data[:4] == b"\0\0\x08\x03":
            shape = tuple(int(n) for n in np.frombuffer(data, ">u4", 3, 4))
            array = np.frombuffer(data, np.uint8, offset=16).reshape(shape)
        elif data[:4] != b"PK\x03\x04" and data[:6] != b"\x93NUMPY":
            raise ValueError("it is no file of arrays")
        else:
            loaded = np.load(io.BytesIO(data), allow_pickle=False)
            array = loaded if isinstance(loaded, np.ndarray) else _only(loaded)
    except (ValueError, OSError, EOFError, KeyError, zlib.error, MemoryError) as error:
        raise EvoartError(f"{label} is damaged or holds no pictures ({error})", instead) from error
    array = array[..., None] if array.ndim == 3 and array.shape[-1] not in (1, 3) else array
    if array.ndim == 3:  # thin pictures, or one in colour
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or array.dtype != np.uint8 or not array.size:
        raise EvoartError(f"{label} holds {array.dtype} of the shape {array.shape}, which are no pictures", instead)
    return iter(array)


def _only(loaded: np.lib.npyio.NpzFile) -> np.ndarray:
    """The pictures among the arrays of an .npz: ``arr_0`` of Kuzushiji-MNIST, ``x_train``, ``images``, or the only one
    of bytes with three dimensions or four."""
    for name in ("images", "x_train", "arr_0"):
        if name in loaded.files:
            return loaded[name]
    found = [array for name in loaded.files for array in [loaded[name]] if array.ndim in (3, 4)]
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} arrays that could be pictures: {', '.join(loaded.files[:5])}")
    return found[0]


def _common_side(shapes: set[tuple[int, ...]]) -> int | None:
    """The side that all pictures have, where it is small enough; None where there is none."""
    (h, w), *others = shapes
    return h if not others and h == w and 8 <= h <= LARGEST else None


def _square(image: np.ndarray, side: int) -> np.ndarray:
    """The middle of a picture, resampled to ``(side, side, channels)`` uint8."""
    from PIL import Image

    h, w = image.shape[:2]
    edge = min(h, w)
    middle = image[(h - edge) // 2 :, (w - edge) // 2 :][:edge, :edge]
    if edge == side:
        return middle
    how = Image.Resampling.BOX if edge % side == 0 else Image.Resampling.LANCZOS
    pillow = Image.fromarray(np.ascontiguousarray(middle[..., 0] if middle.shape[-1] == 1 else middle))
    return np.asarray(pillow.resize((side, side), how)).reshape(side, side, -1)


def _is_gray(images: np.ndarray) -> bool:
    if images.shape[-1] == 1:
        return True
    return bool((np.ptp(images.astype(np.int16), axis=-1) <= 255 * _GRAY).all())


def _to_gray(images: np.ndarray) -> np.ndarray:
    if images.shape[-1] == 1:
        return images
    luma = images @ np.array([0.2126, 0.7152, 0.0722])
    return np.rint(luma).astype(np.uint8)[..., None]
