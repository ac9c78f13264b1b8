"""The search of a film: the first frame of every shot as a photograph is drawn, each next one from the last."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from evoart.forms.boxes import boxes
from evoart.forms.film import Shot
from evoart.forms.shapes import ShapesForm
from evoart.run.fit.problem import FitProblem
from evoart.score.pixel import Target
from evoart.search.follow import PACES, Shapes, follow, on_grid
from evoart.threads import threads
from evoart.types import Search

BLOCK = 0.2  # seconds that each of several shots works before they are looked at together
NOTICED = 6 / 255  # change of a pixel that is noticed: noise of cameras is less
CALM = 2 / 255  # change under a shape that halves its steps, where ``steady`` is 1
FIRST = 7.0  # what the first frame of a shot costs, in frames that follow one


class Motion(NamedTuple):
    """By how many pixels a frame has moved since the last one, as a whole."""

    x: int
    y: int

    def moved(self, image: np.ndarray) -> np.ndarray:
        """The image ``(h, w, ...)`` moved, its edges repeated."""
        h, w = image.shape[:2]
        rows, columns = np.arange(h) - self.y, np.arange(w) - self.x
        return image[rows.clip(0, h - 1)][:, columns.clip(0, w - 1)]

    def inside(self, shape: tuple[int, int]) -> np.ndarray:
        """``(h, w)`` bool: where a moved image still shows what was in it."""
        h, w = shape
        rows, columns = np.arange(h) - self.y, np.arange(w) - self.x
        return np.outer((rows >= 0) & (rows < h), (columns >= 0) & (columns < w))


def find_motion(last: np.ndarray, frame: np.ndarray) -> Motion:
    """The motion of the whole frame ``(h, w, 3)`` since the last one, by phase correlation (Kuglin and Hines, 1975);
    none where it explains less of the change than stillness does."""
    h, w = frame.shape[:2]
    window = np.outer(np.hanning(h), np.hanning(w))
    spectra = [np.fft.rfft2((image.mean(-1) - image.mean()) * window) for image in (last, frame)]
    cross = spectra[1] * np.conj(spectra[0])
    peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=(h, w))
    y, x = (int(v) for v in np.unravel_index(peak.argmax(), peak.shape))
    motion = Motion(x - w if x > w // 2 else x, y - h if y > h // 2 else y)
    if abs(motion.x) > w // 4 or abs(motion.y) > h // 4:
        return Motion(0, 0)
    inside = motion.inside((h, w))
    moved, still = (np.abs(frame - image)[inside].mean() for image in (motion.moved(last), last))
    return motion if moved < 0.9 * still else Motion(0, 0)


class ShotSearch:
    """The search of one shot.

    Args:
        problem: of its first frame, as of a photograph.
        frames: ``(n, h, w, 3)`` uint8.
        steady: cost of change, 0 to 1.
        seed: of the shot.
    """

    def __init__(self, problem: FitProblem, frames: np.ndarray, steady: float, seed: list[int]) -> None:
        self.problem, self.frames, self.steady, self.seed = problem, frames, steady, seed
        self.pace = PACES[problem.job.quality]
        self.done_frames: list[Shapes] = []
        self.figures: list[tuple[float, float]] = []  # loss and PSNR of each
        self.counted, self.generation = 0, 0  # evaluations of whole frames, steps
        self._first: Any = None
        self._drawn: np.ndarray | None = None

    @property
    def done(self) -> bool:
        """Whether every frame is drawn."""
        return len(self.done_frames) == len(self.frames)

    @property
    def evaluations(self) -> int:
        """Evaluations so far."""
        return self.counted + (self._first.evaluations if self._first is not None else 0)

    @property
    def first(self) -> Any:
        """The search of the first frame."""
        if self._first is None:
            self._first = self.problem.search()
        return self._first

    @property
    def work(self) -> tuple[float, float]:
        """What is done and all there is to do, in frames that follow one."""
        followed = len(self.done_frames) - 1
        started = FIRST * float(self._first.progress if self._first is not None else 0) if followed < 0 else FIRST
        return started + max(followed, 0), FIRST + len(self.frames) - 1

    def step(self) -> None:
        """A small part of the first frame, or the whole of another."""
        self.generation += 1
        if self.done_frames:
            self._follow()
            return
        self.first.step()
        if self.first.done:
            kinds, rows = self._drawn_first()
            self._add(Shapes(kinds, on_grid(rows), np.arange(len(rows))))
            self.counted, self._first = self.first.evaluations, None

    def _drawn_first(self) -> tuple[tuple[str, ...], np.ndarray]:
        kinds, genome = self.first.structure, self.first.genome
        if len(kinds) == self.problem.form.groups:
            return kinds, genome.reshape(len(kinds), -1)
        # Fewer are as good: a frame of one colour needs none. Those that come after it will.
        state = self.first.arrays()
        return tuple(str(state["names"][i]) for i in state["now_kinds"]), state["rows"].copy()

    def _image(self, frame: int) -> np.ndarray:
        return np.asarray(self.frames[frame], np.float32) / 255

    def _canvas_of(self, target: Target) -> Any:
        return self.problem.builder().canvas(target)

    def _target(self, image: np.ndarray) -> Target:
        return replace(self.problem.target, image=np.ascontiguousarray(image, np.float32))

    def _add(self, shapes: Shapes) -> None:
        canvas = self._canvas_of(self._target(self._image(len(self.done_frames))))
        self.figures.append(canvas.evaluate(shapes.kinds, shapes.rows))
        self.done_frames.append(shapes)
        self._drawn = None

    def _last_drawn(self) -> np.ndarray:
        """The last frame as it was drawn ``(h, w, 3)``."""
        drawn = self._drawn
        if drawn is None:
            kinds, rows, _ = self.done_frames[-1]
            canvas = self._canvas_of(self.problem.target)
            drawn = self._drawn = canvas.engine(kinds).canvas(rows.ravel()).transpose(1, 2, 0).copy()
        return drawn

    def _follow(self) -> None:
        number, last = len(self.done_frames), self.done_frames[-1]
        frame, before = self._image(number), self._image(number - 1)
        motion = find_motion(before, frame)
        inside = motion.inside(frame.shape[:2])
        change = np.where(inside, np.abs(frame - motion.moved(before)).mean(-1), 1.0)
        greatest = np.where(inside, np.abs(frame - motion.moved(before)).max(-1), 1.0)
        # A cost on change is a target that lies between the frame and what was drawn, where the film is still.
        kept = (self.steady * np.exp(-((greatest / NOTICED) ** 2)))[..., None]
        target = self._target((1 - kept) * frame + kept * motion.moved(self._last_drawn()))
        builder = self.problem.builder()
        coarse, fine = builder.canvases(target)
        shapes, evaluations = follow(
            np.random.default_rng([*self.seed, number]), coarse, fine, self._carried(last, motion), builder.choices,
            builder.scales, builder.bounds, self._moving(builder.form, change), self.pace,
            int(max(frame.numbers[-1] for frame in self.done_frames)) + 1, builder.form.palette is None,
            1 - self.steady,
        )  # fmt: skip
        self.counted += evaluations
        self._add(shapes)

    def _carried(self, shapes: Shapes, motion: Motion) -> Shapes:
        """The shapes where the motion of the whole frame takes them."""
        if motion == (0, 0):
            return shapes
        h, w = self.frames.shape[1:3]
        form = self.problem.form
        by = {"x": motion.x * form.width / w, "y": motion.y * form.height / h}
        rows = shapes.rows.copy()
        for row, kind in zip(rows, shapes.kinds, strict=True):
            roles = roles_of(kind)
            row[: len(roles)] += [by.get(role, 0.0) for role in roles]
        return shapes._replace(rows=rows)

    def _moving(self, form: ShapesForm, change: np.ndarray) -> Callable[[tuple[str, ...], np.ndarray], np.ndarray]:
        """What tells how freely shapes may move: as the mean change ``(h, w)`` in their boxes is to what is noticed."""
        h, w = change.shape
        sums = np.pad(change.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        calm = self.steady * CALM

        def moving(kinds: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
            if not calm:
                return np.ones(len(kinds))
            left, top, right, bottom = boxes(form.with_kinds(kinds), rows.reshape(1, -1), np)[0].T
            x, y = np.floor(left * w).clip(0, w - 1).astype(int), np.floor(top * h).clip(0, h - 1).astype(int)
            r = np.maximum(np.ceil(right * w).clip(0, w).astype(int), x + 1)
            b = np.maximum(np.ceil(bottom * h).clip(0, h).astype(int), y + 1)
            mean = (sums[b, r] - sums[y, r] - sums[b, x] + sums[y, x]) / ((r - x) * (b - y))
            return np.maximum(mean, 0) / (np.maximum(mean, 0) + calm)

        return moving

    def shot(self) -> tuple[Shot, np.ndarray] | None:
        """What was drawn so far: the shot and its part of the genome; None where there is nothing yet."""
        frames = self.done_frames
        if not frames:
            if self._first is None or not self._first.structure:
                return None
            rows = self._first.genome.reshape(len(self._first.structure), -1)
            frames = [Shapes(tuple(self._first.structure), rows, np.arange(len(rows)))]
        lives: dict[int, list[Any]] = {}
        for number, (kinds, rows, ids) in enumerate(frames):
            for kind, row, identity in zip(kinds, rows, ids.tolist(), strict=True):
                lives.setdefault(identity, [kind, number, []])[2].append(row)
        found = [lives[identity] for identity in sorted(lives)]
        form = self.problem.form.with_kinds(tuple(kind for kind, _, _ in found))
        spans = tuple((first, first + len(rows)) for _, first, rows in found)
        genome = np.concatenate([row for _, _, rows in found for row in rows])
        return Shot(form, spans, len(frames)), genome

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state."""
        if not self.done_frames:
            state = {f"first_{name}": value for name, value in self.first.arrays().items()} if self._first else {}
            return state | {"counts": np.array([self.generation, self.counted])}
        names = sorted({kind for frame in self.done_frames for kind in frame.kinds})
        code = {name: i for i, name in enumerate(names)}
        return {
            "names": np.array(names, dtype=str),
            "kinds": np.array([[code[kind] for kind in frame.kinds] for frame in self.done_frames], np.int32),
            "rows": np.stack([frame.rows for frame in self.done_frames]),
            "numbers": np.stack([frame.numbers for frame in self.done_frames]).astype(np.int64),
            "figures": np.array(self.figures, np.float64),
            "counts": np.array([self.generation, self.counted]),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Continue from ``arrays()``."""
        self.generation, self.counted = (int(v) for v in arrays["counts"])
        if "rows" not in arrays:
            first = {name[6:]: value for name, value in arrays.items() if name.startswith("first_")}
            if first:
                self.first.load(first)
            return
        names = [str(name) for name in arrays["names"]]
        parts = zip(arrays["kinds"], arrays["rows"], arrays["numbers"], strict=True)
        self.done_frames = [Shapes(tuple(names[i] for i in kinds), rows, ids) for kinds, rows, ids in parts]
        self.figures = [(float(loss), float(decibels)) for loss, decibels in arrays["figures"]]
        if len(self.figures) != len(self.done_frames) or len(self.figures) > len(self.frames):
            raise ValueError("more frames than the film has")


def roles_of(kind: str) -> list[str]:
    """What each number of a shape's geometry stands for."""
    from evoart.draw.shapes import shape

    return [parameter.role for parameter in shape(kind).parameters]


class FilmSearch(Search):
    """Draws shot by shot, as many at a time as there are threads; what comes out never depends on how many."""

    def __init__(self, shots: list[ShotSearch]) -> None:
        self.shots = shots
        self._pool: ThreadPoolExecutor | None = None
        self._made: tuple[Any, tuple[Shot, ...], np.ndarray] = (None, (), np.zeros(0, np.float32))

    @property
    def done(self) -> bool:
        """Whether every frame of every shot is drawn."""
        return all(shot.done for shot in self.shots)

    def step(self) -> None:
        """A frame, or a small part of a shot's first, of one shot or of several at once."""
        active = [shot for shot in self.shots if not shot.done][: threads()]
        if len(active) < 2:
            for shot in active:
                shot.step()
            return
        self._pool = self._pool or ThreadPoolExecutor(threads())
        for shot in active:
            shot.problem.builder()  # what is compiled is compiled before threads come together
        list(self._pool.map(_work, active))

    @property
    def _figures(self) -> list[tuple[float, float]]:
        return [figures for shot in self.shots for figures in shot.figures]

    @property
    def loss(self) -> float:
        """Mean over the frames that are drawn, or that of the first frame so far."""
        figures = self._figures
        return float(np.mean([loss for loss, _ in figures])) if figures else float(self.shots[0].first.loss)

    @property
    def psnr(self) -> float:
        """Mean in dB over the frames that are drawn, or that of the first frame so far."""
        figures = self._figures
        return float(np.mean([psnr for _, psnr in figures])) if figures else float(self.shots[0].first.psnr or 0)

    @property
    def generation(self) -> int:
        """Steps of all shots."""
        return sum(shot.generation for shot in self.shots)

    @property
    def evaluations(self) -> int:
        """Of all shots."""
        return sum(shot.evaluations for shot in self.shots)

    @property
    def stage(self) -> str:
        """What is being done, for the progress line."""
        frames, done = sum(len(shot.frames) for shot in self.shots), len(self._figures)
        return "done" if self.done else f"frame {min(done + 1, frames):,} of {frames:,}"

    @property
    def progress(self) -> float:
        """Share of the work that is done, 0 to 1."""
        parts = [shot.work for shot in self.shots]
        return sum(done for done, _ in parts) / sum(all_ for _, all_ in parts)

    @property
    def structure(self) -> tuple[Shot, ...]:
        """The shots so far; see ``FilmForm.with_structure``."""
        return self._assembled()[1]

    @property
    def genome(self) -> np.ndarray:
        """The film so far ``(dim,)``."""
        return self._assembled()[2]

    def _assembled(self) -> tuple[Any, tuple[Shot, ...], np.ndarray]:
        key = [(shot.generation, len(shot.done_frames)) for shot in self.shots]
        if self._made[0] != key:
            _ = self.shots[0].first if not self.shots[0].done_frames else None
            found = [made for shot in self.shots if (made := shot.shot()) is not None]
            if not found:  # before the first shape is placed
                form = self.shots[0].problem.form
                found = [(Shot(form.with_kinds(()), (), 1), np.zeros(0, np.float32))]
            genome = np.concatenate([part for _, part in found]).astype(np.float32)
            self._made = key, tuple(shot for shot, _ in found), genome
        return self._made

    def arrays(self) -> dict[str, np.ndarray]:
        """The whole state: each shot's."""
        return {f"{i}/{name}": value for i, shot in enumerate(self.shots) for name, value in shot.arrays().items()}

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """See ``Search.load``."""
        for i, shot in enumerate(self.shots):
            start = f"{i}/"
            shot.load({name.removeprefix(start): v for name, v in arrays.items() if name.startswith(start)})
        if len({name.partition("/")[0] for name in arrays}) != len(self.shots):
            raise ValueError("another number of shots")


def _work(shot: ShotSearch) -> None:
    until = time.monotonic() + BLOCK
    while not shot.done:
        shot.step()
        if time.monotonic() >= until:
            return
