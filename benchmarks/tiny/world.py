"""Captioned pictures of a small world, drawn by evoart's own rasteriser, for training and testing the tiny models.

A picture is known by its facts, a row of numbers; a caption states some of them. So whether a caption is true of a
picture is known exactly, for every pair, and no true pair is ever taught as a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from things import COLOURS, THINGS, colour

from evoart.draw import scanline

SHAPES = ("nothing", *THINGS, "abstract")
INKS = ("nothing", *COLOURS)
NUMBERS = ("no", "a", "two", "three", "four", "five")
FACTS = ("shape", "ink", "count", "size", "h", "v", "ground", "shape2", "ink2")
SIZES, ACROSS, DOWN = ("", "small", "large"), ("", "left", "middle", "right"), ("", "top", "middle", "bottom")
OTHER_WORDS = {"circle": ("disc",), "grey": ("gray",), "ring": ("donut",), "large": ("big",), "face": ("smiley",),
               "moon": ("crescent",), "small": ("little", "tiny"), "purple": ("violet",),
               "cat": ("kitten",), "ellipse": ("oval",)}  # fmt: skip
PLURALS = {"cross": "crosses", "fish": "fish"}
UNSAID = -1
SMALL, LARGE = 0.19, 0.33  # radii, in units, below and above which a thing is called so


@dataclass
class Drawing:
    """Polygons in units (the picture is [0, 1] squared) with rgba, bottom to top, and what is true of them."""

    polygons: list[np.ndarray]
    rgba: list[np.ndarray]
    ground: np.ndarray
    facts: np.ndarray


def render(drawing: Drawing, size: int, offset: np.ndarray | float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """Picture ``(size, size, 3)`` float32 of the part of a drawing that begins at ``offset`` and is 1 / zoom wide."""
    canvas = np.empty((3, size, size), np.float32)
    canvas[:] = drawing.ground[:, None, None]
    if drawing.polygons:
        points = (np.concatenate(drawing.polygons) - offset) * (size * zoom)
        start = np.cumsum([0, *(len(each) for each in drawing.polygons)])
        rgba = np.array(drawing.rgba, np.float32)
        scanline.paint(canvas, points.astype(np.float32), start, np.zeros(len(rgba), np.float32), rgba)
    return canvas.transpose(1, 2, 0)


def _place(
    rng: np.random.Generator, word: str, ink: np.ndarray, centre: np.ndarray, radius: float
) -> tuple[list, list]:
    make, most, _ = THINGS[word]
    turn = rng.uniform(-most, most)
    c, s = np.cos(turn), np.sin(turn)
    parts = make(rng)
    points = [centre + radius * (part @ np.array([[c, s], [-s, c]])) for part, _ in parts]
    return points, [np.append(ink if paint is None else colour(rng, paint), 1.0) for _, paint in parts]


def _spots(rng: np.random.Generator, n: int, radius: float) -> np.ndarray | None:
    """Centres ``(n, 2)`` of things that keep apart and inside, or None."""
    spots: list[np.ndarray] = []
    for _ in range(60):
        spot = rng.uniform(radius, 1 - radius, 2)
        if all(
            np.abs(spot - other).max() > 2.05 * radius or np.hypot(*(spot - other)) > 2.1 * radius for other in spots
        ):
            spots.append(spot)
        if len(spots) == n:
            return np.array(spots)
    return None


def _ink(rng: np.random.Generator, word: str | None, not_these: tuple[str, ...]) -> str:
    usual = THINGS[word][2] if word else ()
    choices = usual if usual and rng.random() < 0.5 else tuple(COLOURS)
    choices = [each for each in choices if each not in not_these] or [each for each in COLOURS if each not in not_these]
    return str(rng.choice(choices))


def scene(rng: np.random.Generator, wanted: np.ndarray | None = None, ease: float = 0.0) -> Drawing:
    """A random drawing, or one of which the caption ``wanted`` (facts; -1 is free) is true.

    ``ease`` near 1 makes single things large, as lessons begin.
    """
    if wanted is None:
        wanted = np.full(len(FACTS), UNSAID)
        wanted[2] = rng.choice(5, p=[0.8, 0.08, 0.06, 0.03, 0.03]) + 1
        wanted[7] = 0 if wanted[2] > 1 or rng.random() < 0.92 else UNSAID
    free = wanted == UNSAID
    shape = SHAPES[wanted[0]] if not free[0] else str(rng.choice(list(THINGS)))
    count = 1 if free[2] else int(wanted[2])
    two = wanted[7] != 0 and count == 1 and (not free[7] or not free[8])
    two = two or (free[7] and count == 1 and wanted[7] != 0)
    ground = INKS[wanted[6]] if not free[6] else ("white" if rng.random() < 0.6 + ease else _ink(rng, None, ()))
    ink = INKS[wanted[1]] if not free[1] else _ink(rng, shape, (ground,))
    if ground == ink:  # only the caption's own colours may clash: then the ground gives way
        ground = _ink(rng, None, (ink,))
    polygons, rgba = [], []
    facts = np.zeros(len(FACTS), int)
    facts[[0, 1, 2, 6]] = SHAPES.index(shape), INKS.index(ink), count, INKS.index(ground)
    if two:
        shape2 = SHAPES[wanted[7]] if not free[7] else str(rng.choice(list(THINGS)))
        ink2 = INKS[wanted[8]] if not free[8] else _ink(rng, shape2, (ground, ink))
        facts[[7, 8]] = SHAPES.index(shape2), INKS.index(ink2)
        things = [(shape, ink), (shape2, ink2)]
    else:
        things = [(shape, ink)] * count
    low, high = (
        (0.15, 0.24) if len(things) == 2 else (0.12, 0.44 / len(things) ** 0.5) if len(things) > 1 else (0.15, 0.46)
    )
    if len(things) == 1:
        low += 0.25 * ease
    if not free[3]:
        low, high = (0.13, SMALL) if wanted[3] == 1 else (LARGE, 0.47)
    for _ in range(100):
        radius = rng.uniform(low, high)
        spots = _spots(rng, len(things), radius)
        if spots is None:
            high = max(low + 0.01, high * 0.95)
            continue
        size = 0 if len(things) > 1 else 1 if radius < SMALL else 2 if radius > LARGE else 0
        where = _where(spots[0]) if len(things) == 1 else (0, 0)
        if (free[4] or where[0] == wanted[4]) and (free[5] or where[1] == wanted[5]):
            break
    facts[3], (facts[4], facts[5]) = size, where
    order = rng.permutation(len(things))
    for i in order:
        shade = colour(rng, things[i][1])
        points, paints = _place(rng, things[i][0], shade, spots[i], radius * rng.uniform(0.85, 1.0))
        polygons += points
        rgba += paints
    return Drawing(polygons, rgba, colour(rng, ground), facts)


def _where(spot: np.ndarray) -> tuple[int, int]:
    """Index of the words across and down, 0 where neither is clear."""
    words = [1 if at < 0.38 else 2 if 0.45 < at < 0.55 else 3 if at > 0.62 else 0 for at in spot]
    return words[0], words[1]


def abstract(rng: np.random.Generator, least: int = 10, most: int = 60) -> Drawing:
    """Translucent triangles that show nothing."""
    n = int(rng.integers(least, most))
    size = rng.uniform(0.1, 0.8)
    centres, few = rng.random((n, 1, 2)), rng.random((int(rng.integers(2, 8)), 3))
    corners = centres + size * rng.uniform(-0.5, 0.5, (n, 3, 2))
    ink = few[rng.integers(0, len(few), n)] if rng.random() < 0.5 else rng.random((n, 3))
    alpha = rng.uniform(0.1, rng.uniform(0.2, 0.9), (n, 1))
    facts = np.zeros(len(FACTS), int)
    facts[0] = SHAPES.index("abstract")
    return Drawing(list(corners), list(np.concatenate([ink, alpha], 1)), colour(rng, _ink(rng, None, ())), facts)


def retouched(rng: np.random.Generator, drawing: Drawing) -> Drawing:
    """The same picture made of many translucent triangles: each takes its colour from where it lies."""
    n, grid = int(rng.integers(30, 120)), 32
    base = render(drawing, grid)
    centres = rng.random((n, 1, 2))
    size = np.geomspace(rng.uniform(0.25, 0.6), rng.uniform(0.05, 0.12), n)[:, None, None]
    corners = centres + size * rng.uniform(-0.6, 0.6, (n, 3, 2))
    at = (np.clip(np.concatenate([centres, corners], 1), 0, 0.999) * grid).astype(int)
    seen = base[at[..., 1], at[..., 0]]
    # Most triangles that would run over an edge are left out.
    clean = np.abs(seen - seen[:, :1]).max((1, 2)) < 0.15
    keep = clean | (rng.random(n) < rng.uniform(0, 0.15))
    alpha = rng.uniform(0.15, 0.9, (n, 1))
    ink = np.clip(seen[:, 0] + rng.normal(0, 0.06, (n, 3)), 0, 1)
    paints = np.concatenate([ink, alpha], 1)[keep]
    faint = [np.append(each[:3], rng.uniform(0.75, 1)) for each in drawing.rgba]
    return Drawing(drawing.polygons + list(corners[keep]), faint + list(paints), drawing.ground, drawing.facts)


def cluttered(rng: np.random.Generator, drawing: Drawing, faintest: float = 0.02, densest: float = 0.1) -> Drawing:
    """The same picture behind and before shapes of any colour, faint ones unless told otherwise."""
    n = int(rng.integers(1, 14))
    corners = rng.random((n, 1, 2)) + rng.uniform(0.1, 0.6) * rng.uniform(-0.6, 0.6, (n, 3, 2))
    paints = np.concatenate([rng.random((n, 3)), rng.uniform(faintest, densest, (n, 1))], 1)
    below = int(rng.integers(0, n + 1))
    polygons = list(corners[:below]) + drawing.polygons + list(corners[below:])
    return Drawing(polygons, list(paints[:below]) + drawing.rgba + list(paints[below:]), drawing.ground, drawing.facts)


def spoiled(rng: np.random.Generator, drawing: Drawing) -> Drawing:
    """The same picture badly drawn: outlines bent, bits missing or added, or a mess all around."""
    kind = rng.random()
    if kind < 0.35:
        return cluttered(rng, drawing, 0.15, 0.9)
    points = np.concatenate(drawing.polygons)
    size = float(np.ptp(points, 0).max())
    middle = points.mean(0)
    if kind < 0.7:  # bent: every point moves with its neighbours
        waves = rng.normal(0, 1, (4, 2)) / np.arange(1, 5)[:, None]
        phase, turn = rng.uniform(0, 2 * np.pi, 4), rng.uniform(2, 9) / max(size, 0.1)
        push = rng.uniform(0.04, 0.13) * size

        def bend(outline: np.ndarray) -> np.ndarray:
            at = (outline - middle) @ np.array([0.8, 0.6]) * turn, (outline - middle) @ np.array([-0.6, 0.8]) * turn
            moved = sum(np.sin((k + 1) * at[k % 2] + phase[k])[:, None] * wave for k, wave in enumerate(waves))
            return outline + push * moved

        return Drawing([bend(each) for each in drawing.polygons], drawing.rgba, drawing.ground, drawing.facts)
    n = int(rng.integers(1, 5))
    spots = points[rng.integers(0, len(points), n)]
    corners = spots[:, None] + size * rng.uniform(0.1, 0.35) * rng.uniform(-1, 1, (n, 3, 2))
    inks = [drawing.ground if rng.random() < 0.5 else drawing.rgba[0][:3] for _ in range(n)]
    more = [np.append(ink, rng.uniform(0.6, 1)) for ink in inks]
    return Drawing(drawing.polygons + list(corners), drawing.rgba + more, drawing.ground, drawing.facts)


def stated(rng: np.random.Generator, facts: np.ndarray) -> np.ndarray:
    """Some of a picture's facts, ``(len(FACTS),)`` with -1 for what is left unsaid."""
    said = facts.copy()
    if SHAPES[facts[0]] == "abstract":
        said[1:] = UNSAID
        return said
    if rng.random() < 0.12:
        said[1] = UNSAID
    for i, share in ((3, 0.35), (4, 0.3), (5, 0.3), (6, 0.4)):
        if facts[i] == 0 or rng.random() > share:
            said[i] = UNSAID
    if facts[7] and said[1] == UNSAID:
        said[8] = UNSAID
    return said


