"""The Python interface, and how a photograph and a job become a problem."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from PIL import Image

import evoart
from evoart.draw.shapes import shape
from evoart.errors import EvoartError, UsageError
from evoart.picture import Sources, bundled
from evoart.run import device
from evoart.run.events import Noted
from evoart.run.fit import palette
from evoart.run.fit.engine import choose
from evoart.run.fit.search import coarser
from evoart.run.inputs import read_picture
from evoart.run.job import Job, output_size
from evoart.run.problem import prepare
from evoart.run.recipe import record

FEW = {"shapes": 4, "pixels": 24, "quality": "draft", "seed": 1}


@pytest.fixture(scope="module")
def result():
    return evoart.fit(bundled(), **FEW)


@pytest.fixture(scope="module")
def half():
    """Left half red and opaque, right half blue and transparent."""
    pixels = np.zeros((20, 40, 4), np.uint8)
    pixels[:, :20], pixels[:, 20:] = (255, 0, 0, 255), (0, 0, 255, 0)
    return pixels


def test_fit_draws_and_knows_how_well(result):
    assert result.seed == 1
    assert len(result.drawing.kinds) == 4
    assert 10 < result.psnr < 40
    assert result.image(100).shape == (67, 100, 3)
    assert result.image().shape[:2] == result.size[::-1]
    assert result.svg().startswith("<svg")
    assert result._repr_svg_() == result.svg()
    assert result._repr_png_().startswith(b"\x89PNG")
    assert "triangle" in result.title
    assert len(result.frames) > 1


def test_save_and_load(result, tmp_path):
    paths = result.save(tmp_path / "a.svg", tmp_path / "a.png")
    assert [path.name for path in paths] == ["a.svg", "a.png"]
    for path in paths:
        again = evoart.load(path)
        assert again.svg() == result.svg()
        assert (again.loss, again.seed) == (result.loss, result.seed)
    with pytest.raises(UsageError, match="exists already"):
        result.save(tmp_path / "a.svg")
    result.save(tmp_path / "a.svg", overwrite=True, size=50)
    with pytest.raises(UsageError, match="extension"):
        result.save(tmp_path / "a.xyz")


def test_pictures_of_every_kind_are_taken():
    with Image.open(bundled()) as opened:
        image = opened.convert("RGB")
    array = np.asarray(image)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    results = [evoart.fit(way, **FEW) for way in (image, array, buffer.getvalue())]
    assert len({r.svg().split("<rect")[1] for r in results}) == 1
    # Floats are not rounded on the way, so they are the same to the eye only.
    floats, levels = (read_picture(way, 256).at(32)[0] for way in (array.astype(np.float32) / 255, array))
    np.testing.assert_allclose(floats, levels, atol=1 / 255)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((5, 5, 2), np.uint8), np.zeros(9), np.full((5, 5, 3), 2.0), np.zeros((5, 5, 3), int),
        [[0, 1], [1, 0]], 5, {}, "",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_picture(picture):
    with pytest.raises(UsageError):
        evoart.fit(picture, **FEW)
    with pytest.raises(UsageError, match="cannot be a str"):
        list(evoart.events("photo.jpg"))


def test_arrays_and_open_files():
    deep = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30) * 100
    seen = read_picture(deep, 256).rgb[..., 0]
    np.testing.assert_allclose(seen, deep / 65535, atol=1 / 255)
    np.testing.assert_array_equal(read_picture(deep[..., None], 256).rgb[..., 0], seen)
    np.testing.assert_array_equal(read_picture(deep > 9000, 256).rgb[..., 1], deep > 9000)
    with bundled().open("rb") as file:
        assert read_picture(file, 256).width == 451


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"])
def test_pillow_images_of_every_mode(mode):
    assert read_picture(Image.new(mode, (30, 20)), 256).rgb.shape == (20, 30, 3)


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBA", "RGBa"])
def test_pillow_images_with_transparency_of_every_mode(mode):
    image = Image.new("RGBA", (30, 20), (90, 90, 90, 128))
    for step in {"La": ("LA", "La"), "PA": ("P", "PA")}.get(mode, (mode,)):
        image = image.convert(step)
    assert read_picture(image, 256).rgb[3, 3] == pytest.approx(90 / 255, abs=0.02)


def test_pillow_images_stand_upright_and_must_be_sound():
    image = Image.new("RGB", (30, 20))
    image.getexif()[0x0112] = 6
    assert read_picture(image, 256).width == 20
    data = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(data, "PNG")
    with pytest.raises(EvoartError, match="cannot be read"):
        read_picture(Image.open(io.BytesIO(data.getvalue()[:1000])), 256)


@pytest.mark.parametrize("size", [0, -5, "a", 1e9, True])
def test_sizes_that_are_none(result, size):
    with pytest.raises(UsageError):
        result.image(size)


def test_events_can_be_watched():
    names = [event.to_dict()["event"] for event in evoart.events(Job.make(**FEW))]
    assert names[0] == "started"
    assert names[-1] == "finished"


def test_unknown_options_and_names_are_refused():
    with pytest.raises(UsageError, match="Did you mean shapes"):
        evoart.fit(shape=3)
    with pytest.raises(AttributeError):
        evoart.nothing  # noqa: B018


def test_words_and_every_command_make_pictures(tmp_path):
    few = {"model": "tiny", "shapes": 4, "generations": 2, "crops": 2, "seed": 1}
    drawn = evoart.clip("a red circle", "yellow:0.3", negative_prompts="a blue square", **few)
    assert drawn.job.prompts == ("a red circle", "yellow:0.3")
    assert {"loss", "judge"} < set(drawn.figures)
    assert drawn.save(tmp_path / "a.svg")
    fitted = evoart.make("fit", **FEW)
    assert np.array_equal(fitted.genome, evoart.make(Job.make(**FEW)).genome)
    with pytest.raises(UsageError, match="no prompt"):
        evoart.clip(model="tiny")
    with pytest.raises(UsageError, match="unknown command 'oil'"):
        evoart.make("oil")
    with pytest.raises(UsageError, match="all its options"):
        evoart.make(Job.make(**FEW), shapes=3)


def test_transparent_pixels_do_not_count(half):
    problem = prepare(Job.make(pixels=40, inside=False), half)
    assert problem.form.background == (1, 0, 0)
    assert problem.target.weight.mean() == pytest.approx(1)
    assert problem.target.weight[:, 21:].max() == 0
    assert problem.mask is None
    assert prepare(Job.make(pixels=40, keep_alpha=True), half).mask.shape == (20, 40)


def test_keep_alpha_keeps_it(half, tmp_path):
    result = evoart.fit(half, keep_alpha=True, **FEW)
    for again in [result, *(evoart.load(p) for p in result.save(tmp_path / "a.svg", tmp_path / "a.png"))]:
        image = again.image()
        assert image.shape == (20, 40, 4)
        assert image[:, 5, 3].min() == 1
        assert image[:, 35, 3].max() == 0
    (bare,) = result.save(tmp_path / "a.json")
    with pytest.raises(EvoartError, match="photograph"):
        evoart.load(bare)


def test_a_transparent_result_loads_from_standard_input(half, tmp_path, monkeypatch):
    (path,) = evoart.fit(half, keep_alpha=True, **FEW).save(tmp_path / "a.svg")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert (evoart.load("-").image()[:, 25:, 3] == 0).all()


def test_a_transparent_background(half):
    result = evoart.fit(half, background="transparent", **FEW | {"shapes": 8, "quality": "normal"})
    assert result.drawing.background is None
    alpha = result.image()[..., 3]
    assert alpha[:, :20].mean() > 0.8
    assert alpha[:, 20:].mean() < 0.15  # where the photograph leaves it free, so does the drawing, but for edges


def test_sizes_come_from_the_proportions_and_not_from_a_rounded_size(tmp_path):
    picture = np.full((67, 100, 3), 0.5, np.float32)
    picture[:, :50] = (1, 0, 0)
    (path,) = evoart.fit(picture, **FEW, size=16).save(tmp_path / "small.svg")
    assert evoart.load(path).image().shape[:2] == (11, 16)
    assert evoart.load(path).image(1000).shape[:2] == (670, 1000)


@pytest.mark.parametrize(
    "options",
    [
        {"time": "1.5s"},
        {"time": "1.5s", "search": "sets"},
        {"evaluations": 3000},
        {"evaluations": 3000, "kind": "mixed", "shapes": 6},
    ],
    ids=str,
)
def test_what_a_budget_led_to_can_be_done_again(options):
    first = evoart.fit(bundled(), **FEW | {"quality": "normal"} | options)
    again = evoart.Job.from_dict(first.recipe["job"])
    assert again.seconds is None
    *_, last = evoart.events(again, bundled())
    assert last.result.genome.tobytes() == first.genome.tobytes()
    assert last.result.svg() == first.svg()


def test_files_beside_the_photograph_are_known_again(tmp_path):
    half = np.zeros((20, 30), np.uint8)
    half[:, 15:] = 255
    Image.fromarray(half).save(tmp_path / "map.png")
    (start,) = evoart.fit(bundled(), **FEW).save(tmp_path / "start.svg")
    job = prepare(Job.make(pixels=24, shapes=6, start=str(start))).job
    assert len(job.start_sha256) == 64
    job = Job.from_dict(job.to_dict())
    prepare(job)
    start.write_text(evoart.fit(bundled(), **FEW | {"seed": 9}).svg())
    with pytest.raises(UsageError, match="not the start"):
        prepare(job)
    photo = np.random.default_rng(0).random((20, 30, 3))
    job = prepare(Job.make(pixels=24, weights=str(tmp_path / "map.png")), photo).job
    Image.fromarray(255 - half).save(tmp_path / "map.png")
    with pytest.raises(UsageError, match="not the importance map"):
        prepare(job, photo)


def test_importance_maps(tmp_path, half):
    map_ = np.zeros((20, 40), np.uint8)
    map_[:10] = 255
    Image.fromarray(map_).save(tmp_path / "map.png")
    opaque = half[..., :3]
    weight = prepare(Job.make(pixels=40, weights=str(tmp_path / "map.png")), opaque).target.weight
    assert weight[15:].max() == 0
    assert weight.mean() == pytest.approx(1)
    map_[:] = 0
    map_[:, 30:] = 255  # only where the picture is transparent
    Image.fromarray(map_).save(tmp_path / "map.png")
    with pytest.raises(UsageError, match="no pixel counts"):
        prepare(Job.make(pixels=40, weights=str(tmp_path / "map.png")), half)


def test_an_importance_map_may_be_an_array(half):
    map_ = np.zeros((20, 40))
    map_[:10] = 1
    opaque = half[..., :3]
    job = Job.make(pixels=40, seed=1)
    problem = prepare(job, Sources(opaque, map_))
    assert problem.target.weight[15:].max() == 0
    assert problem.target.weight.mean() == pytest.approx(1)
    with pytest.raises(UsageError, match="not the importance map"):
        prepare(problem.job, Sources(opaque, map_[::-1]))
    with pytest.raises(UsageError, match="that no file holds"):  # rather than another picture without a word
        prepare(problem.job, opaque)
    alone = evoart.fit(opaque, **FEW)
    assert evoart.fit(opaque, weights=map_, **FEW).svg() != alone.svg()
    (many,) = evoart.fit_many([opaque], weights=map_, **FEW)
    assert many.svg() == evoart.fit(opaque, weights=map_, **FEW).svg()


def test_a_run_says_that_only_the_first_frame_is_used():
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "GIF", save_all=True, append_images=[Image.new("RGB", (8, 8), (255, 0, 0))])
    notes = [event.text for event in evoart.events(Job.make(**FEW), buffer.getvalue()) if isinstance(event, Noted)]
    assert "the picture has 2 frames; only the first is used" in notes


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (500, 10), (20_000, 1)])
def test_photographs_of_any_proportions(size, tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    for command, few in (("fit", {"shapes": 2, "evaluations": 200}), ("cppn-fit", {"generations": 2})):
        result = evoart.make(command, picture=str(tmp_path / "photo.png"), seed=1, **few)
        assert result.size == size
        assert evoart.load(result.svg().encode()).size == size
        assert Job.from_dict(result.job.to_dict()) == result.job


@pytest.mark.parametrize("search", ["evolve", "sets"])
def test_lines_of_few_flat_colours_are_no_hairlines(search):
    kinds = {"kind": "line,quadratic,ellipse", "palette": 4, "opacity": 1.0, "search": search, "shapes": 12}
    small = {name: value for name, value in FEW.items() if name not in kinds}
    if search == "sets":
        small |= {"evaluations": 2_000}
    for given, least in (({}, 0.01), ({"min_width": 3}, 0.03), ({"min_width": 0}, 0.0)):
        result = evoart.fit(bundled(), **small | kinds | given)
        for kind, row in zip(result.form.kinds, np.abs(result.drawing.geometry), strict=True):
            lengths = [value for p, value in zip(shape(kind).parameters, row, strict=False) if p.role == "length"]
            assert min(lengths) >= (least / 2 if shape(kind).filled else least) - 1e-6
        assert Job.from_dict(result.job.to_dict()) == result.job
        assert result.job.min_width == pytest.approx(100 * least)
    assert prepare(Job.make(kind="line", palette=4), bundled()).form.min_width == 0  # they are blended


@pytest.mark.slow
@pytest.mark.parametrize("search", ["evolve", "sets"])
def test_strokes_have_the_width_that_was_asked_for(search):
    small = FEW | {"kind": "line,quadratic", "search": search, "shapes": 9}
    for stroke, (low, high) in (("1-2", (0.01, 0.02)), ("3%", (0.03, 0.03)), ("2-4px", (2 / 451, 4 / 451))):
        result = evoart.fit(bundled(), **small | {"stroke": stroke})
        widths = [
            abs(row[len(shape(kind).parameters) - 1])
            for kind, row in zip(result.form.kinds, result.drawing.geometry, strict=True)
        ]
        assert low - 1e-6 <= min(widths) <= max(widths) <= high + 1e-6
        assert Job.from_dict(result.job.to_dict()) == result.job


@pytest.mark.parametrize(
    ("stroke", "said"),
    [
        ("3-1", "Write 1-3"),
        ("0", "0.01 to 100 percent"),
        ("2ell", "in 'ell'"),
        ("1-2-3", "a range"),
        ("", "not a number"),
    ],
)
def test_widths_of_strokes_that_are_none(stroke, said):
    with pytest.raises(UsageError) as error:
        Job.make(kind="line", stroke=stroke)
    assert said in f"{error.value.message} {error.value.hint}"
    with pytest.raises(UsageError, match="none of triangle is a stroke"):
        prepare(Job.make(stroke="2"), bundled())


def test_an_svg_of_at_most_so_many_bytes():
    whole = evoart.fit(bundled(), **FEW | {"shapes": 40})
    sizes = [len(whole.svg().encode())]
    for given, limit in (("4kB", 4000), (2500, 2500)):
        short = evoart.fit(bundled(), **FEW | {"shapes": 40, "max_bytes": given})
        assert short.job.max_bytes == limit
        sizes.append(len(short.svg().encode()))
        assert limit - 700 < sizes[-1] <= limit
        assert evoart.load(short.svg().encode()).genome.tobytes() == short.genome.tobytes()
        assert 1 < len(short.form.kinds) < 40
    assert sizes == sorted(sizes, reverse=True)
    for given, said in ((600, "not even one shape fits"), ("4 lumps", "not a number"), ("1B", "out of range")):
        with pytest.raises(UsageError, match=said):
            evoart.fit(bundled(), **FEW | {"max_bytes": given})


def test_palettes_hold_colours():
    result = evoart.fit(bundled(), palette="black,white,#cc8844", **FEW)
    allowed = {(0, 0, 0), (255, 255, 255), (0xCC, 0x88, 0x44)}
    assert {tuple(c) for c in np.rint(result.drawing.rgba[:, :3] * 255).astype(int).tolist()} <= allowed
    assert tuple(round(255 * c) for c in result.drawing.background) in allowed


def test_a_palette_from_the_picture():
    image = np.zeros((8, 8, 3), np.float32)
    image[:4, :, 0] = 1
    colours = palette.choose(image, np.ones((8, 8), np.float32), 5)
    assert set(colours) == {(0, 0, 0), (1, 0, 0)}
    photo = prepare(Job.make(palette=6, pixels=64)).form.palette
    assert len(photo) == 6


@pytest.mark.parametrize(
    ("size", "longest", "expected"), [((400, 300), None, (400, 300)), ((400, 300), 800, (800, 600))]
)
def test_output_sizes(size, longest, expected):
    assert output_size(*size, longest) == expected
    assert output_size(1000, 1, 10) == (10, 1)


def test_a_coarser_target_weighs_the_same():
    target = prepare(Job.make(pixels=65)).target
    small = coarser(target, 2)
    assert small.weight.shape == (22, 32)
    assert small.weight.mean() == pytest.approx(1, abs=1e-5)
    assert small.image.mean() == pytest.approx(target.image.mean(), abs=0.01)


def test_the_number_of_threads_does_not_show(result):
    def scene(threads):
        return evoart.fit(bundled(), **FEW, threads=threads).drawing

    assert np.array_equal(scene(1).geometry, scene(3).geometry)
    assert np.array_equal(scene(1).rgba, result.drawing.rgba)


def test_a_run_leaves_the_environment_of_its_caller_alone():
    before = dict(os.environ)
    evoart.fit(bundled(), device="cpu", threads=1, search="sets", **FEW)
    assert dict(os.environ) == before


def test_the_command_line_tells_jax_once(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=x")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda,cpu")
    device.own_process("auto", 2)
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=x"
    for _ in range(2):
        device.own_process("cpu", 1)
    assert os.environ["XLA_FLAGS"] == "--xla_dump_to=x --xla_cpu_multi_thread_eigen=false"
    assert os.environ["JAX_PLATFORMS"] == "cpu"


def test_a_cpu_is_not_asked_for_in_vain(monkeypatch):
    monkeypatch.setattr(device, "accelerator", lambda: "a GPU")
    with pytest.raises(EvoartError, match="a GPU in this process.*JAX_PLATFORMS=cpu"):
        choose(Job.make(search="sets", engine="dense", device="cpu"))
    assert choose(Job.make(search="sets", device="cpu")).engine == "scanline"
    monkeypatch.setattr(device, "accelerator", lambda: None)
    assert choose(Job.make(search="sets", engine="dense", device="cpu")).device == "cpu"


def test_a_start_keeps_its_shapes(result, tmp_path):
    (path,) = result.save(tmp_path / "a.json")
    problem = prepare(Job.make(start=str(path), shapes=7, kind="cubic", pixels=24))
    kinds, rows = problem.start
    assert kinds == ("triangle",) * 4
    assert problem.form.kinds == kinds + ("cubic",) * 3
    assert np.allclose(rows[:, :6], result.genome.reshape(4, -1)[:, :6])
    assert prepare(Job.make(start=str(path), pixels=24)).job.shapes == 4


@pytest.mark.parametrize(
    "change",
    [
        {"kinds": [["triangle", 5]]},
        {"kinds": "triangle"},
        {"genome": "AAAA"},
        {"genome": None},
        {"width": 0},
        {"height": "1"},
        {"opacity": [0.1]},
        {"opacity": [float("nan"), 1]},
        {"size": [1e9, 1]},
        {"size": [5]},
        {"background": [1, 1]},
        {"background": "red"},
        {"dim_per_group": 3},
        {"kinds": [["warp", 4]]},
    ],
)
def test_tampered_recipes_are_refused(result, change):
    recipe = result.recipe | {"result": result.recipe["result"] | change}
    with pytest.raises(EvoartError):
        record(recipe)
