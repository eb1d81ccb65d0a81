"""What `gated sweep` shows while it trains: one line a trial, or on a terminal a table that fills."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gatedtui.cli.runs import number
from gatedtui.sweep.board import Board, View
from gatedtui.sweep.local import Ended, Happening, Manned
from gatedtui.table.cells import pick
from gatedtui.table.layout import duration
from gatedtui.table.results import of_views
from gatedtui.tui import looks
from gatedtui.tui.looks import SIGNS

if TYPE_CHECKING:
    from rich.console import RenderableType

WAITING = "·"


class Lines:
    """One honest line for each trial that ends.

    Args:
        board: the sweep as it stands.
        write: takes a line.
    """

    def __init__(self, board: Board, write: Callable[[str], None]) -> None:
        self.board, self.jobs, self.write = board, 1, write
        self._views = {view.slot: view for view in board.views}

    def show(self, happening: Happening) -> None:
        """Writes a line when a trial has ended."""
        if isinstance(happening, Manned):
            self.jobs = happening.jobs
        if not isinstance(happening, Ended):
            return
        view, done = self._views[happening.trial.slot], self.board.count("finished", "diverged")
        left = left_text(self.board.time_left_s(self.jobs))
        self.write(f"{done}/{len(self.board.views)}  {trial_text(view, happening.word)}   {left}".rstrip())


class Picture:
    """The table that fills, drawn anew at each call.

    Args:
        board: the sweep as it stands.
        draw: puts a picture on the terminal.
    """

    def __init__(self, board: Board, draw: "Callable[[RenderableType], None]") -> None:
        self.board, self.jobs, self.draw = board, 1, draw

    def show(self, happening: Happening) -> None:
        """Draws the sweep as it stands."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        self.jobs = happening.jobs if isinstance(happening, Manned) else self.jobs
        grid = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("data", "unit", "trials", "best valid", "with", "now"):
            grid.add_column(heading, no_wrap=True, overflow="ellipsis")
        for views in self.board.cells():
            unit = looks.unit(views[0].slot.unit)
            signs = Text("".join(sign(view.word) for view in views))
            best = pick(of_views(self.board, views))
            running = [view for view in views if view.word in ("running", "starting")]
            grid.add_row(
                views[0].slot.data,
                Text(f"{unit.shape} {views[0].slot.unit}", style=unit.colour),
                signs,
                Text(number(best.valid_nll) if best else number(None), justify="right"),
                drawn_text(best.drawn) if best else "",
                "  ".join(f"d{view.slot.draw:02d} {now_text(view)}" for view in running),
            )
        done, of = self.board.count("finished", "diverged"), len(self.board.views)
        diverged = self.board.count("diverged")
        told = [f"{done}/{of} trials", *([f"{diverged} diverged"] if diverged else [])]
        told += [left_text(self.board.time_left_s(self.jobs)), "Ctrl-C stops and saves"]
        self.draw(Group(grid, Text(" · ".join(part for part in told if part), style="dim")))


def sign(word: str) -> str:
    """One character for a trial's status."""
    return WAITING if word == "waiting" else SIGNS["training" if word == "running" else word][0]


def trial_text(view: View, word: str) -> str:
    """A trial in one line: its name, how it ended, what was drawn, what validation says, how long it took."""
    best = view.history.best
    reached = f"valid {number(best.valid_nll)} @{best.epoch}" if best else "no epoch done"
    return f"{view.slot.name}  {word}  {drawn_text(view.drawn)}  {reached}  {duration(view.elapsed_s)}"


def now_text(view: View) -> str:
    """Where a trial stands that is being trained."""
    last = view.history.last_epoch
    return f"epoch {last.epoch} {number(last.valid_nll)}" if last else "starting"


def drawn_text(drawn: Mapping[str, object]) -> str:
    """The swept values of a trial: `lr 0.0003214`; the seed where nothing else was drawn."""
    values = {key: value for key, value in drawn.items() if key != "seed"} or drawn
    return " ".join(f"{key.rpartition('.')[2]} {_value(value)}" for key, value in values.items())


def left_text(seconds: float | None) -> str:
    """The time left in words, or nothing where it is not known or none is left."""
    if not seconds:
        return ""
    told = duration(seconds) if seconds >= 60 else f"{max(1, round(seconds))} s"
    return f"about {told} left"


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
