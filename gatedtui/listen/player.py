"""Playing files: through the sound device when PortAudio is there, else through a player the system has.

Nothing here makes sound itself. Each way is a child process with its output discarded, so the terminal stays clean
whatever a driver writes; when one cannot play, the next is tried; when none can, the outcome says what to install.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple

import numpy as np

from gatedtui.data.smf import DRUMS, Score, read_score
from gatedtui.errors import BadSource
from gatedtui.listen import device
from gatedtui.sound.piano import MAX_LENGTH_S, RATE_HZ, render_notes
from gatedtui.sound.wav import measure_audio, write_audio

MIDI_ENDINGS = (".mid", ".midi")


class Program(NamedTuple):
    """A player that may be on PATH, with what makes it silent on the terminal and end with the file."""

    name: str
    arguments: tuple[str, ...] = ()
    only_wav: bool = False


PROGRAMS = (
    Program("pw-play"),
    Program("paplay"),
    Program("aplay", ("-q",), only_wav=True),  # anything else it plays as if the bytes were samples: loud noise
    Program("afplay"),
    Program("mpv", ("--no-config", "--no-video", "--no-terminal", "--really-quiet")),
    Program("play", ("-q",)),  # of sox
    Program("ffplay", ("-nodisp", "-autoexit", "-loglevel", "quiet")),
)
"""In the order they are tried: the sound servers' own first; ffplay last, since it may exit 0 without a device."""


@dataclass(frozen=True)
class Outcome:
    """How playing ended."""

    path: Path
    """The file that was asked for."""
    end: Literal["played", "stopped", "interrupted", "silent"]
    """To the end; stopped by `stop()`; by Ctrl-C; or not at all, since nothing here can play."""
    how: str
    """What played it: `sounddevice` or a program's name; empty when nothing did."""
    elapsed_s: float
    """How long it sounded."""
    duration_s: float
    """How long the file lasts."""
    what: str
    """One sentence for the user."""
    hint: str = ""
    """What to do next; empty unless nothing could play, or the player ended suspiciously early."""


