"""``evoart cppn train``, ``sample``, ``grid`` and ``morph``: networks that have learned to draw latent vectors."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli import trained
from evoart.cli.failure import EPILOG
from evoart.cli.sheets import make_sheet, run, run_options, sheet_options

DATA, NETWORK, LATENT = "Data", "Network", "Latent space"

_model_option = o.option(
    NETWORK,
    "-m",
    "--model",
    type=o.path(),
    metavar="NAME|FILE",
    help="Which network: faces, or a .safetensors of train. [default: faces]",
)
_sigma_option = trained.sigma_option(LATENT, "1")
_drawing_options = o.together(_sigma_option, o.seed_option, run_options)


def _check_model(given: str | None) -> None:
    """Refuse a model that is not there; None is the one that comes along."""
    from evoart.run.latent.job import NAMES

    if given is not None:
        NAMES.check(given)


@click.command(cls=o.Command, short_help="Train a network that draws pictures like yours, at any size.", epilog=EPILOG)
@click.argument("data", nargs=-1, required=True, type=o.path("DATA"))
@o.output_options("NAME-latents.safetensors and NAME-latents.png in the current folder", "256 a picture", "safetensors")
@o.option(DATA, "--pixels", metavar="N", help="Side of the squares it learns from, 8 to 64. [default: theirs, or 32]")
@o.option(DATA, "--color", "--colour", "color", type=o.Words("rgb", "gray"), help="[default: that of the pictures]")
@o.option(DATA, "--mirror", is_flag=True, help="Learn from every picture's mirror image too.")
@o.option(
    NETWORK, "--layers", metavar="LAYOUT", help="Hidden layers of the decoder: 96x3 is three of 96. [default: 96x3]"
)
@o.option(
    NETWORK,
    "--activations",
    type=o.Words(*o.ACTIVATIONS, metavar="NAMES", several=True),
    help="Activations of a layer's units, joined by commas. [default: sine,tanh]",
)
@o.option(NETWORK, "--latent", metavar="N", help="Length of the latent vector, 1 to 64. [default: 32]")
@o.option(NETWORK, "--encoder", metavar="N", help="Units of each layer of the encoder, 4 to 1,024. [default: 256]")
@o.option(NETWORK, "--name", metavar="NAME", help="What the pictures show. [default: the data's name]")
@o.option(NETWORK, "--licence", metavar="TEXT", help="One line kept in the file: what applies to it, whose pictures.")
@trained.learning_options("4,000", "pictures held out to judge by; 0: none, for a few hundred to be known by heart.")
@o.option(
    trained.LEARNING,
    "--batch",
    metavar="N",
    help="Pictures a step, 1 to 4,096; multiples of 8 are fastest. [default: 64]",
)
@o.option(
    trained.LEARNING, "--share", metavar="P", help="Share of a picture's pixels that a step looks at. [default: 0.25]"
)
@o.option(
    trained.LEARNING,
    "--kl-weight",
    metavar="W",
    help="More makes random pictures better, and likenesses worse. [default: 1]",
)
@o.option(
    trained.LEARNING, "--warm-up", metavar="P", help="Share of the steps over which that weight rises. [default: 0.25]"
)
@o.option(
    trained.LEARNING,
    "--gan-weight",
    metavar="W",
    help="More makes pictures sharper, and likenesses worse: a discriminator (GAN) learns to tell them from the data. "
    "[default: 0: none]",
)
@_sigma_option
@o.seed_option
@run_options
def train(data: tuple[str, ...], **given: Any) -> int:
    """Learn to draw pictures like those in DATA: folders of small pictures, .npz or .npy arrays, idx files of the MNIST
    family, or fashion-mnist (Debian's package dataset-fashion-mnist).

    The network (a variational autoencoder whose decoder maps coordinates to colours) learns from a few dozen pixels and
    draws at any size; what it does between the pixels is its own.
    """
    from evoart.run.latent.job import LatentTrainJob

    return trained.train(LatentTrainJob, given, data)


@click.command(cls=o.Command, short_help="Draw random latent vectors of a trained network.", epilog=EPILOG)
@click.argument("model", required=False, type=o.path("NAME|FILE"))
@o.output_options("NAME-sheet.png and NAME-sheet-01.png, ... in the current folder", "1024 for each", "png")
@sheet_options(12)
@_drawing_options
def sample(model: str | None, **given: Any) -> int:
    """Draw random latent vectors: a sheet of them, and each as a PNG of 1024 pixels.

    MODEL is a .safetensors that train wrote; without it, the one that comes with evoart draws faces. evoart render
    picture.png makes prints, shaders and pages that zoom of them, evoart breed their children.
    """
    from evoart.run.latent.job import SampleJob

    _check_model(model)
    return make_sheet(SampleJob, given, model=model)


@click.command(cls=o.Command, short_help="Draw a plane through the latent space.", epilog=EPILOG)
@click.argument("around", required=False, type=o.path("PICTURE"))
@o.output_options("NAME-sheet.png in the current folder", "1024 for each", "png")
@sheet_options(49)
@_model_option
@o.option(LATENT, "--span", metavar="SD", help="How far it goes to each side, in standard deviations. [default: 3]")
@_drawing_options
def grid(around: str | None, **given: Any) -> int:
    """Draw a plane through the latent space, around PICTURE or its middle, two directions of the seed's choice.

    PICTURE is encoded, unless the network drew it; a whole number is the random latent vector of that seed.
    """
    from evoart.run.latent.job import GridJob

    _check_model(given["model"])
    return make_sheet(GridJob, given | {"sheet_only": True}, around=around)


@click.command(cls=o.Command, short_help="A film from picture to picture through the latent space.", epilog=EPILOG)
@click.argument("stops", nargs=-1, type=o.path("PICTURE"))
@o.output_options("NAME-morph.anim.webp in the current folder", "1024", "animated-webp")
@o.loop_options
@_model_option
@o.option(
    LATENT, "-n", "--pictures", "count", metavar="N", help="Go on through random ones up to N, 2 to 100. [default: 4]"
)
@_drawing_options
def morph(stops: tuple[str, ...], **given: Any) -> int:
    """A seamless loop from one PICTURE to the next and back to the first, along a sphere; of random ones without any.

    A picture is encoded, unless the network drew it (sheet.png:7 is one of a sheet); a whole number is the random
    latent vector of that seed.
    """
    from evoart.run.latent.job import MorphJob

    _check_model(given["model"])
    return run(MorphJob, given, stops=stops)


COMMANDS = (train, sample, grid, morph)
