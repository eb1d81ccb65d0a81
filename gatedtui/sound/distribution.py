"""What a sample's measures are in the music or speech it was learnt from: the middle, and what is usual.

A measure of a long excerpt is another than of a short one (the longer, the wider its pitch range), so the training set
is measured in excerpts as long as the sample.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatedtui.data.dataset import DataSet
from gatedtui.sound import statistics

EXCERPTS = 300
"""At most so many are measured: the 5th and 95th percentile of 300 stand on 15 values each. 0.2 s for music."""
SAID = {
    "polyphony": ("notes at a time", 2),
    "polyphony_sounding": ("… where any sound", 2),
    "empty_rate": ("empty frames", 3),
    "held_rate": ("frames as the one before", 2),
    "repetition": ("bars heard before", 2),
    "pitch_low": ("lowest pitch (MIDI)", 0),
    "pitch_high": ("highest pitch (MIDI)", 0),
    "pitch_range": ("pitch range (semitones)", 0),
    "scale_consistency": ("in the best scale", 2),
    "pitch_class_entropy": ("pitch-class entropy (bits)", 2),
    "note_length": ("note length (quarters)", 2),
    "rms": ("level (RMS, full scale 1)", 3),
    "peak": ("peak (full scale 1)", 2),
    "zero_crossings_hz": ("zero crossings a second", 0),
    "tilt_db_per_octave": ("spectral tilt (dB an octave)", 1),
}
"""What a measure is called, and how many decimals it is shown with."""


@dataclass(frozen=True)
class Band:
    """How a measure is distributed over excerpts: the median, and between what the middle 90 % lie."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One measure of a sample beside the training set's."""

    name: str
    value: str
    median: str
    usual: str
    """From the 5th to the 95th percentile; empty, as `median`, where the training set has no such measure."""
    inside: bool | None
    """Whether the value lies between them; None where there is nothing to compare with."""


def training_bands(data: DataSet, length: int, *, seed: int = 0) -> dict[str, Band]:
    """The measures of the training pieces, in excerpts of one length.

    Args:
        data: the set.
        length: steps (music) or samples (speech) of an excerpt, 1 or more; shorter pieces are taken whole.
        seed: which excerpts are taken where there are more than `EXCERPTS`.

    Returns:
        A band for each measure of `statistics.describe` or `statistics.describe_sound`; levels of octaves under
        `octave LOW-HIGH Hz`.
    """
    if data.kind == "music":
        return bands(data.splits["train"], length, lambda roll: measures(roll, data.steps_per_quarter), seed=seed)
    scale = np.float32(data.scale)
    return bands(data.splits["train"], length, lambda wave: sound_measures(wave * scale, data.rate_hz), seed=seed)


def measures(roll: np.ndarray, steps_per_quarter: int) -> dict[str, float]:
    """As `statistics.describe`."""
    return statistics.describe(roll, steps_per_quarter=steps_per_quarter)


def sound_measures(wave: np.ndarray, rate_hz: int) -> dict[str, float]:
    """The measures of `statistics.describe_sound`, one number each, as `flat` gives them."""
    return flat(statistics.describe_sound(wave, rate_hz))


def flat(described: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a description, with the list of octave levels taken apart; what is None is left out."""
    numbers = {
        name: float(value)
        for name, value in described.items()
        if name in SAID and isinstance(value, int | float) and not isinstance(value, bool)
    }
    edges, levels = described.get("octaves_hz", []), described.get("octaves_db", [])
    for low, high, level in zip(edges, edges[1:], levels, strict=False):
        numbers[f"octave {low:.0f}-{high:.0f} Hz"] = float(level)
    return numbers


def bands(
    pieces: Sequence[np.ndarray], length: int, describe: Callable[[np.ndarray], Mapping[str, float]], *, seed: int
) -> dict[str, Band]:
    """The distribution of every measure over the pieces' excerpts of one length; empty where there are no pieces."""
    places = [
        (number, at)
        for number, piece in enumerate(pieces)
        if len(piece)
        for at in (range(0, len(piece) - length + 1, length) if len(piece) >= length else (0,))
    ]
    if len(places) > EXCERPTS:
        chosen = np.random.default_rng(seed).choice(len(places), EXCERPTS, replace=False)
        places = [places[index] for index in sorted(chosen.tolist())]
    found: dict[str, list[float]] = {}
    for number, at in places:
        for name, value in describe(pieces[number][at : at + length]).items():
            found.setdefault(name, []).append(value)
    return {name: Band(*np.percentile(values, [50, 5, 95]).tolist()) for name, values in found.items()}


def rows(described: Mapping[str, Any], training: Mapping[str, Band]) -> list[Row]:
    """The measures of a sample beside the training set's, as text, in a fixed order.

    Args:
        described: what `statistics.describe` or `describe_sound` gave; other entries, as of a sidecar, do not matter.
        training: what `training_bands` gave.
    """
    table = []
    for name, value in flat(described).items():
        said, decimals = SAID.get(name, (f"level {name} (dB)", 1))
        band = training.get(name)
        if band is None:
            table.append(Row(said, f"{value:.{decimals}f}", "", "", None))
            continue
        usual = f"{band.low:.{decimals}f} … {band.high:.{decimals}f}"
        # As shown: 0.00 is not said to lie outside 0.00 … 0.02.
        shown, low, high = (round(number, decimals) for number in (value, band.low, band.high))
        table.append(Row(said, f"{value:.{decimals}f}", f"{band.median:.{decimals}f}", usual, low <= shown <= high))
    return table
