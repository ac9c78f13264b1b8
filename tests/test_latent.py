"""Networks that learn to draw latent vectors: training, files, pictures, films."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from fakes import tiny_autoencoder
from PIL import Image
from trainings import check_files, check_resumed

import evoart
from evoart.cli.app import run
from evoart.cppn.latent.discriminator import PREFIX, adversarial_losses, create_discriminator, crop, judge
from evoart.cppn.latent.model import Config, encode_traced, logits, positions, whiten
from evoart.cppn.latent.space import slerp
from evoart.cppn.latent.training import Training, TrainingConfig
from evoart.cppn.layers import Layers
from evoart.errors import EvoartError, UsageError
from evoart.forms.sheet import SheetForm
from evoart.output.formats import encode as encode_file
from evoart.run import checkpoint
from evoart.run.events import Noted, Unsaved
from evoart.run.latent.dataset import read_dataset
from evoart.run.latent.encoding import encode
from evoart.run.latent.job import LatentTrainJob, MorphJob, SampleJob
from evoart.run.latent.models import FILES, form_of
from evoart.run.latent.trainer import LatentTrainProblem
from evoart.run.loop import Keep, drive
from evoart.run.problem import prepare
from evoart.train_state import GIVE_UP

SIDE = 12


def discs(count: int, side: int = SIDE) -> np.ndarray:
    """Discs of many sizes, places and colours on white, ``(count, side, side, 3)`` uint8."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    out = []
    for _ in range(count):
        radius, (a, b) = rng.uniform(0.2, 0.4) * side, rng.uniform(-0.1, 0.1, 2) * side
        inside = np.clip(radius + 0.5 - np.hypot(x - a, y - b), 0, 1)[..., None]
        out.append(inside * rng.uniform(0, 1, 3) + 1 - inside)
    return np.rint(255 * np.array(out)).astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    place = tmp_path_factory.mktemp("data") / "discs.npz"
    np.savez(place, images=discs(200), labels=np.arange(200))
    return place


def problem_of(data, **settings) -> LatentTrainProblem:
    how = {"layers": "24x2", "latent": 6, "encoder": 32, "batch": 16, "share": 0.5, "learning_rate": 0.01, "seed": 3}
    how |= {"generations": 800, "interval": 200, "name": "discs", "kl_weight": 0.3} | settings
    return LatentTrainProblem.prepare(LatentTrainJob.make(**how, data=(str(data),)))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """The end of a short training, its model's file, and the notes on the way."""
    problem = problem_of(data)
    events = list(drive(problem, problem.search()))
    path = tmp_path_factory.mktemp("net") / "discs.safetensors"
    path.write_bytes(encode_file("safetensors", events[-1].result.artwork()))
    return events[-1], path, [event.text for event in events if isinstance(event, Noted)]


def test_it_learns_to_draw_what_it_saw(trained):
    last, path, notes = trained
    assert (last.reason, last.generation) == ("generations", 800)
    assert "190 pictures to learn from, 10 held out to judge by" in notes
    assert last.figures["psnr"] > 15
    assert last.figures["nll"] < 115
    assert last.figures["loss"] == pytest.approx(last.figures["nll"] + 0.3 * last.figures["kl"])
    model = FILES.read(path)
    image = discs(1)[0]
    form = form_of(model)
    drawn = form.drawing(encode(model, image)).paint((SIDE, SIDE))[..., :3]
    assert -10 * np.log10(((drawn - image / 255) ** 2).mean()) > 15


def test_a_resumed_training_ends_where_the_unbroken_one_does(data, trained, tmp_path):
    problem = problem_of(data, generations=12, interval=4)
    check_resumed(problem, 6, tmp_path)
    np.savez(tmp_path / "other.npz", discs(20))
    with pytest.raises(UsageError, match="is not the data this job was made for"):
        problem_of(tmp_path / "other.npz", data_sha256=problem.job.data_sha256)


