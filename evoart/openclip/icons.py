"""The things that the model inside knows by sight: for a prompt, a small picture of where its parts are.

The file holds, for each thing, a few *blends*: maps of flat colours that say what pictures of it by several artists
share, warped to the mean of their shapes (``benchmarks/words/blend.py``). A prompt is taken apart into things, colours,
numbers, a background and a relation; the blends are coloured and put together accordingly.
"""

from __future__ import annotations

import difflib
import functools
import json
import math
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image

from evoart.errors import UsageError
from evoart.openclip import compose, safetensors
from evoart.openclip.compose import COLOURS

FILE = Path(__file__).parent / "models" / "icons-prior.safetensors"
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "the": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "dozen": 12, "some": 3, "several": 4, "many": 7,
}  # fmt: skip
RELATIONS = (
    ("to the left of", "left"), ("left of", "left"), ("to the right of", "right"), ("right of", "right"),
    ("on top of", "on"), ("next to", "beside"), ("in front of", "on"), ("underneath", "under"), ("beneath", "under"),
    ("above", "above"), ("over", "above"), ("under", "under"), ("below", "under"), ("beside", "beside"),
    ("near", "beside"), ("behind", "beside"), ("by", "beside"), ("at", "beside"), ("against", "on"), ("with", "and"),
    ("and", "and"), ("or", "or"), ("inside", "on"), ("on", "on"), ("in", "on"),
)  # fmt: skip
# Where something is, rather than what: colours of the whole background, or of its upper and lower part.
SCENERY = {
    "sea": ("light blue", "blue"), "ocean": ("light blue", "blue"), "water": ("light blue", "blue"),
    "lake": ("light blue", "blue"), "waves": ("light blue", "blue"), "grass": ("light blue", "green"),
    "meadow": ("light blue", "green"), "field": ("light blue", "green"), "hill": ("light blue", "green"),
    "beach": ("light blue", "light yellow"), "sand": ("light blue", "light yellow"),
    "desert": ("light blue", "light orange"), "snow": ("light blue", "white"), "sky": ("light blue",),
    "night": ("dark blue",), "space": ("dark blue",), "dark": ("dark blue",), "sunset": ("light orange",),
}  # fmt: skip
SHADES = {"light": "light", "pale": "light", "bright": "", "dark": "dark", "deep": "dark"}
SAME = {"gray": "grey", "violet": "purple", "golden": "yellow", "gold": "yellow", "silver": "grey", "crimson": "red",
        "scarlet": "red", "turquoise": "light blue", "cyan": "light blue", "navy": "dark blue", "beige": "light brown",
        "magenta": "pink", "lilac": "light purple"}  # fmt: skip
