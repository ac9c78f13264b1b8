"""Downloads, against servers on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evoart import connect, download
from evoart.download import Remote, Unreachable, obtain, read_text, verify
from evoart.errors import EvoartError

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Gives out CONTENT; ``cut`` breaks answers off after so many bytes, ``etag`` says which file it is, ``going``
    holds them after their first block until it is set."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut, self.etag, self.ranges, self.honest = [], '"one"', [], True
        self.going = threading.Event()
        self.going.set()

    def handle_error(self, *whose):
        """Somebody hung up, as tests do."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/model.json"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        if self.path == "/missing":
            return self.send_error(404, "Not Found")
        if self.path.startswith("/away="):
            self.send_response(302)
            self.send_header("Location", self.path[6:])
            return self.end_headers()
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        first = int(asked[6:-1]) if asked and self.headers.get("If-Range") == server.etag else 0
        if first >= len(CONTENT):
            return self.send_error(416, "Range Not Satisfiable")
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if server.honest:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", server.etag)
        self.end_headers()
        end = server.cut.pop(0) if server.cut else len(body)
        for start in range(0, min(end, len(body)), 1 << 16):
            self.wfile.write(body[start : min(start + (1 << 16), end)])
            server.going.wait(60)

    def log_message(self, *words):
        pass


