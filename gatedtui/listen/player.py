"""Playing files: through the sound device when PortAudio is there, else through a player the system has.

Nothing here makes sound itself. Each way is a child process with its output discarded, so the terminal stays clean
whatever a driver writes; when one cannot play, the next is tried, from the place that was reached; when none can, the
outcome says what to install.

Through the sound device, jumps and switches between files are at once and without a gap. Other programs cannot be told
to jump: they are ended and started on the rest of the file, which leaves a gap of a few tenths of a second.
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from gatedtui.listen import device, sounding
from gatedtui.listen.outcome import NO_DEVICE, NO_PORTAUDIO, End, Outcome, played_words, silent_words
from gatedtui.listen.programs import DEVICE, PROGRAMS, Program, Way, child, end, system_player, ways
from gatedtui.listen.sounding import Sounding

__all__ = ["PROGRAMS", "Outcome", "Playing", "Program", "play", "start", "start_clips", "system_player"]


class Playing:
    """One or more files of which one is played at a time. Made by `start` and `start_clips`; leave it by `wait`, `stop`
    or as a context manager.

    All methods may be called from different threads. Should the way that was taken first fail, `wait` and `poll` go on
    to the next one.
    """

    def __init__(self, clips: Sequence[Sounding], *, folder: Path, playing: bool, stay: bool) -> None:
        self.clips = tuple(clips)
        self._folder = folder
        self._stay = stay
        self._ways = ways(is_wav=all(clip.is_wav for clip in clips))
        self._way = Way("")
        self._why = ""
        self._failed: list[str] = []
        self._child: subprocess.Popen[bytes] | None = None
        self._commands = 0
        self._clip, self._loop, self._moving, self._over = 0, False, playing, False
        self._at_s, self._since, self._sounded_s = 0.0, time.monotonic(), 0.0
        self._begun_at_s, self._heard = 0.0, False
        self._outcome: Outcome | None = None
        self._lock = threading.RLock()
        self._news = threading.Event()
        with self._lock:
            self._next_way(0.0)

    # What is going on.

    @property
    def how(self) -> str:
        """What plays: `sounddevice` or a program's name; empty when nothing here can."""
        return self._way.name

    @property
    def ready(self) -> bool:
        """Whether it is known what plays, if anything: a sound device may still turn out to be missing."""
        return self._heard or self._outcome is not None or not self.gapless

    @property
    def gapless(self) -> bool:
        """Whether jumps and switches leave no gap."""
        return self._way.name == DEVICE

    @property
    def clip(self) -> int:
        """Which of the files is played."""
        return self._clip

    @property
    def path(self) -> Path:
        """The file that was asked for and is played."""
        return self.clips[self._clip].path

    @property
    def duration_s(self) -> float:
        """How long that file lasts."""
        return self.clips[self._clip].duration_s

    @property
    def playing(self) -> bool:
        """Whether it sounds, as opposed to paused, over or silent."""
        return self._moving and self._outcome is None

    @property
    def over(self) -> bool:
        """Whether the end was reached (and, with `stay`, nothing was asked for since)."""
        return self._over

    @property
    def looping(self) -> bool:
        """Whether the file begins again at its end."""
        return self._loop

    @property
    def position_s(self) -> float:
        """Where in the file playing is, 0..`duration_s` (with a program by the clock: up to half a second ahead)."""
        with self._lock:
            place = self._at_s + (time.monotonic() - self._since if self.playing and self._heard else 0.0)
            if self._loop and place > self.duration_s > 0.0:
                return place % self.duration_s
            return min(max(place, 0.0), self.duration_s)

    # What can be asked for.

    def resume(self) -> None:
        """Goes on, from the start where the end was reached."""
        with self._lock:
            if self._moving:
                return
            place = 0.0 if self._over or self.position_s >= self.duration_s else self.position_s
            self._set(place, moving=True)
            self._order(f"seek {place:.4f}", "play")

    def pause(self) -> None:
        """Stops the sound and keeps the place."""
        with self._lock:
            if self._moving:
                self._set(self.position_s, moving=False)
                self._order("pause")

    def toggle(self) -> None:
        """Pauses, or goes on."""
        self.pause() if self._moving else self.resume()

    def seek(self, place_s: float) -> None:
        """Goes to a place in the file; beyond its ends to the end, or to just before the last one while it plays."""
        with self._lock:
            if self._outcome is not None and self._outcome.end != "silent":
                return
            last = self.duration_s - 0.05 if self._moving else self.duration_s
            self._set(min(max(place_s, 0.0), max(last, 0.0)), moving=self._moving)
            self._order(f"seek {self._at_s:.4f}")

    def switch(self, clip: int) -> None:
        """Goes to the same place in another of the files.

        Raises:
            IndexError: there is no such file.
        """
        if not 0 <= clip < len(self.clips):
            raise IndexError(clip)
        with self._lock:
            if clip != self._clip:
                place, self._clip = self.position_s, clip
                self._set(min(place, self.duration_s), moving=self._moving)
                self._order(f"switch {clip}")

    def loop(self, wanted: bool) -> None:
        """Begins again at the end from now on, or does not."""
        with self._lock:
            self._set(self.position_s, moving=self._moving)
            self._loop = wanted
            if self.gapless:
                self._order(f"loop {wanted:d}")

    def poll(self) -> Outcome | None:
        """The outcome, or None while it goes on; never waits."""
        with self._lock:
            while self._outcome is None and self._child is not None:
                if self._over and not self._stay and not self._loop:
                    self._played()
                elif self._child.poll() is None:
                    break
                else:
                    self._settle(self._child.returncode)
            return self._outcome

    def wait(self, timeout_s: float | None = None) -> Outcome | None:
        """Waits for the end and returns the outcome; None when `timeout_s` has passed before.

        Ctrl-C while waiting stops the child and is told by the outcome.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while (outcome := self.poll()) is None:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                if left == 0.0:
                    return None
                self._news.wait(left)
                self._news.clear()
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

    # How it is done.

    def _halt(self, end: Literal["stopped", "interrupted"]) -> Outcome:
        with self._lock:
            outcome = self.poll()
            if outcome is None:
                self._end_child()
                self._set(self.position_s, moving=False)
                word = "Stopped" if end == "stopped" else "Interrupted"
                outcome = self._finish(end, f"{word} '{self.path}' after {self._sounded_s:.0f} s.")
            return outcome

    def _set(self, place_s: float, *, moving: bool) -> None:
        """The place is this from now on."""
        now = time.monotonic()
        if self._moving and self._heard:
            self._sounded_s += now - self._since
        self._at_s, self._since, self._moving, self._over = place_s, now, moving, False

    def _order(self, *words: str) -> None:
        """Tells the deck, or starts and ends a program, so that it plays what it shall."""
        if self._outcome is not None:
            return
        if not self.gapless:
            self._end_child()
            if self._moving:
                self._begin(self._at_s)
            return
        child = self._child
        for word in words:
            self._commands += 1
            if child is not None and child.stdin is not None:
                # A child that has died meanwhile is for poll to find.
                with contextlib.suppress(OSError, ValueError):
                    child.stdin.write(f"{self._commands} {word}\n".encode())
                    child.stdin.flush()

    def _begin(self, place: float) -> bool:
        """Starts the way's child at a place; False where it cannot be started."""
        if self.gapless:
            command = child("--deck", *(str(clip.audio) for clip in self.clips))
        elif place > 0.0:
            rest = self._folder / "rest.wav"
            audio = str(self.clips[self._clip].audio)
            command = child("--run-from", f"{place:.4f}", audio, str(rest), *self._way.command)
        else:
            command = child("--run", *self._way.command, str(self.clips[self._clip].audio))
        try:
            started = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # closed by our own end, however that comes; the child then ends too
                stdout=subprocess.PIPE if self.gapless else subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Out of reach of the terminal: were Ctrl-C to kill the child at the same time, it would look like a
                # player that failed, and the next one would begin.
                start_new_session=True,
            )
        except OSError:
            return False
        self._child = started
        self._set(place, moving=self._moving)
        self._begun_at_s, self._heard = place, not self.gapless  # a deck says when it begins
        threading.Thread(target=self._follow, args=(started,), daemon=True).start()
        if self.gapless:
            orders = [f"switch {self._clip}", f"seek {place:.4f}", f"loop {self._loop:d}"]
            self._order(*orders, *(["play"] if self._moving else []))
        return True

    def _follow(self, child: "subprocess.Popen[bytes]") -> None:
        """Reads what a deck says until it ends; runs in a thread of its own."""
        if child.stdout is not None:
            with contextlib.suppress(OSError, ValueError), child.stdout as answers:
                for line in answers:
                    self._hear(child, line.split())
        child.wait()
        self._news.set()

    def _hear(self, child: "subprocess.Popen[bytes]", words: list[bytes]) -> None:
        with self._lock:
            if child is not self._child or not words or int(words[0]) < self._commands:
                return  # from before the last command
            self._heard = True
            if words[1] == b"at":
                self._set(float(words[3]), moving=words[4] == b"1")
            elif words[1] == b"end":
                self._set(self.duration_s, moving=False)
                self._over = True
                self._news.set()

    def _settle(self, code: int) -> None:
        """Takes note that the child has ended: done, again, or on to the next way."""
        self._end_child()
        if code == device.PLAYED:
            heard_s, wanted_s = time.monotonic() - self._since, self.duration_s - self._begun_at_s
            if self._loop and heard_s >= wanted_s / 2:
                self._begin(0.0)
                return
            self._set(self.duration_s, moving=False)
            self._over = True
            if not self._stay:
                self._played(heard_s)
            return
        if not self.gapless:
            self._failed.append(self._way.name)
        elif code == device.NO_LIBRARY:
            self._why = NO_PORTAUDIO
        elif code == device.NO_DEVICE:
            self._why = NO_DEVICE
        else:
            self._failed.append(self._way.name)
        # A program that fails at once has not been heard; one that fails later has.
        place = self.position_s
        self._next_way(place if self.gapless or place > self._begun_at_s + 2.0 else self._begun_at_s)

    def _next_way(self, place: float) -> None:
        while self._ways:
            self._way = self._ways.pop(0)
            if not self.gapless and not self._moving:
                self._set(place, moving=False)
                return
            if self._begin(place):
                return
            self._failed.append(self._way.name)
        self._way, self._heard = Way(""), False
        self._set(place, moving=False)
        self._finish("silent", *silent_words(self.path, self._why, self._failed))

    def _end_child(self) -> None:
        """Makes sure that the child is gone."""
        gone, self._child = self._child, None
        if gone is not None:
            end(gone)

    def _played(self, heard_s: float | None = None) -> None:
        if self.gapless and self._child is not None:
            self._order("quit")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(1.0)
        self._end_child()
        heard_s = self._sounded_s if heard_s is None else heard_s
        rest_s = self.duration_s - self._begun_at_s
        words = played_words(self.path, self._way.name, heard_s, rest_s, doubtful=not self.gapless)
        self._finish("played", *words)

    def _finish(self, end: End, what: str, hint: str = "") -> Outcome:
        self._outcome = Outcome(self.path, end, self._way.name, self._sounded_s, self.duration_s, what, hint)
        sounding.remove(self._folder)
        self._news.set()
        return self._outcome


