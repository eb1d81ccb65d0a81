"""`gated` without a command: the terminal app."""

import os
from pathlib import Path

from gatedtui import paths
from gatedtui.cli import output
from gatedtui.errors import BadArgument


def terminal_app(runs: Path | None = None) -> None:
    """Opens the app on the runs folder; needs a terminal.

    Raises:
        BadArgument: stdin, stdout or stderr is not a terminal.
    """
    if not output.on_a_terminal():
        hint = "gated --help lists the commands that work without one."
        if os.environ.get("TERM") == "dumb":
            raise BadArgument("The terminal app cannot draw on a terminal of the type 'dumb'.", hint)
        raise BadArgument("The terminal app needs a terminal.", hint)
    from gatedtui.tui.app import run_app

    run_app(runs or paths.runs_folder())
