"""The sets of pictures, with their licences, and the things they show, by name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

# What the guide and the prior learn from: permissive licences alone.
EMOJI = ("noto", "noto-v1", "twemoji", "emojione", "fluent-emoji-flat", "fxemoji", "streamline-emojis")
# Silhouettes of things that have no emoji, listed in silhouettes.tsv with the colour they get.
SILHOUETTES = ("game-icons", "ph", "tabler")
# What the judge learns from, both CC BY-SA: no picture of the guide's is among them.
JUDGED = ("openmoji", "emojione-v1")

# Themes of emojibase, by subgroup, and those whose pictures are no things.
LEFT_OUT = {
    "person", "person-gesture", "family", "person-symbol", "skin-tone", "hair-style", "time-clock", "transport-sign",
    "arrow", "zodiac", "av-symbol", "gender", "punctuation", "currency", "keycap", "alphanum", "flag", "other-symbol",
    "religion", "warning", "math",
}  # fmt: skip
PEOPLE = {"boy", "girl", "man", "woman", "baby", "old man", "old woman", "person", "child", "princess", "prince",
    "santa claus", "mermaid", "fairy", "vampire", "genie", "zombie", "mage", "elf", "superhero", "supervillain",
    "ninja", "baby angel", "troll", "construction worker", "police officer", "guard", "detective", "astronaut",
    "farmer", "cook", "firefighter", "artist", "pilot", "health worker", "snowboarder", "people holding hands",
    "woman dancing", "man dancing", "person surfing", "person running", "family", "footprints", "fingerprint",
    "person with crown", "mechanic", "scientist", "teacher", "singer", "mx claus", "mrs. claus", "beard"}  # fmt: skip
# Of these themes what is shown by one sex alone is left out: the pictures for either are the same but for hair.
EITHER = ("person-role", "person-activity", "person-sport", "person-resting")
SYMBOLS = {
    "check mark", "cross mark", "peace symbol", "yin yang", "star of david", "infinity", "recycling symbol",
    "question mark", "exclamation mark", "red question mark", "red exclamation mark", "musical note", "plus",
    "minus", "multiply", "divide", "radioactive", "biohazard", "warning", "no entry", "prohibited",
    "trident emblem", "fleur-de-lis", "medical symbol", "heavy dollar sign", "dollar sign", "check mark button",
    "cross mark button", "latin cross", "star and crescent", "menorah", "atom symbol", "restroom",
    "wheelchair symbol", "hollow red circle", "play button", "pause button", "shuffle tracks button",
    "no smoking", "stop sign", "up arrow", "down arrow", "left arrow", "right arrow", "female sign",
    "male sign", "sparkle", "eight-spoked asterisk", "part alternation mark", "counterclockwise arrows button",
    "on! arrow", "hundred points", "chequered flag", "triangular flag", "white flag", "black flag",
    "pirate flag", "rainbow flag", "crossed flags", "dna",
}  # fmt: skip


@dataclass
class Thing:
    """What pictures of several sets show: its name, other words for it, a theme, an emoji or "", icons by set."""

    name: str
    words: list[str]
    theme: str
    emoji: str
    icons: dict[str, str] = field(default_factory=dict)
    colour: str = ""  # of a silhouette


def slug(text: str) -> str:
    """``cat-face`` of "Cat face": how icon sets write names."""
    text = text.lower().replace("’", "").replace("“", "").replace("”", "").replace(".", "").replace("&", "and")
    text = text.replace("ñ", "n").replace("é", "e")
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")


def plain(name: str) -> str:
    """A name without any marks, to compare spellings."""
    return re.sub(r"[^a-z0-9]", "", slug(name))


def bodies(data: Path, name: str) -> dict:
    """Iconify's collection of a set."""
    return json.loads((data / "node_modules/@iconify-json" / name / "icons.json").read_text())


def things(data: Path) -> list[Thing]:
    """All emoji that are things, with the icons of every set that show them."""
    package = data / "node_modules/emojibase-data"
    groups = json.loads((package / "meta/groups.json").read_text())["subgroups"]
    extra = json.loads((data / "node_modules/emojilib/dist/emoji-en-US.json").read_text())
    # Iconify's names of emoji by code point, as older sets wrote them.
    sets = {name: bodies(data, name) for name in (*EMOJI, *JUDGED)}
    codes: dict[str, set[str]] = {}
    for name in sets:
        chars = json.loads((data / "node_modules/@iconify-json" / name / "chars.json").read_text())
        for code, icon in chars.items():
            codes.setdefault(code.replace("-fe0f", ""), set()).add(icon)
    found = []
    for each in json.loads((package / "en/data.json").read_text()):
        theme = groups[str(each["subgroup"])] if "subgroup" in each else "flag"
        label = each["label"].lower()
        if theme.endswith("-flag"):
            label = re.sub(r"^flag: ", "flag of ", label)
        one_sex = theme in EITHER and re.search(r"\b(man|men|woman|women)\b", label)
        listed = label in PEOPLE or label in SYMBOLS
        wanted = (theme not in LEFT_OUT and not one_sex) or listed or each.get("group") == 6
        if theme == "time":
            wanted = "o’clock" not in label and "thirty" not in label
        if not wanted:
            continue
        tags = [w.replace("_", " ").lower() for w in [*each.get("tags", []), *extra.get(each["emoji"], [])]]
        words = [w for w in dict.fromkeys(tags) if w != label and len(w) > 1 and w.isascii()]
        thing = Thing(label, words, theme, each["emoji"])
        code = each["hexcode"].lower().replace("-fe0f", "")
        first = [plain(label), *sorted(plain(n) for n in codes.get(code, ()))]
        if theme.endswith("-flag"):  # what sets call a country's flag
            land = plain(label.removeprefix("flag of "))
            first += [f"flagforflag{land}", f"flagfor{land}", f"{land}flag", f"flag{land}", land]
        for name, collection in sets.items():
            by_plain = collection.setdefault("by_plain", {})
            if not by_plain:
                for icon in (*collection["icons"], *collection.get("aliases", {})):
                    by_plain.setdefault(plain(icon), icon)
                    by_plain.setdefault(re.sub(r"\d+$", "", plain(icon)), icon)
            emojilib = [plain(w) for w in extra.get(each["emoji"], [])[:1]]
            for alias in dict.fromkeys([*first, *emojilib]):
                if alias in by_plain:
                    thing.icons[name] = by_plain[alias]
                    break
        found.append(thing)
    return found + silhouettes()


def silhouettes() -> list[Thing]:
    """Things that one artist's icon in one colour shows."""
    found = []
    for line in Path(__file__).with_name("silhouettes.tsv").read_text().splitlines():
        name, icon, colour, theme, words = line.split("\t")
        set_name, _, icon = icon.rpartition(":")
        found.append(Thing(name, words.split(", "), theme, "", {set_name or "game-icons": icon}, colour))
    return found


if __name__ == "__main__":
    import sys
    from collections import Counter

    all_things = things(Path(sys.argv[1]))
    print(len(all_things), Counter(len([s for s in t.icons if s in EMOJI]) for t in all_things))
    print(Counter(s for t in all_things for s in t.icons))
