"""``evoart models``: which CLIP models there are, which lie here, and their files fetched, checked and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o

if TYPE_CHECKING:
    from evoart.openclip.catalogue import Entry


@click.group(cls=o.Family, invoke_without_command=True, short_help="List CLIP models: what is here, sizes, licences.")
@o.option("List", "--all", "every", is_flag=True, help="Also everything else that open_clip publishes.")
@o.option(
    "List",
    "--check",
    is_flag=True,
    help="Read what was downloaded and check its hash; exit code 1 if it differs.",
)
@o.json_option
@click.pass_context
def models(ctx: click.Context, every: bool, check: bool, as_json: bool) -> int | None:
    """List the models of --model: where their weights are, how large, under which licence.

    Nothing is downloaded here, but by: evoart models fetch NAME.

    \b
    Environment variables:
      EVOART_CACHE     where evoart keeps what it downloads; without it
                       $XDG_CACHE_HOME/evoart, or ~/.cache/evoart
      HF_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, XDG_CACHE_HOME
                       where the Hugging Face client keeps files: used, never changed
      HF_HUB_OFFLINE   1, true, yes or on: the hub is never asked
      HF_TOKEN         your token, sent to the hub alone (or what "hf auth login" left)
      HF_ENDPOINT      another address of the hub, such as a mirror
      https_proxy, no_proxy, SSL_CERT_FILE
                       your network's proxy and its own certificates
    """
    if ctx.invoked_subcommand is not None:
        return None
    import json

    from evoart.cli.console import Console, tell
    from evoart.openclip import catalogue, store
    from evoart.run.clip.default import find_default

    entries = catalogue.all_entries() if every else list(catalogue.KNOWN)
    table = [_inside(), *(_row(entry, check, Console()) for entry in entries)]
    damaged = any("damaged" in row for row in table)
    default = catalogue.find_entry(catalogue.DEFAULT)
    if as_json:
        click.echo(json.dumps({"models": table, "cache": str(store.folder(default).parent)}))
        return int(damaged)
    width = max(len(row["model"]) for row in table)
    for row in table:
        state = "here" if row["path"] else "to download"
        state = "damaged" if "damaged" in row else state
        tell(
            f"{row['model']:<{width}} {_size(row['size']):>9}  {state:<12} {row['licence']:<12} {row['note']}".rstrip()
        )
    click.echo()
    if found := find_default():
        tell(f"Without --model, evoart clip uses {found}.")
        return int(damaged)
    parts = " and ".join(each.summary for each in store.missing_files(default))
    tell("Without --model, evoart clip draws what the model 'icons' knows: evoart models words")
    tell(f"For CLIP itself: evoart models fetch {default.full_name} ({parts}, from {_page_of(default)})")
    return int(damaged)


def _page_of(entry: Entry) -> str:
    """The page of a model on the hub; ``""`` for those that have none."""
    from evoart.openclip import hub

    return f"{hub.endpoint()}/{entry.repository}" if entry.repository else ""


def _inside() -> dict[str, Any]:
    """What is known of the model that draws icons, as ``_row`` of others."""
    from evoart.openclip import icons

    return {
        "model": "icons",
        "default": False,
        "path": str(icons.FILE),
        "size": icons.FILE.stat().st_size,
        "licence": "see notice",
        "note": "inside evoart, no CLIP: draws what evoart models words lists",
        "source": str(icons.FILE.with_name("NOTICE.md")),
    }


def _row(entry: Entry, check: bool, console: Any) -> dict[str, Any]:
    """What is known of a model, as plain values."""
    from evoart.errors import EvoartError
    from evoart.openclip import catalogue, store

    path = store.find_weights(entry, report=console.say)
    row: dict[str, Any] = {
        "model": entry.full_name,
        "default": entry.full_name == catalogue.DEFAULT,
        "path": None if path is None else str(path),
        "size": catalogue.size_of(entry) if path is None else path.stat().st_size,
        "licence": entry.licence or "see its page",
        "note": entry.note or (f"by torch: {entry.torch_reason}" if entry.torch_reason else ""),
        "source": _page_of(entry),
    }
    if check:
        try:
            if digest := store.check_files(entry):
                row["sha256"] = digest
        except EvoartError as error:
            row["damaged"] = error.message
            console.say(str(error))
    return row


def _size(size: int) -> str:
    if not size:
        return "?"
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


@models.command(cls=o.Command, short_help="List what the model inside evoart can draw.")
@click.argument("theme", required=False)
@o.json_option
def words(theme: str | None, as_json: bool) -> int:
    """List the things that evoart clip draws by itself, by theme; THEME such as animal shows those alone."""
    import json
    import textwrap

    from evoart.cli.console import tell
    from evoart.errors import UsageError
    from evoart.openclip import compose, icons

    themes = icons.load().themes()
    if theme is not None:
        chosen = {name: things for name, things in themes.items() if theme.lower() in name}
        if not chosen:
            raise UsageError(f"no theme is called '{theme}'", f"Choose one of: {', '.join(themes)}")
        themes = chosen
    if as_json:
        click.echo(json.dumps({"themes": themes, "colours": list(compose.COLOURS), "shapes": list(icons.SHAPES)}))
        return 0
    for name, things in themes.items():
        tell(f"{name}:")
        for line in textwrap.wrap(", ".join(things), 100, initial_indent="  ", subsequent_indent="  "):
            tell(line)
    tell(f"Colours, light and dark: {', '.join(compose.COLOURS)}. Shapes: {', '.join(icons.SHAPES)}.")
    tell("One to nine of a thing, two or three things together (above, under, on, next to, left of), backgrounds.")
    return 0


@models.command(cls=o.Command, short_help="Download a model's files, now.")
@click.argument("name", metavar="NAME[/TAG]")
@o.verbosity_options
def fetch(name: str, verbose: int, quiet: bool) -> int:
    """Download what the model NAME needs, so that evoart clip and score run without a network."""
    from evoart.cli.console import Console, tell
    from evoart.cli.downloads import callbacks
    from evoart.openclip import catalogue, store
    from evoart.openclip.foreign import check_tokenizer
    from evoart.openclip.load import check_extra

    console = Console(o.verbosity(verbose, quiet))
    entry = None if name == "icons" else catalogue.find_entry(name)
    if entry is None or entry.is_on_disk:
        console.say(f"{entry.full_name if entry else name} is part of evoart: there is nothing to download")
        return 0
    check_extra(entry)
    check_tokenizer(entry, report=console.say)
    if len(missing := store.missing_files(entry)) > 1:
        console.say(f"To be downloaded, once: {', and '.join(each.summary for each in missing)}")
    path = store.fetch_weights(entry, **callbacks(console))
    if store.needs_byte_pairs(entry):
        store.load_byte_pairs(entry, 77, report=console.say)
    tell(str(path))
    return 0


@models.command(cls=o.Command, short_help="Delete a model's files from evoart's cache.")
@click.argument("name", metavar="NAME[/TAG]")
@o.verbosity_options
def remove(name: str, verbose: int, quiet: bool) -> int:
    """Delete what evoart has downloaded of the model NAME. The cache of other programs stays as it is."""
    from evoart.cli.console import Console
    from evoart.download import format_bytes
    from evoart.openclip import catalogue, store

    entry = catalogue.find_entry(name)
    freed = store.remove_files(entry)
    text = f"Deleted {entry.full_name}: {format_bytes(freed)}" if freed else f"Nothing of {entry.full_name} is kept"
    Console(o.verbosity(verbose, quiet)).say(text)
    if freed and (path := store.find_weights(entry, report=lambda line: None)):
        Console(o.verbosity(verbose, quiet)).say(f"Another program keeps a copy, which stays: {path}")
    return 0
