"""All runs of a runs folder as rows of plain values, for a thread: what is over is read once.

After the first reading a row costs three `stat` calls a look until its files change.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.row import Row, read_row
from gatedtui.tui.snapshot import Snapshot

AGAIN_S = 15.0
"""Between two readings of a run at work that nobody watches: its file changes all the time."""


def from_snapshot(row: Row, run: Snapshot) -> Row:
    """The row of a run that is watched: what the watch has found is newer."""
    if run.word == "gone":
        return row
    last, best, done = run.epoch, run.best, run.finished
    if not row.word and run.config is not None:  # not read yet: the watch was quicker
        model, train = run.config.model, run.config.train
        row = replace(row, unit=model.unit, hidden=model.hidden, data=run.data)
        row = replace(row, recipe=train.recipe, lr=train.lr, seed=run.config.seed)
    return replace(
        row,
        word=run.word,
        can_resume=run.can_resume,
        epochs=last.epoch if last else 0,
        frames=last.frames if last else row.frames,
        best_valid=done.valid_nll if done else best.valid_nll if best else math.nan,
        best_epoch=done.best_epoch if done else best.epoch if best else None,
        test_frame=done.test_nll_frame if done else math.nan,
        test_piece=done.test_nll_sequence if done else math.nan,
        elapsed_s=last.elapsed_s if last else math.nan,
    )


class Listing:
    """The rows of one runs folder. Belongs to one thread."""

    def __init__(self) -> None:
        self._rows: dict[Path, Row] = {}
        self._seen: dict[Path, tuple[object, ...]] = {}
        self._stale: list[RunFolder] = []
        self._made: tuple[Row, ...] = ()

    def rescan(self, found: Sequence[RunFolder]) -> None:
        """Notes which runs are new, changed or gone.

        Args:
            found: all runs, newest first.
        """
        marks = {run.path: _mark(run, self._rows.get(run.path)) for run in found}
        self._rows = {path: self._rows.get(path) or Row(path) for path in marks}
        self._stale = [run for run in found if self._seen.get(run.path) != marks[run.path]]
        self._seen = {path: mark for path, mark in self._seen.items() if path in marks}
        self._made = tuple(self._rows.values())

    def read(self, within_s: float) -> bool:
        """Reads what is new or changed for at most this long; whether all of it is read now."""
        give_up = time.monotonic() + within_s
        done = 0
        for run in self._stale:
            if done and time.monotonic() >= give_up:
                break
            done += 1
            before = self._rows.get(run.path)
            self._seen[run.path] = _mark(run, before)
            self._rows[run.path] = read_row(run)
        if done:
            del self._stale[:done]
            self._made = tuple(self._rows.values())
        return not self._stale

    @property
    def rows(self) -> tuple[Row, ...]:
        """All runs, newest first; the same object while nothing has changed."""
        return self._made

    def alive(self) -> set[Path]:
        """The runs at work."""
        return {row.path for row in self._made if row.alive}


def _mark(run: RunFolder, row: Row | None) -> tuple[object, ...]:
    """What changes when a run's row may have changed."""
    if row is None or not row.alive:
        return _stat(run.config_path), _stat(run.events_path), _stat(run.lock_path)
    # A worker that is killed leaves its files as they are, and "starting" ends with time.
    now = time.monotonic()
    return lock.is_held(run.lock_path), now // (1.0 if row.word == "starting" else AGAIN_S)


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
