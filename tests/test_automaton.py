"""Neural cellular automata: the rule against independent ones, training, the page in a browser, what grows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

import evoart
from evoart.automaton import rule
from evoart.cli.app import run
from evoart.errors import EvoartError, UsageError
from evoart.forms.automaton import AutomatonForm
from evoart.openclip import safetensors
from evoart.output.formats import encode
from evoart.run import checkpoint
from evoart.run.automaton.job import AutomatonJob
from evoart.run.automaton.problem import AutomatonProblem, measure_likeness
from evoart.run.automaton.target import read_subject
from evoart.run.loop import Keep, drive, resume
from evoart.run.stop import Stop

SMALL = {"pixels": 8, "padding": 2, "hidden": 32, "pool": 8, "damaged": 1, "learning_rate": 0.008, "seed": 1, "age": 60}
UPDATES = 300  # of the training that tests share


def disc(side: int = 64, mode: str = "RGBA") -> Image.Image:
    """A red disc with a blue dot in it, around it nothing, or white."""
    image = Image.new(mode, (side, side), (0, 0, 0, 0) if mode == "RGBA" else (255, 255, 255))
    pen = ImageDraw.Draw(image)
    pen.ellipse((2, 2, side - 3, side - 3), fill=(210, 40, 30))
    pen.ellipse((side // 2, side // 4, side * 3 // 4, side // 2), fill=(30, 60, 200))
    return image


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the target is."""
    place = tmp_path_factory.mktemp("automaton")
    disc().save(place / "disc.png")
    return place


def job_of(folder, **given) -> AutomatonJob:
    return AutomatonJob.make(**SMALL | {"picture": str(folder / "disc.png"), "generations": UPDATES} | given)


@pytest.fixture(scope="module")
def trained(folder):
    """A training: its problem, its search and its result."""
    problem = AutomatonProblem.prepare(job_of(folder))
    search = problem.search()
    *_, last = drive(problem, search)
    return problem, search, last.result


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def test_a_step_is_what_filters_say():
    """Against scipy's filters, in float64."""
    from scipy.ndimage import correlate, maximum_filter

    form = AutomatonForm(9, 7, 12)
    genome = form.random(np.random.default_rng(3)) * 3
    state = noise((1, 9, 7, 16))
    change = np.random.default_rng(1).random((1, 9, 7)) < 0.5
    cells, table = state[0].astype(np.float64), genome.reshape(12, 65).astype(np.float64)
    across = np.outer([1, 2, 1], [-1, 0, 1]) / 8
    seen = [cells, *(correlate(cells, f[..., None], mode="constant") for f in (across, across.T))]
    inner = np.maximum(np.concatenate(seen, -1) @ table[:, :48].T + table[:, 48], 0)
    after = cells + (inner @ table[:, 49:]) * change[0, ..., None]
    alive = [maximum_filter(each[..., 3], 3, mode="constant") > rule.ALIVE for each in (cells, after)]
    expected = after * (alive[0] & alive[1])[..., None]
    np.testing.assert_allclose(rule.advance(np, genome, state, change)[0], expected, atol=2e-6)


def test_numpy_and_jax_agree_and_half_of_the_cells_change():
    import jax.numpy as jnp

    from evoart.automaton.training import run_traced

    genome = AutomatonForm(12, 12, 16).random(np.random.default_rng(2)) * 2
    ours = rule.simulate(genome, rule.seed_cell(12, 12), 2**32 - 5, 0, 24)
    theirs = run_traced(
        24, jnp.asarray(genome), jnp.asarray(rule.seed_cell(12, 12)), jnp.array([2**32 - 5], jnp.uint32)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    masks = [rule.changing(np, np.array([7], np.uint32), step, 40, 40) for step in range(50)]
    assert np.mean(masks) == pytest.approx(0.5, abs=0.01)
    both = np.mean([(a & b).mean() for a, b in zip(masks, masks[1:], strict=False)])
    assert both == pytest.approx(0.25, abs=0.01)  # one step says nothing of the next


@pytest.mark.parametrize("capacity", [500, 40], ids=["fits", "too many"])
def test_a_step_of_cells_that_change_is_that_of_all(capacity):
    """And its gradient."""
    import jax
    import jax.numpy as jnp

    from evoart.automaton.training import run_traced

    genome = jnp.asarray(AutomatonForm(12, 10, 16).random(np.random.default_rng(2)) * 2)
    states = jnp.asarray(np.concatenate([rule.seed_cell(12, 10), noise((1, 12, 10, 16))]))
    seeds = jnp.array([3, 9], jnp.uint32)

    def grown(genome, capacity):
        after = run_traced(9, genome, states, seeds, count=7, capacity=capacity)
        return (after**2).sum(), after

    (_, after), gradient = jax.value_and_grad(grown, has_aux=True)(genome, capacity)
    (_, expected), slope = jax.value_and_grad(grown, has_aux=True)(genome, None)
    assert 40 < rule.alive(np, np.asarray(expected)).sum() < 500
    np.testing.assert_allclose(after, expected, atol=1e-4)
    np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-3 * float(jnp.abs(slope).max()))


