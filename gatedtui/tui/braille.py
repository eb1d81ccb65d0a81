"""Curves as rows of braille text: plain values in, rows of cells out, nothing of Textual.

A braille character holds 2 × 4 dots, so a plot of `width × height` cells has `2·width × 4·height` dots. A cell has one
colour, so every cell belongs to one trace: the one drawn last. Values may be None, NaN or infinite: those leave a gap.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

Key = TypeVar("Key")
Values = Sequence[float | None]
Span = tuple[float, float]

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of the dot at column 0–1, row 0–3 of a cell (Unicode's braille block)."""


@dataclass(frozen=True)
class Trace(Generic[Key]):
    """One curve: `values` in order from edge to edge, and the key its cells carry; or `groups`, the values of each
    column of dots that has any (see `xy.groups`), in place of `values`."""

    values: Values
    key: Key
    groups: Sequence[tuple[int, Values]] | None = None


@dataclass(frozen=True)
class Rule(Generic[Key]):
    """A dashed horizontal line at `value`, with a name as far right as no curve is in the way; where it lies beyond the
    range, `beyond` stands at that edge instead, with an arrow."""

    value: float
    key: Key
    name: str = ""
    beyond: str = ""


@dataclass(frozen=True)
class Mark(Generic[Key]):
    """A sign over the point `index` of a curve of `count` points."""

    index: int
    count: int
    value: float
    sign: str
    key: Key


Cell = tuple[str, Key | None]
"""A character and the key of what it belongs to; None where nothing is drawn."""


def finite(values: Values) -> Sequence[float]:
    """The values that can be drawn; the very sequence given where that is all of them."""
    try:
        whole = cast("Sequence[float]", values)
        if math.isfinite(sum(whole)):
            return whole
    except (TypeError, OverflowError):
        pass
    return [value for value in values if value is not None and math.isfinite(value)]


def span(curves: Iterable[Values], *, spare: float = 0.0, also: Iterable[float] = ()) -> Span | None:
    """The range `(low, high)` that the curves need, or None when no value is finite.

    Args:
        curves: any number of value sequences; what is not finite does not count.
        spare: the share of first points that need not fit: a curve that falls steeply at its start would otherwise
            spend all rows on it. Has no effect on curves of under ten points.
        also: further values that must fit.
    """
    lows: list[float] = []
    highs: list[float] = []
    for values in curves:
        known = finite(values)
        late = finite(values[int(len(values) * spare) if len(values) >= 10 else 0 :])
        if len(known):
            lows.append(min(known))
            highs.append(max(late if len(late) else known))
    extra = finite(list(also))
    if not lows and not extra:
        return None
    low, high = min([*lows, *extra]), max([*highs, *extra])
    if low >= high:  # a constant, or a first point that is the only one: half of a hundredth to each side
        margin = max(abs(low) * 0.01, 0.01)
        low, high = low - margin, high + margin
    return low, high


def depth(value: float, within: Span, rows: int) -> int:
    """Which of `rows` rows (0 = top) the value falls in; beyond the range it is at most one height outside."""
    low, high = within
    whole = high / 2 - low / 2  # halves: a range of 3e308 must not overflow
    share = (high / 2 - value / 2) / whole if whole > 0 else 0.5
    return round(min(max(share, -1.0), 2.0) * (rows - 1))


def draw(
    width: int,
    height: int,
    within: Span | None,
    *,
    traces: Sequence[Trace[Key]] = (),
    rules: Sequence[Rule[Key]] = (),
    marks: Sequence[Mark[Key]] = (),
) -> list[list[Cell[Key]]]:
    """The picture, as `height` rows of `width` cells.

    Args:
        width: cells a row; none or fewer gives empty rows.
        height: rows.
        within: the range of values from the bottom dot to the top dot; None (no finite value) draws nothing.
        traces: back to front; the first point stands at the left edge, the last one at the right edge. Where there
            are more points than dots, each column of dots shows its points' minimum to maximum.
        rules: dashed lines, behind the traces; those outside the range are left out.
        marks: signs, in front of everything.
    """
    width, height = max(width, 0), max(height, 0)
    cells: list[list[Cell[Key]]] = [[(" ", None)] * width for _ in range(height)]
    if within is None or not width or not height:
        return cells
    for rule in rules:
        _rule(cells, rule, within)
    for trace in traces:
        _trace(cells, trace, within)
    for rule in rules:
        _name(cells, rule, within)
    for mark in marks:
        _mark(cells, mark, within)
    return cells