def words(rng: np.random.Generator | None, said: np.ndarray) -> str:
    """A caption that states these facts; ``rng`` varies the wording."""

    def vary(word: str) -> str:
        others = OTHER_WORDS.get(word, ())
        return word if rng is None or not others or rng.random() < 0.75 else str(rng.choice(others))

    shape, ink, count, size, h, v, ground, shape2, ink2 = (int(value) for value in said)
    if SHAPES[shape] == "abstract":
        choices = ("an abstract picture", "abstract triangles", "many triangles", "a messy picture", "noise", "nothing")
        return choices[0] if rng is None else str(rng.choice(choices))

    def noun(shape: int, ink: int, many: bool) -> str:
        word = vary(SHAPES[shape])
        word = PLURALS.get(word, word + "s") if many else word
        return f"{vary(INKS[ink])} {word}" if ink > 0 else word

    def article(noun: str) -> str:
        article = "an" if noun[0] in "aeiou" else "a"
        return f"{article} {noun}" if rng is None or rng.random() < 0.9 else noun

    text = noun(shape, ink, count > 1)
    if size > 0:
        text = f"{vary(SIZES[size])} {text}"
    text = article(text) if count <= 1 else f"{NUMBERS[count]} {text}"
    if shape2 > 0:
        second = article(noun(shape2, ink2, False))
        text = f"{text} and {second}" if rng is None or rng.random() < 0.5 else f"{second} and {text}"
    spot = {(2, 2): "in the middle", (0, 2): "", (2, 0): ""}.get((max(h, 0), max(v, 0)))
    if spot is None:
        down = DOWN[v] if v in (1, 3) else ""
        across = ACROSS[h] if h in (1, 3) else ""
        spot = f"at the {down} {across}".strip() if down else f"on the {across}" if across else ""
    text = f"{text} {spot}".strip()
    return f"{text} on {INKS[ground]}" if ground > 0 else text


