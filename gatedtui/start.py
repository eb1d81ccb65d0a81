"""Starting and resuming runs: data first, then the folder, then the worker (contracts: data first)."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatedtui import paths
from gatedtui.config import DataConfig, RunConfig
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
        DeviceError: the device or kernel cannot be had.
    """
    names = [_name(plan, name, len(plans) > 1) for plan in plans]
    for wanted in names:
        if wanted is not None:
            folders.check_free(runs, wanted)
    make_ready([plan.config for plan in plans], progress=progress)
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


def make_ready(configs: Sequence[RunConfig], *, progress: Progress | None = None) -> None:
    """Sees to it that runs of these configs can begin: the device and kernel are there, and the data is prepared.

    Raises:
        BadSource: the data cannot be had.
        DeviceError: the device or kernel cannot be had.
    """
    for words in dict.fromkeys((train.device, train.kernel, train.dtype) for train in (one.train for one in configs)):
        _check(*words)
    for data in dict.fromkeys(one.data for one in configs):
        _prepare(data, progress)


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
        raise _running(run)
    config = run.config()
    _prepare(config.data, progress)
    process = launch.start(run)
    if launch.was_turned_away(run, process):
        raise _running(run)
    return Worker(run, process)


def _running(run: RunFolder) -> BadArgument:
    hint = f"gated watch {shlex.quote(run.name)}{paths.runs_flag(run.path.parent)}"
    return BadArgument(f"The run '{run.name}' is already running.", hint)


def _prepare(data: DataConfig, progress: Progress | None) -> None:
    cache, mirror = paths.cache_folder(), paths.mirror()
    prepare.prepare(data.name, cache=cache, mirror=mirror, rate_hz=data.rate_hz, progress=progress)


def _check(device: str, kernel: str, dtype: str) -> None:
    """Raises `DeviceError` where a device or kernel that was asked for cannot be had; what is `auto` always can."""
    if device == "cuda" or kernel != "auto":
        words = [device, kernel, dtype]
        launch.run_json(words, command=[sys.executable, "-m", "gatedtui.train.check"])


def _name(plan: Plan, name: str | None, several: bool) -> str | None:
    if name is None:
        return None
    return f"{name}-{plan.config.model.unit}" if several else name
