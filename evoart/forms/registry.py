"""The registry of art forms. A new one is one file and one line here (or an entry point ``evoart.forms``)."""

from __future__ import annotations

from evoart.registry import Registry

FORMS = Registry("canvas", "evoart.forms", {"shapes": "evoart.forms.shapes:ShapesForm"})
