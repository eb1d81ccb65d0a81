"""How a roll is played: which notes it holds, and how hard each is struck.

A roll says what sounds, not what is struck. A pitch that sounds in neighbouring steps may be one long note or the same
note again and again; nothing in the roll tells these apart, so it is read as one (see `sound.held`). Where that sounds
too still, as in a chorale whose voices repeat their notes, `restrike` strikes held notes anew at fixed places.

How hard: outer voices lead. Pianists play the melody louder than what accompanies it, by 10 to 25 MIDI velocities when
they are asked to bring it out (Goebl 2001, Melody lead in piano performance, J. Acoust. Soc. Am. 110), and notes on
strong beats a little louder than those between (Drake and Palmer 1993, Accent structures in music performance, Music
Perception 10). A roll knows no voices, so the highest and the lowest pitch that sound at a note's start stand for the
outer ones; and no bars, so quarter notes are the only beats. All of it is fixed: the same roll is always played alike.
"""

import numpy as np

from gatedtui.data.grid import LOWEST
from gatedtui.sound.held import held_notes

VELOCITY = 72
"""An inner voice on the beat: about mf."""
TOP, BOTTOM, ALONE = 14, 6, 10
"""What the highest, the lowest and a single sounding note are struck harder by."""
BETWEEN = -6
"""What a note that does not begin on a quarter note is struck harder by."""


def perform(roll: np.ndarray, *, steps_per_quarter: int, restrike: int = 0) -> np.ndarray:
    """The notes of a roll as they are played.

    Args:
        roll: (T, 88) integers or booleans, column p is MIDI pitch 21 + p, not zero where the pitch sounds.
        steps_per_quarter: steps in a quarter note, 1 or more.
        restrike: a held note is struck anew every so many quarter notes, counted from the roll's start; 0 = never.

    Returns:
        (N, 4) int64: first step, step after the last, MIDI pitch, velocity 1..127; sorted by first step, then pitch.
        The steps of each pitch are those of the roll, neither more nor less.

    Raises:
        ValueError: the roll is not (T, 88) integers, or a number is out of range.
    """
    if steps_per_quarter < 1 or restrike < 0:
        raise ValueError(
            f"steps_per_quarter is 1 or more and restrike 0 or more, not {steps_per_quarter} and {restrike}"
        )
    notes = held_notes(roll)
    if restrike:
        notes = _cut(notes, restrike * steps_per_quarter)
    return np.concatenate([notes, _velocities(notes, np.asarray(roll) != 0, steps_per_quarter)[:, None]], axis=1)


def _cut(notes: np.ndarray, every: int) -> np.ndarray:
    """The notes, cut wherever a multiple of `every` steps lies inside them."""
    pieces = []
    for first, end, pitch in notes.tolist():
        starts = [first, *range((first // every + 1) * every, end, every)]
        pieces += [(a, b, pitch) for a, b in zip(starts, [*starts[1:], end], strict=True)]
    cut = np.array(pieces, np.int64).reshape(-1, 3)
    return cut[np.lexsort((cut[:, 2], cut[:, 0]))]


def _velocities(notes: np.ndarray, on: np.ndarray, steps_per_quarter: int) -> np.ndarray:
    """One velocity a note, by where it stands among what sounds at its start, and by the beat."""
    if not len(notes):
        return np.zeros(0, np.int64)
    first, column = notes[:, 0], notes[:, 2] - LOWEST
    then = on[first]
    is_top = column == then.shape[1] - 1 - np.argmax(then[:, ::-1], axis=1)
    is_bottom = column == np.argmax(then, axis=1)
    louder = np.select([is_top & is_bottom, is_top, is_bottom], [ALONE, TOP, BOTTOM], 0)
    return VELOCITY + louder + np.where(first % steps_per_quarter == 0, 0, BETWEEN)
