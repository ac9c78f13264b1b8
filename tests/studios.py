"""Studios for tests: a server in a process of its own, as a user starts it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@functools.cache
def compile_once() -> None:
    """Have the kernels in the cache, so that no test waits for a compiler."""
    from evoart.run.fit.precompile import precompile

    precompile()


class Running:
    """A studio's server. ``cookie`` lets requests in, once ``enter`` was called."""

    def __init__(self, folder: Path, *words: str, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "evoart", "studio", *words, "--no-browser", "--folder", str(folder)]
        compile_once()
        self.folder, self.cookie = folder, ""
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, start_new_session=True
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.process.stderr.read()  # type: ignore[union-attr]
        self.port = int(self.address.split(":")[2].split("/")[0])

    @property
    def token(self) -> str:
        """What the address hands over."""
        return self.address.partition("token=")[2]

    def ask(self, request: str | bytes) -> tuple[int, dict[str, str], bytes]:
        """Status (0: none), headers and body of the answer to a request that is written byte for byte."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            data = b""
            with contextlib.suppress(ConnectionError):  # who says no early does not read to the end
                sock.sendall(request.encode() if isinstance(request, str) else request)
            with contextlib.suppress(ConnectionError):
                while part := sock.recv(1 << 16):
                    data += part
        if not data:
            return 0, {}, b""
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split()[1]), headers, body

    def request(self, method: str, path: str, body: bytes = b"", **changes: str | None) -> tuple[int, dict, bytes]:
        """A request as the page sends it, with headers changed (``_`` stands for ``-``) or left out (None)."""
        origin = f"http://127.0.0.1:{self.port}"
        headers: dict[str, str | None] = {"host": f"127.0.0.1:{self.port}", "connection": "close"}
        headers |= {"cookie": self.cookie} if self.cookie else {}
        if method == "POST":
            headers |= {"origin": origin, "x-evoart": "1", "content-type": "application/json"}
            headers |= {"content-length": str(len(body))}
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items() if v is not None)]
        return self.ask("\r\n".join([*lines, "", ""]).encode() + body)

    def enter(self) -> None:
        """Take the token for a cookie."""
        status, headers, _ = self.request("GET", f"/?token={self.token}")
        assert status == 303, status
        self.cookie = headers["set-cookie"].partition(";")[0]

    def post(self, room: str, command: str, /, **given: Any) -> dict[str, Any]:
        """What a command answers."""
        status, _, body = self.request("POST", f"/api/{room}/{command}", json.dumps(given).encode())
        assert status == 200, (status, body)
        return json.loads(body)

    def upload(self, data: bytes, title: str = "") -> tuple[int, dict[str, Any]]:
        """Status and answer to a file that is sent."""
        path = f"/api/upload?title={title}"
        status, _, body = self.request("POST", path, data, content_type="application/octet-stream")
        return status, json.loads(body)

    def state(self) -> dict[str, Any]:
        """The snapshot with which the stream of events begins."""
        with self.events() as events:
            return next(data for name, data in events if name == "state")

    @contextlib.contextmanager
    def events(self, last: str = "") -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """The events that a page hears."""
        body = json.dumps({"last": last}).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=300) as sock:
            lines = [
                "POST /events HTTP/1.1", f"host: 127.0.0.1:{self.port}", f"origin: http://127.0.0.1:{self.port}",
                "x-evoart: 1", "content-type: application/json", f"content-length: {len(body)}",
                f"cookie: {self.cookie}",
            ]  # fmt: skip
            sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            yield _read(sock)

    def wait(self, state: str = "idle", seconds: float = 120) -> dict[str, Any]:
        """The snapshot once the run is in this state."""
        until = time.monotonic() + seconds
        while (found := self.state())["run"]["state"] != state:
            assert time.monotonic() < until, found["run"]
            time.sleep(0.1)
        return found

    def end(self, number: int = signal.SIGINT) -> int:
        """Let it end; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code

    def kill(self) -> None:
        """End the server without a word, as a crash does; what draws notices it by itself."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.end(0)


def _read(sock: socket.socket) -> Iterator[tuple[str, dict[str, Any]]]:
    file = sock.makefile("rb")
    with file:
        fields: dict[str, str] = {}
        for line in file:
            name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
            if name in ("id", "event", "data"):
                fields[name] = value
            elif "data" in fields:
                yield fields["event"], json.loads(fields["data"])
                fields = {}
