"""What travels between threads, widgets and apps."""

from dataclasses import dataclass

from textual.message import Message

from gatedtui.tui.snapshot import Snapshot


@dataclass
class RunsRead(Message):
    """A thread has looked at the run folders.

    Attributes:
        runs: in the order to show them.
        load: the machine's, where it was measured.
    """

    runs: tuple[Snapshot, ...]
    load: "Load | None" = None


@dataclass(frozen=True)
class Load:
    """How busy the machine is.

    Attributes:
        cpu: percent of all cores, since the last look.
        memory: bytes in use.
    """

    cpu: float
    memory: int


@dataclass
class Trouble(Message):
    """Something asked for in a thread did not work.

    Attributes:
        what: the sentence.
        hint: what to do.
    """

    what: str
    hint: str = ""


@dataclass
class Done(Message):
    """Something asked for in a thread worked.

    Attributes:
        what: the sentence.
    """

    what: str
