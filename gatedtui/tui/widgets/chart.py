"""The large plot: curves over a real x axis with round numbers on both axes, a cursor, and marks; drawn from plain
segments as `Curve` is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gatedtui.page import axes
from gatedtui.tui import braille, looks, xy
from gatedtui.tui.braille import Span
from gatedtui.tui.widgets.curve import Reference, segments

ROWS_A_TICK = 3
CELLS_A_TICK = 10


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        xs: rising.
        ys: as many; None, NaN and infinities leave gaps. Give the same objects again when nothing changed.
        style: of its dots.
        sign: what stands at its end.
        best: the point that gets `★`, or None.
        diverged: the point that gets `✖`, or None.
    """

    xs: Sequence[float]
    ys: Sequence[float | None]
    style: Style
    sign: str = ""
    best: tuple[float, float] | None = None
    diverged: tuple[float, float] | None = None


@dataclass(frozen=True)
class Picture:
    """All that a `Chart` shows.

    Attributes:
        lines: back to front.
        x, y: the ranges in sight; where `log`, of y's decimal logarithms, as all values then are.
        references: dashed lines.
        log: whether y is logarithmic.
        clock: whether x is in seconds.
        cursor: the x of the vertical line, or None.
    """

    lines: tuple[Line, ...] = ()
    x: Span | None = None
    y: Span | None = None
    references: tuple[Reference, ...] = ()
    log: bool = False
    clock: bool = False
    cursor: float | None = None


