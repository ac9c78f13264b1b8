"""Drawings changed by hand: edits, locked shapes, an area to work on, a brush, and where it is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.run.fit import edits
from evoart.run.job import Job

QUICK = {"stages": 2, "cycles": 2, "finish": 10}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, photo):
    """A folder with ``photo.png`` and ``drawn.svg``, twelve shapes of it."""
    folder = tmp_path_factory.mktemp("editing")
    Image.fromarray(np.rint(photo * 255).astype(np.uint8)).save(folder / "photo.png")
    result = evoart.fit(folder / "photo.png", shapes=12, seed=1, options=QUICK)
    result.save(folder / "drawn.svg")
    return folder


def rows(result):
    return result.genome.reshape(result.form.groups, -1)


@pytest.mark.parametrize(
    ("text", "same"),
    [("remove 3,5-8", None), ("remove 8,5,6,7,3", "remove 3,5-8"), ("color 2 RED", "colour 2 #ff0000"),
     ("colour 1-3 #abc", "colour 1-3 #aabbcc"), ("opacity 4 .5", "opacity 4 0.5"), ("keep 80", None),
     ("front 9", None)],
)  # fmt: skip
def test_edits_are_read(text, same):
    assert str(edits.read(text)) == (same or text)


@pytest.mark.parametrize(
    "text",
    ["", "remove", "remove x", "remove 0", "remove 5-3", "delete 3", "colour 3", "colour 3 nocolour", "opacity 3 2",
     "keep 3,4", "front 1 2", "remove 99999999", "remove 1-", "opacity 3 nan"],
)  # fmt: skip
def test_what_is_no_edit_is_refused(text):
    with pytest.raises(evoart.UsageError):
        edits.read(text)


def test_every_edit_does_what_it_says(drawn):
    before = evoart.load(drawn / "drawn.svg")
    old = rows(before)
    removed = evoart.edit(drawn / "drawn.svg", "remove 1,3-4")
    np.testing.assert_array_equal(rows(removed), old[[1, *range(4, 12)]])
    front = evoart.edit(drawn / "drawn.svg", "front 2", "back 5")
    np.testing.assert_array_equal(rows(front), old[[5, 0, 2, 3, 4, *range(6, 12), 1]])
    painted = evoart.edit(drawn / "drawn.svg", "colour 2 #ff0000", "opacity 2 0.25")
    np.testing.assert_allclose(rows(painted)[1, -4:], [1, 0, 0, 0.25])
    np.testing.assert_array_equal(np.delete(rows(painted), 1, 0), np.delete(old, 1, 0))
    assert before.psnr == pytest.approx(evoart.edit(drawn / "drawn.svg").psnr, abs=1e-6)


def test_keeping_fewer_drops_what_is_missed_least(drawn):
    fewer = evoart.edit(drawn / "drawn.svg", "keep 6")
    assert fewer.form.groups == 6
    kept = {row.tobytes() for row in rows(fewer)}
    old = rows(evoart.load(drawn / "drawn.svg"))
    others = [i for i, row in enumerate(old, 1) if row.tobytes() not in kept]
    worst = evoart.edit(drawn / "drawn.svg", "keep 6", picture=str(drawn / "photo.png"))
    assert worst.psnr == pytest.approx(fewer.psnr)
    swapped = [i for i in range(1, 13) if i not in others][:6]
    assert fewer.psnr > evoart.edit(drawn / "drawn.svg", f"remove {','.join(map(str, swapped))}").psnr


def test_an_edited_picture_is_made_again_from_its_recipe(drawn, tmp_path):
    edited = evoart.edit(drawn / "drawn.svg", "remove 2", "colour 1 #00ff00")
    edited.save(tmp_path / "edited.svg")
    job = evoart.load(tmp_path / "edited.svg").job
    assert job.edits == ("remove 2", "colour 1 #00ff00")
    np.testing.assert_array_equal(evoart.make(job).genome, edited.genome)


def test_locked_shapes_stay_and_the_others_improve(drawn):
    old = rows(evoart.load(drawn / "drawn.svg"))
    start = str(drawn / "drawn.svg")
    result = evoart.fit(drawn / "photo.png", start=start, lock="2,7", shapes=14, seed=2, options=QUICK)
    new = rows(result)
    assert result.form.groups == 14
    for i in (1, 6):
        assert any(np.array_equal(row, old[i]) for row in new), i
    assert sum(any(np.array_equal(row, each) for row in new) for each in old) < 12
    assert result.psnr > evoart.load(start).psnr


def test_everything_may_be_locked(drawn):
    start = str(drawn / "drawn.svg")
    result = evoart.fit(drawn / "photo.png", start=start, lock="1-12", seed=2, options=QUICK)
    np.testing.assert_array_equal(result.genome, evoart.load(start).genome)


def test_an_area_is_worked_on_and_the_rest_stays(drawn):
    start, area = str(drawn / "drawn.svg"), (0.5, 0.0, 1.0, 0.6)
    before = evoart.load(start)
    result = evoart.fit(drawn / "photo.png", start=start, area=area, shapes=20, seed=3, options=QUICK)
    from evoart.forms.boxes import boxes

    box = np.clip(boxes(before.form, before.genome[None], np)[0], 0, 1)
    outside = (box[:, 2] <= 0.5) | (box[:, 1] >= 0.6)
    assert outside.any()
    new = {row.tobytes() for row in rows(result)}
    assert all(row.tobytes() in new for row in rows(before)[outside])
    photo = drawn / "photo.png"
    old_error, error = evoart.error_map(before, photo, 48), evoart.error_map(result, photo, 48)
    inside = np.s_[: int(0.6 * 36), 24:]
    assert (error[inside] ** 2).mean() < 0.8 * (old_error[inside] ** 2).mean()


def test_locks_survive_a_checkpoint(drawn, tmp_path):
    from evoart.run import checkpoint as checkpoints
    from evoart.run.loop import Keep, resume, run
    from evoart.run.stop import Stop

    job = Job.make(
        picture=str(drawn / "photo.png"), start=str(drawn / "drawn.svg"), lock="2,7", area=(0, 0, 0.7, 1), shapes=15,
        seed=4, options={"stages": 2, "cycles": 6, "finish": 20},
    )  # fmt: skip
    whole = evoart.make(job)
    stop, path = Stop(), tmp_path / "c.npz"
    for event in run(job, keep=Keep(path), stop=stop):
        if getattr(event, "generation", 0) > 3:
            stop.ask()
    *_, last = resume(checkpoints.load(path))
    np.testing.assert_array_equal(last.result.genome, whole.genome)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lock": "99", "start": "drawn.svg"}, "no shape 99"),
        ({"lock": "x", "start": "drawn.svg"}, "no list of shapes"),
        ({"lock": "1"}, "nothing to lock"),
        ({"edits": ["remove 1"]}, "nothing to edit"),
        ({"edits": ["remove 13"], "start": "drawn.svg"}, "no shape 13"),
        ({"edits": ["remove 1-12"], "start": "drawn.svg"}, "no shape would be left"),
        ({"area": "0,0,1"}, "--area"),
        ({"area": "0.5,0,0.5,1"}, "without extent"),
        ({"area": "0,0,1,1", "search": "classical"}, "only the default search"),
    ],
)
def test_wrong_wishes_are_told(drawn, given, said):
    if "start" in given:
        given = given | {"start": str(drawn / given["start"])}
    with pytest.raises(evoart.UsageError, match=said):
        evoart.fit(drawn / "photo.png", options=QUICK if "search" not in given else {}, **given)


def test_a_brush_paints_weights():
    strokes = [
        {"points": [(0.25, 0.5)], "radius": 0.1, "value": 1},
        {"points": [(0.75, 0.5)], "radius": 0.1, "value": 0},
    ]
    weights = evoart.paint_weights((100, 50), strokes)
    assert weights.shape == (50, 100)
    assert weights[25, 25] > 0.99
    assert weights[25, 75] < 0.01
    assert weights[2, 2] == pytest.approx(0.2)
    assert evoart.paint_weights((10, 10), strokes[1:])[0, 0] == pytest.approx(1.0, abs=0.01)
    for broken in ({}, {"points": [], "radius": 1, "value": 1}, {"points": [(0, 0)], "radius": 0, "value": 1}):
        with pytest.raises(evoart.UsageError):
            evoart.paint_weights((10, 10), [broken])


def test_the_brush_steers_the_search(drawn, photo):
    weights = evoart.paint_weights((48, 36), [{"points": [(0.7, 0.3)], "radius": 0.2, "value": 1}], base=0.02)
    inside, whole = np.zeros(2), np.zeros(2)  # squared errors without and with the brush: one seed may be lucky
    for seed in (1, 2):
        how = {"shapes": 6, "seed": seed, "options": QUICK, "background": "gray"}
        for k, more in enumerate(({}, {"weights": weights})):
            result = evoart.fit(drawn / "photo.png", **how, **more)
            error = evoart.error_map(result, drawn / "photo.png", 48) ** 2
            inside[k] += np.average(error, weights=weights)
            whole[k] += error.mean()
    assert inside[1] < 0.9 * inside[0]
    assert whole[1] > whole[0]


def test_the_error_map_is_the_difference(drawn, photo):
    result = evoart.load(drawn / "drawn.svg")
    error = evoart.error_map(result, drawn / "photo.png", 48)
    image = result.image(48)
    np.testing.assert_allclose(error, np.sqrt(((image - photo) ** 2).mean(-1)), atol=0.01)