@pytest.fixture(autouse=True)
def undisturbed(monkeypatch):
    """No proxies of the user's, and no long pauses."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(download, "PAUSES", (0.01, 0.01, 0.01))


def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server():
    yield from serving(Server())


def quiet(line):
    """Nobody listens."""


def test_announced_checked_kept_and_offline_afterwards(server, tmp_path):
    lines, steps = [], []
    path = tmp_path / "deep" / "model.json"
    remote = Remote(server.url, "the model 'bird'", SHA)
    assert obtain(remote, path, report=lines.append, progress=lambda *step: steps.append(step)) == path
    assert path.read_bytes() == CONTENT
    assert lines == [f"Downloading the model 'bird' (0.5 MB) from 127.0.0.1 to {path}"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert {p.name for p in path.parent.iterdir()} == {"model.json", "model.json.sha256"}
    obtain(Remote("https://example.invalid/", "gone", SHA), path)  # asks nobody


def test_nothing_is_downloaded_in_silence(server, tmp_path, capsys):
    obtain(Remote(server.url, "the model 'bird'", SHA), tmp_path / "a")
    told = capsys.readouterr()
    assert told.err == f"Downloading the model 'bird' (0.5 MB) from 127.0.0.1 to {tmp_path / 'a'}\n"
    assert told.out == ""


def test_goes_on_by_itself_where_it_broke_off(server, tmp_path):
    path, lines = tmp_path / "model.json", []
    server.cut = [300_000, 100_000]
    obtain(Remote(server.url, "a model", SHA), path, report=lines.append)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", "bytes=400000-"]
    assert "broke off; trying again" in lines[1]
    assert "continuing after 0.3 MB" in lines[2]


def test_goes_on_later_where_it_broke_off(server, tmp_path, monkeypatch):
    path, lines = tmp_path / "model.json", []
    monkeypatch.setattr(download, "PAUSES", ())
    server.cut = [300_000]
    with pytest.raises(EvoartError, match="broke off after 300,000 of 512,000 bytes.*continues from there"):
        obtain(Remote(server.url, "a model", SHA), path, report=quiet)
    assert not path.exists()
    obtain(Remote(server.url, "a model", SHA), path, report=lines.append)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]
    assert "continuing after 0.3 MB" in lines[0]


def test_a_line_that_stays_broken_is_given_up(server, tmp_path):
    server.cut = [0] * 10
    with pytest.raises(EvoartError, match="broke off after 0 of 512,000 bytes"):
        obtain(Remote(server.url, "a model", SHA), tmp_path / "model.json", report=quiet)
    assert len(server.ranges) == 4


@pytest.mark.parametrize("change", ["etag", "part"])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(server, tmp_path, monkeypatch, change):
    path = tmp_path / "model.json"
    monkeypatch.setattr(download, "PAUSES", ())
    server.cut = [1000]
    with pytest.raises(EvoartError, match="broke off"):
        obtain(Remote(server.url, "a model", SHA), path, report=quiet)
    if change == "etag":
        server.etag = '"two"'
    else:
        (tmp_path / "model.json.part").write_bytes(b"x" * 1000)
    obtain(Remote(server.url, "a model", SHA), path, report=quiet)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"])
def test_a_part_that_is_all_of_the_file_is_no_dead_end(server, tmp_path, part):
    (tmp_path / "a.part").write_bytes(part)
    (tmp_path / "a.part.etag").write_text('"one"')
    obtain(Remote(server.url, "a model", SHA), tmp_path / "a", report=quiet)
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(server, tmp_path):
    with pytest.raises(EvoartError, match="not what was published"):
        obtain(Remote(server.url, "a model", "0" * 64), tmp_path / "model.json", report=quiet)
    assert list(tmp_path.iterdir()) == []


def test_what_is_something_else_is_not_kept(server, tmp_path):
    def check(path):
        raise EvoartError(f"'{path}' has no weights", "Use another")

    with pytest.raises(EvoartError, match=r"cannot be used \(the file has no weights\).*nothing was kept"):
        obtain(Remote(server.url, "a model", check=check), tmp_path / "model.json", report=quiet)
    assert list(tmp_path.iterdir()) == []


def test_without_a_published_hash_the_first_one_is_recorded(server, tmp_path):
    path, lines = tmp_path / "model.json", []
    obtain(Remote(server.url, "a model"), path, report=lines.append)
    assert SHA[:16] in lines[1]
    assert verify(path) == SHA
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(EvoartError, match="SHA-256 differs"):
        verify(path)


@pytest.mark.parametrize("honest", [True, False])
def test_more_than_expected_is_refused(server, tmp_path, honest):
    server.honest = honest
    with pytest.raises(EvoartError, match="more than the 1,000 bytes"):
        obtain(Remote(server.url, "a model", SHA, max_bytes=1000), tmp_path / "model.json", report=quiet)
    assert not (tmp_path / "model.json").exists()


def test_threads_share_one_download(server, tmp_path):
    server.going.clear()
    lines, found = [], []

    def report(line):
        lines.append(line)
        if sum("waiting for it" in each for each in lines) == 2:
            server.going.set()

    def fetch():
        found.append(obtain(Remote(server.url, "a model", SHA), tmp_path / "a", report=report))

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == CONTENT for path in found] == [True] * 3
    assert len(server.ranges) == 1
    assert {p.name for p in tmp_path.iterdir()} == {"a", "a.sha256"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are killed otherwise there")
def test_processes_share_one_download_and_a_killed_one_holds_nobody(server, tmp_path):
    server.going.clear()
    program = (
        "import sys; from pathlib import Path; from evoart.download import Remote, obtain; "
        f"obtain(Remote({server.url!r}, 'a model', {SHA!r}), Path(sys.argv[1]))"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "a")]
    with contextlib.ExitStack() as stack:

        def start():
            process = stack.enter_context(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
            stack.callback(process.kill)
            return process

        first = start()
        assert "Downloading" in first.stderr.readline()
        others = [start() for _ in range(2)]
        assert all("waiting for it" in other.stderr.readline() for other in others)
        first.kill()
        first.communicate()
        server.going.set()
        for other in others:
            other.communicate(timeout=300)
            assert other.returncode == 0
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert {p.name for p in tmp_path.iterdir()} == {"a", "a.sha256"}


# Connections.


def test_no_network_is_said_at_once(tmp_path):
    start = time.monotonic()
    with pytest.raises(Unreachable, match="not reachable") as caught:
        obtain(Remote("https://models.invalid/bird.json", "the model 'bird'"), tmp_path / "bird.json", report=quiet)
    assert time.monotonic() - start < 30
    assert "\n" not in str(caught.value)
    assert "https://models.invalid/bird.json" in str(caught.value)


@pytest.fixture
def hole():
    """A port of this machine that never answers: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            waiting.append(caller)
        yield listener.getsockname()
        for caller in waiting:
            caller.close()


def resolved_as(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **how: found)


def test_an_address_that_is_dead_holds_nobody(server, hole, tmp_path, monkeypatch):
    resolved_as(monkeypatch, hole, server.server_address, hole)
    start = time.monotonic()
    obtain(Remote("http://localhost:1/model.json", "a model", SHA), tmp_path / "a", report=quiet)
    assert time.monotonic() - start < connect.LIMIT


