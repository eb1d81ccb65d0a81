"""The help screen: every key, as the bindings themselves name them."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.widgets.lines import Lines
from gatedtui.tui.widgets.page import Page

KEYS = {
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "delete": "del",
    "shift+left": "⇧←",
    "shift+right": "⇧→",
    "shift+up": "⇧↑",
    "shift+down": "⇧↓",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "escape": "esc",
    "slash": "/",
    "full_stop": ".",
}
"""Keys that read better as signs."""
GAP = 4
"""Cells between two columns."""
HELPED = "helped"
"""The class of widgets whose own keys stand in the help while they have the focus."""


def key_text(binding: Binding) -> str:
    """`← h` for the keys of a binding."""
    return binding.key_display or " ".join(KEYS.get(key.strip(), key.strip()) for key in binding.key.split(","))


def groups(app: App[Any], others: Sequence[type[Screen[Any]]]) -> list[tuple[str, Iterable[BindingType]]]:
    """What can be pressed: on the screen that is shown and in what has the focus, everywhere, then on other screens."""
    here, focused = app.screen, app.focused
    found: list[tuple[str, Iterable[BindingType]]] = [(_title(type(here)), here.BINDINGS)]
    if focused is not None and focused.BINDINGS and HELPED in focused.classes:
        found.append((_title(type(focused)), focused.BINDINGS))
    found.append(("Everywhere", app.BINDINGS))
    return [*found, *((_title(screen), screen.BINDINGS) for screen in others if screen is not type(here))]


def _title(kind: type) -> str:
    """`New run` for `NewRun`."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in kind.__name__).strip()
    return spaced[:1].upper() + spaced[1:]


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
    HelpScreen > Page {
        width: auto; max-width: 100%; height: auto; max-height: 100%; scrollbar-size-vertical: 1;
        border: round $foreground 25%; padding: 0 2; background: $background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter,ctrl+c", "dismiss", "close the help", priority=True),
    ]

    def __init__(self, groups: Sequence[tuple[str, Iterable[BindingType]]]) -> None:
        super().__init__()
        self.groups = listing([*groups, ("Here", [*self.BINDINGS, *Page.BINDINGS])])

    def compose(self) -> ComposeResult:
        rows = columns(self.groups, self.app.size.width - 8, self.app.size.height - 2)
        with Page() as page:
            page.border_subtitle = "esc close"
            lines = Lines(rows)
            lines.styles.width = max(map(looks.length, rows))
            yield lines


def columns(groups: Sequence[tuple[str, Sequence[tuple[str, str]]]], width: int, height: int) -> list[Spans]:
    """The lines of the help: one group below the other, in as many columns as it takes and the width allows."""
    blocks = [_block(title, items) for title, items in groups if items]
    wide = max((looks.length(row) for block in blocks for row in block), default=0)
    most = max((width + GAP) // (wide + GAP), 1)
    dealt = _deal(blocks, 1)
    for count in range(2, most + 1):
        if max(map(len, dealt)) <= height:
            break
        dealt = _deal(blocks, count)
    rows: list[Spans] = []
    for number in range(max(map(len, dealt))):
        row: Spans = []
        for place, column in enumerate(dealt):
            row += [(" " * (place * (wide + GAP) - looks.length(row)), PLAIN)] if place else []
            row += column[number] if number < len(column) else []
        rows.append(row)
    return rows


def _block(title: str, items: Sequence[tuple[str, str]]) -> list[Spans]:
    keys = max(looks.length([(key, BOLD)]) for key, _ in items)
    lines: list[Spans] = [[(title, DIM)]]
    for key, what in items:
        lines.append([(" " * (keys - looks.length([(key, BOLD)])), PLAIN), (key, BOLD), (f"  {what}", PLAIN)])
    return lines


def _deal(blocks: list[list[Spans]], count: int) -> list[list[Spans]]:
    """The blocks in order in `count` columns, none broken, the longest column as short as a walk finds it."""
    total = sum(map(len, blocks))
    for height in range(max(-(-total // count), max(map(len, blocks), default=1)), total + len(blocks) + 1):
        dealt: list[list[Spans]] = [[]]
        for block in blocks:
            if dealt[-1] and len(dealt[-1]) + len(block) > height:
                dealt.append([])
            dealt[-1] += block
        if len(dealt) <= count:
            return dealt
    return [[row for block in blocks for row in block]]
