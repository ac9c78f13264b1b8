"""Weights in files: evoart's own ``.npz``, and those of sketch-rnn-js and rnn-tutorial, read and written.

sketch-rnn-js: a JSON array ``[info, shapes, blobs]``, the blobs base64 of little-endian int16 with
``w = int16 * 10 / 32767``; a ``.js`` file wraps the same text as ``var model_raw_data='...'``. Nothing of it is run.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from evoart.errors import EvoartError
from evoart.sketch.model import Config, Model, shapes

LARGEST = 256 << 20  # bytes of a weight file, packed or unpacked
RENAMED = {"longest": "max_points"}  # of fields in files that earlier versions wrote
_JS = 10 / 32767
# sketch-rnn-js' order: a decoder's five arrays, and the twelve of a VAE before them.
_DECODER = ("out/w", "out/b", "cell/wx", "cell/wh", "cell/b")
_LSTM = ("wx", "wh", "b")
_ENCODER = tuple(f"{way}/{name}" for way in ("forward", "backward") for name in _LSTM)
_VAE = (*_ENCODER, "mu/w", "mu/b", "sigma/w", "sigma/b", "start/w", "start/b", *_DECODER)
_HANDWRITING = ((1.5, "out/w"), (2.5, "out/b"), (2.0, "cell/wx"), (0.8, "cell/wh"), (1.5, "cell/b"))


def read(path: Path) -> Model:
    """The model in a weight file: ``.npz``, ``.json``, ``.js``, whichever it holds.

    Raises:
        EvoartError: no such file, too large, damaged, or not weights of a sketch-rnn.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise EvoartError(f"'{path}' is too large for weights of a sketch-rnn", f"{LARGEST >> 20} MiB is the most")
        data = path.read_bytes()
    except OSError as error:
        raise EvoartError(f"'{path}' cannot be read ({error.strerror or error})", "Check the name") from None
    return decode(data, str(path))


def is_weights(path: Path) -> bool:
    """Whether a file looks like weights, and not like the drawings that have the same endings."""
    with path.open("rb") as file:
        start = file.read(4096)
    if start[:2] == b"PK":
        try:
            with zipfile.ZipFile(path) as archive:
                return "config.npy" in archive.namelist()
        except (zipfile.BadZipFile, OSError):
            return False
    return path.suffix == ".js" or start.lstrip()[:1] == b"["


def decode(data: bytes, where: str) -> Model:
    """The model in a weight file's bytes; ``where`` is its name for messages."""
    try:
        if data[:2] == b"PK":
            return _from_npz(data)
        text = data.decode("utf-8")
        handwriting = re.match(r"\s*(?:var\s+)?lstm_data\s*=\s*'(.*)'\s*;?\s*$", text, re.DOTALL)
        if handwriting:
            return _from_handwriting(json.loads(handwriting[1]))
        wrapped = re.match(r"\s*(?:var|let|const)\s+\w+\s*=\s*'(.*)'\s*;?\s*$", text, re.DOTALL)
        return _from_js(json.loads(wrapped[1] if wrapped else text))
    except EvoartError as error:
        raise type(error)(f"in '{where}': {error.message}", error.hint) from None
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        OverflowError,
        RecursionError,
        MemoryError,
        zipfile.BadZipFile,
    ) as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise EvoartError(
            f"'{where}' holds no weights of a sketch-rnn, or is cut short ({said})",
            "Give .npz, .gen.json, .vae.json or .js",
        ) from None


def to_npz(model: Model, *, half: bool = True) -> bytes:
    """evoart's own file: one JSON string and the arrays, float16 where ``half`` (weights of a few units lose nothing
    that can be seen), otherwise float32."""
    file = io.BytesIO()
    kind = np.float16 if half else np.float32
    plain = {"format": 1, **asdict(model.config)}
    arrays: dict[str, Any] = {name: np.asarray(value).astype(kind) for name, value in model.params.items()}
    np.savez_compressed(file, config=np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays)
    return file.getvalue()


