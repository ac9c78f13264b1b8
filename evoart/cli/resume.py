"""``evoart resume``: an interrupted run continues to where it would have ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evoart.cli import options as o
from evoart.cli.failure import EXIT_CODES

if TYPE_CHECKING:
    from evoart.output.names import Output
    from evoart.run.checkpoint import Checkpoint


@click.command(
    cls=o.Command,
    short_help="Continue an interrupted run.",
    epilog=f"Exit codes: {EXIT_CODES}.",
)
@click.argument("file", type=o.path())
@o.output_options("where the first run was to write", "that of the first run", "as for the command")
@o.film_options
@o.film_style_options
@o.side_by_side_option
@o.budget_options
@o.psnr_option
@o.preview_option
@o.json_option
@o.verbosity_options
def resume(file: str, verbose: int, quiet: bool, **given: Any) -> int:
    """Continue the run saved in FILE, a checkpoint (.npz), until it ends where the unbroken run would have.

    It writes where the first run was to write unless -o says otherwise. A limit given here replaces the run's own, so
    that a run which ended at its limit continues; a default search that has carried out its plan stays finished.
    """
    from evoart.cli import session
    from evoart.cli.console import Console, tell_json
    from evoart.run import checkpoint as checkpoints
    from evoart.run.device import own_process
    from evoart.run.events import Event
    from evoart.run.loop import Keep
    from evoart.run.loop import resume as go_on
    from evoart.run.stop import Stop

    console = Console(o.verbosity(verbose, quiet))
    path = Path(file)
    budget = {name: given[name] for name in ("generations", "evaluations", "until_psnr", "patience")}
    saved = checkpoints.with_budget(checkpoints.load(path), seconds=given["time"], **budget).at_size(given["size"])
    own_process(saved.problem.job.device, saved.problem.job.threads)
    notes = saved.state.get("notes") or {}
    with session.new_folders((*given["outputs"], *given["films"])):
        outputs, options = _outputs(saved, notes, given, path)
        session.check_stdout(outputs, given["as_json"])
        session.check_size(saved.problem.size, outputs)
        keep = Keep(path, notes=notes)
        console.say(f"{path.name}: {saved.problem.job.summary}, seed {saved.problem.job.seed}")

        def events(stop: Stop) -> Iterator[Event]:
            return go_on(saved, keep=keep, stop=stop)

        report = tell_json if given["as_json"] else None
        lasting, members = bool(notes.get("lasting", True)), bool(notes.get("members"))
        plan = session.Plan(outputs, options, keep, lasting, report, members)
        return session.perform(events, plan, console, given["preview"])


def _outputs(saved: Checkpoint, notes: dict[str, Any], given: dict[str, Any], path: Path) -> tuple[list[Output], Any]:
    """Where to write: as told now, or else as the first run was told."""
    from evoart.cli import session
    from evoart.output.formats import Options

    words = ("film_size", "film_time", "film_fps", "film_style", "film_loop", "side_by_side", "dpi", "clip")
    told = {name: given[name] for name in words if name in given}
    options = session.write_options(before=Options(**notes.get("options", {})), **told)
    remembered = notes.get("outputs") or []
    job = saved.problem.job
    how = {"stem": saved.problem.name, "form": job.form_name, "overwrite": given["overwrite"]}
    how["inputs"] = [path, *(Path(each) for each in job.inputs)]
    if given["outputs"] or not remembered:
        natural = {"formats": job.formats, "film_only": job.film_only}
        return session.outputs_for(given["outputs"], given["films"], format=given["format"], **how, **natural), options
    outputs = [_remembered(entry, saved, given["overwrite"]) for entry in remembered]
    return outputs + session.films_for(given["films"], **how), options


def _remembered(entry: list[Any], saved: Checkpoint, overwrite: bool) -> Output:
    """An output of the first run. The picture it left at its interruption is replaced; anything else is kept."""
    from evoart.output.files import check_writable
    from evoart.output.names import Output

    place, format, allowed = entry
    if place is None:
        return Output(None, format)
    path = Path(place)
    check_writable(path.parent)
    return Output(path, format, bool(overwrite or allowed or _is_ours(path, saved)))


def _is_ours(path: Path, saved: Checkpoint) -> bool:
    """Whether a file holds an earlier state of this very run."""
    from evoart.errors import EvoartError
    from evoart.output.save import read_recipe

    if not path.exists():
        return False
    try:
        job = read_recipe(path).get("job")
    except EvoartError:
        return False
    mine = saved.problem.job.to_dict()
    budget = ("generations", "evaluations", "seconds", "until_psnr", "patience", "size", "options")
    return isinstance(job, dict) and all(job.get(name) == mine.get(name) for name in mine if name not in budget)
