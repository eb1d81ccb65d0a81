"""`gated` without a command: the terminal app."""

import os
from pathlib import Path

from gatedtui import paths
from gatedtui.cli import output
from gatedtui.errors import BadArgument

NEWEST = 200
"""Runs that are looked at, when the app closes, for whether they are training."""


def terminal_app(runs: Path | None = None, focus: Path | None = None) -> None:
    """Opens the app on the runs folder; needs a terminal.

    Args:
        runs: the folder, where it is another than the default.
        focus: a run in it that has the focus.

    Raises:
        BadArgument: stdin, stdout or stderr is not a terminal.
    """
    if not output.on_a_terminal():
        hint = "gated --help lists the commands that work without one."
        if os.environ.get("TERM") == "dumb":
            raise BadArgument("The terminal app cannot draw on a terminal of the type 'dumb'.", hint)
        raise BadArgument("The terminal app needs a terminal.", hint)
    from gatedtui.tui.app import run_app

    place = runs or paths.runs_folder()
    run_app(place, focus)
    _tell_what_goes_on(place)


def _tell_what_goes_on(place: Path) -> None:
    """After the app is closed: that the runs it leaves behind are training, and how to come back to them."""
    from gatedtui.runs import folder
    from gatedtui.runs.status import status

    alive = [run for run in folder.all_runs(place)[:NEWEST] if status(run).word in ("running", "starting")]
    if alive:
        many = f"{len(alive)} runs go" if len(alive) > 1 else f"'{alive[0].name}' goes"
        where = paths.runs_flag(place)
        output.say(f"{many} on training; gated watch{where} shows the curves, gated stop RUN{where} saves and stops.")
