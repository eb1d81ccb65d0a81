"""From written notes to a piano roll: the grid of time steps and the 88 keys."""

import numpy as np

LOWEST = 21
"""MIDI pitch of column 0 (A0)."""
PITCHES = 88
"""Columns of a roll: MIDI pitches 21 (A0) to 108 (C8)."""


def roll(notes: np.ndarray, steps_per_quarter: int) -> np.ndarray:
    """The notes on a grid of equal steps.

    Onsets and ends are rounded to the nearest step, halves upwards (truncating would shorten every triplet and every
    time that lies a hair below its step), and a note sounds for one step at least. Silent steps before the first and
    after the last note are left out. A roll holds what sounds, not what is struck: a repeated note and a held one look
    alike, as in the paper's data.

    Args:
        notes: (N, 3) float64: onset and end in quarter notes, MIDI pitch. Pitches outside 21–108 are left out.
        steps_per_quarter: steps in a quarter note.

    Returns:
        (T, 88) uint8 of 0 and 1, column p is pitch 21 + p; T is 0 when nothing sounds.
    """
    keys = np.rint(notes[:, 2]).astype(np.int64) - LOWEST
    inside = (keys >= 0) & (keys < PITCHES)
    keys = keys[inside]
    if not keys.size:
        return np.zeros((0, PITCHES), np.uint8)
    first = np.floor(notes[inside, 0] * steps_per_quarter + 0.5).astype(np.int64)
    end = np.maximum(np.floor(notes[inside, 1] * steps_per_quarter + 0.5).astype(np.int64), first + 1)
    first, end = first - first.min(), end - first.min()
    change = np.zeros((int(end.max()) + 1, PITCHES), np.int32)
    np.add.at(change, (first, keys), 1)
    np.add.at(change, (end, keys), -1)
    return (np.cumsum(change[:-1], axis=0) > 0).astype(np.uint8)
