"""One piece of music or speech, with a line through it where it is heard or looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gatedtui.tui import heat, looks, rolls, waves
from gatedtui.tui.pieces import Piece, Scale
from gatedtui.tui.rolls import Cell

GUIDE = Style(color="#808080", dim=True)
HEAD = Style(color="#0f1116", bgcolor="#f5e663", bold=True)
"""The play-head: a bright column, and a sign where it is empty."""
PLAIN_SCALE = Scale()


@dataclass(frozen=True)
class View:
    """How a piece is drawn.

    Attributes:
        piece: what; None leaves the place empty.
        scale: shared by the pieces it is compared with.
        colour: of its notes; "" is that of text.
        left, right: cells kept free beside the picture; at the left stand the names of octaves.
    """

    piece: Piece | None = None
    scale: Scale = PLAIN_SCALE
    colour: str = ""
    left: int = 4
    right: int = 0


class PieceView(Widget):
    """Shows a piece; a moving head repaints its own column only."""

    DEFAULT_CSS = """
    PieceView { width: 1fr; height: 1fr; }
    """

    @dataclass
    class Pointed(Message):
        """A place in the piece was clicked.

        Attributes:
            view: where.
            at_s: seconds from its beginning.
        """

        view: "PieceView"
        at_s: float

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._view = View()
        self._head: int | None = None
        self._bright = True
        self._rows: list[list[Cell]] = []
        self._strips: list[Strip] = []
        self._drawn_for: tuple[int, int, Style] | None = None

    def on_resize(self) -> None:
        """Draws anew."""
        self._drawn_for = None

    def show(self, view: View) -> None:
        """Draws this from now on."""
        if view != self._view:
            self._view = view
            self._drawn_for = None
            self.refresh()

    def point(self, step: int | None, *, bright: bool = True) -> None:
        """Moves the line to the column of a step; None takes it away. Only one that is `bright` is more than a line."""
        column = None if step is None or self._view.piece is None else self._column(step)
        if (column, bright) == (self._head, self._bright):
            return
        for x in {self._head, column}:
            if x is not None:
                self.refresh(Region(self._view.left + x, 0, 1, max(self.size.height, 1)))
        self._head, self._bright = column, bright

    def _column(self, step: int) -> int:
        return heat.column(min(max(step, 0), self._steps - 1), self._steps, max(self._width, 1))

    @property
    def _steps(self) -> int:
        """What the whole width stands for, in steps of the piece."""
        piece = self._view.piece
        return max(piece.steps, round(self._view.scale.length_s / piece.step_s)) if piece else 1

    @property
    def _width(self) -> int:
        return max(self.size.width - self._view.left - self._view.right, 0)

    def on_click(self, event: Click) -> None:
        """Tells where in the piece it was."""
        x = event.x - self._view.left
        if self._view.piece is not None and 0 <= x < self._width:
            step = x * self._steps // self._width
            self.post_message(self.Pointed(self, step * self._view.piece.step_s))
            event.stop()

    def render_line(self, y: int) -> Strip:
        """One row of the picture; what does not move is drawn once."""
        drawn_for = self._drawn_for
        if y == 0 or drawn_for is None:  # the line moves through all rows at once, and to ask is half of the cost
            wanted = (self.size.width, self.size.height, self.rich_style)
            if drawn_for != wanted:
                self._draw(self.size.height, self.rich_style)
            self._drawn_for = drawn_for = wanted
        width, _, ground = drawn_for
        if y >= len(self._strips):
            return Strip.blank(width, ground)
        strip, row = self._strips[y], self._rows[y]
        if self._head is not None and self._head < len(row):
            x = self._view.left + self._head
            strip = Strip.join([strip.crop(0, x), Strip([self._mark(row[self._head], ground)], 1), strip.crop(x + 1)])
        return strip.adjust_cell_length(width, ground)

    def _mark(self, cell: Cell, ground: Style) -> Segment:
        """The line through a cell."""
        character, kind = cell
        style = HEAD if self._bright else looks.on(ground, self._style(kind)) + looks.BOLD
        return Segment("│" if kind in ("", "guide") else character, style)

    def _draw(self, height: int, ground: Style) -> None:
        view, piece = self._view, self._view.piece
        labels = [""] * height
        if piece is None:
            self._rows = []
        elif piece.kind == "music":
            labels = rolls.labels(height, view.scale.pitches)
            self._rows = rolls.draw(
                piece.notes, self._steps, self._width, height, view.scale.pitches, primer=piece.primer
            )
        else:
            width, given = self._width * piece.steps // self._steps, piece.primer / piece.steps
            drawn = waves.draw(piece.wave, width, height, view.scale.peak, primer=given)
            silence: list[Cell] = [(" ", "")] * (self._width - width)
            self._rows = [row + silence for row in drawn]
        self._strips = []
        for label, row in zip(labels, self._rows, strict=False):
            left = [Segment(f"{label:>{view.left - 1}} ", ground + looks.DIM)] if view.left else []
            self._strips.append(Strip([*left, *self._segments(row, ground)]))

    def _style(self, kind: str) -> Style:
        """Of a kind of cell, on no ground."""
        note = Style(color=self._view.colour or None)
        return {"": looks.PLAIN, "guide": GUIDE, "primer": note + looks.DIM, "note": note}[kind]

    def _segments(self, row: Sequence[Cell], ground: Style) -> list[Segment]:
        """Neighbouring cells of one kind as one segment."""
        runs = ((kind, "".join(c for c, _ in cells)) for kind, cells in groupby(row, key=itemgetter(1)))
        return [Segment(text, looks.on(ground, self._style(kind))) for kind, text in runs]
