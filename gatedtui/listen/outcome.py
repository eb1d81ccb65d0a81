"""How playing ended, and how that is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatedtui.listen.programs import elsewhere, install

End = Literal["played", "stopped", "interrupted", "silent"]
NO_PORTAUDIO = "PortAudio is missing"
NO_DEVICE = "no sound device was found"


@dataclass(frozen=True)
class Outcome:
    """How playing ended."""

    path: Path
    """The file that was asked for."""
    end: End
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


def silent_words(path: Path, why: str, failed: Sequence[str]) -> tuple[str, str]:
    """That nothing here can play a file, and what to do.

    Args:
        path: the file.
        why: what is wrong with the sound device, if that is known.
        failed: the programs that were tried.
    """
    reasons = [why] if why else []
    reasons.append(f"{', '.join(failed)} failed" if failed else "no player is on PATH")
    hint = elsewhere(path)
    if why == NO_PORTAUDIO:
        hint = f"{install()} {hint}"
    return f"Cannot play '{path}' here: {', and '.join(reasons)}.", hint


def played_words(path: Path, how: str, heard_s: float, rest_s: float, *, doubtful: bool) -> tuple[str, str]:
    """That a file was played, and what to do should nothing have been heard.

    Args:
        path: the file.
        how: what played it.
        heard_s: how long that ran.
        rest_s: how long it should have run.
        doubtful: whether it may have ended without a sound, as ffplay does without a device.
    """
    if not doubtful or heard_s >= rest_s / 2:
        return f"Played '{path}' with {how}.", ""
    what = f"{how} ended after {heard_s:.1f} of {rest_s:.1f} s of '{path}'."
    return what, f"If you heard nothing: {elsewhere(path)}"
