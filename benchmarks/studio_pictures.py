"""Pictures of the studio's rooms, desktop, phone and dark, and the sheet of them that the README shows.

python benchmarks/studio_pictures.py FOLDER    # every picture as PNG into FOLDER, the sheet as gallery/studio.webp
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
ROOMS = ("picture", "words", "breed", "draw", "grow", "wall")
ROWS = (
    (("picture", "desktop-light"), ("words", "desktop-light")),
    (("breed", "desktop-light"), ("draw", "desktop-dark"), ("grow", "phone-dark")),
)


def main(folder: Path) -> None:
    """Make all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        words = [sys.executable, "-m", "evoart", "studio", "--no-browser", "--folder", place]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert server.stdout is not None
        try:
            with sync_playwright() as driver:
                program = shutil.which("chromium") or shutil.which("google-chrome")
                browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
                context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
                page = context.new_page()
                page.goto(server.stdout.readline().strip())
                page.wait_for_selector("html[data-ready]")
                _take(page, folder, "empty")
                _work(page)
                _take(page, folder, "")
                browser.close()
        finally:
            server.terminate()
            server.wait(60)
    _join(folder)


def _work(page: Any) -> None:
    """Make something in every room that there is something to see in."""
    page.click("#tab-picture")
    page.click("text=Try the cat")
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("10")
    page.click("#room-picture button.main:has-text('Draw'):visible")
    page.wait_for_selector("html[data-run=running]")
    page.wait_for_selector("html[data-run=idle]", timeout=900_000)
    page.wait_for_timeout(500)
    page.keyboard.press("s")
    box = page.locator(".sheet").bounding_box()
    page.mouse.click(box["x"] + 0.57 * box["width"], box["y"] + 0.79 * box["height"])
    page.click("#tab-words")
    for prompt in ("a red boat under a yellow sun", "a penguin"):
        page.fill("textarea", prompt)
        page.click("#room-words button.main:has-text('Draw')")
        page.wait_for_selector("html[data-run=running]")
        page.wait_for_selector("html[data-run=idle]", timeout=900_000)
        page.wait_for_timeout(500)
    _breed(page)
    _draw(page)
    page.click("#tab-grow")
    page.set_input_files("#room-grow input[type=file]", ROOT / "gallery" / "growing.html")
    page.wait_for_selector("#room-grow .dish:visible")
    page.click("#room-grow >> text=Go on")  # with reduced motion, it waits to be asked
    page.wait_for_timeout(8_000)  # until it has grown, and the messages have gone
    page.click("#tab-wall")


def _breed(page: Any) -> None:
    """Two generations, and two pictures chosen for the third."""
    page.click("#tab-breed")
    page.wait_for_selector("#room-breed .taste.drawn", timeout=300_000)
    page.click("#room-breed .invite >> text=Begin")
    shown = ""
    for picks in ((2, 7), (4, 9), (1, 6)):
        other = f"#room-breed[data-shown]:not([data-shown='{shown}']):not(.waiting)"
        page.wait_for_selector(other, timeout=300_000)
        shown = page.get_attribute("#room-breed", "data-shown")
        for pick in picks:
            page.locator(".tile:not(.parent) .pick").nth(pick).click()
        if picks != (1, 6):
            page.click("#room-breed .go .main")


def _draw(page: Any) -> None:
    """Three strokes by hand, two by the model, and its proposals for the next."""
    page.click("#tab-draw")
    page.wait_for_selector("#room-draw[data-warm]", timeout=300_000)
    paper = page.locator(".paper").bounding_box()
    lines = (
        ((0.18, 0.3), (0.5, 0.28), (0.8, 0.29)),
        ((0.5, 0.1), (0.49, 0.5), (0.5, 0.88)),
        ((0.48, 0.34), (0.2, 0.7)),
    )
    for count, line in enumerate(lines, 1):
        for k, (x, y) in enumerate(line):
            page.mouse.move(paper["x"] + x * paper["width"], paper["y"] + y * paper["height"], steps=8)
            if k == 0:
                page.mouse.down()
        page.mouse.up()
        page.wait_for_selector(f"#room-draw[data-strokes='{count}']")
    for count in (4, 5):
        page.wait_for_selector("#room-draw[data-ghosts]", timeout=60_000)
        page.click("#room-draw >> text=Let it draw one")
        page.wait_for_selector(f"#room-draw[data-strokes='{count}']", timeout=60_000)
    page.wait_for_selector("#room-draw[data-ghosts]", timeout=60_000)


def _take(page: Any, folder: Path, suffix: str) -> None:
    """A picture of every room, on both kinds of screen, in both schemes."""
    rooms = [room for room in ROOMS if page.locator(f"#tab-{room}").count()]
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for room in rooms:
                page.click(f"#tab-{room}")
                page.wait_for_timeout(700)
                name = "-".join(filter(None, (room, size, scheme, suffix)))
                page.screenshot(path=folder / f"{name}.png", timeout=300_000)


def _join(folder: Path) -> None:
    """Some of them in two rows, as wide as a README."""
    width, gap = 1440, 12
    rows = [[Image.open(folder / f"{room}-{kind}.png").convert("RGB") for room, kind in row] for row in ROWS]
    # Of each row all are equally high, so high that together they are as wide as the sheet.
    heights = [round((width - gap * (len(row) - 1)) / sum(each.width / each.height for each in row)) for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) - 1)), (229, 229, 226))
    y = 0
    for row, height in zip(rows, heights, strict=True):
        x = 0
        for each in row:
            small = each.resize((round(each.width * height / each.height), height), Image.Resampling.LANCZOS)
            sheet.paste(small, (x, y))
            x += small.width + gap
        y += height + gap
    sheet.save(ROOT / "gallery" / "studio.webp", quality=82, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "studio-pictures"))
