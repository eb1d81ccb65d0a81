"""What should not go unnoticed: a loss that jumps, a run that is silent, a disk that fills. Plain values in and out.

Time is monotonic throughout, so a clock that is set forward or back raises no alarm and hides none.
"""

import math
import statistics
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gatedtui.events import Epoch
from gatedtui.tui import looks
from gatedtui.tui.snapshot import Snapshot

WINDOW = 20
"""Epochs that say what is usual."""
LEAST = 5
"""Epochs there must be before anything is unusual."""
DEVIATIONS = 8.0
"""Robust standard deviations above the median that make a spike."""
SHARE = 0.05
"""And at least this share of the median, so that a flat curve's last digits are no spike: in the 736 epochs of the
three released Bach runs, weight noise and all, no loss stood that far above the twenty before it."""
SPIKE_S = 60.0
"""How long a spike is shown."""
STALLED_S = 60.0
"""A worker tells of itself four times a second; only scoring a large validation set, or importing torch on a cold
disk, keeps it silent for longer."""
LOW_DISK = 1 << 30
"""Bytes free below which a disk is nearly full: a hundred times what a run of the paper's size writes."""


@dataclass
class Spikes:
    """Looks at the training loss of each epoch as it comes.

    Attributes:
        last: the last epoch that was a spike.
    """

    last: Epoch | None = None
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, epoch: Epoch) -> None:
        """Takes one epoch in."""
        loss = epoch.train_nll
        if not math.isfinite(loss):
            return  # that is a divergence, which the worker itself tells
        if self.is_spike(loss):
            self.last = epoch
        self._recent.append(loss)

    def is_spike(self, loss: float) -> bool:
        """Whether a loss stands far above the recent ones."""
        if len(self._recent) < LEAST:
            return False
        usual = statistics.median(self._recent)
        if loss - usual <= SHARE * abs(usual):
            return False
        spread = 1.4826 * statistics.median(abs(value - usual) for value in self._recent)
        return loss - usual > DEVIATIONS * spread


@dataclass(frozen=True)
class Disk:
    """Where the runs are kept.

    Attributes:
        free: bytes left on it.
    """

    free: int


@dataclass(frozen=True)
class Alert:
    """Something that is wrong now.

    Attributes:
        word: what kind, in one or two words.
        text: the sentence, beginning with what it is about.
        path: the run, where it is one.
    """

    word: str
    text: str
    path: Path | None = None


def silent_s(run: Snapshot, now: float) -> float:
    """How long a run at work has told nothing, in seconds; 0 for others."""
    return max(now - run.heard, 0.0) if run.word in ("training", "stopping") and run.heard else 0.0


def find(runs: Sequence[Snapshot], disk: Disk | None, now: float) -> list[Alert]:
    """What is wrong now, the most urgent first.

    Args:
        runs: the runs that are watched.
        disk: None where nobody has looked.
        now: monotonic time in seconds.
    """
    alerts: list[Alert] = []
    if disk is not None and disk.free < LOW_DISK:
        alerts.append(Alert("disk nearly full", f"disk nearly full: {looks.memory(disk.free)} free"))
    for run in runs:
        name = looks.clean(run.name)
        quiet = silent_s(run, now)
        if quiet > STALLED_S:
            alerts.append(Alert("stalled", f"{name} stalled: silent for {looks.clock(quiet)}", run.path))
        spike = run.spike
        if spike is not None and run.word in ("training", "stopping") and _lately(run, spike, now):
            text = f"{name} loss spike: {looks.nll(spike.train_nll)} in epoch {spike.epoch}"
            alerts.append(Alert("loss spike", text, run.path))
    return alerts


def _lately(run: Snapshot, epoch: Epoch, now: float) -> bool:
    """Whether an epoch was less than a minute of training ago."""
    if run.epoch is None:
        return False
    trained = run.epoch.elapsed_s - epoch.elapsed_s
    return trained + max(now - run.heard, 0.0) <= SPIKE_S
