"""``evoart sketch train``: a model of one's own."""

from __future__ import annotations

from typing import Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

DATA, MODEL, LEARNING = "Data", "Model", "Learning"


@click.command(
    cls=o.Command,
    short_help="Train a model on drawings of your own.",
    epilog="L_R is the log of a density and may well be negative: lower is better, and below zero is fine. "
    f"Exit codes: {EXIT_CODES}. Ctrl-C once saves the best model and a checkpoint, from which resume continues.",
)
@click.argument("data", nargs=-1, required=True, type=o.path("DATA"))
@o.option(o.OUTPUT, "--out", type=o.path(), metavar="FILE", help="The model, .npz. [default: NAME.npz]")
@o.option(o.OUTPUT, "--overwrite", is_flag=True, help="Replace outputs that exist.")
@o.option(
    o.OUTPUT,
    "--samples",
    type=o.path(),
    metavar="FILE",
    help="Sketches drawn as it learns, .svg or .png. [default: MODEL-samples.svg]",
)
@o.option(DATA, "--max-points", metavar="N", help="Points of a drawing; those with more are simplified. [default: 250]")
@o.option(
    DATA,
    "--tolerance",
    metavar="T",
    help="Simplify by Ramer-Douglas-Peucker, in units of a page of 255. [default: 2 for SVG, 0 for stroke sets]",
)
@o.option(
    DATA, "--classes", "by_class", is_flag=True, help="Tell the model what each drawing shows: its word, or its file."
)
@o.option(MODEL, "--cell", type=o.Words("lstm", "layer_norm", "hyper"), help="Of the decoder. [default: lstm]")
@o.option(MODEL, "--hidden", metavar="N", help="Units of the decoder, 4 to 4,096. [default: 256]")
@o.option(MODEL, "--latent", metavar="N", help="Length of z, 128 for example: a VAE. [default: 0, a decoder only]")
@o.option(MODEL, "--encoder", metavar="N", help="Units of each of the encoder's two LSTMs. [default: 256]")
@o.option(MODEL, "--mixtures", metavar="N", help="Gaussians per offset, 1 to 100. [default: 20]")
@o.option(MODEL, "--name", metavar="NAME", help="What it draws. [default: the model file's name]")
@o.option(MODEL, "--licence", metavar="TEXT", help="One line kept in the model: what applies to it, whose drawings.")
@o.option(LEARNING, "--steps", "generations", metavar="N", help="Training steps at most. [default: 5,000]")
@o.option(LEARNING, "-t", "--time", metavar="TIME", help="Stop after so much time: 30s, 5m, 1h30m; 0.1s to 720h.")
@o.option(LEARNING, "--check", "interval", metavar="N", help="Steps between two validations. [default: 200]")
@o.option(
    LEARNING, "--patience", "stale", metavar="N", help="Stop after N validations without a better one. [default: 15]"
)
@o.option(LEARNING, "--batch", metavar="N", help="Drawings a step, 1 to 4,096. [default: 100]")
@o.option(LEARNING, "--learning-rate", metavar="R", help="Of Adam; it falls to a hundredth. [default: 0.003]")
@o.option(LEARNING, "--keep-prob", metavar="P", help="Keep probability of recurrent dropout, 0.1 to 1. [default: 0.9]")
@o.option(
    LEARNING,
    "--augment-scale",
    metavar="P",
    help="Augmentation: scale each axis up or down by at most this, 0 to 0.9. [default: 0.15]",
)
@o.option(
    LEARNING, "--augment-drop", metavar="P", help="Augmentation: fraction of points left out, 0 to 0.5. [default: 0.1]"
)
@o.option(LEARNING, "--kl-weight", metavar="W", help="Weight of L_KL in the end (VAE). [default: 0.5]")
@o.option(LEARNING, "--kl-floor", metavar="L", help="L_KL below this does not count (VAE). [default: 0.2]")
@o.option(LEARNING, "-s", "--seed", metavar="N", help="Same seed, same model; 0 to 4,294,967,295. [default: random]")
@o.option(
    o.RUN,
    "--resume",
    type=o.path(),
    metavar="FILE",
    help="Continue from a checkpoint: same data, same settings, other limits where given.",
)
@o.option(o.RUN, "--start", type=o.path(), metavar="FILE", help="Begin with the weights of this model.")
@o.dry_run_option
@o.json_option
@o.verbosity_options
def train(data: tuple[str, ...], **given: Any) -> int:
    """Learn to draw from DATA: folders of SVG (KanjiVG, a plotter's), single SVG, Quick, Draw! .ndjson (simplified or
    raw), stroke-3 .npz. Without --latent the model draws and completes; with it, it also encodes and interpolates.
    """
    from evoart.cli.console import Console
    from evoart.cli.sketch.training import train as run_training

    return run_training(data, given, Console(o.verbosity(given["verbose"], given["quiet"])))
