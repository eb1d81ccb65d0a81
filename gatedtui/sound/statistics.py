"""Measures of a piano roll and of a waveform: does a sample look like what it was learnt from?"""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from gatedtui.data.grid import LOWEST, PITCHES

_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def describe(roll: np.ndarray, *, steps_per_quarter: int = 1) -> dict[str, float]:
    """The measures below, all of them plain numbers, so that the result fits into JSON.

    Args:
        roll: (T, 88) integers, T >= 1, column p is MIDI pitch 21 + p, not zero where the pitch sounds.
        steps_per_quarter: steps in a quarter note, 1 or more.

    Returns:
        `polyphony`, `polyphony_sounding`, `empty_rate`, `held_rate`, `repetition` (where there are two bars or more),
        and, unless the roll is silent throughout, `pitch_low`, `pitch_high` (MIDI), `pitch_range`,
        `scale_consistency`, `pitch_class_entropy` and `note_length` (in quarter notes).

    Raises:
        ValueError: another shape, or no frames.
    """
    on = np.asarray(roll) != 0
    if on.ndim != 2 or on.shape[1] != PITCHES or not len(on):
        raise ValueError(f"a roll is (T, {PITCHES}) with T >= 1, not {on.shape}")
    measures = {
        "polyphony": polyphony(on),
        "polyphony_sounding": polyphony_sounding(on),
        "empty_rate": empty_rate(on),
        "held_rate": held_rate(on),
    }
    bar = 4 * steps_per_quarter
    if len(on) >= 2 * bar:
        measures["repetition"] = repetition(on, bar)
    if on.any():
        low, high = pitch_span(on)
        measures |= {"pitch_low": float(low), "pitch_high": float(high), "pitch_range": float(high - low)}
        measures["scale_consistency"] = scale_consistency(on)
        measures["pitch_class_entropy"] = pitch_class_entropy(on)
        measures["note_length"] = note_length(on) / steps_per_quarter
    return measures


def polyphony(on: np.ndarray) -> float:
    """Mean number of pitches in a frame: Σ_t n_t / T, with n_t the pitches that sound in frame t of `on` (T, 88)."""
    return float(on.sum() / len(on))


def polyphony_sounding(on: np.ndarray) -> float:
    """Mean number of pitches in a frame that is not empty: Σ_t n_t / |{t : n_t > 0}|; 0 for silence.

    Source: "polyphony" in Dong, Chen, McAuley and Berg-Kirkpatrick 2020, MusPy (rests do not count).
    """
    return float(on.sum() / max(1, np.count_nonzero(on.any(axis=1))))


def empty_rate(on: np.ndarray) -> float:
    """Share of frames in which nothing sounds: |{t : n_t = 0}| / T.

    Source: "empty bars" in Dong, Hsiao, Yang and Yang 2018, MuseGAN, here by frames: a roll has no bars.
    """
    return float(1.0 - np.count_nonzero(on.any(axis=1)) / len(on))


def pitch_span(on: np.ndarray) -> tuple[int, int]:
    """The lowest and the highest MIDI pitch that sound; their difference is the "pitch range" of MusPy (2020)."""
    sounding = np.flatnonzero(on.any(axis=0))
    return int(sounding[0]) + LOWEST, int(sounding[-1]) + LOWEST


def scale_consistency(on: np.ndarray) -> float:
    """Share of what sounds that belongs to the best fitting major scale: max_s Σ_t |P_t ∩ s| / Σ_t n_t, over 12 scales.

    A natural minor scale has the pitches of its relative major, so these twelve stand for all twenty-four. Evenly
    spread pitches give 7/12 = 0.58. Source: Mogren 2016, C-RNN-GAN, who counts tones; here each frame of a tone counts,
    since a roll does not tell repeated tones from held ones.
    """
    classes = np.bincount((np.arange(PITCHES) + LOWEST) % 12, weights=on.sum(axis=0), minlength=12)
    inside = max(classes[(_MAJOR + tonic) % 12].sum() for tonic in range(12))
    return float(inside / classes.sum())


def pitch_class_entropy(on: np.ndarray) -> float:
    """How evenly what sounds is spread over the twelve pitch classes, in bits: -Σ_c p_c log₂ p_c, c = pitch mod 12.

    0 for a single class, log₂ 7 = 2.8 for an even scale, log₂ 12 = 3.6 for all twelve alike. Source: Wu and Yang 2020,
    The Jazz Transformer on the Front Line, there of note counts in bars, here of frames; also in MusPy (2020).
    """
    classes = np.bincount((np.arange(PITCHES) + LOWEST) % 12, weights=on.sum(axis=0), minlength=12)
    share = classes[classes > 0] / classes.sum()
    return max(0.0, float(-np.sum(share * np.log2(share))))