# Words that are no things: how a picture is meant, or how a thing looks.
IDLE = {
    "art", "at", "background", "beautiful", "big", "clip", "colored", "coloured", "cute", "drawing", "drawn",
    "emoji", "flat", "happy", "her", "his", "icon", "illustration", "image", "in", "is", "it", "its", "large",
    "little", "logo", "minimal", "my", "new", "nice", "of", "old", "our", "painting", "pair", "photo",
    "picture", "silhouette", "simple", "sketch", "small", "sticker", "style", "that", "their", "there", "these",
    "this", "those", "tiny", "to", "vector", "very", "which", "your",
}  # fmt: skip
SHAPES = {
    "circle": ("circle", "disc", "dot", "ball shape"), "square": ("square", "box shape"), "triangle": ("triangle",),
    "rectangle": ("rectangle", "oblong"), "ellipse": ("ellipse", "oval"), "ring": ("ring shape", "hoop", "annulus"),
    "cross": ("cross", "plus"), "diamond": ("rhombus", "lozenge", "diamond shape"), "pentagon": ("pentagon",),
    "hexagon": ("hexagon",), "octagon": ("octagon",), "semicircle": ("semicircle", "half circle"),
    "stripe": ("stripe", "bar", "line"), "bullseye": ("bullseye", "target shape"),
}  # fmt: skip
# What a word means first, where names and keywords would choose otherwise.
MEANT = {
    "angel": "baby angel", "animal": "cat face", "arm": "flexed biceps", "arrow": "right arrow", "bag": "handbag",
    "ball": "soccer ball", "bench": "chair", "boat": "sailboat", "boot": "womans boot", "bottle": "baby bottle",
    "box": "package", "brush": "paintbrush", "bug": "lady beetle", "building": "house", "cable": "electric plug",
    "cake": "birthday cake", "cap": "billed cap", "card": "credit card", "cello": "violin", "chef": "cook",
    "cherry": "cherries", "clock": "alarm clock", "devil": "smiling face with horns", "dinosaur": "sauropod",
    "dish": "fork and knife with plate", "doctor": "health worker", "drink": "cup with straw", "drop": "droplet",
    "engine": "locomotive", "face": "slightly smiling face", "farm": "barn", "finger": "index pointing up",
    "flag": "triangular flag", "flower": "tulip", "food": "hamburger", "frame": "framed picture",
    "fruit": "red apple", "gate": "door", "glass": "wine glass", "hand": "raised hand", "hat": "top hat",
    "insect": "lady beetle", "iron": "anvil", "king": "person with crown", "knight": "knight", "lady": "woman",
    "lamp": "lamp", "letter": "envelope", "lightning": "high voltage", "lips": "mouth", "lock": "locked",
    "map": "world map", "mask": "performing arts", "medal": "sports medal", "monster": "alien monster",
    "nest": "nest with eggs", "nurse": "health worker", "office": "office building", "orange": "tangerine",
    "orchid": "hibiscus", "paper": "page facing up", "parsley": "herb", "path": "motorway", "pet": "dog face",
    "piano": "grand piano", "pigeon": "dove", "pin": "pushpin", "plane": "airplane", "plant": "potted plant",
    "pot": "pot of food", "queen": "princess", "rain": "cloud with rain", "ring": "ring", "roof": "house",
    "sea": "water wave", "sheep": "ewe", "shop": "convenience store", "smiley": "slightly smiling face",
    "snow": "snowflake", "soldier": "guard", "spaceship": "rocket", "spinach": "leafy green", "squirrel": "chipmunk",
    "stick": "wood", "stone": "rock", "storm": "cloud with lightning and rain", "street": "motorway",
    "sugar": "candy", "suit": "person in tuxedo", "sword": "sword", "tea": "teacup without handle",
    "thumb": "thumbs up", "toast": "bread", "vehicle": "automobile", "walnut": "chestnut", "water": "droplet",
    "wave": "water wave", "weather": "sun behind cloud", "wizard": "mage",
}  # fmt: skip
MOST = 9  # of one thing
NAMED = 1.5  # how sure a name is, or its last word; keywords are less
_PEOPLE = ("face", "cat-face", "monkey-face", "person", "emotion", "heart", "hand", "geometric")  # themes
FINE = 128  # pixels of a target
_SOFT = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)  # of neighbouring pixels: makes outlines of labels smooth


