"""What a run is doing, from its folder alone: the lock, the end of its events, and its age."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatedtui.events import TERMINAL, Event, from_line, name
from gatedtui.runs import lock
from gatedtui.runs.ending import last_lines
from gatedtui.runs.folder import RunFolder

Word = Literal["running", "starting", "finished", "stopped", "diverged", "failed", "crashed"]

TAIL = 1 << 16
"""Bytes of `events.jsonl` that are read: its last event lies among them."""
STARTING_S = 30.0
"""Seconds a worker has from `run.toml` to its `started`; importing torch takes one, on a cold disk ten."""
RESUMABLE: tuple[Word, ...] = ("stopped", "crashed", "failed")
"""A failed run can go on once its cause is gone (data, disk, device). A diverged one cannot: its state is the last good
one, and from there the same updates diverge again; it wants another learning rate, hence another run."""


@dataclass(frozen=True)
class Status:
    """A run's status."""

    word: Word
    can_resume: bool
    """Whether `gated resume` would train on."""


def status(folder: RunFolder, *, now: float | None = None) -> Status:
    """The status of a run. Never raises for what is missing: a run that was removed is `crashed`, not to be resumed.

    Args:
        folder: the run.
        now: seconds since 1970; the present by default.
    """
    if lock.is_held(folder.lock_path):
        return Status("running", False)
    last = _last_event(folder.events_path)
    if not isinstance(last, TERMINAL):
        # A worker may have taken the lock, or ended and let go of it, since we looked: look again.
        if lock.is_held(folder.lock_path):
            return Status("running", False)
        latest = _last_event(folder.events_path)
        last = latest if isinstance(latest, TERMINAL) else last
    try:
        age_s = (time.time() if now is None else now) - folder.config_path.stat().st_mtime
    except OSError:
        return Status("crashed", False)
    word: Word = "crashed"
    if isinstance(last, TERMINAL):
        word = name(last)  # pyright: ignore[reportAssignmentType]
    elif last is None and abs(age_s) < STARTING_S:
        word = "starting"
    return Status(word, word in RESUMABLE)


def _last_event(path: Path) -> Event | None:
    """The last event that stands whole in the file's last 64 KiB; None where there is none."""
    try:
        lines, _ = last_lines(path, TAIL)
    except OSError:
        return None
    return next((event for line in reversed(lines) if (event := from_line(line)) is not None), None)
