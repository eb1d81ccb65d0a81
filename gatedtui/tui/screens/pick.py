"""Choosing among the trained models, over whatever is open: a list, a filter, one or several."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.screen import ModalScreen

from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans
from gatedtui.tui.models import Model
from gatedtui.tui.widgets import bars
from gatedtui.tui.widgets.entry import Entry
from gatedtui.tui.widgets.lines import Lines

ROWS = 14
"""Models shown at once, at most."""


class Pick(ModalScreen[tuple[Model, ...] | None], inherit_bindings=False):
    """Gives the models that were chosen, in the order they were, or None when it was left.

    Args:
        models: what there is.
        chosen: what is chosen at first.
        most: how many can be; with 1 the last one that is chosen counts.
    """

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    Pick { align: center middle; }
    Pick > Vertical {
        width: 72; max-width: 100%; height: auto; max-height: 100%; border: round $panel-lighten-2; padding: 0 2;
        background: $background;
    }
    Pick Entry { background: $panel; display: none; }
    Pick.filtering Entry { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave it as it was"),
        Binding("ctrl+c", "leave", "leave it as it was", priority=True),
        Binding("enter", "take", "take what is chosen"),
        Binding("down,j", "move(1)", "the next model"),
        Binding("up,k", "move(-1)", "the model before"),
        Binding("pagedown", "move(10)", "ten further down"),
        Binding("pageup", "move(-10)", "ten further up"),
        Binding("home,g", "edge(-1)", "the first model"),
        Binding("end,G", "edge(1)", "the last model"),
        Binding("space,x", "choose", "choose it, or not"),
        Binding("slash", "filter", "filter by name, unit or data"),
    ]

    def __init__(self, models: Sequence[Model], chosen: Sequence[Model] = (), *, most: int = 1) -> None:
        super().__init__()
        self.models = list(models)
        self.chosen = [model for model in chosen if model in self.models]
        self.most = most
        self.at = self.models.index(self.chosen[0]) if self.chosen else 0
        self.wanted = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Lines(id="head")
            yield Entry(hint="filter")
            yield Lines(id="rows")
            yield Lines(id="pick-keys")

    def on_mount(self) -> None:
        """Shows the list."""
        self.paint()

    def on_resize(self) -> None:
        """Shows as much of it as fits."""
        self.call_after_refresh(self.paint)

    def shown(self) -> list[Model]:
        """The models that the filter lets through."""
        words = self.wanted.lower().split()
        texts = {model: f"{model.name} {model.unit} {model.data}".lower() for model in self.models}
        return [model for model in self.models if all(word in texts[model] for word in words)]

    def paint(self) -> None:
        """Brings the lines up to date."""
        if not self.query("#pick-keys"):
            return
        shown = self.shown()
        self.at = min(max(self.at, 0), max(len(shown) - 1, 0))
        room = max(min(ROWS, self.size.height - 6), 1)
        first = min(max(self.at - room // 2, 0), max(len(shown) - room, 0))
        rows = [self._row(model, first + n == self.at) for n, model in enumerate(shown[first : first + room])]
        what = "Which model?" if self.most == 1 else f"Which models? Up to {self.most}, side by side."
        count = f"  {self.at + 1}/{len(shown)}" if len(shown) > room else ""
        self.query_one("#head", Lines).show([[(what, BOLD), (count, DIM)]])
        self.query_one("#rows", Lines).show(rows or [[("nothing fits the filter", DIM)]])
        keys = [("space", "choose", "", 2), ("enter", "take", "", 0), ("/", "filter", "", 3), ("esc", "leave", "", 1)]
        self.query_one("#pick-keys", Lines).show([bars.keys(keys[self.most == 1 :], max(self.size.width - 6, 10))])

    def _row(self, model: Model, here: bool) -> Spans:
        look = looks.unit(model.unit)
        number = f"{self.chosen.index(model) + 1}" if model in self.chosen else " "
        mark = f"[{number}] " if self.most > 1 else ""
        origin = "released" if model.released else "run"
        text = f"{looks.fit(looks.clean(model.name), 28)} {model.unit:<4} {model.hidden:>4}  "
        text += f"{looks.fit(looks.clean(model.data), 12)} {origin}"
        return [
            ("▸ " if here else "  ", BOLD),
            (mark, BOLD if number != " " else DIM),
            (f"{look.shape} ", look.bright),
            (text, looks.INVERSE if here else PLAIN),
        ]

    def on_entry_changed(self, message: Entry.Changed) -> None:
        """Filters by what is typed."""
        self.wanted = message.text
        self.at = 0
        self.paint()

    def on_entry_ended(self) -> None:
        """The keys are the list's again; the filter stays."""
        self.set_focus(None)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """As the arrow down."""
        self.action_move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """As the arrow up."""
        self.action_move(-1)

    def on_click(self, event: Click) -> None:
        """Goes to the row that was clicked, and chooses it."""
        rows = self.query_one("#rows", Lines)
        y = event.screen_y - rows.region.y
        if 0 <= y < rows.size.height and rows.region.contains(event.screen_x, event.screen_y):
            shown = self.shown()
            room = rows.size.height
            self.at = min(max(self.at - room // 2, 0), max(len(shown) - room, 0)) + y
            if self.most == 1:
                self.action_take()
            else:
                self.action_choose()

    def action_move(self, by: int) -> None:
        """Goes up or down the list."""
        self.at += by
        self.paint()

    def action_edge(self, by: int) -> None:
        """Goes to the first or the last model."""
        self.action_move(by * len(self.shown()))

    def action_filter(self) -> None:
        """Opens the filter."""
        self.add_class("filtering")
        self.query_one(Entry).focus()

    def action_choose(self) -> None:
        """Chooses the model, or no longer."""
        shown = self.shown()
        if not shown:
            return
        model = shown[self.at]
        if model in self.chosen:
            self.chosen.remove(model)
        else:
            self.chosen = [*self.chosen, model][-self.most :]
        self.paint()

    def action_leave(self) -> None:
        """Closes the filter, or everything."""
        if self.query_one(Entry).has_focus:
            self.set_focus(None)
        elif self.is_current:
            self.dismiss(None)

    def action_take(self) -> None:
        """Takes what is chosen: where nothing is, the model the cursor is on."""
        if not self.is_current:  # it was clicked twice before the first click was heard of
            return
        shown = self.shown()
        if self.most == 1 or not self.chosen:
            self.chosen = [shown[self.at]] if shown else []
        self.dismiss(tuple(self.chosen) or None)
