"""The rooms of the studio. A new one is a file and one line here (or an entry point ``evoart.rooms``).

The file has a value ``ROOM`` (``evoart.studio.room.Room``); its part of the page is ``web/rooms/NAME.js``, see
``web/app.js``.
"""

from __future__ import annotations

from evoart.registry import Registry

ROOMS = Registry(
    "room",
    "evoart.rooms",
    {
        "picture": "evoart.studio.rooms.picture:ROOM",
        "words": "evoart.studio.rooms.words:ROOM",
        "breed": "evoart.studio.rooms.breed:ROOM",
        "draw": "evoart.studio.rooms.draw:ROOM",
        "grow": "evoart.studio.rooms.grow:ROOM",
        "wall": "evoart.studio.rooms.wall:ROOM",
    },
)