def note_length(on: np.ndarray) -> float:
    """Mean length in steps of the notes that the roll is read as: Σ_t n_t / number of starts (see `sound.held`).

    Source: "average note length" in Yang and Lerch 2020, On the evaluation of generative models in music; here notes
    that follow each other on one pitch without a rest count as one, since a roll does not tell them apart.
    """
    starts = on[0].sum() + np.count_nonzero(on[1:] & ~on[:-1])
    return float(on.sum() / max(1, starts))


def held_rate(on: np.ndarray) -> float:
    """Share of frames, from the second on, that are the frame before again: |{t : x_t = x_{t-1}}| / (T - 1).

    Near 1 a model is stuck. 0 where there is only one frame.
    """
    return float(np.mean(np.all(on[1:] == on[:-1], axis=1))) if len(on) > 1 else 0.0


def repetition(on: np.ndarray, bar: int) -> float:
    """Share of the stretches of `bar` frames that were heard before: of all t >= bar, those for which x_t..x_{t+bar-1}
    equals x_s..x_{s+bar-1} for some s <= t - bar. Stretches in which nothing changes do not count as heard.

    Source: after the recurrence of short subsequences in Mogren 2016, C-RNN-GAN, which counts tones; four quarter notes
    stand for a bar, which a roll does not mark.
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.packbits(on, axis=1), bar, axis=0).reshape(-1, 11 * bar)
    changes = np.any(on[1:] != on[:-1], axis=1)
    moving = np.convolve(changes, np.ones(bar - 1), mode="valid") > 0 if bar > 1 else np.ones(len(on), bool)
    first: dict[bytes, int] = {}
    heard = 0
    for at, window in enumerate(windows):
        begun = first.setdefault(window.tobytes(), at)
        heard += bool(moving[at]) and begun <= at - bar
    return heard / (len(windows) - bar)


OCTAVES_HZ = (93.75, 187.5, 375.0, 750.0, 1500.0, 3000.0)
"""Edges of the five octaves below 3 kHz: the pitch of voices, and their first formants."""
QUIETEST_DB = -120.0
"""Stands for silence, which has no level: below the steps of 24 bits."""


def describe_sound(samples: np.ndarray, rate_hz: int) -> dict[str, Any]:
    """The measures below, plain numbers and lists of them.

    Args:
        samples: (n,) one channel, full scale 1, n >= 1.
        rate_hz: samples a second.

    Returns:
        `rms`, `peak`, `zero_crossings_hz`, `octaves_hz` (the edges), `octaves_db` (one level an octave) and
        `tilt_db_per_octave` (None where fewer than two octaves lie below half the rate).

    Raises:
        ValueError: another shape, or no samples.
    """
    wave = np.asarray(samples, np.float64)
    if wave.ndim != 1 or not len(wave):
        raise ValueError(f"a sound is (n,) with n >= 1, not {wave.shape}")
    levels = octave_levels_db(wave, rate_hz)
    return {
        "rms": math.sqrt(float(np.mean(wave * wave))),
        "peak": float(np.abs(wave).max()),
        "zero_crossings_hz": zero_crossings_hz(wave, rate_hz),
        "octaves_hz": list(OCTAVES_HZ[: len(levels) + 1]),
        "octaves_db": levels,
        "tilt_db_per_octave": float(np.polyfit(range(len(levels)), levels, 1)[0]) if len(levels) > 1 else None,
    }


def zero_crossings_hz(wave: np.ndarray, rate_hz: int) -> float:
    """How often a second the sign changes, zero counting as positive: high for hiss, low for vowels."""
    return float(np.count_nonzero(np.diff(wave >= 0))) * rate_hz / len(wave)


def octave_levels_db(wave: np.ndarray, rate_hz: int) -> list[float]:
    """Power in each octave of `OCTAVES_HZ` below half the rate, in dB of the power in all of them; no loudness in it.

    The mean of the power spectra of half overlapping windows of about 32 ms under a Hann window, each without its mean
    (Welch 1967, *The use of fast Fourier transform for the estimation of power spectra*).
    """
    size = 2 ** max(3, round(math.log2(0.032 * rate_hz)))
    padded = np.pad(wave, (0, max(0, size - len(wave))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 2]
    power = np.zeros(size // 2 + 1)
    for window in windows:  # one after the other: all at once would take twelve times the waveform's memory
        power += np.square(np.abs(np.fft.rfft((window - window.mean()) * np.hanning(size))))
    frequency = np.fft.rfftfreq(size, 1 / rate_hz)
    edges = [edge for edge in OCTAVES_HZ if edge <= rate_hz / 2]
    bands = [float(power[(frequency >= low) & (frequency < high)].sum()) for low, high in pairwise(edges)]
    total = sum(bands)
    return [max(QUIETEST_DB, 10 * math.log10(band / total)) if band > 0 else QUIETEST_DB for band in bands]
