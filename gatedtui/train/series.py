"""A process that trains one run after another, `python -m gatedtui.train.series`: for sweeps of hundreds of short runs.

Starting Python and torch takes 2 s, a small run hardly longer. Each run is trained by `worker.attend`, as by a process
of its own, and to the same bits: nothing of a run is kept for the next.

Protocol, one line each: the parent writes a run folder's path to stdin; when that run is over its exit code comes on
stdout, and the parent may write the next. The parent closes stdin when there is none left. Where stdin ends *during* a
run the parent has died: the run is saved, stopped, and the process ends by itself.
"""

import contextlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

from gatedtui.runs.folder import RunFolder
from gatedtui.train import worker
from gatedtui.train.worker import Stop

READ = 1 << 16


def main() -> int:
    """Trains what comes on stdin until it ends, or until SIGTERM; gives the exit code of the process."""
    stop, waiting = Stop(), queue.SimpleQueue[str | None]()
    answers = os.dup(1)  # what anything else prints goes to a log
    threading.Thread(target=_read, args=(waiting, stop), daemon=True).start()
    while not stop.asked and (path := _next(waiting, stop)) is not None:
        run = RunFolder(Path(path))
        with _output_to(run.log_path):
            code = _train(run, stop)
        with contextlib.suppress(OSError):  # nobody listens any more: the end of stdin says so too
            os.write(answers, f"{code}\n".encode())
    return 0


def _train(run: RunFolder, stop: Stop) -> int:
    try:
        return worker.attend(run, stop)
    except Exception:
        traceback.print_exc()
        return 1


def _next(waiting: "queue.SimpleQueue[str | None]", stop: Stop) -> str | None:
    while not stop.asked:
        with contextlib.suppress(queue.Empty):
            return waiting.get(timeout=0.2)  # so that a signal is noticed
    return None


def _read(waiting: "queue.SimpleQueue[str | None]", stop: Stop) -> None:
    """Hands on the lines of stdin; at its end, which comes during a run only when the parent is gone, asks to stop."""
    # Not by sys.stdin: a thread that is blocked in it when the interpreter ends is a fatal error.
    rest = b""
    while data := os.read(0, READ):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            waiting.put(os.fsdecode(line))
    stop.asked = True
    waiting.put(None)


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """While inside, what the process writes to stdout and stderr is appended to a file, where that can be opened."""
    try:
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    before = [os.dup(1), os.dup(2)]
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, kept in zip((1, 2), before, strict=True):
            os.dup2(kept, number)
            os.close(kept)
        os.close(log)


if __name__ == "__main__":
    sys.exit(main())