def to_js(model: Model, *, script: bool = False) -> bytes:
    """The model as sketch-rnn-js reads it: ``.json``, or ``.js`` where ``script``.

    Raises:
        EvoartError: another cell than ``lstm``, classes, or weights beyond the format's range of +-10.
    """
    config = model.config
    if config.cell != "lstm" or config.classes or config.inputs != 5:
        raise EvoartError("sketch-rnn-js has plain LSTMs of one class only", "Keep the model as .npz")
    names = _VAE if config.latent else _DECODER
    arrays = [np.asarray(model.params[name], np.float64) for name in names]
    most = max(float(np.abs(array).max()) for array in arrays)
    if most > 10:
        raise EvoartError(
            f"a weight of {most:.1f} is beyond what sketch-rnn-js can hold (10)", "Keep the model as .npz"
        )
    info = {
        "mode": 0 if config.latent else 2,
        "version": 6,
        "max_seq_len": config.max_points,
        "name": config.name,
        "scale_factor": config.scale,
    }
    blobs = [base64.b64encode(np.round(a / _JS).astype("<i2").tobytes()).decode() for a in arrays]
    text = json.dumps([info, [list(a.shape) for a in arrays], blobs])
    return (f"var model_raw_data='{text}';" if script else text).encode()


def _from_npz(data: bytes) -> Model:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > LARGEST:
            raise EvoartError("it unpacks to more than weights of a sketch-rnn would", "Use another file")
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        plain = json.loads(bytes(file["config"]))
        if plain.get("format") != 1:
            raise EvoartError(f"it has the format {plain.get('format')!r}", "Update: pip install -U evoart")
        known = {field.name for field in fields(Config)}
        named = {RENAMED.get(name, name): tuple(v) if isinstance(v, list) else v for name, v in plain.items()}
        settings: dict[str, Any] = {name: value for name, value in named.items() if name in known}
        config = Config(**settings)
        return Model(config, {name: file[name].astype(np.float32) for name in shapes(config)})


def _from_js(content: Any) -> Model:
    info, sizes, blobs = content
    if not isinstance(info, dict):
        raise ValueError("it does not begin with a description")
    latent = int(info["mode"]) != 2
    names = _VAE if latent else _DECODER
    if len(sizes) != len(names) or len(blobs) != len(names):
        raise EvoartError(
            f"it has {len(blobs)} arrays, not {len(names)}", "Is it a .gen.json or .vae.json of sketch-rnn-js?"
        )
    if latent and int(info["version"]) < 6:
        raise EvoartError(f"VAE weights of version {info['version']} squash z otherwise", "Use weights of version 6")
    params = {
        name: _blob(blob, size, "<i2") * np.float32(_JS) for name, size, blob in zip(names, sizes, blobs, strict=True)
    }
    hidden, outputs = params["out/w"].shape
    config = Config(
        name=str(info.get("name", "sketch"))[:80],
        hidden=hidden,
        mixtures=(outputs - 3) // 6,
        latent=params["start/w"].shape[0] if latent else 0,
        encoder=params["forward/wh"].shape[0] if latent else Config.encoder,
        scale=float(info["scale_factor"]),
        max_points=min(int(info["max_seq_len"]), 5000),
        extent=12 * float(info["scale_factor"]),  # what Quick, Draw! models come to, by their own samples
    )
    return Model(config, params)


def _from_handwriting(blobs: Any) -> Model:
    params = {}
    for blob, (scale, name) in zip(blobs, _HANDWRITING, strict=True):
        rows = blob if isinstance(blob, list) else [blob]
        arrays = [np.frombuffer(_bytes(row), np.uint8).astype(np.float32) for row in rows]
        value = (np.stack(arrays) - 127) * np.float32(scale / 127)
        params[name] = value if isinstance(blob, list) else value[0]
    hidden = params["cell/wh"].shape[0]
    config = Config(
        name="handwriting", hidden=hidden, scale=6.0, max_points=700, inputs=3, licence="MIT, hardmaru/rnn-tutorial"
    )
    return Model(config, params)


def _blob(text: str, size: Sequence[int], kind: str) -> np.ndarray:
    shape = tuple(int(side) for side in size)
    if not 1 <= len(shape) <= 2 or min(shape) < 1 or math.prod(shape) > LARGEST // 4:
        raise ValueError(f"an array of the shape {shape}")
    data = _bytes(text)
    if len(data) != 2 * math.prod(shape):
        raise EvoartError(
            f"an array of the shape {shape} has {len(data)} bytes", "It is cut short or mixed up: get it again"
        )
    return np.frombuffer(data, kind).astype(np.float32).reshape(shape)


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(f"an array is not base64 ({error})") from None
