"""The room Grow: a picture grows from one cell, and heals where it is touched.

A step's ``state`` has the ``words``, or the ``photograph`` (see ``Studio.add_photograph``).
"""

from __future__ import annotations

import base64
import dataclasses
import secrets
from typing import Any

import numpy as np

from evoart.errors import UsageError
from evoart.run.job import QUALITIES
from evoart.studio.room import Room
from evoart.studio.studio import Studio

NAME = "grow"
IDEAS = ("lizard", "mushroom", "cat", "butterfly", "cactus", "octopus", "sunflower", "turtle", "strawberry", "ghost")


def _train(studio: Studio, given: dict[str, Any]) -> None:
    """Learn a rule for ``words``, or the ``photograph`` or ``picture`` of that name; ``quality`` as for the command."""
    from evoart.run.automaton.job import AutomatonJob
    from evoart.run.automaton.target import read_subject

    state: dict[str, Any] = {}
    fields: dict[str, Any] = {"quality": given.get("quality", "normal"), "seed": secrets.randbelow(1_000_000)}
    if fields["quality"] not in QUALITIES:
        raise UsageError("that is no amount of work", "Load the page again")
    if "photograph" in given or "picture" in given:
        named = studio.photograph(given["photograph"]) if "photograph" in given else studio.picture(given["picture"])
        title = str(given.get("title", ""))[:80] or named.stem
        state = {"photograph": {"name": named.name, "title": title}}
        fields["picture"] = str(named)
    else:
        title = str(given.get("words", "")).strip()[:200]
        if not title:
            raise UsageError("there is nothing to grow", 'Say what, such as "a mushroom"')
        state["words"] = fields["words"] = title
    job = AutomatonJob.make(**fields)
    read_subject(dataclasses.replace(job, picture=str(studio.folder / job.picture)) if job.picture else job)
    studio.start(NAME, [job], title, state, fresh=True)


def _ideas(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """Things that grow well: ``words``, and ``pixels`` of ``width`` by ``height``, RGBA as base64."""
    from evoart.run.automaton.job import AutomatonJob
    from evoart.run.automaton.target import read_subject

    found = []
    for words in IDEAS:
        cells = read_subject(AutomatonJob.make(words=words, seed=0, padding=1)).cells
        alpha = cells[..., 3:]
        pixels = np.rint(255 * np.concatenate([cells[..., :3] / np.maximum(alpha, 1e-6), alpha], -1).clip(0, 1))
        data = base64.b64encode(pixels.astype(np.uint8).tobytes()).decode()
        found.append({"words": words, "width": cells.shape[1], "height": cells.shape[0], "pixels": data})
    return {"ideas": found}


def open_result(studio: Studio, data: bytes, name: str = "") -> None:
    """Show a picture that ``evoart grow`` made.

    Raises:
        UsageError, EvoartError: another picture, or one that is damaged.
    """
    from evoart.run.api import load

    _show(studio, studio.keep_picture(load(data)), name)


def _show(studio: Studio, picture: str, title: str) -> None:
    result = studio.result(picture)
    facts = {"figures": [result.figures], "labels": [result.form.label]}
    title = title[:80] or result.form.label
    studio.add_step(NAME, title, [picture], {"words": title} | facts, parent=None)


def _open(studio: Studio, given: dict[str, Any]) -> None:
    """Show a ``picture`` that was sent and has grown already; another one is grown."""
    if studio.result(given.get("picture")).form.name == "automaton":
        _show(studio, str(given["picture"]), str(given.get("title", "")))
    else:
        _train(studio, given)


def _rule(studio: Studio, given: dict[str, Any]) -> dict[str, Any]:
    """What a page needs to let the picture of the current step live: see ``automaton/cells.js``."""
    from evoart.automaton.page import encode_weights

    step = studio.history.current(NAME)
    if step is None or not step.pictures:
        raise UsageError("nothing has grown yet", "Choose a picture")
    result = studio.result(step.pictures[0])
    form: Any = result.form
    return {
        "id": step.id, "rows": form.rows, "columns": form.columns, "hidden": form.hidden, "seed": form.seed,
        "age": form.age, "weights": encode_weights(result.genome),
    }  # fmt: skip


ROOM = Room(NAME, "Grow", 5, {"ideas": _ideas, "train": _train, "open": _open, "rule": _rule})