@dataclass(frozen=True)
class Part:
    """One kind of thing in a prompt: its index (or a shape's name), how many, its colour or "", and what else the same
    word may mean."""

    thing: int | str
    count: int = 1
    colour: str = ""
    others: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scene:
    """What a prompt says.

    Attributes:
        parts: one to three kinds of things.
        relations: between each part and the next.
        background: colour words: one of all, or those of the upper and of the lower part.
        strange: words that were not understood.
        left_out: what was understood and is not drawn: a second colour, a fourth thing, what is denied.
    """

    parts: tuple[Part, ...]
    relations: tuple[str, ...] = ()
    background: tuple[str, ...] = ("white",)
    strange: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Icons:
    """The file's contents; see the module's text.

    Attributes:
        things: rows with ``name``, ``short``, ``words``, ``theme``, ``emoji``.
        of: the thing of each blend ``(n,)``.
        group: which view of its thing each blend shows ``(n,)``, 0 the one that artists agree on best.
        distance: how far the artists' pictures lie apart ``(n,)``: less is a surer place for every part.
    """

    things: list[dict]
    of: np.ndarray
    group: np.ndarray
    distance: np.ndarray
    palettes: np.ndarray
    offsets: np.ndarray
    maps: np.ndarray
    lexicon: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def blend(self, i: int, size: int = FINE) -> np.ndarray:
        """Blend ``i`` ``(size, size, 4)``: flat colours with smooth outlines, opacity not multiplied in."""
        packed = self.maps[self.offsets[i] : self.offsets[i + 1]].tobytes()
        labels = np.frombuffer(zlib.decompress(packed), np.uint8)
        side = math.isqrt(len(labels))
        labels = labels.reshape(side, side)
        palette = self.palettes[i].astype(np.float32) / 255
        planes = []
        for k in range(int(labels.max()) + 1):
            plane = np.pad((labels == k).astype(np.float32), 2, mode="edge")
            plane = np.sum([share * plane[i : i + side] for i, share in enumerate(_SOFT)], 0)
            plane = np.sum([share * plane[:, i : i + side] for i, share in enumerate(_SOFT)], 0, dtype=np.float32)
            planes.append(np.asarray(Image.fromarray(plane, "F").resize((size, size), Image.Resampling.BICUBIC)))
        planes = np.array(planes)
        second, first = np.sort(planes, 0)[-2:] if len(planes) > 1 else (np.zeros_like(planes[0]), planes[0])
        rival = np.where(planes == first, second, first)  # the greatest of the other planes
        share = np.clip((planes - rival) * 1.5 + 0.5, 0, 1)
        share /= share.sum(0)
        colour = np.einsum("khw,kc->hwc", share[1:], palette[: len(planes) - 1])
        alpha = share[1:].sum(0)
        colour = colour / np.maximum(alpha, 1e-3)[..., None]
        return np.concatenate([np.clip(colour, 0, 1), alpha[..., None]], -1).astype(np.float32)

    def themes(self) -> dict[str, list[str]]:
        """Names of all things that can be drawn, by theme, both in alphabetical order."""
        found: dict[str, list[str]] = {}
        for i in sorted({int(thing) for thing in self.of}, key=lambda i: self.things[i]["name"]):
            found.setdefault(self.things[i]["theme"], []).append(self.things[i]["name"])
        return dict(sorted(found.items()))

    def named(self, phrase: str) -> list[tuple[int, float]]:
        """Things that a noun may mean with how sure that is, best first; none for a word that is not known."""
        one = singular(phrase)
        found = list(self.lexicon.get(phrase, ()))
        if one != phrase:  # "glasses" are worn before they are two of a glass
            found += [(i, sure - (1.4 if found and found[0][1] > 2.5 else 0)) for i, sure in self.lexicon.get(one, ())]
        both = [(i, sure - 1) for i, sure in self.lexicon.get(f"{phrase}s", ())] + found
        return sorted(dict(sorted(both, key=lambda pair: pair[1])).items(), key=lambda pair: -pair[1])

    def nearest(self, word: str, most: int = 3) -> list[str]:
        """Known words that are spelled about like ``word``, names before keywords."""
        near = difflib.get_close_matches(word, self.lexicon, 4 * most, 0.6)
        likeness = {each: difflib.SequenceMatcher(None, each, word).ratio() for each in near}
        return sorted(near, key=lambda each: -likeness[each] - 0.1 * (self.lexicon[each][0][1] > NAMED))[:most]

    def read(self, prompt: str) -> Scene:
        """What a prompt says.

        Raises:
            UsageError: nothing in it is known; the nearest known words are named.
        """
        return _Reader(self).scene(prompt)

    def target(self, scene: Scene, seed: int = 0, size: int = FINE) -> np.ndarray:
        """A picture ``(size, size, 3)`` of what a prompt says, where its parts are and what colours they have.

        Another seed, another mixture of artists, bent another way, and where there are several, another view.
        """
        image = self.cutout(scene, seed, size)
        base = np.empty((size, size, 3), np.float32)
        base[:] = compose.shaded(scene.background[0])
        if len(scene.background) > 1:
            base[int(0.66 * size) :] = compose.shaded(scene.background[1])
        if scene.background == ("white",):
            base[:] = 1
        return compose.flattened(image, base)

    def cutout(self, scene: Scene, seed: int = 0, size: int = FINE) -> np.ndarray:
        """The same ``(size, size, 4)`` without a background: colour, and opacity that is not multiplied in."""
        rng = np.random.default_rng([seed, 77])
        return _arranged([self._part(part, rng, size) for part in scene.parts], scene, size)

    def describe(self, scene: Scene) -> str:
        """What will be drawn, in words: ``3 red apple, sun (yellow), on blue``."""
        parts = []
        for part in scene.parts:
            name = part.thing if isinstance(part.thing, str) else self.things[part.thing]["name"]
            number = f"{part.count} " if part.count > 1 else ""
            parts.append(f"{number}{name}" + (f" ({part.colour})" if part.colour else ""))
        background = "" if scene.background == ("white",) else f", on {' and '.join(scene.background)}"
        return ", ".join(parts) + background

    def choices(self, thing: int) -> np.ndarray:
        """Blends of a thing."""
        return np.flatnonzero(self.of == thing)

    def _part(self, part: Part, rng: np.random.Generator, size: int) -> list[np.ndarray]:
        """``count`` pictures of one kind of thing."""
        if isinstance(part.thing, str):
            image = _shape(part.thing, size)
        else:
            thing = part.thing
            if part.others and rng.random() < 0.3:  # "a cat" is its face mostly, and now and then the whole animal
                thing = int(rng.choice(part.others))
            blends = self.choices(thing)
            # The first of the best view mostly; the others by how near the artists are.
            odds = np.exp(-self.distance[blends] / 0.012) * np.where(self.group[blends] == 0, 1.0, 0.35)
            image = compose.varied(self.blend(int(rng.choice(blends, p=odds / odds.sum())), size), rng)
        if part.colour:
            image = compose.tinted(image, part.colour)
        if not isinstance(part.thing, str) and rng.random() < 0.3 and not self.things[part.thing].get("text"):
            image = image[:, ::-1]
        return [image] * part.count


