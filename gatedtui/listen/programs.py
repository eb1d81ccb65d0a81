"""The players a system may have, and the ways from a file to the ear on this machine."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from gatedtui.listen import device


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

DEVICE = "sounddevice"
"""The name of the way through PortAudio."""


class Way(NamedTuple):
    """A way that can be tried: its name, and the words that start the program (none for the sound device)."""

    name: str
    command: tuple[str, ...] = ()


def ways(*, is_wav: bool) -> list[Way]:
    """What can be tried on this machine, in order.

    Args:
        is_wav: whether all files are WAV; some programs take nothing else.
    """
    found = [Way(DEVICE)]
    for program in PROGRAMS:
        path = shutil.which(program.name)
        if path and (is_wav or not program.only_wav):
            found.append(Way(program.name, (path, *program.arguments)))
    return found


def child(*arguments: str) -> list[str]:
    """The command that runs `device.py` in a process of its own."""
    # -P: a file called numpy.py in the folder the user happens to be in must not be imported.
    return [sys.executable, "-P", device.__file__, *arguments]


def end(process: "subprocess.Popen[bytes]") -> None:
    """Makes sure that such a child is gone, with all of its session: it may be waiting for a player, which would go on
    without it."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):  # it may have ended by itself just now
                os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def system_player() -> str | None:
    """The path of the player that would be taken for a WAV file if the sound device could not be used, else None."""
    return next((found for program in PROGRAMS if (found := shutil.which(program.name))), None)


def install() -> str:
    """How to get PortAudio."""
    if sys.platform.startswith("linux"):
        return "Install it: apt-get install libportaudio2 (Fedora: dnf install portaudio)."
    return "Install it: pip install --force-reinstall sounddevice."


def elsewhere(path: Path) -> str:
    """What to do with a file that cannot be heard here."""
    return f"Or copy {shlex.quote(str(path.absolute()))} to a machine with sound."
