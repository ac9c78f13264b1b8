"""What is said about pictures: names, other words, colours, numbers and places, as people write prompts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

NUMBERS = ("no", "one", "two", "three", "four", "five")
SMALL_WORDS = (
    "a", "an", "the", "of", "on", "in", "and", "with", "under", "above", "below", "over", "beside", "next", "to",
    "left", "right", "near", "by", "behind", "front", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine",
    "ten", "many", "some", "several", "few", "drawing", "picture", "icon", "image", "sticker", "emoji", "logo", "photo",
    "painting", "illustration", "simple", "flat", "minimal", "style", "clip", "art", "vector", "cute", "small", "large",
    "big", "little", "tiny", "background", "white", "black", "grey", "gray", "red", "orange", "yellow", "green", "blue",
    "purple", "violet", "pink", "brown", "light", "dark", "pale", "bright", "coloured", "colored", "is", "at", "it",
)  # fmt: skip
SAID = (
    "a {}", "a {}", "a {}", "{}", "{}", "the {}", "a drawing of a {}", "an icon of a {}", "a picture of a {}",
    "a simple {}", "a sticker of a {}", "one {}", "{} icon", "{} emoji", "a cute {}", "a flat {}",
)  # fmt: skip
LINKS = {
    "left": ("left of", "to the left of"), "right": ("right of", "to the right of"),
    "above": ("above", "over"), "under": ("under", "below"), "on": ("on", "on top of"),
    "beside": ("beside", "next to", "by"), "and": ("and",),
}  # fmt: skip
CONTEXT = 18
# Shorter names than Unicode's, and what everybody says instead of them.
SHORT = {
    "red apple": "apple", "automobile": "car", "hot beverage": "coffee cup", "deciduous tree": "tree",
    "evergreen tree": "fir tree", "person": "person", "cat face": "cat", "dog face": "dog", "horse face": "horse",
    "mouse face": "mouse", "rabbit face": "rabbit", "cow face": "cow", "pig face": "pig", "tiger face": "tiger",
    "monkey face": "monkey", "dragon face": "dragon", "frog": "frog", "bear": "bear", "fish": "fish",
    "red heart": "heart", "locomotive": "train", "sun": "sun", "t-shirt": "shirt", "woman’s boot": "boot",
    "man’s shoe": "shoe", "telephone": "telephone", "smiling face": "smiley", "grinning face": "smiley",
    "shortcake": "cake", "birthday cake": "cake", "motorcycle": "motorbike", "light bulb": "lamp",
    "house": "house", "red circle": "red circle", "crescent moon": "moon", "glasses": "glasses",
    "soccer ball": "football", "teddy bear": "teddy", "hamburger": "burger", "french fries": "fries",
    "delivery truck": "truck", "bowl with spoon": "bowl", "spiral shell": "shell", "potted plant": "plant",
    "high-heeled shoe": "heel", "beer mug": "beer", "baby bottle": "bottle", "wine glass": "wine",
}  # fmt: skip


def spelled(text: str) -> str:
    """A name in plain letters, words parted by spaces."""
    text = text.lower().replace("’", "").replace("ñ", "n").replace("é", "e").replace("ö", "o")
    return " ".join(re.findall(r"[a-z0-9]+", text))


def plural(name: str) -> str:
    """The plural of a name, mostly right."""
    first, _, rest = name.partition(" of ")
    if rest:
        return f"{plural(first)} of {rest}"
    if name.endswith(("sheep", "fish", "deer", "squid", "shrimp", "fries", "glasses", "scissors", "jeans")):
        return name
    irregular = {"mouse": "mice", "goose": "geese", "foot": "feet", "tooth": "teeth", "leaf": "leaves",
                 "wolf": "wolves", "knife": "knives", "man": "men", "woman": "women", "child": "children",
                 "potato": "potatoes", "tomato": "tomatoes", "mango": "mangoes", "person": "people"}  # fmt: skip
    head, _, last = name.rpartition(" ")
    if last in irregular:
        last = irregular[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return f"{head} {last}".strip()


class Captions:
    """Says things of ``things.json`` in many ways."""

    def __init__(self, data: Path) -> None:
        rows = json.loads((data / "things.json").read_text())["things"]
        self.names = [spelled(row["name"]) for row in rows]
        self.short = [spelled(str(SHORT.get(row["name"], row["name"]))) for row in rows]
        self.short = [re.sub(r"(?<=.) (face|symbol|sign|emblem)$", "", name) for name in self.short]
        self.words = [[w for w in dict.fromkeys(map(spelled, row["words"])) if w] for row in rows]
        count: dict[str, int] = {}
        for words in self.words:
            for word in words:
                count[word] = count.get(word, 0) + 1
        self.count = count
        # Rare words say most.
        self.odds = []
        for words in self.words:
            odds = np.array([1 / count[w] for w in words])
            self.odds.append(odds / odds.sum() if len(odds) else odds)
        known: dict[str, None] = dict.fromkeys(SMALL_WORDS)
        for text in (*self.names, *self.short, *(w for words in self.words for w in words)):
            known.update(dict.fromkeys(text.split()))
        for text in (*self.names, *self.short):
            known.update(dict.fromkeys(plural(text).split()))
        self.vocabulary = list(known)

    def noun(self, rng: np.random.Generator, thing: int) -> str:
        """A word for a thing: mostly its name."""
        kind = rng.random()
        if kind < 0.35 or not self.words[thing]:
            return self.names[thing]
        if kind < 0.7:
            return self.short[thing]
        return self.words[thing][rng.choice(len(self.words[thing]), p=self.odds[thing])]

    def single(self, rng: np.random.Generator, thing: int, colour: str | None, background: str | None) -> str:
        """One thing, of a colour and on a background where they are to be said."""
        noun = self.noun(rng, thing)
        if colour:
            noun = f"{colour} {noun}"
        text = SAID[rng.integers(len(SAID))].format(noun)
        return self.on(rng, text, background)

    def on(self, rng: np.random.Generator, text: str, background: str | None) -> str:
        """A text with its background."""
        if not background:
            return text
        return text + (" on {}", " on a {} background", " in front of {}")[rng.integers(3)].format(background)