def test_it_learns_to_grow_to_stay_and_to_heal(trained):
    problem, search, result = trained
    assert search.loss < 0.02
    assert result.figures["psnr"] > 18
    assert result.figures["held"] > 17
    assert result.figures["healed"] > 16
    hurt = rule.wound(np.ones((1, 12, 12, 16), np.float32), *rule.place_wound(12, 12))
    assert 0.08 < 1 - hurt.mean() < 0.25  # the wound that it heals is no scratch
    flat = measure_likeness(np.zeros((1, 12, 12, 16)), problem.target)
    assert result.figures["psnr"] > flat + 4


def test_a_resumed_training_ends_bit_for_bit_the_same(folder, tmp_path):
    problem = AutomatonProblem.prepare(job_of(folder, generations=8))
    *_, whole = drive(problem, problem.search())
    stop, keep, half = Stop(), Keep(tmp_path / "x.npz"), problem.search()
    real = half.step
    half.step = lambda: (real(), stop.ask() if half.generation >= 3 else None)
    *_, broken = drive(problem, half, keep=keep, stop=stop)
    assert (broken.reason, broken.generation) == ("interrupted", 3)
    *_, end = resume(checkpoint.load(keep.path))
    np.testing.assert_array_equal(end.result.genome, whole.result.genome)
    for format in ("png", "page", "safetensors", "gif"):
        assert encode(format, end.result.artwork(64)) == encode(format, whole.result.artwork(64))


def test_a_strategy_learns_without_a_gradient(folder):
    problem = AutomatonProblem.prepare(
        job_of(folder, strategy="open_es", population=16, generations=30, hidden=8, pixels=4, padding=1)
    )
    search = problem.search()
    first = search.loss
    *_, last = drive(problem, search)
    assert last.evaluations >= 30 * 16
    assert search.loss < 0.9 * first


def test_updates_without_a_finite_gradient_change_nothing(folder, monkeypatch):
    from evoart import train_state

    problem = AutomatonProblem.prepare(job_of(folder, generations=8))
    search = problem.search()
    monkeypatch.setattr(train_state, "GIVE_UP", 3)
    search.training.target = np.full_like(search.training.target, np.nan)
    before = search.training.genome.copy()
    while not search.done:
        search.step()
    np.testing.assert_array_equal(search.training.genome, before)
    assert "no finite gradient" in search.notes[0]
    assert "--learning-rate" in search.notes[0]


