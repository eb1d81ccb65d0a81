"""The one curve widget: a braille plot as a sparkline of one or two rows or as a plot with an axis.

Rendered line by line from plain segments, so nothing in it is read as markup; the drawing itself is in `tui/braille`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from gatedtui.page import axes
from gatedtui.tui import braille, looks

ROUND = 8
"""Rows from which on an axis has round numbers."""


@dataclass(frozen=True)
class Series:
    """One curve, first point left, last point right.

    Attributes:
        values: in order; None, NaN and infinities leave gaps. Give the same object again when nothing changed: the
            widget then draws nothing.
        style: of its dots.
        best: index of the point that gets `★`, or None.
        diverged: whether the end gets `✖`.
    """

    values: Sequence[float | None]
    style: Style
    best: int | None = None
    diverged: bool = False


@dataclass(frozen=True)
class Reference:
    """A dashed horizontal line, such as the paper's figure.

    Attributes:
        value: where it stands; one that is not finite is not drawn.
        name: at its right end.
        wanted: whether the range is widened to show it; otherwise it shows only where it lies within.
    """

    value: float
    name: str = ""
    wanted: bool = False


@dataclass(frozen=True)
class Plot:
    """All that a `Curve` shows.

    Attributes:
        series: back to front.
        references: dashed lines.
        axis: whether values stand at the left.
        signs: whether `★` and `✖` are drawn; a sparkline is too small for them.
        spare: the share of each curve's first points that need not fit (see `braille.span`).
        span: the range, where it is not the values'.
    """

    series: tuple[Series, ...] = ()
    references: tuple[Reference, ...] = ()
    axis: bool = False
    signs: bool = False
    spare: float = 0.0
    span: tuple[float, float] | None = None


class Curve(Widget):
    """Shows a `Plot`; redraws only when it is given another one or another size."""

    DEFAULT_CSS = """
    Curve { width: 1fr; height: 1fr; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._plot = Plot()
        self._rows: list[Strip] = []
        self._drawn_for: tuple[int, int, Style] | None = None

    def show(self, plot: Plot) -> None:
        """Draws this plot from now on."""
        if not _same(plot, self._plot):
            self._plot = plot
            self._drawn_for = None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        width, height, ground = self.size.width, self.size.height, self.rich_style
        if self._drawn_for != (width, height, ground):
            self._rows = strips(self._plot, width, height, ground)
            self._drawn_for = (width, height, ground)
        return self._rows[y] if y < len(self._rows) else Strip.blank(width, ground)


def strips(plot: Plot, width: int, height: int, ground: Style) -> list[Strip]:
    """The rows of a plot, each exactly `width` cells wide, on the style `ground`."""
    within = plot.span or braille.span(
        (series.values for series in plot.series),
        spare=plot.spare,
        also=[reference.value for reference in plot.references if reference.wanted],
    )
    margin = _margin(plot, within, width, height)
    cells = braille.draw(
        width - len(margin[0]) if margin else width,
        height,
        within,
        traces=[braille.Trace(series.values, series.style) for series in plot.series],
        rules=[
            braille.Rule(line.value, looks.DIM, line.name, f"{looks.nll(line.value)} {line.name}" if line.name else "")
            for line in plot.references
        ],
        marks=_marks(plot) if plot.signs else [],
    )
    return [
        Strip([Segment(label, looks.on(ground, looks.DIM)), *segments(row, ground)], max(width, 0))
        for label, row in zip(margin or [""] * len(cells), cells, strict=True)
    ]


def segments(row: list[braille.Cell[Style]], ground: Style) -> list[Segment]:
    """Neighbouring cells of one style as one segment."""
    found: list[Segment] = []
    text, style = "", None
    for character, own in row:
        if own is not style and text:
            found.append(Segment(text, looks.on(ground, style) if style else ground))
            text = ""
        text, style = text + character, own
    if text:
        found.append(Segment(text, looks.on(ground, style) if style else ground))
    return found


def _margin(plot: Plot, within: braille.Span | None, width: int, height: int) -> list[str]:
    """The axis' labels, one a row: the references and round numbers, or where there are few rows, the range's ends.

    Empty when there is no axis, nothing to label, or no room beside the labels.
    """
    if not plot.axis or within is None or height < 3:
        return []
    labels: dict[int, str] = {}
    if height < ROUND:
        labels = {0: looks.nll(within[1]), height - 1: looks.nll(within[0])}
    for line in plot.references:
        if line.name and within[0] <= line.value <= within[1]:
            row = braille.depth(line.value, within, 4 * height) // 4
            labels.setdefault(row, looks.nll(line.value))
    rounds = axes.ticks(*within, max(height // 3, 2)) if height >= ROUND else []
    for value, text in zip(rounds, axes.texts(rounds), strict=True):
        row = braille.depth(value, within, 4 * height) // 4
        if not {row - 1, row, row + 1} & set(labels):
            labels[row] = text
    longest = max((len(label) for label in labels.values()), default=0)
    if width < longest + 8:
        return []
    return [f"{labels.get(row, ''):>{longest}} " for row in range(height)]


def _marks(plot: Plot) -> list[braille.Mark[Style]]:
    marks: list[braille.Mark[Style]] = []
    for series in plot.series:
        count = len(series.values)
        bright = series.style + looks.BOLD
        if series.best is not None and 0 <= series.best < count:
            value = series.values[series.best]
            if value is not None:
                marks.append(braille.Mark(series.best, count, value, "★", bright))
        if series.diverged and count:
            known = [value for value in braille.finite(series.values[-50:]) if value is not None]
            marks.append(braille.Mark(count - 1, count, known[-1] if known else float("nan"), "✖", looks.ERROR))
    return marks


def _same(one: Plot, other: Plot) -> bool:
    """Whether two plots would draw the same; values are compared by identity, which costs nothing."""
    return (
        len(one.series) == len(other.series)
        and all(
            a.values is b.values and (a.style, a.best, a.diverged) == (b.style, b.best, b.diverged)
            for a, b in zip(one.series, other.series, strict=True)
        )
        and (one.references, one.axis, one.signs, one.spare, one.span)
        == (other.references, other.axis, other.signs, other.spare, other.span)
    )
