"""The columns of the list of runs: which fit, and how a row reads in them. Pure; styled pieces, never markup."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.style import Style

from gatedtui.runs.row import Row
from gatedtui.tui import looks
from gatedtui.tui.looks import BOLD, DIM, PLAIN, Spans

GAP = 2
NAME_MOST = 36
"""Cells the names get at most; what is left over stays empty at the right."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        key: the figure it shows and is sorted by, as in `filters.FIGURES`.
        title: its heading.
        width: its cells; of `name` the least.
        rank: columns with the highest ranks are left out first.
        right: whether it is flush right.
        falling: whether its best or newest stands first when it is sorted by.
    """

    key: str
    title: str
    width: int
    rank: int
    right: bool = True
    falling: bool = False


COLUMNS = (
    Column("name", "run", 14, 0, right=False),
    Column("unit", "unit", 6, 1, right=False),
    Column("data", "data", 8, 5, right=False),
    Column("status", "status", 10, 2, right=False),
    Column("epochs", "epochs", 7, 8, falling=True),
    Column("best", "best", 6, 3),
    Column("at", "@", 5, 11),
    Column("test", "test", 6, 4),
    Column("piece", "/piece", 7, 7),
    Column("time", "time", 8, 6, falling=True),
    Column("hidden", "units", 6, 12, falling=True),
    Column("recipe", "recipe", 7, 9, right=False),
    Column("lr", "lr", 7, 10, falling=True),
    Column("seed", "seed", 5, 13),
    Column("made", "made", 12, 14, right=False, falling=True),
)
MARK = 3
"""Cells before the first column: the cursor and the mark."""


def fitting(width: int) -> list[Column]:
    """The columns that have room in `width` cells, in order; the names get what is left."""
    kept = list(COLUMNS)
    while len(kept) > 1 and _width(kept) > width:
        kept.remove(max(kept, key=lambda column: column.rank))
    spare = max(min(width - _width(kept), NAME_MOST - kept[0].width), 0)
    name = kept[0]
    return [Column(name.key, name.title, name.width + spare, 0, right=False), *kept[1:]]


def _width(kept: Sequence[Column]) -> int:
    return MARK + sum(column.width for column in kept) + GAP * (len(kept) - 1)


def heading(kept: Sequence[Column], by: str, *, falling: bool) -> Spans:
    """The headings; that of the column that is sorted by is bold, with the direction beside it."""
    line: Spans = [(" " * MARK, PLAIN)]
    for number, column in enumerate(kept):
        here = column.key == by
        title = column.title + ("↓" if falling else "↑") * here
        line += [(" " * GAP * bool(number), PLAIN), (_pad(title, column), BOLD if here else DIM)]
    return line


def column_at(kept: Sequence[Column], x: int) -> Column | None:
    """The column at a cell of the heading."""
    at = MARK
    for column in kept:
        at += column.width + GAP
        if x < at:
            return column
    return None


def line(row: Row, kept: Sequence[Column], *, marked: bool, current: bool) -> Spans:
    """A row of the list."""
    sign: Spans = [("▌" if current else " ", BOLD), ("✓ " if marked else "  ", looks.WARNING if marked else PLAIN)]
    for number, column in enumerate(kept):
        text, style = CELLS[column.key](row)
        bold = BOLD if current and column.key == "name" else PLAIN
        sign += [(" " * GAP * bool(number), PLAIN), (_pad(text, column), style + bold)]
    return sign


def _pad(text: str, column: Column) -> str:
    if not column.right:
        return looks.fit(text, column.width)
    short = looks.shorten(text, column.width)
    return " " * (column.width - looks.length([(short, PLAIN)])) + short


def _figure(value: float) -> tuple[str, Style]:
    return looks.nll(value), PLAIN if looks.nll(value) != looks.NONE else DIM


def _count(value: int | None) -> tuple[str, Style]:
    return (f"{value:,}", PLAIN) if value else (looks.NONE, DIM)


def _status(row: Row) -> tuple[str, Style]:
    sign, style = looks.SIGNS.get(row.word, ("", DIM))
    return (f"{sign} {row.word}", style) if row.word else ("…", DIM)


def made(row: Row) -> str:
    """`Nov 20 14:02`, or blanks."""
    try:
        return time.strftime("%b %d %H:%M", time.localtime(row.made)) if row.made else ""
    except (OverflowError, ValueError, OSError):
        return ""


CELLS: dict[str, Callable[[Row], tuple[str, Style]]] = {
    "name": lambda row: (looks.clean(row.name), PLAIN),
    "unit": lambda row: (f"{looks.unit(row.unit).shape} {looks.clean(row.unit)}", looks.unit(row.unit).bright),
    "data": lambda row: (looks.clean(row.data), PLAIN),
    "status": _status,
    "epochs": lambda row: _count(row.epochs),
    "best": lambda row: _figure(row.best_valid),
    "at": lambda row: _count(row.best_epoch),
    "test": lambda row: _figure(row.test_frame),
    "piece": lambda row: _figure(row.test_piece),
    "time": lambda row: (looks.clock(row.elapsed_s), PLAIN),
    "hidden": lambda row: _count(row.hidden),
    "recipe": lambda row: (looks.clean(row.recipe), DIM),
    "lr": lambda row: (looks.lr(row.lr), PLAIN),
    "seed": lambda row: (str(row.seed) if row.seed is not None else looks.NONE, PLAIN),
    "made": lambda row: (made(row), DIM),
}
"""The text and style of each cell."""
