"""Plots next to vpype's: the same strokes in order, the same hidden lines, a photograph hatched.

    python benchmarks/plot.py RESULT.svg PHOTO.png --vpype PATH

``PATH`` is the ``vpype`` of an environment with vpype, hatched (which needs three lists in place of arrays to run with
shapely 2) and vpype's plugin occult, which is not the package of that name on PyPI. Travel and lifts are counted by
the same code for both, from the SVGs that were written; hidden lines by shapely. CPU seconds are of whole processes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import shapely
from common import table

from evoart.cli import drawings
from evoart.cli.plot import ANGLES
from evoart.machine import files, hatch, planar, route
from evoart.machine.paper import read_paper
from evoart.machine.pens import choose_levels, read_pens
from evoart.run.fields import colour
from evoart.sketch.svgfile import read_svg

START = (0.0, 0.0)
EVOART = [sys.executable, "-m", "evoart"]


def cpu(command: list[str]) -> float:
    """CPU seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def strokes_of(path: Path, width: float) -> list[np.ndarray]:
    """Strokes of an SVG in mm, on paper ``width`` mm wide."""
    page = read_svg(path.read_bytes(), str(path))
    return [stroke * width / page.box[2] for stroke in page.strokes]


def row(what: str, by: str, strokes: list[np.ndarray], seconds: float, **more: object) -> dict:
    """What strokes come to in this order, with one pen."""
    work = route.measure([route.PenLayer(read_pens("black", colour)[0], strokes)], START, 40, 80, 0.25)
    return {
        "what": what,
        "by": by,
        "path, m": f"{work.drawn / 1000:.2f}",
        "pen-up, m": f"{work.travel / 1000:.2f}",
        "lifts": work.lifts,
        "minutes": f"{work.minutes:.1f}",
        "CPU, s": f"{seconds:.1f}",
        "hidden left, mm": "",
        **more,
    }


def order(result: str, vpype: str, folder: Path) -> list[dict]:
    """The hatching of four pens as it comes, sorted by each; the sums over the pens."""
    source = drawings.read(result)
    paper = read_paper("a4", "15mm", False)
    _, frame = paper.place(source.width, source.height)
    pens = read_pens("earth", colour)
    flat = source.planar(frame)
    levels = choose_levels(flat.colours, pens)
    raw = [hatch.hatch(flat.faces, levels[:, k], pen.width, "line", ANGLES[k]) for k, pen in enumerate(pens)]
    rows = []

    def total(by: str, layers: list[list[np.ndarray]], seconds: float) -> None:
        each = [row("order", by, layer, seconds) for layer in layers]
        summed = {name: f"{sum(float(one[name]) for one in each):.2f}" for name in ("path, m", "pen-up, m", "minutes")}
        rows.append(each[0] | summed | {"lifts": sum(one["lifts"] for one in each)})

    total("as hatched", raw, 0.0)
    inputs = []
    for k, (pen, strokes) in enumerate(zip(pens, raw, strict=True)):
        inputs.append(folder / f"raw-{k}.svg")
        inputs[-1].write_text(files.plot_svg([route.PenLayer(pen, strokes)], paper.size))
    for name, steps in {
        "vpype linemerge linesort": ["linesort"],
        "vpype linemerge linesort --two-opt": ["linesort", "--two-opt", "--passes", "250"],
    }.items():
        seconds, layers = 0.0, []
        for k, file in enumerate(inputs):
            out, near = folder / f"sorted-{k}.svg", f"{1.5 * pens[k].width}mm"
            seconds += cpu([vpype, "read", str(file), "linemerge", "-t", near, *steps, "write", str(out)])
            layers.append(strokes_of(out, paper.width))
        total(name, layers, seconds)
    seconds, layers = 0.0, []
    for k, file in enumerate(inputs):
        code = (
            "import sys; from pathlib import Path; from evoart.machine import route, files; from evoart.machine.pens "
            "import Pen; from evoart.sketch.svgfile import read_svg; page = read_svg(Path(sys.argv[1]).read_bytes(), '');"  # noqa: E501
            f"pen = Pen('', (0, 0, 0), {pens[k].width}); layer = route.plan(page.strokes, pen, (0.0, 0.0));"
            f"Path(sys.argv[2]).write_text(files.plot_svg([layer], {paper.size}))"
        )
        out = folder / f"ours-{k}.svg"
        seconds += cpu([sys.executable, "-c", code, str(file), str(out)])
        layers.append(strokes_of(out, paper.width))
    total("evoart", layers, seconds)
    return rows


