"""``evoart models``: which CLIP models there are, which lie here, and what a download would cost."""

from __future__ import annotations

import click

from evoart.cli import options as o


@click.command(cls=o.Command, short_help="List CLIP models: what is here, sizes, licences.")
@o.option(
    "List", "--all", "every", is_flag=True, help="Also what open_clip knows beyond these (needs the extra 'clip')."
)
@o.option("List", "--check", is_flag=True, help="Read what was downloaded, and hold it to its hash.")
@o.json_option
def models(every: bool, check: bool, as_json: bool) -> int:
    """List the models of --model: where their weights are, how large, under which licence.

    Nothing is downloaded here.
    """
    import json

    from evoart.cli.console import tell
    from evoart.openclip import catalogue
    from evoart.openclip.load import HUB, folder, here
    from evoart.openclip.load import check as verified

    table = []
    for entry in catalogue.KNOWN if not every else catalogue.everything():
        path = here(entry)
        row = {
            "model": entry.full,
            "default": entry.full == catalogue.DEFAULT,
            "path": None if path is None else str(path),
            "size": entry.size if path is None else path.stat().st_size,
            "licence": entry.licence or "see its page",
            "note": entry.note,
            "source": f"{HUB}/{entry.repository}" if entry.repository else "",
        }
        if check and path is not None and folder(entry) in path.parents:
            row["sha256"] = verified(entry)
        table.append(row)
    if as_json:
        click.echo(json.dumps({"models": table, "cache": str(folder(catalogue.KNOWN[0]).parent)}))
        return 0
    for row in table:
        size = (
            f"{row['size'] / 1e6:,.0f} MB"
            if row["size"] >= 1e7
            else f"{row['size'] / 1e6:.1f} MB"
            if row["size"]
            else "?"
        )
        state = "here" if row["path"] else "to download"
        tell(f"{row['model']:<38} {size:>9}  {state:<12} {row['licence']:<6} {row['note']}")
    default = next(row for row in table if row["default"])
    if default["path"] is None:
        click.echo()
        tell(
            f"Without --model, evoart clip downloads {default['model']} ({default['size'] / 1e6:,.0f} MB) from "
            f"{default['source']} to {folder(catalogue.entry(catalogue.DEFAULT))}."
        )
    return 0
