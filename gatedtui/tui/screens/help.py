"""The help screen: every key, as the bindings themselves name them."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.widgets.lines import Lines

KEYS = {
    "question_mark": "?",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "slash": "/",
    "full_stop": ".",
}
"""Keys that read better as signs."""


def key_text(binding: Binding) -> str:
    """`← h` for the keys of a binding."""
    return binding.key_display or " ".join(KEYS.get(key.strip(), key.strip()) for key in binding.key.split(","))


def listing(groups: Sequence[tuple[str, Iterable[BindingType]]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each group of bindings as keys and what they do."""
    return [
        (title, [(key_text(b), b.description) for b in bindings if isinstance(b, Binding) and b.description])
        for title, bindings in groups
    ]


class HelpScreen(ModalScreen[None], inherit_bindings=False):
    """Lists keys over whatever is open.

    Args:
        groups: `(title, bindings)` in the order to show them.
    """

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll {
        width: auto; max-width: 100%; height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        border: round $panel-lighten-2; padding: 0 2; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,ctrl+c", "dismiss", "close the help", priority=True),
    ]

    def __init__(self, groups: Sequence[tuple[str, Iterable[BindingType]]]) -> None:
        super().__init__()
        self.groups = listing([*groups, ("Here", self.BINDINGS)])

    def compose(self) -> ComposeResult:
        rows = self.rows()
        with VerticalScroll():
            lines = Lines(rows)
            lines.styles.width = max(map(looks.length, rows))
            yield lines

    def rows(self) -> list[Spans]:
        """The lines of the help."""
        wide = max(len(keys) for _, items in self.groups for keys, _ in items)
        rows: list[Spans] = []
        for title, items in self.groups:
            rows.append([(title, DIM)])
            rows += [[(f"{keys:>{wide}}  ", BOLD), (what, PLAIN)] for keys, what in items]
        return rows
