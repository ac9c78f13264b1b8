"""The server of the studio's page: static files, one stream of events, commands."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from evoart.errors import EvoartError, UsageError
from evoart.picture import bundled
from evoart.run.stop import EXIT, Stop, Why, listening
from evoart.studio.guard import Guard
from evoart.studio.keeping import explain
from evoart.studio.studio import EXPORTS, Studio

WEB = Path(__file__).parent / "web"
MOST_JSON, MOST_OCTETS = 1 << 20, 100 << 20  # bytes of a body
KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
}
# A picture's own file must not do anything when it is opened by itself.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class TooLarge(EvoartError):
    """A body has more bytes than it may have."""


def application(studio: Studio) -> Starlette:
    """The routes, without the guard."""
    static = {str(path.relative_to(WEB).as_posix()): path for path in WEB.rglob("*") if path.suffix in KINDS}
    static["chelsea.jpg"] = bundled()
    static["automaton.js"] = Path(__file__).parents[1] / "automaton" / "cells.js"

    async def page(request: Request) -> Response:
        return _file(static["index.html"])

    async def asset(request: Request) -> Response:
        found = static.get(request.path_params["path"])
        return _file(found) if found else _missing()

    async def kept(request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["name"]
        path = await anyio.to_thread.run_sync(studio.file, kind, name)
        if path is None:
            return _missing()
        headers = {"content-security-policy": SANDBOX, "cross-origin-resource-policy": "same-origin"}
        if kind == EXPORTS:
            headers["content-disposition"] = f'attachment; filename="{name.partition("-")[2]}"'
        return FileResponse(path, headers=headers)

    async def events(request: Request) -> Response:
        body = await _json(request)
        return StreamingResponse(_stream(studio, str(body.get("last", ""))), media_type="text/event-stream")

    async def command(request: Request) -> Response:
        room, name = request.path_params["room"], request.path_params["command"]
        given = await _json(request)
        return JSONResponse(await anyio.to_thread.run_sync(studio.command, room, name, given))

    async def upload(request: Request) -> Response:
        data = await _body(request, MOST_OCTETS)
        title = request.query_params.get("title", "")
        return JSONResponse(await anyio.to_thread.run_sync(studio.add_file, data, title))

    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            Route("/web/{path:path}", asset, methods=["GET"]),
            Route("/events", events, methods=["POST"]),
            Route("/api/upload", upload, methods=["POST"]),
            Route("/api/{room}/{command}", command, methods=["POST"]),
            Route("/{kind}/{name}", kept, methods=["GET"]),
        ],
        exception_handlers={Exception: _explain, EvoartError: _explain},
    )


async def _stream(studio: Studio, last: str) -> AsyncIterator[bytes]:
    with contextlib.suppress(ClientDisconnect):
        async for chunk in studio.bus.stream(last):
            yield chunk


async def _body(request: Request, most: int) -> bytes:
    """The body of a request.

    Raises:
        TooLarge: more than ``most`` bytes, told before they are read where the request says so.
    """
    said = request.headers.get("content-length", "")
    parts, size = [], int(said) if said.isdigit() else 0
    if size > most:
        raise TooLarge(f"that is more than {most >> 20} MiB", "Reduce it first")
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"that is more than {most >> 20} MiB", "Reduce it first")
        parts.append(part)
    return b"".join(parts)


async def _json(request: Request) -> dict[str, Any]:
    """The object of JSON in a body; an empty body is an empty object.

    Raises:
        UsageError: something else.
    """
    data = await _body(request, MOST_JSON)
    try:
        found = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError("the request is not an object of JSON", "Load the page again")
    return found


async def _explain(request: Request, error: Exception) -> Response:
    told = explain(error)
    status = 413 if isinstance(error, TooLarge) else 400 if isinstance(error, EvoartError) else 500
    return JSONResponse({"error": told.message, "hint": told.hint}, status)


def _file(path: Path) -> Response:
    return Response(path.read_bytes(), media_type=KINDS[path.suffix])


def _missing() -> Response:
    return JSONResponse({"error": "there is no such file", "hint": "Load the page again"}, 404)


class _Server(uvicorn.Server):
    """A server whose signals are somebody else's."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[override]
        yield


def listen(port: int | None, before: int | None) -> socket.socket:
    """A socket on 127.0.0.1: on ``port``, else on the one it had ``before`` where that is free, else on any.

    Raises:
        UsageError: ``port`` is taken or may not be used.
    """
    for number in [port] if port else [before, 0]:
        if number is None:
            continue
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", number))
        except OSError as error:
            sock.close()
            if port:
                raise UsageError(f"port {port} cannot be used ({error.strerror})", "Choose another --port") from None
            continue
        return sock
    raise EvoartError("there is no free port on this machine", "Close some programs")


def serve(studio: Studio, sock: socket.socket, ready: Callable[[str], None], told: Callable[[str], None]) -> int:
    """Serve the studio until it is interrupted, then save; returns the exit code.

    Args:
        sock: to listen on.
        ready: takes the address once it is answered.
        told: takes a line for the terminal.
    """
    port = sock.getsockname()[1]
    guard = Guard(application(studio), port, studio.settings["secret"], lambda again: told(f"Another browser: {again}"))
    config = uvicorn.Config(
        guard, log_config=None, log_level="critical", access_log=False, server_header=False, date_header=False,
        lifespan="off", ws="none", timeout_graceful_shutdown=2, limit_concurrency=200, proxy_headers=False,
        timeout_keep_alive=30, h11_max_incomplete_event_size=64 << 10, http="h11", loop="asyncio",
    )  # fmt: skip
    server, stop = _Server(config), Stop()

    def end(why: Why) -> None:
        told("Saving. Once more stops at once.")
        studio.bus.close()
        server.should_exit = True

    def announce() -> None:
        ready(guard.address())
        studio.open()  # after it: the page comes first, and what is asked for meanwhile waits
        import evoart.run.fit.editing  # noqa: F401 (what the first click would have to wait for)

    with listening(stop, end, lambda why: None):
        sock.listen(128)  # from now on a browser may connect: it waits until it is answered
        starting = threading.Thread(target=announce, daemon=True)
        starting.start()
        try:
            server.run(sockets=[sock])
        finally:
            starting.join(5)
            studio.close()
    return EXIT[stop.why] if stop.why else 0