def true_of(said: np.ndarray, facts: np.ndarray) -> np.ndarray:
    """Whether captions ``(m, .)`` are true of pictures ``(n, .)``: ``(n, m)`` bool."""
    same = (said[None] == facts[:, None]) | (said[None] == UNSAID)
    # Which of two different things is named first does not matter.
    swapped = facts[:, [7, 8, 2, 3, 4, 5, 6, 0, 1]]
    other = (said[None] == swapped[:, None]) | (said[None] == UNSAID)
    return same.all(2) | ((facts[:, 7] > 0)[:, None] & other.all(2))


def facts_of(**said: str | int) -> np.ndarray:
    """Facts by name and word: ``facts_of(shape="circle", ink="red")`` is "a red circle"."""
    tables = {
        "shape": SHAPES,
        "ink": INKS,
        "size": SIZES,
        "h": ACROSS,
        "v": DOWN,
        "ground": INKS,
        "shape2": SHAPES,
        "ink2": INKS,
    }
    row = np.full(len(FACTS), UNSAID)
    row[[2, 7, 8]] = 1, 0, 0
    for name, value in said.items():
        row[FACTS.index(name)] = value if isinstance(value, int) else tables[name].index(value)
    return row


def vocabulary() -> list[str]:
    """Every word a caption may hold, sorted."""
    found = {
        "an",
        "a",
        "abstract",
        "picture",
        "many",
        "messy",
        "noise",
        "nothing",
        "and",
        "in",
        "the",
        "at",
        "on",
    }
    found |= set(NUMBERS[1:]) | set(COLOURS) | set(SIZES) | set(ACROSS) | set(DOWN)
    for word in THINGS:
        for each in (word, *OTHER_WORDS.get(word, ())):
            found |= {each, PLURALS.get(each, each + "s")}
    for others in OTHER_WORDS.values():
        found |= set(others)
    return sorted(found - {""})
