"""Batches of captioned pictures: single things, several, scenes, in other colours and on other grounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from captions import LINKS, NUMBERS, Captions, plural
from PIL import Image

from evoart.openclip.compose import COLOURS, flattened, main_part, pasted, places, shaded, spots, tinted

SIZE = 32
SOURCE = 48  # pixels of the pictures that are put together
INKS = ("as it is", *COLOURS)


def _smaller(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image, "RGBA").resize((SOURCE, SOURCE), Image.Resampling.BOX))


class World:
    """Draws captioned pictures of the sets ``allowed``.

    Attributes:
        rows: the pictures that belong to each thing.
    """

    def __init__(self, data: Path, allowed: tuple[str, ...], rng: np.random.Generator) -> None:
        import json

        store = np.load(data / "pictures.npz")
        names = json.loads((data / "things.json").read_text())["sets"]
        use = np.isin(store["sets"], [names.index(name) for name in allowed if name in names])
        self.things = store["things"][use]
        self.pictures = np.array([_smaller(each) for each in store["pictures"][use]])
        self.captions, self.rng = Captions(data), rng
        self.rows = [np.flatnonzero(self.things == i) for i in range(len(self.captions.names))]
        self.known = [i for i, rows in enumerate(self.rows) if len(rows)]
        self.order: list[int] = []
        self._inks: dict[int, str | None] = {}

    def colour_of(self, row: int) -> str | None:
        """The word for a picture's main colour, where half of it has it."""
        if row not in self._inks:
            image = self.pictures[row].astype(np.float32) / 255
            part = main_part(image) * image[..., 3]
            word = None
            if part.sum() > 0.5 * image[..., 3].sum():
                mean = (image[..., :3] * part[..., None]).sum((0, 1)) / part.sum()
                word = min(COLOURS, key=lambda name: float(((shaded(name) - mean) ** 2).sum()))
            self._inks[row] = word
        return self._inks[row]

    def _next(self) -> int:
        """Pictures one after the other in random order, so that each is seen."""
        if not self.order:
            self.order = self.rng.permutation(len(self.pictures)).tolist()
        return self.order.pop()

    def _shown(self, row: int, ink: str | None = None) -> np.ndarray:
        """A picture, turned and mirrored a little, in a colour."""
        rng = self.rng
        image = self.pictures[row]
        if rng.random() < 0.5:
            image = image[:, ::-1]
        seen = Image.fromarray(image, "RGBA")
        if rng.random() < 0.5:
            seen = seen.rotate(rng.uniform(-14, 14), Image.Resampling.BILINEAR, translate=None)
        out = np.asarray(seen, np.float32) / 255
        return tinted(out, ink) if ink else out

    def item(self) -> tuple[np.ndarray, str, int, int]:
        """Picture ``(SIZE, SIZE, 3)``, caption, thing (-1: several kinds) and number of things."""
        rng, kind = self.rng, self.rng.random()
        background = str(rng.choice(list(COLOURS))) if rng.random() < 0.25 else "white"
        base = shaded(background) if rng.random() < 0.7 else np.clip(shaded(background) + rng.normal(0, 0.06, 3), 0, 1)
        told = background if background != "white" and rng.random() < 0.7 else None
        row = self._next()
        thing = int(self.things[row])
        if kind < 0.74:  # one thing
            ink, said = None, None
            if rng.random() < 0.33:
                ink = str(rng.choice([c for c in COLOURS if c != background]))
                said = ink
            elif rng.random() < 0.25:
                said = self.colour_of(row)
            image = self._shown(row, ink)
            side = 0.97 if rng.random() < 0.45 else rng.uniform(0.5, 0.97)
            aspect = np.exp(rng.normal(0, 0.06, 2))
            x, y = rng.uniform(-0.02, 1.02 - side, 2)
            image = pasted([(image, (x, y, side * min(aspect[0], 1), side * min(aspect[1], 1)))], SIZE)
            return flattened(image, base), self.captions.single(rng, thing, said, told), thing, 1
        if kind < 0.86:  # several of it
            count = int(rng.integers(2, 6))
            ink = str(rng.choice([c for c in COLOURS if c != background])) if rng.random() < 0.3 else None
            parts = []
            for x, y, w, h in spots(count):
                dx, dy = rng.normal(0, 0.02, 2)
                parts.append((self._shown(row, ink), (x + dx, y + dy, w * 0.95, h * 0.95)))
            noun = (self.captions.names, self.captions.short)[rng.integers(2)][thing]
            text = f"{NUMBERS[count]} {ink + ' ' if ink else ''}{plural(noun)}"
            return flattened(pasted(parts, SIZE), base), self.captions.on(rng, text, told), thing, count
        other = self._next()
        relation = str(rng.choice(list(LINKS)))
        first, second = places(relation)
        parts, nouns = [], []
        for each, box in ((row, first), (other, second)):
            ink = str(rng.choice([c for c in COLOURS if c != background])) if rng.random() < 0.35 else None
            dx, dy = rng.normal(0, 0.02, 2)
            parts.append((self._shown(each, ink), (box[0] + dx, box[1] + dy, box[2], box[3])))
            nouns.append(f"a {ink + ' ' if ink else ''}{self.captions.noun(rng, int(self.things[each]))}")
        if relation == "on":
            parts.reverse()
        link = LINKS[relation][rng.integers(len(LINKS[relation]))]
        text = f"{nouns[0]} {link} {nouns[1]}"
        return flattened(pasted(parts, SIZE), base), self.captions.on(rng, text, told), -1, 2

    def clutter(self) -> np.ndarray:
        """A picture that shows nothing: a few soft or hard shapes of colours of real pictures."""
        rng = self.rng
        row = int(rng.integers(len(self.pictures)))
        image = self.pictures[row]
        colours = image[image[..., 3] > 128][:, :3].astype(np.float32) / 255
        out = np.ones((SIZE, SIZE, 3), np.float32)
        y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
        for _ in range(int(rng.integers(3, 14))):
            cx, cy, a, b = *rng.uniform(0.15, 0.85, 2), *rng.uniform(0.05, 0.35, 2)
            angle = rng.uniform(0, np.pi)
            u = ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) / a
            v = ((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)) / b
            inside = np.hypot(u, v) < 1 if rng.random() < 0.5 else np.maximum(abs(u), abs(v)) < 1
            if rng.random() < 0.3:
                inside = (v > -1) & (abs(u) < (1 - v) / 2) & (v < 1)
            alpha = rng.uniform(0.3, 1) * inside[..., None]
            ink = colours[rng.integers(len(colours))] if len(colours) else rng.random(3)
            out = out * (1 - alpha) + ink * alpha
        return out
