"""What travels between threads, widgets and apps."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from gatedtui.runs.row import Row
from gatedtui.tui.alerts import Disk
from gatedtui.tui.form import Resolved
from gatedtui.tui.gpu import Gpu
from gatedtui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from gatedtui.tui.sweeps import State


@dataclass
class RunsRead(Message):
    """A thread has looked at the run folders.

    Attributes:
        runs: in the order to show them.
        load: the machine's, where it was measured.
        chosen: the runs that were chosen to be compared.
        rows: all runs in figures, newest first.
        disk: where the runs are kept, where it was measured.
    """

    runs: tuple[Snapshot, ...]
    load: "Load | None" = None
    chosen: tuple[Snapshot, ...] = ()
    rows: tuple[Row, ...] = ()
    disk: Disk | None = None


@dataclass(frozen=True)
class Load:
    """How busy the machine is.

    Attributes:
        cpu: percent of all cores, since the last look.
        memory: bytes in use.
        gpu: likewise, where there is one that says so.
    """

    cpu: float
    memory: int
    gpu: Gpu | None = None


@dataclass
class Trouble(Message):
    """Something asked for in a thread did not work.

    Attributes:
        what: the sentence.
        hint: what to do.
        asked: whether a key asked for it, so that it is said again when it fails again.
    """

    what: str
    hint: str = ""
    asked: bool = False


@dataclass
class Done(Message):
    """Something asked for in a thread worked.

    Attributes:
        what: the sentence.
    """

    what: str


@dataclass
class Begun(Message):
    """A run has been started, the first of several.

    Attributes:
        path: its folder.
    """

    path: Path


@dataclass
class Busy(Message):
    """Something that takes a while has begun, or ended.

    Attributes:
        what: what is being done; "" when it is over.
    """

    what: str


@dataclass
class Sounding(Message):
    """A song has begun, or ended.

    Attributes:
        what: what is heard; "" when it is over.
    """

    what: str


@dataclass
class Opened(Message):
    """Another folder of runs is wanted.

    Attributes:
        runs: the folder.
        run: the run in it that was named, if one was.
        home: where new runs go and sweeps lie, if it is another: what is opened is then a sweep of it.
    """

    runs: Path
    run: Path | None = None
    home: Path | None = None


@dataclass
class SweepRead(Message):
    """A thread has looked at a sweep.

    Attributes:
        runs: the runs folder it looked in.
        state: what it saw.
    """

    runs: Path
    state: "State"


@dataclass
class Understood(Message):
    """A thread has found out what a form means.

    Attributes:
        resolved: the meaning.
    """

    resolved: Resolved


@dataclass
class Filled(Message):
    """A thread has read an old run's settings.

    Attributes:
        typed: the form that leads to them.
    """

    typed: dict[str, str]


@dataclass
class Described(Message):
    """A thread has asked what a data set holds.

    Attributes:
        data: its name and, of a folder, the rate asked for, or 0.
        about: what `gated data info` says of it; empty where it failed.
    """

    data: tuple[str, int]
    about: dict[str, Any]
