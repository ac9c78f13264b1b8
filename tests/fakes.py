"""A search small enough to test the loop with: a hill climber that moves one shape at a time."""

from __future__ import annotations

import time

import numpy as np
from sketches import small

from evoart.cppn import genes
from evoart.cppn.latent.model import Config, Model, create_model
from evoart.cppn.layers import Layers
from evoart.forms.automaton import AutomatonForm
from evoart.forms.cppn import CppnForm, GraphForm, bare
from evoart.forms.film import FilmForm, Shot
from evoart.forms.glyphs import GlyphsForm, Mark
from evoart.forms.latent import LatentForm
from evoart.forms.shapes import ShapesForm
from evoart.forms.sheet import SheetForm
from evoart.forms.sketch import SketchForm, sketch_form
from evoart.forms.strokes import StrokesForm
from evoart.glyph.model import Config as LettersConfig
from evoart.glyph.model import Model as LettersModel
from evoart.glyph.model import create_model as create_letters
from evoart.run.fit.problem import FitProblem
from evoart.run.glyph.trainer import sheet_of
from evoart.run.latent.models import form_of
from evoart.run.latent.trainer import sheet_form
from evoart.run.model_sheet import ModelSheetForm
from evoart.run.sketch.trainer import SampleForm
from evoart.score.pixel import evaluate_drawing
from evoart.types import Search


class HillClimber(Search):
    """Drives a real problem with the real rasteriser; its whole state is in ``arrays``."""

    def __init__(self, problem: FitProblem, *, last: int | None = None, pause: float = 0.0) -> None:
        self.problem, self.last, self.pause = problem, last, pause
        self.rng = np.random.default_rng(problem.job.seed)
        self.genome = problem.form.random(self.rng, problem.target.image)
        self.loss = self._judge(self.genome)
        self.generation, self.evaluations, self.stage, self.done = 0, 0, "climb", False

    def _judge(self, genome: np.ndarray) -> float:
        return evaluate_drawing(self.problem.form.drawing(genome), self.problem.target)[0]

    def step(self) -> None:
        time.sleep(self.pause)
        group = self.rng.integers(self.problem.form.groups)
        rows = self.genome.copy().reshape(self.problem.form.groups, -1)
        rows[group] += 0.05 * self.rng.normal(size=rows.shape[1]).astype(np.float32)
        loss = self._judge(rows.ravel())
        if loss < self.loss:
            self.genome, self.loss = rows.ravel(), loss
        self.generation += 1
        self.evaluations += 1
        self.done = self.last is not None and self.generation >= self.last

    def arrays(self) -> dict[str, np.ndarray]:
        whole = self.rng.bit_generator.state
        state = whole["state"]
        return {
            "genome": self.genome,
            "numbers": np.array([self.generation, self.evaluations]),
            "loss": np.array(self.loss),
            "half": np.array([whole["has_uint32"], whole["uinteger"]]),
            "random": np.frombuffer(b"".join(state[k].to_bytes(16, "little") for k in ("state", "inc")), np.uint8),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        self.genome, self.loss = arrays["genome"], float(arrays["loss"])
        self.generation, self.evaluations = (int(n) for n in arrays["numbers"])
        raw = arrays["random"].tobytes()
        state = {"state": int.from_bytes(raw[:16], "little"), "inc": int.from_bytes(raw[16:], "little")}
        half, spare = (int(n) for n in arrays["half"])
        self.rng.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": state,
            "has_uint32": half,
            "uinteger": spare,
        }


def _shapes() -> ShapesForm:
    kinds = ("triangle", "rotated-ellipse", "line", "triangle")
    return ShapesForm(kinds, 1.0, 0.8, (0.2, 0.4, 0.6), palette=((0.0, 0.0, 0.0), (1.0, 0.5, 0.0)))


def _cppn() -> CppnForm:
    return CppnForm(1.0, 0.8, Layers((6, 5), ("tanh", "sine"), 2, "rgb", "x"))


def _graph() -> GraphForm:
    graph = genes.random_genes(bare(2), np.random.default_rng(3), genes.Rates(), 6).express()[0]
    return GraphForm(1.0, 0.8, graph)


def tiny_autoencoder(latent: int = 3, colour: str = "rgb") -> Model:
    """One that has learned nothing; its pictures are lively all the same."""
    net = Layers((7, 6), ("sine", "tanh"), latent, colour)
    model = create_model(Config("tiny", net, 12, 8), np.random.default_rng(2))
    return Model(model.config, model.params | {"decoder": 2 * model.params["decoder"]}).round()


def _latent() -> LatentForm:
    return form_of(tiny_autoencoder())


def _sheet() -> SheetForm:
    return SheetForm((_cppn(), None, _graph(), _cppn(), _cppn()), 3, 1.0, 0.8)


def _film() -> FilmForm:
    """Three frames, a cut, two frames; a shape goes and one comes."""
    first = ShapesForm(("triangle", "rotated-ellipse", "line"), 1.0, 0.8, (0.2, 0.4, 0.6))
    return FilmForm((Shot(first, ((0, 2), (0, 3), (1, 3)), 3), Shot(first, ((0, 2),) * 3, 2)), 8.0)


def _strokes() -> StrokesForm:
    inks, groups = (0, 1, 1, 0), (1, 3)
    return StrokesForm((4, 6, 1, 5), 1.0, 0.8, 0.02, ((0.1, 0.1, 0.1), (0.9, 0.2, 0.1)), inks, groups)


def _sketch() -> SketchForm:
    return sketch_form(
        "kanji", count=2, points=24, height=0.8, line=0.03, ink=(0.1, 0.2, 0.5), background=(0.9, 0.9, 0.8)
    )


def _automaton() -> AutomatonForm:
    return AutomatonForm(8, 10, 8, 6, 3)


def _glyphs() -> GlyphsForm:
    marks = (Mark("A", (5, 3), 0.1, 0.7, 0.7), Mark("i", (4, 4), 0.6, 0.7, 0.3))
    return GlyphsForm(marks, 0.5, 1.0, 0.8, (0.1, 0.2, 0.3), (0.9, 0.9, 0.8), (0.5, -1.0), "0f")


def tiny_letters() -> LettersModel:
    """A model of letters that has learned nothing."""
    config = LettersConfig("tiny", latent=3, units=8, grid=4, channels=2, head=4, encoder=8)
    return create_letters(config, np.random.default_rng(2)).round()


# A small form of every name in the registry, for the tests that all of them must pass.
FORM_EXAMPLES = {
    "automaton": _automaton,
    "shapes": _shapes,
    "film": _film,
    "glyphs": _glyphs,
    "cppn": _cppn,
    "cppn-graph": _graph,
    "cppn-latent": _latent,
    "sheet": _sheet,
    "strokes": _strokes,
    "sketch": _sketch,
}


def _samples() -> SampleForm:
    return SampleForm((3, 4), model=small())


def _latents() -> ModelSheetForm:
    return sheet_form(tiny_autoencoder())


def _letters() -> ModelSheetForm:
    return sheet_of(tiny_letters(), 0)[0]


SHOWN = FORM_EXAMPLES | {
    "samples": _samples,
    "latents": _latents,
    "letters": _letters,
}  # what output formats that are not for every form can show
