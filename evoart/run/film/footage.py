"""Films in: videos by ffmpeg, animated GIF, PNG and WebP by Pillow, folders of pictures; all as frames of one size and
a constant rate, upright, in sRGB, kept in a temporary file."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np

from evoart.errors import EvoartError, UsageError
from evoart.output.video import ffmpeg
from evoart.picture import fit_size, load

VIDEOS = (
    ".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv",
    ".3gp", ".y4m",
)  # fmt: skip
ANIMATED = (".gif", ".apng", ".png", ".webp")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif", ".ppm")
FOLDER_RATE = 25.0  # frames a second of a folder, where nobody says
FASTEST = 100.0
BROWSERS = 100  # milliseconds of a GIF's frame that says less than 20, as browsers show it


@dataclass(frozen=True)
class Part:
    """Which frames of a film are used.

    Attributes:
        fps: frames a second; None: the film's own.
        start, end: seconds; None: the film's own.
        every: of these, each so-manieth.
        most: frames, at most.
    """

    fps: float | None = None
    start: float | None = None
    end: float | None = None
    every: int = 1
    most: int = 1_000_000


@dataclass(frozen=True, eq=False)
class Footage:
    """The frames of a film.

    Attributes:
        frames: ``(n, h, w, 3)`` uint8 sRGB.
        rate: frames a second.
        width, height: of the film itself in pixels, upright.
        sha256: of the file's bytes (a folder: of all its files'), hexadecimal.
        notes: what a user should know of the film, one line each.
        video: whether it is a video, which may have sound.
    """

    frames: np.ndarray
    rate: float
    width: int
    height: int
    sha256: str
    notes: tuple[str, ...] = ()
    video: bool = False


def is_film(path: str) -> bool:
    """Whether a path is a video by its extension, or a folder: what is no picture."""
    return path.lower().endswith((*VIDEOS, "/")) or (bool(path) and Path(path).is_dir())


def moves(path: str) -> bool:
    """Whether a path is a film, or a picture of more than one frame."""
    if is_film(path):
        return True
    if not path.lower().endswith(ANIMATED):
        return False
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.seek(1)
    except Exception:  # one frame only, or whoever reads it says what is wrong
        return False
    return True


def digest_of_film(path: str) -> str:
    """SHA-256, hexadecimal, of a file, or of the names and bytes of a folder's pictures."""
    whole = hashlib.sha256()
    for each in _pictures(Path(path)) if Path(path).is_dir() else [Path(path)]:
        if each != Path(path):
            whole.update(each.name.encode() + b"\0")
        try:
            with each.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError:
            whole.update(b"?")  # a frame that cannot be read is told of when it is its turn
    return whole.hexdigest()


def read_footage(path: str, side: int, part: Part) -> Footage:
    """The frames of a film with a long side of at most ``side`` pixels.

    Raises:
        UsageError: no such file, no frame in that part, too many frames.
        MissingExtra: a video, and there is no ffmpeg.
        EvoartError: not a film, damaged, no space for it.
    """
    place = Path(path)
    if not place.exists():
        raise UsageError(f"there is no film '{path}'", "Check the spelling")
    if place.is_dir():
        return _read_folder(place, side, part)
    if path.lower().endswith(ANIMATED):
        return _read_animated(place, side, part)
    return _read_video(place, side, part)


# Videos


class _Video(NamedTuple):
    seconds: float | None
    rate: float
    transparent: bool
    wide: bool  # colours of HDR


def _run(*words: str) -> tuple[bytes, str]:
    done = subprocess.run([ffmpeg(), "-hide_banner", *words], stdin=subprocess.DEVNULL, capture_output=True)
    return done.stdout, done.stderr.decode(errors="replace")