def _arranged(shown: list[list[np.ndarray]], scene: Scene, size: int) -> np.ndarray:
    """Pictures put in their places."""
    if len(shown) == 1:
        boxes = compose.spots(len(shown[0])) if len(shown[0]) > 1 else [(0.05, 0.05, 0.9, 0.9)]
        return compose.pasted(list(zip(shown[0], boxes, strict=True)), size)
    groups = []
    for images in shown:
        boxes = compose.spots(len(images)) if len(images) > 1 else [(0.0, 0.0, 1.0, 1.0)]
        groups.append(compose.pasted(list(zip(images, boxes, strict=True)), size) if len(images) > 1 else images[0])
    if len(groups) == 2:
        first, second = compose.places(scene.relations[0])
        pairs = [(groups[0], first), (groups[1], second)]
        return compose.pasted(pairs[::-1] if scene.relations[0] == "on" else pairs, size)
    upper = {"above": 0, "under": 1, "on": 0}.get(scene.relations[0])
    boxes = [(0.02, 0.3, 0.32, 0.42), (0.34, 0.3, 0.32, 0.42), (0.66, 0.3, 0.32, 0.42)]
    if upper is not None:
        boxes = [(0.3, 0.03, 0.4, 0.44), (0.03, 0.5, 0.45, 0.46), (0.52, 0.5, 0.45, 0.46)]
        if upper == 1:
            boxes = [(0.03, 0.5, 0.45, 0.46), (0.3, 0.03, 0.4, 0.44), (0.52, 0.5, 0.45, 0.46)]
    return compose.pasted(list(zip(groups, boxes, strict=True)), size)


def _shape(name: str, size: int) -> np.ndarray:
    """A plain shape ``(size, size, 4)``, grey: a colour comes by words."""
    fine = 4 * size
    y, x = (np.mgrid[0:fine, 0:fine] + 0.5) / fine * 2 - 1
    angle = np.arctan2(x, -y)

    def regular(n: int, turn: float = 0.0) -> np.ndarray:
        a = (angle + turn) % (2 * np.pi / n) - np.pi / n
        return np.hypot(x, y) * np.cos(a) < 0.85 * np.cos(np.pi / n)

    far = np.hypot(x, y)
    inside = {
        "circle": far < 0.85, "square": np.maximum(abs(x), abs(y)) < 0.78, "triangle": regular(3),
        "rectangle": (abs(x) < 0.88) & (abs(y) < 0.55), "ellipse": np.hypot(x, 1.5 * y) < 0.88,
        "ring": (far < 0.85) & (far > 0.52),
        "cross": (np.minimum(abs(x), abs(y)) < 0.25) & (np.maximum(abs(x), abs(y)) < 0.82),
        "diamond": abs(x) * 1.25 + abs(y) < 0.88, "pentagon": regular(5), "hexagon": regular(6),
        "octagon": regular(8, np.pi / 8), "semicircle": (far < 0.88) & (y < 0),
        "stripe": (abs(y) < 0.12) & (abs(x) < 0.9),
        "bullseye": (far < 0.3) | ((far < 0.85) & (far > 0.55)),
    }[name]  # fmt: skip
    alpha = inside.reshape(size, 4, size, 4).mean((1, 3))
    grey = np.full((size, size, 3), 0.45)
    return np.concatenate([grey, alpha[..., None]], -1).astype(np.float32)


