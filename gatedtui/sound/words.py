"""Measures of a sample in words, as the terminal and the pages show them. Light: no NumPy."""

from collections.abc import Mapping
from typing import Any

LETTERS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
FORMATS = {
    "polyphony": "polyphony {:.1f}",
    "scale_consistency": "in scale {:.0%}",
    "note_length": "notes {:.1f} quarters",
    "empty_rate": "rests {:.0%}",
    "rms": "rms {:.3f}",
    "zero_crossings_hz": "{:,.0f} crossings/s",
    "tilt_db_per_octave": "{:+.1f} dB/octave",
}
"""How the measures of `sound.statistics` are told, by name."""


def in_words(measures: Mapping[str, Any], *names: str) -> list[str]:
    """Those of the named measures that are known, in this order; "pitch_low" stands for the range up to the highest.

    Raises:
        KeyError: a name that has no format.
    """
    return [
        FORMATS[name].format(measures[name]) if name != "pitch_low" else _range(measures)
        for name in names
        if measures.get(name) is not None
    ]


def _range(measures: Mapping[str, Any]) -> str:
    return f"{pitch_name(int(measures['pitch_low']))}–{pitch_name(int(measures['pitch_high']))}"


def pitch_name(pitch: int) -> str:
    """`C4` for MIDI pitch 60."""
    return f"{LETTERS[pitch % 12]}{pitch // 12 - 1}"
