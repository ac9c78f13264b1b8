"""Files from the network: announced first, resumable, checked, kept; never asked for unless a user asks.

Python's own ``urllib`` does the talking, over connections that race all addresses of a host (see ``connect``). A
download goes to ``NAME.part`` next to its place, continues from there when it was interrupted, and gets its name only
when it is complete and what it should be: by the SHA-256 that the caller or the server states, and by ``Remote.check``.
The SHA-256 of what was kept lies in ``NAME.sha256``, so that it can be checked at any time (see ``verify``). Processes
that want the same file wait for one another.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import socket
import ssl
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any

from evoart.connect import connect
from evoart.errors import EvoartError
from evoart.locks import try_lock
from evoart.version import __version__

SILENCE = 30.0  # seconds without a byte after which a transfer is given up
CHUNK = 1 << 16
PAUSES = (1.0, 2.0, 4.0)  # seconds before each further attempt
LONGEST_PAUSE = 30.0  # seconds that a server may ask to be left alone for, without an error
_BUSY = (429, 500, 502, 503, 504)  # worth another attempt
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Report = Callable[[str], None]
Progress = Callable[[int, int | None], None]


def print_line(line: str) -> None:
    """Say on stderr what is done: nothing is downloaded in silence."""
    print(line, file=sys.stderr, flush=True)


def ignore_progress(done: int, total: int | None) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class Remote:
    """A file on the network.

    Attributes:
        url: https, or http on this machine.
        name: for messages, e.g. ``the sketch-rnn model 'bird'``.
        sha256: hexadecimal; None where it is not known beforehand.
        max_bytes: more is refused.
        pointer: address of a Git LFS pointer that states the SHA-256; asked where nothing else states one.
        token: sent to the host of ``url`` alone; ``""`` where one could be given, None where the host takes none.
        check: raises EvoartError for a file that is not what was asked for; nothing that fails is kept.
    """

    url: str
    name: str
    sha256: str | None = None
    max_bytes: int = 4 << 30
    pointer: str = ""
    token: str | None = field(default=None, repr=False)
    check: Callable[[Path], object] | None = None

    @property
    def host(self) -> str:
        """The name of the server."""
        return urllib.parse.urlsplit(self.url).hostname or self.url


@dataclass(frozen=True)
class MissingFile:
    """A file that a command would have to download.

    Attributes:
        name: for people, e.g. ``the weights of ViT-B-32/openai``.
        url: where it would come from.
        path: where it would be kept.
        size: bytes, about; 0 where unknown.
    """

    name: str
    url: str
    path: Path
    size: int = 0

    @property
    def summary(self) -> str:
        """What it is and how large: ``the weights of ViT-B-32/openai (about 605.1 MB)``."""
        return f"{self.name} ({f'about {format_bytes(self.size)}' if self.size else 'of unknown size'})"

    def __str__(self) -> str:
        return f"{self.summary} from {self.url} to {self.path}"


class NotFound(EvoartError):
    """The server has no such file."""


class Unreachable(EvoartError):
    """The server cannot be reached: no network, no such name, no answer."""


class _BrokenOff(ConnectionError):
    """Fewer bytes came than were promised."""


def obtain(remote: Remote, path: Path, *, report: Report = print_line, progress: Progress = ignore_progress) -> Path:
    """The file at ``path``: at once where it lies there already, otherwise from the network.

    Args:
        remote: where it comes from.
        path: where it is kept; its folder is made.
        report: gets one line before the first byte is transferred (what, how large, from where, to where), and one for
            whatever takes long or goes wrong: a slow connection, a further attempt, another process at work, a hash
            that nobody states.
        progress: gets ``(bytes so far, bytes in all or None)`` about ten times a second.

    Raises:
        NotFound: the server has no such file. Unreachable: no network, no answer within ``connect.LIMIT`` seconds.
        EvoartError: refused by the server, too large, a transfer that broke off again and again (what has come is kept
            for the next attempt), another file than the one that was asked for (nothing is kept), or a full disk.
    """
    path = Path(path)
    if path.is_file():
        return path
    _check_address(remote.url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path, remote, report):
            if not path.is_file():
                _download(remote, path, report, progress)
    except (http.client.HTTPException, OSError) as error:
        raise _explain(remote, path, error) from error
    return path


def read_text(remote: Remote, *, report: Report = print_line) -> str:
    """A small text from the network; nothing is written.

    Raises:
        NotFound, Unreachable, EvoartError: see ``obtain``; or it is not text.
    """
    _check_address(remote.url)
    try:
        with _open(remote, {}, report)[0] as answer:
            content = answer.read(remote.max_bytes + 1)
    except (http.client.HTTPException, OSError) as error:
        raise _explain(remote, Path(), error) from error
    _check_size(remote, len(content))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise EvoartError(f"what came as {remote.name} is not text", "Try again later") from None


def verify(path: Path, sha256: str | None = None) -> str:
    """The SHA-256 of a kept file, checked against ``sha256`` or what was recorded when it was downloaded.

    Raises:
        EvoartError: it is another file than the one that was downloaded, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvoartError(f"'{path}' cannot be read ({error.strerror or error})", "Check the path") from error
    expected = sha256 or _recorded(path)
    if expected and found != expected.lower():
        raise EvoartError(f"'{path}' is not what was downloaded (its SHA-256 differs)", "Delete it and try again")
    return found


