"""One pen drawing that becomes another."""

import numpy as np
import pytest

from evoart.draw.bend import Bend, BendFrames
from evoart.draw.pen import PenDrawing


def drawing(*strokes):
    return PenDrawing(tuple(np.array(s, float) for s in strokes), np.zeros((len(strokes), 3)), 0.01, 1.0, 1.0)


def circle(start, radius=0.3, turn=1, points=24):
    angle = start + turn * np.linspace(0, 2 * np.pi, points)
    return np.stack([0.5 + radius * np.cos(angle), 0.5 + radius * np.sin(angle)], -1)


SQUARE = [[0.2, 0.2], [0.8, 0.2], [0.8, 0.8], [0.2, 0.8], [0.2, 0.2]]
LINE = [[0.1, 0.9], [0.9, 0.9]]


def test_the_ends_are_the_drawings_themselves():
    a, b = drawing(circle(0), LINE), drawing(SQUARE)
    way = Bend(a, b)
    assert way.at(0) is a
    assert way.at(1) is b
    near = way.at(1 - 1e-9).strokes
    for corner in SQUARE:  # corners are not cut by resampling
        assert min(np.hypot(*(stroke - corner).T).min() for stroke in near) < 1e-6


@pytest.mark.parametrize("turn", [1, -1])
def test_closed_strokes_begin_where_they_have_least_to_go(turn):
    way = Bend(drawing(circle(0)), drawing(circle(2.5, turn=turn)))
    (middle,) = way.at(0.5).strokes
    assert np.hypot(*(middle - 0.5).T).min() > 0.28  # it does not pass through itself
    assert way.length < 0.05


def test_an_open_stroke_is_turned_around_and_strokes_keep_to_the_near_ones():
    low = [[0.1, 0.2], [0.9, 0.2]]
    way = Bend(drawing(low, LINE), drawing(LINE[::-1], low[::-1]))
    assert way.length == pytest.approx(0, abs=1e-9)


def test_a_stroke_without_a_partner_grows_out_of_the_ink():
    way = Bend(drawing(LINE), drawing(LINE, [[0.5, 0.5], [0.5, 0.7]]))
    _, grown = way.at(0.01).strokes
    assert np.abs(grown[:, 1] - 0.9).max() < 0.01
    _, grown = way.at(0.5).strokes
    assert grown[:, 1].min() == pytest.approx(0.7, abs=0.01)


def test_the_film_comes_back_and_the_ink_moves_evenly():
    moved = [[[0.1 + x, 0.9], [0.2 + x, 0.9]] for x in (0, 0.02, 0.5, 0.52)]
    frames = BendFrames([drawing(line) for line in moved], 101)
    at = np.array([frames[k].strokes[0][0, 0] for k in range(len(frames))])
    assert at[-1] == 0.1
    assert at.max() == pytest.approx(0.62, abs=1e-3)
    steps = np.abs(np.diff(at))
    assert steps.max() < 2.2 * steps.mean()  # of the drawings themselves, the second step is 2.8 times the mean
    assert np.allclose(at[:-1], at[:-1][::-1])


def test_drawings_that_are_the_same_stand_still():
    still = drawing(LINE)
    assert all(len(frame.strokes) == 1 for frame in BendFrames([still, still], 5))
