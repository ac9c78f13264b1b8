"""Downloads, against a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time

import pytest

from evoart import download
from evoart.download import Remote, obtain, verify
from evoart.errors import EvoartError

CONTENT = bytes(range(256)) * 2000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Gives out CONTENT; ``cut`` breaks the next answers off after so many bytes, ``etag`` says which file it is."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut, self.etag, self.ranges, self.honest = None, '"one"', [], True

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
        body = CONTENT[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if server.honest:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", server.etag)
        self.end_headers()
        self.wfile.write(body[: server.cut])

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_announced_checked_kept_and_offline_afterwards(server, tmp_path):
    lines, steps = [], []
    path = tmp_path / "deep" / "model.json"
    remote = Remote(server.url, "the model 'bird'", SHA)
    assert obtain(remote, path, say=lines.append, progress=lambda *step: steps.append(step)) == path
    assert path.read_bytes() == CONTENT
    assert lines == [f"Downloading the model 'bird' (0.5 MB) from 127.0.0.1 to {path}"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [p.name for p in path.parent.iterdir()] == ["model.json"]
    obtain(Remote("https://example.invalid/", "gone", SHA), path)  # asks nobody


def test_goes_on_where_it_broke_off(server, tmp_path):
    path, lines = tmp_path / "model.json", []
    remote = Remote(server.url, "a model", SHA)
    server.cut = 300_000
    with pytest.raises(EvoartError, match="broke off.*goes on from there"):
        obtain(remote, path)
    assert not path.exists()
    server.cut = None
    obtain(remote, path, say=lines.append)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]
    assert "going on after 0.3 MB" in lines[0]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(server, tmp_path):
    path = tmp_path / "model.json"
    server.cut = 1000
    with pytest.raises(EvoartError, match="broke off"):
        obtain(Remote(server.url, "a model"), path)
    server.cut, server.etag = None, '"two"'
    obtain(Remote(server.url, "a model"), path)
    assert path.read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(server, tmp_path):
    with pytest.raises(EvoartError, match="not what was published"):
        obtain(Remote(server.url, "a model", "0" * 64), tmp_path / "model.json")
    assert not (tmp_path / "model.json").exists()
    assert not (tmp_path / "model.json.part").exists()


def test_without_a_published_hash_the_first_one_is_recorded(server, tmp_path):
    path, lines = tmp_path / "model.json", []
    obtain(Remote(server.url, "a model"), path, say=lines.append)
    assert SHA[:16] in lines[1]
    assert verify(path) == SHA
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(EvoartError, match="SHA-256 differs"):
        verify(path)


@pytest.mark.parametrize("honest", [True, False])
def test_more_than_expected_is_refused(server, tmp_path, honest):
    server.honest = honest
    with pytest.raises(EvoartError, match="more than the 1,000 bytes"):
        obtain(Remote(server.url, "a model", SHA, most=1000), tmp_path / "model.json")
    assert not (tmp_path / "model.json").exists()


def test_no_network_is_said_at_once(tmp_path, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    start = time.monotonic()
    with pytest.raises(EvoartError, match="not reachable") as caught:
        obtain(Remote("https://models.invalid/bird.json", "the model 'bird'"), tmp_path / "bird.json")
    assert time.monotonic() - start < 2.5
    assert "\n" not in str(caught.value)
    assert "https://models.invalid/bird.json" in str(caught.value)


def test_a_name_server_that_hangs_holds_nobody(tmp_path, monkeypatch):
    free = threading.Event()

    def hang(*address):
        free.wait(20)
        raise TimeoutError

    monkeypatch.setattr(download.socket, "create_connection", hang)
    monkeypatch.setattr(download, "ANSWER", 0.2)
    start = time.monotonic()
    with pytest.raises(EvoartError, match="no answer within"):
        obtain(Remote("https://models.invalid/bird.json", "a model"), tmp_path / "bird.json")
    free.set()
    assert time.monotonic() - start < 2


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
        obtain(Remote(url, "a model"), tmp_path / "model.json")


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://example.com/x", "file:///etc/passwd", "x"])
def test_only_https(tmp_path, url):
    with pytest.raises(EvoartError, match="not an https"):
        obtain(Remote(url, "a model"), tmp_path / "x")


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvoartError, match="cannot be kept.*EVOART_CACHE"):
        obtain(Remote(server.url, "a model"), tmp_path / "file" / "model.json")