def remove(path: Path) -> int:
    """Delete a kept file and everything that a download leaves next to it; the number of bytes that are free now.

    Raises:
        EvoartError: the folder cannot be written.
    """
    freed = 0
    for each in (path, *(_sibling(path, ending) for ending in (".sha256", ".part", ".part.etag", ".pointer", ".lock"))):
        try:
            freed += each.stat().st_size
            each.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise EvoartError(f"'{each}' cannot be deleted ({error.strerror or error})", "Check the folder") from error
    return freed


def format_bytes(size: int) -> str:
    """A size for people: ``3.0 MB``, ``512 bytes``."""
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size:,} bytes"


def _recorded(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        words = _sibling(path, ".sha256").read_text("ascii").split()
        return words[0] if words and _SHA256.fullmatch(words[0]) else None
    return None


def _sibling(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _check_address(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise EvoartError(f"{url} is not an https address", "Give one that starts with https://")


# One process at a time.


@contextlib.contextmanager
def _locked(path: Path, remote: Remote, report: Report) -> Iterator[None]:
    """Lock ``path`` for this thread; the system unlocks it however this process ends."""
    lock, waiting = _sibling(path, ".lock"), False
    while True:
        file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            mine = try_lock(file)
        except OSError:  # no locks here: better twice than never
            mine = True
        if not mine:
            os.close(file)
            if not waiting:
                report(f"Another process is downloading {remote.name}; waiting for it")
            waiting = True
            time.sleep(0.2)
        elif _is_same_file(file, lock):
            break
        else:  # whoever had it has taken the file away
            os.close(file)
    try:
        yield
    finally:
        if sys.platform != "win32":
            lock.unlink(missing_ok=True)
        os.close(file)


def _is_same_file(file: int, path: Path) -> bool:
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


# Transfers.


def _download(remote: Remote, path: Path, report: Report, progress: Progress) -> None:
    """Transfer and keep a file, with further attempts where the line or the server is to blame."""
    part = _sibling(path, ".part")
    failures = 0
    while True:
        size = part.stat().st_size if part.is_file() else 0
        try:
            return _transfer(remote, path, report, progress)
        except urllib.error.HTTPError as error:
            if error.code == 416 and size:  # the part is as long as the file, or longer
                error.close()
                _discard(part)
                continue
            pause = _pause_after(error, failures)
            if pause is None:
                raise
            error.close()
            reason = f"{remote.host} is busy ({error.code} {error.reason})"
        except (http.client.HTTPException, ConnectionError, TimeoutError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.URLError) and not failures:
                raise  # there was no network to begin with
            if part.is_file() and part.stat().st_size > size:
                failures = 0
            if failures >= len(PAUSES):
                raise
            pause, reason = PAUSES[failures], f"the transfer of {remote.name} broke off"
        failures += 1
        report(f"{reason[0].upper()}{reason[1:]}; trying again in {pause:g} s")
        time.sleep(pause)


def _pause_after(error: urllib.error.HTTPError, failures: int) -> float | None:
    """Seconds until the next attempt, as the server asks or as is usual; None: there is no point in one."""
    if error.code not in _BUSY or failures >= len(PAUSES):
        return None
    asked = error.headers.get("Retry-After", "")
    if not asked.isdigit():
        return PAUSES[failures]
    return float(asked) if float(asked) <= LONGEST_PAUSE else None


def _transfer(remote: Remote, path: Path, report: Report, progress: Progress) -> None:
    part, tag = _sibling(path, ".part"), _sibling(path, ".part.etag")
    had = part.stat().st_size if part.is_file() and tag.is_file() else 0
    # The rest, if it is still the same file; all of it otherwise.
    headers = {"Range": f"bytes={had}-", "If-Range": tag.read_text("utf-8")} if had else {}
    answer, stated = _open(remote, headers, report)
    with answer:
        if answer.status != 206 or _first_byte(answer) != had:
            had = 0
        length = answer.headers.get("Content-Length", "")
        total = had + int(length) if length.isdigit() else None
        _check_size(remote, total or 0)
        if answer.headers.get_content_type() == "text/html":
            raise _is_web_page(remote)
        report(_announcement(remote, path, had, total))
        etag = answer.headers.get("ETag")
        if etag and not etag.startswith("W/"):
            tag.write_text(etag, "utf-8")
        else:
            tag.unlink(missing_ok=True)
        digest = _receive(remote, answer, part, had, total, progress)
    expected = remote.sha256 or stated or _hash_of_pointer(remote, report)
    if expected and digest != expected.lower():
        _discard(part)
        if had:  # the first bytes may be to blame
            report(f"What came as {remote.name} does not fit its beginning; starting again")
            return _transfer(remote, path, report, progress)
        raise EvoartError(
            f"what came as {remote.name} is not what was published (its SHA-256 differs)",
            "Try again later; nothing was kept",
        )
    _check_content(remote, part)
    if not expected and not remote.check:
        report(f"No published hash is known for {remote.name}; recorded that of this download, {digest[:16]}...")
    _sibling(path, ".sha256").write_text(f"{digest}  {path.name}\n", "ascii")
    os.replace(part, path)
    tag.unlink(missing_ok=True)


def _check_content(remote: Remote, part: Path) -> None:
    """Check what came against what was asked for.

    Raises:
        EvoartError: it is something else, and was not kept.
    """
    if remote.check is None:
        return
    try:
        remote.check(part)
    except EvoartError as error:
        with part.open("rb") as file:
            start = file.read(512).lstrip().lower()
        _discard(part)
        if start.startswith((b"<!doctype html", b"<html")):
            raise _is_web_page(remote) from error
        reason = error.message.replace(f"'{part}'", "the file")
        raise EvoartError(
            f"what came as {remote.name} cannot be used ({reason})", "Try again later; nothing was kept"
        ) from error


def _is_web_page(remote: Remote) -> EvoartError:
    return EvoartError(
        f"{remote.host} answers with a web page instead of {remote.name}",
        "If your network has a login page, log in with a browser first; nothing was kept",
    )


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _sibling(part, ".etag").unlink(missing_ok=True)


def _receive(
    remote: Remote, answer: http.client.HTTPResponse, part: Path, had: int, total: int | None, progress: Progress
) -> str:
    """Write what comes after the first ``had`` bytes of ``part``; the hexadecimal SHA-256 of all."""
    digest = hashlib.sha256()
    with part.open("r+b" if had else "wb") as file:
        left = had
        while left > 0 and (block := file.read(min(CHUNK, left))):
            digest.update(block)
            left -= len(block)
        file.truncate(had)
        file.seek(had)
        done, shown = had, 0.0
        while block := answer.read(CHUNK):
            file.write(block)
            digest.update(block)
            done += len(block)
            _check_size(remote, done)
            if (now := time.monotonic()) - shown > 0.1:
                progress(done, total)
                shown = now
    progress(done, total)
    if total is not None and done != total:
        raise _BrokenOff(f"after {done:,} of {total:,} bytes")
    return digest.hexdigest()


def _check_size(remote: Remote, size: int) -> None:
    if size > remote.max_bytes:
        raise EvoartError(
            f"{remote.name} has more than the {format_bytes(remote.max_bytes)} that were expected",
            "Nothing more was downloaded",
        )


def _announcement(remote: Remote, path: Path, had: int, total: int | None) -> str:
    size = "of unknown size" if total is None else format_bytes(total)
    rest = f", continuing after {format_bytes(had)}" if had else ""
    return f"Downloading {remote.name} ({size}{rest}) from {remote.host} to {path}"


def _first_byte(answer: http.client.HTTPResponse) -> int:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else -1


# What the server says of the file.


def _stated_hash(headers: Message) -> str | None:
    """The SHA-256 of a large file as the Hugging Face hub states it, in the answer or in its redirection."""
    for name in ("X-Linked-Etag", "ETag") if "X-Repo-Commit" in headers else ("X-Linked-Etag",):
        value = headers.get(name, "").removeprefix("W/").strip('"').lower()
        if _SHA256.fullmatch(value):
            return value
    return None


def _hash_of_pointer(remote: Remote, report: Report) -> str | None:
    """The SHA-256 in a Git LFS pointer; None where there is no pointer, or where it is something else."""
    if not remote.pointer:
        return None
    pointer = Remote(remote.pointer, f"the hash of {remote.name}", max_bytes=4096, token=remote.token)
    try:
        match = re.search(r"^oid sha256:([0-9a-f]{64})$", read_text(pointer, report=report), re.MULTILINE)
    except EvoartError:
        return None
    return match[1] if match else None


# Connections.


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to https only, or within this machine; takes the token along only to the same host."""

    def __init__(self) -> None:
        self.stated: str | None = None  # the hash, where a redirection states one

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_address(newurl)
        self.stated = _stated_hash(headers) or self.stated
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.unredirected_hdrs.get("Authorization")
        if request is not None and token and _origin(newurl) == _origin(req.full_url):
            request.add_unredirected_header("Authorization", token)
        return request


class _RacingHttp(urllib.request.HTTPHandler):
    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_racing, http.client.HTTPConnection, self._report), req)  # type: ignore[arg-type]


class _RacingHttps(urllib.request.HTTPSHandler):
    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_racing, http.client.HTTPSConnection, self._report), req)  # type: ignore[arg-type]


def _racing(kind: type[http.client.HTTPConnection], report: Report, host: str, **given: Any) -> Any:
    """A connection of ``http.client`` whose socket is the first of all addresses to answer."""

    def open_socket(address: tuple[str, int], timeout: float, source: Any = None) -> socket.socket:
        opened = connect(*address, report=report)
        opened.settimeout(timeout)
        return opened

    connection: Any = kind(host, **given)
    connection._create_connection = open_socket
    return connection


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _open(remote: Remote, headers: dict[str, str], report: Report) -> tuple[http.client.HTTPResponse, str | None]:
    """The server's answer, and the SHA-256 that it states."""
    redirects = _Redirects()
    opener = urllib.request.build_opener(redirects, _RacingHttp(report), _RacingHttps(report))
    common = {"User-Agent": f"evoart/{__version__}", "Accept-Encoding": "identity"}
    request = urllib.request.Request(remote.url, headers=common | headers)
    if remote.token:
        request.add_unredirected_header("Authorization", f"Bearer {remote.token}")
    answer = opener.open(request, timeout=SILENCE)
    return answer, redirects.stated or _stated_hash(answer.headers)


def _proxy_of(url: str) -> str | None:
    """Host and port of the proxy that requests go through, without a password."""
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return (proxy if "//" in proxy else f"//{proxy}").rpartition("//")[2].rpartition("@")[2].rstrip("/")


# What went wrong, in one line each.


def _explain(remote: Remote, path: Path, error: Exception) -> EvoartError:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return _explain_status(remote, error)
    if isinstance(error, urllib.error.URLError):
        return _explain_connection(remote, path, error.reason)
    if isinstance(error, http.client.HTTPException | ConnectionError | TimeoutError):
        reason = str(error) or "the server hung up"
        return EvoartError(
            f"the transfer of {remote.name} broke off {reason if isinstance(error, _BrokenOff) else f'({reason})'}",
            "Try again: it continues from there",
        )
    strerror = error.strerror if isinstance(error, OSError) else None
    return EvoartError(
        f"{remote.name} cannot be kept as '{path}' ({strerror or error})", "Set EVOART_CACHE to a folder with room"
    )


def _explain_status(remote: Remote, error: urllib.error.HTTPError) -> EvoartError:
    host, code, takes_token = remote.host, error.code, remote.token is not None
    told = f"{code} {error.reason}"
    if code in (404, 410):
        return NotFound(f"{host} does not have {remote.name} ({told})", f"Is {remote.url} right?")
    if code == 401 and takes_token:
        if remote.token:
            return EvoartError(f"{host} does not accept your token for {remote.name} ({told})", "Check HF_TOKEN")
        return EvoartError(
            f"{host} gives {remote.name} only to those who log in, or does not have it ({told})",
            f"Set HF_TOKEN to a token of yours, from https://{host}/settings/tokens",
        )
    if code == 403 and takes_token:
        return EvoartError(
            f"{host} does not let you have {remote.name} ({told})",
            f"Accept its terms at {remote.url.partition('/resolve/')[0]} and set HF_TOKEN to a token of yours",
        )
    if code == 407:
        return EvoartError(
            f"the proxy {_proxy_of(remote.url)} wants a name and a password ({told})",
            "Put them into https_proxy: http://NAME:PASSWORD@HOST:PORT",
        )
    if code == 429:
        asked = error.headers.get("Retry-After", "")
        when = f"in {asked} seconds" if asked.isdigit() else "in a few minutes"
        hint = "; with a token in HF_TOKEN you may ask more often" if remote.token == "" else ""
        return EvoartError(f"{host} has had too many requests from here ({told})", f"Try again {when}{hint}")
    if code in _BUSY:
        return EvoartError(f"{host} cannot give out {remote.name} now ({told})", "Try again later")
    return EvoartError(f"{host} does not give out {remote.name} ({told})", f"Is {remote.url} right?")


def _explain_connection(remote: Remote, path: Path, reason: Any) -> EvoartError:
    told = getattr(reason, "strerror", None) or str(reason)
    start = f"{remote.name} cannot be downloaded"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Unreachable(
            f"{start}: the certificate of {remote.host} is not trusted ({reason.verify_message})",
            "If your network has a certificate of its own, set SSL_CERT_FILE to its file",
        )
    if isinstance(reason, ssl.SSLError):
        return Unreachable(f"{start}: {remote.host} does not speak TLS ({told})", "Check the address and the proxy")
    if proxy := _proxy_of(remote.url):
        return Unreachable(
            f"{start}: the proxy {proxy} does not lead to {remote.host} ({told})",
            "Check the environment variables https_proxy and no_proxy",
        )
    where = f", or the file from {remote.url} as {path}" if path.name else ""
    return Unreachable(f"{start}: {remote.host} is not reachable ({told})", f"It needs a network once{where}")