def test_a_full_disk_and_steps_that_are_not_finite(data, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise EvoartError("no space left", "Free some")

    monkeypatch.setattr(checkpoint, "save", refuse)
    problem = problem_of(data, generations=12, interval=4)
    search = problem.search()
    search.step()
    best = search.best.digest
    search.training.params = {name: value * np.nan for name, value in search.training.params.items()}
    problem = problem_of(data, generations=GIVE_UP + 20, interval=4)
    events = list(drive(problem, search, keep=Keep(tmp_path / "x.npz", every=0)))
    assert any(isinstance(event, Unsaved) for event in events)
    assert "had no finite gradient" in search.notes[-1]
    assert "--learning-rate" in search.notes[-1]
    assert (search.best.digest, search.best_step) == (best, 0)
    assert encode_file("safetensors", events[-1].result.artwork())


def gan_problem(folder, **settings) -> LatentTrainProblem:
    """Blocks of black and white in no order: two latent numbers cannot say which, so their mean is gray."""
    blocks = 255 * np.random.default_rng(0).integers(0, 2, (200, 4, 4))
    np.savez(folder / "blocks.npz", np.kron(blocks, np.ones((2, 2), int)).astype(np.uint8))
    how = {"latent": 2, "encoder": 16, "batch": 32, "share": 1.0, "generations": 60, "interval": 20, "validation": 0}
    return problem_of(folder / "blocks.npz", **how | settings)


def contrast(result) -> float:
    """Mean distance from gray of what a model draws of random latent vectors; of the blocks it is 0.5."""
    drawings = [drawing.paint((8, 8)) for _, drawing in result.artwork().drawing.drawings]
    return float(np.abs(np.array(drawings)[..., :3] - 0.5).mean())


def test_a_discriminator_makes_drawings_sharp(tmp_path):
    dull, sharp = (gan_problem(tmp_path, gan_weight=weight) for weight in (0.0, 1.0))
    ends = [list(drive(problem, problem.search()))[-1] for problem in (dull, sharp)]
    assert contrast(ends[0].result) < 0.1
    assert contrast(ends[1].result) > 2 * contrast(ends[0].result)
    assert ends[1].figures["psnr"] < ends[0].figures["psnr"]  # which is the price
    check_resumed(sharp, 26, tmp_path)
    search = sharp.search()
    search.step()
    assert not any(PREFIX in name for name in search.training.model.params)
    name = f"{PREFIX}1.bias"
    search.training.params[name] = search.training.params[name] * np.nan
    before = np.asarray(search.training.params["decoder"]).copy()
    search.step()
    assert search.training.skipped == 1
    np.testing.assert_array_equal(search.training.params["decoder"], before)
    search.learned = []
    search.validate()
    assert search.best_step == 2  # the latest counts, whatever its likeness
    with pytest.raises(UsageError, match="--gan-weight"):
        gan_problem(tmp_path, gan_weight=-1)


def test_the_discriminator_sees_crops_and_judges_them():
    """Against a convolution written out, and who learns from which loss."""
    import jax

    config = Config("x", Layers((4,), ("tanh",), 2, "rgb"), SIDE, 8)
    params = create_discriminator(config, np.random.default_rng(0))
    images = discs(3).astype(np.float32) / 255
    part, x, y = crop(config, images, np.array([2, 1]))
    np.testing.assert_array_equal(part, images[:, 2:, 1:-1])
    at = (np.arange(SIDE) - (SIDE - 1) / 2) * 2 / SIDE
    np.testing.assert_allclose(np.reshape(x, (10, 10))[0], at[1:-1], rtol=1e-6)
    np.testing.assert_allclose(np.reshape(y, (10, 10))[:, 0], at[2:], rtol=1e-6)
    h = 2 * np.asarray(part, np.float64) - 1
    for k in range(3):
        side = h.shape[1]
        out = -(-side // 2)
        missing = max(2 * (out - 1) + 5 - side, 0)
        h = np.pad(h, ((0, 0), *[(missing // 2, missing - missing // 2)] * 2, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(h, (5, 5), (1, 2))[:, ::2, ::2]
        h = np.einsum("nabcij,ocij->nabo", windows, params[f"{PREFIX}{k}.weight"]) + params[f"{PREFIX}{k}.bias"]
        h = np.maximum(h, 0.2 * h)
    expected = h.reshape(3, -1) @ params[f"{PREFIX}out.weight"] + params[f"{PREFIX}out.bias"]
    np.testing.assert_allclose(judge(params, part), expected, atol=1e-4)
    first, second = (
        jax.grad(lambda p, drawn, k=k: adversarial_losses(p, part, drawn)[k], argnums=(0, 1))(params, part * 0.5)
        for k in (0, 1)
    )
    assert all(not np.any(value) for value in first[0].values())
    assert np.any(first[1])
    assert any(np.any(value) for value in second[0].values())
    assert not np.any(second[1])


def test_the_drawing_is_what_training_saw():
    """Two implementations: the compiled kernel of layers with z in its biases, and the batched one in JAX."""
    for colour in ("rgb", "gray"):
        model = tiny_autoencoder(5, colour)
        form = form_of(model)
        z = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)
        values = np.asarray(logits(form.net, model.params["decoder"], z, *positions(9)))
        for k in range(3):
            painted = form.drawing(z[k]).paint((9, 9))[..., : len(values)]
            expected = 1 / (1 + np.exp(-values[:, k].T.reshape(9, 9, -1)))
            np.testing.assert_allclose(painted, np.broadcast_to(expected, painted.shape), atol=2e-5)


def test_what_was_learned_from_becomes_the_prior(trained):
    _, path, _ = trained
    model = FILES.read(path)
    images = discs(200)
    z = np.asarray(encode_traced(model.config, model.params, images / np.float32(255))[0])
    np.testing.assert_allclose(z.mean(0), 0, atol=0.25)
    np.testing.assert_allclose(np.cov(z, rowvar=False), np.eye(6), atol=0.35)
    before = tiny_autoencoder(3)
    after = whiten(before, images[:50])
    old, new = (
        np.asarray(encode_traced(m.config, m.params, images[:50] / np.float32(255))[0]) for m in (before, after)
    )
    np.testing.assert_allclose(new.mean(0), 0, atol=1e-4)
    for k in range(3):
        one, two = (form_of(m).drawing(z[k]).paint((9, 9)) for m, z in ((before, old), (after, new)))
        np.testing.assert_allclose(one, two, atol=0.01)  # weights of float16


def test_the_kl_divergence_is_that_of_gaussians(data):
    """Against an integral by sampling, and with its weight rising from nothing."""
    config = Config("x", Layers((4,), ("tanh",), 2, "rgb"), SIDE, 8)
    training = Training(config, TrainingConfig(batch=8, steps=8, warm_up=0.5, kl_weight=2.0), discs(9), discs(4))
    first = training.advance()
    assert first.total == pytest.approx(first.nll)
    for _ in range(3):
        training.advance()
    last = training.advance()
    assert last.total == pytest.approx(last.nll + 2.0 * last.kl, rel=1e-5)
    mean, log_sigma = (np.asarray(v, np.float64) for v in encode_traced(config, training.params, discs(4) / 255))
    noise = np.random.default_rng(0).normal(size=(200_000, 1, 2))
    z = mean + np.exp(log_sigma) * noise
    density = (-0.5 * noise**2 - log_sigma).sum(-1) - (-0.5 * z**2).sum(-1)
    assert training.validate().kl == pytest.approx(density.mean(0).mean(), abs=0.02)


def write_pictures(folder):
    folder.mkdir()
    for k, image in enumerate(discs(6, 20)):
        Image.fromarray(image).save(folder / f"{k}.png")
    Image.fromarray(discs(1, 50)[0][:30]).save(folder / "wide.png")  # 50 x 30
    clear = np.zeros((20, 20, 4), np.uint8)
    clear[5:15, 5:15] = (255, 0, 0, 255)
    Image.fromarray(clear).save(folder / "clear.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    (folder / "notes.txt").write_text("no picture")


def read(*paths, **how):
    usual = {"pixels": None, "color": None, "mirror": False, "validation": 0.2, "seed": 1}
    return read_dataset([str(path) for path in paths], **usual | how)


def test_folders_of_pictures(tmp_path):
    write_pictures(tmp_path / "p")
    found = read(tmp_path / "p")
    assert (found.train.shape, found.valid.shape) == ((6, 32, 32, 3), (2, 32, 32, 3))
    told = " ".join(found.notes)
    assert "6 pictures to learn from, 2 held out" in told
    assert "1 cannot be read and is left out: 'broken.png'" in told
    assert "1 are not square" in told
    assert "brought to 32 x 32" in told
    both = read(tmp_path / "p", mirror=True, validation=0, pixels=20)
    assert len(both.train) == 16
    np.testing.assert_array_equal(both.train[8:], both.train[:8, :, ::-1])
    red = [image for image in both.train[:8] if (image[10, 10] == (255, 0, 0)).all()]
    assert len(red) == 1
    assert (red[0][0, 0] == 255).all()  # white, where it is clear
    assert read(tmp_path / "p", color="gray").train.shape[-1] == 1
    (tmp_path / "empty").mkdir()
    for wrong, text in ((tmp_path / "empty", "no pictures in"), (tmp_path / "p" / "clear.png", "too few")):
        with pytest.raises(UsageError, match=text):
            read(wrong)
    with pytest.raises(UsageError, match="there is no file"):
        read(tmp_path / "nothing")


def test_files_of_the_mnist_family(tmp_path, monkeypatch):
    gray = discs(8)[..., 1]
    idx = b"\0\0\x08\x03" + np.array(gray.shape, ">u4").tobytes() + gray.tobytes()
    (tmp_path / "fashion").mkdir()
    (tmp_path / "fashion" / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx))
    (tmp_path / "fashion" / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x01\5"))
    np.savez(tmp_path / "kmnist-train-imgs.npz", gray)
    for place in ("fashion", "fashion/train-images-idx3-ubyte.gz", "kmnist-train-imgs.npz"):
        found = read(tmp_path / place)
        assert found.train.shape == (6, SIDE, SIDE, 1)
        every = np.concatenate([found.train, found.valid])[..., 0]
        assert sorted(map(bytes, every)) == sorted(map(bytes, gray))
    monkeypatch.setattr("evoart.run.latent.dataset.PLACES", (tmp_path / "fashion",))
    assert len(read("fashion-mnist").train) == 6
    monkeypatch.setattr("evoart.run.latent.dataset.PLACES", ())
    with pytest.raises(UsageError, match="dataset-fashion-mnist"):
        read("fashion-mnist")
    np.savez(tmp_path / "pickled.npz", images=np.array([{}], object))
    np.savez(tmp_path / "labels.npz", np.arange(9))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(idx)[:-30])
    (tmp_path / "short.idx").write_bytes(idx[:-9])
    (tmp_path / "text.npz").write_text("hello")
    for name in ("pickled.npz", "labels.npz", "cut.gz", "short.idx", "text.npz", "fashion/train-labels-idx1-ubyte.gz"):
        with pytest.raises(EvoartError, match="holds"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["kmnist-train-imgs.npz", "k49-train-imgs.npz", "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"]
)
def test_kuzushiji_is_read_as_it_is_published(tmp_path, name):
    """Random numbers in the layouts of "Deep Learning for Classical Japanese Literature" (Clanuwat et al., 2018): an
    ``.npz`` has one array ``arr_0`` of bytes ``(n, 28, 28)``, compressed or not; an idx file begins with a magic number
    and three counts, big-endian. Kuzushiji-49 has its labels in a file of its own, next to it in the folder."""
    pictures = np.random.default_rng(5).integers(0, 256, (12, 28, 28), np.uint8)
    if name.endswith(".npz"):
        (np.savez_compressed if "k49" in name else np.savez)(tmp_path / name, pictures)
        np.savez(tmp_path / name.replace("imgs", "labels"), np.arange(12, dtype=np.uint8))
    else:
        idx = struct.pack(">4I", 2051, *pictures.shape) + pictures.tobytes()
        (tmp_path / name).write_bytes(gzip.compress(idx) if name.endswith(".gz") else idx)
    found = read(tmp_path / name, validation=0.25)
    assert (found.train.shape, found.valid.shape) == ((9, 28, 28, 1), (3, 28, 28, 1))
    every = np.concatenate([found.train, found.valid])[..., 0]
    assert sorted(map(bytes, every)) == sorted(map(bytes, pictures))


def test_a_model_comes_back_from_its_file(trained, tmp_path):
    last, path, _ = trained
    assert isinstance(last.result.form, SheetForm)
    check_files(FILES, path, tmp_path, 6, "facess")


def test_samples_are_drawn_and_drawn_again(trained, tmp_path, capsys):
    _, path, _ = trained
    sheet = tmp_path / "s.png"
    assert run(["cppn", "sample", str(path), "-n", "3", "--size", "40", "-s", "5", "-o", str(sheet), "-q"]) == 0
    assert run(["redo", str(tmp_path / "s-02.png"), "-o", str(tmp_path / "again.png"), "-q"]) == 0
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "s-02.png").read_bytes()
    first = evoart.load(tmp_path / "s-02.png")
    assert first.form.name == "cppn-latent"
    calm = evoart.make("cppn-sample", model=str(path), n=3, seed=5, sigma=0.5, pick=2)
    np.testing.assert_allclose(calm.genome, 0.5 * first.genome, rtol=1e-6)
    # What it drew is a way back to the latent vector, by recipe; its numbers may be changed.
    weights = tmp_path / "z.weights.json"
    assert run(["render", str(tmp_path / "s-02.png"), "-o", str(weights), "-q"]) == 0
    np.testing.assert_array_equal(evoart.load(weights).genome, first.genome)
    plain = json.loads(weights.read_text())
    plain["result"]["weights"]["latent"].append(0.5)
    weights.write_text(json.dumps(plain))
    assert run(["render", str(weights), "-o", str(tmp_path / "z.png")]) != 0
    assert "has 7 numbers and not 6" in capsys.readouterr().err


def test_grids_and_films_go_through_what_is_named(trained, data, tmp_path):
    _, path, _ = trained
    model, given = FILES.read(path), tmp_path / "disc.png"
    Image.fromarray(discs(1)[0]).save(given)
    grid = evoart.make("cppn-grid", model=str(path), n=9, seed=2, around=str(given), span=1.0)
    rows = grid.genome.reshape(9, 6)
    np.testing.assert_allclose(rows[4], encode(model, discs(1)[0]), atol=1e-5)
    assert np.linalg.norm(rows[3] - rows[4]) == pytest.approx(1.0, rel=1e-5)
    grid.save(tmp_path / "grid.png")
    job = MorphJob.make(model=str(path), stops=(f"{tmp_path / 'grid.png'}:2", "7", str(given)), count=4, seed=1)
    problem = prepare(job)
    stops = [genome for _, genome in problem.stops]
    assert len(stops) == 4
    np.testing.assert_array_equal(stops[0], rows[1])
    np.testing.assert_allclose(stops[1], np.random.default_rng([7]).standard_normal(6), rtol=1e-6)
    np.testing.assert_array_equal(problem.at(0.0)[1], stops[0])
    np.testing.assert_allclose(problem.at(0.25)[1], stops[1], atol=1e-6)
    film = tmp_path / "m.webp"
    words = [*problem.job.stops, "-m", str(path), "--film-size", "32", "--film-time", "0.3s", "-s", "1"]
    assert run(["cppn", "morph", *words, "-o", str(film), "-q"]) == 0
    assert run(["redo", str(film), "-o", str(tmp_path / "m2.anim.webp"), "-q"]) == 0  # a number is no missing file
    other = tmp_path / "other.safetensors"
    other.write_bytes(FILES.encode(tiny_autoencoder(4)))
    for stop, text in (
        (f"{tmp_path / 'grid.png'}:2", "of 6 numbers, and 'tiny' takes 4"),
        (str(given) + ":1", "no sheet"),
    ):
        with pytest.raises(UsageError, match=text):
            prepare(MorphJob.make(model=str(other), stops=(stop,), seed=1))


def test_the_network_that_comes_along(tmp_path):
    for name in FILES.names.builtin:
        path = FILES.folder / f"{name}.safetensors"
        assert path.stat().st_size < 1_000_000
        model = FILES.find(name)
        assert model.config.licence
        assert (FILES.folder / f"{name}.LICENCE.txt").is_file()
    result = evoart.make("cppn-sample", n=1, pick=1, seed=4, size=64)
    image = result.image(64)
    assert image[:4, :4].min() > 0.9  # white around
    middle = image[16:48, 16:48]
    assert middle.std() > 0.1  # and a face
    assert np.linalg.norm(encode(FILES.find("faces"), np.rint(255 * image).astype(np.uint8)) - result.genome) < 2


def test_the_way_between_two_latent_vectors_is_a_great_circle():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 9))
    for share in (0.0, 0.3, 1.0):
        point = slerp(a, b, share)
        length = (1 - share) * np.linalg.norm(a) + share * np.linalg.norm(b)
        assert np.linalg.norm(point) == pytest.approx(length)
        whole, part = (np.arccos(a @ v / np.linalg.norm(a) / np.linalg.norm(v)) for v in (b, point))
        assert part == pytest.approx(share * whole, abs=1e-6)
    np.testing.assert_allclose(slerp(a, -a, 0.5), 0, atol=1e-12)
    np.testing.assert_allclose(slerp(0 * a, b, 0.5), b / 2)


def test_what_a_command_refuses(tmp_path, trained):
    for wrong, text in (
        ({"latent": 0}, "latent"),
        ({"data": ()}, "nothing to learn from"),
        ({"layers": "x"}, "--layers"),
        ({"pixels": 4}, "pixels"),
    ):
        with pytest.raises(UsageError, match=text):
            LatentTrainJob.make(**{"data": ("x",)} | wrong)
    with pytest.raises(UsageError, match="sigma"):
        SampleJob.make(sigma=-1)
    assert run(["cppn", "train", str(tmp_path), "-o", str(tmp_path / "only.png")]) == 2  # the network would be lost


def test_a_model_that_is_not_there_is_told_at_once(tmp_path):
    """In one line, and before what takes long is imported."""
    for words in (
        ["sample", "nosuch"],
        ["sample", "no.safetensors"],
        ["grid", "-m", "nosuch"],
        ["morph", "-m", "nosuch"],
    ):
        then = "sys.exit(99 if 'jax' in sys.modules else code)"
        code = f"import sys; from evoart.cli.app import run; code = run({['cppn', *words]}); {then}"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith(
            ("Error: unknown trained network 'nosuch'", "Error: there is no file 'no.safetensors'")
        )


def test_the_page_and_the_shader_draw_it_and_walk(page, tmp_path):
    """In a browser, against our own picture: as it is, and with the uniforms that move the latent numbers."""
    import io

    from evoart.output.formats import Artwork

    form = form_of(tiny_autoencoder(5))
    z, other = np.random.default_rng(3).normal(size=(2, 5)).astype(np.float32)
    (tmp_path / "n.html").write_bytes(encode_file("page", Artwork(form.drawing(z), (96, 96))))
    page.set_viewport_size({"width": 96, "height": 96})
    page.goto((tmp_path / "n.html").as_uri())
    page.evaluate("document.querySelector('p').style.display = 'none'")
    for vector in (z, other):
        page.evaluate(f"gl.uniform1fv(latent, {[float(v) for v in vector - z]}); draw()")
        page.wait_for_timeout(100)
        shown = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
        ours = np.rint(255 * form.drawing(vector).paint((96, 96))[..., :3])
        assert (np.abs(shown - ours) > 1).mean() < 0.002
    page.keyboard.press(" ")
    page.wait_for_timeout(300)
    assert page.evaluate("walking && walked > 0")
