"""All runs of a runs folder as rows of plain values, for a thread: what is over is read once and cheaply.

Of a finished run only `run.toml` and the end of `events.jsonl` are read (0.5 ms each); others are read through, step
events passed over unparsed. After that a row costs three `stat` calls a look until its files change.
"""

import math
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatedtui.config import RunConfig
from gatedtui.events import Epoch, Event, Finished, Started, from_line
from gatedtui.runs import lock
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import History
from gatedtui.runs.status import status
from gatedtui.tui.snapshot import Snapshot

TAIL = 1 << 13
"""Bytes at the end of a finished run's events: its last epochs and how it ended."""
STEP = b'{"event": "step"'
"""How the lines begin that a summary does not need; seven of ten lines are such."""
AGAIN_S = 15.0
"""Between two readings of a run at work that nobody watches: its file changes all the time."""
DEFAULTS = RunConfig()


@dataclass(frozen=True)
class Row:
    """One run, in figures.

    Attributes:
        path: the run folder.
        made: when its `run.toml` was written, in seconds since 1970.
        word: as in `Snapshot`; "" while the row has not been read yet.
        frames: training frames an epoch.
        best_valid, best_epoch: the lowest validation NLL, nats a frame, and where.
        test_frame, test_piece: test NLL in both weightings.
        elapsed_s: training time.
    """

    path: Path
    made: float = 0.0
    word: str = ""
    can_resume: bool = False
    unit: str = ""
    hidden: int | None = None
    data: str = ""
    recipe: str = ""
    lr: float = math.nan
    seed: int | None = None
    epochs: int = 0
    frames: int = 0
    best_valid: float = math.nan
    best_epoch: int | None = None
    test_frame: float = math.nan
    test_piece: float = math.nan
    elapsed_s: float = math.nan

    @property
    def name(self) -> str:
        """The run's name."""
        return self.path.name

    @property
    def alive(self) -> bool:
        """Whether a worker is, or may be, at work."""
        return self.word in ("starting", "training", "stopping")


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


def read_row(run: RunFolder) -> Row:
    """A run's row, read from its folder; what cannot be read keeps its default."""
    found = status(run)
    word = "training" if found.word == "running" else found.word
    try:
        made = run.config_path.stat().st_mtime
    except OSError:
        made = 0.0
    row = Row(run.path, made, word, found.can_resume, **_config(run.config_path))
    events = _end(run.events_path) if word == "finished" else None
    return _add(row, events if events is not None else _whole(run.events_path))


def _add(row: Row, events: Sequence[Event]) -> Row:
    history = History()
    for event in events:
        history.add(event)
    last, best, done, started = history.last_epoch, history.best, history.finished, history.started
    if last is not None:
        row = replace(row, epochs=last.epoch, elapsed_s=last.elapsed_s, frames=last.frames)
    if best is not None:
        row = replace(row, best_valid=best.valid_nll, best_epoch=best.epoch)
    if done is not None:
        row = replace(
            row,
            best_valid=done.valid_nll,
            best_epoch=done.best_epoch,
            test_frame=done.test_nll_frame,
            test_piece=done.test_nll_sequence,
        )
    if started is not None and not row.unit:
        row = replace(row, unit=started.unit, data=started.data, recipe=started.recipe, seed=started.seed)
    return row


def _config(path: Path) -> dict[str, Any]:
    """The figures of a `run.toml`. Values of the wrong type are left out; the whole file is judged elsewhere, at ten
    times the cost."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    model, data, train = (t if isinstance(t := tables.get(k), Mapping) else {} for k in ("model", "data", "train"))
    name = _typed(data, "name", DEFAULTS.data.name)
    lr = train.get("lr", DEFAULTS.train.lr)
    return {
        "unit": _typed(model, "unit", DEFAULTS.model.unit),
        "hidden": _typed(model, "hidden", DEFAULTS.model.hidden),
        "data": name.rstrip("/").rpartition("/")[2] or name,
        "recipe": _typed(train, "recipe", DEFAULTS.train.recipe),
        "lr": float(lr) if isinstance(lr, int | float) else math.nan,
        "seed": _typed(tables, "seed", DEFAULTS.seed),
    }


def _typed(table: Mapping[str, Any], key: str, default: Any) -> Any:
    value = table.get(key, default)
    return value if type(value) is type(default) else default


def _end(path: Path) -> list[Event] | None:
    """The last events of a finished run; None where they do not tell all, so that the whole file has to be read."""
    try:
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL))
            lines = file.read(TAIL).split(b"\n")
    except OSError:
        return []
    events = _parse(lines[:-1] if size <= TAIL else lines[1:-1])
    told = any(isinstance(event, Epoch) for event in events) and any(isinstance(event, Finished) for event in events)
    return events if told or size <= TAIL else None


def _whole(path: Path) -> list[Event]:
    try:
        return _parse(path.read_bytes().split(b"\n")[:-1])
    except OSError:
        return []


def _parse(lines: Sequence[bytes]) -> list[Event]:
    events = [from_line(line) for line in lines if line and not line.startswith(STEP)]
    return [event for event in events if event is not None and isinstance(event, Started | Epoch | Finished)]


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
