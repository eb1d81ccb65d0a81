"""Waveforms as rows of braille text: plain values in, rows of cells out, nothing of Textual."""

from collections.abc import Sequence

from gatedtui.tui.rolls import DOTS, Cell, Kind

Envelope = Sequence[tuple[float, float]]
"""The lowest and the highest sample of each of many equal parts of a waveform."""
PARTS = 2000
"""Parts of an envelope: more than any terminal has dots."""


def envelope(samples: Sequence[float], parts: int = PARTS) -> list[tuple[float, float]]:
    """The extremes of each part; as many parts as there are samples where those are fewer."""
    count = len(samples)
    parts = min(parts, count)
    cut = [samples[n * count // parts : (n + 1) * count // parts] for n in range(parts)]
    return [(min(part), max(part)) for part in cut]


def loudest(waves: Sequence[Envelope]) -> float:
    """The largest deviation from zero in any of them, so that they can be compared; 1 for silence."""
    return max((max(high, -low) for wave in waves for low, high in wave), default=0.0) or 1.0


def draw(wave: Envelope, width: int, height: int, peak: float, *, primer: float = 0.0) -> list[list[Cell]]:
    """The picture, as `height` rows of `width` cells, zero in the middle.

    Args:
        wave: the whole width stands for it.
        width, height: in cells.
        peak: what reaches the top and the bottom.
        primer: the share at the beginning that was given, not drawn.
    """
    width, height = max(width, 0), max(height, 0)
    across, down = 2 * width, 4 * height
    bits = [[0] * width for _ in range(height)]
    count = len(wave)
    last: tuple[int, int] | None = None
    for x in range(across if count and height else 0):
        first = x * count // across
        part = wave[first : max((x + 1) * count // across, first + 1)]
        top, bottom = (
            round((1 - min(max(value / peak, -1.0), 1.0)) / 2 * (down - 1))
            for value in (max(high for _, high in part), min(low for low, _ in part))
        )
        reach = (top, bottom) if last is None else (min(top, last[1] + 1), max(bottom, last[0] - 1))
        last = (top, bottom)
        for y in range(reach[0], reach[1] + 1):  # down or up to the column before: a wave is one line
            bits[y // 4][x // 2] |= DOTS[x % 2][y % 4]
    given = round(primer * width)
    kinds: list[Kind] = ["primer" if x < given else "note" for x in range(width)]
    return [[(chr(0x2800 | b), kinds[x]) if b else (" ", "") for x, b in enumerate(row)] for row in bits]
