"""``evoart strategies film``: how evolution strategies search the same landscape, side by side."""
