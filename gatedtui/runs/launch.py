"""Starting a run's worker, asking it to stop, and running `gated … --json` as a child for what needs torch."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gatedtui.errors import BadArgument, BadSource, DeviceError, GatedError, Interrupted
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder

NICE = 5
"""Priority of a worker: the terminal stays quick while all cores train."""
POLL_S = 0.02
ERRORS: dict[int, type[GatedError]] = {
    kind.exit_code: kind for kind in (BadArgument, BadSource, DeviceError, Interrupted)
}


def start(
    folder: RunFolder, *, environ: Mapping[str, str] | None = None, command: Sequence[str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts the run's worker and returns at once; `wait_until_locked` says when it is at work.

    The worker has its own session, so that neither the terminal's Ctrl-C nor its closing reaches it; its output is
    appended to `worker.log`.

    Args:
        folder: the run.
        environ: its environment, in place of this process's.
        command: what to run, in place of `python -m gatedtui.train.worker <folder>`.

    Raises:
        BadSource: `worker.log` cannot be written.
        GatedError: the system starts no further process.
    """
    words = list(command or [sys.executable, "-m", "gatedtui.train.worker", str(folder.path.absolute())])
    return _spawn(words, folder.log_path, environ, answering=False)


def start_series(log_path: Path, *, environ: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Starts a process that trains the runs it is told on its stdin, and answers on its stdout (`train.series`).

    Like a run's worker it has its own session and a low priority; when this process ends, however it ends, it saves
    what it trains and ends too.

    Args:
        log_path: where its own words go; those about a run go to that run's `worker.log`.
        environ: its environment, in place of this process's.

    Raises:
        BadSource: the log cannot be written.
        GatedError: the system starts no further process.
    """
    return _spawn([sys.executable, "-m", "gatedtui.train.series"], log_path, environ, answering=True)


def start_stack(
    runs: Sequence[Path], log_path: Path, *, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts a process that trains these runs' folders as one (`train.stack`); else as `start_series`."""
    words = [sys.executable, "-m", "gatedtui.train.stack", *(str(path.absolute()) for path in runs)]
    return _spawn(words, log_path, environ, answering=True)


def start_detached(arguments: Sequence[str], log_path: Path) -> subprocess.Popen[bytes]:
    """Starts `gated <arguments>` in a session of its own, its output appended to a log; raises as `start_series`."""
    return _spawn([sys.executable, "-m", "gatedtui", *arguments], log_path, None, answering=False)


def _spawn(
    words: Sequence[str], log_path: Path, environ: Mapping[str, str] | None, *, answering: bool
) -> subprocess.Popen[bytes]:
    try:
        log = log_path.open("ab")
    except OSError as error:
        raise BadSource(
            f"{str(log_path)!r} cannot be written: {error.strerror}.", f"Check the folder {str(log_path.parent)!r}."
        ) from None
    with log:
        try:
            process = subprocess.Popen(
                words,
                env=_environment(environ) | {"OMP_WAIT_POLICY": "PASSIVE"},
                stdin=subprocess.PIPE if answering else subprocess.DEVNULL,
                stdout=subprocess.PIPE if answering else log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise GatedError(f"{words[0]!r} cannot be started: {error.strerror}.", "gated doctor says more.") from None
    # Not by preexec_fn, which may deadlock in a process with threads, as the app is one.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    return process


def _environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """This process's environment, for a child that shall find the modules this one finds: `python -m` would look in the
    working folder first, where a user's `queue.py` takes the place of Python's."""
    values = dict(os.environ if environ is None else environ)
    if not {"", str(Path.cwd())} & set(sys.path):
        values["PYTHONSAFEPATH"] = "1"
    return values


def wait_until_locked(folder: RunFolder, process: subprocess.Popen[Any], *, timeout_s: float = 60.0) -> bool:
    """Waits until a worker just started holds its run's lock: from then on its status is right, and it can be stopped.

    Until then a resumed run still shows how it ended before, and `request_stop` has nobody to ask.

    Returns:
        True when the lock is held; False when the worker has ended or the time is up.
    """
    give_up = time.monotonic() + timeout_s
    while not lock.is_held(folder.lock_path):
        if process.poll() is not None or time.monotonic() >= give_up:
            return lock.is_held(folder.lock_path)
        time.sleep(POLL_S)
    return True


def was_turned_away(folder: RunFolder, process: subprocess.Popen[Any]) -> bool:
    """Waits until a worker just started holds its run's lock or has ended; whether it ended because another had it.

    Two who resume a run at the same moment both find it free; one of their workers gets the lock.
    """
    before = folder.events_path.stat().st_size if folder.events_path.exists() else 0
    while process.poll() is None:
        if lock.probe(folder.lock_path) == process.pid:
            return False
        time.sleep(POLL_S)
    if process.returncode != BadArgument.exit_code:
        return False
    # A worker that fails for another reason says so in the events before it lets go of the lock.
    return (
        lock.is_held(folder.lock_path) or not folder.events_path.exists() or folder.events_path.stat().st_size == before
    )


def request_stop(folder: RunFolder, *, process: subprocess.Popen[Any] | None = None) -> bool:
    """Asks the run's worker to save and stop, by SIGTERM; does not wait until it has.

    Args:
        folder: the run.
        process: a worker just started; if it has not taken its lock yet, this waits until it has, up to a minute. (A
            signal before that would kill it without a word, or be lost.)

    Returns:
        Whether there was a worker to ask.

    Raises:
        BadArgument: the worker is another user's.
    """
    if process is not None:
        wait_until_locked(folder, process)
    pid = lock.probe(folder.lock_path)
    if pid is None or lock.probe(folder.lock_path) != pid:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError:
        hint = f"Ask its owner, or: sudo kill -TERM {pid}"
        raise BadArgument(f"The run {folder.name!r} belongs to another user.", hint) from None
    return True


def run_json(
    arguments: Sequence[str],
    *,
    timeout_s: float | None = None,
    environ: Mapping[str, str] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    command: Sequence[str] | None = None,
) -> Any:
    """What `gated <arguments> --json` prints, parsed. The child is gone when this returns or raises.

    Args:
        arguments: the command and its options; `--json` is added where it is missing.
        timeout_s: seconds after which the child is killed; None = never.
        environ: the child's environment, in place of this process's.
        cancelled: asked ten times a second; True kills the child.
        command: what to run, in place of `python -m gatedtui`.

    Raises:
        GatedError: of the kind its exit code names, with the child's own words; also when the time is up or the output
            is not JSON.
        Interrupted: it was cancelled.
    """
    words = [*(command or [sys.executable, "-m", "gatedtui"]), *arguments]
    if "--json" not in arguments:
        words.append("--json")
    shown = " ".join(["gated", *arguments])
    try:
        process = subprocess.Popen(
            words, env=_environment(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise GatedError(f"{shown!r} cannot be started: {error.strerror}.", "gated doctor says more.") from None
    give_up = None if timeout_s is None else time.monotonic() + timeout_s
    try:
        while True:
            try:
                output, narration = process.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if cancelled():
                    raise Interrupted(f"{shown!r} was cancelled.") from None
                if give_up is not None and time.monotonic() >= give_up:
                    raise GatedError(
                        f"{shown!r} took longer than {timeout_s:g} s.", f"Run it in a shell: {shown}"
                    ) from None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode:
        raise _error(shown, process.returncode, narration.decode(errors="replace"))
    try:
        return json.loads(output)
    except ValueError:
        raise GatedError(f"{shown!r} did not print JSON.", f"Run it in a shell: {shown}") from None


def _error(shown: str, code: int, narration: str) -> GatedError:
    """The child's error, from its exit code and what it wrote to stderr last: `error: <sentence>`, then the hint."""
    kind = ERRORS.get(code, GatedError)
    lines = [line.strip() for line in narration.splitlines() if line.strip()]
    said = [i for i, line in enumerate(lines) if line.startswith("error: ")]
    if said:
        return kind(lines[said[-1]].removeprefix("error: "), " ".join(lines[said[-1] + 1 :]))
    if code < 0:
        return GatedError(f"{shown!r} was killed by signal {-code}.", lines[-1] if lines else "")
    if not lines:
        return kind(f"{shown!r} failed with exit code {code}.", f"Run it in a shell: {shown}")
    return kind(f"{shown!r} failed: {lines[-1]}", f"Run it in a shell: {shown}")
