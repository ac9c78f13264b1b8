"""The rooms Breed and Draw: their whole ways in a real browser, and their commands by themselves."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from studios import Running

import evoart
from evoart.cli.app import run
from evoart.errors import EvoartError, UsageError
from evoart.studio.rooms import breed as breeding
from evoart.studio.studio import Studio

pytestmark = pytest.mark.slow
PHONE, DESKTOP = {"width": 390, "height": 780}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    studio = Running(tmp_path_factory.mktemp("studio") / "s")
    studio.enter()
    yield studio
    studio.end()


@pytest.fixture
def open_page(page, running):
    """Goes to the studio as a browser that is known to it."""

    def opening(path: str = "", size=DESKTOP):
        name, _, value = running.cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{running.port}"}])
        page.set_viewport_size(size)
        page.goto(f"http://127.0.0.1:{running.port}/{path}")
        page.wait_for_selector("html[data-ready]")
        return page

    return opening


@pytest.fixture
def touch(pages_of, running):
    """A phone that is known to the studio."""
    context = pages_of.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page, said = context.new_page(), []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    name, _, value = running.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{running.port}"}])
    yield page
    heard = list(said)
    context.close()
    assert heard == []


def view(running, room):
    return next(each["view"] for each in running.state()["rooms"] if each["name"] == room)


def changed(page, before: str | None) -> str:
    """Wait for another generation than ``before``; its id."""
    other = f":not([data-shown='{before}'])" if before else ""
    page.wait_for_selector(f"#room-breed[data-shown]{other}:not(.waiting)", timeout=90_000)
    shown = page.get_attribute("#room-breed", "data-shown")
    assert shown is not None
    return shown


def begin(page, running) -> str:
    """A first generation in an empty room."""
    running.post("studio", "go", room="breed", to=None)
    page.wait_for_selector("#room-breed .taste.drawn", timeout=90_000)
    page.click("#room-breed .invite >> text=Begin")
    return changed(page, None)


def waited(page, ready):
    for _ in range(600):
        if ready():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come")


# -- breed ------------------------------------------------------------------------------------------------------------


def test_ten_generations_back_jump_and_reload(open_page, running, tmp_path):
    page = open_page("#breed")
    first = shown = begin(page, running)
    ids = [first]
    for generation in range(10):
        picks = page.locator(".tile:not(.parent) .pick")
        assert 12 <= picks.count() <= 30
        for k in (1, 4)[: 1 + generation % 2]:
            picks.nth(k + generation % 3).click()
        assert page.locator(".tile.picked").count() == 1 + generation % 2
        page.click("#room-breed .go .main")
        shown = changed(page, shown)
        ids.append(shown)
        assert page.locator(".tile.parent").count() == 1 + generation % 2
    assert len(set(ids)) == 11
    drawn = np.asarray(Image.open(io.BytesIO(page.locator("#room-breed .stage").screenshot())).convert("RGB"))
    assert drawn.std() > 30

    page.click("#room-breed >> text=Back")
    assert changed(page, shown) == ids[9]
    page.click("#room-breed >> text=Forward")
    assert changed(page, ids[9]) == ids[10]
    page.click("#room-breed >> text=Tree")
    page.click(".tree .node >> nth=2")
    assert changed(page, ids[10]) == ids[2]
    page.reload()
    assert changed(page, None) == ids[2]
    page.keyboard.press("e")  # nothing is picked, so nothing happens
    assert str(view(running, "breed")["step"]["id"]) == ids[2]

    # Every generation is the sheet that the command writes: it is redone, and bred from.
    step = view(running, "breed")["step"]
    path = running.folder / "pictures" / step["pictures"][0]
    waited(page, path.is_file)
    sheet = evoart.load(path)
    assert sheet.job.command == "cppn-breed"
    assert run(["redo", str(path), "-o", str(tmp_path / "again.json"), "-q"]) == 0
    np.testing.assert_array_equal(evoart.load(tmp_path / "again.json").genome, sheet.genome)
    words = ["cppn", "breed", f"{path}:3", "-n", "2", "--sheet-only", "--sheet-size", "60", "-q"]
    assert run([*words, "-o", str(tmp_path / "child.json")]) == 0


def test_a_link_holds_a_picture(open_page, running):
    page = open_page("#breed")
    begin(page, running)
    page.locator(".tile").nth(3).hover()
    page.locator(".tile").nth(3).locator("button[title^=Look]").click()
    page.wait_for_selector("dialog.closeup[data-ready]", timeout=60_000)
    address = page.url
    assert "#breed/" in address
    before = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), int)
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(900)
    zoomed = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), int)
    assert np.abs(zoomed - before).mean() > 3
    page.keyboard.press("0")
    page.wait_for_timeout(900)
    page.keyboard.press("Escape")
    waited(page, lambda: page.url.endswith("#breed"))
    step = view(running, "breed")["step"]

    running.post("studio", "go", room="breed", to=None)
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("dialog.closeup[data-ready]", timeout=60_000)
    page.wait_for_timeout(300)
    again = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), int)
    assert np.abs(again - before)[60:700].mean() < 1  # all but the bar, which says that a picture alone is picked
    opened = view(running, "breed")["step"]
    ours = evoart.load(running.folder / "pictures" / opened["pictures"][0])
    sheet = running.folder / "pictures" / step["pictures"][0]
    waited(page, sheet.is_file)
    np.testing.assert_array_equal(ours.genome, evoart.load(sheet, 4).genome)
    page.click("dialog.closeup >> text=Pick")  # a picture alone is picked already
    page.click("dialog.closeup >> text=Pick")
    page.click("dialog.closeup >> text=Close")
    page.click("#room-breed .go .main")
    changed(page, str(opened["id"]))


def test_breeding_by_keys_alone(open_page, running):
    page = open_page("#breed")
    shown = begin(page, running)
    assert page.evaluate("document.activeElement.className") == "pick"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert page.locator(".tile.picked").count() == 1
    page.keyboard.press(".")
    page.keyboard.press("f")
    page.keyboard.press("e")
    after = changed(page, shown)
    job = view(running, "breed")["step"]["state"]["job"]
    assert (job["vary"], job["mutation_scale"]) == ("colour", 1.0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    page.wait_for_selector(".tile.kept")
    pictures = [card["picture"] for card in running.post("wall", "list")["pictures"]]
    kept = next(step for step in running.post("breed", "tree")["steps"] if step["favourite"])
    assert kept["picture"] in pictures
    page.keyboard.press("z")
    page.wait_for_selector("dialog.closeup[data-ready]", timeout=60_000)
    page.keyboard.press("+")
    page.keyboard.press("Escape")
    page.keyboard.press("[")
    assert changed(page, after) == shown
    page.keyboard.press("]")
    assert changed(page, shown) == after
    page.keyboard.press("t")
    page.wait_for_selector(".tree")
    page.keyboard.press("Escape")


def test_breeding_by_touch_on_a_phone(touch, running):
    touch.goto(f"http://127.0.0.1:{running.port}/#breed")
    touch.wait_for_selector("html[data-ready]")
    running.post("studio", "go", room="breed", to=None)
    touch.wait_for_selector("#room-breed .taste.drawn", timeout=90_000)
    touch.tap("#room-breed .invite >> text=Begin")
    shown = changed(touch, None)
    assert touch.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    boxes = [box.bounding_box() for box in touch.locator(".tile").all()]
    assert all(box["width"] >= 80 and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"] for box in boxes)
    touch.locator(".pick").nth(2).tap()
    touch.tap("#room-breed .go .main")
    changed(touch, shown)


def test_shaders_draw_what_the_server_draws(open_page, running):
    page = open_page("#breed")
    begin(page, running)
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(400)
    ours = np.asarray(Image.open(io.BytesIO(page.locator("#room-breed .stage").screenshot())).convert("RGB"), int)
    page.evaluate("localStorage.setItem('evoart-tiles', 'webgl')")
    page.reload()
    changed(page, None)
    page.wait_for_timeout(1500)
    theirs = np.asarray(Image.open(io.BytesIO(page.locator("#room-breed .stage").screenshot())).convert("RGB"), int)
    page.evaluate("localStorage.removeItem('evoart-tiles')")
    assert np.abs(ours - theirs).mean() < 4  # JPEG, and another way to scale


def test_files_of_a_picture(open_page, running):
    page = open_page("#breed")
    begin(page, running)
    for kind, start in (("png", b"\x89PNG"), ("shader", b"#version"), ("page", b"<!doctype html>")):
        page.locator(".pick").nth(0).focus()
        page.keyboard.press("z")
        page.wait_for_selector("dialog.closeup[data-ready]", timeout=60_000)
        page.click("dialog.closeup >> text=Save")
        page.locator("dialog .choice select").first.select_option(kind)
        with page.expect_download(timeout=90_000) as download:
            page.click("dialog .box button.main")
        assert download.value.path().read_bytes().startswith(start), kind
        page.wait_for_selector("dialog .box", state="detached")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog.closeup", state="detached")
    made = running.post("breed", "save", number=1, format="animated-webp")
    status, _, body = running.request("GET", made["url"])
    assert status == 200
    with Image.open(io.BytesIO(body[body.index(b"RIFF") :])) as film:
        film.seek(20)


def test_shapes_and_strokes_are_bred(running, tmp_path):
    drawn = running.post("draw", "keep", strokes=[{"by": "you", "at": [[0.2, 0.2], [0.7, 0.3]]}])
    picture = view(running, "draw")["step"]["pictures"][0]
    assert view(running, "draw")["step"]["id"] == drawn["id"]
    assert {"picture": picture, "label": "one stroke"} in running.post("breed", "choices")["pictures"]
    opened = running.post("breed", "open", picture=picture)
    assert [tile["number"] for tile in opened["tiles"]] == [1]
    bred = running.post("breed", "children", picks=[1], n=4, side=64)
    assert [tile["parent"] for tile in bred["tiles"]] == [False] * 4 + [True]
    again = running.post("breed", "children", id=opened["id"], picks=[1], n=4, side=64, seed=5)
    same = running.post("breed", "children", id=opened["id"], picks=[1], n=4, side=64, seed=5)
    assert [tile["image"] for tile in again["tiles"]] == [tile["image"] for tile in same["tiles"]]
    sketches = running.post("breed", "start", kind="sketch", n=4, side=64)
    assert len(running.post("breed", "children", id=sketches["id"], picks=[1, 2], n=3)["tiles"]) == 5


def test_what_pages_may_not_ask(tmp_path):
    studio = Studio(tmp_path / "s")
    start = studio.command("breed", "start", {"n": 2, "seed": 1, "side": 32})
    for name, given in [
        ("children", {"picks": []}), ("children", {"picks": [99]}), ("children", {"picks": ["1"]}),
        ("children", {"picks": [1, 1]}), ("children", {"picks": "1"}), ("children", {"picks": [1], "scale": 1e9}),
        ("children", {"picks": [1], "scale": "x"}), ("children", {"picks": [1], "vary": "../"}),
        ("children", {"picks": [1], "n": 10**6}), ("children", {"picks": [1], "id": 99}), ("start", {"kind": "x"}),
        ("start", {"n": True}), ("generation", {"side": 10**6}), ("look", {"number": 0}), ("open", {"link": "x"}),
        ("open", {"link": 5}), ("open", {"picture": "../../etc/passwd"}), ("save", {"number": 1, "format": "x"}),
        ("save", {"number": 1, "format": "model"}), ("favour", {"number": 5}),
    ]:  # fmt: skip
        with pytest.raises((UsageError, EvoartError)):
            studio.command("breed", name, given)
    point = {"by": "you", "at": [[0.5, 0.5]]}
    for given in [
        {}, {"strokes": 1}, {"strokes": [1]}, {"strokes": [{"by": "them", "at": [[0, 0]]}]},
        {"strokes": [{"by": "you", "at": []}]}, {"strokes": [{"by": "you", "at": [["a", 0]]}]},
        {"strokes": [{"by": "you", "at": [[float("nan"), 0]]}]}, {"strokes": [{"by": "you", "at": [[1e9, 0]]}]},
        {"strokes": [point] * 601}, {"strokes": [point], "model": "/etc/passwd"}, {"strokes": [point], "count": 99},
        {"strokes": [point], "model": "../x.npz"}, {"strokes": [point], "temperature": "hot"},
        {"strokes": [point], "class": "cat"}, {"strokes": [{"by": "you", "at": [[0, 0], [0]]}]},
    ]:  # fmt: skip
        with pytest.raises((UsageError, EvoartError)):
            studio.command("draw", "propose", given)
    with pytest.raises(UsageError, match="nothing to save"):
        studio.command("draw", "save", {"strokes": []})
    assert start["id"] == 1
    studio.close()


def test_what_evoart_made_is_opened_in_its_room(tmp_path):
    from evoart.studio.opening import open_first

    studio = Studio(tmp_path / "s")
    evoart.make("cppn", n=1, pick=1, seed=1, candidates=1).save(tmp_path / "n.png", size=40)
    evoart.make("sketch", count=1, seed=1).save(tmp_path / "k.svg")
    for name, room in (("n.png", "breed"), ("k.svg", "draw")):
        open_first(studio, str(tmp_path / name))
        assert studio.history.current(room) is not None
    evoart.make("cppn", n=2, seed=1, candidates=1).save(tmp_path / "sheet.png", size=60)
    with pytest.raises(UsageError, match="sheet of many"):
        open_first(studio, str(tmp_path / "sheet.png"))
    studio.close()


def test_a_link_is_not_trusted(tmp_path):
    import base64
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * (64 << 20), 9)).decode()
    for text in ("", "AAAA", bomb, base64.urlsafe_b64encode(zlib.compress(b"[1]")).decode(), "é" * 50):
        with pytest.raises(EvoartError, match="link holds no picture"):
            breeding.open_link(text)
    wrong = json.dumps({"result": {"form": "cppn", "genome": "x"}, "job": {}}).encode()
    with pytest.raises(EvoartError, match="damaged"):
        breeding.open_link(base64.urlsafe_b64encode(zlib.compress(wrong)).decode())


def test_a_killed_server_loses_no_generation(tmp_path):
    studio = Running(tmp_path / "s")
    studio.enter()
    first = studio.post("breed", "start", n=3, side=64, seed=2)
    second = studio.post("breed", "children", picks=[2], n=3, side=64, seed=3)
    studio.kill()
    again = Running(tmp_path / "s")
    again.enter()
    found = again.post("breed", "generation", side=64)
    assert found["id"] == second["id"]
    assert [tile["image"] for tile in found["tiles"]] == [tile["image"] for tile in second["tiles"]]
    assert len(again.post("breed", "children", id=first["id"], picks=[1], n=2, side=64)["tiles"]) == 3
    again.end()


# -- draw -------------------------------------------------------------------------------------------------------------


def stroke(page, points):
    """Draw on the paper with the mouse."""
    box = page.locator(".paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()


def empty_page(page, running):
    running.post("studio", "go", room="draw", to=None)
    page.wait_for_selector("#room-draw[data-warm]", timeout=90_000)
    page.wait_for_selector("#room-draw[data-strokes='0']")


def strokes(page, count: int):
    page.wait_for_selector(f"#room-draw[data-strokes='{count}']", timeout=30_000)


def test_a_drawing_is_finished_together(open_page, running):
    page = open_page("#draw")
    empty_page(page, running)
    stroke(page, [(0.2, 0.35), (0.5, 0.33), (0.8, 0.35)])
    strokes(page, 1)
    page.wait_for_selector("#room-draw[data-ghosts]")
    assert 1 <= page.locator(".ghost").count() <= 5
    page.locator("#room-draw .slider:has-text('Proposals') input").fill("9")
    page.locator("#room-draw .slider:has-text('Temperature') input").fill("0.8")
    page.wait_for_selector(".ghost >> nth=6")
    assert page.locator(".ghost").count() <= 9

    ghost = page.locator(".ghost .reach").first
    ghost.dispatch_event("click")  # as a browser does where a finger was lifted: it takes nothing
    ghost.dispatch_event("pointerdown")
    ghost.dispatch_event("click")
    strokes(page, 2)
    assert page.locator(".drawn .model").count() == 1
    page.wait_for_selector(".idea")
    page.locator(".idea").first.click()
    strokes(page, 3)
    page.click("#room-draw >> text=Let it draw one")
    strokes(page, 4)
    waited(page, lambda: len(view(running, "draw")["step"]["state"]["strokes"]) == 4)
    page.keyboard.press("Control+z")
    strokes(page, 3)
    page.keyboard.press("Control+z")
    strokes(page, 2)
    page.keyboard.press("Control+Shift+z")
    strokes(page, 3)

    page.click("#room-draw >> text=Save")
    with page.expect_download() as download:
        page.click("dialog button.main")
    root = ElementTree.fromstring(download.value.path().read_bytes())
    groups = [g for g in root.iter() if g.tag.endswith("}g") and g.get("id")]
    assert [g.get("id") for g in groups] == ["turn-1-you", "turn-2-model"]
    assert [len(g) for g in groups] == [1, 2]
    first = [float(n) for n in re.findall(r"[\d.]+", groups[0][0].get("d", ""))]
    assert abs(first[0] - 200) < 12
    page.click("#room-draw >> text=Save")
    page.locator("dialog select").select_option("animated-svg")
    with page.expect_download() as download:
        page.click("dialog button.main")
    assert b"@keyframes" in download.value.path().read_bytes()
    page.wait_for_selector("dialog", state="detached")

    page.click("#room-draw >> text=Replay")
    page.wait_for_selector("#room-draw[data-replay]")
    page.wait_for_selector("#room-draw:not([data-replay])", timeout=20_000)
    assert page.locator(".drawn path").count() == 3
    page.reload()
    strokes(page, 3)
    page.click("#room-draw >> text=New page")
    strokes(page, 0)


def test_taking_turns(open_page, running):
    page = open_page("#draw")
    empty_page(page, running)
    page.click("#room-draw >> text=Take turns")
    stroke(page, [(0.3, 0.3), (0.7, 0.3)])
    strokes(page, 2)
    assert [page.locator(f".drawn .{by}").count() for by in ("you", "model")] == [1, 1]
    assert page.locator(".ghost").count() == 0
    stroke(page, [(0.5, 0.2), (0.5, 0.8)])
    strokes(page, 4)
    state = view(running, "draw")["step"]["state"]["strokes"]
    waited(page, lambda: len(view(running, "draw")["step"]["state"]["strokes"]) == 4)
    assert [each["by"] for each in state][:2] == ["you", "model"]


def test_drawing_by_keys_alone(open_page, running):
    page = open_page("#draw")
    empty_page(page, running)
    page.locator(".paper").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    strokes(page, 1)
    page.wait_for_selector(".idea")
    page.locator(".idea").first.focus()
    page.keyboard.press("Space")
    strokes(page, 2)
    page.locator(".paper").focus()
    page.keyboard.press("Enter")
    strokes(page, 3)


def test_drawing_with_a_finger(touch, running):
    running.post("studio", "go", room="draw", to=None)
    touch.goto(f"http://127.0.0.1:{running.port}/#draw")
    touch.wait_for_selector("html[data-ready]")
    touch.wait_for_selector("#room-draw[data-warm]", timeout=90_000)
    box = touch.locator(".paper").bounding_box()
    session = touch.context.new_cdp_session(touch)
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * 0.4) for x in (0.2, 0.4, 0.6, 0.8)]
    for kind, (x, y) in zip(("touchStart", "touchMove", "touchMove", "touchMove"), places, strict=True):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "force": 0.8}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    strokes(touch, 1)
    touch.wait_for_selector(".idea")
    touch.wait_for_timeout(500)  # sooner, a browser may take both touches for one gesture
    for _ in range(5):  # and on a busy machine it may all the same: whoever taps in vain taps again
        touch.locator(".idea").first.tap()
        touch.wait_for_timeout(2000)
        if touch.locator("#room-draw[data-strokes='2']").count():
            break
    strokes(touch, 2)


def test_a_pen_presses(open_page, running):
    page = open_page("#draw")
    empty_page(page, running)
    page.evaluate(
        """() => { const paper = document.querySelector(".paper"), box = paper.getBoundingClientRect();
        paper.setPointerCapture = () => {};
        const tell = (kind, x, pressure) => paper.dispatchEvent(new PointerEvent(kind, {
          pointerId: 1, pointerType: "pen", isPrimary: true, bubbles: true, pressure,
          clientX: box.left + x * box.width, clientY: box.top + box.height / 2}));
        for (const [kind, x, pressure] of [["down", 0.2, 0.9], ["move", 0.5, 1.0], ["move", 0.8, 1.0], ["up", 0.8, 0]])
          tell(`pointer${kind}`, x, pressure);
        }"""
    )
    strokes(page, 1)
    assert float(page.locator(".drawn .you").first.get_attribute("stroke-width")) > 15
    waited(page, lambda: (view(running, "draw")["step"] or {"state": {}})["state"].get("strokes"))
    assert len(view(running, "draw")["step"]["state"]["strokes"][0]["at"][0]) == 3


def test_faces_have_children(tmp_path):
    studio = Studio(tmp_path / "s")
    faces = studio.command("breed", "start", {"kind": "faces", "n": 2, "side": 32, "seed": 1})
    more = studio.command("breed", "children", {"id": faces["id"], "picks": [2], "n": 2, "side": 32, "seed": 2})
    assert [tile["parent"] for tile in more["tiles"]] == [False, False, True]
    assert more["tiles"][2]["image"] == faces["tiles"][1]["image"] != more["tiles"][0]["image"]
    studio.close()


def test_a_model_of_classes_and_a_walk(tmp_path):
    """Models in the studio's folder: told what to draw, which may change, and ways between two drawings."""
    from sketches import small

    from evoart.sketch.weights import to_npz

    studio = Studio(tmp_path / "s")
    for name, model in (("pets", small(classes=("cat", "dog"))), ("ways", small(latent=4))):
        (studio.folder / f"{name}.npz").write_bytes(to_npz(model))
    found = {each["name"]: each for each in studio.command("draw", "models", {})["models"]}
    assert found["pets.npz"]["classes"] == ["cat", "dog"]
    assert found["ways.npz"]["latent"]
    drawing = [{"by": "you", "at": [[0.2, 0.2], [0.8, 0.3]]}]
    given = {"strokes": drawing, "model": "pets.npz", "seed": 3}
    cat, dog = (studio.command("draw", "propose", given | {"class": name}) for name in ("cat", "dog"))
    assert cat != dog
    assert found["things"]["words"][0] == "apple"
    given = {"strokes": [], "model": "things", "seed": 3, "whole": True, "temperature": 0.1, "count": 1}
    star, heart = (studio.command("draw", "propose", given | {"class": name}) for name in ("star", "heart"))
    assert star["proposals"][0]["finished"]
    assert star != heart
    way = studio.command("draw", "walk", {"model": "ways.npz", "strokes": drawing, "other": drawing * 2, "steps": 5})
    assert len(way["drawings"]) == 5
    with pytest.raises(UsageError, match="decoder only"):
        studio.command("draw", "walk", {"strokes": drawing, "other": drawing})
    studio.close()


