"""What has happened since the app was opened: ends, alerts, failures and their hints, newest last."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import DIM, PLAIN, Spans
from gatedtui.tui.widgets.lines import Lines


class LogScreen(ModalScreen[None], inherit_bindings=False):
    """Lists sentences over whatever is open.

    Args:
        told: time of day and sentence, oldest first.
    """

    DEFAULT_CSS = """
    LogScreen { align: center middle; }
    LogScreen > VerticalScroll {
        width: 90%; height: auto; max-height: 90%; scrollbar-size-vertical: 1;
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
        rows: list[Spans] = [[(f"{when}  ", DIM), (looks.clean(what), PLAIN)] for when, what in self.told]
        with VerticalScroll() as box:
            box.border_subtitle = "esc close"
            yield Lines(rows or [[("Nothing has happened yet.", DIM)]])

    def on_mount(self) -> None:
        """Begins at the end."""
        self.query_one(VerticalScroll).scroll_end(animate=False)
