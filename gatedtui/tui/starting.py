"""What the app does to runs, each called in a thread: start, go on. What is slow happens in a child process.

Preparing data imports music21 and numpy and takes a core for seconds; in this process it would keep the interpreter's
lock from the event loop, and keys would be late.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Any

from gatedtui.config import DataConfig
from gatedtui.plan import Plan
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder

Cancelled = Callable[[], bool]
Workers = Sequence[tuple[RunFolder, "Popen[Any] | None"]]
Start = Callable[[Sequence[Plan], Path, str | None, Cancelled], Workers]
Resume = Callable[[RunFolder, Cancelled], "Popen[Any] | None"]


def start(plans: Sequence[Plan], runs: Path, name: str | None, cancelled: Cancelled) -> Workers:
    """Prepares the data in a child process, then starts one worker a plan.

    Args:
        plans: what to train.
        runs: the runs folder.
        name: as for `gated train --name`; None takes free names.
        cancelled: asked while data is prepared; True gives up, and nothing has been started.

    Raises:
        GatedError: a name that is taken, data that cannot be had, a folder that cannot be written.
        Interrupted: it was cancelled.
    """
    for words in dict.fromkeys(about_data(plan.config.data) for plan in plans):
        launch.run_json(words, cancelled=cancelled)
    from gatedtui import start as starting

    return [(worker.run, worker.process) for worker in starting.start(plans, runs=runs, name=name)]


def about_data(data: DataConfig) -> tuple[str, ...]:
    """The words of `gated` that prepare this data and tell of it."""
    return ("data", "info", data.name, *(("--rate-hz", str(data.rate_hz)) if data.rate_hz else ()))


def resume(run: RunFolder, cancelled: Cancelled) -> "Popen[Any] | None":
    """Starts a worker on a run that can go on; None when it has finished already. Raises as `start` does."""
    launch.run_json(about_data(run.config().data), cancelled=cancelled)
    from gatedtui import start as starting

    worker = starting.resume(run)
    return worker.process if worker else None
