"""One line to type into, drawn as a line among others: a filter, a path, an answer.

It takes every key itself, in the order they come: Textual's `Input` leaves backspace and arrows to bindings, which a
letter typed quickly after them overtakes.
"""

from dataclasses import dataclass

from textual import events
from textual.message import Message

from gatedtui.tui import looks
from gatedtui.tui.editing import Edit, typed
from gatedtui.tui.looks import BOLD, DIM
from gatedtui.tui.widgets.lines import Lines


class Entry(Lines, can_focus=True):
    """Takes every printable key while it has the focus; enter and escape end it.

    Args:
        label: what stands before the text; "" for nothing.
        hint: what stands in its place while there is none.
        text: what stands there at first; what is typed takes its place.
    """

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

    def __init__(self, label: str = "", hint: str = "", text: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._label, self._hint = label, hint
        self._edit = Edit(text, len(text), whole=bool(text))

    @property
    def value(self) -> str:
        """What has been typed."""
        return self._edit.text

    def begin(self, text: str, label: str = "", hint: str = "") -> None:
        """Shows this text and takes the keys."""
        self._label, self._hint = label or self._label, hint or self._hint
        self._edit = typed(text)
        self.display = True
        self.focus()
        self._paint()

    def _paint(self) -> None:
        hint = [] if self.value else [(self._hint, DIM)]
        text = self._edit.spans(self._room) if self.has_focus else [(looks.shorten(self.value, self._room), BOLD)]
        self.show([[(self._before, BOLD), *text, *hint]])

    @property
    def _before(self) -> str:
        return f" {self._label} " if self._label else ""

    @property
    def _room(self) -> int:
        """Cells for the text."""
        return max(self.size.width - len(self._before) - 1, 8)

    def watch_has_focus(self, has_focus: bool) -> None:
        """The cursor is shown while keys are taken."""
        super().watch_has_focus(has_focus)
        self._paint()

    def on_resize(self) -> None:
        """Cuts the text anew."""
        self._paint()

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Printable keys are typed, and press nothing."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Types, or ends."""
        if event.key in ("enter", "escape"):
            self.post_message(self.Ended(self.value, event.key == "enter"))
        elif event.is_printable and event.character:
            self._take(self._edit.insert(event.character))
        elif (edit := self._edit.key(event.key)) is not None:
            self._take(edit)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor where the mouse has clicked."""
        self._take(self._edit.pointed(event.x - len(self._before), self._room))

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
