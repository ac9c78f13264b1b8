"""Run the notebooks and keep what they show: ``python docs/notebooks/write.py`` (``pip install nbclient ipykernel``).

Of a picture that a notebook can show as SVG, the PNG is not kept: it is five times as large.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent


def run(path: Path) -> None:
    """Run one notebook in an empty folder and write it back, with its outputs."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as empty:
        NotebookClient(book, timeout=600, kernel_name="python3", resources={"metadata": {"path": empty}}).execute()
    for cell in book.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/svg+xml" in data:
                data.pop("image/png", None)
    book.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(book, path)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(FOLDER.parents[1]))
    for name in sys.argv[1:] or sorted(FOLDER.glob("*.ipynb")):
        run(Path(name))
