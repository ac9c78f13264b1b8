"""Films as input against a picture for each frame by itself: flicker, PSNR and CPU seconds a frame, on three clips.

    python benchmarks/film.py                  # results/film.md and .csv, about two minutes on two cores
    python benchmarks/film.py --clips clips/   # only write the clips, as lossless animated WebP

The clips are made here: a camera that passes over a photograph, a thing that moves before a still one, and a cut from
the one to the other. Flicker is how much the output changes where the source does not, in levels of 255: from each
frame to the next one, over the pixels whose colour stays within two levels. Where the camera moves, both source and
output are moved back by its motion first, for what glides along with the camera does not flicker.
"""

from __future__ import annotations

import argparse
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
HOW = {"shapes": 80, "seed": 1}
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


CLIPS = {"camera": camera, "thing": thing, "cut": cut}


def moved(image: np.ndarray, motion: tuple[int, int]) -> np.ndarray:
    return np.roll(image, motion[::-1], (0, 1))


def flicker(source: np.ndarray, output: np.ndarray, motion: tuple[tuple[int, int], ...]) -> float:
    """Mean change of the output in levels where the source is still."""
    found = []
    for i in range(1, len(source)):
        x, y = motion[i]
        inside = np.ones(source.shape[1:3], bool)
        inside[: max(y, 0)] = inside[len(inside) + min(y, 0) :] = False
        inside[:, : max(x, 0)] = inside[:, inside.shape[1] + min(x, 0) :] = False
        change = np.abs(source[i].astype(int) - moved(source[i - 1], motion[i])).max(-1)
        still = (change <= 2) & inside
        if still.mean() > 0.05:  # not across a cut
            found.append(255 * np.abs(output[i] - moved(output[i - 1], motion[i])).mean(-1)[still].mean())
    return float(np.mean(found))


def psnr(source: np.ndarray, output: np.ndarray) -> float:
    return float(np.mean([common.db(common.mse(a / 255, b)) for a, b in zip(source, output, strict=True)]))


def draw_alone(clip: Clip, quality: str) -> tuple[np.ndarray, float]:
    """The frames ``ALONE``, each by itself, and the CPU seconds of one."""
    import evoart

    before, frames = time.process_time(), clip.frames[ALONE]
    drawn = [evoart.fit(frame, quality=quality, **HOW).drawing.paint(SIZE)[..., :3] for frame in frames]
    return np.stack(drawn), (time.process_time() - before) / len(frames)


def draw_film(clip: Clip, quality: str, steady: float | None) -> tuple[np.ndarray, float]:
    """All frames as a film, and the CPU seconds of one."""
    import evoart

    more = {} if steady is None else {"steady": steady}
    with tempfile.TemporaryDirectory() as folder:
        write(clip, Path(folder) / "clip.webp")
        before = time.process_time()
        film = evoart.make("fit-film", picture=str(Path(folder) / "clip.webp"), quality=quality, **HOW, **more)
        seconds = (time.process_time() - before) / len(clip.frames)
    return np.stack([frame.paint(SIZE)[..., :3] for frame in film.frames]), seconds


def write(clip: Clip, path: Path) -> None:
    images = [Image.fromarray(frame) for frame in clip.frames]
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // RATE, lossless=True, loop=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=Path, metavar="FOLDER", help="only write the clips there")
    parser.add_argument("--quality", default="normal")
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
    for name, make in CLIPS.items():
        clip = make(FRAMES)
        source, motion = clip.frames[ALONE], clip.motion[ALONE]
        alone, cost = draw_alone(clip, arguments.quality)
        first = {"flicker": flicker(source, alone, motion), "PSNR": psnr(source, alone), "CPU s a frame": cost}
        tried = [("by itself", first)]
        for steady in (None, *arguments.steady):
            film, cost = draw_film(clip, arguments.quality, steady)
            part = film[ALONE]
            figures = {"flicker": flicker(source, part, motion), "PSNR": psnr(source, part), "CPU s a frame": cost}
            tried.append(("film" if steady is None else f"film, --steady {steady:g}", figures))
        for how, figures in tried:
            ratio = {
                "flicker, of by itself": f"{figures['flicker'] / first['flicker']:.2f}",
                "PSNR, less by itself": f"{figures['PSNR'] - first['PSNR']:+.2f}",
                "time, of by itself": f"{figures['CPU s a frame'] / first['CPU s a frame']:.2f}",
            }
            rows.append({"clip": name, "frames": how} | {k: f"{v:.2f}" for k, v in figures.items()} | ratio)
            print(rows[-1], flush=True)
    common.table(rows, "film")


if __name__ == "__main__":
    main()
