"""The lock that says a run is being trained: an exclusive `flock` on its `lock`, with the holder's pid in it.

The lock goes with the process that holds it, however that ends, so it never lies; the pid is worth something only while
the lock is held. Readers take a shared lock for a moment, which costs the worker at most a retry.
"""

import contextlib
import errno
import fcntl
import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from gatedtui import paths
from gatedtui.errors import BadArgument, BadSource

RETRY_S = 0.002
"""Pause between attempts. A reader's probe lasts some 20 µs, so a thousand attempts in 2 s do not all meet one."""
PID_WAIT_S = 0.2
"""How long a reader waits for the pid of a holder that has the lock but has not written it yet."""


@contextlib.contextmanager
def held(path: Path, *, wait_s: float = 2.0) -> Iterator[None]:
    """The lock, held by this process for the length of the `with` block, with its pid written.

    Args:
        path: the run folder's `lock`; created where it is missing, in a folder that exists.
        wait_s: how long to retry, in seconds.

    Raises:
        BadArgument: another process holds it: the run is already running.
        BadSource: the folder is gone, cannot be written or its file system cannot lock.
    """
    with exclusive(path, wait_s=wait_s) as descriptor:
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise BadSource(
                f"{str(path)!r} cannot be written: {error.strerror}.", "Free some space, then again."
            ) from None
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)


@contextlib.contextmanager
def exclusive(path: Path, *, wait_s: float) -> Iterator[int]:
    """The lock without the pid, as its file descriptor; raises as `held` does."""
    give_up = time.monotonic() + wait_s
    while True:
        descriptor = _open(path, os.O_RDWR | os.O_CREAT)
        try:
            while not _flock(descriptor, fcntl.LOCK_EX, path):
                if time.monotonic() >= give_up:
                    run = path.absolute().parent
                    named = shlex.quote(run.name) + paths.runs_flag(run.parent)
                    hint = f"Watch it: gated watch {named}   or stop it: gated stop {named}"
                    raise BadArgument(f"The run {run.name!r} is already running.", hint)
                time.sleep(RETRY_S)
            if not _is_still(descriptor, path):
                continue  # the folder was removed while we waited: what we hold is nobody's lock any more
            yield descriptor
            return
        finally:
            _let_go(descriptor)


def is_held(path: Path) -> bool:
    """Whether a worker holds the lock now; False where there is none or it cannot be read."""
    with _probed(path) as (locked, _):
        return locked


def probe(path: Path) -> int | None:
    """The pid of the process that holds the lock, or None when nobody does.

    None too when the holder has not written its pid within 0.2 s; whether the lock is held is `is_held`'s to say.
    """
    give_up = time.monotonic() + PID_WAIT_S
    while True:
        with _probed(path) as (locked, descriptor):
            if not locked:
                return None
            text = os.pread(descriptor, 32, 0).strip()
        if text.isdigit() and int(text) > 0:
            return int(text)
        if time.monotonic() >= give_up:
            return None
        time.sleep(RETRY_S)


@contextlib.contextmanager
def _probed(path: Path) -> Iterator[tuple[bool, int]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        yield False, -1
        return
    try:
        free = True
        with contextlib.suppress(BadSource):
            free = _flock(descriptor, fcntl.LOCK_SH, path)
        if free:
            _let_go(descriptor)  # before anything else happens
            descriptor = -1
        yield not free, descriptor
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _let_go(descriptor: int) -> None:
    # Unlocked, not only closed: a child that another thread is starting right now has a copy until its exec.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _open(path: Path, flags: int) -> int:
    # O_NOFOLLOW: a link planted in a run folder must not have a pid written into its target.
    try:
        return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW, 0o644)
    except FileNotFoundError:
        raise BadSource(
            f"There is no run folder {str(path.parent)!r}.",
            f"gated runs list{paths.runs_flag(path.parent.parent)} shows what there is.",
        ) from None
    except OSError as error:
        raise BadSource(
            f"{str(path)!r} cannot be opened: {error.strerror}.", "Check the folder's permissions."
        ) from None


def _flock(descriptor: int, kind: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise BadSource(
            f"The file system of {str(path)!r} cannot lock files: {error.strerror}.", "Choose another with --runs DIR."
        ) from None
    return True


def _is_still(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat(follow_symlinks=False))
    except OSError:
        return False
