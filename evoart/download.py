"""Files from the network: announced first, resumable, checked, kept; never asked for unless a user asks.

Python's own ``urllib`` does the talking. A download goes to ``NAME.part`` beside its place, goes on from there when it
was interrupted, and gets its name only when it is whole and its SHA-256 is right. Where no hash was published, that of
the first download is kept in ``NAME.sha256``, so that what lies in the cache can be checked for ever after.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evoart.errors import EvoartError
from evoart.version import __version__

ANSWER = 1.8  # seconds in which the other side must take the call
SILENCE = 30.0  # seconds without a byte after which a transfer is given up
CHUNK = 1 << 16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Remote:
    """A file on the network.

    Attributes:
        url: https, or http on this machine.
        name: for messages, e.g. ``the sketch-rnn model 'bird'``.
        sha256: hexadecimal; None where none was published.
        most: bytes that it may have; more is refused.
    """

    url: str
    name: str
    sha256: str | None = None
    most: int = 4 << 30


def obtain(
    remote: Remote,
    path: Path,
    *,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Path:
    """The file at ``path``: at once where it lies there already, otherwise from the network.

    Args:
        remote: where it comes from.
        path: where it is kept; its folder is made.
        say: gets one line before the first byte is transferred (what, how large, from where, to where), and one
            afterwards where a hash was recorded and not checked.
        progress: gets ``(bytes so far, bytes in all or None)`` about ten times a second.

    Raises:
        EvoartError: no network (within ``ANSWER`` seconds), refused by the server, too large, a broken transfer (what
            has come is kept for the next attempt), a wrong hash (nothing is kept), or a full disk.
    """
    path = Path(path)
    if path.is_file():
        return path
    _check_address(remote)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _transfer(remote, path, say, progress)
    except (http.client.HTTPException, OSError) as error:
        raise _explained(remote, path, error) from error
    return path


def verify(path: Path, sha256: str | None = None) -> str:
    """The SHA-256 of a kept file, held to ``sha256`` or to what its first download recorded.

    Raises:
        EvoartError: it is another file than the one that was downloaded.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = sha256 or _recorded(path)
    if wanted and found != wanted.lower():
        raise EvoartError(f"'{path}' is not what was downloaded (its SHA-256 differs)", "Delete it and try again")
    return found


