"""A question with yes and no, for what cannot be undone."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.widgets.lines import Lines


class Ask(ModalScreen[bool], inherit_bindings=False):
    """Asks; only `y` means yes.

    Args:
        question: what is asked.
        lines: what it is about, one a line.
    """

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical {
        width: auto; max-width: 90%; height: auto; max-height: 90%;
        border: round $error; padding: 0 2; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q,enter", "answer(False)", "no"),
    ]

    def __init__(self, question: str, lines: list[str]) -> None:
        super().__init__()
        self.question = question
        self.lines = lines

    def compose(self) -> ComposeResult:
        about: list[Spans] = [[(f"  {looks.clean(line)}", PLAIN)] for line in self.lines[:10]]
        if len(self.lines) > 10:
            about.append([(f"  and {len(self.lines) - 10} more", DIM)])
        answers: Spans = [("y", BOLD), (" yes, for good   ", DIM), ("n", BOLD), (" no", DIM)]
        rows: list[Spans] = [[(self.question, BOLD)], *about, [], answers]
        with Vertical():
            lines = Lines(rows)
            lines.styles.width = max(map(looks.length, rows))
            yield lines

    def action_answer(self, yes: bool) -> None:
        """Answers."""
        self.dismiss(yes)
