"""The site tells the truth: its commands parse, its Python runs, it builds without a warning, its plugin works."""

from __future__ import annotations

import http.server
import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from readme import README, blocks, commands, parse

ROOT = README.parent
PAGES = sorted((ROOT / "docs" / "pages").rglob("*.md"))
PLUGIN = ROOT / "docs" / "plugin"
LINES = [
    (page.relative_to(ROOT).as_posix(), line)
    for page in PAGES
    for block in blocks("sh", page)
    for line in commands(block)
]
OWN = (
    "fit photo.jpg -k kite",
    "fit photo.jpg -k leaf",
    "fit photo.jpg -o photo.txt",
    "palette photo-shapes.svg",
)  # what the plugin brings


@pytest.mark.parametrize(("page", "line"), [(page, line) for page, line in LINES if line.startswith("evoart ")])
def test_commands_parse(page, line):
    if line.removeprefix("evoart ") not in OWN:
        parse(line)


def test_lines_that_are_typed_are_known_commands():
    assert {line.split()[0] for _, line in LINES} <= {"evoart", "pip", "python", "python3", "source"}


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r'"([a-z/-]+\.md)"', (ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8")))
    there = {page.relative_to(ROOT / "docs" / "pages").as_posix() for page in PAGES}
    assert listed == there | {"reference/commands.md"}


def test_the_site_builds_without_a_warning():
    if importlib.util.find_spec("zensical") is None:
        pytest.skip('the builder of the site is not here: pip install -e ".[docs]"')
    done = subprocess.run([sys.executable, "docs/build.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    site = ROOT / "build" / "docs" / "site"
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert "--until-psnr" in text
    assert "evoart.fit" in (site / "reference" / "python.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def served():
    """The address of the built site, as a web server gives it."""
    site = ROOT / "build" / "docs" / "site"
    if not (site / "index.html").is_file():
        pytest.skip("the site is not built")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("index", "light"), ("index", "dark"), ("make/words", "light"), ("how/search", "dark"),
        ("reference/python", "light"), ("coming-from", "dark"),
    ],
)  # fmt: skip
def test_pages_are_accessible_and_ask_for_nothing_from_elsewhere(page, served, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{served}/{name}.html")
    page.evaluate(axe.Axe().axe_script)
    # The theme gives the buttons next to each piece of code a landmark of the same name.
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations'], rules: {'landmark-unique': {enabled: false}}})"
    )
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found["violations"]] == []
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """An environment in which the example plugin is installed."""
    folder = tmp_path_factory.mktemp("plugin")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, PLUGIN]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("hatchling, which builds the plugin, cannot be fetched")
    assert done.returncode == 0, done.stderr
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


def evoart(environment: dict[str, str], *words: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "evoart", *words]
    done = subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_example_plugin_draws_writes_and_is_a_command(installed, tmp_path):
    draft = ("--quality", "draft", "-n", "6", "-s", "1", "-o", "cat.svg", "-o", "cat.txt")
    evoart(installed, "fit", "-k", "kite", *draft, cwd=tmp_path)
    assert (tmp_path / "cat.svg").read_text(encoding="utf-8").count("<polygon") == 6
    rows = (tmp_path / "cat.txt").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 20
    assert {len(row) for row in rows} == {60}
    assert len(set("".join(rows))) > 3  # shades
    colours = evoart(installed, "palette", "cat.svg", "-n", "3", cwd=tmp_path).split()
    assert len(colours) == 6
    assert re.fullmatch(r"#[0-9a-f]{6}", colours[0])
    told = json.loads(evoart(installed, "info", "cat.svg", "--json", cwd=tmp_path))
    assert told["job"]["kind"] == "kite"


def test_a_shape_of_a_plugin_keeps_the_contract_of_shapes(monkeypatch):
    """What ``tests/test_shapes.py`` holds of every shape: its outline has an area, it stays differentiable, its SVG
    is the outline."""
    import numpy as np

    monkeypatch.syspath_prepend(str(PLUGIN))
    from evoart_kite.shape import KITE

    rng = np.random.default_rng(0)
    p = KITE.sample(rng, np.full((5, 2), 0.5, np.float32), np.full(5, 0.2, np.float32))
    outline = KITE.outline(np, p, 8)
    assert outline.shape == (5, KITE.points(8), 2)
    x, y = outline[..., 0], outline[..., 1]
    area = 0.5 * np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))
    assert area == pytest.approx(1.2 * p[:, 2] ** 2, rel=1e-4)  # two triangles: half of width times height
    assert p.shape[1] == len(KITE.parameters)


def test_the_shape_of_the_page_on_plugins_keeps_the_contract_too(monkeypatch):
    import jax.numpy as jnp
    import numpy as np

    from evoart.draw.shapes import SHAPES
    from evoart.forms.shapes import ShapesForm

    (code,) = blocks("python", ROOT / "docs" / "pages" / "reference" / "plugins.md")
    names: dict = {}
    exec(code, names)
    leaf = names["LEAF"]
    p = leaf.sample(np.random.default_rng(0), np.full((5, 2), 0.5, np.float32), np.full(5, 0.2, np.float32))
    outline = leaf.outline(np, p, 8)
    assert p.shape[1] == len(leaf.parameters)
    monkeypatch.setitem(SHAPES._table(), "leaf", leaf)
    assert ShapesForm(("leaf",) * 7, 1.0, 1.0, None).label == "7 leaves"
    assert outline.shape == (5, leaf.points(8), 2)
    assert np.asarray(leaf.outline(jnp, p, 8)) == pytest.approx(outline, abs=1e-6)
    x, y = outline[..., 0], outline[..., 1]
    area = 0.5 * np.abs((x * np.roll(y, -1, 1) - y * np.roll(x, -1, 1)).sum(1))
    assert area == pytest.approx(8 / 3 * p[:, 2] * p[:, 3], rel=0.02)  # two parabolas of 4 / 3


@pytest.mark.slow
def test_searches_are_compared_as_the_page_says(tmp_path):
    from PIL import Image

    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(tmp_path / "photo.jpg")
    (code,) = blocks("python", ROOT / "docs" / "pages" / "how" / "search.md")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["snes", "pgpe"]


def test_a_release_is_checked(tmp_path):
    import zipfile

    sys.path.insert(0, str(ROOT / ".ci"))
    try:
        from check_release import find_faults
    finally:
        sys.path.pop(0)
    wheel = tmp_path / "evoart-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("evoart/__init__.py", "")
    faults = find_faults(wheel, "9.9.8")
    assert any("is not version 9.9.8" in fault for fault in faults)
    assert any("icons-prior.safetensors is not in the wheel" in fault for fault in faults)
    assert any("NOTICE.md is not among the licences" in fault for fault in faults)
    assert any("no heading '## 9.9.8'" in fault for fault in faults)


NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(notebook, tmp_path):
    """In a process of its own: a notebook may change registries. Each cell's last line is shown, as Jupyter does."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    (tmp_path / "notebook.py").write_text("\n\n".join(code), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "notebook.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert not [cell for cell in cells if any(out["output_type"] == "error" for out in cell.get("outputs", []))]
