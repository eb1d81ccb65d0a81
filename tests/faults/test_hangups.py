"""The terminal itself goes away, as when a window is closed or a connection is lost: the kernel hangs up."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from gatedtui.cli.main import run as command
from gatedtui.runs import launch, lock
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.status import status

from .hurt import check_folder, environ, gated, make, wait_for

FOREVER = ["--data", "tiny", "--epochs", "1000000", "--set", "patience=0", "--name"]


class Window:
    """A command in a session of its own, whose terminal can be closed."""

    def __init__(self, *words: str) -> None:
        self.main, side = pty.openpty()
        self.child = subprocess.Popen(
            gated(*words),
            stdin=side,
            stdout=side,
            stderr=side,
            env=environ(TERM="xterm-256color", COLUMNS="80", LINES="24"),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(side)
        self.drawn = b""

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Reads what is drawn until it is so."""

        def met() -> object:
            while select.select([self.main], [], [], 0)[0]:
                self.drawn += os.read(self.main, 65536)
            return condition()

        wait_for(met, what)

    def hang_up(self) -> None:
        """Closes the terminal."""
        os.close(self.main)


@pytest.mark.parametrize("words", [[], ["--plain"]], ids=["live", "plain"])
def test_a_run_whose_terminal_is_closed_goes_on(words: list[str], runs: Path):
    run = RunFolder(runs / "r")
    window = Window("train", *FOREVER, "r", *words)
    window.wait_for(lambda: run.state_path.exists() and b"r" in window.drawn, "the first state")
    window.hang_up()
    assert window.child.wait(timeout=30) == -signal.SIGHUP
    size = run.events_path.stat().st_size
    wait_for(lambda: run.events_path.stat().st_size > size, "more events")
    assert status(run).word == "running" and command(["stop", "r"]) == 0
    wait_for(lambda: status(run).word == "stopped", "the stop")
    check_folder(run)


@pytest.mark.parametrize("words", [[], ["watch", "r"]], ids=["app", "watch"])
def test_a_view_whose_terminal_is_closed_ends_and_the_run_goes_on(words: list[str], runs: Path):
    run = make(runs, "r", train__epochs=1_000_000)
    worker = launch.start(run)
    window = Window(*words)
    window.wait_for(lambda: b"paper" in window.drawn or b"guess" in window.drawn, "the picture")
    window.hang_up()
    assert window.child.wait(timeout=30) == -signal.SIGHUP
    assert lock.is_held(run.lock_path) and worker.poll() is None
    assert launch.request_stop(run) and worker.wait(timeout=60) == 0
    check_folder(run)


def test_a_sweep_whose_terminal_is_closed_goes_on_to_its_end(runs: Path):
    window = Window("sweep", "--data", "tiny", "--unit", "gru", "--draws", "3", "--jobs", "1", "--epochs", "300",
                    "--set", "patience=0", "--set", "hidden=12", "--set", "batch=1", "--name", "s")  # fmt: skip
    window.wait_for(lambda: list((runs / "s").glob("*/state.safetensors")), "the first trial")
    window.hang_up()
    assert window.child.wait(timeout=100) == 0
    trials = [RunFolder(path.parent) for path in (runs / "s").glob("*/run.toml")]
    assert [status(trial).word for trial in trials] == ["finished"] * 3
    assert not lock.is_held(runs / "s" / "lock")
