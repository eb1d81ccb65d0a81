"""A run in figures, read cheaply: what the lists of runs show.

Of a finished run only `run.toml` and the end of `events.jsonl` are read (0.5 ms each); others are read through, step
events passed over unparsed.
"""

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gatedtui.config import RunConfig
from gatedtui.events import Epoch, Event, Finished, Started, from_line
from gatedtui.runs.ending import last_lines
from gatedtui.runs.folder import RunFolder
from gatedtui.runs.history import History
from gatedtui.runs.status import status

TAIL = 1 << 13
"""Bytes at the end of a finished run's events: its last epochs and how it ended."""
STEP = b'{"event": "step"'
"""How the lines begin that a summary does not need; seven of ten lines are such."""
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
    try:
        return _add(row, events if events is not None else _whole(run.events_path))
    except _ToldAgain:
        history = History()
        for event in _whole(run.events_path):
            history.add(event)
        return _with(row, history.started, history.last_epoch, history.best, history.finished)


def _add(row: Row, events: Iterable[Event]) -> Row:
    started = last = best = done = None
    for event in events:
        match event:
            case Started():
                started = event
            case Finished():
                done = event
            case Epoch():
                if last is not None and event.epoch <= last.epoch:
                    raise _ToldAgain
                last = event
                if math.isfinite(event.valid_nll) and (best is None or event.valid_nll < best.valid_nll):
                    best = event
    return _with(row, started, last, best, done)


class _ToldAgain(Exception):
    """An epoch comes a second time, so that all of them have to be kept to know which count."""


def _with(row: Row, started: Started | None, last: Epoch | None, best: Epoch | None, done: Finished | None) -> Row:
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
        "lr": float(lr) if isinstance(lr, int | float) and abs(lr) < 1e9 else math.nan,
        "seed": _typed(tables, "seed", DEFAULTS.seed),
    }


def _typed(table: Mapping[str, Any], key: str, default: Any) -> Any:
    value = table.get(key, default)
    return value if type(value) is type(default) else default


def _end(path: Path) -> list[Event] | None:
    """The last events of a finished run; None where they do not tell all, so that the whole file has to be read."""
    try:
        lines, whole = last_lines(path, TAIL)
    except OSError:
        return []
    events = _parse(lines)
    told = any(isinstance(event, Epoch) for event in events) and any(isinstance(event, Finished) for event in events)
    return events if told or whole else None


def _whole(path: Path) -> Iterator[Event]:
    """The events of a file one by one: it may be a hundred megabytes long."""
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield from _parse([line])
    except OSError:
        return


def _parse(lines: Iterable[bytes]) -> list[Event]:
    events = [from_line(line) for line in lines if line and not line.startswith(STEP)]
    return [event for event in events if event is not None and isinstance(event, Started | Epoch | Finished)]
