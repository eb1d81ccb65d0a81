"""`gated train`, `gated resume`, `gated stop`: start workers, follow them, ask them to stop."""

import shlex
from typing import Annotated, Any

import typer

from gatedtui import paths
from gatedtui.cli import complete, follow, output
from gatedtui.cli.options import Json, Plain, Recipe, Runs, Unit
from gatedtui.cli.progress import Bar
from gatedtui.errors import BadArgument
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.runs.status import status

Detach = Annotated[bool, typer.Option("--detach", help="Start the workers and return at once.")]


def train(
    unit: Unit = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            help="A data set (gated data list) or a folder (default bach).",
            autocompletion=complete.data,
            rich_help_panel="Model and data",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="A model file or name (gated models list).",
            autocompletion=complete.models,
            rich_help_panel="Model and data",
        ),
    ] = None,
    recipe: Recipe = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any key of run.toml, as train.lr=1e-3; repeatable.",
            autocompletion=complete.settings,
            rich_help_panel="How it is trained",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            "--epochs",
            help="Passes over the training set, at most (default: the recipe's).",
            rich_help_panel="How it is trained",
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option("--lr", help="Learning rate (default: the recipe's).", rich_help_panel="How it is trained"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", help="Of everything random (default 1).", rich_help_panel="How it is trained"),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            help="auto, cpu or cuda (default auto).",
            autocompletion=complete.words("auto", "cpu", "cuda"),
            rich_help_panel="How it is trained",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The run's name (default UNIT-DATA-N).")] = None,
    runs: Runs = None,
    detach: Detach = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Trains a unit (or all three) and shows it learning.

    Ctrl-C stops and saves; gated resume goes on. Closing the terminal leaves the runs training.
    """
    from gatedtui import plan as plans
    from gatedtui import start as starting

    typed = {"train.epochs": epochs, "train.lr": lr, "seed": seed, "train.device": device}
    flags: dict[str, Any] = {key: value for key, value in typed.items() if value is not None}
    wanted = plans.plan(unit=unit, data=data, model=model, recipe=recipe, settings=settings or (), flags=flags)
    with Bar() as bar:
        workers = starting.start(wanted, runs=runs or paths.runs_folder(), name=name, progress=bar)
    follow.after_start(workers, detach=detach, json=json, plain=plain)


def resume(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's name; without it the newest that can go on.", autocompletion=complete.resumable),
    ] = None,
    runs: Runs = None,
    detach: Detach = False,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Goes on with a stopped or crashed run, exactly where its saved state is."""
    place = runs or paths.runs_folder()
    found = (
        folders.find(place, run)
        if run is not None
        else next((r for r in folders.all_runs(place) if status(r).can_resume), None)
    )
    if found is None:
        raise BadArgument(f"No run in '{place}' can be resumed.", folders.listing(place))
    from gatedtui import start as starting

    with Bar() as bar:
        worker = starting.resume(found, progress=bar)
    if worker is None:
        output.say(f"The run '{found.name}' is already finished; there is nothing to resume.")
        return
    follow.after_start([worker], detach=detach, json=json, plain=plain, from_start=False)


def stop(
    run: Annotated[str, typer.Argument(help="A run's or a sweep's name.", autocompletion=complete.running)],
    runs: Runs = None,
) -> None:
    """Asks a run to finish its update, save and stop; or a sweep, with all it is training."""
    from gatedtui.sweep.folder import SweepFolder

    place = runs or paths.runs_folder()
    named = shlex.quote(run) + paths.runs_flag(place)
    if (swept := SweepFolder(place / run)).is_there:
        if launch.request_stop(folders.RunFolder(swept.path)):
            output.say(f"asked the sweep '{run}' to stop; gated sweep --name {named} goes on with it")
        else:
            output.say(f"The sweep '{run}' is not being trained.")
        return
    found = folders.find(place, run)
    if launch.request_stop(found):
        output.say(f"asked '{found.name}' to stop; gated resume {named} goes on with it")
    else:
        output.say(f"'{found.name}' is not running (it is {status(found).word}).")
