"""Draw the figures of the site with evoart: ``python docs/figures.py`` (two minutes), or only those that are named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import evoart
from evoart.draw.layout import layout
from evoart.draw.scanline import paint
from evoart.draw.shapes import shape
from evoart.run.fit.job import FitJob
from evoart.run.problem import prepare
from evoart.search.place import place

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "pages"
KINDS = (
    "triangle", "rectangle", "rotated-rectangle", "circle", "ellipse", "rotated-ellipse",
    "line", "quadratic", "cubic", "polygon", "blob", "regular:6",
)  # fmt: skip
WIDTH, GAP, BAR = 260, 14, 30  # pixels: of a panel, between panels, for the words under one
INK, PAPER = "#1f2937", "#ffffff"
FONT = ImageFont.load_default(15)


def join(panels: list[tuple[Image.Image, str]], columns: int) -> Image.Image:
    """Panels of one size in rows, each with its words below it."""
    width, height = panels[0][0].size
    rows = -(-len(panels) // columns)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, rows * (height + BAR + GAP) - GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, (panel, words) in enumerate(panels):
        x, y = i % columns * (width + GAP), i // columns * (height + BAR + GAP)
        sheet.paste(panel, (x, y))
        pen.text((x + width / 2, y + height + BAR / 2), words, INK, FONT, "mm")
    return sheet


def panel(image: np.ndarray) -> Image.Image:
    """An sRGB picture ``(h, w, 3)`` in [0, 1], as wide as a panel."""
    picture = Image.fromarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))
    picture = picture.convert("RGB")
    return picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.BICUBIC)


def rows_of(search: Any) -> tuple[tuple[str, ...], np.ndarray]:
    """Kinds and rows of the shapes that the search works on now."""
    state = search.arrays()
    return tuple(str(state["names"][i]) for i in state["now_kinds"]), state["rows"]


def draw_growth() -> Image.Image:
    """One fit at six moments, with the likeness that it had reached."""
    search: Any = prepare(FitJob.make(shapes=60, seed=1)).search()
    panels: list[tuple[Image.Image, str]] = []

    def show(words: str) -> None:
        kinds, rows = rows_of(search)
        _, decibels = search.fine.evaluate(kinds, rows)
        scene = search.fine.form.with_kinds(kinds).drawing(rows.ravel())
        size = WIDTH, search.fine.height * WIDTH // search.fine.width
        panels.append((panel(scene.paint(size)), f"{words}: {decibels:.1f} dB"))

    wanted, stage = [1, 8, 30], "growing"
    while not search.done:
        search.step()
        now = search.stage.split()[0]
        if wanted and len(rows_of(search)[1]) >= wanted[0]:
            wanted.pop(0)
            show(f"{len(rows_of(search)[1])} shapes")
        if now != stage:
            show({"growing": "all 60, polished", "regrowing": "after 16 renewals", "finishing": "finished"}[stage])
            stage = now
    return join(panels, 3)


def draw_candidates() -> Image.Image:
    """The picture after a few shapes, where it is wrong, and the candidates for the next one."""
    search: Any = prepare(FitJob.make(shapes=60, seed=1)).search()
    while len(rows_of(search)[1]) < 8:
        search.step()
    kinds, rows = rows_of(search)
    canvas, kind = search.coarse, "triangle"
    canvas.open(kinds, rows)
    size = WIDTH, canvas.height * WIDTH // canvas.width
    scene = search.fine.form.with_kinds(kinds).drawing(rows.ravel())
    error = np.sqrt(
        ((canvas.target.image - canvas.engine(kinds).canvas(rows.ravel()).transpose(1, 2, 0)) ** 2).mean(-1)
    )
    heat = np.clip(error / np.quantile(error, 0.995), 0, 1)[..., None]
    heat = (1 - heat) * np.array([1.0, 1.0, 1.0]) + heat * np.array([0.86, 0.15, 0.15])
    rng = np.random.default_rng(3)
    samples = canvas.sample(rng, kind, 120)
    gains, _ = canvas.gains(kind, samples)
    _, best, rgba, _, _ = place(rng, canvas, (kind,), search.scales, search.plan.effort)
    drawn = panel(scene.paint(size))
    scale = (
        2 * np.asarray(size) / np.array([search.fine.form.width, search.fine.form.height])
    )  # drawn twice as large, then made smooth
    outlines = Image.blend(drawn, Image.new("RGB", drawn.size, PAPER), 0.55).resize((2 * size[0], 2 * size[1]))
    pen = ImageDraw.Draw(outlines)
    for i in np.argsort(gains):
        share = max(float(gains[i] / gains.max()), 0.0)
        colour = tuple(round(200 - 200 * share + c * share) for c in (37, 99, 235))
        points = shape(kind).outline(np, samples[i : i + 1], 24)[0] * scale
        pen.line([*map(tuple, points), tuple(points[0])], colour, 1 + round(3 * share))
    chosen = search.fine.form.with_kinds((*kinds, kind))
    row = np.zeros((1, rows.shape[1]), np.float32)
    row[0, : len(best)], row[0, -4:] = best, rgba
    after = chosen.drawing(np.concatenate([rows, row]).ravel())
    return join(
        [
            (drawn, "after eight shapes"),
            (panel(heat), "where it is wrong"),
            (outlines.resize(size, Image.Resampling.LANCZOS), "candidates: bluer gains more"),
            (panel(after.paint(size)), "the best one's descendant, placed"),
        ],
        2,
    )


def draw_coverage() -> str:
    """SVG: the area of one triangle within each pixel, as the kernels have it."""
    points, columns, lines, cell = np.array([[1.3, 0.7], [10.4, 2.6], [4.6, 6.5]]), 12, 7, 46
    canvas = np.zeros((3, lines, columns), np.float32)
    plan, one = layout(("triangle",), 24), np.float32
    paint(canvas, points.astype(one), plan.start, np.zeros(1, one), np.ones((1, 4), one))
    cells = []
    for y in range(lines):
        for x in range(columns):
            share = float(canvas[0, y, x])
            dark = share > 0.6
            cells.append(
                f'<rect x="{x * cell}" y="{y * cell}" width="{cell}" height="{cell}" '
                f'fill="#2563eb" fill-opacity="{share:.3f}" stroke="#cbd5e1"/>'
            )
            if 0.004 < share < 0.996:
                place_ = f'x="{x * cell + cell / 2}" y="{y * cell + cell / 2 + 4.5}"'
                cells.append(f'<text {place_} fill="{"#fff" if dark else INK}">{share:.2f}</text>'.replace(">0.", ">."))
    edge = " ".join(f"{x * cell:g},{y * cell:g}" for x, y in points)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -1 {columns * cell + 2} {lines * cell + 2}" '
        f'width="{columns * cell + 2}" font-family="sans-serif" font-size="13" text-anchor="middle" role="img">\n'
        f"<title>A triangle on {columns} x {lines} pixels, with the share of each that it covers</title>\n"
        f'<rect width="{columns * cell}" height="{lines * cell}" fill="#fff"/>\n' + "\n".join(cells) + "\n"
        f'<polygon points="{edge}" fill="none" stroke="#dc2626" stroke-width="2"/>\n</svg>\n'
    )


def draw_kinds() -> Image.Image:
    """The same photograph in 60 shapes of each kind."""
    return join([(panel(evoart.fit(shapes=60, kind=kind, seed=1).image(2 * WIDTH)), kind) for kind in KINDS], 3)


def draw_looks() -> Image.Image:
    """The six pictures of the poster in "First steps"."""
    photograph = ROOT / "prompts" / "photos" / "coffee.jpg"
    panels = []
    for kind in ("triangle", "ellipse", "line"):
        for count in (40, 100):
            result = evoart.fit(photograph, shapes=count, kind=kind, seed=1)
            panels.append((panel(result.image(2 * WIDTH)), result.form.label))
    return join(panels[::2] + panels[1::2], 3)


FIGURES = {
    "how/growth.webp": draw_growth,
    "how/candidates.webp": draw_candidates,
    "how/coverage.svg": draw_coverage,
    "make/kinds.webp": draw_kinds,
    "looks.webp": draw_looks,
}


def main() -> None:
    """Write the figures that are named, or all."""
    for name in sys.argv[1:] or FIGURES:
        figure = FIGURES[name]()
        if isinstance(figure, str):
            (PAGES / name).write_text(figure, encoding="utf-8")
        else:
            figure.save(PAGES / name, quality=82, method=6)


if __name__ == "__main__":
    main()