def _bare(text: str) -> str:
    """Emoji without what chooses their style or skin."""
    return re.sub("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]", "", text)


class _Reader:
    """Takes prompts apart."""

    def __init__(self, icons: Icons) -> None:
        self.icons = icons
        self.shapes = {word: name for name, words in SHAPES.items() for word in words}
        drawn = {int(i) for i in icons.of}
        self.emoji = {_bare(icons.things[i]["emoji"]): i for i in drawn if icons.things[i]["emoji"]}

    def scene(self, prompt: str) -> Scene:
        pieces = re.findall("|".join(map(re.escape, sorted(self.emoji, key=len, reverse=True))), _bare(prompt))
        if pieces:
            kinds = list(dict.fromkeys(pieces))
            shown = tuple(Part(self.emoji[each], min(pieces.count(each), MOST)) for each in kinds[:3])
            return Scene(shown, ("and",) * (len(shown) - 1), left_out=tuple(kinds[3:]))
        clauses, links = self._clauses(prompt)
        parts: list[Part] = []
        relations: list[str] = []
        background: tuple[str, ...] = ("white",)
        strange: list[str] = []
        left_out: list[str] = []
        waiting = ""  # a colour before its thing: "red, a car"
        for i, clause in enumerate(clauses):
            link = links[i - 1] if i else ""
            words, *denied = re.split(r"\b(?:not|no|without|except|never)\b", clause)
            left_out += [f"not {' '.join(each.split())}" for each in denied if each.strip()]
            if denied and not words.strip():
                continue
            if link == "or":
                left_out.append(words.strip())
                continue
            place = self._background(words) if link in ("on", "under", "above", "beside") or i == 0 else None
            if place and (i or len(clauses) == 1 and not self.icons.named(words.split()[-1])):
                if background != ("white",):
                    left_out.append(words.strip())
                else:
                    background = place
                continue
            found, unknown, unused = self._part(words)
            strange += unknown
            left_out += unused
            if found and isinstance(found.thing, str) and not found.thing:  # "a car, red": a colour alone
                if parts and not parts[-1].colour:
                    parts[-1] = replace(parts[-1], colour=found.colour)
                elif parts or waiting:
                    left_out.append(found.colour)
                else:
                    waiting = found.colour
            elif found and len(parts) == 3:
                left_out.append(words.strip())
            elif found:
                if parts:
                    relations.append(link or "and")
                elif waiting and not found.colour:
                    found, waiting = replace(found, colour=waiting), ""
                parts.append(found)
        if not parts:
            self._refuse(prompt, strange, left_out, waiting)
        return Scene(tuple(parts), tuple(relations), background, tuple(strange), tuple(left_out))

    def _refuse(self, prompt: str, strange: list[str], left_out: list[str], colour: str) -> NoReturn:
        """Raise a UsageError that says why there is nothing to draw."""
        said = " ".join(prompt.split())
        if colour and not strange:
            raise UsageError(f"'{said}' is a colour and no thing", f'Say what has it: evoart clip "a {colour} car"')
        if any(each.startswith("not ") for each in left_out) and not strange:
            raise UsageError(f"'{said}' says only what not to draw", 'Say what to draw: evoart clip "a dog"')
        letters = [c for c in said if c.isalpha()]
        if letters and not any(c.isascii() for c in letters):
            raise UsageError(f"the model inside knows no '{said}'", "It reads English words and emoji")
        near = [word for each in strange for word in self.icons.nearest(each)]
        hint = f"The nearest it knows: {', '.join(near)}" if near else "evoart models words lists what it knows"
        raise UsageError(f"the model inside knows no '{' '.join(strange) or said}'", hint)

    def _clauses(self, prompt: str) -> tuple[list[str], list[str]]:
        """A text cut where a word or comma relates two things, but not inside of a name ("rice on a plate")."""
        text = prompt.lower().replace("'s ", " ").replace("n't ", " not ").replace("’", "")
        words, clauses, links = re.findall(r"[^\W_]+|[,;.:!?\n]", text), [[]], []
        i = 0
        while i < len(words):
            if not words[i].isalnum():
                if clauses[-1]:
                    clauses.append([])
                    links.append("and")
                i += 1
                continue
            if (n := self._longest(words, i)) > 1:
                clauses[-1] += words[i : i + n]
                i += n
                continue
            for phrase, relation in RELATIONS:
                parts = phrase.split()
                if words[i : i + len(parts)] == parts and (clauses[-1] or links):
                    if clauses[-1]:
                        links.append(relation)
                        clauses.append([])
                    else:  # ", and", ", on": the word says more than the comma
                        links[-1] = relation
                    i += len(parts)
                    break
            else:
                clauses[-1].append(words[i])
                i += 1
        return [" ".join(clause) for clause in clauses], links

    def _longest(self, words: list[str], i: int) -> int:
        """Words from ``i`` on that are a known name together, 0 for none."""
        for n in range(min(6, len(words) - i), 0, -1):
            phrase = " ".join(words[i : i + n])
            if phrase in self.shapes or singular(phrase) in self.shapes or self.icons.named(phrase):
                return n
        return 0

    def _background(self, clause: str) -> tuple[str, ...] | None:
        words = [w for w in clause.split() if w not in ("a", "an", "the", "background", "sky") or w == "sky"]
        colour, rest = self._colour(words)
        rest = [w for w in rest if w not in IDLE]
        if colour and not [w for w in rest if w != "sky"]:
            return (colour,)
        if len(rest) == 1 and rest[0] in SCENERY and not colour:
            return SCENERY[rest[0]]
        return None

    def _colour(self, words: list[str]) -> tuple[str, list[str]]:
        """The first colour among words, and the other words."""
        rest, colour, i = [], "", 0
        while i < len(words):
            word = SAME.get(words[i], words[i])
            after = SAME.get(words[i + 1], words[i + 1]) if i + 1 < len(words) else ""
            if word in SHADES and after in COLOURS and not colour:
                colour, i = f"{SHADES[word]} {after}".strip(), i + 2
            elif word.split()[-1] in COLOURS and not colour:
                colour, i = word, i + 1
            else:
                rest.append(words[i])
                i += 1
        return colour, rest

    def _part(self, clause: str) -> tuple[Part | None, list[str], list[str]]:
        """What a clause names, its words that mean nothing here, and those that something else outweighs."""
        words = clause.split()
        numbers = [min(int(word), 10**6) if word.isdigit() else NUMBERS[word] for word in words if _counts(word)]
        count = max([n for n in numbers if n], default=1)
        unused = [f"more than {MOST}"] if count > MOST else []
        count = min(count, MOST)
        # A name that holds its colour ("red envelope", "blue book") is that thing as it is.
        whole = [w for w in words if not _counts(w) and (w not in IDLE or w == "of")]
        for start in range(len(whole)):
            n = self._longest(whole, start)
            plain = singular(" ".join(whole[start + 1 :])) in self.shapes or " ".join(whole[start + 1 :]) in self.shapes
            if n > 1 and start + n == len(whole) and not (plain and self._colour(whole[start : start + 1])[0]):
                colour, rest = self._colour(whole[:start])
                unknown, more = self._others(rest)
                return self._meant(" ".join(whole[start:]), count, colour), unknown, unused + more
        colour, rest = self._colour([w for w in whole if w != "of"])
        if not rest and colour:  # "an orange": a colour that is a thing, too
            if len(words) == 1 and words[0] not in MEANT or words[-1] not in MEANT:
                return Part("", 1, colour), [], unused
            rest, colour = [words[-1]], ""
        # The last name is the noun ("a fire truck", "the cat of my neighbour"); keywords ("running") only without one.
        found: list[tuple[int, int, float]] = []
        i = 0
        while i < len(rest):
            if n := self._longest(rest, i):
                found.append((i, n, self._weight(" ".join(rest[i : i + n]))))
            i += max(n, 1)
        if not found:
            return None, [w for w in rest if w not in COLOURS], unused
        i, n, _ = max(found, key=lambda each: (each[2] > NAMED, each[0]))
        unknown, more = self._others(rest[:i] + rest[i + n :])
        return self._meant(" ".join(rest[i : i + n]), count, colour), unknown, unused + more

    def _others(self, words: list[str]) -> tuple[list[str], list[str]]:
        """Words that are not known, and second colours."""
        colours = [w for w in words if SAME.get(w, w).split()[-1] in COLOURS]
        return [w for w in words if w not in colours and not self._longest([w], 0) and w not in SHADES], colours

    def _weight(self, phrase: str) -> float:
        """How surely a phrase is a thing's name."""
        if phrase in self.shapes or singular(phrase) in self.shapes:
            return 9.0
        return self.icons.named(phrase)[0][1]

    def _meant(self, phrase: str, count: int, colour: str) -> Part:
        shape = self.shapes.get(phrase) or self.shapes.get(singular(phrase))
        if shape:
            return Part(shape, count, colour)
        found = self.icons.named(phrase)
        # Names are worth more than keywords: only what bears the very name may stand for it as well.
        others = tuple(i for i, sure in found[1:3] if sure > 2.5)
        return Part(found[0][0], count, colour, others)


