"""The one visual language: a shape and a colour for each unit, words with a sign for each state, and number formats.

Shape *and* colour tell the units apart, so nothing is lost without colour. The three hues (Okabe and Ito's orange, blue
and green, lightened) differ for all common kinds of colour blindness and stand on dark and light ground.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.style import Style

DIM = Style(dim=True)
BOLD = Style(bold=True)
PLAIN = Style()
INVERSE = Style(reverse=True, bold=True)
WARNING = Style(color="#d98e04", bold=True)
ERROR = Style(color="#e5484d", bold=True)
GOOD = Style(color="#2fa36b")


@dataclass(frozen=True)
class Unit:
    """How a unit is drawn."""

    shape: str
    colour: str

    @property
    def bright(self) -> Style:
        """Validation, and the unit's own sign."""
        return Style(color=self.colour, bold=True)

    @property
    def dim(self) -> Style:
        """Training."""
        return Style(color=self.colour, dim=True)


UNITS = {"tanh": Unit("▲", "#f08c2e"), "lstm": Unit("■", "#4a9be8"), "gru": Unit("●", "#35b779")}
OTHER = Unit("◆", "#a0a0a0")
RUNS = ("#f2ee5a", "#f59ad0", "#9a6cf0", "#e6e9f0", "#7d8590")
"""Colours that belong to no unit, for runs that their units do not tell apart: for eyes without red or green
cones too, at least 12 of CIELAB's units from each other and from the units' colours, on dark and on light ground."""

SIGNS = {
    "starting": ("◌", DIM),
    "training": ("▸", PLAIN),
    "stopping": ("▸", WARNING),
    "finished": ("✔", GOOD),
    "stopped": ("‖", WARNING),
    "diverged": ("✖", ERROR),
    "failed": ("✖", ERROR),
    "crashed": ("✖", ERROR),
    "gone": ("∅", DIM),
}
"""A sign and a style for each state's word."""

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
NONE = "–"
"""What stands for a number that is not there."""

DARKER = {
    "#f08c2e": "#b85a00",
    "#4a9be8": "#1f6fbf",
    "#35b779": "#1c7f52",
    "#d98e04": "#8f5d00",
    "#e5484d": "#c0282d",
    "#2fa36b": "#1c7f52",
    "#a0a0a0": "#686868",
    "#f2ee5a": "#4e4a00",
    "#f59ad0": "#7a1458",
    "#9a6cf0": "#5b22d6",
    "#e6e9f0": "#1d222c",
    "#7d8590": "#6b717b",
}
"""The same hues for light ground: each at least 4.5 : 1 against the light theme's."""

Spans = list[tuple[str, Style]]
"""A line of styled text. Plain pieces, never markup: a run may be called `[red]`."""


@lru_cache(maxsize=1024)
def on(ground: Style, style: Style) -> Style:
    """The style over a ground, its hue darkened where the ground is light."""
    if style.color is not None and style.color.triplet is not None and is_light(ground):
        darker = DARKER.get(style.color.triplet.hex)
        style += Style(color=darker) if darker else PLAIN
    return ground + style


def is_light(ground: Style) -> bool:
    """Whether dark text stands on it."""
    colour: Color | None = ground.bgcolor
    if colour is None or colour.triplet is None:
        return False
    red, green, blue = colour.triplet
    return 0.299 * red + 0.587 * green + 0.114 * blue > 140


def unit(name: str) -> Unit:
    """The looks of a unit; one that is not known gets a look of its own."""
    return UNITS.get(name, OTHER)


def nll(value: float | None) -> str:
    """`8.43`; large magnitudes lose decimals (`1234`, `1e+09`), what is not finite is `–`."""
    if value is None or not math.isfinite(value):
        return NONE
    if abs(value) >= 1e6:
        return f"{value:.0e}"
    return f"{value:.2f}" if abs(value) < 1000 else f"{value:.0f}"


def lr(value: float | None) -> str:
    """`1.0e-3`."""
    if value is None or not math.isfinite(value):
        return NONE
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def speed(frames_per_s: float | None) -> str:
    """`643k fr/s`, `1.2M fr/s`, `850 fr/s`; nothing when it is not known."""
    if frames_per_s is None or not math.isfinite(frames_per_s) or frames_per_s <= 0:
        return ""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if frames_per_s >= 0.9995 * size:
            share = frames_per_s / size
            return f"{share:.1f}{letter} fr/s" if share < 9.95 else f"{share:.0f}{letter} fr/s"
    return f"{frames_per_s:.0f} fr/s"


def clock(seconds: float | None) -> str:
    """`0:04`, `1:02:03`, `3 d 4 h`."""
    if seconds is None or not math.isfinite(seconds):
        return NONE
    whole = max(round(seconds), 0)
    if whole >= 100 * 3600:
        return f"{whole // 86400} d {whole % 86400 // 3600} h"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def left(seconds: float | None) -> str:
    """`0:04 left`; nothing when it is not known."""
    return "" if seconds is None or not math.isfinite(seconds) else f"{clock(seconds)} left"


def memory(amount: float) -> str:
    """`1.1G`, `640M`, from bytes."""
    return f"{amount / 2**30:.1f}G" if amount >= 2**30 else f"{amount / 2**20:.0f}M"


def clean(text: str) -> str:
    """The text on one line, with what would move the cursor or colour the terminal taken out."""
    return "".join(c if c.isprintable() else " " for c in text)


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded, or cut with `…`."""
    return set_cell_size(shorten(text, width), max(width, 0))


def shorten(text: str, width: int) -> str:
    """The text in at most `width` cells, cut with `…` where it is longer."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def length(spans: Spans) -> int:
    """The cells a line takes."""
    return sum(cell_len(text) for text, _ in spans)


def fold_spans(line: Spans, width: int, indent: int = 0) -> list[Spans]:
    """The line on as many lines of `width` cells as its words take, all but the first behind `indent` blanks; words
    longer than a line, such as paths, are broken."""
    lines: list[Spans] = [[]]
    room = width
    for text, style in line:
        for word in re.findall(rf"[^ ]{{1,{max(width - indent, 1)}}} *| +", text):
            if lines[-1] and cell_len(word.rstrip()) > room:
                lines.append([(" " * indent, PLAIN)] if indent else [])
                room, word = width - indent, word.lstrip()
            if word:
                lines[-1].append((word, style))
                room -= cell_len(word)
    return lines


def fold(text: str, width: int) -> list[str]:
    """The text, cleaned, in lines of at most `width` cells, 8 at least; always one line."""
    lines = fold_spans([(clean(text), PLAIN)], max(width, 8))
    return ["".join(part for part, _ in line).rstrip() for line in lines]


def pack(parts: list[str], width: int, between: str = " · ", *, whole: bool = False) -> str:
    """As many of the parts, in order, as fit in `width` cells; the first that does not fit is cut where ten or more
    of its cells remain, and those after it are left out. Figures are to stay `whole`: cut they would be others."""
    line = ""
    for part in filter(None, parts):
        joined = f"{line}{between}{part}" if line else part
        if cell_len(joined) > width and whole:
            return line
        if cell_len(joined) > width:
            room = width - cell_len(line) - len(between)
            return f"{line}{between}{shorten(part, room)}" if line and room >= 10 else line or shorten(part, width)
        line = joined
    return line
