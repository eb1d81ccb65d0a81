"""Which key a piece is in, and the shift that brings it to C major or A minor."""

import numpy as np

from gatedtui.data.grid import LOWEST, PITCHES

# How much of a tune falls on each of the 12 semitones above the tonic, in per cent: the profiles Aarden (2003) counted
# in the Essen folk song collection, compared by correlation as Krumhansl (1990, chapter 4) does with hers. On the 364
# Bach chorales they name the key of the last bass note 307 times, Krumhansl and Kessler's 272 times, which mostly
# takes the fifth for the tonic. Both counts are with the finder below.
MAJOR = np.array(
    [17.7661, 0.145624, 14.9265, 0.160186, 19.8049, 11.3587, 0.291248, 22.062, 0.145624, 8.15494, 0.232998, 4.95122]
)
MINOR = np.array(
    [18.2648, 0.737619, 14.0499, 16.8599, 0.702494, 14.4362, 0.702494, 18.6161, 4.56621, 1.93186, 7.37619, 1.75623]
)


def find(notes: np.ndarray) -> tuple[int, str]:
    """The key whose profile correlates best with the time each pitch class sounds.

    Args:
        notes: (N, 3) float64: onset and end in quarter notes, MIDI pitch; at least one note.

    Returns:
        The tonic's pitch class (0 is C, 11 is B) and "major" or "minor".
    """
    classes = np.rint(notes[:, 2]).astype(np.int64) % 12
    heard = np.bincount(classes, weights=notes[:, 1] - notes[:, 0], minlength=12)
    heard = heard - heard.mean()
    fits = []
    for profile in (MAJOR, MINOR):
        centred = profile - profile.mean()
        # `heard` has the same norm in every one of the 24 comparisons, so dividing by it would not change the winner.
        fits.append([float(np.roll(centred, tonic) @ heard) / float(np.linalg.norm(centred)) for tonic in range(12)])
    mode, tonic = divmod(int(np.argmax(fits)), 12)
    return tonic, ("major", "minor")[mode]


def shift(notes: np.ndarray) -> int:
    """The semitones to add so that the piece stands in C major or A minor: the nearest, -6 to 5.

    When that would carry a note off the 88 keys, the same shift an octave further the other way is taken if it fits.
    """
    if not len(notes):
        return 0
    tonic, mode = find(notes)
    nearest = ((0 if mode == "major" else 9) - tonic + 6) % 12 - 6
    pitches = np.rint(notes[:, 2])
    for semitones in sorted((nearest, nearest - 12, nearest + 12), key=abs):
        if pitches.min() + semitones >= LOWEST and pitches.max() + semitones < LOWEST + PITCHES:
            return semitones
    return nearest


def transposed(notes: np.ndarray) -> np.ndarray:
    """The notes in C major or A minor; see `shift`."""
    return notes + np.array([0.0, 0.0, shift(notes)])
