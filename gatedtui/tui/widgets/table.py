"""A long list of lines with a cursor: only the lines in sight are made and drawn, so 10,000 rows cost what 20 do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gatedtui.tui import looks
from gatedtui.tui.looks import Spans


class Table(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows `count` lines, each made when it is drawn."""

    DEFAULT_CSS = """
    Table { width: 1fr; height: 1fr; overflow-x: hidden; overflow-y: auto; }
    Table { scrollbar-size-vertical: 1; scrollbar-color: $foreground 25%; scrollbar-background: $background; }
    Table > .table--cursor { background: $foreground 10%; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--cursor"}

    @dataclass
    class Moved(Message):
        """The cursor has moved.

        Attributes:
            row: where it is now.
        """

        row: int

    @dataclass
    class Picked(Message):
        """A row was double-clicked.

        Attributes:
            row: which.
        """

        row: int

    def __init__(self, line: Callable[[int, int, bool], Spans], *, id: str | None = None) -> None:
        """`line(row, width, current)` gives the pieces of a row."""
        super().__init__(id=id)
        self._line = line
        self.count = 0
        self.cursor = 0

    def show(self, count: int, cursor: int) -> None:
        """Shows this many lines, the cursor on one of them, and draws all in sight anew."""
        self.count = count
        self.virtual_size = Size(self.size.width, count)
        self.move(cursor)
        self.refresh()

    def move(self, cursor: int) -> None:
        """Moves the cursor and brings it into sight."""
        cursor = max(min(cursor, self.count - 1), 0)
        if cursor != self.cursor:
            self.cursor = cursor
            self.refresh()
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if cursor < top:
            self.scroll_to(y=cursor, animate=False, immediate=True)
        elif cursor >= top + height:
            self.scroll_to(y=cursor - height + 1, animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        """One line in sight."""
        ground, width = self.rich_style, self.size.width
        row = y + self.scroll_offset.y
        if row >= self.count:
            return Strip.blank(width, ground)
        if row == self.cursor:
            ground = self.get_component_rich_style("table--cursor")
        pieces = self._line(row, width, row == self.cursor)
        strip = Strip([Segment(text, looks.on(ground, style)) for text, style in pieces])
        return strip.adjust_cell_length(width, ground)

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor where the mouse is; twice picks the row."""
        row = event.y + self.scroll_offset.y
        if row < self.count:
            self.move(row)
            self.post_message(self.Moved(row))
            if event.chain == 2:
                self.post_message(self.Picked(row))
