"""The events of a run and their JSON lines: what `train` yields, `events.jsonl` holds and every face reads.

NLLs are nats a frame; `train_nll` is the epoch's running mean with weight noise on, every other figure is measured
without noise; figures are frame-weighted unless named `…_sequence` (contracts: events).
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_type_hints

from gatedtui import strict_json

NAN = math.nan


@dataclass(frozen=True)
class Started:
    """The first event: what is trained, on what, and how."""

    run: str = ""
    unit: str = ""
    data: str = ""
    recipe: str = ""
    seed: int = 0
    parameters: dict[str, int] = dataclasses.field(default_factory=dict)
    """`recurrent`, `output`, `total`."""
    kernel: str = ""
    kernel_why: str = ""
    device: str = ""
    threads: int = 1
    marginal_nll: float = NAN
    """Test NLL of guessing without listening: each pitch by its frequency, each sample by one Gaussian, of the training
    set."""
    paper_nll: float | None = None
    """The paper's test figure for this unit and data set (Table 2, as recalled), or None."""
    epochs: int = 0
    host: str = ""
    time: str = ""


@dataclass(frozen=True)
class Step:
    """A sign of life within an epoch, at most four a second."""

    updates: int = 0
    epoch: int = 0
    loss: float = NAN
    frames_per_s: float = NAN
    time: str = ""


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch's end: the validation set has been scored."""

    epoch: int = 0
    updates: int = 0
    frames: int = 0
    train_nll: float = NAN
    valid_nll: float = NAN
    valid_nll_sequence: float = NAN
    grad_norm: float = NAN
    lr: float = NAN
    frames_per_s: float = NAN
    elapsed_s: float = 0.0
    time: str = ""


@dataclass(frozen=True)
class Saved:
    """State and best model are on disk."""

    updates: int = 0
    epoch: int = 0
    time: str = ""


@dataclass(frozen=True)
class Resumed:
    """Training goes on from the saved state."""

    updates: int = 0
    epoch: int = 0
    time: str = ""


@dataclass(frozen=True)
class Diverged:
    """A loss or gradient stopped being finite; the last good state and best model are kept."""

    updates: int = 0
    epoch: int = 0
    what: str = ""
    hint: str = ""
    time: str = ""


@dataclass(frozen=True)
class Stopped:
    """Someone asked the run to stop; it is saved and can go on."""

    updates: int = 0
    epoch: int = 0
    time: str = ""


@dataclass(frozen=True)
class Failed:
    """The run cannot go on."""

    what: str = ""
    hint: str = ""
    exit: int = 1
    time: str = ""


@dataclass(frozen=True)
class Finished:
    """Training is over; the best model has been scored once on all three splits."""

    best_epoch: int = 0
    valid_nll: float = NAN
    train_nll_frame: float = NAN
    train_nll_sequence: float = NAN
    test_nll_frame: float = NAN
    test_nll_sequence: float = NAN
    time: str = ""


Event = Started | Step | Epoch | Saved | Resumed | Diverged | Stopped | Failed | Finished
KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind for kind in (Started, Step, Epoch, Saved, Resumed, Diverged, Stopped, Failed, Finished)
}
TERMINAL = (Diverged, Stopped, Failed, Finished)
"""The last event of a run that is over, or that waits to be resumed."""


def name(event: Event) -> str:
    """`"epoch"` for an `Epoch`, and so on."""
    return type(event).__name__.lower()


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_dict(event: Event) -> dict[str, Any]:
    """The event as plain values, NaN and infinities as None."""
    return {"event": name(event)} | {key: _strict(value) for key, value in dataclasses.asdict(event).items()}


def to_line(event: Event) -> str:
    """One line of strict JSON, with its newline."""
    return json.dumps(to_dict(event), allow_nan=False, ensure_ascii=False) + "\n"


def from_line(line: str | bytes) -> Event | None:
    """The event on a line, or None when the line is not one of ours (a half-written line, a later version's event).

    Unknown fields are left out, missing ones take their defaults, and null reads as NaN where a number belongs.
    """
    try:
        content = strict_json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    kind = KINDS.get(str(content.get("event")))
    if kind is None:
        return None
    values = {}
    for key, wanted in _FIELDS[kind].items():
        if key in content:
            value = _read(content[key], wanted)
            if value is not _UNFIT:
                values[key] = value
    return kind(**values)


_FIELDS = {kind: get_type_hints(kind) for kind in KINDS.values()}
_UNFIT = object()


def _strict(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _read(value: Any, wanted: Any) -> Any:
    if value is None:
        return NAN if wanted is float else None if wanted == float | None else _UNFIT
    if wanted in (float, float | None):
        try:
            return float(value) if isinstance(value, int | float) else _UNFIT
        except OverflowError:  # an integer of hundreds of digits
            return _UNFIT
    if wanted is int:
        return value if _counts(value) else _UNFIT
    if wanted is str:
        return value if isinstance(value, str) else _UNFIT
    return {key: n for key, n in value.items() if _counts(n)} if isinstance(value, dict) else _UNFIT


def _counts(value: Any) -> bool:
    """Whether it is a whole number that any face can show and calculate with."""
    return isinstance(value, int) and abs(value) < 2**63
