"""A question with yes and no, for what cannot be undone."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.widgets import bars
from gatedtui.tui.widgets.lines import Lines

AROUND = Size(6, 2)
"""Cells of the border and beside it."""


class Ask(ModalScreen[bool], inherit_bindings=False):
    """Asks; only `y` means yes.

    Args:
        question: what is asked.
        lines: what it is about, one a line.
    """

    DEFAULT_CSS = """
    Ask { align: center middle; }
    Ask > Vertical {
        width: auto; max-width: 100%; height: auto; max-height: 100%;
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
        with Vertical():
            yield Lines()

    def on_mount(self) -> None:
        """Asks."""
        self._paint(self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        """Lists as much as fits."""
        self._paint(event.size)

    def _paint(self, size: Size) -> None:
        shown = rows(self.question, self.lines, size.width - AROUND.width, size.height - AROUND.height)
        lines = self.query_one(Lines)
        lines.styles.width = max(map(looks.length, shown))
        lines.show(shown)

    def action_answer(self, yes: bool) -> None:
        """Answers."""
        if self.is_current:
            self.dismiss(yes)


def rows(question: str, about: Sequence[str], width: int, height: int) -> list[Spans]:
    """The question, as much of what it is about as leaves room for the answers, and the answers."""
    answers = [bars.keys([("y", "yes", ", for good", 0), ("n", "no", "", 0)], width)]
    asked: list[Spans] = [[(line, BOLD)] for line in looks.fold(question, width)][: max(height - len(answers), 1)]
    room = height - len(asked) - len(answers) - 1
    if room <= 0:
        return [*asked, *answers]
    listed = about if len(about) <= room else about[: room - 1]
    shown: list[Spans] = [[(f"  {looks.shorten(looks.clean(line), width - 2)}", PLAIN)] for line in listed]
    if len(listed) < len(about):
        shown.append([(f"  … and {len(about) - len(listed)} more", DIM)])
    return [*asked, *shown, [], *answers]
