"""`gated listen` on a terminal: clips side by side under one play-head, switched by number keys that keep the place.

The clips were gathered before; here nothing is drawn and nothing is read. Sound comes from a child process
(`listen.player`); where there is none the screen says so once, keeps its pictures, and writes files on `w`.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message

from gatedtui.errors import GatedError
from gatedtui.listen import player
from gatedtui.listen.items import Item, write_clips
from gatedtui.listen.player import Playing
from gatedtui.tui import listen_lines, looks, themes
from gatedtui.tui.looks import DIM, PLAIN, Spans
from gatedtui.tui.messages import Done, Trouble
from gatedtui.tui.pieces import Piece, Scale
from gatedtui.tui.screens.help import HelpScreen
from gatedtui.tui.terminal import SIGNALS, give_signals_back, take_signals, wants_tracebacks
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.piece import PieceView, View

TICK_S = 0.1
SEEK_S = 5.0
Open = Callable[[Sequence[Path]], Playing]


def run_listen(items: Sequence[Item], *, title: str, place: Path, open_clips: Open = player.start_clips) -> None:
    """Shows the items until the user leaves.

    Args:
        items: matched (`listen.items.matched`), one to nine.
        title: what they have in common.
        place: the folder that `w` writes into.
        open_clips: opens the clips' files for playing.

    Raises:
        GatedError: the view itself broke, or the temporary files cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix="gated-listen-"))
    try:
        clips = write_clips(items, folder, names=[str(number) for number in range(len(items))])
        with open_clips(clips) as playing:
            app = ListenApp(items, playing, title=title, place=place)
            app.run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if app.failure is not None:
        what = f"The view broke: {type(app.failure).__name__}: {app.failure}."
        raise GatedError(what, "gated listen … --out DIR writes the clips.") from app.failure


class Track(Vertical):
    """One clip: a title over its picture.

    Args:
        number: its key, from 1.
        item: the clip.
        piece: its picture.
        scale: shared with the others.
    """

    DEFAULT_CSS = """
    Track { height: 1fr; }
    Track > Lines { height: 1; }
    """

    @dataclass
    class Chosen(Message):
        """A clip was clicked beside its picture.

        Attributes:
            number: its key.
        """

        number: int

    def __init__(self, number: int, item: Item, piece: Piece, scale: Scale) -> None:
        super().__init__()
        self.number, self.item, self.piece, self.scale = number, item, piece, scale

    def compose(self) -> ComposeResult:
        yield Lines()
        yield PieceView()

    def on_click(self, event: Click) -> None:
        """Chooses the clip."""
        self.post_message(self.Chosen(self.number))

    def show(self, *, chosen: bool, time: str, at_s: float) -> None:
        """Shows it with the play-head at this place."""
        if not self.children:
            return
        view = self.query_one(PieceView)
        view.show(View(self.piece, self.scale, listen_lines.look(self.item).colour))
        view.point(int(at_s / self.piece.step_s), bright=chosen)
        line = listen_lines.title(self.item, self.number, chosen=chosen, time=time, width=self.size.width)
        self.query_one(Lines).show([line])


