"""The studio's page in a real browser, as its users go: with a mouse, by keys, on a phone, in the dark."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from studios import Running

import evoart

pytestmark = pytest.mark.slow
PHONE = {"width": 390, "height": 780}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A studio, and a photograph of five seconds' work next to its folder."""
    folder = tmp_path_factory.mktemp("studio")
    y, x = np.mgrid[:72, :96]
    pixels = np.stack([x * 2.6, y * 3.4, 255 - x * 2], -1)
    pixels[(x - 60) ** 2 + (y - 30) ** 2 < 200] = (250, 220, 60)
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "sun.png")
    studio = Running(folder / "s")
    studio.photograph = folder / "sun.png"
    studio.enter()
    yield studio
    studio.end()


@pytest.fixture
def open_page(page, running):
    """Goes to the studio as a browser that is known to it."""

    def opening(path: str = ""):
        name, _, value = running.cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{running.port}"}])
        page.goto(f"http://127.0.0.1:{running.port}/{path}")
        page.wait_for_selector("html[data-ready]")
        return page

    return opening


@pytest.fixture
def forgiving(pages_of):
    """A page where requests may fail: whatever else it says on its console still fails the test."""
    context = pages_of.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    heard = [text for text in said if "Failed to load resource" not in text]
    context.close()
    assert heard == []


def idle(page):
    page.wait_for_selector("html[data-run=idle]", timeout=120_000)


def wait_for_step(page, running, room, label):
    """Until the room stands at a step of that label, and nothing is being made any more."""
    for _ in range(600):
        view = next(each["view"] for each in running.state()["rooms"] if each["name"] == room)
        if view["step"] and label in view["step"]["label"]:
            idle(page)
            page.wait_for_timeout(150)
            return view["step"]
        page.wait_for_timeout(100)
    raise AssertionError(view)


def shapes(page):
    return page.evaluate(
        "async () => { const dom = await import('/web/dom.js');"
        " return dom.shapesOf(document.querySelector('#room-picture .drawing')).map((each) => each.outerHTML); }"
    )


def draw(page, running, shapes=12):
    """Draw the photograph with few shapes, by the page."""
    page.set_input_files("#room-picture input[type=file]", running.photograph)
    page.wait_for_selector("#room-picture .panel:visible")
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("1")
    page.locator("#room-picture .choice:has-text('Work') select").select_option("draft")
    page.click("#room-picture button.main:has-text('Draw'):visible")
    step = wait_for_step(page, running, "picture", "10 shapes")
    page.wait_for_selector("#room-picture .figure:visible >> text=10 triangles")
    return step


def test_the_whole_way_of_a_picture(open_page, running):
    page = open_page("#picture")
    page.wait_for_selector(".invite h2:visible")
    draw(page, running)
    before = shapes(page)
    assert len(before) == 10

    # The shape that is clicked is the one that is removed.
    page.keyboard.press("s")
    box = page.locator(".sheet").bounding_box()
    page.mouse.click(*on_a_shape(page))
    number = int(page.locator(".selected h2").inner_text().split()[1])
    page.click(".selected >> text=Remove")
    step = wait_for_step(page, running, "picture", f"remove {number}")
    page.wait_for_selector(".figure:visible >> text=9 triangles")
    assert shapes(page) == before[: number - 1] + before[number:]

    page.keyboard.press("ArrowRight")
    page.wait_for_selector("text=Shape 1 of 9")
    page.locator(".selected input[type=color]").fill("#00ff00")
    wait_for_step(page, running, "picture", "colour 1 #00ff00")
    page.wait_for_selector(".drawing [fill='#0f0']")
    page.keyboard.press("ArrowRight")
    page.click(".selected button:has-text('Lock')")
    wait_for_step(page, running, "picture", "locked 1")
    page.keyboard.press("ArrowRight")
    page.click(".selected button:has-text('To the front')")
    wait_for_step(page, running, "picture", "front 1")
    idle(page)

    page.click("text=More shapes")
    step = wait_for_step(page, running, "picture", "more shapes")
    assert step["state"]["labels"] == ["11 triangles"]
    # The locked shape is where it was, whatever its number is now.
    assert step["state"]["locked"]
    result = evoart.load(running.folder / "pictures" / step["pictures"][0])
    rows = result.genome.reshape(11, -1)
    np.testing.assert_allclose(rows[step["state"]["locked"][0] - 1, -4:-1], [0, 1, 0], atol=1e-3)

    page.keyboard.press("b")
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 90, steps=6)
    page.mouse.up()
    step = wait_for_step(page, running, "picture", "brush")
    assert len(step["state"]["strokes"][0]["points"]) > 3
    page.click("text=Improve all")
    step = wait_for_step(page, running, "picture", "improved")
    assert step["state"]["jobs"][0]["weights"].startswith("photographs/weights-")

    page.keyboard.press("r")
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 190, steps=6)
    page.mouse.up()
    page.click("text=Work on this again")
    step = wait_for_step(page, running, "picture", "an area again")
    assert len(step["state"]["jobs"][0]["area"]) == 4
    idle(page)
    page.keyboard.press("v")
    page.keyboard.press("m")
    page.wait_for_selector(".errors:visible")
    assert page.locator(".errors").evaluate("each => each.decode().then(() => each.naturalWidth)") > 0
    page.keyboard.press("m")

    # Undo and redo, all the way.
    for label in ("improved", "brush", "more shapes", "front 1"):
        page.keyboard.press("Control+z")
        wait_for_step(page, running, "picture", label)
    page.click("#redo")
    wait_for_step(page, running, "picture", "more shapes")
    page.reload()
    page.wait_for_selector("#room-picture .drawing svg")
    assert len(shapes(page)) == 11

    page.click("#room-picture button:has-text('Command')")
    command = page.locator("dialog pre").inner_text()
    assert "evoart fit photographs/sun-" in command
    assert "--lock" in command
    page.keyboard.press("Escape")
    page.click("#room-picture button:has-text('Save')")
    for format, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("gif", b"GIF8")):
        page.locator("dialog .choice select").select_option(format)
        with page.expect_download() as download:
            page.click("dialog button.main")
        with open(download.value.path(), "rb") as file:
            assert file.read(4) == start
        if format != "gif":
            page.click("#room-picture button:has-text('Save')")


