"""What is known of a run at one moment: plain frozen values that a thread makes and widgets show."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatedtui.config import RunConfig
from gatedtui.events import Diverged, Epoch, Event, Failed, Finished, Started, Step
from gatedtui.runs.epochs import Epochs

NONE = Epochs()
ALIVE = ("starting", "training", "stopping")
"""The words of a run whose worker is, or may be, at work."""


@dataclass(frozen=True)
class Snapshot:
    """One run, as the last look at its folder found it.

    Attributes:
        path: the run folder.
        word: `starting training finished stopped diverged failed crashed`, or `gone` when the folder has vanished.
        can_resume: whether the run could go on.
        config: None where `run.toml` cannot be read.
        started, epoch, best, step, finished, last: events of the run: the last epoch, the one with the lowest
            validation NLL, the last sign of life, and the last event of any kind.
        valid, train: NLL of each epoch; the same object from one look to the next while nothing was added.
        epochs: the epochs themselves, of a very long run every second, fourth … of them; the same object too.
        first_seen: the monotonic time of the first look, in seconds.
        heard: the monotonic time at which the last event was found, in seconds.
        spike: the last epoch whose loss stood far above the ones before it (see `alerts.Spikes`).
        tail: the newest events, oldest first.
        problem: one sentence about what is wrong, or "".
    """

    path: Path
    word: str = "starting"
    can_resume: bool = False
    config: RunConfig | None = None
    started: Started | None = None
    epoch: Epoch | None = None
    best: Epoch | None = None
    step: Step | None = None
    finished: Finished | None = None
    last: Event | None = None
    valid: Sequence[float] = ()
    train: Sequence[float] = ()
    epochs: Epochs = NONE
    frames_per_s: float | None = None
    time_left_s: float | None = None
    first_seen: float = 0.0
    heard: float = 0.0
    spike: Epoch | None = None
    tail: tuple[Event, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def alive(self) -> bool:
        """Whether a worker is, or may be, at work."""
        return self.word in ALIVE

    @property
    def unit(self) -> str:
        """`tanh`, `lstm`, `gru`, or "" before it is known."""
        return self.config.model.unit if self.config else self.started.unit if self.started else ""

    @property
    def hidden(self) -> int | None:
        """Units a layer."""
        return self.config.model.hidden if self.config else None

    @property
    def data(self) -> str:
        """The data set's name; of a folder its last component."""
        name = self.config.data.name if self.config else self.started.data if self.started else ""
        return name.rstrip("/").rpartition("/")[2] or name

    @property
    def is_sound(self) -> bool:
        """Whether the run models a waveform, whose NLL is of a density."""
        return self.config is not None and self.config.model.head == "mixture"

    @property
    def paper(self) -> float | None:
        """The paper's test NLL, or None."""
        value = self.started.paper_nll if self.started else None
        return value if value is not None and math.isfinite(value) else None

    @property
    def marginal(self) -> float | None:
        """Test NLL of guessing each pitch by its frequency, or None."""
        value = self.started.marginal_nll if self.started else math.nan
        return value if math.isfinite(value) else None

    @property
    def elapsed_s(self) -> float | None:
        """Training time until the last epoch, over all resumes."""
        return self.epoch.elapsed_s if self.epoch else None

    @property
    def best_index(self) -> int | None:
        """Where the best epoch stands in `valid`; None without one."""
        return self.epochs.place(self.best.epoch) if self.best else None

    @property
    def share_of_epoch(self) -> float | None:
        """How much of the running epoch is done, 0 to 1; None in the first epoch, whose length nobody knows yet, and
        where epochs are so short that the figure would only flicker."""
        if self.epoch is None or self.step is None or self.epoch.epoch < 1:
            return None
        if self.epoch.elapsed_s < 2 * self.epoch.epoch:
            return None
        each = self.epoch.updates / self.epoch.epoch
        over = self.step.updates - self.epoch.updates
        return min(over / each, 1.0) if each > 0 and over > 0 else None


def trouble(last: Event | None) -> str:
    """The sentence a run ended with, if it ended badly."""
    match last:
        case Failed() | Diverged():
            return last.what
        case _:
            return ""