def _probe(path: Path) -> _Video:
    told = _run("-i", _argument(path))[1]
    streams = [
        line for line in told.splitlines() if re.search(r"Stream #.*Video:", line) and "attached pic" not in line
    ]
    if not streams:
        if "Stream #" in told:
            raise EvoartError(f"'{path}' has no moving pictures in it", "Give a film; sound alone cannot be drawn")
        lines = [line for line in told.splitlines() if "rror" in line or "nvalid" in line or "not found" in line]
        why = re.sub(r"^\[.*?\] ", "", lines[0]).strip() if lines else "no film"
        raise EvoartError(f"'{path}' is a damaged film, or none at all (ffmpeg: {why})", "Get an undamaged copy")
    clock = re.search(r"Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", told)
    seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3]) if clock else None
    found = re.search(r"([\d.]+)(k?) fps", streams[0]) or re.search(r"([\d.]+)(k?) tbr", streams[0])
    rate = float(found[1]) * (1000 if found[2] else 1) if found else 25.0
    transparent = re.search(r"\b(yuva\w+|rgba\w*|argb\w*|bgra\w*|abgr\w*|gbrap\w*|ya8|ya16\w*)\b", streams[0])
    wide = "smpte2084" in streams[0] or "arib-std-b67" in streams[0]
    return _Video(seconds, min(rate, FASTEST) or 25.0, transparent is not None, wide)


def _argument(path: Path) -> str:
    """A path that ffmpeg does not take for an option or a protocol."""
    return f"file:{path}"


def _read_video(path: Path, side: int, part: Part) -> Footage:
    video = _probe(path)
    first, told = _run(
        "-v", "error", "-i", _argument(path), "-map", "0:v:0", "-vf", "scale=trunc(iw*sar+0.5):ih,setsar=1",
        "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-",
    )  # fmt: skip
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", first)
    if header is None:
        raise EvoartError(f"no frame of '{path}' can be decoded ({_last_line(told)})", "Get an undamaged copy")
    size = int(header[1]), int(header[2])
    rate = (part.fps or video.rate) / part.every
    start, end = part.start or 0.0, part.end
    length = None if video.seconds is None else max(min(video.seconds, end or video.seconds) - start, 0.0)
    if length is not None:
        _check_count(path, round(length * rate), part)
    w, h = fit_size(*size, side)
    filters = f"fps={rate:.6f},scale=trunc(iw*sar+0.5):ih,setsar=1,scale={w}:{h}:flags=area"
    command = [ffmpeg(), "-hide_banner", "-v", "error", *(["-ss", f"{start}"] if start else [])]
    command += ["-i", _argument(path), *(["-t", f"{end - start}"] if end else []), "-map", "0:v:0", "-an"]
    command += ["-vf", filters, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    notes = ["its colours are HDR and will look pale; convert it to SDR first"] if video.wide else []
    if video.transparent:
        notes += ["its transparency is left out"]
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages)
        with process, _Store((h, w), path, part, None if length is None else round(length * rate)) as store:
            pipe, frame = cast(BinaryIO, process.stdout), h * w * 3
            try:
                while len(data := pipe.read(frame)) == frame:
                    store.add(np.frombuffer(data, np.uint8).reshape(h, w, 3))
            except BaseException:
                process.kill()
                raise
            messages.seek(0)
            said = messages.read(4000).decode(errors="replace")
            frames = store.frames(part, video.seconds)
    if said.strip():
        notes.append(f"it is damaged in places; the rest is used (ffmpeg: {_last_line(said)})")
    if length is not None and len(frames) < 0.9 * length * rate - 1:
        notes.append(f"it ends after {len(frames) / rate:.1f} s, {length:.1f} s were expected: it is truncated")
    return Footage(frames, rate, *size, digest_of_film(str(path)), _told(path, notes), video=True)


def _last_line(text: str) -> str:
    lines = [re.sub(r"^(\[.*?\] )+", "", line).strip() for line in text.strip().splitlines()]
    return lines[-1] if lines else "no message"


def _told(path: Path, notes: list[str]) -> tuple[str, ...]:
    return tuple(f"'{path}': {note}" for note in notes)


# Pictures that move, and folders