def test_a_result_is_opened_again(open_page, running, tmp_path):
    result = evoart.fit(running.photograph, shapes=4, seed=1, options={"stages": 1, "cycles": 0, "finish": 5})
    result.save(tmp_path / "four.svg")
    # Drawings come late: the figure waits for its own.
    late = "() => { const own = fetch; window.fetch = async (at, ...rest) => {"
    late += " if (/\\.svg/.test(at)) await new Promise((go) => setTimeout(go, 500)); return own(at, ...rest); }; }"
    page = open_page("#picture")
    page.evaluate(late)
    page.set_input_files("#room-picture input[type=file]", tmp_path / "four.svg")
    page.wait_for_selector("#room-picture .figure:visible >> text=4 triangles")
    assert len(shapes(page)) == 4


def test_what_is_no_photograph_is_told_in_the_page(forgiving, running, tmp_path):
    page, (name, _, value) = forgiving, running.cookie.partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{running.port}"}])
    page.goto(f"http://127.0.0.1:{running.port}/#picture")
    page.wait_for_selector("html[data-ready]")
    (tmp_path / "text.txt").write_text("no picture")
    page.set_input_files("#room-picture input[type=file]", tmp_path / "text.txt")
    message = page.locator(".message.wrong")
    message.wait_for()
    assert "not a picture" in message.inner_text()


def test_words(open_page, running):
    page = open_page("#words")
    page.fill("textarea", "a red apple")
    page.locator("#room-words .slider input").fill("2")
    page.locator("#room-words summary").click()
    page.locator("#room-words .choice:has-text('Work') select").select_option("draft")
    page.keyboard.press("Escape")
    page.click("#room-words button.main:has-text('Draw')")
    page.wait_for_selector("#room-words .tile .drawing svg", timeout=60_000)
    step = wait_for_step(page, running, "words", "a red apple")
    assert len(step["pictures"]) == 2
    idle(page)
    page.wait_for_selector("#room-words .tile button img >> nth=1")
    page.keyboard.press("Alt+2")
    chosen = wait_for_step(page, running, "words", "chose 2 of 2")
    assert chosen["pictures"] == step["pictures"][1:]
    page.wait_for_selector("#room-words .tile img")
    page.click("#room-words button:has-text('Command')")
    command = page.locator("dialog pre").inner_text()
    assert f"--seed {step['state']['jobs'][1]['seed']}" in command
    assert "evoart clip 'a red apple'" in command
    page.keyboard.press("Escape")
    page.click("#undo")
    wait_for_step(page, running, "words", "a red apple")


def test_the_wall(open_page, running):
    page = open_page("#wall")
    page.wait_for_selector(".hung li")
    assert page.locator(".hung b").first.inner_text() == "a red apple"
    page.click("text=Select all")
    with page.expect_download() as download:
        page.click("text=Contact sheet")
    with Image.open(download.value.path()) as image:
        assert image.width > 150
    with page.expect_download() as download:
        page.click("text=Gallery pages")
    import zipfile

    with zipfile.ZipFile(download.value.path()) as archive:
        assert {"index.html", "sheet.png", "pages/style.css"} <= set(archive.namelist())
    page.locator(".hung .open").last.click()
    page.click("dialog summary")
    assert page.locator("dialog .recipe").inner_text().count("\n") > 4
    page.click("dialog >> text=Open in its room")
    page.wait_for_selector("#room-picture .drawing svg")
    assert page.url.endswith("#picture")


