"""How the studio's rooms Breed and Draw feel: from a click to fifteen children, from a lifted pen to its ghosts.

python benchmarks/studio_rooms.py      # results/studio-rooms.md
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

RESULTS = Path(__file__).parent / "results"
ROUNDS = 12
# Resolves with the milliseconds from an act to the frame that shows what came of it.
WATCH = """([act, room, name]) => new Promise((resolve) => {
  const root = document.querySelector(room), before = root.getAttribute(name);
  const watch = new MutationObserver(() => {
    if (root.getAttribute(name) === before || !root.hasAttribute(name)) return;
    watch.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  watch.observe(root, { attributes: true });
  const began = performance.now();
  document.querySelector(act).click();
})"""
LIFT = """([from, to]) => new Promise((resolve) => {
  const root = document.querySelector("#room-draw"), paper = document.querySelector(".paper");
  const box = paper.getBoundingClientRect();
  const tell = (kind, [x, y]) => paper.dispatchEvent(new PointerEvent(kind, { pointerId: 1, pointerType: "mouse",
    isPrimary: true, bubbles: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
  paper.setPointerCapture = () => {};
  const watch = new MutationObserver(() => {
    if (!root.dataset.ghosts) return;
    watch.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  tell("pointerdown", from);
  tell("pointermove", to);
  watch.observe(root, { attributes: true });
  const began = performance.now();
  tell("pointerup", to);
})"""


def main() -> None:
    """Measure, print and write the table."""
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as place:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=program, args=flags)
        # A window whose stage holds sixteen tiles of 170 points, 255 pixels each: fifteen children and a parent.
        page = browser.new_context(viewport={"width": 1104, "height": 800}, device_scale_factor=1.5).new_page()
        words = [sys.executable, "-m", "evoart", "studio", "--no-browser", "--folder", place]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert server.stdout is not None
            page.goto(server.stdout.readline().strip())
            page.wait_for_selector("html[data-ready]")
            page.wait_for_timeout(6000)  # the worker compiles what it needs
            rows = [*_breed(page, "graph", "evolved graphs"), *_breed(page, "layers", "layers of 16x3"), *_draw(page)]
        finally:
            server.terminate()
            server.wait(60)
            browser.close()
    text = "# The rooms Breed and Draw\n\n| what | median | slowest |\n|---|---|---|\n"
    text += "".join(f"| {name} | {middle:.0f} ms | {most:.0f} ms |\n" for name, middle, most in rows)
    text += f"\n{ROUNDS} times each, the first two left out. Two CPU cores, shared by the server and the browser\n"
    text += "(headless Chromium, WebGL in software, so the server draws the tiles); tiles of 256 pixels.\n"
    (RESULTS / "studio-rooms.md").write_text(text)
    print(text)


def _figures(name: str, times: list[float]) -> tuple[str, float, float]:
    return name, statistics.median(times[2:]), max(times[2:])


def _breed(page: Any, kind: str, word: str) -> list[tuple[str, float, float]]:
    page.click("#tab-breed")
    page.wait_for_selector("#room-breed .taste:visible, #room-breed .tile:visible", timeout=60_000)
    if page.locator(".taste:visible").count():
        page.wait_for_selector(".taste.drawn", timeout=60_000)
        page.click("#room-breed .invite >> text=Other kinds")
    else:
        page.click("#room-breed >> text=Begin anew")
    name = {"graph": "Evolved graphs", "layers": "Layers"}[kind]
    before = page.get_attribute("#room-breed", "data-shown")
    page.click(f"dialog .kinds >> text={name}")
    page.wait_for_selector(f"#room-breed[data-shown]:not([data-shown='{before}'])", timeout=60_000)
    times = []
    for k in range(ROUNDS):
        page.locator(".pick").nth(k % 9).click()
        times.append(page.evaluate(WATCH, ["#room-breed .go .main", "#room-breed", "data-shown"]))
        assert page.locator(".tile:not(.parent)").count() == 15
    return [_figures(f"from a click on Evolve to fifteen children ({word})", times)]


def _draw(page: Any) -> list[tuple[str, float, float]]:
    page.click("#tab-draw")
    page.wait_for_selector("#room-draw[data-warm]", timeout=60_000)
    page.locator("#room-draw .slider:has-text('Proposals') input").fill("9")
    times = []
    for k in range(ROUNDS):
        y = 0.15 + 0.05 * k
        times.append(page.evaluate(LIFT, [[0.2, y], [0.8, y + 0.02]]))
        page.wait_for_timeout(800)  # a hand takes its time
    return [_figures("from a lifted pen to nine ghosts (kanji)", times)]


if __name__ == "__main__":
    main()
