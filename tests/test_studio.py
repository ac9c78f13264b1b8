"""The studio's server: who may ask, what is refused, and that nothing is lost."""

from __future__ import annotations

import io
import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from studios import Running

from evoart.run.api import load

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """A studio that was entered."""
    running = Running(tmp_path_factory.mktemp("studio") / "s")
    running.enter()
    yield running
    assert running.end() == 130


def png(h: int = 36, w: int = 48) -> bytes:
    """A photograph's bytes."""
    y, x = np.mgrid[:h, :w]
    pixels = np.stack([x * 255 / w, y * 255 / h, (x + y) % 32 * 8], -1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


# -- who may ask ---------------------------------------------------------------------------------------------------


def test_only_this_machine_can_connect(studio):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1", "127.0.1.1"}
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as sock:
            sock.settimeout(2)
            assert sock.connect_ex((address, studio.port)) != 0, address


def test_the_token_is_good_once(studio, tmp_path):
    assert studio.request("GET", f"/?token={studio.token}", cookie=None)[0] == 403
    assert studio.request("GET", "/?token=guess", cookie=None)[0] == 403
    status, headers, _ = studio.request("GET", f"/?token={studio.token}")
    assert (status, headers["location"]) == (303, "/")  # who is in already is not turned away
    assert "set-cookie" not in headers


def test_the_cookie(tmp_path):
    running = Running(tmp_path / "s")
    _, headers, _ = running.request("GET", f"/?token={running.token}")
    flags = {flag.strip() for flag in headers["set-cookie"].split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= flags
    mode = (running.folder / "studio.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    running.end()


@pytest.mark.parametrize("path", ["/", "/web/app.js", "/photographs/x.png", "/exports/x-y.png"])
def test_nothing_is_shown_without_the_cookie(studio, path):
    assert studio.request("GET", path, cookie=None)[0] == 403
    assert studio.request("GET", path, cookie=f"evoart-{studio.port}=guess")[0] == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_names_of_the_server(studio, name):
    assert studio.request("GET", "/", host=f"{name}:{studio.port}")[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:PORT", "", None]
)
def test_other_names_are_refused(studio, host):
    """A name of an attacker's that leads to 127.0.0.1: DNS rebinding."""
    host = None if host is None else host.replace("PORT", str(studio.port))
    assert studio.request("GET", "/", host=host)[0] in (400, 421)
    assert studio.request("POST", "/api/picture/open", b"{}", host=host)[0] in (400, 403, 421)


def test_two_hosts_are_refused(studio):
    lines = ["GET / HTTP/1.1", f"host: 127.0.0.1:{studio.port}", "host: evil.example", f"cookie: {studio.cookie}"]
    assert studio.ask("\r\n".join([*lines, "connection: close", "", ""]))[0] == 400


COMMANDS = ["/events", "/api/upload", "/api/picture/open", "/api/studio/undo"]


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"origin": None}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://127.0.0.1:PORT"}, 403),
        ({"origin": "http://localhost:PORT"}, 403),  # while Host says 127.0.0.1
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"x_evoart": None}, 403),
        ({"cookie": None}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415),
        ({"content_type": None}, 415),
    ],
)
def test_commands_come_from_the_page(studio, path, changes, status):
    changes = {name: value and value.replace("PORT", str(studio.port)) for name, value in changes.items()}
    assert studio.request("POST", path, b"{}", **changes)[0] == status


