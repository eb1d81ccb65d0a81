"""The form's fields as lines: what is typed into the current one, what the others come to, errors beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gatedtui.tui import looks
from gatedtui.tui.editing import Edit, typed
from gatedtui.tui.keys import Key
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans

LABEL = 13
VALUE = 30
"""Cells of the labels and of the values; the rest of a line is for the meaning, or for what is wrong."""


class Fields(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the fields of a form and takes what is typed.

    Args:
        keys: the fields, in order.
        values: what is typed already.
    """

    DEFAULT_CSS = """
    Fields { height: 1fr; overflow-x: hidden; }
    Fields { scrollbar-size-vertical: 1; scrollbar-color: $foreground 25%; scrollbar-background: $background; }
    """

    @dataclass
    class Changed(Message):
        """Something else is typed now.

        Attributes:
            typed: the whole form.
        """

        typed: dict[str, str]

    @dataclass
    class Moved(Message):
        """Another field is the current one.

        Attributes:
            key: which.
        """

        key: Key

    def __init__(self, keys: Sequence[Key], values: dict[str, str]) -> None:
        super().__init__()
        self.keys = keys
        self.typed = dict(values)
        self.at = 0
        self.errors: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.choices: dict[str, tuple[str, ...]] = {}
        self._edit = typed(self.typed.get(keys[0].key, ""))
        self._rows = _rows(keys)

    def show(self, values: dict[str, str], errors: dict[str, str], choices: dict[str, tuple[str, ...]]) -> None:
        """Shows what the fields come to and what is wrong with them."""
        self.values, self.errors, self.choices = values, errors, choices
        self.virtual_size = Size(self.size.width, len(self._rows))
        self.refresh()

    def fill(self, values: dict[str, str]) -> None:
        """Types all this at once."""
        self.typed = dict(values)
        self._edit = typed(self.typed.get(self.current.key, ""))
        self.refresh()
        self.post_message(self.Changed(dict(self.typed)))

    @property
    def current(self) -> Key:
        """The field that is typed into."""
        return self.keys[self.at]

    def move(self, place: int) -> None:
        """Goes to a field."""
        self.at = max(min(place, len(self.keys) - 1), 0)
        self._edit = typed(self.typed.get(self.current.key, ""))
        row = self._rows.index(self.at)
        top, height = self.scroll_offset.y, max(self.size.height, 1)
        if row <= top:
            self.scroll_to(y=max(row - 1, 0), animate=False, immediate=True)
        elif row >= top + height:
            self.scroll_to(y=row - height + 1, animate=False, immediate=True)
        self.refresh()
        self.post_message(self.Moved(self.current))

    # Keys.

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Printable keys are typed, and press nothing."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """Types, chooses or moves."""
        by = {"up": -1, "shift+tab": -1, "down": 1, "tab": 1, "pageup": -8, "pagedown": 8}.get(event.key)
        if by is not None:
            self.move(self.at + by)
        elif event.key in ("left", "right") and self._chooses():
            self._choose(1 if event.key == "right" else -1)
        elif event.is_printable and event.character and (self.current.free or event.character == " "):
            if self.current.free:
                self._take(self._edit.insert(event.character))
            else:
                self._choose(1)
        elif event.is_printable and event.character:
            self._begin_with(event.character)
        elif event.key in ("backspace", "delete") and not self.current.free:
            self._take(Edit())
        elif (edit := self._edit.key(event.key)) is not None and self.current.free:
            self._take(edit)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Types what was pasted."""
        if self.current.free:
            self._take(self._edit.insert(event.text))
        event.stop()

    def on_click(self, event: events.Click) -> None:
        """Goes to the field; a click on a choice takes it."""
        row = event.y + self.scroll_offset.y
        place = self._rows[row] if row < len(self._rows) else None
        if not isinstance(place, int):
            return
        self.move(place)
        at = LABEL + 3
        for choice in self._shown_choices(self.current):
            if at <= event.x < at + len(choice):
                self._take(typed(choice))
            at += len(choice) + 2

    def _options(self, key: Key) -> tuple[str, ...]:
        return key.choices or self.choices.get(key.key, ())

    def _chooses(self) -> bool:
        """Whether the arrows go from choice to choice, not from letter to letter."""
        options = self._options(self.current)
        return bool(options) and (not self._edit.text or self._edit.text in options)

    def _choose(self, by: int) -> None:
        options = self._options(self.current)
        now = self.typed.get(self.current.key) or self.values.get(self.current.key, "")
        place = options.index(now) + by if now in options else 0 if by > 0 else -1
        self._take(typed(options[place % len(options)]))

    def _begin_with(self, letter: str) -> None:
        found = next((option for option in self._options(self.current) if option.startswith(letter)), None)
        if found is not None:
            self._take(typed(found))

    def _take(self, edit: Edit) -> None:
        changed = edit.text != self._edit.text
        self._edit = edit
        self.refresh()
        if changed:
            self.typed = {key: text for key, text in self.typed.items() if key != self.current.key}
            if edit.text.strip():
                self.typed[self.current.key] = edit.text.strip()
            self.post_message(self.Changed(dict(self.typed)))

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """One line in sight."""
        ground, width = self.rich_style, self.size.width
        row = y + self.scroll_offset.y
        place = self._rows[row] if row < len(self._rows) else ""
        pieces: Spans = self._line(place, width) if isinstance(place, int) else [(f"   {place}", DIM)]
        strip = Strip([Segment(text, looks.on(ground, style)) for text, style in pieces])
        return strip.adjust_cell_length(width, ground)

    def _line(self, place: int, width: int) -> Spans:
        key, here = self.keys[place], place == self.at
        error = self.errors.get(key.key, "")
        line: Spans = [("▌" if here else " ", BOLD), (f" {key.label:<{LABEL}} ", BOLD if here else PLAIN)]
        value = self._value(key, here)
        line += [*value, (" " * max(VALUE - looks.length(value), 0), PLAIN)]
        room = max(width - looks.length(line) - 1, 0)
        note = [("✖ ", looks.ERROR), (looks.shorten(error, room - 2), looks.ERROR)] if error else []
        return [*line, *(note or [(looks.shorten(key.help, room), DIM)])]

    def _value(self, key: Key, here: bool) -> Spans:
        own, comes_to = self.typed.get(key.key, ""), self.values.get(key.key, "")
        shown = self._shown_choices(key)
        if shown:
            now = own or comes_to
            line: Spans = []
            for number, choice in enumerate(shown):
                style = looks.INVERSE if choice == now and here else BOLD if choice == now else DIM
                line += [("  " if number else "", PLAIN), (choice, style)]
            return line
        if here and key.free:
            spans = self._edit.spans(VALUE - 2)
            return spans if self._edit.text else [*spans[:2], (looks.shorten(comes_to, VALUE - 2), DIM)]
        text = looks.shorten(own or comes_to, VALUE - 2)
        return [(text, BOLD if own else DIM)]

    def _shown_choices(self, key: Key) -> tuple[str, ...]:
        """The choices, where all of them fit beside each other."""
        fits = sum(map(len, key.choices)) + 2 * len(key.choices) <= VALUE
        return key.choices if not key.free and fits else ()


def _rows(keys: Sequence[Key]) -> list[int | str]:
    """For each line of the form the number of its field, or a heading."""
    rows: list[int | str] = []
    group = ""
    for number, key in enumerate(keys):
        if key.group != group:
            group = key.group
            rows += ["", group] if group else []
        rows.append(number)
    return rows
