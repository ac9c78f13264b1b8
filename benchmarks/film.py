"""Films as input against a picture for each frame by itself: flicker, PSNR and CPU seconds a frame, on four clips.

    python benchmarks/film.py                  # results/film.md and .csv: means of two seeds, 7 CPU minutes
    python benchmarks/film.py --clips clips/   # only write the clips, as lossless animated WebP

The clips are made here: a camera that passes over a photograph, a thing that moves before a still one, a cut from the
one to the other, and a camera in a hand, which nothing was tuned on. Flicker is how much the output changes where the
source does not, in levels of 255: from each frame to the next, over the pixels whose colour stays within two levels.
Where the camera moves, both source and output are moved back by its motion first, for what glides along with the camera
does not flicker. What changes at the same place of the screen is told, too: there, the edges of shapes pass over smooth
parts of the source.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent))
import common

SIZE = (240, 160)
FRAMES, ALONE = 24, slice(8, 16)  # of a clip; those that are also drawn by themselves
SHAPES = 80
RATE = 12


@dataclass(frozen=True)
class Clip:
    """Frames ``(n, h, w, 3)`` uint8, and the camera's motion in pixels (x, y) since the last frame, for each."""

    frames: np.ndarray
    motion: tuple[tuple[int, int], ...]


def photograph(path: str, width: int) -> Image.Image:
    image = Image.open(common.ROOT / path).convert("RGB")
    return image.resize((width, round(width * image.height / image.width)), Image.Resampling.LANCZOS)


def camera(count: int) -> Clip:
    """It passes over a cup of espresso, three pixels to the right and one down a frame."""
    whole, (w, h) = np.asarray(photograph("prompts/photos/coffee.jpg", 420)), SIZE
    frames = np.stack([whole[20 + i : 20 + i + h, 30 + 3 * i : 30 + 3 * i + w] for i in range(count)])
    return Clip(frames, ((-3, -1),) * count)


def thing(count: int) -> Clip:
    """A ball rolls before a cat that does not care."""
    still = photograph("evoart/data/chelsea.jpg", SIZE[0]).crop((0, 0, *SIZE))
    frames = []
    for i in range(count):
        frame = still.resize((2 * SIZE[0], 2 * SIZE[1]))
        x, y = 40 + 17 * i, 220 - 60 * abs(np.sin(0.35 * i))
        ImageDraw.Draw(frame).ellipse((x - 36, y - 36, x + 36, y + 36), fill=(230, 60, 40))
        ImageDraw.Draw(frame).ellipse((x - 22, y - 26, x - 4, y - 10), fill=(255, 190, 170))
        frames.append(np.asarray(frame.resize(SIZE, Image.Resampling.BOX)))
    return Clip(np.stack(frames), ((0, 0),) * count)