def start(path: Path | str, *, paused: bool = False, stay: bool = False) -> Playing:
    """Begins to play an audio file, or a MIDI file on the built-in piano, and returns at once.

    Args:
        path: the file.
        paused: wait for `resume`.
        stay: at the end it stays there, paused, until it is told something else or stopped.

    Raises:
        BadSource: the file is missing, broken, neither audio nor MIDI, or (MIDI) longer than an hour or without notes.
    """
    folder = sounding.temporary_folder()
    try:
        return Playing([sounding.prepare(Path(path), folder)], folder=folder, playing=not paused, stay=stay)
    except BaseException:
        sounding.remove(folder)
        raise


def start_clips(paths: Sequence[Path]) -> Playing:
    """Opens WAV files of one rate and one length for listening side by side: paused, staying open at their end.

    Raises:
        BadSource: a file is missing or no audio.
    """
    folder = sounding.temporary_folder()
    try:
        clips = [sounding.prepare(path, folder) for path in paths]
        return Playing(clips, folder=folder, playing=False, stay=True)
    except BaseException:
        sounding.remove(folder)
        raise


def play(path: Path | str) -> Outcome:
    """Plays a file to its end and returns how that went. Ctrl-C ends it quietly, with the outcome `interrupted`.

    Raises:
        BadSource: as `start`.
    """
    outcome = start(path).wait()
    assert outcome is not None  # without a timeout
    return outcome