class Chart(Widget):
    """Shows a `Picture`; redraws only when it is given another one or another size."""

    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; }
    """

    @dataclass
    class Pointed(Message):
        """The mouse was pressed or dragged over the plot.

        Attributes:
            x: where, on the x axis.
        """

        x: float

    @dataclass
    class Wheeled(Message):
        """The wheel was turned over the plot.

        Attributes:
            x: where, on the x axis.
            inward: whether it asks for a closer look.
        """

        x: float
        inward: bool

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.picture = Picture()
        self._rows: list[Strip] = []
        self._drawn_for: tuple[int, int, Style] | None = None

    def show(self, picture: Picture) -> None:
        """Draws this picture from now on."""
        if not _same(picture, self.picture):
            self.picture = picture
            self._drawn_for = None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """One row of the picture."""
        width, height, ground = self.size.width, self.size.height, self.rich_style
        if self._drawn_for != (width, height, ground):
            self._rows = strips(self.picture, width, height, ground)
            self._drawn_for = (width, height, ground)
        return self._rows[y] if y < len(self._rows) else Strip.blank(width, ground)

    def place(self, column: int) -> float | None:
        """The x of a cell of the widget; None where there is no plot."""
        margin = len(next(iter(_labels(self.picture, self.size.height - 1)), ""))
        width = self.size.width - margin
        if self.picture.x is None or width < 2:
            return None
        low, high = self.picture.x
        return low + (high - low) * min(max((column - margin) / (width - 1), 0.0), 1.0)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Points."""
        self._point(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags."""
        if event.button:
            self._point(event.x)

    def _point(self, column: int) -> None:
        x = self.place(column)
        if x is not None:
            self.post_message(self.Pointed(x))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Closer."""
        self._wheel(event.x, True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Farther."""
        self._wheel(event.x, False)

    def _wheel(self, column: int, inward: bool) -> None:
        x = self.place(column)
        if x is not None:
            self.post_message(self.Wheeled(x, inward))


def strips(picture: Picture, width: int, height: int, ground: Style) -> list[Strip]:
    """The rows of the picture, the last one the x axis, each exactly `width` cells wide, on the style `ground`."""
    if picture.x is None or picture.y is None or height < 2:
        return [Strip.blank(max(width, 0), ground) for _ in range(max(height, 0))]
    rows = height - 1
    margin = _labels(picture, rows)
    inner = width - len(margin[0])
    if inner < 8:
        margin, inner = [""] * rows, width
    dots, x = 2 * inner, picture.x
    traces = [braille.Trace((), line.style, xy.groups(line.xs, line.ys, x, dots)) for line in picture.lines]
    rules = [
        braille.Rule(_value(line.value, picture.log), looks.DIM, line.name, f"{looks.nll(line.value)} {line.name}")
        for line in picture.references
    ]
    cells = braille.draw(inner, rows, picture.y, traces=traces, rules=rules, marks=_marks(picture, dots))
    if picture.cursor is not None and x[0] <= picture.cursor <= x[1]:
        _cursor(cells, _column(picture.cursor, x, dots) // 2)
    drawn = [
        Strip([Segment(label, looks.on(ground, looks.DIM)), *segments(row, ground)], max(width, 0))
        for label, row in zip(margin, cells, strict=True)
    ]
    return [*drawn, _axis(picture, len(margin[0]), inner, ground)]


def _value(value: float, log: bool) -> float:
    if not log:
        return value
    return math.log10(value) if 0 < value < math.inf else math.nan


def _cursor(cells: list[list[braille.Cell[Style]]], column: int) -> None:
    for row in cells:
        if 0 <= column < len(row) and row[column][1] is None:
            row[column] = ("│", looks.DIM)


def _column(value: float, within: Span, columns: int) -> int:
    low, high = within
    return round((value - low) / (high - low) * (columns - 1)) if high > low else columns // 2


def _marks(picture: Picture, dots: int) -> list[braille.Mark[Style]]:
    """The signs over the curves. Those that say whose curve it is stand in front, and a mark that would share the cell
    of its own curve's sign (while it trains the last epoch is often the best) stands to the left of it."""
    assert picture.x is not None
    low, high = picture.x
    marks: list[braille.Mark[Style]] = []
    signs: list[braille.Mark[Style]] = []
    for line in picture.lines:
        bright = line.style + Style(bold=True, dim=False)
        end = next(((x, y) for x, y in zip(reversed(line.xs), reversed(line.ys), strict=False) if _known(y)), None)
        wanted = [(end, line.sign, bright), (line.diverged, "✖", looks.ERROR), (line.best, "★", bright)]
        taken: set[int] = set()
        for point, sign, style in wanted:
            if sign and point is not None and low <= point[0] <= high and point[1] is not None:
                column = _column(point[0], (low, high), dots)
                while column // 2 in taken:
                    column -= 2
                taken.add(column // 2)
                mark = braille.Mark(column, dots, point[1], sign, style)
                (signs if point is end else marks).append(mark)
    return marks + signs


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _labels(picture: Picture, rows: int) -> list[str]:
    """The y axis' texts, one a row, all of one width; empty ones where there is no axis."""
    if picture.y is None or rows < 2:
        return [""] * max(rows, 0)
    most = max(rows // ROWS_A_TICK, 2)
    if picture.log:
        values = axes.log_ticks(10.0 ** picture.y[0], 10.0 ** picture.y[1], most)
    else:
        values = axes.ticks(*picture.y, most)
    labels: dict[int, str] = {}
    for value, text in zip(values, axes.texts(values), strict=True):
        labels.setdefault(braille.depth(_value(value, picture.log), picture.y, 4 * rows) // 4, text)
    longest = max((len(text) for text in labels.values()), default=0)
    return [f" {labels.get(row, ''):>{longest}} {'┤' if row in labels else '│'}" for row in range(rows)]


def _axis(picture: Picture, margin: int, inner: int, ground: Style) -> Strip:
    """The x axis' round numbers, each centred under its place where that is free."""
    assert picture.x is not None
    most = max(inner // CELLS_A_TICK, 1)
    values = (axes.time_ticks if picture.clock else axes.ticks)(*picture.x, most)
    texts = [axes.clock(value) for value in values] if picture.clock else axes.texts(values)
    line = [" "] * (margin + inner)
    free = 0
    for value, text in zip(values, texts, strict=True):
        at = margin + _column(value, picture.x, 2 * inner) // 2
        start = max(min(at - len(text) // 2, margin + inner - len(text)), free)
        if start + len(text) <= len(line) and abs(start + len(text) // 2 - at) <= 2 + len(text):
            line[start : start + len(text)] = text
            free = start + len(text) + 2
    return Strip([Segment("".join(line), looks.on(ground, looks.DIM))])


def _same(one: Picture, other: Picture) -> bool:
    """Whether two pictures would draw the same; values are compared by identity, which costs nothing."""
    return (
        len(one.lines) == len(other.lines)
        and all(
            a.xs is b.xs
            and a.ys is b.ys
            and (a.style, a.sign, a.best, a.diverged) == (b.style, b.sign, b.best, b.diverged)
            for a, b in zip(one.lines, other.lines, strict=True)
        )
        and (one.x, one.y, one.references, one.log, one.clock, one.cursor)
        == (other.x, other.y, other.references, other.log, other.clock, other.cursor)
    )
