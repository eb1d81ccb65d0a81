"""Measures of a piano roll: does a sample look like the music it was learnt from?"""

import numpy as np

from gatedtui.data.grid import LOWEST, PITCHES

_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])


def describe(roll: np.ndarray) -> dict[str, float]:
    """The measures below, all of them plain numbers, so that the result fits into JSON.

    Args:
        roll: (T, 88) integers, T >= 1, column p is MIDI pitch 21 + p, not zero where the pitch sounds.

    Returns:
        `polyphony`, `polyphony_sounding`, `empty_rate`, and, unless the roll is silent throughout, `pitch_low`,
        `pitch_high` (MIDI), `pitch_range` and `scale_consistency`.

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
    }
    if on.any():
        low, high = pitch_span(on)
        measures |= {"pitch_low": float(low), "pitch_high": float(high), "pitch_range": float(high - low)}
        measures["scale_consistency"] = scale_consistency(on)
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
