"""``evoart cppn``: pictures from networks of coordinates, and what can be done with them."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EPILOG
from evoart.cli.latent import COMMANDS
from evoart.cli.sheets import breeding_options, make_sheet, run, run_options, sheet_options

NETWORK, FILM = "Networks", "Film"
SYMMETRIES = ("none", "x", "y", "xy", "kaleidoscope:6")


def _network_options(layers: str, *, topology: str = "layers", symmetry: str = "none", latent: int = 4) -> o.Decorator:
    """What networks look like; the arguments are the command's own defaults."""
    return o.together(
        o.option(
            NETWORK,
            "--topology",
            type=o.Words("layers", "graph", "agnostic"),
            help="layers of a fixed size, a graph of nodes with activations of their own (NEAT), or agnostic: such a "
            f"graph whose links share one weight. [default: {topology}]",
        ),
        o.option(
            NETWORK,
            "--layers",
            metavar="LAYOUT",
            help=f"Hidden layers: 24x4 is four of 24 units; or 32,16,8. [default: {layers}]",
        ),
        o.option(
            NETWORK,
            "--activations",
            type=o.Words(*o.ACTIVATIONS, metavar="NAMES", several=True),
            help="Activations of a layer's units, or those that a graph's nodes may have, joined by commas. "
            "[default: tanh; graphs: a mixture]",
        ),
        o.option(
            NETWORK,
            "--color",
            "--colour",
            "color",
            type=o.Words("rgb", "hsv", "gray"),
            help="What the outputs mean: rgb, hsv or gray. [default: rgb]",
        ),
        o.option(
            NETWORK,
            "--symmetry",
            type=o.Words(*SYMMETRIES),
            help=f"x, y or xy mirrors, kaleidoscope:N has N wedges, 2 to 24. [default: {symmetry}]",
        ),
        o.option(
            NETWORK,
            "--latent",
            metavar="N",
            help=f"How many latent numbers, 0 to 64; a film moves through them. [default: {latent}]",
        ),
    )


@click.group(
    cls=o.Family,
    invoke_without_command=True,
    short_help="Pictures from networks of coordinates, at any size.",
    epilog=EPILOG,
)
@o.output_options("cppn-sheet.png and cppn-sheet-01.png, ... in the current folder", "1024 for each", "png")
@sheet_options(12)
@_network_options("24x8", topology="a mixture", symmetry="a mixture, none with one of the three above")
@o.aspect_option(NETWORK)
@o.option(
    NETWORK, "--candidates", metavar="N", help="Keep the liveliest of N networks, 1 to 256. [default: 8; graphs: 32]"
)
@o.seed_option
@run_options
@click.pass_context
def cppn(ctx: click.Context, **given: Any) -> int | None:
    """Random networks that map a point's coordinates to its colour: a sheet of them, and each as a PNG of 1024 pixels.

    Pictures on a sheet are counted row by row: sheet.png:7 is the seventh, for breed and film. A network has no
    resolution: evoart render picture.png -o print.png --size 16384 draws it for a wall, and -o picture.html makes a
    page that zooms without end (also .frag, .network.svg, .weights.json).
    """
    if ctx.invoked_subcommand is not None:
        o.refuse_options(ctx)
        return None
    from evoart.run.cppn.job import CppnJob

    return make_sheet(CppnJob, given)


@cppn.command(cls=o.Command, short_help="Draw a photograph with a network.", epilog=EPILOG)
@click.argument("picture", required=False, type=o.path("PICTURE"))
@o.output_options("NAME-cppn.png in the current folder", "that of the photograph", "png")
@o.film_options
@_network_options("32x4", latent=0)
@o.option(NETWORK, "--start", type=o.path(), metavar="FILE", help="Continue from a picture of a network.")
@o.option(
    o.SEARCH,
    "--weights",
    type=o.Words("gradient", "evolve"),
    help="gradient trains them (with --topology graph: Backprop NEAT), evolve does without: slower by orders of "
    "magnitude. On a network of 947 weights the best strategy came to 8.6 (MSE x 1000) after 16,384 evaluations, the "
    "gradient to 1.7 after 1,000 steps and 0.8 after 4,000. [default: gradient]",
)
@o.option(
    o.SEARCH,
    "--strategy",
    type=o.Words(*o.STRATEGIES, metavar="NAME"),
    help="evosax strategy that evolves the weights of layers; see: evoart strategies. [default: cr_fm_nes]",
)
@o.option(o.SEARCH, "--population", metavar="N", help="Candidates per generation, 4 to 65,536. [default: by search]")
@o.option(
    o.SEARCH, "--step", metavar="NUMBER", help="First step size of a strategy, 0.00001 to 2. [default: by strategy]"
)
@o.option(
    o.SEARCH,
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Of training: rate and steps, of graphs for each child; of NEAT: species, survivors, crossing, node, link, "
    "activation, toggle; or a number of the strategy's. Repeat.",
)
@o.loss_option
@o.quality_option
@o.option(
    o.SEARCH,
    "--pixels",
    metavar="N",
    help="Long side of the search's canvas, 16 to 1,024. [default: 128, of graphs 64]",
)
@o.seed_option
@o.budget_options
@o.psnr_option
@run_options
def fit(picture: str | None, **given: Any) -> int:
    """Draw PICTURE with a network; without PICTURE, the photograph that comes with evoart.

    The result is smooth at any size, as soft as the network is small.
    """
    from evoart.errors import UsageError
    from evoart.run.cppn.fit_job import CppnFitJob

    if picture == "":
        raise UsageError("the picture's name is empty", "Name a file, or leave it out for the bundled photograph")
    settings = o.settings_of(given.pop("settings"))
    return run(CppnFitJob, given, picture=picture, options=settings or None)


