"""A gallery as web pages: files that open from a disk and from any server, with nothing from anywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evoart.gallery import diversity
from evoart.gallery.command import command_of, quoted
from evoart.gallery.journal import Line, make_folder
from evoart.output.files import write

WEB = Path(__file__).parent / "web"
PAGES = "pages"
ASSETS = ("style.css", "gallery.js")
SIMILAR = 6
SCORES = ("similarity", "psnr")  # figures that pictures are sorted by, higher is better; else the loss, lower is


def build(folder: Path, lines: Sequence[Line], title: str = "Gallery") -> Path:
    """Write ``index.html``, a page a picture and what they need into the gallery's folder; returns the index.

    Args:
        lines: the journal's, in the order to be shown; failed ones are listed at the end of the index.

    Raises:
        EvoartError: the system refuses a file.
    """
    done, failed = ([line for line in lines if (line.status == "done") == wanted] for wanted in (True, False))
    make_folder(folder / PAGES)
    for name in ASSETS:
        write(folder / PAGES / name, (WEB / name).read_bytes(), overwrite=True, flush=False)
    near = diversity.nearest(done, SIMILAR)
    for i, line in enumerate(done):
        before, after = done[i - 1] if i else None, done[i + 1] if i + 1 < len(done) else None
        page = _picture(line, before, after, [done[j] for j in near[i]], title)
        _write(folder / page_of(line), page)
    return _write(folder / "index.html", _index(done, failed, title))


def page_of(line: Line) -> str:
    """The name of a picture's page in the gallery's folder."""
    return f"{PAGES}/{line.name}.html"


def score_of(line: Line) -> float | None:
    """What pictures are sorted by; higher is better."""
    for name in SCORES:
        if name in line.figures:
            return round(line.figures[name], 4)
    return round(-line.figures["loss"], 6) if "loss" in line.figures else None


def facts_of(line: Line) -> str:
    """A picture in one line: ``100 triangles, 24.05 dB, seed 1``."""
    score = next((name for name in SCORES if name in line.figures), None)
    shown = {"psnr": "{:.2f} dB", "similarity": "similarity {:.3f}"}
    figure = [shown[score].format(line.figures[score])] if score else []
    return ", ".join([line.drawing, *figure, f"seed {line.job.get('seed', 0)}"])


def name_of(line: Line) -> str:
    """What a picture is called: the name that its job was given, its prompt, its photograph's name, or its own name."""
    if line.heading:
        return line.heading
    if prompts := line.job.get("prompts"):
        return " + ".join(map(str, prompts)) if isinstance(prompts, list) else str(prompts)
    return line.title.partition(", drawn with")[0] or line.name


def _write(path: Path, text: str) -> Path:
    # What is in a name may be no text; a page must still be written.
    return write(path, text.encode("utf-8", "replace"), overwrite=True, flush=False)


def _index(done: Sequence[Line], failed: Sequence[Line], title: str) -> str:
    rows = [_row(i, line) for i, line in enumerate(done)]
    # Inside a script element only "</" could end it, and "<!--" begin a comment.
    data = json.dumps(rows, separators=(",", ":")).replace("<", "\\u003c")
    forms = sorted({line.form for line in done})
    options = "".join(f'<option value="{escape(form)}">{escape(form)}</option>' for form in forms)
    apart = diversity.spread_of([line for line in done if line.job.get("command") == "clip"])
    notes = [f"<p>{escape(text)}</p>" for text in _spread_notes(apart)]
    if failed:
        items = "".join(f"<li><b>{escape(line.name)}</b>: {escape(line.reason)}</li>" for line in failed)
        notes.append(f"<details><summary>{len(failed):,} not made</summary><ul>{items}</ul></details>")
    return f"""{_head(title, PAGES)}
<header><h1>{escape(title)}</h1><span id="count" class="quiet"></span>
<input id="search" type="search" placeholder="Filter ( / )" aria-label="Filter by words">
<label>Form <select id="form"><option value="">all</option>{options}</select></label>
<label>Sort <select id="sort"><option value="order">as made</option><option value="name">name</option>
<option value="score">best first</option><option value="form">form</option>
<option value="seed">seed</option></select></label>
<button id="theme" title="Light or dark">◐</button></header>
<main><ul id="grid"></ul>
<p id="none" class="quiet" role="status" hidden></p>
<p><button id="more" hidden>More</button></p><div class="quiet">{"".join(notes)}</div>
<noscript><ul>{"".join(_plain(line) for line in done)}</ul></noscript></main>
<script type="application/json" id="data">{data}</script><script src="{PAGES}/gallery.js"></script></body></html>
"""


