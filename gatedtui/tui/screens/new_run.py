"""The form for a new run: its fields, what they come to in weights and time, and the equal command line."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer

from gatedtui import modelfile
from gatedtui.config import DataConfig
from gatedtui.errors import GatedError
from gatedtui.runs import launch
from gatedtui.runs.folder import RunFolder
from gatedtui.tui import form, looks
from gatedtui.tui.estimate import estimate, has_native
from gatedtui.tui.form import Resolved
from gatedtui.tui.keys import keys
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.messages import Described, Filled, Trouble, Understood
from gatedtui.tui.starting import about_data
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.fields import Fields
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "New run"
PATH_S = 0.5
"""Pause in the typing of a path after which the folder is looked at."""


class NewRun(Screen[None], inherit_bindings=False):
    """Asks what to train.

    Args:
        like: the folder of a run whose settings fill the form.
    """

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    NewRun { overflow: hidden; }
    NewRun > #title { height: 1; margin: 0 0 1 0; }
    NewRun > #meaning { height: auto; min-height: 2; margin: 1 0 0 0; }
    NewRun > #plans, NewRun > #command { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "begin", "start training"),
        Binding("escape", "back", "back without starting"),
        Binding("up,shift+tab", "move(-1)", "the field above"),
        Binding("down,tab", "move(1)", "the field below"),
        Binding("pageup", "move(-8)", "eight fields up"),
        Binding("pagedown", "move(8)", "eight fields down"),
        Binding("left,right", "nothing", "another choice, or the cursor in a text"),
        Binding("ctrl+y", "copy", "copy the command line"),
        Binding("ctrl+r", "reset", "empty the form"),
    ]

    def __init__(self, like: Path | None = None) -> None:
        super().__init__()
        self.like = like
        self.resolved = Resolved({})
        self.wants_start = False
        self._pause: Timer | None = None

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="title")
        yield Fields(keys(), {})
        yield Lines(id="meaning")
        yield Lines(id="plans")
        yield Lines(id="command")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Fills the form in and follows the app's state."""
        self.query_one(Fields).focus()
        self.watch(self.app, "beat", self.paint, init=False)
        if self.like is not None:
            self._fill(self.like)
        self._understand({})
        self.paint()

    def on_resize(self) -> None:
        """Wraps the lines anew."""
        self.call_after_refresh(self.paint)

    # Understanding what is typed, in threads.

    @work(thread=True, exclusive=True, group="understand", exit_on_error=False)
    def _understand(self, typed: dict[str, str]) -> None:
        resolved = form.resolve(typed, self.gated.home)
        self.post_message(Understood(resolved))

    @work(thread=True, group="fill", exit_on_error=False)
    def _fill(self, path: Path) -> None:
        try:
            self.post_message(Filled(form.like(RunFolder(path).config())))
        except GatedError as error:
            self.app.post_message(Trouble(error.what, error.hint))

    @work(thread=True, group="describe", exit_on_error=False)
    def _describe(self, data: DataConfig) -> None:
        try:
            about = launch.run_json(about_data(data), cancelled=lambda: not self.is_attached)
        except GatedError:
            about = {}
        self.post_message(Described((data.name, data.rate_hz), about if isinstance(about, dict) else {}))

    def on_fields_changed(self, message: Fields.Changed) -> None:
        """Something was typed. A path is looked at when no more of it comes: each of its beginnings is a folder too."""
        if self._pause is not None:
            self._pause.stop()
        if self.query_one(Fields).current.key == "data" and "/" in message.typed.get("data", ""):
            self._pause = self.set_timer(PATH_S, lambda: self._understand(message.typed))
        else:
            self._understand(message.typed)
        self.paint()

    def on_fields_moved(self) -> None:
        """Another field is current."""
        self.paint()

    def on_filled(self, message: Filled) -> None:
        """The old run's settings are there."""
        self.query_one(Fields).fill(message.typed)

    def on_described(self, message: Described) -> None:
        """What the data holds is known."""
        self.gated.described[message.data] = message.about
        self.paint()

    def on_understood(self, message: Understood) -> None:
        """What the form means is known; old answers are let go."""
        fields, found = self.query_one(Fields), message.resolved
        if found.typed != fields.typed:
            return
        self.resolved = found
        fields.show(found.values, found.errors, found.choices)
        if found.ready and self._data not in self.gated.described:
            self.gated.described[self._data] = {}
            self._describe(found.data)
        if self.wants_start:
            self.action_begin()
        self.paint()

    @property
    def _data(self) -> tuple[str, int]:
        return self.resolved.data.name, self.resolved.data.rate_hz

    # Painting.

    def paint(self) -> None:
        """Brings all but the fields up to date."""
        if not self.is_current or not self.query(KeyLine):
            return
        width, fields = self.size.width, self.query_one(Fields)
        title: Spans = [(" New run", BOLD), (f"   kept in {looks.clean(str(self.gated.home))}", DIM)]
        self.query_one("#title", Lines).show([title])
        error = self.resolved.errors.get(fields.current.key, "")
        text = error or self._meaning()
        style = looks.ERROR if error else PLAIN
        meaning: list[Spans] = [
            [(f"   {line}", style)] for line in textwrap.wrap(looks.clean(text), max(width - 4, 10))
        ]
        self.query_one("#meaning", Lines).show([*meaning[:2], *[[]] * (2 - len(meaning))])
        self.query_one("#plans", Lines).show(self._plans(width))
        words = form.command(fields.typed, self.gated.home)
        lines = form.wrapped(words, width - 5)
        shown: list[Spans] = [
            [(" $ " if number == 0 else "   ", DIM), (line, PLAIN)] for number, line in enumerate(lines)
        ]
        self.query_one("#command", Lines).show(shown)
        frame.paint(self, NAME, self._key_items())

    def _meaning(self) -> str:
        key = self.query_one(Fields).current
        if key.key == "data":
            about = self.gated.described.get(self._data, {})
            if about.get("train_pieces") is not None:
                parts = "/".join(str(about.get(f"{part}_pieces")) for part in ("train", "valid", "test"))
                marginal = about.get("marginal_nll_frame")
                guess = f"; guessing {looks.nll(marginal)} nats a frame" if isinstance(marginal, float) else ""
                frames = f"{about.get('train_frames', 0):,} frames to train on"
                return f"{about.get('title', '')}: {parts} pieces, {frames}{guess}."
            choices = " ".join(self.resolved.choices.get("data", ()))
            return (
                f"{key.help} Sets: {choices}. {'' if self.resolved.ready else 'It is prepared when training starts.'}"
            )
        if key.key == "model":
            return f"{key.help} Models: {' '.join(self.resolved.choices.get('model', ()))}."
        return key.help

    def _plans(self, width: int) -> list[Spans]:
        lines: list[Spans] = []
        for plan in self.resolved.plans:
            model, counts = plan.config.model, modelfile.parameters(plan.config.model)
            look = looks.unit(model.unit)
            guess = estimate(plan.config, counts["total"], self._frames(), self.gated.rows, native=has_native())
            weights = f"{counts['recurrent']:,} recurrent + {counts['output']:,} output = {counts['total']:,} weights"
            line: Spans = [(f" {look.shape}", look.bright), (f" {model.unit} {model.hidden}".ljust(10), BOLD)]
            room = width - looks.length(line) - len(weights) - 6
            if room < 24:
                weights = f"{counts['total']:,} weights"
                room = width - looks.length(line) - len(weights) - 6
            lines.append([*line, (f" {weights}", PLAIN), (f"   {looks.shorten(guess.text, room)}", DIM)])
        return lines

    def _frames(self) -> int | None:
        about = self.gated.described.get(self._data, {})
        frames = about.get("train_frames")
        if not isinstance(frames, int):
            return None
        return frames if about.get("kind") == "music" else frames // modelfile.WIDTHS["mixture"][1]

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        items = [("enter", "start", " training", 0), ("↑↓", "field", "", 3), ("←→", "choice", "", 4)]
        items += [("ctrl+y", "copy", " the command line", 2), ("ctrl+r", "empty", " the form", 6)]
        return [*items, ("esc", "back", "", 1), ("f1", "help", "", 5)]

    # Keys.

    def action_begin(self) -> None:
        """Starts training where nothing is wrong, else goes to what is."""
        fields = self.query_one(Fields)
        if self.resolved.typed != fields.typed:
            self.wants_start = True  # what was typed last is not understood yet
            self._understand(dict(fields.typed))
            return
        self.wants_start = False
        found = self.resolved
        if found.errors or not found.plans:
            wrong = [place for place, key in enumerate(fields.keys) if key.key in found.errors]
            fields.move(wrong[0] if wrong else 0)
        elif self.gated.busy:
            self.gated.say("Another run is being started: one moment.")
        else:
            self.gated.train(lambda: found.plans, found.name, found.typed.get("name"))
            self.app.pop_screen()
            self.gated.action_go("Dashboard")

    def action_back(self) -> None:
        """Closes the form."""
        self.app.pop_screen()

    def action_move(self, by: int) -> None:
        """Goes from field to field, where the form itself has not taken the key."""
        fields = self.query_one(Fields)
        fields.move(fields.at + by)

    def action_nothing(self) -> None:
        """The form itself takes these keys."""

    def action_copy(self) -> None:
        """Copies the command line, where the terminal lets programs do that."""
        words = form.command(self.query_one(Fields).typed, self.gated.home)
        self.app.copy_to_clipboard(" ".join(form.wrapped(words, 100_000)))
        self.gated.say("Copied, if this terminal lets programs copy; else mark the line with the mouse and shift.")

    def action_reset(self) -> None:
        """Empties the form."""
        self.query_one(Fields).fill({})
