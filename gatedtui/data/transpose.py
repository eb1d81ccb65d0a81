"""Moving pieces of music up and down: every key of every piece, drawn afresh each epoch.

Which shift a piece gets depends on the seed, the epoch and the piece alone, so a resume needs nothing stored.
"""

from collections.abc import Sequence

import numpy as np

from gatedtui.data.grid import PITCHES


class Transpositions:
    """The semitones each piece is moved by in each epoch.

    Args:
        pairs: `(x (T, 88), y (T, 88))` of each piece, zeros and ones.
        most: semitones up or down, at most, 0 or more; fewer where a note would leave the 88 pitches.
        seed: 0 or more.
    """

    def __init__(self, pairs: Sequence[tuple[np.ndarray, np.ndarray]], most: int, seed: int) -> None:
        self.seed, self._low, self._high = seed, np.zeros(len(pairs), np.int64), np.zeros(len(pairs), np.int64)
        for place, (x, y) in enumerate(pairs):
            sounding = np.flatnonzero((x != 0).any(0) | (y != 0).any(0))
            below, above = (sounding[0], PITCHES - 1 - sounding[-1]) if len(sounding) else (most, most)
            self._low[place], self._high[place] = -min(most, below), min(most, above)

    def epoch(self, number: int) -> np.ndarray:
        """The shift of every piece in an epoch, `(N,)` int64: all those it may have are equally likely."""
        return np.random.default_rng([self.seed, number]).integers(self._low, self._high + 1)


def moved(frames: np.ndarray, by: int) -> np.ndarray:
    """Frames `(T, 88)` moved up by so many semitones, down where it is below zero; no note may leave the 88."""
    return np.roll(frames, by, axis=1)
