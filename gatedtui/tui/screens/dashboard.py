"""The dashboard: the newest runs and those at work as cards, or what can be done when there are none."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from gatedtui.tui import grid, looks, phrases
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets import frame
from gatedtui.tui.widgets.card import RunCard
from gatedtui.tui.widgets.frame import KeyLine, NewsLine, TabStrip
from gatedtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Dashboard"


class Dashboard(Screen[None], inherit_bindings=False):
    """Shows the app's runs; owns only what is focused and what is enlarged."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Dashboard { overflow: hidden; }
    Dashboard > #cards { layout: grid; height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
    Dashboard > #empty { height: 1fr; align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enlarge", "enlarge the card, or back"),
        Binding("escape", "shrink", "back to all cards"),
        Binding("s", "stop", "save and stop the run"),
        Binding("r", "resume", "go on with a stopped run"),
        Binding("t", "train", "train the three units on Bach"),
        Binding("c", "compare", "compare the curves of these runs"),
        Binding("p", "play", "hear a song of the run, or silence it"),
        Binding("o", "old_run", "open an old run"),
        Binding("slash", "search", "search the runs"),
        Binding("left,h", "move(-1,0)", "the card to the left"),
        Binding("right,l", "move(1,0)", "the card to the right"),
        Binding("up,k", "move(0,-1)", "the card above"),
        Binding("down,j", "move(0,1)", "the card below"),
        Binding("tab", "step(1)", "the next card"),
        Binding("shift+tab", "step(-1)", "the card before"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.cards: dict[Path, RunCard] = {}
        self.enlarged: Path | None = None
        self.wanted: Path | None = None
        self.across = 1

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield TabStrip()
        yield Container(id="cards")
        with Container(id="empty"):
            yield Lines(id="offer")
        yield NewsLine()
        yield KeyLine()

    def on_mount(self) -> None:
        """Follows the app's state from now on."""
        self.watch(self.app, "runs", self.show_runs)
        self.watch(self.app, "beat", self.paint, init=False)

    def on_screen_resume(self) -> None:
        """Shows what has happened meanwhile."""
        self.show_runs(self.gated.runs)
        self.paint()

    def on_resize(self) -> None:
        """Lays the cards out anew."""
        self.call_after_refresh(self.paint)

    # Painting.

    def show_runs(self, runs: Sequence[Snapshot]) -> None:
        """Takes new runs in and lets vanished ones go."""
        if not self.is_current:
            return
        holder = self.query_one("#cards", Container)
        paths = [run.path for run in runs]
        before = list(self.cards)
        run = self.focused_run()
        focus_at = before.index(run.path) if run is not None and run.path in before else 0
        for path in [path for path in before if path not in paths]:
            self.cards.pop(path).remove()
        if self.enlarged not in paths:
            self.enlarged = None
        fresh = [run for run in runs if run.path not in self.cards]
        for run in fresh:
            self.cards[run.path] = RunCard(run)
            holder.mount(self.cards[run.path])
        if list(self.cards) != paths:
            self.cards = {path: self.cards[path] for path in paths}
        if fresh:
            order = {card: place for place, card in enumerate(self.cards.values())}
            holder.sort_children(key=lambda widget: order.get(cast("RunCard", widget), len(order)))
        for run in runs:
            self.cards[run.path].run = run
        if self.wanted in self.cards:
            self.enlarged, self.wanted = self.wanted, None
            self.set_focus(self.cards[cast("Path", self.enlarged)])
        if self.cards and (not isinstance(self.focused, RunCard) or self.focused not in self.cards.values()):
            self.set_focus(list(self.cards.values())[min(focus_at, len(self.cards) - 1)])
        if paths != before:
            self.paint()

    def open(self, path: Path) -> None:
        """Enlarges the card of a run, as soon as there is one."""
        self.wanted = path
        self.show_runs(self.gated.runs)
        self.paint()

    def paint(self) -> None:
        """Lays out what is there and brings the lines up to date."""
        if not self.is_current or not self.query(KeyLine):
            return
        if self.gated.to_focus in self.cards:
            self._show_begun(cast("Path", self.gated.to_focus))
        self._lay_out()
        now, beat = time.monotonic(), self.gated.beat
        for card in self.cards.values():
            if card.display:
                card.show(card.run, now, beat)
        frame.paint(self, NAME, self._key_items())
        offer = self.query_one("#offer", Lines)
        lines = self._offer(self.size.width)
        offer.styles.width = max(map(looks.length, lines))
        offer.show(lines)

    def _show_begun(self, path: Path) -> None:
        self.gated.to_focus = None
        self.enlarged = path if self.enlarged else None
        self.set_focus(self.cards[path])

    def _lay_out(self) -> None:
        holder, empty = self.query_one("#cards", Container), self.query_one("#empty", Container)
        holder.display, empty.display = bool(self.cards), not self.cards
        for path, card in self.cards.items():
            card.display = self.enlarged in (None, path)
        width, height = self.size.width, max(self.size.height - 3, 1)
        count = 1 if self.enlarged else len(self.cards)
        self.across = grid.columns(count, width, height)
        high = grid.row_height(count, self.across, height)
        holder.styles.grid_size_columns = self.across
        holder.styles.grid_rows = "1fr" if high is None else str(high)

    def _offer(self, width: int) -> list[Spans]:
        app = self.gated
        if app.busy:
            return [[(f"{looks.SPINNER[app.beat % len(looks.SPINNER)]} {app.busy}", PLAIN)]]
        if not app.looked:
            return [[("looking for runs …", DIM)]]
        keys = [
            ("enter", "trains the three units on Bach (about a minute)"),
            ("n", "asks what to train"),
            ("o", "opens an old run"),
            ("p", f"plays a song of a released model{', or silences it' if app.sounding else ''}"),
            ("?", "help"),
            ("q", "quits"),
        ]
        offer: list[Spans] = []
        for key, what in keys:
            offer += looks.fold_spans([(f"{key:>5}", BOLD), (f"  {what}", PLAIN)], width, indent=7)
        place = looks.fold_spans([(f"runs are kept in {looks.clean(str(app.home))}", DIM)], width)
        return [[("Nothing is training.", BOLD)], [], *offer, [], *place]

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        if not self.cards:
            items = [("enter", "train", " the three units", 2), ("n", "new", " run", 4)]
            return [
                *items,
                ("o", "open", " an old run", 5),
                ("p", "play", " a model", 3),
                ("?", "help", "", 1),
                ("q", "quit", "", 0),
            ]
        items = [("n", "new", " run", 6), ("enter", "back" if self.enlarged else "open", "", 3)]
        items += [("c", "compare", "", 7), ("space", "go on" if self.gated.frozen else "pause", "", 5)]
        run = self.focused_run()
        if run is not None and run.alive:
            items.append(("s", "stop", "", 2))
        if run is not None and run.can_resume:
            items.append(("r", "resume", "", 2))
        items += [("p", "silence" if self.gated.sounding else "play", "", 8), ("t", "train", " three", 9)]
        return [*items, ("/", "search", "", 10), ("?", "help", "", 1), ("q", "quit", "", 0)]

    # Keys.

    def focused_run(self) -> Snapshot | None:
        """The run of the focused card."""
        return self.focused.run if isinstance(self.focused, RunCard) else None

    def action_move(self, dx: int, dy: int) -> None:
        """Moves the focus on the grid."""
        cards = list(self.cards.values())
        if self.focused in cards:
            place = cards.index(cast("RunCard", self.focused))
            self._focus(grid.neighbour(place, len(cards), self.across, dx, dy))

    def action_step(self, by: int) -> None:
        """Moves the focus on or back, round about."""
        cards = list(self.cards.values())
        if self.focused in cards:
            self._focus((cards.index(cast("RunCard", self.focused)) + by) % len(cards))

    def _focus(self, place: int) -> None:
        path, card = list(self.cards.items())[place]
        if self.enlarged:
            self.enlarged = path
            card.display = True
        self.set_focus(card)
        self.paint()

    def action_enlarge(self) -> None:
        """Shows the focused card alone, or all again; where there are none, trains."""
        run = self.focused_run()
        if not self.cards:
            self.gated.action_train()
        elif run is not None:
            self.enlarged = None if self.enlarged else run.path
            self.paint()

    def action_shrink(self) -> None:
        """Shows all cards."""
        self.enlarged = None
        self.paint()

    def action_stop(self) -> None:
        """Asks the focused run to stop."""
        run = self.focused_run()
        if run is not None:
            self.gated.stop_run(run)

    def action_resume(self) -> None:
        """Goes on with the focused run."""
        run = self.focused_run()
        if run is not None:
            self.gated.resume_run(run)

    def action_train(self) -> None:
        """Starts the three units."""
        self.gated.action_train()

    def action_compare(self) -> None:
        """Shows the curves of these runs over each other."""
        self.gated.compare(list(self.cards))

    def action_play(self) -> None:
        """Plays a song of the focused run, or of a released model."""
        run = self.focused_run()
        has_model = run is not None and run.best is not None
        if run is not None and not has_model and not self.gated.sounding:
            self.gated.say(f"{phrases.name(run, 30)} has no model yet; a released one plays.")
        self.gated.doing.play(run.name if run is not None and has_model else None)

    def action_old_run(self) -> None:
        """Goes to the list of runs."""
        self.gated.action_go("Runs")

    def action_search(self) -> None:
        """Goes to the list of runs, to its filter."""
        self.gated.action_go("Runs")
        self.gated.call_later(self.gated.run_action, "screen.filter")
