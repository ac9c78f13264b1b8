"""The room Words: a prompt becomes several pictures side by side; one is chosen to go on with.

A step's ``state`` has the ``prompts``, ``negative_prompts``, ``image_prompts``, the ``model``, and ``figures`` of every
picture.
"""

from __future__ import annotations

import secrets
from typing import Any

from evoart.errors import UsageError
from evoart.run.job import Job
from evoart.studio.keeping import check_models
from evoart.studio.room import Room
from evoart.studio.studio import Studio

NAME = "words"
MOST = 9  # pictures side by side
WISHES = ("prompts", "negative_prompts", "image_prompts", "model", "quality", "shapes")


def _draw(studio: Studio, given: dict[str, Any]) -> None:
    """Draw ``prompts`` (and ``negative_prompts``; ``image_prompts`` are photographs with weights) ``count`` times."""
    wishes = _wishes(given)
    count, seed = _count(given.get("count", 4)), given.get("seed")
    first = int(seed) if isinstance(seed, int) else secrets.randbelow(1_000_000)
    jobs = [_job(studio, wishes | {"seed": (first + i) % 2**32}) for i in range(count)]
    studio.start(NAME, jobs, _label(wishes), wishes, fresh=True)


def _more(studio: Studio, given: dict[str, Any]) -> None:
    """The same words again, other seeds."""
    step = studio.history.current(NAME)
    if step is None:
        raise UsageError("nothing was drawn yet", "Say what to draw")
    _draw(studio, {name: step.state[name] for name in WISHES if name in step.state} | given)


def _choose(studio: Studio, given: dict[str, Any]) -> None:
    """Go on with one ``picture`` of those that are shown."""
    step, name = studio.history.current(NAME), given.get("picture")
    if step is None or name not in step.pictures:
        raise UsageError("that picture is not here", "Choose another")
    i = step.pictures.index(name)
    one = {key: [step.state[key][i]] for key in ("figures", "labels", "seconds", "jobs") if key in step.state}
    studio.add_step(NAME, f"chose {i + 1} of {len(step.pictures)}", [name], step.state | one)


def _go_on(studio: Studio, given: dict[str, Any]) -> None:
    """Continue the one picture that is shown, by a CLIP model: its shapes are where the search starts."""
    step = studio.history.current(NAME)
    if step is None or len(step.pictures) != 1:
        raise UsageError("there is no one picture to go on with", "Choose one first")
    wishes = _wishes({name: step.state[name] for name in WISHES if name in step.state} | given)
    more = given.get("more", 0)
    form: Any = studio.result(step.pictures[0]).form
    shapes = form.groups + (more if isinstance(more, int) else 0)
    start = str(studio.picture(step.pictures[0]))
    job = _job(studio, wishes | {"start": start, "shapes": shapes, "seed": secrets.randbelow(1_000_000)})
    studio.start(NAME, [job], "went on", wishes)


def _models(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """The ``models`` on this machine, with ``name`` and ``note``; ``default`` is what is used unasked."""
    from evoart.openclip import catalogue, store
    from evoart.run.clip.default import find_default

    found = [{"name": "icons", "note": "inside evoart: 1,695 things, at once"}]
    for entry in catalogue.KNOWN:
        if entry.full_name.partition("/")[0] == "tiny":
            found.append({"name": "tiny", "note": "inside evoart: a CLIP of plain shapes"})
        elif entry.repository and not store.missing_files(entry):
            found.append({"name": entry.full_name, "note": "downloaded"})
    return {"models": found, "default": find_default() or "icons"}


def _wishes(given: dict[str, Any]) -> dict[str, Any]:
    wishes = {name: given[name] for name in WISHES if given.get(name)}
    for name in ("prompts", "negative_prompts"):
        texts = [wishes[name]] if isinstance(wishes.get(name), str) else wishes.get(name, [])
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UsageError("the prompt is not text", "Load the page again")
        wishes[name] = [text.strip() for text in texts if text.strip()]
    if not wishes["prompts"] and not wishes.get("image_prompts"):
        raise UsageError("there is nothing to draw", 'Say what, such as "a red boat"')
    return wishes


def _job(studio: Studio, wishes: dict[str, Any]) -> Job:
    fields = {name: value for name, value in wishes.items() if value}
    if images := fields.pop("image_prompts", None):
        if not isinstance(images, list):
            raise UsageError("the pictures to be like are missing", "Choose them again")
        fields["image_prompts"] = [
            f"{studio.photograph(each.get('name'))}:{float(each.get('weight', 1)):g}"
            for each in images
            if isinstance(each, dict)
        ]
    job = Job.make(command="clip", **fields)
    check_models(job)
    return job


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise UsageError("that is no number of pictures", f"Use 1 to {MOST}")
    return value


def _label(wishes: dict[str, Any]) -> str:
    return ", ".join(wishes["prompts"])[:80] or "like a picture"


ROOM = Room(
    NAME, "Words", 2, {"draw": _draw, "more": _more, "choose": _choose, "go-on": _go_on, "models": _models}
)  # fmt: skip
