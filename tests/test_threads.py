"""Several threads give the bytes that one gives, and cost nobody time."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from evoart import threads
from evoart.draw import scanline
from evoart.draw.layout import layout, pixels_per_unit
from evoart.engine.placement import PlacementCanvas
from evoart.engine.polish import Polisher
from evoart.forms.shapes import ShapesForm
from evoart.score.pixel import Target
from evoart.search.adam import Adam

STEPS = 60


@pytest.fixture
def polish():
    """Polishes 60 triangles of 128 pixels with so many threads; returns where they end and the seconds it took."""
    rng = np.random.default_rng(0)
    target = Target(rng.random((96, 128, 3), np.float32), np.ones((96, 128), np.float32))
    form = ShapesForm(("triangle",) * 60, 1.0, 0.75, (0.5, 0.5, 0.5))
    start = form.random(rng, target.image).reshape(60, -1)
    polisher = Polisher(form, target, pixels_per_unit((128, 96), (1.0, 0.75)), 24)
    before = threads.threads()

    def run(count: int) -> tuple[np.ndarray, float]:
        threads.set_threads(count)
        polisher.polish(
            Adam(start, np.full(start.shape[1], 0.001, np.float32), 1), 1
        )  # the threads start, and the code is there
        adam, began = Adam(start, np.full(start.shape[1], 0.001, np.float32), STEPS), time.perf_counter()
        polisher.polish(adam, STEPS)
        return adam.rows.copy(), time.perf_counter() - began

    yield run
    threads.set_threads(before)


def test_a_polish_gives_the_same_bytes_for_any_number_of_threads(polish):
    alone = polish(1)[0]
    assert np.abs(alone - polish(1)[0]).max() == 0
    for count in (2, 3, 5):
        np.testing.assert_array_equal(polish(count)[0], alone)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_two_threads_are_not_slower_than_one(polish):
    ratio = np.inf
    for _ in range(10):  # others use this machine too: one quiet moment is enough
        ratio = min(ratio, polish(2)[1] / polish(1)[1])
        if ratio <= 1.1:
            return
    raise AssertionError(f"two threads took {ratio:.2f} times as long as one")


def test_the_polish_tells_what_each_shape_is_worth():
    rng = np.random.default_rng(0)
    target = Target(rng.random((40, 56, 3), np.float32), np.ones((40, 56), np.float32))
    form = ShapesForm(("triangle", "line", "circle"), 1.0, 40 / 56, (0.5, 0.5, 0.5))
    canvas, rows = PlacementCanvas(form, target), form.random(rng, target.image).reshape(3, -1)
    np.testing.assert_allclose(canvas.removal(form.kinds, rows), canvas.gradient(form.kinds, rows)[2], atol=1e-6)
    whole = canvas.evaluate(form.kinds, rows)[0]
    for i, cost in enumerate(canvas.removal(form.kinds, rows)):
        others = [k for k in range(3) if k != i]
        without = canvas.evaluate(tuple(form.kinds[k] for k in others), rows[others])[0]
        assert cost == pytest.approx(without - whole, abs=1e-6)


def test_code_without_strokes_draws_the_same_fills():
    rng = np.random.default_rng(0)
    plan = layout(("triangle", "rectangle", "circle"), 24)
    form = ShapesForm(plan.kinds, 1.0, 1.0, None)
    geometry, rgba = form.decode(np, form.random(rng, np.ones((8, 8, 3), np.float32)))
    points, widths = plan.outlines(np, geometry, np.array([30.0, 30.0]))
    pictures = []
    for strokes in (None, True):
        pictures.append(np.zeros((3, 30, 30), np.float32))
        scanline._paint(
            pictures[-1], points.astype(np.float32), plan.start, widths.astype(np.float32), rgba, strokes, None
        )
    np.testing.assert_allclose(*pictures, atol=1e-6)
    assert np.abs(pictures[0]).max() > 0


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="threads cannot choose their processor here")
def test_helpers_leave_the_processor_of_whom_they_help():
    before, mine = threads.threads(), os.sched_getaffinity(0)
    here = min(mine)
    try:
        os.sched_setaffinity(0, {here})
        threads._allowed.cache_clear()
        threads.set_threads(3)
        (alone,) = threads.help_with(list, 1)  # nowhere else to go
        assert alone.result(10) is None
        os.sched_setaffinity(0, mine)
        threads._allowed.cache_clear()
        places = []
        for each in threads.help_with(lambda: places.append(os.sched_getaffinity(0)), 2):
            each.result(10)
        assert len(places) == 2
        assert all(len(place) == max(1, len(mine) - 1) for place in places)
        assert threads.help_with(print, 0) == []
    finally:
        os.sched_setaffinity(0, mine)
        threads._allowed.cache_clear()
        threads.set_threads(before)


def test_help_that_costs_time_is_done_without(monkeypatch):
    now, slow = 0.0, True  # whether help is slow
    monkeypatch.setattr(threads.time, "perf_counter", lambda: now)
    payoff, helped = threads.Payoff(), []
    for i in range(6 * threads.EVERY):
        slow = i < 3 * threads.EVERY
        with payoff.timed("work") as with_help:
            now += 2.0 if with_help == slow else 1.0
            helped.append(with_help)
    assert helped[: threads.EVERY - 1] == [True] * (threads.EVERY - 1)
    assert sum(helped[threads.EVERY : 3 * threads.EVERY]) <= 2
    assert sum(helped[-2 * threads.EVERY :]) >= 2 * threads.EVERY - 2
    for i in range(2 * threads.EVERY):  # what differs is not compared
        with payoff.timed(i):
            now += 1.0 + i % 2
    assert payoff.pays