class Playing:
    """A file that is being played. Made by `start`; leave it by `wait`, `stop` or as a context manager.

    `wait` and `stop` may be called from different threads. Should the way that was taken first fail, `wait` and `poll`
    go on to the next one.
    """

    def __init__(self, path: Path, sounding: Path, duration_s: float, *, is_wav: bool, folder: Path | None) -> None:
        self.path = path
        """The file that was asked for."""
        self.duration_s = duration_s
        """How long it lasts."""
        self._sounding = sounding
        self._folder = folder
        self._ways = _ways(sounding, is_wav=is_wav)
        self._how = ""
        self._why = ""
        self._failed: list[str] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._begun = time.monotonic()
        self._outcome: Outcome | None = None
        self._lock = threading.RLock()
        self._next_way()

    @property
    def position_s(self) -> float:
        """Where in the file playing is by the clock, 0..`duration_s` (up to half a second ahead of what is heard)."""
        if self._outcome is not None:
            return min(self._outcome.elapsed_s, self.duration_s)
        return min(time.monotonic() - self._begun, self.duration_s)

    def poll(self) -> Outcome | None:
        """The outcome, or None while it plays; never waits."""
        with self._lock:
            while self._outcome is None and self._child is not None and self._child.poll() is not None:
                self._settle(self._child.returncode)
            return self._outcome

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """Waits for the end and returns the outcome; None when `timeout_s` has passed before.

        Ctrl-C while waiting stops the child and is told by the outcome.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while (outcome := self.poll()) is None:
                child = self._child
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if child is not None:
                    try:
                        child.wait(left)
                    except subprocess.TimeoutExpired:
                        return self.poll()
            return outcome
        except KeyboardInterrupt:
            return self._halt("interrupted")

    def stop(self) -> Outcome:
        """Ends the sound now, unless it has ended already, and returns the outcome."""
        return self._halt("stopped")

    def __enter__(self) -> "Playing":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _halt(self, end: Literal["stopped", "interrupted"]) -> Outcome:
        with self._lock:
            outcome = self.poll()
            if outcome is None:
                elapsed_s = self._end_child()
                word = "Stopped" if end == "stopped" else "Interrupted"
                outcome = self._finish(end, elapsed_s, f"{word} '{self.path}' after {elapsed_s:.0f} s.")
            return outcome

    def _settle(self, code: int) -> None:
        """Takes note that the child has ended: done, or on to the next way."""
        elapsed_s = self._end_child()
        if code == device.PLAYED:
            hint = ""
            what = f"Played '{self.path}' with {self._how}."
            if elapsed_s < self.duration_s / 2:
                what = f"{self._how} ended after {elapsed_s:.1f} of {self.duration_s:.1f} s of '{self.path}'."
                hint = f"If you heard nothing: {_elsewhere(self.path)}"
            self._finish("played", elapsed_s, what, hint)
            return
        if self._how != "sounddevice":
            self._failed.append(self._how)
        elif code == device.NO_LIBRARY:
            self._why = "PortAudio is missing"
        elif code == device.NO_DEVICE:
            self._why = "no sound device was found"
        else:
            self._failed.append(self._how)
        self._next_way()

    def _next_way(self) -> None:
        while self._ways:
            self._how, command = self._ways.pop(0)
            try:
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,  # closed by our own end, however that comes; the child then ends too
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    # Out of reach of the terminal: were Ctrl-C to kill the child at the same time, it would look like
                    # a player that failed, and the next one would begin.
                    start_new_session=True,
                )
            except OSError:
                self._failed.append(self._how)
                continue
            self._begun = time.monotonic()
            return
        self._how = ""
        reasons = [self._why] if self._why else []
        reasons.append(f"{', '.join(self._failed)} failed" if self._failed else "no player is on PATH")
        hint = _elsewhere(self.path)
        if self._why == "PortAudio is missing":
            hint = f"{_install()} {hint}"
        self._finish("silent", 0.0, f"Cannot play '{self.path}' here: {', and '.join(reasons)}.", hint)

    def _end_child(self) -> float:
        """Makes sure that the child is gone; returns for how long it ran."""
        child, self._child = self._child, None
        elapsed_s = time.monotonic() - self._begun
        if child is None:
            return 0.0
        if child.poll() is None:
            # All of its session: the child may be waiting for a player, which would go on without it.
            if hasattr(os, "killpg"):
                with contextlib.suppress(OSError):  # it may have ended by itself just now
                    os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()
        return elapsed_s

    def _finish(
        self, end: Literal["played", "stopped", "interrupted", "silent"], elapsed_s: float, what: str, hint: str = ""
    ) -> Outcome:
        self._outcome = Outcome(self.path, end, self._how, elapsed_s, self.duration_s, what, hint)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return self._outcome


def start(path: Path | str) -> Playing:
    """Begins to play an audio file, or a MIDI file on the built-in piano, and returns at once.

    Raises:
        BadSource: the file is missing, broken, neither audio nor MIDI, or (MIDI) longer than an hour or without notes.
    """
    path = Path(path)
    if not path.is_file():
        raise BadSource(f"There is no file '{path}'.", "Check the path.")
    if not _is_midi(path):
        return Playing(path, path.absolute(), _duration_s(path), is_wav=_head(path) == b"RIFF", folder=None)
    samples = _render(path, read_score(path))
    folder = Path(tempfile.mkdtemp(prefix="gated-play-"))
    try:
        sounding = folder / "piano.wav"
        write_audio(samples, RATE_HZ, sounding)
        return Playing(path, sounding, len(samples) / RATE_HZ, is_wav=True, folder=folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def play(path: Path | str) -> Outcome:
    """Plays a file to its end and returns how that went. Ctrl-C ends it quietly, with the outcome `interrupted`.

    Raises:
        BadSource: as `start`.
    """
    outcome = start(path).wait()
    assert outcome is not None  # without a timeout
    return outcome


def system_player() -> str | None:
    """The path of the player that would be taken for a WAV file if the sound device could not be used, else None."""
    return next((found for program in PROGRAMS if (found := shutil.which(program.name))), None)


def _is_midi(path: Path) -> bool:
    return _head(path) == b"MThd" or path.suffix.lower() in MIDI_ENDINGS


def _duration_s(path: Path) -> float:
    """The length of an audio file, or BadSource.

    libsndfile's MP3 decoder writes its opinion of a doubtful file to the error stream, where the app may be drawing:
    what may be an MP3 is looked at in a child process.
    """
    if _head(path) in (b"RIFF", b"fLaC", b"OggS"):
        return measure_audio(path).duration_s
    command = [sys.executable, "-P", device.__file__, "--measure", str(path.absolute())]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    frames, rate_hz = (int(word) for word in answer.stdout.split()) if answer.returncode == 0 else (0, 1)
    if frames < 1 or rate_hz < 1:
        raise BadSource(
            f"The file '{path}' cannot be played: it is neither audio nor MIDI.",
            "Give a WAV, FLAC, OGG, MP3 or MIDI file.",
        )
    return frames / rate_hz


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise BadSource(f"Cannot read '{path}': {(error.strerror or 'no access').lower()}.") from error


def _render(path: Path, score: Score) -> np.ndarray:
    """The score at its own tempos, without drums.

    Amplitude is (velocity / 127)²: a square law, after Dannenberg 2006, The Interpretation of MIDI Velocity.
    """
    kept = score.notes[score.notes[:, 4] != DRUMS]
    if not len(kept):
        raise BadSource(f"The MIDI file '{path}' holds no notes to play.", "Give a file with notes.")
    notes = np.stack(
        [kept[:, 2], score.seconds(kept[:, 0]), score.seconds(kept[:, 1]), (kept[:, 3] / 127.0) ** 2], axis=1
    )
    length_s = float(notes[:, 2].max())
    if length_s > MAX_LENGTH_S:
        raise BadSource(
            f"The MIDI file '{path}' lasts {length_s / 60:,.0f} minutes, more than {MAX_LENGTH_S / 60:.0f}.",
            "Cut it to a shorter part.",
        )
    return render_notes(notes)


def _ways(sounding: Path, *, is_wav: bool) -> list[tuple[str, list[str]]]:
    """What can be tried on this machine, in order: a name and a command each."""
    # -P: a file called numpy.py in the folder the user happens to be in must not be imported.
    python = [sys.executable, "-P", device.__file__]
    ways = [("sounddevice", [*python, str(sounding)])]
    for program in PROGRAMS:
        found = shutil.which(program.name)
        if found and (is_wav or not program.only_wav):
            ways.append((program.name, [*python, "--run", found, *program.arguments, str(sounding)]))
    return ways


def _install() -> str:
    if sys.platform.startswith("linux"):
        return "Install it: apt-get install libportaudio2 (Fedora: dnf install portaudio)."
    return "Install it: pip install --force-reinstall sounddevice."


def _elsewhere(path: Path) -> str:
    return f"Or copy {shlex.quote(str(path.absolute()))} to a machine with sound."
