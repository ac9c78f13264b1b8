"""The room Breed: pictures from which somebody chooses, and their children. Every generation is a step of the history,
kept as the sheet that ``evoart cppn breed`` would write."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import queue
import secrets
import threading
import time
import zlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from evoart.cppn.export.glsl import shader
from evoart.errors import EvoartError, UsageError
from evoart.forms.breeding import Picture
from evoart.forms.cppn import NetworkForm
from evoart.output.files import write
from evoart.output.formats import OUTPUTS, Options, encode
from evoart.run.cppn.breed_job import BreedJob
from evoart.run.cppn.film_job import CppnFilmJob
from evoart.run.cppn.generation import Generation, breed, breed_job, make_first
from evoart.run.cppn.networks import read_picture
from evoart.run.cppn.sheet import Painters
from evoart.run.job import Job, output_size
from evoart.run.recipe import record
from evoart.run.result import Result, from_record
from evoart.studio import worker
from evoart.studio.history import Step
from evoart.studio.room import Room
from evoart.studio.studio import PICTURES, THUMBS, Studio
from evoart.threads import spread

NAME = "breed"
KINDS: dict[str, dict[str, Any]] = {  # of a first generation: a command and fields of its job
    "graph": {"command": "cppn", "topology": "graph", "symmetry": "none", "candidates": 8},
    "mirror": {"command": "cppn", "topology": "graph", "symmetry": "x", "candidates": 8},
    "kaleidoscope": {"command": "cppn", "topology": "graph", "symmetry": "kaleidoscope:6", "candidates": 8},
    "layers": {"command": "cppn", "topology": "layers", "layers": "16x3", "activations": "sine,gaussian,tanh"},
    "faces": {"command": "cppn-sample"},
    "sketch": {"command": "sketch"},
    "things": {"command": "sketch", "model": "things"},
}
LABELS = {"faces": "faces", "sketch": "invented kanji", "things": "things"}  # of the others: random networks
FEWEST, MOST = 1, 30  # pictures of a generation
SHEET = 1200  # pixels of a sheet's long side
IDLE = 1.0  # seconds without a command before a sheet is written: the next generation comes first
LONGEST = 1 << 19  # characters of a link
_KEPT = 200  # generations in memory


class Garden:
    """The generations of a studio, and the thread that writes their sheets."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.lock = threading.RLock()
        self.used = time.monotonic()
        self._known: dict[int, Generation] = {}
        self._orders: queue.Queue[Step] = queue.Queue()
        threading.Thread(target=self._write_sheets, daemon=True).start()
        for step in list(studio.history.steps.values()):  # a server that was killed had no time for these
            if step.room == NAME and "job" in step.state and not self._sheet(step).is_file():
                self._orders.put(step)

    def _sheet(self, step: Step) -> Any:
        return self.studio.folder / PICTURES / step.pictures[0]

    def add(self, made: Generation, label: str, file: str, state: dict[str, Any], **more: Any) -> Step:
        """A generation as a step; its sheet is written when nobody waits for anything."""
        facts = {"job": made.job.to_dict(), "parents": [list(who) for who in made.parents]}
        step = self.studio.add_step(NAME, label, [file], state | facts, **more)
        self._keep(step, made)
        self._orders.put(step)
        return step

    def _keep(self, step: Step, made: Generation) -> None:
        if len(self._known) >= _KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[step.id] = made

    def generation(self, step: Step) -> Generation:
        """The pictures of a step: from memory, from its file, or made again."""
        with self.lock:
            if step.id not in self._known:
                self._keep(step, self._read(step))
            return self._known[step.id]

    def _read(self, step: Step) -> Generation:
        path = self._sheet(step)
        if "job" not in step.state:
            found, form, genome, _ = read_picture(str(path))
            return Generation(Job.from_dict(found.job), ((form, genome),), ((),), path.name)
        job = Job.from_dict(step.state["job"])
        whose = tuple(tuple(who) for who in step.state["parents"])
        if not isinstance(job, BreedJob):
            return dataclasses.replace(make_first(job, path.name), parents=whose)
        before = self.studio.history.steps[step.state["of"]]
        made = breed(self.choose(before, step.state["picks"]), job, path.name)
        return dataclasses.replace(made, parents=whose)

    def numbered(self, step: Step) -> dict[int, Picture]:
        """The pictures of a step by their numbers on its sheet; parents are among them."""
        made = self.generation(step)
        found = dict(enumerate(made.pictures, 1))
        if "picks" in step.state and isinstance(made.job, BreedJob):
            before = self.studio.history.steps[step.state["of"]]
            for index, picture in enumerate(self.choose(before, step.state["picks"])):
                found[made.job.first_parent + 1 + index] = picture
        return found

    def choose(self, step: Step, picks: Any) -> list[Picture]:
        """The pictures of these numbers.

        Raises:
            UsageError: none, one that is not there, or one twice.
        """
        found = self.numbered(step)
        if not isinstance(picks, list) or not picks or len(set(map(str, picks))) < len(picks):
            raise UsageError("no picture is chosen", "Choose one picture or more")
        for pick in picks:
            if pick not in found:
                raise UsageError(f"there is no picture {str(pick)[:20]}", "Load the page again")
        return [found[pick] for pick in picks]

    def result(self, step: Step, number: int) -> Result:
        """One picture with its recipe."""
        ((form, genome),) = self.choose(step, [number])
        if "job" not in step.state:
            return self.studio.result(step.pictures[0])
        job = self.generation(step).job
        if isinstance(job, BreedJob):
            job = self._named(job, step)
        if hasattr(job, "pick"):
            job = dataclasses.replace(job, pick=number, size=job.image_size)
        side = getattr(job, "image_size", 1024)
        size = output_size(form.width, form.height, side)
        return Result(job, form, genome, size, {}, 1, getattr(job, "pool", 1), 0.0)

    def _named(self, job: BreedJob, step: Step) -> BreedJob:
        """The job as its sheet has it, once that is written: with hashes and lineage."""
        path = self._sheet(step)
        if not path.is_file():
            return job
        from evoart.output.recipe import extract

        made = Job.from_dict(extract(path.read_bytes(), path.name)["job"])
        return made if isinstance(made, BreedJob) else job

    def _write_sheets(self) -> None:
        while True:
            step = self._orders.get()
            while time.monotonic() - self.used < IDLE:
                time.sleep(0.1)
            try:
                self.write_sheet(step)
            except Exception as error:
                told = worker.explain(error)
                self.studio.bus.publish("failure", {"error": told.message, "hint": told.hint})

    def write_sheet(self, step: Step) -> None:
        """The picture of a generation, as the command of its job makes it."""
        path = self._sheet(step)
        if path.is_file():
            return
        job = Job.from_dict(step.state["job"])
        made = Generation(job, (), name=path.name)
        if isinstance(job, BreedJob):
            before = self.studio.history.steps[step.state["of"]]
            if "job" in before.state:
                self.write_sheet(before)
            # The recipe names files in its own folder, so that the folder may move.
            there = tuple(str(self.studio.folder / PICTURES / parent) for parent in job.parents)
            result = dataclasses.replace(made, job=dataclasses.replace(job, parents=there)).sheet()
            result = dataclasses.replace(result, job=dataclasses.replace(result.job, parents=job.parents))
        else:
            result = made.sheet()
        worker.keep_picture(result, path.stem, self.studio.folder)
        self.studio.tell(NAME)


