"""All runs as a list: to sort, to filter, to choose from, to stop, go on with and remove."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gatedtui.runs.row import Row
from gatedtui.tui import columns, filters, looks, phrases
from gatedtui.tui.columns import Column
from gatedtui.tui.listing import from_snapshot
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.screens.ask import Ask
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.entry import Entry
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.table import Table

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Runs"


class Runs(Screen[None], inherit_bindings=False):
    """Shows the app's rows; owns the order, the filter, the marks and the cursor."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Runs { overflow: hidden; }
    Runs > #heading, Runs > #detail { height: 1; }
    Runs > #none { height: 1fr; padding: 1 3; display: none; }
    Runs > Entry { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "the run above"),
        Binding("down,j", "move(1)", "the run below"),
        Binding("pageup,ctrl+b", "page(-1)", "a page up"),
        Binding("pagedown,ctrl+f", "page(1)", "a page down"),
        Binding("home,g", "edge(-1)", "the first run"),
        Binding("end,G", "edge(1)", "the last run"),
        Binding("enter", "open", "open the run on the dashboard"),
        Binding("space,x", "mark", "mark the run, or not"),
        Binding("a", "mark_all", "mark all that are shown, or none"),
        Binding("c", "compare", "compare the marked runs"),
        Binding("slash", "filter", "filter: words, or figures as best<8.6"),
        Binding("escape", "clear", "no filter, no marks; from a sweep's trials, back to the sweep"),
        Binding("less_than_sign,left,h", "sort(-1)", "sort by the column to the left"),
        Binding("greater_than_sign,right,l", "sort(1)", "sort by the column to the right"),
        Binding("i", "turn_over", "the other way round"),
        Binding("s", "stop", "save and stop the run, or the marked ones"),
        Binding("r", "resume", "go on with the run, or the marked ones"),
        Binding("d,delete", "remove", "remove the run, or the marked ones (asks)"),
        Binding("w", "like_this", "a new run with this one's settings"),
        Binding("p", "play", "hear a song of the run, or silence it"),
        Binding("o", "folder", "open another folder of runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Row] = []
        self.marked: set[Path] = set()
        self.filter = ""
        self.by, self.falling = "made", True
        self.kept: list[Column] = []
        self._typing = ""
        self._made_of: tuple[object, ...] = ()

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="heading")
        yield Table(self._line)
        yield Lines(id="none")
        yield Lines(id="detail")
        yield Entry("/", " gru bach best<8.6 · words, and conditions on unit lr seed epochs best test time …")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follows the app's state from now on."""
        self.query_one(Table).focus()
        self.watch(self.app, "rows", self.paint)
        self.watch(self.app, "beat", self.paint, init=False)

    def on_screen_resume(self) -> None:
        """Shows what has happened meanwhile."""
        self.paint()

    def on_resize(self) -> None:
        """Chooses the columns anew."""
        self._made_of = ()
        self.call_after_refresh(self.paint)

    # Painting.

    def paint(self) -> None:
        """Brings the list up to date; nothing is drawn where nothing has changed."""
        if not self.is_current or not self.query(KeyLine):
            return
        app, width = self.gated, self.size.width
        made_of = (app.rows, app.runs, app.chosen, self.filter, self.by, self.falling, frozenset(self.marked), width)
        if self._made_of != made_of:
            self._made_of = made_of
            self._arrange()
            self.kept = columns.fitting(width - 1)
            self.query_one("#heading", Lines).show([columns.heading(self.kept, self.by, falling=self.falling)])
        self.query_one("#none", Lines).show(self._nothing(width - 6))
        self._paint_detail()
        frame.paint(self, NAME, self._key_items())

    def _arrange(self) -> None:
        """Sorts and filters anew; the cursor stays on its run."""
        app, table = self.gated, self.query_one(Table)
        at = self.current()
        watched = {run.path: run for run in (*app.chosen, *app.runs)}
        rows = [from_snapshot(row, watched[row.path]) if row.path in watched else row for row in app.rows]
        self.shown = filters.ordered(filters.chosen(rows, self.filter), self.by, falling=self.falling)
        self.marked &= {row.path for row in rows}
        paths = [row.path for row in self.shown]
        cursor = paths.index(at.path) if at is not None and at.path in paths else table.cursor
        table.display = bool(self.shown)
        self.query_one("#none").display = not self.shown
        table.show(len(self.shown), cursor)

    def _line(self, number: int, width: int, current: bool) -> Spans:
        row = self.shown[number] if number < len(self.shown) else None
        if row is None:
            return []
        return columns.line(row, self.kept, marked=row.path in self.marked, current=current)

    def _nothing(self, width: int) -> list[Spans]:
        app = self.gated
        if self.filter and app.rows:
            lead: Spans = [("No run fits ", PLAIN), (self.filter, BOLD), (": ", PLAIN)]
            return looks.fold_spans([*lead, ("esc", BOLD), (" shows all.", PLAIN)], width)
        if not app.looked:
            return [[("looking for runs …", DIM)]]
        lead = [(f"There are no runs in {looks.clean(str(app.runs_folder))}.", PLAIN)]
        keys: Spans = [("n", BOLD), (" begins one, ", PLAIN), ("o", BOLD), (" opens another folder.", PLAIN)]
        return [*looks.fold_spans(lead, width), [], *looks.fold_spans(keys, width)]

    def _paint_detail(self) -> None:
        row, width = self.current(), self.size.width
        parts: list[str] = []
        if row is not None:
            there = {column.key for column in self.kept}
            parts = [
                looks.clean(f"{looks.unit(row.unit).shape} {row.unit} {row.hidden or ''} on {row.data}"),
                "" if "recipe" in there else f"recipe {looks.clean(row.recipe)}",
                "" if "lr" in there else f"lr {looks.lr(row.lr)}",
                "" if "seed" in there else f"seed {row.seed}",
                "" if "at" in there or not row.best_epoch else f"best @{row.best_epoch}",
                "" if "made" in there else columns.made(row),
                looks.clean(str(row.path)),
            ]
        marks = f"{len(self.marked)} marked" if self.marked else ""
        if self.by not in {column.key for column in self.kept}:
            parts.insert(0, "newest first" if self.falling else "oldest first")
        fits = (
            f"{len(self.shown)} of {len(self.gated.rows)} runs"
            if self.filter
            else f"{len(self.shown)} run{'s' * (len(self.shown) != 1)}"
        )
        head = " · ".join(filter(None, (fits, marks, f"/{self.filter}" if self.filter else "")))
        line: Spans = [(f" {head}", BOLD if self.marked or self.filter else DIM)]
        room = width - looks.length(line) - 4
        self.query_one("#detail", Lines).show([[*line, (f"   {looks.pack(parts, room)}", DIM)]])

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        if self._typing:
            return [("enter", "keep", " it", 0), ("esc", "back", "", 1)]
        end = [("?", "help", "", 1), ("q", "quit", "", 0)]
        back = [("esc", f"back to {looks.shorten(looks.clean(self.gated.home.resolve().name), 20)}", "", 1)]
        back = back if self._leads_back else []
        if not self.shown:
            gone = [("esc", "all", " runs", 0), ("/", "filter", "", 1)] if self.filter else []
            return [*back, *gone, ("n", "new", " run", 2), ("o", "open", " another folder", 3), *end]
        items = [*back, ("enter", "open", "", 3), ("space", "mark", "", 4), ("c", "compare", "", 2)]
        items += [("/", "filter", "", 1), ("< >", "sort", "", 8)]
        rows = self._meant()
        items += [("s", "stop", "", 5)] if any(row.alive for row in rows) else []
        items += [("r", "resume", "", 5)] if any(row.can_resume for row in rows) else []
        items += [("d", "remove", "", 6)] if rows and not any(row.alive for row in rows) else []
        return [*items, ("n", "new", "", 7), ("w", "like this", "", 10), *end]

    # Which runs are meant.

    def current(self) -> Row | None:
        """The run under the cursor."""
        at = self.query_one(Table).cursor
        return self.shown[at] if at < len(self.shown) else None

    def _meant(self) -> list[Row]:
        """The marked runs, else the one under the cursor."""
        current = self.current()
        return [row for row in self.shown if row.path in self.marked] or ([current] if current else [])

    # Keys.

    def on_table_moved(self) -> None:
        """The mouse has moved the cursor."""
        self.paint()

    def on_table_picked(self) -> None:
        """The mouse has picked a run."""
        self.action_open()

    def on_click(self, event: events.Click) -> None:
        """A click on a heading sorts by it; again turns it over."""
        if event.widget is self.query_one("#heading"):
            column = columns.column_at(self.kept, event.x)
            if column is not None:
                self._sort(column, turn=column.key == self.by)

    def action_move(self, by: int) -> None:
        """Moves the cursor."""
        table = self.query_one(Table)
        table.move(table.cursor + by)
        self.paint()

    def action_page(self, by: int) -> None:
        """Moves the cursor by what is in sight."""
        self.action_move(by * max(self.query_one(Table).size.height - 1, 1))

    def action_edge(self, by: int) -> None:
        """Moves the cursor to the first or the last run."""
        self.action_move(by * len(self.shown))

    def action_open(self) -> None:
        """Shows the run alone on the dashboard."""
        row = self.current()
        if row is not None:
            self.gated.open_run(row.path)

    def action_mark(self) -> None:
        """Marks the run, or takes the mark away, and goes on to the next."""
        row = self.current()
        if row is not None:
            self.marked ^= {row.path}
            self.action_move(1)

    def action_mark_all(self) -> None:
        """Marks all runs that are shown; where all are, none."""
        paths = {row.path for row in self.shown}
        self.marked = set() if paths <= self.marked else self.marked | paths
        self.paint()

    def action_compare(self) -> None:
        """Shows the curves of the marked runs over each other."""
        self.gated.compare([row.path for row in self._meant()])

    def action_filter(self) -> None:
        """Types a filter; the list follows."""
        self._typing = "filter"
        self.query_one(Entry).begin(self.filter, "/")
        self.paint()

    def action_folder(self) -> None:
        """Types the path of another folder."""
        self._typing = "folder"
        self.query_one(Entry).begin(f"{self.gated.runs_folder}", "folder of runs, or of one run:")
        self.paint()

    def action_clear(self) -> None:
        """Shows all runs, none marked; where that is so, goes back from a sweep's trials to the sweep."""
        if self._leads_back:
            self.gated.go_home()
            self.gated.action_go("Sweep")
            return
        self.filter, self.marked = "", set()
        self.paint()

    @property
    def _leads_back(self) -> bool:
        """Whether escape leaves this folder."""
        return self.gated.home != self.gated.runs_folder and not self.filter and not self.marked

    def on_entry_changed(self, message: Entry.Changed) -> None:
        """The list follows the filter being typed."""
        if self._typing == "filter":
            self.filter = message.text
            self.paint()

    def on_entry_ended(self, message: Entry.Ended) -> None:
        """The filter stays, or goes; the folder is opened, or not."""
        if self._typing == "filter" and not message.kept:
            self.filter = ""
        elif self._typing == "folder" and message.kept and message.text.strip():
            self.marked, self.filter = set(), ""
            self.gated.doing.open(message.text.strip())
        self._typing = ""
        self.query_one(Entry).display = False
        self.query_one(Table).focus()
        self.paint()

    def action_sort(self, by: int) -> None:
        """Sorts by the column beside the present one."""
        keys = [column.key for column in self.kept]
        place = keys.index(self.by) + by if self.by in keys else (0 if by > 0 else len(keys) - 1)
        self._sort(self.kept[place % len(keys)])

    def _sort(self, column: Column, *, turn: bool = False) -> None:
        self.by, self.falling = column.key, not self.falling if turn else column.falling
        self.paint()

    def action_turn_over(self) -> None:
        """Sorts the other way round."""
        self.falling = not self.falling
        self.paint()

    # What is done to runs.

    def action_stop(self) -> None:
        """Asks the runs to save and stop."""
        for row in self._meant():
            self.gated.stop_run(row)
        self.paint()

    def action_resume(self) -> None:
        """Goes on with the runs."""
        for row in self._meant():
            self.gated.resume_run(row)

    def action_remove(self) -> None:
        """Asks, then removes the runs; those at work are refused."""
        rows = self._meant()
        busy = [row for row in rows if row.alive]
        if busy:
            self.gated.say(f"{phrases.name(busy[0], 40)} is training: stop it first.")
        elif rows:
            one = f"the run {phrases.name(rows[0], 40)} with everything in it"
            what = one if len(rows) == 1 else f"{len(rows)} runs with everything in them"
            paths = [row.path for row in rows]

            def answered(yes: bool | None) -> None:
                if yes:
                    self.marked -= set(paths)
                    self.gated.doing.remove(paths)

            self.gated.push_screen(Ask(f"Remove {what}?", _described(rows)), answered)

    def action_like_this(self) -> None:
        """Opens the form with this run's settings."""
        row = self.current()
        if row is not None:
            self.gated.open_form(row.path)

    def action_play(self) -> None:
        """Plays a song of the run."""
        row = self.current()
        if row is not None:
            self.gated.doing.play(row.name)


def _described(rows: Sequence[Row]) -> list[str]:
    return [
        f"{row.name}  {row.unit} on {row.data}, {row.epochs} epochs, best {looks.nll(row.best_valid)}" for row in rows
    ]