@cppn.command(cls=o.Command, short_help="Map what networks can do (MAP-Elites).", epilog=EPILOG)
@o.output_options("cppn-explored-sheet.png in the current folder", "1024 for each", "png")
@_network_options("16x6")
@o.aspect_option(NETWORK)
@o.option(o.SHEET, "--grid", metavar="CxR", help="Columns x rows, 2 to 100 each. [default: 12x12]")
@o.pick_option
@o.option(o.SHEET, "--sheet-size", metavar="PIXELS", help="Long side of the sheet. [default: 400 a picture]")
@o.option(
    o.SEARCH,
    "--measures",
    metavar="TWO",
    help="What runs along the grid, from left to right and from bottom to top: two of contrast, entropy, edges, "
    "colourfulness, symmetry. [default: edges,colourfulness]",
)
@o.option(
    o.SEARCH,
    "--objective",
    metavar="NAME",
    help="What decides within a cell: a measure, or liveliness. [default: liveliness]",
)
@o.option(o.SEARCH, "--batch", metavar="N", help="Children per generation, 1 to 4,096. [default: 64]")
@o.quality_option
@o.seed_option
@o.budget_options
@run_options
def explore(**given: Any) -> int:
    """A grid of pictures, each the best found of its kind: from calm to busy, from gray to bright.

    Any of them can be drawn alone (evoart render sheet.png --pick 7), bred or filmed (sheet.png:7).
    """
    from evoart.run.cppn.explore_job import ExploreJob

    return make_sheet(ExploreJob, given)


@cppn.command(cls=o.Command, short_help="Children of the pictures you choose.", epilog=EPILOG)
@click.argument("parents", nargs=-1, type=o.path("PARENT"))
@o.output_options("cppn-bred-sheet.png and cppn-bred-sheet-01.png, ... in the current folder", "1024 for each", "png")
@sheet_options(16)
@breeding_options
@o.seed_option
@run_options
def breed(parents: tuple[str, ...], **given: Any) -> int:
    """A sheet of mutants and crossings of PARENTS; choose, and pass the chosen back.

    A parent is a picture of a network, or one of a sheet: sheet.png:7. Children come mild first and wilder towards the
    end. Their recipes name all ancestors: evoart info shows them.
    """
    from evoart.run.cppn.breed_job import CppnBreedJob

    return make_sheet(CppnBreedJob, given, parents=parents)


@cppn.command(cls=o.Command, short_help="A film that is a loop: GIF, WebP or MP4.", epilog=EPILOG)
@click.argument("networks", nargs=-1, type=o.path("NETWORK"))
@o.output_options("NAME-film.anim.webp in the current folder", "that of the network's picture", "animated-webp")
@o.loop_options
@o.option(
    FILM,
    "--through",
    type=o.Words("auto", "latent", "weights"),
    help="What moves where there is one network: its latent numbers, or all its weights. [default: latent, if any; the "
    "one weight of a weight-agnostic network]",
)
@o.option(FILM, "--amount", metavar="NUMBER", help="How far one network moves, 0.01 to 20. [default: 1]")
@o.seed_option
@run_options
def film(networks: tuple[str, ...], **given: Any) -> int:
    """A seamless loop around one network, or from NETWORKS to the next and back to the first.

    A network is a picture of one, or one of a sheet: sheet.png:7.
    """
    from evoart.run.cppn.film_job import CppnFilmJob

    return run(CppnFilmJob, given, networks=networks)


for command in COMMANDS:
    cppn.add_command(command)
