"""Songs of several models side by side, from one primer and one seed, with the real continuation beside them."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import ModalScreen, Screen
from textual.timer import Timer
from textual.worker import get_current_worker

from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.tui import asking, deck, looks, models, rounds, scratch, song_lines, songs
from gatedtui.tui.answers import ModelsRead, PlaceHeard, RealScored, Silent, SongRead, TakeSettled
from gatedtui.tui.messages import Done, Trouble
from gatedtui.tui.models import Model
from gatedtui.tui.questions import QUESTIONS
from gatedtui.tui.screens.pick import Pick
from gatedtui.tui.screens.prompt import Prompt
from gatedtui.tui.songs import Song, Take
from gatedtui.tui.transport import Transport
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.piece import PieceView
from gatedtui.tui.widgets.shelf import Shelf
from gatedtui.tui.widgets.song import SongPanel, State

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Samples"
MOST = 6
"""Models side by side."""
FRAME_S = 0.1
"""Between looks at the play-head; a column is painted only when it has moved on."""
SEEK_S = 2.0
PLACE = Path("samples")
"""The folder that `w` writes into, where the app was started."""


class Samples(Screen[None], inherit_bindings=False):
    """Owns what is drawn, what is heard, and where the play-head is.

    Args:
        ask: runs `gated …` as a child and gives its JSON; by default `runs.launch.run_json`.
        start: opens files to play; by default `listen.player.start_clips`.
        shuffle: puts a list in another order, for listening blind.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    Samples { overflow: hidden; }
    Samples > #take { height: 1; }
    Samples > #none { height: 1fr; align: center middle; }
    Samples > #none > Lines { width: 66; max-width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("0", "hear(0)", "the real one, from the same place"),
        Binding("1", "hear(1)", "the first song, from the same place"),
        Binding("2", "hear(2)", "the second song"),
        Binding("3", "hear(3)", "the third song"),
        Binding("down,j,tab", "step(1)", "the next song"),
        Binding("up,k,shift+tab", "step(-1)", "the song before"),
        Binding("space", "play", "play, or pause"),
        Binding("left,h", f"seek(-{SEEK_S})", "two seconds back"),
        Binding("right,l", f"seek({SEEK_S})", "two seconds on"),
        Binding("home", "seek(-1e9)", "to the beginning"),
        Binding("enter", "enlarge(True)", "the song alone, or all again"),
        Binding("escape", "enlarge(False)", "all songs again"),
        Binding("g", "again", "draw again, with the next seed"),
        Binding("t", "change('temperature')", "change the temperature"),
        Binding("p", "change('prime')", "change how they begin"),
        Binding("d", "change('steps')", "change how much is drawn"),
        Binding("s", "change('seed')", "change the seed"),
        Binding("m", "models", "choose the models"),
        Binding("b", "blind", "listen blind: hide and shuffle, or reveal"),
        Binding("w", "write", "write MIDI and WAV files"),
    ]

    def __init__(
        self,
        ask: Any = launch.run_json,
        start: deck.Start | None = None,
        shuffle: Callable[[list[int]], object] = random.shuffle,
    ) -> None:
        super().__init__()
        self._ask, self._shuffle = ask, shuffle
        self.known: tuple[Model, ...] | None = None
        self.models: list[Model] = []
        self.take_now = Take()
        self.songs: dict[int, Song] = {}
        self.real_nll: dict[int, float] = {}
        self.sound = Transport(self, start)
        self.chosen = 1
        self.order: list[int] = []  # while listening blind, which song is shown at each place
        self.enlarged, self.round = False, 0
        self._folder: Path | None = None
        self._timer: Timer | None = None

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def song_at(self, place: int) -> Song:
        """The song shown at a place: another than its own while listening blind; an empty one where there is none."""
        places = sorted(self.songs)
        hidden = self.order[places.index(place)] if self.order and place in places else place
        return self.songs.get(hidden) or Song(None)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="take")
        yield Shelf()
        with Container(id="none"):
            yield Lines(id="why")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Looks for models, and follows the app's beat."""
        self.watch(self.app, "beat", self.paint, init=False)
        self._timer = self.set_interval(FRAME_S, self.move, pause=True)
        self.look()

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self.sound.close()
        scratch.remove(self._folder)

    def on_screen_resume(self) -> None:
        """Looks for models again, and shows what has happened meanwhile."""
        if self.known is not None:
            self.look()
        self.paint()

    def on_screen_suspend(self) -> None:
        """Falls silent when another screen is shown, though not under a question."""
        if not isinstance(self.app.screen, ModalScreen):
            self.rest()

    # What threads do.

    @work(thread=True, exclusive=True, group="models", exit_on_error=False)
    def look(self) -> None:
        """Looks for trained models."""
        asking.look_for_models(self, self.gated.runs_folder)

    @work(thread=True, exclusive=True, group="draw", exit_on_error=False)
    def draw(self, chosen: Sequence[Model], take: Take, this: int) -> None:
        """Has songs drawn; `this` is the round they belong to."""
        if self._folder is None:
            self._folder = scratch.make()
        rounds.draw_all(
            chosen,
            take,
            self._folder,
            f"{this}",
            ask=asking.child(self._ask, get_current_worker()),
            tell=lambda place, song: self.post_message(SongRead(this, place, song)),
            scored=lambda place, nll: self.post_message(RealScored(this, place, nll)),
            settled=lambda take: self.post_message(TakeSettled(this, take)),
        )

    @work(thread=True, exclusive=True, group="write", exit_on_error=False)
    def write(self, shown: Mapping[int, Song], take: Take) -> None:
        """Writes the songs' files."""
        place = PLACE.absolute()
        try:
            written = songs.write(shown, take, place)
            self.app.post_message(Done(f"wrote {len(written)} files into {looks.clean(str(place))}"))
        except GatedError as error:
            self.app.post_message(Trouble(error.what, error.hint))

    # What they tell.

    def on_models_read(self, message: ModelsRead) -> None:
        """Draws from the first choice, once there is one."""
        self.known = message.models
        if not self.models and self.known:
            self.open(models.choose(self.known))
        self.paint()

    def on_song_read(self, message: SongRead) -> None:
        """Shows a song that has come a step further."""
        if message.round != self.round:
            return
        if message.song is not None:
            self.songs[message.number] = message.song
        else:
            self.songs.pop(message.number, None)
            self.chosen = self.chosen if self.chosen in self.songs else 1
        self.paint()

    def on_real_scored(self, message: RealScored) -> None:
        """Shows what a model thinks of the real one."""
        if message.round == self.round:
            self.real_nll[message.number] = message.nll
            self.paint()

    def on_take_settled(self, message: TakeSettled) -> None:
        """Shows how much of a short piece is given."""
        if message.round == self.round:
            self.take_now = message.take
            self.paint()

    def on_place_heard(self, message: PlaceHeard) -> None:
        """Takes the play-head there."""
        self.sound.heard(message)

    def on_silent(self, message: Silent) -> None:
        """Says once why nothing is heard; the play-head moves all the same."""
        if self.sound.fell_silent():
            self.gated.say(f"No sound: {message.why}. The pictures move; w writes files.")

    # Drawing.

    def open(self, chosen: Sequence[Model]) -> None:
        """Draws songs from these models; a primer of other data than theirs is changed for one of it."""
        before, first = self.models[:1], chosen[0]
        self.models = list(chosen)[:MOST]
        if not before or before[0].kind != first.kind:
            self.take_now = songs.first_take(first, models.primer(first))
        elif before[0].data != first.data:
            self.take_now = replace(self.take_now, prime=models.primer(first))
        self.again()

    def again(self) -> None:
        """Draws everything anew."""
        self.sound.close()
        self.sound.put(0.0)
        self.round += 1
        self.songs = {0: Song(None)} if self.take_now.prime else {}
        self.songs |= {place: Song(model) for place, model in enumerate(self.models, start=1)}
        self.chosen = self.chosen if self.chosen in self.songs else 1
        self.real_nll, self.order = {}, []
        self.paint()
        self.draw(tuple(self.models), self.take_now, self.round)

    def action_again(self) -> None:
        """Draws again, with the next seed."""
        if self.models:
            self.take_now = replace(self.take_now, seed=self.take_now.seed + 1)
            self.again()

    def action_change(self, name: str) -> None:
        """Asks for something that all songs have in common, and draws anew when it is another."""
        question, before = QUESTIONS[name], f"{getattr(self.take_now, name)}"

        def take(answer: str | None) -> None:
            if answer is not None and answer != before:
                self.take_now = replace(self.take_now, **{name: question.kind(answer)})
                self.again()

        if self.models:
            self.app.push_screen(Prompt(question.title, before, hints=question.hints, check=question.check), take)

    def action_models(self) -> None:
        """Asks which models are heard."""

        def take(chosen: tuple[Model, ...] | None) -> None:
            if chosen and list(chosen) != self.models:
                self.open(chosen)

        if self.known:
            self.app.push_screen(Pick(self.known, self.models, most=MOST), take)

    def action_write(self) -> None:
        """Writes the songs that are ready."""
        if any(song.state == "ready" for song in self.songs.values()):
            self.write(dict(self.songs), self.take_now)
        else:
            self.gated.say("Nothing is drawn yet.")

    # Painting.

    def paint(self) -> None:
        """Brings everything up to date."""
        if not self.is_current or not self.query(KeyLine):
            return
        shelf = self.query_one(Shelf)
        shelf.display, self.query_one("#none").display = bool(self.songs), not self.songs
        kind = self.models[0].kind if self.models else ""
        line = song_lines.take_line(self.take_now, kind, self.size.width) if self.models else []
        self.query_one("#take", Lines).show([line])
        self.query_one("#why", Lines).show(song_lines.why_none(looked=self.known is not None))
        shown = {place: (self.song_at(place), self._state(place)) for place in self.songs}
        shelf.show(shown, alone=self.chosen if self.enlarged else None)
        keys = song_lines.keys(sorted(self.songs), moves=self.sound.head.moves, enlarged=self.enlarged)
        frame.paint(self, NAME, keys)
        self.move()

    def _state(self, place: int) -> State:
        song, spinner = self.song_at(place), looks.SPINNER[self.gated.beat % len(looks.SPINNER)]
        time = song_lines.time(song, self.sound.place, moves=self.sound.head.moves) if place == self.chosen else ""
        figures = () if self.order else song_lines.figures(song, self.real_nll, self.models)
        return State(place, place == self.chosen, bool(self.order), time, figures, self.take_now.prime, spinner)

    def move(self) -> None:
        """Moves the play-head to where it is now; at the end of the longest song it rests."""
        at_s, head = self.sound.place, self.sound.head
        if head.moves and at_s >= self.length_s:
            self.sound.put(self.length_s)
            self.rest()
            return
        time = song_lines.time(self.song_at(self.chosen), at_s, moves=head.moves)
        self.query_one(Shelf).point(at_s if head.moves or at_s > 0 else None, self.chosen, time)

    # Hearing.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """A number without a song leads to a screen, as it does everywhere else."""
        return action != "hear" or set(parameters) <= self.songs.keys()

    @property
    def length_s(self) -> float:
        """How long the longest song is."""
        return max((song.piece.length_s for song in self.songs.values() if song.piece is not None), default=0.0)

    def play(self, at_s: float) -> None:
        """Moves the play-head on from a place, with the chosen song's sound."""
        song = self.song_at(self.chosen)
        if song.piece is not None:
            ready = [other.wav for other in self.songs.values() if other.wav is not None]
            self.sound.go(0.0 if at_s >= self.length_s - deck.END_S else at_s, song.wav, ready)
            if self._timer is not None:
                self._timer.resume()
            self.paint()

    def rest(self) -> None:
        """Stops the play-head and the sound."""
        self.sound.rest()
        if self._timer is not None:
            self._timer.pause()
        self.paint()

    def action_play(self) -> None:
        """Plays, or pauses."""
        if self.sound.head.moves:
            self.rest()
        else:
            self.play(self.sound.place)

    def action_hear(self, place: int) -> None:
        """Chooses a song; if one is heard, this one is from now on, from the same place."""
        if place in self.songs and place != self.chosen:
            self.chosen = place
            if self.sound.head.moves:
                self.play(self.sound.place)
            self.paint()

    def action_step(self, by: int) -> None:
        """Chooses the next song or the one before, round about."""
        places = sorted(self.songs)
        if places:
            self.action_hear(places[(places.index(self.chosen) + by) % len(places)])

    def action_seek(self, by_s: float) -> None:
        """Puts the play-head elsewhere; what plays goes on from there."""
        at_s = min(max(self.sound.place + by_s, 0.0), max(self.length_s - 2 * deck.END_S, 0.0))
        if self.sound.head.moves:
            self.play(at_s)
        else:
            self.sound.put(at_s)
            self.paint()

    def on_piece_view_pointed(self, message: PieceView.Pointed) -> None:
        """Puts the play-head where the mouse has clicked."""
        panel = message.view.parent
        if isinstance(panel, SongPanel):
            self.chosen = panel.number
            self.action_seek(message.at_s - self.sound.place)

    def on_song_panel_chosen(self, message: SongPanel.Chosen) -> None:
        """Chooses the song that was clicked."""
        self.action_hear(message.number)

    def action_enlarge(self, alone: bool) -> None:
        """Shows the chosen song alone, or all again."""
        self.enlarged = alone and not self.enlarged
        self.paint()

    def action_blind(self) -> None:
        """Hides which song is which and puts them in another order; or puts them back and tells which it was."""
        if self.order:
            self.gated.tell(song_lines.revealed({place: self.song_at(place) for place in sorted(self.songs)}))
            self.order = []
        elif all(song.state == "ready" for song in self.songs.values()) and len(self.songs) > 1:
            self.order = sorted(self.songs)
            self._shuffle(self.order)
        else:
            self.gated.say("Blind listening begins when all songs are drawn.")
        self.paint()
