"""The model that draws words where none is named: whichever CLIP is on this machine already."""

from __future__ import annotations


def find_default() -> str | None:
    """``NAME/TAG`` of the first CLIP model in evoart's list whose files are here, or None. Nothing is asked for."""
    from evoart.openclip import catalogue, store

    for entry in catalogue.KNOWN:
        if entry.repository and not store.missing_files(entry):
            return entry.full_name
    return None
