"""The tests' data set: twelve short pieces in two to four voices, kept as text with the program."""

import re
from pathlib import Path

import numpy as np

from gatedtui import paths
from gatedtui.data import dataset, grid
from gatedtui.data.catalogue import Entry, Progress
from gatedtui.data.dataset import SPLITS, DataSet

SIZES = (8, 2, 2)
"""Pieces for training, validation and test, in the order of the file."""


def build(entry: Entry, *, cache: Path, mirror: str | None, progress: Progress | None) -> DataSet:
    """The twelve pieces, in some milliseconds; nothing is fetched."""
    pieces = parse((paths.bundled("assets") / "corpus" / "tiny.txt").read_text("utf-8"))
    bounds = np.cumsum([0, *SIZES])
    parts = {split: pieces[bounds[i] : bounds[i + 1]] for i, split in enumerate(SPLITS)}
    return dataset.build(
        entry.name,
        entry.kind,
        {split: tuple(grid.roll(notes, entry.steps_per_quarter) for _, notes in part) for split, part in parts.items()},
        {split: tuple(title for title, _ in part) for split, part in parts.items()},
        steps_per_quarter=entry.steps_per_quarter,
        notes=("Written for this project's tests.",),
    )


def parse(text: str) -> list[tuple[str, np.ndarray]]:
    """The pieces of a text: a title line `= title`, then a line a voice; `#` begins a comment.

    A voice is a row of notes `C4:3`, `F#3:2`, `Bb4:1` (name, octave, length in sixteenth notes; C4 is MIDI pitch 60)
    and rests `_:4`.

    Returns:
        Title and notes of each piece: (N, 3) float64, onset and end in quarter notes, MIDI pitch.
    """
    pieces: list[tuple[str, list[tuple[float, float, float]]]] = []
    for line in text.splitlines():
        line = line.split("# ")[0].strip()
        if line.startswith("="):
            pieces.append((line.removeprefix("=").strip(), []))
        elif line:
            now = 0
            for word in line.split():
                match = re.fullmatch(r"(?:([A-G])([#b]?)(\d)|_):(\d+)", word)
                if not match:
                    raise ValueError(f"not a note: {word!r}")
                letter, sign, octave, length = match.groups()
                if letter:
                    pitch = 12 * (int(octave) + 1) + "C D EF G A B".index(letter) + {"": 0, "#": 1, "b": -1}[sign]
                    pieces[-1][1].append((now / 4, (now + int(length)) / 4, float(pitch)))
                now += int(length)
    return [(title, np.array(notes)) for title, notes in pieces]