def cut(count: int) -> Clip:
    """Half of the one, half of the other."""
    one, other = camera(count // 2), thing(count - count // 2)
    return Clip(np.concatenate([one.frames, other.frames]), one.motion + other.motion)


def hand(count: int) -> Clip:
    """A camera that trembles before an astronaut while a green card passes."""
    whole, (w, h) = np.asarray(photograph("prompts/photos/astronaut.jpg", 320)), SIZE
    places = [
        (round(40 + 14 * np.sin(0.5 * i) + 0.8 * i), round(20 + 9 * np.cos(0.37 * i) + 1.5 * i)) for i in range(count)
    ]
    frames = []
    for i, (x, y) in enumerate(places):
        frame = Image.fromarray(whole[y : y + h, x : x + w])
        ImageDraw.Draw(frame).rectangle((6 * i - 2, 91 - 2 * i, 6 * i + 22, 109 - 2 * i), fill=(40, 160, 90))
        frames.append(np.asarray(frame))
    steps = [(a - x, b - y) for (a, b), (x, y) in itertools.pairwise(places)]
    return Clip(np.stack(frames), ((0, 0), *steps))


CLIPS = {"camera": camera, "thing": thing, "cut": cut, "hand": hand}


def moved(image: np.ndarray, motion: tuple[int, int]) -> np.ndarray:
    return np.roll(image, motion[::-1], (0, 1))


def flicker(source: np.ndarray, output: np.ndarray, motion: tuple[tuple[int, int], ...]) -> float:
    """Mean change of the output in levels where the source is still."""
    found = []
    for i in range(1, len(source)):
        x, y = motion[i]
        inside = np.ones(source.shape[1:3], bool)
        inside[: max(y, 0)] = inside[len(inside) + min(y, 0) :] = False
        inside[:, : max(x, 0)] = inside[:, source.shape[2] + min(x, 0) :] = False
        change = np.abs(source[i].astype(int) - moved(source[i - 1], motion[i])).max(-1)
        still = (change <= 2) & inside
        if still.mean() > 0.05:  # not across a cut
            found.append(255 * np.abs(output[i] - moved(output[i - 1], motion[i])).mean(-1)[still].mean())
    return float(np.mean(found)) if found else float("nan")


def psnr(source: np.ndarray, output: np.ndarray) -> float:
    return float(np.mean([common.db(common.mse(a / 255, b)) for a, b in zip(source, output, strict=True)]))


def measure(clip: Clip, drawn: np.ndarray) -> dict[str, float]:
    """Flicker in levels, along with the camera and at the same place, and PSNR in dB of the frames ``ALONE``."""
    source, motion = clip.frames[ALONE], clip.motion[ALONE]
    along, there = flicker(source, drawn, motion), flicker(source, drawn, ((0, 0),) * len(source))
    return {"flicker": along, "at the same place": there, "PSNR": psnr(source, drawn)}


def draw_alone(clip: Clip, quality: str, seed: int) -> tuple[np.ndarray, float]:
    """The frames ``ALONE``, each by itself, and the CPU seconds of one."""
    import evoart

    before, frames = time.process_time(), clip.frames[ALONE]
    drawn = [
        evoart.fit(frame, quality=quality, shapes=SHAPES, seed=seed).drawing.paint(SIZE)[..., :3] for frame in frames
    ]
    return np.stack(drawn), (time.process_time() - before) / len(frames)


def draw_film(clip: Clip, quality: str, seed: int, steady: float | None) -> tuple[np.ndarray, float]:
    """All frames as a film, and the CPU seconds of one."""
    import evoart

    more = {} if steady is None else {"steady": steady}
    with tempfile.TemporaryDirectory() as folder:
        write(clip, Path(folder) / "clip.webp")
        before = time.process_time()
        how = {"picture": str(Path(folder) / "clip.webp"), "quality": quality, "shapes": SHAPES, "seed": seed} | more
        film = evoart.make("fit-film", **how)
        seconds = (time.process_time() - before) / len(clip.frames)
    return np.stack([frame.paint(SIZE)[..., :3] for frame in film.frames]), seconds


def write(clip: Clip, path: Path) -> None:
    images = [Image.fromarray(frame) for frame in clip.frames]
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // RATE, lossless=True, loop=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="only write the clips there")
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--only", choices=CLIPS, nargs="*", default=list(CLIPS), metavar="CLIP")
    parser.add_argument("--steady", type=float, nargs="*", default=[], help="more values to try than the default")
    arguments = parser.parse_args()
    if arguments.clips:
        arguments.clips.mkdir(parents=True, exist_ok=True)
        for name, make in CLIPS.items():
            write(make(FRAMES), arguments.clips / f"{name}.webp")
        return
    import evoart

    evoart.fit(shapes=5, quality="draft", seed=1)  # compile
    rows = []
    for name in arguments.only:
        clip, tried = CLIPS[name](FRAMES), {}
        for seed in arguments.seeds:
            drawn = {"by itself": draw_alone(clip, arguments.quality, seed)}
            for steady in (None, *arguments.steady):
                how = "film" if steady is None else f"film, --steady {steady:g}"
                frames, cost = draw_film(clip, arguments.quality, seed, steady)
                drawn[how] = frames[ALONE], cost
            for how, (frames, cost) in drawn.items():
                tried.setdefault(how, []).append(measure(clip, frames) | {"CPU s a frame": cost})
        means = {
            how: {key: float(np.mean([each[key] for each in found])) for key in found[0]}
            for how, found in tried.items()
        }
        first = means["by itself"]
        for how, figures in means.items():
            ratio = {
                f"{key}, {'less' if key == 'PSNR' else 'of'} by itself": f"{value - first[key]:+.2f}"
                if key == "PSNR"
                else f"{value / first[key]:.2f}"
                for key, value in figures.items()
            }
            rows.append({"clip": name, "frames": how} | {k: f"{v:.2f}" for k, v in figures.items()} | ratio)
            print(rows[-1], flush=True)
    common.table(rows, "film")


if __name__ == "__main__":
    main()
