"""Starting and resuming runs: data first, then the folder, then the worker (contracts: data first)."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatedtui import paths
from gatedtui.data import prepare
from gatedtui.errors import BadArgument
from gatedtui.plan import Plan
from gatedtui.runs import folder as folders
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Worker:
    """A run's folder and the process that trains it."""

    run: RunFolder
    process: subprocess.Popen[bytes]


def start(
    plans: Sequence[Plan], *, runs: Path, name: str | None = None, progress: Progress | None = None
) -> list[Worker]:
    """Prepares the data, creates one folder a plan, and starts one worker each, all at once.

    Args:
        plans: what to train.
        runs: the runs folder.
        name: the run's name; several plans become `name-tanh`, `name-lstm`, `name-gru`.
        progress: told `(what, done, total)` while data is prepared.

    Raises:
        BadArgument: a name that exists or cannot be one.
        BadSource: the data cannot be had, or the runs folder cannot be written. No folder is left behind.
    """
    names = [_name(plan, name, len(plans) > 1) for plan in plans]
    for wanted in names:
        if wanted is not None:
            folders.check_free(runs, wanted)
    for data in dict.fromkeys(plan.config.data.name for plan in plans):
        prepare.prepare(data, cache=paths.cache_folder(), mirror=paths.mirror(), progress=progress)
    made: list[RunFolder] = []
    try:
        for plan, wanted in zip(plans, names, strict=True):
            if wanted is None:
                made.append(folders.create_next(runs, plan.config))
            else:
                made.append(folders.create(runs, wanted, plan.config))
    except BaseException:
        for run in made:
            folders.remove(run)
        raise
    return [Worker(run, launch.start(run)) for run in made]


def resume(run: RunFolder, *, progress: Progress | None = None) -> Worker | None:
    """Starts a worker on a run that is stopped, crashed or failed; None when the run is already finished.

    Raises:
        BadArgument: it is running.
        BadSource: its config or its data cannot be had.
    """
    found = status(run)
    if found.word == "finished":
        return None
    if found.word in ("running", "starting"):
        raise BadArgument(f"The run '{run.name}' is already running.", f"gated watch {run.name}")
    config = run.config()
    prepare.prepare(config.data.name, cache=paths.cache_folder(), mirror=paths.mirror(), progress=progress)
    return Worker(run, launch.start(run))


def _name(plan: Plan, name: str | None, several: bool) -> str | None:
    if name is None:
        return None
    return f"{name}-{plan.config.model.unit}" if several else name
