"""MP4 films (H.264) and WebM (VP9), with the extra ``video``: the ffmpeg program that imageio-ffmpeg brings, or one on
the path."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from evoart.errors import EvoartError, MissingExtra
from evoart.output import recipe as recipes
from evoart.output.film import durations, film_drawings, film_size
from evoart.output.formats import Artwork, Format, Options
from evoart.output.raster import flatten, pixels
from evoart.output.stage import stage
from evoart.types import Drawing

FRAMES_PER_SECOND = 30
_INSTEAD = "Choose .gif or .apng instead"
_LEAST = 100_000  # bytes: a disk with less is full


def ffmpeg() -> str:
    """The path of an ffmpeg program.

    Raises:
        MissingExtra: there is none.
    """
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        try:
            return imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError:  # a platform for which the package brings no program
            pass
    if found := shutil.which("ffmpeg"):
        return found
    raise MissingExtra("video", "reading and writing videos")


@dataclass(frozen=True)
class _Codecs:
    """How ffmpeg packs a film: words for its picture at a quality of 1 to 100, and for its sound."""

    picture: Callable[[int], list[str]]
    sound: list[str]


def _h264(quality: int) -> list[str]:
    words = ["-c:v", "libx264", "-preset", "medium", "-crf", str(round(40 - quality * 0.24))]
    return [*words, "-movflags", "+faststart"]


def _vp9(quality: int) -> list[str]:
    words = ["-c:v", "libvpx-vp9", "-b:v", "0", "-crf", str(round(60 - quality * 0.35))]
    return [*words, "-deadline", "good", "-cpu-used", "4", "-row-mt", "1"]


_CODECS = {
    ".mp4": _Codecs(_h264, ["-c:a", "aac", "-b:a", "160k"]),
    ".webm": _Codecs(_vp9, ["-c:a", "libopus", "-b:a", "128k"]),
}


def _write(artwork: Artwork, options: Options, extension: str) -> bytes:
    artwork, options = stage(artwork, options)
    codecs, rate = _CODECS[extension], artwork.rate or options.film_fps or FRAMES_PER_SECOND
    drawings = film_drawings(artwork, options, FRAMES_PER_SECOND)
    w, h = film_size(artwork, options.film_side, multiple=2)  # their colours want even sides
    step = 1000 / rate
    ends = np.round(np.cumsum(durations(len(drawings), options)) / step).astype(int)
    repeats = np.maximum(np.diff(ends, prepend=0), 1)
    with tempfile.TemporaryDirectory(prefix="evoart-") as folder:
        target = Path(folder) / f"film{extension}"
        command = [ffmpeg(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{w}x{h}"]
        command += ["-r", f"{rate:.6f}", "-i", "-", *_sound(artwork, codecs), *codecs.picture(options.quality)]
        # Say which colours these are, or players guess and the film looks paler than the picture.
        colours = "setparams=color_primaries=bt709:color_trc=iec61966-2-1:colorspace=bt709"
        command += ["-pix_fmt", "yuv420p", "-vf", f"scale=out_color_matrix=bt709:out_range=tv,{colours}"]
        command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", str(target)]  # no dates: the same bytes
        # Drawn one by one as they are written, so that a long film of large pictures needs no memory.
        frames = (_frame(artwork, i, drawings, (w, h), options) for i in range(len(drawings)))
        _feed(command, frames, repeats)
        data = target.read_bytes()
    text = artwork.recipe_text()
    into = recipes.into_mp4 if extension == ".mp4" else recipes.into_webm
    return into(data, text) if text else data


def _sound(artwork: Artwork, codecs: _Codecs) -> list[str]:
    """ffmpeg's words for the sound of a drawn film, where it has any."""
    sound = artwork.sound
    if sound is None or artwork.rate is None or abs(len(artwork.frames) / artwork.rate - sound.seconds) > 0.5:
        return ["-an"]  # of an interrupted film, of which there are parts only, it would not fit
    part = ["-ss", f"{sound.start:.3f}", "-t", f"{sound.seconds:.3f}", "-i", f"file:{sound.path}"]
    return [*part, "-map", "0:v:0", "-map", "1:a:0?", *codecs.sound]


def _mp4(artwork: Artwork, options: Options) -> bytes:
    return _write(artwork, options, ".mp4")


def _webm(artwork: Artwork, options: Options) -> bytes:
    return _write(artwork, options, ".webm")


def _frame(artwork: Artwork, index: int, drawings: list[Drawing], size: tuple[int, int], options: Options) -> bytes:
    if options.progress:
        options.progress(index / len(drawings))
    return flatten(pixels(artwork, drawings[index], size), options.matte).tobytes()


def _feed(command: list[str], frames: Iterable[bytes], repeats: np.ndarray) -> None:
    """Run ffmpeg over the frames, each as often as ``repeats`` says; its target is the command's last word.

    Raises:
        EvoartError: it does not start, ends early, or leaves no film.
    """
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=messages, stderr=messages)
        except OSError as error:
            raise EvoartError(f"ffmpeg does not start ({error})", _INSTEAD) from None
        with process:
            pipe = cast(BinaryIO, process.stdin)  # it was asked for
            try:
                for frame, times in zip(frames, repeats, strict=True):
                    for _ in range(times):
                        pipe.write(frame)
            except BrokenPipeError:
                pass  # it has ended early and says why
            finally:
                # Closing flushes, into the same broken pipe; left to ``with``, that would hide what ffmpeg said.
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if process.returncode or not os.path.exists(command[-1]):
            messages.seek(0)
            said = messages.read(4000).decode(errors="replace").strip().splitlines() or ["no message"]
            folder = tempfile.gettempdir()
            # What it says may find no room on the disk either.
            if "No space left" in " ".join(said) or shutil.disk_usage(folder).free < _LEAST:
                what = f"there is no room for the film in '{folder}', where it is made"
                raise EvoartError(what, "Free some space, or set TMPDIR to another folder")
            raise EvoartError(f"ffmpeg could not write the film ({said[-1]})", _INSTEAD)


def _check() -> None:
    ffmpeg()


MP4 = Format((".mp4",), _mp4, film=True, check=_check)
WEBM = Format((".webm",), _webm, film=True, check=_check)
