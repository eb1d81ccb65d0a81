"""One gate over time: its name, a heat-map with a row a unit, the cursor through it, and its histogram."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.message import Message
from textual.strip import Strip as Line
from textual.widget import Widget

from gatedtui.page.ramp import mixed, ramp
from gatedtui.tui import heat, looks
from gatedtui.tui.gate_view import Strip

LEFT = 5
"""Cells for the name."""
RIGHT = 18
"""Cells for the histogram, a gap included; none below `WIDE`."""
WIDE = 60
TITLED = 4
"""Rows from which on a strip has a line of facts above it."""
CURSOR = "#fff27a"
HERE = Style(color="#f5e663", bold=True)
"""The bar of the histogram that the cursor's value is in."""


def margins(width: int) -> tuple[int, int]:
    """Cells beside the time axis, at the left and at the right, the same for everything on the screen."""
    return LEFT, RIGHT if width >= WIDE else 0


@dataclass(frozen=True)
class Shown:
    """What a strip shows.

    Attributes:
        strip: the gate; None leaves the place empty.
        hue: of its ramp.
        column, unit: where the cursor is; the unit by its number.
        chosen: whether the cursor's keys move in this strip.
    """

    strip: Strip | None = None
    hue: str = "#a0a0a0"
    column: int = 0
    unit: int = 0
    chosen: bool = False


class GateStrip(Widget):
    """Shows a gate. The strip is dark on any theme: dark is closed, bright is open."""

    DEFAULT_CSS = """
    GateStrip { width: 1fr; height: 1fr; }
    """

    @dataclass
    class Pointed(Message):
        """A cell was clicked.

        Attributes:
            strip: where.
            column: of time.
            unit: its number.
        """

        strip: "GateStrip"
        column: int
        unit: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown = Shown()
        self._means: list[list[float]] = []
        self._bars: list[str] = []
        self._drawn_for: tuple[int, int] | None = None

    def show(self, shown: Shown) -> None:
        """Draws this from now on; where only the cursor has moved, nothing is computed anew."""
        if shown != self._shown:
            if shown.strip is not self._shown.strip:
                self._drawn_for = None
            self._shown = shown
            self.refresh()

    @property
    def _plot_width(self) -> int:
        return max(self.size.width - sum(margins(self.size.width)), 1)

    @property
    def _top(self) -> int:
        """Rows above the picture."""
        return 1 if self.size.height >= TITLED else 0

    def on_click(self, event: Click) -> None:
        """Tells where it was."""
        strip, x, y = self._shown.strip, event.x - margins(self.size.width)[0], event.y - self._top
        if strip is None or not (0 <= x < self._plot_width and 0 <= y < len(self._means)):
            return
        column = heat.span(x, len(strip.rows[0]), self._plot_width)[0]
        place = y * len(strip.order) // len(self._means)
        self.post_message(self.Pointed(self, column, strip.order[place]))

    def render_line(self, y: int) -> Line:
        """One row."""
        strip, width, ground = self._shown.strip, self.size.width, self.rich_style
        if strip is None:
            return Line.blank(width, ground)
        if self._drawn_for != (width, self.size.height):
            self._means = heat.means(strip.rows, self._plot_width, self.size.height - self._top)
            self._bars = heat.histogram(strip.histogram, RIGHT - 2, len(self._means))
            self._drawn_for = (width, self.size.height)
        row = y - self._top
        if row < 0:
            return self._title(strip, ground, width)
        if row >= len(self._means):
            return Line.blank(width, ground)
        at = heat.row_of(strip.order.index(self._shown.unit), len(strip.order), len(self._means))
        segments = [Segment(*self._label(strip, row, row == at, ground)), *self._cells(row, row == at)]
        if margins(width)[1]:
            hue, bars = looks.on(ground, Style(color=self._shown.hue)), self._bars[row]
            value = strip.value(self._shown.unit, self._shown.column)
            bar = min(int(value * len(bars)), len(bars) - 1)
            parts = [(bars[:bar], hue), (bars[bar], looks.on(ground, HERE)), (bars[bar + 1 :], hue)]
            segments += [Segment("  ", ground), *(Segment(text, style) for text, style in parts)]
        return Line(segments).adjust_cell_length(width, ground)

    def _title(self, strip: Strip, ground: Style, width: int) -> Line:
        left, right = margins(width)
        facts = looks.pack([strip.word, *strip.facts], width - left - right, "   ", whole=True)
        style = looks.BOLD if self._shown.chosen else looks.DIM
        segments = [Segment(" " * left, ground), Segment(looks.fit(facts, width - left - right), ground + style)]
        if right:
            segments.append(
                Segment(f"  0{'openness' if strip.name != 'h' else '|h|':^{right - 4}}1", ground + looks.DIM)
            )
        return Line(segments).adjust_cell_length(width, ground)

    def _label(self, strip: Strip, row: int, here: bool, ground: Style) -> tuple[str, Style]:
        """The name in the first row, the mean in the second, and a sign beside the cursor's unit."""
        letter = strip.letter if not row else ""
        if row == 1 and not self._top:
            letter = f"{sum(strip.openness) / len(strip.openness):.2f}".lstrip("0")
        sign = ("▸" if self._shown.chosen else "›") if here else " "
        style = looks.BOLD if self._shown.chosen else looks.DIM if row else looks.PLAIN
        return f" {letter:>3}{sign}", ground + style

    def _cells(self, row: int, here: bool) -> list[Segment]:
        values, shown = self._means[row], self._shown
        colours = styles(shown.hue)
        head = heat.column(shown.column, len(shown.strip.rows[0]) if shown.strip else 1, len(values))
        segments: list[Segment] = []
        text, last = "", -1
        for x, value in enumerate(values):
            shade = heat.shade(value)
            if shade != last or x == head:
                segments.append(Segment(text, colours[last]))
                text, last = "", shade
            if x == head:
                sign = "┼" if here and shown.chosen else "│"
                segments.append(Segment(sign, colours[shade] + Style(color=_against(shade), bold=True)))
            else:
                text += heat.character(value)
        return [*segments, Segment(text, colours[last])]


@lru_cache(maxsize=8)
def styles(hue: str) -> Sequence[Style]:
    """A style for each shade: the character a little brighter than the ground behind it, so that both can be seen."""
    shades = ramp(hue, heat.SHADES)
    return [Style(color=mixed(shade, "#ffffff", 0.12), bgcolor=mixed("#0f1116", shade, 0.8)) for shade in shades]


def _against(shade: int) -> str:
    """What is seen on a shade."""
    return CURSOR if shade < heat.SHADES * 0.6 else "#0f1116"