def _spread_notes(apart: dict[str, float]) -> Iterator[str]:
    if apart:
        mean, what = sum(apart.values()) / len(apart), "root mean square of colours from 0 to 1, at 8 by 8 pixels"
        yield f"Two pictures of one prompt differ by {mean:.3f} on average ({what})."


def _row(i: int, line: Line) -> dict[str, Any]:
    job = line.job
    words = [name_of(line), line.name, line.drawing, line.form, f"seed {job.get('seed', '')}", str(job.get("kind", ""))]
    row = {
        "i": i,
        "title": name_of(line),
        "facts": facts_of(line),
        "form": line.form,
        "seed": job.get("seed", 0),
        "score": score_of(line),
        "text": " ".join(words).lower(),
        "thumb": quote(line.files.get("thumb", "")),
        "page": quote(page_of(line)),
    }
    return row | ({"film": quote(line.files["film"])} if "film" in line.files else {})


def _plain(line: Line) -> str:
    return f'<li><a href="{quote(page_of(line))}">{escape(name_of(line))}</a>, {escape(facts_of(line))}</li>'


def _head(title: str, assets: str) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="{assets}/style.css">
<meta name="generator" content="evoart"></head><body>"""


def _picture(line: Line, before: Line | None, after: Line | None, similar: Sequence[Line], title: str) -> str:
    w, h = line.size
    kinds = [kind for kind in ("svg", "png", *line.files) if kind in line.files and kind not in ("thumb", "film")]
    # Shapes are sharp at any size; what is made of pixels is no better as SVG.
    first = ("svg", "png") if line.form != "cppn" else ("png", "svg")
    shown = next((line.files[kind] for kind in (*first, *kinds, "thumb") if kind in line.files), "")
    links = [f'<a href="../{quote(line.files[kind])}" download>{kind.upper()}</a>' for kind in dict.fromkeys(kinds)]
    if "film" in line.files:
        links.append(f'<button id="film" data-film="../{quote(line.files["film"])}">Play its evolution</button>')
    ways = [
        f'<a id="{id}" href="{quote(other.name)}.html">{text}</a>'
        for id, other, text in (("before", before, "← previous"), ("after", after, "next →"))
        if other is not None
    ]
    kept = next((line.files[kind] for kind in dict.fromkeys(kinds)), "")
    recipe = json.dumps(line.job, indent=2, ensure_ascii=False)
    rows = [("picture", line.drawing), ("size", f"{w} × {h}"), *_figures(line), ("seconds", f"{line.seconds:.1f}")]
    table = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows)
    cards = "".join(_similar(each) for each in similar)
    return f"""{_head(f"{name_of(line)} – {title}", ".")}
<header><h1>{escape(name_of(line))}</h1><nav>{" ".join(ways)} <a id="up" href="../index.html">all</a></nav>
<button id="theme" title="Light or dark">◐</button></header>
<main><article><figure><img src="../{quote(shown)}" width="{w}" height="{h}"
style="width:min(100%,{82 * w / h:.2f}vh);height:auto" alt="{escape(line.title)}"></figure>
<nav>{" ".join(links)}</nav>
<h2>How it was made</h2><dl>{table}</dl>
<h2>Make it again <button id="copy" hidden>Copy</button></h2>
<pre id="command">{escape(command_of(line.job, kept))}</pre>
<p class="quiet">Or from the recipe inside the picture: <code>evoart redo {escape(quoted(kept))}</code></p>
<details><summary>Recipe</summary><pre>{escape(recipe)}</pre></details>
{f'<h2>Similar pictures</h2><div class="row">{cards}</div>' if cards else ""}</article></main>
<script src="gallery.js"></script></body></html>
"""


def _figures(line: Line) -> Iterator[tuple[str, str]]:
    for name, value in line.figures.items():
        yield name, f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _similar(line: Line) -> str:
    thumb = f'<img loading="lazy" src="../{quote(line.files.get("thumb", ""))}" alt="{escape(line.title)}">'
    words = f"<b>{escape(name_of(line))}</b><small>{escape(facts_of(line))}</small>"
    return f'<a class="card" href="{quote(line.name)}.html">{thumb}{words}</a>'
