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
ROOMS = ("picture", "words", "breed", "draw", "wall")
ROWS = (
    (("picture", "desktop-light"), ("words", "desktop-light")),
    (("breed", "desktop-light"), ("draw", "desktop-dark"), ("picture", "phone-dark")),
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
    page.click("#tab-wall")


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
