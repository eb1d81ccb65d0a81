"""A song among others: which it is, its picture with the play-head, its NLL and statistics."""

from dataclasses import dataclass, replace

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.pieces import Scale, blank
from gatedtui.tui.songs import Song
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.piece import PieceView, View

TWO_LINES = 9
"""Rows of a panel from which on the figures get a line of their own."""
REAL = "◇"
"""The sign of the real piece, beside those of the units."""


@dataclass(frozen=True)
class State:
    """What a panel shows besides its song.

    Attributes:
        number: of the song.
        chosen: whether it is the one to be heard.
        hidden: whether neither name nor picture nor figures are shown, for listening blind.
        time: `▶ 0:07/0:42`, of the chosen one.
        figures: in words, the most telling first.
        prime: how it begins, for the real one's name.
        spinner: what turns while it is drawn.
    """

    number: int
    chosen: bool = False
    hidden: bool = False
    time: str = ""
    figures: tuple[str, ...] = ()
    prime: str = ""
    spinner: str = ""


class SongPanel(Vertical):
    """One song."""

    DEFAULT_CSS = """
    SongPanel { height: 1fr; }
    SongPanel > Lines { height: 1; }
    SongPanel > .problem { height: 1fr; }
    """

    @dataclass
    class Chosen(Message):
        """A panel was clicked beside its picture.

        Attributes:
            number: of its song.
        """

        number: int

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.song = Song(None)
        self._state = State(number)

    def compose(self) -> ComposeResult:
        yield Lines(classes="title")
        yield PieceView()
        yield Lines(classes="problem")
        yield Lines(classes="foot")

    def on_resize(self) -> None:
        """Chooses again what fits."""
        self._lay_out()

    def on_click(self, event: Click) -> None:
        """Chooses the song."""
        self.post_message(self.Chosen(self.number))

    def show(self, song: Song, state: State, scale: Scale) -> None:
        """Shows the song so."""
        self.song, self._state = song, state
        if self.children:
            piece, colour = song.piece, looks.unit(song.model.unit).colour if song.model else ""
            if state.hidden and piece is not None:
                piece, colour = blank(piece), ""
            self.query_one(PieceView).show(View(piece, scale, colour))
            self._lay_out()

    def point(self, at_s: float | None) -> None:
        """Moves the play-head."""
        piece = self.song.piece
        if self.children:
            step = None if piece is None or at_s is None else int(at_s / piece.step_s)
            self.query_one(PieceView).point(step, bright=self._state.chosen)

    def tick(self, time: str) -> None:
        """Shows another time."""
        if time != self._state.time:
            self._state = replace(self._state, time=time)
            self._lay_out()

    def _lay_out(self) -> None:
        tall, width = self.size.height >= TWO_LINES, self.size.width
        failed = self.song.state == "failed" and self.size.height > 1
        foot, problem = self.query_one(".foot", Lines), self.query_one(".problem", Lines)
        foot.display, problem.display, self.query_one(PieceView).display = tall, failed, not failed
        figures = [] if tall else list(self._state.figures)
        self.query_one(".title", Lines).show([title(self.song, self._state, figures, width, told=failed)])
        foot.show([[("    ", PLAIN), (looks.pack(list(self._state.figures), width - 4, "   ", whole=True), DIM)]])
        problem.show([[("    ", PLAIN), (line, looks.ERROR)] for line in looks.fold(_problem(self.song), width - 5)])


def title(song: Song, state: State, figures: list[str], width: int, *, told: bool = False) -> Spans:
    """`▸ 2 ■ lstm 36 lstm-bach-1   2.95 nats   polyphony 3.7        ▶ 0:07/0:42`; no problem that is `told` below."""
    model = song.model
    if state.hidden:
        shown: Spans = [("?", BOLD)]
    elif model is None:
        shown = [(f"{REAL} ", BOLD), ("real", BOLD), (f" {looks.shorten(looks.clean(state.prime), 24)}", DIM)]
    else:
        look = looks.unit(model.unit)
        shown = [(f"{look.shape} ", look.bright), (f"{model.unit} {model.hidden}", BOLD)]
        shown.append((f" {looks.shorten(looks.clean(model.name), 24)}", DIM))
    sign, style = ("▸", BOLD) if state.chosen else (" ", PLAIN)
    line: Spans = [(f"{sign}{state.number} ", looks.INVERSE if state.chosen else style), (" ", PLAIN), *shown]
    right: Spans = [(f" {state.time} ", BOLD)] if state.time else []
    said, style = _said(song, state)
    room = max(width - looks.length(line) - looks.length(right) - 3, 0)
    text = looks.shorten("" if told else said, room) if said else looks.pack(figures, room, "   ", whole=True)
    line += [("   ", PLAIN), (text, style)]
    return [*line, (" " * max(width - looks.length(line) - looks.length(right), 0), PLAIN), *right]


def _said(song: Song, state: State) -> tuple[str, looks.Style]:
    """What stands in place of the figures while there are none."""
    match song.state:
        case "waiting":
            return "waiting", DIM
        case "drawing":
            return f"{state.spinner} {'drawing' if song.model else 'reading'} …", PLAIN
        case "failed":
            return _problem(song), looks.ERROR
    return "", DIM


def _problem(song: Song) -> str:
    return f"✖ {looks.clean(song.problem)}"