def test_pages_elsewhere_cannot_read(studio):
    for changes in ({"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}):
        assert studio.request("GET", "/", **changes)[0] == 403
        assert studio.request("GET", "/web/app.js", **changes)[0] == 403
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
        asked = {"origin": "http://evil.example", "access_control_request_method": "POST"}
        status, headers, _ = studio.request(method, "/api/picture/open", **asked)
        assert status in (403, 405)
        assert not [name for name in headers if name.startswith("access-control")]


def test_commands_are_not_got(studio):
    for path in COMMANDS:
        assert studio.request("GET", path)[0] in (404, 405)


def test_every_answer_has_the_headers(studio):
    _, photograph = studio.upload(png())
    paths = ["/", "/web/app.js", "/web/missing.js", f"/photographs/{photograph['name']}", "/nothing"]
    answers = [studio.request("GET", path) for path in paths]
    answers += [studio.request("POST", "/api/picture/nothing", b"{}"), studio.request("GET", "/", cookie=None)]
    for _, headers, _ in answers:
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src" in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control")]
        assert "server" not in headers
    policy = answers[0][1]["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


# -- what comes in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/photographs/../studio.json", "/photographs/..%2fstudio.json", "/pictures/%2e%2e/studio.json",
        "/web/../server.py", "/web/%2e%2e/server.py", "/web//etc/passwd", "/exports/..%5cstudio.json",
        "/photographs/.hidden", "/films/000001.npz", "/photographs/a%00.png", "/studio.json", "/history.jsonl",
    ],
)  # fmt: skip
def test_no_path_leads_out(studio, path):
    status, _, body = studio.request("GET", path)
    assert status in (403, 404)
    assert b"secret" not in body


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "/etc/passwd", "a/b.png", "x.png", 7, None, {"a": 1}])
def test_names_come_from_the_server(studio, name):
    import json

    status, _, body = studio.request("POST", "/api/picture/open", json.dumps({"name": name}).encode())
    assert status == 400
    assert "not here" in json.loads(body)["error"]


def test_a_photograph_is_kept_under_a_name_of_ours(studio):
    status, kept = studio.upload(png(), "..%2f..%2fcat")
    assert status == 200
    assert (kept["width"], kept["height"]) == (48, 36)
    assert kept["name"].endswith(".png")
    assert kept["name"].startswith("cat-")
    assert "/" not in kept["name"]
    status, headers, body = studio.request("GET", f"/photographs/{kept['name']}")
    assert (status, body) == (200, png())
    assert headers["content-security-policy"].startswith("sandbox")


def bomb() -> bytes:
    """A PNG of 400 megapixels in half a megabyte."""
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"just some text\n" * 100, "not a picture"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(4096), "not a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not a picture"),
        (png()[:100], "damaged"),
        (bomb, "pixels"),
    ],
    ids=["nothing", "text", "film", "script", "truncated", "bomb"],
)
def test_what_is_no_photograph_is_refused_in_a_line(studio, data, said):
    before = {path.name for path in (studio.folder / "photographs").iterdir()}
    status, told = studio.upload(data() if callable(data) else data)
    assert status == 400
    assert said in told["error"]
    assert "\n" not in told["error"]
    assert told["hint"]
    assert {path.name for path in (studio.folder / "photographs").iterdir()} == before


def test_forty_megapixels_are_taken(studio):
    file = io.BytesIO()
    Image.new("RGB", (7728, 5152), (40, 90, 160)).save(file, "JPEG")
    status, kept = studio.upload(file.getvalue())
    assert (status, kept["width"]) == (200, 7728)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(studio):
    head = ["POST /api/upload HTTP/1.1", f"host: 127.0.0.1:{studio.port}", f"origin: http://127.0.0.1:{studio.port}"]
    head += ["x-evoart: 1", "content-type: application/octet-stream", f"cookie: {studio.cookie}", "connection: close"]
    status, _, body = studio.ask("\r\n".join([*head, f"content-length: {200 << 20}", "", ""]))
    assert (status, b"MiB" in body) == (413, True)
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    status, _, _ = studio.ask("\r\n".join([*head, "transfer-encoding: chunked", "", ""]).encode() + 101 * chunk)
    assert status in (0, 413)  # the answer may be lost with the rest of what was sent


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 5000])
def test_what_is_no_object_of_json_is_refused(studio, body):
    assert studio.request("POST", "/api/studio/undo", body)[0] == 400


