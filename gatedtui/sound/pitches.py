"""Pitches typed by hand, as a piano roll.

The grammar, where blanks and bar lines `|` both divide, and blanks around `,` and `+` do not count:

    text   = step { (blank | "|") step }
    step   = ( chord | "-" ) [ "*" N ]          "-" is a rest; "*N" holds the step for N steps
    chord  = note { ("," | "+") note }          notes that sound together
    note   = MIDI number 21..108  |  letter A..G, accidentals # or b, octave        C4 is 60, A4 is 69

    "60,64,67"                  one chord of one step
    "C4 E4 G4 | D4 F4 A4"       six steps of one note each
    "C4+E4+G4*4 - Bb3,D4*2"     a chord of four steps, a rest, a chord of two
"""

import re

import numpy as np

from gatedtui.data.grid import LOWEST, PITCHES
from gatedtui.errors import BadArgument

MAX_STEPS = 200_000
"""Longest primer, in steps, after repeats."""

_EXAMPLE = "Write steps like: C4,E4,G4*2 - 60,64,67"
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAME = re.compile(r"([A-Ga-g])([#♯b♭]{0,2})(-?[0-9])")
_NUMBER = re.compile(r"[0-9]{1,3}")
_REPEAT = re.compile(r"[0-9]{1,6}")


def parse_pitches(text: str) -> np.ndarray:
    """The roll that `text` spells in the grammar above.

    Neighbouring steps with the same pitch are one held note, as everywhere in a roll: put a rest between to strike
    anew.

    Returns:
        (T, 88) uint8 of 0 and 1, T >= 1.

    Raises:
        BadArgument: something is no note, lies outside A0 to C8 (21 to 108), or the whole is empty or longer than
            `MAX_STEPS`; the sentence names it.
    """
    words = re.sub(r"\s*([,+])\s*", r"\1", text).replace("|", " ").split()
    if not words:
        raise BadArgument(f"There are no pitches in '{text}'.", _EXAMPLE)
    steps: list[tuple[list[int], int]] = []
    total = 0
    for word in words:
        chord, star, repeat = word.partition("*")
        if star and not (_REPEAT.fullmatch(repeat) and int(repeat)):
            raise BadArgument(f"'{repeat}' in '{word}' is not a number of steps.", _EXAMPLE)
        total += int(repeat or 1)
        if total > MAX_STEPS:
            raise BadArgument(f"The pitches up to '{word}' last {total:,} steps, more than {MAX_STEPS:,}.", _EXAMPLE)
        pitches = [] if chord == "-" else [_pitch(note, word) for note in re.split("[,+]", chord)]
        steps.append((pitches, int(repeat or 1)))
    roll = np.zeros((total, PITCHES), np.uint8)
    at = 0
    for pitches, repeats in steps:
        for pitch in pitches:
            roll[at : at + repeats, pitch - LOWEST] = 1
        at += repeats
    return roll


def _pitch(note: str, word: str) -> int:
    """The MIDI number of one note; `word` is the step it stands in, for the error."""
    place = f"'{note}'" if note == word else f"'{note}' in '{word}'"
    if _NUMBER.fullmatch(note):
        pitch = int(note)
    elif name := _NAME.fullmatch(note):
        letter, accidentals, octave = name.groups()
        raised = sum(1 if sign in "#♯" else -1 for sign in accidentals)
        pitch = _SEMITONES[letter.upper()] + raised + 12 * (int(octave) + 1)
    else:
        raise BadArgument(f"{place} is neither a note name nor a MIDI number.", _EXAMPLE)
    if not LOWEST <= pitch < LOWEST + PITCHES:
        raise BadArgument(
            f"The pitch {place} is outside the piano.",
            f"Pitches run from A0 ({LOWEST}) to C8 ({LOWEST + PITCHES - 1}).",
        )
    return pitch
