"""A command in a process of its own: what it said, how long it took and how much memory it held at most."""

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """A command that has ended; `peak` is in MiB, of the largest process it had, `took_s` in seconds."""

    code: int
    out: str
    err: str
    took_s: float
    peak: float


def gated(*words: object, **environ: str) -> Done:
    """Types `gated …` where there is no terminal."""
    command = [sys.executable, "-m", "gatedtui", *map(str, words)]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=os.environ | environ)
        held = 0.0
        while child.poll() is None:  # what `wait4` tells counts this process too, as it was when it forked
            held = max(held, *map(peak, family(child.pid)))
            time.sleep(0.01)
        took_s = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return Done(child.returncode, out.read(), err.read(), took_s, held)


class App:
    """`gated` on a terminal of its own; what it draws is read and kept."""

    def __init__(self, *words: str, rows: int = 40, columns: int = 120) -> None:
        self._main, side = pty.openpty()
        environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(rows)}
        command = [sys.executable, "-m", "gatedtui", *words]
        self.child = subprocess.Popen(
            command, stdin=side, stdout=side, stderr=side, env=environ, start_new_session=True
        )
        os.close(side)
        self.drawn = ""

    def read(self, seconds: float) -> None:
        """Takes in what is drawn for so long, or until it ends."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.child.poll() is None:
            if select.select([self._main], [], [], 0.05)[0]:
                try:
                    self.drawn = (self.drawn + os.read(self._main, 65536).decode(errors="replace"))[-200_000:]
                except OSError:
                    return

    def wait_for(self, pattern: str, seconds: float = 120) -> float:
        """Reads until something is drawn; gives the seconds that took."""
        began = time.monotonic()
        while not re.search(pattern, self.drawn):
            assert time.monotonic() - began < seconds, f"{pattern!r} never came: {self.drawn[-3000:]!r}"
            self.read(0.1)
        return time.monotonic() - began

    def type(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._main, keys.encode())

    def close(self) -> int:
        """Leaves by `q`; gives the exit code."""
        self.type("q")
        self.read(20)
        if self.child.poll() is None:
            self.child.kill()
        code = self.child.wait()
        os.close(self._main)
        return code


def resident(pid: int) -> float:
    """MiB of memory a process holds."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """MiB of memory a process has held at most."""
    return _status(pid, "VmHWM")


def family(pid: int) -> list[int]:
    """A process and all it has started that still run: a run's worker is a process of its own."""
    found = [pid]
    for one in found:  # grows while it is read
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def handles(pid: int) -> int:
    """How many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208


def _status(pid: int, key: str) -> float:
    """A line of `/proc/PID/status` in MiB; 0 where the process has just ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0
