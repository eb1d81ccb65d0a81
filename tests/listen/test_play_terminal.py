"""`gated play` in a terminal of its own, and without one."""

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import numpy as np
import pytest

from gatedtui.sound.wav import write_audio

from .test_deck import DEVICE, RATE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
NO_PORTAUDIO = "raise OSError('PortAudio library not found')"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose sound device keeps what it is given, and nothing on PATH."""
    modules, binaries = tmp_path / "modules", tmp_path / "bin"
    modules.mkdir()
    binaries.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(modules))
    monkeypatch.setenv("PATH", str(binaries))
    values = {"heard": str(tmp_path / "heard"), "broken": str(tmp_path / "broken"), "latency": 0.0, "speed": 1.0}
    (modules / "sounddevice.py").write_text(DEVICE.format(**values))
    for name in ("one.wav", "two.wav"):
        write_audio(0.1 * np.sin(np.arange(20 * RATE)), RATE, tmp_path / name)
    return tmp_path


class Terminal:
    """`gated` on a terminal, and all it has written."""

    def __init__(self, *words, columns=100):
        self.main, self.side = pty.openpty()
        termios.tcsetwinsize(self.side, (24, columns))
        self.before = termios.tcgetattr(self.side)
        environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "24"}
        self.child = subprocess.Popen(
            [sys.executable, "-m", "gatedtui", *map(str, words)],
            stdin=self.side,
            stdout=self.side,
            stderr=self.side,
            env=environ,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
        )
        self.written = ""

    def wait_for(self, pattern, deadline_s=60):
        end = time.monotonic() + deadline_s
        while not re.search(pattern, self.written):
            assert time.monotonic() < end, f"{pattern!r} never came: {self.written[-2000:]!r}"
            if select.select([self.main], [], [], 0.05)[0]:
                self.written += os.read(self.main, 65536).decode(errors="replace")

    def type(self, keys):
        os.write(self.main, keys.encode())

    def leave(self):
        """The exit code, once the terminal is as it was."""
        code = self.child.wait(timeout=30)
        while select.select([self.main], [], [], 0.1)[0]:
            self.written += os.read(self.main, 65536).decode(errors="replace")
        assert termios.tcgetattr(self.side) == self.before, "the terminal is as it was"
        assert "Traceback" not in self.written
        return code

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.child.kill()
        self.child.wait()
        os.close(self.main)
        os.close(self.side)


def test_keys_pause_seek_skip_and_quit(machine):
    with Terminal("play", machine / "one.wav", machine / "two.wav") as terminal:
        terminal.wait_for("▶ one.wav")
        terminal.type(" ")
        terminal.wait_for("‖ one.wav")
        terminal.type("\x1b[C\x1b[C")
        terminal.wait_for("‖ one.wav  0:1[0-9] / 0:20")
        terminal.type(" l")
        terminal.wait_for("▶ one.wav  0:1[0-9] / 0:20 ↻")
        terminal.type("p")
        terminal.wait_for("one.wav  0:00 / 0:20 ↻")
        terminal.type("n")
        terminal.wait_for("Stopped '.*one.wav'")
        terminal.wait_for("▶ two.wav")
        terminal.type("p")
        terminal.wait_for(r"(?s)two\.wav.*▶ one\.wav")
        terminal.type("q")
        assert terminal.leave() == 0
        assert "\n\n" not in terminal.written


@pytest.mark.parametrize("leave", ["\x03", signal.SIGTERM], ids=["ctrl-c", "SIGTERM"])
def test_an_interrupt_leaves_a_clean_line_and_the_terminal_as_it_was(machine, leave):
    with Terminal("play", machine / "one.wav") as terminal:
        terminal.wait_for("▶ one.wav")
        terminal.type("\x1a")  # Ctrl-Z does nothing
        if isinstance(leave, str):
            terminal.type(leave)
        else:
            terminal.child.send_signal(leave)
        assert terminal.leave() == 130
        assert terminal.written.rstrip("\r\n").removesuffix("interrupted").endswith("\r\x1b[K"), "an empty line"


def test_a_narrow_terminal_keeps_one_line(machine):
    with Terminal("play", machine / "one.wav", columns=30) as terminal:
        terminal.wait_for("▶ one.wav  0:01")
        terminal.type("q")
        assert terminal.leave() == 0
    for line in re.findall(r"\r\x1b\[K([^\r\n]*)", terminal.written):
        assert len(line) < 30 or line.startswith("Stopped")


def test_without_sound_a_sentence_the_file_and_the_exit_code(machine):
    (machine / "modules" / "sounddevice.py").write_text(NO_PORTAUDIO)
    with Terminal("play", machine / "one.wav", machine / "two.wav") as terminal:
        assert terminal.leave() == 4
    plain = terminal.written.replace("\r\n", "\n")
    assert plain.count("Cannot play") == 2
    assert "two.wav" in plain
    assert "to a machine with sound" in plain


@pytest.mark.parametrize("device", ["missing library", "no device", "system player"])
def test_without_a_terminal_every_way_is_a_sentence(machine, device):
    module = machine / "modules" / "sounddevice.py"
    if device == "no device":
        module.write_text(
            "class PortAudioError(Exception): ...\n"
            "def query_devices(kind): raise PortAudioError('Error querying device -1')\n"
        )
    else:
        module.write_text(NO_PORTAUDIO)
    if device == "system player":
        script = machine / "bin" / "aplay"
        script.write_text('#!/bin/sh\necho noise; echo noise >&2\necho "$@" > "$0.log"\n')
        script.chmod(0o755)
    command = [sys.executable, "-m", "gatedtui", "play", str(machine / "one.wav")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "noise" not in done.stderr
    assert "\x1b" not in done.stderr
    if device == "system player":
        assert (done.returncode, (machine / "bin" / "aplay.log").exists()) == (0, True)
        assert "aplay" in done.stderr
    else:
        assert done.returncode == 4
        assert "Cannot play" in done.stderr
        assert ("libportaudio2" in done.stderr) == (device == "missing library" and sys.platform == "linux")


def test_a_missing_file_is_named_before_anything_plays(machine):
    command = [sys.executable, "-m", "gatedtui", "play", str(machine / "one.wav"), str(machine / "nothing.wav")]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert done.returncode == 3
    assert "nothing.wav" in done.stderr
    assert not (machine / "heard").exists()
