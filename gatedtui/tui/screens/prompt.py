"""A question with one line to answer it, over whatever is open."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, Spans
from gatedtui.tui.widgets.entry import Entry
from gatedtui.tui.widgets.lines import Lines


class Prompt(ModalScreen[str | None], inherit_bindings=False):
    """Gives what was typed, or None when it was left.

    Args:
        title: the question.
        value: what stands there at first; what is typed takes its place.
        hints: lines below it.
        check: says what is wrong with an answer, or "".
    """

    DEFAULT_CSS = """
    Prompt { align: center middle; }
    Prompt > Vertical {
        width: 64; max-width: 100%; height: auto; border: round $panel-lighten-2; padding: 0 2;
        background: $background;
    }
    Prompt Entry { background: $panel; margin: 1 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "take it"),
        Binding("escape", "leave", "leave it as it was"),
        Binding("ctrl+c", "leave", "leave it as it was", priority=True),
    ]

    def __init__(
        self,
        title: str,
        value: str = "",
        *,
        hints: Sequence[str] = (),
        check: Callable[[str], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self._title, self._value, self._hints, self._check = title, value, hints, check

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Lines([[(self._title, BOLD)]])
            yield Entry(text=self._value)
            yield Lines(self._below(""), id="below")

    def _below(self, problem: str) -> list[Spans]:
        shown: list[Spans] = [[(problem, looks.ERROR)]] if problem else []
        keys: Spans = [("enter", BOLD), (" takes it   ", DIM), ("esc", BOLD), (" leaves it", DIM)]
        return [*shown, *([(hint, DIM)] for hint in self._hints), keys]

    def on_entry_ended(self, message: Entry.Ended) -> None:
        """The line itself tells of enter and escape, after all that was typed before; priority keys would overtake."""
        if message.kept:
            self._take(message.text)
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Closes without an answer."""
        if self.is_current:
            self.dismiss(None)

    def action_take(self) -> None:
        """Closes with the answer, if nothing is wrong with it."""
        self._take(self.query_one(Entry).value)

    def _take(self, text: str) -> None:
        if not self.is_current:  # enter was pressed twice before the first was heard of
            return
        answer = text.strip()
        problem = self._check(answer)
        if problem:
            self.query_one("#below", Lines).show(self._below(problem))
        else:
            self.dismiss(answer)
