"""Curves of any runs over each other: by update, epoch or wall clock, with a cursor that reads them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from gatedtui.page import axes
from gatedtui.runs.epochs import Epochs
from gatedtui.tui import compared, looks
from gatedtui.tui.compared import AXES, SMOOTHING, WHICH, Curves, View
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.chart import Chart, Picture
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Compare"
MadeOf = tuple[View, Path | None, list[tuple[Path, str, Epochs]]]
"""What a picture depends on: the view, the current run, and each run's state and epochs."""
STEP = 2
"""Dots the cursor moves at a key: a cell."""


class Compare(Screen[None], inherit_bindings=False):
    """Shows the app's chosen runs, or the dashboard's where none were chosen; owns how they are looked at."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Compare { overflow: hidden; }
    Compare > #view { height: 1; }
    Compare > Chart { margin: 0 1 0 0; }
    Compare > #table { max-height: 40%; }
    Compare > #none { height: 1fr; padding: 1 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "axis", "x axis: updates, epochs, wall clock"),
        Binding("y", "log", "y axis: linear or logarithmic"),
        Binding("v", "which", "validation, training, or both"),
        Binding("m", "smooth", "smoothing: the mean of 1, 5, 15, 51 epochs"),
        Binding("f", "whole", "y over all epochs, or without the first ones"),
        Binding("left,h", "cursor(-1)", "the cursor to the left"),
        Binding("right,l", "cursor(1)", "the cursor to the right"),
        Binding("home,g", "edge(-1)", "the cursor to the first epoch"),
        Binding("end,G", "edge(1)", "the cursor to the last epoch"),
        Binding("b", "best", "the cursor to the run's best epoch"),
        Binding("plus,equals_sign", "zoom(0.5)", "closer, around the cursor"),
        Binding("minus", "zoom(2.0)", "wider"),
        Binding("0", "all", "all of it"),
        Binding("shift+left,H", "pan(-0.25)", "the window to the left"),
        Binding("shift+right,L", "pan(0.25)", "the window to the right"),
        Binding("up,k", "move(-1)", "the run above"),
        Binding("down,j", "move(1)", "the run below"),
        Binding("enter", "hide", "hide the run's curve, or show it"),
        Binding("d,delete", "drop", "take the run out of the comparison"),
        Binding("a", "add", "choose runs in the list"),
        Binding("escape", "clear", "no cursor, all of it"),
        Binding("s", "stop", "save and stop the run"),
        Binding("r", "resume", "go on with a stopped run"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self.hidden: frozenset[Path] = frozenset()
        self.at: Path | None = None
        self.curves = Curves()
        self._made_of: MadeOf | None = None
        self._picture = Picture()

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Lines(id="view")
        yield Chart()
        yield Lines(id="none")
        yield Lines(id="table")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follows the app's state from now on."""
        self.watch(self.app, "beat", self.paint)

    def on_screen_resume(self) -> None:
        """Shows what has happened meanwhile."""
        self.paint()

    def on_resize(self) -> None:
        """Lays the table out anew."""
        self.call_after_refresh(self.paint)

    # What is shown.

    def compared(self) -> Sequence[Snapshot]:
        """The runs in the table."""
        app = self.gated
        return app.chosen or app.runs

    def current(self) -> Snapshot | None:
        """The run the keys are about."""
        runs = self.compared()
        return next((run for run in runs if run.path == self.at), runs[0] if runs else None)

    def _in_sight(self) -> list[Snapshot]:
        return [run for run in self.compared() if run.path not in self.hidden]

    def paint(self) -> None:
        """Brings the plot, the table and the lines up to date; nothing is drawn where nothing has changed."""
        if not self.is_current or not self.query(KeyLine):
            return
        runs, width, current = self.compared(), self.size.width, self.current()
        self.curves.forget(runs)
        dressed = compared.dress(runs)
        path = current.path if current else None
        made_of = (self.view, path, [(run.path, run.word, run.epochs) for run in self._in_sight()])
        if not _same(made_of, self._made_of):
            self._made_of = made_of
            self._picture = compared.picture(self._in_sight(), self.view, dressed, self.curves, path)
        chart, none, table = self.query_one(Chart), self.query_one("#none", Lines), self.query_one("#table", Lines)
        chart.show(self._picture)
        chart.display = table.display = bool(runs)
        none.display = not runs
        none.show(self._nothing(width - 6))
        self.query_one("#view", Lines).show([self._view_line()] if runs else [[]])
        lines = compared.table(runs, self.view, dressed, self.curves, self.hidden, path, width - 1) if runs else []
        room = max((self.size.height - 4) * 2 // 5, 2)
        table.show(_around(lines, [run.path for run in runs].index(path) if path else 0, room))
        frame.paint(self, NAME, self._key_items())

    def _view_line(self) -> Spans:
        view = self.view
        log = view.log and compared.can_log(self._in_sight())
        smoothing = f"mean of {view.smoothing}" if view.smoothing > 1 else "unsmoothed"
        scale = "log" if log else "linear, below zero has no log" if view.log else "linear"
        parts = [("x", view.axis), ("y", scale), ("v", view.which), ("m", smoothing)]
        parts.append(("f", "all epochs" if view.whole or view.window else "late epochs"))
        line: Spans = []
        for key, what in parts:
            line += [(f" {key} ", BOLD), (f"{what}  ", DIM)]
        if view.cursor is not None:
            text = axes.clock(round(view.cursor)) if view.axis == "wall clock" else f"{view.cursor:,.0f}"
            line += [("│ ", PLAIN), (f"{text} {'of training' if view.axis == 'wall clock' else view.axis}", BOLD)]
        if view.window is not None:
            line += [("  zoomed, ", DIM), ("0", BOLD), (" all", DIM)]
        return line

    def _nothing(self, width: int) -> list[Spans]:
        lead: Spans = [("There is nothing to compare yet.", PLAIN)]
        keys: Spans = [("a", BOLD), (" chooses runs, ", PLAIN), ("n", BOLD), (" begins one.", PLAIN)]
        return [*looks.fold_spans(lead, width), [], *looks.fold_spans(keys, width)]

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        if not self.compared():
            return [("a", "choose", " runs", 2), ("n", "new", " run", 3), ("?", "help", "", 1), ("q", "quit", "", 0)]
        items = [("←→", "read", "", 1), ("+", "closer", "", 3), ("-", "wider", "", 4), ("b", "best", "", 6)]
        items += [("↑↓", "run", "", 2), ("enter", "hide", "", 5), ("d", "drop", "", 8), ("a", "choose", "", 7)]
        items += [("space", "go on" if self.gated.frozen else "pause", "", 9)]
        return [*items, ("?", "help", "", 1), ("q", "quit", "", 0)]

    # Keys.

    def _look(self, view: View) -> None:
        self.view = view
        self.paint()

    def _whole(self) -> tuple[float, float] | None:
        return compared.whole_span(self._in_sight(), self.view.axis, self.curves)

    def action_axis(self) -> None:
        """The next x axis; cursor and window go, since they mean nothing there."""
        axis = AXES[(AXES.index(self.view.axis) + 1) % len(AXES)]
        self._look(replace(self.view, axis=axis, cursor=None, window=None))

    def action_log(self) -> None:
        """Linear or logarithmic."""
        self._look(replace(self.view, log=not self.view.log))

    def action_which(self) -> None:
        """The next choice of curves."""
        self._look(replace(self.view, which=WHICH[(WHICH.index(self.view.which) + 1) % len(WHICH)]))

    def action_smooth(self) -> None:
        """The next smoothing."""
        place = (SMOOTHING.index(self.view.smoothing) + 1) % len(SMOOTHING)
        self._look(replace(self.view, smoothing=SMOOTHING[place]))

    def action_whole(self) -> None:
        """The first epochs too, or not."""
        self._look(replace(self.view, whole=not self.view.whole))

    def action_cursor(self, by: int) -> None:
        """Moves the cursor."""
        columns = 2 * max(self.query_one(Chart).size.width - 8, 1)
        self._look(compared.moved(self.view, self.current(), self._whole(), self.curves, by * STEP, columns))

    def action_edge(self, by: int) -> None:
        """Moves the cursor to an end of the run."""
        run = self.current()
        xs = self.curves.xs(run, self.view.axis) if run else ()
        if xs:
            self._point(xs[0] if by < 0 else xs[-1])

    def action_best(self) -> None:
        """Moves the cursor to the run's best epoch."""
        run = self.current()
        at = run.best_index if run else None
        if run is not None and at is not None:
            self._point(self.curves.xs(run, self.view.axis)[at])

    def _point(self, x: float) -> None:
        view, whole = replace(self.view, cursor=x), self._whole()
        if view.window is not None and not view.window[0] <= x <= view.window[1]:
            centre = (view.window[0] + view.window[1]) / 2
            width = view.window[1] - view.window[0]
            view = compared.panned(view, whole, (x - centre) / width)
        self._look(view)

    def on_chart_pointed(self, message: Chart.Pointed) -> None:
        """The mouse reads."""
        self._look(replace(self.view, cursor=message.x))

    def on_chart_wheeled(self, message: Chart.Wheeled) -> None:
        """The wheel zooms."""
        self._look(compared.zoomed(self.view, self._whole(), 0.7 if message.inward else 1 / 0.7, message.x))

    def action_zoom(self, factor: float) -> None:
        """Closer or wider."""
        self._look(compared.zoomed(self.view, self._whole(), factor))

    def action_pan(self, share: float) -> None:
        """Moves the window."""
        self._look(compared.panned(self.view, self._whole(), share))

    def action_all(self) -> None:
        """All of it."""
        self._look(replace(self.view, window=None))

    def action_clear(self) -> None:
        """No cursor, all of it."""
        self._look(replace(self.view, window=None, cursor=None))

    def action_move(self, by: int) -> None:
        """The run above or below."""
        runs = self.compared()
        current = self.current()
        if current is not None:
            place = [run.path for run in runs].index(current.path) + by
            self.at = runs[max(min(place, len(runs) - 1), 0)].path
            self.paint()

    def action_hide(self) -> None:
        """Hides the run's curve, or shows it."""
        current = self.current()
        if current is not None:
            self.hidden ^= {current.path}
            self.paint()

    def action_drop(self) -> None:
        """Takes the run out; the last one stays."""
        current, runs = self.current(), self.compared()
        if current is not None and len(runs) > 1:
            kept = [run for run in runs if run.path != current.path]
            self.action_move(1 if runs[-1].path != current.path else -1)
            self.gated.choose([run.path for run in kept])

    def action_add(self) -> None:
        """Goes to the list, where runs are marked."""
        self.gated.action_go("Runs")

    def action_stop(self) -> None:
        """Asks the run to stop."""
        run = self.current()
        if run is not None:
            self.gated.stop_run(run)

    def action_resume(self) -> None:
        """Goes on with the run."""
        run = self.current()
        if run is not None:
            self.gated.resume_run(run)


def _same(one: MadeOf, other: MadeOf | None) -> bool:
    """Whether the same picture would come of both; epochs are compared by identity, which costs nothing."""
    if other is None or one[:2] != other[:2] or len(one[2]) != len(other[2]):
        return False
    return all(a[:2] == b[:2] and a[2] is b[2] for a, b in zip(one[2], other[2], strict=True))


def _around(lines: list[Spans], at: int, room: int) -> list[Spans]:
    """The heading and as many rows as there is room for, the current one among them."""
    if len(lines) <= room:
        return lines
    shown = max(room - 2, 1)
    first = min(max(at - shown // 2, 0), len(lines) - 1 - shown)
    rest = len(lines) - 1 - shown
    more: Spans = [(f"   {looks.NONE} {rest} more: ↑↓", DIM)]
    return [lines[0], *lines[1 + first : 1 + first + shown], more]
