"""Piano-rolls as rows of characters: plain values in, rows of cells out, nothing of Textual.

Two pitches share a row of half blocks while they all fit; where they do not, four rows of dots and two columns of them
share a cell of braille, which shows as many pitches again and notes half as short.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

Note = tuple[int, int, int]
"""First step, step after the last, MIDI pitch."""
Pitches = tuple[int, int]
"""Lowest and highest MIDI pitch that is shown, both included."""
Kind = Literal["", "guide", "primer", "note"]
Cell = tuple[str, Kind]
"""A character and what it belongs to."""

GUIDE = "┈"
LEAST = 24
"""Pitches shown at least: a single held note does not fill the picture."""
_HALVES = ((" ", "▄"), ("▀", "█"))
"""By upper, then by lower half."""
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of the dot at column 0–1, row 0–3 of a cell of braille."""


def notes(roll: Sequence[Iterable[int]]) -> tuple[Note, ...]:
    """The held notes of a roll given as the pitches that sound at each step; by first step, then by pitch."""
    found: list[Note] = []
    begun: dict[int, int] = {}
    for step, frame in enumerate([*roll, ()]):
        sounding = set(frame)
        for pitch in [pitch for pitch in begun if pitch not in sounding]:
            found.append((begun.pop(pitch), step, pitch))
        for pitch in sounding:
            begun.setdefault(pitch, step)
    return tuple(sorted(found))


def pitches(pieces: Iterable[Iterable[Note]]) -> Pitches:
    """The range that holds all notes of all pieces, so that they can be compared; at least `LEAST` pitches wide."""
    sounding = [pitch for piece in pieces for _, _, pitch in piece] or [60]
    low, high = min(sounding), max(sounding)
    spare = max(LEAST - (high - low + 1), 0)
    return low - spare // 2, high + spare - spare // 2


def draw(
    piece: Sequence[Note], steps: int, width: int, height: int, within: Pitches, *, primer: int = 0
) -> list[list[Cell]]:
    """The picture, as `height` rows of `width` cells.

    Args:
        piece: the notes.
        steps: how many the whole width stands for.
        width, height: in cells.
        within: the pitches from the bottom to the top; notes outside are left out.
        primer: steps at the beginning that were given, not drawn.
    """
    width, height = max(width, 0), max(height, 0)
    if not width or not height:
        return [[] for _ in range(height)]
    fine = is_fine(height, within)
    across, down = (2 * width, 4 * height) if fine else (width, 2 * height)
    given = columns(0, primer, steps, across)[1] if primer else 0
    dots: dict[tuple[int, int], Kind] = {}
    for first, end, pitch in piece:
        if not within[0] <= pitch <= within[1] or first >= steps:
            continue
        begin, after = columns(first, end, steps, across)
        for x in range(begin, after):
            dots[x, place(pitch, within, down)] = "primer" if x < given else "note"
    lines = {place(pitch, within, down) // (4 if fine else 2) for pitch in _cs(within)}
    rows: list[list[Cell]] = []
    for y in range(height):
        empty: Cell = (GUIDE, "guide") if y in lines else (" ", "")
        rows.append([(_braille if fine else _half)(dots, x, y) or empty for x in range(width)])
    return rows


def is_fine(height: int, within: Pitches) -> bool:
    """Whether the pitches need the dots of braille, or fit into half blocks."""
    return within[1] - within[0] + 1 > 2 * height


def columns(first: int, end: int, steps: int, width: int) -> tuple[int, int]:
    """The columns `(first, after the last)` of `width` that the steps from `first` to before `end` take: one at least.

    Neighbouring notes do not overlap while there is a column a step.
    """
    begin = first * width // max(steps, 1)
    after = end * width // max(steps, 1) if width >= steps else (end * width - 1) // steps + 1
    return begin, min(max(after, begin + 1), width)


def place(pitch: int, within: Pitches, rows: int) -> int:
    """Which of `rows` rows of dots (0 = top) a pitch stands in; a narrow range stands in the middle."""
    low, high = within
    count = high - low + 1
    if count > rows:
        return (high - pitch) * rows // count
    return (rows - count) // 2 + high - pitch


def labels(height: int, within: Pitches) -> list[str]:
    """`C4` beside the rows that hold a C, no two next to each other; "" elsewhere."""
    fine = is_fine(height, within)
    found = [""] * height
    for pitch in _cs(within):
        row = place(pitch, within, (4 if fine else 2) * height) // (4 if fine else 2)
        if 0 <= row < height and not found[row] and not (row and found[row - 1]):
            found[row] = f"C{pitch // 12 - 1}"
    return found


def _cs(within: Pitches) -> list[int]:
    return [pitch for pitch in range(within[1], within[0] - 1, -1) if pitch % 12 == 0]


def _half(dots: dict[tuple[int, int], Kind], x: int, y: int) -> Cell | None:
    upper, lower = dots.get((x, 2 * y)), dots.get((x, 2 * y + 1))
    kind = upper or lower
    return (_HALVES[bool(upper)][bool(lower)], kind) if kind else None


def _braille(dots: dict[tuple[int, int], Kind], x: int, y: int) -> Cell | None:
    bits, kind = 0, None
    for dx in (0, 1):
        for dy in range(4):
            found = dots.get((2 * x + dx, 4 * y + dy))
            if found:
                bits |= DOTS[dx][dy]
                kind = found
    return (chr(0x2800 | bits), kind) if kind else None
