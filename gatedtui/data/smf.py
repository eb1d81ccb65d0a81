"""Reading Standard MIDI Files: bytes to notes in ticks, safely.

Written for files from anywhere: every length in the file is checked against the bytes that are there, memory and time
are bounded by the size of the file, and whatever is wrong becomes one sentence. A general MIDI library reads far more
than a primer needs, and fails on it: mido 1.3.3 stops at a key signature it does not know or at a chunk of another
kind, and a number that does not end keeps it busy with the square of its length (400 KB: 12 s).

Source of the format: The MIDI Manufacturers Association, Standard MIDI Files 1.0 (RP-001), 1996.
"""

import shlex
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedtui.data.broken import Broken
from gatedtui.errors import BadSource

MAX_BYTES = 4 << 20
"""Largest file that is read: 700,000 notes, which takes 1 s."""
DRUMS = 9
"""The channel (from 0) that General MIDI keeps for percussion, where pitches name instruments."""
DEFAULT_TEMPO = 500_000
"""Microseconds in a quarter note until a file says otherwise (120 a minute)."""


@dataclass(frozen=True, eq=False)
class Score:
    """The notes of a MIDI file, in its own ticks."""

    ticks_per_quarter: int
    """1..32767."""
    notes: np.ndarray
    """(N, 5) int64: first tick, end tick (not before the first), pitch 0..127, velocity 1..127, channel 0..15; sorted
    by first tick, then pitch. A note that is never let go ends with its track."""
    tempos: np.ndarray
    """(K, 2) int64, K >= 1: from this tick, microseconds a quarter note; sorted, the first at tick 0."""
    end: int
    """The tick at which the longest track ends."""

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Ticks as seconds from the start, through all changes of tempo, float64."""
        at, tempo = self.tempos[:, 0].astype(np.float64), self.tempos[:, 1] / (1e6 * self.ticks_per_quarter)
        begun = np.concatenate([[0.0], np.cumsum(np.diff(at) * tempo[:-1])])
        row = np.searchsorted(at, ticks, side="right") - 1
        return begun[row] + (ticks - at[row]) * tempo[row]


def read_score(path: Path) -> Score:
    """The notes of the MIDI file at `path` (types 0 and 1).

    Raises:
        BadSource: there is no such file, it is no MIDI file, it is broken or larger than `MAX_BYTES`, or its time does
            not count in quarter notes.
    """
    if not path.is_file():
        raise BadSource(f"There is no file '{path}'.", "Check the path.")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadSource(
            f"Cannot read '{path}': {(error.strerror or 'no access').lower()}.", f"chmod u+r {shlex.quote(str(path))}"
        ) from error
    try:
        return score(content)
    except Broken as error:
        raise BadSource(
            f"The file '{path}' cannot be used as MIDI: it {error}.", "Save it again from a music program."
        ) from error


def score(content: bytes) -> Score:
    """The notes of a whole MIDI file.

    Raises:
        Broken: it is no MIDI file, or broken, or larger than `MAX_BYTES`, or does not count in quarter notes.
    """
    if content[:4] != b"MThd":
        raise Broken("is not a MIDI file")
    if len(content) > MAX_BYTES:
        raise Broken(f"is larger than {MAX_BYTES >> 20} MiB")
    size, kind, count, division = (
        int.from_bytes(content[i:j], "big") for i, j in ((4, 8), (8, 10), (10, 12), (12, 14))
    )
    if len(content) < 14 or size < 6:
        raise Broken("ends inside its header")
    if kind > 1:
        raise Broken("is of type 2, whose tracks have no common time" if kind == 2 else f"is of unknown type {kind}")
    if division & 0x8000:
        raise Broken("counts time in film frames, not in quarter notes")
    if division == 0:
        raise Broken("divides a quarter note into 0 ticks")

    notes, tempos, end, at, track = array("q"), [(0, DEFAULT_TEMPO)], 0, 8 + size, 0
    while track < count:
        if len(content) < at + 8:
            raise Broken(f"ends after {track} of its {count} tracks")
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "big")
        at += 8 + size
        if len(content) < at:
            raise Broken(f"ends inside track {track + 1} of {count}")
        if name == b"MTrk":  # chunks of other kinds are to be passed over, says the format
            track += 1
            try:
                end = max(end, _track(content[at - size : at], notes, tempos))
            except IndexError:
                raise Broken(f"ends in the middle of an event of track {track}") from None
            except Broken as error:
                raise Broken(f"{error} in track {track}") from None

    table = np.array(notes, np.int64).reshape(-1, 5)
    changes = dict(sorted(tempos, key=lambda change: change[0]))  # of several at one tick the last counts
    return Score(
        ticks_per_quarter=division,
        notes=table[np.lexsort((table[:, 2], table[:, 0]))],
        tempos=np.array(list(changes.items()), np.int64),
        end=end,
    )


def _track(data: bytes, notes: array, tempos: list[tuple[int, int]]) -> int:
    """Appends a track's notes (five numbers each) and tempos, and returns the tick of its end.

    Raises:
        IndexError: the data ends in the middle of an event.
        Broken: an event is none.
    """
    tick, at, status = 0, 0, 0
    sounding: dict[int, list[tuple[int, int]]] = {}
    while at < len(data):
        delta, at = _number(data, at)
        tick += delta
        event = data[at]
        if event >= 0xF0:
            if event not in (0xF0, 0xF7, 0xFF):
                raise Broken(f"holds the byte {event:02X} where an event should begin")
            meta = data[at + 1] if event == 0xFF else None
            length, at = _number(data, at + 1 if meta is None else at + 2)
            if at + length > len(data):
                raise IndexError
            if meta == 0x2F:
                break
            if meta == 0x51 and length == 3:
                tempo = int.from_bytes(data[at : at + 3], "big")
                if tempo == 0:
                    raise Broken("sets a tempo without end")
                tempos.append((tick, tempo))
            at += length
            continue
        if event & 0x80:
            status = event
            at += 1
        elif not status:
            raise Broken(f"holds the byte {event:02X} where an event should begin")
        kind, channel, first = status & 0xF0, status & 0x0F, data[at]
        second = 0 if kind in (0xC0, 0xD0) else data[at + 1]
        at += 1 if kind in (0xC0, 0xD0) else 2
        if (first | second) & 0x80:
            raise Broken("holds a value above 127")
        if kind == 0x90 and second:
            sounding.setdefault(status << 7 | first, []).append((tick, second))
        elif kind in (0x80, 0x90):
            for start, velocity in sounding.pop((0x90 | channel) << 7 | first, ()):
                notes.extend((start, tick, first, velocity, channel))
    for key, started in sounding.items():
        for start, velocity in started:
            notes.extend((start, tick, key & 0x7F, velocity, (key >> 7) & 0x0F))
    return tick


def _number(data: bytes, at: int) -> tuple[int, int]:
    """The variable-length number at `at` (seven bits a byte, at most four bytes), and the place behind it."""
    value = 0
    for place in range(at, at + 4):
        value = value << 7 | (data[place] & 0x7F)
        if data[place] < 0x80:
            return value, place + 1
    raise Broken("holds a number of more than four bytes")
