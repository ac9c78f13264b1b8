"""A headless Chromium for tests of pages; whatever it says on its console, or asks of the outside, fails the test."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def pages_of():
    """A browser, or a skip that says what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not program:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        flags = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        browser = driver.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(pages_of):
    """A fresh page of it."""
    context = pages_of.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(_OURS) else said.append(f"asked for {r.url}"))
    yield page
    heard = list(said)  # what closing breaks off is no fault of the page
    context.close()
    assert heard == [], heard


_OURS = ("file:", "data:", "http://127.0.0.1:", "about:", "blob:")