class ListenApp(App[None]):
    """The app.

    Args:
        items, title, place: as for `run_listen`.
        playing: the clips, opened in the same order.
    """

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    CSS = """
    Screen { overflow: hidden; }
    #header, #message, #keys { height: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"switch({number})", "", show=False) for number in range(2, 10)),
        Binding("1", "switch(1)", "to 9: that clip, from the same place", key_display="1"),
        Binding("down,j,tab", "step(1)", "the next clip"),
        Binding("up,k,shift+tab", "step(-1)", "the clip before"),
        Binding("space", "play", "play, or pause"),
        Binding("left,h", f"seek(-{SEEK_S})", "five seconds back"),
        Binding("right", f"seek({SEEK_S})", "five seconds on"),
        Binding("home", "seek(-1e9)", "to the beginning"),
        Binding("l", "loop", "begin again at the end, or not"),
        Binding("w", "write", "write the clips as files"),
        Binding("ctrl+t", "other_theme", "light or dark"),
        Binding("question_mark,f1", "help", "this help"),
        Binding("q,escape", "close", "leave"),
        Binding("ctrl+c,ctrl+q", "close", "leave", priority=True),
    ]

    def __init__(self, items: Sequence[Item], playing: Playing, *, title: str, place: Path) -> None:
        super().__init__()
        self.items, self.playing, self.about, self.place = list(items), playing, title, place
        self.message: Spans = []
        self.silent = False
        self.failure: Exception | None = None
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DARK.name

    def compose(self) -> ComposeResult:
        yield Lines(id="header")
        pictures = [listen_lines.piece(item) for item in self.items]
        scale = listen_lines.scale(pictures, max(item.duration_s for item in self.items))
        for number, (item, picture) in enumerate(zip(self.items, pictures, strict=True), 1):
            yield Track(number, item, picture, scale)
        yield Lines(id="message")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Starts the timer that moves the play-head."""
        if not self.is_headless:
            take_signals(dict.fromkeys(SIGNALS, self.action_close))
        self.set_interval(TICK_S, self.paint)
        self.call_after_refresh(self.paint)

    def on_unmount(self) -> None:
        """Gives the signals back."""
        if not self.is_headless:
            give_signals_back(*SIGNALS)

    def on_resize(self) -> None:
        """Chooses again what fits."""
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Brings everything up to date."""
        if not self.query("#keys"):
            return
        outcome = self.playing.poll()
        if outcome is not None and outcome.end == "silent" and not self.silent:
            self.silent = True
            why = outcome.what.partition(" here: ")[2] or outcome.what
            self.say(f"No sound here: {why.rstrip('.')}. The pictures stay; w writes the files.")
        width, height = self.size.width, self.size.height
        time = listen_lines.time(self.playing)
        each = (height - 3) // len(self.items)
        for track in self.query(Track):
            chosen = track.number == self.playing.clip + 1
            # Where there is no room for all pictures, the chosen one has one.
            track.styles.height = "1fr" if each >= 2 or chosen else 1
            track.show(chosen=chosen, time=time if chosen else "", at_s=self.playing.position_s)
        self.query_one("#header", Lines).show([[(f" {looks.shorten(looks.clean(self.about), width - 2)}", DIM)]])
        self.query_one("#message", Lines).show([self.message])
        self.query_one("#keys", Lines).show([listen_lines.keys(len(self.items), self.playing, width)])

    def say(self, text: str) -> None:
        """Shows a sentence above the keys until the next one."""
        self.message = [(f" {looks.clean(text)}", PLAIN)]

    def on_done(self, message: Done) -> None:
        """Says what worked."""
        self.say(message.what)

    def on_trouble(self, message: Trouble) -> None:
        """Says what did not."""
        self.say(f"{message.what} {message.hint}")

    def on_track_chosen(self, message: Track.Chosen) -> None:
        """Switches to the clip that was clicked."""
        self.action_switch(message.number)

    def on_piece_view_pointed(self, message: PieceView.Pointed) -> None:
        """Goes to the place in the picture that was clicked."""
        track = message.view.parent
        if isinstance(track, Track):
            self.action_switch(track.number)
            self.playing.seek(message.at_s)
            self.paint()

    def action_switch(self, number: int) -> None:
        """Goes to the same place in another clip."""
        if number <= len(self.items):
            self.playing.switch(number - 1)
            self.paint()

    def action_step(self, by: int) -> None:
        """Goes to the same place in the next clip or the one before."""
        self.action_switch((self.playing.clip + by) % len(self.items) + 1)

    def action_play(self) -> None:
        """Pauses, or goes on."""
        self.playing.toggle()
        self.paint()

    def action_seek(self, by_s: float) -> None:
        """Goes on or back."""
        self.playing.seek(self.playing.position_s + by_s)
        self.paint()

    def action_loop(self) -> None:
        """Begins again at the end from now on, or does not."""
        self.playing.loop(not self.playing.looping)
        self.paint()

    def action_write(self) -> None:
        """Writes the clips."""
        self.write()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def write(self) -> None:
        """Writes the clips, in a thread."""
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            written = write_clips(self.items, self.place)
        except (GatedError, OSError) as error:
            self.post_message(Trouble(error.what if isinstance(error, GatedError) else f"Not written: {error}."))
        else:
            self.post_message(Done(f"wrote {len(written)} files into {self.place.absolute()}"))

    def action_other_theme(self) -> None:
        """Light or dark."""
        names = [theme.name for theme in themes.THEMES]
        self.theme = names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0]

    def action_help(self) -> None:
        """Lists the keys."""
        self.push_screen(HelpScreen([("Listen", self.BINDINGS)]))

    def action_close(self) -> None:
        """Leaves."""
        self.exit()

    def _handle_exception(self, error: Exception) -> None:
        if self.is_headless or wants_tracebacks():
            super()._handle_exception(error)
        else:
            self.failure = error
            self.exit(return_code=1)
