"""`gated` without a command: the terminal app."""

from pathlib import Path

from gatedtui import paths
from gatedtui import plan as plans
from gatedtui import start as starting
from gatedtui.cli import output
from gatedtui.errors import BadArgument
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder


def terminal_app(runs: Path | None = None) -> None:
    """Opens the app on the runs folder; needs a terminal.

    Raises:
        BadArgument: stdin, stdout or stderr is not a terminal.
    """
    if not output.on_a_terminal():
        raise BadArgument(
            "The terminal app needs a terminal.", "gated --help lists the commands that work without one."
        )
    place = runs or paths.runs_folder()

    def train_three() -> list[RunFolder]:
        launch.run_json(["data", "info", "bach"])  # prepares it in a process of its own: this one has a screen to draw
        return [worker.run for worker in starting.start(plans.plan(unit="all"), runs=place)]

    from gatedtui.tui.app import run_app

    run_app(place, start=train_three, resume=starting.resume)
