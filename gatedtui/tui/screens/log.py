"""What has happened since the app was opened: ends, alerts, failures and their hints, newest last."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import DIM, PLAIN, Spans
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.page import Page

AROUND = 5
"""Cells of the border, beside it, and of the scroll bar."""


class LogScreen(ModalScreen[None], inherit_bindings=False):
    """Lists sentences over whatever is open.

    Args:
        told: time of day and sentence, oldest first.
    """

    DEFAULT_CSS = """
    LogScreen { align: center middle; }
    LogScreen > Page {
        width: 100%; height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        border: round $foreground 25%; padding: 0 1; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,e,enter,ctrl+c", "dismiss", "close the list", priority=True),
    ]

    def __init__(self, told: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.told = told

    def compose(self) -> ComposeResult:
        with Page() as page:
            page.border_subtitle = "esc close"
            yield Lines(rows(self.told, self.app.size.width - AROUND))

    def on_mount(self) -> None:
        """Begins at the end."""
        self.query_one(Page).scroll_end(animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Folds the sentences anew."""
        self.query_one(Lines).show(rows(self.told, event.size.width - AROUND))


def rows(told: Sequence[tuple[str, str]], width: int) -> list[Spans]:
    """Each sentence beside its time of day, in as many lines of at most `width` cells as it takes."""
    shown: list[Spans] = []
    for when, what in told:
        first, *more = looks.fold(what, width - len(when) - 2)
        shown.append([(f"{when}  ", DIM), (first, PLAIN)])
        shown += [[(" " * (len(when) + 2), PLAIN), (line, PLAIN)] for line in more]
    return shown or [[("Nothing has happened yet.", DIM)]]
