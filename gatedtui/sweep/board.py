"""A sweep as it stands, read from its folder alone: for the command, the app, and whoever looks on from elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from typing import Any

from gatedtui.config import RunConfig
from gatedtui.errors import GatedError
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.follow import Tail
from gatedtui.runs.history import History
from gatedtui.runs.status import status
from gatedtui.sweep.folder import SweepFolder
from gatedtui.sweep.plan import DONE, Slot


@dataclass
class View:
    """One trial as it stands. Grows by `refresh`.

    Attributes:
        slot: its place in the sweep.
        run: its folder, there or not.
        drawn: its training seed and the values of the swept keys.
        word: its status, or `waiting` while it has no folder.
        history: what its events add up to.
        config: its whole config, once it has a folder that can be read.
    """

    slot: Slot
    run: RunFolder
    drawn: dict[str, Any]
    word: str = "waiting"
    history: History = field(default_factory=History)
    config: RunConfig | None = None
    _tail: Tail | None = field(default=None, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether it is a result, good or bad."""
        return self.word in DONE

    @property
    def valid_nll(self) -> float:
        """The best validation NLL so far, nats a frame; infinite where there is none."""
        return self.history.best.valid_nll if self.history.best else math.inf

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, over all resumes."""
        return self.history.last_epoch.elapsed_s if self.history.last_epoch else 0.0

    def refresh(self) -> None:
        """Reads what is new; does nothing once the trial is done."""
        if self.is_done:
            return
        if self.config is None:
            if not self.run.config_path.exists():
                return
            try:
                self.config = self.run.config()
            except GatedError:
                self.word = "failed"
                return
        self.word = status(self.run).word  # asked first, so that the end is read after it
        self._tail = self._tail or Tail(self.run)
        more = True
        while more:
            batch = self._tail.read()
            if batch.reset:
                self.history.clear()
            for event in batch.events:
                self.history.add(event)
            more = batch.more

    def seconds_left(self) -> float | None:
        """Training still to come, as `History.time_left_s`; None where nothing says."""
        if self.is_done:
            return 0.0
        return self.history.time_left_s(self.config) if self.config and self.word == "running" else None


@dataclass
class Board:
    """All trials of a sweep. Empty until `refresh`.

    Attributes:
        folder: the sweep.
    """

    folder: SweepFolder

    def __post_init__(self) -> None:
        self.about = self.folder.about()
        self.views = [
            View(slot, self.folder.run(slot), self.about.drawn(slot)) for slot in sorted(self.about.slots(), key=_order)
        ]
        self.driven = False

    def refresh(self) -> None:
        """Reads what is new in all trials; a few milliseconds for a hundred."""
        self.driven = lock.is_held(self.folder.lock_path)
        for view in self.views:
            view.refresh()

    def cells(self) -> list[list[View]]:
        """The trials by data set and unit, in the order of the sweep; the seeds of a cell together."""
        found = {key: list(views) for key, views in groupby(self.views, key=lambda v: (v.slot.data, v.slot.unit))}
        return [found[key] for key in product(self.about.data, self.about.units) if key in found]

    def count(self, *words: str) -> int:
        """How many trials have one of these statuses."""
        return sum(view.word in words for view in self.views)

    def time_left_s(self, jobs: int) -> float | None:
        """Seconds until all trials are done with `jobs` of them trained at a time; None before anything says.

        A trial that has not begun is taken to last as long as the mean of those of its unit and data set that are done
        or under way, else of its data set, else of all.
        """
        if all(view.is_done for view in self.views):
            return 0.0
        known = [(view, view.elapsed_s + left) for view in self.views if (left := view.seconds_left()) is not None]
        if not known:
            return None
        left_s = 0.0
        for view in self.views:
            own = view.seconds_left()
            left_s += own if own is not None else max(0.0, _expected(view, known) - view.elapsed_s)
        return left_s / max(1, jobs)


def _expected(view: View, known: Sequence[tuple[View, float]]) -> float:
    slot = view.slot
    for like in (
        [s for v, s in known if (v.slot.data, v.slot.unit) == (slot.data, slot.unit)],
        [s for v, s in known if v.slot.data == slot.data],
        [s for _, s in known],
    ):
        if like:
            return sum(like) / len(like)
    return 0.0


def _order(slot: Slot) -> tuple[str, str, int, int]:
    return slot.data, slot.unit, slot.seed, slot.draw
