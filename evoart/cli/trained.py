"""What commands that train models of latent vectors, and draw with them, have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoart.cli import options as o
from evoart.cli.sheets import run
from evoart.errors import UsageError

if TYPE_CHECKING:
    from evoart.run.model_jobs import TrainJob

LEARNING = "Learning"


def learning_options(steps: str, held_out: str) -> o.Decorator:
    """How long a training takes and how it is judged; ``held_out`` says of what a share may be."""
    return o.together(
        o.option(LEARNING, "--steps", "generations", metavar="N", help=f"Training steps. [default: {steps}]"),
        o.option(
            LEARNING, "-t", "--time", metavar="TIME", help="Stop after so much time: 30s, 5m, 1h30m; 0.1s to 720h."
        ),
        o.option(LEARNING, "--validation", metavar="P", help=f"Share of the {held_out} [default: 0.05]"),
        o.option(
            LEARNING, "--decay-steps", metavar="N", help="Steps over which the learning rate falls. [default: all]"
        ),
        o.option(LEARNING, "--check", "interval", metavar="N", help="Steps between two validations. [default: 250]"),
        o.option(LEARNING, "--learning-rate", metavar="R", help="Of Adam; it falls along a cosine. [default: 0.002]"),
    )


def sigma_option(group: str, default: str) -> o.Decorator:
    """The spread of random latent vectors."""
    return o.option(
        group,
        "--sigma",
        metavar="NUMBER",
        help="Standard deviation of random latent numbers, 0 to 10: small is plain, large is wild. "
        f"[default: {default}]",
    )


def train(kind: type[TrainJob], given: dict[str, Any], data: tuple[str, ...]) -> int:
    """Run a training on ``data``; returns the exit code.

    Raises:
        UsageError: none of the outputs would keep the model.
    """
    named = given["outputs"]
    if named and not any(name.endswith(".safetensors") or Path(name).is_dir() for name in named):
        raise UsageError("the model would not be kept", "Add -o NAME.safetensors")
    given["name"] = given["name"] or Path(data[0]).name.split(".")[0] or kind.name
    return run(kind, given, data=data)
