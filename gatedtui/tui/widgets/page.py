"""Lines that are longer than the screen, to be read from end to end with the keys of every list here."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll


class Page(VerticalScroll, inherit_bindings=False):
    """Scrolls what is in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "a line up"),
        Binding("down,j", "scroll_down", "a line down"),
        Binding("pageup,ctrl+b", "page_up", "a page up"),
        Binding("pagedown,ctrl+f", "page_down", "a page down"),
        Binding("home,g", "scroll_home", "to the beginning"),
        Binding("end,G", "scroll_end", "to the end"),
    ]
