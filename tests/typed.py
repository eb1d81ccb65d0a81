"""`gated` as it is typed in a shell without a terminal, and waiting for what comes of it."""

import subprocess
import sys
import time
from collections.abc import Callable


def start(*arguments: str) -> "subprocess.Popen[str]":
    """The command as a child whose output is read."""
    words = [sys.executable, "-m", "gatedtui", *arguments]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Waits until something holds; a minute is a failure: a busy machine starts a child in ten seconds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
