"""Heat-maps and histograms of openness as rows of characters; plain values in and out, nothing of Textual.

How open is told twice, by the character (` ░▒▓█`) and by its brightness, so nothing is lost without colour.
"""

import math
from collections.abc import Sequence

RAMP = " ░▒▓█"
SHADES = 16
"""Brightnesses of a cell."""
BARS = " ▁▂▃▄▅▆▇█"


def by_unit(values: Sequence[Sequence[float]], order: Sequence[int]) -> list[tuple[float, ...]]:
    """`values` by step and unit as rows by unit and step, in an order of units."""
    rows = list(zip(*values, strict=True))
    return [rows[unit] for unit in order]


def means(rows: Sequence[Sequence[float]], width: int, height: int) -> list[list[float]]:
    """The rows as at most `height` rows of `width` cells: where there are more than fit, each cell is the mean of its
    share of rows and columns; where there are fewer, columns are repeated."""
    if not rows or not rows[0] or width < 1 or height < 1:
        return []
    count, high = len(rows), min(height, len(rows))
    found = []
    for y in range(high):
        group = rows[y * count // high : (y + 1) * count // high]
        sums = group[0] if len(group) == 1 else [sum(column) for column in zip(*group, strict=True)]
        found.append([_mean(sums, x, width) / len(group) for x in range(width)])
    return found


def _mean(values: Sequence[float], x: int, width: int) -> float:
    first, end = span(x, len(values), width)
    return values[first] if end - first == 1 else sum(values[first:end]) / (end - first)


def span(x: int, count: int, width: int) -> tuple[int, int]:
    """The values `(first, after the last)` of `count` that column `x` of `width` shows: one at least."""
    first = x * count // width
    return first, max((x + 1) * count // width, first + 1)


def column(index: int, count: int, width: int) -> int:
    """The column of `width` that shows value `index` of `count`: the first of those that do."""
    if count < 1:
        return 0
    return -(-index * width // count) if width >= count else min((index * width + width - 1) // count, width - 1)


def row_of(place: int, count: int, height: int) -> int:
    """The row that shows row `place` of `count` when at most `height` are drawn."""
    high = max(min(height, count), 1)
    return next((y for y in range(high) if place < (y + 1) * count // high), high - 1)


def character(value: float) -> str:
    """The character of an openness."""
    return RAMP[min(max(int(value * len(RAMP)), 0), len(RAMP) - 1)]


def shade(value: float) -> int:
    """The brightness of an openness, 0 to `SHADES` − 1."""
    return min(max(int(value * SHADES), 0), SHADES - 1)


def histogram(counts: Sequence[int], width: int, height: int) -> list[str]:
    """Bars upward, closed at the left and open at the right, as `height` strings of `width` characters.

    Heights are shares of the highest bar; what is not empty shows at least an eighth of a cell.
    """
    width, height = max(width, 0), max(height, 0)
    if not counts or not width or not height:
        return [" " * width for _ in range(height)]
    bars = [_between(counts, x * len(counts) / width, (x + 1) * len(counts) / width) for x in range(width)]
    most = max(bars) or 1
    eighths = [max(round(8 * height * bar / most), 1 if bar else 0) for bar in bars]
    return ["".join(BARS[min(max(e - 8 * (height - 1 - y), 0), 8)] for e in eighths) for y in range(height)]


def _between(counts: Sequence[int], begin: float, end: float) -> float:
    """What lies between two edges that need not be those of the bins, as if each bin were evenly filled."""
    parts = range(int(begin), min(math.ceil(end), len(counts)))
    return sum(counts[n] * (min(end, n + 1) - max(begin, n)) for n in parts)
