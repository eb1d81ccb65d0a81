"""Round numbers along an axis, linear, logarithmic or of time, and how they read. Pure."""

import itertools
import math
from collections.abc import Sequence

TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
"""Steps in seconds that read well on a clock."""


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` multiples of 1, 2 or 5 times a power of ten within `[low, high]`, ascending; none where the range
    is empty or not finite."""
    if not math.isfinite(high - low) or high <= low or most < 1:
        return []
    return _multiples(low, high, step(low, high, most), most)


def step(low: float, high: float, most: int) -> float:
    """The smallest round step of which at most `most` fit between."""
    raw = (high / most - low / most) or math.ulp(0.0)
    power = 10.0 ** math.floor(math.log10(raw))
    return next((size * power for size in (1, 2, 5, 10) if size * power >= raw), 10 * power) or raw


def time_ticks(low: float, high: float, most: int) -> list[float]:
    """As `ticks`, at steps of a clock; in seconds."""
    if not math.isfinite(high - low) or high <= low or most < 1:
        return []
    raw = (high - low) / most
    if raw < TIMES[0] or raw > TIMES[-1]:
        return ticks(low, high, most)
    return _multiples(low, high, next(size for size in TIMES if size >= raw), most)


def _multiples(low: float, high: float, size: float, most: int) -> list[float]:
    if not math.isfinite(size) or size <= 0:
        return []
    first = math.ceil(low / size - 1e-9)
    found = [(first + number) * size for number in range(most + 2)]
    return [value for value in found if low - size * 1e-9 <= value <= high + size * 1e-9]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers within `[low, high]`, both above 0, for a logarithmic axis: powers of ten where there are enough,
    else 1, 2 and 5 times those, else linear ones."""
    if not (0 < low < high and math.isfinite(high)):
        return []
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    tens = [10.0**power for power in powers if low <= 10.0**power <= high]
    if len(tens) >= 3:
        return tens[:: -(-len(tens) // max(most, 1))]
    fives = [size * 10.0**power for power in powers for size in (1, 2, 5) if low <= size * 10.0**power <= high]
    return fives if 3 <= len(fives) <= most else ticks(low, high, most)


def number(value: float, size: float, largest: float = 0.0) -> str:
    """A tick's text with as many decimals as steps of `size` need: `8.5`, `1,200`, `12k`, `1e-05`. In thousands where
    the `largest` of them all is long."""
    if not math.isfinite(value):
        return ""
    if value and (abs(value) >= 1e7 or abs(value) < 1e-4):
        return f"{value:.0e}"
    if max(abs(value), largest) >= 1e4 and size >= 100:
        return f"{value / 1e3:g}k"
    decimals = min(max(-math.floor(math.log10(size) + 1e-9), 0), 6) if size > 0 else 2
    return f"{value:,.{decimals}f}"


def texts(values: Sequence[float]) -> list[str]:
    """The ticks' texts, all with the decimals their step needs."""
    size = min((b - a for a, b in itertools.pairwise(values)), default=abs(values[0]) if values else 1.0)
    largest = max(map(abs, values), default=0.0)
    return [number(value, size, largest) for value in values]


def clock(seconds: float) -> str:
    """`0:30`, `12:00`, `1:30:00`, and `0.5 s` below whole seconds."""
    if seconds != round(seconds):
        return f"{seconds:g} s"
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def clocks(seconds: Sequence[float]) -> list[str]:
    """Ticks of one axis: all as on a clock, or where some lie between seconds all as `0.5 s`."""
    whole = all(value == round(value) for value in seconds)
    return [clock(value) if whole else f"{value:g} s" for value in seconds]
