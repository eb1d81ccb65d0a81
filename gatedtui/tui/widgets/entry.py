"""One line to type into, drawn as a line among others: a filter, a path."""

from dataclasses import dataclass

from textual import events
from textual.message import Message

from gatedtui.tui.editing import Edit, typed
from gatedtui.tui.looks import BOLD, DIM
from gatedtui.tui.widgets.lines import Lines


class Entry(Lines, can_focus=True):
    """Takes every printable key while it has the focus; enter and escape end it."""

    DEFAULT_CSS = """
    Entry { height: 1; }
    """

    @dataclass
    class Changed(Message):
        """The text is another one.

        Attributes:
            text: what it is now.
        """

        text: str

    @dataclass
    class Ended(Message):
        """Enter or escape was pressed.

        Attributes:
            text: what was typed.
            kept: whether it was enter.
        """

        text: str
        kept: bool

    def __init__(self, label: str, hint: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label, self._hint = label, hint
        self._edit = Edit()

    def begin(self, text: str, label: str = "", hint: str = "") -> None:
        """Shows this text and takes the keys."""
        self._label, self._hint = label or self._label, hint or self._hint
        self._edit = typed(text)
        self.display = True
        self.focus()
        self._paint()

    def _paint(self) -> None:
        hint = [] if self._edit.text else [(self._hint, DIM)]
        room = max(self.size.width - len(self._label) - 3, 8)
        self.show([[(f" {self._label} ", BOLD), *self._edit.spans(room), *hint]])

    def on_resize(self) -> None:
        """Cuts the text anew."""
        self._paint()

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Printable keys are typed, and press nothing."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Types, or ends."""
        if event.key in ("enter", "escape"):
            self.post_message(self.Ended(self._edit.text, event.key == "enter"))
        elif event.is_printable and event.character:
            self._take(self._edit.insert(event.character))
        elif (edit := self._edit.key(event.key)) is not None:
            self._take(edit)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Types what was pasted."""
        self._take(self._edit.insert(event.text))
        event.stop()

    def _take(self, edit: Edit) -> None:
        changed = edit.text != self._edit.text
        self._edit = edit
        self._paint()
        if changed:
            self.post_message(self.Changed(edit.text))
