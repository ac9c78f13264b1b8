"""What the model inside knows by sight: prompts taken apart, colours, numbers, places and backgrounds."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from evoart.errors import UsageError
from evoart.openclip import compose, icons


@pytest.fixture(scope="module")
def world() -> icons.Icons:
    return icons.load()


def names(world: icons.Icons, prompt: str) -> list[str]:
    return [p.thing if isinstance(p.thing, str) else world.things[p.thing]["short"] for p in world.read(prompt).parts]


@pytest.mark.parametrize(
    ("prompt", "things"),
    [
        ("a cat", ["cat"]), ("cat", ["cat"]), ("Kitty", ["cat"]), ("a drawing of a cat", ["cat"]), ("cats", ["cat"]),
        ("a red car", ["car"]), ("an automobile", ["car"]), ("three apples", ["apple"]), ("🐱", ["cat"]),
        ("a boat under a yellow sun", ["sailboat", "sun"]), ("a dog and a cat", ["dog", "cat"]),
        ("a red circle", ["circle"]), ("a mushroom to the left of a tree", ["mushroom", "tree"]),
    ],
)  # fmt: skip
def test_prompts_name_things(world, prompt, things):
    assert names(world, prompt) == things


# What people mean by everyday words; each was read oddly once.
MEANT = {
    "arm": "flexed biceps", "bag": "handbag", "barrel": "barrel", "box": "package", "bridge": "bridge",
    "brush": "paintbrush", "cap": "billed cap", "card": "credit card", "chef": "cook", "comb": "comb",
    "crane": "crane", "cube": "cube", "desk": "desk", "devil": "smiling face with horns", "doctor": "health worker",
    "drop": "droplet", "farm": "barn", "finger": "index pointing up", "frame": "framed picture", "glasses": "glasses",
    "iceberg": "iceberg", "jug": "jug", "king": "person with crown", "knight": "knight", "lantern": "lantern",
    "letter": "envelope", "lightning": "high voltage", "lips": "mouth", "lock": "locked", "mask": "performing arts",
    "nest": "nest with eggs", "nurse": "health worker", "office": "office building", "paper": "page facing up",
    "piano": "grand piano", "pigeon": "dove", "pipe": "pipe", "pirate": "pirate", "shop": "convenience store",
    "skeleton": "skeleton", "snow": "snowflake", "soldier": "guard", "squirrel": "chipmunk", "stone": "rock",
    "sword": "sword", "table": "table", "tie": "tie", "toast": "bread", "torch": "torch", "tower": "tower",
    "wallet": "wallet", "water": "droplet", "wheat": "wheat", "whistle": "whistle", "witch": "witch",
    "wizard": "mage", "lighthouse": "lighthouse", "fridge": "fridge", "submarine": "submarine", "starfish": "starfish",
    "flag of france": "flag of france", "windmill": "windmill", "igloo": "igloo", "pumpkin": "pumpkin",
}  # fmt: skip


def test_everyday_words_mean_what_people_mean(world):
    found = {}
    for word in MEANT:
        (part,) = world.read(f"a {word}").parts
        found[word] = world.things[part.thing]["name"]
    assert found == MEANT


@pytest.mark.parametrize(
    ("prompt", "drawn", "left_out"),
    [
        ("a red blue car", "automobile (red)", ("blue",)),
        ("a dog, not a cat", "dog face", ("not a cat",)),
        ("a dog without a hat", "dog face", ("not a hat",)),
        ("a cat or a dog", "cat face", ("a dog",)),
        ("twelve cats", "9 cat face", ("more than 9",)),
        ("a cat, a dog, an owl and a snail", "cat face, dog face, owl", ("a snail",)),
        ("a car, red", "automobile (red)", ()),
        ("a cat running", "cat face", ()),
        ("a big, red car.", "automobile (red)", ()),
        ("an orange", "tangerine", ()),
        ("a light blue fish on a dark green background", "fish (light blue), on dark green", ()),
    ],
)
def test_what_counts_and_what_does_not(world, prompt, drawn, left_out):
    scene = world.read(prompt)
    assert (world.describe(scene), scene.left_out, scene.strange) == (drawn, left_out, ())


def test_long_sentences_say_which_words_counted(world):
    scene = world.read(
        "Yesterday evening while everybody was still asleep a very small grey cat that nobody had ever noticed before "
        "was quietly sitting on a red sofa in front of the big window and waiting for the yellow moon of the summer"
    )
    assert world.describe(scene).startswith("cat face (grey), couch and lamp (red), window")
    assert "everybody" in scene.strange


@pytest.mark.parametrize(
    ("prompt", "drawn"),
    [
        ("🍎🍎🍎", "3 red apple"),
        ("🐱 and 🌞", "cat face, sun with face"),
        ("🏴\u200d☠️", "pirate flag"),
        ("👍🏽", "thumbs up"),
    ],
)
def test_emoji_are_drawn(world, prompt, drawn):
    assert world.describe(world.read(prompt)) == drawn


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("not a cat", "says only what not to draw"), ("red", "is a colour"), ("кот", "no 'кот'"), ("猫", "no '猫'"),
        ("12", "no '12'"), ("of the", "no 'of the'"), ("a zorkblatt", "no 'zorkblatt'"),
    ],
)  # fmt: skip
def test_prompts_that_name_nothing_say_why_at_once(world, prompt, says):
    began = time.process_time()
    with pytest.raises(UsageError, match=says):
        world.read(prompt)
    assert time.process_time() - began < 1


def test_prompts_that_ship_can_be_drawn():
    world = icons.load()
    for path in sorted((Path(__file__).parents[1] / "prompts").glob("*.txt")):
        lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
        scenes = {line: world.read(line) for line in lines}
        assert {line: scene.strange + scene.left_out for line, scene in scenes.items()} == dict.fromkeys(lines, ())


def test_things_that_are_symmetric_stay_so(world):
    for seed in range(4):
        image = world.target(icons.Scene((icons.Part(world.named("cat face")[0][0]),)), seed)
        assert np.abs(image - image[:, ::-1]).mean() < 0.006


def test_prompts_say_colours_numbers_places_and_backgrounds(world):
    scene = world.read("three dark blue cars on a pink background")
    assert (scene.parts[0].count, scene.parts[0].colour, scene.background) == (3, "dark blue", ("pink",))
    assert world.read("a green cat above two red apples").relations == ("above",)
    assert world.read("a sailboat on the sea").background == ("light blue", "blue")
    assert world.read("a blorxy cat").strange == ("blorxy",)


def test_a_word_that_is_not_known_gets_the_nearest(world):
    with pytest.raises(UsageError, match="no 'elefant'") as caught:
        world.read("an elefant")
    assert "elephant" in caught.value.hint


@pytest.mark.parametrize("prompt", ["", "of the", "!?", "кот"])
def test_prompts_that_say_nothing(world, prompt):
    with pytest.raises(UsageError):
        world.read(prompt)


def test_targets_are_pictures_of_the_colour(world):
    for colour in ("red", "green", "blue"):
        image = world.target(world.read(f"a {colour} car"), 1)
        assert image.shape == (icons.FINE, icons.FINE, 3)
        assert 0 <= image.min() <= image.max() <= 1
        shown = np.concatenate([image, (np.abs(image - 1).max(-1, keepdims=True) > 0.05)], -1)
        part = compose.main_part(shown) * shown[..., 3]
        mean = (image * part[..., None]).sum((0, 1)) / part.sum()
        best = min(compose.COLOURS, key=lambda name: float(((compose.shaded(name) - mean) ** 2).sum()))
        assert best == colour


def test_the_same_seed_gives_the_same_target_and_others_another(world):
    scene = world.read("a cat")
    same = [world.target(scene, 3) for _ in range(2)]
    assert np.array_equal(*same)
    assert any(np.abs(world.target(scene, seed) - same[0]).mean() > 0.01 for seed in (4, 5, 6))


def test_three_of_a_thing_are_three(world):
    one, three = (world.target(world.read(p), 1) for p in ("a star", "three stars"))
    assert np.abs(three - 1).max(-1).astype(bool).any(0).sum() > np.abs(one - 1).max(-1).astype(bool).any(0).sum() / 2
    assert names(world, "three stars") == names(world, "a star")
    assert world.read("three stars").parts[0].count == 3


def test_it_knows_fifteen_hundred_things_by_five_thousand_words(world):
    assert len(np.unique(world.of)) >= 1500
    assert len(world.lexicon) >= 5000


def test_only_silhouettes_are_of_one_artist(world):
    from evoart.openclip import safetensors

    artists = safetensors.read(icons.FILE)[0]["artists"]
    alone = {world.things[i]["name"] for i, each in zip(world.of, artists, strict=True) if int(each).bit_count() < 2}
    listed = (Path(__file__).parents[1] / "benchmarks/words/silhouettes.tsv").read_text().splitlines()
    assert alone == {line.split("\t")[0] for line in listed}
