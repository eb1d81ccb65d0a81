"""The held notes of a piano roll: neighbouring steps of one pitch are one note."""

import numpy as np

from gatedtui.data.grid import LOWEST, PITCHES


def held_notes(roll: np.ndarray) -> np.ndarray:
    """The notes a roll stands for.

    A roll holds what sounds, not what is struck, so equal neighbours are read as one held note: striking anew at every
    step would turn each long note into a stutter.

    Args:
        roll: (T, 88) integers or booleans, column p is MIDI pitch 21 + p, not zero where the pitch sounds.

    Returns:
        (N, 3) int64: first step, step after the last, MIDI pitch; sorted by first step, then pitch.

    Raises:
        ValueError: the roll has another shape, or its numbers are not integers.
    """
    roll = np.asarray(roll)
    if roll.ndim != 2 or roll.shape[1] != PITCHES or roll.dtype.kind not in "bui":
        raise ValueError(f"a roll is (T, {PITCHES}) integers, not {roll.shape} {roll.dtype}")
    sounding = np.zeros((roll.shape[0] + 2, PITCHES), np.int8)
    sounding[1:-1] = roll != 0
    change = np.diff(sounding, axis=0).T
    # Along one pitch, starts and ends alternate, so the i-th start belongs to the i-th end.
    column, first = np.nonzero(change == 1)
    _, end = np.nonzero(change == -1)
    notes = np.stack([first, end, column + LOWEST], axis=1).astype(np.int64)
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))]
