"""Several runs trained as one, `python -m gatedtui.train.stack FOLDER…`: for sweeps on a GPU.

Each run keeps its own folder, lock, events, checkpoints, noise, order of minibatches and early stop, and comes out as
it would alone, to rounding; only the arithmetic of a step is done for all of them at once. One that is over leaves the
others to go on without it.

Protocol, as of `train.series`: when a run is over, a line `PLACE CODE` comes on stdout, its place among the folders and
its exit code. SIGTERM, or the end of stdin, has every run saved and stopped.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import torch

from gatedtui.config import RunConfig
from gatedtui.errors import GatedError
from gatedtui.events import Diverged, Finished, Stopped
from gatedtui.kernels.choose import Choice, choose
from gatedtui.kernels.place import place
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder
from gatedtui.train import worker
from gatedtui.train.loop import Training
from gatedtui.train.together import together
from gatedtui.train.worker import Keeper, Stop


def kernel(config: RunConfig) -> Choice:
    """The kernel of a stacked run: Triton's where it is asked for, else batched torch operations.

    Raises:
        DeviceError: the device or kernel cannot be had.
    """
    train, model = config.train, config.model
    device = place(train.device, model.unit, model.hidden, train.batch).device
    wanted = "bptt" if train.kernel == "auto" else train.kernel
    chosen = choose(device, getattr(torch, train.dtype), wanted)
    how = chosen.why if chosen.backend == "cuda" else "batched torch operations"
    return Choice(chosen.backend, f"{how}, several runs in one launch")


def main(arguments: Sequence[str]) -> int:
    """Trains the runs in these folders as one; gives the exit code of the process."""
    runs, stop = [RunFolder(Path(argument)) for argument in arguments], Stop()
    answers = os.dup(1)
    os.dup2(2, 1)  # what anything else prints goes to a log
    threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()

    locks = {run: contextlib.ExitStack() for run in runs}

    def over(run: RunFolder, code: int) -> None:
        locks[run].close()
        with contextlib.suppress(OSError):
            os.write(answers, f"{runs.index(run)} {code}\n".encode())

    keepers: dict[Training, Keeper] = {}
    given_up: set[Training] = set()
    with contextlib.ExitStack() as held:
        for run in runs:
            held.enter_context(locks[run])
            try:
                locks[run].enter_context(lock.held(run.lock_path))
                keeper = worker.begin(run, kernel(run.config()))
            except GatedError as error:
                over(run, worker.fail(run, error))
            else:
                keepers[keeper.training] = keeper
        try:
            for training, event in together(list(keepers), lambda: stop.asked, given_up):
                if training in given_up:
                    continue  # what is left of the epoch's end that could not be kept
                run = keepers[training].run
                try:
                    keepers[training].record(event)
                except GatedError as error:
                    given_up.add(training)
                    over(run, worker.fail(run, error))
                else:
                    if isinstance(event, Stopped | Finished | Diverged):
                        given_up.add(training)
                        over(run, int(isinstance(event, Diverged)))
        except Exception as error:  # as a GPU out of memory: it ends all that are under way, and each shall say so
            what = GatedError(f"{type(error).__name__}: {error}", "The traceback is in the sweep's workers.log.")
            for training in keepers.keys() - given_up:
                over(keepers[training].run, worker.fail(keepers[training].run, what))
            raise
    return 0


def _wait_for_end(stop: Stop) -> None:
    """Asks to stop when stdin ends: the parent is gone, or has had enough."""
    while os.read(0, 4096):
        pass
    stop.asked = True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
