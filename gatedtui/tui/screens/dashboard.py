"""The dashboard: the newest runs as cards, or what can be done when there are none."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from gatedtui.tui import grid, looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets import bars
from gatedtui.tui.widgets.card import RunCard
from gatedtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

NAME = "Dashboard"


class Dashboard(Screen[None], inherit_bindings=False):
    """Shows the app's runs; owns only what is focused and what is enlarged."""

    AUTO_FOCUS = None
    DEFAULT_CSS = """
    Dashboard { overflow: hidden; }
    Dashboard > #top, Dashboard > #news, Dashboard > #keys { height: 1; }
    Dashboard > #cards { layout: grid; height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
    Dashboard > #empty { height: 1fr; align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enlarge", "enlarge the card, or back"),
        Binding("escape", "shrink", "back to all cards"),
        Binding("s", "stop", "save and stop the run"),
        Binding("r", "resume", "go on with a stopped run"),
        Binding("t", "train", "train the three units on Bach"),
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
        self.across = 1

    @property
    def gated(self) -> "GatedApp":
        """The app, as what it is."""
        return cast("GatedApp", self.app)

    def compose(self) -> ComposeResult:
        yield Lines(id="top")
        yield Container(id="cards")
        with Container(id="empty"):
            yield Lines(id="offer")
        yield Lines(id="news")
        yield Lines(id="keys")

    def on_mount(self) -> None:
        """Follows the app's state from now on."""
        self.watch(self.app, "runs", self.show_runs)
        self.watch(self.app, "beat", self.paint, init=False)

    def on_resize(self) -> None:
        """Lays the cards out anew."""
        self.call_after_refresh(self.paint)

    # Painting.

    def show_runs(self, runs: Sequence[Snapshot]) -> None:
        """Takes new runs in and lets vanished ones go."""
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
        if self.cards and (not isinstance(self.focused, RunCard) or self.focused not in self.cards.values()):
            self.set_focus(list(self.cards.values())[min(focus_at, len(self.cards) - 1)])
        if paths != before:
            self.paint()

    def paint(self) -> None:
        """Lays out what is there and brings the lines up to date."""
        if not self.query("#keys"):
            return
        self._lay_out()
        width, app = self.size.width, self.gated
        now = time.monotonic()
        for card in self.cards.values():
            card.show(card.run, now, app.beat)
        places = [("1", NAME)]
        self.query_one("#top", Lines).show([bars.top(places, NAME, app.load, width)])
        self.query_one("#news", Lines).show([self._news(width)])
        self.query_one("#keys", Lines).show([bars.keys(self._key_items(), width)])
        offer = self.query_one("#offer", Lines)
        lines = self._offer(width)
        offer.styles.width = max(map(looks.length, lines))
        offer.show(lines)

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

    def _news(self, width: int) -> Spans:
        app = self.gated
        if app.frozen:
            return [(" view paused ", looks.INVERSE), (" space goes on; training is not touched", DIM)]
        if app.starting:
            sign = looks.SPINNER[app.beat % len(looks.SPINNER)]
            return [(f" {sign} preparing the data and starting tanh, lstm and gru …", PLAIN)]
        if app.news:
            return [(f" {app.news[0]} ", DIM), (looks.shorten(app.news[1], max(width - 11, 0)), PLAIN)]
        if self.cards and not any(card.run.alive for card in self.cards.values()):
            return [(" Nothing is training. ", DIM), ("t", BOLD), (" trains the three units on Bach", DIM)]
        return []

    def _offer(self, width: int) -> list[Spans]:
        app = self.gated
        if app.starting:
            return [self._news(width)]
        if not app.looked:
            return [[("looking for runs …", DIM)]]
        place = looks.shorten(looks.clean(str(app.newest.runs)), max(width - 16, 4))
        return [
            [("Nothing is training.", PLAIN)],
            [],
            [("enter", BOLD), (" trains the three units on Bach (about a minute)", PLAIN)],
            [("?", BOLD), (" help    ", PLAIN), ("q", BOLD), (" quit", PLAIN)],
            [],
            [(f"runs are kept in {place}", DIM)],
        ]

    def _key_items(self) -> list[tuple[str, str, str, int]]:
        if not self.cards:
            return [("enter", "train", " the three units", 2), ("?", "help", "", 1), ("q", "quit", "", 0)]
        items = [("←→↑↓", "move", "", 7), ("enter", "back" if self.enlarged else "enlarge", "", 3)]
        items += [("space", "go on" if self.gated.frozen else "pause", "", 5)]
        run = self.focused_run()
        if run is not None and run.alive:
            items.append(("s", "stop", "", 2))
        if run is not None and run.can_resume:
            items.append(("r", "resume", "", 2))
        return [*items, ("t", "train", " three", 6), ("?", "help", "", 1), ("q", "quit", "", 0)]

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
