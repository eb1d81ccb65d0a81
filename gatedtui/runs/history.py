"""What a run's events add up to: its epochs, the best of them, how fast it goes and how long it may still take."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from gatedtui.config import RunConfig
from gatedtui.events import TERMINAL, Epoch, Event, Finished, Resumed, Started, Step
from gatedtui.runs.epochs import Epochs
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.follow import LIMIT, Tail

RECENT = 10
"""Epochs whose mean duration stands for the next ones'."""


@dataclass
class History:
    """A run so far. Grows by `add`, in constant time; empty again after `clear`.

    Each epoch stands once: one that comes again, as after a resume from before it, takes the place of the earlier one
    and of all that followed it.
    """

    started: Started | None = None
    epochs: Epochs = field(default_factory=Epochs)
    step: Step | None = None
    """The last sign of life within an epoch."""
    finished: Finished | None = None
    last: Event | None = None
    """The last event of any kind."""
    best: Epoch | None = None
    """The epoch with the lowest finite `valid_nll`, the earliest of equals."""
    frames_per_s: float | None = None
    """The last speed that was measured."""

    def add(self, event: Event) -> None:
        """Takes one event in, in the order of the file."""
        self.last = event
        if isinstance(event, Started):
            self.started = event
        elif isinstance(event, Step):
            self.step = event
        elif isinstance(event, Epoch):
            self._add_epoch(event)
        elif isinstance(event, Resumed):
            self.step = self.finished = None
        elif isinstance(event, Finished):
            self.finished = event
        if isinstance(event, Step | Epoch) and math.isfinite(event.frames_per_s):
            self.frames_per_s = event.frames_per_s

    def _add_epoch(self, epoch: Epoch) -> None:
        kept = self.epochs.before(epoch.epoch)
        if self.best is not None and self.best.epoch >= epoch.epoch:
            scored = [one for one in kept if math.isfinite(one.valid_nll)]
            self.best = min(scored, key=lambda one: one.valid_nll, default=None)
        self.epochs = kept.followed_by(epoch)
        if math.isfinite(epoch.valid_nll) and (self.best is None or epoch.valid_nll < self.best.valid_nll):
            self.best = epoch

    def clear(self) -> None:
        """Forgets everything, as when the file was cut short and is read anew."""
        self.__init__()

    @property
    def last_epoch(self) -> Epoch | None:
        """The last epoch that came to its end."""
        return self.epochs[-1] if self.epochs else None

    def time_left_s(self, config: RunConfig) -> float | None:
        """Seconds of training still to come if validation gets no better; longer, up to `epochs`, if it does.

        That is the smaller of the epochs left and those the patience rule still grants, times the mean duration of the
        last ten epochs, less what is done of the present one. None before the first epoch's end and when the run ended
        otherwise than by finishing; 0 when it finished.
        """
        if isinstance(self.last, Finished):
            return 0.0
        last = self.last_epoch
        if last is None or isinstance(self.last, TERMINAL):
            return None
        left = config.train.epochs - last.epoch
        if config.train.patience and self.best is not None:
            left = min(left, self.best.epoch + config.train.patience - last.epoch)
        return max(0.0, left - self._share_of_present_epoch(last)) * self._epoch_s(last)

    def _epoch_s(self, last: Epoch) -> float:
        if len(self.epochs) == 1:
            return last.elapsed_s / max(1, last.epoch)
        earlier = self.epochs[-1 - min(RECENT, len(self.epochs) - 1)]
        return max(0.0, last.elapsed_s - earlier.elapsed_s) / max(1, last.epoch - earlier.epoch)

    def _share_of_present_epoch(self, last: Epoch) -> float:
        if self.step is None or last.epoch < 1 or last.updates < 1:
            return 0.0
        return min(1.0, max(0.0, (self.step.updates - last.updates) * last.epoch / last.updates))


def load(folder: RunFolder, *, progress: Callable[[str, int, int], None] | None = None) -> History:
    """The history of a run as its file stands; an empty one where there is no file.

    `progress` is told `(what, done, total)` in bytes while it is read.
    """
    history, tail, more, done = History(), Tail(folder), True, 0
    size = folder.events_path.stat().st_size if progress and folder.events_path.exists() else 0
    while more:
        batch = tail.read()
        done += LIMIT
        if progress and batch.more:
            progress(f"reading the events of '{folder.name}'", min(done, size), size)
        if batch.reset:
            history.clear()
        for event in batch.events:
            history.add(event)
        more = batch.more
    return history
