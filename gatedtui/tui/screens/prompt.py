"""A question with one line to answer it, over whatever is open."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, Spans
from gatedtui.tui.widgets.lines import Lines


class Prompt(ModalScreen[str | None], inherit_bindings=False):
    """Gives what was typed, or None when it was left.

    Args:
        title: the question.
        value: what stands there at first.
        hints: lines below it.
        check: says what is wrong with an answer, or "".
    """

    DEFAULT_CSS = """
    Prompt { align: center middle; }
    Prompt > Vertical {
        width: 64; max-width: 100%; height: auto; border: round $panel-lighten-2; padding: 0 2;
        background: $background;
    }
    Prompt Input { border: none; height: 1; padding: 0; background: $panel; margin: 1 0; }
    Prompt Input:focus { border: none; background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,ctrl+c", "leave", "leave it as it was", priority=True),
        Binding("enter", "take", "take it"),
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
            yield Input(self._value, select_on_focus=True)
            yield Lines(self._below(""), id="below")

    def _below(self, problem: str) -> list[Spans]:
        shown: list[Spans] = [[(problem, looks.ERROR)]] if problem else []
        keys: Spans = [("enter", BOLD), (" takes it   ", DIM), ("esc", BOLD), (" leaves it", DIM)]
        return [*shown, *([(hint, DIM)] for hint in self._hints), keys]

    def action_leave(self) -> None:
        """Closes without an answer."""
        self.dismiss(None)

    def on_input_submitted(self) -> None:
        """The line itself tells of enter, after all that was typed before it; a priority key would overtake that."""
        self.action_take()

    def action_take(self) -> None:
        """Closes with the answer, if nothing is wrong with it."""
        answer = self.query_one(Input).value.strip()
        problem = self._check(answer)
        if problem:
            self.query_one("#below", Lines).show(self._below(problem))
        else:
            self.dismiss(answer)