def _counts(word: str) -> bool:
    return word in NUMBERS or word.isdigit()


def singular(phrase: str) -> str:
    """The singular of a plural, mostly right; of a singular something that nobody asks for."""
    head, _, last = phrase.rpartition(" ")
    irregular = {"mice": "mouse", "geese": "goose", "feet": "foot", "teeth": "tooth", "leaves": "leaf",
                 "wolves": "wolf", "knives": "knife", "men": "man", "women": "woman", "children": "child",
                 "people": "person", "butterflies": "butterfly"}  # fmt: skip
    if last in irregular:
        last = irregular[last]
    elif last.endswith("ies"):
        last = last[:-3] + "y"
    elif last.endswith(("ses", "xes", "ches", "shes", "toes", "goes")):
        last = last[:-2]
    elif last.endswith("s"):
        last = last[:-1]
    return f"{head} {last}".strip()


@functools.cache
def load(path: Path = FILE) -> Icons:
    """The file, ready; the words are looked up in names first, then in short names, then in keywords."""
    arrays, notes = safetensors.read(path)
    things = json.loads(notes["things"])
    of, distance = np.array(arrays["of"]), np.array(arrays["distance"], np.float32)
    seen = {int(i): float(distance[of == i].min()) for i in np.unique(of)}
    lexicon: dict[str, dict[int, float]] = {}

    def put(word: str, i: int, sure: float) -> None:
        each = lexicon.setdefault(word, {})
        each[i] = max(each.get(i, 0.0), sure)

    for i, row in enumerate(things):
        if i not in seen:
            continue
        # Faces and people answer to their names; to the word "cat" they do after the animal.
        far = 0.5 if row["theme"].startswith(_PEOPLE) else 0.0
        near = -2 * seen[i]
        put(row["name"], i, 3.0 + near)
        put(row["short"], i, (3.4 if row["short"] != row["name"] else 3.0) + near)
        *rest, head = row["short"].split()
        put(head, i, 1.7 - far + near)  # "cap" is a billed cap before it is what has the keyword
        for word in rest:
            if len(word) > 2 and word not in COLOURS and word not in IDLE and word not in ("and", "with", "for"):
                put(word, i, 1.2 - far + near)
        for place, word in enumerate(row["words"]):
            put(word, i, 1.0 - far - 0.02 * place + near)
    index = {row["name"]: i for i, row in enumerate(things)}
    for word, name in MEANT.items():
        if index.get(name) in seen:
            put(word, index[name], 4.0)
    ranked = {word: sorted(found.items(), key=lambda pair: -pair[1]) for word, found in lexicon.items()}
    return Icons(
        things, of, np.array(arrays["group"]), distance, np.array(arrays["palettes"]), np.array(arrays["offsets"]),
        np.array(arrays["maps"]), ranked,
    )  # fmt: skip
