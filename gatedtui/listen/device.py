"""The process beside ours in which sound is made: run as a script by `player.py`, never imported for its effects.

Of its own, because PortAudio and ALSA write whatever they like to the process's error stream, which is where the
terminal app draws; because a sound driver that crashes or hangs takes only this process with it; and because stopping
is then certain. For the same reasons it imports nothing of this package.

    python device.py FILE                 plays FILE on the default sound device
    python device.py --run PLAYER ARG…    lets another program play
    python device.py --measure FILE       writes "FRAMES RATE_HZ" to its standard output

The first two play to the end or until standard input is closed, which it also is when the parent was killed or its
terminal hung up: no sound is left behind.

The exit code says how it went: see `PLAYED` and its neighbours.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Any

PLAYED = 0
FAILED = 1
NO_LIBRARY = 10
"""PortAudio is not installed (Linux; elsewhere the wheel of sounddevice brings it)."""
NO_DEVICE = 11
"""There is no sound device, or none that takes sound."""

_BLOCKS_PER_S = 20


def main(arguments: list[str]) -> int:
    """Does what the arguments say and returns an exit code (that of the player after `--run`)."""
    if arguments[0] == "--measure":
        return _measure(arguments[1])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if arguments[0] == "--run":
        return _run(arguments[1:])
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
        with soundfile.SoundFile(arguments[0]) as file:
            try:
                sounddevice.check_output_settings(samplerate=file.samplerate, channels=file.channels, dtype="float32")
            except (sounddevice.PortAudioError, ValueError):
                _play_converted(sounddevice, file)
            else:
                _play(sounddevice, file)
    except sounddevice.PortAudioError:
        return NO_DEVICE
    return PLAYED


def _play(sounddevice: Any, file: Any) -> None:
    """Streams the file as it is, so that a long one takes no memory."""
    with sounddevice.OutputStream(samplerate=file.samplerate, channels=file.channels, dtype="float32") as stream:
        while len(block := file.read(max(1, file.samplerate // _BLOCKS_PER_S), dtype="float32", always_2d=True)):
            stream.write(block)


def _play_converted(sounddevice: Any, file: Any) -> None:
    """Plays in stereo at the device's own rate: bare ALSA devices often take neither one channel nor 8,000 Hz."""
    import numpy as np
    from scipy.signal import resample_poly

    rate_hz = int(sounddevice.query_devices(kind="output")["default_samplerate"])
    mono = file.read(dtype="float32", always_2d=True).mean(axis=1)
    mono = np.clip(resample_poly(mono, rate_hz, file.samplerate), -1.0, 1.0).astype(np.float32)
    with sounddevice.OutputStream(samplerate=rate_hz, channels=2, dtype="float32") as stream:
        stream.write(np.ascontiguousarray(np.stack([mono, mono], axis=1)))


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


def _end_with_parent() -> None:
    """Waits for standard input to close, and ends this process and the player it may have started."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
