"""Curves over a real x axis: smoothing, looking values up, and cutting a curve to columns of dots. Pure.

A curve of 100,000 points costs two binary searches a column and one `min` and `max` over its points.
"""

import bisect
import itertools
import math
from collections.abc import Sequence

from gatedtui.tui.braille import Span, Values

Groups = list[tuple[int, Values]]
"""For each column of dots that has any: its number and the values in it."""


def rising(values: Sequence[float]) -> Sequence[float]:
    """The values, each at least the one before it: an axis does not run backward, even where a clock did."""
    if all(a <= b for a, b in itertools.pairwise(values)):
        return values
    found: list[float] = []
    for value in values:
        last = found[-1] if found else -math.inf
        found.append(value if value >= last else last)
    return found


def smooth(values: Values, width: int) -> Values:
    """The mean over `width` neighbours, centred, fewer at the ends; gaps (None, NaN, infinities) stay gaps."""
    known = [value if value is not None and math.isfinite(value) else None for value in values]
    if width <= 1:
        return known if None in known else values
    sums, counts = [0.0], [0]
    for value in known:
        sums.append(sums[-1] + (value or 0.0))
        counts.append(counts[-1] + (value is not None))
    half, found = width // 2, []
    for place, value in enumerate(known):
        # As far to both sides as both allow: a window cut on one side only would bend the ends.
        reach = min(half, place, len(known) - 1 - place)
        low, high = place - reach, place + reach + 1
        count = counts[high] - counts[low]
        found.append((sums[high] - sums[low]) / count if value is not None and count else None)
    return found


def nearest(xs: Sequence[float], x: float) -> int | None:
    """The index of the point nearest to `x`; None where there is no point."""
    if not xs:
        return None
    right = bisect.bisect_left(xs, x)
    if right == 0:
        return 0
    if right == len(xs):
        return len(xs) - 1
    return right if xs[right] - x < x - xs[right - 1] else right - 1


def groups(xs: Sequence[float], ys: Values, within: Span, columns: int) -> Groups:
    """The points by column of dots; where the curve leaves the window between two points, it is cut at the edge.

    Args:
        xs: rising.
        ys: as many.
        within: the x at the left and at the right edge.
        columns: dots across.
    """
    low, high = within
    count = min(len(xs), len(ys))
    if not count or columns < 1 or high < low:
        return []
    if high == low:
        return [(columns // 2, ys[:count])]
    scale = (columns - 1) / (high - low)
    first = bisect.bisect_left(xs, low, 0, count)
    end = bisect.bisect_right(xs, high, 0, count)
    found: Groups = []
    if first > 0:
        found += _edge(xs, ys, first - 1, first, low, 0, count)
    at = first
    while at < end:
        column = round((xs[at] - low) * scale)
        upto = bisect.bisect_right(xs, low + (column + 0.5) / scale, at, end)
        upto = max(upto, at + 1)
        found.append((column, ys[at:upto]))
        at = upto
    if 0 < end < count:
        found += _edge(xs, ys, end - 1, end, high, columns - 1, count)
    return _joined(found)


def _edge(xs: Sequence[float], ys: Values, left: int, right: int, x: float, column: int, count: int) -> Groups:
    """Where the line between two neighbours crosses the window's edge."""
    if right >= count:
        return []
    y0, y1, wide = ys[left], ys[right], xs[right] - xs[left]
    if y0 is None or y1 is None or not (math.isfinite(y0) and math.isfinite(y1)) or wide <= 0:
        return []
    share = (x - xs[left]) / wide
    return [(column, (y0 * (1 - share) + y1 * share,))]


def _joined(found: Groups) -> Groups:
    """Neighbouring groups of one column as one."""
    merged: Groups = []
    for column, values in found:
        if merged and merged[-1][0] == column:
            merged[-1] = (column, [*merged[-1][1], *values])
        else:
            merged.append((column, values))
    return merged


def seen(xs: Sequence[float], ys: Values, within: Span) -> Values:
    """The values in sight."""
    return ys[bisect.bisect_left(xs, within[0]) : bisect.bisect_right(xs, within[1])]


def logarithms(values: Values) -> list[float | None]:
    """Their decimal logarithms; gaps where there is none."""
    return [math.log10(value) if value is not None and 0 < value < math.inf else None for value in values]
