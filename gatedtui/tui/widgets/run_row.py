"""A run in the inline view: a row or two of figures around a small curve, or a line of figures over a larger one."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from gatedtui.tui import looks
from gatedtui.tui.inline_plan import Row
from gatedtui.tui.looks import Spans
from gatedtui.tui.snapshot import Snapshot
from gatedtui.tui.widgets.curve import Curve, Plot, Reference, Series
from gatedtui.tui.widgets.lines import Lines

SPARE = 0.1
"""The share of first epochs a curve may leave out at its top: they fall so far that the rest would look flat."""


def plot(run: Snapshot, *, large: bool) -> Plot:
    """A run's plot: training dim behind validation, the paper's figure and that of guessing dashed.

    Args:
        run: the run.
        large: with an axis, signs and names; the paper's figure is then always within the range.
    """
    look = looks.unit(run.unit)
    references = [Reference(run.paper, "paper" if large else "", wanted=large)] if run.paper is not None else []
    if run.marginal is not None:
        references.append(Reference(run.marginal, "guessing" if large else ""))
    series = (
        Series(run.train, look.dim),
        Series(run.valid, look.bright, best=run.best_index, diverged=run.word == "diverged"),
    )
    return Plot(series, tuple(references), axis=large, signs=large, spare=SPARE)


class RunRow(Horizontal):
    """One run of several."""

    DEFAULT_CSS = """
    RunRow { height: 1; }
    RunRow > .left, RunRow > .right { width: auto; height: 100%; }
    RunRow > Curve { margin: 0 3 0 2; }
    """

    def compose(self) -> ComposeResult:
        yield Lines(classes="left")
        yield Curve()
        yield Lines(classes="right")

    def show(self, run: Snapshot, row: Row) -> None:
        """Shows the run so."""
        left, right, curve = self.query_one(".left", Lines), self.query_one(".right", Lines), self.query_one(Curve)
        left.styles.width = max(map(looks.length, row.left), default=0)
        width = max(map(looks.length, row.right), default=0)
        right.styles.width = width
        right.styles.margin = (0, 1, 0, 0 if row.curve else 2)
        left.show(row.left)
        right.show(row.right)
        curve.display = row.curve
        curve.styles.margin = (0, 3 if width else 0, 0, 2)
        curve.show(plot(run, large=False))


class RunPanel(Vertical):
    """The only run: its figures in one line, its curve below."""

    DEFAULT_CSS = """
    RunPanel { height: 7; }
    RunPanel > Lines { height: 1; }
    RunPanel > Curve { margin: 0 1 0 1; }
    """

    def compose(self) -> ComposeResult:
        yield Lines()
        yield Curve()

    def show(self, run: Snapshot, line: Spans) -> None:
        """Shows the run so."""
        self.query_one(Lines).show([line])
        self.query_one(Curve).show(plot(run, large=True))