def test_a_websocket_is_refused(studio):
    asked = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
    lines = ["GET /events HTTP/1.1", f"host: 127.0.0.1:{studio.port}", f"cookie: {studio.cookie}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in asked.items()]
    lines += ["sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="]
    with socket.create_connection(("127.0.0.1", studio.port), timeout=10) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        assert not sock.recv(64).startswith(b"HTTP/1.1 101")


# -- nothing is lost -----------------------------------------------------------------------------------------------


def test_one_thing_at_a_time_and_stop_keeps_what_there_is(studio):
    studio.post("picture", "open", bundled=True)
    studio.post("picture", "draw", shapes=300, quality="best")
    status, _, body = studio.request("POST", "/api/picture/draw", b"{}")
    assert (status, b"already" in body) == (400, True)
    with studio.events() as events:
        assert next(data for name, data in events if name == "picture")["index"] == 0
    assert studio.post("studio", "live", index=0)["svg"].startswith("<svg")
    studio.post("studio", "stop")
    view = next(room["view"] for room in studio.wait()["rooms"] if room["name"] == "picture")
    assert view["step"]["pictures"]
    assert studio.request("GET", f"/pictures/{view['step']['pictures'][0]}")[0] == 200
    studio.post("studio", "undo", room="picture")
    view = next(room["view"] for room in studio.state()["rooms"] if room["name"] == "picture")
    assert (view["step"]["pictures"], view["redo"]) == ([], True)
    studio.post("studio", "redo", room="picture")


def test_a_killed_server_loses_nothing(tmp_path):
    running = Running(tmp_path / "s")
    running.enter()
    running.post("picture", "open", bundled=True)
    running.post("picture", "draw", shapes=200, quality="best", seed=3)
    with running.events() as events:  # until there is a checkpoint, and then some
        assert any(name == "progress" and data.get("seconds", 0) > 4.5 for name, data in events)
    running.kill()
    again = Running(tmp_path / "s")
    assert again.port == running.port
    again.cookie = running.cookie  # the page that is open reconnects
    with again.events() as events:
        resumed = next(data for name, data in events if name == "progress" and data["event"] == "started")
        assert resumed["resumed"] > 0
        seconds = next(data["seconds"] for name, data in events if name == "progress" and "seconds" in data)
    assert seconds > 3
    again.post("studio", "stop")
    state = again.wait()
    assert next(room["view"] for room in state["rooms"] if room["name"] == "picture")["step"]["pictures"]
    again.end()


def test_pause_lasts_through_a_restart(tmp_path):
    running = Running(tmp_path / "s")
    running.enter()
    running.post("picture", "open", bundled=True)
    running.post("picture", "draw", shapes=200, quality="best", seed=3)
    with running.events() as events:
        assert next(data for name, data in events if name == "picture")
    running.post("studio", "pause")
    running.wait("paused")
    assert running.end() == 130
    again = Running(tmp_path / "s")
    again.cookie = running.cookie
    assert again.state()["run"]["state"] == "paused"
    again.post("studio", "go-on")
    again.wait("running")
    again.post("studio", "stop")
    assert again.wait()["run"] == {"state": "idle"}
    again.end()


def test_a_folder_belongs_to_one_studio(studio):
    words = [sys.executable, "-m", "evoart", "studio", "--no-browser", "--folder", str(studio.folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "open in another studio" in done.stderr


def test_events_are_replayed_from_the_last_one_that_was_heard(studio):
    with studio.events() as events:
        boot = next(data for name, data in events if name == "state")["boot"]
    studio.post("picture", "open", bundled=True)
    with studio.events(f"{boot}-0") as events:
        assert next(events)[0] != "state"
    with studio.events("another-1") as events:
        assert next(events)[0] == "state"


def test_history(tmp_path):
    from evoart.errors import EvoartError
    from evoart.studio.history import History

    history = History(tmp_path / "h.jsonl")
    first = history.add("picture", "photograph")
    drawn = history.add("picture", "100 shapes", ["a.svg"])
    edited = history.add("picture", "remove 3", ["b.svg"])
    history.add("words", "a cat", ["c.svg"])
    assert [step.pictures[0] for step in history.wall()] == ["c.svg", "b.svg"]
    assert history.undo("picture") == drawn
    branch = history.add("picture", "front 2", ["d.svg"])
    assert [step.pictures[0] for step in history.wall()] == ["d.svg", "c.svg", "b.svg"]
    history.go("picture", edited.id)
    history.undo("picture")
    assert history.redo("picture") == edited
    history.add("words", "a dog", ["e.svg"], fresh=True)
    assert "c.svg" in [step.pictures[0] for step in history.wall()]
    history.mark(drawn.id, kept=True)
    history.mark(branch.id, hidden=True)
    before = (history.steps, history.at, [step.id for step in history.wall()])
    history.close()
    with (tmp_path / "h.jsonl").open("a") as file:  # the process ended in the middle of a line
        file.write('{"step": {"id": 99, "ro')
    again = History(tmp_path / "h.jsonl")
    assert (again.steps, again.at, [step.id for step in again.wall()]) == before
    again.go("picture", first.id)
    assert again.undo("picture") is None
    with pytest.raises(EvoartError):
        again.undo("picture")
    assert again.redo("picture") == first
    with pytest.raises(EvoartError):
        again.go("words", first.id)
    again.close()
    (tmp_path / "h.jsonl").write_text("nonsense\n")
    with pytest.raises(EvoartError, match="line 1"):
        History(tmp_path / "h.jsonl")


def test_a_photograph_a_result_and_words_are_opened_from_the_command_line(tmp_path):
    (tmp_path / "sun.png").write_bytes(png())
    running = Running(tmp_path / "s", str(tmp_path / "sun.png"))
    running.enter()
    view = next(room["view"] for room in running.state()["rooms"] if room["name"] == "picture")
    assert (view["step"]["label"], view["step"]["pictures"]) == ("sun", [])
    running.post("picture", "draw", shapes=5, quality="draft")
    view = next(room["view"] for room in running.wait()["rooms"] if room["name"] == "picture")
    drawn = running.folder / "pictures" / view["step"]["pictures"][0]
    command = running.post("studio", "command", picture=drawn.name)["command"]
    assert "evoart fit photographs/sun-" in command
    running.post("picture", "lock", shapes=[2], on=True)
    running.post("picture", "edit", edits=["remove 4", "colour 1 #ff0000"])
    running.wait()
    running.post("picture", "brush", strokes=[{"points": [[0.3, 0.4], [0.6, 0.4]], "radius": 0.1, "value": 1}])
    running.post("picture", "evolve", more=2, area=[0, 0, 0.8, 1], quality="draft")
    view = next(room["view"] for room in running.wait()["rooms"] if room["name"] == "picture")
    assert view["step"]["state"]["labels"] == ["6 triangles"]
    assert view["step"]["state"]["locked"]
    last = running.folder / "pictures" / view["step"]["pictures"][0]
    for picture in (drawn, last):  # what the page tells makes the same picture
        told = running.post("studio", "command", picture=picture.name)["command"]
        told = (
            told.replace("evoart fit", f"{sys.executable} -m evoart fit") + f" -o {tmp_path / 'again.svg'} --overwrite"
        )
        subprocess.run(told, shell=True, check=True, capture_output=True, timeout=300, cwd=Path.cwd())
        np.testing.assert_array_equal(load(tmp_path / "again.svg").genome, load(picture).genome)
    (tmp_path / "drawn.svg").write_bytes(drawn.read_bytes())
    running.end()
    running = Running(tmp_path / "s", str(tmp_path / "drawn.svg"))
    running.enter()
    view = next(room["view"] for room in running.state()["rooms"] if room["name"] == "picture")
    assert view["step"]["state"]["labels"] == ["5 triangles"]
    running.end()
    running = Running(tmp_path / "s", "a red apple")
    running.enter()
    assert running.state()["run"]["room"] == "words"
    running.post("studio", "stop")
    running.wait()
    running.end()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.jpg"], "no file"),
        (["text.txt"], "'text.txt' is not a picture"),
        (["--port", "99999"], "--port"),
        (["--folder", "text.txt"], "cannot be made"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_line(tmp_path, words, said):
    (tmp_path / "text.txt").write_text("no picture")
    command = [sys.executable, "-m", "evoart", "studio", "--no-browser", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_words_by_a_clip_model(tmp_path):
    running = Running(tmp_path / "s")
    running.enter()
    names = [each["name"] for each in running.post("words", "models")["models"]]
    assert names[:1] == ["icons"]
    assert "tiny" in names
    _, like = running.upload(png(), "sky")
    wishes = {"prompts": ["a red circle"], "negative_prompts": ["a blue square:0.5"], "model": "tiny", "shapes": 4}
    images = [{"name": like["name"], "weight": 0.2}]
    running.post("words", "draw", count=2, seed=3, quality="draft", image_prompts=images, **wishes)
    view = next(room["view"] for room in running.wait(seconds=300)["rooms"] if room["name"] == "words")
    step = view["step"]
    assert [job["seed"] for job in step["state"]["jobs"]] == [3, 4]
    assert all({"judge", "loss"} <= set(figures) for figures in step["state"]["figures"])
    running.post("words", "choose", picture=step["pictures"][1])
    running.post("words", "go-on", more=2)
    view = next(room["view"] for room in running.wait(seconds=300)["rooms"] if room["name"] == "words")
    assert view["step"]["state"]["jobs"][0]["start"] == f"pictures/{step['pictures'][1]}"
    running.end()


@pytest.mark.parametrize(
    ("room", "command", "given"),
    [
        ("picture", "draw", {"shapes": -1}),
        ("picture", "draw", {"kind": "../x"}),
        ("picture", "draw", {"seconds": {}}),
        ("picture", "edit", {"edits": "remove 1"}),
        ("picture", "edit", {"edits": ["remove 1; rm -rf /"]}),
        ("picture", "evolve", {"more": "9"}),
        ("picture", "evolve", {"area": [0, 0]}),
        ("picture", "lock", {"shapes": [0]}),
        ("picture", "brush", {"strokes": [{"points": [[0, 0]], "radius": 1e9, "value": 1}]}),
        ("words", "draw", {"prompts": [], "count": 2}),
        ("words", "draw", {"prompts": ["a cat"], "count": 10**9}),
        ("words", "draw", {"prompts": ["a cat"], "model": "../x"}),
        ("words", "draw", {"prompts": [{}]}),
        ("words", "choose", {"picture": "../x.svg"}),
        ("wall", "recipe", {"id": "1"}),
        ("wall", "sheet", {"ids": []}),
        ("wall", "pages", {"ids": list(range(10_000))}),
        ("studio", "go", {"room": "picture", "to": "1"}),
        ("studio", "go", {"room": "nowhere", "to": 1}),
        ("studio", "export", {"picture": "../x.svg", "format": "svg"}),
        ("studio", "mark", {"id": 10**9, "kept": True}),
        ("studio", "nothing", {}),
        ("nowhere", "open", {}),
    ],
)
def test_wrong_wishes_are_refused_in_a_line(studio, room, command, given):
    import json

    running = studio
    running.post("picture", "open", bundled=True)
    status, _, body = running.request("POST", f"/api/{room}/{command}", json.dumps(given).encode())
    told = json.loads(body)
    assert status == 400, told
    assert "bug" not in told["error"]
    assert running.state()["run"] == {"state": "idle"}
