"""The play-head of a screen and the sound under it, together: handlers call it, a thread does what it says."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from gatedtui.errors import GatedError
from gatedtui.tui import deck
from gatedtui.tui.answers import PlaceHeard, Silent
from gatedtui.tui.deck import Head, Order, Orders


class Transport:
    """Plays one of several files from a place on; without a sound card the head moves all the same.

    Args:
        screen: is told `PlaceHeard` and `Silent`.
        start: what opens the files, in place of `listen.player.start_clips`.
    """

    def __init__(self, screen: Screen[Any], start: deck.Start | None = None) -> None:
        self.head = Head()
        self.silent = False
        self._screen = screen
        self._start = start
        self._open: tuple[Path, ...] = ()
        self._orders: Orders = Orders()
        self._number = 0
        self._worker: Worker[None] | None = None

    @property
    def place(self) -> float:
        """Where the head is now, in seconds."""
        return self.head.place(time.monotonic())

    def go(self, at_s: float, path: Path | None, others: Sequence[Path] = ()) -> None:
        """Moves the head on from a place, and plays a file from there.

        Args:
            at_s: seconds from the beginning.
            path: what is heard; None moves the head alone.
            others: files that may be asked for next, without a gap.
        """
        sounds = path is not None and not self.silent
        self.head = self.head.go(at_s, time.monotonic(), waits=sounds)
        if path is not None and sounds:
            if path not in self._open or self._worker is None or not self._worker.is_running:
                self._begin(tuple(dict.fromkeys((path, *others))))
            self._order(path, at_s)
        else:
            self._order(None, 0.0)

    def rest(self) -> None:
        """Stops the head and the sound; both keep the place."""
        self.head = self.head.rest(time.monotonic())
        self._order(None, 0.0)

    def put(self, at_s: float) -> None:
        """Puts the head elsewhere, at rest."""
        self.head = self.head.put(at_s)
        self._order(None, 0.0)

    def close(self) -> None:
        """Stops the head and lets go of the files."""
        self.head = self.head.rest(time.monotonic())
        if self._worker is not None:
            self._worker.cancel()
        self._open, self._worker = (), None

    def heard(self, message: PlaceHeard) -> None:
        """Takes the head to where it is heard, unless something else was asked for since."""
        if self.head.moves and message.order == self._number:
            self.head = Head(message.at_s, time.monotonic(), True)

    def fell_silent(self) -> bool:
        """Lets the head move by the clock from now on; whether that is new."""
        known, self.silent = self.silent, True
        if self.head.moves and self.head.since is None:
            self.head = Head(self.head.at_s, time.monotonic(), True)
        return not known

    def _order(self, path: Path | None, at_s: float) -> None:
        self._number += 1
        if self._worker is not None:
            self._orders.put(Order(self._number, path, at_s))

    def _begin(self, paths: tuple[Path, ...]) -> None:
        if self._worker is not None:
            self._worker.cancel()
        self._open, orders = paths, Orders()
        self._orders = orders
        screen, start = self._screen, self._start

        def listen() -> None:
            worker = get_current_worker()

            def told(number: int, at_s: float) -> None:
                screen.post_message(PlaceHeard(number, at_s))

            def gone() -> bool:
                return worker.is_cancelled or not screen.app.is_running

            try:
                outcome = deck.hear(paths, orders, told, gone, start)
            except GatedError as error:
                screen.post_message(Silent(error.what.rstrip(".")))
                return
            if outcome is not None and outcome.end == "silent":
                why = outcome.what.partition(" here: ")[2] or outcome.what  # the file's name says nothing to anybody
                screen.post_message(Silent(why.partition(", and ")[0].rstrip(".")))

        self._worker = screen.run_worker(listen, thread=True, group="sound", exit_on_error=False)
