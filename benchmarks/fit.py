"""Quality and cost of `evoart fit` against primitive (and any table of other tools), picture by picture.

    python benchmarks/fit.py --primitive ~/go/bin/primitive
    python benchmarks/fit.py --peers peers.csv        # published figures instead of running primitive here

Every figure is of a whole process: CPU seconds as the operating system counts them, error of the PNG it wrote at the
picture's own size. Both programs work with all cores. `reach` is the time of a run that stops at primitive's own error.
`PNG off` and `SVG off`: how far the error of our PNG, and of our SVG as resvg draws it, is from the loss that was
reported, at most over the seeds. (A renderer of 8 bits a channel rounds after every shape, which is an error of its
own: about 1e-5 at 200 shapes, whatever the picture's own error is.)
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import sys
import tempfile
from pathlib import Path

import common
import numpy as np
from PIL import Image

# our kind, primitive's mode (-m) and its name in tables of peers, numbers of shapes
CASES = (
    ("triangle", 1, "triangle", (50, 100, 200)),
    ("rotated-ellipse", 7, "rotatedellipse", (100,)),
    ("rotated-rectangle", 5, "rotatedrect", (100,)),
    ("mixed", 0, "combo", (100,)),
)
MEANS = (
    "primitive dB", "primitive CPU s", "primitive wall s", "our dB", "gain dB", "our CPU s", "our wall s",
    "reach CPU s", "reach wall s",
)  # fmt: skip


def evoart(path: Path, kind: str, shapes: int, seed: int, folder: Path, *more: str) -> dict:
    size = Image.open(path).size
    png, svg = folder / "our.png", folder / "our.svg"
    command = [sys.executable, "-m", "evoart", "fit", path, "-n", shapes, "-k", kind, "--seed", seed, "--pixels", 256]
    cpu, wall, memory, out = common.run(
        [*map(str, command), "--no-checkpoint", "--overwrite", "--json", "-o", png, "-o", svg, *more]
    )
    target = common.pixels(path)
    result = json.loads(out)
    return {
        "cpu": cpu, "wall": wall, "mb": memory, "mse": common.mse(common.pixels(png, size), target),
        "svg": common.mse(resvg(svg.read_text(), size), target), "reported": result["loss"],
        "evaluations": result["evaluations"],
    }  # fmt: skip


def resvg(svg: str, size: tuple[int, int]) -> np.ndarray:
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=size[0]))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.float64) / 255


def primitive(binary: str, path: Path, mode: int, shapes: int, folder: Path) -> dict:
    size = Image.open(path).size
    png = folder / "peer.png"
    cpu, wall, memory, _ = common.run(
        [
            binary,
            "-i",
            path,
            "-o",
            png,
            "-n",
            str(shapes),
            "-m",
            str(mode),
            "-a",
            "0",
            "-r",
            "256",
            "-s",
            str(max(size)),
        ]
    )
    return {"cpu": cpu, "wall": wall, "mb": memory, "mse": common.mse(common.pixels(png, size), common.pixels(path))}


def published(file: str, name: str, peer: str, shapes: int) -> dict:
    with open(file) as rows:
        for row in csv.DictReader(rows):
            if (row["tool"], row["mode"], row["alpha"]) == ("primitive", peer, "0") and (
                row["image"],
                row["n_shapes"],
            ) == (name, str(shapes)):
                measured = {"cpu": float(row["cpu_s"]), "mse": float(row["mse"]), "mb": float(row["rss_mb"])}
                return measured | {"wall": float(row.get("wall_s") or "nan")}
    raise SystemExit(f"{file} has no primitive {peer} {shapes} {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--primitive", help="the binary of github.com/fogleman/primitive")
    parser.add_argument("--peers", help="CSV with primitive's published figures")
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--seeds", type=int, default=3, help="of triangles; of the other kinds two at most")
    parser.add_argument("--only", choices=("triangles", "kinds"), help="a part of the table, in its own file")
    args = parser.parse_args()
    if not (args.primitive or args.peers):
        parser.error("give --primitive or --peers")
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = [case for case in CASES if args.only in (None, "triangles" if case[0] == "triangle" else "kinds")]
        for kind, *_ in cases:  # compiled code into the caches
            evoart(common.picture("monalisa", args.pictures), kind, 5, 0, folder, "--quality", "draft")
        for kind, mode, peer, counts in cases:
            for shapes in counts:
                for name in common.PICTURES:
                    rows.append(case(args, kind, mode, peer, shapes, name, folder))
                    print(rows[-1], file=sys.stderr, flush=True)
    common.table(with_means(rows), "fit" if args.only is None else f"fit-{args.only}")


def with_means(rows: list[dict]) -> list[dict]:
    """The rows, and the mean of every kind and number of shapes."""
    rows = list(rows)
    for kind, shapes in dict.fromkeys((r["kind"], r["shapes"]) for r in rows):
        same = [r for r in rows if (r["kind"], r["shapes"]) == (kind, shapes)]
        rows.append(
            {"kind": kind, "shapes": shapes, "picture": "mean"}
            | {column: round(statistics.mean(float(r[column]) for r in same), 2) for column in MEANS}
        )
    return rows


def case(args: argparse.Namespace, kind: str, mode: int, peer: str, shapes: int, name: str, folder: Path) -> dict:
    path = common.picture(name, args.pictures)
    if args.primitive:
        theirs = primitive(args.primitive, path, mode, shapes, folder)
    else:
        theirs = published(args.peers, name, peer, shapes)
    seeds = range(args.seeds if kind == "triangle" else min(2, args.seeds))
    ours = [evoart(path, kind, shapes, seed, folder) for seed in seeds]
    reach = [
        evoart(path, kind, shapes, seed, folder, "--until-psnr", f"{common.db(theirs['mse']) + 0.02:.3f}")
        for seed in seeds
    ]
    quality = [common.db(run["mse"]) for run in ours]
    apart = {name: max(abs(run[name] / run["reported"] - 1) for run in ours) for name in ("mse", "svg")}
    return {
        "kind": kind,
        "shapes": shapes,
        "picture": name,
        "primitive dB": f"{common.db(theirs['mse']):.2f}",
        "primitive CPU s": f"{theirs['cpu']:.1f}",
        "primitive wall s": f"{theirs['wall']:.1f}",
        "our dB": f"{statistics.mean(quality):.2f}",
        "seeds dB": " ".join(f"{q:.2f}" for q in quality),
        "gain dB": f"{statistics.mean(quality) - common.db(theirs['mse']):.2f}",
        "our CPU s": f"{statistics.mean(run['cpu'] for run in ours):.1f}",
        "our wall s": f"{statistics.mean(run['wall'] for run in ours):.1f}",
        "reach CPU s": f"{statistics.mean(run['cpu'] for run in reach):.1f}",
        "reach wall s": f"{statistics.mean(run['wall'] for run in reach):.1f}",
        "our MSE": f"{statistics.mean(run['mse'] for run in ours):.5f}",
        "PNG off": f"{100 * apart['mse']:.1f} %",
        "SVG off": f"{100 * apart['svg']:.1f} %",
        "MB": f"{max(run['mb'] for run in ours):.0f}",
    }


if __name__ == "__main__":
    main()