def text(cells: Sequence[Sequence[Cell[Key]]]) -> list[str]:
    """The characters of a picture, a string a row."""
    return ["".join(character for character, _ in row) for row in cells]


def _rule(cells: list[list[Cell[Key]]], rule: Rule[Key], within: Span) -> None:
    low, high = within
    if not low <= rule.value <= high:
        return
    row, dot = divmod(depth(rule.value, within, 4 * len(cells)), 4)
    dash = chr(0x2800 | _DOTS[0][dot] | _DOTS[1][dot])
    line = cells[row]
    for column in range(0, len(line), 2):
        line[column] = (dash, rule.key)


def _name(cells: list[list[Cell[Key]]], rule: Rule[Key], within: Span) -> None:
    low, high = within
    if low <= rule.value <= high:
        row, name = depth(rule.value, within, 4 * len(cells)) // 4, f" {rule.name} " if rule.name else ""
    elif rule.beyond and math.isfinite(rule.value) and len(cells) >= 3:
        above = rule.value > high
        row, name = (0, f" ↑ {rule.beyond}") if above else (len(cells) - 1, f" ↓ {rule.beyond}")
    else:
        return
    wide, line = len(name), cells[row]
    if not name or (2 * wide > len(line) and name[1] not in "↑↓"):
        return
    free = [key is None or key == rule.key for _, key in line]
    for start in range(len(line) - wide, -1, -1):
        if all(free[start : start + wide]):
            for column, character in enumerate(name, start):
                line[column] = (character, rule.key)
            return


def _trace(cells: list[list[Cell[Key]]], trace: Trace[Key], within: Span) -> None:
    rows, columns = 4 * len(cells), 2 * len(cells[0])
    dots: dict[tuple[int, int], int] = {}

    def dot(x: int, y: int) -> None:
        if 0 <= y < rows:
            at = (y // 4, x // 2)
            dots[at] = dots.get(at, 0) | _DOTS[x % 2][y % 4]

    last: tuple[int, int] | None = None
    for x, group in _columns(trace.values, columns) if trace.groups is None else trace.groups:
        known = finite(group)
        if not len(known):
            last = None
            continue
        first_y, last_y, top, bottom = (
            depth(value, within, rows) for value in (known[0], known[-1], max(known), min(known))
        )
        if last is not None:
            for joint in _line(last, (x, first_y)):
                dot(*joint)
        for y in range(max(top, 0), min(bottom, rows - 1) + 1):
            dot(x, y)
        last = (x, last_y)
    for (row, column), bits in dots.items():
        cells[row][column] = (chr(0x2800 | bits), trace.key)


def _columns(values: Values, columns: int) -> Iterable[tuple[int, Values]]:
    """The points of each column of dots that has any: one each while they are few, then evenly dealt groups."""
    count = len(values)
    if count <= columns:
        return ((column_of(index, count, columns), values[index : index + 1]) for index in range(count))
    return ((x, values[x * count // columns : (x + 1) * count // columns]) for x in range(columns))


def column_of(index: int, count: int, columns: int) -> int:
    """The column (0 = left) of point `index` of `count`, the last point being at the right edge."""
    if count <= columns:
        return round(index * (columns - 1) / (count - 1)) if count > 1 else 0
    return min((index * columns + columns - 1) // count, columns - 1)


def _line(start: tuple[int, int], end: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """The dots between two dots, both included, without a gap."""
    (x0, y0), (x1, y1) = start, end
    steps = max(abs(x1 - x0), abs(y1 - y0))
    if not steps:
        return [start]
    return ((round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps)) for i in range(steps + 1))


def _mark(cells: list[list[Cell[Key]]], mark: Mark[Key], within: Span) -> None:
    height, width = len(cells), len(cells[0])
    row = depth(mark.value, within, 4 * height) // 4 if math.isfinite(mark.value) else height - 1
    column = column_of(mark.index, mark.count, 2 * width) // 2
    if 0 <= row < height and 0 <= column < width:
        cells[row][column] = (mark.sign, mark.key)
