"""Recipes: the JSON that a picture carries inside itself, put in and read back without trusting a byte of it."""

from __future__ import annotations

import base64
import io
import json
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html import escape
from typing import Any
from xml.parsers import expat

import numpy as np

from evoart.errors import EvoartError

FORMAT = 1  # a recipe with a higher number was made by a newer evoart
MAX_TEXT = 64 << 20  # bytes of one recipe
KEY = "evoart"
PDF_TYPE = "EvoartRecipe"
ZIP_MEMBER = "evoart.json"
FONT_TABLE = b"evoA"
_PNG, _NAMESPACE = b"\x89PNG\r\n\x1a\n", "https://pypi.org/project/evoart/"
_UUID = bytes.fromhex("6576 6f61 7274 4a53 4f4e 2d72 6563 6970")  # "evoartJSON-recip": our box in an MP4


def dumps(recipe: dict[str, Any]) -> str:
    """The recipe as compact ASCII JSON; its first key is always ``"evoart"``, by which it is found again.

    Raises:
        ValueError: a number that is not finite (JSON has none).
    """
    ordered = {KEY: recipe[KEY]} | recipe
    return json.dumps(ordered, separators=(",", ":"), allow_nan=False)


def loads(text: str | bytes, label: str = "the file") -> dict[str, Any]:
    """The recipe in a JSON text.

    Raises:
        EvoartError: not JSON, not a recipe, too large, or made by a newer evoart.
    """
    damaged = EvoartError(f"the recipe in {label} is damaged", "Use another copy of the file")
    if len(text) > MAX_TEXT:
        raise damaged
    try:
        recipe = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise damaged from None
    if not isinstance(recipe, dict) or KEY not in recipe:
        raise EvoartError(f"{label} is not an evoart recipe", "Give a picture or recipe that evoart wrote")
    number = recipe.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise damaged
    if number > FORMAT:
        maker = str(recipe[KEY])[:40]
        raise EvoartError(f"{label} was made by a newer evoart ({maker!r})", "Update: pip install -U evoart")
    return recipe


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    """``1e400`` is JSON, but the infinity it becomes is not, and could not be written again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number


def extract(data: bytes, label: str = "the file") -> dict[str, Any]:
    """The recipe in the bytes of an SVG, PNG, APNG, WebP, JPEG, GIF, MP4, WebM, PDF, JSON, font or model file
    that evoart wrote.

    Nothing is decoded but the recipe; sizes are bounded, XML with a document type is refused.

    Raises:
        EvoartError: no recipe in it, or a damaged one, or one of a newer evoart.
    """
    if not data:
        raise EvoartError(f"{label} is empty (0 bytes)", "Give a picture or recipe that evoart wrote")
    try:
        text = _find(data)
    except (ValueError, struct.error, zlib.error, LookupError, expat.ExpatError):  # LookupError: XML's encoding, too
        raise EvoartError(f"{label} is damaged or truncated", "Use another copy of the file") from None
    if text is None:
        raise EvoartError(
            f"{label} carries no evoart recipe", "Another program may have removed it; use the file as evoart wrote it"
        )
    return loads(text, label)


def _find(data: bytes) -> bytes | None:
    if data.startswith(_PNG):
        return _from_png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _from_webp(data)
    if data.startswith(b"\xff\xd8"):
        return _from_jpeg(data)
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return _from_gif(data)
    if data[4:8] == b"ftyp":
        return _from_mp4(data)
    if data.startswith(b"\x1aE\xdf\xa3"):
        return _from_webm(data)
    if data.startswith(b"%PDF"):
        return _from_pdf(data)
    if data.startswith(b"PK\x03\x04"):
        return _from_zip(data)
    if data[:4] == b"\0\1\0\0":
        return _from_font(data)
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8:
        return _from_safetensors(data)
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{"):
        return data
    if head.startswith(b"#version"):  # a shader: a comment of ours
        match = re.search(rb'^//(\{"' + KEY.encode() + rb'".*)$', data, re.MULTILINE)
        return match[1] if match else None
    if head[:15].lower() == b"<!doctype html>":
        return _from_html(data)
    if head.startswith(b"<"):
        return _from_xml(data)
    return None


# ZIP: a member of our own next to the arrays of a model


def _from_zip(data: bytes) -> bytes | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if ZIP_MEMBER not in archive.namelist():
                return None
            if archive.getinfo(ZIP_MEMBER).file_size > MAX_TEXT:
                raise ValueError("too large")
            return archive.read(ZIP_MEMBER)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OverflowError, OSError) as error:
        raise ValueError(str(error)) from None


# Safetensors: one of the notes in the header


def _from_safetensors(data: bytes) -> bytes | None:
    length = int.from_bytes(data[:8], "little")
    if length > 2 * MAX_TEXT:
        raise ValueError("too large")
    header = json.loads(data[8 : 8 + length])
    notes = header.get("__metadata__") if isinstance(header, dict) else None
    text = notes.get(KEY) if isinstance(notes, dict) else None
    return text.encode() if isinstance(text, str) else None


# TrueType: a table of our own, which readers pass over


def _from_font(data: bytes) -> bytes | None:
    (count,) = struct.unpack_from(">H", data, 4)
    for at in range(12, 12 + 16 * count, 16):
        tag, _, first, length = struct.unpack_from(">4sIII", data, at)
        if tag == FONT_TABLE:
            if first + length > len(data):
                raise ValueError("truncated")
            return data[first : first + length]
    return None


# HTML: a script element of our own, which browsers take for data


def _from_html(data: bytes) -> bytes | None:
    match = re.search(rb'<script type="application/json" id="' + KEY.encode() + rb'">(.*?)</script>', data, re.DOTALL)
    return match[1] if match else None


# SVG, and the XMP packet of WebP


def _from_xml(data: bytes) -> bytes | None:
    """The text of an element that holds a recipe; entities and document types are refused before they can expand."""
    if len(data) > 4 * MAX_TEXT:
        raise ValueError("too large")
    texts: list[list[str]] = []
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        texts.append([])

    def text(value: str) -> None:
        if texts:
            texts[-1].append(value)

    def end(name: str) -> None:
        whole = "".join(texts.pop()).strip()
        if whole.startswith(f'{{"{KEY}"'):
            found.append(whole)

    def refuse(*_: Any) -> None:
        raise ValueError("a document type is not allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.Parse(data, True)
    return found[0].encode() if found else None


def xmp(text: str) -> bytes:
    """An XMP packet that holds ``text``."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:evoart="{_NAMESPACE}">'
        f"<evoart:recipe>{escape(text, quote=False)}</evoart:recipe>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


