"""How the studio feels: waiting times, frames a second, bytes sent, memory.

python benchmarks/studio.py            # everything; results/studio.md
python benchmarks/studio.py --hour 40  # actions of the simulated hour (a click every half a minute would be 120)
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from evoart.run.fit.precompile import precompile

RESULTS = Path(__file__).parent / "results"
PHOTOGRAPH = Path(__file__).parents[1] / "evoart" / "data" / "chelsea.jpg"


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hour", type=int, default=40, metavar="ACTIONS", help="actions of the simulated hour")
    actions = parser.parse_args().hour
    rows: list[tuple[str, str]] = []
    precompile()  # which happens once on a machine, and is no figure of the studio's
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as place:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        began = time.monotonic()
        words = [sys.executable, "-m", "evoart", "studio", "--no-browser", "--folder", place]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert server.stdout is not None
            page.goto(server.stdout.readline().strip())
            page.wait_for_selector(".invite h2:visible")
            rows.append(("from the command to the first paint", f"{time.monotonic() - began:.1f} s"))
            time.sleep(5)  # the worker has its kernels at hand
            rows += _first_shapes(page)
            rows += _while_drawing(page)
            rows += _hour(page, server.pid, actions)
        finally:
            server.terminate()
            server.wait(60)
            browser.close()
    text = "# The studio\n\n| what | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)
    text += "\nOn two CPU cores that the browser (headless Chromium), the server and the worker share.\n"
    (RESULTS / "studio.md").write_text(text)
    print(text)


def _idle(page: Any) -> None:
    page.wait_for_selector("html[data-run=idle]", timeout=300_000)


def _first_shapes(page: Any) -> list[tuple[str, str]]:
    """From a photograph that is dropped, and drawn at once, to the first shapes in the page."""
    began = time.monotonic()
    page.set_input_files("#room-picture input[type=file]", PHOTOGRAPH)
    page.click("#room-picture button.main:has-text('Draw'):visible")
    page.wait_for_selector("#room-picture .drawing svg polygon")
    seconds = time.monotonic() - began
    _idle(page)
    return [("from a photograph dropped to the first shapes", f"{seconds:.2f} s")]


def _while_drawing(page: Any) -> list[tuple[str, str]]:
    """Frames a second and bytes a minute while a fit of 500 shapes runs."""
    page.click("#room-picture summary:visible")
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("13")
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    received = [0]
    client.on("Network.dataReceived", lambda event: received.__setitem__(0, received[0] + event["encodedDataLength"]))
    page.click("#room-picture button.main:has-text('Draw'):visible")
    page.wait_for_selector("#room-picture .drawing svg polygon:nth-child(200)", timeout=60_000)
    received[0], seconds = 0, 8
    frames = page.evaluate(
        f"""() => new Promise((resolve) => {{
            let frames = 0, longest = 0, last = performance.now();
            const first = last;
            const count = (now) => {{
              frames++; longest = Math.max(longest, now - last); last = now;
              if (now - first < {seconds * 1000}) requestAnimationFrame(count);
              else resolve([(1000 * frames) / (now - first), longest]);
            }};
            requestAnimationFrame(count);
        }})"""
    )
    sent = received[0] / seconds * 60
    page.click("text=Stop here")
    _idle(page)
    return [
        ("frames a second while 500 shapes are fitted", f"{frames[0]:.0f} (the longest took {frames[1]:.0f} ms)"),
        ("received by the page meanwhile", f"{sent / 1e6:.1f} MB a minute"),
    ]


def _hour(page: Any, server: int, actions: int) -> list[tuple[str, str]]:
    """Memory of the server and of the page before and after many actions: drafts, edits, undo, error maps."""
    page.locator("#room-picture .slider:has-text('Shapes') input").fill("5")
    page.locator("#room-picture .choice:has-text('Work') select").select_option("draft")
    marks = []
    for i in range(actions):
        if i % 4 == 0:
            page.click("#room-picture button.main:has-text('Draw'):visible")
        elif i % 4 == 1:
            page.keyboard.press("s")
            page.keyboard.press("ArrowRight")
            page.keyboard.press("Delete")
        elif i % 4 == 2:
            page.keyboard.press("m")
            page.wait_for_selector(".errors:visible")
            page.keyboard.press("m")
            continue
        else:
            page.keyboard.press("Control+z")
            page.wait_for_timeout(300)
            continue
        page.wait_for_timeout(500)  # what takes less is over by then
        _idle(page)
        page.wait_for_selector("#room-picture .figure:visible")
        if i % 8 in (4, 5):
            marks.append((_megabytes(server), page.evaluate("performance.memory.usedJSHeapSize") / 1e6))
    table = []
    for name, which in (("server", 0), ("page's heap", 1)):
        first, last = marks[0][which], marks[-1][which]
        table.append(
            (f"memory of the {name}, after a few and after {actions} actions", f"{first:.0f} and {last:.0f} MB")
        )
    return table


def _megabytes(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1e3
    return float("nan")


if __name__ == "__main__":
    main()
