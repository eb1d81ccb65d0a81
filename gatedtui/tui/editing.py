"""A line of text being typed: a frozen value, and what each key makes of it."""

from dataclasses import dataclass

from gatedtui.tui import looks
from gatedtui.tui.looks import Spans

LONGEST = 2000
DELETING = ("backspace", "delete", "ctrl+d", "ctrl+u", "ctrl+k", "ctrl+w")


@dataclass(frozen=True)
class Edit:
    """A text with a cursor.

    Attributes:
        text: what has been typed.
        at: characters before the cursor, 0 to their number.
        whole: whether all of it is chosen: what is typed next stands in its place.
    """

    text: str = ""
    at: int = 0
    whole: bool = False

    def insert(self, text: str) -> "Edit":
        """The text put in at the cursor, on one line, without what cannot be shown."""
        if self.whole:
            return Edit().insert(text)
        new = looks.clean(text)[: max(LONGEST - len(self.text), 0)]
        return Edit(self.text[: self.at] + new + self.text[self.at :], self.at + len(new))

    def key(self, name: str) -> "Edit | None":
        """What a key (as Textual names it) makes of it; None where it means nothing here."""
        text, at = self.text, self.at
        if self.whole and name in DELETING:
            return Edit()
        match name:
            case "backspace":
                return Edit(text[: max(at - 1, 0)] + text[at:], max(at - 1, 0))
            case "delete" | "ctrl+d":
                return Edit(text[:at] + text[at + 1 :], at)
            case "left":
                return Edit(text, max(at - 1, 0))
            case "right":
                return Edit(text, min(at + 1, len(text)))
            case "home" | "ctrl+a":
                return Edit(text, 0)
            case "end" | "ctrl+e":
                return Edit(text, len(text))
            case "ctrl+u":
                return Edit(text[at:], 0)
            case "ctrl+k":
                return Edit(text[:at], at)
            case "ctrl+w":
                before = text[:at].rstrip()
                cut = before.rfind(" ") + 1
                return Edit(text[:cut] + text[at:], cut)
        return None

    def spans(self, width: int) -> Spans:
        """The text with its cursor in at most `width` cells; what is far left of the cursor is cut off."""
        before, under, after = self.text[: self.at], self.text[self.at : self.at + 1] or " ", self.text[self.at + 1 :]
        while before and looks.length([(before + under, looks.PLAIN)]) > width:
            before = before[1:]
        room = max(width - looks.length([(before + under, looks.PLAIN)]), 0)
        style = looks.INVERSE if self.whole else looks.BOLD
        return [(before, style), (under, looks.INVERSE), (looks.shorten(after, room), style)]

    def pointed(self, cell: int, width: int) -> "Edit":
        """The cursor at a cell of what `spans` shows in `width`; beyond the text at its end."""
        first = self.at - len(self.spans(width)[0][0])
        at = first
        while at < len(self.text) and looks.length([(self.text[first : at + 1], looks.PLAIN)]) <= cell:
            at += 1
        return Edit(self.text, at)


def typed(text: str) -> Edit:
    """A text with the cursor at its end."""
    return Edit(text, len(text))
