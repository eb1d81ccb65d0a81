"""The process beside ours in which sound is made: run as a script by `player.py`, never imported for its effects.

Of its own, because PortAudio and ALSA write whatever they like to the process's error stream, which is where the
terminal app draws; because a sound driver that crashes or hangs takes only this process with it; and because stopping
is then certain. For the same reasons it imports nothing of this package.

    python device.py --deck FILE…                       plays one of the files at a time, as standard input says
    python device.py --run PLAYER ARG…                  lets another program play
    python device.py --run-from SECONDS FILE WAV PLAYER ARG…    copies the rest of FILE to WAV and lets it play that
    python device.py --measure FILE                     writes "FRAMES RATE_HZ" to its standard output
    python device.py --decode FILE WAV                  writes the file anew, as WAV

The first three end when standard input is closed, which it also is when the parent was killed or its terminal hung up:
no sound is left behind. The exit code says how it went: see `PLAYED` and its neighbours.

The deck's words, a line each. It starts paused at the beginning of the first file. N counts the commands; an answer
repeats the number of the last one that was carried out, so that answers from before a command can be told.

    N play · N pause · N seek SECONDS · N switch INDEX · N loop 0|1 · N quit    in
    N at INDEX SECONDS 0|1     which file, where it is heard, whether it plays; at every change and 20 times a second
    N end                      the file is over and has been heard to its end; it stays paused there
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from typing import Any

PLAYED = 0
FAILED = 1
NO_LIBRARY = 10
"""PortAudio is not installed (Linux; elsewhere the wheel of sounddevice brings it)."""
NO_DEVICE = 11
"""There is no sound device, or none that takes sound."""

_BLOCKS_PER_S = 20
_FADE_S = 0.01
"""Every jump, pause and switch is a fade of this length: no click, and still at once to the ear."""


def main(arguments: list[str]) -> int:
    """Does what the arguments say and returns an exit code (that of the player after `--run`)."""
    what, *rest = arguments
    if what == "--measure":
        return _measure(rest[0])
    if what == "--decode":
        return _copy(rest[0], rest[1], 0.0)
    if what == "--deck":
        return _deck(rest)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if what == "--run":
        return _run(rest)
    # Hardly any player can be told where to begin.
    start_s, path, copy, *command = rest
    return _copy(path, copy, float(start_s)) or _run([*command, copy])


# The deck.


@dataclass(frozen=True)
class Place:
    """What the deck shall do next: play or not, which file, from which of its frames."""

    playing: bool = False
    clip: int = 0
    frame: int = 0
    loop: bool = False
    quit: bool = False
    number: int = 0


class Wishes:
    """Commands as they come in, kept for the thread that plays."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = []
        self._changed = threading.Condition()

    def listen(self) -> None:
        """Takes lines from standard input until it is closed; then ends the process."""
        rest = b""
        with contextlib.suppress(OSError):
            while more := os.read(0, 4096):
                *lines, rest = (rest + more).split(b"\n")
                with self._changed:
                    self._lines += [line.decode("ascii", "replace").split() for line in lines]
                    self._changed.notify()
        _end()

    def take(self, place: Place, rate_hz: int, clips: int) -> Place:
        """The place after all commands that have come in; waits for one where nothing plays."""
        with self._changed:
            while not self._lines and not place.playing:
                self._changed.wait()
            lines, self._lines = self._lines, []
        for line in lines:
            with contextlib.suppress(ValueError, IndexError, OverflowError):
                place = _after(place, line, rate_hz, clips)
        return place


def _after(place: Place, line: list[str], rate_hz: int, clips: int) -> Place:
    number, word, value = int(line[0]), line[1], line[2] if len(line) > 2 else "0"
    changes = {
        "play": {"playing": True},
        "pause": {"playing": False},
        "seek": {"frame": max(0, round(float(value) * rate_hz))} if word == "seek" else {},
        "switch": {"clip": min(max(0, int(value)), clips - 1)} if word == "switch" else {},
        "loop": {"loop": value == "1"},
        "quit": {"quit": True},
    }.get(word, {})
    return replace(place, number=number, **changes)


def _deck(files: list[str]) -> int:
    wishes = Wishes()
    threading.Thread(target=wishes.listen, daemon=True).start()
    try:
        import sounddevice
    except (OSError, ImportError):
        return NO_LIBRARY
    import soundfile

    try:
        sounddevice.query_devices(kind="output")
    except (sounddevice.PortAudioError, ValueError):
        return NO_DEVICE
    try:
        with contextlib.ExitStack() as opened:
            clips: list[Any] = [_Clip(opened.enter_context(soundfile.SoundFile(file))) for file in files]
            rate_hz, channels = clips[0].rate_hz, clips[0].channels
            alike = all((clip.rate_hz, clip.channels) == (rate_hz, channels) for clip in clips)
            if not alike or not _takes(sounddevice, rate_hz, channels):
                # Bare ALSA devices often take neither one channel nor 8,000 Hz.
                rate_hz, channels = int(sounddevice.query_devices(kind="output")["default_samplerate"]), 2
                clips = [_Converted(clip, rate_hz) for clip in clips]
            with sounddevice.OutputStream(samplerate=rate_hz, channels=channels, dtype="float32") as stream:
                _play(stream, wishes, clips, rate_hz)
    except sounddevice.PortAudioError:
        return NO_DEVICE
    return PLAYED


