"""How `evoart fit` grows with the number of shapes and with the canvas.

    python benchmarks/scale.py

Whole processes. `reach` is a run that stops at a fixed PSNR (`--until-psnr`): evaluations must not grow with the number
of shapes. Larger canvases get the photograph enlarged with Lanczos, so that their PSNR can be compared; the PSNR is the
one on the search's canvas. Speed, not quality, is the question, so all runs are drafts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import common
from PIL import Image

CASES = ((50, 256), (100, 256), (200, 256), (500, 256), (1000, 256), (5000, 256), (200, 512), (200, 1024))
REACH = 18.0  # dB: what 50 triangles can do


def fit(path: Path, shapes: int, pixels: int, folder: Path, *more: str) -> dict:
    command = [sys.executable, "-m", "evoart", "fit", path, "-n", shapes, "--pixels", pixels, "--seed", 0, *more]
    cpu, wall, memory, out = common.run(
        [*map(str, command), "--quality", "draft", "--no-checkpoint", "--overwrite", "--json", "-o", folder / "o.png"]
    )
    return {"cpu": cpu, "wall": wall, "mb": memory, **json.loads(out)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", help="folder of the test pictures")
    parser.add_argument("--picture", default="astronaut")
    parser.add_argument("--no-reach", action="store_true", help="leave the runs to a fixed PSNR out")
    args = parser.parse_args()
    source, rows = Image.open(common.picture(args.picture, args.pictures)).convert("RGB"), []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for shapes, pixels in CASES:
            path = folder / f"{pixels}.png"
            scale = pixels / max(source.size)
            size = round(source.width * scale), round(source.height * scale)
            source.resize(size, Image.Resampling.LANCZOS).save(path)
            if not rows:
                fit(path, 5, pixels, folder)  # compiled code into the cache
            whole = fit(path, shapes, pixels, folder)
            row = {
                "triangles": shapes,
                "px": pixels,
                "dB": f"{whole['psnr']:.2f}",
                "evaluations": f"{whole['evaluations']:,}",
                "CPU s": f"{whole['cpu']:.1f}",
                "wall s": f"{whole['wall']:.1f}",
                "MB": f"{whole['mb']:.0f}",
            }
            if not args.no_reach:
                reach = fit(path, shapes, pixels, folder, "--until-psnr", str(REACH))
                name = f"to {REACH:g} dB: "
                row[name + "evaluations"] = f"{reach['evaluations']:,}" if reach["psnr"] >= REACH else "never"
                row[name + "shapes"], row[name + "CPU s"] = reach["shapes"], f"{reach['cpu']:.1f}"
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    common.table(rows, "scale")


if __name__ == "__main__":
    main()
