"""The three lines around every screen: where one can go and how busy the machine is; what has happened; the keys."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import events
from textual.screen import Screen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.widgets import bars
from gatedtui.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from gatedtui.tui.app import GatedApp

Items = Sequence[tuple[str, str, str, int]]
"""Key, word, more words, and rank, as `bars.keys` takes them."""

PRESSED = {"?": "question_mark", "/": "slash", "esc": "escape", "del": "delete", "<": "less_than_sign"}
"""What keys are called that are shown as signs. Those shown as several, such as arrows, cannot be clicked."""


class TabStrip(Lines):
    """The names of the screens; a click goes there."""

    DEFAULT_CSS = "TabStrip { height: 1; }"

    def on_click(self, event: events.Click) -> None:
        """Goes to the screen whose name was clicked."""
        app = cast("GatedApp", self.app)
        at = 0
        for piece, _ in self.spans(0):
            at += looks.length([(piece, PLAIN)])
            if event.x < at:
                if piece in (name for _, name in app.places):
                    app.action_go(piece)
                return


class NewsLine(Lines):
    """What is wrong, or what has happened last; a click lists it all."""

    DEFAULT_CSS = "NewsLine { height: 1; }"

    def on_click(self) -> None:
        """Lists what has happened."""
        cast("GatedApp", self.app).action_log()


class KeyLine(Lines):
    """The keys that do something here; a click presses one."""

    DEFAULT_CSS = "KeyLine { height: 1; }"

    async def on_click(self, event: events.Click) -> None:
        """Presses the key under the mouse."""
        at, key = 0, ""
        for piece, style in self.spans(0):
            key = piece if style.bold else key
            at += looks.length([(piece, PLAIN)])
            if event.x < at:
                name = PRESSED.get(key, key)
                if name.isascii() and name.replace("_", "").replace("+", "").isalnum():
                    self.app.simulate_key(name)
                return


def paint(screen: Screen[Any], here: str, items: Items) -> None:
    """Brings the three lines of a screen up to date.

    Args:
        screen: one that has a `TabStrip`, a `NewsLine` and a `KeyLine`.
        here: the name of the screen, as in the strip.
        items: the keys.
    """
    app, width = cast("GatedApp", screen.app), screen.size.width
    screen.query_one(TabStrip).show([bars.top(app.places, here, app.load, width)])
    screen.query_one(NewsLine).show([news(app, width)])
    screen.query_one(KeyLine).show([bars.keys(items, width)])


def news(app: "GatedApp", width: int) -> Spans:
    """The middle one: an answer, frozen, busy, sounding, alarmed, or the last that happened; as much as fits."""
    answer, until = app.answer
    if answer and time.monotonic() < until:
        return [(f" {answer}", BOLD)]
    if app.frozen:
        space = app.screen.active_bindings.get("space")
        where = "" if space is not None and space.node is app else " on the Dashboard"
        return [(" view paused ", looks.INVERSE), (f" space{where} goes on; training is not touched", DIM)]
    line: Spans = []
    if app.busy:
        line = [(f" {looks.SPINNER[app.beat % len(looks.SPINNER)]} {app.busy}", PLAIN)]
    elif app.sounding:
        line = [(" ♪ ", PLAIN), (app.sounding, PLAIN)]
    for alert in app.alerts:
        line += [(" ! ", looks.WARNING), (alert.text, looks.WARNING)]
    if app.news and (not line or looks.length(line) < width - 30):
        line += [(f"   {app.news[0]} " if line else f" {app.news[0]} ", DIM), (app.news[1], PLAIN)]
    return line
