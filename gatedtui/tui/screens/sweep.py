"""A sweep as a table that fills: every trial's sign, what validation picks in each cell, how long it will take."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gatedtui.errors import GatedError
from gatedtui.tui import looks, sweeps
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.messages import SweepRead
from gatedtui.tui.sweeps import Place, Reader, State
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.table import Table

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Sweep"
LOOK_S = 0.5
"""Between looks at the sweep's folder, while it is shown."""


class Sweep(Screen[None], inherit_bindings=False):
    """Shows a sweep of the app's runs folder; owns which one, and the cursor."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Sweep { overflow: hidden; }
    Sweep > #about, Sweep > #heading, Sweep > #detail { height: 1; }
    Sweep > #none { height: 1fr; padding: 1 3; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "the cell above"),
        Binding("down,j", "move(1)", "the cell below"),
        Binding("home,g", "edge(-1)", "the first cell"),
        Binding("end,G", "edge(1)", "the last cell"),
        Binding("left,h", "other(-1)", "the sweep before"),
        Binding("right,l", "other(1)", "the next sweep"),
        Binding("enter", "open", "open the picked trial on the dashboard"),
        Binding("c", "compare", "compare what was picked on this data"),
        Binding("t", "trials", "all trials, as runs"),
        Binding("s", "stop", "save and stop the sweep"),
        Binding("r", "resume", "go on with the sweep"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.state = State()
        self.wanted = ""
        self.looked = False
        self._reader = Reader()
        self._reading = False
        self._read_at = float("-inf")
        self._lines: list[Spans] = []

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="about")
        yield Lines(id="heading")
        yield Table(self._line)
        yield Lines(id="none")
        yield Lines(id="detail")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follows the app's beat from now on."""
        self.query_one(Table).focus()
        self.watch(self.app, "beat", self.beat)

    def on_screen_resume(self) -> None:
        """Shows what has happened meanwhile."""
        self._read_at = float("-inf")
        self.beat()

    def on_resize(self) -> None:
        """Chooses the columns anew."""
        self.call_after_refresh(self.paint)

    # Reading.

    def beat(self) -> None:
        """Looks again where it is time to, and paints."""
        if self.is_current and not self._reading and time.monotonic() - self._read_at >= LOOK_S:
            self._reading = True
            runs, name = self.gated.home, self.wanted
            self.run_worker(lambda: self._read(runs, name), thread=True, group="sweep", exit_on_error=False)
        self.paint()

    def _read(self, runs: Path, name: str) -> None:
        """In a thread: one look."""
        try:
            state = self._reader.read(runs, name)
        except GatedError as error:
            state = State(problem=f"{error.what} {error.hint}")
        except Exception as error:  # whatever it is, the user hears of it and the app goes on
            state = State(problem=f"Something unforeseen happened: {type(error).__name__}: {error}.")
        self.post_message(SweepRead(runs, state))

    def on_sweep_read(self, message: SweepRead) -> None:
        """Takes in what the thread saw."""
        self._reading, self._read_at = False, time.monotonic()
        if message.runs != self.gated.home:
            return
        self.state, self.looked = message.state, True
        self.paint()

    # Painting.

    def paint(self) -> None:
        """Brings every line up to date."""
        if not self.is_current or not self.query(KeyLine):
            return
        state, table, width = self.state, self.query_one(Table), self.size.width
        there = bool(state.places)
        heading, self._lines = sweeps.table(state, width - 1) if there else ([], [])
        self.query_one("#about", Lines).show([sweeps.header(state, self.gated.beat)] if there else [[]])
        self.query_one("#heading", Lines).show([heading])
        table.display, self.query_one("#none").display = there, not there
        table.show(len(self._lines), table.cursor)
        self.query_one("#none", Lines).show(self._nothing(width - 6))
        self.query_one("#detail", Lines).show([sweeps.detail(self.current(), width)])
        frame.paint(self, NAME, self._key_items())

    def _line(self, number: int, _width: int, current: bool) -> Spans:
        line = self._lines[number] if number < len(self._lines) else []
        return [("▌", BOLD), *line[1:]] if current and line else line

    def _nothing(self, width: int) -> list[Spans]:
        if not self.looked:
            return [[("looking for sweeps …", DIM)]]
        if self.state.problem:
            return looks.fold_spans([(looks.clean(self.state.problem), looks.ERROR)], width)
        does = " draws ten learning rates for each unit, trains each, and shows here which one validation picks."
        lead: Spans = [(f"There is no sweep in {looks.clean(str(self.gated.home))}.", PLAIN)]
        how: Spans = [("gated sweep --data jsb --name jsb", BOLD), (does, PLAIN)]
        return [*looks.fold_spans(lead, width), [], *looks.fold_spans(how, width)]

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        if not self.state.places:
            return [("?", "help", "", 1), ("q", "quit", "", 0)]
        items = [("enter", "open", " what was picked", 3), ("c", "compare", "", 2), ("t", "trials", "", 4)]
        if self.state.driven:
            items.append(("s", "stop", "", 5))
        elif self.state.count("finished", "diverged") < self.state.count():
            items.append(("r", "go on", "", 5))
        items += [("←→", "other sweeps", "", 6)] if len(self.state.names) > 1 else []
        return [*items, ("?", "help", "", 1), ("q", "quit", "", 0)]

    # Keys.

    def current(self) -> Place | None:
        """The cell under the cursor."""
        at = self.query_one(Table).cursor
        return self.state.places[at] if at < len(self.state.places) else None

    def on_table_moved(self) -> None:
        """The mouse has moved the cursor."""
        self.paint()

    def on_table_picked(self) -> None:
        """The mouse has picked a cell."""
        self.action_open()

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(Table)
        table.move(table.cursor + by)
        self.paint()

    def action_edge(self, by: int) -> None:
        """Moves the cursor to an end."""
        self.action_move(by * len(self.state.places))

    def action_other(self, by: int) -> None:
        """Shows the sweep beside this one."""
        names = self.state.names
        if len(names) > 1:
            self.wanted = names[(names.index(self.state.name) + by) % len(names)]
            self._read_at = float("-inf")
            self.beat()

    def action_open(self) -> None:
        """Shows the picked trial alone on the dashboard."""
        place = self.current()
        if place is not None and place.best is not None:
            self.gated.open_run(place.best)
        elif place is not None:
            self.gated.say("No trial of this cell has finished yet.")

    def action_compare(self) -> None:
        """Shows the curves of what was picked on this data set over each other."""
        current = self.current()
        if current is None:
            return
        paths = [path for place in self.state.places if place.data == current.data for path in place.picked]
        if paths:
            self.gated.compare(paths)
        else:
            self.gated.say("No trial on this data has finished yet.")

    def action_trials(self) -> None:
        """Shows the sweep's trials as runs; escape comes back from there."""
        if self.state.path is not None:
            self.gated.doing.open(str(self.state.path), home=self.gated.home)
            self.gated.action_go("Runs")

    def action_stop(self) -> None:
        """Asks whoever trains the sweep to save and stop."""
        if self.state.path is None or not self.state.driven:
            self.gated.say("The sweep is not being trained.")
        else:
            self.gated.doing.stop_sweep(self.state.path)

    def action_resume(self) -> None:
        """Has the sweep go on by itself, whatever becomes of the app."""
        if self.state.path is None:
            return
        if self.state.driven:
            self.gated.say("The sweep is being trained already.")
        elif self.state.count("finished", "diverged") == self.state.count():
            self.gated.say("Every trial of the sweep is done.")
        else:
            self.gated.doing.resume_sweep(self.state.path)