def _recorded(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        words = _beside(path, ".sha256").read_text("ascii").split()
        return words[0] if words and re.fullmatch(r"[0-9a-f]{64}", words[0]) else None
    return None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _check_address(remote: Remote) -> None:
    parts = urllib.parse.urlsplit(remote.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise EvoartError(f"{remote.url} is not an https address", "Give one that starts with https://")


def _transfer(
    remote: Remote, path: Path, say: Callable[[str], None], progress: Callable[[int, int | None], None]
) -> None:
    part, tag = _beside(path, ".part"), _beside(path, ".part.etag")
    had = part.stat().st_size if part.is_file() and tag.is_file() else 0
    headers = {"User-Agent": f"evoart/{__version__}", "Accept-Encoding": "identity"}
    if had:  # the rest, if it is still the same file; the whole otherwise
        headers |= {"Range": f"bytes={had}-", "If-Range": tag.read_text("utf-8")}
    with _opened(remote, headers) as answer:
        if answer.status != 206 or _first_byte(answer) != had:
            had = 0
        length = answer.headers.get("Content-Length", "")
        total = had + int(length) if length.isdigit() else None
        _check_size(remote, total or 0)
        say(_announcement(remote, path, had, total))
        etag = answer.headers.get("ETag")
        if etag and not etag.startswith("W/"):
            tag.write_text(etag, "utf-8")
        else:
            tag.unlink(missing_ok=True)
        digest = _receive(remote, answer, part, had, total, progress)
    if remote.sha256 and digest != remote.sha256.lower():
        part.unlink(missing_ok=True)
        raise EvoartError(
            f"what came as {remote.name} is not what was published (its SHA-256 differs)",
            "Try again later; nothing was kept",
        )
    if not remote.sha256:
        _beside(path, ".sha256").write_text(f"{digest}  {path.name}\n", "ascii")
        say(f"No published hash is known for {remote.name}; recorded that of this download, {digest[:16]}...")
    os.replace(part, path)
    tag.unlink(missing_ok=True)


def _receive(
    remote: Remote, answer: Any, part: Path, had: int, total: int | None, progress: Callable[[int, int | None], None]
) -> str:
    """Write what comes behind the first ``had`` bytes of ``part``; the hexadecimal SHA-256 of the whole."""
    digest = hashlib.sha256()
    with part.open("r+b" if had else "wb") as file:
        left = had
        while left > 0 and (block := file.read(min(CHUNK, left))):
            digest.update(block)
            left -= len(block)
        file.truncate(had)
        file.seek(had)
        done, told = had, 0.0
        while block := answer.read(CHUNK):
            file.write(block)
            digest.update(block)
            done += len(block)
            _check_size(remote, done)
            if (now := time.monotonic()) - told > 0.1:
                progress(done, total)
                told = now
    progress(done, total)
    if total is not None and done != total:
        raise EvoartError(
            f"the transfer of {remote.name} broke off after {done:,} of {total:,} bytes",
            "Try again: it goes on from there",
        )
    return digest.hexdigest()


def _check_size(remote: Remote, size: int) -> None:
    if size > remote.most:
        raise EvoartError(
            f"{remote.name} has more than the {megabytes(remote.most)} that were expected",
            "Nothing more was downloaded",
        )


def _announcement(remote: Remote, path: Path, had: int, total: int | None) -> str:
    size = "of unknown size" if total is None else megabytes(total)
    rest = f", going on after {megabytes(had)}" if had else ""
    return f"Downloading {remote.name} ({size}{rest}) from {urllib.parse.urlsplit(remote.url).hostname} to {path}"


def megabytes(size: int) -> str:
    """A size for people: ``3.0 MB``."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size:,} bytes"


def _first_byte(answer: Any) -> int:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to https only, or about this machine."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_address(Remote(newurl, newurl))
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opened(remote: Remote, headers: dict[str, str]) -> Any:
    _check_reachable(remote.url)
    opener = urllib.request.build_opener(_Redirects)
    return opener.open(urllib.request.Request(remote.url, headers=headers), timeout=SILENCE)


def _check_reachable(url: str) -> None:
    """Call the server, or the proxy that stands before it, so that having no network is known at once.

    A name server that does not answer holds ``getaddrinfo`` for many seconds and heeds no timeout; hence the thread.
    """
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    failures: list[BaseException] = [TimeoutError(f"no answer within {ANSWER} s")]

    def call() -> None:
        try:
            socket.create_connection(address, ANSWER).close()
            failures.clear()
        except OSError as error:
            failures[:] = [error]

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(ANSWER)
    if failures:
        raise urllib.error.URLError(failures[0])


def _explained(remote: Remote, path: Path, error: Exception) -> EvoartError:
    host = urllib.parse.urlsplit(remote.url).hostname
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return EvoartError(
            f"{host} does not give out {remote.name} ({error.code} {error.reason})", f"Is {remote.url} right?"
        )
    if isinstance(error, urllib.error.URLError):
        reason = getattr(error.reason, "strerror", None) or error.reason
        return EvoartError(
            f"{remote.name} cannot be downloaded: {host} is not reachable ({reason})",
            f"It needs a network once, or the file from {remote.url} as {path}",
        )
    if isinstance(error, http.client.HTTPException | ConnectionError | TimeoutError):
        return EvoartError(
            f"the transfer of {remote.name} broke off ({error or 'the server hung up'})",
            "Try again: it goes on from there",
        )
    return EvoartError(
        f"{remote.name} cannot be kept as '{path}' ({error.strerror or error})",
        "Set EVOART_CACHE to a folder with room",
    )
