"""What a room of the studio is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Takes the studio (``evoart.studio.studio.Studio``) and what the page sent, an object of JSON; returns plain values, or
# None for none. It runs in a thread of its own, so it may take its time. An EvoartError is shown to the user.
Command = Callable[[Any, dict[str, Any]], "dict[str, Any] | None"]


@dataclass(frozen=True)
class Room:
    """A room of the studio.

    Attributes:
        name: lower case; the page's module is ``web/rooms/NAME.js``, and commands are posted to ``/api/NAME/COMMAND``.
        title: on its tab.
        order: of the tabs.
        commands: by name.
        finished: takes the studio and the plan of a run that is over, whose ``results`` say what it came to; gives what
            the step's state should hold beyond what is known already.
    """

    name: str
    title: str
    order: int
    commands: Mapping[str, Command] = field(default_factory=dict)
    finished: Callable[[Any, dict[str, Any]], dict[str, Any]] = lambda studio, plan: {}