@pytest.mark.parametrize("way", ["", "#half", "#plain"])
def test_the_page_grows_the_same_picture(page, trained, tmp_path, way):
    form, genome = trained[2].form, trained[2].genome
    place = tmp_path / "grow.html"
    place.write_bytes(encode("page", trained[2].artwork()))
    page.goto(place.as_uri() + way)
    page.evaluate("setPaused(true); restart(); advance(40)")
    names = {"": "WebGL 2, floats", "#half": "WebGL 2, half floats", "#plain": "JavaScript"}
    assert page.evaluate("engine.name") == names[way]
    close = 0.03 if way == "#half" else 5e-3

    def cells():
        return np.array(page.evaluate("Array.from(engine.cells())")).reshape(1, form.rows, form.columns, 4)

    state = rule.simulate(genome, rule.seed_cell(form.rows, form.columns), form.seed, 0, 40)
    np.testing.assert_allclose(cells(), state[..., :4], atol=close)
    page.evaluate("wound(0.3, 0.4, 0.2)")
    hurt = rule.wound(state, 0.3, 0.4, 0.2)
    np.testing.assert_allclose(cells(), hurt[..., :4], atol=close)
    page.evaluate("advance(400)")  # numbers that are rounded in every step lead nowhere else
    healed = rule.simulate(genome, hurt, form.seed, 40, 440)
    drift = np.abs(cells() - healed[..., :4])
    assert drift.max() < (0.15 if way == "#half" else 5e-3)
    assert drift.mean() < (0.01 if way == "#half" else 1e-3)
    box = page.locator("canvas").bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.6 * box["height"])  # as people wound it
    assert np.abs(cells()).sum() < np.abs(healed[..., :4]).sum() - 1
    page.get_by_role("button", name="Restart").click()
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Pause").click()
    still = page.evaluate("taken")
    assert still > 0
    page.wait_for_timeout(100)
    assert page.evaluate("taken") == still
    assert page.locator("output").inner_text() == f"step {still}"


def test_files_hold_the_weights_and_the_recipe(trained, tmp_path):
    result = trained[2]
    result.save(tmp_path / "a.safetensors", tmp_path / "a.html", tmp_path / "a.png", tmp_path / "a.svg")
    arrays, notes = safetensors.read(tmp_path / "a.safetensors")
    table = result.genome.reshape(-1, 65)
    np.testing.assert_array_equal(arrays["inward"], table[:, :48])
    np.testing.assert_array_equal(arrays["bias"], table[:, 48])
    np.testing.assert_array_equal(arrays["outward"], table[:, 49:])
    assert json.loads(notes["evoart"])["job"]["command"] == "grow"
    for name in ("a.safetensors", "a.html", "a.png", "a.svg"):
        again = evoart.load(tmp_path / name)
        np.testing.assert_array_equal(again.genome, result.genome)
        assert encode("page", again.artwork()) == encode("page", result.artwork())


def test_a_finished_one_is_drawn_at_any_step_and_as_a_film(trained, tmp_path, capsys):
    trained[2].save(tmp_path / "a.png")
    given = [str(tmp_path / "a.png"), "-o", str(tmp_path / "b.png"), "-o", str(tmp_path / "b.gif"), "--size", "48"]
    assert run(["render", *given, "--steps", "3"]) == 0
    form = trained[2].form
    state = rule.simulate(trained[2].genome, rule.seed_cell(form.rows, form.columns), form.seed, 0, 3)
    with Image.open(tmp_path / "b.png") as image:
        seen = np.asarray(image.convert("RGBA"), np.float32)[2::4, 2::4] / 255
    np.testing.assert_allclose(seen[..., 3], rule.shown(state)[0, ..., 3], atol=1 / 254)
    with Image.open(tmp_path / "b.gif") as film:
        assert film.n_frames > 20
    assert run(["render", "tests/recipes/fit.json", "--steps", "3", "-o", str(tmp_path / "c.png")]) == 2
    assert "grows in steps" in capsys.readouterr().err


