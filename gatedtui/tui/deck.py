"""The play-head, and the sound under it: several files of which one is heard, switched without losing the place.

The head moves by the clock whether or not anything can be heard; the sound, played in a thread, corrects it.
"""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatedtui.listen.player import Outcome, Playing

POLL_S = 0.1
END_S = 0.05
"""So close to the end of a file nothing is left to be heard."""
Start = Callable[[Sequence[Path]], "Playing"]
"""Opens files, paused: `listen.player.start_clips`."""


@dataclass(frozen=True)
class Head:
    """Where the play-head is.

    Attributes:
        at_s: where it stood at the moment `since`, or stands, in seconds from the beginning.
        since: monotonic time in seconds; None while it stands still.
        moves: whether it shall move; without `since` it waits for the sound to begin.
    """

    at_s: float = 0.0
    since: float | None = None
    moves: bool = False

    def place(self, now: float) -> float:
        """Where it is, in seconds."""
        return self.at_s if self.since is None else self.at_s + max(now - self.since, 0.0)

    def go(self, at_s: float, now: float, *, waits: bool) -> "Head":
        """The head moving from a place, or about to."""
        return Head(max(at_s, 0.0), None if waits else now, True)

    def rest(self, now: float) -> "Head":
        """The head where it is, at rest."""
        return Head(self.place(now))

    def put(self, at_s: float) -> "Head":
        """The head at rest elsewhere."""
        return replace(self, at_s=max(at_s, 0.0), since=None, moves=False)


@dataclass(frozen=True)
class Order:
    """What shall be heard: a file from a place on, or nothing while `path` is None.

    Attributes:
        number: counts the orders; reports name the last one that was carried out.
    """

    number: int
    path: Path | None = None
    at_s: float = 0.0


Orders = queue.SimpleQueue[Order]
Told = Callable[[int, float], object]
"""Told the number of the last order, and where in the file it sounds now."""


def hear(
    paths: Sequence[Path], orders: Orders, told: Told, cancelled: Callable[[], bool], start: Start | None = None
) -> "Outcome | None":
    """Keeps files open and does as it is ordered, until nothing can be heard here or it is cancelled.

    Args:
        paths: WAV files; orders name one of them.
        orders: what to do.
        told: told where it sounds, ten times a second while it does.
        cancelled: asked ten times a second.
        start: what opens the files, in place of `listen.player.start_clips`.

    Returns:
        Why nothing can be heard; None when it was cancelled.

    Raises:
        BadSource: a file cannot be read.
    """
    if start is None:
        from gatedtui.listen.player import start_clips as start
    number = 0
    with start(paths) as playing:
        while not cancelled():
            outcome = playing.poll()
            if outcome is not None:
                return outcome
            try:
                order = orders.get(timeout=POLL_S)
            except queue.Empty:
                if playing.playing:
                    told(number, playing.position_s)
                continue
            while not orders.empty():  # only the last of several counts
                order = orders.get()
            number = order.number
            _obey(playing, paths, order)
    return None


def _obey(playing: "Playing", paths: Sequence[Path], order: Order) -> None:
    clip = paths.index(order.path) if order.path in paths else None
    if clip is None:
        playing.pause()
        return
    playing.switch(clip)
    playing.seek(order.at_s)
    if order.at_s >= playing.duration_s - END_S:
        playing.pause()
    else:
        playing.resume()