def _read_animated(path: Path, side: int, part: Part) -> Footage:
    from PIL import Image

    damaged = EvoartError(f"'{path}' is a damaged or truncated picture", "Get an undamaged copy")
    notes: list[str] = []
    times: list[int] = []
    try:
        with Image.open(path) as image:
            size = image.size
    except Exception:
        raise damaged from None
    w, h = fit_size(*size, side)

    def decoded() -> Iterator[np.ndarray]:
        """Frames on white, one after another; ``times`` has how long each is shown."""
        with Image.open(path) as image:
            for i in itertools.count():
                try:
                    image.seek(i)
                    frame = image.convert("RGBA")
                except EOFError:
                    return
                except Exception:  # damaged files make Pillow raise nearly anything
                    notes.append(f"it is damaged; the {i} frames before that are used")
                    return
                shown = int(image.info.get("duration") or 0)
                times.append(shown if shown >= 20 else BROWSERS)
                if np.asarray(frame.getchannel("A")).min() < 255 and not any("transparency" in note for note in notes):
                    notes.append("it is drawn on white where it is transparent")
                white = Image.new("RGBA", frame.size, (255, 255, 255, 255))
                white.alpha_composite(frame)
                yield np.asarray(white.convert("RGB").resize((w, h), Image.Resampling.LANCZOS))

    with _Store((h, w), path, part, None) as store:
        for frame in decoded():
            store.add(frame)
        if not times:
            raise damaged
        whole = store.frames(Part(), None)
    if len(times) < 2 and not any("damaged" in note for note in notes):
        raise UsageError(f"'{path}' has one frame only: it does not move", "Name a picture to write, such as out.svg")
    ends = np.cumsum(times) / 1000
    own = len(times) / float(ends[-1])
    rate = (part.fps or min(own, 50.0)) / part.every
    last = min(part.end or float(ends[-1]), float(ends[-1]))
    moments = np.arange(part.start or 0.0, last - 1e-6, 1 / rate)
    _check_count(path, len(moments), part)
    if not len(moments):
        raise _nothing(path, part, float(ends[-1]))
    chosen = np.searchsorted(ends, moments + 0.5 / rate if part.fps is None else moments + 1e-6).clip(0, len(times) - 1)
    frames = whole if np.array_equal(chosen, np.arange(len(times))) else whole[chosen]
    return Footage(frames, rate, *size, digest_of_film(str(path)), _told(path, notes))


def _pictures(folder: Path) -> list[Path]:
    """The pictures in a folder by name, numbers in their order: 9 before 10."""

    def key(path: Path) -> list[Any]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name.lower())]

    return sorted((each for each in folder.iterdir() if each.suffix.lower() in PICTURES and each.is_file()), key=key)


def _read_folder(folder: Path, side: int, part: Part) -> Footage:
    from PIL import Image

    names = _pictures(folder)
    if not names:
        raise UsageError(
            f"there are no pictures in '{folder}'", "Give a folder of frames: 0001.png, 0002.png and so on"
        )
    own = part.fps or FOLDER_RATE
    first, last = round((part.start or 0.0) * own), None if part.end is None else round(part.end * own)
    seconds, names = len(names) / own, names[first:last][:: part.every]
    _check_count(folder, len(names), part)
    if not names:
        raise _nothing(folder, part, seconds)
    notes: list[str] = []
    frames: list[np.ndarray | None] = []
    size: tuple[int, int] | None = None
    for name in names:
        try:
            picture = load(name, needed=side)
        except EvoartError as error:
            notes.append(f"{error.message}; the frame before stands in")
            frames.append(None)
            continue
        size = size or (picture.width, picture.height)
        image, alpha = picture.at(side)
        if alpha is not None:
            image = image * alpha[..., None] + 1 - alpha[..., None]
        levels = Image.fromarray(np.rint(image * 255).astype(np.uint8))
        if (picture.width, picture.height) != size:
            notes.append(f"'{name.name}' is {picture.width} x {picture.height} and not {size[0]} x {size[1]} pixels, "
                         "and is stretched")  # fmt: skip
        frames.append(np.asarray(levels.resize(fit_size(*size, side), Image.Resampling.LANCZOS)))
    if size is None:
        raise EvoartError(f"none of the {len(names)} pictures in '{folder}' can be read", "Give a folder of frames")
    w, h = fit_size(*size, side)
    standing = next(frame for frame in frames if frame is not None)
    with _Store((h, w), folder, part, len(frames)) as store:
        for frame in frames:
            standing = standing if frame is None else frame
            store.add(standing)
        found = store.frames(part, None)
    if len(notes) > 3:
        notes = [*notes[:3], f"and {len(notes) - 3} more frames are broken or of another size"]
    return Footage(found, own / part.every, *size, digest_of_film(str(folder)), _told(folder, notes))


