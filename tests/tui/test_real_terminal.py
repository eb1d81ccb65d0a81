import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import pytest

from gatedtui.runs import lock

from .conftest import epochs, falling, started

CODE = """
import sys
from pathlib import Path
from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.tui import app, inline
launch.request_stop = lambda folder: True
run = RunFolder(Path(sys.argv[1]))
if "broken" in sys.argv:
    def broken(self): raise ZeroDivisionError("division by zero")
    inline.LiveView.tick = app.GatedApp.tick = broken
try:
    if "app" in sys.argv:
        print("OUTCOME", app.run_app(run.path.parent))
    else:
        print("OUTCOME", inline.run_live([run], watch="watch" in sys.argv))
except GatedError as error:
    print("OUTCOME", error.what, error.hint)
"""


class Terminal:
    """A child on a terminal of its own, and all it has written."""

    def __init__(self, *arguments):
        self.main, self.side = pty.openpty()
        self.before = termios.tcgetattr(self.side)
        environ = {key: value for key, value in os.environ.items() if key != "GATED_DEBUG"}
        environ |= {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        words = [sys.executable, "-c", CODE, *arguments]
        self.child = subprocess.Popen(words, stdin=self.side, stdout=self.side, stderr=self.side, env=environ)
        self.written = ""

    def wait_for(self, pattern):
        deadline = time.monotonic() + 60
        while not re.search(pattern, self.written):
            assert time.monotonic() < deadline, f"{pattern!r} never came: {self.written[-2000:]!r}"
            if select.select([self.main], [], [], 0.05)[0]:
                self.written += os.read(self.main, 65536).decode(errors="replace")

    def type(self, keys):
        os.write(self.main, keys.encode())

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.main)
        os.close(self.side)


@pytest.fixture
def run(make_run):
    made = make_run([started(), *epochs(falling(30))])
    with lock.held(made.lock_path):
        yield made


@pytest.mark.parametrize(
    ("arguments", "leave", "outcome"),
    [
        ([], "d", "detached"),
        ([], "\x03\x03", "interrupted"),
        (["watch"], signal.SIGTERM, "detached"),
        (["watch"], "\x03", "detached"),
        (["app"], "q", "closed"),
        (["app"], signal.SIGTERM, "closed"),
    ],
    ids=["detach", "ctrl-c twice", "SIGTERM in watch", "ctrl-c in watch", "app q", "app SIGTERM"],
)
def test_the_terminal_is_left_as_it_was_found(run, arguments, leave, outcome):
    terminal = Terminal(str(run.path), *arguments)
    try:
        terminal.wait_for("paper")
        if isinstance(leave, str):
            terminal.type(leave)
        else:
            terminal.child.send_signal(leave)
        terminal.wait_for(f"OUTCOME {outcome}")
        assert terminal.child.wait(timeout=30) == 0
        assert termios.tcgetattr(terminal.side) == terminal.before
        assert terminal.written.rindex("\x1b[?25h") > terminal.written.rindex("\x1b[?25l"), "the cursor is shown again"
        assert ("\x1b[?1049h" in terminal.written) == ("app" in arguments), "only the app takes the whole screen"
    finally:
        terminal.close()


def test_sigterm_asks_the_runs_to_stop_before_it_leaves(run):
    terminal = Terminal(str(run.path))
    try:
        terminal.wait_for("paper")
        terminal.child.send_signal(signal.SIGTERM)
        terminal.wait_for("each run saves first")
        terminal.child.send_signal(signal.SIGTERM)
        terminal.wait_for("OUTCOME interrupted")
    finally:
        terminal.close()


@pytest.mark.parametrize("face", ["watch", "app"])
def test_a_view_that_is_killed_leaves_a_terminal_one_can_type_in(run, face):
    terminal = Terminal(str(run.path), face)
    try:
        terminal.wait_for("paper")
        terminal.child.kill()
        terminal.wait_for(re.escape("\x1b[?25h"))
        assert termios.tcgetattr(terminal.side) == terminal.before
        assert ("\x1b[?1049l" in terminal.written) == (face == "app")
        assert lock.is_held(run.lock_path), "the run is still held"
    finally:
        terminal.close()


@pytest.mark.parametrize("face", ["watch", "app"])
def test_a_view_that_breaks_says_so_in_a_sentence(run, face):
    terminal = Terminal(str(run.path), face, "broken")
    try:
        terminal.wait_for(r"OUTCOME The .* broke: ZeroDivisionError: division by zero\. The runs go on")
        terminal.child.wait(timeout=30)
        assert "Traceback" not in terminal.written
        assert termios.tcgetattr(terminal.side) == terminal.before
    finally:
        terminal.close()
