"""What films of shapes and of strategies cost, as whole processes. ``python benchmarks/motion.py``"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import ROOT, run, table

GALLERY = ROOT / "gallery"
CAT, CUP = GALLERY / "cat.svg", GALLERY / "coffee-line.svg"
LINES = {
    "morph, 100 triangles to 200 strokes, 480 px, 75 frames, WebP": ("morph", CAT, CUP, "-o", "m.webp"),
    "the same as MP4, 150 frames": ("morph", CAT, CUP, "-o", "m.mp4"),
    "the same as an SVG that moves": ("morph", CAT, CUP, "-o", "m.anim.svg"),
    "100 triangles that fly in, GIF, 60 frames": ("render", CAT, "-o", "g.gif", "--film-style", "glide"),
    "strategies film, nine on Rastrigin, 60 frames of 960 px": ("strategies", "film", "-o", "s.webp"),
}


def main() -> None:
    """Run each line twice in a folder of its own; the second counts, once all is compiled."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for what, line in LINES.items():
            for _ in range(2):
                words = [
                    Path(folder) / word if str(word).count(".") and word not in (CAT, CUP) else word for word in line
                ]
                cpu, wall, memory, _ = run([sys.executable, "-m", "evoart", *words, "--overwrite", "-q"])
            size = (Path(folder) / line[line.index("-o") + 1]).stat().st_size / 1e3
            rows.append(
                {
                    "film": what,
                    "CPU s": f"{cpu:.1f}",
                    "wall s": f"{wall:.1f}",
                    "MB": f"{memory:.0f}",
                    "kB": f"{size:.0f}",
                }
            )
            print(rows[-1], flush=True)
    table(rows, "motion")


if __name__ == "__main__":
    main()
