"""Piano rolls as MIDI files and back: what a network wrote, written down; what somebody else wrote, as a primer."""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatedtui import atomic
from gatedtui.data.grid import LOWEST, PITCHES
from gatedtui.data.smf import DRUMS, read_score
from gatedtui.errors import BadArgument, BadSource
from gatedtui.sound.expression import perform
from gatedtui.sound.pitches import parse_pitches

__all__ = ["MAX_STEPS", "Primer", "parse_pitches", "read_midi", "read_primer", "write_midi"]

MAX_STEPS = 200_000
"""Longest roll that is read: 8.7 hours at four steps a quarter note and 96 quarter notes a minute.
Its table of changes takes 70 MB."""


def write_midi(
    roll: np.ndarray,
    path: Path | str,
    *,
    qpm: float = 96.0,
    steps_per_quarter: int,
    program: int = 0,
    velocity: int | None = None,
    restrike: int = 0,
    title: str = "",
) -> None:
    """Writes a roll as a MIDI file, whole or not at all; the same roll always gives the same bytes.

    Neighbouring steps of a pitch become one held note, played as `sound.expression` says. Steps are whole ticks, so
    nothing is lost: `read_midi` with the same `steps_per_quarter` gives the roll back, silence at both ends included
    (the file ends with its last step).

    Args:
        roll: (T, 88) integers, T >= 1, column p is MIDI pitch 21 + p, not zero where the pitch sounds.
        path: the file, overwritten if it exists.
        qpm: quarter notes a minute, 4..1000 (written to the nearest microsecond a quarter note).
        steps_per_quarter: steps in a quarter note, 1..480.
        program: General MIDI instrument, 0..127; 0 is the grand piano.
        velocity: how hard every note is struck, 1..127; None = by voice and beat.
        restrike: a held note is struck anew every so many quarter notes; 0 = never.
        title: name of the track; none when empty.

    Raises:
        BadArgument: a number is out of range.
        BadSource: the file cannot be written.
        ValueError: the roll is not (T, 88) integers, or has no steps.
    """
    check_tempo(qpm, steps_per_quarter)
    notes = perform(roll, steps_per_quarter=steps_per_quarter, restrike=restrike)
    if not len(roll):
        raise ValueError("a roll without steps cannot be written")
    if not 0 <= program <= 127:
        raise BadArgument(f"There is no MIDI program '{program}'.", "Programs are 0 to 127; 0 is a grand piano.")
    if velocity is not None and not 1 <= velocity <= 127:
        raise BadArgument(f"The velocity '{velocity}' is out of range.", "Velocities are 1 to 127.")
    import pretty_midi

    # Every step is a whole number of ticks, near the customary 480 a quarter note; three at least, since pretty_midi
    # ends its tracks one tick late.
    ticks_per_step = max(3, 480 // steps_per_quarter)
    # pretty_midi cuts the microseconds of a quarter note off, where 6e7 / 6e7 * n may lie a hair below n: the quarter
    # of a microsecond keeps the rounded value. Only ticks are written, so it changes nothing else.
    tempo = round(6e7 / qpm)
    song = pretty_midi.PrettyMIDI(
        resolution=ticks_per_step * steps_per_quarter, initial_tempo=6e7 / (tempo + 0.25), charset="utf-8"
    )
    step_s = (tempo + 0.25) / 1e6 / steps_per_quarter
    voice = pretty_midi.Instrument(program=program, name=title.encode("utf-8", "replace").decode("utf-8"))
    voice.notes = [
        pretty_midi.Note(velocity=velocity or own, pitch=pitch, start=first * step_s, end=end * step_s)
        for first, end, pitch, own in notes.tolist()
    ]
    song.instruments.append(voice)
    # A MIDI file otherwise ends with its last note, and silence behind it would be lost.
    song.text_events.append(pretty_midi.Text("end", len(roll) * step_s))
    content = io.BytesIO()
    song.write(content)
    atomic.write(Path(path), content.getbuffer())


@dataclass(frozen=True, eq=False)
class Primer:
    """A MIDI file on a grid of steps, and what of it was left out."""

    roll: np.ndarray
    """(T, 88) uint8 of 0 and 1, T >= 1."""
    qpm: float
    """The tempo the file starts with, quarter notes a minute."""
    drums: int
    """Notes on the drum channel, left out."""
    outside: int
    """Notes outside MIDI pitches 21–108, left out."""

    @property
    def said(self) -> str:
        """What was left out, as a sentence; empty when nothing was."""
        parts = [
            f"{count} {what}{'' if count == 1 else 's'}"
            for count, what in ((self.drums, "drum note"), (self.outside, "note"))
            if count
        ]
        return f"Left out: {' and '.join(parts)}{' outside A0 to C8' if self.outside else ''}." if parts else ""


def read_primer(path: Path | str, *, steps_per_quarter: int) -> Primer:
    """The notes of a MIDI file on a grid of steps, for a network to go on from.

    Time is counted in the file's own quarter notes, so its tempo and changes of tempo do not matter. Starts and ends
    are rounded to the nearest step, halves up, and each note sounds for one step at least. Silence is kept, also
    behind the last note up to the end of the longest track.

    Args:
        path: any MIDI file of type 0 or 1, not trusted.
        steps_per_quarter: steps in a quarter note, 1..480.

    Raises:
        BadArgument: `steps_per_quarter` is out of range.
        BadSource: the file is missing, broken, no MIDI file, longer than `MAX_STEPS`, or holds no notes a piano has.
    """
    path = Path(path)
    check_tempo(96.0, steps_per_quarter)
    score = read_score(path)

    def step(ticks):
        return (2 * ticks * steps_per_quarter + score.ticks_per_quarter) // (2 * score.ticks_per_quarter)

    # One number of Python's before the array's 64 bits: a hostile file can count to 2**48 ticks.
    steps = step(score.end)
    if steps > MAX_STEPS:
        raise BadSource(
            f"The MIDI file '{path}' lasts {steps:,} steps, more than {MAX_STEPS:,}.", "Cut it to a shorter part."
        )
    pitch, is_drum = score.notes[:, 2] - LOWEST, score.notes[:, 4] == DRUMS
    is_outside = ~is_drum & ((pitch < 0) | (pitch >= PITCHES))
    kept = ~(is_drum | is_outside)
    if len(score.notes) and not kept.any():
        raise BadSource(f"The MIDI file '{path}' holds no notes between A0 and C8.", "Give a file with piano notes.")
    first, end = step(score.notes[kept, 0]), step(score.notes[kept, 1])
    end = np.maximum(end, first + 1)
    steps = max(steps, int(end.max(initial=0)))
    if steps == 0:
        raise BadSource(f"The MIDI file '{path}' holds no notes.", "Give a file with piano notes.")
    # Starts and ends are counted and summed: filling each note would take hours where a file overlaps them by design.
    change = np.zeros((steps + 1, PITCHES), np.int32)
    np.add.at(change, (first, pitch[kept]), 1)
    np.add.at(change, (end, pitch[kept]), -1)
    roll = np.cumsum(change[:-1], axis=0, dtype=np.int32) > 0
    return Primer(
        roll=roll.astype(np.uint8),
        qpm=6e7 / int(score.tempos[0, 1]),
        drums=int(is_drum.sum()),
        outside=int(is_outside.sum()),
    )


def read_midi(path: Path | str, *, steps_per_quarter: int) -> np.ndarray:
    """The roll of `read_primer` alone: (T, 88) uint8, and the same errors."""
    return read_primer(path, steps_per_quarter=steps_per_quarter).roll


def check_tempo(qpm: float, steps_per_quarter: int) -> None:
    """Raises BadArgument unless 4 <= qpm <= 1000 (MIDI cannot write slower ones) and 1 <= steps_per_quarter <= 480."""
    if not (math.isfinite(qpm) and 4 <= qpm <= 1000):
        raise BadArgument(f"The tempo '{qpm}' is out of range.", "Tempos are 4 to 1000 quarter notes a minute.")
    if not 1 <= steps_per_quarter <= 480:
        raise BadArgument(f"'{steps_per_quarter}' steps in a quarter note are out of range.", "Give 1 to 480.")
