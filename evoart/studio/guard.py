"""What a request must be before anything looks at it: from this page, on this machine, by whoever has the token.

A server on one's own machine is open to every page that the browser shows. A page elsewhere can send requests here
(so the origin is checked), can make its own name point to 127.0.0.1 (DNS rebinding, so ``Host`` is checked against a
list), and can follow a link here (so ``Sec-Fetch-Site`` is checked). Other users of the machine can connect too, so a
secret is needed: it is handed over once in the address, and is a cookie from then on.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

NAMES = ("127.0.0.1", "localhost", "[::1]")  # what the server may be called
HEADER = b"x-evoart"  # any value: a form of another page cannot send it
BODIES = ("application/json", "application/octet-stream")
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """An ASGI application around another one, which only sees requests that may be answered.

    Args:
        application: what answers them.
        port: that the server listens on.
        secret: what the cookie holds; it stays the same when the server starts again, so that open pages reconnect.
        told: takes the next address whenever one was used.
    """

    def __init__(
        self, application: Application, port: int, secret: str, told: Callable[[str], None] = lambda address: None
    ) -> None:
        self.application, self.port, self.secret, self.told = application, port, secret, told
        self.hosts = {f"{name}:{port}" for name in NAMES}
        self.cookie = f"evoart-{port}"  # cookies are shared by all ports of a name
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def address(self) -> str:
        """An address that lets one browser in, once."""
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens.add(token)
        return f"http://127.0.0.1:{self.port}/?token={token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            return  # WebSockets are not spoken here
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in headers and name in (b"host", b"origin", b"cookie", b"sec-fetch-site"):
                return await refuse(send, 400, f"two headers '{name.decode('latin-1')}'")
            headers[name] = value
        text = {name: value.decode("latin-1") for name, value in headers.items()}
        if problem := self._problem(scope["method"], scope["path"], text):
            return await refuse(send, *problem)
        if scope["path"] == "/" and (token := parse_qs(scope["query_string"].decode("latin-1")).get("token")):
            return await self._enter(token[0], text, send)
        if not self._known(text):
            return await refuse(send, 403, "this browser has not come in by the address that the terminal shows")
        await self.application(scope, receive, _with_headers(send))

    def _problem(self, method: str, path: str, headers: dict[bytes, str]) -> tuple[int, str] | None:
        """Status and reason to refuse a request whatever it asks for, or None."""
        host = headers.get(b"host", "")
        if host not in self.hosts:
            return 421, "the server is not called that"
        if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "another site asked for it"
        origin = headers.get(b"origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "another origin asked for it"
        if method in ("GET", "HEAD"):
            return None
        if method != "POST":
            return 405, "only GET and POST are answered"
        if origin is None:
            return 403, "the origin is missing"
        if HEADER not in headers:
            return 403, "the header X-Evoart is missing"
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() not in BODIES:
            return 415, "a body is JSON or raw octets"
        return None

    async def _enter(self, token: str, headers: dict[bytes, str], send: Send) -> None:
        """Take a token for a cookie."""
        with self._lock:
            fits = next((each for each in self._tokens if hmac.compare_digest(each.encode(), token.encode())), None)
            if fits is not None:
                self._tokens.discard(fits)
        if fits is None and not self._known(headers):
            return await refuse(send, 403, "this address was used already; the terminal shows a new one")
        more = [(b"location", b"/")]
        if fits is not None:
            cookie = f"{self.cookie}={self.secret}; HttpOnly; SameSite=Strict; Path=/"
            more.append((b"set-cookie", cookie.encode("latin-1")))
            self.told(self.address())
        await answer(send, 303, b"", "text/plain; charset=utf-8", more)

    def _known(self, headers: dict[bytes, str]) -> bool:
        try:
            cookies = SimpleCookie(headers.get(b"cookie", ""))
        except CookieError:
            return False
        found = cookies.get(self.cookie)
        return found is not None and hmac.compare_digest(found.value.encode(), self.secret.encode())


def _with_headers(send: Send) -> Send:
    """``send`` with what every answer carries, as far as the answer does not say it itself."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            more = [(n.encode(), v.encode()) for n, v in ALWAYS.items() if n.encode() not in said]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def answer(
    send: Send, status: int, body: bytes, kind: str, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), *(more or [])]
    send = _with_headers(send)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, status: int, why: str) -> None:
    """Send the reason why a request is not answered, for the browser's console."""
    hint = "Open the address that evoart studio prints"
    body = json.dumps({"error": why, "hint": hint}).encode()
    await answer(send, status, body, "application/json", [(b"connection", b"close")])
