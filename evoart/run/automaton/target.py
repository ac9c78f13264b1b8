"""What is to grow, made small: a picture with its background cut away, or a thing that the model inside knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from evoart.errors import EvoartError, UsageError
from evoart.picture import load
from evoart.pixels import fit_size
from evoart.run.automaton.job import AutomatonJob
from evoart.sources import read_source

FINE = 256  # pixels of the long side at which backgrounds are cut
NEAR, LOOSE = (
    0.07,
    0.2,
)  # largest difference of a channel to a background's colour; ``LOOSE`` where cutting is asked for
PLAIN = 0.9  # share of a border's pixels that have the background's colour
SEEN = 0.05  # opacity of what counts as part of the picture


@dataclass(frozen=True, eq=False)
class Subject:
    """What is to grow.

    Attributes:
        cells: colour times opacity, and opacity, ``(rows, columns, 4)`` float32, with empty cells around.
        sha256: of the file, "" where there is none.
        notes: what a user should know of it.
    """

    cells: np.ndarray
    sha256: str = ""
    notes: tuple[str, ...] = ()


def read_subject(job: AutomatonJob, source: Any = None) -> Subject:
    """What a job is about; ``source`` is the picture where the job does not name it.

    Raises:
        UsageError, EvoartError: a picture that cannot be used, words that are not known, nothing that is seen.
    """
    if source is None and not job.picture:
        pixels, notes, digest = *_known(job), ""
    else:
        pixels, notes, digest = _picture(job, source if source is not None else job.picture)
    alpha = pixels[..., 3]
    down, across = np.flatnonzero(alpha.max(1) > SEEN), np.flatnonzero(alpha.max(0) > SEEN)
    if not len(down):
        raise EvoartError(
            "there is nothing in the picture that could grow", "Choose another picture, or --background keep"
        )
    pixels = pixels[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    h, w = pixels.shape[:2]
    size = fit_size(w, h, job.pixels)
    solid = np.concatenate([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]], -1)
    if size != (w, h):
        solid = np.stack([_resized(solid[..., c], size) for c in range(4)], -1)
    if job.picture and max(w, h) > job.pixels:
        notes = (*notes, f"It is scaled down to {size[0]} x {size[1]} cells (--pixels)")
    around = ((job.padding, job.padding), (job.padding, job.padding), (0, 0))
    return Subject(np.pad(np.clip(solid, 0, 1), around).astype(np.float32), digest, notes)


def _resized(channel: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(channel, np.float32))
    return np.asarray(image.resize(size, Image.Resampling.HAMMING))


def _known(job: AutomatonJob) -> tuple[np.ndarray, tuple[str, ...]]:
    """What the model inside evoart knows by some words: straight colour and opacity ``(h, w, 4)``, and notes."""
    from evoart.openclip import icons

    known = icons.load()
    scene = known.read(job.words)
    notes = [f"The model inside evoart knows icons and grows: {known.describe(scene)}"]
    if scene.strange:
        notes.append(f"These words did not count: {', '.join(scene.strange)}; see: evoart models words")
    if scene.left_out:
        notes.append(f"This is left out: {', '.join(scene.left_out)}")
    return known.cutout(scene, job.seeded, FINE), tuple(notes)


def _picture(job: AutomatonJob, source: Any) -> tuple[np.ndarray, tuple[str, ...], str]:
    """A picture's straight colour and opacity ``(h, w, 4)``, notes, and the hash of its file."""
    if isinstance(source, str | bytes):
        data, _, label = read_source(source)
        if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            return _vectors(data, label), (), hashlib.sha256(data).hexdigest()
        picture = load(data, needed=FINE, label=label)
    else:
        label, picture = "the picture", load(source, needed=FINE)
    rgb, alpha = picture.at(FINE)
    if alpha is not None:
        return np.dstack([rgb, alpha]), picture.notes, picture.sha256
    alpha, note = _cut(rgb, job.background, label)
    return np.dstack([rgb, alpha]), (*picture.notes, note), picture.sha256


def _cut(rgb: np.ndarray, background: str, label: str) -> tuple[np.ndarray, str]:
    """Opacity ``(h, w)`` of an opaque picture, and what was done about its background."""
    h, w = rgb.shape[:2]
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    colour = np.median(border, 0)
    plain = (np.abs(border - colour).max(-1) < NEAR).mean() >= PLAIN
    if background == "keep" or (background == "auto" and not plain):
        why = "" if background == "keep" else ", and no plain background"
        return np.ones((h, w), np.float32), f"{label} has no transparency{why}: all of the rectangle grows"
    near = np.abs(rgb - colour).max(-1) < (LOOSE if background == "cut" else NEAR)
    inside = np.zeros((h, w), bool)
    inside[[0, -1]], inside[:, [0, -1]] = True, True
    reached = inside & near
    while True:  # outwards in, one pixel a time
        wide = np.pad(reached, 1)
        more = near & (wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:] | reached)
        if (more == reached).all():
            break
        reached = more
    if reached.all():
        raise UsageError(f"{label} is of one colour: nothing is left without its background", "Use --background keep")
    note = f"{label} has no transparency: its background is cut away (--background keep grows it, too)"
    return (~reached).astype(np.float32), note


def _vectors(data: bytes, label: str) -> np.ndarray:
    """What an SVG shows, straight colour and opacity ``(h, w, 4)``: evoart's own exactly, another's fills and lines."""
    from evoart.output.recipe import extract
    from evoart.run.recipe import record
    from evoart.sketch.svgfile import read_painting

    try:
        return record(extract(data, label), label).drawing.paint(_size(*record(extract(data, label), label).size))
    except EvoartError:
        painting = read_painting(data, label.strip("'"))
    x, y, wide, high = painting.box
    w, h = _size(wide, high)
    finer = 4
    scale = finer * w / wide
    canvas = Image.new("RGBA", (finer * w, finer * h), (0, 0, 0, 0))
    if painting.background is not None:
        canvas.paste(tuple(round(255 * v) for v in painting.background), (0, 0, *canvas.size))
    for element in painting.elements:
        lines = [[tuple(point) for point in (line - (x, y)) * scale] for line in element.lines if len(line) > 1]
        for rgba, width in ((element.fill, None), (element.stroke, max(1, round(element.width * scale)))):
            if rgba is None:
                continue
            mask = np.zeros(canvas.size[::-1], np.int16)
            for line in lines:
                shape = Image.new("1", canvas.size)
                pen = ImageDraw.Draw(shape)
                if width is None:
                    pen.polygon(line, fill=1)
                    turn = 1 if element.even_odd else _turn(line)
                    mask += turn * np.asarray(shape, np.int16)
                else:
                    pen.line(line, fill=1, width=width, joint="curve")
                    mask |= np.asarray(shape, np.int16)
            covered = mask % 2 != 0 if element.even_odd and width is None else mask != 0
            layer = Image.new("RGBA", canvas.size, tuple(round(255 * v) for v in rgba[:3]))
            layer.putalpha(Image.fromarray((covered * round(255 * rgba[3])).astype(np.uint8)))
            canvas = Image.alpha_composite(canvas, layer)
    return np.asarray(canvas.reduce(finer), np.float32) / 255


def _turn(line: list[tuple[float, float]]) -> int:
    """1 or -1: the way around in which a closed line goes."""
    points = np.array(line)
    ahead = np.roll(points, -1, 0)
    return 1 if (points[:, 0] * ahead[:, 1] - points[:, 1] * ahead[:, 0]).sum() >= 0 else -1


def _size(width: float, height: float) -> tuple[int, int]:
    scale = FINE / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
