"""Films of shapes: as a picture their first frame, as SVG each shape once, moving by SMIL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from evoart.draw.layout import layout
from evoart.draw.scene import Scene, draw
from evoart.draw.scene import svg as scene_svg
from evoart.draw.shapes import shape
from evoart.draw.svg import Numbers, colour, compact, document

Life = tuple[int, int]
DETAIL = 24  # points of a curve that has to be written as a polygon


@dataclass(frozen=True)
class FilmDrawing:
    """A film of shapes.

    Attributes:
        shots: of each shot a scene that has a shape for every frame of every shape, shape after shape in paint order;
            ``(first, past-last)`` frame of each shape; and the number of frames.
        rate: frames a second.
    """

    shots: tuple[tuple[Scene, Sequence[Life], int], ...]
    rate: float

    @property
    def width(self) -> float:
        """Extent in units; the longer side is 1."""
        return self.shots[0][0].width

    @property
    def height(self) -> float:
        """See ``width``."""
        return self.shots[0][0].height

    @property
    def background(self) -> tuple[float, float, float] | None:
        """That of the first frame."""
        return self.shots[0][0].background

    @cached_property
    def first(self) -> Scene:
        """The first frame."""
        scene, lives, _ = self.shots[0]
        starts = np.cumsum([0, *(last - first for first, last in lives)])
        at = [int(starts[i]) for i, (first, _) in enumerate(lives) if first == 0]
        kinds = tuple(scene.kinds[i] for i in at)
        return replace(scene, kinds=kinds, geometry=scene.geometry[at], rgba=scene.rgba[at])

    def paint(self, size: tuple[int, int], rows: tuple[int, int] | None = None) -> np.ndarray:
        """The first frame; see ``Drawing.paint``."""
        return draw(self.first, size, rows)

    def svg(self, size: tuple[int, int], title: str = "", recipe: str = "", alpha: np.ndarray | None = None) -> str:
        """The first frame; see ``Drawing.svg``."""
        return scene_svg(self.first, size, title=title, recipe=recipe, alpha=alpha)

    def animated_svg(
        self, size: tuple[int, int], seconds: float, hold: float, title: str = "", recipe: str = ""
    ) -> str:
        """The whole film as one SVG document that plays in a loop: every shape is one element that glides from frame to
        frame, and is there as long as it lives. It lasts as long as the film does, whatever ``seconds`` says."""
        total = sum(frames for _, _, frames in self.shots)
        clock = f'dur="{compact(total / self.rate, 3)}s" repeatCount="indefinite"'

        def elements(number: Numbers) -> Iterator[str]:
            start = 0
            box = f'width="{number.length(self.width)}" height="{number.length(self.height)}"'
            for scene, lives, frames in self.shots:
                times = np.arange(start, start + frames + 1) / total
                shown = _visibility(times[0], times[-1], clock)
                yield f"<g{_hidden(times[0])}>{shown}"
                if scene.background is not None:
                    yield f'<rect {box} fill="{colour(scene.background)}"/>'
                row = 0
                for first, last in lives:
                    yield from _element(scene, range(row, row + last - first), times[first : last + 1], number, clock)
                    row += last - first
                yield "</g>"
                start += frames

        return document(replace(self.first, background=None), size, elements, title=title, recipe=recipe)


def _hidden(first: float) -> str:
    return ' visibility="hidden"' if first > 0 else ""


def _share(value: float) -> str:
    return compact(float(value), 5)


def _visibility(first: float, last: float, clock: str) -> str:
    """The animation that shows something from ``first`` to ``last``, shares of the film."""
    keys = [(0.0, "visible" if first <= 0 else "hidden")]
    keys += [(first, "visible")] if first > 0 else []
    keys += [(last, "hidden")] if last < 1 else []
    if len(keys) == 1:
        return ""
    values, times = ";".join(value for _, value in keys), ";".join(_share(time) for time, _ in keys)
    return f'<animate attributeName="visibility" calcMode="discrete" values="{values}" keyTimes="{times}" {clock}/>'


def _element(scene: Scene, rows: range, times: np.ndarray, number: Numbers, clock: str) -> Iterator[str]:
    """One shape, its rows those of the frames it lives in, ``times`` their beginnings and the last one's end."""
    frames = [_attributes(scene, row, number) for row in rows]
    name, still = frames[0]
    animations = [_visibility(times[0], times[-1], clock)]
    for key in still:
        animations.append(_animation(key, [attributes[key] for _, attributes in frames], times, clock))
    inside = "".join(animations)
    attributes = " ".join(f'{key}="{value}"' for key, value in still.items())
    yield f"<{name} {attributes}{_hidden(times[0])}" + (f">{inside}</{name}>" if inside else "/>")


def _animation(key: str, values: list[str], times: np.ndarray, clock: str) -> str:
    """The animation of one attribute, with no more values than it has changes; "" where it does not change."""
    if len(set(values)) == 1:
        return ""
    at = [float(time) for time in times[:-1]]
    needed = [
        i for i in range(len(values)) if i in (0, len(values) - 1) or not values[i - 1] == values[i] == values[i + 1]
    ]
    keys = [(at[i], values[i]) for i in needed]
    if keys[0][0] > 0:
        keys = [(0.0, keys[0][1]), *keys]
    if keys[-1][0] < 1:
        keys = [*keys, (1.0, keys[-1][1])]
    marks = ";".join(_share(time) for time, _ in keys)
    if key == "transform":
        parts = np.array([[float(part) for part in value[7:-1].split()] for _, value in keys])
        parts[:, 0] = np.unwrap(parts[:, 0], period=360)  # the short way around
        turned = ";".join(" ".join(compact(part, 3) for part in each) for each in parts)
        return (
            f'<animateTransform attributeName="transform" type="rotate" values="{turned}" keyTimes="{marks}" {clock}/>'
        )
    words = ";".join(value for _, value in keys)
    return f'<animate attributeName="{key}" values="{words}" keyTimes="{marks}" {clock}/>'


def _attributes(scene: Scene, row: int, number: Numbers) -> tuple[str, dict[str, str]]:
    """Element and attributes of one row, with the paint."""
    kind = shape(scene.kinds[row])
    p = scene.geometry[row, : len(kind.parameters)]
    name, attributes = kind.svg(p, number)
    if name == "use":  # whose place, turn and size SMIL cannot animate together
        plan = layout((scene.kinds[row],), DETAIL)
        points, _ = plan.outlines(np, scene.geometry[row : row + 1].astype(np.float64), np.ones(2))
        name, attributes = "polygon", {"points": " ".join(f"{number.length(x)},{number.length(y)}" for x, y in points)}
        attributes["fill-rule"] = "evenodd"
    paint = "fill" if kind.filled else "stroke"
    if not kind.filled:
        attributes = attributes | {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round"}
    attributes[paint] = "#{:02x}{:02x}{:02x}".format(*np.round(np.clip(scene.rgba[row, :3], 0, 1) * 255).astype(int))
    return name, attributes | {f"{paint}-opacity": compact(float(np.clip(scene.rgba[row, 3], 0, 1)), 3)}