def _play(stream: Any, wishes: Wishes, clips: list[Any], rate_hz: int) -> None:
    """Plays until it is told to quit."""
    import numpy as np

    latency = float(getattr(stream, "latency", 0.0) or 0.0)
    block, fade = max(1, rate_hz // _BLOCKS_PER_S), max(1, round(_FADE_S * rate_hz))
    rise = np.linspace(0.0, 1.0, fade + 2, dtype=np.float32)[1:-1, None]
    place, heard_from, sound = Place(), 0, np.zeros((block, clips[0].channels), np.float32)
    while True:
        wish = wishes.take(place, rate_hz, len(clips))
        if wish.quit:
            return
        if wish.playing and wish.frame >= clips[wish.clip].frames:
            wish = replace(wish, frame=0)
        jumped = (wish.playing, wish.clip, wish.frame) != (place.playing, place.clip, place.frame)
        if wish.frame != place.frame or wish.playing != place.playing:
            heard_from = wish.frame
        if wish.playing or (jumped and place.playing):
            sound = clips[wish.clip].read(wish.frame, block, wish.loop) if wish.playing else np.zeros_like(sound)
            if wish.playing and not wish.loop:
                sound = sound[: clips[wish.clip].frames - wish.frame]
            if jumped and (wish.frame or place.playing):
                sound[: len(rise)] *= rise[: len(sound)]
                if place.playing:
                    old = clips[place.clip].read(place.frame, len(rise), place.loop)
                    sound[: len(rise)] += (old * rise[::-1])[: len(sound)]
            stream.write(np.ascontiguousarray(sound))
        place = replace(wish, frame=wish.frame + block if wish.playing else wish.frame)
        frames = clips[place.clip].frames
        ended = place.playing and place.frame >= frames and not place.loop
        if place.playing and place.frame >= frames:
            place = replace(place, frame=place.frame % frames if place.loop else frames, playing=not ended)
            heard_from = 0 if place.loop else heard_from
        if ended and latency > 0.0:  # until what was written has been heard
            stream.write(np.zeros((max(1, round(latency * rate_hz)), clips[place.clip].channels), np.float32))
        behind = latency if place.playing else 0.0
        _answer(
            f"{place.number} at {place.clip} {max(heard_from / rate_hz, place.frame / rate_hz - behind):.4f} "
            f"{place.playing:d}"
        )
        if ended:
            _answer(f"{place.number} end")


def _answer(line: str) -> None:
    try:
        os.write(1, f"{line}\n".encode())
    except OSError:  # nobody listens any more
        _end()


def _takes(sounddevice: Any, rate_hz: int, channels: int) -> bool:
    try:
        sounddevice.check_output_settings(samplerate=rate_hz, channels=channels, dtype="float32")
    except (sounddevice.PortAudioError, ValueError):
        return False
    return True


class _Clip:
    """A sound file that is read where it is played: a long one takes no memory."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.rate_hz, self.channels, self.frames = file.samplerate, file.channels, file.frames

    def read(self, frame: int, count: int, loop: bool) -> Any:
        """(count, channels) float32 from that frame on; then from the start again, or silence."""
        import numpy as np

        sound = np.zeros((count, self.channels), np.float32)
        got = 0
        while got < count and frame < self.frames:
            if self._file.tell() != frame:
                self._file.seek(frame)
            part = self._file.read(count - got, dtype="float32", always_2d=True)
            sound[got : got + len(part)] = part
            got += len(part)
            self.frames = frame + len(part) if got < count else self.frames  # a file may hold less than it promises
            if not loop or not self.frames:
                break
            frame = 0
        return sound


class _Converted:
    """A sound in memory, in stereo and at the device's rate."""

    def __init__(self, clip: _Clip, rate_hz: int) -> None:
        import numpy as np
        from scipy.signal import resample_poly

        sound = clip.read(0, clip.frames, False)
        sound = sound[:, :2] if clip.channels > 1 else np.repeat(sound, 2, axis=1)
        if clip.rate_hz != rate_hz:
            sound = np.clip(resample_poly(sound, rate_hz, clip.rate_hz, axis=0), -1.0, 1.0)
        self._sound = np.ascontiguousarray(sound, dtype=np.float32)
        self.rate_hz, self.channels, self.frames = rate_hz, 2, len(self._sound)

    def read(self, frame: int, count: int, loop: bool) -> Any:
        """As `_Clip.read`."""
        import numpy as np

        places = np.arange(frame, frame + count)
        if loop:
            return self._sound[places % self.frames].copy()
        sound = self._sound[np.minimum(places, self.frames - 1)].copy()
        sound[places >= self.frames] = 0.0
        return sound


# Other programs.


def _run(command: list[str]) -> int:
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError:
        return FAILED
    return code if code >= 0 else FAILED


def _measure(path: str) -> int:
    import soundfile

    try:
        facts = soundfile.info(path)
    except (OSError, TypeError, RuntimeError):
        return FAILED
    sys.stdout.write(f"{facts.frames} {facts.samplerate}\n")
    return PLAYED


def _copy(path: str, out: str, start_s: float) -> int:
    """Writes a sound file from `start_s` on as 16-bit WAV, a block at a time."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            file.seek(min(max(0, round(start_s * file.samplerate)), file.frames))
            with soundfile.SoundFile(out, "w", file.samplerate, file.channels, "PCM_16", format="WAV") as copy:
                while len(block := file.read(1 << 16, dtype="float32", always_2d=True)):
                    copy.write(block)
    except (OSError, TypeError, RuntimeError):
        return FAILED
    return PLAYED


def _end_with_parent() -> None:
    """Waits for standard input to close, and ends this process and the player it may have started."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    _end()


def _end() -> None:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
