"""How long a run may take: from runs like it that have finished here, else a rough figure from its size."""

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gatedtui import paths
from gatedtui.config import RunConfig
from gatedtui.runs.row import Row
from gatedtui.tui import looks

OPERATIONS = 6
"""Floating-point operations a weight and a frame: two forward, four backward (each a product and a sum)."""
RATES = {"native": 7e10, "bptt": 1e10}
"""Operations a second of one CPU thread by kernel, validation and saving included, with AVX-512. The three released
Bach runs, of the bptt kernel and three at once on two cores, came to 7.2, 8.5 and 11.8e9 (gru, lstm, tanh)."""
USUAL_EPOCHS = 200
"""Epochs the rough figure assumes where patience ends a run: the released ones took 201, 208 and 327."""
MOST = 10
"""Of the newest runs alike, at most so many count."""


@dataclass(frozen=True)
class Estimate:
    """A guess and where it comes from.

    Attributes:
        seconds: None where there is nothing to guess from.
        how: `from 3 runs of gru on bach`, `a rough guess …`; 48 cells with the time, which is all that 80 columns have.
    """

    seconds: float | None
    how: str

    @property
    def text(self) -> str:
        """`about 4:01, from 3 runs of gru on bach`."""
        return f"about {looks.clock(self.seconds)}, {self.how}" if self.seconds is not None else self.how


@cache
def has_native() -> bool:
    """Whether the compiled kernel is installed: its libraries are looked for by name, since `gatedtui.kernels` imports
    torch."""
    return any((paths.PACKAGE / "kernels" / "lib").glob("gated_*.so"))


def estimate(
    config: RunConfig, weights: int, frames: int | None, rows: Sequence[Row], *, native: bool = True, cores: int = 0
) -> Estimate:
    """How long one run may take when it has a core of its own.

    Args:
        config: what is to be trained.
        weights: parameters in all.
        frames: training frames an epoch, where they are known.
        rows: the runs there are.
        native: whether the compiled kernel is there to train with.
        cores: CPU threads of the machine; 0 asks it.
    """
    unit, data = config.model.unit, config.data.name.rstrip("/").rpartition("/")[2] or config.data.name
    alike = [row for row in rows if row.word == "finished" and row.unit == unit and row.data == data and row.epochs]
    alike = [row for row in alike if row.elapsed_s > 0]
    same = [row for row in alike if row.hidden == config.model.hidden and row.recipe == config.train.recipe]
    alike = (same or alike)[:MOST]
    if alike:
        each = statistics.median(row.elapsed_s / row.epochs for row in alike)
        epochs = _epochs(config, round(statistics.median(row.epochs for row in alike)))
        other = "recipe" if all(row.hidden == config.model.hidden for row in alike) else "size"
        what = f"{unit} on {looks.clean(data)}" if same else f"another {other}"
        return Estimate(each * epochs, f"from {len(alike)} run{'s' * (len(alike) > 1)} of {what}")
    frames = frames or next((row.frames for row in rows if row.data == data and row.frames), None)
    if not frames:
        return Estimate(None, "no estimate before the data is prepared")
    epochs = _epochs(config, USUAL_EPOCHS)
    threads = max(min(config.train.threads, cores or os.cpu_count() or 1), 1)
    seconds = OPERATIONS * weights * frames * epochs / (RATES["native" if native else "bptt"] * threads)
    return Estimate(seconds, f"a rough guess for {epochs} epochs")


def _epochs(config: RunConfig, usual: int) -> int:
    """Epochs a run may take: all of them, or as many as others took where patience ends it."""
    return min(config.train.epochs, usual) if config.train.patience else config.train.epochs
