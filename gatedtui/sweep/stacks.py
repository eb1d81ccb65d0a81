"""The engine of one GPU: a process that trains several trials of one shape as one, group after group.

A GPU spends most of a small recurrence between launches: runs that are launched together share that time. Everything
else is as with the engine of one machine: trials are saved when this process stops or dies, and go on when
the sweep is asked for again.
"""

import contextlib
import os
import select
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence

from gatedtui import config as configs
from gatedtui import plan
from gatedtui.errors import BadArgument
from gatedtui.runs import launch
from gatedtui.runs.status import status
from gatedtui.sweep.folder import SweepFolder
from gatedtui.sweep.local import END_S, FAILURES, POLL_S, Began, Ended, Happening, Manned, place, why
from gatedtui.sweep.plan import DONE, Trial

OWN = ("seed", *(f"train.{key}" for key in ("recipe", "lr", "schedule", "batch", "epochs", "patience")))
OWN += ("train.transpose", "train.smoothing", "train.loss")
"""What trials of one group may differ in; all else is worked out once for the whole group."""


def check(trials: Sequence[Trial]) -> None:
    """Raises `BadArgument` where one of the trials cannot be stacked."""
    for trial in trials:
        reason = plan.obstacle(trial.config)
        if reason:
            raise BadArgument(f"The trial '{trial.name}' cannot be stacked: {reason}.", "Leave out --stack.")


def groups(trials: Sequence[Trial], size: int) -> list[list[Trial]]:
    """The trials in groups of one shape, at most `size` each, in the order of their first."""
    by_shape: dict[tuple[object, ...], list[Trial]] = {}
    for trial in trials:
        shape = tuple(value for key, value in configs.flat(trial.config).items() if key not in OWN)
        by_shape.setdefault(shape, []).append(trial)
    return [all_[at : at + size] for all_ in by_shape.values() for at in range(0, len(all_), size)]


def train(
    folder: SweepFolder,
    trials: Sequence[Trial],
    *,
    size: int,
    should_stop: Callable[[], bool] = lambda: False,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Happening]:
    """Trains what is not done yet, up to `size` trials of one shape at a time, in one process.

    Args:
        folder: the sweep, whose lock this process holds.
        trials: all of its trials, which `check` has nothing against.
        size: how many.
        should_stop: asked five times a second; True has every trial saved and stopped.
        environ: the process's environment, in place of this one's.

    Yields:
        What happens; None at least five times a second.

    Raises:
        BadSource: a trial's folder cannot be made.
        GatedError: three trials failed one after another.
    """
    yield Manned(size)
    waiting = [trial for trial in trials if status(folder.run(trial.slot)).word not in DONE]
    failed = 0
    for group in groups(waiting, size):
        if should_stop():
            return
        runs = [place(folder, trial) for trial in group]
        process = launch.start_stack([run.path for run in runs], folder.log_path, environ=environ)
        left = dict(enumerate(group))
        try:
            for trial in group:
                yield Began(trial)
            for answered in _answers(process, should_stop):
                if answered is None:
                    yield None
                    continue
                word = status(runs[answered]).word
                yield Ended(left.pop(answered), word)
                failed = failed + 1 if word == "failed" else 0
                if failed >= FAILURES:
                    raise why(runs[answered])
        finally:
            _end(process)
        for at, trial in left.items():  # the process died before it could say a word of them
            word = status(runs[at]).word
            yield Ended(trial, "crashed" if word == "starting" else word)


def _answers(process: "subprocess.Popen[bytes]", should_stop: Callable[[], bool]) -> Iterator[int | None]:
    """The places of runs as they are over, until the process ends; None when nothing came for a moment."""
    assert process.stdout is not None
    rest, asked = b"", False
    while True:
        if should_stop() and not asked:
            asked = True
            process.terminate()
        if not select.select([process.stdout], [], [], POLL_S)[0]:
            yield None
            continue
        data = os.read(process.stdout.fileno(), 4096)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield int(line.split()[0])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Lets it end, saving what it trains; waits for that, up to a minute."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