def hidden(result: str, vpype: str, folder: Path) -> list[dict]:
    """The outlines of all shapes, taken as opaque."""
    source = drawings.read(result)
    shapes = [item.shape for item in planar.scene_items(source.drawing, 180.0, (15.0, 15.0)) if not item.shape.is_empty]
    solid = [shape for shape in shapes if shape.geom_type == "Polygon"]
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="210mm" viewBox="0 0 210 210">'
    for shape in solid:
        ring = shapely.get_coordinates(shape.exterior)
        svg += f'<path fill="#fff" stroke="#000" d="M{" ".join(f"{x:.4f},{y:.4f}" for x, y in ring)}Z"/>'
    file, theirs, ours = (folder / name for name in ("outlines.svg", "occult.svg", "visible.svg"))
    file.write_text(svg + "</svg>")

    def left(strokes: list[np.ndarray]) -> str:
        """mm of line that lie well within a shape above the one they are the outline of."""
        lines = [shapely.LineString(stroke) for stroke in strokes if len(stroke) > 1]
        tree, within = shapely.STRtree(lines), 0.0
        own = np.array([_own(line, solid) for line in lines])
        for i, shape in enumerate(solid):
            inner = shape.buffer(-0.05)
            for k in tree.query(inner, predicate="intersects").tolist():
                if own[k] < i:
                    within += shapely.intersection(lines[k], inner).length
        return f"{within:.1f}"

    seconds = cpu(
        [
            vpype,
            "read",
            "--no-crop",
            str(file),
            "occult",
            "crop",
            "0",
            "0",
            "210mm",
            "210mm",
            "linemerge",
            "linesort",
            "write",
            str(theirs),
        ]
    )
    found = strokes_of(theirs, 210.0)
    rows = [
        row("hidden lines", "vpype occult, crop, linemerge, linesort", found, seconds)
        | {"hidden left, mm": left(found)}
    ]
    seconds = cpu([*EVOART, "plot", str(file), "--paper", "210x210mm", "--margin", "0mm", "--overwrite",
                   "--pens", "black:0.1", "-o", str(ours)])  # fmt: skip
    found = strokes_of(ours, 210.0)
    return [*rows, row("hidden lines", "evoart plot", found, seconds) | {"hidden left, mm": left(found)}]


def _own(line: shapely.LineString, solid: list[shapely.Polygon]) -> int:
    """The shape, the last of several, whose outline a line is a piece of."""
    middle = line.interpolate(0.5, normalized=True)
    near = [i for i, shape in enumerate(solid) if shape.exterior.distance(middle) < 0.02]
    return max(near, default=len(solid))


def photo(picture: str, vpype: str, folder: Path) -> list[dict]:
    """A photograph in one pen of 0.3 mm."""
    theirs, ours = folder / "hatched.svg", folder / "photo.svg"
    seconds = cpu([vpype, "hatched", "-s", "2", "-p", "2px", picture, "scaleto", "180mm", "180mm", "linemerge",
                   "linesort", "write", "-p", "a4", "-c", str(theirs)])  # fmt: skip
    rows = [row("photograph", "vpype hatched, linemerge, linesort", strokes_of(theirs, 210.0), seconds)]
    seconds = cpu([*EVOART, "plot", picture, "--overwrite", "-o", str(ours)])
    return [*rows, row("photograph", "evoart plot", strokes_of(ours, 210.0), seconds)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("result")
    parser.add_argument("picture")
    parser.add_argument("--vpype", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        rows = order(given.result, given.vpype, place)
        rows += hidden(given.result, given.vpype, place)
        rows += photo(given.picture, given.vpype, place)
    table(rows, "plot")
