"""What the tiny model draws, and whether its judge recognises it: ``python benchmarks/tiny/check.py --sheet a.png``.

For each prompt a draft; then the judge, which did not guide, ranks the prompt among all of them, and among the same
prompt with other things in its place ("a red circle" against "a red square", "a red star" ...): that takes outlines.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from common import table
from world import THINGS

from evoart.engine.clip import flat
from evoart.openclip.load import load
from evoart.run.clip.job import ClipJob
from evoart.run.loop import run
from evoart.score.clip import ClipScore, Prompt

PROMPTS = (
    "a red circle", "a blue square", "a green triangle", "a yellow star", "a black cross", "an orange ring",
    "a pink heart", "a brown house", "a green tree", "a yellow sun on blue",
)  # fmt: skip
SHOWN = 160  # pixels of a picture on the sheet


def ranks(score: ClipScore, image: np.ndarray, prompt: str) -> tuple[int, int]:
    """The place of ``prompt`` among the prompts, and among itself with every other thing in it; 1 is the first."""
    found = dict(zip((each.text for each in score.prompts), score.similarities(image), strict=True))
    others = [found[text] for text in (*PROMPTS, prompt)]
    alike = [found[text] for text in [*variants(prompt), prompt]]
    return 1 + sum(x > found[prompt] for x in others), 1 + sum(x > found[prompt] for x in alike)


def variants(prompt: str) -> list[str]:
    """The prompt with other things in its place."""
    words = prompt.split()
    at = next(i for i, word in enumerate(words) if word in THINGS)
    return [" ".join([*words[:at], thing, *words[at + 1 :]]) for thing in THINGS if thing != words[at]]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quality", default="draft")
    parser.add_argument("--sheet", type=Path, help="a picture of all pictures, one row a seed")
    parser.add_argument("--weights", type=Path, help="a folder with models to try instead of those of the package")
    parser.add_argument("--set", nargs="*", default=[], help="other settings of the job, NAME=VALUE")
    args = parser.parse_args()
    if args.weights:
        from evoart.openclip import catalogue

        catalogue.INSIDE = args.weights
    how = dict(each.split("=", 1) for each in args.set)
    judge = load("judge")
    every = dict.fromkeys((*PROMPTS, *(text for prompt in PROMPTS for text in variants(prompt))))
    score = ClipScore([judge], [Prompt(text) for text in every])
    rows, pictures = [], []
    for seed in range(1, args.seeds + 1):
        for prompt in PROMPTS:
            job = ClipJob.make(prompts=prompt, model="tiny", seed=seed, quality=args.quality, **how)
            cpu = time.process_time()
            result = list(run(job))[-1].result
            cpu = time.process_time() - cpu
            among, alike = ranks(score, flat(result.form, result.genome, (64, 64)), prompt)
            rows.append({"prompt": prompt, "seed": seed, "similarity": round(result.figures["similarity"], 3),
                         "judge": round(result.figures["judge"], 3), "rank_among_ten": among,
                         "rank_among_things": alike, "cpu_seconds": round(cpu, 1)})  # fmt: skip
            print(rows[-1], flush=True)
            pictures.append(flat(result.form, result.genome, (SHOWN, SHOWN)))
    print(f"first among ten: {sum(row['rank_among_ten'] == 1 for row in rows)} of {len(rows)}; "
          f"first among things: {sum(row['rank_among_things'] == 1 for row in rows)} of {len(rows)}")  # fmt: skip
    if args.sheet:
        framed = [np.pad(each, ((2, 2), (2, 2), (0, 0)), constant_values=0.7) for each in pictures]
        sheet = np.concatenate([np.concatenate(framed[i : i + 10], 1) for i in range(0, len(framed), 10)])
        Image.fromarray(np.round(np.clip(sheet, 0, 1) * 255).astype(np.uint8)).save(args.sheet)
    if not args.weights and not how:
        table(rows, "tiny-check")
