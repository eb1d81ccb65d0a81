"""The process that trains one run, `python -m gatedtui.train.worker <run folder>`: only here torch meets its folder.

It holds the run's lock, appends events, and writes state and best model together, atomically, at most every 5 s, at a
stop and at the end (a JSB epoch takes 0.03 s, an fsync as long).
"""

import contextlib
import dataclasses
import errno
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from gatedtui import checkpoint, events, paths
from gatedtui.data import prepare
from gatedtui.errors import BadSource, GatedError
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Saved, Started, Stopped
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder

if TYPE_CHECKING:
    from gatedtui.kernels.choose import Choice
    from gatedtui.train.loop import Training

SAVE_EVERY_S = 5.0
AGAIN = "Remove that file to train the run from its beginning."


class Journal:
    """The run's `events.jsonl`, opened for appending; every event is one whole line, handed to the system at once.

    Args:
        path: the file.
        length: bytes that stand; what follows them is cut off (a resume goes back to its saved state).
    """

    def __init__(self, path: Path, length: int) -> None:
        self._file = path.open("ab", buffering=0)
        self._file.truncate(min(length, self.length))  # where the file was lost or cut, there is less than was saved

    def write(self, event: Event) -> None:
        """Appends one event, with the present time.

        Raises:
            BadSource: the disk is full or the file cannot be written; the half-written line is cut off again.
        """
        line = events.to_line(dataclasses.replace(event, time=events.now())).encode()
        before = self.length
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            what = f"'{self._file.name}' cannot be written ({error.strerror})."
            raise BadSource(what, "Make room, then gated resume goes on.") from None

    @property
    def length(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file.fileno()).st_size


class Keeper:
    """Keeps a training run's folder up to date: its journal, its state and its best model.

    Args:
        run: the folder.
        training: what is kept.
        length: bytes of the journal that stand.
    """

    def __init__(self, run: RunFolder, training: "Training", length: int) -> None:
        self.run, self.training = run, training
        self.journal = Journal(run.events_path, length)
        self._saved_at = time.monotonic()
        self._best_written: dict[str, float] | None = None

    def record(self, event: Event) -> None:
        """Writes an event, and what has to be on disk before it or with it."""
        match event:
            case Stopped() | Finished():
                self.save()
                self.journal.write(event)
            case Diverged():
                self.save_best()  # the state on disk stays: it is the last good one
                self.journal.write(event)
            case Started():
                self.journal.write(event)
            case _:
                self.journal.write(event)
                first_epoch = isinstance(event, Epoch) and not self.run.state_path.exists()
                if first_epoch or time.monotonic() - self._saved_at >= SAVE_EVERY_S:
                    self.save()

    def save(self) -> None:
        """Best model, then state: a kill between the two leaves an older state, which finds the same best again.

        Raises:
            BadSource: nothing can be written, or someone is removing the folder: what was written now would stand in
                the way.
        """
        if not self.run.config_path.exists():
            raise BadSource(f"The run's folder '{self.run.path}' was removed.", "Start a new run.")
        self.save_best()
        held, position = self.training.state()
        digest = self.training.data.digest
        about = {"position": position, "events_bytes": self.journal.length, "data_digest": digest}
        checkpoint.write(self.run.state_path, held, about)
        self.journal.write(Saved(self.training.position.updates, self.training.position.epoch))
        self._saved_at = time.monotonic()

    def save_best(self) -> None:
        """Writes the best model, when it is another than the one on disk."""
        scores = dict(self.training.position.scores)
        best = self.training.best_checkpoint()
        if best is not None and scores != self._best_written:
            checkpoint.save(self.run.best_path, best)
            self._best_written = scores


class Stop:
    """Set by SIGTERM and SIGINT; the training loop asks it before every update."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def work(run: RunFolder, stop: Stop) -> int:
    """Trains a run from its saved state, or from the beginning; gives the exit code.

    Raises:
        GatedError: it cannot begin, or its folder cannot be written any more.
    """
    keeper = begin(run)
    from gatedtui.train import together

    for event in together.events(keeper.training, lambda: stop.asked):
        keeper.record(event)
        if isinstance(event, Diverged):
            return 1
    return 0


def begin(run: RunFolder, choice: "Choice | None" = None) -> Keeper:
    """A run made ready to go on from its saved state, or from the beginning; the caller holds its lock.

    Args:
        run: its folder.
        choice: the kernel, where another than its config's trains it.

    Raises:
        GatedError: it cannot begin.
    """
    import torch

    from gatedtui.train.loop import Training

    for left in run.path.glob(".*.part"):  # a worker was killed while it wrote a file
        left.unlink(missing_ok=True)
    config = run.config()
    torch.set_num_threads(config.train.threads)
    torch.set_float32_matmul_precision("highest")  # NVIDIA's containers turn TF32 on, by an environment variable
    data = prepare.load(config.data.name, cache=paths.cache_folder(), rate_hz=config.data.rate_hz)
    state, length = None, 0
    if run.state_path.exists():
        held, about = checkpoint.read(run.state_path)
        digest, length = about.get("data_digest"), about.get("events_bytes")
        if not isinstance(about.get("position"), dict) or type(length) is not int or length < 0:
            raise BadSource(f"'{run.state_path}' is no saved state: it does not say where the run stands.", AGAIN)
        if digest != data.digest:
            raise BadSource(f"The data '{data.name}' has changed since the run was saved.", "Start a new run.")
        state = held, about["position"]
    begun_before = run.events_path.exists()
    training = Training(config, data, run=run.name, state=state, resumed=begun_before, choice=choice)
    return Keeper(run, training, length)


def main(arguments: list[str]) -> int:
    """Trains the run in the folder named by the only argument; gives the exit code of the process."""
    return attend(RunFolder(Path(arguments[0])), Stop())


def attend(run: RunFolder, stop: Stop) -> int:
    """Trains a run under its lock; gives the exit code. What goes wrong is in its events and on stderr.

    Raises:
        Exception: what was not foreseen, after the run's events tell of it.
    """
    try:
        with lock.held(run.lock_path):
            try:
                return work(run, stop)
            except GatedError as error:
                _record_failure(run, error)
                raise
            except Exception as error:
                _record_failure(
                    run, GatedError(f"{type(error).__name__}: {error}", f"The traceback is in {run.log_path}.")
                )
                raise
    except GatedError as error:
        return say(error)


def say(error: GatedError) -> int:
    """Puts an error's words on stderr; gives its exit code."""
    sys.stderr.write(f"error: {error.what}\n  {error.hint}\n")
    return error.exit_code


def fail(run: RunFolder, error: GatedError) -> int:
    """Ends a run that cannot go on: the words are in its events and on stderr; gives the exit code."""
    _record_failure(run, error)
    return say(error)


def _record_failure(run: RunFolder, error: GatedError) -> None:
    """Appends a `failed` event where that is still possible; the log has the words in any case."""
    if not run.config_path.exists():
        return
    with contextlib.suppress(GatedError, OSError):
        written = run.events_path.read_bytes() if run.events_path.exists() else b""
        whole_lines = written.rfind(b"\n") + 1  # a line cut off by a kill would swallow the one after it
        Journal(run.events_path, whole_lines).write(Failed(error.what, error.hint, error.exit_code))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