# -- grow ------------------------------------------------------------------------------------------------------------


def has_grown(running):
    """A picture that grew elsewhere, in the room."""
    status, kept = running.upload((Path(__file__).parent / "recipes" / "grow.json").read_bytes(), "mushroom")
    assert status == 200
    running.post("grow", "open", **kept)


def opaque(page) -> float:
    """How much of the canvas is seen, as the browser shows it."""
    box = page.locator(".dish").bounding_box()
    with Image.open(io.BytesIO(page.screenshot(clip=box))) as shot:
        seen = np.asarray(shot.convert("RGB"), np.float32)
    return float((np.abs(seen - seen[5, seen.shape[1] // 2]).max(-1) > 40).mean())


def test_what_has_grown_is_wounded_by_a_touch_and_heals(touch, running):
    running.post("studio", "go", room="grow", to=None)
    page = touch
    page.goto(f"http://127.0.0.1:{running.port}/#grow")
    page.wait_for_selector(".seeds canvas")
    assert page.locator(".seeds button").count() == 10
    assert page.get_by_role("button", name="Grow a mushroom").is_visible()
    has_grown(running)
    page.wait_for_selector(".dish canvas")
    speed = page.locator(".grow .slider input")
    speed.fill("8")
    waited(page, lambda: opaque(page) > 0.25)
    page.get_by_role("button", name="Pause").click()
    whole = opaque(page)
    page.locator(".dish canvas").tap()
    assert opaque(page) < whole - 0.015
    page.get_by_role("button", name="Go on").click()
    waited(page, lambda: opaque(page) > whole - 0.01)
    page.get_by_role("button", name="Restart").click()
    assert page.locator(".count").inner_text() != ""
    page.get_by_role("button", name="Another picture").click()
    page.wait_for_selector(".seeds canvas")


def test_a_picture_is_learned_in_the_studio(tmp_path, monkeypatch):
    """As commands: learned, shown, saved; and what they refuse."""
    from evoart.run.automaton import job as automaton

    monkeypatch.setitem(automaton.UPDATES, "draft", 2)
    studio = Studio(tmp_path / "s")
    for given, said in (
        ({"words": " "}, "nothing to grow"),
        ({"words": "qwrtzp"}, "knows no"),
        ({"photograph": "x"}, "not here"),
    ):
        with pytest.raises(UsageError, match=said):
            studio.command("grow", "train", given)
    with pytest.raises(UsageError, match="no amount"):
        studio.command("grow", "train", {"words": "a cat", "quality": "much"})
    with pytest.raises(UsageError, match="nothing has grown"):
        studio.command("grow", "rule", {})
    assert len(studio.command("grow", "ideas", {})["ideas"]) == 10
    studio.command("grow", "train", {"words": "a cat", "quality": "draft"})
    plan = studio.runner.status()
    assert (plan["room"], plan["label"]) == ("grow", "a cat")
    picture = studio.keep_picture(evoart.load(Path(__file__).parent / "recipes" / "grow.json"))
    studio.add_step("grow", "mushroom", [picture])
    told = studio.command("grow", "rule", {})
    assert (told["rows"], told["columns"], told["hidden"]) == (12, 12, 12)
    for name in ("page", "gif", "safetensors"):
        made = studio.command("studio", "export", {"picture": picture, "format": name})
        assert (studio.folder / made["url"].lstrip("/")).stat().st_size > 1000
    studio.close()


# -- all of it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("room", ["breed-empty", "breed", "draw", "grow"])
def test_the_rooms_are_accessible_and_fit(open_page, running, page, room, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    name = room.partition("-")[0]
    running.post("studio", "go", room=name, to=None)
    if room == "breed":
        running.post("breed", "start", n=12, side=64)
    open_page(f"#{name}", size)
    if room == "grow":
        page.wait_for_selector(".seeds canvas")
        page.wait_for_timeout(300)
        check(page, axe, size)
        has_grown(running)
        page.wait_for_selector(".dish canvas")
    elif room == "breed":
        changed(page, None)
        page.locator(".pick").first.click()
    elif room == "breed-empty":
        page.wait_for_selector(".taste.drawn", timeout=90_000)
    else:
        page.wait_for_selector("#room-draw[data-warm]", timeout=90_000)
        stroke(page, [(0.3, 0.3), (0.7, 0.3)])
        page.wait_for_selector(".idea")
    page.wait_for_timeout(300)
    check(page, axe, size)


def check(page, axe, size):
    """It is as wide as the screen, and axe-core finds no fault."""
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.evaluate(axe.Axe().axe_script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