def test_the_families_take_turns():
    six, four = socket.AF_INET6, socket.AF_INET
    given = [(six, ("a",)), (six, ("b",)), (six, ("c",)), (four, ("d",))]
    assert [address[0] for _, address in connect._interleave(given)] == ["a", "d", "b", "c"]


def test_slow_connections_are_told_and_have_a_limit(hole, monkeypatch):
    resolved_as(monkeypatch, hole)
    monkeypatch.setattr(connect, "QUIET", 0.1)
    lines = []
    with pytest.raises(TimeoutError, match=r"no answer within 0.4 s"):
        connect.connect("slow.example", 1, limit=0.4, report=lines.append)
    assert lines == ["Waiting for slow.example to answer ..."]


def test_a_name_server_that_hangs_holds_nobody(tmp_path, monkeypatch):
    free = threading.Event()

    def hang(*address, **how):
        free.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(connect.connect, "__kwdefaults__", {"limit": 0.2})
    start = time.monotonic()
    with pytest.raises(EvoartError, match="no answer within"):
        obtain(Remote("https://models.invalid/bird.json", "a model"), tmp_path / "bird.json", report=quiet)
    free.set()
    assert time.monotonic() - start < 15  # at once on an idle machine, and 20 where it is waited for


def test_a_slow_name_server_is_waited_for(server, tmp_path, monkeypatch):
    real = socket.getaddrinfo

    def slow(*given, **how):
        time.sleep(2.5)  # longer than was once allowed
        return real(*given, **how)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    lines = []
    obtain(Remote(server.url, "a model", SHA), tmp_path / "a", report=lines.append)
    assert lines[0] == "Waiting for 127.0.0.1 to answer ..."


def test_a_dead_proxy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://me:secret@127.0.0.1:9")
    with pytest.raises(
        Unreachable, match=r"the proxy 127.0.0.1:9 does not lead to models.invalid.*https_proxy"
    ) as caught:
        obtain(Remote("https://models.invalid/x", "a model"), tmp_path / "x", report=quiet)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_refuses_is_named(server, tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{server.server_address[1]}")  # it knows no CONNECT
    with pytest.raises(Unreachable, match="the proxy 127.0.0.1:.* does not lead to models.invalid.*501"):
        obtain(Remote("https://models.invalid/x", "a model"), tmp_path / "x", report=quiet)


@pytest.fixture
def secure():
    """A server with a certificate of its own."""
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "loopback.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    yield from serving(server)


def test_certificates_of_a_networks_own(secure, tmp_path, monkeypatch):
    remote = Remote(secure.url.replace("http:", "https:"), "a model", SHA)
    with pytest.raises(Unreachable, match=r"certificate of 127.0.0.1 is not trusted \(self.signed.*SSL_CERT_FILE"):
        obtain(remote, tmp_path / "a", report=quiet)
    monkeypatch.setenv("SSL_CERT_FILE", str(Path(__file__).parent / "loopback.pem"))
    assert obtain(remote, tmp_path / "a", report=quiet).read_bytes() == CONTENT


def test_what_speaks_no_tls_is_one_line(server, tmp_path):
    with pytest.raises(Unreachable, match="does not speak TLS"):
        obtain(Remote(server.url.replace("http:", "https:"), "a model"), tmp_path / "a", report=quiet)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/missing", "404 Not Found"),
        ("/away=ftp://127.0.0.1/x", "not an https"),
        ("/away=http://example.com/x", "https"),
    ],
)
def test_refusals_are_one_line(server, tmp_path, path, message):
    url = server.url.replace("/model.json", path)
    with pytest.raises(EvoartError, match=message):
        obtain(Remote(url, "a model"), tmp_path / "model.json", report=quiet)


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com/x", "file:///etc/passwd", "x"])
def test_only_https(tmp_path, url):
    with pytest.raises(EvoartError, match="not an https"):
        obtain(Remote(url, "a model"), tmp_path / "x")
    with pytest.raises(EvoartError, match="not an https"):
        read_text(Remote(url, "a model"))


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvoartError, match="cannot be kept.*EVOART_CACHE"):
        obtain(Remote(server.url, "a model"), tmp_path / "file" / "model.json", report=quiet)


def test_small_texts_leave_nothing(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvoartError, match="is not text"):
        read_text(Remote(server.url, "a note"), report=quiet)
    with pytest.raises(EvoartError, match="more than"):
        read_text(Remote(server.url, "a note", max_bytes=10), report=quiet)
    assert list(tmp_path.iterdir()) == []
