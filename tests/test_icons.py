"""What the model inside knows by sight: prompts taken apart, colours, numbers, places and backgrounds."""

from __future__ import annotations

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


def test_it_knows_a_thousand_things_and_a_few_thousand_words(world):
    assert len(np.unique(world.of)) > 1000
    assert len(world.lexicon) > 3000


def test_no_blend_is_one_artists_picture():
    from evoart.openclip import safetensors

    artists = safetensors.read(icons.FILE)[0]["artists"]
    assert min(int(each).bit_count() for each in artists) >= 2
