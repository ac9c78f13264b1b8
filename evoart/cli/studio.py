"""``evoart studio``: a page on one's own machine to watch and steer by hand and eye."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

FOLDER = "studio"
SERVER = "Server"


@click.command(
    cls=o.Command,
    short_help="Watch, steer and edit in the browser, on this machine.",
    epilog="For example: evoart studio photo.jpg, or evoart studio photo-shapes.svg, or evoart studio 'a red boat'. "
    f"Exit codes: {EXIT_CODES}.",
)
@click.argument("what", required=False, metavar="[PHOTO|RESULT|PROMPT]", type=o.path("PHOTO|RESULT|PROMPT"))
@o.option(
    o.OUTPUT,
    "--folder",
    type=o.path("FOLDER"),
    metavar="FOLDER",
    default=FOLDER,
    help="Where pictures, photographs and the history are kept. [default: studio]",
)
@o.option(
    SERVER,
    "--port",
    metavar="N",
    help="Port on 127.0.0.1. [default: the one this folder had before, else a free one]",
)
@o.option(SERVER, "--no-browser", is_flag=True, help="Print the address, and do not open a browser.")
@o.verbosity_options
def studio(what: str | None, folder: str, port: str | None, no_browser: bool, verbose: int, quiet: bool) -> int:
    """Open a page on this machine: watch a picture grow, brush where it matters, edit its shapes, undo, and go on.

    The page is for this machine only, needs no network, and nothing is sent anywhere. Everything is kept in a folder:
    start again there and the work continues, whatever ended it. Ctrl-C saves and stops.

    PHOTO is opened to be drawn, RESULT (a picture that evoart made) to be edited, PROMPT to be drawn from words.
    """
    import secrets

    from evoart.cli.console import Console
    from evoart.run.device import own_process
    from evoart.run.fields import Number
    from evoart.studio.opening import open_first
    from evoart.studio.server import listen, serve
    from evoart.studio.studio import Studio

    number = None if port is None else int(Number(1, 65_535, flag="--port")("port", port))
    console = Console(-1 if quiet else verbose)
    own_process("auto", None)
    here = Studio(Path(folder).expanduser())
    try:
        sock = listen(number, here.settings.get("port"))
        secret = here.settings.get("secret") or secrets.token_urlsafe(32)
        here.save_settings(port=sock.getsockname()[1], secret=secret)
        if what is not None:
            open_first(here, what)
    except BaseException:
        here.close()
        raise

    def ready(address: str) -> None:
        click.echo(address)
        console.say("Open this address in a browser on this machine. Ctrl-C saves and stops.")
        windows = sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        if windows and not no_browser:  # else a browser for terminals would come up in this one
            import webbrowser

            webbrowser.open(address)

    return serve(here, sock, ready, console.say)
