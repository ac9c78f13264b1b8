"""The pages of a gallery in a real browser, opened from the disk and from a server."""

from __future__ import annotations

import dataclasses
import http.server
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evoart.gallery import pages
from evoart.gallery.journal import Line

pytestmark = pytest.mark.slow
NASTY = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
COUNT = 500


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> Path:
    """Five hundred pictures, made up; one is called what no page may run."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "thumbs").mkdir()
    rng = np.random.default_rng(0)
    lines = []
    for i in range(COUNT):
        colour = rng.integers(0, 256, 3).astype(np.uint8)
        Image.new("RGB", (64, 48), tuple(int(c) for c in colour)).save(folder / "thumbs" / f"p{i}.webp")
        Image.new("RGB", (64, 48), tuple(int(c) for c in colour)).save(folder / f"p{i}.png")
        lines.append(
            Line(
                f"p{i}", "k", f"g{i // 3}", "done",
                job={"command": "fit", "picture": NASTY if i == 7 else f"photo {i}.jpg", "seed": i},
                form="cppn" if i % 5 == 0 else "shapes", drawing="30 triangles",
                title=f"{NASTY if i == 7 else f'photo {i}'}, drawn with 30 triangles", size=(64, 48),
                figures={"psnr": 20 + i / 100, "loss": 0.01}, thumbnail=np.tile(colour, 64).tobytes().hex(),
                files={"png": f"p{i}.png", "thumb": f"thumbs/p{i}.webp"},
            )
        )  # fmt: skip
    film = dataclasses.replace(lines[3], files={**lines[3].files, "film": "thumbs/p4.webp"})
    pages.build(folder, [*lines[:3], film, *lines[4:]], "Five hundred")
    return folder


@pytest.fixture(params=["disk", "server"])
def where(request, gallery):
    """The gallery's address."""
    if request.param == "disk":
        yield gallery.as_uri()
        return
    server = Server(("127.0.0.1", 0), quiet(gallery))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # a browser asks for a hundred thumbnails at once


def quiet(folder: Path):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *words, **more):
            super().__init__(*words, directory=str(folder), **more)

        def log_message(self, *_):
            pass

    return Handler


def test_the_index(page, where):
    began = time.monotonic()
    page.goto(f"{where}/index.html")
    assert page.locator("#grid li").count() >= 100
    assert time.monotonic() - began < 20  # less than one on an idle machine
    assert page.title() == "Five hundred"
    assert page.locator("#count").inner_text() == f"{COUNT} of {COUNT}"
    page.wait_for_function("document.querySelector('#grid img').naturalWidth > 0")

    page.fill("#search", "seed 123")
    assert page.locator("#grid li").count() == 1
    assert page.locator("#grid b").text_content() == "photo 123"
    page.fill("#search", "script")
    assert page.locator("#grid b").text_content() == NASTY
    assert page.title() == "Five hundred"
    page.fill("#search", "")
    page.select_option("#form", "cppn")
    assert page.locator("#count").inner_text() == f"100 of {COUNT}"
    page.select_option("#form", "")
    page.select_option("#sort", "score")
    assert page.locator("#grid b").first.text_content() == "photo 499"

    page.select_option("#sort", "order")
    page.locator("#grid a").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.querySelector('b').textContent") == "photo 1"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    card = page.locator("#grid a").nth(3)
    card.hover()
    assert card.locator("img").get_attribute("src") == "thumbs/p4.webp"

    for _ in range(12):
        page.mouse.wheel(0, 4000)
        page.wait_for_timeout(60)
    assert page.locator("#grid li").count() == COUNT


def test_a_page_of_a_picture(page, where):
    page.goto(f"{where}/index.html")
    page.locator("#grid a").nth(7).click()
    assert page.locator("h1").inner_text() == NASTY
    assert page.title() != "owned"
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/p8.html")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/p7.html")
    assert page.locator("#command").inner_text().startswith("evoart fit '</script>")
    assert page.locator(".row .card").count() == 6
    page.wait_for_function("document.querySelector('figure img').naturalWidth == 64")
    assert page.locator("a[download]").get_attribute("href") == "../p7.png"


def test_an_empty_filter_says_so(page, where):
    page.goto(f"{where}/index.html")
    assert page.locator("#none").is_hidden()
    page.fill("#search", "no such word")
    assert page.locator("#grid li").count() == 0
    assert page.locator("#none").inner_text() == "No picture matches. Clear the filter to see all."
    page.fill("#search", "")
    assert page.locator("#none").is_hidden()


def test_names_without_a_break_fit_a_phone(page, tmp_path):
    name = "p" * 130
    line = Line(
        name, "k", name, "done", job={"command": "fit", "picture": f"{name}.jpg", "seed": 1, "palette": [name]},
        form=name, drawing=name, title=name, heading=name, size=(64, 48), figures={name: 1.0},
        files={"png": f"{name}.png", "thumb": f"{name}.png"},
    )  # fmt: skip
    Image.new("RGB", (64, 48)).save(tmp_path / f"{name}.png")
    failed = dataclasses.replace(line, name=f"{name}x", status="failed", reason=name)
    others = [dataclasses.replace(line, name=f"{name}{i}") for i in range(3)]
    pages.build(tmp_path, [line, *others, failed], name)
    for path in ("index.html", f"pages/{name}.html"):
        page.set_viewport_size({"width": 360, "height": 640})
        page.goto((tmp_path / path).as_uri())
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        wide = "[...document.querySelectorAll('header, header *, a, dd, dt, b, code')]"
        wide += ".map((each) => each.getBoundingClientRect().right)"
        assert max(page.evaluate(wide)) <= 361, path


def test_light_dark_and_phone(page, where):
    page.goto(f"{where}/index.html")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("getComputedStyle(document.getElementById('grid')).gridTemplateColumns.split(' ').length") == 2