# PNG and APNG


def _from_png(data: bytes) -> bytes | None:
    for kind, body in _png_chunks(data):
        keyword, _, rest = body.partition(b"\0")
        if keyword != KEY.encode():
            continue
        if kind == b"tEXt":
            return rest
        if kind == b"zTXt":
            return inflate(rest[1:], MAX_TEXT)
        if kind == b"iTXt":
            packed, rest = rest[0], rest[2:]
            text = rest.split(b"\0", 2)[2]
            return inflate(text, MAX_TEXT) if packed else text
    return None


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if len(body) < length or at + 12 + length > len(data):
            raise ValueError("truncated")
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            if zlib.crc32(kind + body) != struct.unpack_from(">I", data, at + 8 + length)[0]:
                raise ValueError("checksum")
            yield kind, body
        if kind == b"IEND":
            return
        at += 12 + length


def inflate(data: bytes, limit: int) -> bytes:
    """Decompress at most ``limit`` bytes of a zlib stream; ValueError when there are more, or when it is cut short."""
    stream = zlib.decompressobj()
    out = stream.decompress(data, limit + 1)
    if len(out) > limit or not stream.eof:
        raise ValueError("the compressed data is longer than it may be, or cut short")
    return out


# WebP


def _from_webp(data: bytes) -> bytes | None:
    at = 12
    if len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise ValueError("truncated")
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"XMP ":
            return _from_xml(data[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    return None


# JPEG: comments of at most 65,533 bytes, numbered, because one recipe may need several


def into_jpeg(data: bytes, text: str) -> bytes:
    """The JPEG with the recipe in as many comment segments as it takes."""
    size = 65_000
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    segments = []
    for number, part in enumerate(parts, 1):
        body = f"{KEY} {number}/{len(parts)} {part}".encode()
        segments.append(b"\xff\xfe" + struct.pack(">H", len(body) + 2) + body)
    return data[:2] + b"".join(segments) + data[2:]


def _from_jpeg(data: bytes) -> bytes | None:
    at, parts, expected = 2, {}, 0
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        marker, length = struct.unpack_from(">HH", data, at)
        body = data[at + 4 : at + 2 + length]
        if marker == 0xFFFE and (match := re.match(rb"evoart (\d{1,5})/(\d{1,5}) ", body)):
            parts[int(match[1])] = body[match.end() :]
            expected = int(match[2])
        at += 2 + length
    if not parts:
        return None
    if sorted(parts) != list(range(1, expected + 1)):
        raise ValueError("a part is missing")
    return b"".join(parts[number] for number in sorted(parts))


# GIF: a comment extension, in sub-blocks of at most 255 bytes


def _from_gif(data: bytes) -> bytes | None:
    start = data.find(b'{"' + KEY.encode() + b'"')
    while start >= 0:
        at = start - 1
        if data[max(0, at - 2) : at] == b"!\xfe":
            blocks = []
            while length := data[at]:
                blocks.append(data[at + 1 : at + 1 + length])
                at += 1 + length
            return b"".join(blocks)
        start = data.find(b'{"' + KEY.encode() + b'"', start + 1)
    return None


# MP4: a box of our own at the end, which players skip


def into_mp4(data: bytes, text: str) -> bytes:
    """The MP4 with the recipe in a trailing ``uuid`` box."""
    body = _UUID + text.encode()
    return data + struct.pack(">I4s", len(body) + 8, b"uuid") + body


def _from_mp4(data: bytes) -> bytes | None:
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, at + 8)
        if length < 8 or at + length > len(data):
            raise ValueError("truncated")
        if kind == b"uuid" and data[at + 8 : at + 24] == _UUID:
            return data[at + 24 : at + length]
        at += length
    return None


# WebM: an EBML element that players skip (Void), after the last one


def into_webm(data: bytes, text: str) -> bytes:
    """The WebM with the recipe in a trailing element."""
    body = _UUID + text.encode()
    return data + b"\xec" + struct.pack(">Q", 1 << 56 | len(body)) + body


def _from_webm(data: bytes) -> bytes | None:
    at = data.rfind(_UUID)
    if at < 9 or data[at - 9 : at - 8] != b"\xec":
        return None
    (length,) = struct.unpack_from(">Q", data, at - 8)
    if length ^ 1 << 56 != len(data) - at:
        raise ValueError("truncated")
    return data[at + 16 :]


# PDF: a stream of our own type, which readers pass over


def _from_pdf(data: bytes) -> bytes | None:
    match = re.search(rb"<</Type/" + PDF_TYPE.encode() + rb"/Filter/FlateDecode/Length (\d{1,9})>>stream\n", data)
    return (inflate(data[match.end() : match.end() + int(match[1])], MAX_TEXT) or None) if match else None


# Genomes inside the JSON


def encode_genome(genome: np.ndarray) -> str:
    """A genome ``(dim,)`` as base64 of zlib of little-endian float32: exact."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(genome, "<f4").tobytes(), 9)).decode()


def decode_genome(text: Any, count: int) -> np.ndarray:
    """The ``count`` float32 numbers that ``encode_genome`` packed, ``(count,)``.

    Raises:
        EvoartError: not that many finite numbers.
    """
    try:
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise ValueError("no text")
        raw = inflate(base64.b64decode(text, validate=True), 4 * count)
        genome = np.frombuffer(raw, "<f4").astype(np.float32)
        if len(genome) != count or not np.isfinite(genome).all():
            raise ValueError("numbers")
    except (ValueError, zlib.error):
        raise EvoartError(
            f"the recipe's genome is damaged: it should hold {count} finite numbers", "Use another copy of the file"
        ) from None
    return genome
