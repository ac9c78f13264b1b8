"""Shapes of two colours against shapes of one: likeness at equal shapes, and at equal bytes of SVG.

    python benchmarks/paint.py [--quality draft] [--seed 1] [--pictures FOLDER]

Triangles, the mean of four pictures. Bytes are those of the SVG at 512 px without its recipe. At equal bytes a picture
is compared with one of flat shapes whose dB are read off between the two that are nearest in bytes, for which flat
shapes are fitted in larger numbers too.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import PICTURES, picture, table

import evoart

PAINTS = ("linear", "radial", "auto")
COUNTS = (25, 50, 100, 200)
MORE = (400, 700)  # flat shapes, to have as many bytes as there are with two colours


def fit(name: str, paint: str, shapes: int, given: argparse.Namespace) -> tuple[float, int]:
    """dB and bytes of the SVG of one fit."""
    path = picture(name, given.pictures)
    result = evoart.fit(path, shapes=shapes, paint=paint, seed=given.seed, quality=given.quality)
    return result.psnr, len(result.drawing.svg((512, 512)).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", default="draft")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures")
    given = parser.parse_args()
    evoart.fit(picture(PICTURES[0], given.pictures), shapes=4, paint="auto", quality="draft")  # compiles
    flat = {(name, n): fit(name, "flat", n, given) for name in PICTURES for n in (*COUNTS, *MORE)}
    rows = []
    for n in COUNTS:
        ours = [flat[name, n] for name in PICTURES]
        rows.append(
            {
                "shapes": n,
                "paint": "flat",
                "dB": f"{np.mean([each[0] for each in ours]):.2f}",
                "bytes": f"{np.mean([each[1] for each in ours]):.0f}",
                "at equal shapes": "",
                "at equal bytes": "",
            }
        )
        for paint in PAINTS:
            found = [fit(name, paint, n, given) for name in PICTURES]
            equal = []
            for name, (psnr, size) in zip(PICTURES, found, strict=True):
                known = [flat[name, k] for k in (*COUNTS, *MORE)]
                equal.append(psnr - np.interp(np.log(size), [np.log(k[1]) for k in known], [k[0] for k in known]))
            rows.append(
                {
                    "shapes": n,
                    "paint": paint,
                    "dB": f"{np.mean([each[0] for each in found]):.2f}",
                    "bytes": f"{np.mean([each[1] for each in found]):.0f}",
                    "at equal shapes": f"{np.mean([a[0] - b[0] for a, b in zip(found, ours, strict=True)]):+.2f}",
                    "at equal bytes": f"{np.mean(equal):+.2f}",
                }
            )
            print(rows[-1], flush=True)
    table(rows, "paint")


if __name__ == "__main__":
    main()
