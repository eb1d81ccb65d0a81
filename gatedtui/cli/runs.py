"""`gated runs list|show|rm`: what is in the runs folder."""

import math
from typing import Annotated, Any

import typer

from gatedtui import config as configs
from gatedtui import events, paths
from gatedtui.cli import complete, output
from gatedtui.cli.help import Command, Group
from gatedtui.cli.options import Runs
from gatedtui.cli.progress import Bar
from gatedtui.errors import GatedError
from gatedtui.runs import folder as folders
from gatedtui.runs.history import load
from gatedtui.runs.row import read_row

runs_app = typer.Typer(
    cls=Group, rich_markup_mode=None, help="The runs: list, look at one, remove.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]

PATIENCE_S = 1.0
"""Seconds of reading without a progress bar."""


def describe(run: folders.RunFolder) -> dict[str, Any]:
    """One run as plain values: name, status, config, and its figures so far."""
    config, row = run.config(), read_row(run)
    return {
        "name": run.name,
        "status": "running" if row.word == "training" else row.word,
        "unit": config.model.unit,
        "data": config.data.name,
        "recipe": config.train.recipe,
        "seed": config.seed,
        "lr": config.train.lr,
        "epochs": row.epochs,
        "best_epoch": row.best_epoch,
        "valid_nll": known(row.best_valid),
        "test_nll_frame": known(row.test_frame),
        "test_nll_sequence": known(row.test_piece),
        "elapsed_s": known(row.elapsed_s) or 0.0,
        "path": str(run.path),
    }


def known(value: float) -> float | None:
    """The value, or None for NaN, which stands for what is not known yet."""
    return None if math.isnan(value) else value


def number(value: float | None) -> str:
    """An NLL for a table: two decimals, or a dash."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.2f}"


@runs_app.command("list", cls=Command)
def list_runs(runs: Runs = None, json: Json = False) -> None:
    """All runs, newest first."""
    place = runs or paths.runs_folder()
    found, left_out = [], []
    every = folders.all_runs(place)
    with Bar(after_s=PATIENCE_S) as bar:
        for done, run in enumerate(every):
            bar("reading the runs", done, len(every))
            try:
                found.append(describe(run))
            except GatedError as error:
                left_out.append(f"left out {run.name!r}: {error.what}")
    for line in left_out:
        output.say(line)
    if json:
        output.document(found)
        return
    if not found:
        output.say(f"There are no runs in '{place}'. gated train{paths.runs_flag(place)} starts one.")
        return
    columns = ["name", "status", "unit", "data", "recipe", "seed", "epochs", "valid", "@", "test", "a piece"]
    rows = [
        [
            *(r[key] for key in ("name", "status", "unit", "data", "recipe")),
            *(str(r[key] or "-") for key in ("seed", "epochs")),
            number(r["valid_nll"]),
            str(r["best_epoch"] or "-"),
            *(number(r[key]) for key in ("test_nll_frame", "test_nll_sequence")),
        ]
        for r in found
    ]
    spare = ("a piece", "recipe", "seed", "@", "data", "unit", "epochs")
    output.table(columns, rows, right={5, 6, 7, 8, 9, 10}, spare=spare)


@runs_app.command(cls=Command)
def show(
    run: Annotated[str, typer.Argument(help="A run's name.", autocompletion=complete.runs)],
    runs: Runs = None,
    json: Json = False,
) -> None:
    """One run: its config and what it reached."""
    found = folders.find(runs or paths.runs_folder(), run)
    with Bar(after_s=PATIENCE_S) as bar:
        described, history = describe(found), load(found, progress=bar)
    if json:
        last = history.last
        more = {"config": configs.nested(found.config()), "last_event": events.to_dict(last) if last else None}
        output.document(described | more)
        return
    for key, value in described.items():
        output.result(f"{key:18} {'-' if value is None else f'{value:.6g}' if isinstance(value, float) else value}")
    output.result()
    output.result(configs.to_toml(found.config()).rstrip())


@runs_app.command(cls=Command)
def rm(
    names: Annotated[list[str], typer.Argument(help="Names of runs.", autocompletion=complete.runs)],
    runs: Runs = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Removes runs that are not running, with everything they hold."""
    found = [folders.find(runs or paths.runs_folder(), name) for name in names]
    if not yes and not _confirmed(f"Remove {', '.join(run.name for run in found)} for good?"):
        output.say("Nothing was removed; --yes removes without asking.")
        raise typer.Exit(130)
    for run in found:
        folders.remove(run)
        output.say(f"removed {run.path}")


def _confirmed(question: str) -> bool:
    """Asks on the terminal; Ctrl-C, and nobody there to answer, are no."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        output.say()
        return False