def test_two_tabs_show_the_same(open_page, running, pages_of):
    first = open_page("#picture")
    second = first.context.new_page()
    second.goto(f"http://127.0.0.1:{running.port}/#picture")
    second.wait_for_selector("#room-picture .drawing svg")
    step = next(each["view"]["step"] for each in running.state()["rooms"] if each["name"] == "picture")
    first.click("#undo")
    for _ in range(100):
        now = next(each["view"]["step"] for each in running.state()["rooms"] if each["name"] == "picture")
        if (now and now["id"]) != step["id"]:
            break
        first.wait_for_timeout(50)
    second.wait_for_selector("#redo:enabled")
    second.click("#redo")
    first.wait_for_selector("#room-picture .drawing svg")


def test_by_keys_alone(open_page, running):
    """Everything of the way, without a pointer."""
    page = open_page("#wall")
    page.wait_for_selector(".hung li")
    page.focus("#tab-wall")
    page.keyboard.press("ArrowRight")
    assert page.locator("#tab-picture").get_attribute("aria-selected") == "true"
    page.keyboard.press("2")
    page.wait_for_selector("#room-words textarea")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    page.wait_for_selector("#room-picture .drawing svg")
    page.keyboard.press("s")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".selected h2")
    count = len(shapes(page))
    page.keyboard.press("Delete")
    wait_for_step(page, running, "picture", f"remove {count}")
    idle(page)
    page.keyboard.press("r")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".marks .area")
    page.keyboard.press("?")
    page.wait_for_selector("dialog .keys")
    page.keyboard.press("Escape")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent || document.activeElement.ariaLabel"))
    assert {"Improve all", "Save", "Command"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("room", ["picture", "words", "wall"])
def test_every_room_is_accessible_and_fits(open_page, running, room, size, scheme, page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page = open_page(f"#{room}")
    page.wait_for_selector(f"#room-{room} img:visible, #room-{room} h2:visible, #room-{room} svg:visible")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.evaluate(axe.Axe().axe_script)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    told = [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]]
    assert told == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(22, 22, 21)") == (scheme == "dark")


def test_a_server_that_was_killed_is_found_again(forgiving, tmp_path):
    page = forgiving
    running = Running(tmp_path / "s")
    page.goto(running.address)
    page.click("text=Try the cat")
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("13")
    page.locator("#room-picture .choice:has-text('Work') select").select_option("best")
    page.click("#room-picture button.main:has-text('Draw'):visible")
    page.wait_for_selector("#room-picture .drawing svg")
    page.wait_for_timeout(4000)
    running.kill()
    page.wait_for_selector("#away:visible")
    again = Running(tmp_path / "s")
    page.wait_for_selector("#away", state="hidden", timeout=20_000)
    page.wait_for_selector("html[data-run=running]", timeout=30_000)
    page.keyboard.press("Space")
    page.wait_for_selector("html[data-run=paused]", timeout=30_000)
    page.click("text=Stop here")
    page.wait_for_selector("#room-picture .figure:visible >> text=triangles")
    again.end()


def on_a_shape(page) -> tuple[float, float]:
    """A place where a triangle of the picture is: seeds differ, and nothing need be in the middle."""
    return tuple(
        page.evaluate(
            """() => { const box = document.querySelector(".sheet").getBoundingClientRect();
            for (let k = 1; k < 400; k += 1) {
              const x = box.left + box.width * (k * 0.618 % 1), y = box.top + box.height * k / 400;
              if (document.elementsFromPoint(x, y).some((each) => each.matches(".sheet svg polygon"))) return [x, y];
            } }"""
        )
    )


def test_by_touch_on_a_phone(pages_of, running):
    context = pages_of.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    name, _, value = running.cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{running.port}"}])
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{running.port}/#picture")
    page.wait_for_selector("html[data-ready]")
    page.set_input_files("#room-picture input[type=file]", running.photograph)
    page.wait_for_selector("#room-picture .panel:visible")
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("0")
    page.locator("#room-picture .choice:has-text('Work') select").select_option("draft")
    page.locator("#room-picture button.main:has-text('Draw'):visible").tap()
    wait_for_step(page, running, "picture", "5 shapes")
    page.locator(".segments [data-value=select]").tap()
    box = page.locator(".sheet").bounding_box()
    page.touchscreen.tap(*on_a_shape(page))
    page.wait_for_selector(".selected h2")
    page.locator(".selected >> text=Remove").tap()
    wait_for_step(page, running, "picture", "remove")
    page.locator(".segments [data-value=leave]").tap()
    page.touchscreen.tap(box["x"] + 40, box["y"] + 40)
    step = wait_for_step(page, running, "picture", "brush")
    assert [stroke["value"] for stroke in step["state"]["strokes"]] == [0]
    page.locator("#tab-wall").tap()
    page.wait_for_selector(".hung li")
    context.close()
