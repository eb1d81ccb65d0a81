"""What the threads behind the Samples and the Gates screen tell their screen."""

from dataclasses import dataclass

from textual.message import Message

from gatedtui.tui.gate_view import GateView
from gatedtui.tui.models import Model
from gatedtui.tui.songs import Song, Take


@dataclass
class ModelsRead(Message, bubble=False):
    """A thread has looked for trained models.

    Attributes:
        models: as `models.find` gives them.
    """

    models: tuple[Model, ...]


@dataclass
class SongRead(Message, bubble=False):
    """A song has come a step further.

    Attributes:
        round: which of the screen's requests it belongs to; older ones do not count.
        number: its place, 0 for the real one.
        song: as it is now; None where there is no real one.
    """

    round: int
    number: int
    song: Song | None


@dataclass
class RealScored(Message, bubble=False):
    """A model has been asked how unlikely it finds the real piece.

    Attributes:
        round: as in `SongRead`.
        number: the model's place.
        nll: nats a frame.
    """

    round: int
    number: int
    nll: float


@dataclass
class TakeSettled(Message, bubble=False):
    """What all songs have in common had to be fitted to the piece they begin with.

    Attributes:
        round: as in `SongRead`.
        take: as it is now.
    """

    round: int
    take: Take


@dataclass
class PlaceHeard(Message, bubble=False):
    """A place is heard.

    Attributes:
        order: number of the last order that was carried out; places of earlier ones do not count.
        at_s: where in the song, in seconds.
    """

    order: int
    at_s: float


@dataclass
class Silent(Message, bubble=False):
    """Nothing can be heard here.

    Attributes:
        why: in one sentence.
    """

    why: str


@dataclass
class GatesRead(Message, bubble=False):
    """What `gated gates` has answered.

    Attributes:
        round: as in `SongRead`.
        view: it, ready to be shown.
    """

    round: int
    view: GateView


@dataclass
class Failed(Message, bubble=False):
    """What was asked for did not come.

    Attributes:
        round: as in `SongRead`.
        what: the sentence.
        hint: what to do.
    """

    round: int
    what: str
    hint: str = ""
