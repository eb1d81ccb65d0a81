"""`gated watch`: attach to runs started anywhere; closing it never touches them."""

import shlex
from typing import Annotated

import typer

from gatedtui import paths
from gatedtui.cli import complete, output
from gatedtui.cli.follow import closing, tell
from gatedtui.cli.options import Json, Plain, Runs
from gatedtui.errors import BadArgument
from gatedtui.events import Finished
from gatedtui.runs import folder as folders
from gatedtui.runs import follow
from gatedtui.runs.history import load
from gatedtui.runs.status import status


def watch(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names of runs; without any, all that are running.", autocompletion=complete.runs),
    ] = None,
    runs: Runs = None,
    json: Json = False,
    plain: Plain = False,
) -> None:
    """Shows runs live, whoever started them."""
    place = runs or paths.runs_folder()
    found = [folders.find(place, name) for name in names or ()]
    if not found:
        every = folders.all_runs(place)
        found = [run for run in every if status(run).word in ("running", "starting")][:6] or every[:1]
    if not found:
        raise BadArgument(f"There are no runs in '{place}'.", f"gated train{paths.runs_flag(place)} starts one.")
    if json or plain or not output.on_a_terminal():
        for run, event in follow.follow(found):
            tell(run, event, json=json)
        done = [run for run in found if isinstance(load(run).last, Finished)]
        if done and not json:
            closing(done, json=False)
        return
    from gatedtui.tui.inline import run_live
    from gatedtui.tui.watching import arrange

    shown = found if names else arrange(found, lambda run: run.config_path.stat().st_mtime)
    if run_live(shown, watch=True) == "open":
        from gatedtui.cli.app import terminal_app

        terminal_app(place, shown[0].path if names else None)
        return
    if alive := [run.name for run in shown if status(run).word in ("running", "starting")]:
        output.say(f"training goes on; gated watch {shlex.join(alive)}{paths.runs_flag(place)}")
