"""The shader and the page, in a real browser, against the pictures that we draw ourselves."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from evoart.cppn import activations, genes, kernel
from evoart.cppn.export.diagram import diagram
from evoart.cppn.export.glsl import number, shader
from evoart.cppn.export.page import page as page_of
from evoart.cppn.layers import Layers
from evoart.forms.cppn import bare

SIDE = 160
RATES = genes.Rates(functions=activations.NAMES)


def networks():
    """Both kinds, and every colour and kind of symmetry once."""
    rng = np.random.default_rng(2)
    yield "graph", *genes.random_genes(bare(2), rng, RATES, 14).express()
    yield "graph-hsv", *genes.random_genes(bare(2, "hsv", "xy"), rng, RATES, 14).express()
    yield "agnostic", *genes.random_genes(bare(1, shared=True), rng, RATES, 9).express()
    net = Layers((9, 7, 6), ("tanh", "sine", "gaussian"), 1, "gray", "kaleidoscope:5")
    yield "layers-gray", net, net.random(rng)
    yield "default", Layers(), Layers().random(rng)


def shown(page) -> np.ndarray:
    page.evaluate("document.querySelector('p').style.display = 'none'")
    page.wait_for_timeout(120)
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def far(image: np.ndarray, net, genome, size: tuple[int, int], box=None) -> np.ndarray:
    """Difference of every value to our picture, or to a part of it, in levels."""
    w, h = size
    ours = np.rint(kernel.rows(net, genome, size, 0, h) * 255).astype(int)
    if box:
        left, top, right, bottom = box
        ours = ours[top:bottom, left:right]
    return np.abs(image - ours)


@pytest.mark.parametrize(("name", "net", "genome"), list(networks()), ids=[name for name, _, _ in networks()])
def test_the_page_shows_the_picture(page, tmp_path, name, net, genome):
    (tmp_path / "n.html").write_text(page_of(net, genome, 1.0, f"a <b> & '{name}'", '{"evoart":"1","x":"</script>"}'))
    page.set_viewport_size({"width": SIDE, "height": SIDE})
    page.goto((tmp_path / "n.html").as_uri())
    image = shown(page)
    difference = far(image, net, genome, (SIDE, SIDE))
    assert (difference > 1).mean() < 0.001  # where a hue turns over or a fold has its edge, a pixel may fall either way
    page.evaluate(f"zoomBy(2, {SIDE} / 2, {SIDE} / 2)")
    near = (SIDE // 2, SIDE // 2, SIDE // 2 + SIDE, SIDE // 2 + SIDE)
    difference = far(shown(page), net, genome, (2 * SIDE, 2 * SIDE), near)
    assert (difference > 1).mean() < 0.002


def test_the_page_moves_and_comes_back(page, tmp_path):
    net = Layers((6, 6), ("sine",), 0)
    genome = net.random(np.random.default_rng(1))
    (tmp_path / "n.html").write_text(page_of(net, genome, 2.0))
    page.set_viewport_size({"width": SIDE, "height": SIDE // 2})
    page.goto((tmp_path / "n.html").as_uri())
    before = shown(page)
    assert (far(before, net, genome, (SIDE, SIDE // 2)) > 1).mean() < 0.001
    page.mouse.move(80, 40)
    page.mouse.wheel(0, -400)
    zoomed = shown(page)
    assert np.abs(zoomed - before).mean() > 1
    assert np.abs(zoomed[40, 80] - before[40, 80]).max() <= 3  # the point under the pointer stays
    page.mouse.down()
    page.mouse.move(50, 30)
    page.mouse.up()
    assert np.abs(shown(page) - zoomed).mean() > 1
    page.keyboard.press("0")
    np.testing.assert_array_equal(shown(page), before)


def test_literals_are_floats_and_exact():
    for value in (0, 1, -3, 1e-9, 1.5e30, 0.1, 123456792.0):
        text = number(value)
        assert np.float32(float(text)) == np.float32(value)
        assert "." in text or "e" in text


def test_a_title_cannot_leave_its_comment():
    net = Layers((2,), ("tanh",), 0)
    text = shader(net, net.random(np.random.default_rng(0)), "x\nvoid main() {}\\\n")
    assert "\nvoid main() {}" not in text.replace("\nvoid main() {\n", "")


def test_the_diagram_shows_every_node_that_matters():
    from xml.etree import ElementTree

    import resvg_py

    graph, genome = genes.random_genes(bare(1), np.random.default_rng(4), RATES, 8).express()
    text = diagram(graph, genome, "a <title>", '{"evoart":1}')
    root = ElementTree.fromstring(text)
    circles = [e for e in root.iter() if e.tag.endswith("circle") and e.get("stroke")]
    inputs = {n for n in range(graph.inputs) if n < 3 or n in graph.alive}
    assert len(circles) == len(inputs | {n for n, _ in graph.nodes if n in graph.alive})
    links = [link for link in graph.enabled if link.target in graph.alive and link.source in graph.alive]
    assert len([e for e in root.iter() if e.tag.endswith("path")]) == len(links)
    drawn = np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB"))
    assert 0.005 < (drawn < 250).any(-1).mean() < 0.5