_GARDENS: WeakKeyDictionary[Studio, Garden] = WeakKeyDictionary()
_making = threading.Lock()


def garden(studio: Studio) -> Garden:
    """The garden of a studio; somebody waits for it."""
    with _making:
        if studio not in _GARDENS:
            _GARDENS[studio] = Garden(studio)
        found = _GARDENS[studio]
    found.used = time.monotonic()
    return found


def _current(studio: Studio, given: dict[str, Any]) -> Step:
    """The step that the page speaks of.

    Raises:
        UsageError: there is none.
    """
    number = given.get("id")
    step = studio.history.steps.get(number) if isinstance(number, int) else studio.history.current(NAME)
    if step is None or step.room != NAME:
        raise UsageError("there are no pictures yet", "Begin with some")
    return step


def _number(given: dict[str, Any], name: str, low: int, high: int, usual: int) -> int:
    value = given.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(f"{name} is out of range", f"Use {low} to {high}")
    return value


def _file(studio: Studio, kind: str) -> str:
    return f"{studio.next_number():06d}.{kind}"


def _start(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A first generation of a kind."""
    name = str(given.get("kind", "graph"))
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError("there are no such pictures", "Load the page again")
    n = _number(given, "n", FEWEST, MOST, 15)
    seed = _number(given, "seed", 0, 2**32 - 1, secrets.randbelow(1_000_000))
    sizes = {"count": n} if kind["command"] == "sketch" else {"n": n, "size": SHEET}
    found = garden(studio)
    with found.lock:
        made = make_first(Job.make(**kind, **sizes, seed=seed))
        label = LABELS.get(name, "random networks")
        file = _file(studio, "svg" if kind["command"] == "sketch" else "png")
        step = found.add(made, f"{n} {label}", file, {}, parent=None)
    return _payload(found, step, given)


def _children(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Children of what is chosen of the current generation."""
    found = garden(studio)
    with found.lock:
        step = _current(studio, given)
        picks = given.get("picks")
        parents = found.choose(step, picks)
        assert isinstance(picks, list)
        alone = "job" not in step.state
        paths = [step.pictures[0] if alone else f"{step.pictures[0]}:{pick}" for pick in picks]
        wishes = {"mutation_scale": given.get("scale", 1.0), "vary": given.get("vary", "all")}
        n = _number(given, "n", FEWEST, MOST, 15)
        seed = _number(given, "seed", 0, 2**32 - 1, secrets.randbelow(1_000_000))
        job = breed_job(parents, paths, n=n, seed=seed, size=SHEET, candidates=2, **wishes)
        made = breed(parents, job)
        label = f"{n} children of {'one picture' if len(picks) == 1 else f'{len(picks)} pictures'}"
        step = found.add(made, label, _file(studio, "png"), {"of": step.id, "picks": picks}, parent=step.id)
    return _payload(found, step, given)


def _generation(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """What a page needs to show a step."""
    return _payload(garden(studio), _current(studio, given), given)


def _payload(found: Garden, step: Step, given: dict[str, Any]) -> dict[str, Any]:
    side = _number(given, "side", 32, 512, 256)
    made, numbered = found.generation(step), found.numbered(step)
    parents, own = dict(enumerate(made.parents, 1)), len(made.pictures)
    tiles = []
    for number, (form, genome) in numbered.items():
        network = isinstance(form, NetworkForm)
        who = [1 + index for index in parents.get(number, ())]
        tile = {"number": number, "parent": number > own, "of": who, "label": form.label, "network": network}
        if network and given.get("shaders"):
            tile["shader"] = shader(form.net, genome)
        tiles.append(tile)
    drawn = [k for k, tile in enumerate(tiles) if "shader" not in tile or len(tile["shader"]) > _LONG]
    pictures = list(numbered.values())
    for k, data in zip(drawn, _images([pictures[k] for k in drawn], side), strict=True):
        tiles[k]["image"] = data
        tiles[k].pop("shader", None)
    form = pictures[0][0]
    return {"id": step.id, "tiles": tiles, "aspect": form.width / form.height}


_LONG = 16 << 10  # characters of a shader that takes a browser too long to compile, many at once


def _images(pictures: list[Picture], side: int) -> list[str]:
    """JPEG, base64."""
    if not pictures:
        return []
    form = pictures[0][0]
    painted = Painters(output_size(form.width, form.height, side), "auto").pictures(pictures)
    return spread(lambda k: _jpeg(painted[k]), len(painted))


def _jpeg(image: np.ndarray) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(file, "JPEG", quality=93, subsampling=0)
    return base64.b64encode(file.getvalue()).decode()


def _look(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """One picture to be looked at closely: its shader where it is a network, else a large image; and its link."""
    found, step = garden(studio), _current(studio, given)
    number = _number(given, "number", 1, 10_000, 1)
    ((form, genome),) = found.choose(step, [number])
    told: dict[str, Any] = {"aspect": form.width / form.height, "label": form.description, "network": False}
    told["link"] = _link(found.result(step, number))
    if isinstance(form, NetworkForm):
        told |= {"network": True, "shader": shader(form.net, genome)}
    if not isinstance(form, NetworkForm) or given.get("image"):
        told["image"] = _images([(form, genome)], 1400)[0]
    return told


def _link(result: Result) -> str:
    """The recipe of a picture as letters and digits for an address."""
    plain = json.dumps(result.recipe, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")


def open_link(link: Any) -> Result:
    """The picture that ``_link`` wrote.

    Raises:
        EvoartError: it is cut short, damaged, or no picture.
    """
    wrong = EvoartError("this link holds no picture", "Copy all of it")
    if not isinstance(link, str) or not 0 < len(link) <= LONGEST:
        raise wrong
    try:
        packed = base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(packed, 4 << 20)  # no more, whatever it says
        recipe = json.loads(plain)
    except (ValueError, zlib.error, RecursionError):
        raise wrong from None
    if not isinstance(recipe, dict):
        raise wrong
    return from_record(record(recipe, "the link"))


def open_result(studio: Studio, data: bytes, name: str = "") -> Step:
    """Show a picture that evoart drew, of any form, to be bred.

    Raises:
        UsageError, EvoartError: no picture of ours, or a sheet of many.
    """
    from evoart.output.recipe import extract

    return _open(studio, from_record(record(extract(data, name or "the file"), name or "the file")), {})


def _open(studio: Studio, result: Result, state: dict[str, Any]) -> Step:
    if hasattr(result.form, "members"):
        raise UsageError("this is a sheet of many pictures", "Open one of them")
    file = studio.keep_picture(result)
    return studio.add_step(NAME, result.form.label, [file], state, parent=None)


def _open_command(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A picture that was made in any room, or the one in a link."""
    found = garden(studio)
    if "link" in given:
        at, link = studio.history.current(NAME), str(given["link"])
        if at is None or at.state.get("link") != link:
            at = _open(studio, open_link(given["link"]), {"link": link} if len(link) < 1 << 16 else {})
        return _payload(found, at, given)
    return _payload(found, _open(studio, studio.result(given.get("picture")), {}), given)


def _favour(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Keep one picture on the wall; the room stays where it is."""
    found = garden(studio)
    with found.lock:
        step = _current(studio, given)
        number = _number(given, "number", 1, 10_000, 1)
        file = studio.keep_picture(found.result(step, number))
        forward = studio.history.view(NAME)["redo"] and studio.history.redo(NAME)
        state = {"favourite": number, "of": step.id}
        kept = studio.history.add(NAME, f"picture {number}", [file], state, parent=step.id)
        studio.history.mark(kept.id, kept=True)
        if forward:
            studio.history.go(NAME, forward.id)
        studio.history.go(NAME, step.id)
    studio.tell(NAME)
    return {"id": kept.id, "picture": file}


def _choices(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Pictures that may be parents: favourites of this room, and what other rooms made."""
    steps = [step for step in studio.history.wall() if step.pictures]
    own = [step for step in steps if step.room != NAME or "job" not in step.state][:60]
    return {"pictures": [{"picture": step.pictures[0], "label": step.label} for step in own]}


def _tree(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """All generations with what they came from."""
    steps = [step for step in studio.history.steps.values() if step.room == NAME]
    there = {step.id for step in steps}
    return {
        "steps": [
            {
                "id": step.id,
                "parent": step.parent if step.parent in there else None,
                "label": step.label,
                "picture": step.pictures[0],
                "ready": studio.file(THUMBS, f"{step.pictures[0].partition('.')[0]}.webp") is not None,
                "favourite": "favourite" in step.state,
            }
            for step in steps
        ]
    }


def _taste(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A few networks for an empty room. What they need is compiled on the way: the first generation is then quick."""
    made = make_first(Job.make(command="cppn", topology="graph", symmetry="none", candidates=8, n=6, seed=11))
    return {"images": _images(list(made.pictures), 256)}


def _save(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """A file of one picture: print, shader, page, or a film that is a loop."""
    found, step = garden(studio), _current(studio, given)
    number, name = _number(given, "number", 1, 10_000, 1), str(given.get("format", "png"))
    if name not in OUTPUTS:
        raise UsageError(f"there is no format '{name[:20]}'", "Choose another")
    kind, result = OUTPUTS[name], found.result(step, number)
    kind.check()
    if kind.forms is not None and result.form.name not in kind.forms:
        raise UsageError(f"this picture cannot be saved as {name}", "Choose another format")
    options = None
    if kind.film and isinstance(result.form, NetworkForm):
        result, options = _loop(studio, result), Options(film_seconds=4.0, film_side=480)
    data = encode(name, result.artwork(None if kind.film else given.get("size")), options)
    return studio.export(f"picture-{step.id}-{number}{kind.extensions[0]}", lambda file: write(file, data))


def _loop(studio: Studio, result: Result) -> Result:
    """A film around a network's latent space and back."""
    file = studio.export("network.json", lambda path: write(path, json.dumps(result.recipe).encode()))
    path = studio.folder / file["url"].lstrip("/")
    made = Generation(CppnFilmJob.make(networks=[str(path)], seed=1, size=480), ()).sheet()
    return dataclasses.replace(made, job=result.job, kept=result.recipe)


ROOM = Room(
    NAME,
    "Breed",
    3,
    {
        "start": _start,
        "children": _children,
        "generation": _generation,
        "look": _look,
        "open": _open_command,
        "favour": _favour,
        "choices": _choices,
        "tree": _tree,
        "taste": _taste,
        "save": _save,
    },
)