def test_the_command_makes_it_and_makes_it_again(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--pixels", "6", "--padding", "1", "--hidden", "4", "--batch", "2", "--pool", "4", "--generations", "2"]
    assert run(["grow", str(folder / "disc.png"), *small, "-s", "4", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["outputs"] == ["disc-automaton.html", "disc-automaton.png"]
    assert {"psnr", "held", "healed"} <= facts.keys()
    assert run(["redo", "disc-automaton.html", "-o", "again.png", "-o", "again.html", "-q"]) == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "disc-automaton.png").read_bytes()
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "disc-automaton.html").read_bytes()


def subject(tmp_path, image, **given):
    image.save(tmp_path / "it.png")
    return read_subject(AutomatonJob.make(picture=str(tmp_path / "it.png"), seed=1, **given))


def test_what_becomes_of_backgrounds(tmp_path):
    """A plain one is cut away, another one grows; transparency decides by itself."""
    clear, white = subject(tmp_path, disc()), subject(tmp_path, disc(mode="RGB"))
    assert clear.cells.shape == white.cells.shape == (32, 32, 4)
    assert not any("background" in note for note in clear.notes)
    assert any("cut away" in note for note in white.notes)
    assert any("24 x 24 cells" in note for note in white.notes)
    np.testing.assert_allclose(white.cells[..., 3], clear.cells[..., 3], atol=0.3)
    assert (white.cells[4, 4] == 0).all()
    np.testing.assert_allclose(clear.cells[20, 10], [210 / 255, 40 / 255, 30 / 255, 1], atol=0.01)
    kept = subject(tmp_path, disc(mode="RGB"), background="keep")
    assert (kept.cells[4:28, 4:28, 3] == 1).all()
    scene = Image.fromarray(np.random.default_rng(0).integers(0, 255, (10, 30, 3), np.uint8))
    whole = subject(tmp_path, scene)
    assert whole.cells.shape == (8 + 8, 24 + 8, 4)
    assert any("no plain background" in note for note in whole.notes)
    assert subject(tmp_path, scene.resize((7, 5))).cells.shape == (5 + 8, 7 + 8, 4)  # small ones stay as they are


def test_svg_emoji_and_words(tmp_path):
    path = tmp_path / "it.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50"><path fill="#f00" fill-rule="evenodd" '
        'd="M0 0H100V50H0ZM25 12H75V38H25Z"/><path d="M10 25H90" stroke="#00f" stroke-width="8" fill="none"/></svg>'
    )
    cells = read_subject(AutomatonJob.make(picture=str(path), seed=1, padding=0)).cells
    assert cells.shape == (12, 24, 4)
    np.testing.assert_allclose(cells[1, 2], [1, 0, 0, 1], atol=0.02)
    np.testing.assert_allclose(cells[4, 12], 0, atol=0.06)
    assert cells[5:7, 12].max(0)[2] > 0.8
    cat, emoji = (read_subject(AutomatonJob.make(words=words, seed=1)) for words in ("a cat", "🐱"))
    for known in (cat, emoji):
        assert max(known.cells.shape) == 32
        assert 0.2 < known.cells[..., 3].mean() < 0.8


def bad(tmp_path, **given):
    return read_subject(AutomatonJob.make(seed=1, **given))


def test_what_cannot_grow(tmp_path, folder, capsys):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "red.png")
    Image.new("RGBA", (9, 9)).save(tmp_path / "clear.png")
    (tmp_path / "broken.png").write_bytes((folder / "disc.png").read_bytes()[:60])
    with pytest.raises(UsageError, match="of one colour"):
        bad(tmp_path, picture=str(tmp_path / "red.png"))
    with pytest.raises(EvoartError, match="entirely transparent"):
        bad(tmp_path, picture=str(tmp_path / "clear.png"))
    with pytest.raises(EvoartError, match="damaged|not a picture"):
        bad(tmp_path, picture=str(tmp_path / "broken.png"))
    with pytest.raises(UsageError, match="knows no"):
        bad(tmp_path, words="qwrtzp")
    for given, said in (
        ({"pool": 1}, "no batch of 2"),
        ({"population": 8}, "only a strategy"),
        ({"options": {"sigma": 1}}, "only a strategy"),
        ({"picture": "a.png", "words": "a cat"}, "a picture and words"),
        ({"pixels": 2}, "--pixels"),
        ({"age": -1}, "--steps"),
    ):
        with pytest.raises(UsageError, match=said):
            AutomatonJob.make(**given)
    assert run(["grow", str(tmp_path / "none.png")]) == 2
    assert run(["grow", ""]) == 2
    assert run(["grow", "a cat", "-o", str(tmp_path / "a.npz")]) == 2
    assert run(["grow", "a cat", "--strategy", "nonsense", "-o", str(tmp_path / "a.png")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("Error:") for line in lines) == 4


def test_the_form_refuses_what_no_rule_has():
    form = AutomatonForm(8, 8, 4)
    genome = form.random(np.random.default_rng(0))
    for wrong in (np.inf, np.nan, 1e6):
        genome[3] = wrong
        with pytest.raises(ValueError, match="out of range"):
            form.check(genome)
    wild = form.random(np.random.default_rng(0)) * 1e6
    assert np.isfinite(form.drawing(wild).paint((16, 16))).all()
