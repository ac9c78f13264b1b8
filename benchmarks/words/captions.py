"""What things are called."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


class Captions:
    """What the things of ``things.json`` are called.

    Attributes:
        names, short, words: of each thing its name, the shorter one that people use, and its keywords, in plain
        letters.
    """

    def __init__(self, data: Path) -> None:
        rows = json.loads((data / "things.json").read_text())["things"]
        self.names = [spelled(row["name"]) for row in rows]
        self.short = [spelled(str(SHORT.get(row["name"], row["name"]))) for row in rows]
        self.short = [re.sub(r"(?<=.) (face|symbol|sign|emblem)$", "", name) for name in self.short]
        self.words = [[w for w in dict.fromkeys(map(spelled, row["words"])) if w] for row in rows]