# What all have


def _nothing(path: Path, part: Part, seconds: float | None) -> UsageError:
    end = "its end" if part.end is None else f"{part.end:g} s"
    length = "" if seconds is None else f", which is {seconds:.1f} s long"
    return UsageError(
        f"no frame lies between {part.start or 0:g} s and {end} of '{path}'{length}", "Change --from or --to"
    )


def _check_count(path: Path, count: int, part: Part) -> None:
    """Refuse more frames than can be kept, before they are read."""
    if count > part.most:
        hours = count * 0.7 / 3600  # the seconds of a frame of 100 triangles on two cores
        raise UsageError(
            f"'{path}' has {count:,} frames, about {hours:.0f} hours of work, and {part.most:,} of so many shapes are "
            "the most that fit into one film",
            "Use a part of it (--from, --to), fewer frames (--fps, --every) or fewer shapes",
        )


class _Store:
    """Frames in a temporary file, which the system keeps in memory as far as there is room."""

    def __init__(self, shape: tuple[int, int], path: Path, part: Part, expected: int | None) -> None:
        self.shape, self.path, self.most, self.count = shape, path, part.most, 0
        need = (expected or 0) * shape[0] * shape[1] * 3
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if need > free:
            raise EvoartError(
                f"the frames of '{path}' take {need / 1e6:,.1f} MB in '{folder}', where {free / 1e6:,.1f} MB are free",
                "Set TMPDIR to another folder, or use fewer frames or --pixels",
            )
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> _Store:
        return self

    def __exit__(self, *error: Any) -> None:
        with contextlib.suppress(OSError):  # what found no room is flushed once more, and finds none
            self.file.close()  # what is mapped stays

    def add(self, frame: np.ndarray) -> None:
        """One more frame ``(h, w, 3)`` uint8."""
        self.count += 1
        if self.count > self.most:
            _check_count(self.path, self.count, Part(most=self.most))
        with self._explaining():
            self.file.write(np.ascontiguousarray(frame).tobytes())

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"the frames of '{self.path}' find no room in '{tempfile.gettempdir()}' ({error.strerror})"
            raise EvoartError(what, "Set TMPDIR to another folder, or use fewer frames or --pixels") from None

    def frames(self, part: Part, seconds: float | None) -> np.ndarray:
        """All of them ``(n, h, w, 3)``.

        Raises:
            UsageError: there are none.
        """
        if not self.count:
            raise _nothing(self.path, part, seconds)
        with self._explaining():
            self.file.flush()
        return np.memmap(self.file, np.uint8, "r", shape=(self.count, *self.shape, 3))


def find_cuts(frames: np.ndarray) -> list[int]:
    """Numbers of the frames with which a shot begins, 0 the first: where a coarse picture changes far more than just
    before and after, so that a fast camera is not taken for a cut."""
    small = np.stack([_coarse(frame) for frame in frames])
    change = np.abs(np.diff(small, axis=0)).mean((1, 2, 3))
    cuts = [0]
    for i, value in enumerate(change):
        around = np.concatenate([change[max(i - 4, 0) : i], change[i + 1 : i + 5]])
        usual = float(np.median(around)) if len(around) else 0.0
        if value > max(CUT, 3 * usual):
            cuts.append(i + 1)
    return cuts


CUT = 0.08  # mean change of a coarse picture, 0 to 1
COARSE = 12  # pixels of its long side


def _coarse(frame: np.ndarray) -> np.ndarray:
    from PIL import Image

    h, w = frame.shape[:2]
    image = Image.fromarray(np.ascontiguousarray(frame)).resize(fit_size(w, h, COARSE), Image.Resampling.BOX)
    return np.asarray(image, np.float32) / 255
